"""Plurality probabilities and sample sizes: exact rationals, tables of the theory, and Monte Carlo."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference import majority, planning
from slowthink.samples import best_of_n_probability, plurality_probability, samples_needed

weights = st.lists(st.integers(0, 6), min_size=1, max_size=4).filter(any)


@given(weights, st.integers(0, 3), st.integers(1, 6), st.sampled_from(["uniform", "strict", "any"]), st.data())
def test_plurality_equals_enumeration(weights, silent, n, ties, data):
    total = sum(weights) + silent
    exact_law = [Fraction(weight, total) for weight in weights]
    target = data.draw(st.integers(0, len(weights) - 1))
    exact = majority.plurality_probability(exact_law, n, target, ties)
    got = plurality_probability([float(p) for p in exact_law], n, target, ties=ties)
    assert abs(got - float(exact)) <= 1e-12 * float(exact)


def test_plurality_for_many_n_at_once_and_one_by_one():
    p = [0.35, 0.25, 0.2, 0.15]
    n = [1, 2, 3, 40, 200, 11]
    together = plurality_probability(p, n)
    np.testing.assert_allclose(together, [plurality_probability(p, size) for size in n], rtol=1e-12)


def test_large_n_agrees_with_simulation():
    p = np.array([0.2, 0.17, *[0.63 / 12] * 12])
    counts = np.random.default_rng(0).multinomial(900, p, size=40_000)
    top = counts.max(axis=1, keepdims=True)
    won = ((counts[:, 0] == top[:, 0]) / (counts == top).sum(axis=1)).mean()
    exact = plurality_probability(p, 900)
    assert abs(won - exact) < 5 * math.sqrt(exact * (1 - exact) / 40_000)


@pytest.mark.parametrize(
    ("p", "n"),
    [([0.5, 0.3, 0.2], 54), ([0.4, 0.3, 0.1, 0.1, 0.1], 188), ([0.35, 0.25, 0.2, 0.2], 169), ([0.96, 0.04], 1)],
)
def test_samples_needed_for_a_vote(p, n):
    assert samples_needed(p) == n
    assert plurality_probability(p, n) >= 0.95
    assert n == 1 or plurality_probability(p, n - 1) < 0.95


@pytest.mark.parametrize(("gap", "n"), [(0.4, 17), (0.1, 269), (0.02, 6763), (0.005, 108_221)])
def test_a_vote_between_two_needs_the_inverse_square_of_the_gap(gap, n):
    assert samples_needed([(1 + gap) / 2, (1 - gap) / 2]) == n


@pytest.mark.parametrize(("gap", "n"), [(0.2, 61), (0.1, 162), (0.02, 1164)])
def test_a_vote_against_many_equal_wrong_answers(gap, n):
    assert samples_needed([2 * gap, *[gap] * round(1 / gap - 2)]) == n


@pytest.mark.parametrize(("gap", "n"), [(0.2, 6), (0.1, 14), (0.02, 74), (0.001, 1497)])
def test_a_perfect_verifier_needs_the_inverse_of_the_gap(gap, n):
    assert samples_needed([2 * gap], strategy="best-of-n") == n


@given(st.integers(1, 9), st.integers(1, 20))
def test_best_of_n_equals_the_exact_rational(tenths, n):
    exact = planning.best_of_n_probability(Fraction(tenths, 10), n)
    assert best_of_n_probability(tenths / 10, n) == pytest.approx(float(exact), rel=1e-13)


def test_small_probabilities_do_not_cancel():
    assert 1 - (1 - 1e-18) ** 5 == 0  # the naive formula
    assert best_of_n_probability(1e-18, 5) == pytest.approx(5e-18, rel=1e-12)


def test_the_slow_planner_agrees():
    p = [Fraction(3, 5), Fraction(3, 10), Fraction(1, 10)]
    assert samples_needed([0.6, 0.3, 0.1], confidence=0.7) == planning.samples_for_majority(p, Fraction(7, 10), 14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: samples_needed([0.3, 0.4]), "target must be the most probable answer"),
        (lambda: samples_needed([0.5, 0.2], confidence=1.0), "confidence must lie between 0 and 1"),
        (lambda: samples_needed([0.0, 1.0], strategy="best-of-n"), r"p\[0\] must be positive"),
        (lambda: samples_needed([0.5], strategy="beam"), "strategy must be"),
        (lambda: samples_needed([0.9, 0.9]), "p must sum to at most 1"),
        (lambda: samples_needed([]), "target must be an index into p"),
        (lambda: plurality_probability([0.5, np.nan], 3), r"p\[1\] must be finite"),
        (lambda: plurality_probability([0.5, 0.6], 3), "p must sum to at most 1"),
        (lambda: plurality_probability([0.5], 0), "n must be at least 1, got 0"),
        (lambda: plurality_probability([0.5], 2, 1), "target must be an index into p"),
        (lambda: best_of_n_probability([1.5], 2), r"p\[0\] must be at most 1.0, got 1.5"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
