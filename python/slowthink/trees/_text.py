"""Trees as text: lines for a terminal, and the DOT language of Graphviz."""

from __future__ import annotations

import heapq
import shutil
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from slowthink import _arrays
from slowthink.trees._nodes import Floats, Integers, Nodes, step_values

_LONGEST = 4096
"""Characters of a text that a line looks at."""


def words(payload: Any) -> str:
    """A payload as text: a text as it is, nothing for None, anything else as Python shows it."""
    return payload if isinstance(payload, str) else "" if payload is None else repr(payload)


def one_line(text: str) -> str:
    """``text`` without anything that would move a terminal's cursor, colour it or turn its direction around."""
    pieces = []
    for character in " ".join(text[:_LONGEST].split()):
        if character.isprintable():
            pieces.append(character)
        else:
            pieces.append(character.encode("unicode_escape").decode("ascii"))
    return "".join(pieces)


def clip(text: str, columns: int) -> str:
    """What of ``text`` fits into ``columns`` columns of a terminal, with an ellipsis where it goes on."""
    used = 0
    for i, character in enumerate(text):
        width = _columns(character)
        if used + width > columns - (i + 1 < len(text)):
            # The ellipsis needs a column of its own.
            return text[:i] + "…" if columns > 0 else ""
        used += width
    return text


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@dataclass(frozen=True)
class Shown:
    """The part of a tree that fits on a page."""

    nodes: list[int]
    """From the root, each node before its children and these before its next sibling, the most visited first."""
    children: dict[int, list[int]]
    """The children that are shown, of nodes that have any."""

    def hidden(self, tree: Nodes, node: int) -> int:
        """How many children of ``node`` are not shown."""
        return int(tree.kin.start[node + 1] - tree.kin.start[node]) - len(self.children.get(node, ()))


def most_visited(tree: Nodes, most: int, max_depth: int | None = None) -> Shown:
    """Up to ``most`` nodes with the most visits that hang together from the root on."""
    children: dict[int, list[int]] = {}
    heap = [(0, 0)]
    for _ in range(most):
        if not heap:
            break
        _, node = heapq.heappop(heap)
        if node:
            children.setdefault(int(tree.parent[node]), []).append(node)
        if max_depth is None or tree.depth[node] < max_depth:
            below = tree.kin.of(node)
            below = below[np.argsort(-tree.visits[below], kind="stable")[:most]]
            for child in below.tolist():
                heapq.heappush(heap, (-int(tree.visits[child]), child))
    nodes = []
    stack = [0]
    while stack:
        nodes.append(stack.pop())
        stack.extend(reversed(children.get(nodes[-1], ())))
    return Shown(nodes, children)


def numbers(tree: Nodes, values: Floats, node: int) -> str:
    """Visits, value and prior of a node: ``N=12 Q=0.75 P=0.25``."""
    value = values[node] if node else tree.value[0]
    parts = [f"N={tree.visits[node]:,}"]
    if not np.isnan(value):
        parts.append(f"Q={value:.3g}")
    if node and not np.isnan(tree.prior[node]):
        parts.append(f"P={tree.prior[node]:.3g}")
    return " ".join(parts)


def summary(tree: Nodes) -> str:
    """What the tree is, in a line."""
    n = len(tree.parent)
    parts = [f"{n:,} node" + "s" * (n != 1), f"{int((tree.visits > 0).sum()):,} evaluated"]
    ends = int((tree.terminal & (tree.visits > 0)).sum())
    if ends:
        parts.append(f"{ends:,} terminal")
    parts.append(f"depth {int(tree.depth.max())}")
    return "tree of " + ", ".join(parts)


def to_text(tree: Nodes, max_nodes: Any, max_depth: Any, width: Any) -> str:
    """Indented lines, one a node, best children first."""
    most = whole(max_nodes, "max_nodes", 1)
    deepest = None if max_depth is None else whole(max_depth, "max_depth", 0)
    columns = shutil.get_terminal_size().columns if width is None else whole(width, "width", 20)
    values = step_values(tree)
    shown = most_visited(tree, most, deepest)
    lines = [summary(tree)]
    inner = {0: ""}
    # Lines that tell of hidden children stand behind the subtree of the last child that is shown.
    stack: list[tuple[int, str]] = [(0, "")]
    while stack:
        node, stem = stack.pop()
        if node < 0:
            lines.append(stem)
            continue
        label = numbers(tree, values, node) + (" ■" if tree.terminal[node] else "")
        if node:
            label = f"{tree.action[node]}: {label}"
        lines.append(f"{_indent(stem, columns // 2)}{label}  {one_line(words(tree.payload[node]))}".rstrip())
        below = shown.children.get(node, [])
        rest = shown.hidden(tree, node)
        if rest:
            count = f"… {rest:,} " + ("more" if below else "below")
            stack.append((-1, _indent(f"{inner[node]}└─ ", min(columns // 2, columns - len(count))) + count))
        for i, child in reversed(list(enumerate(below))):
            last = i + 1 == len(below) and not rest
            inner[child] = inner[node] + ("   " if last else "│  ")
            stack.append((child, inner[node] + ("└─ " if last else "├─ ")))
    return "\n".join(clip(line, columns) for line in lines)


def _indent(stem: str, room: int) -> str:
    """The stem of a line, or its end: deep down, lines would leave the page.

    Examples
    --------
    >>> _indent("│  │  └─ ", 7)
    '…│  └─ '
    """
    return stem if len(stem) <= room else "…" + stem[len(stem) - max(room - 1, 0) :]


def to_dot(tree: Nodes, max_nodes: Any, max_characters: Any, best: Integers) -> str:
    """The most visited nodes as a graph in the DOT language."""
    most = whole(max_nodes, "max_nodes", 1)
    longest = whole(max_characters, "max_characters", 0)
    values = step_values(tree)
    shown = most_visited(tree, most)
    marked = set(best.tolist())
    lines = [
        "digraph tree {",
        '  node [shape=box, style="rounded,filled", fillcolor="#f6f6f4", color="#8a8a86", fontname="sans-serif"];',
        '  edge [color="#8a8a86"];',
    ]
    for node in shown.nodes:
        text = clip(words(tree.payload[node]), longest) if longest else ""
        label = numbers(tree, values, node) + (f"\n{text}" if text else "")
        extra = ', color="#0b6bcb", penwidth=2' if node in marked else ""
        shape = ", peripheries=2" if tree.terminal[node] else ""
        lines.append(f"  {node} [label={quoted(label)}{extra}{shape}];")
        if node:
            edge = ', color="#0b6bcb", penwidth=2' if node in marked else ""
            lines.append(f'  {tree.parent[node]} -> {node} [label="{tree.action[node]}"{edge}];')
        rest = shown.hidden(tree, node)
        if rest:
            lines.append(f'  more{node} [label="… {rest:,} more", shape=plaintext, style=""];')
            lines.append(f"  {node} -> more{node} [style=dotted];")
    lines.append("}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """``text`` as a quoted string of DOT, in which a backslash begins an escape and NUL would end the file."""
    pieces = []
    for character in text:
        if character in '"\\':
            pieces.append("\\" + character)
        elif character == "\n":
            pieces.append("\\n")
        elif character == "\t":
            pieces.append(" ")
        elif ord(character) < 32 or ord(character) == 127:
            pieces.append(chr(0x2421) if ord(character) == 127 else chr(0x2400 + ord(character)))
        elif 0xD800 <= ord(character) < 0xE000:
            pieces.append("\ufffd")
        else:
            pieces.append(character)
    # Graphviz takes &name; for a character even in quotes.
    return '"' + "".join(pieces).replace("&", "&amp;") + '"'


def whole(value: Any, name: str, low: int) -> int:
    """``value`` as an int of at least ``low``."""
    return int(_arrays.integers(value, name, ndim=0, low=low))
