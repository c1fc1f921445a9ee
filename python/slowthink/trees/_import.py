"""Trees that were searched elsewhere: from arrays, and from the logs of Tree of Thoughts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.trees._nodes import Integers
from slowthink.trees._tree import Tree


def from_arrays(
    parent: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    visits: npt.ArrayLike | None = None,
    action: npt.ArrayLike | None = None,
    reward: npt.ArrayLike | None = None,
    prior: npt.ArrayLike | None = None,
    terminal: npt.ArrayLike | None = None,
    player: npt.ArrayLike | None = None,
    payload: Sequence[Any] | None = None,
    extra: Mapping[str, npt.ArrayLike] | None = None,
    discount: float = 1.0,
) -> Tree:
    """A tree that was searched elsewhere, from a column for each property of its nodes.

    Parameters
    ----------
    parent : array_like of int, shape (N,)
        The parent of each node; -1 for the one root. Nodes may come in any order.
    value : array_like of float, shape (N,)
        Mean value of each node, seen from the node; NaN for nodes that were not evaluated.
    visits : array_like of int, shape (N,), optional
        Evaluations that the value is the mean of; 0 exactly where there is none. By default the number of evaluated
        nodes in the node's subtree, itself included, as if each had been one simulation.
    action : array_like of int, shape (N,), optional
        The number of each node among its siblings, no two alike; by default their order. The root's is not read.
    reward : array_like of float, shape (N,), optional
        Reward of the step into each node, for whoever took it; 0 by default.
    prior : array_like of float, shape (N,), optional
        Prior probability of each node among its siblings, NaN where unknown.
    terminal : array_like of bool, shape (N,), optional
        Which nodes end a path; by default the evaluated ones without children.
    player : array_like of int, shape (N,), optional
        The player to move in each node, 0 or 1, for games in which they do not simply alternate.
    payload : sequence of length N, optional
        The text of each step, or any other object; None where there is none.
    extra : mapping of name to array, optional
        More columns, with one entry a node.
    discount : float
        Multiplies a value at each step up; -1 where two players alternate.

    Returns
    -------
    Tree
        With nodes numbered as they came where parents stand before their children and the root is node 0. Otherwise
        they are put in order of depth, and ``tree.extra["index"]`` tells where each came from.

    Raises
    ------
    ValueError
        Naming column, index, value and rule: for no root or two, a parent that does not exist, a cycle, two siblings
        with the same action, a terminal node with children, visits without a value and values without visits (but for
        the root, which may have visits alone).

    Notes
    -----
    O(N log N), without a loop over nodes: 1 s for a million.

    Examples
    --------
    >>> from slowthink import trees
    >>> tree = trees.from_arrays([-1, 0, 0, 1], [0.5, 0.7, 0.1, 0.9], payload=[None, "a", "b", "c"])
    >>> tree.visits
    array([4, 2, 1, 1])
    >>> tree.best_path(), tree.terminal
    (array([0, 1, 3]), array([False, False,  True,  True]))
    """
    parents = _arrays.integers(parent, "parent", ndim=1)
    n = len(parents)
    depth = _depths(parents)
    columns: dict[str, npt.NDArray[Any]] = {}
    values = _column(value, "value", n, finite=False)
    if np.isinf(values).any():
        worst = int(np.argmax(np.isinf(values)))
        raise ValueError(f"value[{worst}] must be finite, or NaN where it is unknown, got {values[worst]}")
    columns["value"] = values
    columns["action"] = _actions(parents, action)
    known = ~np.isnan(values)
    if visits is None:
        columns["visits"] = _evaluated_below(parents, depth, known)
    else:
        counts = _arrays.integers(visits, "visits", ndim=1, low=0)
        _same_length(counts, "visits", n)
        wrong = (counts > 0) != known
        wrong &= ~((parents < 0) & (counts > 0))
        if wrong.any():
            i = int(np.argmax(wrong))
            rule = "be at least 1 where there is a value" if known[i] else "be 0 where value is NaN"
            raise ValueError(f"visits[{i}] must {rule}, got {counts[i]}")
        columns["visits"] = counts
    columns["reward"] = np.zeros(n) if reward is None else _column(reward, "reward", n)
    columns["prior"] = np.full(n, np.nan) if prior is None else _column(prior, "prior", n, finite=False)
    bad = (columns["prior"] < 0) | np.isinf(columns["prior"])
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(f"prior[{i}] must be at least 0 and finite, or NaN, got {columns['prior'][i]}")
    columns["in_flight"] = np.zeros(n, dtype=np.int64)
    columns["n_children"] = np.bincount(parents[parents >= 0], minlength=n).astype(np.int64)
    columns["terminal"] = _terminal(terminal, columns["n_children"], columns["visits"])
    if player is not None:
        who = _arrays.integers(player, "player", ndim=1, low=0)
        _same_length(who, "player", n)
        if (who > 1).any():
            i = int(np.argmax(who > 1))
            raise ValueError(f"player[{i}] must be 0 or 1, got {who[i]}")
        columns["player"] = who.astype(np.uint8)
    if extra is not None and not isinstance(extra, Mapping):
        raise TypeError(f"extra must be a mapping of name to column, got {type(extra).__name__}")
    more = {name: np.asarray(column) for name, column in (extra or {}).items()}
    for name, column in more.items():
        _same_length(column, f"extra[{name!r}]", n)
    texts: list[Any] = [None] * n
    if payload is not None:
        if isinstance(payload, (str, bytes)) or not hasattr(type(payload), "__iter__"):
            raise TypeError(f"payload must be a sequence with an entry a node, got {type(payload).__name__}")
        try:
            texts = list(payload)
        except TypeError:  # an array without dimensions
            raise TypeError("payload must be a sequence with an entry a node, got a single value") from None
    if len(texts) != n:
        raise ValueError(f"payload must have the length of parent, {n}, got {len(texts)}")
    columns["parent"], columns["depth"] = parents, depth
    if parents[0] >= 0 or (parents[1:] >= np.arange(1, n)).any():
        order = np.argsort(depth, kind="stable")
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n)
        columns = {name: column[order] for name, column in columns.items()}
        columns["parent"] = np.where(columns["parent"] < 0, -1, place[columns["parent"]])
        texts = [texts[i] for i in order.tolist()]
        more = {**{name: column[order] for name, column in more.items()}, "index": order}
    factor = float(_arrays.floats(discount, "discount", ndim=0))
    done = int(columns["visits"][0])
    named: dict[str, Any] = {**columns, "payload": texts, "extra": more}
    return Tree(**named, discount=factor, n_simulations=done)


def _column(value: Any, name: str, n: int, *, finite: bool = True) -> npt.NDArray[np.float64]:
    column = _arrays.floats(value, name, ndim=1, finite=finite)
    _same_length(column, name, n)
    return column


def _same_length(column: npt.NDArray[Any], name: str, n: int) -> None:
    if column.ndim != 1 or len(column) != n:
        raise ValueError(f"{name} must have the length of parent, {n}, got shape {column.shape}")


def _depths(parent: Integers) -> Integers:
    """Steps from the root to each node, by pointers that reach twice as far each round."""
    n = len(parent)
    roots = np.flatnonzero(parent == -1)
    if not len(roots):
        raise ValueError(f"parent must be -1 for one node, the root, got none among {n}")
    if len(roots) > 1:
        raise ValueError(f"parent[{roots[1]}] must be a node, as node {roots[0]} is the root already, got -1")
    for wrong in (parent < -1, parent >= n):
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(f"parent[{i}] must be a node, 0 to {n - 1}, or -1 for the root, got {parent[i]}")
    root = int(roots[0])
    ahead = parent.copy()
    ahead[root] = root
    depth = np.ones(n, dtype=np.int64)
    depth[root] = 0
    for _ in range(max(1, n.bit_length())):
        if (ahead == root).all():
            return depth
        depth += depth[ahead]
        ahead = ahead[ahead]
    if (ahead == root).all():
        return depth
    i = int(np.argmax(ahead != root))
    raise ValueError(f"parent[{i}] must lead to the root, got {parent[i]}, which leads into a cycle")


def _actions(parent: Integers, action: Any) -> Integers:
    n = len(parent)
    if action is None:
        order = np.argsort(parent, kind="stable")
        rank = np.arange(n)
        first = np.ones(n, dtype=np.bool_)
        first[1:] = parent[order][1:] != parent[order][:-1]
        result = np.empty(n, dtype=np.int64)
        result[order] = rank - np.maximum.accumulate(np.where(first, rank, 0))
    else:
        result = _arrays.integers(action, "action", ndim=1).copy()
        _same_length(result, "action", n)
        wrong = (result < 0) & (parent >= 0)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(f"action[{i}] must be at least 0, got {result[i]}")
        order = np.lexsort((result, parent))
        twice = (parent[order][1:] == parent[order][:-1]) & (result[order][1:] == result[order][:-1])
        if twice.any():
            at = int(np.argmax(twice))
            i, other = int(order[at + 1]), int(order[at])
            raise ValueError(f"action[{i}] must differ from action[{other}], of a sibling, got {result[i]}")
    result[parent < 0] = -1
    return result


def _evaluated_below(parent: Integers, depth: Integers, known: npt.NDArray[np.bool_]) -> Integers:
    """How many nodes of each subtree were evaluated."""
    result = known.astype(np.int64)
    by_depth = np.argsort(depth, kind="stable")
    levels = np.searchsorted(depth[by_depth], np.arange(int(depth.max()) + 2))
    for level in range(len(levels) - 2, 0, -1):
        nodes = by_depth[levels[level] : levels[level + 1]]
        np.add.at(result, parent[nodes], result[nodes])
    return result


def _terminal(terminal: Any, n_children: Integers, visits: Integers) -> npt.NDArray[np.bool_]:
    if terminal is None:
        return np.asarray((n_children == 0) & (visits > 0))
    given = _arrays.integers(terminal, "terminal", ndim=1)
    _same_length(given, "terminal", len(n_children))
    wrong = (given != 0) & (given != 1)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(f"terminal[{i}] must be True or False, got {given[i]}")
    wrong = (given == 1) & (n_children > 0)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(f"terminal[{i}] must be False, as the node has {n_children[i]} children, got True")
    return given.astype(np.bool_)


def read_tot_log(path: str | os.PathLike[str]) -> list[Tree]:
    """The trees in a log of Tree of Thoughts: breadth-first search with proposals, values and a selection at each step.

    Parameters
    ----------
    path : path
        A JSON file with a list of puzzles as the authors' ``run.py`` writes it (``logs/game24``): the ``steps`` of each
        hold ``ys`` (what was grown), ``new_ys`` (the proposals), ``values`` (the model's verdicts) and
        ``select_new_ys`` (what went on to the next step).

    Returns
    -------
    list of Tree
        One tree a puzzle. ``payload`` is the puzzle at the root, and what a proposal added elsewhere; ``value`` the
        model's verdict of that proposal alone, not a mean (NaN for the root, which has none); ``visits`` the
        evaluations in the subtree; ``terminal`` marks the proposals of the last step.
        ``extra["selected"]`` (bool) marks what was selected, ``extra["correct"]`` (int) is 1 or 0 for the answers that
        were checked and -1 elsewhere.

    Raises
    ------
    ValueError
        Naming file, puzzle and step, where the log is not of that form.

    References
    ----------
    Yao et al. 2023, "Tree of Thoughts: Deliberate Problem Solving with Large Language Models".
    """
    name = os.fspath(path)
    with open(path, encoding="utf-8") as file:
        try:
            puzzles = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{name} must be JSON: {error}") from None
    if not isinstance(puzzles, list):
        raise ValueError(f"{name} must hold a list of puzzles, got {type(puzzles).__name__}")
    trees = []
    for i, puzzle in enumerate(puzzles):
        try:
            trees.append(_puzzle(puzzle))
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(
                f"{name}: puzzle {i} must have steps with ys, new_ys, values and select_new_ys, got {error!r}"
            ) from None
        except ValueError as error:
            raise ValueError(f"{name}: puzzle {i}: {error}") from None
    return trees


def _puzzle(puzzle: Any) -> Tree:
    parent, value, payload = [-1], [np.nan], [puzzle["steps"][0]["x"]]
    selected, correct, terminal = [True], [-1], [False]
    grown = [0]  # the nodes of `ys`
    for number, step in enumerate(puzzle["steps"]):
        if len(step["ys"]) != len(grown) or len(step["values"]) != len(step["new_ys"]):
            raise ValueError(f"step {number} must have a value for each proposal, and go on from what was selected")
        first = len(parent)
        at = 0
        for text, verdict in zip(step["new_ys"], step["values"], strict=True):
            # Proposals stand in the order of what they continue, which may hold the same text twice.
            order = [*range(at, len(grown)), *range(at)]
            at = next((i for i in order if text.startswith(step["ys"][i])), -1)
            if at < 0:
                raise ValueError(f"step {number} must continue one of its ys, got the proposal {text!r}")
            parent.append(grown[at])
            value.append(float(verdict))
            payload.append(text[len(step["ys"][at]) :])
        selected += [False] * len(step["new_ys"])
        correct += [-1] * len(step["new_ys"])
        terminal += [number + 1 == len(puzzle["steps"])] * len(step["new_ys"])
        grown = []
        for text in step["select_new_ys"]:
            same = (first + i for i, other in enumerate(step["new_ys"]) if other == text)
            node = next((node for node in same if not selected[node]), None)
            if node is None:
                raise ValueError(f"step {number} must select among its proposals, got {text!r}")
            selected[node] = True
            grown.append(node)
    if puzzle["ys"] != puzzle["steps"][-1]["select_new_ys"] or len(puzzle["infos"]) != len(grown):
        raise ValueError("the answers that were checked must be what the last step selected")
    for node, info in zip(grown, puzzle["infos"], strict=True):
        correct[node] = int(info["r"])
    return from_arrays(
        parent,
        value,
        terminal=terminal,
        payload=payload,
        extra={"selected": np.array(selected), "correct": np.array(correct)},
    )
