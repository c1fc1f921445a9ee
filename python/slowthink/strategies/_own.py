"""Problems in Python as the strategies see them: states, steps drawn from a policy, answers."""

from __future__ import annotations

import asyncio
import copy
import inspect
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from slowthink.trees._inputs import count, real

T = TypeVar("T")

AWAITED = ("step", "score", "success_probability")
"""What may be a coroutine."""

TAKES = {
    "root": "instance",
    "answer": "state",
    "correct": "",
    "score": "state",
    "success_probability": "state",
    "tokens": "state",
    "n_actions": "state",
    "priors": "state",
}
"""The parameters of the methods; `correct` has one of two forms."""


class ReasoningProblem(Protocol):
    """A problem of your own: any object with these methods can be compared on.

    ``step``, ``score`` and ``success_probability`` may be coroutines (``async def``), such as calls of a server: many
    are then under way at once.

    A problem may also have

    * ``n_instances``: how many instances there are, 1 by default;
    * ``score(state)``: how promising a state is (a process reward), for beams, DVTS and the like; of finished states
      it is what the verifier says, unless :func:`compare` is given another;
    * ``success_probability(state)``: the probability, from 0 to 1, that walks of the policy go on from a state to a
      right answer. It is the process reward where there is no ``score``; it says which states are lost (0), for
      ``Verifier(process_bias=...)``, and which steps are good, for stepwise selection by ``Verifier(accuracy=...)``;
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
        if isinstance(problem, type):
            raise TypeError(
                f"problem must be an object, got the class {problem.__name__}: {problem.__name__}() makes one"
            )
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
        self.has_success = callable(getattr(problem, "success_probability", None))
        self.has_tokens = callable(getattr(problem, "tokens", None))
        self.is_async = any(_is_coroutine(getattr(problem, name, None)) for name in AWAITED)
        if self.listed and _is_coroutine(problem.step):
            raise TypeError("problem.step must be a plain function, no coroutine, where actions are listed")
        step = "state, action" if self.listed else "state, rng, expert" if self.n_experts > 1 else "state, rng"
        for name, parameters in {**TAKES, "step": step}.items():
            _check_method(getattr(problem, name, None), name, parameters)
        n = _n_parameters(problem.correct)
        if n > 2:
            raise TypeError(f"problem.correct must take a state, or an answer and an instance, got {n} parameters")
        self._by_instance = n == 2
        self._watched = False
        self._answer: Callable[[Any], Any] | None = getattr(problem, "answer", None)
        self._priors: Callable[[Any], Any] | None = getattr(problem, "priors", None)

    @property
    def judges_states(self) -> bool:
        """Whether there is a process reward."""
        return self.has_score or self.has_success

    @property
    def description(self) -> str:
        """Its class, as an object's repr may change from run to run."""
        return type(self.problem).__name__

    def root(self, instance: int) -> Any:
        return self.problem.root(instance)

    def n_actions(self, state: Any) -> int:
        return count(self.problem.n_actions(state), "problem.n_actions", 0, 2**31 - 1)

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
        made = self.problem.step(state, action)
        if not isinstance(made, tuple) or len(made) != 2:
            raise TypeError(
                f"problem.step must give a pair of state and reward, where actions are listed, got {made!r}"
            )
        return made[0]

    def checked(self, before: Any, after: Any, copy: Any) -> Any:
        """A state that a step has led to, or what is wrong with it; `copy` is of the state before the step."""
        if after is None:
            raise TypeError("problem.step must give a state, got None")
        if copy is not None and repr(copy) != repr(before):
            raise ValueError(
                "problem.step must leave the state that it is given as it is, and give another: it changed it"
            )
        return after

    def copied(self, state: Any) -> Any:
        """A copy of the state before the first step of all, if it is of a kind that steps may change by mistake."""
        if self._watched:
            return None
        self._watched = True
        return copy.deepcopy(state) if isinstance(state, (list, dict, set, bytearray, np.ndarray)) else None

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
        right = self.problem.correct(answer, instance) if self._by_instance else self.problem.correct(state)
        if isinstance(right, (bool, np.bool_)) or (isinstance(right, (int, float, np.number)) and right in (0, 1)):
            return bool(right)
        raise TypeError(f"problem.correct must give True or False, got {right!r}")

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
            except Exception as error:
                if attempt == self.settings.retries or not self._tries_again:
                    if isinstance(error, asyncio.TimeoutError) and not str(error):
                        limit = f"{self.settings.timeout:g} s" if self.settings.timeout is not None else "it should"
                        raise TimeoutError(f"a call took longer than {limit}, {attempt + 1} times") from error
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


def _check_method(function: Any, name: str, parameters: str) -> None:
    """Refuses a method that cannot be called as it will be."""
    if not callable(function):
        return
    if name not in AWAITED and _is_coroutine(function):
        raise TypeError(f"problem.{name} must be a plain function: only {', '.join(AWAITED)} may be coroutines")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"problem.{name} must return what it has to say, and not yield it")
    if not parameters:
        return
    try:
        inspect.signature(function).bind(*parameters.split(", "))
    except TypeError:
        raise TypeError(f"problem.{name} must be called as {name}({parameters}): it takes other arguments") from None
    except ValueError:
        return  # a function without a signature


def _n_parameters(function: Any) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)
