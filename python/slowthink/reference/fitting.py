"""Slow twins of chains from data: the definitions, pair by pair, in fractions; fixed points iterated to the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt


def counts(
    trajectories: Sequence[Sequence[int]], n_states: int, lag: int = 1, stride: int = 1
) -> npt.NDArray[np.int64]:
    """Transitions over ``lag`` steps, from every ``stride``-th position."""
    seen = np.zeros((n_states, n_states), dtype=np.int64)
    for states in trajectories:
        for t in range(0, len(states) - lag, stride):
            seen[states[t], states[t + lag]] += 1
    return seen


def inefficiency(trajectories: Sequence[Sequence[int]], n_states: int, lag: int, state: int) -> Fraction:
    """How many overlapping transitions out of ``state`` tell as much as one: the errors' sum, pair by pair."""
    seen = counts(trajectories, n_states, lag)[state]
    total = int(seen.sum())
    if total == 0:
        return Fraction(1)
    p = [Fraction(int(n), total) for n in seen]
    own = pairs = products = Fraction(0)
    for states in trajectories:
        left = [t for t in range(len(states) - lag) if states[t] == state]
        for t in left:
            error = [int(states[t + lag] == j) - p[j] for j in range(n_states)]
            own += sum(e * e for e in error)
            for later in left:
                if t < later < t + lag:
                    pairs += 1
                    products += sum(error[j] * (int(states[later + lag] == j) - p[j]) for j in range(n_states))
    if own == 0:
        return min(1 + 2 * pairs / total, Fraction(lag))
    return min(max(1 + 2 * products / own, Fraction(1)), Fraction(lag))


def reversible(seen: npt.NDArray[np.float64], n_rounds: int = 200_000) -> npt.NDArray[np.float64]:
    """The reversible matrix of greatest likelihood: x_ij = (c_ij + c_ji) / (c_i / x_i + c_j / x_j), again and again."""
    both, out = seen + seen.T, seen.sum(axis=1)
    x = both / both.sum()
    for _ in range(n_rounds):
        ratio = out / x.sum(axis=1)
        following = both / (ratio[:, None] + ratio[None, :])
        following /= following.sum()
        if np.abs(following - x).max() < 1e-17:
            break
        x = following
    return np.asarray(x / x.sum(axis=1, keepdims=True))


def ngrams(text: Sequence[Hashable], order: int) -> Counter[tuple[tuple[Hashable, ...], Hashable]]:
    """How often each symbol follows each context, the text being written on a circle."""
    circle = [*text, *text, *text[: order + 1]] if order < len(text) else [*text] * (order + 2)
    return Counter((tuple(circle[t : t + order]), circle[t + order]) for t in range(len(text)))
