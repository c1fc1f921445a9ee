"""Slow twin of the structure of a chain: walks of every length, followed one step at a time."""

from __future__ import annotations

from math import gcd

import numpy as np
import numpy.typing as npt


def reach(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether there is a way of any length, 0 as well, from i to j."""
    step = (matrix > 0) | np.eye(len(matrix), dtype=bool)
    ways = step
    for _ in range(len(matrix)):
        ways = ways @ step
    return np.asarray(ways)


def classes(matrix: npt.NDArray[np.float64]) -> list[list[int]]:
    """The sets of states that reach each other, by their least state."""
    ways = reach(matrix)
    joined = ways & ways.T
    found = {tuple(map(int, np.flatnonzero(row))) for row in joined}
    return [list(states) for states in sorted(found)]


def is_recurrent(matrix: npt.NDArray[np.float64], states: list[int]) -> bool:
    """Whether no way leads out of a class."""
    return bool(reach(matrix)[states[0]].sum() == len(states))


def period(matrix: npt.NDArray[np.float64], state: int) -> int:
    """The greatest common divisor of the steps after which a walk may be back at ``state``; 0 if it never is.

    A way to any circuit and back takes less than 2 S steps, and the circuit at most S more: no length above 3 S tells
    anything new.
    """
    step = matrix > 0
    divisor, ways = 0, np.eye(len(matrix), dtype=bool)
    for n in range(1, 3 * len(matrix) + 1):
        ways = ways @ step
        if ways[state, state]:
            divisor = gcd(divisor, n)
    return divisor
