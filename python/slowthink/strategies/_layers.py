"""Beams, DVTS and stepwise selection on problems in Python: level by level, with a choice after each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from slowthink.strategies import _judge
from slowthink.strategies._judge import Sample
from slowthink.strategies._trial import CHOICES, LAYERS, Trial

_KINDS = ("beam", "dvts", "stepwise")


async def layered(trial: Trial, generator: str, number: int, column: int, cap: int) -> tuple[bool, list[int]]:
    """What one of them comes to within `cap` steps; `number` is its parameter."""
    width = cap // trial.problem.max_steps
    layers = _Layers(trial, (_KINDS.index(generator), column))
    if generator == "beam":
        await layers.beam(width, number)
    elif generator == "dvts":
        await layers.dvts(width, number)
    else:
        await layers.stepwise(number or width, cap)
        if number == 0:  # a single chain leaves nothing to choose from
            return bool(layers.answered) and layers.answered[0].correct, layers.cost
    rng = partial(trial.rng, CHOICES, LAYERS, *layers.key)
    return _judge.best(layers.answered, trial.verifier.accuracy, rng), layers.cost


class _Layers:
    """Answers and costs so far."""

    def __init__(self, trial: Trial, key: tuple[int, int]) -> None:
        self.trial = trial
        self.key = key
        self.answered: list[Sample] = []
        self.cost = [0] * 5
        self.n_layers = 0

    async def draw(self, states: Sequence[Any]) -> list[tuple[Any, float]]:
        """A step from each of the states: what is not finished, with its process reward."""
        drawn, samples = await self.steps(states)
        self.answer(sample for sample in samples if sample is not None)
        return [pair for pair, sample in zip(drawn, samples, strict=True) if sample is None]

    def answer(self, samples: Iterable[Sample]) -> None:
        """Takes finished chains down as answers."""
        for sample in samples:
            self.answered.append(sample)
            self.cost[2] += sample.answer is not None

    async def steps(
        self, states: Sequence[Any], chances: bool = False
    ) -> tuple[list[tuple[Any, float]], list[Sample | None]]:
        """A step from each of the states, what it is worth, and the answer where it is finished.

        It is worth its score, or with `chances` the probability that a right answer comes of it.
        """
        trial, problem = self.trial, self.trial.problem
        key = (LAYERS, *self.key, self.n_layers)
        self.n_layers += 1
        rngs, judging = trial.rngs(len(states), *key), trial.rng(*key, len(states))
        made = await trial.all([trial.step(state, rng) for state, rng in zip(states, rngs, strict=True)])
        ends = [problem.ended(state) for state, _ in made]
        noise = judging.standard_normal(len(made)).tolist()
        samples: list[Sample | None] = []
        open_ones = [(i, state) for i, (state, _) in enumerate(made) if not ends[i][0]]
        scores = await trial.all(
            [trial.success(state) if chances else trial.score(state, noise[i]) for i, state in open_ones]
        )
        left = iter(scores)
        drawn: list[tuple[Any, float]] = []
        for i, (state, calls) in enumerate(made):
            for place, amount in ((0, 1), (1, calls), (3, 1), (4, problem.tokens(state))):
                self.cost[place] += amount
            if not ends[i][0]:
                samples.append(None)
                drawn.append((state, next(left)))
                continue
            sample = trial.sample(state, ends[i][1])
            verdict = await trial.judge(sample, *key, i)
            samples.append(sample)
            drawn.append((state, float(sample.correct) if chances else verdict.score))
        return drawn, samples

    async def beam(self, width: int, expand: int) -> None:
        """`width` steps in each level, less those that are finished; one state in `expand` is kept."""
        kept = [] if self.trial.problem.ended(self.trial.root)[0] else [self.trial.root]
        left = width
        for _ in range(self.trial.problem.max_steps):
            if not kept or left <= 0:
                break
            before = len(self.answered)
            drawn = await self.draw([state for i, state in enumerate(kept) for _ in range(_share(left, len(kept), i))])
            left -= len(self.answered) - before
            drawn.sort(key=lambda pair: -pair[1])
            kept = [state for state, _ in drawn[: max(1, left // expand)]]

    async def dvts(self, width: int, expand: int) -> None:
        """Greedy searches apart from each other, which take their steps at the same time."""
        if width < 1 or self.trial.problem.ended(self.trial.root)[0]:
            return
        n_trees = max(1, width // expand)
        kept = dict.fromkeys(range(n_trees), self.trial.root)
        for _ in range(self.trial.problem.max_steps):
            if not kept:
                break
            owners = [tree for tree in kept for _ in range(_share(width, n_trees, tree))]
            drawn, samples = await self.steps([kept[tree] for tree in owners])
            best: dict[int, tuple[Any, float]] = {}
            for tree, pair, sample in zip(owners, drawn, samples, strict=True):
                if sample is not None:
                    self.answer([sample])
                elif tree not in best or pair[1] > best[tree][1]:
                    best[tree] = pair
            kept = {tree: state for tree, (state, _) in best.items()}

    async def stepwise(self, width: int, cap: int) -> None:
        """One chain after another, each step the best of `width`."""
        problem, accuracy = self.trial.problem, self.trial.verifier.accuracy
        if problem.ended(self.trial.root)[0]:
            return
        while width > 0 and self.cost[0] + width * problem.max_steps <= cap:
            state, end, lost = self.trial.root, None, False
            for _ in range(problem.max_steps):
                if problem.ended(state)[0]:
                    break
                drawn, samples = await self.steps([state] * width, chances=accuracy is not None)
                if accuracy is None:
                    best = max(range(width), key=lambda i: drawn[i][1])
                else:
                    rng = self.trial.rng(LAYERS, *self.key, self.n_layers, width + 1)
                    best, failed = _judge.choose([value > 0.0 for _, value in drawn], accuracy, rng)
                    lost = lost or failed
                state, end = drawn[best][0], samples[best]
            # A chain that was cut off is no answer, but has cost its steps.
            if end is not None:
                self.answer([replace(end, correct=end.correct and not lost)])


def _share(n: int, shares: int, i: int) -> int:
    """How many of `n` fall to share `i`, as equally as can be.

    Examples
    --------
    >>> [_share(10, 4, i) for i in range(4)]
    [3, 3, 2, 2]
    """
    return n // shares + (i < n % shares)
