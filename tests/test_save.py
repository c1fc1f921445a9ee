"""Saved forests go on as the ones that were saved; damaged files are refused; roots move."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.trees import Beam, BestFirst, DepthFirst, Forest, Gumbel, Policy, Puct, Thompson, Tree, Uct

COLUMNS = ("parent", "action", "depth", "visits", "in_flight", "value", "reward", "prior", "n_children")
POLICIES: list[Policy] = [
    Uct(c=0.4, fpu=0.5),
    Puct(q_transform="raw", fpu=("parent", 0.1), dirichlet_fraction=0.25),
    Gumbel(max_num_considered_actions=3),
    Thompson(kappa=0.5),
    BestFirst(),
    Beam(width=2),
    DepthFirst(),
]
SEARCHES = POLICIES[:4]


def same(a: Tree, b: Tree) -> bool:
    columns = all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in COLUMNS)
    return columns and a.payload == b.payload and (a.n_simulations, a.cost) == (b.n_simulations, b.cost)


def search(forest: Forest, n: int) -> list[list[int]]:
    """Asks and tells n times, a leaf of those in flight is told last; returns what was asked for."""
    asked = []
    for i in range(n):
        leaves = forest.ask(3)
        asked.append([*leaves.ticket.tolist(), *leaves.node.tolist(), *leaves.kind.tolist()])
        told = leaves.ticket[::-1][: 2 if i % 2 else 3]
        values = (leaves.node[::-1][: len(told)] * 37 % 11) / 10
        forest.tell(told, values, n_children=2, rewards=0.1, cost=2.0, payload=["a\n"] * len(told))
    return asked


def busy(policy: Policy, **options: Any) -> Forest:
    forest = Forest(3, policy, n_simulations=50, rng=4, first=7, **options)
    search(forest, 9)
    return forest


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_loaded_forest_goes_on_with_its_tickets(policy: Policy, tmp_path: Path) -> None:
    forest = busy(policy)
    forest.save(tmp_path / "forest")
    other = Forest.load(tmp_path / "forest")
    assert type(other) is Forest
    assert other.policy == policy
    open_tickets = forest.outstanding().ticket
    assert len(open_tickets)
    assert (other.outstanding().ticket == open_tickets).all()
    for each in (forest, other):
        each.tell(open_tickets[::2], 0.25, n_children=2)
    assert search(forest, 30) == search(other, 30)
    assert all(same(forest.tree(i), other.tree(i)) for i in range(3))
    forest.save(tmp_path / "a", fsync=True)
    other.save(str(tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b", "forest"]


def test_open_trees_are_saved_too(tmp_path: Path) -> None:
    forest = busy(Uct(), widening=(1.5, 0.6))
    forest.save(tmp_path / "forest")
    other = Forest.load(tmp_path / "forest")
    assert search(forest, 20) == search(other, 20)
    assert all(same(forest.tree(i), other.tree(i)) for i in range(3))


@given(st.data())
def test_a_damaged_file_is_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("damaged") / "forest"
    busy(Uct()).save(path)
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        at, change = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
    with pytest.raises(ValueError, match="forest: "):
        Forest.load(path)


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "forest"
    with pytest.raises(FileNotFoundError, match="forest: No such file"):
        Forest.load(path)
    with pytest.raises(FileNotFoundError):
        busy(Uct()).save(tmp_path / "no" / "such")
    path.write_bytes(b"a text of some length")
    with pytest.raises(ValueError, match="this is not a saved forest"):
        Forest.load(path)
    busy(Uct()).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(ValueError, match="cut short"):
        Forest.load(path)
    path.write_bytes(whole[:8] + b"\x63" + whole[9:])
    with pytest.raises(ValueError, match="version 99"):
        Forest.load(path)
    path.write_bytes(whole[:300] + bytes([whole[300] ^ 1]) + whole[301:])
    with pytest.raises(ValueError, match="does not match its checksum"):
        Forest.load(path)
    path.write_bytes(whole + b"!")
    with pytest.raises(ValueError, match="follow its end"):
        Forest.load(path)


def test_a_save_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError, match="taken"):
        busy(Uct()).save(tmp_path / "taken")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_saving_while_other_threads_ask(tmp_path: Path) -> None:
    forest = Forest(4, Uct(), rng=0)
    threads = [threading.Thread(target=search, args=(forest, 200)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        forest.save(tmp_path / "forest")
        Forest.load(tmp_path / "forest")
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("policy", SEARCHES, ids=repr)
def test_a_new_root_keeps_what_is_below(policy: Policy) -> None:
    forest = busy(policy)
    before = forest.tree(1)
    held = forest.outstanding()
    moved = forest.reroot(1, 1)
    after = forest.tree(1)
    root = int(np.flatnonzero((before.parent == 0) & (before.action == 1))[0])
    assert (moved[root], moved[0], len(moved)) == (0, -1, before.n_nodes)
    kept = np.flatnonzero(moved >= 0)
    assert (np.sort(moved[kept]) == np.arange(after.n_nodes)).all()
    below = kept[kept != root]
    assert (moved[before.parent[below]] == after.parent[moved[below]]).all()
    for name in ("visits", "in_flight", "value", "reward", "n_children"):
        assert np.array_equal(getattr(before, name)[kept], getattr(after, name)[moved[kept]], equal_nan=True)
    assert (before.depth[kept] - 1 == after.depth[moved[kept]]).all()
    assert after.n_simulations == forest.simulations[1] == before.visits[root]
    assert after.cost == before.cost
    assert [after.payload[moved[node]] for node in kept] == [before.payload[node] for node in kept]
    # Tickets of other trees, and those below the new root, are as they were.
    stays = [
        t for t, tree, node in zip(held.ticket, held.tree, held.node, strict=True) if tree != 1 or moved[node] >= 0
    ]
    assert forest.outstanding().ticket.tolist() == stays
    search(forest, 40)
    assert (forest.simulations <= 50).all()


def test_a_tree_of_a_new_root_is_the_one_searched_from_there() -> None:
    """Below a root of one child nothing else takes visits: the tree from there is the one that was searched there."""
    above, below = Forest(1, Uct(), n_simulations=41, rng=1), Forest(1, Uct(), n_simulations=40, rng=2)
    above.tell(above.ask(1), 0.5, n_children=1)
    for forest, depth in ((above, 0), (below, 1)):
        while len(leaves := forest.ask(1)):
            forest.tell(leaves, (int(leaves.depth[0]) + depth) * 7 % 5 / 5, n_children=3)
    above.reroot(0, 0)
    assert same(above.tree(0), below.tree(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tree": 3, "action": 0}, "tree must be at least 0 and at most 2, got 3"),
        ({"tree": -1, "action": 0}, "tree must be at least 0"),
        ({"tree": 0}, "action must be given, or node"),
        ({"tree": 0, "action": 0, "node": 1}, "action must be given, or node"),
        ({"tree": 0, "action": 2}, "action must be one of a child"),
        ({"tree": 0, "action": 2**40}, "action must be at least 0"),
        ({"tree": 0, "node": 10**6}, "node must be below the number of nodes"),
        ({"tree": 0, "node": 2**32}, "node must be at least 0"),
    ],
)
def test_a_root_that_is_not_there_is_named(arguments: dict[str, int], message: str) -> None:
    forest = busy(Uct())
    with pytest.raises(ValueError, match=message):
        forest.reroot(**arguments)


@pytest.mark.parametrize(("name", "error"), [(3, TypeError), (b"x", TypeError), ("", ValueError), ("a\0b", ValueError)])
def test_a_name_of_no_file_is_refused(name: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="path must be the name of a file"):
        busy(Uct()).save(name)
    with pytest.raises(error, match="path must be the name of a file"):
        Forest.load(name)
    with pytest.raises(error, match="path must be the name of a file"):
        Forest.resume(name)
    with pytest.raises(error, match="journal must be the name of a file"):
        Forest(1, journal=name)


def test_an_order_of_growth_keeps_its_root() -> None:
    with pytest.raises(
        ValueError, match=r"policy must be a search that comes back to the root: .*, got Beam \{ width: 2 \}"
    ):
        busy(Beam(width=2)).reroot(0, 1)
