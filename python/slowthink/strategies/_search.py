"""Beams, DVTS and tree search on problems in Python."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from slowthink.strategies import _judge
from slowthink.strategies._judge import Sample
from slowthink.strategies._strategies import Strategy, TreeSearch
from slowthink.strategies._trial import BEAMS, CHOICES, TREES, Trial
from slowthink.trees import Expansion, Forest

if TYPE_CHECKING:
    from slowthink.trees import Leaf

GENERATORS = ("beam", "dvts", "stepwise")
BRANCHING = 4
"""Children of a node where steps are drawn and not listed."""


def shape(generator: str, number: int, n: int) -> tuple[int, int, int] | None:
    """Groups, states kept in each, and steps drawn from each of them, for a budget of `n` answers.

    Examples
    --------
    >>> shape("beam", 4, 16), shape("dvts", 4, 16), shape("stepwise", 8, 16), shape("beam", 4, 1)
    ((1, 4, 4), (4, 1, 4), (2, 1, 8), (1, 1, 1))
    """
    if n < 1:
        return None
    expand = min(number, n)
    width = n // expand
    return (1, width, expand) if generator == "beam" else (width, 1, expand)


def total(samples: Sequence[Sample], n_verdicts: int) -> list[int]:
    """What samples that were walked from the root have cost."""
    answers = sum(sample.answer is not None for sample in samples)
    steps, calls = sum(sample.steps for sample in samples), sum(sample.calls for sample in samples)
    return [steps, calls, answers, n_verdicts, sum(sample.tokens for sample in samples)]


async def beams(
    trial: Trial, key: tuple[int, ...], n_groups: int, width: int, expand: int
) -> tuple[list[Sample], list[int]]:
    """Beams apart from each other: the states that are left when all are finished, and the cost so far."""
    problem = trial.problem
    cost = [0] * 5
    kept: list[list[Any]] = [[trial.root] for _ in range(n_groups)]
    for depth in range(problem.max_steps):
        drawn: list[tuple[int, Any]] = []
        for group, states in enumerate(kept):
            n = width * expand if depth == 0 else expand
            drawn += [(group, state) for state in states if not problem.ended(state)[0] for _ in range(n)]
        if not drawn:
            break
        rngs = trial.rngs(len(drawn), BEAMS, *key, depth)
        ranking = trial.rng(BEAMS, *key, depth, len(drawn))
        made = await trial.all([trial.step(state, rng) for (_, state), rng in zip(drawn, rngs, strict=True)])
        children: list[list[Any]] = [[] for _ in kept]
        for (group, _), (state, calls) in zip(drawn, made, strict=True):
            children[group].append(state)
            cost[0] += 1
            cost[1] += calls
            cost[4] += problem.tokens(state)
        for group, states in enumerate(kept):
            # What is finished stands beside what was drawn, and may be kept or not.
            rivals = [state for state in states if problem.ended(state)[0]] + children[group]
            cost[3] += len(rivals)
            noise = ranking.standard_normal(len(rivals)).tolist()
            scores = await trial.all([trial.score(*pair) for pair in zip(rivals, noise, strict=True)])
            order = np.lexsort((ranking.random(len(rivals)), -np.array(scores)))
            kept[group] = [rivals[i] for i in order[:width]]
    return [trial.sample(state, problem.ended(state)[1]) for states in kept for state in states], cost


async def chosen(trial: Trial, samples: list[Sample], cost: list[int]) -> tuple[bool, list[int]]:
    """The verifier's choice among the answers that are left."""
    answered = [sample for sample in samples if sample.answer is not None]
    for i, sample in enumerate(answered):
        await trial.judge(sample, BEAMS, i)
    right = _judge.best(answered, trial.verifier.accuracy, partial(trial.rng, CHOICES, BEAMS))
    return right, [cost[0], cost[1], len(answered), cost[3] + len(answered), cost[4]]


class _Tree:
    """A tree search in progress: states of nodes, answers found, and what had been spent by then."""

    def __init__(self, trial: Trial, strategy: TreeSearch, stop: bool, cap: int) -> None:
        self.trial = trial
        self.process = strategy.values == "process"
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
        if not problem.listed:
            return Expansion(value=value, n_children=BRANCHING)
        n = problem.n_actions(state)
        return Expansion(value=value, n_children=n, priors=problem.probabilities(state, n))

    async def _state(self, leaf: Leaf, rng: np.random.Generator) -> Any:
        parent, problem = self.states[leaf.parent], self.trial.problem
        if problem.listed:
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
    forest = Forest(1, strategy.policy, n_simulations=caps[-1] + 1, rng=trial.seed, first=trial.number)
    await forest.drive(search.expand, concurrency=1, retries=0, stop=search.done, on_failure="raise")
    outcomes = []
    for column, cap in enumerate(caps):
        within = [entry for entry in search.log if entry[0][0] <= cap]
        cost, n = within[-1] if within else ([0] * 5, 0)
        rng = partial(trial.rng, CHOICES, TREES, column)
        if strategy.select == "majority":
            right = _judge.vote(search.found[:n], False, rng)
        else:
            right = _judge.best(search.found[:n], trial.verifier.accuracy, rng)
        outcomes.append((right, cost))
    return outcomes
