"""Slow twin of detailed balance and the reversed chain: exact rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from slowthink.reference import structure
from slowthink.reference.hitting import solve


def stationary(matrix: Sequence[Sequence[float]], states: Sequence[int]) -> list[Fraction]:
    """The stationary law of a recurrent class; its probabilities sum to 1, and those of the other states are 0.

    The probability of staying is what the off-diagonal entries leave.
    """
    leave = {i: sum((Fraction(matrix[i][j]) for j in states if j != i), Fraction(0)) for i in states}
    # Flows balance in all states but the first, and the sum is 1.
    rows = [[Fraction(1)] * len(states)]
    for j in states[1:]:
        rows.append([leave[j] if i == j else -Fraction(matrix[i][j]) for i in states])
    right = [Fraction(1)] + [Fraction(0)] * (len(states) - 1)
    found = dict(zip(states, solve(rows, right), strict=True))
    return [found.get(i, Fraction(0)) for i in range(len(matrix))]


def imbalance(matrix: Sequence[Sequence[float]]) -> Fraction:
    """The greatest difference of two flows i -> j and j -> i within a recurrent class, as a part of the larger one."""
    worst = Fraction(0)
    array = np.asarray(matrix)
    for states in structure.classes(array):
        if not structure.is_recurrent(array, states):
            continue
        pi = stationary(matrix, states)
        for i in states:
            for j in states:
                there, back = pi[i] * Fraction(matrix[i][j]), pi[j] * Fraction(matrix[j][i])
                if there != back:
                    worst = max(worst, abs(there - back) / max(there, back))
    return worst


def time_reversal(matrix: Sequence[Sequence[float]]) -> list[list[Fraction]]:
    """pi_j p_ji / pi_i of an irreducible chain."""
    states = range(len(matrix))
    pi = stationary(matrix, list(states))
    return [[pi[j] * Fraction(matrix[j][i]) / pi[i] for j in states] for i in states]
