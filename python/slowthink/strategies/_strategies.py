"""Ways to spend compute on a problem: their names, their parameters, and what the engine takes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from slowthink import _arrays, trees
from slowthink._outputs import meant
from slowthink.trees import Policy, Puct, Thompson, Uct
from slowthink.trees._inputs import count, not_negative, real

Native: TypeAlias = "tuple[str, str, bool, list[float], tuple[str, list[float]] | None]"
"""Generator of answers, selector, whether to stop, numbers of the generator, policy of the tree."""


Learner: TypeAlias = Literal["hedge", "ucb", "thompson", "successive-elimination"]

LEARNERS = ("hedge", "ucb", "thompson", "successive-elimination")
"""In the order of their numbers in the engine."""


class Strategy:
    """What all strategies have in common: parameters that are checked when they are set, and a name.

    Attributes
    ----------
    name : str
        As the command line has it.
    """

    name: ClassVar[str] = ""
    needs_score: ClassVar[bool] = False
    """Whether unfinished states must be judged."""

    def __post_init__(self) -> None:
        self._native()

    def _native(self) -> Native:
        """The strategy as the engine takes it."""
        raise TypeError(f"strategies must be strategies of slowthink.strategies, got {type(self).__name__}")

    @property
    def label(self) -> str:
        """The name, with what differs from the default in brackets.

        Examples
        --------
        >>> from slowthink.strategies import Beam
        >>> Beam().label, Beam(expand=8).label
        ('beam', 'beam(expand=8)')
        """
        fields = [field for field in dataclasses.fields(self) if getattr(self, field.name) != field.default]  # type: ignore[arg-type]
        listed = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields)
        return f"{self.name}({listed})" if listed else self.name


@dataclass(frozen=True)
class Walk(Strategy):
    """One walk, whatever the budget: plain chain of thought.

    Examples
    --------
    >>> from slowthink.strategies import Walk
    >>> Walk()
    Walk()
    """

    name: ClassVar[str] = "walk"

    def _native(self) -> Native:
        return "walks", "first", False, [], None


@dataclass(frozen=True)
class BestOfN(Strategy):
    """As many independent walks as the budget allows; the answer that the verifier scores highest.

    Parameters
    ----------
    stop : bool
        Whether to end at the first accepted answer, where the verifier says no more than yes or no.

    Examples
    --------
    >>> from slowthink.strategies import BestOfN
    >>> BestOfN(stop=False).label
    'best-of-n(stop=False)'
    """

    stop: bool = True
    name: ClassVar[str] = "best-of-n"

    def _native(self) -> Native:
        return "walks", "best", _arrays.flag(self.stop, "stop"), [], None


@dataclass(frozen=True)
class MajorityVote(Strategy):
    """As many independent walks as the budget allows; the answer that most of them give (self-consistency).

    Walks without an answer do not vote; ties are broken at random.

    References
    ----------
    Wang et al. 2023, "Self-consistency improves chain of thought reasoning in language models".

    Examples
    --------
    >>> from slowthink.strategies import MajorityVote
    >>> MajorityVote()
    MajorityVote()
    """

    name: ClassVar[str] = "majority"

    def _native(self) -> Native:
        return "walks", "majority", False, [], None


@dataclass(frozen=True)
class WeightedVote(Strategy):
    """As many independent walks as the budget allows; the answer whose scores by the verifier sum to most.

    Examples
    --------
    >>> from slowthink.strategies import WeightedVote
    >>> WeightedVote().name
    'weighted-vote'
    """

    name: ClassVar[str] = "weighted-vote"

    def _native(self) -> Native:
        return "walks", "weighted", False, [], None


@dataclass(frozen=True)
class Beam(Strategy):
    """Level by level: of N steps keep the N / `expand` best by the process reward, and draw N from those, evenly.

    N is the budget in answers. A state that is finished takes its place out of the beam; in the end the verifier
    chooses among all answers.

    Parameters
    ----------
    expand : int
        One in so many states is kept, at least one.

    References
    ----------
    Snell et al. 2024, "Scaling LLM test-time compute optimally can be more effective than scaling model parameters".

    Examples
    --------
    >>> from slowthink.strategies import Beam
    >>> Beam(expand=0)
    Traceback (most recent call last):
    ...
    ValueError: expand must be at least 1 and at most 65536, got 0
    """

    expand: int = 4
    name: ClassVar[str] = "beam"
    needs_score: ClassVar[bool] = True

    def _native(self) -> Native:
        return "beam", "best", False, [float(count(self.expand, "expand", 1, 65536))], None


@dataclass(frozen=True)
class Dvts(Strategy):
    """Diverse verifier tree search: N / `expand` greedy searches apart from each other, at least one.

    Each draws its share of the N steps of a level from its state, and goes on from the best by the process reward. N is
    the budget in answers. In the end the verifier chooses among all answers.

    Parameters
    ----------
    expand : int
        Steps drawn at a time, by each search.

    References
    ----------
    Beeching, Tunstall and Rush 2024, "Scaling test-time compute with open models".

    Examples
    --------
    >>> from slowthink.strategies import Dvts
    >>> Dvts(expand=8)
    Dvts(expand=8)
    """

    expand: int = 4
    name: ClassVar[str] = "dvts"
    needs_score: ClassVar[bool] = True

    def _native(self) -> Native:
        return "dvts", "best", False, [float(count(self.expand, "expand", 1, 65536))], None


@dataclass(frozen=True)
class TreeSearch(Strategy):
    """A tree of states, searched by a policy of :mod:`slowthink.trees`.

    Parameters
    ----------
    policy : Policy
        :class:`slowthink.trees.Puct` (with the probabilities of the problem's policy as priors),
        :class:`slowthink.trees.Uct`, or, on problems in Python alone, :class:`slowthink.trees.Thompson`: a policy whose
        search goes on, so that all budgets share one.
    values : {"rollout", "process"}
        What a new node is worth: the verifier's word on the answer of a walk from there on, which costs the steps of
        that walk; or the process reward of its state.
    select : {"best", "majority"}
        How one of the answers found is chosen: by the verifier, or by a vote of all that were found.
    stop : bool
        Whether to end at the first accepted answer, where the verifier says no more than yes or no.
    branching : int, optional
        How many children a node has, each drawn from the problem's policy, as a language model would draw them: small
        numbers soon leave nothing to look for. By default all actions are its children, where the problem lists them,
        and :class:`~slowthink.trees.Puct` is told their probabilities, which no one who only draws knows; a node of a
        problem that does not list them has 4.

    Examples
    --------
    >>> from slowthink.strategies import TreeSearch
    >>> from slowthink.trees import Uct
    >>> TreeSearch(Uct(c=1.4), values="process").name
    'tree-search'
    """

    policy: Policy = Puct()  # noqa: RUF009 it is frozen
    values: Literal["rollout", "process"] = "rollout"
    select: Literal["best", "majority"] = "best"
    stop: bool = True
    branching: int | None = None
    name: ClassVar[str] = "tree-search"

    def _native(self) -> Native:
        if not isinstance(self.policy, Policy):
            raise TypeError(f"policy must be one of the policies of slowthink.trees, got {type(self.policy).__name__}")
        if not isinstance(self.policy, (Uct, Puct, Thompson)):
            name = type(self.policy).__name__
            raise ValueError(f"policy must be one whose search goes on for any budget, such as Uct or Puct, got {name}")
        process = _arrays.choice(self.values, "values", ("rollout", "process")) == "process"
        select = _arrays.choice(self.select, "select", ("best", "majority"))
        branching = 0 if self.branching is None else count(self.branching, "branching", 1, 65536)
        numbers = [float(process), float(branching)]
        return "tree", select, _arrays.flag(self.stop, "stop"), numbers, self.policy._numbers()


@dataclass(frozen=True)
class SelfCorrection(Strategy):
    """Answers one after the other, each by the expert that a learner trusts after what the verifier said so far.

    An expert is one of the problem's policies, such as the same model at several temperatures; the reward of a round
    is the verifier's score of its answer, brought to 0..1. The answer with the best score counts.

    Parameters
    ----------
    learner : {"hedge", "ucb", "thompson", "successive-elimination"}
        Exponential weights on estimated losses (Exp3), upper confidence bounds (UCB1), draws from Beta posteriors, or
        all in turn until one is surely worse than another.
    stop : bool
        Whether to end at the first accepted answer, where the verifier says no more than yes or no.
    c : float
        Weight of UCB's bonus, sqrt(c ln t / n).
    delta : float
        Probability, at most, that successive elimination ever drops the best.

    References
    ----------
    Huang et al. 2025, "Sample complexity and representation ability of test-time scaling paradigms".

    Examples
    --------
    >>> from slowthink.strategies import SelfCorrection
    >>> SelfCorrection("ucb").label
    "self-correction(learner='ucb')"
    """

    learner: Learner = "hedge"
    stop: bool = True
    c: float = 2.0
    delta: float = 0.05
    name: ClassVar[str] = "self-correction"

    def _native(self) -> Native:
        return (
            "experts",
            "best",
            _arrays.flag(self.stop, "stop"),
            learner_numbers(self.learner, self.c, self.delta),
            None,
        )


@dataclass(frozen=True)
class Stepwise(Strategy):
    """At each step the best of `width` by the process reward, one chain after another while the budget lasts.

    Parameters
    ----------
    width : int, optional
        Steps drawn at a time; by default one chain as wide as the budget pays for.

    Notes
    -----
    With ``Verifier(accuracy=eps)`` each selection finds a right step, if there is one, with probability eps: the model
    in which slow thinking gains exactly where eps [1 - (1 - p)^k] > p.

    A finished candidate is judged by its answer, once: where several chains fit into the budget, they compete by the
    verdicts that their last steps were chosen by, and so by the best of many noisy ones.

    References
    ----------
    Gan, Liao and Liu 2025, "Rethinking external slow-thinking", theorem 4.6.

    Examples
    --------
    >>> from slowthink.strategies import Stepwise
    >>> Stepwise(width=8).label
    'stepwise(width=8)'
    """

    width: int | None = None
    name: ClassVar[str] = "stepwise"
    needs_score: ClassVar[bool] = True

    def _native(self) -> Native:
        width = 0 if self.width is None else count(self.width, "width", 1, 65536)
        # A single chain leaves nothing to choose from.
        return "stepwise", "best" if width else "first", False, [float(width)], None


def learner_numbers(learner: Any, c: Any, delta: Any) -> list[float]:
    """A learner as the engine takes it."""
    number = float(LEARNERS.index(_arrays.choice(learner, "learner", LEARNERS)))
    bonus, share = not_negative(c, "c"), real(delta, "delta")
    if not 0.0 < share < 1.0:
        raise ValueError(f"delta must be between 0 and 1, got {share:g}")
    return {"ucb": [number, bonus], "successive-elimination": [number, share]}.get(learner, [number])


STRATEGIES: dict[str, type[Strategy]] = {
    kind.name: kind
    for kind in (Walk, BestOfN, MajorityVote, WeightedVote, Beam, Dvts, TreeSearch, SelfCorrection, Stepwise)
}
"""By the names of the command line."""

DEFAULT = tuple(name for name in STRATEGIES if name != "stepwise")
"""What is compared unless something else is asked for: stepwise selection is near to DVTS."""


def named(strategies: Any) -> dict[str, Strategy]:
    """The strategies by their labels, from names, objects or a mapping of labels of the caller's."""
    if strategies is None:
        strategies = DEFAULT
    if isinstance(strategies, (str, Strategy)):
        strategies = [strategies]
    if isinstance(strategies, dict):
        if not all(isinstance(label, str) and label for label in strategies):
            raise TypeError("strategies must have texts for keys")
        found = {label: _one(item, f"[{label!r}]") for label, item in strategies.items()}
    elif isinstance(strategies, Sequence):
        found = {}
        for i, item in enumerate(strategies):
            strategy = _one(item, f"[{i}]")
            if strategy.label in found:
                raise ValueError(f"strategies[{i}] must differ from those before it, got {strategy.label}")
            found[strategy.label] = strategy
    else:
        kind = type(strategies).__name__
        raise TypeError(f"strategies must be a list of names or of strategies, or a dict of them, got {kind}")
    if not found:
        raise ValueError("strategies must hold at least one")
    return found


def _one(item: Any, place: str) -> Strategy:
    if isinstance(item, str):
        if item not in STRATEGIES:
            near = meant(item, list(STRATEGIES))
            raise ValueError(f"strategies{place} must be one of {', '.join(STRATEGIES)}, got {item!r}{near}")
        return STRATEGIES[item]()
    if not isinstance(item, Strategy) or type(item).name not in STRATEGIES:
        raise TypeError(f"strategies{place} must be a name or a strategy, got {type(item).__name__}")
    return item


def to_dict(strategy: Strategy) -> dict[str, Any]:
    """For JSON, which knows neither infinity nor tuples."""
    return {"name": strategy.name, **{key: _plain(value) for key, value in _parameters(strategy).items()}}


def from_dict(data: dict[str, Any]) -> Strategy:
    """What :func:`to_dict` wrote."""
    parameters = {key: _unpacked(value) for key, value in data.items() if key != "name"}
    return STRATEGIES[data["name"]](**parameters)


def _parameters(item: Any) -> dict[str, Any]:
    return {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}


def _plain(value: Any) -> Any:
    if isinstance(value, Policy):
        return {"policy": type(value).__name__, **{k: _plain(v) for k, v in _parameters(value).items()}}
    if isinstance(value, tuple):
        return list(value)
    return "inf" if value == math.inf else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        kind = getattr(trees, value["policy"])
        return kind(**{k: _unpacked(v) for k, v in value.items() if k != "policy"})
    if isinstance(value, list):
        return tuple(value)
    return math.inf if value == "inf" else value
