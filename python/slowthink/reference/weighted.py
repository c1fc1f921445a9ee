"""Slow twin of the weighted vote: every subset, in exact rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations


def weighted_maj_at_k(answers: Sequence[int], weights: Sequence[object], gold: int, k: int) -> Fraction:
    """Mean over all k-subsets of the gold answer's share of the win; codes below 0 never vote, -1 is not drawn.

    Weights are taken as ``Fraction(str(weight))``, so that 0.1 means one tenth.
    """
    samples = [
        (answer, Fraction(str(weight)) if answer >= 0 else Fraction(0))
        for answer, weight in zip(answers, weights, strict=True)
        if answer != -1
    ]
    total, subsets = Fraction(0), 0
    for subset in combinations(samples, k):
        sums: dict[int, Fraction] = {}
        for answer, weight in subset:
            if weight > 0:
                sums[answer] = sums.get(answer, Fraction(0)) + weight
        most = max(sums.values(), default=Fraction(0))
        if sums.get(gold) == most:
            total += Fraction(1, sum(value == most for value in sums.values()))
        subsets += 1
    return total / subsets
