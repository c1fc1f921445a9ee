"""Metastable sets: found at any coupling, invariant, crisp, one for each recurrent class, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.metastable import metastable_chain
from slowthink.reference import spectrum as slow
from slowthink.testing import transition_matrices
from test_spectrum import rings

COUPLINGS = [0.05, 1e-4, 1e-12, 1e-20, 1e-100]


def clusters(coupling, *, sizes=(4, 6, 5), reversible=True, seed=1):
    """Dense clusters in a ring, states in random order; the matrix and the cluster of each state."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(truth)
    weights = rng.uniform(0.1, 1, (n, n)) * (truth[:, None] == truth[None, :])
    for c in range(len(sizes)):
        here, there = rng.choice(np.flatnonzero(truth == c)), rng.choice(np.flatnonzero(truth == (c + 1) % len(sizes)))
        weights[here, there] = coupling
        weights[there, here] = coupling / 2
    if reversible:
        weights = weights + weights.T
    return weights / weights.sum(axis=1, keepdims=True), truth


def same_sets(labels, truth):
    """Whether two labellings are the same up to the names."""
    return len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == len(set(labels.tolist())) == len(set(truth))


def well_formed(found, n_states, k):
    assert found.memberships.shape == (n_states, k)
    assert (found.memberships >= 0).all()
    np.testing.assert_allclose(found.memberships.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(found.coarse.sum(axis=1), 1, rtol=1e-12)
    assert found.stationary.sum() == pytest.approx(1)
    assert 0 < found.crispness <= 1 + 1e-12
    assert [len(s) > 0 for s in found.sets] == [True] * k
    first = [int(s[0]) for s in found.sets]
    assert first == sorted(first)


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("reversible", [True, False])
def test_clusters_are_found_at_any_coupling(coupling, reversible):
    matrix, truth = clusters(coupling, reversible=reversible)
    chain = MarkovChain(matrix)
    for k in (None, 3):
        found = chain.metastable_sets(k)
        well_formed(found, 15, 3)
        assert same_sets(found.labels, truth)
        assert found.crispness > 1 - 20 * coupling - 1e-14
        assert found.reversible == reversible
        assert (found.coarse[~np.eye(3, dtype=bool)] > -1e-3 * coupling).all()
    # The coarse chain has the slow eigenvalues, with their digits.
    rates = np.sort_complex(MarkovChain(np.clip(found.coarse, 0, None)).rates().astype(complex))
    np.testing.assert_allclose(rates, np.sort_complex(found.rates.astype(complex)), rtol=1e-2, atol=1e-12 * coupling)


@pytest.mark.parametrize("coupling", [1e-12, 1e-100])
def test_two_levels_of_metastability(coupling):
    # Two pairs of clusters: joined by 1e-5 within a pair, by `coupling` beyond.
    rng = np.random.default_rng(5)
    weights = np.kron(np.eye(4), np.ones((3, 3))) * rng.uniform(0.1, 1, (12, 12))
    weights[0, 3] = weights[6, 9] = 1e-5
    weights[4, 7] = coupling
    weights += weights.T
    chain = MarkovChain(weights / weights.sum(axis=1, keepdims=True))
    assert same_sets(chain.metastable_sets(2).labels, np.repeat([0, 1], 6))
    assert same_sets(chain.metastable_sets(4).labels, np.repeat([0, 1, 2, 3], 3))
    assert same_sets(chain.metastable_sets().labels, np.repeat([0, 1], 6)) or coupling > 1e-11


def test_two_sets_have_a_closed_form():
    # The second eigenvector, shifted and scaled to reach from 0 to 1, and its complement.
    matrix, _ = clusters(0.3, sizes=(4, 5))
    values, vectors = np.linalg.eig(matrix)
    vector = vectors[:, np.argsort(-values.real)[1]].real
    expected = (vector - vector.min()) / np.ptp(vector)
    found = MarkovChain(matrix).metastable_sets(2)
    first = found.memberships[:, 0]
    assert min(np.abs(first - expected).max(), np.abs(first - (1 - expected)).max()) < 1e-10
    law = np.linalg.matrix_power(matrix, 10_000)[0]
    weights = law @ found.memberships
    np.testing.assert_allclose(found.stationary, weights, rtol=1e-8)
    crispness = (law @ found.memberships**2 / weights).mean()
    assert found.crispness == pytest.approx(crispness, rel=1e-8)


@given(st.data(), st.integers(1, 5))
def test_memberships_are_invariant_or_refused(data, k):
    matrix = data.draw(transition_matrices(kind="dense"))
    chain = MarkovChain(matrix)
    try:
        found = chain.metastable_sets(min(k, len(matrix)))
    except ValueError as error:
        assert str(error).startswith("k must")  # noqa: PT017
        return
    k = found.k
    well_formed(found, len(matrix), k)
    # P X = X C, where the search left the memberships in the invariant subspace.
    after = matrix @ found.memberships
    condition = np.linalg.cond(found.memberships)
    np.testing.assert_allclose(after, found.memberships @ found.coarse, atol=1e-9 * condition**2)


@given(st.data())
def test_any_structure_gives_sets_or_a_reason(data):
    matrix = data.draw(transition_matrices())
    chain = MarkovChain(matrix)
    k = data.draw(st.integers(1, len(matrix)))
    try:
        well_formed(chain.metastable_sets(k), len(matrix), k)
    except ValueError as error:
        assert str(error).startswith("k must")  # noqa: PT017


def test_recurrent_classes_are_sets_and_transient_states_belong_to_both():
    matrix = np.zeros((6, 6))
    matrix[:2, :2] = [[0.5, 0.5], [0.25, 0.75]]
    matrix[2:4, 2:4] = [[0.5, 0.5], [0.5, 0.5]]
    matrix[4, [0, 2, 5]] = 0.5, 0.25, 0.25
    matrix[5, [4, 3]] = 0.5, 0.5
    found = MarkovChain(matrix).metastable_sets()
    assert found.k == 2
    np.testing.assert_allclose(found.coarse, np.eye(2))
    # From 4: h = 1/2 + 1/4 h', h' = h / 2, hence h = 4/7, h' = 2/7 for the first class.
    expected = [[1, 0], [1, 0], [0, 1], [0, 1], [4 / 7, 3 / 7], [2 / 7, 5 / 7]]
    np.testing.assert_allclose(found.memberships, expected, atol=1e-14)
    assert found.crispness == pytest.approx(1)
    assert found.rates.tolist() == [0, 0]
    with pytest.raises(ValueError, match="k must be at least the number of recurrent classes, 2, got 1"):
        MarkovChain(matrix).metastable_sets(1)


def test_a_split_pair_is_refused_and_its_neighbours_are_named():
    # A directed ring of four clusters: slow eigenvalues are 1, a pair, and a real one.
    rng = np.random.default_rng(2)
    weights = np.kron(np.eye(4), rng.uniform(0.5, 1, (3, 3)))
    for c in range(4):
        weights[3 * c, 3 * ((c + 1) % 4)] = 1e-3
    chain = MarkovChain(weights / weights.sum(axis=1, keepdims=True))
    with pytest.raises(ValueError, match="k must not split a pair of complex eigenvalues: 1 and 3 do not, got 2"):
        chain.metastable_sets(2)
    found = chain.metastable_sets()
    assert found.k == 4
    assert same_sets(found.labels, np.repeat(np.arange(4), 3))
    assert found.rates.dtype == np.complex128
    np.testing.assert_allclose(found.eigenvalues, 1 - found.rates)


def test_one_set_and_a_set_for_each_state():
    matrix, _ = clusters(0.1, sizes=(2, 2))
    chain = MarkovChain(matrix)
    whole = chain.metastable_sets(1)
    assert whole.memberships.tolist() == [[1.0]] * 4
    assert whole.coarse.tolist() == [[1.0]]
    assert whole.crispness == 1
    each = chain.metastable_sets(4)
    np.testing.assert_allclose(each.memberships, np.eye(4), atol=1e-6)
    assert MarkovChain([[1.0]]).metastable_sets().k == 1


def test_coarse_rates_are_proved_at_1e_minus_100():
    matrix, _ = clusters(1e-100, sizes=(2, 2))
    found = MarkovChain(matrix).metastable_sets(2)
    rate = found.coarse[0, 1] + found.coarse[1, 0]
    coefficients = slow.characteristic_polynomial(matrix)[:-1]
    assert slow.squared_distance(coefficients, complex(rate)) <= (1e-10 * rate) ** 2


@pytest.mark.parametrize("coupling", [1e-2, 1e-12])
def test_sets_of_a_large_chain(coupling):
    chain, truth = rings(coupling)
    found = chain.metastable_sets(8)
    well_formed(found, 3200, 8)
    assert same_sets(found.labels, truth)
    np.testing.assert_allclose(found.stationary, 1 / 8, rtol=1e-6)
    np.testing.assert_allclose(found.rates, np.sort(2 * coupling * np.sin(np.pi * np.arange(8) / 8) ** 2), rtol=1e-8)
    ring = coupling / 2 * (np.eye(8, k=1) + np.eye(8, k=-1) + np.eye(8, k=7) + np.eye(8, k=-7))
    np.testing.assert_allclose(found.coarse - np.diag(np.diag(found.coarse)), ring, atol=1e-6 * coupling)


def test_large_chains_have_conditions():
    chain, _ = rings(0.01)
    with pytest.raises(ValueError, match="k must be given for a chain of more than 3000 states, got one of 3200"):
        chain.metastable_sets()
    weights = np.ones(3001)
    indptr, indices = np.arange(3002), np.append(np.arange(1, 3001), 3000)
    with pytest.raises(ValueError, match="the chain must be irreducible where it has more than 3000 states"):
        MarkovChain((indptr, indices, weights)).metastable_sets(2)


def test_it_says_what_it_is():
    matrix, _ = clusters(1e-6)
    found = MarkovChain(matrix).metastable_sets(3)
    assert repr(found).startswith("MetastableSets(k=3, sizes=[")
    assert repr(found).endswith("crispness=1)")


def test_same_bytes(same_bytes):
    chain = MarkovChain(clusters(0.05, sizes=(10, 20, 15), reversible=False)[0])
    same_bytes(lambda threads: [chain.metastable_sets(3, threads=threads).memberships])


@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (0, ValueError, "k must be at least 1, got 0"),
        (16, ValueError, "k must be at most 15, got 16"),
        (2.5, TypeError, "k must be an int, got 2.5"),
        (True, TypeError, "k must be an int, got True"),
    ],
)
def test_bad_numbers_of_sets_are_named(k, error, message):
    with pytest.raises(error, match=message):
        MarkovChain(clusters(0.1)[0]).metastable_sets(k)


@pytest.mark.parametrize("meta_graph", ["ring", "cycle", "complete"])
@pytest.mark.parametrize("epsilon", [1e-1, 1e-12, 1e-30, 1e-100])
def test_sets_are_the_clusters_of_the_family(meta_graph, epsilon):
    family = metastable_chain(8, 16, epsilon, meta_graph=meta_graph)
    labels = family.chain.metastable_sets(8).labels
    np.testing.assert_array_equal(labels, np.repeat(labels[::16], 16))
    assert len(set(labels)) == 8
