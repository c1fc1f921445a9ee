"""Metrics of reward models against brute force, SciPy and the mistakes others made."""

from __future__ import annotations

import csv
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from slowthink import _run, _slowthink
from slowthink.reference import rating as rating_reference
from slowthink.reference import reward_models as reference
from slowthink.samples import SampleLog, bradley_terry, reward_model_metrics, roc_auc, win_matrix

ONE = _run.options(1)


@st.composite
def prompts(draw: Any, largest: int = 7) -> list[tuple[list[float], list[int]]]:
    """Scores, with many ties, and verdicts of up to six prompts of different lengths."""
    scores = st.sampled_from([-1.5, -0.0, 0.0, 0.25, 1.0, 3.0])
    lengths = draw(st.lists(st.integers(1, largest), min_size=1, max_size=6))
    return [
        (draw(st.lists(scores, min_size=n, max_size=n)), draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
        for n in lengths
    ]


def padded(rows: list[tuple[list[float], list[int]]], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Matrices with missing samples at random places, their verdicts NaN too."""
    width = max(len(scores) for scores, _ in rows) + 1
    scores, correct = np.full((len(rows), width), np.nan), np.full((len(rows), width), np.nan)
    rng = np.random.default_rng(seed)
    for row, (score, verdict) in enumerate(rows):
        places = np.sort(rng.permutation(width)[: len(score)])
        scores[row, places], correct[row, places] = score, verdict
    return scores, correct


@given(prompts())
def test_sample_metrics_equal_brute_force(rows: list[tuple[list[float], list[int]]]) -> None:
    scores, correct = padded(rows)
    found = reward_model_metrics(scores, correct, rng=0, n_orders=3)
    exact = reference.pair_accuracy(rows)
    aucs = [reference.pair_accuracy([row]) for row in rows]
    conflicting = [float(auc) for auc in aucs if auc is not None]
    np.testing.assert_allclose(found.accuracy, math.nan if exact is None else float(exact), rtol=1e-12)
    np.testing.assert_allclose(found.mean_prompt_auc, np.mean(conflicting) if conflicting else math.nan, rtol=1e-12)
    np.testing.assert_allclose(
        roc_auc(scores, correct), [math.nan if auc is None else float(auc) for auc in aucs], rtol=1e-12
    )
    pool = [([x for s, _ in rows for x in reference.stretched(s)], [x for _, c in rows for x in c])]
    pooled = reference.pair_accuracy(pool)
    np.testing.assert_allclose(found.roc_auc, math.nan if pooled is None else float(pooled), rtol=1e-12)
    assert found.n_samples == sum(len(s) for s, _ in rows)
    for at, k in enumerate(found.k):
        enough = [row for row in rows if len(row[0]) >= k]
        if not enough:
            assert math.isnan(found.best_of_k[at])
            assert math.isnan(found.oracle[at])
            continue
        curve = sum((reference.best_of_k(*row, int(k)) for row in enough), Fraction(0)) / len(enough)
        oracle = sum((reference.best_of_k(row[1], row[1], int(k)) for row in enough), Fraction(0)) / len(enough)
        assert found.best_of_k[at] == pytest.approx(float(curve), rel=1e-12, abs=1e-15)
        assert found.oracle[at] == pytest.approx(float(oracle), rel=1e-12, abs=1e-15)
    assert found.preference_accuracy is None
    assert found.models is None


def test_best_of_k_matches_the_golden_curve() -> None:
    found = reward_model_metrics([[1, 1, 2, 2, 2, 3, 0, 3]], [[1, 0, 1, 1, 0, 0, 1, 1]], rng=0)
    expected = [5 / 8, 4 / 7, 187 / 336, 15 / 28, 29 / 56, 85 / 168, 1 / 2, 1 / 2]
    np.testing.assert_allclose(found.best_of_k, expected, rtol=1e-13)
    assert found.end_score == 0.5
    n, c = 8, 5
    oracle = [1 - math.comb(n - c, k) / math.comb(n, k) for k in range(1, 9)]
    np.testing.assert_allclose(found.oracle, oracle, rtol=1e-13)
    assert found.best_of_k_loss == pytest.approx(np.mean((np.array(oracle) - expected) ** 2))


def test_long_rows_keep_their_precision() -> None:
    rng = np.random.default_rng(0)
    correct = rng.random((3, 4000)) < 0.01
    scores = rng.normal(size=(3, 4000)) + correct
    found = reward_model_metrics(scores, correct, k=[1, 100, 3999, 4000], n_orders=1, rng=0)
    assert found.best_of_k[0] == pytest.approx(correct.mean(), rel=1e-12)
    assert found.end_score == np.mean([correct[i, scores[i].argmax()] for i in range(3)])
    for row in range(3):
        order = np.argsort(-scores[row])
        ranks = np.flatnonzero(correct[row][order])  # from the best, from 0
        one = reward_model_metrics(scores[[row]], correct[[row]], k=100, n_orders=1, rng=0)
        exact = sum(Fraction(math.comb(4000 - 1 - int(r), 99), math.comb(4000, 100)) for r in ranks)
        assert one.best_of_k[0] == pytest.approx(float(exact), rel=1e-11)


def test_max_score_is_the_mean_over_orders() -> None:
    rows = [([0.1, 0.7, 0.7, 0.2], [0, 1, 0, 1]), ([3.0, 1.0, 2.0, 2.0], [0, 1, 1, 0])]
    exact = float(reference.max_score(rows))
    scores, correct = (np.array([row[i] for row in rows]) for i in range(2))
    peaks = np.empty(20_000)
    k = np.arange(1, 5)
    _slowthink.reward_model_max_scores(scores, correct, k, [1, 2, 3, 4], 0, peaks, ONE)
    assert abs(peaks.mean() - exact) < 5 * peaks.std() / math.sqrt(len(peaks))
    found = reward_model_metrics(scores, correct, rng=3, n_orders=4000)
    assert found.max_score == pytest.approx(exact, abs=0.03)
    assert found.max_score > max(found.best_of_k)


def test_max_scores_do_not_depend_on_threads_or_shards(same_bytes: Any) -> None:
    rng = np.random.default_rng(0)
    scores, correct = rng.integers(0, 9, (500, 20)).astype(float), rng.random((500, 20)) < 0.4
    scores[rng.random((500, 20)) < 0.1] = np.nan
    k = np.arange(1, 21)

    def call(threads: int, first: int = 5, n: int = 300) -> np.ndarray:
        out = np.empty(n)
        _slowthink.reward_model_max_scores(scores, correct, k, [1, 2, 3, 4], first, out, _run.options(threads))
        return out

    whole = same_bytes(call)
    assert whole.tobytes() == np.concatenate([call(2, 5, 100), call(1, 105, 200)]).tobytes()
    same_bytes(lambda threads: reward_model_metrics(scores, correct, rng=1, threads=threads))
    same_bytes(lambda threads: roc_auc(np.tile(scores, (20, 1)), np.tile(correct, (20, 1)), threads=threads))


@pytest.mark.parametrize("levels", [3, 10_000])
def test_auc_and_rank_correlations_equal_scipy(levels: int) -> None:
    rng = np.random.default_rng(levels)
    scores, correct = rng.integers(0, levels, (20, 50)) * 0.37, rng.random((20, 50)) < 0.3
    for auc, score, verdict in zip(roc_auc(scores, correct), scores, correct, strict=True):
        u = scipy.stats.mannwhitneyu(score[verdict], score[~verdict]).statistic
        assert auc == pytest.approx(u / (verdict.sum() * (~verdict).sum()), rel=1e-12)
    x = rng.integers(0, levels, 400).astype(float)
    y = np.where(rng.random(400) < 0.5, x, rng.integers(0, levels, 400))
    assert _slowthink.spearman(x, y, ONE) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, rel=1e-12)
    assert _slowthink.kendall_tau(x, y, ONE) == pytest.approx(scipy.stats.kendalltau(x, y).statistic, rel=1e-12)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=20))
def test_rank_correlations_equal_their_definitions(points: list[tuple[int, int]]) -> None:
    x, y = np.array([p[0] for p in points], float), np.array([p[1] for p in points], float)
    for fast, slow in (
        (_slowthink.spearman, reference.spearman),
        (_slowthink.kendall_tau, reference.kendall_tau),
    ):
        np.testing.assert_allclose(fast(x, y, ONE), slow(x.tolist(), y.tolist()), atol=1e-12)


# Pitfalls


def test_ties_do_not_depend_on_the_order_of_samples() -> None:
    scores, correct = np.array([[7.0, 7.0, 5.0]]), np.array([[1, 0, 0]])

    def naive(scores: np.ndarray, correct: np.ndarray) -> float:
        return float(correct[0, np.argmax(scores[0])])

    assert naive(scores, correct) != naive(scores[:, ::-1], correct[:, ::-1])
    here, there = (
        reward_model_metrics(s, c, rng=0) for s, c in ((scores, correct), (scores[:, ::-1], correct[:, ::-1]))
    )
    assert here.best_of_k.tolist() == there.best_of_k.tolist()
    assert here.end_score == here.accuracy - 0.25 == 0.5


def test_missing_scores_are_left_out_and_not_sorted_to_the_top() -> None:
    scores, correct = np.array([[0.2, np.nan, 0.9]]), np.array([[0, 1, 1]])
    assert np.argsort(scores[0])[-1] == 1  # the naive choice: NaN sorts last
    found = reward_model_metrics(scores, correct, rng=0)
    assert (found.accuracy, found.n_samples, found.n_conflict_pairs) == (1, 2, 1)
    assert found.best_of_k[:2].tolist() == [0.5, 1]
    assert math.isnan(found.best_of_k[2])
    assert math.isnan(found.end_score)
    with pytest.raises(ValueError, match=r"scores\[0, 1\] must be finite, or NaN"):
        reward_model_metrics([[0.2, np.inf]], [[0, 1]])


# Battles


def some_battles(n: int = 600, models: int = 5, noise: float = 1.0, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    strength = np.linspace(-0.8, 0.8, models)
    a = rng.integers(0, models, n)
    b = (a + rng.integers(1, models, n)) % models
    gap = strength[a] - strength[b]
    human = (rng.random(n) < 1 / (1 + np.exp(-gap))).astype(float)
    human[rng.random(n) < 0.15] = 0.5
    reward_a = np.round(strength[a] + noise * rng.normal(size=n), 1)
    reward_b = np.round(strength[b] + noise * rng.normal(size=n), 1)
    names = np.array([f"m{i}" for i in range(models)])
    return {"model_a": names[a], "model_b": names[b], "outcome": human, "reward_a": reward_a, "reward_b": reward_b}


def test_battle_metrics_follow_their_definitions() -> None:
    battles = some_battles()
    predicted = (np.sign(battles["reward_a"] - battles["reward_b"]) + 1) / 2
    human = battles["outcome"]
    found = reward_model_metrics(battles=battles, rng=1)
    assert found.accuracy is None
    decided = human != 0.5
    right = np.where(predicted == 0.5, 0.5, predicted == human)[decided].mean()
    assert found.preference_accuracy == pytest.approx(right)
    tables = [win_matrix(battles["model_a"], battles["model_b"], o)[:2] for o in (human, predicted)]
    truth, guess = (rating_reference.bradley_terry(*table) for table in tables)
    np.testing.assert_allclose(found.human_rating, truth, atol=1e-9)
    np.testing.assert_allclose(found.predicted_rating, guess, atol=1e-9)
    assert found.spearman == pytest.approx(scipy.stats.spearmanr(truth, guess).statistic)
    assert found.kendall == pytest.approx(scipy.stats.kendalltau(truth, guess).statistic)
    rows = []
    for i in range(5):
        rates = []
        for wins, ties in tables:
            points = wins + ties / 2
            rates.append([points[i, j] / (points[i, j] + points[j, i]) for j in range(5) if j != i])
        rows.append(np.corrcoef(rates)[0, 1])
    assert found.row_pearson == pytest.approx(np.mean(rows))
    # The parts that need a bootstrap: from rounds of another seed, within their noise.
    fits = [bradley_terry(w, ties=t, confidence=0.95, interval="bootstrap", n_resamples=1000, rng=9) for w, t in tables]
    apart = agree = brier = 0.0
    pairs = [(i, j) for i in range(5) for j in range(i)]
    for i, j in pairs:
        sides = []
        for fit in fits:
            sides.append(int(fit.low[i] > fit.high[j]) - int(fit.low[j] > fit.high[i]))
        apart += sides[1] != 0
        agree += sides[0] * sides[1]
        ahead = np.mean(fits[1].resamples[:, i] > fits[1].resamples[:, j])
        brier += (ahead - (truth[i] > truth[j])) ** 2
    assert found.separability == pytest.approx(apart / len(pairs), abs=0.1)
    assert found.confidence_agreement == pytest.approx(agree / len(pairs), abs=0.1)
    assert found.brier == pytest.approx(brier / len(pairs), abs=0.03)
    assert found.models == tuple(f"m{i}" for i in range(5))


def test_a_perfect_and_an_inverted_judge() -> None:
    battles = some_battles(4000)
    strength = {f"m{i}": i for i in range(5)}
    sure = [float(strength[a] > strength[b]) for a, b in zip(battles["model_a"], battles["model_b"], strict=True)]
    rng = np.random.default_rng(0)
    flipped = rng.random(4000) < 0.2  # so that nobody is unbeaten
    sure = np.where(flipped, 1 - np.array(sure), sure)
    settings: dict[str, Any] = {"n_resamples": 300, "rng": 2}
    columns = {key: battles[key] for key in ("model_a", "model_b", "outcome")}
    good = reward_model_metrics(battles={**columns, "predicted": sure}, **settings)
    bad = reward_model_metrics(battles={**columns, "predicted": 1 - sure}, **settings)
    assert (good.spearman, good.kendall) == (1, 1)
    assert (bad.spearman, bad.kendall) == (-1, -1)
    assert good.confidence_agreement == -bad.confidence_agreement > 0.8
    assert good.separability == bad.separability == 1
    assert good.brier < 0.01
    assert bad.brier > 0.99
    assert good.row_pearson == pytest.approx(-bad.row_pearson)
    assert good.row_pearson > 0
    same = reward_model_metrics(battles={**columns, "predicted": battles["outcome"]}, **settings)
    assert (same.preference_accuracy, same.spearman, same.row_pearson) == (1, 1, pytest.approx(1))


def test_both_inputs_at_once_and_a_data_frame() -> None:
    pandas = pytest.importorskip("pandas")
    scores, correct = np.random.default_rng(0).random((2, 30, 8))
    both = reward_model_metrics(scores, correct < 0.5, battles=pandas.DataFrame(some_battles()), rng=4)
    alone = reward_model_metrics(scores, correct < 0.5, rng=4)
    battle = reward_model_metrics(battles=some_battles(), rng=4)
    assert (both.max_score, both.accuracy) == (alone.max_score, alone.accuracy)
    assert (both.brier, both.separability) == (battle.brier, battle.separability)


def test_a_winless_model_is_named_with_its_side() -> None:
    battles = some_battles(200)
    battles["reward_a"] = np.where(battles["model_a"] == "m0", -9, battles["reward_a"])
    battles["reward_b"] = np.where(battles["model_b"] == "m0", -9, battles["reward_b"])
    with pytest.raises(ValueError, match=r'battles, predicted winners: wins.*winless: "m0"'):
        reward_model_metrics(battles=battles)
    assert np.isfinite(reward_model_metrics(battles=battles, ridge=0.1, n_resamples=20, rng=0).spearman)


# Bad input


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, ValueError, "scores and correct, or battles, must be given"),
        ({"scores": [[1.0]]}, ValueError, "scores and correct must be given together"),
        ({"scores": [1.0], "correct": [[1]]}, ValueError, "scores must be 2-D"),
        ({"scores": [[1.0]], "correct": [[1, 0]]}, ValueError, r"correct must have the shape of scores, \(1, 1\)"),
        ({"scores": [[1.0]], "correct": [[2]]}, ValueError, r"correct\[0, 0\] must be 0 or 1.*got 2"),
        ({"scores": [[1.0]], "correct": [[math.nan]]}, ValueError, r"correct\[0, 0\] must be 0 or 1"),
        ({"scores": [["a"]], "correct": [[1]]}, TypeError, "scores must be an array of numbers"),
        ({"scores": np.zeros((0, 3)), "correct": np.zeros((0, 3))}, ValueError, "scores must not be empty"),
        ({"scores": [[1.0]], "correct": [[1]], "k": 0}, ValueError, "k must be at least 1"),
        ({"scores": [[1.0]], "correct": [[1]], "k": []}, ValueError, "k must not be empty"),
        ({"scores": [[1.0]], "correct": [[1]], "n_orders": 0}, ValueError, "n_orders must be at least 1"),
        ({"scores": [[1.0]], "correct": [[1]], "confidence": 2}, ValueError, "confidence must be between 0 and 1"),
        ({"battles": 3}, TypeError, "battles must be a mapping or a data frame"),
        ({"battles": {"model_a": ["x"]}}, ValueError, "battles must have a column 'model_b'"),
        (
            {"battles": {"model_a": ["x"], "model_b": ["y"], "outcome": [1]}},
            ValueError,
            "battles must have a column 'predicted', or 'reward_a' and 'reward_b'",
        ),
        (
            {"battles": {"model_a": ["x"], "model_b": ["y"], "outcome": [3], "predicted": [1]}},
            ValueError,
            r"battles\['outcome'\]\[0\] must be 1",
        ),
        (
            {"battles": {"model_a": ["x"], "model_b": ["y"], "outcome": [1], "reward_a": [1], "reward_b": [1, 2]}},
            ValueError,
            r"battles\['reward_b'\] must have the length",
        ),
        (
            {"battles": {"model_a": ["x"], "model_b": ["y"], "outcome": [1], "reward_a": [math.nan], "reward_b": [1]}},
            ValueError,
            r"battles\['reward_a'\]\[0\] must be finite",
        ),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        reward_model_metrics(**arguments)


@pytest.mark.parametrize("dtype", [np.float32, ">f8", np.int16, object])
def test_any_dtype_and_layout(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    scores, correct = rng.integers(0, 9, (6, 10)), rng.integers(0, 2, (6, 10))
    expected = roc_auc(scores, correct)
    np.testing.assert_array_equal(roc_auc(scores.astype(dtype), correct.astype(dtype)), expected)
    np.testing.assert_array_equal(roc_auc(np.asfortranarray(scores), correct.astype(bool)), expected)
    np.testing.assert_array_equal(roc_auc(scores[:, ::-1], correct[:, ::-1]), expected)


def test_k_beyond_the_samples_is_not_defined() -> None:
    found = reward_model_metrics([[1.0, 2.0]], [[1, 0]], k=[1, 5], rng=0)
    assert found.best_of_k[0] == 0.5
    assert math.isnan(found.best_of_k[1])
    assert math.isnan(found.oracle[1])
    assert found.best_of_k_loss == 0
    assert roc_auc(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0,)
    assert np.isnan(roc_auc(np.full((2, 3), np.nan), np.zeros((2, 3)))).all()


# Real data


def test_published_win_rates_of_alpaca_eval(shared_data: Path) -> None:
    """The win rates and standard errors of the leaderboard, to the digits published, and a rating of its models."""
    folder = shared_data / "alpaca_eval_prefs"
    if not folder.is_dir():
        pytest.skip(f"no alpaca_eval_prefs in {shared_data}")
    with (folder / "alpaca_eval_gpt4_pref.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    with (folder / "known_alpaca_eval_gpt4_leaderboard.csv").open(encoding="utf-8") as file:
        published = {row[""]: row for row in csv.DictReader(file)}
    value = {"1": 0.0, "2": 1.0, "0": 0.5, "1.5": 0.5, "1.0": 0.0, "2.0": 1.0, "0.0": 0.5}
    checked = 0
    battles: tuple[list[str], list[str], list[float]] = ([], [], [])
    for column, model in enumerate(header[3:], 3):
        judged = [(row[0], value[row[column]]) for row in rows if row[column] != ""]
        for _, outcome in judged:
            for to, item in zip(battles, (model, "text_davinci_003", outcome), strict=True):
                to.append(item)
        if model not in published:
            continue
        curve = SampleLog(problem=[r[0] for r in judged], correct=[r[1] for r in judged]).curve("mean")
        row = published[model]
        assert 100 * curve.mean[0] == pytest.approx(float(row["win_rate"]), rel=1e-6), model
        assert 100 * curve.standard_error[0] == pytest.approx(float(row["standard_error"]), rel=1e-6), model
        assert len(judged) == int(row["n_total"])
        checked += 1
    assert checked >= 52
    # All met the reference alone: the rating of a model is the log odds of its win rate.
    wins, ties, names = win_matrix(*battles)
    fit = bradley_terry(wins, ties=ties, names=names, anchor="text_davinci_003", confidence=0.95)
    for player, name in enumerate(names):
        if name in published and name != "text_davinci_003":
            rate = float(published[name]["win_rate"]) / 100
            assert fit.rating[player] == pytest.approx(math.log(rate / (1 - rate)), rel=1e-6), name
            # Its robust error is that of the win rate, carried over to log odds (ddof 0 instead of 1).
            error = float(published[name]["standard_error"]) / 100 / (rate * (1 - rate))
            assert fit.standard_error[player] == pytest.approx(error, rel=2e-3), name
