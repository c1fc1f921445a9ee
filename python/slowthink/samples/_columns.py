"""Columns of a log as compact codes and numbers, whatever table or sequence they come from.

Tables are recognised by the methods of their columns; no table package is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]
Labels = npt.NDArray[Any]

MISSING = -1
"""The code of a missing value."""


def is_missing(value: Any) -> bool:
    """Whether ``value`` stands for nothing: None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating, np.datetime64)) and bool(value != value)


def factorize(column: Any, name: str) -> tuple[Codes, Labels]:
    """Codes of the entries, in order of first appearance, and the distinct values; missing entries have code -1.

    Values that compare equal in Python (1 and 1.0) are one label.

    Examples
    --------
    >>> factorize(["b", None, "a", "b"], "answer")
    (array([ 0, -1,  1,  0], dtype=int32), array(['b', 'a'], dtype=object))
    """
    column = _unwrapped(column, name)
    if isinstance(column, tuple):
        return _in_order(*column)
    if isinstance(column, np.ndarray) and column.dtype.kind in "biu":
        return _in_order(*_integer_codes(column))
    items = column.tolist() if isinstance(column, np.ndarray) else column
    try:
        places = dict.fromkeys(items)
    except TypeError:
        row = next(i for i, item in enumerate(items) if not _is_hashable(item))
        raise TypeError(f"{name}[{row}] must be hashable (text or a number), got {items[row]!r}") from None
    labels: list[Any] = []
    for value in places:
        if is_missing(value):
            places[value] = MISSING
        else:
            places[value] = len(labels)
            labels.append(value)
    codes = np.fromiter(map(places.__getitem__, items), dtype=np.int32, count=len(items))
    return codes, object_array(labels)


def numbers(column: Any, name: str) -> npt.NDArray[np.float64]:
    """The entries as float64, NaN where missing; text is refused."""
    column = _unwrapped(column, name)
    if isinstance(column, tuple):
        codes, labels = column
        return np.append(numbers(labels, name), np.nan)[codes]
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        return np.asarray(column, dtype=np.float64)
    items = column.tolist() if isinstance(column, np.ndarray) else column
    kinds = set(map(type, items))
    strange = [kind for kind in kinds if not (issubclass(kind, (bool, int, float, np.number, np.bool_)))]
    if any(kind is not type(None) for kind in strange):
        items = [None if is_missing(item) else item for item in items]
        for row, item in enumerate(items):
            if item is not None and not isinstance(item, (bool, int, float, np.number, np.bool_)):
                raise TypeError(f"{name}[{row}] must be a number or missing, got {item!r}")
    try:
        return np.array(items, dtype=np.float64)
    except OverflowError:
        raise ValueError(f"{name} must hold numbers within the range of float64") from None


def object_array(values: Sequence[Any]) -> Labels:
    """A 1-D array of the very objects."""
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def _unwrapped(column: Any, name: str) -> Any:
    """A list, a 1-D NumPy array, or (codes, labels)."""
    module = type(column).__module__.partition(".")[0]
    if isinstance(column, np.ma.MaskedArray):
        column = object_array([None if item is np.ma.masked else item for item in column])
    elif module == "pandas":
        column = _from_pandas(column)
    elif module == "pyarrow":
        column = _from_arrow(column)
    elif module == "polars":
        column = column.to_list() if column.dtype.is_numeric() is False or column.null_count() else column.to_numpy()
    elif isinstance(column, (str, bytes, dict)) or not hasattr(column, "__iter__"):
        raise TypeError(f"{name} must be a column of values, got {column!r}")
    elif not isinstance(column, (np.ndarray, list)):
        column = list(column)
    if isinstance(column, np.ndarray):
        if column.ndim != 1:
            raise ValueError(f"{name} must be 1-D, got shape {column.shape}")
        if not column.dtype.isnative:
            column = column.astype(column.dtype.newbyteorder("="))
    return column


def _from_pandas(column: Any) -> Any:
    categorical = getattr(column, "cat", column if hasattr(column, "categories") else None)
    if categorical is not None and hasattr(categorical, "codes"):
        codes = np.asarray(categorical.codes, dtype=np.int32)
        return codes, object_array(np.asarray(categorical.categories).tolist())
    array = column.to_numpy()
    return array.tolist() if array.dtype.kind == "O" else array


def _from_arrow(column: Any) -> Any:
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if hasattr(column, "chunks"):  # combined, and still chunked: nothing in it, or more than one chunk can hold
        return column.to_pylist()
    kind = str(column.type)
    if column.null_count == 0 and kind.startswith(("int", "uint", "float", "double", "bool")):
        return column.to_numpy(zero_copy_only=False)
    if kind in ("string", "large_string"):
        column = column.dictionary_encode()
    if hasattr(column, "dictionary"):
        codes = column.indices.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int32)
        return codes, object_array(column.dictionary.to_pylist())
    return column.to_pylist()


def _integer_codes(column: npt.NDArray[Any]) -> tuple[Codes, Labels]:
    if column.size == 0:
        return np.empty(0, dtype=np.int32), column
    low, high = int(column.min()), int(column.max())
    if high - low <= 4 * column.size + 1024:
        # A table over the range instead of a sort.
        if column.dtype == np.uint64:
            offset = (column - np.uint64(low)).astype(np.int64)
        else:
            offset = column.astype(np.int64) - low
        seen = np.zeros(high - low + 1, dtype=bool)
        seen[offset] = True
        values = np.flatnonzero(seen)
        table = np.cumsum(seen, dtype=np.int32) - np.int32(1)
        return table[offset], object_array([bool(v) if column.dtype.kind == "b" else low + int(v) for v in values])
    distinct, codes = np.unique(column, return_inverse=True)
    return codes.astype(np.int32), object_array(distinct.tolist())


def _in_order(codes: Codes, labels: Labels) -> tuple[Codes, Labels]:
    """The same with the labels in order of first appearance, unused ones left out."""
    first = np.full(len(labels) + 1, len(codes), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of equal indices the last one written stays
    order = np.argsort(first[:-1], kind="stable")
    order = order[first[order] < len(codes)]
    place = np.full(len(labels) + 1, MISSING, dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    place[-1] = MISSING
    return place[codes], labels[order]


def _is_hashable(item: Any) -> bool:
    try:
        hash(item)
    except TypeError:
        return False
    return True
