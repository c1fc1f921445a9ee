"""The rows of training data: paths to imitate, pairs to prefer one of, and steps with their values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from slowthink import _arrays
from slowthink.trees._nodes import (
    Flags,
    Floats,
    Integers,
    Nodes,
    outcomes,
    path_to,
    quantile,
    step_values,
    wilson,
)

Row = dict[str, Any]
Kind = Literal["sft", "dpo", "prm"]
OPTIONS: dict[str, dict[str, Any]] = {
    "sft": {"correct": None, "which": "best"},
    "dpo": {"margin": 0.0, "pairs": "best", "of": "steps"},
    "prm": {"correct": None, "confidence": 0.95, "value_range": None},
}
"""The options of each kind and their defaults."""


@dataclass(frozen=True)
class Source:
    """A tree and the problem that it was grown for."""

    tree: Nodes
    number: int
    problem: str
    prompt: str | None
    separator: str
    text: Callable[[Any], str | None] | None

    def step(self, node: int) -> str | None:
        """The text of the step into ``node``."""
        payload = self.tree.payload[node]
        if self.text is not None and payload is not None:
            payload = self.text(payload)
        if payload is not None and not isinstance(payload, str):
            raise TypeError(
                f"payload[{node}] of tree {self.number} must be a text to be exported, got {type(payload).__name__}: "
                "give text=, a function that makes one"
            )
        return payload

    def steps(self, path: Integers) -> list[str | None]:
        """The texts of the steps of a path, which begins at the root."""
        return [self.step(node) for node in path[1:].tolist()]

    def joined(self, steps: list[str | None]) -> str | None:
        """The steps as one text; None where one of them has none."""
        known = [step for step in steps if step is not None]
        return self.separator.join(known) if len(known) == len(steps) else None

    def row(self, **columns: Any) -> Row:
        return {"problem": self.problem, "tree": self.number, "prompt": self.prompt, **columns}


def options_of(kind: Kind, given: dict[str, Any]) -> dict[str, Any]:
    """The options of ``kind``, defaults filled in; what belongs to another kind is refused."""
    allowed = OPTIONS[_arrays.choice(kind, "kind", tuple(OPTIONS))]
    for name, value in given.items():
        if value is not None and name not in allowed:
            kinds = " and ".join(repr(other) for other in OPTIONS if name in OPTIONS[other])
            raise ValueError(f"{name} must be left out of {kind!r}: it belongs to {kinds}, got {value!r}")
    chosen = {name: default if given.get(name) is None else given[name] for name, default in allowed.items()}
    if kind == "sft":
        _arrays.choice(chosen["which"], "which", ("best", "longest", "shortest", "all"))
        if chosen["correct"] is None:
            raise ValueError("correct must be given for 'sft', a threshold of value or a mask of nodes, got None")
    if kind == "dpo":
        _arrays.choice(chosen["pairs"], "pairs", ("best", "extremes", "all"))
        _arrays.choice(chosen["of"], "of", ("steps", "paths"))
        chosen["margin"] = float(_arrays.floats(chosen["margin"], "margin", ndim=0, low=0.0))
    if kind == "prm":
        quantile(chosen["confidence"])
    return chosen


def sources(
    trees: Iterable[Nodes],
    n: int,
    first: int,
    problems: Sequence[str | None] | None,
    ids: Sequence[Any] | None,
    separator: str,
    text: Callable[[Any], str | None] | None,
) -> Iterator[Source]:
    """The trees with their problems, whose ids depend on nothing but the problem where its text is known."""
    for name, given in (("problems", problems), ("ids", ids)):
        if given is not None and not hasattr(given, "__len__"):
            raise TypeError(f"{name} must be a sequence, got {type(given).__name__}")
        if given is not None and (isinstance(given, (str, bytes)) or len(given) != n):
            got = "a text" if isinstance(given, (str, bytes)) else f"{len(given)}"
            raise ValueError(f"{name} must have an entry for each of the {n} trees, got {got}")
    if not isinstance(separator, str):
        raise TypeError(f"separator must be a text, got {type(separator).__name__}")
    for i, tree in enumerate(trees):
        prompt = None if problems is None else problems[i]
        if prompt is not None and not isinstance(prompt, str):
            raise TypeError(f"problems[{i}] must be a text or None, got {type(prompt).__name__}")
        source = Source(tree, i, "", prompt, separator, text)
        if prompt is None:
            prompt = source.step(0)
        if ids is not None:
            problem = str(ids[i])
        elif prompt is not None:
            problem = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        else:
            problem = str(first + i)
        yield Source(tree, i, problem, prompt, separator, text)


def rows_of(source: Source, kind: Kind, min_visits: int, options: dict[str, Any]) -> Iterator[Row]:
    """The rows of one tree."""
    if kind == "sft":
        return sft(source, min_visits, **options)
    return (dpo if kind == "dpo" else prm)(source, min_visits, **options)


def sft(source: Source, min_visits: int, correct: Any, which: str) -> Iterator[Row]:
    """The paths to correct ends: the one that is chosen by ``which``, or all."""
    tree = source.tree
    ends = np.flatnonzero(right(source, correct) & tree.terminal & (tree.visits >= min_visits) & (tree.depth > 0))
    worth = outcomes(tree)
    if which != "all" and len(ends):
        length = {"best": 0, "longest": -1, "shortest": 1}[which] * tree.depth[ends]
        ends = ends[np.lexsort((ends, -tree.visits[ends], -worth[ends], length))[:1]]
    for end in ends.tolist():
        path = path_to(tree, end)
        steps = source.steps(path)
        yield source.row(
            text=source.joined(steps),
            steps=steps,
            actions=tree.action[path[1:]].tolist(),
            nodes=path[1:].tolist(),
            value=float(worth[end]),
            visits=int(tree.visits[end]),
        )


def right(source: Source, correct: Any) -> Flags:
    """Which evaluated nodes are correct, by a threshold of what their end is worth, a mask or an extra column."""
    tree = source.tree
    n = len(tree.parent)
    if callable(correct):
        correct = correct(tree)
    elif isinstance(correct, str):
        extra = getattr(tree, "extra", {})
        if correct not in extra:
            raise ValueError(f"correct must name a column of Tree.extra, {sorted(extra)}, got {correct!r}")
        correct = np.asarray(extra[correct]) > 0
    elif not np.isscalar(correct) and not (isinstance(correct, np.ndarray) and correct.ndim == 0):
        try:
            correct = correct[source.number]
        except (TypeError, IndexError, KeyError):
            raise ValueError(f"correct must have a mask for each tree, got none for tree {source.number}") from None
    mask = np.asarray(correct)
    if mask.ndim == 0:
        if mask.dtype == np.bool_:
            raise TypeError(f"correct must be a threshold, or a mask of nodes, got {correct!r}")
        threshold = _arrays.floats(correct, "correct", ndim=0)
        with np.errstate(invalid="ignore"):
            return np.asarray((tree.visits > 0) & (outcomes(tree) >= threshold))
    if mask.dtype != np.bool_ or mask.shape != (n,):
        raise ValueError(
            f"correct must be True or False for each of the {n} nodes of tree {source.number}, "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return np.asarray((tree.visits > 0) & mask)


def dpo(source: Source, min_visits: int, margin: float, pairs: str, of: str) -> Iterator[Row]:
    """Pairs of siblings, one better by ``margin``, with the texts up to them or on to the ends of their paths."""
    tree = source.tree
    values = step_values(tree)
    follow = tree.kin.best(np.where(tree.visits > 0, tree.visits, np.nan)) if of == "paths" else None
    for better, worse in zip(*siblings(tree, values, min_visits, margin, pairs), strict=True):
        chosen, rejected = path_to(tree, int(better)), path_to(tree, int(worse))
        n_shared = len(chosen) - 2
        if follow is not None:
            chosen, rejected = extended(chosen, follow), extended(rejected, follow)
        chosen_steps, rejected_steps = source.steps(chosen), source.steps(rejected)
        new = chosen_steps[n_shared:]
        if new == rejected_steps[n_shared:] and None not in new:
            continue  # two generations of the same text: nothing to prefer
        texts = [source.joined(steps) for steps in (chosen_steps, rejected_steps)]
        prefix = source.joined(chosen_steps[:n_shared])
        if prefix is not None and n_shared:
            prefix += source.separator
        yield source.row(
            prefix=prefix,
            chosen=texts[0],
            rejected=texts[1],
            prefix_steps=n_shared,
            prefix_characters=None if prefix is None else len(prefix),
            chosen_value=float(values[better]),
            rejected_value=float(values[worse]),
            chosen_visits=int(tree.visits[better]),
            rejected_visits=int(tree.visits[worse]),
            chosen_nodes=chosen[1:].tolist(),
            rejected_nodes=rejected[1:].tolist(),
        )


def siblings(tree: Nodes, values: Floats, min_visits: int, margin: float, pairs: str) -> tuple[Integers, Integers]:
    """Better and worse siblings, all of which have ``min_visits``, by parent and then from the best down."""
    nodes = np.flatnonzero((tree.visits >= min_visits) & ~np.isnan(values))
    nodes = nodes[np.lexsort((tree.action[nodes], -values[nodes], tree.parent[nodes]))]
    parents = tree.parent[nodes]
    n = len(nodes)
    is_first = np.ones(n, dtype=np.bool_)
    is_first[1:] = parents[1:] != parents[:-1]
    first = np.maximum.accumulate(np.where(is_first, np.arange(n), 0))
    if pairs == "all":
        left, right = [], []
        offset = np.arange(n) - first
        for gap in range(1, int(offset.max(initial=0)) + 1):
            later = np.flatnonzero(offset >= gap)
            left.append(later - gap)
            right.append(later)
        better = np.concatenate(left) if left else np.zeros(0, dtype=np.int64)
        worse = np.concatenate(right) if right else np.zeros(0, dtype=np.int64)
        order = np.lexsort((worse, better))
        better, worse = better[order], worse[order]
    else:
        worse = np.flatnonzero(~is_first)
        if pairs == "extremes":
            worse = worse[np.append(is_first[1:], True)[worse]]
        better = first[worse]
    difference = values[nodes[better]] - values[nodes[worse]]
    kept = (difference > 0) & (difference >= margin)
    return nodes[better[kept]], nodes[worse[kept]]


def extended(path: Integers, follow: Integers) -> Integers:
    """``path`` and the most visited way down from its end."""
    nodes = path.tolist()
    while (child := int(follow[nodes[-1]])) >= 0:
        nodes.append(child)
    return np.array(nodes, dtype=np.int64)


def prm(source: Source, min_visits: int, correct: Any, confidence: float, value_range: Any) -> Iterator[Row]:
    """A row for each way from the root to where visits end, with the value of every step, failed ones included."""
    tree = source.tree
    values = step_values(tree)
    low, high = wilson(values, tree.visits, value_range, quantile(confidence))
    verdict = None if correct is None else right(source, correct)
    kept = tree.visits >= max(min_visits, 1)
    while True:  # what hangs below a node that is left out is left out
        linked = kept & kept[np.maximum(tree.parent, 0)]
        if bool((linked == kept).all()):
            break
        kept = linked
    is_leaf = kept.copy()
    is_leaf[tree.parent[1:][kept[1:]]] = False
    seen = np.zeros(len(kept), dtype=np.bool_)
    for leaf in np.flatnonzero(is_leaf & (tree.depth > 0)).tolist():
        path = path_to(tree, leaf)[1:]
        first_new = int(seen[path].sum())  # an earlier row has a beginning of this path
        seen[path] = True
        steps = [source.step(node) for node in path.tolist()]
        end = bool(tree.terminal[leaf])
        yield source.row(
            steps=steps,
            actions=tree.action[path].tolist(),
            nodes=path.tolist(),
            values=values[path].tolist(),
            visits=tree.visits[path].tolist(),
            low=low[path].tolist(),
            high=high[path].tolist(),
            first_new=first_new,
            terminal=end,
            correct=bool(verdict[leaf]) if verdict is not None and end else None,
        )
