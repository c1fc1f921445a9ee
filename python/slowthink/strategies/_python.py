"""Strategies on problems in Python, with or without coroutines: what each does in one trial, for all budgets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from slowthink.strategies import _judge, _search
from slowthink.strategies._judge import Sample
from slowthink.strategies._learners import LEARNERS
from slowthink.strategies._own import Caller, Own, Settings
from slowthink.strategies._strategies import SelfCorrection, Strategy
from slowthink.strategies._trial import CHOICES, ROUNDS, Trial
from slowthink.strategies._verifier import Verifier

T = TypeVar("T")

Outcome = tuple[bool, "list[int]"]
"""Whether the answer is right; steps, calls, answers, verdicts and tokens."""


def run(
    problem: Own,
    strategies: Sequence[Strategy],
    caps: Sequence[int],
    n_trials: int,
    first: int,
    seed: Sequence[int],
    verifier: Verifier | None,
    settings: Settings,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    """Trials `first` to `first + n_trials`: (S, B, T) of what was right, and (S, B, T, 5) of what it cost."""

    async def one(number: int, caller: Caller) -> list[list[Outcome]]:
        trial = Trial(problem, caller, verifier, list(seed), number)
        return [await outcomes(trial, strategy, caps) for strategy in strategies]

    async def all_trials() -> list[list[list[Outcome]]]:
        caller = Caller(settings)
        numbers = range(first, first + n_trials)
        if problem.is_async:
            return list(await asyncio.gather(*(one(number, caller) for number in numbers)))
        return [await one(number, caller) for number in numbers]

    found = completed(all_trials)
    correct = np.array([[[o[0] for o in row] for row in trial] for trial in found], dtype=np.uint8)
    cost = np.array([[[o[1] for o in row] for row in trial] for trial in found], dtype=np.uint64)
    return np.ascontiguousarray(correct.transpose(1, 2, 0)), np.ascontiguousarray(cost.transpose(1, 2, 0, 3))


def completed(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a coroutine, also where the caller's thread has a loop at work, as notebooks do."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(asyncio.run(main()))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


async def outcomes(trial: Trial, strategy: Strategy, caps: Sequence[int]) -> list[Outcome]:
    """What a strategy comes to at each budget."""
    generator, selector, stop, numbers, _ = strategy._native()
    stop = stop and trial.may_stop
    if generator == "walks":
        return await _walks(trial, selector, stop, caps)
    if isinstance(strategy, SelfCorrection):
        return await _rounds(trial, strategy.learner, stop, caps)
    if generator == "tree":
        return await _search.tree(trial, strategy, stop, caps)
    found = []
    for column, cap in enumerate(caps):
        shape = _search.shape(generator, int(numbers[0]), cap // trial.problem.max_steps)
        if shape is None:
            found.append((False, [0] * 5))
            continue
        samples, cost = await _search.beams(trial, (list(_search.GENERATORS).index(generator), column), *shape)
        found.append(await _search.chosen(trial, samples, cost))
    return found


async def _walks(trial: Trial, selector: str, stop: bool, caps: Sequence[int]) -> list[Outcome]:
    """Repeated sampling; budgets share their walks, and the larger goes on where the smaller ends."""
    if selector == "first":
        enough = [cap >= trial.problem.max_steps for cap in caps]
        samples = await trial.walks(1) if any(enough) else []
        return [_outcome(bool(s and s[0].correct), s, 0) for s in (samples[: int(ok)] for ok in enough)]
    if stop:
        return await _until_accepted(trial, caps)
    found = []
    for column, cap in enumerate(caps):
        samples = await trial.walks_within(cap)
        rng = partial(trial.rng, CHOICES, column)
        if selector == "majority":
            found.append(_outcome(_judge.vote(samples, False, rng), samples, 0))
            continue
        await trial.judge_all(samples)
        right = (
            _judge.vote(samples, True, rng)
            if selector == "weighted"
            else _judge.best(samples, trial.verifier.accuracy, rng)
        )
        found.append(_outcome(right, samples, sum(sample.answer is not None for sample in samples)))
    return found


async def _until_accepted(trial: Trial, caps: Sequence[int]) -> list[Outcome]:
    """Best-of-n that ends at the first accepted answer; without one, any of the answers."""
    found: list[Outcome] = []
    accepted: int | None = None
    n = used = 0
    for column, cap in enumerate(caps):
        while accepted is None and used + trial.problem.max_steps <= cap:
            sample = (await trial.walks(n + 1))[n]
            n, used = n + 1, used + sample.steps
            if (await trial.judge(sample, n - 1)).accepted:
                accepted = n - 1
        samples = trial.samples[:n]
        if accepted is not None:
            right = samples[accepted].correct
        else:
            right = _judge.best(samples, None, partial(trial.rng, CHOICES, column))
        found.append(_outcome(right, samples, sum(sample.answer is not None for sample in samples)))
    return found


async def _rounds(trial: Trial, learner: str, stop: bool, caps: Sequence[int]) -> list[Outcome]:
    """Self-correction: the last answer counts, or the first accepted one."""
    rng = trial.rng(ROUNDS)
    policy = LEARNERS[learner](trial.problem.n_experts)
    samples: list[Sample] = []
    found: list[Outcome] = []
    used, ended = 0, False
    for cap in caps:
        while not ended and used + trial.problem.max_steps <= cap:
            expert = policy.choose(rng)
            sample = await trial.walk(trial.root, 0, rng, expert)
            verdict = await trial.judge(sample, ROUNDS, len(samples))
            policy.update(expert, min(max(verdict.score, 0.0), 1.0))
            samples.append(sample)
            used += sample.steps
            ended = stop and verdict.accepted
        found.append(_outcome(bool(samples) and samples[-1].correct, samples, len(samples)))
    return found


def _outcome(right: bool, samples: Sequence[Sample], n_verdicts: int) -> Outcome:
    return right, _search.total(samples, n_verdicts)
