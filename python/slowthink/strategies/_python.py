"""Strategies on problems in Python, with or without coroutines: what each does in one trial, for all budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from slowthink.strategies import _judge, _layers, _search
from slowthink.strategies._judge import Sample
from slowthink.strategies._learners import LEARNERS
from slowthink.strategies._own import Caller, Own, Settings
from slowthink.strategies._strategies import SelfCorrection, Strategy
from slowthink.strategies._trial import CHOICES, ROUNDS, Trial
from slowthink.strategies._verifier import Verifier

T = TypeVar("T")

Outcome = tuple[bool, "list[int]"]
"""Whether the answer is right; steps, calls, answers, verdicts and tokens."""


class Runner:
    """Runs blocks of trials on one event loop, so that clients of a server live as long as the comparison.

    A problem that is an asynchronous context manager is entered before the first block and left after the last.
    """

    def __init__(self, problem: Own, settings: Settings) -> None:
        self.problem = problem
        self._caller = Caller(settings, problem.is_async)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._entered = False

    def block(
        self,
        strategies: Sequence[Strategy],
        caps: Sequence[int],
        n_trials: int,
        first: int,
        seed: Sequence[int],
        verifier: Verifier | None,
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
        """Trials `first` to `first + n_trials`: (S, B, T) of what was right, and (S, B, T, 5) of what it cost."""

        async def one(number: int) -> list[list[Outcome]]:
            trial = Trial(self.problem, self._caller, verifier, list(seed), number)
            return [await outcomes(trial, strategy, caps) for strategy in strategies]

        async def all_trials() -> list[list[list[Outcome]]]:
            if not self._entered and hasattr(self.problem.problem, "__aenter__"):
                await self.problem.problem.__aenter__()
            self._entered = True
            numbers = range(first, first + n_trials)
            if self.problem.is_async:
                return list(await asyncio.gather(*map(one, numbers)))
            return [await one(number) for number in numbers]

        found = self._completed(all_trials())
        correct = np.array([[[o[0] for o in row] for row in trial] for trial in found], dtype=np.uint8)
        cost = np.array([[[o[1] for o in row] for row in trial] for trial in found], dtype=np.uint64)
        return np.ascontiguousarray(correct.transpose(1, 2, 0)), np.ascontiguousarray(cost.transpose(1, 2, 0, 3))

    def close(self) -> None:
        """Leaves the problem and ends the loop."""
        if self._loop is None:
            return
        if self._entered and hasattr(self.problem.problem, "__aexit__"):
            self._completed(self.problem.problem.__aexit__(None, None, None))
        self._completed(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._loop = None

    def _completed(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; nothing goes on after it, however it ends."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        loop = self._loop
        try:
            return _beside(lambda: loop.run_until_complete(main))
        except BaseException:
            _beside(lambda: loop.run_until_complete(_cancel_others()))
            raise


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _beside(work: Callable[[], T]) -> T:
    """The result of `work`, on a thread of its own where this one has an event loop at work, as in notebooks."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        is_inside = False
    else:
        is_inside = True
    if not is_inside:  # not where the exception is at hand: it would be told of with each of `work`
        return work()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


async def outcomes(trial: Trial, strategy: Strategy, caps: Sequence[int]) -> list[Outcome]:
    """What a strategy comes to at each budget."""
    generator, selector, stop, numbers, _ = strategy._native()
    stop = stop and trial.may_stop
    if generator == "walks":
        return await _walks(trial, selector, stop, caps)
    if isinstance(strategy, SelfCorrection):
        return await _rounds(trial, strategy, stop, caps)
    if generator == "tree":
        return await _search.tree(trial, strategy, stop, caps)
    return [await _layers.layered(trial, generator, int(numbers[0]), column, cap) for column, cap in enumerate(caps)]


async def _walks(trial: Trial, selector: str, stop: bool, caps: Sequence[int]) -> list[Outcome]:
    """Repeated sampling; budgets share their walks, and the larger goes on where the smaller ends."""
    if selector == "first":
        (first,) = await trial.walks(1)
        return [_outcome(trial, [first] if first.steps <= cap else [], first.steps > cap, cap, _first) for cap in caps]
    if stop:
        return await _until_accepted(trial, caps)
    found = []
    for column, cap in enumerate(caps):
        samples, cut = await trial.walks_within(cap)
        rng = partial(trial.rng, CHOICES, column)
        if selector == "majority":
            found.append(_outcome(trial, samples, cut, cap, partial(_judge.vote, weighted=False, rng=rng)))
            continue
        await trial.judge_all(samples)
        choose = partial(_judge.best, accuracy=trial.verifier.accuracy, rng=rng)
        vote = partial(_judge.vote, weighted=True, rng=rng)
        chosen = vote if selector == "weighted" else choose
        found.append(_outcome(trial, samples, cut, cap, chosen, n_verdicts=len(samples)))
    return found


async def _until_accepted(trial: Trial, caps: Sequence[int]) -> list[Outcome]:
    """Best-of-n that ends at the first accepted answer; without one, any of the answers."""

    async def draw(n: int) -> Sample:
        sample = (await trial.walks(n + 1))[n]
        await trial.judge(sample, n)
        return sample

    return await _one_by_one(trial, draw, True, caps)


async def _rounds(trial: Trial, strategy: SelfCorrection, stop: bool, caps: Sequence[int]) -> list[Outcome]:
    """Self-correction: a walk after another, each by the expert whom the learner trusts."""
    rng = trial.rng(ROUNDS)
    learner = LEARNERS[strategy.learner](trial.problem.n_experts, strategy.c, strategy.delta)

    async def draw(n: int) -> Sample:
        expert = learner.choose(rng)
        sample = await trial.walk(trial.root, 0, rng, expert)
        verdict = await trial.judge(sample, ROUNDS, n)
        learner.update(expert, min(max(verdict.score, 0.0), 1.0))
        return sample

    return await _one_by_one(trial, draw, stop, caps)


async def _one_by_one(
    trial: Trial, draw: Callable[[int], Awaitable[Sample]], stop: bool, caps: Sequence[int]
) -> list[Outcome]:
    """Walks that are judged one after the other, until the steps are spent or, if `stop`, one is accepted."""
    found: list[Outcome] = []
    samples: list[Sample] = []
    beyond: Sample | None = None
    used, ended = 0, False
    for column, cap in enumerate(caps):
        while not ended and used < cap:
            sample = beyond or await draw(len(samples))
            if used + sample.steps > cap:
                beyond = sample
                break
            beyond = None
            samples.append(sample)
            used += max(sample.steps, 1)
            ended = stop and sample.verdict is not None and sample.verdict.accepted
        choose = partial(_judge.best, accuracy=trial.verifier.accuracy, rng=partial(trial.rng, CHOICES, ROUNDS, column))
        cut = not ended and used < cap
        found.append(_outcome(trial, samples, cut, cap, choose, n_verdicts=len(samples)))
    return found


def _first(samples: Sequence[Sample]) -> bool:
    return bool(samples) and samples[0].correct


def _outcome(
    trial: Trial,
    samples: Sequence[Sample],
    cut: bool,
    cap: int,
    choose: Callable[[Sequence[Sample]], bool],
    n_verdicts: int = 0,
) -> Outcome:
    """What is chosen among samples, and their cost; a walk under way has spent what was left."""
    answers = sum(sample.answer is not None for sample in samples)
    steps, calls = sum(sample.steps for sample in samples), sum(sample.calls for sample in samples)
    tokens = sum(sample.tokens for sample in samples)
    if cut:
        steps, calls = cap, calls + cap - steps
    return choose(samples), [steps, calls, answers, n_verdicts, tokens]
