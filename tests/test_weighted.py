"""Weighted maj@k: all subsets in rationals, the Monte Carlo error, shards and threads, mistakes of naive code."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from slowthink.reference import weighted as slow
from slowthink.samples import maj_at_k, weighted_maj_at_k

ANSWERS = [0, 0, 0, 1, 1, 2, 2, 3]
WEIGHTS = [3, 1, 2, 2, 2, 4, 1, 1]
GOLDEN = [Fraction(a, b) for a, b in [(3, 8), (11, 28), (137, 336), (59, 140), (149, 336), (43, 84), (11, 16), (1, 1)]]

ROWS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, -1, -2]), min_size=n, max_size=n),
        st.lists(st.sampled_from([0, 1, 2, 3, 0.5, 0.1, 0.2, 0.3, 1.25]), min_size=n, max_size=n),
    )
)


def test_published_values():
    estimate, standard_error = weighted_maj_at_k([ANSWERS], [WEIGHTS], [0])
    np.testing.assert_allclose(estimate[0], [float(p) for p in GOLDEN], rtol=1e-14)
    assert not standard_error.any()
    assert [slow.weighted_maj_at_k(ANSWERS, WEIGHTS, 0, k) for k in range(1, 9)] == GOLDEN


@given(ROWS, st.integers(0, 3))
def test_exact_equals_all_subsets(row, gold):
    answers, weights = row
    n = sum(answer != -1 for answer in answers)
    estimate, standard_error = weighted_maj_at_k(
        [answers], [weights], [gold], range(1, len(answers) + 1), method="exact"
    )
    for k in range(1, len(answers) + 1):
        if k > n:
            assert np.isnan(estimate[0, k - 1])
            assert np.isnan(standard_error[0, k - 1])
        else:
            exact = slow.weighted_maj_at_k(answers, weights, gold, k)
            assert estimate[0, k - 1] == pytest.approx(float(exact), abs=1e-13)


@given(ROWS, st.booleans())
def test_monte_carlo_is_near_all_subsets(row, control_variates):
    answers, weights = row
    n = sum(answer != -1 for answer in answers)
    if n == 0:
        return
    estimate, error = weighted_maj_at_k(
        [answers], [weights], [0], method="monte-carlo", n_resamples=4000, rng=1, control_variates=control_variates
    )
    for k in range(1, n + 1):
        exact = float(slow.weighted_maj_at_k(answers, weights, 0, k))
        # 6 standard errors, and room for an event so rare that no resample saw it.
        assert abs(estimate[0, k - 1] - exact) <= 6 * error[0, k - 1] + 2e-3
    assert estimate[0, n - 1] == pytest.approx(exact, abs=1e-12)
    assert error[0, n - 1] == pytest.approx(0, abs=1e-7)


def test_equal_weights_are_the_plain_vote():
    rng = np.random.default_rng(1)
    answers = rng.integers(0, 5, (20, 30))
    once, _ = weighted_maj_at_k(answers, np.ones((20, 30)), np.zeros(20))
    same, error = weighted_maj_at_k(answers, np.full((20, 30), np.pi), np.zeros(20))
    np.testing.assert_array_equal(once, same)
    np.testing.assert_array_equal(once, maj_at_k(answers, np.zeros(20)))
    assert not error.any()
    # The exact form for unequal weights agrees: one vote more, which weighs next to nothing.
    nearly = np.column_stack([np.full((20, 30), 2000), np.ones(20)])
    found, error = weighted_maj_at_k(np.column_stack([answers, np.full(20, 9)]), nearly, np.zeros(20), 31)
    np.testing.assert_allclose(found, maj_at_k(answers, np.zeros(20), 30), atol=1e-13)
    # counts (3, 2, 1) and (4, 4, 2): published maj@k.
    found, _ = weighted_maj_at_k([[0, 0, 0, 1, 1, 2]], [[0.7] * 6], [0])
    np.testing.assert_allclose(found[0], [1 / 2, 1 / 2, 3 / 5, 7 / 10, 3 / 4, 1], rtol=1e-14)
    found, _ = weighted_maj_at_k([[0] * 4 + [1] * 4 + [2] * 2], [[3] * 10], [0], [1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_allclose(found[0], [2 / 5, 2 / 5, 19 / 45, 47 / 105, 19 / 42, 33 / 70, 1 / 2], rtol=1e-13)


def _coverage(control_variates: bool) -> tuple[int, int, float]:
    """How many estimates lie within 1.96 standard errors of a known truth, of how many; their mean variance."""
    rng = np.random.default_rng(7)
    answers = rng.choice(6, size=(8, 40), p=[0.3, 0.25, 0.15, 0.1, 0.1, 0.1])
    weights = rng.integers(1, 6, (8, 40)) + 2 * (answers == 0) * rng.integers(0, 2, (8, 40))
    k = [2, 4, 8, 16, 24, 32]
    exact, none = weighted_maj_at_k(answers, weights, np.zeros(8), k, method="exact")
    assert not none.any()
    inside = total = 0
    variance = 0.0
    for seed in range(60):
        estimate, error = weighted_maj_at_k(
            answers, weights, np.zeros(8), k, n_resamples=500, rng=seed, method="monte-carlo",
            control_variates=control_variates,
        )  # fmt: skip
        usual = (exact > 0.02) & (exact < 0.98)
        inside += int((np.abs(estimate - exact) <= 1.96 * error)[usual].sum())
        total += int(usual.sum())
        variance += float((error**2)[:, 1].mean())
    return inside, total, variance / 60


def test_the_standard_error_covers_the_truth_as_often_as_it_says():
    variances = {}
    for control_variates in (False, True):
        inside, total, variances[control_variates] = _coverage(control_variates)
        # The k of a problem share their permutations: count the independent (seed, problem) pairs alone.
        pairs = 60 * 8
        low, high = binom.ppf([1e-5, 1 - 1e-5], pairs, 0.95) / pairs
        assert low <= inside / total <= high, (control_variates, inside / total)
    # At k = 4 the controls take out most of the variance.
    assert variances[False] / variances[True] > 2.5


def test_equal_bytes_for_threads_and_shards(same_bytes):
    rng = np.random.default_rng(3)
    answers = rng.integers(-2, 6, (9, 31))
    weights, gold = rng.random((9, 31)), rng.integers(0, 6, 9)
    whole = same_bytes(
        lambda threads: weighted_maj_at_k(answers, weights, gold, n_resamples=300, rng=5, threads=threads)
    )
    parts = [
        weighted_maj_at_k(
            answers[rows], weights[rows], gold[rows], range(1, 32), n_resamples=300, rng=5, first=rows.start
        )
        for rows in (slice(0, 2), slice(2, 3), slice(3, 9))
    ]
    for i in (0, 1):
        joined = np.concatenate([part[i] for part in parts])
        np.testing.assert_array_equal(joined[:, : whole[i].shape[1]], whole[i])
    shorter = weighted_maj_at_k(answers, weights, gold, [1, 2, 3], n_resamples=300, rng=6)
    assert not np.array_equal(shorter[0], whole[0][:, :3])


def test_value_stability():
    # A changed value here changes seeded results: it needs a line in CHANGELOG.md.
    estimate, error = weighted_maj_at_k([ANSWERS], [np.sqrt([2, 3, 5, 7, 11, 13, 17, 19])], [0], 4, rng=1)
    np.testing.assert_allclose([estimate[0], error[0]], PINNED, rtol=1e-12)


PINNED = [0.12608695652173915, 0.009376349059099587]


def test_layouts_and_forms_agree():
    rng = np.random.default_rng(4)
    answers, weights = rng.integers(0, 4, (5, 12)), rng.random((5, 12))
    gold = np.zeros(5, dtype=int)
    expected = weighted_maj_at_k(answers, weights, gold, rng=1)
    for a, w in [
        (np.asfortranarray(answers), np.asfortranarray(weights)),
        (answers.astype(">i2"), weights.astype(">f8")),
        (answers.astype(float), weights),
        (answers.tolist(), weights.tolist()),
        ([[f"answer {x}" for x in row] for row in answers], weights),
    ]:
        named = isinstance(a, list) and isinstance(a[0][0], str)
        found = weighted_maj_at_k(a, w, ["answer 0"] * 5 if named else gold, rng=1)
        np.testing.assert_array_equal(found, expected)
    ragged = weighted_maj_at_k([["x", "y", None], ["x"]], [[1, 2, np.nan], [1]], ["x", "x"])[0]
    padded = weighted_maj_at_k([[0, 1, -2], [0, -1, -1]], [[1, 2, 0], [1, 0, 0]], [0, 0])[0]
    np.testing.assert_array_equal(ragged, padded)
    assert np.isnan(ragged[1, 1])
    single = weighted_maj_at_k(answers, weights, gold, 3, rng=1)
    assert single[0].shape == single[1].shape == (5,)
    np.testing.assert_array_equal(single[0], expected[0][:, 2])
    assert weighted_maj_at_k(np.zeros((0, 4), int), np.zeros((0, 4)), [])[0].shape == (0, 4)
    assert np.isnan(weighted_maj_at_k([[-1, -1]], [[0, 0]], [0], 1)[0]).all()


def test_absent_and_silent_answers_score_nothing():
    assert not weighted_maj_at_k([ANSWERS], [WEIGHTS], [7])[0].any()
    assert not weighted_maj_at_k([["a", "b"]], [[1, 2]], ["c"])[0].any()
    assert not weighted_maj_at_k([[-2, -2, 0]], [[1, 1, 0]], [0])[0].any()
    np.testing.assert_allclose(weighted_maj_at_k([[0, -2, -2]], [[np.pi, 9, 9]], [0])[0], [[1 / 3, 2 / 3, 1]])


def test_the_estimate_is_unbiased_where_most_samples_are_silent():
    answers = [0, 0, 1, 1, 2, 2, -2, -2, -2, -2, -2, -2]
    row = (answers, [*np.sqrt([2, 3, 5, 7, 11, 13]), *[1.0] * 6])
    exact = [float(slow.weighted_maj_at_k(*row, 0, k)) for k in range(1, 13)]
    got, error = weighted_maj_at_k([row[0]], [row[1]], [0], method="monte-carlo", n_resamples=20_000, rng=3)
    assert (np.abs(got[0] - exact) <= 5 * error[0] + 1e-12).all()


# What naive code gets wrong.


def _first_seen(answers, weights, gold):
    sums: dict[int, float] = {}
    for answer, weight in zip(answers, weights, strict=True):
        sums[answer] = sums.get(answer, 0.0) + weight
    return float(max(sums, key=sums.__getitem__) == gold)


def test_ties_do_not_depend_on_the_order_of_the_samples():
    answers, weights = [0, 1, 1], [2, 1, 1]
    assert _first_seen(answers, weights, 0) != _first_seen(answers[::-1], weights[::-1], 0)
    for order in (slice(None), slice(None, None, -1)):
        assert weighted_maj_at_k([answers[order]], [weights[order]], [0], 3)[0] == 0.5
    order = np.random.default_rng(1).permutation(8)
    shuffled = weighted_maj_at_k([np.array(ANSWERS)[order]], [np.array(WEIGHTS)[order]], [0])[0]
    np.testing.assert_allclose(shuffled[0], [float(p) for p in GOLDEN], rtol=1e-13)


@pytest.mark.parametrize("method", ["auto", "monte-carlo"])
def test_decimals_tie_where_binary_sums_do_not(method):
    assert 0.1 + 0.2 != 0.3
    assert _first_seen([0, 0, 1], [0.1, 0.2, 0.3], 0) == _first_seen([1, 0, 0], [0.3, 0.1, 0.2], 0) == 1.0
    assert weighted_maj_at_k([[0, 0, 1]], [[0.1, 0.2, 0.3]], [0], 3, method=method)[0] == 0.5
    thirds = [[1 / 3, 2 / 3, 1.0, 0.2]]
    assert weighted_maj_at_k([[0, 0, 1, 2]], thirds, [0], 4, method=method)[0] == 0.5


def test_negative_weights_break_the_leader_update_and_are_refused():
    def leader_update(answers, weights):
        sums, best, leader = dict.fromkeys(answers, 0.0), -np.inf, -1
        for answer, weight in zip(answers, weights, strict=True):
            sums[answer] += weight
            if sums[answer] > best:
                best, leader = sums[answer], answer
        return leader, max(sums, key=sums.__getitem__)

    naive, right = leader_update([0, 1, 0], [2.0, 1.0, -1.5])
    assert naive != right
    with pytest.raises(ValueError, match=r"weights\[0, 2\] must be finite and at least 0 .*logits.*, got -1.5"):
        weighted_maj_at_k([[0, 1, 0]], [[2.0, 1.0, -1.5]], [0])


def test_a_prefix_is_not_the_mean_over_subsets():
    # The first k samples are one subset of many; the full vote says nothing about a smaller one.
    prefix = [_first_seen(ANSWERS[:k], WEIGHTS[:k], 0) for k in range(1, 9)]
    assert np.abs(np.array(prefix) - [float(p) for p in GOLDEN]).max() > 0.5


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"weights": [[1, np.nan]]}, r"weights\[0, 1\] must be finite"),
        ({"weights": [[1, np.inf]]}, r"weights\[0, 1\] must be finite"),
        ({"weights": [[1, 2, 3]]}, r"weights must have the shape of answers, \(1, 2\), got \(1, 3\)"),
        ({"weights": [1, 2]}, r"weights must be 2-D"),
        ({"answers": [[0, -3]]}, r"answers\[0, 1\] must be a code"),
        ({"answers": np.array([[0, 0.5]])}, r"answers\[0, 1\] must be a whole number"),
        ({"answers": [["a"]], "gold": ["a"]}, r"weights must have the shape of answers, \(1, 1\), got \(1, 2\)"),
        ({"answers": [[0], [1]], "gold": [0, 0], "weights": [[1], [1, 2]]}, r"weights\[1\] must have the length"),
        ({"gold": [0, 1]}, r"gold must have one entry a problem"),
        ({"gold": [-1]}, r"gold\[0\] must be at least 0"),
        ({"gold": [0.5]}, r"gold\[0\] must be a whole number"),
        ({"k": 0}, r"k must be at least 1"),
        ({"k": [1, 0]}, r"k\[1\] must be at least 1"),
        ({"n_resamples": 1}, r"n_resamples must be at least 2"),
        ({"first": -1}, r"first must be at least 0"),
        ({"method": "mc"}, r"method must be 'auto', 'exact' or"),
        ({"method": "exact", "weights": [[1, np.pi]]}, r"weights\[0\] must be whole multiples of a common unit"),
        ({"rng": -1}, r"rng must be"),
        ({"threads": 0}, r"threads must be"),
    ],
)
def test_bad_input_is_named(change, text):
    arguments = {"answers": [[0, 1]], "weights": [[1, 2]], "gold": [0], "k": None} | change
    with pytest.raises(ValueError, match=text):
        weighted_maj_at_k(**arguments)


def test_unhashable_answers_are_named():
    with pytest.raises(TypeError, match=r"answers\[0\]\[1\] must be hashable"):
        weighted_maj_at_k([["a", {}]], [[1, 2]], ["a"])


def test_extreme_weights():
    answers = [[0, 1, 1, 2]]
    for weights in ([[1e-300, 1e300, 1e-5, 3]], [[5e-324, np.pi, 1e308, 1e308]], [[1e308, 1.7e308, 1e308, np.pi]]):
        estimate, error = weighted_maj_at_k(answers, weights, [0], rng=1)
        assert np.isfinite(estimate).all()
        assert np.isfinite(error).all()
        assert estimate[0, 3] == 0
