"""What hitting times say: published survival curves, brute force, and intervals that hold the exact mean."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from slowthink.chains import HittingTimes, MarkovChain
from slowthink.reference import hitting as slow

REMISSION = HittingTimes(
    [6, 6, 6, 7, 10, 13, 16, 22, 23] + [-1] * 12,
    max_steps=[50] * 9 + [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35],
)
"""Weeks of remission of 21 leukaemia patients on 6-MP (Freireich et al. 1963); 12 were not watched to its end."""


def test_the_published_curve_of_remission_times():
    curve = REMISSION.survival()
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.hits.tolist() == [3, 1, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(curve.survival, [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], atol=5e-5)
    np.testing.assert_allclose(
        curve.standard_error, [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], atol=5e-5
    )
    np.testing.assert_allclose(curve.low, [0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881], atol=5e-5)
    np.testing.assert_allclose(curve.high, [0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801], atol=5e-5)
    assert REMISSION.median() == 23
    assert REMISSION.quantile_interval() == (13, np.inf)
    assert REMISSION.restricted_mean(35) == pytest.approx(23.287, abs=5e-4)
    low, high = REMISSION.restricted_interval(35)
    assert (high - low) / 2 / 1.959964 == pytest.approx(2.827, abs=5e-4)
    assert REMISSION.hitting_fraction == 9 / 21
    assert np.isnan([REMISSION.mean(), REMISSION.standard_error, REMISSION.quantile(0.6)]).all()
    # Averaging what was seen, or all times as if they were hits, would say 12.1 and 17.1.
    assert REMISSION.interval()[1] == np.inf


walks = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=12)


@given(walks, st.integers(0, 12))
def test_survival_is_the_product_of_those_left(walks: list[tuple[int, bool]], t: int):
    times = [time if hit else -1 for time, hit in walks]
    watched = [20 if hit else time for time, hit in walks]
    found = HittingTimes(times, max_steps=watched)
    curve = found.survival([t, 0, t])
    expected = slow.kaplan_meier(times, watched, t)
    if t > max(time for time, _ in walks) and expected > 0:
        assert np.isnan([curve.survival[0], curve.standard_error[2], curve.low[0], curve.high[0]]).all()
        return
    assert curve.survival[0] == curve.survival[2] == pytest.approx(float(expected), abs=1e-12)
    assert 0 <= curve.low[0] <= curve.survival[0] <= curve.high[0] <= 1
    tau = max(time for time, _ in walks)
    area = sum(slow.kaplan_meier(times, watched, u) for u in range(tau))
    assert found.restricted_mean(tau) == pytest.approx(float(area), abs=1e-9)
    reached = [u for u in range(tau + 1) if slow.kaplan_meier(times, watched, u) <= 1 / 2]
    assert found.median() == reached[0] if reached else np.isnan(found.median())


def test_without_censoring_all_is_plain():
    times = np.random.default_rng(1).geometric(0.1, 500)
    found = HittingTimes(times, max_steps=1000)
    curve = found.survival([0, 5, 20])
    share = [(times > t).mean() for t in (0, 5, 20)]
    np.testing.assert_allclose(curve.survival, share)
    np.testing.assert_allclose(curve.standard_error, np.sqrt(np.multiply(share, np.subtract(1, share)) / 500))
    assert found.mean() == found.restricted_mean(10**6) == times.mean()
    assert found.standard_error == pytest.approx(stats.sem(times))
    assert found.quantile(0.25) == np.quantile(times, 0.25, method="inverted_cdf")
    assert found.quantile(1) == times.max()
    assert found.restricted_mean(5) == np.minimum(times, 5).mean()


def test_limits_where_none_or_all_have_hit_are_binomial():
    found = HittingTimes([5] * 8, max_steps=9)
    curve = found.survival([4, 5, 100])
    assert curve.survival.tolist() == [1, 0, 0]
    assert curve.low[0] == pytest.approx(stats.binomtest(8, 8).proportion_ci().low)
    assert curve.high[1] == curve.high[2] == pytest.approx(stats.binomtest(0, 8).proportion_ci().high)
    censored = HittingTimes([-1] * 8, max_steps=9).survival([9, 10])
    np.testing.assert_array_equal(censored.survival, [1, np.nan])
    assert np.isnan(HittingTimes([], max_steps=5).survival([1]).survival[0])


@pytest.mark.parametrize(("max_steps", "least", "most"), [(10**4, 0.0, 0.0), (90, 0.05, 0.15), (15, 0.5, 0.8)])
def test_intervals_hold_the_exact_mean(max_steps: int, least: float, most: float):
    # No walk is censored, one in ten, and more than half. Times are nearly exponential; 60 walks an interval.
    matrix = [[0.9, 0.08, 0.02], [0.3, 0.65, 0.05], [0, 0, 1]]
    mean = float(slow.moments(matrix, {2})[0][0])
    law = slow.law(np.array(matrix), [2], 0, max_steps)[:, 0]
    restricted = float(np.sum(1 - np.cumsum(law)[:-1]))
    sample = MarkovChain(matrix).sample_hitting_times(2, 0, n_walks=200 * 60, max_steps=max_steps, rng=5)
    assert least <= 1 - sample.hitting_fraction <= most
    held, held_restricted = 0, 0
    for times in sample.times.reshape(200, 60):
        found = HittingTimes(times, max_steps=max_steps)
        low, high = found.interval()
        held += low <= mean <= high
        low, high = found.restricted_interval(max_steps)
        held_restricted += low <= restricted <= high
    # The one in a million quantile of 200 trials at 0.95; an interval without an upper end holds more often.
    worst = stats.binom.ppf(1e-6, 200, 0.95)
    assert held >= worst
    assert held_restricted >= worst
    assert held <= stats.binom.ppf(1 - 1e-6, 200, 0.95) or most > 0


def test_intervals_hold_the_mean_of_very_skewed_times():
    # One walk in ten takes a thousand times longer: Student's interval of 60 times holds the mean 86 times in 100.
    rng = np.random.default_rng(3)
    times = np.where(rng.random((1000, 60)) < 0.1, rng.geometric(1e-4, (1000, 60)), rng.geometric(0.1, (1000, 60)))
    mean = 0.1 * 1e4 + 0.9 * 10
    held = student = 0
    for row in times:
        low, high = HittingTimes(row, max_steps=10**9).interval()
        held += low <= mean <= high
        width = stats.t.ppf(0.975, 59) * stats.sem(row)
        student += abs(row.mean() - mean) < width
    assert held > student + 30
    assert held > 900


def test_the_limits_of_survival_hold_it():
    chain = MarkovChain([[0.95, 0.05], [0, 1]])
    sample = chain.sample_hitting_times(1, 0, n_walks=400 * 50, max_steps=30, rng=8).times.reshape(400, 50)
    t = np.array([1, 10, 25])
    held = np.zeros(3)
    for times in sample:
        curve = HittingTimes(times, max_steps=30).survival(t)
        held += (curve.low <= 0.95**t) & (0.95**t <= curve.high)
    assert (held >= stats.binom.ppf(1e-6, 400, 0.93)).all()


def test_they_are_what_they_were_after_a_trip():
    chain = MarkovChain([[0.5, 0.5], [0, 1]])
    found = chain.sample_hitting_times(1, 0, n_walks=10, max_steps=2, rng=1)
    back = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(back.times, found.times)
    assert back.restricted_mean() == found.restricted_mean()
    assert len(found) == 10
    assert repr(found) == f"HittingTimes(n_walks=10, n_censored={found.n_censored})"
    same = HittingTimes(found.times, found.states, max_steps=found.max_steps)
    assert same.interval() == found.interval()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: HittingTimes([1, -2], max_steps=5), r"times\[1\] must be at least -1, got -2"),
        (lambda: HittingTimes([1, 7], max_steps=5), r"times\[1\] must be at most max_steps, got 7"),
        (lambda: HittingTimes([1, 7], max_steps=[9]), "max_steps must have the length of times, 2, got 1"),
        (lambda: HittingTimes([1, 7], [1], max_steps=9), "states must have the length of times, 2, got 1"),
        (lambda: REMISSION.interval(1.0), "confidence must be above 0 and below 1, got 1.0"),
        (lambda: REMISSION.survival(confidence=float("nan")), "confidence must be finite"),
        (lambda: REMISSION.survival([-1]), r"t\[0\] must be at least 0, got -1"),
        (lambda: REMISSION.quantile(0), "q must be above 0 and at most 1, got 0"),
        (lambda: REMISSION.restricted_mean(36), "tau must be at most the longest time watched, 35, got 36"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()
