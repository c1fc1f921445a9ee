"""Detailed balance and reversed chains: against exact rationals, at any metastability, and graphs that people use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.reference import reversal as slow
from test_structure import graph


@st.composite
def conductances(draw) -> np.ndarray:
    """Symmetric weights over many magnitudes, with zeros, of one or several classes; and loops."""
    n = draw(st.integers(2, 8))
    weight = st.just(0.0) | st.floats(-30, 0).map(lambda x: 10.0**x)
    upper = np.array(draw(st.lists(weight, min_size=n * n, max_size=n * n))).reshape(n, n)
    return np.triu(upper) + np.triu(upper, 1).T + 1e-3 * np.eye(n)


@given(testing.transition_matrices())
def test_reversibility_is_that_of_exact_flows(matrix):
    worst = slow.imbalance(matrix.tolist())
    # Where rounding could decide nothing is asked.
    if worst < 1e-13:
        assert MarkovChain(matrix).is_reversible(rtol=1e-11)
    elif worst > 1e-6:
        assert not MarkovChain(matrix).is_reversible()


@given(conductances(), st.data())
def test_conductances_make_reversible_chains_at_any_metastability(weights, data):
    chain = MarkovChain.from_weights(weights)
    assert chain.is_reversible(rtol=1e-13)
    # One weight that is not that of the way back: within a circuit it breaks the balance, on a bridge it does not.
    ways = np.argwhere(np.triu(weights, 1) > 0)
    if len(ways):
        i, j = ways[data.draw(st.integers(0, len(ways) - 1))]
        weights[i, j] *= 2
        broken = MarkovChain.from_weights(weights)
        assert broken.is_reversible() == (slow.imbalance(broken.to_dense().tolist()) < 1e-9)


def test_a_rare_one_way_current_is_seen():
    # Comparing pi_i p_ij with pi_j p_ji by absolute size would not see it.
    p = 1e-40
    chain = MarkovChain([[1 - 3 * p, 2 * p, p], [p, 1 - 3 * p, 2 * p], [2 * p, p, 1 - 3 * p]])
    flows = np.full((3, 1), 1 / 3) * chain.to_dense()
    assert np.allclose(flows, flows.T)
    assert not chain.is_reversible()
    assert not MarkovChain([[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]]).is_reversible()


def test_weights_beyond_the_range_of_floats():
    # A walk with drift: the stationary weights fall by 1e-200 a step, over 400 steps.
    up, down = np.full(400, 1e-200), np.full(400, 0.5)
    matrix = np.diag(up, 1) + np.diag(down, -1)
    matrix[np.arange(401), np.arange(401)] = 1 - matrix.sum(axis=1)
    chain = MarkovChain(matrix)
    assert chain.is_reversible(rtol=1e-15)
    ring = matrix.copy()
    ring[0, 400], ring[400, 0], ring[0, 0], ring[400, 400] = 0.25, 0.25, 0.75, 0.25
    assert not MarkovChain(ring).is_reversible(rtol=0.999)


def test_transient_states_do_not_count():
    assert MarkovChain([[0.5, 0.5], [0, 1]]).is_reversible()
    assert MarkovChain([[0.2, 0.4, 0.4, 0], [0, 0.5, 0.5, 0], [0, 0.25, 0.75, 0], [0, 0, 0, 1]]).is_reversible()
    turning = [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0.5, 0, 0, 0.5]]
    assert not MarkovChain(turning).is_reversible()


@given(
    testing.transition_matrices(kind="dense") | testing.transition_matrices(kind="metastable", least_coupling=1e-100)
)
def test_the_reversed_chain_equals_the_exact_one(matrix):
    chain = MarkovChain(matrix)
    back = chain.time_reversal()
    exact = slow.time_reversal(matrix.tolist())
    expected = np.array([[float(p) for p in row] for row in exact])
    off = ~np.eye(len(matrix), dtype=bool)
    np.testing.assert_allclose(back.to_dense()[off], expected[off], rtol=1e-12)
    np.testing.assert_array_equal(np.diag(back.to_dense()), np.diag(matrix))
    np.testing.assert_allclose(back.time_reversal().to_dense(), matrix, rtol=1e-11)


def test_each_class_is_turned_round_by_a_given_law():
    turn = np.roll(np.eye(3), 1, axis=1)
    chain = MarkovChain(np.kron(np.eye(2), turn))
    for law in ([1, 1, 1, 1e-300, 1e-300, 1e-300], chain.stationary_distributions().sum(axis=0)):
        back = chain.time_reversal(stationary_distribution=law)
        np.testing.assert_array_equal(back.to_dense(), chain.to_dense().T)


@pytest.mark.parametrize(
    ("law", "text"),
    [
        ([1, 2], r"stationary_distribution\[0\] must be stationary: 2 times its weight flows"),
        ([1, 0], r"stationary_distribution\[1\] must be positive"),
        ([1, 1, 1], r"stationary_distribution must have an entry for each of the 2 states"),
        ([[1, 1]], r"stationary_distribution must be 1-D"),
        ([np.nan, 1], r"stationary_distribution\[0\] must be finite"),
    ],
)
def test_bad_laws_are_named(law, text):
    with pytest.raises(ValueError, match=text):
        MarkovChain([[0, 1], [1, 0]]).time_reversal(stationary_distribution=law)


def test_bad_tolerances_are_named():
    for rtol in (-1e-9, 1, np.nan):
        with pytest.raises(ValueError, match="rtol must be"):
            MarkovChain([[0, 1], [1, 0]]).is_reversible(rtol=rtol)


def test_a_long_circuit_is_balanced_within_its_rounding(same_bytes):
    rng = np.random.default_rng(3)
    n = 200_000
    weight, i = rng.uniform(0.1, 1, n), np.arange(n)
    chain = MarkovChain.from_edges(i, np.roll(i, -1), weight, directed=False)
    assert same_bytes(lambda threads: chain.is_reversible(rtol=1e-9, threads=threads))
    # Every way round has the same probability up to rounding; 1e-6 more on one of them is seen.
    broken = chain.probabilities
    row = slice(*chain.indptr[777:779])
    broken[row] += np.array([1e-6, -1e-6])
    assert not MarkovChain((chain.indptr, chain.indices, broken)).is_reversible()


@pytest.mark.parametrize("name", ["karate", "cora", "p2p-Gnutella08"])
def test_real_graphs_are_reversible_where_they_are_undirected(shared_data, name):
    # All recurrent classes of the directed one are states that are never left, or small.
    chain = graph(shared_data, name)
    assert chain.is_reversible(rtol=1e-12)
    if name == "p2p-Gnutella08":
        strong = chain.communicating_classes()
        largest = max(strong, key=len)
        kept = chain.to_scipy()[largest][:, largest]
        assert not MarkovChain.from_weights(kept).is_reversible()
