"""The engine against the plain twin: the same leaves in the same order, the same visits and values."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference.trees import Node, Search, visits_by_path
from slowthink.trees import Forest, Puct, Tree, Uct

POLICIES = [
    (Uct(), {}),
    (Uct(c=0.3), {"c": 0.3}),
    (Uct(c=0.5, fpu=0.5), {"c": 0.5, "fpu": 0.5}),
    (Uct(c=0.5, fpu=("parent", 0.25)), {"c": 0.5, "fpu": ("parent", 0.25)}),
    (Puct(q_transform="raw"), {"puct": (1.25, 19652.0), "fpu": 0.0}),
    (Puct(2.0, 20.0, q_transform="raw", fpu=("parent", 0.1)), {"puct": (2.0, 20.0), "fpu": ("parent", 0.1)}),
    (Puct(), {"puct": (1.25, 19652.0), "transform": "parent_and_siblings"}),
]


def found(tree: Tree) -> dict[tuple[int, ...], tuple[int, float]]:
    nodes = np.flatnonzero(tree.visits)
    paths = [tuple(tree.action[tree.path(node)[1:]].tolist()) for node in nodes]
    return {path: (int(tree.visits[node]), float(tree.value[node])) for path, node in zip(paths, nodes, strict=True)}


@given(
    st.sampled_from(POLICIES),
    st.sampled_from([1.0, -1.0, 0.5, -0.75]),
    st.sampled_from(["mean", "max", "min", "last"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 2**32),
    st.lists(st.integers(1, 8), min_size=1, max_size=30),
    st.sampled_from([2, 2**32 - 1]),
)
def test_the_same_search(
    policy: Any, discount: float, backup: Any, rewards: bool, players: bool, seed: int, batches: list[int], depth: int
) -> None:
    policy, parameters = policy
    if isinstance(policy, Puct) and policy.q_transform == "parent_and_siblings" and max(batches) > 1:
        batches = [1] * len(batches)  # how evaluations in flight are scaled is the engine's own choice
    forest = Forest(1, policy, n_simulations=100, discount=discount, backup=backup, max_depth=depth)
    search = Search(discount=discount, backup=backup, players=players, max_depth=depth, **parameters)
    for n in batches:
        leaves = forest.ask(n)
        paths = []
        while len(paths) < n and (path := search.ask(100)) is not None:
            paths.append(path)
        assert [actions(path) for path in paths] == [leaves.path(i) for i in range(len(leaves))]
        for i in range(len(leaves)):
            rng = np.random.default_rng([seed, *leaves.path(i)])
            n_children = int(rng.choice([0, 1, 2, 3, 5], p=[0.05, 0.15, 0.3, 0.3, 0.2]))
            value, reward, player = rng.random(), rng.random() * rewards, int(rng.integers(2)) * players
            priors = rng.dirichlet([1.0] * n_children) if n_children and isinstance(policy, Puct) else []
            told = {"n_children": n_children, "reward": reward, "player": player}
            search.tell(paths[i], value, **told, priors=priors if len(priors) else None)
            forest.tell(
                leaves.ticket[i : i + 1],
                value,
                n_children=n_children,
                rewards=reward if rewards else None,
                players=player if players else None,
                priors=priors if isinstance(policy, Puct) else None,
            )
    expected = visits_by_path(search)
    result = found(forest.tree(0))
    assert {path: n for path, (n, _) in result.items()} == {path: n for path, (n, _) in expected.items()}
    for path, (_, value) in result.items():
        assert math.isclose(value, expected[path][1], rel_tol=1e-12, abs_tol=1e-12)


def actions(path: list[Node]) -> list[int]:
    return [next(i for i, child in enumerate(a.children) if child is b) for a, b in itertools.pairwise(path)]


def test_the_twin_by_hand() -> None:
    """Two arms worth 1 and 0: after both are seen, UCT with c = 1 goes on as worked out by hand."""
    search = Search(c=1.0)
    search.tell(search.ask(99) or [], 0.5, 2)
    chosen = []
    for _ in range(6):
        path = search.ask(99) or []
        chosen.append(actions(path)[0])
        search.tell(path, 1.0 - chosen[-1], 1)
    # Visits (n_0, n_1) and the bonus sqrt(ln N / n): arm 1 is taken again once 1 + sqrt(ln N / n_0) < sqrt(ln N).
    assert chosen == [0, 1, 0, 0, 0, 0]
    assert search.root.mean == pytest.approx((0.5 + 5) / 7)
