"""`Categorical` beside its twin, and its families of instances."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.problems import Categorical
from slowthink.reference import categorical as slow
from slowthink.samples import plurality_probability
from slowthink.strategies import SelfCorrection, compare


@st.composite
def laws(draw: st.DrawFn) -> list[list[float]]:
    n = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=1, max_size=4))
    return [[w / sum(row) for w in row] if any(row) else [1.0] + [0.0] * (n - 1) for row in rows]


@given(laws(), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_steps_are_those_of_the_twin(rows, right, tree, choice):
    targets = [(right + i) % len(rows[0]) for i in range(len(rows))]
    problem, twin = Categorical(rows, targets), slow.Categorical(rows, targets)
    state, expected = problem.root(tree), twin.root(tree)
    assert problem.describe(state) == twin.text(expected)
    assert problem.actions(state) == twin.actions(expected)
    success = rows[expected[0]][targets[expected[0]]]
    mean = np.mean([problem.value(state, rng=seed) for seed in range(200)])
    assert abs(mean - success) <= 6 * math.sqrt(success * (1 - success) / 200) + 1e-12
    action = choice % len(rows[0])
    state, expected = problem.step(state, action)[0], twin.step(expected, action)[0]
    assert problem.describe(state) == twin.text(expected)
    assert problem.value(state) == twin.outcome(expected)
    assert problem.n_actions(state) == 0
    gaps = [row[t] - max(row[:t] + row[t + 1 :], default=math.nan) for row, t in zip(rows, targets, strict=True)]
    assert problem.gap == pytest.approx(gaps, nan_ok=True)


def test_a_vote_over_its_law_is_what_all_sequences_say():
    question = Categorical([0.5, 0.25, 0.125, 0.125])
    law = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 8)]
    for n in (1, 2, 5):
        for target in (0, 1):
            found = plurality_probability(question.probabilities[0, 0], n, target)
            assert found == pytest.approx(float(slow.plurality(law, n, target)), rel=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_strategies_meet_its_law(threads):
    questions = Categorical([[0.4, 0.35, 0.25, 0.0], [0.1, 0.2, 0.0, 0.7]], [0, 3])
    found = compare(questions, ["walk", "majority", "best-of-n"], [5, 20], n_trials=6000, rng=4, threads=threads)
    laws = list(zip(questions.probabilities[0], questions.target.tolist(), strict=True))
    votes = np.mean([plurality_probability(p, [5, 20], target) for p, target in laws], axis=0)
    best = np.mean([[1 - (1 - p[target]) ** n for n in (5, 20)] for p, target in laws], axis=0)
    exact = np.array([[0.55, 0.55], votes, best])
    assert found.exact == pytest.approx(exact)
    assert (np.abs(found.accuracy - exact) < 4.5 * np.sqrt(0.25 / 6000)).all()
    assert found.correct.sum(axis=2).tolist() == PINNED


PINNED = [[3255, 3255], [3946, 4600], [5745, 6000]]


def test_an_expert_answers_by_its_own_law():
    questions = Categorical([[[1.0, 0.0]], [[0.25, 0.75]]], target=1)
    found = compare(questions, ["best-of-n", SelfCorrection("ucb", stop=False)], [1, 64], n_trials=300, rng=5)
    assert found.accuracy[0].tolist() == [0, 0]
    assert found.accuracy[1, 1] == 1


def test_the_default_has_four_answers():
    assert Categorical().probabilities.tolist() == [[[0.4, 0.3, 0.2, 0.1]]]


def test_families():
    assert Categorical.two_answer(0.5).probabilities.tolist() == [[[0.75, 0.25]]]
    flat = Categorical.flat_wrong(0.05)
    assert flat.probabilities.shape == (1, 1, 19)
    assert flat.gap == pytest.approx([0.05])
    assert flat.probabilities.sum() == pytest.approx(1, abs=1e-15)
    zipf = Categorical.zipf(10, 2.0, target=1)
    assert zipf.probabilities[0, 0, [1, 3]] / zipf.probabilities[0, 0, 0] == pytest.approx([1 / 4, 1 / 16])
    assert zipf.gap[0] < 0
    drawn = Categorical.dirichlet(4, 2.0, n_instances=5000, rng=3)
    assert drawn.probabilities[0].mean(axis=0) == pytest.approx([0.25] * 4, abs=0.01)
    # The variance of a share is a (n a - a) / ((n a)^2 (n a + 1)) with n answers and concentration a.
    assert drawn.probabilities[0].var(axis=0) == pytest.approx([2 * 6 / (64 * 9)] * 4, rel=0.1)
    again = Categorical.dirichlet(4, 2.0, n_instances=5000, rng=3)
    assert (again.probabilities == drawn.probabilities).all()


def test_it_is_made_again_from_its_pickle_and_leaves_its_input_alone():
    rows = np.array([[[0.5, 0.5], [1, 0]], [[0.25, 0.75], [0, 1]]])
    problem = Categorical(rows, [0, 1])
    rows[0, 0] = 0
    again = pickle.loads(pickle.dumps(problem))
    assert again.probabilities[:, 0].tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert again.target.tolist() == [0, 1]
    assert repr(again) == repr(problem) == "Categorical(<2 questions of 2 answers, 2 experts>)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.4],), "probabilities must sum to 1 within 1e-9, got 0.9"),
        (([[0.5, 0.5], [0.5, 0.6]],), r"probabilities\[1\] must sum to 1 within 1e-9, got 1.1"),
        (([0.5, -0.5],), r"probabilities\[1\] must be at least 0, got -0.5"),
        (([],), "probabilities must have at least one answer"),
        (([0.5, 0.5], 2), "target must be below the number of answers, 2, got 2"),
        (([0.5, 0.5], [0, 1]), "target must be an int or have length 1, got 2"),
        (([0.5, 0.5], -1), "target must be at least 0, got -1"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Categorical(*arguments)


@pytest.mark.parametrize(
    ("family", "arguments", "message"),
    [
        ("two_answer", (1.5,), "gap must be at most 1, got 1.5"),
        ("flat_wrong", (0.0,), "gap must be above 0, got 0"),
        ("flat_wrong", (0.3,), "gap must be one over a whole number, got 0.3"),
        ("flat_wrong", (0.5,), "gap must be at most 0.3333, got 0.5"),
        ("flat_wrong", (1e-300,), "gap must be at least"),
        ("zipf", (0,), "n_answers must be at least 1, got 0"),
        ("zipf", (3, -1), "exponent must be at least 0, got -1"),
        ("dirichlet", (3, 0), "concentration must be above 0, got 0"),
        ("dirichlet", (3, 1e308), "concentration must be at most"),
    ],
)
def test_families_name_bad_input(family, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(Categorical, family)(*arguments)
