"""Learners that choose among experts by the rewards of their answers, one at a time."""

from __future__ import annotations

import math

import numpy as np


class Learner:
    """Counts, rewards, and what follows from them. Rewards are from 0 to 1."""

    def __init__(self, n_experts: int, c: float = 2.0, delta: float = 0.05) -> None:
        self.n_experts, self.c, self.delta = n_experts, c, delta
        self.counts = np.zeros(n_experts)
        self.sums = np.zeros(n_experts)
        self.rounds = 0

    def choose(self, rng: np.random.Generator) -> int:
        """The expert of the next round."""
        raise AssertionError

    def update(self, expert: int, reward: float) -> None:
        """What the verifier said of its answer."""
        self.rounds += 1
        self.counts[expert] += 1
        self.sums[expert] += reward


class Ucb(Learner):
    """UCB1 (Auer, Cesa-Bianchi and Fischer 2002): the mean plus sqrt(c ln t / n); each expert once at first."""

    def choose(self, rng: np.random.Generator) -> int:
        fresh = np.flatnonzero(self.counts == 0)
        if len(fresh):
            return int(fresh[0])
        return int(np.argmax(self.sums / self.counts + np.sqrt(self.c * math.log(self.rounds + 1) / self.counts)))


class Thompson(Learner):
    """Draws from Beta(1 + rewards, 1 + lack of them), and takes the expert with the greatest."""

    def choose(self, rng: np.random.Generator) -> int:
        return int(np.argmax(rng.beta(1 + self.sums, 1 + self.counts - self.sums)))


class Hedge(Learner):
    """Exponential weights over estimates of the losses, divided by the probability of having seen them (EXP3).

    The rate sqrt(ln K / (K t)) falls with the round, so that no horizon need be known.
    """

    def __init__(self, n_experts: int, c: float = 2.0, delta: float = 0.05) -> None:
        super().__init__(n_experts, c, delta)
        self.losses = np.zeros(n_experts)
        self.p = np.full(n_experts, 1.0 / n_experts)

    def choose(self, rng: np.random.Generator) -> int:
        rate = math.sqrt(math.log(self.n_experts) / (self.n_experts * (self.rounds + 1)))
        weights = np.exp(-rate * (self.losses - self.losses.min()))
        self.p = weights / weights.sum()
        return int(rng.choice(self.n_experts, p=self.p))

    def update(self, expert: int, reward: float) -> None:
        super().update(expert, reward)
        self.losses[expert] += (1 - reward) / self.p[expert]


class SuccessiveElimination(Learner):
    """Takes all experts that are left in turn, and drops those that are surely worse than the best.

    After n rounds of each, surely means by 2 sqrt(ln(4 K n^2 / delta) / (2 n)) (Even-Dar, Mannor and Mansour 2006).
    """

    def __init__(self, n_experts: int, c: float = 2.0, delta: float = 0.05) -> None:
        super().__init__(n_experts, c, delta)
        self.left = list(range(n_experts))

    def choose(self, rng: np.random.Generator) -> int:
        return min(self.left, key=lambda expert: (self.counts[expert], expert))

    def update(self, expert: int, reward: float) -> None:
        super().update(expert, reward)
        n = self.counts[self.left].min()
        if n >= 1 and (self.counts[self.left] == n).all():
            radius = math.sqrt(math.log(4 * self.n_experts * n * n / self.delta) / (2 * n))
            means = self.sums / np.maximum(self.counts, 1)
            best = means[self.left].max()
            self.left = [i for i in self.left if means[i] >= best - 2 * radius]


LEARNERS = {"hedge": Hedge, "ucb": Ucb, "thompson": Thompson, "successive-elimination": SuccessiveElimination}
