"""The comparison itself: blocks of trials of all strategies, that can be interrupted and gone on with."""

from __future__ import annotations

import os
import textwrap
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink.problems._built_in import BuiltIn
from slowthink.samples._intervals import confidence_level
from slowthink.strategies._backends import Backend, Native, Python
from slowthink.strategies._comparison import Comparison, Ended, Unit
from slowthink.strategies._json import COSTS, check_budgets
from slowthink.strategies._own import Own, Settings
from slowthink.strategies._strategies import Strategy, named
from slowthink.strategies._verifier import Verifier
from slowthink.trees._inputs import count, file_name, not_negative

BUDGETS = (1, 4, 16, 64, 256, 1024)


def compare(
    problem: Any,
    strategies: Any = None,
    budgets: npt.ArrayLike = BUDGETS,
    *,
    n_trials: int | None = None,
    unit: Unit | None = None,
    verifier: Verifier | None = None,
    rng: _run.RNG = None,
    first: int | None = None,
    threads: int | None = None,
    progress: _run.Progress = False,
    confidence: float | None = None,
    over: Literal["instances", "trials"] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: Comparison | str | os.PathLike[str] | None = None,
    time_limit: float | None = None,
    concurrency: int = 16,
    retries: int = 3,
    timeout: float | None = None,
) -> Comparison:
    """Spends the same compute in several ways on one problem, and says how often each is right.

    Parameters
    ----------
    problem : problem
        One of :mod:`slowthink.problems` with a policy and answers, or an object of your own with the methods of
        :class:`ReasoningProblem`, which may call a language model.
    strategies : list of str or Strategy, or dict of them, optional
        Names of the command line (``"walk"``, ``"best-of-n"``, ``"majority"``, ``"weighted-vote"``, ``"beam"``,
        ``"dvts"``, ``"tree-search"``, ``"self-correction"``, ``"stepwise"``) or objects; the keys of a dict are the
        names they have in the result. By default all but the last, as far as the problem has what they need.
    budgets : array_like of int, shape (B,)
        What a trial may spend, in the `unit`, at least 1; 1, 4, 16, 64, 256 and 1024 by default.
    n_trials : int, optional
        By default each instance is met equally often, about a thousand trials in all; a problem in Python meets each
        instance once. Trial t works on instance ``t % n_instances``.
    unit : {"answers", "steps", "tokens"}, optional
        What budgets are counted in, answers by default. One answer stands for as many steps as a walk may have
        (`max_steps`), tokens for the steps that are written with so many (`tokens_per_step`).
    verifier : Verifier, optional
        The judge of answers; by default one that never errs, or the `score` of a problem in Python that has one.
    rng : None, int, SeedSequence or Generator
        Where randomness comes from. Trial t draws from streams of its own.
    first : int, optional
        Number of the first trial, 0 by default: so that shards of a comparison can run anywhere.
    threads : int, optional
        Number of threads; all by default. A problem in Python runs on one.
    progress : bool or callable
        A bar, or a callable of (done, total) trials.
    confidence : float, optional
        Level of the intervals, 0.95 by default.
    over : {"instances", "trials"}, optional
        What varies: instances drawn from many like them (the default), or trials on these very instances. See
        :class:`Comparison`.
    checkpoint : str or PathLike, optional
        A file to which everything is written after each block of trials.
    resume : Comparison, str or PathLike, optional
        A comparison, or the file of one, to go on with: the trials that it lacks are run. What is not given here is
        taken from it, and what is given must be what it has, but for `n_trials`, `confidence` and `over`. If it is a
        file that is not there yet, the comparison begins. A problem in Python is known by the name of its class alone.
    time_limit : float, optional
        Seconds after which no further block of trials is begun.
    concurrency, retries, timeout
        For a problem with coroutines: calls under way at once, how often a call that fails is made again, and the
        seconds it may take; other problems make no use of them.

    Returns
    -------
    Comparison
        With all that was finished: Ctrl-C and `time_limit` end the comparison early, says so in ``ended``;
        Ctrl-C also warns, and sets ``interrupted``.

    Raises
    ------
    ValueError, TypeError
        For arguments out of range, strategies that the problem cannot be worked on with, and a `resume` that is
        another comparison.

    Notes
    -----
    A budget is what a trial may spend at most: a walk that is under way when it runs out has spent what was left and
    gives no answer, and strategies that end at the first accepted answer spend less. Budgets of repeated sampling and
    of tree search share what the smaller one did. The same seed gives the same trials, however they are divided into
    blocks, calls and threads, and an interrupted comparison that is resumed gives the same numbers as one that was not.

    Examples
    --------
    >>> from slowthink.problems import GameOf24
    >>> from slowthink.strategies import compare
    >>> found = compare(GameOf24(), ["walk", "best-of-n", "majority"], budgets=[1, 16], n_trials=500, rng=1)
    >>> found.accuracy.shape
    (3, 2)
    >>> found.best(16).strategy
    'best-of-n'
    """
    started = time.monotonic()
    limits = _Limits(
        None if time_limit is None else started + not_negative(time_limit, "time_limit"),
        None if checkpoint is None else file_name(checkpoint, "checkpoint"),
        progress,
    )
    options = _run.options(threads, False)
    settings = Settings(
        count(concurrency, "concurrency", 1, 2**20),
        count(retries, "retries", 0, 1000),
        None if timeout is None else not_negative(timeout, "timeout"),
    )
    backend: Backend = Native(problem, options) if isinstance(problem, BuiltIn) else Python(Own(problem), settings)
    before = _before(resume)
    if before is not None:
        strategies = before.strategies if strategies is None else strategies
        budgets = before.budgets if budgets is BUDGETS else budgets
        unit = before.unit if unit is None else unit
        verifier = before.verifier if verifier is None else verifier
        first = before.first if first is None else first
        n_trials = before.n_trials if n_trials is None else n_trials
        confidence = before.confidence if confidence is None else confidence
        over = before.over if over is None else over
    if not isinstance(verifier, (Verifier, type(None))):
        raise TypeError(f"verifier must be a Verifier or None, got {type(verifier).__name__}")
    verifier = backend.judge(verifier)
    chosen, notes = _supported(backend, named(strategies), strategies is None, verifier)
    limit = check_budgets(budgets)
    counted = _arrays.choice("answers" if unit is None else unit, "unit", ("answers", "steps", "tokens"))
    varies = _arrays.choice("instances" if over is None else over, "over", ("instances", "trials"))
    seed = tuple(int(word) for word in (before.seed if before is not None and rng is None else _run.seed(rng)))
    found = Comparison(
        problem=backend.description,
        fingerprint=backend.fingerprint,
        strategies=chosen,
        budgets=limit,
        unit=counted,  # type: ignore[arg-type]
        n_instances=backend.n_instances,
        max_steps=backend.max_steps,
        tokens_per_step=backend.tokens_per_step,
        verifier=verifier,
        first=0 if first is None else count(first, "first", 0, 2**63 - 1),
        seed=seed,
        n_trials=backend.default_trials if n_trials is None else count(n_trials, "n_trials", 1, 2**40),
        confidence=confidence_level(0.95 if confidence is None else confidence),
        over=varies,  # type: ignore[arg-type]
        correct=np.zeros((len(chosen), len(limit), 0), dtype=np.uint8),
        total_cost=np.zeros((len(chosen), len(limit), len(COSTS)), dtype=np.uint64),
        exact=np.full((len(chosen), len(limit)), np.nan),
        notes=notes + backend.cautions(chosen, verifier),
    )
    caps = _caps(found, backend)
    if before is not None:
        _check_same(before, found)
        found = replace(
            found,
            correct=before.correct,
            total_cost=before.total_cost,
            exact=before.exact,
            seconds=before.seconds,
        )
    try:
        return _run_blocks(backend, found, caps, limits, started)
    finally:
        backend.close()


class _Limits:
    """When to stop, where to write, whom to tell."""

    def __init__(self, deadline: float | None, checkpoint: str | None, progress: _run.Progress) -> None:
        self.deadline = deadline
        self.checkpoint = checkpoint
        self.report: Callable[[int, int], object] | None = _run.options(1, progress)[1]
        if checkpoint is not None and not os.path.isdir(os.path.dirname(os.path.abspath(checkpoint))):
            raise ValueError(f"checkpoint must be in a folder that exists, got {checkpoint}")
        if checkpoint is not None and os.path.isdir(checkpoint):
            raise ValueError(f"checkpoint must be a file, got the folder {checkpoint}")


def _run_blocks(backend: Backend, found: Comparison, caps: list[int], limits: _Limits, started: float) -> Comparison:
    """Block after block, each some tenths of a second long, until all trials are done or it is time to stop."""
    before = found.seconds
    strategies = list(found.strategies.values())
    size = backend.first_block
    # One name for all that is done, so that Ctrl-C meets either all of a block or nothing of it.
    blocks = [(found.correct, found.total_cost)]
    exact = found.exact

    def so_far(ended: Ended) -> Comparison:
        correct = np.concatenate([block for block, _ in blocks], axis=2)
        total = sum((cost for _, cost in blocks[1:]), start=blocks[0][1])
        seconds = before + time.monotonic() - started
        return replace(found, correct=correct, total_cost=total, exact=exact, ended=ended, seconds=seconds)

    ended: Ended = "interrupted"  # as the file of a checkpoint says until the end
    try:
        if np.isnan(exact).all():
            exact = backend.exact(strategies, caps, found.verifier)
        while (n := sum(block.shape[2] for block, _ in blocks)) < found.n_trials:
            if limits.deadline is not None and time.monotonic() >= limits.deadline:
                ended = "time_limit"
                break
            begun = time.monotonic()
            size = min(size, found.n_trials - n)
            correct, cost = backend.run(strategies, caps, size, found.first + n, found.seed, found.verifier)
            blocks = [*blocks, (correct, cost.sum(axis=2, dtype=np.uint64))]
            if limits.checkpoint is not None:
                kept = so_far(ended)
                kept.to_json(limits.checkpoint)
                blocks = [(kept.correct, kept.total_cost)]
            if limits.report is not None:
                limits.report(n + size, found.n_trials)
            size = _next_size(size, time.monotonic() - begun, backend)
        else:
            ended = "done"
    except KeyboardInterrupt:
        pass
    result = so_far(ended)
    if ended == "interrupted":
        text = f"interrupted after {result.n_finished:,} of {found.n_trials:,} trials; resume= goes on with the rest"
        warnings.warn(text, RuntimeWarning, stacklevel=3)
    if limits.checkpoint is not None:
        result.to_json(limits.checkpoint)
    return result


def _next_size(size: int, seconds: float, backend: Backend) -> int:
    """Blocks of some half a second: few enough calls, and little lost when one is interrupted."""
    if seconds < 0.25 * backend.block_seconds:
        return min(2 * size, 1 << 16)
    return max(backend.first_block, size // 2) if seconds > backend.block_seconds else size


def _before(resume: Any) -> Comparison | None:
    if resume is None or isinstance(resume, Comparison):
        return resume
    name = file_name(resume, "resume")
    if os.path.isdir(name):
        raise ValueError(f"resume must be a file, got the folder {name}")
    return Comparison.from_json(Path(name)) if os.path.exists(name) else None


def _check_same(before: Comparison, now: Comparison) -> None:
    names = ("problem", "strategies", "budgets", "unit", "n_instances", "max_steps", "verifier", "first", "seed")
    for name in names:
        if getattr(before, name) != getattr(now, name):
            what = "rng" if name == "seed" else name
            old, new = (textwrap.shorten(str(getattr(c, name)), 200, placeholder=" ...") for c in (before, now))
            raise ValueError(f"resume must be of the same comparison: its {what} is {old}, here it is {new}")
    if before.fingerprint != now.fingerprint:
        raise ValueError(
            f"resume must be of the same comparison: its {now.problem} is another one than that given here"
        )
    if before.n_finished > now.n_trials:
        raise ValueError(f"n_trials must be at least the {before.n_finished} that resume has, got {now.n_trials}")


def _supported(
    backend: Backend, strategies: dict[str, Strategy], by_default: bool, verifier: Verifier | None
) -> tuple[dict[str, Strategy], tuple[str, ...]]:
    """The strategies without those that the problem lacks something for, if they were not asked for."""
    kept: dict[str, Strategy] = {}
    notes: dict[str, list[str]] = {}
    for label, strategy in strategies.items():
        lacks = backend.lacks(strategy, verifier)
        if lacks is None:
            kept[label] = strategy
        elif not by_default:
            raise ValueError(f"strategies: {label} needs {lacks}, which {backend.description} lacks")
        else:
            notes.setdefault(lacks, []).append(label)
    return kept, tuple(f"without {', '.join(labels)}: the problem lacks {lacks}" for lacks, labels in notes.items())


def _caps(found: Comparison, backend: Backend) -> list[int]:
    """The budgets in steps."""
    if found.unit == "steps":
        caps: Iterable[float] = found.budgets
    elif found.unit == "answers":
        caps = (budget * found.max_steps for budget in found.budgets)
    else:
        per_step = backend.expected_tokens
        if per_step is None:
            raise ValueError("unit 'tokens' needs a problem with tokens_per_step, how many a step takes on average")
        caps = (budget // per_step for budget in found.budgets)
    steps = [int(cap) for cap in caps]
    for i, cap in enumerate(steps):
        if cap > 2**31 - 2:
            raise ValueError(f"budgets[{i}] must be at most {2**31 - 2} steps, got {cap}")
    return steps
