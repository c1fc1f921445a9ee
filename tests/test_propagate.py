"""Laws and observables over time: exact rationals, closed forms, any number of steps, the same bytes in any company."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.reference import propagate as slow
from slowthink.reference.hitting import rational


def sparse_chain(n: int, degree: int = 6, seed: int = 1) -> MarkovChain:
    rng = np.random.default_rng(seed)
    source = np.repeat(np.arange(n), degree)
    return MarkovChain.from_edges(source, rng.integers(0, n, n * degree), rng.random(n * degree), n_states=n)


@given(testing.transition_matrices(), st.integers(0, 12), st.data())
def test_every_step_equals_the_exact_one(matrix, n_steps, data):
    chain, rows = MarkovChain(matrix), rational(matrix)
    n = len(matrix)
    law = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    forward = chain.propagate(law, n_steps, return_all=True)
    backward = chain.propagate(law, n_steps, return_all=True, backward=True)
    assert forward.shape == backward.shape == (n_steps + 1, n)
    ahead = behind = [slow.Fraction(x) for x in law]
    for t in range(n_steps + 1):
        for found, exact in ((forward[t], ahead), (backward[t], behind)):
            expected = np.array([float(x) for x in exact])
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-300)
        ahead, behind = slow.forward(rows, ahead), slow.backward(rows, behind)
    np.testing.assert_array_equal(chain.propagate(law, n_steps), forward[-1])


def test_no_step_returns_the_input():
    chain = MarkovChain([[0.3, 0.7], [1, 0]])
    law = np.array([[0.1, 0.7], [-3.0, 1e300]])
    out = chain.propagate(law, 0)
    np.testing.assert_array_equal(out, law)
    assert out is not law
    assert not np.shares_memory(out, law)
    assert chain.propagate(law, 0, return_all=True).shape == (2, 1, 2)
    assert chain.propagate(np.zeros((0, 2)), 10).shape == (0, 2)
    assert chain.propagate(np.zeros((0, 2)), 10**15, backward=True).shape == (0, 2)


@pytest.mark.parametrize("n_steps", [1, 5, 10**6])
@pytest.mark.parametrize("backward", [False, True])
def test_a_vector_becomes_the_same_in_any_company(same_bytes, n_steps, backward):
    # With 150 states and a million steps, by powers; else step by step.
    chain = sparse_chain(150 if n_steps > 5 else 20_000)
    values = np.random.default_rng(2).normal(size=(11, chain.n_states))
    together = same_bytes(lambda threads: chain.propagate(values, n_steps, backward=backward, threads=threads))
    for i in (0, 4, 10):
        np.testing.assert_array_equal(chain.propagate(values[i], n_steps, backward=backward), together[i])
    np.testing.assert_array_equal(chain.propagate(values[3:6], n_steps, backward=backward), together[3:6])


def test_one_law_of_a_large_chain_on_several_threads(same_bytes):
    chain = sparse_chain(200_000)
    law = np.random.default_rng(3).random(chain.n_states)
    found = same_bytes(lambda threads: chain.propagate(law, 40, threads=threads))
    expected, matrix = law, chain.to_scipy()
    for _ in range(40):
        expected = expected @ matrix
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    # Few steps are taken without a transposed matrix, and are the same to the bit.
    np.testing.assert_array_equal(chain.propagate(chain.propagate(law, 20), 20), found)


def test_uniform_rows_need_no_probabilities():
    rng = np.random.default_rng(4)
    indices = np.concatenate([rng.choice(500, n, replace=False) for n in np.tile([1, 3, 7, 9], 125)])
    chain = MarkovChain((np.cumsum([0, *np.tile([1, 3, 7, 9], 125)]), indices, None))
    assert chain._chain.is_uniform
    law, matrix = rng.random(500), chain.to_dense()
    np.testing.assert_allclose(chain.propagate(law, 3), law @ matrix @ matrix @ matrix, rtol=1e-13)
    np.testing.assert_allclose(chain.propagate(law, 2, backward=True), matrix @ (matrix @ law), rtol=1e-13)


def test_mass_is_kept():
    # Rows may sum to 1 within 1e-9 alone; walks on them keep their mass all the same.
    rng = np.random.default_rng(5)
    matrix = rng.random((40, 40))
    matrix /= matrix.sum(axis=1, keepdims=True)
    off = matrix * (1 + rng.uniform(-9e-10, 9e-10, (40, 1)))
    law = rng.random(40) / 20
    for n_steps in (1, 100, 10_000, 10**18):
        assert MarkovChain(off).propagate(law, n_steps).sum() == pytest.approx(
            law.sum(), rel=1e-15 * min(n_steps + 1, 99)
        )
    assert abs((law @ np.linalg.matrix_power(off, 10_000)).sum() / law.sum() - 1) > 1e-8
    difference = law - law[::-1]
    assert abs(MarkovChain(off).propagate(difference, 50).sum()) < 1e-15


@pytest.mark.parametrize("coupling", [1e-3, 1e-8, 1e-15, 1e-30, 1e-100])
def test_metastable_chains_after_many_steps(coupling):
    # Two states: the mass that has gone over is (1 - (1 - 3 c)^n) / 3.
    chain = MarkovChain([[1 - coupling, coupling], [2 * coupling, 1 - 2 * coupling]])
    for n_steps in (10**3, 10**9, 10**15, 2**63 - 1):
        gone = -np.expm1(n_steps * np.log1p(-3 * coupling)) / 3
        found = chain.propagate([1, 0], n_steps)
        np.testing.assert_allclose(found, [1 - gone, gone], rtol=1e-12)
        np.testing.assert_allclose(chain.propagate([0, 1], n_steps, backward=True)[0], gone, rtol=1e-12)


def test_many_states_after_many_steps():
    # A symmetric walk on a ring of 60 states with rare jumps: its eigenvectors are known.
    n, c = 60, 1e-12
    matrix = c * (np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)) + (1 - 2 * c) * np.eye(n)
    k = np.arange(n)
    for n_steps in (10**12, 10**14, 10**18):
        decay = np.exp(n_steps * np.log1p(-2 * c * (1 - np.cos(2 * np.pi * k / n))))
        expected = np.cos(2 * np.pi * np.outer(k, k) / n) @ decay / n
        found = MarkovChain(matrix).propagate(np.eye(n)[0], n_steps)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_periods_are_kept_for_ever():
    turn = MarkovChain(np.roll(np.eye(3), 1, axis=1))
    for n_steps in (3 * 10**17, 3 * 10**17 + 1, 2**63 - 1):
        np.testing.assert_array_equal(turn.propagate([1, 0, 0], n_steps), np.eye(3)[n_steps % 3])


def test_progress_and_ctrl_c():
    chain = sparse_chain(2_000)
    seen = []
    chain.propagate(np.ones(2_000), 3_000, return_all=True, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3_000, 3_000)

    class Stop(Exception):
        pass

    def stop(done, total):
        raise Stop

    for n_steps in (10**9, 10**17):
        with pytest.raises(Stop):
            sparse_chain(3_000 if n_steps < 10**10 else 1_500).propagate(
                np.ones(3_000 if n_steps < 10**10 else 1_500), n_steps, progress=stop
            )
    assert threading.active_count() < 20


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ([1, 0, 0], 1),
            r"distribution must have an entry for each of the 2 states in its last axis, got shape \(3,\)",
        ),
        (([[[1, 0]]], 1), r"distribution must be 1-D or 2-D"),
        (([np.inf, 0], 1), r"distribution\[0\] must be finite"),
        (([1, 0], -1), r"n_steps must be at least 0"),
        (([1, 0], 2**63), r"n_steps must be at most"),
    ],
)
def test_bad_arguments_are_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        MarkovChain([[0, 1], [1, 0]]).propagate(*arguments)
    with pytest.raises(MemoryError, match="a result of shape"):
        MarkovChain([[0, 1], [1, 0]]).propagate([1, 0], 2**50, return_all=True)
