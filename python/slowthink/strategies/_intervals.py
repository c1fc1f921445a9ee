"""Intervals of accuracies and of paired differences, where trials may repeat the instances of a problem."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _slowthink

Floats = npt.NDArray[np.float64]


class Groups:
    """Which trials are of one instance; each trial by itself where trials are independent."""

    def __init__(self, instance: npt.NDArray[np.int64], clustered: bool) -> None:
        self.n = len(instance)
        found, place = np.unique(instance, return_inverse=True)
        self.independent = not clustered or len(found) in (1, self.n)
        self.n_groups = self.n if self.independent else len(found)
        self._place = place
        self._counts = np.bincount(place, minlength=1).astype(np.float64)

    def effective_size(self, values: npt.NDArray[Any], mean: float, variance: float) -> float:
        """How many independent trials have a mean as uncertain as that of ``values``.

        The variance of the mean is that of sums by instance (the sandwich for clusters, with G / (G - 1)). At most the
        number of trials, and where values do not vary, as many as there are instances.
        """
        if self.independent:
            return float(self.n)
        if variance <= 0:
            return float(self.n_groups)
        sums = np.bincount(self._place, weights=values)
        between = ((sums - mean * self._counts) ** 2).sum() / self.n**2 * self.n_groups / (self.n_groups - 1)
        return float(np.clip(variance / between, 1.0, self.n)) if between > 0 else float(self.n)

    def quantile(self, confidence: float) -> float:
        """How many standard errors an interval reaches: Student's where instances repeat."""
        if self.independent:
            return -NormalDist().inv_cdf((1 - confidence) / 2)
        return float(_slowthink.student_quantile(confidence, self.n_groups - 1.0))


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
    groups = Groups(instance, clustered)
    p = correct.sum(axis=-1, dtype=np.int64) / n
    size = np.empty(p.shape)
    for place in np.ndindex(p.shape):
        size[place] = groups.effective_size(correct[place], p[place], p[place] * (1 - p[place]))
    z = groups.quantile(confidence)
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
    d = a.astype(np.int8) - b.astype(np.int8)
    groups = Groups(instance, clustered)
    wins, losses = int((d > 0).sum()), int((d < 0).sum())
    difference = (wins - losses) / n
    size = groups.effective_size(d, difference, (wins + losses) / n - difference**2)
    only_a, only_b = (wins / n * size + 1) / (size + 2), (losses / n * size + 1) / (size + 2)
    half = groups.quantile(confidence) * math.sqrt((only_a + only_b - (only_a - only_b) ** 2) / (size + 2))
    centre = only_a - only_b
    # The interval is drawn to 0 a little; it holds the difference itself all the same.
    return difference, min(max(centre - half, -1.0), difference), max(min(centre + half, 1.0), difference)
