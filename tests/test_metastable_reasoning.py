"""`MetastableReasoning` beside its twin, and beside the exact hitting times of the chains it is made of."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.metastable import metastable_chain
from slowthink.problems import MetastableReasoning
from slowthink.reference import categorical as slow
from slowthink.strategies import compare


@st.composite
def chains(draw: st.DrawFn) -> tuple[np.ndarray, int, list[int], list[list[int]]]:
    """A matrix of small fractions, a start, targets and decoys that are disjoint."""
    n = draw(st.integers(2, 5))
    weights = np.array(draw(st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=n, max_size=n)))
    weights[weights.sum(axis=1) == 0, 0] = 1
    roles = draw(st.permutations(range(n)))
    n_targets = draw(st.integers(1, n - 1))
    decoys = [[state] for state in roles[1 + n_targets : 1 + n_targets + draw(st.integers(0, 2))]]
    return weights / weights.sum(axis=1, keepdims=True), roles[0], sorted(roles[1 : 1 + n_targets]), decoys


@given(chains(), st.integers(1, 6), st.lists(st.integers(0, 99), max_size=7))
def test_steps_are_those_of_the_twin(made, max_steps, choices):
    matrix, start, target, decoys = made
    answers: list[int | None] = [None] * len(matrix)
    for answer, states in enumerate([target, *decoys]):
        for place in states:
            answers[place] = answer
    problem = MetastableReasoning(MarkovChain(matrix), max_steps, start=start, target=target, decoys=decoys)
    twin = slow.MetastableReasoning(matrix, start, answers, max_steps)
    state, expected = problem.root(3), twin.root(3)
    keys = set()
    for choice in [*choices, None]:
        actions = twin.actions(expected)
        assert problem.describe(state) == twin.text(expected)
        assert problem.actions(state) == actions
        keys.add(problem.key(state))
        values = [problem.value(state, rng=seed) for seed in range(200)]
        success = twin.success(expected)
        assert abs(np.mean(values) - success) <= 6 * math.sqrt(success * (1 - success) / 200) + 1e-12
        if not actions or choice is None:
            break
        state, reward = problem.step(state, choice % len(actions))
        expected, _ = twin.step(expected, choice % len(actions))
        assert reward == 0
    assert len(keys) == max_steps - expected[1] + 1


@pytest.mark.parametrize("max_steps", [40, 200])
def test_the_values_of_the_ring_follow_the_law_of_its_hitting_times(max_steps):
    ring = metastable_chain(4, 8, 0.2)
    problem = MetastableReasoning(ring, max_steps)
    rng, n = np.random.default_rng(1), 4000
    mean = np.mean([problem.value(problem.root(), rng) for _ in range(n)])
    # Exactly: the share of walks that have arrived, by powers of the chain with an absorbing target.
    matrix = ring.chain.to_scipy().toarray()
    matrix[ring.target] = 0
    matrix[ring.target, ring.target] = 1
    law = np.eye(len(matrix))[ring.start] @ np.linalg.matrix_power(matrix, max_steps)
    exact = law[ring.target].sum()
    assert 0.01 < exact < 0.99
    assert abs(mean - exact) < 5 * math.sqrt(exact * (1 - exact) / n)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_strategies_meet_the_law_of_its_answers(threads):
    # Three clusters, each joined to the others: the second is a decoy that is reached as often as the target.
    family = metastable_chain(3, 4, 0.5, meta_graph="complete")
    problem = MetastableReasoning(family, 30, decoys=[family.cluster(1)])
    found = compare(problem, ["walk", "best-of-n"], [1, 4], n_trials=4000, rng=3, threads=threads)
    matrix = family.chain.to_scipy().toarray()
    ends = np.arange(4, 12)
    matrix[ends] = np.eye(12)[ends]
    law = np.linalg.matrix_power(matrix, 30)[family.start]
    right = law[family.target].sum()
    assert 0.3 < right < 0.5
    assert abs(found.accuracy[0, 1] - right) < 4.5 * math.sqrt(right * (1 - right) / 4000)
    # Walks that end early leave steps for more of them.
    assert found.low[1, 1] > 1 - (1 - right) ** 4
    assert found.correct.sum(axis=2).tolist() == PINNED


PINNED = [[1980, 1980], [3345, 3997]]


def test_walks_too_long_to_be_worked_out_have_values_too():
    chain = MarkovChain([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]])
    problem = MetastableReasoning(chain, 2**32 - 1, start=0, target=1, decoys=[2])
    rng = np.random.default_rng(2)
    mean = np.mean([problem.value(problem.root(), rng) for _ in range(4000)])
    assert abs(mean - 0.5) < 0.04


def test_the_default_is_a_small_ring():
    assert repr(MetastableReasoning()) == "MetastableReasoning(<16 states, 0 decoys>, max_steps=63)"


def test_it_is_made_again_from_its_pickle():
    problem = MetastableReasoning(metastable_chain(3, 4, 0.5), 9, decoys=[[5, 6], 4])
    again = pickle.loads(pickle.dumps(problem))
    assert repr(again) == repr(problem) == "MetastableReasoning(<12 states, 2 decoys>, max_steps=9)"
    state = again.root()
    for to in ("to 0", "to 5"):
        state, _ = again.step(state, again.actions(state).index(to))
    assert again.describe(state) == "state 5, answer 1"
    assert again.n_actions(state) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"max_steps": 0}, ValueError, "max_steps must be at least 1, got 0"),
        ({"start": 12}, ValueError, "start must be at most 11, got 12"),
        ({"start": 9}, ValueError, "start must not be a state that answers, got 9"),
        ({"target": []}, ValueError, "target must have at least one state"),
        ({"target": [3, 12]}, ValueError, r"target\[1\] must be below the number of states, 12, got 12"),
        ({"decoys": [[4], [4]]}, ValueError, r"decoys\[1\] must not have states of other answers, got 4"),
        ({"decoys": [9]}, ValueError, r"decoys\[0\] must not have states of other answers, got 9"),
        ({"max_steps": None}, TypeError, "max_steps must be given for this chain"),
        ({"decoys": 3}, TypeError, "decoys must be a sequence of states or arrays of states, got int"),
        ({"chain": np.eye(2)}, TypeError, "chain must be a MarkovChain or a MetastableChain, got ndarray"),
        ({"chain": MarkovChain(np.eye(2))}, TypeError, "start must be given for this chain"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        MetastableReasoning(**{"chain": metastable_chain(3, 4, 0.5), "max_steps": 5, **arguments})


def test_experts_that_explore_find_the_rare_transitions():
    """At an epsilon of 0.01 walks of the chain hardly ever cross; a policy that takes any transition does."""
    chain = metastable_chain(3, 4, 0.01)
    alone = MetastableReasoning(chain, max_steps=60, experts=())
    default = MetastableReasoning(chain, max_steps=60)
    strategies, arguments = ["walk", "best-of-n", "self-correction"], {"budgets": [16], "n_trials": 400, "rng": 1}
    lonely, found = compare(alone, strategies, **arguments), compare(default, strategies, **arguments)
    np.testing.assert_array_equal(lonely.correct[:2], found.correct[:2])  # the chain's own policy is what it was
    assert found.difference("self-correction", "best-of-n", 16).low > 0.2
    assert "best-of-n by another name: self-correction" in lonely.table()
    assert "by another name" not in found.table()
    assert pickle.loads(pickle.dumps(default))._arguments["experts"] == (0.1, 0.3, 1.0)
    for experts, words in (
        ([0.5, 1.5], r"experts\[1\] must be at most 1"),
        ("x", "experts must be"),
        ([np.nan], "experts"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            MetastableReasoning(chain, max_steps=60, experts=experts)
