"""Slow twins of planning: the smallest number of samples, found by trying them one after another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from slowthink.reference.majority import plurality_probability


def best_of_n_probability(p: Fraction, n: int) -> Fraction:
    """One minus the probability that all n samples fail.

    >>> best_of_n_probability(Fraction(2, 5), 2)
    Fraction(16, 25)
    """
    return 1 - (1 - p) ** n


def samples_for_majority(p: Sequence[Fraction], confidence: Fraction, largest: int) -> int:
    """One more than the last n up to ``largest`` at which the vote misses ``confidence``.

    >>> samples_for_majority([Fraction(4, 5), Fraction(1, 5)], Fraction(85, 100), 9)
    3
    """
    return 1 + max((n for n in range(1, largest + 1) if plurality_probability(p, n) < confidence), default=0)
