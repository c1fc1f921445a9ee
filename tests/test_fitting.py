"""Chains from data: counts, connected sets, likelihood, reversible chains and their posteriors."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, sparse, stats
from slowthink.chains import (
    MarkovChain,
    TransitionCounts,
    count_trajectories,
    fit_chain,
    largest_connected_set,
    log_likelihood,
    sample_posterior,
)
from slowthink.reference import fitting as slow

RAIN = [[362, 126, 60], [136, 90, 68], [50, 79, 124]]
CONNECTED = np.array([[5, 3, 0, 1], [2, 8, 4, 0], [0, 6, 1, 2], [3, 0, 1, 4.5]])

trajectory_lists = st.lists(st.lists(st.integers(0, 4), max_size=40), min_size=1, max_size=5).filter(any)


def dense(chain: MarkovChain) -> np.ndarray:
    matrix = np.zeros((chain.n_states, chain.n_states))
    matrix[np.repeat(np.arange(chain.n_states), np.diff(chain.indptr)), chain.indices] = chain.probabilities
    return matrix


def columns(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))


# --- counts


@given(trajectory_lists, st.integers(1, 6), st.booleans())
def test_counts_equal_the_twin(trajectories: list[list[int]], lag: int, strided: bool):
    found = count_trajectories(trajectories, lag=lag, n_states=5, counting="strided" if strided else "sliding")
    np.testing.assert_array_equal(found.to_dense(), slow.counts(trajectories, 5, lag, lag if strided else 1))
    many = count_trajectories(trajectories, lag=lag, n_states=600, counting="strided" if strided else "sliding")
    np.testing.assert_array_equal(many.to_dense()[:5, :5], found.to_dense())
    assert many.total == found.total


@given(trajectory_lists, st.integers(1, 8))
def test_effective_counts_equal_the_twin(trajectories: list[list[int]], lag: int):
    found = count_trajectories(trajectories, lag=lag, n_states=5, counting="effective").to_dense()
    sliding = slow.counts(trajectories, 5, lag)
    expected = [sliding[i] / float(slow.inefficiency(trajectories, 5, lag, i)) for i in range(5)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_all_forms_of_trajectories_agree(same_bytes):
    rng = np.random.default_rng(1)
    for n_states in (7, 700):
        matrix = rng.integers(0, n_states, (40, 5000))
        for counting in ("sliding", "strided", "effective"):
            expected = same_bytes(
                lambda threads, counting=counting, matrix=matrix: count_trajectories(
                    matrix, lag=3, counting=counting, threads=threads
                )
            )
            for other in (list(matrix), matrix.tolist(), np.asfortranarray(matrix), matrix.astype(">i4"), matrix * 1.0):
                found = count_trajectories(other, lag=3, counting=counting)
                np.testing.assert_array_equal(found.to_dense(), expected.to_dense())
    one = count_trajectories([0, 1, 1])
    np.testing.assert_array_equal(one.to_dense(), count_trajectories([np.array([0, 1, 1])]).to_dense())
    assert count_trajectories([[0, 1], [1]], lag=5).total == 0  # shorter than the lag: no transitions


def test_effective_counts_meet_the_theory():
    # Two states that are left with probability a and b: x(t + lag) given x(t) decays as r^k, r = 1 - a - b. From the
    # transition matrix alone, the correlation of the errors of two transitions out of 0 that begin k apart.
    a, b, lag, n = 0.1, 0.2, 6, 1_000_000
    p = np.array([[1 - a, a], [b, 1 - b]])
    power = [np.linalg.matrix_power(p, k) for k in range(lag + 1)]
    share = power[lag][0, 1]
    theory = 1.0
    for k in range(1, lag):
        # x(t) = x(t + k) = 0: sum over y = x(t + lag) and z = x(t + lag + k).
        means = sum(power[lag - k][0, y] * power[k][y, z] * (y - share) * (z - share) for y in (0, 1) for z in (0, 1))
        theory += 2 * power[k][0, 0] * means / (share * (1 - share))
    walk = MarkovChain(p).walk(0, n, n_walks=1, rng=3)[0]
    sliding = count_trajectories(walk, lag=lag).to_dense()
    effective = count_trajectories(walk, lag=lag, counting="effective").to_dense()
    # The estimate is a mean over some 600,000 transitions with memory of tens of steps: a few per mille.
    assert sliding[0].sum() / effective[0].sum() == pytest.approx(theory, rel=0.03)
    assert 2 < theory < lag


def test_intervals_of_sliding_counts_are_too_narrow_and_those_of_effective_counts_right():
    lag, n_runs, length = 8, 600, 4000
    chain = MarkovChain([[0.95, 0.05, 0], [0.04, 0.92, 0.04], [0, 0.1, 0.9]])
    truth = np.linalg.matrix_power(dense(chain), lag)
    walks = chain.walk(1, length, n_walks=n_runs, rng=5)
    covered = {"sliding": 0, "effective": 0}
    for walk in walks:
        for counting in covered:
            counts = count_trajectories(walk, lag=lag, n_states=3, counting=counting)  # type: ignore[arg-type]
            fit = fit_chain(counts)
            error = abs(dense(fit.chain)[0, 0] - truth[0, 0])
            place = int(np.searchsorted(fit.chain.indices[: fit.chain.indptr[1]], 0))
            covered[counting] += bool(error <= 1.96 * fit.standard_error[place])
    # Binomial bounds at a level of 1e-6 around 95 %, with a point for the normal approximation and the estimated
    # correlation; sliding counts are about five times too many.
    low = stats.binom.ppf(1e-6, n_runs, 0.93) / n_runs
    assert covered["effective"] / n_runs >= low
    assert covered["sliding"] / n_runs < 0.75 < low


# --- connected sets


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_the_largest_connected_set_is_networkx_s(edges: list[tuple[int, int]]):
    networkx = pytest.importorskip("networkx")
    matrix = np.zeros((7, 7), dtype=int)
    for edge in edges:
        matrix[edge] += 1
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(7))
    graph.add_edges_from(edges)
    sets = [sorted(part) for part in networkx.strongly_connected_components(graph)]
    best = min(sets, key=lambda part: (-len(part), -matrix[np.ix_(part, part)].sum(), part[0]))
    found = largest_connected_set(matrix)
    assert found.tolist() == best
    counts = count_trajectories([list(edge) for edge in edges] or [[0]], n_states=7)
    np.testing.assert_array_equal(counts.restrict(found).to_dense(), matrix[np.ix_(best, best)])


# --- chains of greatest likelihood


def test_rain_in_the_published_matrix(shared_data):
    names = {"0": 0, "1-5": 1, "6+": 2}
    rain = [names[row[0]] for row in columns(shared_data / "real_sequences" / "rain.csv")[1:]]
    counts = count_trajectories(rain)
    np.testing.assert_array_equal(counts.to_dense(), RAIN)
    chain = MarkovChain.from_trajectories(rain)
    np.testing.assert_allclose(chain.probabilities[:3], [0.6605839, 0.2299270, 0.1094891], atol=5e-8)
    fit = fit_chain(counts)
    # Multinomial standard errors, and the likelihood as a sum over the days.
    np.testing.assert_allclose(fit.standard_error[0], np.sqrt(0.6605839 * 0.3394161 / 548), rtol=1e-6)
    days = np.log(dense(chain)[rain[:-1], rain[1:]]).sum()
    assert fit.log_likelihood == pytest.approx(days, rel=1e-12)


def test_other_real_sequences(shared_data):
    folder = shared_data / "real_sequences"
    bases = np.unique([row[0] for row in columns(folder / "preproglucacon.csv")[1:]], return_inverse=True)[1]
    np.testing.assert_array_equal(count_trajectories(bases).to_dense(), slow.counts([bases], 4))
    lives = np.array(columns(folder / "holson.csv")[1:], dtype=float)[:, 1:].astype(int) - 1
    counts = count_trajectories(lives)
    np.testing.assert_array_equal(counts.to_dense(), slow.counts(lives.tolist(), counts.n_states))
    assert counts.total == 1000 * 10
    for name in ("craigsendi", "tm_abs", "blanden"):
        matrix = np.array(columns(folder / f"{name}.csv"), dtype=float)
        kept = largest_connected_set(matrix)  # the last state of tm_abs is never left
        assert kept.tolist() == list(range(len(matrix) - (name == "tm_abs")))
        matrix = matrix[np.ix_(kept, kept)]
        fit = fit_chain(matrix, reversible=True)
        balance = fit.stationary_distribution[:, None] * dense(fit.chain)
        np.testing.assert_allclose(balance, balance.T, rtol=1e-13, atol=0)
        np.testing.assert_allclose(dense(fit.chain), slow.reversible(matrix), rtol=1e-7, atol=1e-10)


def test_a_prior_goes_to_every_pair_or_to_those_it_names():
    counts = np.array([[3, 1], [0, 0]])
    np.testing.assert_allclose(dense(fit_chain(counts, prior=0.5).chain), [[0.7, 0.3], [0.5, 0.5]])
    named = sparse.csr_array(np.array([[0, 1.0], [2.0, 0]]))
    np.testing.assert_allclose(dense(fit_chain(counts, prior=named).chain), [[0.6, 0.4], [1, 0]])
    np.testing.assert_allclose(dense(fit_chain(counts, prior=named.toarray()).chain), [[0.6, 0.4], [1, 0]])
    # The likelihood is that of the data alone.
    assert fit_chain(counts, prior=0.5).log_likelihood == pytest.approx(3 * np.log(0.7) + np.log(0.3))


def test_states_that_were_never_left():
    with pytest.raises(ValueError, match=r"state 2 \(and 1 more\) was never left"):
        MarkovChain.from_trajectories([0, 1, 0, 2], n_states=4)
    absorbing = MarkovChain.from_trajectories([0, 1, 0, 2], n_states=4, dangling="absorb")
    np.testing.assert_array_equal(dense(absorbing), [[0, 0.5, 0.5, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    counts = [[0, 1], [0, 0]]
    assert fit_chain(counts, dangling="absorb").chain.n_transitions == 2
    with pytest.raises(ValueError, match="states 0 and 1 do not reach each other"):
        fit_chain(counts, dangling="absorb", reversible=True)


def test_all_forms_of_counts_agree():
    counts = count_trajectories([0, 1, 2, 0, 1, 1, 0, 2, 1, 0])
    matrix = counts.to_dense()
    expected = dense(fit_chain(counts).chain)
    for other in (matrix, matrix.tolist(), sparse.csc_matrix(matrix), counts.to_scipy(), matrix.astype("f4")):
        np.testing.assert_array_equal(dense(fit_chain(other).chain), expected)
    with_zeros = TransitionCounts([0, 2, 4], [0, 1, 0, 1], [0, 2, 3, 1])
    np.testing.assert_array_equal(dense(fit_chain(with_zeros).chain), [[0, 1], [0.75, 0.25]])


# --- reversible chains


@given(st.integers(0, 2**32), st.integers(2, 6))
def test_the_reversible_chain_equals_the_fixed_point(seed: int, n: int):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 5, (n, n)) + np.roll(np.eye(n, dtype=int), 1, axis=1)
    fit = fit_chain(counts, reversible=True)
    found = dense(fit.chain)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-14)
    np.testing.assert_allclose(found, slow.reversible(counts.astype(float), 20_000), rtol=2e-3, atol=1e-6)
    balance = fit.stationary_distribution[:, None] * found
    np.testing.assert_allclose(balance, balance.T, rtol=1e-12, atol=0)
    # No reversible neighbour is likelier: the derivative along any symmetric change of x vanishes.
    ratio = counts.sum(axis=1) / balance.sum(axis=1)
    slope = np.where(counts + counts.T > 0, (counts + counts.T) / np.where(balance > 0, balance, 1), 0)
    inside = counts + counts.T > 0
    np.testing.assert_allclose(slope[inside], (ratio[:, None] + ratio[None, :])[inside], rtol=1e-9)


def test_balanced_counts_are_their_own_reversible_chain():
    counts = np.array([[4, 2, 1], [2, 0, 3], [1, 3, 5]])
    np.testing.assert_allclose(dense(fit_chain(counts, reversible=True).chain), counts / counts.sum(axis=1)[:, None])
    ring = np.array([[0, 3, 1], [1, 0, 3], [3, 1, 0]])  # by symmetry: each way with probability one half
    np.testing.assert_allclose(dense(fit_chain(ring, reversible=True).chain), (1 - np.eye(3)) / 2, atol=1e-15)


def test_the_reversible_fit_of_metastable_counts():
    # Two dense sets of 10^9 counts each that one transition or two join: the fixed point would take 10^9 rounds.
    rng = np.random.default_rng(2)
    n = 30
    counts = np.zeros((2 * n, 2 * n))
    for part in (slice(0, n), slice(n, None)):
        counts[part, part] = rng.integers(500_000, 1_500_000, (n, n))
    counts[3, n + 4], counts[n + 7, 5] = 1, 2
    fit = fit_chain(counts, reversible=True)
    matrix, law = dense(fit.chain), fit.stationary_distribution
    balance = law[:, None] * matrix
    np.testing.assert_allclose(balance, balance.T, rtol=1e-12, atol=0)
    ratio = counts.sum(axis=1) / law
    inside = counts + counts.T > 0
    np.testing.assert_allclose(
        ((counts + counts.T)[inside] / balance[inside]), (ratio[:, None] + ratio[None, :])[inside], rtol=1e-7
    )


def test_a_long_line_of_states_with_a_strong_drift_converges():
    # Birth and death chains are reversible as they are: the shares of each row, though the law spans 10^-400.
    n = 200
    up, down = np.full(n - 1, 990.0), np.full(n - 1, 10.0)
    counts = sparse.diags_array([up, down], offsets=[1, -1]).tocsr()
    fit = fit_chain(counts, reversible=True)
    matrix = dense(fit.chain)
    assert fit.chain.n_transitions == 2 * n - 2
    np.testing.assert_allclose(matrix[np.arange(1, n - 1), np.arange(2, n)], 0.99, rtol=1e-9)


def test_unconnected_counts_are_named():
    for counts in ([[1, 1], [0, 1]], [[1, 0], [0, 1]]):
        with pytest.raises(ValueError, match=r"counts must be strongly connected.*states 0 and 1"):
            fit_chain(counts, reversible=True)
        with pytest.raises(ValueError, match="counts must be strongly connected"):
            sample_posterior(counts, 3, reversible=True)


# --- posterior samples


def test_rows_follow_their_beta_laws():
    samples = sample_posterior(RAIN, 20_000, prior=0.5, rng=1)
    counts = np.array(RAIN) + 0.5
    for place in range(9):
        i, j = divmod(place, 3)
        law = stats.beta(counts[i, j], counts[i].sum() - counts[i, j])
        assert stats.kstest(samples.probabilities[:, place], law.cdf).pvalue > 1e-6
    np.testing.assert_allclose(samples.probabilities.reshape(-1, 3, 3).sum(axis=2), 1, atol=1e-14)
    # Rows are independent: correlations of 20,000 pairs have standard deviation 0.007.
    correlation = np.corrcoef(samples.probabilities[:, [0, 3, 6]].T)
    assert np.abs(correlation - np.eye(3)).max() < 0.035


def test_reversible_chains_of_two_states_are_dirichlet():
    # Each chain of two states is reversible: the prior prod 1 / x_ij is that of independent rows.
    counts = np.array([[2.0, 1.5], [0.7, 3.0]])
    samples = sample_posterior(counts, 20_000, reversible=True, thinning=8, rng=2)
    for place, law in enumerate([(2, 1.5), (1.5, 2), (0.7, 3), (3, 0.7)]):
        assert stats.kstest(samples.probabilities[:, place], stats.beta(*law).cdf).pvalue > 1e-6


def quadrature(counts: np.ndarray, function) -> tuple[float, float]:
    """Mean and second moment of ``function(x12, x13, x23)`` under the law of the weights of three states.

    The diagonal is integrated out: x_ij, i < j, has density prod x_ij^(s_ij - 1) / prod (sum_j x_ij)^(leaving counts of
    i), of any scale, so that x12 is held at 1.
    """
    both, leave = counts + counts.T, counts.sum(axis=1) - np.diag(counts)
    grid = np.linspace(-14, 14, 1401)
    u, v = np.meshgrid(grid, grid, indexing="ij")  # logs of x13, x23
    a, b = np.exp(u), np.exp(v)
    log = both[0, 2] * u + both[1, 2] * v
    log -= leave[0] * np.log(1 + a) + leave[1] * np.log(1 + b) + leave[2] * np.log(a + b)
    weight = np.exp(log - log.max())
    value = function(1.0, a, b)

    def mean(values: np.ndarray) -> float:
        inner = integrate.simpson(values * weight, x=grid, axis=1)
        whole = integrate.simpson(integrate.simpson(weight, x=grid, axis=1), x=grid)
        return float(integrate.simpson(inner, x=grid) / whole)

    return mean(value), mean(value**2)


@pytest.mark.parametrize(
    "counts",
    [
        [[2, 3, 1], [1, 0, 4], [5, 2, 3]],
        [[0, 1, 0.5], [2, 1, 1], [0, 3, 0.25]],
        [[9, 60, 1], [55, 9, 2], [2, 1, 30]],
    ],
)
def test_reversible_chains_of_three_states_follow_the_exact_law(counts):
    counts = np.array(counts, dtype=float)
    samples = sample_posterior(counts, 40_000, reversible=True, thinning=6, rng=3)
    p = np.zeros((len(samples), 3, 3))
    source = np.repeat(np.arange(3), np.diff(samples.indptr))
    p[:, source, samples.indices] = samples.probabilities
    # Where each state goes when it leaves.
    for shares, function in (
        (p[:, 0, 1] / (p[:, 0, 1] + p[:, 0, 2]), lambda x, a, b: x / (x + a)),
        (p[:, 1, 2] / (p[:, 1, 0] + p[:, 1, 2]), lambda x, a, b: b / (x + b)),
        (p[:, 2, 0] / (p[:, 2, 0] + p[:, 2, 1]), lambda x, a, b: a / (a + b)),
    ):
        mean, square = quadrature(counts, function)
        # Means over runs of 32, which are independent.
        for values, expected in ((shares, mean), (shares**2, square)):
            runs = values.reshape(-1, 32).mean(axis=1)
            assert abs(runs.mean() - expected) < 5 * runs.std() / np.sqrt(len(runs)), (runs.mean(), expected)
    # Whether a state is left is independent of that: a beta law.
    for state in range(3):
        stay, leave = counts[state, state], counts[state].sum() - counts[state, state]
        if stay > 0:
            assert stats.kstest(p[:, state, state], stats.beta(stay, leave).cdf).pvalue > 1e-6
    # Detailed balance around the circle (Kolmogorov).
    there, back = p[:, 0, 1] * p[:, 1, 2] * p[:, 2, 0], p[:, 0, 2] * p[:, 2, 1] * p[:, 1, 0]
    np.testing.assert_allclose(there, back, rtol=1e-10)


def test_samples_of_a_metastable_reversible_chain_are_nearly_independent():
    # Two sets joined by a handful of transitions: the share of the first set is uncertain, and moving one weight at a
    # time it would take some 10^5 turns to change.
    n = 10
    rng = np.random.default_rng(4)
    counts = np.zeros((2 * n, 2 * n))
    for part in (slice(0, n), slice(n, None)):
        counts[part, part] = rng.integers(5_000, 15_000, (n, n))
    counts[3, n + 4], counts[n + 7, 5], counts[n + 4, 3] = 6, 5, 2
    samples = sample_posterior(counts, 1024, reversible=True, rng=5)

    def odds(chain: MarkovChain) -> float:
        matrix = dense(chain)
        # From one set into the other and back, along a pair that was seen both ways.
        return float(np.log(matrix[3, n + 4] / matrix[n + 4, 3]))

    values = samples.map(odds)
    assert values.std() > 0.3
    runs = values.reshape(-1, 32)
    lagged = np.mean((runs[:, 1:] - values.mean()) * (runs[:, :-1] - values.mean())) / values.var()
    assert abs(lagged) < 0.3


def test_intervals_of_derived_quantities():
    samples = sample_posterior([[5, 2], [3, 8]], 4000, rng=1)
    low, high = samples.interval(lambda chain: dense(chain)[0, 1], confidence=0.9)
    exact = stats.beta(2, 5).interval(0.9)
    # The quantiles of 4000 samples: 5 standard errors in probability, sqrt(0.05 * 0.95 / 4000).
    for found, level in ((low, 0.05), (high, 0.95)):
        assert abs(stats.beta(2, 5).cdf(found) - level) < 5 * np.sqrt(0.05 * 0.95 / 4000)
    assert exact[0] == pytest.approx(float(low), abs=0.02)
    low, high = samples.interval(dense)
    assert low.shape == high.shape == (2, 2)
    assert samples.map(dense).shape == (4000, 2, 2)
    np.testing.assert_array_equal(dense(samples.chain(-1)).reshape(-1), samples.probabilities[-1])


@pytest.mark.parametrize("reversible", [False, True])
def test_samples_do_not_depend_on_threads_or_shards(same_bytes, reversible):
    def call(threads: int, n: int = 90, first: int = 20) -> np.ndarray:
        return sample_posterior(
            CONNECTED, n, prior=0.1, reversible=reversible, rng=6, first=first, threads=threads
        ).probabilities

    whole = same_bytes(call)
    shards = [call(2, n, first) for n, first in ((5, 20), (50, 25), (35, 75))]
    np.testing.assert_array_equal(np.concatenate(shards), whole)
    assert call(1, 0).shape == (0, whole.shape[1])


def test_value_stability():
    rows = sample_posterior(CONNECTED, 2, rng=1).probabilities
    reversible = sample_posterior(CONNECTED, 2, reversible=True, rng=1).probabilities
    assert [rows[1, 0].hex(), rows[1, -1].hex()] == ["0x1.5906386a7e1f8p-1", "0x1.b48b8c6afa4a8p-2"]
    assert [reversible[1, 0].hex(), reversible[1, -1].hex()] == ["0x1.591959999d86cp-1", "0x1.40a9cd6f59240p-1"]


# --- likelihood


def test_the_likelihood_of_impossible_transitions():
    chain = MarkovChain([[0.5, 0.5], [1, 0]])
    assert log_likelihood(chain, [[0, 0], [0, 1]]) == -np.inf
    assert log_likelihood(chain, [[0, 0], [0, 0]]) == 0
    with pytest.raises(ValueError, match="counts must have 2 states, as the chain has, got 3"):
        log_likelihood(chain, np.eye(3))


# --- bad input


@pytest.mark.parametrize(
    ("trajectories", "options", "error", "text"),
    [
        ([0, -1], {}, ValueError, r"trajectories\[1\] must be at least 0, got -1"),
        ([[0, 1], [1, -2]], {}, ValueError, r"trajectories\[1\]\[1\] must be at least 0, got -2"),
        ([0.5, 1], {}, ValueError, r"trajectories\[0\] must be a whole number, got 0.5"),
        (["a", "b"], {}, TypeError, "trajectories must be an array of numbers"),
        ([], {}, ValueError, "trajectories must hold at least one state"),
        ([[], []], {}, ValueError, "trajectories must hold at least one state"),
        ([0, 3], {"n_states": 3}, ValueError, r"trajectories\[1\] must be below the number of states, 3, got 3"),
        ([[0], [0, 3]], {"n_states": 3}, ValueError, r"trajectories\[1\]\[1\] must be below"),
        ([0, 1], {"lag": 0}, ValueError, "lag must be at least 1"),
        ([0, 1], {"lag": 1.5}, TypeError, "lag must be an int"),
        ([0, 1], {"n_states": 0}, ValueError, "n_states must be at least 1"),
        ([0, 1], {"counting": "all"}, ValueError, "counting must be 'sliding', 'strided' or 'effective'"),
        (np.zeros((2, 2, 2), int), {}, ValueError, "trajectories must be 1-D or 2-D"),
        (np.ma.masked_equal([0, 1], 1), {}, ValueError, "trajectories must not have masked entries"),
    ],
)
def test_bad_trajectories_are_named(trajectories, options, error, text):
    with pytest.raises(error, match=text):
        count_trajectories(trajectories, **options)


@pytest.mark.parametrize(
    ("counts", "options", "error", "text"),
    [
        ([[1, -2], [1, 1]], {}, ValueError, r"counts\[0, 1\] must be at least 0, got -2"),
        ([[1, np.nan], [1, 1]], {}, ValueError, r"counts\[0, 1\] must be finite"),
        ([[1, 2, 3], [1, 1, 1]], {}, ValueError, "counts must be a square matrix"),
        (np.zeros((0, 0)), {}, ValueError, "counts must be a square matrix of at least one row"),
        ([[1, 1], [1, 1]], {"prior": -1}, ValueError, "prior must be at least 0"),
        ([[1, 1], [1, 1]], {"prior": np.eye(3)}, ValueError, "prior must have 2 states"),
        ([[1, 1], [1, 1]], {"prior": "a"}, TypeError, "prior must be an array of numbers"),
        ([[1, 1], [1, 1]], {"reversible": 1}, TypeError, "reversible must be True or False"),
        ([[1, 1], [1, 1]], {"dangling": "drop"}, ValueError, "dangling must be 'error' or 'absorb'"),
    ],
)
def test_bad_counts_are_named(counts, options, error, text):
    for call in (fit_chain, lambda counts, **options: sample_posterior(counts, 2, **options)):
        with pytest.raises(error, match=text):
            call(counts, **options)


def test_bad_options_of_samples_are_named():
    for options, text in (
        ({"n_samples": -1}, "n_samples must be at least 0"),
        ({"n_samples": 1, "thinning": 0}, "thinning must be at least 1"),
        ({"n_samples": 1, "burn_in": -1}, "burn_in must be at least 0"),
    ):
        with pytest.raises(ValueError, match=text):
            sample_posterior(np.ones((2, 2)), **options)
    samples = sample_posterior(np.ones((2, 2)), 3, rng=1)
    with pytest.raises(IndexError, match="index must be below the number of samples, 3, got 3"):
        samples.chain(3)
    with pytest.raises(ValueError, match="confidence must be above 0"):
        samples.interval(dense, confidence=1.0)
    with pytest.raises(MemoryError):
        sample_posterior(np.ones((2, 2)), 2**60)


def test_counts_restrict_to_states_and_keep_fractions():
    counts = count_trajectories([0, 1, 2, 0, 1, 1, 0, 2, 1, 0])
    np.testing.assert_array_equal(counts.restrict([0, 2]).to_dense(), counts.to_dense()[np.ix_([0, 2], [0, 2])])
    for states in ([], [2, 0], [1, 1], [0, 3]):
        with pytest.raises(ValueError, match="states must be ascending and below the number of states, 3"):
            counts.restrict(states)
    halves = TransitionCounts([0, 1, 3], [1, 0, 1], [0.5, 1, 2.5])
    assert (halves.counts.dtype, halves.total) == (np.float64, 4.0)
    np.testing.assert_array_equal(halves.row_sums(), [0.5, 3.5])
    whole = TransitionCounts([0, 1, 1], [1], [2])
    np.testing.assert_array_equal((halves + whole).to_dense(), [[0, 2.5], [1, 2.5]])
    assert isinstance((whole + whole).total, int)


def test_numpy_s_bincount_would_join_trajectories():
    # The pitfall: pairs of a concatenated array include one from each trajectory to the next.
    trajectories = [[0, 0], [1, 1]]
    joined = np.concatenate(trajectories)
    naive = np.bincount(joined[:-1] * 2 + joined[1:], minlength=4).reshape(2, 2)
    assert naive[0, 1] == 1
    assert count_trajectories(trajectories).to_dense()[0, 1] == 0
