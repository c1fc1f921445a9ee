"""Where trials are run: by the engine, for the problems that come with slowthink, or in Python."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from slowthink import _run
from slowthink.problems._built_in import BuiltIn
from slowthink.strategies import _python
from slowthink.strategies._own import Own, Settings
from slowthink.strategies._strategies import Strategy, TreeSearch
from slowthink.strategies._verifier import Verifier

Trials = tuple["npt.NDArray[np.uint8]", "npt.NDArray[np.uint64]"]
"""(S, B, T): what was right; (S, B, T, 5): steps, calls, answers, verdicts and tokens."""


class Backend(ABC):
    """A problem, and how trials of it are run."""

    description: str
    n_instances: int
    max_steps: int
    tokens_per_step: float | None
    """None where tokens are counted."""
    expected_tokens: float | None
    default_trials: int
    first_block: int
    block_seconds: float

    @abstractmethod
    def lacks(self, strategy: Strategy) -> str | None:
        """What the problem would need for this strategy."""

    @abstractmethod
    def run(
        self,
        strategies: Sequence[Strategy],
        caps: Sequence[int],
        n_trials: int,
        first: int,
        seed: Sequence[int],
        verifier: Verifier | None,
    ) -> Trials:
        """Trials from number `first` on, with budgets in steps."""

    @abstractmethod
    def exact(
        self, strategies: Sequence[Strategy], caps: Sequence[int], verifier: Verifier | None
    ) -> npt.NDArray[np.float64]:
        """(S, B): accuracies in closed form, NaN where there is none."""


class Native(Backend):
    """A problem of the compiled module."""

    block_seconds = 1.0

    def __init__(self, problem: BuiltIn, options: _run.Options) -> None:
        raise NotImplementedError

    def lacks(self, strategy: Strategy) -> str | None:
        return None


class Python(Backend):
    """A problem in Python."""

    def __init__(self, problem: Own, settings: Settings) -> None:
        self._problem = problem
        self._settings = settings
        self.description = problem.description
        self.n_instances = self.default_trials = problem.n_instances
        self.max_steps = problem.max_steps
        self.expected_tokens = problem.tokens_per_step
        self.tokens_per_step = None if problem.has_tokens else (problem.tokens_per_step or 1.0)
        # Calls of a server take long, and a block ends with its slowest trial.
        self.first_block = settings.concurrency if problem.is_async else 1
        self.block_seconds = 10.0 if problem.is_async else 0.5

    def lacks(self, strategy: Strategy) -> str | None:
        process = strategy.needs_score or (isinstance(strategy, TreeSearch) and strategy.values == "process")
        return "score, the process reward of a state" if process and not self._problem.has_score else None

    def run(
        self,
        strategies: Sequence[Strategy],
        caps: Sequence[int],
        n_trials: int,
        first: int,
        seed: Sequence[int],
        verifier: Verifier | None,
    ) -> Trials:
        return _python.run(self._problem, strategies, caps, n_trials, first, seed, verifier, self._settings)

    def exact(
        self, strategies: Sequence[Strategy], caps: Sequence[int], verifier: Verifier | None
    ) -> npt.NDArray[np.float64]:
        return np.full((len(strategies), len(caps)), np.nan)
