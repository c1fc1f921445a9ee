"""best-of-k in exact rationals, by going through all subsets or all ranks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import comb

from slowthink.reference.passes import jackknife


def over_subsets(scores: Sequence[float], values: Sequence[float], k: int) -> Fraction:
    """Mean over all k-subsets of the mean value of the samples tied at the subset's highest score."""
    results = []
    for subset in combinations(range(len(scores)), k):
        top = max(scores[i] for i in subset)
        winners = [Fraction(values[i]) for i in subset if scores[i] == top]
        results.append(sum(winners, Fraction(0)) / len(winners))
    return sum(results, Fraction(0)) / len(results)


def best_of_k(scores: Sequence[float], values: Sequence[float], k: int) -> Fraction | None:
    """The same by groups of tied scores: a group with L samples below it and s members holds the highest score of
    C(L+s, k) - C(L, k) subsets. None where k > n.
    """
    n = len(scores)
    if k > n:
        return None
    total, below = Fraction(0), 0
    for score in sorted(set(scores)):
        tied = [Fraction(value) for s, value in zip(scores, values, strict=True) if s == score]
        wins = comb(below + len(tied), k) - comb(below, k)
        total += sum(tied, Fraction(0)) / len(tied) * Fraction(wins, comb(n, k))
        below += len(tied)
    return total


def variance(scores: Sequence[float], values: Sequence[float], k: int) -> Fraction | None:
    """Delete-one jackknife of :func:`best_of_k`; None where k > n - 1."""
    without = [
        best_of_k([*scores[:i], *scores[i + 1 :]], [*values[:i], *values[i + 1 :]], k) for i in range(len(scores))
    ]
    defined = [value for value in without if value is not None]
    return jackknife(defined) if defined else None
