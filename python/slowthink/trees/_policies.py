"""Which leaf a forest asks for next: policies and their parameters, named as in their papers and in mctx."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from slowthink import _arrays, _slowthink
from slowthink.trees._inputs import count, real

Fpu: TypeAlias = "float | Literal['prior'] | tuple[Literal['parent'], float]"
"""What a child that was never asked for is worth: a number, ``inf`` (all children are tried once, in order, before one
is tried again), its prior, or the parent's value less a number."""


class Policy:
    """What all policies have in common: parameters that are checked when they are set."""

    def __post_init__(self) -> None:
        _slowthink.check_policy(self._numbers())

    def _numbers(self) -> tuple[str, list[float]]:
        """The policy as the engine takes it: its name, and its parameters in the order of their declaration."""
        raise TypeError(f"policy must be one of the policies of slowthink.trees, got {type(self).__name__}")


@dataclass(frozen=True)
class Uct(Policy):
    """Upper confidence bounds: goes to the child with the greatest ``value + c sqrt(ln N / n)``.

    Parameters
    ----------
    c : float
        Weight of the bonus; sqrt(2) in the paper on bandits with rewards in 0..1.
    fpu : float, "prior" or ("parent", float)
        What a child never asked for is worth, before its bonus: infinity by default, so that all children are tried
        once, in order. ``("parent", 0.1)`` is the parent's value less 0.1.

    Notes
    -----
    N and n count the visits of the node and of the child, those in flight included. Ties go to the lowest action.

    References
    ----------
    Kocsis and Szepesvari 2006, "Bandit based Monte-Carlo planning".

    Examples
    --------
    >>> from slowthink.trees import Uct
    >>> Uct(c=1.4)
    Uct(c=1.4, fpu=inf)
    >>> Uct(c=-1.0)
    Traceback (most recent call last):
    ...
    ValueError: c must be at least 0, got -1
    """

    c: float = 1.0
    fpu: Fpu = math.inf

    def _numbers(self) -> tuple[str, list[float]]:
        return "uct", [real(self.c, "c"), *_fpu(self.fpu)]


@dataclass(frozen=True)
class Puct(Policy):
    """Upper confidence bounds with priors, as in AlphaZero and MuZero: goes to the child with the greatest
    ``value + prior sqrt(N) / (1 + n) (pb_c_init + ln((N + pb_c_base + 1) / pb_c_base))``.

    Parameters
    ----------
    pb_c_init, pb_c_base : float
        Weight of the bonus, and the visits at which it begins to grow.
    q_transform : {"parent_and_siblings", "min_max", "raw"}
        How values are scaled: the least of the values of the node and its evaluated children becomes 0 and the greatest
        1; ``min_value`` becomes 0 and ``max_value`` 1; or not at all.
    min_value, max_value : float
        Bounds for ``"min_max"``.
    fpu : float, "prior" or ("parent", float)
        What a child never asked for is worth with ``q_transform="raw"``; the other transforms make it 0.
    dirichlet_fraction, dirichlet_alpha : float
        Share and concentration of the noise in the priors of the root's children; drawn once for each tree, and
        included in ``Tree.prior``.

    Notes
    -----
    N and n count the visits of the node and of the child, those in flight included. Values are seen from the node where
    the action is taken, ``reward + discount value``; a child in flight for the first time is taken to be worth what its
    parent is. Priors are taken as they are told. Ties go to the lowest action.

    The rules are those of mctx (which breaks ties at random); its ``num_simulations=50`` is ``n_simulations=51`` here,
    where the evaluation of the root counts.

    References
    ----------
    Silver et al. 2017, "Mastering the game of Go without human knowledge"; Schrittwieser et al. 2020 (MuZero).

    Examples
    --------
    >>> from slowthink.trees import Puct
    >>> Puct(q_transform="min_max", min_value=-1.0, max_value=1.0).pb_c_base
    19652.0
    """

    pb_c_init: float = 1.25
    pb_c_base: float = 19652.0
    q_transform: Literal["parent_and_siblings", "min_max", "raw"] = "parent_and_siblings"
    min_value: float = 0.0
    max_value: float = 1.0
    fpu: Fpu = 0.0
    dirichlet_fraction: float = 0.0
    dirichlet_alpha: float = 0.3

    def _numbers(self) -> tuple[str, list[float]]:
        transforms = ("raw", "parent_and_siblings", "min_max")
        transform = transforms.index(_arrays.choice(self.q_transform, "q_transform", transforms))
        named = ("pb_c_init", "pb_c_base", "min_value", "max_value", "dirichlet_fraction", "dirichlet_alpha")
        init, base, low, high, fraction, alpha = (real(getattr(self, name), name) for name in named)
        return "puct", [init, base, float(transform), low, high, *_fpu(self.fpu), fraction, alpha]


@dataclass(frozen=True)
class Gumbel(Policy):
    """Gumbel MuZero: sequential halving among sampled actions at the root, completed values below.

    The root considers the ``max_num_considered_actions`` actions with the greatest logit plus Gumbel noise, and shares
    its visits out among them by sequential halving: in each round all that are left are visited equally often, then the
    half with the greatest logit + noise + completed value is left. Every other node goes to the child with the greatest
    ``improved(a) - n(a) / (1 + sum n)``, where ``improved`` is proportional to prior times exp(completed value).

    Parameters
    ----------
    max_num_considered_actions : int
        Actions that compete at the root.
    gumbel_scale : float
        Scale of the noise on the root's logits; 0 for none. It is drawn once for each tree.
    value_scale, maxvisit_init : float
        Scale of values against logits: ``value_scale (maxvisit_init + most visits of a child)``.
    rescale_values : bool
        Whether the values of a node's actions are brought to 0..1 first.

    Notes
    -----
    Needs ``Forest(n_simulations=...)``, which is shared out. One simulation evaluates the root, so that
    ``n_simulations=51`` is mctx's ``num_simulations=50``.

    Logits are the logarithms of the priors that are told; the scale of a node's priors makes no difference, and a
    prior of 0 forbids the action. Values are seen from the node where the action is taken:
    ``reward + discount value``, the value being that of the child's state for whoever is to move there. An action
    without a completed visit takes the mixed value of its node, between the node's own evaluation and the values of
    its visited actions.

    With leaves in flight, all counts of visits that decide where to go include them, while values, the mixed value and
    ``most visits`` follow from completed visits. (With ``in_flight=("loss", v)`` visits in flight are completed visits
    worth v.) Where all actions whose turn it is are in flight, the root waits, so that each action gets the visits it
    would get alone; with k actions left, about k leaves can be in flight at first.

    References
    ----------
    Danihelka et al. 2022, "Policy improvement by planning with Gumbel".

    Examples
    --------
    >>> from slowthink.trees import Forest, Gumbel
    >>> forest = Forest(1, Gumbel(max_num_considered_actions=4, gumbel_scale=0.0), n_simulations=17)
    >>> while len(leaves := forest.ask(1)):
    ...     _ = forest.tell(leaves, 0.0, n_children=8)
    >>> tree = forest.tree(0)
    >>> tree.visits[tree.children(0)]
    array([6, 6, 2, 2, 0, 0, 0, 0])
    """

    max_num_considered_actions: int = 16
    gumbel_scale: float = 1.0
    value_scale: float = 0.1
    maxvisit_init: float = 50.0
    rescale_values: bool = True

    def _numbers(self) -> tuple[str, list[float]]:
        considered = float(count(self.max_num_considered_actions, "max_num_considered_actions", 1, 2**32 - 1))
        scales = [real(getattr(self, name), name) for name in ("gumbel_scale", "value_scale", "maxvisit_init")]
        return "gumbel", [considered, *scales, float(_arrays.flag(self.rescale_values, "rescale_values"))]


@dataclass(frozen=True)
class Thompson(Policy):
    """AB-MCTS-A: draws between going deeper into a child and generating another, by what is known of their scores.

    Parameters
    ----------
    model : {"gaussian", "beta"}
        The law of scores: normal with unknown mean and variance, or Bernoulli for scores in 0..1.
    m, kappa, nu, tau_square : float
        Prior of the normal model (normal and scaled inverse chi-squared).
    alpha, beta : float
        Prior of the Bernoulli model.

    References
    ----------
    Inoue et al. 2025, "Wider or deeper? Scaling LLM inference-time compute with adaptive branching tree search".
    """

    model: Literal["gaussian", "beta"] = "gaussian"
    m: float = 0.0
    kappa: float = 1.0
    nu: float = 1.0
    tau_square: float = 0.1
    alpha: float = 0.5
    beta: float = 0.5

    def _numbers(self) -> tuple[str, list[float]]:
        models = ("gaussian", "beta")
        model = models.index(_arrays.choice(self.model, "model", models))
        names = ("m", "kappa", "nu", "tau_square") if model == 0 else ("alpha", "beta")
        numbers = [real(getattr(self, name), name) for name in names]
        return "thompson", [float(model), *numbers, *[0.0] * (4 - len(numbers))]


@dataclass(frozen=True)
class BestFirst(Policy):
    """Expands the best node seen so far."""

    def _numbers(self) -> tuple[str, list[float]]:
        return "best-first", []


@dataclass(frozen=True)
class Beam(Policy):
    """Level by level, keeping the best ``width`` nodes of each.

    Parameters
    ----------
    width : int
        Nodes kept.
    """

    width: int = 4

    def _numbers(self) -> tuple[str, list[float]]:
        return "beam", [float(count(self.width, "width", 1, 2**32 - 1))]


@dataclass(frozen=True)
class Dvts(Policy):
    """Diverse verifier tree search: ``width`` subtrees of the root, each a greedy search of its own.

    Parameters
    ----------
    width : int
        Subtrees.
    """

    width: int = 4

    def _numbers(self) -> tuple[str, list[float]]:
        return "dvts", [float(count(self.width, "width", 1, 2**32 - 1))]


@dataclass(frozen=True)
class BreadthFirst(Policy):
    """All nodes of a level before those of the next."""

    def _numbers(self) -> tuple[str, list[float]]:
        return "breadth-first", []


@dataclass(frozen=True)
class DepthFirst(Policy):
    """The first child with all below it before the second child."""

    def _numbers(self) -> tuple[str, list[float]]:
        return "depth-first", []


@dataclass(frozen=True)
class BestOfN(Policy):
    """``n`` chains from the root, each without branches.

    Parameters
    ----------
    n : int
        Chains.
    """

    n: int = 16

    def _numbers(self) -> tuple[str, list[float]]:
        return "best-of-n", [float(count(self.n, "n", 1, 2**32 - 1))]


def _fpu(value: Any) -> list[float]:
    if isinstance(value, str) and value == "prior":
        return [3.0, 0.0]
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0] == "parent":
        return [2.0, real(value[1], "fpu")]
    if isinstance(value, (str, bool, tuple)):
        raise TypeError(f"fpu must be a number, 'prior' or ('parent', number), got {value!r}")
    number = float(_arrays.floats(value, "fpu", ndim=0, finite=False))
    return [0.0, 0.0] if number == math.inf else [1.0, number]
