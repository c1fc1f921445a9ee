"""Orders of growth through the Python interface; their order is tested in the core against plain programs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.trees import Beam, BestFirst, BestOfN, BreadthFirst, DepthFirst, Dvts, Forest


def value_of(path):
    """A number that depends on the path alone."""
    return float(np.random.default_rng([len(path), *path]).random(dtype=np.float32))


def search(policy, *, branching=3, depth=3, batch=1, seed=0, n_simulations=None):
    """The values of all paths that were told, in the order of asks; answers come in random order."""
    forest = Forest(1, policy, max_depth=depth, n_simulations=n_simulations)
    rng, told, out = np.random.default_rng(seed), {}, []
    while not forest.done[0]:
        leaves = forest.ask(batch)
        for i in range(len(leaves)):
            path = tuple(leaves.path(i))
            told[path] = value_of(path)
            out.append((leaves.ticket[i], path))
        rng.shuffle(out)
        for ticket, path in out[: len(out) // 2 + 1]:
            forest.tell([ticket], told[path], n_children=branching)
        del out[: len(out) // 2 + 1]
    tree = forest.tree(0)
    below = np.bincount(tree.parent[1:], weights=tree.visits[1:], minlength=tree.n_nodes)
    seen = tree.visits > 0
    np.testing.assert_array_equal(tree.visits[seen], 1 + below[seen])
    return told


def test_depth_first_and_breadth_first():
    level = [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1)]
    assert list(search(BreadthFirst(), branching=2, depth=2)) == level
    assert list(search(DepthFirst(), branching=2, depth=2)) == [(), (0,), (0, 0), (0, 1), (1,), (1, 0), (1, 1)]


def test_best_first_expands_the_best():
    told = list(search(BestFirst(), n_simulations=16, depth=9))
    first = max([(0,), (1,), (2,)], key=value_of)
    assert told[:7] == [(), (0,), (1,), (2,), *[(*first, a) for a in range(3)]]


def test_a_beam_of_one_is_greedy():
    told, path = list(search(Beam(1), depth=4)), ()
    for _ in range(4):
        path = max([(*path, a) for a in range(3)], key=value_of)
    assert len(told) == 1 + 4 * 3
    assert path in told


def test_best_of_n_is_n_chains():
    told = list(search(BestOfN(4), branching=5, depth=3))
    assert told == [(), *[path for chain in range(4) for path in ((chain,), (chain, 0), (chain, 0, 0))]]


def test_subtrees_are_greedy_on_their_own():
    told = search(Dvts(2), branching=4, depth=2)
    best = [max([(a,), (a + 2,)], key=value_of) for a in range(2)]
    assert {path for path in told if len(path) == 2} == {(*path, a) for path in best for a in range(4)}


@given(
    policy=st.sampled_from([BestFirst(), Beam(2), Dvts(2), BreadthFirst(), DepthFirst(), BestOfN(3)]),
    batch=st.integers(1, 20),
    seed=st.integers(0, 1000),
)
def test_what_is_told_in_the_end_does_not_depend_on_the_batch(policy, batch, seed):
    assert search(policy, batch=batch, seed=seed) == search(policy)


def test_refusals():
    with pytest.raises(ValueError, match="width"):
        Beam(0)
    with pytest.raises(ValueError, match="widening"):
        Forest(1, BestFirst(), widening=(1.0, 0.5))
