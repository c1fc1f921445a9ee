"""Slow twin of laws over time: one step after another in exact rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Rows = Sequence[Sequence[Fraction]]


def forward(matrix: Rows, law: Sequence[Fraction]) -> list[Fraction]:
    """The law x P of the next state."""
    return [sum((x * row[j] for x, row in zip(law, matrix, strict=True)), Fraction(0)) for j in range(len(matrix))]


def backward(matrix: Rows, values: Sequence[Fraction]) -> list[Fraction]:
    """The mean P f at the next state."""
    return [sum((p * f for p, f in zip(row, values, strict=True)), Fraction(0)) for row in matrix]


def power(matrix: Rows, n_steps: int) -> list[list[Fraction]]:
    """P to the power ``n_steps``: products from left to right."""
    rows = [[Fraction(int(i == j)) for j in range(len(matrix))] for i in range(len(matrix))]
    for _ in range(n_steps):
        rows = [forward(matrix, row) for row in rows]
    return rows


def distance(law: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    """Total variation: the largest difference of the probabilities of any set of states."""
    return sum((x - y for x, y in zip(law, other, strict=True) if x > y), Fraction(0))


def mixing_time(matrix: Rows, stationary: Sequence[Fraction], epsilon: float, starts: Rows, most: int) -> int | None:
    """The first step at which all laws that begin as ``starts`` are within ``epsilon`` of the stationary one.

    None if that takes more than ``most`` steps.
    """
    laws = [list(law) for law in starts]
    for t in range(most + 1):
        if max(distance(law, stationary) for law in laws) <= Fraction(epsilon):
            return t
        laws = [forward(matrix, law) for law in laws]
    return None
