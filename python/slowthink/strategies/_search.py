"""Tree search on problems in Python: a forest of one tree a trial, driven by the steps of the problem."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from slowthink.strategies import _judge
from slowthink.strategies._judge import Sample
from slowthink.strategies._strategies import Strategy, TreeSearch
from slowthink.strategies._trial import CHOICES, TREES, Trial
from slowthink.trees import Expansion, Forest

if TYPE_CHECKING:
    from slowthink.trees import Leaf

BRANCHING = 4
"""Children of a node where steps are drawn and not listed, if it is not said how many."""


class _Tree:
    """A tree search in progress: states of nodes, answers found, and what had been spent by then."""

    def __init__(self, trial: Trial, strategy: TreeSearch, stop: bool, cap: int) -> None:
        self.trial = trial
        self.process = strategy.values == "process"
        self.listed = trial.problem.listed and strategy.branching is None
        self.branching = strategy.branching or BRANCHING
        self.stop = stop
        self.cap = cap
        self.states: dict[int, Any] = {}
        self.cost = [0] * 5
        self.found: list[Sample] = []
        self.log: list[tuple[list[int], int]] = []
        """After each simulation: the cost and the number of answers so far."""
        self.accepted = False
        self.rng = trial.rng(TREES)

    async def expand(self, leaf: Leaf) -> Expansion:
        """A new node: its state, what it is worth, and how many children it may have."""
        trial, problem = self.trial, self.trial.problem
        rng = self.rng
        state = trial.root if leaf.depth == 0 else await self._state(leaf, rng)
        self.states[leaf.node] = state
        ended, answer = problem.ended(state)
        final = ended or leaf.depth == problem.max_steps
        if final:
            value = await self._judged(trial.sample(state, answer))
        elif self.process:
            value = await trial.score(state, float(rng.standard_normal()))
            self.cost[3] += 1
        else:
            walked = await trial.walk(state, leaf.depth, rng)
            for place, amount in ((0, walked.steps), (1, walked.calls), (4, walked.tokens)):
                self.cost[place] += amount
            value = await self._judged(walked)
        self.log.append((self.cost.copy(), len(self.found)))
        if final:
            return Expansion(value=value, n_children=0)
        if not self.listed:
            return Expansion(value=value, n_children=self.branching)
        n = problem.n_actions(state)
        return Expansion(value=value, n_children=n, priors=problem.probabilities(state, n))

    async def _state(self, leaf: Leaf, rng: np.random.Generator) -> Any:
        parent, problem = self.states[leaf.parent], self.trial.problem
        if self.listed:
            state, calls = await self.trial.caller.call(lambda: problem.take(parent, leaf.action))
        else:
            state, calls = await self.trial.step(parent, rng)
        self.cost[0] += 1
        self.cost[1] += calls
        self.cost[4] += problem.tokens(state)
        return state

    async def _judged(self, sample: Sample) -> float:
        if sample.answer is None:
            return 0.0
        verdict = await self.trial.judge(sample, TREES, len(self.found))
        self.found.append(sample)
        self.cost[2] += 1
        self.cost[3] += 1
        self.accepted = self.accepted or verdict.accepted
        return verdict.score

    def done(self, leaf: Leaf, expansion: Expansion) -> bool:
        return self.cost[0] >= self.cap or (self.stop and self.accepted)


async def tree(trial: Trial, strategy: Strategy, stop: bool, caps: Sequence[int]) -> list[tuple[bool, list[int]]]:
    """One search for all budgets: each takes the answers that were found within it."""
    assert isinstance(strategy, TreeSearch)
    search = _Tree(trial, strategy, stop, caps[-1])
    verifier = trial.verifier
    settled = strategy.values == "rollout" and not trial.by_score and verifier.noise == verifier.bias == 0.0
    forest = Forest(
        1,
        strategy.policy,
        # Where nothing is settled, finished states may be visited again and again at no cost.
        n_simulations=caps[-1] + 1 if settled else min(64 * (caps[-1] + 1), 2**31 - 1),
        rng=trial.seed,
        first=trial.number,
        # What was gone through is not visited again, where another verdict on it would be the same.
        solver=(0.0, 1.0) if settled else None,
    )
    await forest.drive(search.expand, concurrency=1, retries=0, stop=search.done, on_failure="raise")
    outcomes = []
    for column, cap in enumerate(caps):
        within = [entry for entry in search.log if entry[0][0] <= cap]
        cost, n = within[-1] if within else ([0] * 5, 0)
        if len(within) < len(search.log):
            cost = [cap, cost[1] + cap - cost[0], *cost[2:]]
        rng = partial(trial.rng, CHOICES, TREES, column)
        if strategy.select == "majority":
            right = _judge.vote(search.found[:n], False, rng)
        else:
            right = _judge.best(search.found[:n], trial.verifier.accuracy, rng)
        outcomes.append((right, cost))
    return outcomes
