"""Best paths, votes, and trees as text."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats
from grown import HOSTILE, chain, children, grown, step_value
from hypothesis import given
from hypothesis import strategies as st
from slowthink import trees
from slowthink.problems import TicTacToe


@given(grown())
def test_children_and_step_values_are_their_twins(tree: trees.Tree) -> None:
    for node in range(len(tree)):
        assert tree.children(node).tolist() == children(tree, node)
        np.testing.assert_equal(tree.step_value[node], step_value(tree, node))
        path = tree.path(node)
        assert path[0] == 0
        assert path[-1] == node
        assert len(path) == tree.depth[node] + 1
        assert all(tree.parent[b] == a for a, b in pairwise(path))


def best_return(tree: trees.Tree, node: int) -> float:
    """The twin of ``by="max"`` within a subtree: the node's view of the best way down."""
    seen = [child for child in children(tree, node) if tree.visits[child]]
    two = tree.discount < 0 or (tree.player is not None and len(set(tree.player)) > 1)
    ends = any(tree.terminal[i] and tree.visits[i] for i in range(len(tree)))
    if ends and not two:
        if tree.terminal[node] and tree.visits[node]:
            return float(tree.value[node])
    elif not seen:
        return float(tree.value[node])
    returns = []
    for child in seen:
        below = best_return(tree, child)
        factor = tree.discount
        if tree.player is not None:
            factor = abs(factor) * (1 if tree.player[child] == tree.player[node] else -1)
        if below > -np.inf:
            returns.append(float(tree.reward[child]) + factor * below)
    return max(returns, default=-np.inf)


@given(grown(), st.sampled_from(["visits", "value", "max"]))
def test_best_path_goes_down_the_first_best_child(tree: trees.Tree, by: trees.By) -> None:
    def score(child: int) -> float:
        if by == "visits":
            return float(tree.visits[child])
        if by == "value":
            return step_value(tree, child)
        below = best_return(tree, child)
        factor = tree.discount
        if tree.player is not None:
            factor = abs(factor) * (1 if tree.player[child] == tree.player[tree.parent[child]] else -1)
        return float(tree.reward[child]) + factor * below if below > -np.inf else -np.inf

    path = [0]
    while True:
        options = [c for c in children(tree, path[-1]) if tree.visits[c] and score(c) > -np.inf]
        if not options:
            break
        path.append(max(options, key=score))  # the first of equals
    assert tree.best_path(by).tolist() == path
    assert tree.best_child(0, by) == (path[1] if len(path) > 1 else None)


def test_robust_and_max_child_differ() -> None:
    """One lucky visit must not beat a hundred good ones, except where it is asked for."""
    tree = trees.from_arrays([-1, 0, 0, 0], [0.6, 0.6, 0.8, 0.9], visits=[100, 70, 28, 1])
    firsts = {by: tree.best_child(by=by) for by in ("visits", "lower_bound", "value", "max")}
    assert firsts == {"visits": 1, "lower_bound": 2, "value": 3, "max": 3}


def test_the_lower_bound_is_wilsons() -> None:
    from slowthink.trees._nodes import wilson

    wins, n = np.array([0, 1, 7, 19, 20]), np.array([1, 3, 10, 20, 20])
    low, high = wilson(wins / n, n, (0.0, 1.0), 1.959963984540054)
    exact = [scipy.stats.binomtest(int(k), int(m)).proportion_ci(method="wilson") for k, m in zip(wins, n, strict=True)]
    expected = np.array(exact)
    np.testing.assert_allclose(np.stack([low, high], axis=1), expected, rtol=1e-12, atol=1e-15)
    scaled = wilson(wins / n * 2 - 1, n, (-1.0, 1.0), 1.959963984540054)
    np.testing.assert_allclose(scaled[0], low * 2 - 1, atol=1e-12)
    np.testing.assert_allclose(scaled[1], high * 2 - 1, atol=1e-12)


def test_two_players_each_take_the_best_for_themselves() -> None:
    # The root's player would like node 3 (value 1 for it), but the opponent chooses 4.
    tree = trees.from_arrays([-1, 0, 0, 1, 1, 2], [0.0, -0.5, 0.0, 1.0, -1.0, 0.25], discount=-1)
    assert tree.best_path("max").tolist() == [0, 2, 5]
    assert tree.best_path("value")[1] == 1  # whose value is bad for the opponent, who moves there


def test_a_player_who_moves_twice_keeps_the_sign() -> None:
    tree = trees.from_arrays([-1, 0, 0], [0.0, 0.7, 0.7], player=[0, 0, 1])
    assert tree.step_value[1:].tolist() == [0.7, -0.7]


def test_max_prefers_ends_to_promises() -> None:
    """A half-written proof with a score of 0.95 is no answer."""
    tree = trees.from_arrays([-1, 0, 0], [0.5, 0.95, 0.8], terminal=[False, False, True])
    assert tree.best_path("max").tolist() == [0, 2]
    assert tree.best_path("value").tolist() == [0, 1]


def test_a_game_that_ended_somewhere_goes_on_elsewhere() -> None:
    """Of two players neither is bound to play towards the ends that happen to have been reached."""
    tree = trees.from_arrays([-1, 0, 0], [0.5, -0.9, 0.5], terminal=[False, False, True], discount=-1)
    assert tree.best_path("max").tolist() == [0, 1]


def test_votes() -> None:
    answers = [None, "7", "3", "3", None, "9"]
    tree = chain([0.9, 0.5, 0.5, 1.0, 0.25], visits=[6, 1, 1, 1, 1, 1])
    assert list(tree.vote(answers).items()) == [("3", 1.0), ("7", 0.9), ("9", 0.25)]
    assert tree.vote(answers, weights=None) == {"3": 2.0, "7": 1.0, "9": 1.0}
    assert tree.vote({1: 7, 5: 9}) == {7: 0.9, 9: 0.25}
    assert tree.vote(answers, weights=[0, 5, 1, 1, 1, 1]) == {"7": 5.0, "3": 2.0, "9": 1.0}
    assert list(tree.vote(answers, weights="visits")) == ["3", "7", "9"]


def test_only_ends_that_were_evaluated_vote() -> None:
    tree = trees.from_arrays([-1, 0, 1, 0], [0.5, 0.9, np.nan, 0.4])
    assert tree.vote(["r", "inner", "never evaluated", "end"]) == {"end": 0.4}


def test_a_right_answer_counts_as_much_at_any_depth() -> None:
    tree = trees.from_arrays([-1, 0, 0, 1], [0.5, 0.9, 1.0, 1.0], discount=0.9)
    assert tree.vote(["", "", "short", "long"]) == {"short": 1.0, "long": 1.0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a"],), "answers must have an entry for each of the 3 nodes, got 1"),
        (({7: "a"},), "answers must be given by node, 0 to 2, got 7"),
        (([None, [], "b"],), r"answers\[1\] must be hashable, got list"),
        (("abc",), "answers must be a sequence, a mapping or a function, got str"),
        ((["r", "a", "b"], "votes"), "weights must be 'value' or 'visits'"),
        ((["r", "a", "b"], [1.0, -1.0, 1.0]), r"weights\[1\] must be at least 0 and finite, got -1"),
        ((["r", "a", "b"], [1.0, 1.0]), "weights must have an entry for each of the 3 nodes, got 2"),
    ],
)
def test_votes_that_cannot_be_counted(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        chain([0.5, 0.5]).vote(*arguments)  # type: ignore[arg-type]


def test_values_below_zero_are_no_votes() -> None:
    with pytest.raises(ValueError, match="values below 0 cannot be votes"):
        chain([0.5, -0.5]).vote(["r", "a", "b"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t.children(3), "node must be at least 0 and below the number of nodes, 3, got 3"),
        (lambda t: t.path(-1), "node must be at least 0"),
        (lambda t: t.best_path("best"), "by must be 'visits', 'value', 'lower_bound' or 'max', got 'best'"),
        (lambda t: t.best_path("lower_bound", confidence=1.0), "confidence must be above 0 and below 1, got 1.0"),
        (lambda t: t.best_path("lower_bound", value_range=(0, 0.5)), "value_range must hold every value"),
        (lambda t: t.best_path("lower_bound", value_range=(1, 0)), "value_range must be two numbers, the lower first"),
        (lambda t: t.to_text(max_nodes=0), "max_nodes must be at least 1"),
        (lambda t: t.to_text(width=3), "width must be at least 20"),
    ],
)
def test_bad_arguments_are_named(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(chain([0.5, 0.75]))  # type: ignore[operator]


def test_a_range_that_cannot_be_guessed_must_be_given() -> None:
    tree = chain([20.0, 60.0])
    with pytest.raises(ValueError, match=r"value_range must be given where values leave \[-1, 1\]: there are 20 to 60"):
        tree.best_path("lower_bound")
    assert tree.best_child(by="lower_bound", value_range=(0, 60)) == 2


def test_hidden_nodes_are_counted_however_deep_they_are() -> None:
    line = trees.from_arrays(range(-1, 30), [0.5] * 31)
    assert line.to_text(max_nodes=25, width=20).endswith("\n…      └─ … 1 below")


@given(grown(), st.integers(1, 50), st.integers(20, 90))
def test_every_node_has_a_line_or_is_counted(tree: trees.Tree, most: int, width: int) -> None:
    lines = tree.to_text(max_nodes=most, width=width).split("\n")
    nodes = [line for line in lines[1:] if "N=" in line and "… " not in line.split("N=")[0]]
    hidden = [int(re.search(r"└─ … ([\d,]+) (more|below)", line).group(1)) for line in lines if "─ … " in line]
    assert len(lines) == 1 + min(most, len(tree)) + len(hidden)
    assert all(character.isprintable() for line in lines for character in line)
    if most >= len(tree):
        assert not hidden
        assert len(nodes) <= len(tree)
    else:
        assert sum(hidden) >= 1


def test_hostile_texts_stay_on_their_line() -> None:
    tree = chain([0.5] * (len(HOSTILE) - 1), payload=HOSTILE)
    text = tree.to_text(width=60)
    assert len(text.split("\n")) == len(HOSTILE) + 1
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31mred" in text


def test_wide_characters_take_two_columns() -> None:
    line = chain([0.5], payload=[None, "中文字" * 30]).to_text(width=40).split("\n")[2]
    cells = sum(2 if "一" <= character <= "鿿" else 1 for character in line)
    assert cells in (39, 40)
    assert line.endswith("…")


def test_deep_trees_stay_in_the_window() -> None:
    n = 300
    tree = trees.from_arrays([-1, *range(n - 1)], [0.5] * n, payload=[f"step {i}" for i in range(n)])
    lines = tree.to_text(max_nodes=n, width=60).split("\n")
    assert max(map(len, lines)) <= 60
    assert "N=1 Q=0.5" in lines[-1]


def test_print_shows_the_best_first() -> None:
    tree = trees.from_arrays(
        [-1, 0, 0, 2], [0.5, 0.25, 0.75, 1.0], visits=[10, 2, 7, 6], prior=[np.nan, 0.5, 0.5, 1.0], payload=list("rabc")
    )
    assert str(tree).split("\n") == [
        "tree of 4 nodes, 4 evaluated, 2 terminal, depth 2",
        "N=10 Q=0.5  r",
        "├─ 1: N=7 Q=0.75 P=0.5  b",
        "│  └─ 0: N=6 Q=1 P=1 ■  c",
        "└─ 0: N=2 Q=0.25 P=0.5 ■  a",
    ]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_what_to_dot_writes() -> None:
    tree = chain([0.5] * (len(HOSTILE) - 1), payload=HOSTILE)
    for most in (4, 500):
        source = tree.to_dot(max_nodes=most, max_characters=200)
        done = subprocess.run(["dot", "-Tplain"], input=source.encode(), capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert b"rror" not in done.stderr
        names = [line.split()[1] for line in done.stdout.decode().splitlines() if line.startswith("node ")]
        assert [name for name in names if name != "more0"] == [str(i) for i in range(min(most, len(HOSTILE)))]


@given(grown())
def test_dot_has_each_node_once_and_quotes_what_it_holds(tree: trees.Tree) -> None:
    lines = tree.to_dot().rstrip("\n").split("\n")
    inside = lines[3:-1]
    assert len(inside) == 2 * len(tree) - 1
    quoted = re.compile(r'  (\d+ -> )?\d+ \[label="([^"\\]|\\.)*"[^"]*("[^"]*"[^"]*)*\];')
    assert all(quoted.fullmatch(line) for line in inside), inside
    assert "\0" not in "".join(lines)


def test_a_million_nodes_need_no_loop_in_python() -> None:
    n = 1_000_000
    parent = np.concatenate([[-1], (np.arange(1, n) - 1) // 4])
    tree = trees.from_arrays(parent, (np.arange(n) % 97) / 96)
    for by in ("visits", "value", "lower_bound", "max"):
        path = tree.best_path(by)
        assert len(path) == tree.depth.max() + 1 or by != "visits"
    assert len(str(tree).split("\n")) > 40
    assert len(tree.to_dot()) < 200_000


def test_trees_of_a_forest_tell_where_paths_end() -> None:
    """Unexpanded is not terminal, in trees whose children are counted and in those that widen."""
    for forest in (trees.Forest(1, trees.Uct()), trees.Forest(1, trees.Uct(), widening=(3.0, 0.0))):
        forest.tell(forest.ask(1), 0.5, n_children=3, payload=["?"])
        leaves = forest.ask(3, per_tree=3)
        texts = ["end", "inner", "inner"][: len(leaves)]
        forest.tell(leaves.ticket[:1], 0.5, terminal=True, payload=texts[:1])
        forest.tell(leaves.ticket[1:2], 0.75, n_children=2, payload=texts[1:2])
        tree = forest.tree(0)
        ends = [tree.payload[node] for node in np.flatnonzero(tree.terminal)]
        assert ends == ["end"]
        assert tree.vote(tree.payload) == {"end": 0.5}
        assert tree.best_path("max").tolist() == [0, leaves.node[0]]
        assert [tree.payload[node] for node in tree.best_path("value")] == ["?", "inner"]


def test_games_are_seen_by_whoever_moves() -> None:
    forest = trees.Forest(2, trees.Uct(c=1.0), rng=1, discount=-1.0)
    forest.run(TicTacToe(), 3000)
    for tree in forest:
        assert tree.discount == -1
        best = tree.children()[np.nanargmax(tree.step_value[tree.children()])]
        assert tree.best_child(by="value") == best
        # The mean of the root is that of its own evaluation and of its children's step values.
        below = tree.children()
        total = (tree.visits[below] * tree.step_value[below]).sum()
        assert abs(tree.value[0] * tree.visits[0] - total) <= 1.0 + 1e-6
        assert (tree.terminal <= (tree.n_children == 0)).all()
        assert tree.best_path()[1] == 5  # the middle


def test_players_are_told_with_the_leaves() -> None:
    forest = trees.Forest(1, trees.Uct(), discount=1.0)
    forest.tell(forest.ask(1), 0.0, n_children=2, players=[0])
    forest.tell(forest.ask(2), [0.25, 0.75], n_children=2, players=[0, 1])
    tree = forest.tree(0)
    assert tree.player is not None
    assert tree.player.tolist()[:3] == [0, 0, 1]
    assert tree.step_value[1:3].tolist() == [0.25, -0.75]
