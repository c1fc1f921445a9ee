"""Structure, laws over time and coarse chains beside PyDTMC, quantecon and deeptime, over chains of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain, chapman_kolmogorov


@pytest.fixture(scope="module")
def pydtmc():
    return pytest.importorskip("pydtmc")


@pytest.fixture(scope="module")
def quantecon():
    return pytest.importorskip("quantecon")


def lists(classes) -> list[list[int]]:
    return sorted(sorted(map(int, states)) for states in classes)


def named(classes) -> list[list[int]]:
    """PyDTMC numbers its states from "1" on."""
    return lists([int(name) - 1 for name in names] for names in classes)


# PyDTMC refuses a single state.
matrices = testing.transition_matrices().filter(lambda matrix: len(matrix) > 1)


def test_classes_and_periods_equal_quantecons(quantecon):
    @given(testing.transition_matrices())
    def check(matrix):
        chain, peer = MarkovChain(matrix), quantecon.MarkovChain(matrix)
        assert lists(chain.communicating_classes()) == lists(peer.communication_classes_indices)
        assert lists(chain.recurrent_classes) == lists(peer.recurrent_classes_indices)
        assert chain.is_irreducible == peer.is_irreducible
        assert chain.period == peer.period
        assert chain.is_aperiodic == peer.is_aperiodic

    check()


def test_structure_equals_pydtmcs(pydtmc):
    @given(matrices)
    def check(matrix):
        chain, peer = MarkovChain(matrix), pydtmc.MarkovChain(matrix)
        assert lists(chain.communicating_classes()) == named(peer.communicating_classes)
        assert lists(chain.recurrent_classes) == named(peer.recurrent_classes)
        assert [str(state + 1) for state in chain.transient_states] == sorted(peer.transient_states, key=int)
        # A state that is left with probability 3e-6 is absorbing to PyDTMC.
        for state in chain.absorbing_states:
            assert str(state + 1) in peer.absorbing_states
        assert chain.is_irreducible == peer.is_irreducible
        assert chain.period == peer.period

    check()


def test_reversibility_equals_pydtmcs(pydtmc):
    @given(matrices.filter(lambda matrix: matrix[matrix > 0].min() > 1e-3))
    def check(matrix):
        chain, peer = MarkovChain(matrix), pydtmc.MarkovChain(matrix)
        # It knows one recurrent class alone, and compares flows by absolute size.
        assume(len(chain.recurrent_classes) == 1)
        if chain.is_reversible():
            assert peer.is_reversible
        if not peer.is_reversible:
            assert not chain.is_reversible(rtol=1e-6)

    check()


def test_laws_equal_pydtmcs(pydtmc):
    @given(matrices, st.integers(1, 20))
    def check(matrix, n_steps):
        law = np.random.default_rng(n_steps).dirichlet(np.ones(len(matrix)))
        expected = pydtmc.MarkovChain(matrix).redistribute(n_steps, initial_status=law, output_last=True)
        np.testing.assert_allclose(MarkovChain(matrix).propagate(law, n_steps), expected, rtol=1e-9, atol=1e-12)

    check()


def test_mixing_times_equal_pydtmcs(pydtmc):
    @given(matrices)
    def check(matrix):
        chain, peer = MarkovChain(matrix), pydtmc.MarkovChain(matrix)
        assume(chain.is_irreducible and chain.is_aperiodic)
        # It takes the whole sum of differences for the distance, the first step for the least time, and stops at 100.
        uniform = np.full(len(matrix), 1 / len(matrix))
        found = peer.mixing_time(initial_distribution=uniform, cutoff_type="traditional")
        ours = chain.mixing_time(0.125, start_distribution=uniform)
        assert (ours >= 99) if found is None else (max(ours, 1) == found)

    check()


def test_lumpable_chains_equal_pydtmcs(pydtmc):
    rng = np.random.default_rng(1)
    labels = np.array([0, 0, 1, 1, 1, 1, 2])
    # Probabilities in 64ths, blocks of 1, 2 and 4 states: PyDTMC compares the sums without a tolerance.
    for _ in range(20):
        coarse = rng.multinomial(64, [0.3, 0.4, 0.3], 3)
        fine = np.concatenate([rng.multinomial(coarse[labels, b], np.ones(n) / n) for b, n in enumerate([2, 4, 1])], 1)
        found = MarkovChain(fine / 64).lump(labels, weights=np.ones(7))
        assert found.is_lumpable
        np.testing.assert_allclose(found.chain.to_dense(), coarse / 64, rtol=1e-14)
        peer = pydtmc.MarkovChain(fine / 64).lump([["1", "2"], ["3", "4", "5", "6"], ["7"]])
        np.testing.assert_allclose(found.chain.to_dense(), peer.p, rtol=1e-12)


def test_chapman_kolmogorov_equals_deeptimes():
    msm = pytest.importorskip("deeptime.markov.msm")
    validation = pytest.importorskip("deeptime.util.validation")
    rng = np.random.default_rng(2)
    weights = np.kron(np.eye(2), rng.random((3, 3)) + 0.1) + 0.01
    data = MarkovChain.from_weights(weights).walk(0, 20_000, rng=3).astype(np.int32)
    sets = np.repeat([0, 1], 3)
    estimator = msm.MaximumLikelihoodMSM(reversible=False)
    from deeptime.markov import TransitionCountEstimator

    models = []
    for lag in (1, 2, 4):
        counts = TransitionCountEstimator(lagtime=lag, count_mode="sliding").fit(data).fetch_model()
        models.append(estimator.fit(counts).fetch_model())

    members = np.eye(2)[sets]
    law = models[0].stationary_distribution

    def observable(model, mlag):
        starts = (members * law[:, None] / (members.T @ law)).T
        if model is None:
            return starts @ members
        return starts @ np.linalg.matrix_power(model.transition_matrix, int(mlag)) @ members

    expected = validation.ck_test(models, observable, include_lag0=False)
    found = chapman_kolmogorov(data, 1, [1, 2, 4], sets=sets, weights=law, n_samples=2, rng=1)
    np.testing.assert_allclose(found.predicted, expected.predictions, rtol=1e-10)
    np.testing.assert_allclose(found.estimated, expected.estimates, rtol=1e-10)
