"""Where trials are run: by the engine, for the problems that come with slowthink, or in Python."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink.problems._built_in import BuiltIn
from slowthink.strategies import _python
from slowthink.strategies._own import Own, Settings
from slowthink.strategies._strategies import SelfCorrection, Stepwise, Strategy, TreeSearch
from slowthink.strategies._verifier import Verifier

Trials = tuple["npt.NDArray[np.uint8]", "npt.NDArray[np.uint64]"]
"""(S, B, T): what was right; (S, B, T, 5): steps, calls, answers, verdicts and tokens."""


class Backend(ABC):
    """A problem, and how trials of it are run."""

    description: str
    fingerprint: str
    """What tells problems of one description apart, where more than that is known of them."""
    n_experts: int
    n_instances: int
    max_steps: int
    tokens_per_step: float | None
    """None where tokens are counted."""
    expected_tokens: float | None
    default_trials: int
    first_block: int
    block_seconds: float

    @abstractmethod
    def lacks(self, strategy: Strategy, verifier: Verifier | None) -> str | None:
        """What the problem would need for this strategy, and this judge."""

    def judge(self, verifier: Verifier | None) -> Verifier | None:
        """The verifier where none is given; None where the problem judges its answers itself."""
        return Verifier() if verifier is None else verifier

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
        """(S, B): accuracies where they are known exactly, NaN elsewhere."""

    def cautions(self, strategies: dict[str, Strategy], verifier: Verifier | None) -> tuple[str, ...]:
        """What the reader of a table should know of how it came about."""
        notes = []
        alone = [label for label, strategy in strategies.items() if isinstance(strategy, SelfCorrection)]
        if alone and self.n_experts == 1:
            notes.append(f"with one policy and so nothing to learn, best-of-n by another name: {', '.join(alone)}")
        judge = verifier or Verifier()
        if (judge.process_noise or judge.process_bias) and not any(map(_judges_states, strategies.values())):
            notes.append("process_noise and process_bias change nothing: no strategy here judges unfinished states")
        return tuple(notes)

    def close(self) -> None:  # noqa: B027 most have nothing to leave
        """After the last block."""


class Native(Backend):
    """A problem of the compiled module."""

    block_seconds = 1.0

    def __init__(self, problem: BuiltIn, options: _run.Options) -> None:
        self._problem = problem._native
        self._options = options
        self.description = repr(problem)
        self.fingerprint = problem._fingerprint()
        traits = _slowthink.reasoning_traits(self._problem)
        self.n_instances, self.max_steps, self.n_experts, self.tokens_per_step, _ = traits
        self.expected_tokens = self.tokens_per_step
        self.default_trials = _default_trials(self.n_instances)
        self.first_block = 4 * options[0]

    def lacks(self, strategy: Strategy, verifier: Verifier | None) -> str | None:
        return None

    def run(
        self,
        strategies: Sequence[Strategy],
        caps: Sequence[int],
        n_trials: int,
        first: int,
        seed: Sequence[int],
        verifier: Verifier | None,
    ) -> Trials:
        native = [strategy._native() for strategy in strategies]
        judge = (verifier or Verifier())._native()
        # A budget of less than a step, which tokens may come to, buys nothing.
        columns = [j for j, cap in enumerate(caps) if cap > 0]
        correct = np.zeros((len(strategies), len(caps), n_trials), dtype=np.uint8)
        cost = np.zeros((len(strategies), len(caps), n_trials, 5), dtype=np.uint64)
        distinct = sorted({caps[j] for j in columns})
        if distinct:
            found, spent = _slowthink.run_strategies(
                self._problem, native, distinct, n_trials, first, list(seed), judge, self._options
            )
            places = [distinct.index(caps[j]) for j in columns]
            correct[:, columns], cost[:, columns, :, :4] = found[:, places], spent[:, places]
        return correct, cost

    def exact(
        self, strategies: Sequence[Strategy], caps: Sequence[int], verifier: Verifier | None
    ) -> npt.NDArray[np.float64]:
        native = [strategy._native() for strategy in strategies]
        distinct = sorted({max(cap, 1) for cap in caps})
        judge = (verifier or Verifier())._native()
        known = _slowthink.exact_curves(self._problem, native, distinct, judge, self._options)
        found = known[:, [distinct.index(max(cap, 1)) for cap in caps]]
        # A budget of less than a step buys nothing, and one of a step may be all that a walk takes.
        found[np.isfinite(found) & (np.array(caps) == 0)] = 0.0
        return found

    def cautions(self, strategies: dict[str, Strategy], verifier: Verifier | None) -> tuple[str, ...]:
        notes = super().cautions(strategies, verifier)
        judge = verifier or Verifier()
        told = [label for label, strategy in strategies.items() if _judges_states(strategy)]
        if told and not (judge.process_noise or judge.process_bias):
            notes = (f"with exact process rewards, which no real judge has: {', '.join(told)}", *notes)
        return notes


def _default_trials(n_instances: int) -> int:
    """About a thousand, each instance equally often.

    Examples
    --------
    >>> [_default_trials(n) for n in (1, 3, 300, 1362, 100_000)]
    [1000, 1002, 1200, 1362, 1000]
    """
    if n_instances > 2000:
        return 1000
    return n_instances * -(-1000 // n_instances)


class Python(Backend):
    """A problem in Python."""

    def __init__(self, problem: Own, settings: Settings) -> None:
        self._problem = problem
        self._runner = _python.Runner(problem, settings)
        self.description, self.fingerprint = problem.description, ""
        self.n_experts = problem.n_experts
        self.n_instances = self.default_trials = problem.n_instances
        self.max_steps = problem.max_steps
        self.expected_tokens = problem.tokens_per_step
        self.tokens_per_step = None if problem.has_tokens else (problem.tokens_per_step or 1.0)
        # Calls of a server take long, and a block ends with its slowest trial.
        self.first_block = settings.concurrency if problem.is_async else 1
        self.block_seconds = 10.0 if problem.is_async else 0.5

    def lacks(self, strategy: Strategy, verifier: Verifier | None) -> str | None:
        if _judges_states(strategy) and not self._problem.judges_states:
            return "score, the process reward of a state"
        by_chance = isinstance(strategy, Stepwise) and verifier is not None and verifier.accuracy is not None
        if by_chance and not self._problem.has_success:
            return "success_probability, which tells the steps apart that a choice of some accuracy falls on"
        return None

    def judge(self, verifier: Verifier | None) -> Verifier | None:
        return None if verifier is None and self._problem.has_score else super().judge(verifier)

    def run(
        self,
        strategies: Sequence[Strategy],
        caps: Sequence[int],
        n_trials: int,
        first: int,
        seed: Sequence[int],
        verifier: Verifier | None,
    ) -> Trials:
        return self._runner.block(strategies, caps, n_trials, first, seed, verifier)

    def exact(
        self, strategies: Sequence[Strategy], caps: Sequence[int], verifier: Verifier | None
    ) -> npt.NDArray[np.float64]:
        return np.full((len(strategies), len(caps)), np.nan)

    def close(self) -> None:
        self._runner.close()


def _judges_states(strategy: Strategy) -> bool:
    """Whether unfinished states are judged."""
    return strategy.needs_score or (isinstance(strategy, TreeSearch) and strategy.values == "process")
