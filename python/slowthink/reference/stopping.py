"""Slow twin of the stopping rules: exact rationals."""

from __future__ import annotations

from fractions import Fraction
from math import comb


def beta_probability(counts: list[int]) -> Fraction:
    """P(Binomial(v1 + v2 + 1, 1/2) > v2) for the two largest counts v1 >= v2."""
    first, second = sorted([*counts, 0], reverse=True)[:2]
    n = first + second + 1
    return Fraction(sum(comb(n, j) for j in range(second + 1, n + 1)), 2**n)


def e_value(first: int, second: int) -> Fraction:
    """The integral of (2p)^first (2 - 2p)^second over p in (1/2, 1), divided by 1/2, term by term."""
    n = first + second
    total = Fraction(0)
    for j in range(second + 1):  # (1 - p)^second by the binomial theorem
        power = first + j + 1
        total += Fraction((-1) ** j * comb(second, j), power) * (1 - Fraction(1, 2**power))
    return total * Fraction(2 << n)
