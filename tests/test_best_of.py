"""best-of-k against exact rationals, and against the mistakes that are made with it."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slowthink.reference import best_of as slow
from slowthink.samples import best_of_k, pass_at_k
from slowthink.samples._best_of import best_of_variance

GOLDEN_SCORES = [1, 1, 2, 2, 2, 3, 0, 3]
GOLDEN_VALUES = [1, 0, 1, 1, 0, 0, 1, 1]
GOLDEN = [5 / 8, 4 / 7, 187 / 336, 15 / 28, 29 / 56, 85 / 168, 1 / 2, 1 / 2]


def close(fast: float, exact: Fraction | None, relative: float = 1e-12, absolute: float = 0.0) -> bool:
    if exact is None:
        return bool(np.isnan(fast))
    return abs(Fraction(float(fast)) - exact) <= relative * abs(exact) + absolute


numbers = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.sampled_from([np.inf, -np.inf, -0.0]))
# No subnormal values: a mean of them has no relative accuracy to keep.
positive = st.one_of(st.sampled_from([0.0, 0.0, 1.0, 1e-12, 1e12]), st.floats(1e-200, 10))
samples = st.lists(st.tuples(numbers, positive), min_size=0, max_size=24)


def padded(problems: list[list[tuple[float, float]]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    width = max(1, *map(len, problems))
    scores = np.full((len(problems), width), np.nan)
    values = np.full((len(problems), width), np.nan)  # not read
    for i, problem in enumerate(problems):
        for j, (score, value) in enumerate(problem):
            scores[i, j], values[i, j] = score, value
    return scores, values


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), min_size=1, max_size=8), st.integers(1, 8))
def test_twin_equals_all_subsets(problem: list[tuple[int, int]], k: int) -> None:
    scores, values = zip(*problem, strict=True)
    if k <= len(scores):
        assert slow.best_of_k(scores, values, k) == slow.over_subsets(scores, values, k)


@given(st.lists(samples, min_size=1, max_size=20))
@example([[(0.0, 1.0)] * 33, [(float(i), 0.0) for i in range(32)] + [(-1.0, 1.0)]])
@example([[(-np.inf, 1.0), (-np.inf, 0.0)], []])
def test_rows_equal_the_twin(problems: list[list[tuple[float, float]]]) -> None:
    scores, values = padded(problems)
    ks = np.arange(1, scores.shape[1] + 2)
    got, worst = best_of_k(scores, values, ks), best_of_k(scores, values, ks, worst=True)
    for i, problem in enumerate(problems):
        s, v = [x for x, _ in problem], [x for _, x in problem]
        for k in ks:
            assert close(got[i, k - 1], slow.best_of_k(s, v, int(k))), (problem, k)
            assert close(worst[i, k - 1], slow.best_of_k([-x for x in s], v, int(k)))


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 300, 4097])
def test_sizes_around_the_edges_of_blocks(n: int) -> None:
    rng = np.random.default_rng(n)
    scores, values = np.round(rng.normal(size=(9, n)) * 4), rng.random((9, n)) ** 8
    ks = np.unique(np.minimum([1, 2, 3, 5, 17, n // 2, n - 1, n], n).clip(1))
    got = best_of_k(scores, values, ks)
    for i in (0, 7, 8):
        for j, k in enumerate(ks[:3] if n > 1000 else ks):
            assert close(got[i, j], slow.best_of_k(scores[i].tolist(), values[i].tolist(), int(k)))


def test_a_value_at_the_bottom_keeps_its_relative_accuracy() -> None:
    n, k = 400, 150
    scores, values = np.arange(n)[None], np.zeros((1, n))
    values[0, 160] = 1.0
    exact = slow.best_of_k(scores[0].tolist(), values[0].tolist(), k)
    assert exact is not None
    assert 0 < exact < Fraction(1, 10**50)
    assert close(best_of_k(scores, values, k)[0], exact)


def test_ten_thousand_samples() -> None:
    n = 10_000
    rng = np.random.default_rng(1)
    values = (rng.random((1, n)) < 0.01).astype(np.int8)
    got = best_of_k(values, values, [1, 7, 100, 5000, n])  # score, value and verdict are one: pass@k
    np.testing.assert_allclose(got[0], pass_at_k(n, values.sum(), [1, 7, 100, 5000, n]), rtol=1e-12)
    np.testing.assert_allclose(best_of_k(np.arange(n)[None], np.ones((1, n)), [1, 50, 9999]), 1, rtol=1e-12)


def test_golden() -> None:
    np.testing.assert_allclose(best_of_k([GOLDEN_SCORES], [GOLDEN_VALUES])[0], GOLDEN, rtol=1e-14)


def test_verdicts_as_scores_give_pass_at_k() -> None:
    correct = np.random.default_rng(0).random((50, 40)) < np.linspace(0, 1, 50)[:, None]
    expected = pass_at_k(40, correct.sum(1))
    np.testing.assert_allclose(best_of_k(correct, correct), expected, rtol=1e-12)


# What goes wrong elsewhere.


def test_the_order_of_tied_samples_is_not_seen() -> None:
    scores, values = np.array([2, 2, 1]), np.array([1.0, 0.0, 0.0])

    def first_seen(order: list[int]) -> float:
        return float(values[order][np.argmax(scores[order])])

    assert first_seen([0, 1, 2]) != first_seen([1, 0, 2])
    rng = np.random.default_rng(3)
    scores, values = rng.integers(0, 4, (20, 50)), rng.normal(size=(20, 50))
    order = rng.permutation(50)
    np.testing.assert_array_equal(best_of_k(scores, values), best_of_k(scores[:, order], values[:, order]))


def test_sampling_with_replacement_is_biased() -> None:
    n, k = 64, 64
    correct = np.zeros((1, n))
    correct[0, :1] = 1
    replaced = 1 - (1 - 1 / n) ** k
    assert replaced == pytest.approx(0.635, abs=1e-3)
    assert best_of_k(correct, correct, k)[0] == 1.0
    correct[0, 1] = 1
    np.testing.assert_allclose(best_of_k(correct, correct, [16, 32, 64])[0], [0.4404762, 0.7539683, 1], atol=5e-8)


def test_each_problem_has_its_own_n() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [3.0, np.nan, 1.0], [np.nan, np.nan, np.nan]])
    values = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    as_zero = best_of_k(np.nan_to_num(scores), values, 2)  # a missing score counted as a low one
    got = best_of_k(scores, values, 2)
    np.testing.assert_allclose(got, [2 / 3, 1, np.nan], rtol=1e-15)
    assert as_zero[1] != got[1]
    assert best_of_k(scores[1:], values[1:]).shape == (2, 2)  # up to the largest number of scores


def test_missing_values_are_refused() -> None:
    scores, values = np.zeros((300, 5)), np.ones((300, 5))
    assert np.isnan(np.sort([1.0, np.nan])[-1])  # a sort takes NaN for the best
    values[[17, 290], [3, 0]] = np.nan
    for threads in (1, 2, 7):
        with pytest.raises(ValueError, match=r"values\[17, 3\] must be finite where the score is a number, got NaN"):
            best_of_k(scores, values, threads=threads)
    scores[[17, 290], [3, 0]] = np.nan
    assert not np.isnan(best_of_k(scores, values, 4)).any()


def test_infinite_scores_are_legal() -> None:
    scores = [[np.inf, -np.inf, 0.0, -np.inf]]
    np.testing.assert_allclose(best_of_k(scores, [[1, 2, 3, 4]])[0], [2.5, 2, 1.5, 1], rtol=1e-15)


# Variance.


@given(st.lists(samples, min_size=1, max_size=6))
def test_variance_equals_the_twin(problems: list[list[tuple[float, float]]]) -> None:
    scores, values = padded([[(s, v % 8) for s, v in problem[:12]] for problem in problems])
    ks = np.arange(1, scores.shape[1] + 2)
    got = best_of_variance(scores, values, ks)
    for i in range(len(problems)):
        used = ~np.isnan(scores[i])
        for k in ks:
            exact = slow.variance(scores[i][used].tolist(), values[i][used].tolist(), int(k))
            assert close(got[i, k - 1], exact, 1e-11, 1e-14), (problems[i], k)


def test_variance_of_the_mean_is_that_of_the_textbook() -> None:
    values = np.random.default_rng(2).normal(size=(4, 30))
    got = best_of_variance(np.random.default_rng(3).integers(0, 5, (4, 30)), values, 1)
    np.testing.assert_allclose(got, values.var(axis=1, ddof=1) / 30, rtol=1e-12)


# How it runs.


def test_equal_bytes_for_any_threads(same_bytes) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(7)
    scores, values = np.round(rng.normal(size=(203, 70)), 1), rng.random((203, 70))
    scores[rng.random((203, 70)) < 0.2] = np.nan
    same_bytes(lambda threads: best_of_k(scores, values, threads=threads))
    same_bytes(lambda threads: best_of_variance(scores, values, threads=threads))


def test_a_problem_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(8)
    scores, values = np.round(rng.normal(size=(33, 90)), 1), rng.random((33, 90))
    scores[rng.random((33, 90)) < 0.3] = np.nan
    every = best_of_k(scores, values, np.arange(1, 91))
    for i in range(33):
        np.testing.assert_array_equal(best_of_k(scores[i : i + 1], values[i : i + 1], np.arange(1, 91))[0], every[i])


def test_pinned_values() -> None:
    scores = [[(i * 7) % 11 for i in range(40)]]
    values = [[((i * 13) % 17) / 17 for i in range(40)]]
    assert [x.hex() for x in best_of_k(scores, values, [1, 5, 20])[0]] == PINNED


PINNED = ["0x1.d8d8d8d8d8d8ep-2", "0x1.cc53aec626c53p-2", "0x1.a84fc6c0d4071p-2"]


def test_memory_is_that_of_the_result() -> None:
    scores = np.random.default_rng(9).normal(size=(2000, 500)).astype(np.float32)
    tracemalloc.start()
    result = best_of_k(scores, scores)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * (result.nbytes + 2 * scores.nbytes)


# What is handed in.


@pytest.mark.parametrize("dtype", ["i1", "u1", "u2", "<i8", ">i4", "u8", "f4", "f2", ">f8", "O", "longdouble"])
def test_dtypes_and_layouts(dtype: str) -> None:
    scores, values = np.array([GOLDEN_SCORES] * 3), np.array([GOLDEN_VALUES] * 3)
    s, v = scores.astype(dtype), values.astype(dtype)
    for a, b in ((s, v), (np.asfortranarray(s), v), (np.repeat(s, 2, 1)[:, ::2], v[::-1]), (s.tolist(), v.tolist())):
        np.testing.assert_allclose(best_of_k(a, b)[1], GOLDEN, rtol=1e-14)
    np.testing.assert_allclose(best_of_k(scores, values.astype(bool))[1], GOLDEN, rtol=1e-14)


def test_shapes() -> None:
    scores = np.ones((3, 4))
    assert best_of_k(scores, scores).shape == (3, 4)
    assert best_of_k(scores, scores, 2).shape == (3,)
    assert best_of_k(scores, scores, [2, 9]).shape == (3, 2)
    assert best_of_k(np.ones((0, 4)), np.ones((0, 4)), 2).shape == (0,)
    assert best_of_k(np.ones((3, 0)), np.ones((3, 0))).shape == (3, 0)
    assert np.isnan(best_of_k(np.ones((3, 0)), np.ones((3, 0)), 1)).all()
    assert best_of_variance(scores, scores, 2).shape == (3,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [1.0]), r"scores must be 2-D, got shape \(1,\)"),
        (([[1.0]], [[1.0, 2.0]]), r"values must have the shape of scores, \(1, 1\), got \(1, 2\)"),
        (([[1.0, 2.0], [1.0]], [[1.0]]), r"scores must be an array of numbers, got rows of unequal length"),
        (([[1.0]], [[np.inf]]), r"values\[0, 0\] must be finite where the score is a number"),
        (([[1.0]], [[1.0]], 0), r"k must be at least 1, got 0"),
        (([[1.0]], [[1.0]], [1, -1]), r"k\[1\] must be at least 1, got -1"),
        ((np.ma.masked_equal([[1.0, 2.0]], 2.0), [[1.0, 1.0]]), r"scores must not have masked entries"),
    ],
)
def test_bad_values(arguments: tuple[object, ...], message: str) -> None:
    for fast in (best_of_k, best_of_variance):
        with pytest.raises(ValueError, match=message):
            fast(*arguments)  # type: ignore[arg-type]


def test_bad_types_and_options() -> None:
    for bad in (None, [["a"]], [[1j]], "abc", [[None]]):
        with pytest.raises(TypeError, match="scores"):
            best_of_k(bad, [[1.0]])  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="values"):
            best_of_k([[1.0]], bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ties must be 'uniform', got 'first'"):
        best_of_k([[1.0]], [[1.0]], ties="first")
    with pytest.raises(TypeError, match="worst must be True or False"):
        best_of_k([[1.0]], [[1.0]], worst=1)  # type: ignore[arg-type]
