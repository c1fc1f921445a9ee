"""One trial of a problem in Python: its streams, its steps, and the walks that several strategies share."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import numpy as np

from slowthink.strategies._judge import Sample, Verdict, judged
from slowthink.strategies._own import Caller, Own
from slowthink.strategies._verifier import Verifier

T = TypeVar("T")

WALKS, VERDICTS, CHOICES, LAYERS, TREES, ROUNDS = range(6)
"""First number of the key of a stream: what it is for."""

_AT_ONCE = 256
"""Walks of a trial that are begun together."""


class Trial:
    """Trial number `number`, on its instance. All that is random follows from the seed, this number and a key."""

    def __init__(self, problem: Own, caller: Caller, verifier: Verifier | None, seed: list[int], number: int) -> None:
        self.problem = problem
        self.caller = caller
        self.seed = seed
        self.number = number
        self.instance = number % problem.n_instances
        self.by_score = verifier is None and problem.has_score
        self.verifier = Verifier() if verifier is None else verifier
        self.may_stop = not self.by_score and self.verifier.says_yes_or_no
        self.root = problem.root(self.instance)
        self.samples: list[Sample] = []
        self._walking = self.rng(WALKS)

    def rng(self, *key: int) -> np.random.Generator:
        """The stream of this trial with that key."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.number, *key)))

    def rngs(self, n: int, *key: int) -> list[np.random.Generator]:
        """Streams for `n` things that may happen at once; one where they happen in turn, which is as good and quick."""
        if self.problem.is_async:
            return [self.rng(*key, i) for i in range(n)]
        return [self.rng(*key)] * n

    async def all(self, parts: Sequence[Awaitable[T]]) -> list[T]:
        """All results, at once where there is something to wait for."""
        if self.problem.is_async:
            return list(await asyncio.gather(*parts))
        return [await part for part in parts]

    async def step(self, state: Any, rng: np.random.Generator, expert: int = 0) -> tuple[Any, int]:
        """A state drawn by the policy, and the calls that it took.

        A step that is made again draws the same numbers again.
        """
        kept = self.problem.copied(state)
        if not self.problem.is_async:
            return self.problem.checked(state, self.problem.draw(state, rng, expert), kept), 1
        before = rng.bit_generator.state

        def make() -> Any:
            rng.bit_generator.state = before
            return self.problem.draw(state, rng, expert)

        made, calls = await self.caller.call(make)
        return self.problem.checked(state, made, kept), calls

    async def walk(self, state: Any, depth: int, rng: np.random.Generator, expert: int = 0) -> Sample:
        """From a state at some depth to an answer, or to where walks are cut off."""
        problem = self.problem
        steps = calls = tokens = 0
        ended, answer = problem.ended(state)
        while not ended and depth + steps < problem.max_steps:
            state, made = await self.step(state, rng, expert)
            steps, calls, tokens = steps + 1, calls + made, tokens + problem.tokens(state)
            ended, answer = problem.ended(state)
        return self.sample(state, answer, steps, calls, tokens)

    def sample(self, state: Any, answer: Any, steps: int = 0, calls: int = 0, tokens: int = 0) -> Sample:
        correct = answer is not None and self.problem.correct(state, answer, self.instance)
        return Sample(state, answer, correct, steps, calls, tokens)

    async def score(self, state: Any, deviate: float) -> float:
        """The process reward of a state; `deviate` is standard normal, and makes its noise."""
        score = await (self._asked("score", state) if self.problem.has_score else self.success(state))
        noise, bias = self.verifier.process_noise * deviate, self.verifier.process_bias
        if bias != 0.0 and (await self.success(state) if self.problem.has_success else score) == 0.0:
            score += bias
        return score + noise

    async def success(self, state: Any) -> float:
        """The probability that walks from a state are right."""
        probability = await self._asked("success_probability", state)
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"problem.success_probability must be from 0 to 1, got {probability:g}")
        return probability

    async def _asked(self, name: str, state: Any) -> float:
        """A number that the problem gives for a state."""
        value, _ = await self.caller.call(lambda: getattr(self.problem.problem, name)(state))
        try:
            number = math.nan if isinstance(value, (str, bytes)) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"problem.{name} must give a finite number, got {value!r}")
        return number

    async def judge(self, sample: Sample, *key: int) -> Verdict:
        """The verdict on a sample; the same each time."""
        if sample.verdict is None:
            if self.by_score and sample.answer is not None:
                sample.verdict = Verdict(False, await self._asked("score", sample.state))
            else:
                errors = [*self.seed, self.instance]
                sample.verdict = judged(self.verifier, sample, lambda: self.rng(VERDICTS, *key), errors)
        return sample.verdict

    async def judge_all(self, samples: Sequence[Sample], *key: int) -> None:
        await self.all([self.judge(sample, *key, i) for i, sample in enumerate(samples)])

    async def walks(self, n: int) -> list[Sample]:
        """The first `n` walks from the root; what was walked once is shared by all who ask."""
        while len(self.samples) < n:
            numbers = range(len(self.samples), min(n, len(self.samples) + _AT_ONCE))
            rngs = [self.rng(WALKS, i) if self.problem.is_async else self._walking for i in numbers]
            self.samples += await self.all([self.walk(self.root, 0, rng) for rng in rngs])
        return self.samples[:n]

    async def walks_within(self, cap: int) -> tuple[list[Sample], bool]:
        """The walks from the root that are finished within `cap` steps, and whether one more was under way then."""
        n = used = 0
        while True:
            ready = max(1, (cap - used) // self.problem.max_steps)
            batch = (await self.walks(n + ready))[n:]
            for sample in batch:
                if used + sample.steps > cap:
                    return self.samples[:n], used < cap
                n, used = n + 1, used + max(sample.steps, 1)
            if used >= cap:
                return self.samples[:n], False
