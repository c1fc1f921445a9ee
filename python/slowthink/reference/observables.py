"""Slow twin of what is counted along walks: loops over walks that were written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def visits(walks: Sequence[Sequence[int]], n_states: int, from_step: int = 0) -> list[int]:
    """How often each state is visited at the steps from ``from_step`` on; step 0 is the start."""
    seen = Counter(state for walk in walks for state in walk[from_step:])
    return [seen[state] for state in range(n_states)]


def transitions(walks: Sequence[Sequence[int]], lag: int = 1, from_step: int = 0) -> dict[tuple[int, int], int]:
    """How often each pair of states occurs ``lag`` steps apart, the first of them at a step from ``from_step`` on."""
    seen: Counter[tuple[int, int]] = Counter()
    for walk in walks:
        for step in range(from_step, len(walk) - lag):
            seen[int(walk[step]), int(walk[step + lag])] += 1
    return dict(seen)


def occupancy(walks: Sequence[Sequence[int]], labels: Sequence[int], n_steps: int) -> list[list[int]]:
    """How many walks are at a state with each label (-1 is none) after each step from 0 to ``n_steps``."""
    table = [[0] * (max(labels) + 1) for _ in range(n_steps + 1)]
    for walk in walks:
        for step, state in enumerate(walk):
            if labels[state] >= 0:
                table[step][labels[state]] += 1
    return table
