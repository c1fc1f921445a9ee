"""Files in the format of ProsQA, and its instances as text."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_PEOPLE = (
    *("Ada", "Ben", "Cleo", "Dan", "Edith", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Leon", "Mina", "Nils"),
    *("Olga", "Pavel", "Quinn", "Rosa", "Sven", "Tara", "Uwe", "Vera", "Walt", "Xenia", "Yusuf", "Zoe", "Alma", "Bela"),
    *("Carl", "Dora", "Emil", "Fay"),
)
_ONSETS = tuple("bdfgklmnprstvwyz")
_ENDINGS = ("orble", "andet", "iffon", "ulmer")


def read(path: Any) -> dict[str, Any]:
    """The arguments of a problem from a file."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be the name of a file, a str or PathLike, got {type(path).__name__}")
    if not os.fspath(path) or "\0" in str(path):
        raise ValueError(f"path must be the name of a file, got {path!r}")
    text = Path(path).read_text(encoding="utf-8")
    edges: list[npt.NDArray[np.int64]] = []
    questions: dict[str, list[int]] = {"root": [], "target": [], "neg_target": []}
    sizes, symbols = [], []
    for number, (place, item) in enumerate(_objects(text, str(path))):
        if not isinstance(item, dict):
            raise ValueError(f"{place}: must be an object, got {type(item).__name__}")
        for name, column in questions.items():
            column.append(_node(item.get(name), f"{place}: {name}"))
        pairs = item.get("edges")
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise ValueError(f"{place}: edges must be a list of pairs")
        nodes = [_node(node, f"{place}: edges[{i}]") for i, pair in enumerate(pairs) for node in pair]
        of_graph = np.array(nodes, np.int64).reshape(-1, 2)
        edges.append(np.column_stack([np.full(len(of_graph), number), of_graph]))
        least = 1 + max(*nodes, *(column[-1] for column in questions.values()))
        names = item.get("idx_to_symbol")
        if names is not None:
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError(f"{place}: idx_to_symbol must be a list of str")
            if len(names) < least:
                raise ValueError(f"{place}: idx_to_symbol has {len(names)} entries, and node {least - 1} is named")
        symbols.append(names)
        sizes.append(least if names is None else len(names))
    if not sizes:
        raise ValueError(f"{path}: holds no instance")
    known = [names or [str(i) for i in range(size)] for names, size in zip(symbols, sizes, strict=True)]
    any_names = any(names is not None for names in symbols)
    return {"edges": np.concatenate(edges), **questions, "n_nodes": sizes, "symbols": known if any_names else None}


def _objects(text: str, path: str) -> Iterator[tuple[str, Any]]:
    """The entries of an array, or of JSON lines, each with the place where it stands."""
    try:
        if text.lstrip().startswith("["):
            yield from ((f"{path}, entry {i}", item) for i, item in enumerate(json.loads(text)))
            return
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                item = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number} is not JSON: {error}") from None
            yield f"{path}, line {number}", item


def _node(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**24:
        raise ValueError(f"{place} must be the number of a node, got {value!r}")
    return value


def write(path: Any, records: Iterable[dict[str, Any]]) -> None:
    """Writes records as an array, or as JSON lines."""
    file = Path(path)
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    text = "\n".join(lines) if file.suffix == ".jsonl" else "[" + ",\n".join(lines) + "]"
    file.write_text(text + "\n", encoding="utf-8")


def record(names: Sequence[str], edges: Sequence[Sequence[int]], root: int, target: int, other: int) -> dict[str, Any]:
    """One instance with its texts."""
    below = {head for _, head in edges}
    # What nothing leads to is somebody, or some thing; all else is a kind.
    facts = [_fact(names[tail], names[head], tail not in below) for tail, head in edges]
    first, second = sorted((target, other))
    return {
        "question": " ".join([*facts, f"Is {names[root]} a {names[first]} or a {names[second]}?"]),
        "steps": [facts[i] for i in _shortest(edges, root, target)],
        "answer": f"{names[root]} is a {names[target]}.",
        "idx_to_symbol": list(names),
        "edges": [list(edge) for edge in edges],
        "root": root,
        "target": target,
        "neg_target": other,
    }


def _fact(tail: str, head: str, somebody: bool) -> str:
    return f"{tail} is a {head}." if somebody else f"Every {tail} is a {head}."


def _shortest(edges: Sequence[Sequence[int]], root: int, target: int) -> list[int]:
    """The places of the edges of a shortest path, the first found by the order of the edges."""
    out: dict[int, list[int]] = {}
    for i, (tail, _) in enumerate(edges):
        out.setdefault(tail, []).append(i)
    came: dict[int, int] = {}
    queue = deque([root])
    while queue and target not in came:
        for i in out.get(queue.popleft(), []):
            head = edges[i][1]
            if head != root and head not in came:
                came[head] = i
                queue.append(head)
    path: list[int] = []
    node = target
    while node in came:
        path.append(came[node])
        node = edges[came[node]][0]
    return path[::-1]


def symbols(
    edges: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], names: npt.NDArray[np.int64], n_names: int
) -> list[list[str]]:
    """Names of all nodes from their numbers, which are different within a graph and below ``n_names``."""
    first = np.cumsum(sizes) - sizes
    below = np.zeros(len(names), bool)
    below[first[edges[:, 0]] + edges[:, 2]] = True
    people = [_PEOPLE[i % 32] + (f" {i // 32 + 1}" if i >= 32 else "") for i in range(n_names)]
    kinds = [_ONSETS[i % 16] + _ENDINGS[i // 16 % 4] + (f"-{i // 64 + 1}" if i >= 64 else "") for i in range(n_names)]
    words = iter([kinds[i] if kind else people[i] for i, kind in zip(names.tolist(), below.tolist(), strict=True)])
    return [list(islice(words, size)) for size in sizes.tolist()]
