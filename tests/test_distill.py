"""Distillation: exact rationals, crossing times that do not depend on epsilon, and walks as data."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.metastable import distill, meta_chain, metastable_chain
from slowthink.reference import distill as slow


@given(st.integers(2, 5), st.integers(0, 40), st.data())
def test_equals_exact_rationals(n_clusters, exponent, data):
    epsilon = Fraction(1, 10**exponent)
    shares = st.lists(st.integers(0, 9), min_size=n_clusters, max_size=n_clusters)
    meta = []
    for k in range(n_clusters):
        away = data.draw(shares)
        away[(k + 1) % n_clusters] += 1
        away[k] = 0
        row = [epsilon * share / (2 * sum(away)) for share in away]
        row[k] = 1 - sum(row)
        meta.append(row)
    factor = Fraction(data.draw(st.integers(1, 10**6)))
    chain = MarkovChain(np.array(meta, dtype=float))
    found = distill(chain, np.arange(n_clusters), beta=float(np.log(float(factor))))
    np.testing.assert_allclose(found.rescaled.to_dense(), np.array(slow.rescale(meta, factor), float), rtol=1e-10)
    exact = np.array(slow.next_cluster(meta), float)
    np.testing.assert_allclose(found.next_cluster(), exact, rtol=1e-12)
    np.testing.assert_allclose(found.next_cluster(rescaled=True), exact, rtol=1e-12)
    leaves = [float(sum(q for target, q in enumerate(row) if target != k)) for k, row in enumerate(meta)]
    np.testing.assert_allclose(found.escape_probabilities(), leaves, rtol=1e-13)


@pytest.mark.parametrize("n_clusters", [2, 8, 30])
def test_the_crossing_takes_two_steps_a_cluster_whatever_epsilon(n_clusters):
    for epsilon in (1e-1, 1e-3, 1e-12, 1e-100, 1e-290):
        small = distill(metastable_chain(n_clusters, 5, epsilon))
        assert small.beta == pytest.approx(np.log(5 / epsilon), rel=1e-12)
        times = small.rescaled.mean_hitting_times(n_clusters - 1)
        # Each is left with the probability 1 / (2 - epsilon / M).
        assert times[0] == pytest.approx((n_clusters - 1) * (2 - epsilon / 5), rel=1e-12)
        assert distill(metastable_chain(n_clusters, 5, epsilon), beta=0.0).rescaled.mean_hitting_times(n_clusters - 1)[
            0
        ] == pytest.approx((n_clusters - 1) * 5 / epsilon, rel=1e-12)


@pytest.mark.parametrize("epsilon", [0.3, 1e-9, 1e-200])
def test_escape_probabilities_are_preserved(epsilon):
    graph = metastable_chain(7, 4, epsilon, meta_graph="random", within="random", rng=2)
    small = distill(graph)
    np.testing.assert_allclose(small.next_cluster(), small.next_cluster(rescaled=True), rtol=1e-12)
    # And with them every probability of coming to one cluster before another.
    for target, avoid in ((3, 5), (6, 1)):
        before, after = (chain.hitting_probabilities(target, avoid=avoid) for chain in (small.meta, small.rescaled))
        np.testing.assert_allclose(before, after, rtol=1e-11)
    np.testing.assert_array_equal(small.meta.probabilities, meta_chain(graph).probabilities)
    assert small.representatives.tolist() == [0, 4, 8, 12, 16, 20, 24]


def test_a_walk_is_counted_as_the_twin_counts_it():
    graph = metastable_chain(4, 3, 0.5)
    small = distill(graph, exact=False, n_steps=2000, rng=np.random.SeedSequence(5))
    walk = graph.chain.walk(graph.start, 2000, rng=np.random.SeedSequence(5))[0]
    counts = np.array(slow.macro_counts(walk.tolist(), graph.labels.tolist(), 4))
    np.testing.assert_allclose(small.meta.to_dense(), counts / counts.sum(axis=1, keepdims=True), rtol=1e-13)
    assert small.n_steps == 2000


def test_a_walk_of_the_default_length_learns_the_meta_chain():
    graph = metastable_chain(4, 8, 0.1)
    small = distill(graph, exact=False, rng=1)
    assert small.n_steps == 6400
    exact = meta_chain(graph)
    # 1,600 steps in each cluster, left with probability 1/80: a relative error of 1 / sqrt(20), five of them allowed.
    np.testing.assert_allclose(small.escape_probabilities(), 0.1 / 8, rtol=5 / np.sqrt(20))
    many = distill(graph, exact=False, n_steps=1_000_000, rng=1)
    np.testing.assert_allclose(many.meta.to_dense(), exact.to_dense(), rtol=0.1)


def test_a_cluster_that_the_walk_missed_is_never_left():
    small = distill(metastable_chain(4, 8, 1e-9), exact=False, n_steps=100, rng=1)
    np.testing.assert_array_equal(small.meta.to_dense(), np.eye(4))
    assert small.beta == 0.0
    np.testing.assert_array_equal(small.next_cluster(), 0.0)
    assert np.isinf(small.rescaled.mean_hitting_times(3)[:3]).all()


def test_threads_do_not_change_a_byte(same_bytes):
    graph = metastable_chain(6, 20, 0.05, within="random", rng=1)
    same_bytes(lambda threads: distill(graph, threads=threads).rescaled.probabilities)
    found = same_bytes(lambda threads: distill(graph, exact=False, n_steps=300_000, rng=3, threads=threads).meta)
    assert found.n_transitions == 12


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"labels": [0, 1]}, "labels must have one number for each of the 12 states, got 2"),
        ({"labels": [0, 2] * 6}, "labels must be 0 to K - 1, each of them there"),
        ({"beta": np.inf}, "beta must be finite"),
        ({"representatives": [0, 1, 2]}, "representatives must have one state for each of 4 clusters, got 3"),
        ({"representatives": [0, 3, 6, 8]}, r"representatives\[3\] must be a state of cluster 3, got 8"),
        ({"n_steps": 100}, "n_steps must be None where exact is True"),
        ({"exact": False, "n_steps": 0}, "n_steps must be at least 1"),
        ({"exact": False, "start": 12}, "start must be at most 11"),
    ],
)
def test_bad_input_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        distill(**{"chain": metastable_chain(4, 3, 0.1), **arguments})


def test_what_has_no_default_is_named():
    chain = metastable_chain(4, 3, 0.1).chain
    with pytest.raises(ValueError, match="labels must be given where chain is a MarkovChain"):
        distill(chain)
    with pytest.raises(ValueError, match="n_steps must be given where chain is a MarkovChain"):
        distill(chain, np.repeat(np.arange(4), 3), exact=False)
    with pytest.raises(ValueError, match="n_steps must be given where epsilon is as small as 1e-30"):
        distill(metastable_chain(4, 3, 1e-30), exact=False)
    with pytest.raises(TypeError, match="chain must be a MarkovChain or a MetastableChain"):
        distill(np.eye(3))
