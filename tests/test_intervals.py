"""Standard errors, paired comparisons and the bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from slowthink import _slowthink
from slowthink.reference import intervals as reference
from slowthink.samples import Curve, bootstrap_means, compare, holm, mcnemar, pass_at_k

maybe = st.one_of(st.floats(0, 1), st.just(math.nan))
columns = st.integers(1, 12).flatmap(lambda n: st.lists(maybe, min_size=n, max_size=n))


@given(columns, st.data())
def test_mean_and_error_equal_the_twin(values: list[float], data: Any) -> None:
    cluster = data.draw(st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values))))
    curve = Curve.from_values(values, cluster=cluster)
    n, mean, error = reference.mean_and_error(values, cluster)
    assert curve.n_used[0] == n
    np.testing.assert_allclose(curve.mean[0], mean, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(curve.standard_error[0], error, rtol=1e-9, atol=1e-15)


@given(st.integers(2, 10).flatmap(lambda n: st.tuples(*[st.lists(st.floats(0, 1), min_size=n, max_size=n)] * 2)))
def test_comparison_equals_the_twin(values: tuple[list[float], list[float]]) -> None:
    a, b = values
    difference, error, correlation = reference.paired(a, b)
    point = compare(Curve.from_values(a), Curve.from_values(b)).at(1)
    np.testing.assert_allclose(point.difference, difference, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(point.standard_error, error, rtol=1e-7, atol=1e-14)
    if np.std(a) > 1e-3 and np.std(b) > 1e-3:
        np.testing.assert_allclose(point.correlation, correlation, atol=1e-7)


def test_epochs_are_not_independent_problems() -> None:
    """Repeats of a problem are no new problems: rows as problems claim a precision that is not there."""
    rng = np.random.default_rng(1)
    n_problems, n_epochs, rounds = 40, 16, 300
    covered = naively = 0
    for _ in range(rounds):
        rate = rng.beta(0.5, 0.5, n_problems)
        verdicts = rng.random((n_problems, n_epochs)) < rate[:, None]
        honest = Curve.from_values(verdicts.mean(axis=1), interval="t")
        rows = Curve.from_values(verdicts.astype(float).ravel())
        clustered = Curve.from_values(verdicts.astype(float).ravel(), cluster=np.repeat(np.arange(40), n_epochs))
        assert clustered.standard_error[0] == pytest.approx(honest.standard_error[0], rel=1e-12)
        covered += honest.low[0] <= 0.5 <= honest.high[0]
        naively += rows.low[0] <= 0.5 <= rows.high[0]
    # 95 % of 300 rounds is 285 with sd 3.8.
    assert covered >= 265
    assert naively < 180, "the naive interval covers as it should not"


def test_paired_data_want_a_paired_test() -> None:
    """Two systems alike but for a small gain: an unpaired test on the same data misses it."""
    rng = np.random.default_rng(0)
    difficulty = rng.random(60)
    b = np.clip(difficulty + 0.02 * rng.standard_normal(60), 0, 1)
    a = np.clip(b + 0.02 + 0.03 * rng.standard_normal(60), 0, 1)
    curve_a, curve_b = Curve.from_values(a), Curve.from_values(b)
    point = compare(curve_a, curve_b).at(1)
    z = point.difference / math.hypot(curve_a.standard_error[0], curve_b.standard_error[0])
    assert math.erfc(abs(z) / math.sqrt(2)) > 0.5, "the unpaired test sees nothing"
    assert point.p_value < 0.001
    assert point.correlation > 0.95


def test_pairs_are_found_by_label() -> None:
    a = Curve.from_values([0.1, 0.5, 0.9], problems=["x", "y", "z"])
    b = Curve.from_values([0.8, 0.3, 0.0], problems=["z", "y", "w"])
    result = compare(a, b)
    assert result.unmatched == (1, 1)
    assert result.at(1).n_pairs == 2
    assert result.at(1).difference == pytest.approx(0.15)
    assert "w" not in repr(result)
    with pytest.raises(ValueError, match="problems in common"):
        compare(a, Curve.from_values([1.0], problems=["q"]))
    with pytest.raises(ValueError, match="'x' comes twice"):
        compare(Curve.from_values([1.0, 0.0], problems=["x", "x"]), a)
    with pytest.raises(ValueError, match="a k in common"):
        compare(a, Curve.from_values([0.1, 0.5, 0.9], [2], problems=["x", "y", "z"]))
    with pytest.raises(KeyError, match="k = 7"):
        result.at(7)


def test_comparison_of_clusters_and_methods() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random((2, 30))
    cluster = np.repeat(np.arange(10), 3)
    curve_a = Curve.from_values(a, cluster=cluster)
    curve_b = Curve.from_values(b, cluster=(cluster + 7).tolist())
    _, difference, error = reference.mean_and_error((a - b).tolist(), cluster.tolist())
    result = compare(curve_a, curve_b, interval="t").at(1)
    assert result.difference == pytest.approx(difference, rel=1e-12)
    assert result.standard_error == pytest.approx(error, rel=1e-12)
    with pytest.raises(ValueError, match="same clusters"):
        compare(curve_a, Curve.from_values(b, cluster=rng.permutation(cluster)))
    booted = compare(curve_a, curve_b, interval="bootstrap", rng=3).at(1)
    assert booted.standard_error == pytest.approx(error, rel=0.2)
    assert booted.p_value == pytest.approx(result.p_value, abs=0.1)
    same = compare(curve_a, curve_a).at(1)
    assert (same.difference, same.p_value, same.standard_error) == (0, 1, 0)


def test_fixed_benchmark_adds_the_variances_within() -> None:
    values, variance = [0.2, 0.8], [0.01, 0.03]
    a = Curve.from_values(values, variance=variance, over="samples")
    assert a.standard_error[0] == pytest.approx(math.sqrt(0.04) / 2)
    both = compare(a, a).at(1)
    assert both.standard_error == pytest.approx(math.sqrt(0.08) / 2)
    for bad in ({"interval": "t"}, {"cluster": [0, 1]}, {"interval": "bootstrap"}):
        with pytest.raises(ValueError, match="over='samples'"):
            Curve.from_values(values, variance=variance, over="samples", **bad)
    with pytest.raises(ValueError, match="needs within-problem variances"):
        Curve.from_values(values, over="samples")
    with pytest.raises(ValueError, match="over the same"):
        compare(a, Curve.from_values(values))


def test_student_and_sign_laws_equal_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for df in (1, 2, 3.5, 10, 200, 1e6):
        for t in (0.0, 0.1, 1.0, 2.5, 8.0, 40.0):
            expected = 2 * stats.t.sf(t, df)
            assert _slowthink.student_two_sided(-t, df) == pytest.approx(expected, rel=1e-9)
        for confidence in (0.1, 0.5, 0.95, 0.999):
            expected = stats.t.ppf(0.5 + confidence / 2, df)
            assert _slowthink.student_quantile(confidence, df) == pytest.approx(expected, rel=1e-9)
    for n in (1, 2, 7, 30, 101):
        for k in range(n + 1):
            assert _slowthink.sign_test(k, n) == pytest.approx(reference.sign_test(k, n), rel=1e-11)


def test_mcnemar_and_holm() -> None:
    assert mcnemar([1, 0, 1], [1, 0, 1]) == 1.0
    with pytest.raises(ValueError, match=r"correct_b\[1\] must be 0 or 1, got 2"):
        mcnemar([1, 0], [1, 2])
    np.testing.assert_allclose(holm([0.01, math.nan, 0.02, 0.9]), [0.03, math.nan, 0.04, 0.9])
    assert holm([0.6, 0.5]).tolist() == [1.0, 1.0]


# --- bootstrap


def test_bootstrap_percentiles_fail_on_few_zeros_and_ones_where_wilson_does_not() -> None:
    ones = np.ones(8)
    percentile = Curve.from_values(ones, interval="bootstrap", rng=0)
    assert percentile.low[0] == percentile.high[0] == 1.0, "eight right answers do not make certainty"
    wilson = Curve.from_values(ones, interval="wilson")
    assert wilson.high[0] == 1.0
    assert wilson.low[0] == pytest.approx(1 / (1 + 1.959963984540054**2 / 8))
    rng = np.random.default_rng(5)
    covered = np.zeros(2)
    for _ in range(400):
        values = (rng.random(10) < 0.1).astype(float)
        for i, interval in enumerate(("bootstrap", "wilson")):
            curve = Curve.from_values(values, interval=interval, n_resamples=500, rng=1)
            covered[i] += curve.low[0] <= 0.1 <= curve.high[0]
    assert covered[0] < 300, "percentiles promise 380 of 400"
    assert covered[1] > 360
    with pytest.raises(ValueError, match="0 or 1"):
        Curve.from_values([0.5, 1.0], interval="wilson")


def _draws(n_units: int, n_resamples: int) -> np.ndarray:
    """The units that the kernel draws, read off indicator columns: how often each, in any order."""
    indicators = np.eye(n_units)
    times = np.rint(bootstrap_means(indicators, n_resamples=n_resamples, rng=4) * n_units).astype(int)
    return np.array([np.repeat(np.arange(n_units), row) for row in times])


@given(st.integers(1, 9), st.integers(1, 70), st.booleans(), st.integers(0, 2**32))
def test_bootstrap_means_equal_the_twin(n: int, width: int, clustered: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((n, width))
    values[rng.random(values.shape) < 0.1] = np.nan
    cluster = rng.integers(0, 3, n) if clustered else None
    units = n if cluster is None else len(np.unique(cluster))
    fast = bootstrap_means(values, n_resamples=7, cluster=cluster, rng=4)
    slow = reference.bootstrap_means(values, _draws(units, 7), cluster)
    np.testing.assert_allclose(fast, slow, rtol=1e-11, atol=1e-11)


def test_curves_of_the_same_problems_are_resampled_in_pairs() -> None:
    a, b = np.random.default_rng(0).random((2, 50, 3))
    both = [bootstrap_means(x, n_resamples=40, rng=9) for x in (a, b, a - b)]
    np.testing.assert_allclose(both[0] - both[1], both[2], atol=1e-13)


def test_bootstrap_is_the_same_for_any_threads_and_shards(same_bytes: Callable[..., Any]) -> None:
    values = pass_at_k(np.full(30, 64), np.arange(30) * 2)
    curve = same_bytes(
        lambda threads: Curve.from_values(values, interval="bootstrap", n_resamples=300, rng=1, threads=threads).low
    )
    assert curve.shape == (64,)
    whole = same_bytes(lambda threads: bootstrap_means(values, n_resamples=25, rng=1, threads=threads))
    shards = [bootstrap_means(values, n_resamples=n, first=first, rng=1) for first, n in ((0, 10), (10, 8), (18, 7))]
    assert np.concatenate(shards).tobytes() == whole.tobytes()


def test_bootstrap_curve_is_the_quantiles_of_the_means() -> None:
    values = np.random.default_rng(3).random((40, 5))
    for n_resamples in (2, 3, 200, 3000):
        curve = Curve.from_values(values, interval="bootstrap", n_resamples=n_resamples, rng=2, confidence=0.9)
        means = bootstrap_means(values, n_resamples=n_resamples, rng=2)
        np.testing.assert_allclose([curve.low, curve.high], np.quantile(means, [0.05, 0.95], axis=0), rtol=1e-12)
        np.testing.assert_allclose(curve.standard_error, means.std(axis=0, ddof=1), rtol=1e-10)


def test_bootstrap_agrees_with_the_closed_form() -> None:
    values = pass_at_k(np.full(200, 32), np.random.default_rng(0).binomial(32, 0.2, 200))
    booted = Curve.from_values(values, interval="bootstrap", rng=5)
    closed = Curve.from_values(values)
    # The spread of 10,000 replicates is known to 1/sqrt(20,000) = 0.7 %, of P in P - 1 to 0.25 %.
    np.testing.assert_allclose(booted.standard_error[:8], closed.standard_error[:8], rtol=0.04)


def test_a_column_that_some_replicate_misses_has_no_interval() -> None:
    values = np.array([[0.5, np.nan], [0.25, np.nan], [0.75, 1.0]])
    curve = Curve.from_values(values, interval="bootstrap", rng=0, n_resamples=500)
    assert np.isfinite(curve.low[0])
    assert np.isnan([curve.low[1], curve.high[1], curve.standard_error[1]]).all()


@pytest.mark.parametrize("clustered", [False, True])
def test_bootstrap_comparison_summarises_the_resampled_differences(clustered: bool) -> None:
    rng = np.random.default_rng(11)
    a, b = rng.integers(0, 5, (2, 40, 150)) / 4
    b[:3, 7] = np.nan
    cluster = np.arange(40) // 2 if clustered else None
    result = compare(
        Curve.from_values(a, cluster=cluster),
        Curve.from_values(b, cluster=cluster),
        interval="bootstrap",
        confidence=0.9,
        n_resamples=201,
        rng=4,
    )
    means = bootstrap_means(a - b, cluster=cluster, n_resamples=201, rng=4)
    low, high = np.quantile(means, [0.05, 0.95], axis=0)
    np.testing.assert_allclose(result.low, low, atol=1e-9)
    np.testing.assert_allclose(result.high, high, atol=1e-9)
    np.testing.assert_allclose(result.standard_error, means.std(axis=0, ddof=1), atol=1e-9)
    sides = np.minimum((means <= 1e-9).sum(axis=0), (means >= -1e-9).sum(axis=0))
    np.testing.assert_allclose(result.p_value, np.minimum(2 * (sides + 1) / 202, 1), atol=0.011)


def test_value_stability() -> None:
    """A change here changes seeded results: it needs a line in CHANGELOG.md."""
    means = bootstrap_means(np.arange(12.0).reshape(4, 3), n_resamples=3, rng=7)
    np.testing.assert_allclose(means[:, 0], PINNED, rtol=1e-12)


PINNED = [8.25, 6.0, 4.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [[1.0, np.inf]]}, "finite"),
        ({"values": np.empty((0, 3))}, "empty"),
        ({"values": [1.0], "n_resamples": 0}, "n_resamples must be at least 1"),
        ({"values": [1.0], "first": -1}, "first must be at least 0"),
        ({"values": [1.0, 2.0], "cluster": [1]}, "cluster must have the length of values"),
    ],
)
def test_bad_bootstrap_input_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_means(**arguments)


@given(st.integers(1, 10**9), st.floats(0, 1), st.floats(0.5, 0.999999))
def test_binomial_interval_is_that_of_clopper_and_pearson(n: int, share: float, confidence: float) -> None:
    k = round(share**4 * n)
    low, high = _slowthink.binomial_interval(k, n, confidence)
    tail = (1 - confidence) / 2
    assert low == (0 if k == 0 else pytest.approx(beta.ppf(tail, k, n - k + 1), rel=1e-6))
    assert high == (1 if k == n else pytest.approx(beta.isf(tail, k + 1, n - k), rel=1e-6))
