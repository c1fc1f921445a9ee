"""Trials of strategies, counted: what simulations of several papers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink._reproduce._claims import Request
from slowthink.problems._built_in import BuiltIn
from slowthink.strategies import Verifier

LEVEL = 0.999
"""Of each interval by itself: a table of them all hides few misses."""

WALKS_BEST: Any = ("walks", "best", False, [], None)
WALKS_MAJORITY: Any = ("walks", "majority", False, [], None)
WALK: Any = ("walks", "first", False, [], None)
WIDEST_CHAIN: Any = ("stepwise", "first", False, [0.0], None)
"""One chain, each step of it selected from as many candidates as the budget pays for."""


def right(
    request: Request,
    problem: BuiltIn,
    strategies: Sequence[Any],
    budgets: Sequence[int],
    n_trials: int,
    seed: np.random.SeedSequence,
    verifier: Verifier | None = None,
) -> npt.NDArray[np.int64]:
    """(S, B) how many of independent trials each strategy is right in, at each budget in steps."""
    judge = (Verifier() if verifier is None else verifier)._native()
    correct, _ = _slowthink.run_strategies(
        problem._native,
        list(strategies),
        list(budgets),
        n_trials,
        0,
        _run.seed(seed).tolist(),
        judge,
        _run.options(request.threads),
    )
    return np.asarray(correct.sum(axis=2, dtype=np.int64))


def interval(successes: int, trials: int) -> tuple[float, float]:
    """Clopper and Pearson's."""
    return _slowthink.binomial_interval(int(successes), trials, LEVEL)
