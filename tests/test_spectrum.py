"""Eigenvalues, rates, time scales and gaps: proved by exact rationals at any coupling, closed forms, bad input."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.reference import spectrum as slow
from slowthink.testing import transition_matrices

COUPLINGS = [10.0**-e for e in (1, 3, 8, 12, 16, 20, 50, 100)]


def clusters(coupling, *, n_clusters=3, size=4, reversible=True, decades=0.0, seed=1):
    """Dense clusters in a ring, joined by single transitions."""
    rng = np.random.default_rng(seed)
    n = n_clusters * size
    weights = np.zeros((n, n))
    for c in range(n_clusters):
        block = slice(c * size, (c + 1) * size)
        weights[block, block] = rng.uniform(0.1, 1, (size, size)) * 10.0 ** (-decades * rng.random((size, size)))
        if n_clusters > 1:
            weights[c * size, (c + 1) % n_clusters * size + 1] += coupling * rng.uniform(0.5, 1)
            weights[c * size + 2, (c - 1) % n_clusters * size] += coupling * rng.uniform(0.5, 1)
    if reversible:
        weights = weights + weights.T
    return weights / weights.sum(axis=1, keepdims=True)


def proved_real(matrix, rates, tolerance):
    """Asserts that the i-th smallest rate of a chain with detailed balance lies within a relative tolerance."""
    rates = np.sort(rates)
    for i, rate in enumerate(rates):
        if rate == 0.0:
            # A positive number below all others tells how many are 0.
            continue
        low, high = Fraction(float(rate)) * (1 - tolerance), Fraction(float(rate)) * (1 + tolerance)
        assert slow.n_below(matrix, low) <= i < slow.n_below(matrix, high), (i, rate)


def proved_complex(matrix, rates, tolerance):
    """Asserts that each rate but 0 is near a root of the characteristic polynomial, and each root found once."""
    polynomial = slow.characteristic_polynomial(matrix)
    assert len(rates) == len(polynomial) - 1
    n_zero = next(i for i, c in enumerate(reversed(polynomial)) if c != 0)
    assert (rates == 0).sum() == n_zero
    rest = polynomial[: len(polynomial) - n_zero]
    found = [complex(rate) for rate in rates[rates != 0]]
    for rate in found:
        size = Fraction(rate.real) ** 2 + Fraction(rate.imag) ** 2
        assert slow.squared_distance(rest, rate) <= tolerance**2 * size, rate
    # Far apart as they are, no two stand for the same root.
    for i, a in enumerate(found):
        assert all(abs(a - b) > 4 * tolerance * abs(a) for b in found[:i])


def test_the_twin_knows_a_chain_worked_out_by_hand():
    # 1 - lambda = a + b for two states.
    matrix = [[0.75, 0.25], [0.5, 0.5]]
    assert slow.characteristic_polynomial(matrix) == [1, Fraction(-3, 4), 0]
    assert [slow.n_below(matrix, Fraction(x, 100)) for x in (-1, 1, 74, 76)] == [0, 1, 1, 2]
    assert slow.squared_distance([Fraction(1), Fraction(-3, 4), Fraction(0)], 0.75) == 0


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("decades", [0.0, 30.0])
def test_rates_with_detailed_balance_are_right_at_any_coupling(coupling, decades):
    matrix = clusters(coupling, decades=decades)
    rates = MarkovChain(matrix).rates()
    assert rates.dtype == np.float64
    proved_real(matrix, rates, Fraction(1, 10**11))
    assert np.sort(rates)[0] == 0
    assert np.sort(rates)[1] > 0


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("decades", [0.0, 2.0])
def test_rates_without_detailed_balance_are_right_at_any_coupling(coupling, decades):
    matrix = clusters(coupling, reversible=False, decades=decades, seed=3)
    rates = MarkovChain(matrix).rates()
    assert rates.dtype == np.complex128
    proved_complex(matrix, rates, Fraction(1, 10**10))


def test_the_usual_way_loses_every_digit_and_this_one_does_not():
    matrix = clusters(1e-20)
    usual = np.sort(1 - np.linalg.eigvals(matrix).real)[1:3]
    ours = np.sort(MarkovChain(matrix).rates())[1:3]
    assert (ours > 1e-22).all()
    assert (ours < 1e-19).all()
    assert (np.abs(usual) > 100 * ours).any() or (usual <= 0).any()


@given(st.data())
def test_eigenvalues_are_those_of_numpy(data):
    matrix = data.draw(transition_matrices())
    found = MarkovChain(matrix).eigenvalues()
    expected = np.linalg.eigvals(matrix)
    assert len(found) == len(expected)
    # Coefficients of the polynomial: eigenvalues themselves may be ill-conditioned (defective ones).
    np.testing.assert_allclose(np.poly(found), np.poly(expected), atol=1e-8)
    assert (np.diff(np.abs(found)) <= 1e-12).all()
    assert found[0] == pytest.approx(1, abs=1e-12)


def test_the_smallest_eigenvalues_fall_too():
    # 0 as a threefold eigenvalue without as many eigenvectors: rounding makes numbers of 1e-8 of it.
    even, odd = [0, 0.5, 0, 0.5, 0], [1 / 3, 0, 1 / 3, 0, 1 / 3]
    found = MarkovChain([even, odd, even, [0.4, 0, 0.4, 0, 0.2], even]).eigenvalues()
    assert (np.diff(np.abs(found)) <= 1e-15).all()
    np.testing.assert_allclose(np.abs(found), [1, 1, 0, 0, 0], atol=1e-7)


@given(st.data())
def test_chains_with_detailed_balance_are_proved(data):
    n = data.draw(st.integers(2, 6))
    weights = np.zeros((n, n))
    for i in range(n):
        weights[i, i] = data.draw(st.sampled_from([0.0, 1.0]))
        for j in range(i):
            # A path at least, so that there is one class.
            exponent = data.draw(st.integers(-60, 0) if j == i - 1 else st.integers(-90, 0))
            if exponent > -61:
                weights[i, j] = weights[j, i] = 10.0**exponent * data.draw(st.floats(0.5, 1))
    matrix = weights / weights.sum(axis=1, keepdims=True)
    rates = MarkovChain(matrix).rates()
    assert rates.dtype == np.float64
    proved_real(matrix, rates, Fraction(1, 10**11))


def test_transient_states_and_several_classes():
    # Two recurrent classes, one transient pair with detailed balance among themselves, a transient state.
    matrix = np.zeros((7, 7))
    matrix[:2, :2] = [[0.5, 0.5], [0.25, 0.75]]
    matrix[2, 2] = 1.0
    matrix[3:5, 3:5] = [[0.25, 0.5], [0.5, 0.25]]
    matrix[3, 0], matrix[4, 2] = 0.25, 0.25
    matrix[5, 3:5] = 0.5
    matrix[6, [5, 6]] = 1e-40, 1.0
    chain = MarkovChain(matrix)
    np.testing.assert_allclose(np.sort(chain.rates()), [0, 0, 1e-40, 0.25, 0.75, 1, 1.25], rtol=1e-14)
    assert chain.spectral_gap() == 0
    np.testing.assert_allclose(chain.timescales(2), [np.inf, 1e40])


def test_time_scales_and_gaps_keep_their_digits():
    for rate in (0.5, 1e-5, 3e-17, 1e-40, 1e-300):
        chain = MarkovChain([[1 - rate / 2, rate / 2], [rate / 2, 1 - rate / 2]])
        assert chain.rates(2)[1] == pytest.approx(rate, rel=1e-15)
        assert chain.spectral_gap() == pytest.approx(rate, rel=1e-15)
        assert chain.timescales(1, lag=7)[0] == pytest.approx(-7 / np.log1p(-rate), rel=1e-14)
    # Beyond the largest number.
    assert MarkovChain([[1.0, 1e-310], [1e-310, 1.0]]).timescales(lag=10).tolist() == [np.inf]


def test_a_periodic_chain_has_no_absolute_gap():
    cycle = MarkovChain(np.roll(np.eye(4), 1, axis=1))
    np.testing.assert_allclose(cycle.eigenvalues(), [1, 1j, -1j, -1], atol=1e-14)
    assert cycle.spectral_gap() == pytest.approx(0, abs=1e-14)
    assert cycle.spectral_gap(absolute=False) == pytest.approx(1)
    assert np.isnan(MarkovChain([[1.0]]).spectral_gap())
    assert MarkovChain([[1.0]]).timescales().shape == (0,)
    assert MarkovChain([[0.5, 0.5], [0.5, 0.5]]).timescales().tolist() == [0.0]


def test_a_random_walk_on_a_ring_has_its_cosines():
    n = 301
    ring = np.roll(np.eye(n), 1, axis=1) / 2 + np.roll(np.eye(n), -1, axis=1) / 2
    found = np.sort(MarkovChain(ring).rates())
    np.testing.assert_allclose(found, np.sort(2 * np.sin(np.pi * np.arange(n) / n) ** 2), rtol=1e-12)


def test_a_biased_ring_has_its_roots_of_unity():
    n = 101
    ring = 0.7 * np.roll(np.eye(n), 1, axis=1) + 0.2 * np.roll(np.eye(n), -1, axis=1) + 0.1 * np.eye(n)
    turn = np.exp(2j * np.pi * np.arange(n) / n)
    expected = 0.7 * turn + 0.2 / turn + 0.1
    found = MarkovChain(ring).eigenvalues()
    assert max(np.abs(found - value).min() for value in expected) < 1e-12
    assert (np.diff(np.abs(found)) < 1e-12).all()


def pseudo_gap(matrix, max_power):
    """Paulin's definition, with the usual dense tools."""
    n = len(matrix)
    law = np.linalg.solve(np.vstack([(np.eye(n) - matrix).T[:-1], np.ones(n)]), np.eye(n)[-1])
    backward = law[None, :] * matrix.T / law[:, None]
    gaps = []
    for k in range(1, max_power + 1):
        both = np.linalg.matrix_power(backward, k) @ np.linalg.matrix_power(matrix, k)
        gaps.append((1 - np.sort(np.linalg.eigvals(both).real)[-2]) / k)
    return max(gaps)


@given(st.integers(0, 10**6), st.integers(2, 7), st.integers(1, 6))
def test_the_pseudo_spectral_gap_is_that_of_its_definition(seed, n, max_power):
    matrix = np.random.default_rng(seed).dirichlet(np.full(n, 0.5), n) * 0.99 + 0.01 / n
    found = MarkovChain(matrix).pseudo_spectral_gap(max_power=max_power)
    assert found == pytest.approx(pseudo_gap(matrix, max_power), abs=1e-10)


def test_the_pseudo_spectral_gap_of_a_seldom_left_state():
    # With detailed balance gap(P^2k) / k = (1 - (1 - rate)^2k) / k, largest at k = 1.
    for rate in (1e-3, 1e-20, 1e-100):
        chain = MarkovChain([[1 - rate / 4, rate / 4], [0.75 * rate, 1 - 0.75 * rate]])
        assert chain.pseudo_spectral_gap() == pytest.approx(2 * rate - rate**2, rel=1e-12)


def test_same_bytes(same_bytes):
    chain = MarkovChain(clusters(1e-5, n_clusters=5, size=20, reversible=False))
    same_bytes(lambda threads: chain.rates(threads=threads))
    same_bytes(lambda threads: chain.pseudo_spectral_gap(max_power=2, threads=threads))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: c.rates(0), ValueError, "k must be at least 1, got 0"),
        (lambda c: c.eigenvalues(4), ValueError, "k must be at most 3, got 4"),
        (lambda c: c.timescales(3), ValueError, "k must be at most the number of states less one, 2, got 3"),
        (lambda c: c.timescales(1.5), TypeError, "k must be an int, got 1.5"),
        (lambda c: c.timescales(lag=0), ValueError, "lag must be positive and finite, got 0"),
        (lambda c: c.timescales(lag="1"), TypeError, "lag must be a number, got '1'"),
        (lambda c: c.spectral_gap(absolute=1), TypeError, "absolute must be True or False, got 1"),
        (lambda c: c.pseudo_spectral_gap(max_power=0), ValueError, "max_power must be at least 1, got 0"),
        (lambda c: c.pseudo_spectral_gap(), ValueError, "the chain must be irreducible, got 2 classes"),
    ],
)
def test_bad_input_is_named(call, error, message):
    chain = MarkovChain([[0.5, 0.5, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5]])
    with pytest.raises(error, match=message):
        call(chain)


def rings(coupling, *, n_blocks=8, size=400):
    """Blocks in a ring: jumps within a block at 1 - coupling, to the same place of a neighbour block at coupling.

    Its eigenvalues are (1 - coupling) a + coupling b, with a those of the jumps and b those of the ring of blocks.
    """
    jumps = np.array([1, 7, 33, 52, 81])
    state = np.arange(n_blocks * size)
    block, place = np.divmod(state, size)
    steps = np.concatenate([jumps, -jumps])
    inside = block[:, None] * size + (place[:, None] + steps) % size
    beside = (state[:, None] + np.array([size, -size])) % len(state)
    weights = np.tile([*[(1 - coupling) / len(steps)] * len(steps), coupling / 2, coupling / 2], (len(state), 1))
    indptr = np.arange(len(state) + 1) * (len(steps) + 2)
    return MarkovChain((indptr, np.column_stack([inside, beside]).ravel(), weights.ravel())), block


@pytest.mark.parametrize("coupling", [1e-2, 1e-9, 1e-14])
def test_outermost_modes_of_a_large_chain(coupling):
    chain, _ = rings(coupling)
    expected = np.sort(2 * coupling * np.sin(np.pi * np.arange(8) / 8) ** 2)
    np.testing.assert_allclose(chain.rates(8), expected, rtol=1e-8)
    np.testing.assert_allclose(chain.timescales(7), -1 / np.log1p(-expected[1:]), rtol=1e-8)
    assert chain.spectral_gap() == pytest.approx(expected[1], rel=1e-8)
    assert chain.spectral_gap(absolute=False) == pytest.approx(expected[1], rel=1e-8)


def test_what_is_too_slow_for_the_iteration_is_said():
    with pytest.raises(RuntimeError, match="is too small to be told from rounding in a class of 3200 states"):
        rings(1e-40)[0].rates(8)


def test_large_classes_have_conditions():
    n = 3001
    ring = MarkovChain((np.arange(n + 1), (np.arange(n) + 1) % n, None))
    with pytest.raises(ValueError, match="in classes of more than 3000 states, got one of 3001 without"):
        ring.rates(3)
    with pytest.raises(ValueError, match="k must be at most 500 for a class of more than 3000 states"):
        rings(0.1)[0].rates()


def test_same_bytes_of_a_large_chain(same_bytes):
    chain, _ = rings(1e-3)
    same_bytes(lambda threads: chain.rates(8, threads=threads))
