"""PPO on sparse edges: the twin, exact rationals of hitting times, batches, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.metastable import SoftmaxPolicy, metastable_chain, ppo, sparse_edge_search
from slowthink.reference import ppo as slow

RING_EDGES = [(0, 5), (4, 9), (8, 1)]


def ring(epsilon: float, within: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)) -> MarkovChain:
    """Three clusters of four states; the first state of each leads to the second of the next."""
    matrix = np.kron(np.eye(3), np.tile(within, (4, 1)))
    for source, target in RING_EDGES:
        matrix[source] *= 1 - epsilon
        matrix[source, target] = epsilon
    return MarkovChain(matrix)


@given(
    testing.transition_matrices(max_states=6, least_coupling=1e-6),
    st.data(),
    st.booleans(),
    st.integers(1, 5),
    st.floats(0.05, 1.0),
)
def test_equals_the_twin(matrix, data, signs, n_epochs, clip):
    matrix = np.where(matrix < 1e-8, 0.0, matrix)
    matrix /= matrix.sum(axis=1, keepdims=True)
    epsilon_max = data.draw(st.floats(0.01, 0.24))
    small = [tuple(map(int, edge)) for edge in np.argwhere((matrix > 0) & (matrix < epsilon_max))]
    assume(small)
    edges = data.draw(st.lists(st.sampled_from(small), min_size=1, max_size=4, unique=True))
    law = np.array(data.draw(st.lists(st.floats(0.1, 1.0), min_size=len(matrix), max_size=len(matrix))))
    law /= law.sum()
    settings = {
        "clip": clip,
        "learning_rate": 0.07 if signs else 3.0,
        "sign_gradient": signs,
        "n_epochs": n_epochs,
        "n_iterations": 60,
    }
    found = ppo(MarkovChain(matrix), edges, epsilon_max=epsilon_max, state_distribution=law, **settings)
    policy, history = slow.ppo(matrix, edges, epsilon_max, law=law, **settings)
    np.testing.assert_allclose(found.edge_probability, history, rtol=1e-8)
    np.testing.assert_allclose(found.chain.to_dense(), policy, rtol=1e-8)
    expected = np.abs(policy - matrix).sum(axis=1) / 2
    np.testing.assert_allclose(found.total_variation, expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("epsilon", [1e-3, 1e-12, 1e-30, 1e-300])
def test_the_edges_come_to_the_wanted_probability_and_all_else_keeps_its_ratios(epsilon):
    chain = ring(epsilon)
    found = ppo(chain, RING_EDGES, epsilon_max=0.1)
    assert found.reached.all()
    np.testing.assert_allclose(found.edge_probability[-1], 0.1, rtol=1e-13)
    np.testing.assert_allclose(found.edge_probability[0], epsilon, rtol=1e-13)
    # A factor of 1 + clip to e^(2 x 0.05) more an iteration.
    growth = np.log(0.1 / epsilon)
    assert growth / (np.log(1.2) + 0.1) - 1 <= found.n_iterations <= growth / np.log(1.2) + 1
    after, before = found.chain.to_dense(), chain.to_dense()
    np.testing.assert_allclose(after[0, :4] / after[0, 0], before[0, :4] / before[0, 0], rtol=1e-11)
    rest = np.setdiff1d(np.arange(12), [0, 4, 8])
    np.testing.assert_array_equal(after[rest], before[rest])
    # Each source moves by epsilon_max - epsilon, so that the mean over states is that over M.
    np.testing.assert_allclose(found.total_variation[[0, 4, 8]], 0.1 - epsilon, rtol=1e-12)
    assert found.mean_total_variation == pytest.approx((0.1 - epsilon) / 4, rel=1e-12)
    np.testing.assert_allclose(np.exp(found.policy.logits), found.chain.probabilities, rtol=1e-12)


def test_one_minus_a_probability_does_not_appear():
    # A row whose only other transition has the probability 1e-25: what is left must not be a difference.
    matrix = np.array([[1e-25, 1.0 - 1e-12, 1e-12], [1, 0, 0], [1, 0, 0]])
    found = ppo(MarkovChain(matrix), [(0, 2)], epsilon_max=0.5)
    after = found.chain.to_dense()[0]
    assert after[2] == pytest.approx(0.5, rel=1e-14)
    assert after[0] / after[1] == pytest.approx(1e-25, rel=1e-11)


def test_false_edges_above_the_wanted_probability_are_left_alone():
    found = ppo(ring(1e-6), [*RING_EDGES, (0, 1), (1, 0)], epsilon_max=0.05)
    assert found.reached.all()
    np.testing.assert_allclose(found.edge_probability[-1, :3], 0.05, rtol=1e-12)
    # That of the source shrinks with the others of its row; that elsewhere stays.
    assert found.edge_probability[-1, 3] == pytest.approx(0.3 * 0.95, rel=1e-5)
    assert found.edge_probability[-1, 4] == pytest.approx(0.4, rel=1e-14)


def test_plain_gradients_wait_for_one_over_epsilon():
    slow_start = ppo(ring(1e-9), RING_EDGES, epsilon_max=0.1, sign_gradient=False, learning_rate=1.0, n_iterations=200)
    assert not slow_start.reached.any()
    assert slow_start.n_iterations == 200
    assert slow_start.edge_probability[-1].max() < 1.01e-9
    found = ppo(ring(1e-3), RING_EDGES, epsilon_max=0.1, sign_gradient=False, learning_rate=1000.0)
    assert found.reached.all()
    # The rest of the row moved by different amounts: that is what signs avoid.
    row = found.chain.to_dense()[0]
    assert abs(row[0] / row[3] / 4 - 1) > 0.01


def test_batches(same_bytes):
    chain = ring(0.01)

    def call(threads):
        return ppo(chain, RING_EDGES, epsilon_max=0.2, batch_size=3000, rng=1, threads=threads)

    found = same_bytes(call)
    assert found.reached.all()
    assert found.n_iterations == 15  # a changed number is a changed stream
    np.testing.assert_allclose(found.edge_probability[-1], 0.2, rtol=1e-12)
    # An edge of probability 1e-12 is never drawn, and does not move.
    unseen = ppo(ring(1e-12), RING_EDGES, epsilon_max=0.2, batch_size=3000, n_iterations=20, rng=1)
    np.testing.assert_allclose(unseen.edge_probability, 1e-12, rtol=1e-10)
    # States that are not met are not learned.
    law = np.zeros(12)
    law[[0, 3]] = 0.5
    some = ppo(chain, RING_EDGES, epsilon_max=0.2, batch_size=3000, n_iterations=40, state_distribution=law, rng=1)
    assert some.reached.tolist() == [True, False, False]


def test_threads_do_not_change_a_byte(same_bytes):
    rng = np.random.default_rng(1)
    matrix = rng.random((60, 60)) ** 8 + 1e-9
    matrix /= matrix.sum(axis=1, keepdims=True)
    edges = np.argwhere(matrix < 1e-4)
    edges = edges[rng.choice(len(edges), 80, replace=False)]
    chain = MarkovChain(matrix)
    same_bytes(lambda threads: ppo(chain, edges, epsilon_max=0.03, threads=threads).chain.probabilities)


def test_policies_are_chains_in_logits():
    chain = ring(1e-30)
    policy = SoftmaxPolicy(chain)
    np.testing.assert_allclose(policy.to_chain().probabilities, chain.probabilities, rtol=1e-13)
    shifted = SoftmaxPolicy(chain, policy.logits + 1000.0)
    np.testing.assert_allclose(shifted.log_probabilities(), policy.log_probabilities(), rtol=1e-12)
    dense = policy.to_dense()
    assert np.isneginf(dense[0, 11])
    np.testing.assert_allclose(slow.softmax(dense), chain.to_dense(), rtol=1e-12)
    ruled_out = SoftmaxPolicy(chain, np.where(chain.probabilities < 1e-20, -np.inf, policy.logits)).to_chain()
    assert ruled_out.n_transitions == chain.n_transitions - 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"edges": [[0, 12]]}, r"edges\[0, 1\] must be below the number of states, 12, got 12"),
        ({"edges": [[0, 5], [0, 6]]}, r"edges\[1\] must be a transition of the chain, got \(0, 6\)"),
        ({"edges": [[0, 5], [0, 5]]}, r"edges\[1\] must not come twice"),
        ({"edges": [[0, 5, 1]]}, "edges must have two columns"),
        ({"epsilon_max": 0.0}, "epsilon_max must be above 0 and below 1"),
        ({"epsilon_max": 0.6, "edges": [[0, 1], [0, 2]]}, r"epsilon_max must be below 1/2: edges holds"),
        ({"clip": 0.0}, "clip must be above 0"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0"),
        ({"learning_rate": 1e6}, "learning_rate must be so small that no transition out of state 0 vanishes"),
        ({"sign_gradient": False}, "learning_rate must be given where sign_gradient is False"),
        ({"n_epochs": 0}, "n_epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"state_distribution": [0.5] * 12}, "state_distribution must have a sum of 1"),
        ({"state_distribution": [1.0]}, "state_distribution must have one number for each of the 12 states"),
    ],
)
def test_bad_input_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        ppo(**{"chain": ring(0.01), "edges": RING_EDGES, "epsilon_max": 0.1, **arguments})


def test_what_is_no_chain_is_named():
    with pytest.raises(TypeError, match="chain must be a MarkovChain or a MetastableChain, got ndarray"):
        ppo(np.eye(2), [[0, 1]], epsilon_max=0.1)
    with pytest.raises(ValueError, match="logits must have one number for each of the 51 transitions, got 3"):
        SoftmaxPolicy(ring(0.1), [1, 2, 3])
    with pytest.raises(ValueError, match=r"logits\[1\] must be a number below infinity"):
        SoftmaxPolicy(MarkovChain([[0.5, 0.5], [0.5, 0.5]]), [1, np.inf, 3, 4])
    nothing = ppo(ring(0.1), np.zeros((0, 2), int), epsilon_max=0.1)
    assert nothing.n_iterations == 0
    np.testing.assert_array_equal(nothing.chain.probabilities, ring(0.1).probabilities)


@pytest.mark.parametrize("epsilon", [1e-2, 1e-9, 1e-30, 1e-290])
def test_the_hitting_time_falls_by_the_ratio_of_the_probabilities(epsilon):
    family = metastable_chain(8, 16, epsilon)
    better = ppo(family, family.sparse_edges, epsilon_max=0.1)
    before, after = (times[family.start] for times in better.mean_hitting_times(family.target))
    assert before == pytest.approx(7 * (16 / epsilon + 1), rel=1e-12)
    assert after == pytest.approx(1127.0, rel=1e-12)
    # The step out of each cluster is in both times: the waits for it fall by the ratio itself.
    assert (before - 7) / (after - 7) == pytest.approx(0.1 / epsilon, rel=1e-11)


def test_what_a_search_found_is_taken_as_it_is():
    family = metastable_chain(8, 16, 1e-3)
    found = sparse_edge_search(family, rng=1)
    better = ppo(family, found, epsilon_max=0.05)  # below 1 / M: false edges within clusters have nothing to gain
    np.testing.assert_array_equal(better.edges, found.edges)
    assert better.mean_hitting_times(family.target)[1][family.start] == pytest.approx(2247.0, rel=1e-12)
