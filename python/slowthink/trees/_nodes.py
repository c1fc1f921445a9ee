"""What all views of a tree read: its arrays, the children of each node, and values as a step's author sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from slowthink import _arrays

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Nodes(Protocol):
    """The arrays of a tree: one entry a node, node 0 the root, parents before children."""

    @property
    def parent(self) -> Integers: ...
    @property
    def action(self) -> Integers: ...
    @property
    def depth(self) -> Integers: ...
    @property
    def visits(self) -> Integers: ...
    @property
    def value(self) -> Floats: ...
    @property
    def reward(self) -> Floats: ...
    @property
    def prior(self) -> Floats: ...
    @property
    def terminal(self) -> Flags: ...
    @property
    def payload(self) -> Sequence[Any]: ...
    @property
    def player(self) -> npt.NDArray[np.uint8] | None: ...
    @property
    def discount(self) -> float: ...
    @property
    def kin(self) -> Kin: ...


@dataclass(frozen=True)
class Kin:
    """The children of every node, side by side."""

    order: Integers
    """All nodes but the root, by parent and then by action."""
    start: Integers
    """Where the children of each node begin in ``order``; one more entry for the end."""

    def of(self, node: int) -> Integers:
        """The children of ``node``, by action."""
        return self.order[self.start[node] : self.start[node + 1]]

    def best(self, score: Floats) -> Integers:
        """The child of each node with the greatest score, the lowest action among equals; -1 where there is no child
        or every score is NaN.
        """
        n = len(self.start) - 1
        result = np.full(n, -1, dtype=np.int64)
        parents = np.flatnonzero(self.start[1:] > self.start[:-1])
        if len(parents):
            begin = self.start[parents]
            scores = np.where(np.isnan(score), -np.inf, score)[self.order]
            known = ~np.isnan(score[self.order])
            top = np.maximum.reduceat(scores, begin)
            size = self.start[parents + 1] - begin
            tied = known & (scores == np.repeat(top, size))
            places = np.where(tied, np.arange(len(scores)), len(scores))
            first = np.minimum.reduceat(places, begin)
            found = first < len(scores)
            result[parents[found]] = self.order[first[found]]
        return result


def make_kin(parent: Integers, action: Integers) -> Kin:
    """The children of every node, from the columns of parents and actions."""
    order = np.lexsort((action, parent))[1:].astype(np.int64)
    counts = np.bincount(parent[1:], minlength=len(parent))
    return Kin(order, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def signs(tree: Nodes) -> Floats:
    """1 for each node whose player is its parent's, -1 where gains change sides."""
    if tree.player is None:
        return np.full(len(tree.parent), -1.0 if tree.discount < 0 else 1.0)
    return np.where(tree.player[np.maximum(tree.parent, 0)] == tree.player, 1.0, -1.0)


def step_values(tree: Nodes) -> Floats:
    """Value of the step into each node for the player who took it: its reward and the discounted value behind it.

    NaN for the root, which no step leads to, and for nodes that were not evaluated.
    """
    result: Floats = tree.reward + signs(tree) * abs(tree.discount) * tree.value
    result[tree.visits == 0] = np.nan
    result[0] = np.nan
    return result


def outcomes(tree: Nodes) -> Floats:
    """What the end of a path is worth to whoever took its last step: that step's reward and the node's value, neither
    discounted, so that a right answer is worth 1 at any depth.
    """
    result: Floats = tree.reward + signs(tree) * tree.value
    result[tree.visits == 0] = np.nan
    result[0] = tree.value[0]
    return result


def has_two_players(tree: Nodes) -> bool:
    """Whether gains change sides within the tree."""
    return tree.discount < 0 or (tree.player is not None and bool((tree.player != tree.player[0]).any()))


def node_number(tree: Nodes, node: Any, name: str = "node") -> int:
    """``node`` as the number of a node of the tree."""
    number = int(_arrays.integers(node, name, ndim=0))
    if not 0 <= number < len(tree.parent):
        raise ValueError(f"{name} must be at least 0 and below the number of nodes, {len(tree.parent)}, got {node}")
    return number


def path_to(tree: Nodes, node: int) -> Integers:
    """The nodes from the root to ``node``, both included."""
    path = []
    while node >= 0:
        path.append(node)
        node = int(tree.parent[node])
    return np.array(path[::-1], dtype=np.int64)


def value_range(values: Floats, two_players: bool, given: Any) -> tuple[float, float]:
    """The least and greatest value there can be: ``given``, or the usual range that all ``values`` lie in."""
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    if given is not None:
        ends = _arrays.floats(given, "value_range", ndim=1)
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise ValueError(f"value_range must be two numbers, the lower first, got {given!r}")
        if low < ends[0] or high > ends[1]:
            raise ValueError(f"value_range must hold every value: there are {low:g} to {high:g}, got {given!r}")
        return float(ends[0]), float(ends[1])
    if low >= 0 and high <= 1 and not two_players:
        return 0.0, 1.0
    if low >= -1 and high <= 1:
        return -1.0, 1.0
    raise ValueError(f"value_range must be given where values leave [-1, 1]: there are {low:g} to {high:g}, got None")


def quantile(confidence: Any) -> float:
    """The normal quantile of a two-sided interval."""
    level = float(_arrays.floats(confidence, "confidence", ndim=0))
    if not 0 < level < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {confidence}")
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(values: Floats, visits: Integers, ends: tuple[float, float], z: float) -> tuple[Floats, Floats]:
    """Wilson's interval (1927) of a mean of ``visits`` values within ``ends``; NaN where there is no value.

    It takes each value for one of the two ends, which have the greatest variance of all values with that mean.
    """
    low, high = ends
    n = np.maximum(visits, 1).astype(np.float64)
    p = np.clip((values - low) / (high - low), 0.0, 1.0)
    scale = 1.0 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    bottom = low + (high - low) * np.maximum(centre - half, 0.0)
    top = low + (high - low) * np.minimum(centre + half, 1.0)
    return bottom, top
