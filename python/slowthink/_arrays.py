"""What users hand in, as arrays the kernels take, and the arrays for results; what cannot be is named and refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _memory

_MATRIX_KINDS = "biuf"

_MOST_K = 1 << 24
"""Values that ``k=None`` stands for at most: a count this large is a mistake more often than a wish."""

_BLOCK = 1 << 18
"""Elements checked at once."""

_SMALL = 1 << 24
"""Bytes that are asked for without a look at how much there is, which takes some 50 microseconds."""


def integers(
    value: Any, name: str, *, ndim: int | tuple[int, ...] | None = None, low: int | None = None
) -> npt.NDArray[np.int64]:
    """``value`` as a C-contiguous int64 array; whole floats pass, fractions, NaN and values below ``low`` do not.

    Examples
    --------
    >>> integers([1.0, 2.0], "k")
    array([1, 2])
    >>> integers([1.5], "k")
    Traceback (most recent call last):
    ...
    ValueError: k[0] must be a whole number, got 1.5
    """
    array = _native(value, name, ndim)
    if array.dtype.kind == "f":
        whole = np.isfinite(array) & (np.floor(array) == array) & (np.abs(array) < 2.0**63)
        _all(whole, array, name, "be a whole number")
    elif array.dtype == np.uint64:
        _all(array <= np.uint64(2**63 - 1), array, name, "be below 2**63")
    result = np.ascontiguousarray(array, dtype=np.int64).reshape(array.shape)
    if low is not None:
        _all(result >= low, result, name, f"be at least {low}")
    return result


def numbers(value: Any, name: str, *, ndim: int | tuple[int, ...] | None = None) -> npt.NDArray[Any]:
    """``value`` as an array of numbers of its own dtype, not copied where it is one already."""
    return _native(value, name, ndim)


def floats(
    value: Any,
    name: str,
    *,
    ndim: int | tuple[int, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    finite: bool = True,
) -> npt.NDArray[np.float64]:
    """``value`` as a C-contiguous float64 array, finite unless ``finite=False``, and within [low, high]."""
    array = _native(value, name, ndim)
    result = np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)
    if finite:
        _all(np.isfinite(result), result, name, "be finite")
    if low is not None:
        _all(~(result < low), result, name, f"be at least {low}")
    if high is not None:
        _all(~(result > high), result, name, f"be at most {high}")
    return result


def matrix(value: Any, name: str, *, whole: bool = False) -> npt.NDArray[Any]:
    """``value`` as a 2-D array of a dtype that the kernels read without a copy: its own where that is possible.

    ``whole=True`` asks for integers: a float matrix must hold whole numbers, which the kernels read as integers.
    """
    array = _native(value, name, 2)
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)
    if whole:
        # In blocks of rows: the masks of a whole matrix would take as much memory as a small dtype itself.
        step = max(1, _BLOCK // max(1, array.shape[1]))
        if array.dtype.kind == "f":
            for first in range(0, len(array), step):
                block = array[first : first + step]
                valid = np.isfinite(block) & (np.floor(block) == block) & (np.abs(block) < 2.0**63)
                _all(valid, block, name, "be a whole number", first)
        elif array.dtype == np.uint64:
            for first in range(0, len(array), step):
                block = array[first : first + step]
                _all(block <= np.uint64(2**63 - 1), block, name, "be below 2**63", first)
            array = array.view(np.int64)
    return array


def k_values(k: Any, largest: int, name: str = "k") -> tuple[npt.NDArray[np.int64], bool]:
    """The values of ``k`` (None: 1 to ``largest``) and whether ``k`` was a single number.

    Examples
    --------
    >>> k_values(None, 3), k_values(2, 3)
    ((array([1, 2, 3]), False), (array([2]), True))
    """
    if k is None:
        if largest > _MOST_K:
            raise ValueError(
                f"{name} must be given where a problem has more than {_MOST_K:,} samples ({largest:,} here)"
            )
        return np.arange(1, largest + 1, dtype=np.int64), False
    values = integers(k, name, ndim=(0, 1), low=1)
    if isinstance(k, (bool, np.bool_)):
        raise TypeError(f"{name} must be None, an int or a 1-D array of ints, got {k!r}")
    return np.atleast_1d(values), values.ndim == 0


def fits(shape: tuple[int, ...], dtype: npt.DTypeLike, what: str = "a result") -> None:
    """Refuses, with a MemoryError, an array that there is no memory for."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = _memory.available() if _SMALL < size < 2**63 else None
    if size >= 2**63 or (room is not None and size > room):
        free = "" if room is None else f", and {room:,} are free"
        raise MemoryError(f"{what} of shape {shape} takes {size:,} bytes{free}")


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A new array for a result; MemoryError, before any work starts, where it does not fit.

    Examples
    --------
    >>> empty((2**40, 2**40), np.uint32)
    Traceback (most recent call last):
    ...
    MemoryError: a result of shape (1099511627776, 1099511627776) takes 4,835,703,278,458,516,698,824,704 bytes
    """
    fits(shape, dtype)
    return np.empty(shape, dtype=dtype)


def zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """As :func:`empty`, filled with zeros."""
    fits(shape, dtype)
    return np.zeros(shape, dtype=dtype)


def output(out: Any, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, *inputs: Any) -> npt.NDArray[Any]:
    """``out`` if a kernel can write its result there: an array of that shape and dtype, C-contiguous and writeable,
    that shares no memory with ``inputs``.

    Examples
    --------
    >>> output(np.zeros(3), "out", (2,), np.float64)
    Traceback (most recent call last):
    ...
    ValueError: out must have shape (2,), got (3,)
    """
    wanted = np.dtype(dtype)
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a NumPy array of dtype {wanted}, got {type(out).__name__}")
    if out.dtype != wanted:
        raise TypeError(f"{name} must have dtype {wanted}, got {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {out.shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} must be writeable")
    if not out.flags.c_contiguous:
        raise ValueError(f"{name} must be C-contiguous, got strides {out.strides}")
    if not out.flags.aligned:
        raise ValueError(f"{name} must be aligned in memory")
    if any(isinstance(array, np.ndarray) and np.may_share_memory(out, array) for array in inputs):
        raise ValueError(f"{name} must not share memory with the other arguments")
    return out


def choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """``value`` if it is one of the words ``allowed``.

    Examples
    --------
    >>> choice("uniform", "ties", ("uniform", "strict"))
    'uniform'
    >>> choice("first", "ties", ("uniform", "strict"))
    Traceback (most recent call last):
    ...
    ValueError: ties must be 'uniform' or 'strict', got 'first'
    """
    quoted = list(map(repr, allowed))
    words = ", ".join(quoted[:-1]) + " or " + quoted[-1] if len(quoted) > 1 else quoted[0]
    if not isinstance(value, str):
        raise TypeError(f"{name} must be {words}, got {type(value).__name__}")
    if value not in allowed:
        raise ValueError(f"{name} must be {words}, got {value!r}")
    return value


def flag(value: Any, name: str) -> bool:
    """``value`` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {type(value).__name__}")
    return bool(value)


def same_length(first: npt.NDArray[Any], first_name: str, other: npt.NDArray[Any], other_name: str) -> None:
    """Refuses two arrays whose first axes differ."""
    if len(first) != len(other):
        raise ValueError(
            f"{other_name} must have the length of {first_name}, {len(first)}, got {len(other)} (shape {other.shape})"
        )


def _native(value: Any, name: str, ndim: int | tuple[int, ...] | None) -> npt.NDArray[Any]:
    """``value`` as a native-endian array of numbers with an allowed number of dimensions."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be an array of numbers, got rows of unequal length") from None
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} must not have masked entries")
    if array.dtype.kind == "O" and array.size:
        array = _from_objects(array, name)
    elif array.size == 0 and array.dtype.kind not in _MATRIX_KINDS:
        array = array.astype(np.int64)
    if array.dtype.kind not in _MATRIX_KINDS:
        raise TypeError(f"{name} must be an array of numbers, got dtype {array.dtype}")
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        shape = " or ".join(f"{n}-D" for n in allowed)
        raise ValueError(f"{name} must be {shape}, got shape {array.shape}")
    if array.dtype == np.float16:
        return array.astype(np.float32)  # whose range holds what counts are compared with
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def _from_objects(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    for index, item in np.ndenumerate(array):
        if not isinstance(item, (int, float, np.number, np.bool_)):
            raise TypeError(f"{_at(name, index)} must be a number, got {item!r}")
    converted = np.array(array.tolist())
    if converted.dtype.kind not in _MATRIX_KINDS:
        raise ValueError(f"{name} must hold numbers of at most 64 bits")
    return converted


def _all(valid: npt.NDArray[np.bool_], array: npt.NDArray[Any], name: str, rule: str, first: int = 0) -> None:
    """Raises for the first entry of ``array`` where ``valid`` is False; ``array`` is named from row ``first`` on."""
    if not valid.all():
        index = tuple(int(i) for i in np.unravel_index(int(np.argmin(valid)), valid.shape))
        named = (index[0] + first, *index[1:]) if index else index
        raise ValueError(f"{_at(name, named)} must {rule}, got {array[index]}")


def _at(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name
