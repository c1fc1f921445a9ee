"""First passages beside PyDTMC, on chains for which both have an answer; where they differ, the exact one decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.testing import transition_matrices

pydtmc = pytest.importorskip("pydtmc")


@given(
    st.sampled_from(["dense", "sparse", "metastable"]).flatmap(
        lambda k: transition_matrices(kind=k, least_coupling=0.01)
    )
)
def test_mean_first_passage_and_recurrence_times(matrix: np.ndarray):
    if len(matrix) < 2:
        return  # it wants two states
    theirs = pydtmc.MarkovChain(matrix)
    expected = theirs.mean_first_passage_times_to()
    if expected is None:
        return  # and answers ergodic chains alone
    chain = MarkovChain.from_weights(matrix)
    np.testing.assert_allclose(chain.mean_first_passage_times(), expected, rtol=1e-7, atol=1e-7)
    back = theirs.mean_recurrence_times()
    np.testing.assert_allclose(chain.mean_first_passage_times(returns=True).diagonal(), back, rtol=1e-7)


@given(transition_matrices(), st.data())
def test_times_to_a_state_that_is_certain(matrix: np.ndarray, data: st.DataObject):
    chain = MarkovChain.from_weights(matrix)
    times = chain.mean_first_passage_times()
    target = data.draw(st.integers(0, len(matrix) - 1))
    if len(matrix) < 2 or times[:, target].max() > 1e6:
        return  # it wants two states, and nearly all digits of theirs are gone, or some are infinite
    expected = pydtmc.MarkovChain(matrix).hitting_times([target])
    np.testing.assert_allclose(times[:, target], expected, rtol=1e-5, atol=1e-5)


@given(transition_matrices(max_states=5), st.integers(1, 10), st.data())
def test_first_passage_probabilities(matrix: np.ndarray, n_steps: int, data: st.DataObject):
    n = len(matrix)
    start, target = data.draw(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))
    if start == target:
        return  # theirs is then the first return
    expected = pydtmc.MarkovChain(matrix).first_passage_probabilities(n_steps, start, [target])
    found = MarkovChain.from_weights(matrix).first_passage_distribution(target, start, n_steps=n_steps)
    # For several targets it adds up the first passages of each, which are not those of the set.
    np.testing.assert_allclose(found.probabilities[1:], expected, atol=1e-12)


def test_what_pydtmc_calls_kemeny_is_of_absorbing_chains():
    absorbing = [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0, 0, 1]]
    # The trace of (I - Q)^-1, mean visits of 0 and 1 from themselves; ours is of the recurrent class: one state.
    assert pydtmc.MarkovChain(absorbing).kemeny_constant == pytest.approx(16 / 3)
    assert MarkovChain(absorbing).kemeny_constant() == 0
    assert pydtmc.MarkovChain([[0.9, 0.1], [0.3, 0.7]]).kemeny_constant is None
    assert MarkovChain([[0.9, 0.1], [0.3, 0.7]]).kemeny_constant() == pytest.approx(2.5)
