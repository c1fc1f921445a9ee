"""Small trees and hostile texts, for the tests of what comes out of a search."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from slowthink import trees

HOSTILE = [
    "",
    " ",
    "two\nlines\r\nand\ttabs",
    "\"quotes\" and 'more' and back\\slashes \\N \\n \\",
    "</script><script>document.title='owned'</script>",
    "<!--<script>",
    "]]>&amp;&lt;<b>bold</b><img src=x onerror=\"document.title='owned'\">",
    "nul \x00 bell \x07 escape \x1b[31mred\x1b[0m",
    "right to left \u202e txt.exe \u2066",
    "中文字 日本語 한국어 emoji 👩‍👩‍👧 combining é\u0301",
    "line separators \u2028 and \u2029 and \x85",
    "half a pair \ud800 of surrogates \udfff",
    "{{template}} ${dollar} $dollar %s {0}",
    "x" * 100_000,
    "=cmd|' /C calc'!A0",
]


@st.composite
def grown(draw: st.DrawFn, max_nodes: int = 40, discount: float | None = None) -> trees.Tree:
    """A tree whose values and visits have ties, with nodes that were not evaluated and texts that repeat."""
    n = draw(st.integers(1, max_nodes))
    parent = [-1] + [draw(st.integers(0, i - 1)) for i in range(1, n)]
    visits = [draw(st.integers(0, 4)) for _ in range(n)]
    visits[0] = max(visits[0], 1)
    for i in range(1, n):
        visits[i] = min(visits[i], visits[parent[i]])
    value = [draw(st.integers(-4, 4)) / 4 if count else np.nan for count in visits]
    payload = [draw(st.sampled_from([None, "a", "b", "cc", *HOSTILE[:13]])) for _ in range(n)]
    reward = [draw(st.sampled_from([0.0, 0.0, 0.25])) for _ in range(n)]
    factor = draw(st.sampled_from([1.0, -1.0, 0.5])) if discount is None else discount
    player = draw(st.none() | st.lists(st.integers(0, 1), min_size=n, max_size=n)) if discount is None else None
    return trees.from_arrays(
        parent, value, visits=visits, payload=payload, reward=reward, discount=factor, player=player
    )


def step_value(tree: trees.Tree, node: int) -> float:
    """The twin of ``Tree.step_value``: one node, from the definition."""
    if node == 0 or tree.visits[node] == 0:
        return np.nan
    factor = tree.discount
    if tree.player is not None:
        same = tree.player[tree.parent[node]] == tree.player[node]
        factor = abs(tree.discount) * (1 if same else -1)
    return float(tree.reward[node] + factor * tree.value[node])


def children(tree: trees.Tree, node: int) -> list[int]:
    """The children of a node by action, found by looking at all nodes."""
    return sorted((i for i in range(len(tree)) if tree.parent[i] == node), key=lambda i: tree.action[i])


def chain(values: list[float], **columns: Any) -> trees.Tree:
    """A root and its children, which have these values."""
    n = len(values) + 1
    return trees.from_arrays([-1] + [0] * (n - 1), [0.5, *values], **columns)
