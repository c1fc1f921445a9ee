"""Slow twin of the exact quantities of chains: sets of states by search, equations by elimination with fractions.

A chain is its matrix, of anything that makes a Fraction. What a state is left with is the sum of the other entries of
its row; the diagonal is not looked at, so that rows which sum to 1 only nearly mean what they mean to the kernels.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

Matrix = Sequence[Sequence[Any]]


def exact(matrix: Matrix) -> list[list[Fraction]]:
    """The rows as fractions, 0 on the diagonal."""
    return [[Fraction(0 if i == j else p) for j, p in enumerate(row)] for i, row in enumerate(matrix)]


def solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """The x with matrix x = right, by Gauss and Jordan."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][k]:
                factor = rows[i][k]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def reaching(matrix: Matrix, sets: Collection[int], blocked: Collection[int] = ()) -> set[int]:
    """The states from which ``sets`` can be reached without a step out of ``blocked``."""
    found = set(sets)
    while more := {
        i for i, row in enumerate(matrix) if i not in found and i not in blocked and any(row[j] for j in found)
    }:
        found |= more
    return found


def recurrent_classes(matrix: Matrix) -> list[list[int]]:
    """The sets of states that reach each other and are never left, in the order of their smallest states."""
    n = len(matrix)
    to = [{j for j in range(n) if i in reaching(matrix, {j})} for i in range(n)]
    return [sorted(to[i]) for i in range(n) if i == min(to[i]) and all(to[j] == to[i] for j in to[i])]


def _leave(p: list[list[Fraction]], inside: Sequence[int]) -> list[list[Fraction]]:
    """I - Q for the states ``inside``, with the sums of the other entries of a row on its diagonal."""
    return [[sum(p[i], Fraction(0)) if i == j else -p[i][j] for j in inside] for i in inside]


def mean_hitting_times(
    matrix: Matrix, targets: Collection[int], costs: Sequence[Any] | None = None
) -> list[Fraction | float]:
    """sum_j p_ij (h_i - h_j) = c_i off the targets; infinite where they may be missed."""
    p = exact(matrix)
    lost = set(range(len(p))) - reaching(p, targets)
    never = reaching(p, lost, targets) if lost else set()
    inside = [i for i in range(len(p)) if i not in targets and i not in never]
    found = dict(
        zip(inside, solve(_leave(p, inside), [Fraction(1 if costs is None else costs[i]) for i in inside]), strict=True)
    )
    return [float("inf") if i in never else found.get(i, Fraction(0)) for i in range(len(p))]


def hitting_probabilities(matrix: Matrix, targets: Collection[int], avoid: Collection[int] = ()) -> list[Fraction]:
    """sum_j p_ij (x_i - x_j) = 0 off both sets, 1 on the targets, 0 where they are out of reach."""
    p = exact(matrix)
    inside = sorted(reaching(p, targets, avoid) - set(targets))
    right = [sum((p[i][t] for t in set(targets)), Fraction(0)) for i in inside]
    found = dict(zip(inside, solve(_leave(p, inside), right), strict=True))
    return [found.get(i, Fraction(int(i in targets))) for i in range(len(p))]


def stationary_distribution(matrix: Matrix, states: Sequence[int] | None = None) -> list[Fraction]:
    """The weights of ``states``, a recurrent class (default: all), that each balance what leaves with what comes in."""
    p = exact(matrix)
    states = range(len(p)) if states is None else states
    balance = [[sum(p[j], Fraction(0)) if i == j else -p[i][j] for i in states] for j in states]
    balance[0] = [Fraction(1)] * len(states)  # one equation follows from the others; the weights sum to 1
    found = dict(zip(states, solve(balance, [Fraction(int(i == 0)) for i in range(len(states))]), strict=True))
    return [found.get(i, Fraction(0)) for i in range(len(p))]


def backward_committor(matrix: Matrix, source: Collection[int], target: Collection[int]) -> list[Fraction]:
    """The probability of hitting ``source`` before ``target`` in the chain run backwards, pi_j p_ji / pi_i."""
    p = exact(matrix)
    pi = stationary_distribution(matrix)
    back = [[pi[j] * p[j][i] / pi[i] for j in range(len(p))] for i in range(len(p))]
    return hitting_probabilities(back, source, target)
