"""What a drive hands to coroutines, what they return, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy.typing as npt


@dataclass(frozen=True)
class Leaf:
    """A leaf that a forest asks to be evaluated, as :meth:`Forest.drive` hands it to a coroutine.

    Attributes
    ----------
    ticket, tree, node, parent, action, depth, kind : int
        As in :class:`Leaves`.
    payloads : tuple of (str or None)
        The texts told of the nodes from the root down to the parent.
    """

    ticket: int
    tree: int
    node: int
    parent: int
    action: int
    depth: int
    kind: int
    payloads: tuple[str | None, ...]
    _actions: tuple[int, ...]

    def path(self) -> list[int]:
        """The actions from the root to the leaf."""
        return list(self._actions)


@dataclass(frozen=True)
class Expansion:
    """What was found at a leaf. A coroutine may return a dict with these keys as well.

    Parameters
    ----------
    value : float, optional
        How good the state is; may be left to `evaluate`.
    n_children : int, optional
        How many actions there are.
    priors : array_like, shape (n_children,), optional
        Their prior probabilities.
    terminal : bool
        Whether there are none.
    reward : float
        Reward of the step into the leaf.
    player : int, optional
        The player to move.
    cost : float
        What this call cost, tokens for example.
    payload : str, optional
        A text to keep with the node.
    """

    value: float | None = None
    n_children: int | None = None
    priors: npt.ArrayLike | None = None
    terminal: bool = False
    reward: float = 0.0
    player: int | None = None
    cost: float = 0.0
    payload: str | None = None


@dataclass(frozen=True)
class Failure:
    """A leaf that was given up after all retries, and the last exception."""

    tree: int
    path: tuple[int, ...]
    error: BaseException


@dataclass
class DriveReport:
    """What a drive did.

    Attributes
    ----------
    reason : {"done", "n_simulations", "max_cost", "max_seconds"}
        Why it ended: nothing left to ask, or a budget was spent.
    n_simulations : int
        Simulations told.
    n_calls, n_retries, n_timeouts, n_cancelled : int
        Calls of the coroutines; those made again after a failure; those that took too long; leaves taken back.
    cost : float
        The sum of what expansions were said to cost.
    seconds : float
        How long it took.
    utilisation : float
        Mean number of leaves in flight, as a share of `concurrency`.
    failures : list of Failure
        Leaves that were given up; nothing further was asked of their trees.
    stopped : list of int
        Trees that `stop` ended.
    """

    reason: Literal["done", "n_simulations", "max_cost", "max_seconds"] = "done"
    n_simulations: int = 0
    n_calls: int = 0
    n_retries: int = 0
    n_timeouts: int = 0
    n_cancelled: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    utilisation: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
