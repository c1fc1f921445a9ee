"""Slow twin of the exact quantities of chains: sets of states by search, equations by elimination with fractions.

A chain is its matrix, of anything that makes a Fraction. What a state is left with is the sum of the other entries of
its row; the diagonal is not looked at, so that rows which sum to 1 only nearly mean what they mean to the kernels.

``number=Decimal`` does the same to as many digits as the decimal context has, for larger chains, whose fractions grow
too long. Elimination here subtracts: a chain that leaves a set with probability 1e-100 takes 100 digits more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from typing import Any

Matrix = Sequence[Sequence[Any]]
Number = Callable[[Any], Any]


def off_diagonal(matrix: Matrix, number: Number = Fraction) -> list[list[Any]]:
    """The rows as exact numbers, 0 on the diagonal."""
    return [[number(0 if i == j else p) for j, p in enumerate(row)] for i, row in enumerate(matrix)]


def solve(matrix: list[list[Any]], right: list[Any]) -> list[Any]:
    """The x with matrix x = right, by Gauss's elimination."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(k + 1, n):
            if rows[i][k]:
                factor = rows[i][k] / rows[k][k]
                rows[i][k:] = [x - factor * y if y else x for x, y in zip(rows[i][k:], rows[k][k:], strict=True)]
    x = [row[-1] for row in rows]
    for k in reversed(range(n)):
        x[k] = (x[k] - sum(rows[k][j] * x[j] for j in range(k + 1, n) if rows[k][j])) / rows[k][k]
    return x


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


def _leave(p: list[list[Any]], inside: Sequence[int]) -> list[list[Any]]:
    """I - Q for the states ``inside``, with the sums of the other entries of a row on its diagonal."""
    return [[sum(p[i]) if i == j else -p[i][j] for j in inside] for i in inside]


def mean_hitting_times(
    matrix: Matrix, targets: Collection[int], costs: Sequence[Any] | None = None, number: Number = Fraction
) -> list[Any]:
    """sum_j p_ij (h_i - h_j) = c_i off the targets; infinite where they may be missed."""
    p = off_diagonal(matrix, number)
    lost = set(range(len(p))) - reaching(p, targets)
    never = reaching(p, lost, targets) if lost else set()
    inside = [i for i in range(len(p)) if i not in targets and i not in never]
    right = [number(1 if costs is None else costs[i]) for i in inside]
    found = dict(zip(inside, solve(_leave(p, inside), right), strict=True))
    return [float("inf") if i in never else found.get(i, number(0)) for i in range(len(p))]


def hitting_probabilities(
    matrix: Matrix, targets: Collection[int], avoid: Collection[int] = (), number: Number = Fraction
) -> list[Any]:
    """sum_j p_ij (x_i - x_j) = 0 off both sets, 1 on the targets, 0 where they are out of reach."""
    p = off_diagonal(matrix, number)
    inside = sorted(reaching(p, targets, avoid) - set(targets))
    right = [sum((p[i][t] for t in set(targets)), number(0)) for i in inside]
    found = dict(zip(inside, solve(_leave(p, inside), right), strict=True))
    return [found.get(i, number(int(i in targets))) for i in range(len(p))]


def stationary_distribution(
    matrix: Matrix, states: Sequence[int] | None = None, number: Number = Fraction
) -> list[Any]:
    """The weights of ``states``, a recurrent class (default: all), that each balance what leaves with what comes in."""
    p = off_diagonal(matrix, number)
    states = range(len(p)) if states is None else states
    # The balance of the last state follows from the others; its weight is 1 to begin with.
    *others, last = states
    balance = [[sum(p[j]) if i == j else -p[i][j] for i in others] for j in others]
    weights = [*solve(balance, [p[last][j] for j in others]), number(1)]
    found = dict(zip(states, weights, strict=True))
    return [found.get(i, number(0)) / sum(weights) for i in range(len(p))]


def backward_committor(
    matrix: Matrix, source: Collection[int], target: Collection[int], number: Number = Fraction
) -> list[Any]:
    """The probability of hitting ``source`` before ``target`` in the chain run backwards, pi_j p_ji / pi_i."""
    p = off_diagonal(matrix, number)
    pi = stationary_distribution(matrix, number=number)
    back = [[pi[j] * p[j][i] / pi[i] for j in range(len(p))] for i in range(len(p))]
    return hitting_probabilities(back, source, target, number)
