"""Children that come one by one: progressive widening, and children that repeat a sibling."""

import math

import numpy as np
import pytest
from slowthink.trees import Forest, Puct, Uct


@pytest.mark.parametrize("policy", [Uct(), Puct()])
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_the_root_is_as_wide_as_the_rule_says(policy, batch):
    forest = Forest(1, policy, widening=(2.0, 0.5), n_simulations=400, rng=0)
    while len(leaves := forest.ask(batch)):
        forest.tell(leaves, np.random.default_rng(int(leaves.node[0])).random(len(leaves)))
    tree = forest.tree(0)
    # Of 400 visits the last saw 399 before it.
    assert tree.n_children[0] == math.ceil(2 * math.sqrt(399))
    below = np.bincount(tree.parent[1:], weights=tree.visits[1:], minlength=tree.n_nodes)
    np.testing.assert_array_equal(tree.visits, 1 + below)


def test_generations_in_flight_are_children():
    forest = Forest(1, Uct(), widening=(2.0, 0.0))
    forest.tell(forest.ask(1), 0.5)
    leaves = forest.ask(10)
    # Two children may be generated; both are in flight, and there is nothing else to ask for.
    assert list(leaves.parent) == [0, 0]
    assert len(forest.ask(10)) == 0
    forest.tell(leaves.ticket[:1], 0.5)
    assert list(forest.ask(1).parent) == [1]


def test_a_cancelled_generation_is_asked_for_again():
    forest = Forest(1, Uct(), widening=(3.0, 0.0))
    forest.tell(forest.ask(1), 0.5)
    leaves = forest.ask(3)
    forest.cancel(leaves.ticket[1:2])
    forest.tell(leaves.ticket[[0, 2]], 0.9)
    again = forest.ask(1)
    assert (again.node[0], again.kind[0]) == (leaves.node[1], leaves.kind[1])


def test_repeated_texts_are_counted_and_left_alone():
    forest = Forest(1, Puct(), widening=(4.0, 0.0), deduplicate=True, n_simulations=60)
    forest.tell(forest.ask(1), 0.5, payload=["question"])
    forest.tell(forest.ask(4), [0.5, 0.9, 0.5, 0.5], payload=["a", "b", "b", None])
    while len(leaves := forest.ask(1)):
        forest.tell(leaves, 0.5, payload=[str(leaves.path(0))])
    tree = forest.tree(0)
    assert tree.visits[3] == 1
    assert tree.visits[1:5].sum() == 59
    assert (tree.visits[[1, 2, 4]] > 1).all()
    assert tree.prior[2] == 2 * tree.prior[1]
