"""PUCT and Gumbel MuZero against their slow twins, one leaf at a time; what a searched tree says about its root."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference import search_policies as reference
from slowthink.trees import Forest, Gumbel, Puct, Uct


class Network:
    """Random values, rewards and priors: of a node they follow from the actions that lead to it."""

    def __init__(self, seed, n_actions, *, rewards=False, illegal=False):
        self.seed, self.n_actions, self.rewards, self.illegal = seed, n_actions, rewards, illegal

    def __call__(self, path):
        rng = np.random.default_rng([self.seed, *path])
        reward, value = np.float32(rng.normal(size=2))
        prior = rng.dirichlet(np.ones(self.n_actions)).astype(np.float32) + np.float32(1e-4)
        if self.illegal:
            prior[rng.random(self.n_actions) < 0.4] = 0
            prior[rng.integers(self.n_actions)] += 0.1
        return float(reward) if self.rewards else 0.0, float(value), prior


def search(network, forest):
    """Searches one leaf at a time; the paths of the leaves, and their nodes."""
    order, nodes = [], []
    while len(leaves := forest.ask(1)):
        path = tuple(leaves.path(0))
        reward, value, prior = network(path)
        rewards = [reward] if network.rewards and path else None
        assert forest.tell(leaves, [value], rewards=rewards, n_children=len(prior), priors=[prior]) == 1
        order.append(path)
        nodes.append(leaves.node[0])
    return order, nodes


def replay(network, order, scores, discount, tree, nodes):
    """Follows a search and holds every choice against the twin's scores: up to rounding it is the best one."""
    root = reference.Node.evaluated(*network(()))
    found = {(): root}
    for path in order[1:]:
        walk = [found[path[:depth]] for depth in range(len(path))]
        for depth, node in enumerate(walk):
            score = scores(node, depth == 0)
            assert score[path[depth]] >= score.max() - 1e-4 * max(1.0, abs(score[np.isfinite(score)]).max()), path
        found[path] = leaf = reference.Node.evaluated(*network(path))
        walk[-1].children[path[-1]] = leaf
        reference.back_up(walk, leaf, discount)
    np.testing.assert_array_equal(tree.visits[nodes], [found[path].visits for path in order])
    np.testing.assert_allclose(tree.value[nodes], [found[path].mean for path in order], atol=1e-5)
    assert tree.visits.sum() == sum(node.visits for node in found.values())
    return root


networks = st.builds(Network, st.integers(0, 2**32), st.integers(1, 12), rewards=st.booleans(), illegal=st.booleans())
discounts = st.sampled_from([1.0, 0.97, 0.5, -1.0, -0.9])
simulations = st.integers(2, 80)


@given(networks, discounts, simulations, st.sampled_from([None, (-3.0, 3.0)]), st.sampled_from([1.25, 0.1, 4.0]))
def test_puct_is_its_twin(network, discount, n_simulations, bounds, init):
    low, high = bounds or (0.0, 1.0)
    transform = "min_max" if bounds else "parent_and_siblings"
    policy = Puct(pb_c_init=init, pb_c_base=30.0, q_transform=transform, min_value=low, max_value=high)
    forest = Forest(1, policy, n_simulations=n_simulations, discount=discount, rng=1)
    order, nodes = search(network, forest)

    def scores(node, _is_root):
        return reference.puct_scores(node, discount, pb_c_init=init, pb_c_base=30.0, bounds=bounds)

    tree = forest.tree(0)
    replay(network, order, scores, discount, tree, nodes)
    np.testing.assert_allclose(tree.action_weights(), tree.visit_policy())


@given(
    networks,
    discounts,
    simulations,
    st.integers(1, 16),
    st.sampled_from([0.0, 1.0, 3.0]),
    st.tuples(st.sampled_from([0.1, 1.0]), st.sampled_from([50.0, 0.0]), st.booleans()),
)
def test_gumbel_is_its_twin(network, discount, n_simulations, considered, gumbel_scale, scales):
    scales = dict(zip(("value_scale", "maxvisit_init", "rescale_values"), scales, strict=True))
    policy = Gumbel(considered, gumbel_scale, **scales)
    forest = Forest(1, policy, n_simulations=n_simulations, discount=discount, rng=network.seed)
    order, nodes = search(network, forest)
    tree = forest.tree(0)
    noise = tree.gumbel_noise()

    def scores(node, is_root):
        if is_root:
            return reference.gumbel_root_scores(node, discount, noise, n_simulations, considered, **scales)
        return reference.gumbel_scores(node, discount, **scales)

    root = replay(network, order, scores, discount, tree, nodes)
    weights = reference.improved_policy(root, discount, **scales)
    np.testing.assert_allclose(tree.action_weights(), weights, atol=1e-4)
    assert tree.visits[1:][tree.gumbel_action()] == root.counts().max()
    values = reference.completed_values(root, discount, **scales)
    with np.errstate(divide="ignore"):
        last = np.where(root.counts() == root.counts().max(), np.log(root.prior) + noise + values, -np.inf)
    assert last[tree.gumbel_action()] >= last.max() - 1e-4 * max(1.0, abs(values).max())


def test_the_twin_searches_by_itself():
    network, noise = Network(5, 4), np.zeros(4)
    root, order = reference.search(
        network,
        lambda node, is_root: (
            reference.gumbel_root_scores(node, 1.0, noise, 41) if is_root else reference.gumbel_scores(node, 1.0)
        ),
        41,
    )
    forest = Forest(1, Gumbel(gumbel_scale=0.0), n_simulations=41, rng=1)
    assert search(network, forest)[0] == order
    assert forest.tree(0).gumbel_action() == reference.gumbel_action(root, 1.0, noise)
    assert sorted(root.counts(), reverse=True) == [15, 15, 5, 5]


def test_sequential_halving_by_hand():
    # 4 actions and 16 visits: two rounds of 8, in which 4 actions get 2 visits each and 2 actions 4.
    expected = [0] * 4 + [1] * 4 + [2, 2, 3, 3, 4, 4, 5, 5]
    assert reference.turns_of_sequential_halving(4, 16) == expected
    assert reference.turns_of_sequential_halving(1, 3) == [0, 1, 2]
    # 5 actions are left to 2 in one step: 5 // 2.
    assert reference.turns_of_sequential_halving(5, 9) == [0] * 5 + [1, 1, 2, 2]


def test_noise_differs_between_trees_and_follows_from_their_numbers():
    def noise(first, n_trees, scale=1.0):
        forest = Forest(n_trees, Gumbel(gumbel_scale=scale), n_simulations=5, rng=3, first=first)
        forest.tell(forest.ask(n_trees), 0.5, n_children=6)
        return [forest.tree(i).gumbel_noise() for i in range(n_trees)]

    first, second = noise(0, 2)
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(noise(1, 1)[0], second)
    np.testing.assert_allclose(noise(0, 1, 2.0)[0], 2 * first)
    assert not noise(0, 1, 0.0)[0].any()


def test_gumbel_samples_actions_by_their_priors():
    # With one visit the action considered is a sample from the priors.
    prior, n_trees = np.array([0.5, 0.3, 0.15, 0.05, 0.0]), 4000
    forest = Forest(n_trees, Gumbel(max_num_considered_actions=1), n_simulations=2, rng=7)
    forest.tell(forest.ask(n_trees), 0.0, n_children=5, priors=np.tile(prior, (n_trees, 1)))
    counts = np.bincount(forest.ask(n_trees).action, minlength=5)
    assert counts[4] == 0
    error = np.sqrt(n_trees * prior * (1 - prior))
    assert (abs(counts - n_trees * prior)[:4] < 5 * error[:4]).all()


def test_dirichlet_noise_has_its_share_and_mean():
    n_trees, prior = 3000, np.array([0.6, 0.3, 0.1])
    policy = Puct(dirichlet_fraction=0.25, dirichlet_alpha=0.5)
    forest = Forest(n_trees, policy, rng=2)
    forest.tell(forest.ask(n_trees), 0.0, n_children=3, priors=np.tile(prior, (n_trees, 1)))
    mixed = np.array([forest.tree(i).prior[1:] for i in range(n_trees)])
    noise = (mixed - 0.75 * prior) / 0.25
    assert (noise > -1e-5).all()
    np.testing.assert_allclose(mixed.sum(1), 1, atol=1e-6)
    # Dirichlet(0.5, 0.5, 0.5): mean 1/3, variance (2/9) / 2.5.
    assert abs(noise.mean(0) - 1 / 3).max() < 5 * np.sqrt(2 / 9 / 2.5 / n_trees)
    np.testing.assert_allclose(noise.var(0), 2 / 9 / 2.5, rtol=0.1)


def test_equal_values_leave_the_choice_to_priors():
    forest = Forest(1, Puct(), n_simulations=41, rng=1)
    while len(leaves := forest.ask(1)):
        forest.tell(leaves, 0.5, n_children=4)
    np.testing.assert_array_equal(forest.tree(0).visit_policy(), [0.25] * 4)


def test_what_the_root_says_before_it_was_searched():
    forest = Forest(1, Gumbel(), n_simulations=5, rng=1)
    assert forest.tree(0).visit_policy().shape == (0,)
    forest.tell(forest.ask(1), 0.5, n_children=3)
    tree = forest.tree(0)
    assert np.isnan(tree.visit_policy()).all()
    assert tree.visit_policy().shape == (3,)
    assert tree.gumbel_action() is None
    with pytest.raises(ValueError, match="policy must be Gumbel"):
        Forest(1, Uct()).tree(0).gumbel_action()
    with pytest.raises(ValueError, match="policy must be Gumbel"):
        Forest(1, Puct()).tree(0).gumbel_noise()
    with pytest.raises(ValueError, match="temperature"):
        tree.visit_policy(-1.0)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="n_simulations"):
        Forest(1, Gumbel())
    with pytest.raises(ValueError, match="widening"):
        Forest(1, Gumbel(), n_simulations=5, widening=(1.0, 0.5))
    with pytest.raises(ValueError, match="dirichlet_fraction"):
        Forest(1, Puct(dirichlet_fraction=0.2), widening=(1.0, 0.5))
    forest = Forest(2, Gumbel(), n_simulations=5)
    leaves = forest.ask(2)
    with pytest.raises(ValueError, match=r"priors\[1\] must be above 0"):
        forest.tell(leaves, 0.5, n_children=2, priors=[[0.5, 0.5], [0.0, 0.0]])
