"""Pretraining: the twin, what each stage can learn, counts of walks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain, TransitionCounts
from slowthink.metastable import pretrain
from slowthink.reference import pretraining as slow


def ring(n_clusters: int, size: int, epsilon: float) -> MarkovChain:
    """Uniform clusters; the first state of each leads to the second of the next with probability epsilon."""
    matrix = np.kron(np.eye(n_clusters), np.full((size, size), 1 / size))
    for k in range(n_clusters):
        matrix[k * size] *= 1 - epsilon
        matrix[k * size, (k + 1) % n_clusters * size + 1] += epsilon
    return MarkovChain(matrix)


def sparse_error(model: MarkovChain, epsilon: float, n_clusters: int, size: int) -> float:
    """The largest relative error of a sparse edge."""
    dense = model.to_dense()
    edges = [(k * size, (k + 1) % n_clusters * size + 1) for k in range(n_clusters)]
    return max(abs(dense[edge] / epsilon - 1) for edge in edges)


@settings(max_examples=60)
@given(
    testing.transition_matrices(max_states=6),
    st.data(),
    st.integers(0, 60),
    st.integers(0, 40),
    st.floats(0.1, 3.0),
    st.floats(0.0, 0.4),
)
def test_equals_the_twin(matrix, data, n_steps_1, n_steps_2, learning_rate, threshold):
    law = np.array(data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(matrix), max_size=len(matrix)))) + 1e-3
    law /= law.sum()
    first, second = slow.pretrain(matrix, law, learning_rate, threshold, n_steps_1, n_steps_2)
    if np.abs(first - threshold).min() < 1e-9:
        return  # on the edge of the cut
    found = pretrain(
        MarkovChain(matrix),
        learning_rate=learning_rate,
        n_steps_1=n_steps_1,
        n_steps_2=n_steps_2,
        threshold=threshold,
        state_distribution=law,
    )
    np.testing.assert_allclose(found.chain.to_dense(), second, rtol=1e-9, atol=1e-12)
    for stage, model in ((1, first), (2, second)):
        end = found.end_of(stage)
        assert found.step[end] == [n_steps_1, n_steps_1 + n_steps_2][stage - 1]
        np.testing.assert_allclose(found.excess_loss[end], slow.excess_loss(matrix, law, model), rtol=1e-7, atol=1e-12)
        here = matrix > 0
        np.testing.assert_allclose(
            found.error[end], np.abs(model[here] / matrix[here] - 1).max(), rtol=1e-7, atol=1e-12
        )
        np.testing.assert_allclose(found.spurious_mass[end], (law @ (model * ~here)).sum(), rtol=1e-7, atol=1e-15)
    kept = found.chain.to_dense() > 0
    assert (found.n_spurious, found.n_missed) == ((kept & ~here).sum(), (~kept & here).sum())


def test_the_first_stage_leaves_spurious_mass_and_the_second_converges():
    n_clusters, size, epsilon = 4, 8, 0.1
    found = pretrain(ring(n_clusters, size, epsilon))
    assert (found.n_steps_1, found.n_steps_2) == (26_000, 9_600)
    before, after = found.end_of(1), found.end_of(2)
    # In a uniform row an entry that is no transition falls as 1 / (S + rate law steps S / M).
    entry = 1 / (32 + found.n_steps_1 / 32 * 4)
    mass = entry * (24 * 28 + 23 * 4) / 32
    assert found.spurious_mass[before] == pytest.approx(mass, rel=0.1)
    assert 1e-3 < found.error[before] < 0.2
    assert (found.n_spurious, found.n_missed, found.spurious_mass[after]) == (0, 0, 0.0)
    assert found.error[after] < 1e-11
    assert sparse_error(found.chain, epsilon, n_clusters, size) < 1e-11
    assert (np.diff(found.excess_loss) <= 1e-15).all()
    # Twice the steps: half the spurious mass, and no more.
    longer = pretrain(ring(n_clusters, size, epsilon), n_steps_1=2 * found.n_steps_1, n_steps_2=0)
    assert longer.spurious_mass[longer.end_of(1)] == pytest.approx(mass / 2, rel=0.1)


def test_the_error_of_the_second_stage_falls_exponentially():
    chain = ring(3, 4, 0.05)
    errors = [pretrain(chain, n_steps_2=n).error[-1] for n in (1000, 2000, 3000)]
    rates = np.log(np.array(errors[:-1]) / errors[1:])
    # The slowest mode, an edge against the M other entries: its curvature is epsilon (1 - epsilon) (1 + 1/M).
    np.testing.assert_allclose(rates, 1000 / 12 * 0.05 * 0.95 * 1.25, rtol=0.01)


def test_too_few_steps_leave_what_is_not_there():
    found = pretrain(ring(3, 4, 0.1), n_steps_1=10, n_steps_2=1000)
    assert found.n_spurious > 0
    assert found.spurious_mass[-1] > 0
    assert found.chain.n_transitions == 51 + found.n_spurious


def test_a_threshold_above_a_transition_loses_it():
    found = pretrain(ring(3, 4, 0.05), threshold=0.06)
    assert found.n_missed == 3
    assert found.error[-1] == 1.0
    assert np.isinf(found.excess_loss[-1])
    assert np.isfinite(found.excess_loss[found.end_of(1)])


def test_counts_of_walks_are_learned_as_they_are():
    chain = ring(3, 4, 0.1)
    counts = chain.count_transitions(0, 20_000, n_walks=3, rng=1)
    found = pretrain(counts, epsilon=0.05)
    empirical = counts.counts / counts.row_sums()[counts.source]
    np.testing.assert_allclose(found.chain.probabilities, empirical, rtol=1e-6)
    dense = np.zeros((12, 12))
    dense[counts.source, counts.indices] = counts.counts
    for other in (dense, dense.astype(int).tolist()):
        again = pretrain(other, epsilon=0.05)
        np.testing.assert_array_equal(again.chain.probabilities, found.chain.probabilities)


def test_states_that_never_occur_stay_uniform():
    found = pretrain(TransitionCounts([0, 2, 2, 3], [0, 1, 0], [3, 1, 5]), n_steps_1=2000, n_steps_2=2000)
    np.testing.assert_allclose(found.chain.to_dense(), [[0.75, 0.25, 0], [1 / 3] * 3, [1, 0, 0]], atol=1e-9)
    assert found.n_spurious == 0


def test_threads_do_not_change_a_byte(same_bytes):
    matrix = np.random.default_rng(1).random((40, 40)) ** 4
    chain = MarkovChain.from_weights(matrix)
    same_bytes(lambda threads: pretrain(chain, n_steps_1=500, n_steps_2=500, threshold=0.01, threads=threads))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": 48.0}, "learning_rate must be above 0 and below 4 over the largest frequency"),
        ({"learning_rate": np.nan}, "learning_rate must be finite"),
        ({"epsilon": 0.0}, "epsilon must be above 0 and at most 1"),
        ({"epsilon": 1e-9}, "n_steps_1 must be given where epsilon is as small as 1e-09"),
        ({"threshold": 1.5}, "threshold must be from 0 to 1"),
        ({"n_steps_1": -1}, "n_steps_1 must be at least 0"),
        ({"data": np.ones((2, 3))}, "data must be a square matrix"),
        ({"data": -np.ones((2, 2))}, r"data\[0, 0\] must be at least 0"),
        ({"data": np.zeros((2, 2))}, "data must hold counts with a positive sum"),
        ({"state_distribution": np.ones(12)}, "state_distribution must have a sum of 1"),
        ({"state_distribution": [1.0]}, "state_distribution must have one number for each of the 12 states"),
    ],
)
def test_bad_input_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        pretrain(**{"data": ring(3, 4, 0.1), **arguments})
