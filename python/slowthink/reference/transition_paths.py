"""Slow twin of transition-path theory: exact rationals, equation by equation."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Vector = list[Fraction]
Matrix = list[list[Fraction]]


def solve(a: Matrix, b: Vector) -> Vector:
    """x with a x = b, by elimination with exchanges of rows."""
    n = len(a)
    rows = [[*row, right] for row, right in zip(a, b, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k] != 0:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def rationals(matrix: Any) -> Matrix:
    """The transition matrix with a diagonal that makes each row sum to exactly 1."""
    rows = [[Fraction(float(x)) for x in row] for row in matrix]
    for i, row in enumerate(rows):
        row[i] = 1 - sum((x for j, x in enumerate(row) if j != i), Fraction(0))
    return rows


def stationary(p: Matrix) -> Vector:
    """pi P = pi, sum 1, for an irreducible chain."""
    n = len(p)
    equations = [[p[j][i] - (i == j) for j in range(n)] for i in range(n - 1)]
    return solve([*equations, [Fraction(1)] * n], [Fraction(0)] * (n - 1) + [Fraction(1)])


def committor(p: Matrix, zero: list[int], one: list[int]) -> Vector:
    """The probability of visiting ``one`` before ``zero``."""
    n = len(p)
    a: Matrix = []
    b: Vector = []
    for i in range(n):
        boundary = i in zero or i in one
        a.append([Fraction(i == j) if boundary else Fraction(i == j) - p[i][j] for j in range(n)])
        b.append(Fraction(i in one))
    return solve(a, b)


def transition_paths(matrix: Any, source: list[int], target: list[int]) -> dict[str, Any]:
    """Committors, fluxes and rate of an irreducible chain (Metzner, Schuette and Vanden-Eijnden 2009, section 2)."""
    p = rationals(matrix)
    n = len(p)
    law = stationary(p)
    forward = committor(p, source, target)
    reversed_chain = [[law[j] * p[j][i] / law[i] for j in range(n)] for i in range(n)]
    backward = committor(reversed_chain, target, source)
    gross = [[law[i] * backward[i] * p[i][j] * forward[j] * (i != j) for j in range(n)] for i in range(n)]
    net = [[max(gross[i][j] - gross[j][i], Fraction(0)) for j in range(n)] for i in range(n)]
    total = sum((gross[i][j] for i in source for j in range(n)), Fraction(0))
    rate = total / sum((w * q for w, q in zip(law, backward, strict=True)), Fraction(0))
    return {
        "stationary": law, "forward": forward, "backward": backward, "gross": gross, "net": net, "total": total,
        "rate": rate,
    }  # fmt: skip
