"""Forests: ask, tell and cancel in any order and grouping; what a tell takes; problems written in Python."""

from __future__ import annotations

import doctest
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.trees import Forest, Puct, Tree, Uct

COLUMNS = ("parent", "action", "depth", "visits", "in_flight", "value", "reward", "prior", "n_children")


def same(a: Tree, b: Tree) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in COLUMNS)


def assert_sound(tree: Tree) -> None:
    """What holds in every tree: a node's visits are one more than those of its children; parents stand in front."""
    below = np.zeros(tree.n_nodes, np.int64)
    np.add.at(below, tree.parent[1:], (tree.visits + tree.in_flight)[1:])
    all_visits = tree.visits + tree.in_flight
    expanded = (tree.n_children > 0) & (below > 0)
    assert (all_visits[expanded] == below[expanded] + 1).all()
    assert (tree.parent < np.arange(tree.n_nodes)).all()
    assert (tree.depth[1:] == tree.depth[tree.parent[1:]] + 1).all()
    assert tree.visits[0] == tree.n_simulations
    assert np.isnan(tree.value[tree.visits == 0]).all()
    assert np.isfinite(tree.value[tree.visits > 0]).all()


def scored(leaves: Any, i: int) -> tuple[float, int]:
    """A value and a number of children that follow from the leaf's path and tree."""
    code = hash((int(leaves.tree[i]), tuple(leaves.path(i))))
    return (code % 1000) / 1000, (code // 1000) % 4


def step(forest: Forest, n: int) -> int:
    """Asks for n leaves and tells them, none of them terminal; returns how many there were."""
    leaves = forest.ask(n)
    told = [scored(leaves, i) for i in range(len(leaves))]
    if told:
        forest.tell(leaves, [value for value, _ in told], n_children=[count + 1 for _, count in told])
    return len(leaves)


policies = st.sampled_from([Uct(), Uct(c=0.3, fpu=0.5), Puct(), Puct(q_transform="raw", fpu=("parent", 0.1))])


@given(
    policies, st.lists(st.tuples(st.sampled_from(["ask", "tell", "cancel"]), st.integers(1, 9)), max_size=60), st.data()
)
def test_any_order_of_calls_leaves_sound_trees(policy: Any, calls: list[tuple[str, int]], data: st.DataObject) -> None:
    forest = Forest(3, policy, rng=1)
    held: dict[int, tuple[float, int]] = {}
    spent: list[int] = []
    for call, n in calls:
        if call == "ask":
            leaves = forest.ask(n)
            assert len(set(leaves.ticket.tolist())) == len(leaves) <= n
            held.update((int(ticket), scored(leaves, i)) for i, ticket in enumerate(leaves.ticket))
        elif held:
            some = data.draw(st.lists(st.sampled_from(sorted(held)), unique=True, max_size=n))
            told = [held.pop(ticket) for ticket in some]
            before = [forest.tree(i) for i in range(3)]
            if call == "tell":
                done = forest.tell(some, [value for value, _ in told], n_children=[count for _, count in told])
            else:
                done = forest.cancel(some)
            assert done == len(some)
            spent += some
            if not some:
                assert all(map(same, before, [forest.tree(i) for i in range(3)]))
        # Late and double answers change nothing.
        trees = [forest.tree(i) for i in range(3)]
        assert forest.tell(spent, 0.9, n_children=2) == forest.cancel(spent) == 0
        assert all(map(same, trees, [forest.tree(i) for i in range(3)]))
        assert forest.n_in_flight == len(held) == sum(int(tree.in_flight[0]) for tree in trees)
        for tree in trees:
            assert_sound(tree)


@given(policies, st.integers(0, 60), st.integers(1, 40), st.sampled_from(["count", ("loss", 0.0)]))
def test_cancel_restores_everything(policy: Any, n_told: int, n_asked: int, in_flight: Any) -> None:
    forest = Forest(2, policy, rng=1, in_flight=in_flight)
    for _ in range(n_told):
        step(forest, 1)
    before = [forest.tree(i) for i in range(2)]
    leaves = forest.ask(n_asked)
    assert forest.cancel(leaves) == len(leaves)
    for i, old in enumerate(before):
        new = forest.tree(i)
        for name in COLUMNS:
            assert np.array_equal(getattr(new, name)[: old.n_nodes], getattr(old, name), equal_nan=True), name
        # The walks may have made room for children.
        assert not (new.visits + new.in_flight)[old.n_nodes :].any()


@given(policies, st.integers(1, 5), st.integers(0, 2**40))
def test_a_forest_is_its_trees(policy: Any, n_trees: int, first: int) -> None:
    """T trees are T forests of one tree with `first=`, whatever else happens in between."""
    forest = Forest(n_trees, policy, rng=5, first=first, n_simulations=40)
    while step_each(forest, 0):
        pass
    for i in range(n_trees):
        single = Forest(1, policy, rng=5, first=first + i, n_simulations=40)
        while step_each(single, i):
            pass
        assert same(forest.tree(i), single.tree(0))


def step_each(forest: Forest, offset: int) -> int:
    """One leaf of each tree, told one by one."""
    leaves = forest.ask(forest.n_trees, per_tree=1)
    for i, ticket in enumerate(leaves.ticket):
        code = hash((int(leaves.tree[i]) + offset, tuple(leaves.path(i))))
        forest.tell([ticket], (code % 1000) / 1000, n_children=(code // 1000) % 4)
    return len(leaves)


@given(policies, st.lists(st.integers(1, 12), min_size=1, max_size=12), st.data())
def test_grouping_of_tells_does_not_matter(policy: Any, batches: list[int], data: st.DataObject) -> None:
    together, apart = (Forest(3, policy, rng=2) for _ in range(2))
    for n in batches:
        leaves, others = together.ask(n), apart.ask(n)
        assert leaves.node.tolist() == others.node.tolist()
        assert leaves.tree.tolist() == others.tree.tolist()
        told = [scored(leaves, i) for i in range(len(leaves))]
        if not told:
            continue
        values, counts = np.array([value for value, _ in told]), np.array([count for _, count in told])
        together.tell(leaves, values, n_children=counts)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
        for a, b in zip([0, *cuts], [*cuts, len(told)], strict=True):
            apart.tell(others.ticket[a:b], values[a:b], n_children=counts[a:b])
    assert all(same(together.tree(i), apart.tree(i)) for i in range(3))


def test_leaves_read_as_arrays() -> None:
    forest = Forest(2, Uct())
    leaves = forest.ask(5)
    assert len(leaves) == 2
    assert repr(leaves) == "Leaves(2 leaves: tree 0 node 0 path []; tree 1 node 0 path [])"
    forest.tell(leaves, 0.5, n_children=3)
    leaves = forest.ask(4)
    dtypes = {"ticket": "u8", "tree": "u4", "node": "u4", "parent": "i8", "action": "i8", "depth": "u4", "kind": "u1"}
    for name, dtype in dtypes.items():
        column = getattr(leaves, name)
        assert column is getattr(leaves, name)
        assert column.dtype == dtype
        assert column.shape == (4,)
    assert leaves.tree.tolist() == [0, 1, 0, 1]
    assert leaves.action.tolist() == [0, 0, 1, 1]
    assert [leaves.path(i) for i in range(4)] == [[0], [0], [1], [1]]
    assert leaves.path(-1) == [1]
    for i in (4, -5):
        with pytest.raises(IndexError):
            leaves.path(i)


def told(**arguments: Any) -> Tree:
    """A tree of a root with four children, three of them told by `arguments`."""
    forest = Forest(1, Puct())
    forest.tell(forest.ask(1), 0.5, n_children=4)
    forest.tell(forest.ask(3), **arguments)
    leaves = forest.ask(4)  # makes room for their children
    forest.cancel(leaves)
    return forest.tree(0)


def test_a_tell_takes_numbers_and_arrays() -> None:
    plain = told(values=0.25, n_children=2, rewards=0.5, players=0, cost=2.0)
    for three in (np.array, list, tuple, lambda x: np.array(x, dtype=object), lambda x: np.array(x * 2)[:3]):
        arguments = {
            "values": three([0.25, 0.25, 0.25]),
            "n_children": three([2, 2, 2]),
            "rewards": three([0.5, 0.5, 0.5]),
            "players": three([0, 0, 0]),
            "cost": three([2, 2, 2]),
        }
        assert same(told(**arguments), plain)
    narrow = told(
        values=np.float32(0.25), n_children=np.int8(2), rewards=np.array([0.5] * 3, "f4"), players=np.uint8(0)
    )
    assert same(narrow, plain)
    assert plain.cost == 6
    assert same(told(values=0.25, terminal=True), told(values=0.25, n_children=0))
    assert same(
        told(values=0.25, terminal=[True] * 3), told(values=0.25, n_children=[2, 3, 4], terminal=np.ones(3, bool))
    )


def test_priors_are_rows_or_flat() -> None:
    rows = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    counts = [2, 3, 1]
    flat = np.concatenate([row[:n] for row, n in zip(rows, counts, strict=True)])
    given_rows = told(values=[0.9, 0.8, 0.7], n_children=counts, priors=rows)
    assert same(told(values=[0.9, 0.8, 0.7], n_children=counts, priors=rows.astype("f4")), given_rows)
    assert same(told(values=[0.9, 0.8, 0.7], n_children=counts, priors=flat), given_rows)
    assert given_rows.prior[5:11].astype("f4").tolist() == flat.astype("f4").tolist()


def test_children_first_value_later() -> None:
    forest = Forest(1, Uct())
    root = forest.ask(1)
    assert forest.tell(root, n_children=2) == 0
    tree = forest.tree(0)
    assert (tree.n_simulations, tree.n_nodes, tree.in_flight[0]) == (0, 3, 1)
    children = forest.ask(8)
    assert children.action.tolist() == [0, 1]
    assert forest.tell(children, [0.25, 0.75], terminal=True) == 2
    assert forest.tell(root, 0.5) == 1
    tree = forest.tree(0)
    assert tree.visits.tolist() == [3, 1, 1]
    assert tree.value.tolist() == [0.5, 0.25, 0.75]


def test_texts_are_kept_by_node() -> None:
    forest = Forest(2, Uct())
    leaves = forest.ask(2)
    forest.tell(leaves, 0.5, n_children=2, payload=["a", "b"])
    forest.tell(leaves, 0.5, n_children=2, payload=["late", "late"])
    forest.tell(forest.ask(2), 0.5, n_children=2, payload=[None, "ünï\n"])
    assert forest.tree(0).payload == ["a", None, None]
    assert forest.tree(1).payload == ["b", "ünï\n", None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [0.1, float("nan"), 0.2], "n_children": 2}, r"values\[1\] must be finite, got nan"),
        ({"values": np.array([0.1, np.inf, 0.2]), "n_children": 2}, r"values\[1\] must be finite"),
        ({"values": 1e300, "n_children": 2}, r"values must be finite in single precision"),
        (
            {"values": [0.1, 0.2], "n_children": 2},
            r"values must have one value for each of the 3 tickets, got 2 values",
        ),
        ({"values": 0.5}, r"n_children\[0\] must be told with or before the value, unless terminal"),
        ({}, r"values must be given"),
        ({"values": 0.5, "n_children": [1, -1, 2]}, r"n_children\[1\] must be at least 0"),
        ({"values": 0.5, "n_children": [1, 1.5, 2]}, r"n_children\[1\] must be a whole number, got 1.5"),
        ({"values": 0.5, "n_children": 2**40}, r"n_children must be at least 0 and below 2\^31 - 2"),
        ({"values": 0.5, "n_children": 2, "priors": [[0.5, -0.5]] * 3}, r"priors\[1\] must be at least 0"),
        ({"values": 0.5, "n_children": 2, "priors": [[1.0]] * 3}, r"priors\[0\] must have a column for each"),
        ({"values": 0.5, "n_children": 2, "priors": [1.0] * 5}, r"priors must have 6 values"),
        ({"values": 0.5, "n_children": 2, "players": [0, 2, 1]}, r"players\[1\] must be 0 or 1, got 2"),
        ({"values": 0.5, "n_children": 2, "cost": -1}, r"cost must be at least 0"),
        ({"values": 0.5, "n_children": 2, "payload": ["a"]}, r"payload must have one value for each of the 3 tickets"),
        ({"values": 0.5, "n_children": 2, "payload": ["a", "\ud800", "b"]}, r"payload\[1\] must be valid text"),
    ],
)
def test_a_tell_that_is_wrong_changes_nothing(arguments: dict[str, Any], message: str) -> None:
    forest = Forest(1, Puct())
    forest.tell(forest.ask(1), 0.5, n_children=4)
    leaves = forest.ask(3)
    before = forest.tree(0)
    with pytest.raises(ValueError, match=message):
        forest.tell(leaves, **arguments)
    assert same(before, forest.tree(0))
    assert forest.tell(leaves, 0.5, n_children=2) == 3


def test_leaves_of_another_forest_are_refused() -> None:
    forest, other = Forest(1), Forest(1)
    with pytest.raises(ValueError, match="tickets must be leaves of this forest"):
        forest.tell(other.ask(1), 0.5, n_children=2)


def test_limits_and_depth() -> None:
    forest = Forest(2, Uct(), n_simulations=10, max_depth=2)
    while step(forest, 3):
        pass
    assert forest.simulations.tolist() == [10, 10]
    assert forest.done.all()
    assert forest.tree(0).depth[forest.tree(0).visits > 0].max() <= 2
    with pytest.raises(ValueError, match="i must be at least 0 and at most 1, got 2"):
        forest.tree(2)


class Walk:
    """Steps of 1 or 2 up to 9; a reward of 1 for each step of 2."""

    def root(self, tree: int) -> int:
        return tree

    def n_actions(self, state: int) -> int:
        return 2 if state < 9 else 0

    def step(self, state: int, action: int) -> tuple[int, float]:
        return state + 1 + action, float(action)

    def value(self, state: int, rng: np.random.Generator) -> float:
        return float(rng.random()) if state < 9 else 0.0


class Game(Walk):
    """The same for two players, with opinions."""

    def player(self, state: int) -> int:
        return state % 2

    def priors(self, state: int) -> list[float]:
        return [0.25, 0.75]


@pytest.mark.parametrize("problem", [Walk(), Game()])
@pytest.mark.parametrize("policy", [Uct(), Puct()])
def test_a_problem_in_python(problem: Any, policy: Any) -> None:
    forest = Forest(3, policy, rng=3)
    reports: list[tuple[int, int]] = []
    forest.run(problem, 30, progress=lambda done, total: reports.append((done, total)))
    forest.run(problem, 20)
    assert forest.simulations.tolist() == [50, 50, 50]
    assert reports[-1] == (90, 90)
    assert forest.n_in_flight == 0
    for i in range(3):
        assert_sound(forest.tree(i))
        again = Forest(1, policy, rng=3, first=i)
        again.run(problem, 30)
        again.run(problem, 20)
        assert same(forest.tree(i), again.tree(0))
    rewards = forest.tree(0).reward[forest.tree(0).visits > 0]
    assert set(rewards.tolist()) == {0.0, 1.0}


def test_a_problem_that_fails_leaves_nothing_in_flight() -> None:
    class Failing(Walk):
        def value(self, state: int, rng: np.random.Generator) -> float:
            if state > 3:
                raise KeyError(state)
            return 0.5

    forest = Forest(2, Uct())
    with pytest.raises(KeyError):
        forest.run(Failing(), 30)
    assert forest.n_in_flight == 0
    assert forest._limits() == [2**32 - 1] * 2
    forest.run(Walk(), 30)
    assert (forest.simulations >= 30).all()


def test_threads_may_share_a_forest() -> None:
    forest = Forest(64, Uct(), n_simulations=500)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while len(leaves := forest.ask(50_000)) or not forest.done.all():
                forest.tell(leaves, 0.5, n_children=3)
                forest.tree(3)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert forest.simulations.tolist() == [500] * 64
    assert_sound(forest.tree(7))


@pytest.mark.parametrize("method", [Forest.ask, Forest.tell, Forest.cancel])
def test_compiled_methods_are_documented(method: Callable[..., Any]) -> None:
    """Their examples would not be found with those of the package."""
    assert method.__doc__
    assert "Parameters\n----------" in method.__doc__
    for test in doctest.DocTestFinder().find(method, method.__name__):
        assert doctest.DocTestRunner().run(test).failed == 0
