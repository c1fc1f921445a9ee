"""What a search found: the best path by several rules, and votes among the ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal

import numpy as np

from slowthink import _arrays
from slowthink.trees._nodes import (
    Floats,
    Integers,
    Nodes,
    has_two_players,
    node_number,
    outcomes,
    quantile,
    signs,
    step_values,
    value_range,
    wilson,
)

By = Literal["visits", "value", "lower_bound", "max"]
RULES: tuple[By, ...] = ("visits", "value", "lower_bound", "max")


def scores(tree: Nodes, by: By, confidence: Any, ends: Any) -> Floats:
    """What each node is chosen by among its siblings; NaN for nodes that were not evaluated."""
    _arrays.choice(by, "by", RULES)
    seen = tree.visits > 0
    if by == "visits":
        return np.where(seen, tree.visits.astype(np.float64), np.nan)
    if by == "max":
        return best_returns(tree)
    values = step_values(tree)
    if by == "value":
        return values
    return wilson(values, tree.visits, value_range(values, has_two_players(tree), ends), quantile(confidence))[0]


def best_returns(tree: Nodes) -> Floats:
    """The best return that ends at a leaf below each node, as whoever took the step into the node sees it.

    With one player, leaves are the terminal nodes where any was evaluated. With two each takes the best for itself
    (minimax), and leaves are all evaluated nodes without evaluated children.
    """
    seen = tree.visits > 0
    leaf = seen.copy()
    leaf[tree.parent[1:][seen[1:]]] = False
    ends = seen & tree.terminal
    if ends.any() and not has_two_players(tree):
        leaf = ends
    factor = signs(tree) * abs(tree.discount)
    inside = np.where(leaf, tree.value, -np.inf)
    result = np.full(len(seen), np.nan)
    by_depth = np.argsort(tree.depth, kind="stable")
    levels = np.searchsorted(tree.depth[by_depth], np.arange(int(tree.depth.max()) + 2))
    for depth in range(len(levels) - 2, 0, -1):
        nodes = by_depth[levels[depth] : levels[depth + 1]]
        nodes = nodes[inside[nodes] > -np.inf]
        result[nodes] = tree.reward[nodes] + factor[nodes] * inside[nodes]
        np.maximum.at(inside, tree.parent[nodes], result[nodes])
    return result


def best_path(tree: Nodes, by: By, node: Any, confidence: Any, ends: Any) -> Integers:
    """The nodes from ``node`` down the best children."""
    path = [node_number(tree, node)]
    score = scores(tree, by, confidence, ends)
    while (child := _best_of(tree, path[-1], score)) is not None:
        path.append(child)
    return np.array(path, dtype=np.int64)


def best_child(tree: Nodes, node: Any, by: By, confidence: Any, ends: Any) -> int | None:
    """The best child of ``node``."""
    return _best_of(tree, node_number(tree, node), scores(tree, by, confidence, ends))


def _best_of(tree: Nodes, node: int, score: Floats) -> int | None:
    children = tree.kin.of(node)
    children = children[~np.isnan(score[children])]
    # Of equals argmax takes the first, which has the lowest action.
    return int(children[np.argmax(score[children])]) if len(children) else None


Answers = Mapping[int, Hashable] | Callable[[Any], Hashable] | Any


def vote(tree: Nodes, answers: Answers, weights: Any) -> dict[Hashable, float]:
    """The votes of the evaluated terminal nodes: a weight for each answer, the heaviest first."""
    nodes = np.flatnonzero(tree.terminal & (tree.visits > 0))
    weight = _weights(tree, nodes, weights)
    given = _answers(tree, nodes, answers)
    result: dict[Hashable, float] = {}
    for node, answer, share in zip(nodes.tolist(), given, weight.tolist(), strict=True):
        if answer is None:
            continue
        try:
            result[answer] = result.get(answer, 0.0) + share
        except TypeError:
            raise TypeError(f"answers[{node}] must be hashable, got {type(answer).__name__}") from None
    return dict(sorted(result.items(), key=lambda item: -item[1]))  # stable: the first node's answer leads a tie


def _answers(tree: Nodes, nodes: Integers, answers: Answers) -> list[Any]:
    if callable(answers):
        return [answers(tree.payload[node]) for node in nodes.tolist()]
    if isinstance(answers, Mapping):
        for node in answers:
            if not (isinstance(node, (int, np.integer)) and 0 <= node < len(tree.parent)):
                raise ValueError(f"answers must be given by node, 0 to {len(tree.parent) - 1}, got {node!r}")
        return [answers.get(node) for node in nodes.tolist()]
    is_array = isinstance(answers, np.ndarray)
    if isinstance(answers, (str, bytes)) or not hasattr(answers, "__getitem__") or (is_array and answers.ndim != 1):
        raise TypeError(f"answers must be a sequence, a mapping or a function, got {type(answers).__name__}")
    if len(answers) != len(tree.parent):
        raise ValueError(f"answers must have an entry for each of the {len(tree.parent)} nodes, got {len(answers)}")
    return [answers[node] for node in nodes.tolist()]


def _weights(tree: Nodes, nodes: Integers, weights: Any) -> Floats:
    if weights is None:
        return np.ones(len(nodes))
    if isinstance(weights, str):
        _arrays.choice(weights, "weights", ("value", "visits"))
        weight = outcomes(tree) if weights == "value" else tree.visits.astype(np.float64)
    else:
        weight = _arrays.floats(weights, "weights", ndim=1, finite=False)
        if len(weight) != len(tree.parent):
            raise ValueError(f"weights must have an entry for each of the {len(tree.parent)} nodes, got {len(weight)}")
    bad = nodes[~((weight[nodes] >= 0) & np.isfinite(weight[nodes]))]
    if len(bad):
        raise ValueError(
            f"weights[{bad[0]}] must be at least 0 and finite, got {weight[bad[0]]:g}"
            + (": values below 0 cannot be votes, give weights of your own" if isinstance(weights, str) else "")
        )
    return np.asarray(weight[nodes], dtype=np.float64)
