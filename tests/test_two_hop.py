"""Contexts for several hops beside their slow twin: the law of the data, exact answers, and the model that learns."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from slowthink.problems import TwoHop
from slowthink.reference import two_hop as slow


@st.composite
def tasks(draw: st.DrawFn) -> TwoHop:
    hops, n_chains = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    length = 2 * hops * n_chains + 2 + draw(st.integers(0, 5))
    return TwoHop((hops + 1) * n_chains + draw(st.integers(0, 9)), hops, n_chains, length)


@given(tasks(), st.integers(0, 2**31))
def test_contexts_tell_chains_and_ask_for_one(task, seed):
    contexts = task.sample(5, rng=seed)
    assert contexts.shape == (5, task.length)
    answers, ends = task.answer(contexts), task.ends(contexts)
    for row, answer, last in zip(contexts.tolist(), answers, ends.tolist(), strict=True):
        chains = slow.chains_of(row, task.hops, task.n_chains)
        assert chains
        (asked,) = [chain for chain in chains if chain[0] == row[task.answer_place - 1]]
        assert row[task.answer_place] == asked[-1] == answer
        assert sorted(last) == sorted(chain[-1] for chain in chains)
        assert all(4 <= node < task.n_tokens for chain in chains for node in chain)
        assert set(row[task.answer_place + 1 :]) <= {3}
    for hops in range(task.hops + 1):
        for row, node in zip(contexts.tolist(), task.answer(contexts, hops=hops), strict=True):
            chains = slow.chains_of(row, task.hops, task.n_chains)
            assert {chain[0]: chain[hops] for chain in chains}[row[task.answer_place - 1]] == node


@given(tasks(), st.integers(0, 2**31))
def test_answers_to_contexts_of_the_twin(task, seed):
    rng = np.random.default_rng(seed)
    told = [slow.context(task.n_nodes, task.hops, task.n_chains, task.length, rng) for _ in range(3)]
    contexts = [tokens for tokens, _, _ in told]
    assert task.answer(contexts).tolist() == [chains[asked][-1] for _, chains, asked in told]


def summary(contexts: np.ndarray, task: TwoHop) -> Counter:
    """What is random in a context but the names of its nodes: which chain each edge is of, by the order in which chains
    begin, and which is asked for."""
    found: Counter = Counter()
    for row in contexts.tolist():
        chains = slow.chains_of(row, task.hops, task.n_chains)
        owner = {node: i for i, chain in enumerate(chains) for node in chain}
        order = tuple(owner[row[i]] for i in range(0, task.answer_place - 1, 2))
        found[order, owner[row[task.answer_place - 1]]] += 1
    return found


def test_the_law_is_that_of_the_twin():
    task = TwoHop(9, 2, 3, 14)
    n = 40_000
    found = summary(task.sample(n, rng=3), task)
    # All 6! / (2!)^3 orders of the edges, up to the names of the chains, each with all three questions.
    assert len(found) == 90 // 6 * 3
    assert chisquare(list(found.values())).pvalue > 1e-6
    rng = np.random.default_rng(0)
    told = np.array([slow.context(9, 2, 3, 14, rng)[0] for _ in range(3000)])
    twin = summary(told, task)
    expected = np.array([found[key] for key in found]) * len(told) / n
    assert set(twin) <= set(found)
    assert chisquare([twin[key] for key in found], expected).pvalue > 1e-6


def test_nodes_are_uniform_and_guesses_right_once_in_five():
    task = TwoHop()
    assert (task.n_chains, task.n_tokens, task.answer_place) == (5, 34, 21)
    contexts = task.sample(100_000, rng=5)
    for place in (0, 7, 20, 21):
        counts = np.bincount(contexts[:, place], minlength=34)
        assert not counts[:4].any()
        assert chisquare(counts[4:]).pvalue > 1e-6
    assert (task.answer(contexts) == contexts[:, 21]).all()
    right = (task.ends(contexts) == contexts[:, 21, None]).mean(axis=0)
    assert np.abs(right - 0.2).max() < 5 * np.sqrt(0.16 / len(contexts))


def test_same_bytes(same_bytes):
    task = TwoHop()
    whole = same_bytes(lambda threads: task.sample(3000, rng=1, threads=threads))
    parts = [task.sample(1000, rng=1, first=first) for first in (0, 1000, 2000)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert task.sample(0, rng=1).shape == (0, 24)
    assert whole[0].tolist() == [
        13, 12, 25, 18, 33, 10, 18, 26, 10, 11, 12, 17, 30, 24, 4, 19, 19, 16, 24, 9, 33, 11, 3, 3,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "steps", "final"),
    [
        ((0, 0, 0), (970, 996, 1079), (6.23, 5.70, 8.98)),
        # Standard normal starts of NumPy's default_rng(0) to (3), as in the published notebook.
        (0, (634, 660, 741), (6.24, 5.72, 9.08)),
        (1, (524, 550, 640), None),
        (2, (1202, 1229, 1307), None),
        (3, (638, 666, 718), None),
    ],
)
def test_the_transition_comes_when_it_was_published(start, steps, final):
    initial = np.random.default_rng(start).standard_normal(3) if isinstance(start, int) else start
    loss, parameters = TwoHop.dynamics(initial=initial)
    assert [int((loss < level).argmax()) for level in (2.5, 1.0, 0.1)] == list(steps)
    if final:
        assert parameters[-1] == pytest.approx(final, abs=0.005)
    if not isinstance(start, int):
        assert loss[0] == pytest.approx(np.log(31))
        assert loss[-1] == pytest.approx(0.00276, abs=5e-6)


@given(st.tuples(*[st.floats(-2, 2)] * 3))
def test_gradients_are_those_of_differences(start):
    loss, parameters = TwoHop.dynamics(20, initial=start, learning_rate=0.3)
    path = slow.descend(20, 0.3, start)
    np.testing.assert_allclose(parameters, path, atol=1e-7)
    np.testing.assert_allclose(loss, [slow.loss(*now) for now in path], atol=1e-7)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: TwoHop(14), r"n_nodes must be from n_chains \(hops \+ 1\) = 15 to 1048576, got 14"),
        (lambda: TwoHop(hops=12), "length must be at least 2 hops \\+ 2 = 26, got 24"),
        (lambda: TwoHop(length=3), "length must be at least 4, got 3"),
        (lambda: TwoHop(n_chains=6), r"length must be at least 2 hops n_chains \+ 2 = 26, got 24"),
        (lambda: TwoHop().answer(np.full((2, 24), 5)), None),
        (lambda: TwoHop().answer(np.arange(48).reshape(2, 24)), r"contexts\[0\] must have an edge out of token 20"),
        (lambda: TwoHop().ends(np.full((2, 24), 5)), r"contexts\[0\] must have 5 nodes without an edge out of them"),
        (lambda: TwoHop().answer([[1, 2]]), r"contexts must have 24 tokens each, got shape \(1, 2\)"),
        (lambda: TwoHop().answer(TwoHop().sample(1), hops=3), "hops must be at most 2, got 3"),
        (lambda: TwoHop.dynamics(initial=(1, 2)), r"initial must be three numbers, got shape \(2,\)"),
        (lambda: TwoHop.dynamics(learning_rate=0), "learning_rate must be above 0, got 0"),
    ],
)
def test_what_is_wrong_is_named(call, text):
    if text is None:
        assert call().tolist() == [5, 5]  # one node that follows itself
        return
    with pytest.raises(ValueError, match=text):
        call()
