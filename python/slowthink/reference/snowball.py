"""Slow twin of the chains in which errors snowball: their rules in plain Python, and their walks one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from slowthink.reference.problems import mix

State = tuple[int, int, int]
"""Instance, steps taken, and the wrong answer (0: none yet)."""


def profile(rate: float, length: int) -> list[float]:
    """min(rate exp(-l), 1) for l = 1, ..., length."""
    return [min(rate * math.exp(-step), 1.0) for step in range(1, length + 1)]


class SnowballChain:
    """Steps that must all be right; the first wrong action decides the answer."""

    def __init__(self, success: Sequence[float], n_wrong: int, n_instances: int) -> None:
        self.success, self.n_wrong, self.n_instances = tuple(success), n_wrong, n_instances

    def root(self, tree: int) -> State:
        return mix(tree % self.n_instances), 0, 0

    def actions(self, state: State) -> list[str]:
        instance, n_steps, _ = state
        if n_steps == len(self.success):
            return []
        listed = [f"wrong {number}" for number in range(1, self.n_wrong + 1)]
        listed.insert(mix(instance ^ n_steps) * (self.n_wrong + 1) >> 64, "right")
        return listed

    def step(self, state: State, action: int) -> tuple[State, float]:
        instance, n_steps, answer = state
        name = self.actions(state)[action]
        if answer == 0 and name != "right":
            answer = int(name.removeprefix("wrong "))
        return (instance, n_steps + 1, answer), 0.0

    def outcome(self, state: State) -> float | None:
        return float(state[2] == 0) if state[1] == len(self.success) else None

    def text(self, state: State) -> str:
        _, n_steps, answer = state
        length = len(self.success)
        so_far = f"wrong answer {answer}" if answer else "right" if n_steps == length else "right so far"
        return f"step {n_steps} of {length}, {so_far}"

    def answers(self, n_walks: int, rng: np.random.Generator) -> list[int]:
        """The answers of independent walks, 0 for the right one."""
        found = []
        for _ in range(n_walks):
            answer = 0
            for success in self.success:
                if answer == 0 and rng.random() >= success:
                    answer = int(rng.integers(1, self.n_wrong + 1))
            found.append(answer)
        return found
