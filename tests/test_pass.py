"""pass@k, pass^k and G-Pass@k against exact rationals, and against the mistakes that are made with them."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slowthink.reference import passes as slow
from slowthink.samples import g_pass_at_k, mean_pass_at_k, mg_pass_at_k, pass_at_k, pass_hat_k
from slowthink.samples._pass import distinct_pass_rows, pass_variance

METRICS = {"pass@k": pass_at_k, "pass^k": pass_hat_k, "mg-pass@k": mg_pass_at_k}


def close(fast: float, exact: Fraction | None, relative: float = 1e-12) -> bool:
    if exact is None:
        return bool(np.isnan(fast))
    return abs(Fraction(float(fast)) - exact) <= relative * abs(exact)


@st.composite
def counts(draw: st.DrawFn, largest: int = 60) -> tuple[int, int]:
    n = draw(st.integers(0, largest))
    return n, draw(st.integers(0, n))


@given(counts(largest=9), st.integers(1, 9))
def test_twin_equals_all_subsets(nc: tuple[int, int], k: int) -> None:
    n, c = nc
    if k > n:
        return
    assert slow.pass_at_k(n, c, k) == slow.over_subsets(n, c, k, lambda x: x >= 1)
    assert slow.pass_hat_k(n, c, k) == slow.over_subsets(n, c, k, lambda x: x == k)
    for tau in ("0", "0.25", "0.5", "0.6", "1"):
        least = max(math.ceil(Fraction(tau) * k), 1)
        assert slow.g_pass_at_k(n, c, k, tau) == slow.over_subsets(n, c, k, lambda x, least=least: x >= least)
    half = math.ceil(k / 2)
    expected = slow.over_subsets(n, c, k, lambda x: Fraction(2 * max(x - half, 0), k))
    assert slow.mg_pass_at_k(n, c, k) == expected


@given(st.lists(counts(), min_size=1, max_size=40))
@example([(60, 0), (60, 60), (0, 0), (1, 1), (60, 1)])
def test_rows_equal_the_twin(pairs: list[tuple[int, int]]) -> None:
    n, c = np.array(pairs).T
    for name, fast in METRICS.items():
        got = fast(n, c)
        assert got.shape == (len(n), n.max())
        exact = {"pass@k": slow.pass_at_k, "pass^k": slow.pass_hat_k, "mg-pass@k": slow.mg_pass_at_k}[name]
        for i, pair in enumerate(pairs):
            for k in range(1, n.max() + 1):
                assert close(got[i, k - 1], exact(*pair, k)), (name, pair, k)


@given(counts(), st.integers(1, 60), st.sampled_from(["0", "0.1", "0.28", "1/3", "0.5", "0.7", "0.75", "1"]))
def test_g_pass_equals_the_twin(nc: tuple[int, int], k: int, tau: str) -> None:
    assert close(g_pass_at_k(*nc, k, float(Fraction(tau))), slow.g_pass_at_k(*nc, k, tau))


@pytest.mark.parametrize("c", [0, 1, 2, 7, 500, 5000, 9990, 10_000])
def test_ten_thousand_samples(c: int) -> None:
    n, k = 10_000, [1, 2, 3, 64, 1000, 4999, 5000, 5001, 9000, 9999, 10_000]
    at, hat = pass_at_k(n, c, k), pass_hat_k(n, c, k)
    for i, ki in enumerate(k):
        assert close(at[i], slow.pass_at_k(n, c, ki))
        exact = slow.pass_hat_k(n, c, ki)
        assert exact is not None
        if exact == 0 or exact > Fraction(2) ** -1000:
            assert close(hat[i], exact)
        else:
            assert 0 <= hat[i] <= 2.0**-1000
    assert close(g_pass_at_k(n, c, 1000, 0.3), slow.g_pass_at_k(n, c, 1000, "0.3")) or c < 500
    assert close(mg_pass_at_k(n, c, 100), slow.mg_pass_at_k(n, c, 100))


def test_small_chances_keep_their_relative_accuracy() -> None:
    n = 10**9
    naive = 1.0 - (n - 1 - 3 + 1) / n * 1.0  # 1 - q_k cancels
    exact = slow.pass_at_k(n, 1, 3)
    assert exact is not None
    assert not close(naive, exact)
    assert close(pass_at_k(n, 1, 3), exact)


def test_g_pass_at_the_ends_of_tau() -> None:
    n, c = np.array([20, 20, 7]), np.array([3, 19, 7])
    np.testing.assert_allclose(g_pass_at_k(n, c, None, 0.0), pass_at_k(n, c), rtol=1e-12)
    np.testing.assert_allclose(g_pass_at_k(n, c, None, 1.0), pass_hat_k(n, c), rtol=1e-12)


def test_mg_pass_is_the_mean_of_g_pass_over_tau_for_even_k() -> None:
    n, c, k = 30, 21, 10
    taus = 0.5 + (np.arange(5 * 20) + 0.5) / (10 * 20)
    mean = np.mean([g_pass_at_k(n, c, k, tau) for tau in taus])
    assert mg_pass_at_k(n, c, k) == pytest.approx(mean, rel=1e-12)


# What goes wrong elsewhere.


def test_k_above_n_is_not_defined() -> None:
    def naive(n: int, c: int, k: int) -> float:
        return 1.0 if n - c < k else 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))

    assert naive(2, 0, 5) == 1.0  # no correct sample, and a perfect result
    assert np.isnan(pass_at_k(2, 0, 5))
    assert np.isnan(pass_at_k(0, 0, 1))
    np.testing.assert_array_equal(pass_at_k([2, 5], [0, 0], 5), [np.nan, 0.0])
    assert np.isnan([pass_hat_k(2, 2, 3), g_pass_at_k(2, 2, 3, 0.5), mg_pass_at_k(2, 2, 3)]).all()


def test_plug_in_is_biased() -> None:
    assert pytest.approx(0.40951) == 1 - (1 - 1 / 10) ** 5
    assert pass_at_k(10, 1, 5) == 0.5


def test_binomials_overflow() -> None:
    with pytest.raises(OverflowError):
        float(math.comb(2000, 1000))
    exact = slow.pass_at_k(2000, 2, 1000)
    assert close(pass_at_k(2000, 2, 1000), exact)


def test_solved_problems_are_not_samples() -> None:
    solved = np.arange(164) < 50  # one attempt each
    assert pass_at_k(164, int(solved.sum()), 100) > 0.999999  # read as 50 of 164 samples of one problem
    per_problem = pass_at_k(np.ones(164, int), solved.astype(int), [1, 100])
    assert per_problem[:, 0].mean() == pytest.approx(50 / 164)
    assert np.isnan(per_problem[:, 1]).all()
    assert np.isnan(mean_pass_at_k(np.ones(164, int), solved, 100))


def test_each_problem_has_its_own_n() -> None:
    n, c = np.array([10, 4, 6]), np.array([1, 3, 0])
    frozen = [float(slow.pass_at_k(10, int(ci), 3) or 0) for ci in c]  # n of the first for all
    right = [float(slow.pass_at_k(int(ni), int(ci), 3) or 0) for ni, ci in zip(n, c, strict=True)]
    assert frozen != right
    np.testing.assert_allclose(pass_at_k(n, c, 3), right, rtol=1e-14)


def test_threshold_of_a_rounded_product() -> None:
    assert math.ceil(0.28 * 25) == 8  # the product is a little above 7
    expected, wrong = slow.at_least(40, 10, 25, 7), slow.at_least(40, 10, 25, 8)
    assert expected != wrong
    assert close(g_pass_at_k(40, 10, 25, 0.28), expected)
    for tau in range(1, 100):
        for k in (7, 25, 50, 93, 100):
            assert close(g_pass_at_k(100, 43, k, tau / 100), slow.g_pass_at_k(100, 43, k, Fraction(tau, 100)))


# Means, variances, distinct pairs.


@given(st.lists(counts(largest=40), min_size=1, max_size=80))
def test_mean_curve_is_the_mean_of_the_rows(pairs: list[tuple[int, int]]) -> None:
    n, c = np.array(pairs).T
    mean, rows = mean_pass_at_k(n, c), pass_at_k(n, c)
    for k in range(1, n.max() + 1):
        if (n >= k).any():
            assert mean[k - 1] == pytest.approx(rows[n >= k, k - 1].mean(), rel=1e-12)
    assert np.isnan(mean_pass_at_k(n, c, 41))


@given(st.lists(counts(), min_size=1, max_size=40), st.sampled_from(list(METRICS)))
def test_distinct_rows_spread_to_all(pairs: list[tuple[int, int]], metric: str) -> None:
    n, c = np.array(pairs).T
    rows, index = distinct_pass_rows(n, c, metric=metric)
    assert len(rows) == len(set(pairs))
    np.testing.assert_array_equal(rows[index], METRICS[metric](n, c))


@given(counts(largest=40), st.sampled_from(["pass@k", "pass^k"]))
def test_variance_equals_the_twin(nc: tuple[int, int], metric: str) -> None:
    n, c = nc
    got = pass_variance(n, c, range(1, n + 2), metric)
    for k in range(1, n + 2):
        exact = slow.variance_of_pass(n, c if metric == "pass@k" else n - c, k)
        assert close(got[k - 1], exact, 1e-11)


def test_variance_is_unbiased() -> None:
    n, p, k = 40, 0.1, 10
    law = np.array([math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)])
    estimate, all_c = pass_at_k(n, np.arange(n + 1), k), np.arange(n + 1)
    true = law @ (estimate - law @ estimate) ** 2
    assert true == pytest.approx(0.0379202, abs=5e-8)
    assert law @ pass_variance(np.full(n + 1, n), all_c, k) == pytest.approx(true, rel=1e-10)
    jackknife = [float(slow.jackknife_of_pass(n, int(c), k)) for c in all_c]
    assert law @ jackknife == pytest.approx(1.1228 * true, rel=1e-4)  # on the safe side


# How it runs.


def test_equal_bytes_for_any_threads(same_bytes) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(5)
    equal, ragged = np.full(3000, 70), rng.integers(0, 90, 3000)
    for n in (equal, ragged):
        c = rng.integers(0, n + 1)
        for fast in (pass_at_k, pass_hat_k, mg_pass_at_k, mean_pass_at_k):
            same_bytes(lambda threads, fast=fast, n=n, c=c: fast(n, c, threads=threads))
        same_bytes(lambda threads, n=n, c=c: g_pass_at_k(n, c, None, 0.6, threads=threads))
        same_bytes(lambda threads, n=n, c=c: pass_variance(n, c, threads=threads))


def test_a_problem_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(6)
    n = np.repeat([100, 64, 3], [400, 30, 20])  # more and fewer than one distinct pair in four
    c = rng.integers(0, n + 1)
    every = pass_at_k(n, c)
    for i in range(0, len(n), 7):
        np.testing.assert_array_equal(pass_at_k(n[i], c[i], np.arange(1, 101)), every[i])
    order = rng.permutation(len(n))
    np.testing.assert_array_equal(pass_at_k(n[order], c[order]), every[order])


def test_pinned_values() -> None:
    got = [pass_at_k(100, 3, 17), pass_hat_k(100, 90, 17), g_pass_at_k(100, 50, 17, 0.4), mg_pass_at_k(100, 70, 16)]
    assert [x.hex() for x in got] == PINNED


PINNED = ["0x1.ba24d182f4473p-2", "0x1.1fc58bfa42551p-3", "0x1.b68eae06ba964p-1", "0x1.9c33dfa61ff5fp-2"]


def test_k_in_any_order_and_repeated() -> None:
    k = np.array([5, 1, 100, 5, 3])
    np.testing.assert_array_equal(
        pass_at_k([7, 6], [2, 3], k)[:, [0, 1, 3, 4]], pass_at_k([7, 6], [2, 3])[:, k[[0, 1, 3, 4]] - 1]
    )
    assert np.isnan(pass_at_k([7, 6], [2, 3], k)[:, 2]).all()


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    pass_at_k(np.full(500, 50), np.arange(500) % 51, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


def test_memory_is_that_of_the_result() -> None:
    n = np.full(4000, 1000)
    tracemalloc.start()
    result = pass_at_k(n, np.arange(4000) % 1001)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.1 * result.nbytes


# What is handed in.


def test_shapes() -> None:
    assert pass_at_k(4, 1, 2) == 0.5
    assert isinstance(pass_at_k(4, 1, 2), float)
    assert pass_at_k(4, 1).shape == (4,)
    assert pass_at_k(4, 1, [2]).shape == (1,)
    assert pass_at_k(4, [1, 2, 3], 2).shape == (3,)
    assert pass_at_k([4, 5], 1).shape == (2, 5)
    assert pass_at_k([4], [1]).shape == (1, 4)
    assert pass_at_k([], []).shape == (0, 0)
    assert pass_at_k([], [], 3).shape == (0,)
    assert np.isnan(mean_pass_at_k([], [], 3))
    assert pass_variance([4, 5], 1, 2).shape == (2,)
    assert pass_variance(5, 1).shape == (5,)


@pytest.mark.parametrize("dtype", ["i1", "u2", "<i8", ">i4", "f4", ">f8", "O", "u8"])
def test_dtypes_and_layouts(dtype: str) -> None:
    n, c = np.array([9, 7, 5, 3]), np.array([4, 3, 0, 3])
    expected = pass_at_k(n, c)
    np.testing.assert_array_equal(pass_at_k(n.astype(dtype), c.astype(dtype)), expected)
    np.testing.assert_array_equal(pass_at_k(np.repeat(n, 3).astype(dtype)[::3], c.astype(dtype)[::-1][::-1]), expected)
    np.testing.assert_array_equal(pass_at_k(list(n), tuple(c)), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([5, 5], [1, 6]), r"num_correct\[1\] must be at most num_samples\[1\] = 5, got 6"),
        (([5, -1], [1, 0]), r"num_samples\[1\] must be at least 0, got -1"),
        (([5, 5], [1, -2]), r"num_correct\[1\] must be at least 0, got -2"),
        (([5, 5.5], [1, 2]), r"num_samples\[1\] must be a whole number, got 5.5"),
        (([5, 5], [1, np.nan]), r"num_correct\[1\] must be a whole number, got nan"),
        (([5, 5], [1]), r"num_correct must have the length of num_samples, 2, got 1"),
        (([[5, 5]], [1]), r"num_samples must be 0-D or 1-D, got shape \(1, 2\)"),
        ((5, 2, 0), r"k must be at least 1, got 0"),
        ((5, 2, [1, -3]), r"k\[1\] must be at least 1, got -3"),
        ((5, 2, 1.5), r"k must be a whole number, got 1.5"),
        ((5, 2, [[1]]), r"k must be 0-D or 1-D"),
        ((np.ma.masked_equal([5, 6], 6), 2), r"num_samples must not have masked entries"),
        ((2**60, 1, 1), r"num_samples\[0\] must be between 0 and 2\*\*53"),
    ],
)
def test_bad_values(arguments: tuple[object, ...], message: str) -> None:
    for fast in (pass_at_k, pass_hat_k, mg_pass_at_k, mean_pass_at_k, pass_variance):
        with pytest.raises(ValueError, match=message):
            fast(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["5", ["a"], None, [None], [1j], b"x", {"a": 1}, np.array(["2020"], "M8")])
def test_bad_types(bad: object) -> None:
    with pytest.raises(TypeError, match="num_samples"):
        pass_at_k(bad, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="num_correct"):
        pass_at_k(1, bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("tau", [-0.1, 1.1, np.nan, np.inf, [0.5]])
def test_bad_tau(tau: object) -> None:
    with pytest.raises(ValueError, match="tau must be"):
        g_pass_at_k(5, 2, 2, tau)  # type: ignore[arg-type]


def test_bad_metric_and_options() -> None:
    with pytest.raises(ValueError, match="metric must be"):
        pass_variance(5, 2, 2, "maj@k")
    with pytest.raises(ValueError, match="metric must be pass@k or pass\\^k"):
        pass_variance(5, 2, 2, "mg-pass@k")
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        pass_at_k(5, 2, 2, threads=0)
    with pytest.raises(TypeError, match="k must be None, an int"):
        pass_at_k(5, 2, True)
