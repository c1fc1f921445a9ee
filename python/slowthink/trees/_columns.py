"""What a tell takes of each leaf, as the arrays that the engine reads; called by the engine for everything that is not
such an array already."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays


def floats(value: Any, name: str) -> npt.NDArray[np.float64] | float:
    """A number, or one for each leaf."""
    array = _arrays.floats(value, name, ndim=(0, 1))
    return float(array) if array.ndim == 0 else array


def integers(value: Any, name: str) -> npt.NDArray[np.int64] | int:
    """A whole number, or one for each leaf."""
    array = _arrays.integers(value, name, ndim=(0, 1))
    return int(array) if array.ndim == 0 else array


def players(value: Any, name: str) -> npt.NDArray[np.uint8] | int:
    """A player, or one for each leaf."""
    array = _arrays.integers(value, name, ndim=(0, 1))
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        where = f"[{int(np.argmax(wrong))}]" if array.ndim else ""
        raise ValueError(f"{name}{where} must be 0 or 1, got {array[wrong][0]}")
    return int(array) if array.ndim == 0 else array.astype(np.uint8)


def flags(value: Any, name: str) -> npt.NDArray[np.bool_] | bool:
    """True or False, or one of them for each leaf."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} must not have masked entries")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be an array of bools, got rows of unequal length") from None
    if array.dtype == object and all(isinstance(item, (bool, np.bool_)) for item in array.flat):
        array = array.astype(bool)
    if array.size == 0:
        array = array.astype(bool)
    if array.dtype != bool:
        raise TypeError(f"{name} must be True or False for each leaf, got dtype {array.dtype}")
    if array.ndim > 1:
        raise ValueError(f"{name} must be 0-D or 1-D, got shape {array.shape}")
    return bool(array) if array.ndim == 0 else np.array(array)


def tickets(value: Any, name: str) -> npt.NDArray[np.uint64]:
    """The numbers of leaves."""
    array = _arrays.numbers(value, name, ndim=1)
    if array.dtype != np.uint64:
        array = _arrays.integers(array, name, low=0)
    return np.array(array, dtype=np.uint64)


def priors(value: Any, name: str) -> npt.NDArray[np.float32]:
    """A row for each leaf, or one row of everything."""
    array = _arrays.floats(value, name, ndim=(1, 2))
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)


def texts(value: Any, name: str) -> list[str | None]:
    """A text or None for each leaf."""
    listed: list[str | None] | None = None
    if not isinstance(value, (str, bytes)):
        with contextlib.suppress(TypeError):
            listed = list(value)
    if listed is None:
        raise TypeError(f"{name} must be a sequence of str or None, got {type(value).__name__}")
    for i, text in enumerate(listed):
        if text is None:
            continue
        if not isinstance(text, str):
            raise TypeError(f"{name}[{i}] must be a str or None, got {type(text).__name__}")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name}[{i}] must be valid text, got one with lone surrogates") from None
    return listed
