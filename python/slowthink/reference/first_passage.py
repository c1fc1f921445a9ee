"""Slow twin of first passages: exact rationals, one target after another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from slowthink.reference.hitting import rational, solve


def mean_first_passage_times(matrix: Sequence[Sequence[float]]) -> list[list[Fraction | None]]:
    """The mean hitting time of each state (column) from each (row); None where it may be missed.

    A target is missed by walks that can come to a state from which it is out of reach, without passing it.
    """
    p = rational(matrix)
    n = len(p)
    columns: list[list[Fraction | None]] = []
    for target in range(n):
        hits = {target}
        for _ in range(n):
            hits |= {i for i in range(n) if any(p[i][j] for j in hits)}
        misses = set(range(n)) - hits
        for _ in range(n):
            misses |= {i for i in range(n) if i != target and any(p[i][j] for j in misses)}
        inside = [i for i in range(n) if i != target and i not in misses]
        system = [[Fraction(int(i == j)) - p[i][j] for j in inside] for i in inside]
        found = dict(zip(inside, solve(system, [Fraction(1)] * len(inside)), strict=True)) | {target: Fraction(0)}
        columns.append([found.get(i) for i in range(n)])
    return [[column[i] for column in columns] for i in range(n)]


def mean_return_times(matrix: Sequence[Sequence[float]]) -> list[Fraction | None]:
    """One more than the mean of the hitting times of a state after a step from it; None where it may be missed."""
    p, times = rational(matrix), mean_first_passage_times(matrix)
    out: list[Fraction | None] = []
    for state, row in enumerate(p):
        total: Fraction | None = Fraction(1)
        for target, probability in enumerate(row):
            time = times[target][state]
            if probability:
                total = None if total is None or time is None else total + probability * time
        out.append(total)
    return out


def kemeny_constant(matrix: Sequence[Sequence[float]], start: int = 0) -> Fraction:
    """The sum of pi_j m_ij for the state i = ``start`` of an irreducible chain; pi_j is one over the return time."""
    times, returns = mean_first_passage_times(matrix), mean_return_times(matrix)
    terms = (time / back for time, back in zip(times[start], returns, strict=True) if time is not None and back)
    return sum(terms, Fraction(0))


def law(matrix: Sequence[Sequence[float]], targets: set[int], start: Sequence[float], n_steps: int) -> list[Fraction]:
    """The probability that the first visit of ``targets`` is at step 0, ..., ``n_steps``, and that it is later."""
    p = [[Fraction(x) for x in row] for row in matrix]
    here = [Fraction(x) for x in start]
    out = []
    for _ in range(n_steps + 1):
        out.append(sum((here[i] for i in targets), Fraction(0)))
        stay = [Fraction(0) if i in targets else x for i, x in enumerate(here)]
        here = [sum((stay[i] * p[i][j] for i in range(len(p))), Fraction(0)) for j in range(len(p))]
    return [*out, sum(stay, Fraction(0))]


def by_elimination(matrix: npt.NDArray[np.float64], target: int) -> npt.NDArray[np.float64]:
    """The mean hitting times of ``target``, certain from everywhere, one state eliminated after another.

    Grassmann, Taksar and Heyman 1985: only off-diagonal entries, only additions.
    """
    order = [i for i in range(len(matrix)) if i != target] + [target]
    a = matrix[np.ix_(order, order)].copy()
    np.fill_diagonal(a, 0)
    n = len(a)
    cost = np.ones(n)
    for k in range(n - 1):
        leave = a[k, k + 1 :].sum()
        a[k, k + 1 :] /= leave
        cost[k] /= leave
        a[k + 1 :, k + 1 :] += np.outer(a[k + 1 :, k], a[k, k + 1 :])
        cost[k + 1 :] += a[k + 1 :, k] * cost[k]
        a[range(k + 1, n), range(k + 1, n)] = 0
    cost[n - 1] = 0
    for k in reversed(range(n - 1)):
        cost[k] += a[k, k + 1 :] @ cost[k + 1 :]
    out = np.empty(n)
    out[order] = cost
    return out
