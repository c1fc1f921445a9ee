"""Trees that were searched elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grown import HOSTILE, grown
from hypothesis import given
from hypothesis import strategies as st
from slowthink import trees


@given(grown(), st.randoms(use_true_random=False))
def test_any_order_of_nodes_is_the_same_tree(tree: trees.Tree, random: Any) -> None:
    order = list(range(len(tree)))
    random.shuffle(order)
    place = {node: i for i, node in enumerate(order)}
    other = trees.from_arrays(
        [place.get(int(tree.parent[node]), -1) for node in order],
        tree.value[order],
        visits=tree.visits[order],
        action=tree.action[order],
        payload=[tree.payload[node] for node in order],
        player=None if tree.player is None else tree.player[order],
        reward=tree.reward[order],
        discount=tree.discount,
    )
    assert other.parent[0] == -1
    assert (other.parent[1:] < np.arange(1, len(other))).all()
    came_from = [order[i] for i in other.extra.get("index", range(len(tree)))]
    assert sorted(came_from) == list(range(len(tree)))
    for node, old in enumerate(came_from):
        assert other.depth[node] == tree.depth[old]
        assert other.action[node] == tree.action[old]
        assert other.visits[node] == tree.visits[old]
        assert other.payload[node] == tree.payload[old]
        np.testing.assert_equal(other.step_value[node], tree.step_value[old])
        assert [came_from[child] for child in other.children(node)] == tree.children(old).tolist()
    assert [came_from[node] for node in other.best_path()] == tree.best_path().tolist()


@given(grown())
def test_default_columns(tree: trees.Tree) -> None:
    bare = trees.from_arrays(tree.parent, tree.value)
    known = ~np.isnan(tree.value)
    for node in range(len(tree)):
        below = [i for i in range(len(tree)) if node in tree.path(i)]
        assert bare.visits[node] == sum(known[i] for i in below)
        assert bare.terminal[node] == (len(below) == 1 and known[node])
        assert bare.action[bare.children(node)].tolist() == list(range(len(bare.children(node))))
        assert bare.n_children[node] == len(bare.children(node))
    assert bare.payload == [None] * len(tree)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"parent": []}, "parent must be -1 for one node, the root, got none among 0"),
        ({"parent": [0, 0]}, "parent must be -1 for one node, the root, got none among 2"),
        ({"parent": [-1, 0, -1]}, r"parent\[2\] must be a node, as node 0 is the root already, got -1"),
        ({"parent": [-1, -2]}, r"parent\[1\] must be a node, 0 to 1, or -1 for the root, got -2"),
        ({"parent": [-1, 5]}, r"parent\[1\] must be a node, 0 to 1, or -1 for the root, got 5"),
        ({"parent": [-1, 0, 3, 4, 2]}, r"parent\[2\] must lead to the root, got 3, which leads into a cycle"),
        ({"parent": [-1, 1]}, r"parent\[1\] must lead to the root, got 1, which leads into a cycle"),
        ({"parent": [-1, 0.5]}, r"parent\[1\] must be a whole number, got 0.5"),
        ({"value": [0.0, 1.0]}, r"value must have the length of parent, 3, got shape \(2,\)"),
        ({"value": [0.0, 1.0, np.inf]}, r"value\[2\] must be finite, or NaN where it is unknown, got inf"),
        ({"visits": [3, 1, 0]}, r"visits\[2\] must be at least 1 where there is a value, got 0"),
        ({"value": [0.0, np.nan, 1.0], "visits": [3, 1, 1]}, r"visits\[1\] must be 0 where value is NaN, got 1"),
        ({"visits": [3, -1, 1]}, r"visits\[1\] must be at least 0, got -1"),
        ({"action": [0, 2, 2]}, r"action\[2\] must differ from action\[1\], of a sibling, got 2"),
        ({"action": [0, -1, 2]}, r"action\[1\] must be at least 0, got -1"),
        ({"reward": [0.0, np.nan, 0.0]}, r"reward\[1\] must be finite, got nan"),
        ({"prior": [0.0, -0.5, 0.0]}, r"prior\[1\] must be at least 0 and finite, or NaN, got -0.5"),
        ({"terminal": [True, False, False]}, r"terminal\[0\] must be False, as the node has 2 children, got True"),
        ({"terminal": [0, 2, 0]}, r"terminal\[1\] must be True or False, got 2"),
        ({"player": [0, 2, 0]}, r"player\[1\] must be 0 or 1, got 2"),
        ({"payload": ["a"]}, "payload must have the length of parent, 3, got 1"),
        ({"extra": {"x": [1]}}, r"extra\['x'\] must have the length of parent, 3, got shape \(1,\)"),
        ({"discount": np.nan}, "discount must be finite"),
    ],
)
def test_what_is_no_tree_is_named(columns: dict[str, Any], words: str) -> None:
    parent = columns.pop("parent", [-1, 0, 0])
    with pytest.raises(ValueError, match=words):
        trees.from_arrays(parent, **{"value": [0.5] * len(parent), **columns})


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"payload": "abc"}, "payload must be a sequence with an entry a node, got str"),
        ({"payload": np.array(5)}, "payload must be a sequence with an entry a node, got a single value"),
        ({"extra": [1, 2, 3]}, "extra must be a mapping of name to column, got list"),
    ],
)
def test_what_is_no_column_is_named(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        trees.from_arrays([-1, 0, 0], [0.5] * 3, **columns)


def test_a_chain_of_many_nodes_has_no_limit_of_depth() -> None:
    n = 20_000
    tree = trees.from_arrays(np.arange(n) - 1, np.full(n, 0.5))
    assert tree.depth[-1] == n - 1
    assert tree.visits[0] == n
    assert len(tree.best_path()) == n
    ring = np.arange(n) - 1
    ring[1] = n - 1
    with pytest.raises(ValueError, match="leads into a cycle"):
        trees.from_arrays(ring, np.full(n, 0.5))


def puzzle() -> dict[str, Any]:
    """A log of two steps, in which the same proposal is made and selected twice."""
    return {
        "steps": [
            {
                "ys": [""],
                "x": "1 2",
                "new_ys": ["a\n", "b\n", "a\n"],
                "values": [3.0, 1, 0],
                "select_new_ys": ["a\n", "a\n"],
            },
            {
                "ys": ["a\n", "a\n"],
                "x": "1 2",
                "new_ys": ["a\nc\n", "a\nd\n"],
                "values": [60.0, 0.001],
                "select_new_ys": ["a\nd\n", "a\nc\n"],
            },
        ],
        "idx": 900,
        "ys": ["a\nd\n", "a\nc\n"],
        "infos": [{"r": 0}, {"r": 1}],
    }


def test_a_log_of_tree_of_thoughts(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([puzzle()]))
    (tree,) = trees.read_tot_log(path)
    assert tree.parent.tolist() == [-1, 0, 0, 0, 1, 1]
    assert tree.payload == ["1 2", "a\n", "b\n", "a\n", "c\n", "d\n"]
    assert tree.value[1:].tolist() == [3.0, 1.0, 0.0, 60.0, 0.001]
    assert tree.visits.tolist() == [5, 3, 1, 1, 1, 1]
    assert tree.extra["selected"].tolist() == [True, True, False, True, True, True]
    assert tree.extra["correct"].tolist() == [-1, -1, -1, -1, 1, 0]
    assert tree.terminal.tolist() == [False] * 4 + [True] * 2
    (row,) = trees.export([tree], "sft", correct="correct")
    assert (row["prompt"], row["text"]) == ("1 2", "a\nc\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.pop("steps"), r"puzzle 0 must have steps with ys, new_ys, values and select_new_ys"),
        (lambda p: p["steps"][0].pop("values"), "puzzle 0 must have steps"),
        (lambda p: p["steps"][0]["values"].pop(), "puzzle 0: step 0 must have a value for each proposal"),
        (
            lambda p: p["steps"][1]["new_ys"].__setitem__(0, "z"),
            "puzzle 0: step 1 must continue one of its ys, got the",
        ),
        (
            lambda p: p["steps"][0]["select_new_ys"].__setitem__(0, "z"),
            "step 0 must select among its proposals, got 'z'",
        ),
        (lambda p: p["infos"].pop(), "the answers that were checked must be what the last step selected"),
    ],
)
def test_logs_of_another_form_are_refused(change: Any, words: str, tmp_path: Path) -> None:
    log = [puzzle()]
    change(log[0])
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log))
    with pytest.raises(ValueError, match=words):
        trees.read_tot_log(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', "null"])
def test_files_that_are_no_logs(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"log\.json"):
        trees.read_tot_log(path)


def test_hostile_payloads_pass(tmp_path: Path) -> None:
    tree = trees.from_arrays([-1] + [0] * (len(HOSTILE) - 1), [0.5] * len(HOSTILE), payload=HOSTILE)
    assert tree.payload == HOSTILE


def test_the_published_logs(shared_data: Path) -> None:
    """Counts against the file itself, read here without the reader."""
    path = shared_data / "tot_logs" / "gpt-4_0.7_propose1_value3_greedy5_start900_end1000.json"
    log = json.loads(path.read_text(encoding="utf-8"))
    forest = trees.read_tot_log(path)
    assert len(forest) == len(log) == 100
    for tree, puzzle in zip(forest, log, strict=True):
        steps = puzzle["steps"]
        assert len(tree) == 1 + sum(len(step["new_ys"]) for step in steps)
        values = [value for step in steps for value in step["values"]]
        assert tree.value[1:].tolist() == values  # in the order of the file
        assert tree.visits[0] == len(values)
        assert tree.extra["selected"].sum() == 1 + sum(len(step["select_new_ys"]) for step in steps)
        assert (tree.extra["correct"] == 1).sum() == sum(info["r"] for info in puzzle["infos"])
        assert (tree.extra["correct"] >= 0).sum() == len(puzzle["infos"])
        assert tree.terminal.sum() == len(steps[-1]["new_ys"])
        whole = ["".join(tree.payload[i] for i in tree.path(node)[1:]) for node in range(1, len(tree))]
        assert whole == [text for step in steps for text in step["new_ys"]]
    solved = sum(bool((tree.extra["correct"] == 1).any()) for tree in forest)
    assert solved == 69  # of 100 puzzles by any of the five that are kept
    rows = trees.export(forest, "sft", correct="correct")
    assert len(rows) == solved
    assert len({row["problem"] for row in rows}) == solved
