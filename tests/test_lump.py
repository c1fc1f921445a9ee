"""Coarse chains: exact rationals, rare transitions, and how far blocks are from being states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.reference import lump as slow


@st.composite
def blocks(draw, n: int) -> list[int]:
    """Labels of n states without a gap."""
    k = draw(st.integers(1, n))
    rest = draw(st.lists(st.integers(0, k - 1), min_size=n - k, max_size=n - k))
    return draw(st.permutations([*range(k), *rest]))


@given(testing.transition_matrices(), st.data())
def test_equals_the_exact_sums(matrix, data):
    labels = data.draw(blocks(len(matrix)))
    weight = st.sampled_from([1.0, 2.0]) | st.floats(-200, 0).map(lambda x: 10.0**x)
    weights = data.draw(st.lists(weight, min_size=len(matrix), max_size=len(matrix)))
    found = MarkovChain(matrix).lump(labels, weights=weights)
    coarse, largest, relative = slow.lump(matrix.tolist(), labels, weights)
    expected = np.array([[float(p) for p in row] for row in coarse])
    np.testing.assert_allclose(found.chain.to_dense(), expected, rtol=1e-13, atol=1e-320)
    # The sums of a row, which are near 1, are rounded.
    assert found.deviation == pytest.approx(float(largest), rel=1e-13, abs=4e-16)
    assert found.relative_deviation == pytest.approx(float(relative), rel=1e-13, abs=1e-15)
    assert found.is_lumpable == (found.relative_deviation <= 1e-9)
    if found.deviation_at is None:
        assert found.deviation == 0
    else:
        low, high, block = found.deviation_at
        assert labels[low] == labels[high] != block
        difference = slow.lead(matrix.tolist(), labels, high, block) - slow.lead(matrix.tolist(), labels, low, block)
        assert found.deviation == pytest.approx(float(difference), rel=1e-13)
    np.testing.assert_allclose(np.bincount(labels, found.weights), 1, rtol=1e-14)


@given(testing.transition_matrices(kind="dense") | testing.transition_matrices(kind="metastable"), st.data())
def test_the_stationary_law_is_that_of_the_blocks(matrix, data):
    labels = data.draw(blocks(len(matrix)))
    chain = MarkovChain(matrix)
    found = chain.lump(labels)
    expected = np.bincount(labels, chain.stationary_distribution())
    np.testing.assert_allclose(found.chain.stationary_distribution(), expected, rtol=1e-12)


@pytest.mark.parametrize("coupling", [1e-3, 1e-16, 1e-100, 1e-200])
def test_rare_transitions_keep_their_digits(coupling):
    rng = np.random.default_rng(1)
    weights = np.kron(np.eye(3), rng.random((4, 4)) + 0.1)
    links = coupling * rng.random((12, 12))
    labels = np.repeat([0, 1, 2], 4)
    chain = MarkovChain.from_weights(np.where(labels[:, None] == labels, weights, links))
    share = rng.random(12)
    found = chain.lump(labels, weights=share).chain.to_dense()
    coarse, _, _ = slow.lump(chain.to_dense().tolist(), labels.tolist(), share.tolist())
    np.testing.assert_allclose(found, [[float(p) for p in row] for row in coarse], rtol=1e-14)


def test_lumpable_chains_are_recognised():
    # A walk on a cube: the vertices by their distance to one of them.
    vertex = np.arange(8)
    matrix = np.array([[bin(i ^ j).count("1") == 1 for j in vertex] for i in vertex]) / 3
    found = MarkovChain(matrix).lump([bin(i).count("1") for i in vertex])
    assert found.is_lumpable
    assert found.deviation_at is None
    expected = np.array([[0, 3, 0, 0], [1, 0, 2, 0], [0, 2, 0, 1], [0, 0, 3, 0]]) / 3
    np.testing.assert_allclose(found.chain.to_dense(), expected, rtol=1e-15)
    # The walk on the blocks is then the coarse one over any number of steps, from any start.
    law = np.random.default_rng(2).dirichlet(np.ones(8))
    fine = MarkovChain(matrix).propagate(law, 7)
    np.testing.assert_allclose(
        np.bincount(found.labels, fine), found.chain.propagate(np.bincount(found.labels, law), 7), rtol=1e-13
    )


def test_a_rare_difference_is_one():
    # The differences are 1e-100, and still one state of the block leads twice as often out of it as the other.
    p = 1e-100
    chain = MarkovChain([[0.5, 0.5 - p, p], [0.5, 0.5 - 2 * p, 2 * p], [p, p, 1 - 2 * p]])
    found = chain.lump([0, 0, 1], weights=[1, 1, 1])
    assert not found.is_lumpable
    assert found.deviation == pytest.approx(1e-100)
    assert found.relative_deviation == pytest.approx(0.5)
    assert found.deviation_at == (0, 1, 1)
    assert chain.lump([0, 0, 1], weights=[1, 1, 1], rtol=0.6).is_lumpable
    assert repr(found) == "Lumping(n_blocks=2, n_states=3, is_lumpable=False, deviation=1e-100)"


def test_transient_blocks_need_weights():
    chain = MarkovChain([[0.5, 0.5], [0, 1]])
    with pytest.raises(ValueError, match="weights must not all be 0 in block 0"):
        chain.lump([0, 1])
    np.testing.assert_array_equal(chain.lump([0, 1], weights=[1, 1]).chain.to_dense(), chain.to_dense())


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([0, 2], "labels must number the blocks from 0 without a gap"),
        ([1, 1], "labels must number the blocks from 0 without a gap"),
        ([0, 10**9], "labels must number the blocks from 0 without a gap"),
        ([0, -1], r"labels\[1\] must be at least 0"),
        ([0, 1, 0], "labels must have an entry for each of the 2 states, got 3"),
        ([0, 0.5], r"labels\[1\] must be a whole number"),
    ],
)
def test_bad_labels_are_named(labels, text):
    with pytest.raises(ValueError, match=text):
        MarkovChain([[0.5, 0.5], [1, 0]]).lump(labels, weights=[1, 1])


def test_bad_weights_are_named():
    chain = MarkovChain([[0.5, 0.5], [1, 0]])
    for weights, text in (
        ([1], "weights must have an entry"),
        ([1, -1], r"weights\[1\]"),
        ([np.inf, 1], r"weights\[0\]"),
    ):
        with pytest.raises(ValueError, match=text):
            chain.lump([0, 1], weights=weights)
    with pytest.raises(ValueError, match="rtol must be below 1"):
        chain.lump([0, 1], rtol=1)
