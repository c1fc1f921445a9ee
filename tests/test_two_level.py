"""The iteration for large metastable chains: known figures, digits at any coupling, and an error where it fails."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from slowthink.chains import MarkovChain


def conductances(n, n_blocks, coupling=0.2, links=3):
    """Blocks of random neighbours in a ring of weak links; symmetric."""
    rng = np.random.default_rng(7)
    size = n // n_blocks
    i = np.arange(n)
    base = i // size * size
    partner = np.repeat(base, 4) + rng.integers(0, size, 4 * n)
    ring_weight, pair_weight = rng.uniform(0.1, 1, n), rng.uniform(0.1, 1, 4 * n)
    block = np.repeat(np.arange(n_blocks), links)
    a = block * size + rng.integers(0, size, len(block))
    b = (block + 1) % n_blocks * size + rng.integers(0, size, len(block))
    link_weight = coupling * rng.uniform(0.1, 1, len(block))
    source = np.concatenate([i, np.repeat(i, 4), a])
    target = np.concatenate([base + (i - base + 1) % size, partner, b])
    weight = np.concatenate([ring_weight, pair_weight, link_weight])
    keep = source != target
    half = sparse.coo_matrix((weight[keep], (source[keep], target[keep])), (n, n)).tocsr()
    return half + half.T + sparse.diags(rng.uniform(0.1, 1, n))


def directed(weights, seed=3):
    """The same transitions without detailed balance."""
    out = weights.tocsr().copy()
    out.data = out.data * np.random.default_rng(seed).uniform(0.5, 1.5, out.nnz)
    return out


@pytest.mark.parametrize(
    ("n", "n_blocks", "mean"), [(2_000, 10, 31_946.7), (10_000, 20, 347_647), (100_000, 50, 8.50948e6)]
)
def test_the_mean_time_is_the_one_that_others_found(n, n_blocks, mean):
    chain = MarkovChain.from_weights(conductances(n, n_blocks))
    block = n // n_blocks
    times, info = chain.mean_hitting_times(np.arange(block), method="iterative", info=True)
    assert times[block:].mean() == pytest.approx(mean, rel=2e-6)
    assert info.method == "iterative"
    assert info.residual <= 1e-10
    assert info.n_steps < 100


@pytest.mark.parametrize("coupling", [0.2, 1e-6, 1e-12, 1e-30, 1e-100])
@pytest.mark.parametrize("balanced", [True, False])
def test_digits_do_not_fall_with_the_coupling(coupling, balanced):
    weights = conductances(1_000, 10, coupling)
    chain = MarkovChain.from_weights(weights if balanced else directed(weights))
    exact = chain.mean_hitting_times(np.arange(100), method="elimination")
    times = chain.mean_hitting_times(np.arange(100), method="iterative")
    np.testing.assert_allclose(times, exact, rtol=1e-13)
    law = chain.stationary_distribution(method="elimination")
    np.testing.assert_allclose(chain.stationary_distribution(method="iterative"), law, rtol=1e-9)


def test_weights_that_rise_and_fall_give_the_same_by_both_methods():
    weights = conductances(480, 6, 1e-50).tocoo()
    height = 1e-50 ** (np.arange(480) // 80 % 3.0)
    scaled = sparse.coo_matrix((weights.data * np.minimum(height[weights.row], height[weights.col]), weights.coords))
    for balanced in (True, False):
        chain = MarkovChain.from_weights(scaled if balanced else directed(scaled))
        times, info = chain.mean_hitting_times(np.arange(20), method="iterative", info=True)
        np.testing.assert_allclose(times, chain.mean_hitting_times(np.arange(20)), rtol=info.residual + 1e-13)


def test_what_does_not_converge_is_an_error_that_says_how_far_it_came():
    n = 3_000  # a walk that drifts round a ring: nothing to iterate on
    state = np.arange(n)
    ring = MarkovChain.from_edges(np.tile(state, 2), np.r_[(state + 1) % n, (state - 1) % n], np.repeat([1.0, 1e-3], n))
    with pytest.raises(RuntimeError, match=r'reached a relative error .* use method="elimination"'):
        ring.mean_hitting_times(0, method="iterative", tolerance=1e-13)
    assert ring.mean_hitting_times(0, info=True)[1].method == "elimination"
