"""Training data from trees: what users of such data have stumbled over, each as a test."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grown import HOSTILE, chain, children, grown, step_value
from hypothesis import given
from hypothesis import strategies as st
from slowthink import trees

SUM = trees.from_arrays(
    [-1, 0, 0, 1, 1, 2, 3],
    [0.6, 0.75, 0.2, 1.0, 0.5, 1.0, 1.0],
    visits=[20, 12, 7, 5, 4, 2, 3],
    payload=["2 + 2?", "Add. ", "Guess. ", "Carefully. ", "It is 5.", "4!", "It is 4."],
)


def test_sft_takes_the_path_that_is_asked_for() -> None:
    texts = {
        w: [r["text"] for r in trees.export([SUM], "sft", correct=1.0, which=w)]
        for w in ("best", "longest", "shortest")
    }
    assert texts == {
        "best": ["Add. Carefully. It is 4."],  # as good as the other, and visited more often
        "longest": ["Add. Carefully. It is 4."],
        "shortest": ["Guess. 4!"],
    }
    every = trees.export([SUM], "sft", correct=1.0, which="all")
    assert [row["text"] for row in every] == ["Guess. 4!", "Add. Carefully. It is 4."]
    assert every[0]["steps"] == ["Guess. ", "4!"]
    assert every[0]["actions"] == [1, 0]
    assert every[0]["nodes"] == [2, 5]
    assert (every[0]["value"], every[0]["visits"]) == (1.0, 2)
    assert every[0]["prompt"] == "2 + 2?"


def test_wrong_answers_are_never_imitated() -> None:
    """A tree without a correct path has no row, and correctness is never guessed."""
    assert trees.export([SUM], "sft", correct=1.5) == []
    with pytest.raises(ValueError, match="correct must be given for 'sft'"):
        trees.export([SUM], "sft")
    mask = np.zeros(7, dtype=bool)
    mask[[1, 4]] = True  # node 1 is no end
    assert [row["text"] for row in trees.export([SUM], "sft", correct=[mask])] == ["Add. It is 5."]
    assert trees.export([SUM], "sft", correct=lambda tree: tree.value > 2) == []
    assert [row["nodes"] for row in trees.export([SUM], "sft", correct=1.0, min_visits=3)] == [[1, 3, 6]]


@given(grown(), st.sampled_from(["best", "longest", "shortest"]))
def test_sft_is_its_twin(tree: trees.Tree, which: str) -> None:
    def worth(end: int) -> float:
        factor = np.sign(tree.discount)
        if tree.player is not None:
            factor = 1 if tree.player[tree.parent[end]] == tree.player[end] else -1
        return float(tree.reward[end] + factor * tree.value[end])

    ends = [i for i in range(1, len(tree)) if tree.terminal[i] and tree.visits[i] and worth(i) >= 0.25]
    length = {"best": 0, "longest": -1, "shortest": 1}[which]
    ends.sort(key=lambda i: (length * int(tree.depth[i]), -worth(i), -int(tree.visits[i]), i))
    rows = trees.export([tree], "sft", correct=0.25, which=which)  # type: ignore[arg-type]
    assert [row["nodes"][-1] for row in rows] == ends[:1]
    for row in rows:
        assert row["nodes"] == tree.path(ends[0])[1:].tolist()
        texts = [tree.payload[i] for i in row["nodes"]]
        assert row["text"] == (None if None in texts else "".join(texts))


@given(grown(), st.integers(0, 3), st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from(["best", "extremes", "all"]))
def test_pairs_are_their_twin(tree: trees.Tree, min_visits: int, margin: float, pairs: Any) -> None:
    expected = set()
    for node in range(len(tree)):
        ranked = [c for c in children(tree, node) if tree.visits[c] >= max(min_visits, 1)]
        ranked.sort(key=lambda c: -step_value(tree, c))
        chosen = (
            {
                "best": [(ranked[0], c) for c in ranked[1:]],
                "extremes": [(ranked[0], ranked[-1])] if len(ranked) > 1 else [],
                "all": [(a, b) for i, a in enumerate(ranked) for b in ranked[i + 1 :]],
            }[pairs]
            if ranked
            else []
        )
        for better, worse in chosen:
            gain = step_value(tree, better) - step_value(tree, worse)
            same = tree.payload[better] is not None and tree.payload[better] == tree.payload[worse]
            if gain > 0 and gain >= margin and not same:
                expected.add((better, worse))
    rows = trees.export([tree], "dpo", min_visits=min_visits, margin=margin, pairs=pairs)
    assert {(row["chosen_nodes"][-1], row["rejected_nodes"][-1]) for row in rows} == expected
    assert len(rows) == len(expected)


@given(grown(), st.sampled_from(["steps", "paths"]), st.sampled_from(["", "\n\n"]))
def test_pairs_share_exactly_the_prefix_they_tell(tree: trees.Tree, of: Any, separator: str) -> None:
    for row in trees.export([tree], "dpo", of=of, separator=separator, text=lambda text: text):
        k = row["prefix_steps"]
        assert row["chosen_nodes"][:k] == row["rejected_nodes"][:k]
        assert row["chosen_nodes"][k] != row["rejected_nodes"][k]
        assert tree.parent[row["chosen_nodes"][k]] == tree.parent[row["rejected_nodes"][k]]
        assert row["chosen_value"] > row["rejected_value"]
        for side in ("chosen", "rejected"):
            nodes = row[f"{side}_nodes"]
            steps = [tree.payload[node] for node in nodes]
            assert row[f"{side}_visits"] == tree.visits[nodes[k]]
            assert row[f"{side}_value"] == tree.step_value[nodes[k]]
            if None in steps:
                assert row[side] is None
            else:
                assert row[side][: row["prefix_characters"]] == row["prefix"]
                assert row[side][row["prefix_characters"] :] == separator.join(steps[k:])
            if of == "steps":
                assert len(nodes) == k + 1
            else:
                assert tree.best_path(node=nodes[-1]).tolist() == [nodes[-1]]


def test_pairs_go_on_to_the_ends_of_their_paths() -> None:
    rows = trees.export([SUM], "dpo", of="paths")
    assert [(row["chosen"], row["rejected"]) for row in rows] == [
        ("Add. Carefully. It is 4.", "Guess. 4!"),
        ("Add. Carefully. It is 4.", "Add. It is 5."),
    ]


def test_the_same_text_twice_is_no_preference() -> None:
    tree = chain([0.9, 0.1, 0.2], payload=["?", "Think.", "Think.", "Guess."])
    assert [(row["chosen"], row["rejected"]) for row in trees.export([tree], "dpo")] == [("Think.", "Guess.")]


def test_noise_is_no_preference() -> None:
    """Values of single visits differ by chance."""
    tree = chain([1.0, 0.0, 0.9, 0.5], visits=[24, 1, 1, 12, 10])
    rows = trees.export([tree], "dpo", min_visits=4)
    assert [(row["chosen_nodes"], row["rejected_nodes"]) for row in rows] == [([3], [4])]
    assert trees.export([tree], "dpo", min_visits=4, margin=0.41) == []
    assert len(trees.export([tree], "dpo", min_visits=4, margin=0.4)) == 1


def test_values_are_those_of_whoever_took_the_step() -> None:
    """With two players a child's own value is the opponent's: the greatest one is the worst step."""
    game = chain([0.8, -0.6], discount=-1)
    (row,) = trees.export([game], "dpo")
    assert (row["chosen_nodes"], row["chosen_value"], row["rejected_value"]) == ([2], 0.6, -0.8)
    steps = trees.export([game], "prm")
    assert [row["values"] for row in steps] == [[-0.8], [0.6]]
    assert steps[0]["low"][0] < -0.8 < steps[0]["high"][0]
    assert [row["nodes"] for row in trees.export([game], "sft", correct=0.5)] == [[2]]


@given(grown(), st.integers(0, 3))
def test_every_evaluated_step_is_in_order_with_its_visits(tree: trees.Tree, min_visits: int) -> None:
    rows = trees.export([tree], "prm", min_visits=min_visits, value_range=(-2, 2))
    least = max(min_visits, 1)
    seen: set[int] = set()
    for row in rows:
        nodes = row["nodes"]
        assert nodes == tree.path(nodes[-1])[1:].tolist()  # from the root on, in order
        assert row["steps"] == [tree.payload[node] for node in nodes]
        assert row["actions"] == tree.action[nodes].tolist()
        assert row["values"] == tree.step_value[nodes].tolist()
        assert row["visits"] == tree.visits[nodes].tolist()
        assert all(
            low <= value <= high for low, value, high in zip(row["low"], row["values"], row["high"], strict=True)
        )
        assert row["first_new"] == sum(node in seen for node in nodes) < len(nodes)
        assert set(nodes[: row["first_new"]]) <= seen
        seen |= set(nodes)
        assert row["terminal"] == tree.terminal[nodes[-1]]
    kept = [all(tree.visits[i] >= least for i in tree.path(node)) for node in range(len(tree))]
    assert seen == {node for node in range(1, len(tree)) if kept[node]}  # failed and rejected steps too
    assert sum(len(row["nodes"]) - row["first_new"] for row in rows) == len(seen)


def test_intervals_tell_how_little_one_visit_says() -> None:
    tree = chain([0.75, 0.75], visits=[102, 1, 100])
    one, hundred = trees.export([tree], "prm")
    assert one["high"][0] - one["low"][0] > 0.7
    assert hundred["high"][0] - hundred["low"][0] < 0.18
    wider = trees.export([tree], "prm", confidence=0.999)[1]
    assert wider["low"][0] < hundred["low"][0] < 0.75 < hundred["high"][0] < wider["high"][0]


def test_one_range_holds_for_all_trees() -> None:
    """An interval must not depend on which other values a tree happens to have."""
    positive, signed = chain([0.5]), chain([-0.5])
    alone = trees.export([positive], "prm")[0]
    both = trees.export([positive, signed], "prm")
    assert both[0]["low"] != alone["low"]
    assert both[0]["low"] == trees.export([positive], "prm", value_range=(-1, 1))[0]["low"]
    with pytest.raises(ValueError, match="value_range must be given where values leave"):
        trees.export([chain([20.0])], "prm")


def test_verdicts_are_told_of_ends_alone() -> None:
    rows = trees.export([SUM], "prm", correct=1.0)
    assert [(row["nodes"][-1], row["correct"]) for row in rows] == [(4, False), (5, True), (6, True)]
    cut = trees.export([SUM], "prm", correct=1.0, min_visits=4)
    assert [(row["nodes"], row["terminal"], row["correct"]) for row in cut] == [
        ([2], False, None),
        ([1, 3], False, None),
        ([1, 4], True, False),
    ]
    assert {row["correct"] for row in trees.export([SUM], "prm")} == {None}


def test_no_problem_is_in_two_splits() -> None:
    """Trees of one problem share its name, in any file, at any place, whatever the order."""
    texts = ["p", "q", "p"]
    forest = [chain([1.0, 0.5]) for _ in texts]
    rows = trees.export(forest, "prm", problems=texts)
    assert [row["tree"] for row in rows] == [0, 0, 1, 1, 2, 2]
    names = {row["prompt"]: row["problem"] for row in rows}
    assert {(row["prompt"], row["problem"]) for row in rows} == set(names.items())
    assert names["p"] == hashlib.sha256(b"p").hexdigest()[:16]
    assert trees.export([chain([1.0])], "prm", problems=["p"])[0]["problem"] == names["p"]
    from_root = trees.export([chain([1.0], payload=["p", "a"])], "prm")
    assert (from_root[0]["prompt"], from_root[0]["problem"]) == ("p", names["p"])
    assert {row["problem"] for row in trees.export(forest, "dpo")} == {"0", "1", "2"}
    assert {row["problem"] for row in trees.export(forest, "sft", correct=1, ids=["x", "y", "x"])} == {"x", "y"}


def test_payloads_that_are_no_texts_need_a_function() -> None:
    tree = chain([1.0], payload=["?", {"thought": "4"}])
    with pytest.raises(TypeError, match=r"payload\[1\] of tree 0 must be a text to be exported, got dict"):
        trees.export([tree], "sft", correct=1)
    rows = trees.export([tree], "sft", correct=1, text=lambda p: p if isinstance(p, str) else p["thought"])
    assert rows[0]["text"] == "4"


def test_trees_without_texts_have_actions() -> None:
    (row,) = trees.export([chain([1.0, 0.0])], "sft", correct=1)
    assert (row["text"], row["steps"], row["actions"], row["prompt"]) == (None, [None], [0], None)
    assert trees.export([trees.from_arrays([-1], [1.0])], "prm") == []


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".arrow"])
@pytest.mark.parametrize("kind", ["sft", "dpo", "prm"])
def test_files_hold_the_rows(kind: Any, suffix: str, tmp_path: Path) -> None:
    texts = [text for text in HOSTILE if text.isascii() or text.encode("utf-8", "ignore").decode() == text]
    tree = chain([1.0, *([0.25] * (len(texts) - 1))], payload=["root", *texts])
    options: dict[str, Any] = {"correct": 0.25, "which": "all"} if kind == "sft" else {}
    forest = [tree, chain([1.0, 0.0])]
    rows = trees.export(forest, kind, **options)
    path = tmp_path / f"data{suffix}"
    assert trees.export(forest, kind, path, **options) == len(rows)
    if suffix == ".jsonl":
        lines = path.read_bytes().decode("ascii").split("\n")
        assert lines.pop() == ""
        assert [json.loads(line) for line in lines] == rows
    else:
        pytest.importorskip("pyarrow")
        import pyarrow.feather
        import pyarrow.parquet

        read = pyarrow.parquet.read_table if suffix == ".parquet" else pyarrow.feather.read_table
        table = read(path)
        assert table.to_pylist() == rows
        assert table.column_names == list(rows[0])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_surrogates_survive_json(tmp_path: Path) -> None:
    tree = chain([1.0], payload=["?", "half \ud800"])
    trees.export([tree], "sft", tmp_path / "a.jsonl", correct=1)
    assert json.loads((tmp_path / "a.jsonl").read_text())["text"] == "half \ud800"


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("what was there before\n")
    bad = chain([1.0, 0.5], payload=["?", "fine", 7])
    with pytest.raises(TypeError, match="payload"):
        trees.export([SUM, bad], "prm", path)
    assert path.read_text() == "what was there before\n"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_of_another_order_or_schema_do_not_slip_in(tmp_path: Path) -> None:
    from slowthink.trees._rows import COLUMNS

    for kind in ("sft", "dpo", "prm"):
        rows = trees.export([SUM], kind, **({"correct": 1} if kind == "sft" else {}))  # type: ignore[arg-type]
        assert all(list(row) == list(COLUMNS[kind]) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "rlhf"}, "kind must be 'sft', 'dpo' or 'prm', got 'rlhf'"),
        ({"kind": "prm", "margin": 0.1}, "margin must be left out of 'prm': it belongs to 'dpo', got 0.1"),
        ({"kind": "dpo", "correct": 1.0}, "correct must be left out of 'dpo': it belongs to 'sft' and 'prm'"),
        ({"kind": "dpo", "margin": -1.0}, "margin must be at least 0"),
        ({"kind": "dpo", "pairs": "some"}, "pairs must be 'best', 'extremes' or 'all'"),
        ({"kind": "dpo", "of": "words"}, "of must be 'steps' or 'paths'"),
        ({"kind": "sft", "correct": 1, "which": "first"}, "which must be 'best', 'longest', 'shortest' or 'all'"),
        ({"kind": "prm", "confidence": 2}, "confidence must be above 0 and below 1, got 2"),
        ({"kind": "prm", "min_visits": -1}, "min_visits must be at least 0"),
        ({"kind": "prm", "path": "rows.csv"}, "path must end in .jsonl, .parquet or .arrow, got 'rows.csv'"),
        ({"kind": "prm", "problems": ["a", "b"]}, "problems must have an entry for each of the 1 trees, got 2"),
        ({"kind": "prm", "problems": "a"}, "problems must have an entry for each of the 1 trees, got a text"),
        ({"kind": "prm", "problems": [7]}, r"problems\[0\] must be a text or None, got int"),
        ({"kind": "prm", "trees": SUM}, "trees must be a Forest or a sequence of Tree, got Tree"),
        ({"kind": "dpo", "trees": 5}, "trees must be a Forest or a sequence of Tree, got int"),
        ({"kind": "dpo", "trees": [SUM, 5]}, r"trees\[1\] must be a Tree, got int"),
        ({"kind": "dpo", "text": 5}, "text must be a function of a payload, got int"),
        ({"kind": "dpo", "ids": 5}, "ids must be a sequence, got int"),
        ({"kind": "prm", "ids": []}, "ids must have an entry for each of the 1 trees, got 0"),
        ({"kind": "prm", "separator": None}, "separator must be a text, got NoneType"),
        ({"kind": "sft", "correct": "right"}, r"correct must name a column of Tree.extra, \[\], got 'right'"),
        ({"kind": "sft", "correct": [[True]]}, "correct must be True or False for each of the 7 nodes of tree 0"),
        ({"kind": "sft", "correct": []}, "correct must have a mask for each tree, got none for tree 0"),
        ({"kind": "sft", "correct": True}, "correct must be a threshold, or a mask of nodes, got True"),
    ],
)
def test_bad_options_are_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        trees.export(**{"trees": [SUM], **arguments})


def test_large_trees_are_searched_for_pairs_by_arrays() -> None:
    n = 200_000
    parent = np.concatenate([[-1], (np.arange(1, n) - 1) // 8])
    tree = trees.from_arrays(parent, (np.arange(n) * 7919 % 1009) / 1008)
    rows = trees.export([tree], "dpo", min_visits=4000, pairs="extremes")
    assert rows
    assert all(min(row["chosen_visits"], row["rejected_visits"]) >= 4000 for row in rows)


def test_a_forest_exports_its_trees(tmp_path: Path) -> None:
    forest = trees.Forest(3, trees.Uct(), rng=1)
    forest.tell(forest.ask(3), 0.5, n_children=2, payload=["p", "q", "p"])
    for value in (0.25, 0.75):
        forest.tell(forest.ask(3), value, terminal=True, payload=[f"worth {value}"] * 3)
    for kind, options in (("sft", {"correct": 0.5}), ("dpo", {"margin": 0.5}), ("prm", {"confidence": 0.9})):
        rows = forest.export(kind, **options)  # type: ignore[arg-type]
        assert rows == trees.export(list(forest), kind, **options)  # type: ignore[arg-type]
        assert len({row["problem"] for row in rows}) == 2  # type: ignore[union-attr]
        assert forest.export(kind, tmp_path / "rows.jsonl", **options) == len(rows)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword"):
        forest.export("prm", minimum=1)


def test_nothing_hangs_below_what_was_left_out() -> None:
    """An imported tree may count more visits below a node than at it."""
    tree = trees.from_arrays([-1, 0, 1, 0], [0.5, 0.5, 0.75, 0.25], visits=[9, 1, 7, 5])
    assert [row["nodes"] for row in trees.export([tree], "prm", min_visits=2)] == [[3]]


def test_pairs_come_from_the_best_down() -> None:
    rows = trees.export([chain([0.2, 0.9, 0.5])], "dpo", pairs="all")
    assert [(row["chosen_nodes"], row["rejected_nodes"]) for row in rows] == [([2], [3]), ([2], [1]), ([3], [1])]
