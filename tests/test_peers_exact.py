"""Exact quantities beside those of other packages, on chains that are conditioned well enough for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain

WELL = 1e-3
"""The weakest coupling at which solvers that form I - P have ten digits left."""


def load(name: str) -> Any:
    """A package, whose own warnings at import are none of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, list[int], list[int]]:
    """A chain and two sets of its states that share none."""
    matrix = draw(testing.transition_matrices(max_states=8, least_coupling=WELL))
    assume(len(matrix) > 1)
    order = draw(st.permutations(range(len(matrix))))
    cut = draw(st.integers(1, len(matrix) - 1))
    return matrix, sorted(order[: draw(st.integers(1, cut))]), sorted(order[cut:])


@settings(max_examples=25)
@given(problems())
def test_pydtmc(problem: tuple[np.ndarray, list[int], list[int]]) -> None:
    pydtmc = load("pydtmc")
    matrix, targets, others = problem
    chain = MarkovChain(matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydtmc.MarkovChain(matrix)
        # Their distributions come in an order of their own, one for each recurrent class.
        pi = sorted(map(tuple, theirs.stationary_distributions), key=lambda row: np.argmax(np.array(row) > 1e-9))
        times = np.array(theirs.hitting_times(targets), dtype=float)
        probabilities = np.array(theirs.hitting_probabilities(targets), dtype=float)
    assert chain.stationary_distributions() == pytest.approx(np.array(pi), abs=1e-9)
    mine = chain.hitting_probabilities(targets)
    assert mine == pytest.approx(probabilities, abs=1e-8)
    finite = np.isfinite(times)
    assert chain.mean_hitting_times(targets)[finite] == pytest.approx(times[finite], rel=1e-7)
    if chain.is_irreducible and chain.is_aperiodic:  # they give none for others
        committor = np.array(theirs.committor_probabilities("forward", others, targets), dtype=float)
        assert chain.committor(others, targets) == pytest.approx(committor, abs=1e-9)


@settings(max_examples=25)
@given(problems())
def test_deeptime(problem: tuple[np.ndarray, list[int], list[int]]) -> None:
    analysis = load("deeptime.markov.tools.analysis")
    matrix, targets, others = problem
    chain = MarkovChain(matrix)
    assume(chain.is_irreducible)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pi = analysis.stationary_distribution(matrix)
        times = analysis.mfpt(matrix, targets)
        forward = analysis.committor(matrix, others, targets)
        backward = analysis.committor(matrix, others, targets, forward=False)
    assert chain.stationary_distribution() == pytest.approx(pi, rel=1e-8)
    assert chain.mean_hitting_times(targets) == pytest.approx(times, rel=1e-8)
    assert chain.committor(others, targets) == pytest.approx(forward, abs=1e-9)
    assert chain.committor(others, targets, backward=True) == pytest.approx(backward, abs=1e-9)


@settings(max_examples=25)
@given(testing.transition_matrices(max_states=8))
def test_quantecon(matrix: np.ndarray) -> None:
    quantecon = load("quantecon")
    theirs = quantecon.MarkovChain(matrix)
    mine = MarkovChain(matrix).stationary_distributions()
    classes = [np.sort(states).tolist() for states in theirs.recurrent_classes]
    order = np.argsort([states[0] for states in classes])
    # They eliminate without subtractions, too: all digits agree.
    assert mine == pytest.approx(np.array(theirs.stationary_distributions)[order], rel=1e-12)
