"""Slow twin of distillation: exact rationals, and one pass over a walk."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise


def macro_counts(walk: Sequence[int], labels: Sequence[int], n_clusters: int) -> list[list[int]]:
    """How often a walk steps from each cluster to each."""
    counts = [[0] * n_clusters for _ in range(n_clusters)]
    for here, there in pairwise(walk):
        counts[labels[here]][labels[there]] += 1
    return counts


def rescale(meta: Sequence[Sequence[Fraction]], factor: Fraction) -> list[list[Fraction]]:
    """Off-diagonal entries times ``factor``, the exponential of beta; rows divided by their sums."""
    result = []
    for k, row in enumerate(meta):
        odds = [q if target == k else q * factor for target, q in enumerate(row)]
        result.append([entry / sum(odds) for entry in odds])
    return result


def next_cluster(meta: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """The law of the cluster that comes next, for clusters that are left."""
    result = []
    for k, row in enumerate(meta):
        leaves = sum((q for target, q in enumerate(row) if target != k), Fraction(0))
        result.append([Fraction(0) if target == k else q / leaves for target, q in enumerate(row)])
    return result
