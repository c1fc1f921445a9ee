"""Closed forms on chains of steps: known figures, all outcomes of small chains, and what strategies do in fact."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import strategies
from slowthink._reproduce import _trials
from slowthink._reproduce._claims import Request
from slowthink.problems import SnowballChain
from slowthink.strategies import Verifier

PROFILES = st.lists(st.floats(0.01, 1) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=3)


@given(PROFILES, st.integers(1, 3), st.floats(0, 1))
def test_closed_forms_are_sums_over_all_outcomes(success, k, accuracy):
    # All candidates of all steps, right or wrong, with their probabilities.
    stepwise = best = 0.0
    for rights in product((0, 1), repeat=len(success) * k):
        table = np.array(rights).reshape(len(success), k)
        chance = math.prod(p if hit else 1 - p for p, row in zip(success, table, strict=True) for hit in row)
        stepwise += chance * accuracy ** len(success) * bool(table.any(axis=1).all())
        best += chance * accuracy * bool(table.all(axis=0).any())
    assert strategies.stepwise_success(success, k, accuracy) == pytest.approx(stepwise, abs=1e-12)
    assert strategies.best_of_n_success(success, k, accuracy) == pytest.approx(best, abs=1e-12)
    assert strategies.walk_success(success) == pytest.approx(math.prod(success))


def test_the_caution_of_the_clip():
    chain = SnowballChain(rate=50, length=6).success[0]
    assert round(strategies.walk_success(chain), 5) == 0.03824
    assert round(strategies.walk_bound(50, 6), 2) == 11.85
    # The bound is below 1 only for log(rate) < (L + 1) / 2, and exact where nothing is clipped.
    assert strategies.walk_bound(math.exp(3.5), 6) == pytest.approx(1)
    assert strategies.walk_bound(2, 3) == pytest.approx(
        strategies.walk_success(SnowballChain(rate=2, length=3).success[0])
    )


@given(st.floats(0.01, 1e3), st.integers(1, 12), st.integers(1, 50), st.floats(0, 1))
def test_bounds_are_bounds(rate, length, k, accuracy):
    success = SnowballChain(rate=rate, length=length).success[0]
    slack = 1 + 1e-9
    assert strategies.walk_success(success) <= strategies.walk_bound(rate, length) * slack
    assert (
        strategies.stepwise_success(success, k, accuracy)
        <= strategies.stepwise_bound(rate, length, k, accuracy) * slack
    )
    assert (
        strategies.best_of_n_success(success, k, accuracy)
        <= strategies.best_of_n_bound(rate, length, k, accuracy) * slack
    )


@given(st.floats(1e-12, 1), st.integers(1, 64))
def test_the_exact_condition_for_a_gain_is_stricter_than_that_of_the_bounds(p, k):
    (limit,) = strategies.gain_accuracy([p], k)
    assert 1 / k <= limit * (1 + 1e-12)
    assert limit <= 1 + 1e-12
    if 1e-3 < p < 0.999 and k > 1:
        assert strategies.stepwise_success([p], k, min(1.0, limit * 1.0001)) > p or limit * 1.0001 > 1
        assert strategies.stepwise_success([p], k, limit * 0.9999) < p
        assert limit > 1 / k


@given(st.lists(st.floats(0.05, 0.9), min_size=1, max_size=4), st.integers(1, 8), st.floats(0.3, 1))
def test_matching_samples_match(success, width, accuracy):
    n = strategies.matching_samples(success, width, accuracy)
    wanted = strategies.stepwise_success(success, width, accuracy)
    whole = math.ceil(n * (1 - 1e-12))
    assert strategies.best_of_n_success(success, max(whole, 1)) >= wanted * (1 - 1e-9)
    if whole > 1:
        assert strategies.best_of_n_success(success, whole - 1) < wanted


def test_matching_samples_at_the_ends():
    hard = [1e-4] * 6
    assert strategies.matching_samples(hard, 4, 0.5) == pytest.approx(64, rel=1e-3)
    assert strategies.matching_samples(hard, 4, 4 ** (1 / 6 - 1)) == pytest.approx(4, rel=1e-3)
    assert strategies.matching_samples(hard, 4) == pytest.approx(4096, rel=1e-3)
    assert strategies.matching_samples([0.5], 4, 1.0, best_of_n_accuracy=0.9) == math.inf
    assert strategies.matching_samples([0.5], 4, 0.0) == 0
    assert strategies.matching_samples([1.0], 4) == 1
    assert strategies.matching_samples([0.0], 4) == 0


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_strategies_come_to_the_closed_forms(threads):
    chain, n = SnowballChain([0.9, 0.5, 0.7], n_wrong=3), 20_000
    request, seed = Request(threads=threads), np.random.SeedSequence(5)
    chosen = [_trials.WALK, _trials.WALKS_BEST, _trials.WIDEST_CHAIN]
    hits = _trials.right(request, chain, chosen, [3, 12, 24], n, seed, Verifier(accuracy=0.8))
    success = chain.success[0]
    exact = [[strategies.walk_success(success)] * 3]
    exact += [
        [f(success, k, 0.8) for k in (1, 4, 8)] for f in (strategies.best_of_n_success, strategies.stepwise_success)
    ]
    deviation = np.abs(hits / n - exact) / np.sqrt(np.array(exact) * (1 - np.array(exact)) / n)
    assert deviation.max() < 4.5
    assert hits.tolist() == PINNED


PINNED = [[6270, 6270, 6270], [5066, 12534, 15204], [3184, 9588, 10281]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: strategies.walk_success([]), "success must have at least one step"),
        (lambda: strategies.walk_success([0.5, 1.5]), r"success\[1\] must be at most 1, got 1.5"),
        (lambda: strategies.walk_bound(0, 3), "rate must be above 0, got 0"),
        (lambda: strategies.walk_bound(1, 0), "length must be at least 1, got 0"),
        (lambda: strategies.stepwise_success([0.5], 0), "width must be at least 1, got 0"),
        (lambda: strategies.best_of_n_success([0.5], 2, 1.5), "accuracy must be at most 1, got 1.5"),
        (lambda: strategies.matching_samples([0.5], 2, best_of_n_accuracy=-1), "best_of_n_accuracy must be at least 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
