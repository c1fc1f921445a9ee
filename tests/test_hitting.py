"""Hitting times: the paths of plain walks, exact laws at any metastability, and targets, sets and censoring."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from slowthink.chains import HittingTimes, MarkovChain
from slowthink.reference import hitting as slow

FOREVER = 2**63 - 1


def dense(n: int, seed: int, filled: float = 0.6) -> np.ndarray:
    """A random transition matrix in which each state leads to the next."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((n, n)) * (rng.random((n, n)) < filled)
    matrix[np.arange(n), (np.arange(n) + 1) % n] += 0.1
    return matrix / matrix.sum(axis=1, keepdims=True)


def metastable(n: int, coupling: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of n states that lead to each other, and to two targets, with probabilities of about ``coupling``."""
    rng = np.random.default_rng(seed)
    size = 2 * n + 2
    labels = np.array([0] * n + [1] * n + [-1, -1])
    matrix = rng.random((size, size)) * (rng.random((size, size)) < 0.7)
    matrix[np.arange(size), np.arange(size)] = rng.random(size)
    inside = (labels[:, None] == labels) & (labels >= 0)
    ring = np.concatenate([np.roll(np.arange(n), -1), n + np.roll(np.arange(n), -1), [0, 0]])
    matrix[np.arange(size), ring] += 0.2
    matrix = np.where(inside, matrix, matrix * coupling)
    matrix[0, -2:] += coupling
    matrix[-2:] = 0
    matrix[-2:, 0] = 1
    return matrix / matrix.sum(axis=1, keepdims=True), labels


def reject(observed: np.ndarray, expected: np.ndarray) -> float:
    """The p-value of a chi-squared test of counts, cells expected fewer than 10 times together in one."""
    large = expected >= 10
    observed = np.append(observed[large], observed[~large].sum())
    expected = np.append(expected[large], expected[~large].sum())
    keep = expected > 0.5
    assert observed[~keep].sum() < 8  # a cell expected half a time
    return float(stats.chisquare(observed[keep], expected[keep] / expected[keep].sum() * observed[keep].sum()).pvalue)


def follows_law(times: HittingTimes, matrix: np.ndarray, targets: list[int], start: int, bins: int = 60) -> float:
    """The p-value of times and states, together, against their exact law; the censored ones are a cell too."""
    max_steps = int(times.max_steps)  # type: ignore[arg-type]
    law = slow.law(matrix, targets, start, max_steps)
    edges = np.unique(np.searchsorted(np.cumsum(law.sum(axis=1)) / law.sum(), np.linspace(0, 1, bins)[1:-1]))
    cell = np.searchsorted(edges, np.arange(max_steps + 1))
    n_cells = len(edges) + 1
    expected, observed = np.zeros((2, n_cells * len(targets) + 1))
    for j, target in enumerate(targets):
        np.add.at(expected, cell * len(targets) + j, law[:, j])
        mine = times.times[times.states == target]
        np.add.at(observed, cell[mine] * len(targets) + j, 1)
    expected[-1], observed[-1] = max(0.0, 1 - law.sum()), times.n_censored
    return reject(observed, expected * times.n_walks)


@pytest.mark.parametrize(("n", "targets", "seed"), [(30, [7], 1), (30, [1, 2, 20], 2), (200, [5], 3), (3, [2], 4)])
def test_without_jumps_they_are_read_off_the_walks(n: int, targets: list[int], seed: int):
    chain = MarkovChain(dense(n, seed))
    start = np.random.default_rng(seed).integers(0, n, 700)
    walks = chain.walk(start, 150, rng=seed)
    found = chain.sample_hitting_times(targets, start, max_steps=150, rng=seed, jumps="never")
    at_target = np.isin(walks, targets)
    expected = np.where(at_target.any(axis=1), at_target.argmax(axis=1), -1)
    np.testing.assert_array_equal(found.times, expected)
    states = walks[np.arange(700), np.maximum(expected, 0)].astype(np.int64)
    np.testing.assert_array_equal(found.states, np.where(expected < 0, -1, states))
    law = chain.walk(start_distribution=np.full(n, 1 / n), n_steps=40, n_walks=300, rng=1, first=5)
    found = chain.sample_hitting_times(
        targets, start_distribution=np.full(n, 1 / n), n_walks=300, max_steps=40, rng=1, first=5, jumps="never"
    )
    np.testing.assert_array_equal(found.times >= 0, np.isin(law, targets).any(axis=1))


def test_value_stability():
    chain = MarkovChain(metastable(4, 1e-9, 1)[0])
    found = chain.sample_hitting_times([8, 9], 0, n_walks=4, max_steps=10**12, rng=1)
    assert (found.times.tolist(), found.states.tolist()) == PINNED
    sticky = MarkovChain([[1 - 1e-9, 1e-9], [0, 1]])
    assert sticky.sample_hitting_times(1, 0, n_walks=3, max_steps=10**12, rng=1).times.tolist() == PINNED_STATE


PINNED = ([657037873, 4642336330, 1943324353, 1749438894], [8, 9, 9, 8])
PINNED_STATE = [15977311, 1092583745, 3041461700]


def test_bytes_depend_on_the_seed_alone(same_bytes):
    matrix, labels = metastable(4, 1e-3, 2)
    chain = MarkovChain(matrix)
    for jumps in ("never", "auto", labels):

        def call(threads: int, first: int = 0, n: int = 1500, jumps: Any = jumps) -> HittingTimes:
            return chain.sample_hitting_times(
                8, 1, n_walks=n, max_steps=3000, rng=3, threads=threads, first=first, jumps=jumps
            )

        whole = same_bytes(call)
        assert 0 < whole.n_censored < 1500
        parts = [call(2, 0, 1), call(1, 1, 699), call(2, 700, 800)]
        np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), whole.times)
        np.testing.assert_array_equal(np.concatenate([part.states for part in parts]), whole.states)


@pytest.mark.parametrize(
    ("n", "coupling", "seed"), [(1, 0.02, 1), (2, 0.1, 2), (3, 0.03, 3), (6, 0.02, 4), (12, 0.05, 5)]
)
def test_jumps_out_of_sets_have_the_law_of_stepping(n: int, coupling: float, seed: int):
    matrix, labels = metastable(n, coupling, seed)
    chain, targets = MarkovChain(matrix), [2 * n, 2 * n + 1]
    for start in (0, 2 * n - 1):
        for jumps in (labels, "never"):
            found = chain.sample_hitting_times(
                targets, start, n_walks=60_000, max_steps=4000, rng=seed + start, jumps=jumps
            )
            assert follows_law(found, matrix, targets, start) > 1e-6


def test_a_label_may_join_any_states():
    # States of one label that are far apart, a set with a target in it, and with states that lead nowhere else.
    matrix = dense(9, 8, 0.4)
    labels = np.array([0, 1, 0, 1, 2, 2, 0, -1, 2])
    chain = MarkovChain(matrix)
    for targets in ([5, 7], [0], [1, 3]):
        found = chain.sample_hitting_times(targets, 6, n_walks=60_000, max_steps=300, rng=5, jumps=labels)
        assert follows_law(found, matrix, targets, 6) > 1e-6
    trap = np.array([[0.2, 0.5, 0.2, 0.1], [0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    for labels in ([0, 0, 0, -1], [0, 0, 1, 1], [-1, -1, -1, -1]):
        found = MarkovChain(trap).sample_hitting_times(3, 0, n_walks=60_000, max_steps=FOREVER, rng=1, jumps=labels)
        assert stats.binomtest(60_000 - found.n_censored, 60_000, 1 / 3).pvalue > 1e-6


@pytest.mark.parametrize("leave", [1 / 70, 1 / 500])
def test_jumps_out_of_states_have_the_law_of_stepping(leave: float):
    matrix = dense(5, 3) * leave + np.eye(5) * (1 - leave)
    matrix[2] = dense(5, 3)[2]
    chain = MarkovChain(matrix)
    for jumps in ("auto", "never", np.arange(5)):
        found = chain.sample_hitting_times([3, 4], 0, n_walks=60_000, max_steps=5000, rng=1, jumps=jumps)
        assert follows_law(found, matrix, [3, 4], 0) > 1e-6
    quick = chain.sample_hitting_times([3, 4], 0, n_walks=100, max_steps=5000, rng=1)
    assert not np.array_equal(
        quick.times, chain.sample_hitting_times([3, 4], 0, n_walks=100, max_steps=5000, rng=1, jumps="never").times
    )


@pytest.mark.parametrize("leave", [1e-9, 1e-15, 1e-17])
def test_a_state_is_left_after_a_geometric_time_at_any_rate(leave: float):
    chain = MarkovChain([[1 - leave, leave / 4, 3 * leave / 4], [0, 1, 0], [0, 0, 1]])
    found = chain.sample_hitting_times([1, 2], 0, n_walks=20_000, max_steps=FOREVER, rng=2)
    assert stats.kstest(found.times * leave, stats.expon.cdf).pvalue > 1e-6
    assert stats.binomtest(int((found.states == 1).sum()), 20_000, 0.25).pvalue > 1e-6
    half = chain.sample_hitting_times([1, 2], 0, n_walks=20_000, max_steps=int(np.log(2) / leave), rng=2)
    assert stats.binomtest(half.n_censored, 20_000, 0.5).pvalue > 1e-6
    # One minus the diagonal would be 0 or 1.1e-16: never, or too soon.
    assert leave > 1e-16 or 1 - (1 - leave) == 0


def test_what_is_left_after_the_last_step_is_censored():
    never = MarkovChain([[1, 1e-100], [0, 1]]).sample_hitting_times(1, 0, n_walks=1000, max_steps=FOREVER, rng=1)
    assert never.n_censored == 1000
    assert np.isnan(never.mean())
    assert never.interval() == (float(FOREVER), np.inf)
    for leave in (1e-30, 1e-100, 1e-290):
        matrix, labels = metastable(3, leave, 3)
        for jumps in ("auto", labels):
            found = MarkovChain(matrix).sample_hitting_times(
                [6, 7], 0, n_walks=500, max_steps=FOREVER, rng=1, jumps=jumps
            )
            assert found.n_censored == 500


@pytest.mark.parametrize("coupling", [1e-6, 1e-9, 1e-12, 1e-16])
@pytest.mark.parametrize("n", [2, 5, 10])
def test_sets_are_left_at_the_exact_mean_and_variance(coupling: float, n: int):
    matrix, labels = metastable(n, coupling, 7)
    chain, targets = MarkovChain(matrix), {2 * n, 2 * n + 1}
    mean, variance = slow.moments(matrix.tolist(), targets)[1]
    probability = float(slow.first_hit(matrix.tolist(), targets, 2 * n)[1])
    walks = 4000
    for jumps in ("auto", labels):
        found = chain.sample_hitting_times(list(targets), 1, n_walks=walks, max_steps=FOREVER, rng=1, jumps=jumps)
        assert found.n_censored == 0
        z = (found.mean() - float(mean)) / np.sqrt(float(variance) / walks)
        assert abs(z) < 5.5
        # The time is nearly exponential: its sample variance has a relative spread of sqrt(8 / W).
        assert abs(np.var(found.times.astype(float)) / float(variance) - 1) < 7 * np.sqrt(8 / walks)
        assert stats.binomtest(int((found.states == 2 * n).sum()), walks, probability).pvalue > 1e-6


def test_rare_ways_within_a_set_are_taken_at_their_rate():
    # The way out leads through a state that is entered once in 1e9 steps and left as slowly, the other once in 1e13.
    matrix = np.array([[1, 1, 1e-9, 0, 0], [1, 1, 0, 0, 1e-13], [0, 1, 1e9, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1.0]])
    chain = MarkovChain.from_weights(matrix)
    matrix /= matrix.sum(axis=1, keepdims=True)
    mean, variance = slow.moments(matrix.tolist(), {3, 4})[0]
    probability = float(slow.first_hit(matrix.tolist(), {3, 4}, 4)[0])
    for jumps in ("auto", [0, 0, 0, -1, -1]):
        found = chain.sample_hitting_times([3, 4], 0, n_walks=40_000, max_steps=FOREVER, rng=1, jumps=jumps)
        assert abs(found.mean() - float(mean)) < 5.5 * np.sqrt(float(variance) / 40_000)
        assert stats.binomtest(int((found.states == 4).sum()), 40_000, probability).pvalue > 1e-6
        assert (found.states == 4).sum() > 3


def test_times_are_cut_where_the_walk_ends():
    matrix, labels = metastable(3, 1e-3, 4)
    chain = MarkovChain(matrix)
    for jumps in ("never", labels):
        arguments: dict[str, Any] = {"start": 2, "n_walks": 800, "rng": 6, "jumps": jumps}
        whole = chain.sample_hitting_times([6, 7], max_steps=10**7, **arguments)
        assert whole.n_censored == 0
        for cut in (0, 1, int(np.median(whole.times)), int(whole.times[5]), int(whole.times[5]) - 1):
            found = chain.sample_hitting_times([6, 7], max_steps=cut, **arguments)
            np.testing.assert_array_equal(found.times, np.where(whole.times <= cut, whole.times, -1))
            np.testing.assert_array_equal(found.states, np.where(whole.times <= cut, whole.states, -1))


def test_sets_of_targets():
    chain = MarkovChain(dense(6, 1))
    for targets in ([4, 2, 4], np.array([0, 0, 1, 0, 1, 0], bool), np.array([2, 4], np.uint8), np.array([2.0, 4.0])):
        found = chain.sample_hitting_times(targets, 1, n_walks=50, max_steps=100, rng=1)
        np.testing.assert_array_equal(
            found.times, chain.sample_hitting_times([2, 4], 1, n_walks=50, max_steps=100, rng=1).times
        )
    everywhere = chain.sample_hitting_times(np.ones(6, bool), np.arange(6), max_steps=0, rng=1)
    assert (everywhere.times.tolist(), everywhere.states.tolist()) == ([0] * 6, list(range(6)))
    at_start = chain.sample_hitting_times(3, [3, 3, 0], max_steps=10**6, rng=1)
    assert at_start.times[:2].tolist() == [0, 0]
    assert at_start.times[2] > 0
    for empty in ([], np.zeros(6, bool)):
        with pytest.raises(ValueError, match="targets must hold at least one state"):
            chain.sample_hitting_times(empty, 0, max_steps=10)
    none = chain.sample_hitting_times(1, np.zeros(0, int), max_steps=10)
    assert none.n_walks == 0
    assert np.isnan([none.mean(), none.standard_error, none.restricted_mean(), *none.interval(), none.median()]).all()


def test_a_target_within_a_set_stops_the_walk():
    # State 1 belongs to the set by its transitions; it is a target, and the set is jumped without it.
    matrix, labels = metastable(3, 1e-7, 5)
    chain = MarkovChain(matrix)
    mean, variance = slow.moments(matrix.tolist(), {1})[3]
    for jumps in (labels, "auto"):
        found = chain.sample_hitting_times(1, 3, n_walks=4000, max_steps=FOREVER, rng=1, jumps=jumps)
        assert set(found.states.tolist()) == {1}
        assert abs(found.mean() - float(mean)) < 5.5 * np.sqrt(float(variance) / 4000)


def test_walks_that_can_hit_no_more_end_at_once():
    # Two states that lead to each other for ever, and a class of one.
    matrix = np.zeros((5, 5))
    matrix[0] = [0.5, 0.2, 0.2, 0.1, 0]
    matrix[[1, 2, 3, 4], [1, 4, 3, 2]] = 1
    for jumps in ("never", "auto", [-1, -1, 0, -1, 0]):
        found = MarkovChain(matrix).sample_hitting_times(1, 0, n_walks=5000, max_steps=FOREVER, rng=1, jumps=jumps)
        assert stats.binomtest(5000 - found.n_censored, 5000, 0.4).pvalue > 1e-6


def test_escape_times():
    matrix, _ = metastable(4, 1e-8, 6)
    chain = MarkovChain(matrix)
    outside = {4, 5, 6, 7, 8, 9}
    mean, variance = slow.moments(matrix.tolist(), outside)[2]
    found = chain.sample_escape_times(range(4), 2, n_walks=4000, max_steps=FOREVER, rng=1)
    assert abs(found.mean() - float(mean)) < 5.5 * np.sqrt(float(variance) / 4000)
    exits = [float(slow.first_hit(matrix.tolist(), outside, target)[2]) for target in sorted(outside)]
    counts = np.array([(found.states == target).sum() for target in sorted(outside)])
    assert reject(counts, 4000 * np.array(exits)) > 1e-6
    assert chain.sample_escape_times(0, [5, 5], max_steps=5).times.tolist() == [0, 0]
    with pytest.raises(ValueError, match="states must leave out at least one state"):
        chain.sample_escape_times(np.ones(10, bool), 0, max_steps=5)
    with pytest.raises(ValueError, match="states must hold at least one state"):
        chain.sample_escape_times([], 0, max_steps=5)


def test_large_sets_are_found_among_many_states():
    # Ten blocks of 40 sparsely joined states, in a ring by links of 1e-13.
    rng = np.random.default_rng(9)
    n, size = 10, 40
    source = np.repeat(np.arange(n * size), 4)
    target = source // size * size + rng.integers(0, size, len(source))
    ring = np.arange(n * size) // size * size + (np.arange(n * size) + 1) % size
    links = np.arange(n) * size
    from_state = np.concatenate([source, np.arange(n * size), links, (links + size) % (n * size)])
    to_state = np.concatenate([target, ring, (links + size) % (n * size), links])
    weight = np.concatenate([rng.uniform(0.5, 1, 5 * n * size), np.full(2 * n, 1e-13)])
    matrix = np.zeros((n * size, n * size))
    np.add.at(matrix, (from_state, to_state), weight)
    matrix /= matrix.sum(axis=1, keepdims=True)
    chain = MarkovChain(matrix)
    found = chain.sample_hitting_times(np.arange(200, 240), 3, n_walks=300, max_steps=FOREVER, rng=1)
    # In the ring of sets, with rates of leaving from the stationary law within each: a birth-and-death chain.
    rates = np.empty((n, 2))
    for block in range(n):
        part = slice(block * size, (block + 1) * size)
        inner = matrix[part, part] / matrix[part, part].sum(axis=1, keepdims=True)
        values = np.linalg.lstsq(
            np.vstack([inner.T - np.eye(size), np.ones(size)]), np.append(np.zeros(size), 1), rcond=None
        )[0]
        rates[block] = values[0] * matrix[block * size, (links[block] + np.array([-size, size])) % (n * size)]
    lumped = np.zeros((n, n))
    for block in range(n):
        lumped[block, [(block - 1) % n, (block + 1) % n]] = rates[block]
    inside = [block for block in range(n) if block != 5]
    system = np.diag(lumped.sum(axis=1))[np.ix_(inside, inside)] - lumped[np.ix_(inside, inside)]
    mean = np.linalg.solve(system, np.ones(n - 1))[0]
    assert found.n_censored == 0
    assert abs(found.mean() / mean - 1) < 5.5 * found.standard_error / mean


@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from(["auto", "never", "labels"]))
def test_exact_means_of_random_chains(seed: int, n: int, jumps: str):
    rng = np.random.default_rng(seed)
    matrix = dense(n + 1, seed) * rng.choice([1, 0.1, 0.01], (n + 1, 1)) + np.diag(rng.random(n + 1))
    matrix /= matrix.sum(axis=1, keepdims=True)
    labels = rng.integers(-1, 2, n + 1)
    found = MarkovChain(matrix).sample_hitting_times(
        n, 0, n_walks=2000, max_steps=FOREVER, rng=seed, jumps=labels if jumps == "labels" else jumps
    )
    mean, variance = slow.moments(matrix.tolist(), {n})[0]
    # A sum of 2,000 times that are at most as skewed as an exponential one, nearly: 7 spreads are out of reach.
    assert abs(found.mean() - float(mean)) < 7 * np.sqrt(float(variance) / 2000)


def test_herman_stabilises_in_the_known_time(shared_data):
    data = np.load(shared_data / "prism_dtmcs" / "herman7.npz")
    known = json.loads((shared_data / "prism_dtmcs" / "known_answers.json").read_text())["herman7"]["props"]["steps"]
    chain = MarkovChain((data["indptr"], data["indices"], data["data"]))
    stable = data["label_stable"]
    means = [
        chain.sample_hitting_times(stable, state, n_walks=4000, max_steps=10**6, rng=int(state))
        for state in data["initial"]
    ]
    # The seed 0 and its state of the first line, and the state that takes longest.
    low, high = means[0].interval(1 - 1e-6)
    assert low <= known["scipy_splu_first_init"] <= high
    longest = max(means, key=lambda times: times.mean())
    assert abs(longest.mean() - known["scipy_splu_max_init"]) < 6 * longest.standard_error
    assert min(times.mean() for times in means) == known["min_over_init"] == 0


def test_a_leader_is_elected_in_the_known_number_of_rounds(shared_data):
    data = np.load(shared_data / "prism_dtmcs" / "leader_sync5_4.npz")
    known = json.loads((shared_data / "prism_dtmcs" / "known_answers.json").read_text())["leader_sync5_4"]["props"]
    chain = MarkovChain((data["indptr"], data["indices"], data["data"]))
    found = chain.sample_hitting_times(data["label_elected"], 0, n_walks=100_000, max_steps=10**6, rng=1)
    assert (found.times % 6 == 0).all()  # a round takes six steps
    low, high = found.interval(1 - 1e-6)
    assert low <= 6 * known["time"]["scipy_splu_first_init"] <= high


def test_progress_counts_walks():
    seen: list[tuple[int, int]] = []
    chain = MarkovChain(dense(5, 1))
    chain.sample_hitting_times(1, 0, n_walks=2000, max_steps=10**4, rng=1, progress=lambda *at: seen.append(at))
    done, total = seen[-1]  # the tables of the chain are counted too
    assert done == total >= 2000


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"targets": 7}, ValueError, "targets must be below the number of states, 4, got 7"),
        ({"targets": [1, -2]}, ValueError, r"targets\[1\] must be at least 0, got -2"),
        ({"targets": [True, False]}, ValueError, "targets must have one entry for each of the 4 states"),
        ({"targets": [[1]]}, ValueError, "targets must be 0-D or 1-D"),
        ({"max_steps": -1}, ValueError, "max_steps must be at least 0, got -1"),
        ({"max_steps": 2**63}, ValueError, f"max_steps must be at most {FOREVER}"),
        ({"max_steps": 1.5}, TypeError, "max_steps must be an int"),
        ({"jumps": "sometimes"}, ValueError, "jumps must be 'auto' or 'never', got 'sometimes'"),
        ({"jumps": [0, 1]}, ValueError, "jumps must have one label for each of the 4 states, got 2"),
        ({"jumps": [0, 1, -2, 0]}, ValueError, r"jumps\[2\] must be at least -1, got -2"),
        ({"start": None}, TypeError, "either start or start_distribution must be given"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], error: type[Exception], text: str):
    with pytest.raises(error, match=text):
        MarkovChain(dense(4, 1)).sample_hitting_times(**{"targets": 1, "start": 0, "max_steps": 9} | arguments)


def test_a_set_of_too_many_states_is_refused():
    chain = MarkovChain.from_weights(np.ones((1100, 1100)))
    with pytest.raises(
        ValueError, match="jumps must have at most 1024 states of one label, got 1099 states of label 0"
    ):
        chain.sample_hitting_times(0, 1, max_steps=9, jumps=np.zeros(1100, int))


def test_the_twin_on_paper():
    # A fair walk on 0..3 between two targets; and a coin that comes up once in four throws.
    ruin = [[1, 0, 0, 0], [0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 0, 1]]
    assert slow.moments(ruin, {0, 3})[1] == (2, 2)
    assert slow.first_hit(ruin, {0, 3}, 3) == [0, Fraction(1, 3), Fraction(2, 3), 1]
    assert slow.moments([[0.75, 0.25], [0, 1]], {1})[0] == (4, 12)
    np.testing.assert_allclose(slow.law(np.array([[0.75, 0.25], [0, 1]]), [1], 0, 2)[:, 0], [0, 0.25, 0.1875])
