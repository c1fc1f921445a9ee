"""`SnowballChain` beside its twin, and the figures of Gan, Liao and Liu 2025 that were worked out by hand."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.problems import SnowballChain
from slowthink.reference import snowball as slow

PROFILES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=7)


@given(PROFILES, st.integers(1, 5), st.integers(1, 9), st.integers(0, 30), st.lists(st.integers(0, 99), max_size=8))
def test_steps_are_those_of_the_twin(success, n_wrong, n_instances, tree, choices):
    problem = SnowballChain(success, n_wrong=n_wrong, n_instances=n_instances)
    twin = slow.SnowballChain(success, n_wrong, n_instances)
    state, expected = problem.root(tree), twin.root(tree)
    assert problem.max_depth == len(success)
    for choice in [*choices, None]:
        actions = twin.actions(expected)
        assert problem.describe(state) == twin.text(expected)
        assert problem.actions(state) == actions
        outcome = twin.outcome(expected)
        value = problem.value(state, rng=tree)
        assert value == outcome if outcome is not None else value in (0, 1)
        if expected[2]:
            assert value == 0
        if not actions or choice is None:
            break
        state, reward = problem.step(state, choice % len(actions))
        expected, _ = twin.step(expected, choice % len(actions))
        assert reward == 0


def test_states_coincide_where_step_and_answer_do():
    chain = SnowballChain([0.5] * 3, n_wrong=2)
    state = chain.root(5)

    def after(*names):
        found = state
        for name in names:
            found = chain.step(found, chain.actions(found).index(name))[0]
        return found

    assert chain.key(after("wrong 1", "right")) == chain.key(after("wrong 1", "wrong 2"))
    keys = {chain.key(s) for s in (state, after("right"), after("wrong 1"), after("wrong 2"), chain.root(6))}
    assert len(keys) == 5
    assert chain.key(chain.root(1005)) == chain.key(state)


@pytest.mark.parametrize(
    ("rate", "length", "exact"), [(50, 6, 0.03824), (math.e, 2, math.exp(-1)), (0.5, 1, 0.5 / math.e)]
)
def test_values_have_the_known_mean(rate, length, exact):
    chain = SnowballChain(rate=rate, length=length, n_wrong=3)
    assert math.isclose(chain.success.prod(), exact, rel_tol=2e-4)
    assert chain.success.tolist() == [pytest.approx(slow.profile(rate, length), rel=1e-15)]
    rng, n = np.random.default_rng(1), 20_000
    mean = np.mean([chain.value(chain.root(i), rng) for i in range(n)])
    assert abs(mean - exact) < 5 * math.sqrt(exact / n)
    right = slow.SnowballChain(chain.success[0], 3, 1).answers(n, rng).count(0) / n
    assert abs(right - exact) < 5 * math.sqrt(exact / n)


def test_it_is_made_again_from_its_pickle_and_leaves_its_input_alone():
    success = np.array([[0.5, 0.25], [1.0, 0.125]])
    chain = SnowballChain(success, n_wrong=4, n_instances=7)
    success[0, 0] = 0
    again = pickle.loads(pickle.dumps(chain))
    assert again.success.tolist() == [[0.5, 0.25], [1.0, 0.125]]
    assert repr(again) == repr(chain) == "SnowballChain(<2 steps, 2 experts>, n_wrong=4)"
    assert [again.actions(again.root(i)) for i in range(9)] == [chain.actions(chain.root(i)) for i in range(9)]
    with pytest.raises(ValueError, match="read-only"):
        chain.success[0, 0] = 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"success": [0.5, 1.5]}, r"success\[1\] must be at most 1, got 1.5"),
        ({"success": []}, "success must have at least one step"),
        ({"success": [0.5], "rate": 2}, "rate must be None where success is given, got 2"),
        ({"success": [0.5], "length": 2}, "length must be None where success is given, got 2"),
        ({"rate": 0}, "rate must be above 0, got 0"),
        ({"length": 0}, "length must be at least 1, got 0"),
        ({"n_wrong": 0}, "n_wrong must be at least 1, got 0"),
        ({"n_wrong": 65_537}, "n_wrong must be at most 65536, got 65537"),
        ({"n_instances": 0}, "n_instances must be at least 1, got 0"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SnowballChain(**arguments)
