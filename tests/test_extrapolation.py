"""pass@k beyond the samples."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference import extrapolation as reference
from slowthink.samples import extrapolate_pass_at_k, pass_at_k

counts = st.lists(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=3, max_size=12
)


def test_golden_value_of_the_twin() -> None:
    assert float(reference.pass_at_k(Fraction(1, 4), Fraction(2), 4096)) == pytest.approx(0.8583887, abs=5e-8)


@given(counts, st.booleans())
def test_the_fit_is_a_maximum_and_predicts_the_product(pairs: list[tuple[int, int]], inflated: bool) -> None:
    n, c = zip(*pairs, strict=True)
    model = "zero-inflated-beta-binomial" if inflated else "beta-binomial"
    if sum(c) in (0, sum(n)) or max(n) == 1:
        with pytest.raises(ValueError, match="num_"):
            extrapolate_pass_at_k(n, c, 1, model=model)
        return
    fit = extrapolate_pass_at_k(n, c, [1, 7, 100], model=model)
    assert np.isfinite(fit.mean).all()
    assert (np.diff(fit.mean) >= 0).all()
    if not (0 < fit.alpha < 1e4 and 0 < fit.beta < 1e4):
        return
    a, b, z = fit.alpha, fit.beta, fit.zero_inflation
    expected = [float(reference.pass_at_k(Fraction(a), Fraction(b), k, Fraction(z))) for k in (1, 7, 100)]
    np.testing.assert_allclose(fit.mean, expected, rtol=1e-10)
    best = reference.log_likelihood(n, c, a, b, z)
    assert fit.log_likelihood == pytest.approx(best, rel=1e-9)
    for factor in (0.97, 1.03):
        assert reference.log_likelihood(n, c, a * factor, b, z) <= best + 1e-7 * abs(best)
        assert reference.log_likelihood(n, c, a, b * factor, z) <= best + 1e-7 * abs(best)


def test_recovers_a_beta_law_where_the_plug_in_does_not() -> None:
    """1000 problems with p ~ Beta(1/4, 2), 32 samples each, extrapolated to 65,536."""
    rng = np.random.default_rng(0)
    k = [32, 256, 4096, 65536]
    truth = [float(1 - math.exp(_log_fail(0.25, 2.0, kk))) for kk in k]
    covered = 0
    for _ in range(20):
        rate = rng.beta(0.25, 2, 1000)
        c = rng.binomial(32, rate)
        fit = extrapolate_pass_at_k(np.full(1000, 32), c, k)
        np.testing.assert_allclose(fit.mean, truth, atol=0.08)
        covered += bool((fit.low[3] <= truth[3]) & (truth[3] <= fit.high[3]))
        plug_in = np.mean(1 - (1 - c / 32) ** 4096)
        assert plug_in < truth[2] - 0.2, "the plug-in is far too low"
    assert covered >= 15  # 19 of 20 expected
    assert fit.mean[0] == pytest.approx(np.mean(pass_at_k(np.full(1000, 32), c, 32)), abs=0.02)


def _log_fail(a: float, b: float, k: int) -> float:
    return math.lgamma(b + k) - math.lgamma(b) - math.lgamma(a + b + k) + math.lgamma(a + b)


def test_recovers_inflation() -> None:
    rng = np.random.default_rng(1)
    rate = np.where(rng.random(4000) < 0.3, 0.0, rng.beta(2, 3, 4000))
    fit = extrapolate_pass_at_k(np.full(4000, 40), rng.binomial(40, rate), 10**6, model="zero-inflated-beta-binomial")
    assert fit.zero_inflation == pytest.approx(0.3, abs=0.03)
    assert fit.alpha == pytest.approx(2, rel=0.15)
    assert fit.at(10**6)["mean"] == pytest.approx(0.7, abs=0.03)


def test_limits_of_the_model() -> None:
    equal = extrapolate_pass_at_k([4, 4, 4], [1, 1, 1], [1, 10])
    assert math.isinf(equal.alpha)
    np.testing.assert_allclose(equal.mean, [0.25, 1 - 0.75**10])
    assert np.isnan(equal.low).all()
    sure = extrapolate_pass_at_k([4, 4, 4, 4], [0, 0, 0, 4], [1, 10**9])
    assert (sure.alpha, sure.mean.tolist()) == (0.0, [0.25, 0.25])
    assert equal.to_dict()["alpha"] is None


@pytest.mark.parametrize(
    ("n", "c", "message"),
    [
        ([4, 4], [0, 0], "num_correct must not be 0 for every problem"),
        ([4, 4], [4, 4], "num_correct must not be num_samples for every problem"),
        ([1, 1], [0, 1], "num_samples must be at least 2"),
        ([4, 4], [0, 5], r"num_correct\[1\] must be between 0 and num_samples\[1\] = 4"),
        ([4, 0], [0, 0], r"num_samples\[1\] must be at least 1"),
        ([4, 4], [1], "num_correct must have the length of num_samples"),
        ([], [], "num_samples must not be empty"),
    ],
)
def test_bad_counts_are_named(n: list[int], c: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extrapolate_pass_at_k(n, c, 8)


def test_the_interval_is_that_of_the_curvature_of_the_likelihood() -> None:
    n, c = [20] * 8, [0, 1, 1, 2, 4, 7, 11, 18]
    fit = extrapolate_pass_at_k(n, c, [50], confidence=0.95)
    place, step = np.log([fit.alpha, fit.beta]), 1e-3

    def likelihood(shift: np.ndarray) -> float:
        a, b = np.exp(place + step * shift)
        return reference.log_likelihood(n, c, a, b, 0.0)

    def log_hazard(shift: np.ndarray) -> float:
        a, b = np.exp(place + step * shift)
        solved = reference.pass_at_k(Fraction(float(a)), Fraction(float(b)), 50)
        return math.log(-math.log1p(-float(solved)))

    axes = np.eye(2)
    hessian = [
        [sum(s * t * likelihood(s * x + t * y) for s in (-1, 1) for t in (-1, 1)) / (2 * step) ** 2 for x in axes]
        for y in axes
    ]
    gradient = np.array([(log_hazard(x) - log_hazard(-x)) / (2 * step) for x in axes])
    error = math.sqrt(gradient @ np.linalg.inv(-np.array(hessian)) @ gradient)
    centre = math.log(-math.log1p(-fit.mean[0]))
    for limit, sign in ((fit.low[0], -1), (fit.high[0], 1)):
        assert math.log(-math.log1p(-limit)) == pytest.approx(centre + sign * 1.959964 * error, rel=1e-3)
