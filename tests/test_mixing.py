"""Mixing times: step by step in exact rationals, closed forms at any metastability, and what has no mixing time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.reference import propagate as slow
from slowthink.reference import reversal, structure
from slowthink.reference.hitting import rational


def unit(n: int) -> list[list[Fraction]]:
    return [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]


@given(
    testing.transition_matrices(kind="dense")
    | testing.transition_matrices(kind="absorbing", max_states=5)
    | testing.transition_matrices(kind="sparse"),
    st.sampled_from([0.25, 0.1, 0.01, 1e-6]),
    st.data(),
)
def test_equals_the_first_step_at_which_all_laws_are_near(matrix, epsilon, data):
    kept = [states for states in structure.classes(matrix) if structure.is_recurrent(matrix, states)]
    assume(len(kept) == 1)
    assume(structure.period(matrix, kept[0][0]) == 1)
    chain, rows = MarkovChain(matrix), rational(matrix)
    law = reversal.stationary(matrix.tolist(), kept[0])
    assume(all(x == 0 or x > Fraction(1, 2**1000) for x in law))
    start = data.draw(st.none() | st.integers(0, len(matrix) - 1))
    starts = unit(len(matrix)) if start is None else [unit(len(matrix))[start]]
    expected = slow.mixing_time(rows, law, epsilon, starts, 12)
    # Rounding may decide where a law is just so near: then either step is right.
    near = {slow.mixing_time(rows, law, epsilon * (1 + d), starts, 12) for d in (-1e-9, 1e-9)}
    found = chain.mixing_time(epsilon, start=start)
    assert found == expected or found in near or (expected is None and found > 12)
    if start is not None:
        point = np.eye(len(matrix))[start]
        assert chain.mixing_time(epsilon, start_distribution=point) == found


EPSILONS = [0.25, 0.05, 1e-3, 1e-9]


def rounding(epsilon: float) -> float:
    """The relative error of a time: laws are known to some 1e-16, and a distance of epsilon to that part of it."""
    return 1e-12 + 1e-15 / epsilon


@pytest.mark.parametrize("coupling", [0.25, 1e-2, 1e-6, 1e-12, 1e-30, 1e-100, 1e-300])
def test_two_states(coupling):
    # The distance is w |1 - p - q|^t, with the larger stationary weight w.
    for p, q in ((coupling, coupling), (coupling, 2.5 * coupling), (coupling * 1e-7, coupling)):
        chain = MarkovChain([[1 - p, p], [q, 1 - q]])
        weight, rate = max(p, q) / (p + q), -np.log1p(-(p + q))
        for epsilon in EPSILONS:
            exact = np.log(weight / epsilon) / rate
            assert chain.mixing_time(epsilon) == pytest.approx(np.ceil(exact), rel=rounding(epsilon))
            later = np.log(min(p, q) / (p + q) / epsilon) / rate
            start = 0 if p < q else 1  # the likelier one
            found = chain.mixing_time(epsilon, start=start)
            # The distance of the likelier state begins at its counterpart's weight.
            assert found == pytest.approx(max(np.ceil(later), 0), rel=rounding(epsilon), abs=1e-3)


@pytest.mark.parametrize("coupling", [1e-2, 1e-9, 1e-40, 1e-100])
def test_three_states_in_a_row(coupling):
    # 0 - 1 - 2 with the same rates c: eigenvalues 1, 1 - c, 1 - 3 c. From 0 the law is
    # (1/3 + a/2 + b/6, 1/3 - b/3, 1/3 - a/2 + b/6), a = (1 - c)^t, b = (1 - 3 c)^t.
    c = coupling
    chain = MarkovChain([[1 - c, c, 0], [c, 1 - 2 * c, c], [0, c, 1 - c]])
    for epsilon in (0.25, 0.01, 1e-6):
        found = chain.mixing_time(epsilon)

        def distance(t: float) -> float:
            a, b = np.exp(t * np.log1p(-c)), np.exp(t * np.log1p(-3 * c))
            return abs(np.array([a / 2 + b / 6, -b / 3, -a / 2 + b / 6])).sum() / 2

        assert distance(found * (1 + 1e-9)) <= epsilon < distance(max(found - 1, 0) * (1 - 1e-9))
        assert chain.mixing_time(epsilon, start=0) == pytest.approx(found, rel=rounding(epsilon))
        assert chain.mixing_time(epsilon, start=1) < found


def test_exact_whole_numbers():
    # The law on two states after t steps of a lazy coin is 1/2 +- 2^-t / 2, without any rounding.
    chain = MarkovChain([[0.75, 0.25], [0.25, 0.75]])
    for t in range(28):
        assert chain.mixing_time(2.0**-t / 2) == t
    # A counter: from 0 to 300 in that many steps, and there for ever.
    n = 300
    counter = MarkovChain.from_edges(np.arange(n), np.arange(1, n + 1), dangling="absorb")
    assert counter.mixing_time(0.5) == n
    assert counter.mixing_time(0.5, start=100) == n - 100


def test_dense_clusters_at_any_coupling():
    # Two clusters of ten states: the levels of the clusters relax at the rate c (of each state 10 c / 10 to the other).
    rng = np.random.default_rng(1)
    block = rng.random((10, 10)) + 0.1
    block += block.T
    for coupling in (1e-10, 1e-50, 1e-100):
        weights = np.kron(np.eye(2), block) + coupling * np.kron(1 - np.eye(2), np.ones((10, 10)))
        found = MarkovChain.from_weights(weights).mixing_time(0.125)
        # Conductance between the clusters: 100 c; the weight of each: the sum of its block.
        rate = 2 * 100 * coupling / block.sum()
        assert found == pytest.approx(np.log(0.5 / 0.125) / rate, rel=1e-8)


def test_periodic_chains_never_mix():
    turn = np.roll(np.eye(4), 1, axis=1)
    assert MarkovChain(turn).mixing_time() == np.inf
    assert MarkovChain(turn).mixing_time(0.74) == np.inf
    assert MarkovChain(turn).mixing_time(0.75) == 0
    assert MarkovChain(turn).mixing_time(start_distribution=[0.25] * 4) == 0
    path = [[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]]
    assert MarkovChain(path).mixing_time(0.49) == np.inf
    assert MarkovChain(path).mixing_time(0.6) == 1  # from an end, walks are in the middle after one step
    assert MarkovChain(path).mixing_time(0.3, start=1) == np.inf


def test_several_classes_have_no_mixing_time():
    chain = MarkovChain([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]])
    with pytest.raises(ValueError, match="one recurrent class"):
        chain.mixing_time()
    # A single one with transient states has.
    assert MarkovChain([[0.5, 0.5], [0, 1]]).mixing_time(0.25) == 2


def ring(n: int) -> MarkovChain:
    i = np.arange(n)
    edges = np.concatenate([i, i, i]), np.concatenate([i, (i + 1) % n, (i - 1) % n])
    return MarkovChain.from_edges(*edges, np.repeat([2.0, 1.0, 1.0], n))


def test_a_start_on_a_chain_that_is_not_made_dense(same_bytes):
    chain = ring(100)
    dense = chain.mixing_time(0.1)
    # By symmetry any start is the worst one.
    assert chain.mixing_time(0.1, start=17) == dense
    assert chain.mixing_time(0.1, start=17, max_states=50) == dense
    assert same_bytes(lambda threads: chain.mixing_time(0.1, threads=threads)) == dense
    with pytest.raises(ValueError, match="start must be given for a chain of 100 states"):
        chain.mixing_time(0.1, max_states=50)
    with pytest.raises(ValueError, match="max_steps must be larger: after 10 steps"):
        chain.mixing_time(0.1, start=17, max_states=50, max_steps=10)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"epsilon": 1e-10}, "epsilon must be at least 1e-09 and below 1"),
        ({"epsilon": 1.0}, "epsilon must be"),
        ({"epsilon": np.nan}, "epsilon must be finite"),
        ({"start": 2}, "start must be below the number of states, 2"),
        ({"start_distribution": [0.5, 0.4]}, "start_distribution must be 2 numbers"),
        ({"start_distribution": [1.5, -0.5]}, r"start_distribution\[1\] must be at least 0"),
    ],
)
def test_bad_arguments_are_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        MarkovChain([[0.5, 0.5], [1, 0]]).mixing_time(**arguments)
    with pytest.raises(TypeError, match="start and start_distribution must not both be given"):
        MarkovChain([[0.5, 0.5], [1, 0]]).mixing_time(start=0, start_distribution=[1, 0])
