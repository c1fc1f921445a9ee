"""Transition-path theory: the exact twin at any coupling, closed forms, currents within metastable sets, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.reference import transition_paths as slow

COUPLINGS = [0.1, 1e-8, 1e-20, 1e-100]


def clusters(coupling, *, reversible, n_clusters=3, size=3, seed=1):
    """A line of dense clusters. Detailed balance is exact in the numbers themselves: the weights are powers of 2."""
    rng = np.random.default_rng(seed)
    n = n_clusters * size
    matrix = np.zeros((n, n))
    for c in range(n_clusters):
        block = slice(c * size, (c + 1) * size)
        matrix[block, block] = rng.integers(1, 64, (size, size)) / (128 * size)
        if c:
            matrix[c * size - 1, c * size] = coupling * rng.uniform(0.1, 0.5)
            matrix[c * size, c * size - 1] = coupling * rng.uniform(0.1, 0.5)
    if reversible:
        lower = np.tril(matrix, -1)
        matrix = (lower + lower.T) * 2.0 ** -rng.integers(0, 4, n)[:, None]
    np.fill_diagonal(matrix, 0)
    return matrix + np.diag(1 - matrix.sum(axis=1))


def close(found, expected, rtol):
    expected = np.array([[float(x) for x in row] for row in np.atleast_2d(np.array(expected, dtype=object))])
    np.testing.assert_allclose(np.atleast_2d(found), expected, rtol=rtol, atol=0)


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("reversible", [True, False])
def test_every_number_is_right_at_any_coupling(coupling, reversible):
    matrix = clusters(coupling, reversible=reversible)
    source, target = [0], [8]
    found = MarkovChain(matrix).transition_paths(source, target)
    exact = slow.transition_paths(matrix, source, target)
    close(found.stationary, exact["stationary"], 1e-12)
    close(found.forward_committor, exact["forward"], 1e-12)
    close(found.backward_committor, exact["backward"], 1e-12)
    close(found.gross_flux.toarray(), exact["gross"], 1e-12)
    assert found.total_flux == pytest.approx(float(exact["total"]), rel=1e-12)
    assert found.rate == pytest.approx(float(exact["rate"]), rel=1e-12)
    assert found.mean_first_passage_time == pytest.approx(float(1 / exact["rate"]), rel=1e-12)
    if reversible:
        # Within the middle cluster, where the committor is nearly constant, the currents keep their digits.
        close(found.net_flux.toarray(), exact["net"], 1e-9)
    else:
        expected = np.array([[float(x) for x in row] for row in exact["net"]])
        np.testing.assert_allclose(found.net_flux.toarray(), expected, atol=1e-15 * expected.max(), rtol=1e-9)


def test_a_difference_of_gross_fluxes_has_no_digit_left_where_the_net_flux_has_all():
    matrix = clusters(1e-25, reversible=True)
    found = MarkovChain(matrix).transition_paths(0, 8)
    exact = np.array([[float(x) for x in row] for row in slow.transition_paths(matrix, [0], [8])["net"]])
    gross = found.gross_flux.toarray()
    naive = np.maximum(gross - gross.T, 0)[3:6, 3:6]
    assert np.abs(naive - exact[3:6, 3:6]).max() > 0.5 * exact[3:6, 3:6].max()
    net = found.net_flux.toarray()
    np.testing.assert_allclose(net, exact, rtol=1e-9)
    # What flows into a state between the sets flows out.
    np.testing.assert_allclose(net.sum(axis=0)[1:8], net.sum(axis=1)[1:8], rtol=1e-12)


@given(st.integers(2, 7), st.integers(0, 10**6), st.booleans(), st.data())
def test_the_twin_on_random_chains(n, seed, reversible, data):
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (rng.random((n, n)) < 0.6) + np.roll(np.eye(n), 1, axis=1) * 0.1
    matrix = weights / weights.sum(axis=1, keepdims=True)
    if reversible:
        # Exactly symmetric.
        matrix = np.minimum(matrix, matrix.T) / 2
        matrix += np.roll(np.eye(n), 1, axis=1) / 8 + np.roll(np.eye(n), -1, axis=1) / 8
        matrix += np.diag(1 - matrix.sum(axis=1))
    order = rng.permutation(n).tolist()
    cut = data.draw(st.integers(1, n - 1))
    end = data.draw(st.integers(cut + 1, n))
    source, target = order[:cut], order[cut:end]
    found = MarkovChain(matrix).transition_paths(source, target)
    exact = slow.transition_paths(matrix, source, target)
    close(found.forward_committor, exact["forward"], 1e-11)
    close(found.backward_committor, exact["backward"], 1e-11)
    close(found.gross_flux.toarray(), exact["gross"], 1e-11)
    np.testing.assert_allclose(
        found.net_flux.toarray(), [[float(x) for x in row] for row in exact["net"]], rtol=1e-9, atol=1e-16
    )
    assert found.rate == pytest.approx(float(exact["rate"]), rel=1e-11)


@given(st.integers(0, 10**6), st.booleans())
def test_pathways_carry_the_whole_flux(seed, reversible):
    matrix = clusters(0.05, reversible=reversible, seed=seed)
    found = MarkovChain(matrix).transition_paths(0, [7, 8])
    pathways, capacities = found.dominant_pathways()
    net = found.net_flux.toarray()
    assert capacities.sum() == pytest.approx(found.total_flux, rel=1e-9)
    carried = np.zeros_like(net)
    for pathway, capacity in zip(pathways, capacities, strict=True):
        assert pathway[0] == 0
        assert pathway[-1] in (7, 8)
        assert len(set(pathway.tolist())) == len(pathway)
        carried[pathway[:-1], pathway[1:]] += capacity
    assert (carried <= net * (1 + 1e-9)).all()
    few, first = found.dominant_pathways(2)
    assert [p.tolist() for p in few] == [p.tolist() for p in pathways[:2]]
    assert first.tolist() == capacities[:2].tolist()
    _, half = found.dominant_pathways(fraction=0.5)
    assert half.sum() > 0.499 * found.total_flux
    assert half[:-1].sum() < 0.501 * found.total_flux


def test_a_line_of_states_has_the_resistances_of_its_steps():
    # A random walk on 0..n: pi uniform, committor i / n, current 1 / (2 n (n + 1)).
    n = 6
    matrix = np.zeros((n + 1, n + 1))
    for i in range(n):
        matrix[i, i + 1] = matrix[i + 1, i] = 0.5
    matrix += np.diag(1 - matrix.sum(axis=1))
    found = MarkovChain(matrix).transition_paths(0, n)
    np.testing.assert_allclose(found.forward_committor, np.arange(n + 1) / n, rtol=1e-14)
    np.testing.assert_allclose(found.backward_committor, 1 - np.arange(n + 1) / n, rtol=1e-14, atol=1e-15)
    assert found.total_flux == pytest.approx(1 / (2 * n * (n + 1)), rel=1e-14)
    net = found.net_flux.toarray()
    np.testing.assert_allclose(np.diag(net, 1), found.total_flux, rtol=1e-13)
    assert np.count_nonzero(net) == n
    assert [p.tolist() for p in found.dominant_pathways()[0]] == [list(range(n + 1))]


def test_simulated_transitions_come_at_the_rate():
    matrix = clusters(0.3, reversible=False, seed=4)
    found = MarkovChain(matrix).transition_paths([0, 1], [7, 8])
    walk = MarkovChain(matrix).walk(0, 400_000, n_walks=1, rng=1)[0]
    ends = walk[np.isin(walk, [0, 1, 7, 8])]
    last_source = np.isin(ends, [0, 1])
    crossings = int((last_source[:-1] & ~last_source[1:]).sum())
    # Crossings are renewals, their number less scattered than a Poisson number: six standard deviations of that.
    expected = 400_000 * found.total_flux
    assert abs(crossings - expected) < 6 * np.sqrt(expected)


def test_transient_states_are_on_no_path():
    matrix = np.array([[0.5, 0.5, 0, 0], [0.25, 0.5, 0.25, 0], [0, 0.5, 0.5, 0], [0.5, 0, 0.25, 0.25]])
    found = MarkovChain(matrix).transition_paths(0, 2)
    assert found.stationary[3] == 0
    assert found.forward_committor[3] == pytest.approx(1 / 3)
    assert np.isnan(found.backward_committor[3])
    assert found.gross_flux.toarray()[3].sum() == 0
    assert found.total_flux == pytest.approx(0.0625)


def test_same_bytes(same_bytes):
    chain = MarkovChain(clusters(1e-3, reversible=False, size=10))
    same_bytes(lambda threads: [getattr(chain.transition_paths(0, 29, threads=threads), a) for a in ("rate", "_net")])
    paths = chain.transition_paths(0, 29)
    same_bytes(lambda threads: paths.dominant_pathways(3, threads=threads))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (0, 0, "target must share no state with source, got 0"),
        ([], 1, "source must hold at least one state"),
        (0, [2, 9], r"target\[1\] must be below the number of states, 4, got 9"),
        (3, 1, "source must hold a recurrent state"),
    ],
)
def test_bad_sets_are_named(source, target, message):
    chain = MarkovChain([[0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0], [0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5]])
    with pytest.raises(ValueError, match=message):
        chain.transition_paths(source, target)


def test_bad_options_are_named():
    paths = MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5]]).transition_paths(0, 2)
    with pytest.raises(ValueError, match="fraction must be above 0 and at most 1, got 0"):
        paths.dominant_pathways(fraction=0)
    with pytest.raises(TypeError, match="fraction must be a number, got 'all'"):
        paths.dominant_pathways(fraction="all")
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        paths.dominant_pathways(0)
    with pytest.raises(ValueError, match="the chain must have a single recurrent class, for one stationary law, got 2"):
        MarkovChain([[1, 0], [0, 1]]).transition_paths(0, 1)
