"""maj@k: against enumeration in exact rationals, golden values, and the errors that naive code makes."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference import majority as slow
from slowthink.samples import maj_at_k
from slowthink.samples._majority import maj_variance

TIES = ["uniform", "strict", "any"]
answers_of_a_problem = st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=9)


def assert_close(got, expected, relative=1e-12):
    """Within ``relative`` of an exact rational; exactly 0 where that is 0."""
    for value, exact in zip(np.ravel(got), expected, strict=True):
        if exact == 0:
            assert value == 0
        else:
            assert abs(Fraction(float(value)) / exact - 1) <= relative, (value, exact)


@given(answers_of_a_problem, st.sampled_from(TIES))
def test_equals_the_mean_over_all_subsets(answers, ties):
    exact = [slow.maj_at_k(answers, "a", k, ties) for k in range(1, len(answers) + 1)]
    assert_close(maj_at_k([answers], ["a"], ties=ties), exact)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.sampled_from(TIES))
def test_with_replacement_equals_the_mean_over_all_tuples(answers, ties):
    k = [1, 2, 3, 4]
    exact = [slow.maj_at_k(answers, "a", size, ties, replace=True) for size in k]
    assert_close(maj_at_k([answers], ["a"], k, ties=ties, replace=True), exact)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=12), st.integers(0, 9), st.data())
def test_equals_exact_integer_polynomials(counts, silent, data):
    codes = np.array([*np.repeat(np.arange(len(counts)), counts), *[-2] * silent], dtype=np.int8)
    n = len(codes)
    k = data.draw(st.lists(st.integers(1, max(n, 1)), min_size=1, max_size=3))
    got = maj_at_k(codes[None], [0], k)[0]
    if n == 0:
        assert np.isnan(got).all()
    else:
        assert_close(got, [slow.maj_from_counts(counts, size, silent=silent) for size in k])


@pytest.mark.parametrize(
    "counts",
    [[30, 25, 20, 15, 5, 3, 1, 1], [14] * 7, [40, 60], [1] * 60, [12, *[11] * 9], [2] * 40, [9, 8, 8, 7, 7, 6, 6, 5]],
)
def test_every_branch_of_the_computation(counts):
    """Many and few rivals in reach, equal counts, all distinct answers."""
    codes = np.repeat(np.arange(len(counts)), counts)[None]
    k = [1, 2, 3, 7, codes.size // 2, codes.size - 1, codes.size]
    assert_close(maj_at_k(codes, [0], k), [slow.maj_from_counts(counts, size) for size in k])


@pytest.mark.parametrize(
    ("ties", "expected"),
    [
        ("uniform", "2/5 2/5 19/45 47/105 19/42 33/70 1/2 1/2 1/2 1/2"),
        ("strict", "2/5 2/15 1/3 73/210 11/42 79/210 11/30 14/45 2/5 0"),
        ("any", "2/5 2/3 3/5 23/42 9/14 131/210 19/30 31/45 3/5 1"),
    ],
)
def test_golden_values_of_each_tie_rule(ties, expected):
    got = maj_at_k([[0] * 4 + [1] * 4 + [2] * 2], [0], ties=ties)
    assert_close(got, [Fraction(value) for value in expected.split()])


def test_golden_values_of_independent_draws():
    got = maj_at_k([[0] * 4 + [1] * 3 + [2] * 3], [0], range(1, 9), replace=True)[0]
    np.testing.assert_allclose(got, [0.4, 0.4, 0.424, 0.4384, 0.44704, 0.46, 0.471232, 0.4784896], rtol=1e-14)


def test_all_answers_win_with_probability_one_together():
    rng = np.random.default_rng(0)
    codes = rng.choice(18, size=256, p=rng.dirichlet(np.full(18, 0.5)))
    won = sum(maj_at_k(codes[None], [answer]) for answer in range(18))
    np.testing.assert_allclose(won, 1, rtol=1e-12)
    replaced = sum(maj_at_k(codes[None], [answer], [1, 50, 300], replace=True) for answer in range(18))
    np.testing.assert_allclose(replaced, 1, rtol=1e-12)


def test_two_answers_at_ten_thousand_samples_follow_the_hypergeometric_law():
    n, right = 10_000, 5_100
    codes = (np.arange(n) >= right).astype(np.int8)[None]
    k = [1, 2, 101, 999, 5001, 9_799, 9_801, 9_999, 10_000]
    wrong, exact = n - right, []
    for size in k:
        first = max(0, size - wrong)
        # Numbers of subsets with m right answers, each from the one before: binomials of this size are slow to form.
        ways, won = math.comb(right, first) * math.comb(wrong, size - first), Fraction(0)
        for m in range(first, min(size, right) + 1):
            won += ways if 2 * m > size else Fraction(ways, 2) if 2 * m == size else 0
            ways = ways * (right - m) * (size - m) // ((m + 1) * (wrong - size + m + 1))
        exact.append(won / math.comb(n, size))
    assert_close(maj_at_k(codes, [0], k), exact)


def test_small_probabilities_keep_their_digits():
    counts = [3, 300, 200]
    codes = np.repeat(np.arange(3), counts)[None]
    k = [5, 50, 400]
    exact = [slow.maj_from_counts(counts, size) for size in k]
    assert float(exact[1]) < 1e-15
    assert_close(maj_at_k(codes, [0], k), exact)


def test_ragged_rows_and_k_beyond_n():
    got = maj_at_k([["24", "24", "12"], ["24"], []], ["24", "24", "24"])
    np.testing.assert_allclose(got, [[2 / 3, 2 / 3, 1], [1, np.nan, np.nan], [np.nan] * 3], rtol=1e-14)
    codes = np.array([[0, 0, 1], [0, -1, -1], [-1, -1, -1]])
    np.testing.assert_array_equal(got, maj_at_k(codes, [0, 0, 0]))


def test_a_sample_without_an_answer_is_drawn_and_never_votes():
    assert_close(maj_at_k([["a", None, None]], ["a"]), [Fraction(1, 3), Fraction(2, 3), Fraction(1)])
    assert maj_at_k([[None, None]], ["a"]).tolist() == [[0.0, 0.0]]


def test_gold_that_nobody_answered_never_wins():
    assert maj_at_k([["b", "c"]], ["a"]).tolist() == [[0.0, 0.0]]
    assert maj_at_k(np.array([[1, 2]]), [7]).tolist() == [[0.0, 0.0]]


@given(answers_of_a_problem, st.randoms())
def test_the_order_of_samples_does_not_matter(answers, random):
    shuffled = random.sample(answers, len(answers))
    np.testing.assert_array_equal(maj_at_k([answers], ["a"]), maj_at_k([shuffled], ["a"]))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=7), st.data())
def test_jackknife_equals_its_definition(answers, data):
    k = data.draw(st.integers(1, len(answers) - 1))
    exact = float(slow.maj_variance(answers, "a", k))
    np.testing.assert_allclose(maj_variance([answers], ["a"], k)[0], exact, rtol=1e-11, atol=1e-16)
    assert np.isnan(maj_variance([answers], ["a"], len(answers))[0])


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_and_layout_do_not_change_a_bit(threads):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 6, (40, 33))
    gold = rng.integers(0, 6, 40)
    expected = maj_at_k(codes, gold, threads=1)
    for variant in (
        codes.astype(np.int8),
        np.asfortranarray(codes),
        codes.astype(">i4"),
        codes.astype(float),
        codes.tolist(),
    ):
        np.testing.assert_array_equal(maj_at_k(variant, gold, threads=threads), expected)
    np.testing.assert_array_equal(maj_at_k(np.repeat(codes, 2, axis=1)[:, ::2], gold, threads=threads), expected)
    np.testing.assert_array_equal(maj_at_k(codes, gold, 5, threads=threads), expected[:, 4])


def test_first_seen_ties_depend_on_the_order():
    """Naive code gives a tie to the answer seen first."""

    def naive(answers):
        return Counter(answers).most_common(1)[0][0] == "a"

    assert naive(["a", "b"]) != naive(["b", "a"])
    assert maj_at_k([["a", "b"]], ["a"], 2)[0] == maj_at_k([["b", "a"]], ["a"], 2)[0] == 0.5


def test_a_majority_of_verdicts_is_not_a_majority_of_answers():
    """Naive code counts right against wrong; the right answer can win with fewer than half of the votes."""
    answers = ["a"] * 4 + ["b"] * 3 + ["c"] * 3
    naive = sum(answer == "a" for answer in answers) > len(answers) / 2
    assert not naive
    assert maj_at_k([answers], ["a"], 10)[0] == 1


def test_the_first_k_samples_are_not_the_mean_over_subsets():
    """Naive code votes among the first k: one draw of a wide distribution."""
    answers = ["b", "b", "a", "a", "a"]
    naive = float(slow.vote(answers[:2], "a"))
    assert naive == 0
    np.testing.assert_allclose(maj_at_k([answers], ["a"], 2), [0.6], rtol=1e-14)


def test_a_bootstrap_of_samples_has_another_limit():
    answers = [["a"] * 3 + ["b"] * 2]
    assert maj_at_k(answers, ["a"], 5)[0] == 1
    assert maj_at_k(answers, ["a"], 5, replace=True)[0] < 0.7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([["a"]], ["a"], 0), "k must be at least 1, got 0"),
        (([["a"]], ["a"], [1.5]), r"k\[0\] must be a whole number, got 1.5"),
        (([["a"]], ["a", "b"]), "gold must have one entry a problem, 1, got 2"),
        (([["a"]], [None]), r"gold\[0\] must be an answer"),
        ((np.array([[0, -3]]), [0]), r"answers\[0, 1\] must be at least -2, got -3"),
        ((np.array([[0, 1]]), [-1]), r"gold\[0\] must be at least 0, got -1"),
        ((np.array([[0.5]]), [0]), r"answers\[0, 0\] must be a whole number, got 0.5"),
        ((np.array([0, 1]), [0]), "answers must be 2-D"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        maj_at_k(*arguments)
    with pytest.raises(TypeError, match=r"answers\[0\]\[0\] must be hashable"):
        maj_at_k([[["list"]]], ["a"])
    with pytest.raises(ValueError, match="ties must be"):
        maj_at_k([["a"]], ["a"], ties="first")
