"""Stopping rules: exact rationals, published values, large counts and repeated looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import beta
from slowthink.reference import stopping as slow
from slowthink.samples import should_stop, stopping_probability


def test_published_values():
    found = stopping_probability([[12, 8], [600, 500], [3, 3], [8, 12]])
    np.testing.assert_allclose(found, [0.808344841, 0.998717614, 0.5, 0.808344841], atol=5e-10)


def test_quadrature_of_the_density_fails_where_the_sum_does_not():
    # The naive rule integrates x^v1 (1-x)^v2 and divides by the complete integral: at 600 against 500 votes both
    # underflow, and there is nothing to stop on.
    def naive(first: int, second: int) -> float:
        x = np.linspace(0, 1, 20_001)
        density = x**first * (1 - x) ** second
        with np.errstate(invalid="ignore"):
            return float(density[x > 0.5].sum() / density.sum())

    assert naive(12, 8) == pytest.approx(0.808344841, abs=1e-3)
    assert np.isnan(naive(900, 800))
    assert naive(900, 800) != stopping_probability([900, 800])
    assert should_stop([[600, 500], [900, 800], [600_000, 500_000]]).all()


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
@example([255, 255])
@example([256, 255, 1])
@example([256, 256])
@example([300, 0])
def test_equals_the_exact_rational(counts: list[int]):
    assert stopping_probability(counts) == pytest.approx(float(slow.beta_probability(counts)), abs=2e-14)


def test_large_counts_equal_the_incomplete_beta_function():
    rng = np.random.default_rng(1)
    first = rng.integers(256, 1_000_000, 3000)
    second = np.maximum(first - rng.integers(0, 3 * np.sqrt(first).astype(int)), 0)
    expected = betainc(second + 1.0, first + 1.0, 0.5)
    np.testing.assert_allclose(stopping_probability(np.stack([second, first], axis=1)), expected, atol=1e-10)
    np.testing.assert_allclose(stopping_probability([[7, 5]]), beta.sf(0.5, 8, 6))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 5))
def test_e_value_equals_the_exact_integral(first: int, second: int, rivals: int):
    first, second = max(first, second), min(first, second)
    exact = 1 - min(1, rivals / slow.e_value(first, second))
    found = stopping_probability([first, second] + [0] * (rivals - 1), rule="e-value")
    assert found == pytest.approx(float(exact), abs=1e-12)


def _ever_stops(rule: str, looks: int) -> float:
    """The exact probability that two equally likely answers are told apart within so many votes."""
    alive = {(0, 0): 1.0}
    stopped = 0.0
    for _ in range(looks):
        following: dict[tuple[int, int], float] = {}
        for (a, b), p in alive.items():
            for state in ((a + 1, b), (a, b + 1)):
                following[state] = following.get(state, 0.0) + p / 2
        stops = should_stop(np.array(list(following)), rule=rule)  # type: ignore[arg-type]
        stopped += sum(p for p, stop in zip(following.values(), stops, strict=True) if stop)
        alive = {state: p for (state, p), stop in zip(following.items(), stops, strict=True) if not stop}
    return stopped


def test_repeated_looks_inflate_the_beta_rule_and_not_the_e_value():
    # Either answer may be declared the winner: at level 0.95 each side has an error of 0.05.
    assert _ever_stops("beta", 100) > 0.5
    assert _ever_stops("e-value", 300) <= 0.1


def test_all_layouts_and_threads_agree(same_bytes):
    counts = np.random.default_rng(2).integers(0, 400, (5000, 4))
    expected = same_bytes(lambda threads: stopping_probability(counts, threads=threads))
    for other in (np.asfortranarray(counts), counts.astype(">i4"), counts.astype(float), counts[:, ::-1].astype("u2")):
        np.testing.assert_array_equal(stopping_probability(other), expected)
    np.testing.assert_array_equal(stopping_probability(counts.tolist()), expected)
    assert stopping_probability(np.zeros((0, 3), int)).shape == (0,)
    assert stopping_probability([[0], [4]]).tolist() == [0.5, 1 - 2.0**-5]


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([[1, 2], [3, -4]], r"counts\[1, 1\] must be from 0 to 2\^40, got -4"),
        ([[1, 2**41]], r"counts\[0, 1\] must be"),
        ([1, -2], r"counts\[1\] must be at least 0, got -2"),
        ([[1.5, 2]], r"counts\[0, 0\] must be a whole number, got 1.5"),
        ([[np.nan, 2]], r"counts\[0, 0\] must be a whole number, got nan"),
        (3, r"counts must be 1-D or 2-D"),
        (np.zeros((2, 0), int), r"counts must have at least one column"),
        (np.ma.masked_equal([[1, 2]], 2), r"counts must not have masked entries"),
    ],
)
def test_bad_counts_are_named(counts, text):
    with pytest.raises(ValueError, match=text):
        stopping_probability(counts)


def test_bad_options_are_named():
    with pytest.raises(TypeError, match="counts must be an array of numbers"):
        should_stop([["a", "b"]])
    with pytest.raises(ValueError, match="rule must be 'beta' or 'e-value'"):
        should_stop([[1, 2]], rule="dirichlet")  # type: ignore[arg-type]
    for threshold in (0, 1, -0.5, np.nan):
        with pytest.raises(ValueError, match="threshold must be"):
            should_stop([[1, 2]], threshold=threshold)
