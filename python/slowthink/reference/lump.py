"""Slow twin of coarse chains: sums over pairs of blocks in exact rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def lead(matrix: Sequence[Sequence[float]], labels: Sequence[int], state: int, block: int) -> Fraction:
    """The probability of a transition from a state to a block."""
    return sum((Fraction(p) for p, label in zip(matrix[state], labels, strict=True) if label == block), Fraction(0))


def lump(
    matrix: Sequence[Sequence[float]], labels: Sequence[int], weights: Sequence[float]
) -> tuple[list[list[Fraction]], Fraction, Fraction]:
    """The matrix of the blocks; the largest difference within one, and the largest as a part of the greater number."""
    n_blocks = max(labels) + 1
    coarse, largest, relative = [], Fraction(0), Fraction(0)
    for here in range(n_blocks):
        states = [i for i, label in enumerate(labels) if label == here]
        whole = sum((Fraction(weights[i]) for i in states), Fraction(0))
        row = []
        for there in range(n_blocks):
            probabilities = [lead(matrix, labels, i, there) for i in states]
            flow = sum((Fraction(weights[i]) * p for i, p in zip(states, probabilities, strict=True)), Fraction(0))
            row.append(flow / whole)
            low, high = min(probabilities), max(probabilities)
            if here != there and high > 0:
                largest, relative = max(largest, high - low), max(relative, (high - low) / high)
        coarse.append(row)
    return coarse, largest, relative
