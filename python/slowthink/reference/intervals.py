"""Slow twins of the intervals: the formulas, one problem and one replicate at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def mean_and_error(values: Sequence[float], cluster: Sequence[int] | None = None) -> tuple[int, float, float]:
    """Problems used, mean and standard error of one column; NaN are problems without a value."""
    labels = list(range(len(values))) if cluster is None else list(cluster)
    used = [(Fraction(value), label) for value, label in zip(values, labels, strict=True) if not math.isnan(value)]
    if not used:
        return 0, math.nan, math.nan
    mean = sum((value for value, _ in used), Fraction(0)) / len(used)
    within: dict[int, Fraction] = {}
    for value, label in used:
        within[label] = within.get(label, Fraction(0)) + value - mean
    units = len(within)
    if units < 2:
        return len(used), float(mean), math.nan
    variance = Fraction(units, units - 1) * sum(total**2 for total in within.values()) / len(used) ** 2
    return len(used), float(mean), math.sqrt(variance)


def paired(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Mean difference of the pairs, its standard error, and Pearson's correlation."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if not (math.isnan(x) or math.isnan(y))]
    _, difference, error = mean_and_error([float(Fraction(x) - Fraction(y)) for x, y in pairs])
    xs, ys = np.array(pairs).reshape(-1, 2).T
    x, y = xs - xs.mean(), ys - ys.mean()
    scale = math.sqrt((x @ x) * (y @ y))
    return difference, error, float(x @ y) / scale if scale else math.nan


def bootstrap_means(values: Floats, draws: npt.NDArray[np.int64], cluster: Sequence[int] | None = None) -> Floats:
    """Means (B, K) of the problems, or the clusters in order of their labels, that each row of ``draws`` names."""
    labels = list(range(len(values))) if cluster is None else list(cluster)
    groups = [[i for i, label in enumerate(labels) if label == this] for this in sorted(set(labels))]
    out = np.full((len(draws), values.shape[1]), np.nan)
    for b, drawn in enumerate(draws):
        rows = np.array([values[i] for group in drawn for i in groups[group]])
        for k in range(values.shape[1]):
            column = rows[~np.isnan(rows[:, k]), k]
            if len(column):
                out[b, k] = column.mean()
    return out


def sign_test(k: int, n: int) -> float:
    """Twice the smaller tail of n fair tosses, at most 1."""
    tail = sum(math.comb(n, j) for j in range(min(k, n - k) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2**n)))
