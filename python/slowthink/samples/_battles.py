"""Battles, one row each, as counts of wins and ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays


def win_matrix(
    model_a: Any, model_b: Any, outcome: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], tuple[str, ...]]:
    """Counts battles: the wins and ties that :func:`bradley_terry` takes.

    Parameters
    ----------
    model_a, model_b : (N,) names or numbers
        Who met.
    outcome : (N,) numbers
        1 where a won, 0 where b won, 0.5 for a tie.

    Returns
    -------
    wins : (M, M) int64
        ``wins[i, j]``: how often player i beat player j.
    ties : (M, M) int64
        Symmetric counts of ties.
    names : tuple of M str
        The players, sorted (numbers by size).

    Examples
    --------
    >>> from slowthink.samples import win_matrix
    >>> win_matrix(["b", "a", "a"], ["a", "b", "c"], [1, 0.5, 0])
    (array([[0, 0, 0], [1, 0, 0], [1, 0, 0]]), array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), ('a', 'b', 'c'))
    """
    codes, names = codes_of(model_a, model_b)
    return *counts_of(codes, outcomes_of(outcome, len(codes[0])), len(names)), names


def codes_of(model_a: Any, model_b: Any) -> tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], tuple[str, ...]]:
    """The players of battles as numbers in the order of their sorted names."""
    columns = [_players_column(model_a, "model_a"), _players_column(model_b, "model_b")]
    a, b = columns
    _arrays.same_length(a, "model_a", b, "model_b")
    if len(a) == 0:
        raise ValueError("model_a must not be empty")
    if (a.dtype.kind in "iu") != (b.dtype.kind in "iu"):
        raise TypeError(f"model_b must hold what model_a holds, got dtypes {a.dtype} and {b.dtype}")
    if a.dtype.kind in "iu":
        both, players = _numbered(np.concatenate(columns))
        names = tuple(str(player) for player in players.tolist())
    else:
        lists = [column.tolist() for column in columns]
        found = sorted({*lists[0], *lists[1]}, key=str)
        number = {item: i for i, item in enumerate(found)}
        both = np.array([number[item] for items in lists for item in items], dtype=np.int64)
        names = tuple(item if isinstance(item, str) else item.decode() for item in found)
    codes = both.astype(np.int64, copy=False).reshape(2, -1)
    same = np.flatnonzero(codes[0] == codes[1])
    if same.size:
        i = int(same[0])
        raise ValueError(f"model_b[{i}] must differ from model_a[{i}], got {b[i]!r} twice")
    return (codes[0], codes[1]), names


def _players_column(value: Any, name: str) -> npt.NDArray[Any]:
    """Names, or whole numbers, as a 1-D array."""
    try:
        column = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be 1-D, got rows of unequal length") from None
    if column.ndim != 1:
        raise ValueError(f"{name} must be 1-D, got shape {column.shape}")
    if column.dtype.kind in "US":
        return column
    if column.dtype.kind in "OT":
        if column.size and all(isinstance(item, (str, bytes)) for item in column):
            return column
        for i, item in enumerate(column):
            if item is None or item != item or not isinstance(item, (int, float, np.number, str, bytes)):
                raise TypeError(f"{name}[{i}] must be a name or a whole number, got {item!r}")
            if isinstance(item, (str, bytes)) != isinstance(column[0], (str, bytes)):
                raise TypeError(f"{name}[{i}] must be of the kind of {name}[0], got {item!r}")
    if column.dtype == np.uint64:
        return column
    return _arrays.integers(value, name, ndim=1)


def _numbered(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """``values`` as positions in their sorted distinct values, and these; without a sort where they lie close."""
    low, span = int(values.min()), int(values.max()) - int(values.min()) + 1
    if span > 4 * len(values):
        players, both = np.unique(values, return_inverse=True)
        return both, players
    offset = (values - values.min()).astype(np.int64)
    present = np.bincount(offset, minlength=span) > 0
    return (np.cumsum(present) - 1)[offset], np.flatnonzero(present) + low


def outcomes_of(outcome: npt.ArrayLike, n: int, name: str = "outcome") -> npt.NDArray[np.float64]:
    values = _arrays.floats(outcome, name, ndim=1)
    if len(values) != n:
        raise ValueError(f"{name} must have the length of model_a, {n}, got {len(values)}")
    wrong = np.flatnonzero((values != 0.0) & (values != 1.0) & (values != 0.5))
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(f"{name}[{i}] must be 1 (a won), 0 (b won) or 0.5 (a tie), got {values[i]}")
    return values


def counts_of(
    codes: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], outcome: npt.NDArray[np.float64], n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Wins and ties of battles between numbered players."""
    a, b = codes
    cell = np.where(outcome == 0.0, b * n + a, a * n + b)
    decided = outcome != 0.5
    wins = np.bincount(cell[decided], minlength=n * n).reshape(n, n)
    ties = np.bincount(cell[~decided], minlength=n * n).reshape(n, n)
    return wins.astype(np.int64, copy=False), (ties + ties.T).astype(np.int64, copy=False)
