"""Slow twins of the searches that read priors: PUCT and Gumbel MuZero, one node at a time, from their papers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Scores: TypeAlias = npt.NDArray[np.float64]
Evaluation: TypeAlias = "tuple[float, float, npt.ArrayLike]"
"""The reward of the step into a node, its value and the priors of its actions."""


@dataclass
class Node:
    """What is known of a node: the reward of the step into it, its own evaluation, priors, visits and mean value."""

    reward: float
    own: float
    prior: Scores
    visits: int
    mean: float
    children: dict[int, Node] = field(default_factory=dict)

    @classmethod
    def evaluated(cls, reward: float, value: float, prior: npt.ArrayLike) -> Node:
        """A node that was visited once."""
        return cls(reward, value, np.asarray(prior, dtype=np.float64), 1, value)

    def counts(self) -> npt.NDArray[np.int64]:
        """Visits of each action."""
        return np.array([self.children[a].visits if a in self.children else 0 for a in range(len(self.prior))])

    def values(self, discount: float) -> Scores:
        """Reward and discounted value of each action, seen from here; NaN where it was not visited."""
        values = np.full(len(self.prior), np.nan)
        for action, child in self.children.items():
            values[action] = child.reward + discount * child.mean
        return values


def puct_scores(
    node: Node,
    discount: float,
    *,
    pb_c_init: float = 1.25,
    pb_c_base: float = 19652.0,
    bounds: tuple[float, float] | None = None,
) -> Scores:
    """The scores of a node's actions: Schrittwieser et al. 2020 (MuZero), appendix B, equations 2 and 5.

    ``bounds`` become 0 and 1; without them the least and the greatest of the values of the node and its visited
    actions do. Actions not visited are worth 0.
    """
    counts, values = node.counts(), node.values(discount)
    low, high = bounds or (float(np.nanmin([node.mean, *values])), float(np.nanmax([node.mean, *values])))
    scaled = np.where(counts > 0, (values - low) / max(high - low, 1e-8), 0.0)
    weight = pb_c_init + math.log((node.visits + pb_c_base + 1) / pb_c_base)
    return scaled + node.prior * math.sqrt(node.visits) / (1 + counts) * weight


def completed_values(
    node: Node,
    discount: float,
    *,
    value_scale: float = 0.1,
    maxvisit_init: float = 50.0,
    rescale_values: bool = True,
) -> Scores:
    """The values of all actions on the scale of logits: Danihelka et al. 2022, equation 8 and appendix D."""
    counts, values = node.counts(), node.values(discount)
    visited = counts > 0
    mixed = node.own
    if visited.any():
        mean = float(node.prior[visited] @ values[visited] / node.prior[visited].sum())
        mixed = (node.own + counts.sum() * mean) / (1 + counts.sum())
    values = np.where(visited, values, mixed)
    if rescale_values:
        values = (values - values.min()) / max(values.max() - values.min(), 1e-8)
    return np.asarray((maxvisit_init + counts.max()) * value_scale * values)


def improved_policy(node: Node, discount: float, **scales: Any) -> Scores:
    """Probabilities proportional to prior times exp(completed value): Danihelka et al. 2022, section 4."""
    values = completed_values(node, discount, **scales)
    weights = node.prior * np.exp(values - values[node.prior > 0].max())
    return np.asarray(weights / weights.sum())


def gumbel_scores(node: Node, discount: float, **scales: Any) -> Scores:
    """The scores of the actions of a node below the root: Danihelka et al. 2022, section 5."""
    counts = node.counts()
    return np.where(node.prior > 0, improved_policy(node, discount, **scales) - counts / (1 + counts.sum()), -np.inf)


def turns_of_sequential_halving(n_actions: int, n_visits: int) -> list[int]:
    """How many visits the action has whose turn it is, for each of ``n_visits`` visits: Karnin et al. 2013."""
    if n_actions <= 1:
        return list(range(n_visits))
    rounds = math.ceil(math.log2(n_actions))
    turns: list[int] = []
    visits, left = 0, n_actions
    while len(turns) < n_visits:
        for _ in range(max(1, n_visits // (rounds * left))):
            turns += [visits] * left
            visits += 1
        left = max(2, left // 2)
    return turns[:n_visits]


def gumbel_root_scores(
    root: Node,
    discount: float,
    noise: npt.ArrayLike,
    n_simulations: int,
    max_num_considered_actions: int = 16,
    **scales: Any,
) -> Scores:
    """The scores of the root's actions, those aside whose turn it is not: Danihelka et al. 2022, algorithm 2."""
    counts = root.counts()
    considered = min(max_num_considered_actions, int((root.prior > 0).sum()))
    turn = turns_of_sequential_halving(considered, n_simulations - 1)[int(counts.sum())]
    allowed = (counts == turn) & (root.prior > 0)
    logits = np.log(np.where(allowed, root.prior, 1.0)) + np.asarray(noise, dtype=np.float64)
    return np.where(allowed, logits + completed_values(root, discount, **scales), -np.inf)


def gumbel_action(root: Node, discount: float, noise: npt.ArrayLike, **scales: Any) -> int:
    """The action taken after the search: Danihelka et al. 2022, algorithm 2, last step."""
    counts = root.counts()
    allowed = counts == counts.max()
    logits = np.log(np.where(allowed, root.prior, 1.0)) + np.asarray(noise, dtype=np.float64)
    return int(np.argmax(np.where(allowed, logits + completed_values(root, discount, **scales), -np.inf)))


def search(
    evaluate: Callable[[tuple[int, ...]], Evaluation],
    scores: Callable[[Node, bool], Scores],
    n_simulations: int,
    discount: float = 1.0,
) -> tuple[Node, list[tuple[int, ...]]]:
    """Searches by going to the action with the greatest score; a simulation evaluates one node, the first the root.

    Parameters
    ----------
    evaluate : callable
        From the actions that lead to a node to its :data:`Evaluation`; the reward of the root is ignored.
    scores : callable
        From a node, and whether it is the root, to the scores of its actions.
    n_simulations : int
        Nodes to evaluate.
    discount : float
        Multiplies a value at each step up.

    Returns
    -------
    root : Node
    order : list of tuple of int
        The actions that lead to each node, in the order of evaluation.
    """
    root = Node.evaluated(*evaluate(()))
    order: list[tuple[int, ...]] = [()]
    while len(order) < n_simulations:
        walk, actions = [root], []
        while True:
            actions.append(int(np.argmax(scores(walk[-1], len(walk) == 1))))
            child = walk[-1].children.get(actions[-1])
            if child is None:
                break
            walk.append(child)
        order.append(tuple(actions))
        leaf = Node.evaluated(*evaluate(order[-1]))
        walk[-1].children[actions[-1]] = leaf
        back_up(walk, leaf, discount)
    return root, order


def back_up(walk: list[Node], leaf: Node, discount: float) -> None:
    """Carries the value of ``leaf`` up the nodes above it, the lowest of which is the last of ``walk``."""
    reward, value = leaf.reward, leaf.own
    for node in reversed(walk):
        value = reward + discount * value
        node.visits += 1
        node.mean += (value - node.mean) / node.visits
        reward = node.reward
