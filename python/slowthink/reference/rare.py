"""Slow twin of the hitting probabilities: exact rationals by elimination, and step by step where steps are limited."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

Matrix = Sequence[Sequence[Fraction]]


def hitting_probabilities(
    matrix: Matrix, targets: Collection[int], avoid: Collection[int] = (), max_steps: int | None = None
) -> list[Fraction]:
    """The probability from each state of reaching ``targets``, before ``avoid`` and within ``max_steps``."""
    if max_steps is not None:
        return _within(matrix, targets, avoid, max_steps)
    n = len(matrix)
    able = set(targets)  # states that can reach the targets; the others have probability 0
    while more := {
        i for i in range(n) if i not in able and i not in avoid and any(matrix[i][j] for j in able if matrix[i][j])
    }:
        able |= more
    unknown = sorted(able - set(targets))
    # h_i - sum_j p_ij h_j = sum over targets p_ij, for the unknown i and j.
    rows = [
        [Fraction(i == j) - Fraction(matrix[i][j]) for j in unknown]
        + [sum((Fraction(matrix[i][t]) for t in set(targets)), Fraction(0))]
        for i in unknown
    ]
    for k in range(len(unknown)):
        pivot = next(r for r in range(k, len(unknown)) if rows[r][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for r in range(len(unknown)):
            if r != k and rows[r][k]:
                factor = rows[r][k]
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[k], strict=True)]
    result = [Fraction(int(i in targets)) for i in range(n)]
    for row, i in zip(rows, unknown, strict=True):
        result[i] = row[-1]
    return result


def _within(matrix: Matrix, targets: Collection[int], avoid: Collection[int], max_steps: int) -> list[Fraction]:
    n = len(matrix)
    result = [Fraction(int(i in targets)) for i in range(n)]
    for _ in range(max_steps):
        result = [
            result[i]
            if i in targets or i in avoid
            else sum((Fraction(matrix[i][j]) * result[j] for j in range(n)), Fraction(0))
            for i in range(n)
        ]
    return result


def birth_death(up: Sequence[Fraction], down: Sequence[Fraction], start: int) -> Fraction:
    """The probability of reaching ``len(up) + 1`` before 0 from ``start``; state i moves up with probability
    ``up[i - 1]`` and down with ``down[i - 1]``.

    The sum of the products of down/up over the states below, divided by all such products.
    """
    product = Fraction(1)
    sums = [Fraction(1)]
    for u, d in zip(up, down, strict=True):
        product *= Fraction(d) / Fraction(u)
        sums.append(sums[-1] + product)
    return sums[start - 1] / sums[-1] if start > 0 else Fraction(0)
