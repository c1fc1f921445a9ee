"""Thompson sampling with a generate arm, through the Python interface."""

import math

import numpy as np
import pytest
from slowthink.reference.generative_search import AbMcts
from slowthink.trees import Forest, Thompson, Uct


def grow(policy, n, *, batch=1, n_trees=1, seed=0, step=0.2, **options):
    """Scores that a child has from its parent, moved a little; told in random order."""
    forest = Forest(n_trees, policy, n_simulations=n, rng=seed, **options)
    rng = np.random.default_rng(seed)
    scores = [{} for _ in range(n_trees)]
    while len(leaves := forest.ask(batch * n_trees, per_tree=batch)):
        values = []
        for tree, node, parent in zip(leaves.tree, leaves.node, leaves.parent, strict=True):
            above = scores[tree].get(parent, 0.5)
            score = float(np.float32(np.clip(above + rng.uniform(-step, step), 0, 1)))
            scores[tree][node] = score
            values.append(score)
        order = rng.permutation(len(values))
        assert forest.tell(leaves.ticket[order], np.array(values)[order]) == len(values)
    return forest, scores


@pytest.mark.parametrize("model", ["gaussian", "beta"])
@pytest.mark.parametrize("batch", [1, 5, 64])
def test_every_generation_counts_once(model, batch):
    forest, scores = grow(Thompson(model), 150, batch=batch, n_trees=3)
    for i in range(3):
        tree = forest.tree(i)
        assert tree.n_nodes == tree.n_simulations == tree.visits[0] == 150
        below = np.bincount(tree.parent[1:], weights=tree.visits[1:], minlength=150)
        np.testing.assert_array_equal(tree.visits, 1 + below)
        assert not tree.in_flight.any()
        for node in (0, int(tree.parent[-1])):
            inside = [at for at in range(150) if at == node or node in ancestors(tree, at)]
            assert tree.value[node] == pytest.approx(np.mean([scores[i][at] for at in inside]), abs=1e-6)


def ancestors(tree, node):
    while node > 0:
        node = int(tree.parent[node])
        yield node


def test_the_first_choices_have_the_probabilities_of_the_posterior():
    # After the root's child was told 0.5, GEN is worth draws about 0.25, going on below it draws about 0.
    n_trees = 4000
    forest = Forest(n_trees, Thompson(), rng=3)
    forest.tell(forest.ask(n_trees), 0.5)
    forest.tell(forest.ask(n_trees), 0.5)
    wide = np.count_nonzero(forest.ask(n_trees).parent == 0) / n_trees
    rng = np.random.default_rng(4)
    twin = AbMcts("gaussian", rng=rng)
    twin.tell(twin.ask(), 0.5)
    twin.tell(twin.ask(), 0.5)
    expected = np.mean([twin.choose() == 0 for _ in range(4000)])
    assert abs(wide - expected) < 5 * math.sqrt(0.5 / 4000)


@pytest.mark.parametrize("model", ["gaussian", "beta"])
def test_trees_grow_as_wide_and_deep_as_the_twin(model):
    forest, _ = grow(Thompson(model), 60, n_trees=60, seed=1)
    ours = np.array([[forest.tree(i).n_children[0], forest.tree(i).depth.max()] for i in range(60)])
    theirs = np.array([AbMcts(model, rng=np.random.default_rng(i)).grow(60, step=0.2) for i in range(60)])
    error = np.sqrt((ours.var(0) + theirs.var(0)) / 60)
    assert (np.abs(ours.mean(0) - theirs.mean(0)) < 4.5 * error).all(), (ours.mean(0), theirs.mean(0))


def test_the_same_seed_grows_the_same_tree_whatever_is_asked_together():
    whole = Forest(4, Thompson(), n_simulations=40, rng=7)
    alone = [Forest(1, Thompson(), n_simulations=40, rng=7, first=i) for i in range(4)]
    for forest in (whole, *alone):
        while len(leaves := forest.ask(1)):
            forest.tell(leaves, (np.sum(leaves.path(0)) % 5) / 5)
    for i, forest in enumerate(alone):
        np.testing.assert_array_equal(whole.tree(i).parent, forest.tree(0).parent)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_taken_back_is_asked_for_again(seed):
    forest = Forest(1, Thompson(), rng=seed)
    forest.tell(forest.ask(1), 0.3)
    leaves = forest.ask(8)
    assert forest.cancel(leaves) == len(leaves)
    assert forest.tree(0).visits.sum() == 1
    again = forest.ask(8)
    # Other draws, and so another number of generations; but none gets a place while another is free.
    assert forest.tree(0).n_nodes == 1 + max(len(leaves), len(again))
    both = min(len(leaves), len(again))
    np.testing.assert_array_equal(again.node[:both], leaves.node[:both])


def test_terminal_answers_are_not_gone_below():
    forest = Forest(1, Thompson(), n_simulations=60, rng=2)
    while len(leaves := forest.ask(3)):
        forest.tell(leaves, 0.5, terminal=leaves.depth == 2)
    tree = forest.tree(0)
    assert tree.depth.max() == 2
    assert tree.n_nodes == 60


def test_refusals():
    forest = Forest(1, Thompson("beta"))
    leaves = forest.ask(1)
    with pytest.raises(ValueError, match="be between 0 and 1 with the beta model"):
        forest.tell(leaves, 1.5)
    with pytest.raises(ValueError, match="backup"):
        Forest(1, Thompson(), backup="max")
    with pytest.raises(ValueError, match="widening"):
        Forest(1, Thompson(), widening=(1.0, 0.5))
    with pytest.raises(ValueError, match="kappa must be above 0"):
        Thompson(kappa=0.0)
    with pytest.raises(ValueError, match="deduplicate"):
        Forest(1, Uct(), deduplicate=True)
