"""Slow twin of second-order walks: the whole law of each step, one candidate after another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Matrix = npt.NDArray[np.float64]


def transition_probabilities(matrix: _Matrix, previous: int | None, state: int, p: float, q: float) -> _Matrix:
    """(S,) law of the state after ``state`` for a walk that came from ``previous``; None if ``state`` is its first.

    Grover and Leskovec 2016, section 3.2: the transition to x weighs as in the matrix, times 1/p if x is the previous
    state, 1 if there is a transition from the previous state to x, and 1/q otherwise.
    """
    weights: _Matrix = np.array(matrix[state], dtype=float)
    if previous is None:
        return np.asarray(weights / weights.sum())
    for candidate in np.flatnonzero(weights):
        if candidate == previous:
            weights[candidate] *= 1 / p
        elif matrix[previous, candidate] > 0:
            weights[candidate] *= 1
        else:
            weights[candidate] *= 1 / q
    return np.asarray(weights / weights.sum())


def pair_distribution(matrix: _Matrix, start: int, n_steps: int, p: float, q: float) -> _Matrix:
    """(S, S) probability that the last two states of a walk of ``n_steps`` >= 1 steps are i and then j."""
    n_states = len(matrix)
    pairs = np.zeros((n_states, n_states))
    pairs[start] = transition_probabilities(matrix, None, start, p, q)
    for _ in range(n_steps - 1):
        following = np.zeros_like(pairs)
        for previous in range(n_states):
            for state in range(n_states):
                if pairs[previous, state] > 0:
                    law = transition_probabilities(matrix, previous, state, p, q)
                    following[state] += pairs[previous, state] * law
        pairs = following
    return pairs
