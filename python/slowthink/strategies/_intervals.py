"""Intervals of accuracies and of paired differences, where trials may repeat the instances of a problem."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from slowthink import _slowthink

Floats = npt.NDArray[np.float64]


def by_instance(correct: npt.NDArray[np.float64], instance: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Sums and counts of the last axis by instance, for the instances that occur."""
    _, place, counts = np.unique(instance, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(correct[..., order], starts, axis=-1)
    return sums, counts.astype(np.float64)


def effective_size(values: npt.NDArray[np.float64], instance: npt.NDArray[np.int64]) -> Floats:
    """How many independent trials have a mean as uncertain as that of ``values``, whose instances repeat.

    The variance of the mean is that of sums by instance (the sandwich for clusters, with G / (G - 1)). At most the
    number of trials, and where values do not vary, as many as there are instances.
    """
    n = values.shape[-1]
    sums, counts = by_instance(values, instance)
    n_groups = len(counts)
    if n_groups == n or n_groups == 1:
        return np.full(values.shape[:-1], float(n))
    mean = values.mean(axis=-1, keepdims=True)
    between = ((sums - mean * counts) ** 2).sum(axis=-1) / n**2 * n_groups / (n_groups - 1)
    single = ((values - mean) ** 2).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(between > 0, single / between, float(n))
    return np.where(single > 0, np.clip(size, 1.0, float(n)), float(n_groups))


def quantile(confidence: float, n_groups: int, n: int) -> float:
    """How many standard errors an interval reaches: Student's where there are few groups of trials."""
    if n_groups == n or n_groups == 1:
        return NormalDist().inv_cdf(0.5 + confidence / 2)
    return float(_slowthink.student_quantile(confidence, n_groups - 1.0))


def wilson(
    correct: npt.NDArray[np.uint8], instance: npt.NDArray[np.int64], confidence: float, *, clustered: bool
) -> tuple[Floats, Floats]:
    """Wilson's interval of the mean of the last axis, for as many trials as these are worth.

    Examples
    --------
    >>> low, high = wilson(np.array([1, 1, 1, 0], np.uint8), np.arange(4), 0.95, clustered=True)
    >>> round(float(low), 3), round(float(high), 3)
    (0.301, 0.954)
    """
    n = correct.shape[-1]
    if n == 0:
        return np.full(correct.shape[:-1], np.nan), np.full(correct.shape[:-1], np.nan)
    values = correct.astype(np.float64)
    p = values.mean(axis=-1)
    n_groups = len(np.unique(instance)) if clustered else n
    size = effective_size(values, instance) if clustered else np.full(p.shape, float(n))
    z = quantile(confidence, n_groups, n)
    shift = z * z / (2 * size)
    half = z * np.sqrt(p * (1 - p) / size + (z / (2 * size)) ** 2)
    low, high = (p + shift - half) / (1 + 2 * shift), (p + shift + half) / (1 + 2 * shift)
    # At the ends the two terms cancel but for rounding.
    return np.where(p == 0, 0.0, np.maximum(low, 0.0)), np.where(p == 1, 1.0, np.minimum(high, 1.0))


def paired(
    a: npt.NDArray[np.uint8],
    b: npt.NDArray[np.uint8],
    instance: npt.NDArray[np.int64],
    confidence: float,
    *,
    clustered: bool,
) -> tuple[float, float, float]:
    """The difference of two means over the same trials, and its interval by Bonett and Price.

    Examples
    --------
    >>> a, b = np.array([1, 1, 1, 0], np.uint8), np.array([0, 1, 1, 0], np.uint8)
    >>> [round(x, 3) for x in paired(a, b, np.arange(4), 0.95, clustered=True)]
    [0.25, -0.383, 0.717]
    """
    n = len(a)
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    d = a.astype(np.float64) - b.astype(np.float64)
    difference = float(d.mean())
    n_groups = len(np.unique(instance)) if clustered else n
    size = float(effective_size(d, instance)) if clustered else float(n)
    only_a, only_b = ((d > 0).mean() * size + 1) / (size + 2), ((d < 0).mean() * size + 1) / (size + 2)
    half = quantile(confidence, n_groups, n) * float(np.sqrt((only_a + only_b - (only_a - only_b) ** 2) / (size + 2)))
    centre = float(only_a - only_b)
    # The interval is drawn to 0 a little; it holds the difference itself all the same.
    return difference, min(max(centre - half, -1.0), difference), max(min(centre + half, 1.0), difference)
