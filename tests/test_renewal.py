"""Exact curves of walks that differ in length: against all sequences of walks, and against simulations."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import _run
from slowthink.chains import MarkovChain
from slowthink.problems import KeysMaze, MetastableReasoning, Reachability
from slowthink.reference import strategies as slow
from slowthink.strategies import BestOfN, MajorityVote, Strategy, TreeSearch, Verifier, Walk, WeightedVote, compare
from slowthink.strategies._backends import Native

WALKS: dict[str, Strategy] = {
    "first": Walk(),
    "best, stop": BestOfN(),
    "best": BestOfN(stop=False),
    "majority": MajorityVote(),
    "weighted": WeightedVote(),
}
EIGHTHS = st.integers(0, 8).map(lambda n: Fraction(n, 8))


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[list[Fraction]], list[int | None]]:
    """Two states to walk on from, and one to three that answer; the first of them rightly."""
    n = draw(st.integers(3, 5))
    answers = [None, None, 0, *(draw(st.integers(1, 2)) for _ in range(n - 3))]
    if 2 in answers and 1 not in answers:
        answers = [1 if answer == 2 else answer for answer in answers]
    rows = []
    for state in range(n):
        cuts = (
            sorted(draw(st.integers(0, 8)) for _ in range(n - 1)) if state < 2 else [0] * state + [8] * (n - 1 - state)
        )
        rows.append([Fraction(high - low, 8) for low, high in zip([0, *cuts], [*cuts, 8], strict=True)])
    return rows, answers


def problem_of(rows: list[list[Fraction]], answers: list[int | None], max_steps: int) -> MetastableReasoning:
    sets = [[state for state, answer in enumerate(answers) if answer == which] for which in (0, 1, 2)]
    chain = MarkovChain(np.array(rows, dtype=np.float64))
    return MetastableReasoning(chain, max_steps, start=0, target=sets[0], decoys=[s for s in sets[1:] if s])


@given(chains(), st.integers(1, 3), EIGHTHS, EIGHTHS)
def test_all_sequences_of_walks(
    case: tuple[list[list[Fraction]], list[int | None]],
    max_steps: int,
    false_positive: Fraction,
    false_negative: Fraction,
) -> None:
    walks = slow.chain_walks(*case, 0, max_steps)
    errors = {"false_positive": false_positive, "false_negative": false_negative}
    judge = Verifier(**{name: float(error) for name, error in errors.items()})
    budgets = [1, 2, 4, 5]
    found = compare(
        problem_of(*case, max_steps), WALKS, budgets=budgets, unit="steps", n_trials=1, verifier=judge, rng=1
    )
    given_answers = {answer for (_, answer), p in walks.items() if p and answer is not None}
    for row, name in zip(found.exact, WALKS, strict=True):
        if name == "weighted" and (any(errors.values()) and given_answers - {0} and 0 in given_answers):
            assert np.isnan(row).all()
        elif name == "majority" and len(given_answers) > 2:
            assert np.isnan(row).all() or 0 not in given_answers
        else:
            select, _, stop = name.partition(", ")
            wanted = [float(slow.accuracy_within(walks, b, select, bool(stop), **errors)) for b in budgets]
            np.testing.assert_allclose(row, wanted, rtol=0, atol=1e-13, err_msg=name)


def test_the_twin_by_hand() -> None:
    """From 0 in one step to the right answer, in two by way of 1 to the wrong one, each with 1/2."""
    half, one = Fraction(1, 2), Fraction(1)
    matrix = [[0, half, half, 0], [0, 0, 0, one], [0, 0, one, 0], [0, 0, 0, one]]
    walks = slow.chain_walks(matrix, [None, None, 0, 1], 0, 5)
    assert walks == {(1, 0): half, (2, 1): half}
    assert slow.chain_walks(matrix, [None, None, 0, 1], 0, 1) == {(1, 0): half, (1, None): half}
    # Within three steps: right, then anything; or wrong, then one step: right or nothing.
    assert slow.accuracy_within(walks, 1, "first") == half
    assert slow.accuracy_within(walks, 3, "best") == Fraction(3, 4)
    # RRR, RRw, RW, WR, Ww: w is under way when the budget runs out.
    assert slow.accuracy_within(walks, 3, "majority") == Fraction(1, 8) + Fraction(1, 8) + half * (half / 2 + half / 2)
    # Refused throughout: the choice is among all that is there.
    assert slow.accuracy_within(walks, 3, "best", True, false_negative=one) == half


def test_simulations_lie_about_the_curves() -> None:
    """Budgets that end in the middle of walks; each instance equally often."""
    errs = Verifier(false_positive=0.2, false_negative=0.3)
    cases = [
        (KeysMaze(n_instances=20), None, [1, 9, 30, 56, 200, 1000]),
        (KeysMaze(2, 2, 1, n_instances=5, greed=0.5, max_steps=9), errs, [1, 3, 5, 9, 14, 40]),
        (Reachability.generate(25, rng=0), None, [2, 3, 5, 12, 40, 200]),
        (Reachability.generate(25, rng=1), errs, [2, 3, 5, 12, 40, 200]),
        (Reachability.generate(25, rng=2, guess=False), errs, [2, 3, 5, 12, 40, 200]),
        (Reachability.generate(25, rng=3), Verifier(accuracy=0.8), [1, 2, 3, 5, 12, 40]),
        (MetastableReasoning(max_steps=40), errs, [3, 10, 40, 41, 100, 500]),
    ]
    for problem, judge, budgets in cases:
        found = compare(
            problem, WALKS, budgets=budgets, unit="steps", n_trials=6000, verifier=judge, rng=1,
            over="trials", confidence=0.9995,
        )  # fmt: skip
        known = np.isfinite(found.exact)
        # All but a vote weighted by verdicts that err, where walks can end in a wrong answer.
        assert known[:4].all()
        inside = (found.low <= found.exact) & (found.exact <= found.high)
        assert inside[known].all(), (problem, found.low, found.exact, found.high)


def test_a_budget_of_less_than_a_step_buys_nothing() -> None:
    """Budgets in tokens may come to no steps at all."""
    backend = Native(KeysMaze(1, 2, 0, n_instances=2), _run.options(1))
    found = backend.exact([Walk(), BestOfN(), TreeSearch()], [0, 1], None)
    np.testing.assert_array_equal(found, [[0.0, 1.0], [0.0, 1.0], [np.nan, np.nan]])


@pytest.mark.parametrize("threads", [2, 7])
def test_same_bytes_for_any_threads(threads: int) -> None:
    errs = Verifier(false_positive=0.1, false_negative=0.1)
    graphs = Reachability.generate(30, rng=0)
    one, several = (
        compare(graphs, WALKS, budgets=[1, 4, 16], n_trials=30, verifier=errs, rng=1, threads=n) for n in (1, threads)
    )
    np.testing.assert_array_equal(one.exact, several.exact)
    assert np.isfinite(one.exact[:4]).all()
