"""First passages: exact rationals at any metastability, chains of every structure, times beyond the range, the law."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.reference import first_passage as slow
from slowthink.testing import transition_matrices


def worst(found: np.ndarray, exact: list[list[Fraction | None]]) -> float:
    """The largest relative error; times beyond the range must be inf."""
    largest = 0.0
    for row, exact_row in zip(found.tolist(), exact, strict=True):
        for value, number in zip(row, exact_row, strict=True):
            if number is None or number > Fraction(np.finfo(float).max):
                assert value == math.inf
            elif number == 0:
                assert value == 0
            else:
                assert 0 < value < math.inf, f"{value} for {float(number)}"
                largest = max(largest, abs(float(Fraction(value) / number - 1)))
    return largest


def clusters(n: int, size: int, epsilon: float, seed: int, filled: float = 1.0) -> np.ndarray:
    """Clusters of ``size`` states whose entries span thirty powers of ten, joined by some of about ``epsilon``."""
    rng = np.random.default_rng(seed)
    weight = 10 ** rng.uniform(-30, 0, (n, n)) * (rng.random((n, n)) < filled)
    weight[np.arange(n), (np.arange(n) + 1) % n] = 1
    cluster = np.arange(n) // size
    weight *= np.where(cluster[:, None] == cluster, 1.0, epsilon)
    return weight / weight.sum(axis=1, keepdims=True)


@st.composite
def metastable(draw: st.DrawFn) -> np.ndarray:
    """Few states, entries over thirty powers of ten, some times epsilon, from 1e-1 to 1e-100, or its square."""
    n = draw(st.integers(2, 6))
    epsilon = 10.0 ** -draw(st.integers(1, 100))
    power = st.sampled_from([None, 0, 0, 1, 1, 2])
    size = st.integers(0, 30).map(lambda e: 10.0**-e)
    weight = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            nested = draw(power)
            weight[i, j] = 0 if nested is None else draw(size) * epsilon**nested
        weight[i, (i + 1) % n] += 10.0 ** -draw(st.integers(0, 3)) * (epsilon if draw(st.booleans()) else 1)
    return weight / weight.sum(axis=1, keepdims=True)


@given(metastable())
def test_every_digit_at_any_metastability(matrix: np.ndarray):
    chain = MarkovChain.from_weights(matrix)
    exact = slow.mean_first_passage_times(matrix.tolist())
    assert worst(chain.mean_first_passage_times(), exact) < 1e-14
    back = slow.mean_return_times(matrix.tolist())
    assert worst(chain.mean_first_passage_times(returns=True).diagonal()[None], [back]) < 1e-14
    constant = slow.kemeny_constant(matrix.tolist())
    if constant < Fraction(np.finfo(float).max):
        assert abs(Fraction(chain.kemeny_constant()) / constant - 1) < 1e-14


@given(transition_matrices(least_coupling=1e-100))
def test_chains_of_every_structure(matrix: np.ndarray):
    chain = MarkovChain.from_weights(matrix)
    assert worst(chain.mean_first_passage_times(), slow.mean_first_passage_times(matrix.tolist())) < 1e-14
    back = slow.mean_return_times(matrix.tolist())
    assert worst(chain.mean_first_passage_times(returns=True).diagonal()[None], [back]) < 1e-14


@given(st.data())
def test_transient_states_that_all_walks_pass(data: st.DataObject):
    # Mostly forwards, by few transitions: there are states that one cannot get around.
    n = data.draw(st.integers(2, 8))
    weight = np.zeros((n, n))
    for i in range(n):
        for j in data.draw(st.lists(st.integers(0, min(n - 1, i + 2)), max_size=3)):
            weight[i, j] = 10.0 ** -data.draw(st.integers(0, 60))
        weight[i, min(i + 1, n - 1)] += 10.0 ** -data.draw(st.integers(0, 60))
    weight /= weight.sum(axis=1, keepdims=True)
    chain = MarkovChain.from_weights(weight)
    assert worst(chain.mean_first_passage_times(), slow.mean_first_passage_times(weight.tolist())) < 1e-14


@pytest.mark.parametrize(
    ("n", "size", "epsilon", "filled"),
    [(300, 100, 1e-1, 1.0), (300, 10, 1e-100, 0.1), (211, 30, 1e-30, 0.05), (130, 13, 1e-8, 1.0), (97, 97, 1.0, 0.02)],
)
def test_equal_to_an_elimination_for_each_target(n: int, size: int, epsilon: float, filled: float, same_bytes: Any):
    matrix = clusters(n, size, epsilon, n, filled)
    chain = MarkovChain.from_weights(matrix)
    times = same_bytes(lambda threads: chain.mean_first_passage_times(threads=threads))
    for target in [0, 1, n // 2, n - 1, *np.random.default_rng(1).integers(0, n, 4).tolist()]:
        # The matrix as the chain holds it, rounded where its rows were normalised again.
        expected = slow.by_elimination(chain.to_dense(), target)
        np.testing.assert_allclose(times[:, target], expected, rtol=1e-13)


def test_every_equation_holds_in_rationals():
    # For all pairs: m_ij times the leave probability is 1 and the times after a step. No other code is involved.
    matrix = clusters(40, 10, 1e-50, 3)
    chain = MarkovChain.from_weights(matrix)
    a = [[Fraction(x) for x in row] for row in chain.to_dense().tolist()]
    times = [[Fraction(x) for x in row] for row in chain.mean_first_passage_times().tolist()]
    n = len(a)
    for i in range(0, n, 7):
        leave = sum(a[i][k] for k in range(n) if k != i)
        for j in range(n):
            after = 1 + sum(a[i][k] * times[k][j] for k in range(n) if k != i)
            assert i == j or abs(times[i][j] * leave / after - 1) < 1e-14


def test_a_plain_inverse_is_wrong_by_all_digits_where_this_is_not():
    matrix = clusters(12, 4, 1e-20, 1)
    with np.errstate(all="ignore"):
        pi = np.full(12, 1 / 12)
        for _ in range(50):
            pi = pi @ np.linalg.matrix_power(matrix, 64)
        z = np.linalg.inv(np.eye(12) - matrix + pi)
        naive = (z.diagonal() - z) / pi
    exact = slow.mean_first_passage_times(matrix.tolist())
    between = Fraction(exact[0][11] or 0)
    assert abs(Fraction(float(naive[0, 11])) / between - 1) > 0.1
    assert worst(MarkovChain.from_weights(matrix).mean_first_passage_times(), exact) < 1e-14


def test_unlikely_ways_to_endless_times_count():
    # From 1 the next is 2, but 0 with 1e-200 1e-200 (by 3); from 0 it takes 1e450 to come back.
    weight = np.zeros((5, 5))
    for i, j, w in [
        (1, 2, 1),
        (1, 3, 1e-200),
        (3, 2, 1),
        (3, 0, 1e-200),
        (0, 0, 1),
        (0, 4, 1e-300),
        (4, 0, 1),
        (4, 2, 1e-150),
    ]:
        weight[i, j] = w
    weight[2, 1] = 1
    chain = MarkovChain.from_weights(weight)
    times = chain.mean_first_passage_times(returns=True)
    exact = slow.mean_first_passage_times(chain.to_dense().tolist())
    assert exact[0][2] > 10**449
    assert times[0, 2] == math.inf
    assert times[1, 2] == pytest.approx(1e50, rel=1e-14)
    assert times[2, 2] == pytest.approx(1e50, rel=1e-14)
    assert worst(chain.mean_first_passage_times(), exact) < 1e-14
    assert slow.kemeny_constant(chain.to_dense().tolist()) > 10**309
    assert chain.kemeny_constant() == math.inf


def test_a_ladder_against_the_drift():
    # Up with 1e-70, down with certainty: k rungs up take about 1e70^k, down one step each.
    n = 8
    weight = np.diag(np.full(n - 1, 1e-70), 1) + np.diag(np.ones(n - 1), -1)
    chain = MarkovChain.from_weights(weight)
    exact = slow.mean_first_passage_times(chain.to_dense().tolist())
    times = chain.mean_first_passage_times()
    assert np.isinf(times).sum() > 0
    assert worst(times, exact) < 1e-14
    assert times[-1].tolist() == pytest.approx(list(range(n - 1, -1, -1)), rel=1e-14)
    assert chain.kemeny_constant() == pytest.approx(float(slow.kemeny_constant(chain.to_dense().tolist())), rel=1e-13)


def test_classes_that_are_never_left():
    chain = MarkovChain(
        [[0.5, 0.5, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0.5, 0, 0, 0.5, 0], [0.25, 0, 0.25, 0.5, 0]]
    )
    inf = math.inf
    expected = [
        [0, 2, inf, inf, inf],
        [1, 0, inf, inf, inf],
        [inf, inf, 0, inf, inf],
        [2, 4, inf, 0, inf],
        [inf] * 4 + [0],
    ]
    np.testing.assert_array_equal(chain.mean_first_passage_times(), expected)
    np.testing.assert_array_equal(chain.mean_first_passage_times(returns=True).diagonal(), [1.5, 3, 1, inf, inf])
    with pytest.raises(ValueError, match=r"chain must have one recurrent class, got 2 \(states 0 and 2"):
        chain.kemeny_constant()


def test_kemeny_is_the_sum_over_the_eigenvalues():
    rng = np.random.default_rng(5)
    matrix = rng.random((60, 60))
    matrix /= matrix.sum(axis=1, keepdims=True)
    eigenvalues = np.sort_complex(np.linalg.eigvals(matrix))[:-1]
    expected = float((1 / (1 - eigenvalues)).sum().real)
    chain = MarkovChain(matrix)
    assert chain.kemeny_constant() == pytest.approx(expected, rel=1e-12)
    # From every state alike, and one more where the time to a state itself is that of the return.
    times = chain.mean_first_passage_times(returns=True)
    np.testing.assert_allclose(times @ (1 / times.diagonal()), 1 + expected, rtol=1e-12)
    # Transient states do not count.
    larger = np.zeros((62, 62))
    larger[:60, :60], larger[60, 61], larger[61, 3] = matrix, 1, 1
    assert MarkovChain(larger).kemeny_constant() == pytest.approx(expected, rel=1e-12)
    assert MarkovChain([[1.0]]).kemeny_constant() == 0
    # Two states: one over the sum of the ways to and fro, whatever it is.
    assert MarkovChain([[1, 1e-300], [3e-300, 1]]).kemeny_constant() == pytest.approx(0.25e300, rel=1e-15)


@pytest.mark.parametrize("epsilon", [1e-1, 1e-8, 1e-30, 1e-100])
def test_kemeny_of_sparse_chains_by_elimination(epsilon: float):
    # A ring of rings, joined at random: little fill. The dense times of the same chain know nothing of elimination.
    rng = np.random.default_rng(1)
    n, size = 400, 20
    state = np.arange(n)
    weight = np.zeros((n, n))
    weight[state, state // size * size + (state + 1) % size] = rng.random(n) + 0.1
    weight[state, state // size * size + (state - 1) % size] = rng.random(n) + 0.1
    joints = np.arange(0, n, size)
    weight[joints, (joints + size + 3) % n] = epsilon * (rng.random(n // size) + 0.1)
    weight[joints + 3, (joints - size) % n] = epsilon * (rng.random(n // size) + 0.1)
    chain = MarkovChain.from_weights(weight)
    times = chain.mean_first_passage_times(returns=True)
    expected = times[7] / times.diagonal()
    assert chain.kemeny_constant() == pytest.approx(expected.sum() - expected[7], rel=1e-13)


def test_kemeny_of_a_large_ring():
    # From k it takes n - k steps to the end, each state visited once: n - 1 less half of it.
    n = 300_000
    chain = MarkovChain((np.arange(n + 1), np.roll(np.arange(n), -1), None))
    assert chain.kemeny_constant() == pytest.approx((n - 1) / 2, rel=1e-12)


def test_the_times_agree_with_walks():
    chain = MarkovChain.from_weights(clusters(12, 4, 1e-6, 2, 0.5))
    times = chain.mean_first_passage_times()
    sampled = chain.sample_hitting_times(11, 0, n_walks=4000, max_steps=10**12, rng=1)
    low, high = sampled.interval(1 - 1e-6)
    assert low < times[0, 11] < high


@given(
    transition_matrices(max_states=5),
    st.integers(0, 12),
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.data(),
)
def test_the_law_is_that_of_the_twin(matrix: np.ndarray, n_steps: int, targets: list[int], data: st.DataObject):
    n = len(matrix)
    chosen = sorted({target % n for target in targets})
    chain = MarkovChain.from_weights(matrix)
    matrix = chain.to_dense()
    each = chain.first_passage_distribution(chosen, n_steps=n_steps)
    assert each.probabilities.shape == (n, n_steps + 1)
    assert each.n_steps == n_steps
    for start in range(n):
        expected = [float(p) for p in slow.law(matrix.tolist(), set(chosen), np.eye(n)[start].tolist(), n_steps)]
        np.testing.assert_allclose([*each.probabilities[start], each.beyond[start]], expected, rtol=1e-13)
        one = chain.first_passage_distribution(chosen, start, n_steps=n_steps)
        np.testing.assert_allclose([*one.probabilities, one.beyond], expected, rtol=1e-13)
    law = np.array(data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)), float) + np.eye(n)[0]
    law /= law.sum()
    mixed = chain.first_passage_distribution(chosen, start_distribution=law, n_steps=n_steps)
    np.testing.assert_allclose(mixed.probabilities, law @ each.probabilities, rtol=1e-12, atol=1e-300)
    assert mixed.beyond == pytest.approx(law @ each.beyond, rel=1e-12, abs=1e-300)


def test_the_law_keeps_rare_events_and_what_is_left():
    # Staying has probability 1 - 1e-40, which is 1: one minus the sum of the law would be 1 or 0.
    chain = MarkovChain([[1, 1e-40, 0], [0, 0.5, 0.5], [0, 0, 1]])
    law = chain.first_passage_distribution(2, 0, n_steps=3)
    np.testing.assert_allclose(law.probabilities, [0, 0, 0.5e-40, 0.75e-40], rtol=1e-15)
    assert law.beyond == pytest.approx(1, rel=1e-15)
    short = chain.first_passage_distribution([2], 1, n_steps=200)
    assert short.beyond == 0.5**200
    never = chain.first_passage_distribution(0, 2, n_steps=5)
    assert never.probabilities.tolist() == [0] * 6
    assert never.beyond == 1
    periodic = MarkovChain([[0, 1], [1, 0]]).first_passage_distribution(1, 0, n_steps=4)
    assert (periodic.probabilities.tolist(), periodic.beyond) == ([0, 1, 0, 0, 0], 0)
    assert repr(periodic) == "FirstPassageDistribution(n_steps=4, beyond=0)"
    assert repr(chain.first_passage_distribution(0, n_steps=4)) == "FirstPassageDistribution(n_starts=3, n_steps=4)"


def test_the_law_is_that_of_sampled_times_and_its_mean_the_exact_one():
    matrix = clusters(20, 10, 0.2, 7, 0.6)
    chain = MarkovChain.from_weights(matrix)
    mean = chain.mean_first_passage_times()[0, 15]
    law = chain.first_passage_distribution(15, 0, n_steps=int(60 * mean))
    assert law.beyond < 1e-12
    assert law.probabilities @ np.arange(law.n_steps + 1) == pytest.approx(mean, rel=1e-9)


def test_threads_share_a_large_step(same_bytes: Any):
    rng = np.random.default_rng(1)
    n = 20_000
    indices = rng.integers(0, n, 10 * n)
    chain = MarkovChain.from_weights((np.arange(0, 10 * n + 1, 10), indices, rng.random(10 * n)))
    starts = np.array([5, 3, 19_999, 5])
    found = same_bytes(lambda threads: chain.first_passage_distribution([0, 7], starts, n_steps=20, threads=threads))
    np.testing.assert_array_equal(found.probabilities[0], found.probabilities[3])
    one = chain.first_passage_distribution([0, 7], 3, n_steps=20)
    np.testing.assert_allclose(found.probabilities[1], one.probabilities, rtol=1e-12)
    assert found.beyond[1] == pytest.approx(one.beyond, rel=1e-12)


def test_what_does_not_fit_is_refused_before_work_starts():
    n = 3_000_000
    chain = MarkovChain((np.arange(n + 1), np.roll(np.arange(n), -1), None))
    with pytest.raises(MemoryError, match="a table of all pairs of states"):
        chain.mean_first_passage_times()
    with pytest.raises(MemoryError):
        chain.first_passage_distribution(0, n_steps=10**9)


def test_progress_reaches_its_end():
    seen: list[tuple[int, int]] = []
    chain = MarkovChain.from_weights(clusters(400, 100, 1e-3, 1))
    chain.mean_first_passage_times(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


def test_bad_arguments_are_named():
    chain = MarkovChain([[0.5, 0.5], [1, 0]])
    with pytest.raises(TypeError, match="returns must be True or False"):
        chain.mean_first_passage_times(returns="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"targets must be below the number of states, 2, got 5"):
        chain.first_passage_distribution(5, n_steps=3)
    with pytest.raises(ValueError, match="n_steps must be at least 0"):
        chain.first_passage_distribution(1, n_steps=-1)
    with pytest.raises(ValueError, match="start_distribution must have a sum of 1"):
        chain.first_passage_distribution(1, start_distribution=[0.5, 0.6], n_steps=3)
    with pytest.raises(TypeError, match="either start or start_distribution"):
        chain.first_passage_distribution(1, 0, start_distribution=[0.5, 0.5], n_steps=3)
