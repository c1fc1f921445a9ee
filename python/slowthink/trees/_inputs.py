"""Single numbers, and names of files, among the arguments of a forest."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from slowthink import _arrays


def real(value: Any, name: str) -> float:
    """A finite number."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return float(_arrays.floats(value, name, ndim=0))


def count(value: Any, name: str, low: int, high: int) -> int:
    """A whole number within [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be at least {low} and at most {high}, got {value}")
    return int(value)


def pair(value: Any, name: str) -> tuple[float, float]:
    """Two finite numbers."""
    array = _arrays.floats(value, name, ndim=1)
    if array.shape != (2,):
        raise ValueError(f"{name} must be two numbers, got {len(array)}")
    return float(array[0]), float(array[1])


def not_negative(value: Any, name: str) -> float:
    """A number of at least 0."""
    number = real(value, name)
    if number < 0:
        raise ValueError(f"{name} must be at least 0, got {number}")
    return number


def file_name(value: Any, name: str) -> str:
    """The name of a file."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise TypeError(f"{name} must be the name of a file, a str or PathLike, got {value!r}")
    if not text or "\0" in text:
        raise ValueError(f"{name} must be the name of a file, got {text!r}")
    return text
