"""Transpositions: states that are reached in several ways are searched once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slowthink.problems import TicTacToe
from slowthink.trees import Forest, Gumbel, Puct, Uct


def steps_and_ones(path: list[int]) -> int:
    """A state that does not depend on the order of the actions, as a key that needs all 64 bits."""
    return 2**64 - 1 - 100 * len(path) - sum(path)


def grow(forest: Forest, n: int, depth: int = 6, at_once: int = 1) -> None:
    """Tells up to n simulations of a search among sums of bits."""
    for _ in range(n // at_once):
        leaves = forest.ask(at_once)
        if not len(leaves):
            return
        paths = [leaves.path(i) for i in range(len(leaves))]
        values = [np.sin(steps_and_ones(path) % 1000) for path in paths]
        n_children = [2 if len(path) < depth else 0 for path in paths]
        keys = np.array([steps_and_ones(path) for path in paths], dtype=np.uint64)
        forest.tell(leaves, values, n_children=n_children, keys=keys)


def test_order_of_actions_does_not_matter() -> None:
    forest = Forest(1, Uct(c=5.0), transpositions=True)
    grow(forest, 100_000)
    tree = forest.tree(0)
    assert tree.same_as is not None
    expanded = (tree.n_children > 0) & (tree.visits > 0) & (tree.same_as < 0)
    assert expanded.sum() == 1 + 2 + 3 + 4 + 5 + 6, "one node for each number of steps and ones"
    shared = np.flatnonzero(tree.same_as >= 0)
    first = tree.same_as[shared]
    np.testing.assert_array_equal(tree.value[shared], tree.value[first])
    np.testing.assert_array_equal(tree.depth[shared], tree.depth[first])
    assert (tree.same_as[first] < 0).all()
    assert tree.visits[0] == tree.n_simulations


def test_a_node_is_worth_its_children_weighted_with_the_visits_of_edges() -> None:
    forest = Forest(1, Uct(c=0.7), transpositions=True, discount=-0.5)
    grow(forest, 60)
    tree = forest.tree(0)
    below = np.flatnonzero(tree.parent == 0)
    assert (tree.visits[below] > 0).all()
    own = float(np.float32(np.sin(steps_and_ones([]) % 1000)))
    total = own + (tree.visits[below] * -0.5 * tree.value[below]).sum()
    assert tree.value[0] == pytest.approx(total / (1 + tree.visits[below].sum()), abs=1e-12)


def test_a_cycle_ends() -> None:
    forest = Forest(1, Uct(c=0.5), transpositions=True)
    for _ in range(300):
        leaves = forest.ask(1)
        if not len(leaves):
            break
        state = sum(action + 1 for action in leaves.path(0)) % 4
        forest.tell(leaves, float(state), n_children=2, keys=[state])
    tree = forest.tree(0)
    assert tree.same_as is not None
    assert (tree.same_as > 0).any()
    assert 0 <= tree.value[0] <= 3


def test_a_game_needs_fewer_nodes() -> None:
    plain, shared = (
        Forest(1, Uct(), rng=1, discount=-1.0, transpositions=transpositions) for transpositions in (False, True)
    )
    plain.run(TicTacToe("15"), 20_000)
    shared.run(TicTacToe("15"), 20_000)
    assert (shared.tree(0).n_children > 0).sum() < 0.9 * (plain.tree(0).n_children > 0).sum()
    assert abs(shared.tree(0).value[0] - TicTacToe("15").best_value()) < 0.1


@pytest.mark.parametrize("policy", [Uct(c=0.8), Puct()])
def test_without_equal_states_it_is_a_tree(policy: Any) -> None:
    rng = np.random.default_rng(1)
    plain, shared = Forest(2, policy), Forest(2, policy, transpositions=True)
    for _ in range(300):
        leaves, others = plain.ask(3), shared.ask(3)
        np.testing.assert_array_equal(leaves.node, others.node)
        values = rng.random(len(leaves))
        plain.tell(leaves, values, n_children=3)
        shared.tell(others, values, n_children=3, keys=rng.integers(0, 2**64, len(leaves), dtype=np.uint64))
    assert shared.tree(0).same_as is not None
    assert plain.tree(0).same_as is None
    np.testing.assert_array_equal(plain.tree(1).visits, shared.tree(1).visits)
    np.testing.assert_allclose(plain.tree(1).value, shared.tree(1).value, rtol=1e-12)


def test_leaves_in_flight_leave_no_trace_when_taken_back() -> None:
    forest = Forest(1, Uct(), transpositions=True)
    grow(forest, 40, depth=20, at_once=4)
    before = forest.tree(0)
    leaves = forest.ask(5)
    assert len(leaves) > 0
    assert forest.tree(0).in_flight.sum() > 0
    forest.cancel(leaves)
    after = forest.tree(0)
    assert after.in_flight.sum() == 0
    if after.n_simulations == before.n_simulations:
        np.testing.assert_array_equal(after.visits[: before.n_nodes], before.visits)


@pytest.mark.parametrize(
    "rules",
    [
        {"policy": Gumbel(), "n_simulations": 8},
        {"backup": "max"},
        {"in_flight": ("loss", 0.0)},
        {"widening": (1.0, 0.5)},
        {"solver": (0.0, 1.0)},
    ],
)
def test_what_makes_no_sense_together_is_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="transpositions must be False"):
        Forest(1, transpositions=True, **rules)


def test_keys_are_checked() -> None:
    forest = Forest(1, transpositions=True)
    leaves = forest.ask(1)
    with pytest.raises(ValueError, match="keys must have one value for each of the 1 tickets"):
        forest.tell(leaves, 0.5, n_children=2, keys=[1, 2])
    with pytest.raises(ValueError, match=r"keys\[0\]"):
        forest.tell(leaves, 0.5, n_children=2, keys=[-1])
    assert forest.tell(leaves, 0.5, n_children=2, keys=[2**64 - 1]) == 1
    plain = Forest(1)
    with pytest.raises(ValueError, match="keys must be told only to a forest with transpositions"):
        plain.tell(plain.ask(1), 0.5, n_children=2, keys=[1])
