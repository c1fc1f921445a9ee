"""Slow twins of one-step questions and of reasoning on a chain: their rules, and their laws by enumeration."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np


class Categorical:
    """A question a tree, counted round; action a gives answer a."""

    def __init__(self, laws: Sequence[Sequence[float]], targets: Sequence[int]) -> None:
        self.laws, self.targets = laws, targets

    def root(self, tree: int) -> tuple[int, int | None]:
        return tree % len(self.laws), None

    def actions(self, state: tuple[int, int | None]) -> list[str]:
        question, answer = state
        return [str(number) for number in range(len(self.laws[question]))] if answer is None else []

    def step(self, state: tuple[int, int | None], action: int) -> tuple[tuple[int, int | None], float]:
        return (state[0], action), 0.0

    def outcome(self, state: tuple[int, int | None]) -> float | None:
        question, answer = state
        return None if answer is None else float(answer == self.targets[question])

    def text(self, state: tuple[int, int | None]) -> str:
        question, answer = state
        return f"question {question}" + ("" if answer is None else f", answer {answer}")


class MetastableReasoning:
    """A walk on a chain until a state answers, or no steps are left."""

    def __init__(self, matrix: np.ndarray, start: int, answers: Sequence[int | None], max_steps: int) -> None:
        self.matrix, self.start, self.answers, self.max_steps = matrix, start, answers, max_steps

    def root(self, tree: int) -> tuple[int, int]:
        return self.start, self.max_steps

    def targets(self, state: tuple[int, int]) -> list[int]:
        if state[1] == 0 or self.answers[state[0]] is not None:
            return []
        return [int(target) for target in np.flatnonzero(self.matrix[state[0]])]

    def actions(self, state: tuple[int, int]) -> list[str]:
        return [f"to {target}" for target in self.targets(state)]

    def step(self, state: tuple[int, int], action: int) -> tuple[tuple[int, int], float]:
        return (self.targets(state)[action], state[1] - 1), 0.0

    def outcome(self, state: tuple[int, int]) -> float | None:
        return None if self.targets(state) else float(self.answers[state[0]] == 0)

    def text(self, state: tuple[int, int]) -> str:
        answer = self.answers[state[0]]
        return f"state {state[0]}, {state[1]} steps left" if answer is None else f"state {state[0]}, answer {answer}"

    def success(self, state: tuple[int, int]) -> float:
        """The probability of a right answer: over all ways to go on."""
        targets = self.targets(state)
        if not targets:
            return float(self.answers[state[0]] == 0)
        row = self.matrix[state[0]]
        return float(sum(row[target] * self.success((target, state[1] - 1)) for target in targets))


def plurality(law: Sequence[Fraction], n: int, target: int) -> Fraction:
    """The probability that ``target`` wins a vote of n answers, ties broken uniformly: over all sequences."""
    total = Fraction(0)
    for answers in product(range(len(law)), repeat=n):
        chance = Fraction(1)
        for answer in answers:
            chance *= law[answer]
        counts = [answers.count(answer) for answer in range(len(law))]
        winners = [answer for answer, count in enumerate(counts) if count == max(counts)]
        if target in winners:
            total += chance / len(winners)
    return total
