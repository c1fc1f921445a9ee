"""Slow twin of hitting times: exact rationals for their law, and Kaplan and Meier's product step by step."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt


def rational(matrix: Sequence[Sequence[float]]) -> list[list[Fraction]]:
    """The rows of a matrix as fractions, each divided by its exact sum."""
    rows = [[Fraction(p) for p in row] for row in matrix]
    return [[p / sum(row) for p in row] for row in rows]


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """The x with matrix x = right, by elimination."""
    n = len(matrix)
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                factor = rows[i][k]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def moments(matrix: Sequence[Sequence[float]], targets: set[int]) -> list[tuple[Fraction, Fraction]]:
    """Mean and variance of the hitting time from each state; every state must reach the targets.

    m = 1 + P m and s = 1 + 2 P m + P s off the targets, for the mean and the second moment.
    """
    p = rational(matrix)
    inside = [i for i in range(len(p)) if i not in targets]
    system = [[Fraction(int(i == j)) - p[i][j] for j in inside] for i in inside]
    mean = solve(system, [Fraction(1)] * len(inside))
    right = [1 + 2 * sum((p[i][j] * m for j, m in zip(inside, mean, strict=True)), Fraction(0)) for i in inside]
    second = solve(system, right)
    found = {i: (m, s - m * m) for i, m, s in zip(inside, mean, second, strict=True)}
    return [found.get(i, (Fraction(0), Fraction(0))) for i in range(len(p))]


def first_hit(matrix: Sequence[Sequence[float]], targets: set[int], target: int) -> list[Fraction]:
    """The probability, from each state, that ``target`` is the first of ``targets`` to be hit."""
    p = rational(matrix)
    inside = [i for i in range(len(p)) if i not in targets]
    system = [[Fraction(int(i == j)) - p[i][j] for j in inside] for i in inside]
    found = dict(zip(inside, solve(system, [p[i][target] for i in inside]), strict=True))
    return [found.get(i, Fraction(int(i == target))) for i in range(len(p))]


def law(matrix: npt.NDArray[np.float64], targets: Sequence[int], start: int, max_steps: int) -> npt.NDArray[np.float64]:
    """P(T = t, the state hit is targets[j]) at [t, j], for t from 0 to ``max_steps``, one step after another."""
    inside = matrix / matrix.sum(axis=1, keepdims=True)
    inside[list(targets)] = 0
    here = np.zeros(len(matrix))
    here[start] = 1
    out = np.zeros((max_steps + 1, len(targets)))
    for t in range(max_steps + 1):
        out[t] = here[list(targets)]
        here = here @ inside
    return out


def kaplan_meier(times: Sequence[int], watched: Sequence[int], t: int) -> Fraction:
    """P(T > t): the product over the times u <= t of 1 - (hits at u) / (walks not hit before u and watched at u)."""
    follow = [w if time < 0 else time for time, w in zip(times, watched, strict=True)]
    estimate = Fraction(1)
    for u in sorted({time for time in times if 0 <= time <= t}):
        estimate *= 1 - Fraction(list(times).count(u), sum(f >= u for f in follow))
    return estimate
