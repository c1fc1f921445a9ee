"""Problems in Python as the strategies see them: states, steps drawn from a policy, answers."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from slowthink.trees._inputs import count, real

T = TypeVar("T")


class ReasoningProblem(Protocol):
    """A problem of your own: any object with these methods can be compared on.

    ``step`` and ``score`` may be coroutines (``async def``), such as calls of a server: many are then under
    way at once.

    A problem may also have

    * ``n_instances``: how many instances there are, 1 by default;
    * ``score(state)``: how promising a state is (a process reward), for beams, DVTS and the like; of finished states
      it is what the verifier says, unless :func:`compare` is given another;
    * ``tokens(state)``: how many tokens the step into `state` took, a whole number;
    * ``tokens_per_step``: how many a step takes on average, for budgets in tokens;
    * ``__aenter__`` and ``__aexit__``: it is entered for the time of the comparison (to open a client, say);
    * ``n_experts``: how many policies there are; ``step(state, rng, expert)`` is then told which to take.

    The methods of :class:`slowthink.problems.Problem` will do as well, where the actions of a state can be listed:
    steps are then drawn with the probabilities ``priors(state)``, or uniformly, and a state without actions is
    finished.

    Examples
    --------
    Five coins must all show heads; a step flips the next one.

    >>> from slowthink.strategies import compare
    >>> class Coins:
    ...     max_steps = 5
    ...     def root(self, instance):
    ...         return ""
    ...     def step(self, state, rng):
    ...         return state + "HT"[rng.integers(2)]
    ...     def answer(self, state):
    ...         return state if len(state) == 5 else None
    ...     def correct(self, state):
    ...         return state == "HHHHH"
    >>> found = compare(Coins(), ["walk", "best-of-n", "majority"], budgets=[1, 32], n_trials=100, rng=1)
    >>> found.best(32).strategy
    'best-of-n'
    """

    max_steps: int
    """Steps after which a walk is cut off, and has no answer."""

    def root(self, instance: int) -> Any:
        """The state in which instance number `instance` begins."""

    def step(self, state: Any, rng: np.random.Generator) -> Any:
        """A state after one step, drawn by the policy. `state` stays as it is."""

    def answer(self, state: Any) -> Hashable | None:
        """What a finished state answers; None while it is not finished. Equal answers vote together."""

    def correct(self, state: Any) -> bool:
        """Whether a finished state answers rightly. With two parameters: of the answer and the instance."""


@dataclass(frozen=True)
class Settings:
    """How calls are made."""

    concurrency: int = 16
    retries: int = 3
    timeout: float | None = None
    backoff: float = 0.5


class Own:
    """A problem in Python behind one face, whichever of the two protocols it speaks."""

    def __init__(self, problem: Any) -> None:
        self.problem = problem
        self.listed = callable(getattr(problem, "n_actions", None))
        needed = ["root", "step", *(["n_actions"] if self.listed else ["answer"]), "correct"]
        missing = [name for name in needed if not callable(getattr(problem, name, None))]
        if missing:
            raise TypeError(
                "problem must be one of slowthink.problems, or have the methods of "
                f"slowthink.strategies.ReasoningProblem: {type(problem).__name__} lacks {', '.join(missing)}"
            )
        most = getattr(problem, "max_steps", None)
        if most is None:
            raise TypeError(f"problem must have max_steps, a whole number: {type(problem).__name__} lacks it")
        self.max_steps = count(most, "problem.max_steps", 1, 2**31 - 1)
        self.n_instances = count(getattr(problem, "n_instances", 1), "problem.n_instances", 1, 2**62)
        self.n_experts = count(getattr(problem, "n_experts", 1), "problem.n_experts", 1, 65536)
        per_step = getattr(problem, "tokens_per_step", None)
        self.tokens_per_step = None if per_step is None else _positive(per_step)
        self.has_score = callable(getattr(problem, "score", None))
        self.has_tokens = callable(getattr(problem, "tokens", None))
        self.is_async = any(_is_coroutine(getattr(problem, name, None)) for name in ("step", "score"))
        if self.listed and _is_coroutine(problem.step):
            raise TypeError("problem.step must be a plain function, no coroutine, where actions are listed")
        self._by_instance = _n_parameters(problem.correct) == 2
        self._answer: Callable[[Any], Any] | None = getattr(problem, "answer", None)
        self._priors: Callable[[Any], Any] | None = getattr(problem, "priors", None)

    @property
    def description(self) -> str:
        """Its class, as an object's repr may change from run to run."""
        return type(self.problem).__name__

    def root(self, instance: int) -> Any:
        return self.problem.root(instance)

    def n_actions(self, state: Any) -> int:
        return int(self.problem.n_actions(state))

    def probabilities(self, state: Any, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The policy's, where actions are listed."""
        if self._priors is None:
            return np.full(n, 1.0 / n)
        priors = np.asarray(self._priors(state), dtype=np.float64)
        if priors.shape != (n,) or not (priors >= 0).all() or not 0 < priors.sum() < np.inf:
            raise ValueError(f"problem.priors must give one probability for each of {n} actions, got {priors}")
        shares: np.ndarray[Any, np.dtype[np.float64]] = priors / priors.sum()
        return shares

    def draw(self, state: Any, rng: np.random.Generator, expert: int) -> Any:
        """A step of the policy: the next state, or an awaitable of it."""
        if not self.listed:
            return self.problem.step(state, rng) if self.n_experts == 1 else self.problem.step(state, rng, expert)
        n = self.n_actions(state)
        action = int(rng.choice(n, p=self.probabilities(state, n))) if self._priors else int(rng.integers(n))
        return self.take(state, action)

    def take(self, state: Any, action: int) -> Any:
        """The state after an action, where actions are listed."""
        return self.problem.step(state, action)[0]

    def ended(self, state: Any) -> tuple[bool, Hashable | None]:
        """Whether a state is finished, and its answer."""
        answer = None if self._answer is None else self._answer(state)
        try:
            hash(answer)
        except TypeError:
            raise TypeError(f"problem.answer must give something hashable, got {type(answer).__name__}") from None
        if self.listed:
            if self.n_actions(state) > 0:
                return False, None
            return True, bool(self.correct(state, None, 0)) if self._answer is None else answer
        return answer is not None, answer

    def correct(self, state: Any, answer: Hashable | None, instance: int) -> bool:
        return bool(self.problem.correct(answer, instance) if self._by_instance else self.problem.correct(state))

    def tokens(self, state: Any) -> int:
        if not self.has_tokens:
            return 0
        return count(self.problem.tokens(state), "problem.tokens", 0, 2**53)


class Caller:
    """Calls that may be coroutines: at most so many at once, and made again when they fail."""

    def __init__(self, settings: Settings, is_async: bool) -> None:
        self.settings = settings
        self._tries_again = is_async
        self._slots = asyncio.Semaphore(settings.concurrency)

    async def call(self, make: Callable[[], T | Awaitable[T]]) -> tuple[T, int]:
        """The result, and how many calls it took."""
        for attempt in range(self.settings.retries + 1):
            try:
                async with self._slots:
                    # Made when there is room: a coroutine that is never awaited is warned of.
                    made: Any = make()
                    if not inspect.isawaitable(made):
                        return made, attempt + 1
                    return await asyncio.wait_for(made, self.settings.timeout), attempt + 1
            except Exception:
                if attempt == self.settings.retries or not self._tries_again:
                    raise
            pause = min(60.0, self.settings.backoff * 2.0**attempt)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # else all come back at the same instant
        raise AssertionError("the last attempt returns or raises")


def _positive(value: Any) -> float:
    number = real(value, "problem.tokens_per_step")
    if number <= 0:
        raise ValueError(f"problem.tokens_per_step must be above 0, got {number:g}")
    return number


def _is_coroutine(function: Any) -> bool:
    called = getattr(type(function), "__call__", None)  # noqa: B004 of an object that is called like a function
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def _n_parameters(function: Any) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)
