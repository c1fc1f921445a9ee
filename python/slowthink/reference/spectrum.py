"""Slow twin of the spectrum: exact rationals, which prove how near a number is to a rate 1 - eigenvalue."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Matrix = list[list[Fraction]]


def generator(matrix: Any) -> Matrix:
    """I - P from the off-diagonal entries alone: each row sums to 0."""
    n = len(matrix)
    rows = [[-Fraction(float(matrix[i][j])) if i != j else Fraction(0) for j in range(n)] for i in range(n)]
    for i, row in enumerate(rows):
        row[i] = -sum(row, Fraction(0))
    return rows


def n_below(matrix: Any, value: Fraction) -> int:
    """How many rates of a chain with detailed balance are below ``value``, which must be none of them.

    I - P - value is similar, by a diagonal matrix, to a symmetric one, of which elimination without exchanges has the
    same pivots; the number of the negative ones is that of its negative eigenvalues (Sylvester 1852).
    """
    rows = generator(matrix)
    n = len(rows)
    for i in range(n):
        rows[i][i] -= value
    below = 0
    for k in range(n):
        if rows[k][k] == 0:
            raise ValueError("value is a rate of a leading block: move it")
        below += rows[k][k] < 0
        for i in range(k + 1, n):
            factor = rows[i][k] / rows[k][k]
            for j in range(k, n):
                rows[i][j] -= factor * rows[k][j]
    return below


def characteristic_polynomial(matrix: Any) -> list[Fraction]:
    """Coefficients of det(x - (I - P)), the highest power first (Faddeev and LeVerrier)."""
    a = generator(matrix)
    n = len(a)
    coefficients = [Fraction(1)]
    power: Matrix = [[Fraction(0)] * n for _ in range(n)]
    for step in range(1, n + 1):
        for i in range(n):
            power[i][i] += coefficients[-1]
        power = [[sum((a[i][m] * power[m][j] for m in range(n)), Fraction(0)) for j in range(n)] for i in range(n)]
        coefficients.append(-sum((power[i][i] for i in range(n)), Fraction(0)) / step)
    return coefficients


def squared_distance(coefficients: list[Fraction], value: complex) -> Fraction:
    """A bound on the squared distance of ``value`` from the nearest root: (n |p / p'|)^2."""
    real, imaginary = Fraction(value.real), Fraction(value.imag)
    p, slope = (Fraction(0), Fraction(0)), (Fraction(0), Fraction(0))
    for coefficient in coefficients:
        slope = (
            slope[0] * real - slope[1] * imaginary + p[0],
            slope[0] * imaginary + slope[1] * real + p[1],
        )
        p = (p[0] * real - p[1] * imaginary + coefficient, p[0] * imaginary + p[1] * real)
    n = len(coefficients) - 1
    return n * n * (p[0] ** 2 + p[1] ** 2) / (slope[0] ** 2 + slope[1] ** 2)
