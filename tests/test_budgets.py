"""When trees come to an end, what they share, and which of them go first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slowthink.problems import TicTacToe
from slowthink.trees import Forest, Gumbel, Uct


def grow(forest: Forest, n: int = 10_000, value: float = 0.5, cost: float | None = None) -> None:
    """Tells n leaves one by one, or all there are."""
    for _ in range(n):
        leaves = forest.ask(1)
        if not len(leaves):
            return
        forest.tell(leaves, value, n_children=3, cost=cost)


def test_trees_of_higher_priority_go_first() -> None:
    forest = Forest(4, Uct())
    forest.set_priority([1, 3], 5)
    forest.set_priority(2, -5)
    roots = forest.ask(10)
    assert list(roots.tree) == [1, 3, 0, 2]
    forest.tell(roots, 0.5, n_children=2)
    assert list(forest.ask(10).tree) == [1, 3, 1, 3, 0, 0, 2, 2]


def test_priority_holds_with_few_in_flight_for_each_tree() -> None:
    forest = Forest(3, Uct())
    forest.set_priority(2, 1)
    forest.tell(forest.ask(3), 0.5, n_children=2)
    for _ in range(20):
        leaves = forest.ask(2, per_tree=1)
        assert leaves.tree[0] == 2
        forest.tell(leaves, 0.5, n_children=2)
    assert forest.simulations.tolist() == [11, 11, 21]


def test_priorities_change_the_order_of_trees_and_nothing_in_them() -> None:
    plain, ordered = Forest(3, Uct(), rng=1, n_simulations=50), Forest(3, Uct(), rng=1, n_simulations=50)
    ordered.set_priority(1, 3)
    grow(plain)
    grow(ordered)
    for i in range(3):
        np.testing.assert_array_equal(plain.tree(i).visits, ordered.tree(i).visits)


def test_a_stopped_tree_is_asked_no_more_and_takes_what_is_in_flight() -> None:
    forest = Forest(2, Uct())
    roots = forest.ask(2)
    forest.stop(1)
    assert forest.done.tolist() == [False, True]
    assert forest.tell(roots, 0.5, n_children=2) == 2
    assert set(forest.ask(10).tree.tolist()) == {0}
    forest.stop(np.arange(2))
    assert forest.done.all()
    assert len(forest.ask(10)) == 0


def test_a_solution_ends_its_tree() -> None:
    forest = Forest(2, Uct(), stop_at=0.9)
    forest.tell(forest.ask(2), 1.0, n_children=2)
    assert not forest.done.any(), "the root is no solution: it has children"
    leaves = forest.ask(4)
    forest.tell(leaves, [0.9, 0.8, 0.5, 1.0], terminal=[True, True, True, False], n_children=2)
    assert leaves.tree.tolist() == [0, 1, 0, 1]
    assert forest.done.tolist() == [True, False]


@pytest.mark.parametrize(("player", "done"), [(0, False), (1, True)])
def test_a_solution_is_seen_by_the_player_at_the_root(player: int, done: bool) -> None:
    forest = Forest(1, Uct(), stop_at=1.0, discount=-1.0)
    forest.tell(forest.ask(1), 0.0, n_children=1, players=0)
    forest.tell(forest.ask(1), -1.0, terminal=True, players=player)
    assert bool(forest.done[0]) == done


def test_a_solution_may_be_told_in_two_parts() -> None:
    forest = Forest(1, Uct(), stop_at=1.0)
    forest.tell(forest.ask(1), 0.0, n_children=2)
    leaves = forest.ask(1)
    forest.tell(leaves, terminal=True)
    assert not forest.done[0]
    forest.tell(leaves, 1.0)
    assert forest.done[0]


def test_a_settled_root_ends_its_tree_without_changing_the_choice() -> None:
    rules: dict[str, Any] = {"n_simulations": 3000, "rng": 3, "discount": -1.0}
    early, late = Forest(1, Uct(), stop_when_settled=True, **rules), Forest(1, Uct(), **rules)
    early.run(TicTacToe("1425"), 3000)
    late.run(TicTacToe("1425"), 3000)
    assert early.done[0]
    assert early.simulations[0] < 2000
    children = early.tree(0).visits[1:6]
    first, second = np.sort(children)[:-3:-1]
    assert first - second == 3000 - early.simulations[0] + 1
    assert children.argmax() == late.tree(0).visits[1:6].argmax()


def test_trees_share_simulations() -> None:
    forest = Forest(3, Uct(), total_simulations=10)
    forest.tell(forest.ask(3), 0.5, n_children=5)
    leaves = forest.ask(100)
    assert len(leaves) == 7, "those in flight count"
    assert len(forest.ask(1)) == 0
    assert not forest.done.any()
    forest.cancel(leaves.ticket[:2])
    again = forest.ask(100)
    assert len(again) == 2
    forest.tell(leaves, 0.5, n_children=5)
    forest.tell(again, 0.5, n_children=5)
    assert forest.simulations.sum() == 10
    assert forest.done.all()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_shares_out_the_total(threads: int) -> None:
    forest = Forest(4, Uct(), rng=1, total_simulations=4003, discount=-1.0)
    forest.run(TicTacToe(), 5000, threads=threads)
    assert forest.simulations.tolist() == [1001, 1001, 1001, 1000]


def test_what_a_finished_tree_leaves_is_for_the_others() -> None:
    forest = Forest(3, Uct(), rng=1, total_simulations=900, discount=-1.0)
    forest.stop(1)
    forest.run(TicTacToe(), 5000)
    assert forest.simulations.tolist() == [450, 0, 450]


def test_costs_end_trees_and_forests() -> None:
    forest = Forest(2, Uct(), max_cost_per_tree=10)
    grow(forest, cost=2.5)
    assert forest.costs.tolist() == [10, 10]
    assert forest.done.all()
    forest = Forest(2, Uct(), max_cost=25)
    leaves = forest.ask(2)
    forest.tell(leaves, 0.5, n_children=3, cost=[20, 1])
    assert not forest.done.any()
    grow(forest, cost=2.0)
    assert forest.costs.sum() == 25
    assert forest.done.all()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"stop_at": float("nan")}, "stop_at must be finite"),
        ({"stop_when_settled": True}, "stop_when_settled must be False without n_simulations"),
        ({"total_simulations": 0}, "total_simulations must be at least 1"),
        ({"max_cost": 0.0}, "max_cost must be"),
        ({"max_cost_per_tree": -1.0}, "max_cost_per_tree must be"),
        ({"policy": Gumbel(), "n_simulations": 8, "stop_when_settled": True}, "unless the policy is Uct or Puct"),
    ],
)
def test_rules_are_checked(rules: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Forest(1, **rules)


def test_trees_are_checked() -> None:
    forest = Forest(3)
    with pytest.raises(ValueError, match=r"trees\[1\] must be at most 2, got 3"):
        forest.stop([0, 3])
    with pytest.raises(ValueError, match=r"trees must be at least 0, got -1"):
        forest.stop(-1)
    with pytest.raises(ValueError, match="priority must be at least"):
        forest.set_priority(0, 2**63)
    with pytest.raises(TypeError, match="priority must be an int"):
        forest.set_priority(0, 0.5)  # type: ignore[arg-type]
    assert not forest.done.any(), "a refused call changes nothing"
