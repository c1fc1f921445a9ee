"""Tree search as its papers write it, one object a node: scores in single precision, means in double, as the engine
has them, so that both choose alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np


@dataclass
class Node:
    """A node and its statistics."""

    parent: Node | None = None
    prior: float = 1.0
    children: list[Node] = field(default_factory=list)
    n_children: int = 0
    visits: int = 0
    in_flight: int = 0
    own: float = math.nan
    mean: float = math.nan
    reward: float = 0.0
    player: int = 0
    told: bool = False

    @property
    def traffic(self) -> int:
        """Visits, those in flight included."""
        return self.visits + self.in_flight


@dataclass
class Search:
    """UCT (Kocsis and Szepesvari 2006), or PUCT (MuZero) where `puct` gives `(pb_c_init, pb_c_base)`.

    Evaluations in flight count as visits (Liu et al. 2020, WU-UCT). Without players, each step multiplies by
    `discount`; with them, by its size, and by -1 between different players.
    """

    c: float = 1.0
    fpu: float | tuple[Literal["parent"], float] = math.inf
    puct: tuple[float, float] | None = None
    transform: Literal["raw", "parent_and_siblings"] = "raw"
    discount: float = 1.0
    players: bool = False
    backup: Literal["mean", "max", "min", "last"] = "mean"
    max_depth: int = 2**32
    root: Node = field(default_factory=Node)
    simulations: int = 0

    def ask(self, budget: int) -> list[Node] | None:
        """The nodes from the root to the next leaf to evaluate; visits terminal nodes on the way. None if all is in
        flight, or the budget is spent."""
        while self.simulations + self.root.in_flight < budget:
            path = self._descend([self.root])
            if path is None:
                return None
            for node in path:
                node.in_flight += 1
            if not path[-1].told:
                return path
            self._settle(path, path[-1].own)
        return None

    def tell(
        self,
        path: list[Node],
        value: float,
        n_children: int,
        *,
        reward: float = 0.0,
        player: int = 0,
        priors: Any = None,
    ) -> None:
        """Ends the visit of a leaf."""
        leaf = path[-1]
        leaf.own = leaf.mean = float(np.float32(value))
        leaf.reward, leaf.player, leaf.n_children, leaf.told = float(np.float32(reward)), player, n_children, True
        given = [1 / max(n_children, 1)] * n_children if priors is None else priors
        leaf.children = [Node(leaf, float(np.float32(prior))) for prior in given]
        self._settle(path, leaf.own)

    def _descend(self, path: list[Node]) -> list[Node] | None:
        """Down to the first leaf by score; what is all in flight below is passed over."""
        node = path[-1]
        if not node.told:
            return None if node.in_flight else path
        if not node.n_children or len(path) > self.max_depth:
            return path
        scores = self._scores(node)
        for _, i in sorted((-score, i) for i, score in enumerate(scores)):
            if node.children[i].told or not node.children[i].in_flight:
                found = self._descend([*path, node.children[i]])
                if found is not None:
                    return found
        return None

    def _scores(self, node: Node) -> list[float]:
        single = np.float32
        values = [self._seen(node, child) if child.told else None for child in node.children]
        own, low, width = single(node.mean), single(0), single(1)
        unseen = single(own - single(self.fpu[1])) if isinstance(self.fpu, tuple) else single(self.fpu)
        if self.transform == "parent_and_siblings":
            known = [own, *(value for value in values if value is not None)]
            low = min(known)
            width = max(max(known) - low, single(1e-8))
            unseen = low
        if self.puct is None:
            scale = single(self.c) * single(math.sqrt(math.log(max(node.traffic, 1))))
            weights = [single(1) / np.sqrt(single(max(child.traffic, 1))) for child in node.children]
        else:
            init, base = map(single, self.puct)
            n = single(node.traffic)
            scale = (init + single(math.log((n + base + single(1)) / base))) * np.sqrt(n)
            weights = [single(child.prior) / (single(1) + single(child.traffic)) for child in node.children]
        scores = []
        for value, weight in zip(values, weights, strict=True):
            value = unseen if value is None else value
            value = (value - low) / width if np.isfinite(value) else value
            scores.append(float(value + scale * weight))
        return scores

    def _sign(self, parent: Node, child: Node) -> float:
        if self.players:
            return abs(self.discount) * (1 if parent.player == child.player else -1)
        return self.discount

    def _seen(self, parent: Node, child: Node) -> np.float32:
        return np.float32(np.float32(child.reward) + np.float32(self._sign(parent, child)) * np.float32(child.mean))

    def _settle(self, path: list[Node], value: float) -> None:
        self.simulations += 1
        for node in reversed(path):
            if node is not path[-1] and self.backup == "min":
                value = min(value, node.own)
            node.in_flight -= 1
            node.visits += 1
            seen = [child.reward + self._sign(node, child) * child.mean for child in node.children if child.visits > 0]
            if self.backup == "max":
                node.mean = max(seen, default=node.own)
            else:
                node.mean = value if node.visits == 1 else node.mean + (value - node.mean) / node.visits
            if node.parent is not None and self.backup != "min":
                reward = node.reward if self.backup == "mean" or self.backup == "max" else 0.0
                value = reward + self._sign(node.parent, node) * value


def visits_by_path(search: Search) -> dict[tuple[int, ...], tuple[int, float]]:
    """Visits and value of each node that was visited, by the actions that lead to it."""
    result: dict[tuple[int, ...], tuple[int, float]] = {}

    def gather(node: Node, path: tuple[int, ...]) -> None:
        if node.visits:
            result[path] = node.visits, node.mean
        for action, child in enumerate(node.children):
            gather(child, (*path, action))

    gather(search.root, ())
    return result
