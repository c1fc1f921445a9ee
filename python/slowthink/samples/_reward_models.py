"""How good a reward model is: against verdicts on samples, and against human preferences between models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.samples._battles import codes_of, counts_of, outcomes_of
from slowthink.samples._rating import _count, _level, bradley_terry


@dataclass(frozen=True, eq=False)
class RewardModelMetrics:
    """What :func:`reward_model_metrics` found; None where the input for it was not given, NaN where undefined.

    Attributes
    ----------
    accuracy : float
        From samples: share of conflict pairs (a correct and an incorrect sample of one prompt) in which the correct
        sample scores higher, ties counting half. All such pairs, each with the same weight.
    mean_prompt_auc : float
        The same within each prompt (which is its ROC AUC), averaged over the prompts that have conflict pairs.
    roc_auc : float
        ROC AUC of all samples together, the scores of each prompt first stretched to [0, 1] (0.5 where all are equal).
    k : (K,) int64
        Where the curves are given.
    best_of_k : (K,) float64
        Expected correctness of the highest-scoring of k samples, ties at random: exact over all subsets. Averaged over
        the prompts with at least k samples. A curve that falls with k is over-optimisation.
    oracle : (K,) float64
        The same for a perfect judge: ``1 - C(n - c, k) / C(n, k)``.
    best_of_k_loss : float
        Mean over k of ``(oracle - best_of_k)**2``.
    max_score : float
        Mean over random orders of the samples (the same for all prompts) of the largest value of the best-of-k curve
        of that order.
    end_score : float
        ``best_of_k`` at the largest k.
    n_conflict_pairs, n_samples : int
        Conflict pairs, and samples that have a score.
    preference_accuracy : float
        From battles: share of battles with a human winner whose winner is predicted; a predicted tie counts half.
    spearman, kendall : float
        Rank correlation (Spearman's with middle ranks, Kendall's tau-b) of the Bradley-Terry ratings of the models
        fitted on human and on predicted winners.
    row_pearson : float
        Mean over models of Pearson's correlation between their human and predicted win rates against the opponents
        they met; models that met fewer than two, or have a constant row, are left out.
    separability : float
        Share of pairs of models whose predicted ratings have bootstrap intervals that do not overlap.
    confidence_agreement : float
        Mean over pairs of models of +1 where human and predicted intervals both separate them in the same order, -1
        where in opposite order, 0 otherwise.
    brier : float
        Mean over pairs of models of ``(p - y)**2``: p the share of bootstrap rounds of the predicted ratings in which
        the first is ahead, y = 1 if it is ahead in the human ratings, 0 if behind, 1/2 if level.
    models : tuple of str
        The models of the battles.
    human_rating, predicted_rating : (M,) float64
        Their Bradley-Terry ratings in natural units, sum 0.
    """

    accuracy: float | None = None
    mean_prompt_auc: float | None = None
    roc_auc: float | None = None
    k: npt.NDArray[np.int64] | None = None
    best_of_k: npt.NDArray[np.float64] | None = None
    oracle: npt.NDArray[np.float64] | None = None
    best_of_k_loss: float | None = None
    max_score: float | None = None
    end_score: float | None = None
    n_conflict_pairs: int | None = None
    n_samples: int | None = None
    preference_accuracy: float | None = None
    spearman: float | None = None
    kendall: float | None = None
    row_pearson: float | None = None
    separability: float | None = None
    confidence_agreement: float | None = None
    brier: float | None = None
    models: tuple[str, ...] | None = None
    human_rating: npt.NDArray[np.float64] | None = None
    predicted_rating: npt.NDArray[np.float64] | None = None


def roc_auc(
    scores: npt.ArrayLike,
    correct: npt.ArrayLike,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """ROC AUC of the scores of each prompt: P(a correct sample scores above an incorrect one), ties counting half.

    Parameters
    ----------
    scores : (P, n) numbers
        NaN where a prompt has fewer samples.
    correct : (P, n) of 0 and 1
        Ignored where the score is NaN.
    threads, progress
        See :mod:`slowthink`.

    Returns
    -------
    (P,) float64
        NaN for a prompt whose samples are all correct or all incorrect.

    Raises
    ------
    ValueError
        On infinite scores, on verdicts other than 0 and 1, on unequal shapes.

    Notes
    -----
    Exact: from the sums of the ranks, ties at their middle rank. Costs a sort of each row.

    Examples
    --------
    >>> from slowthink.samples import roc_auc
    >>> roc_auc([[0.1, 0.4, 0.4, 0.9], [1, 2, 3, 4]], [[0, 0, 1, 1], [1, 1, 1, 1]])
    array([0.875,   nan])
    """
    score, verdict = _samples(scores, correct)
    out = np.empty(len(score))
    _slowthink.roc_auc(score, verdict, out, _run.options(threads, progress))
    return out


def reward_model_metrics(
    scores: npt.ArrayLike | None = None,
    correct: npt.ArrayLike | None = None,
    *,
    battles: Mapping[str, Any] | Any = None,
    k: npt.ArrayLike | None = None,
    n_orders: int = 100,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    ridge: float = 0.0,
    rng: _run.RNG = None,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> RewardModelMetrics:
    """The metrics of Preference Proxy Evaluations: how well a reward model ranks samples, and models by battles.

    Parameters
    ----------
    scores, correct : (P, n)
        Reward and verdict (0 or 1) of each sample of each prompt. NaN scores mark samples that are missing: they are
        left out, never ranked.
    battles : mapping or data frame, optional
        Columns of equal length N: ``model_a``, ``model_b``, ``outcome`` (1: the human prefers a, 0: b, 0.5: tie) and
        either ``reward_a`` and ``reward_b`` (the larger wins, equal ones tie) or ``predicted`` (as ``outcome``).
    k : None, int or (K,) ints
        Where the best-of-k curve is taken; None: 1 to n.
    n_orders : int
        Random orders for ``max_score``.
    confidence : float
        Level of the bootstrap intervals of ratings.
    n_resamples : int
        Rounds of the bootstrap.
    ridge : float
        Of :func:`bradley_terry`, for battles in which a model never wins or never loses.
    rng : None, int, SeedSequence or Generator
        Seed of the orders and of the bootstraps.
    threads, progress
        See :mod:`slowthink`.

    Returns
    -------
    RewardModelMetrics

    Raises
    ------
    ValueError
        If neither samples nor battles are given, on bad values, and where a model has no finite rating.

    Notes
    -----
    The metrics are those of Frick et al., How to Evaluate Reward Models for RLHF (2024, arXiv 2410.14872);
    separability, confidence agreement and the Brier score come from Li et al., From Crowdsourced Data to High-Quality
    Benchmarks: Arena-Hard (2024, arXiv 2406.11939). Where their text leaves a choice:

    * accuracy is over all conflict pairs rather than over a sample of them;
    * the best-of-k curve, its end and its loss are exact expectations over all orders (theirs are means over 100);
      the maximum has no closed form and is the mean over ``n_orders`` random orders;
    * shares are fractions, not percentages;
    * a prompt whose scores are all equal enters the pooled AUC at 0.5;
    * win rates count a tie as half, and rows leave out the model itself and opponents it never met;
    * the probability in the Brier score is a share of bootstrap rounds; no normal law is fitted to them;
    * human and predicted battles are resampled independently.

    Ratings use :func:`bradley_terry` in natural units: a change of scale changes none of the metrics.

    Examples
    --------
    >>> from slowthink.samples import reward_model_metrics
    >>> scores = [[0.2, 0.9, 0.5, 0.1], [0.8, 0.3, 0.4, 0.6]]
    >>> correct = [[0, 1, 0, 0], [0, 0, 1, 1]]
    >>> found = reward_model_metrics(scores, correct, rng=1)
    >>> round(found.accuracy, 3), found.best_of_k.round(3), found.end_score
    (0.714, array([0.375, 0.5  , 0.5  , 0.5  ]), 0.5)
    """
    if (scores is None) != (correct is None):
        raise ValueError("scores and correct must be given together")
    if scores is None and battles is None:
        raise ValueError("scores and correct, or battles, must be given")
    options = _run.options(threads, progress)
    orders = _count(n_orders, "n_orders", 1)
    rounds = _count(n_resamples, "n_resamples", 1)
    level = _level(confidence)
    # One generator deals the seeds of the parts, so that each has its own and an int repeats them all.
    dealer = np.random.default_rng(_run.seed(rng))
    order_seed, human_seed, predicted_seed = (_run.seed(dealer) for _ in range(3))
    found: dict[str, Any] = {}
    if scores is not None and correct is not None:
        found |= _from_samples(scores, correct, k, orders, order_seed, options)
    if battles is not None:
        settings = {"confidence": level, "interval": "bootstrap", "n_resamples": rounds, "ridge": ridge}
        settings |= {"threads": threads, "progress": progress}
        found |= _from_battles(battles, settings, human_seed, predicted_seed)
    return RewardModelMetrics(**found)


def _samples(scores: npt.ArrayLike, correct: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    score, verdict = _arrays.matrix(scores, "scores"), _arrays.matrix(correct, "correct")
    if score.shape != verdict.shape:
        raise ValueError(f"correct must have the shape of scores, {score.shape}, got {verdict.shape}")
    return score, verdict


def _from_samples(
    scores: npt.ArrayLike,
    correct: npt.ArrayLike,
    k: npt.ArrayLike | None,
    n_orders: int,
    seed: npt.NDArray[np.uint64],
    options: _run.Options,
) -> dict[str, Any]:
    score, verdict = _samples(scores, correct)
    if score.size == 0:
        raise ValueError(f"scores must not be empty, got shape {score.shape}")
    ks, _ = _arrays.k_values(k, score.shape[1])
    if ks.size == 0:
        raise ValueError("k must not be empty")
    curve, oracle, peaks = np.empty(len(ks)), np.empty(len(ks)), np.empty(n_orders)
    accuracy, pooled, mean_auc, pairs, n_samples = _slowthink.reward_model_correctness(
        score, verdict, ks, curve, oracle, options
    )
    _slowthink.reward_model_max_scores(score, verdict, ks, seed.tolist(), 0, peaks, options)
    defined = ~np.isnan(curve)
    return {
        "accuracy": accuracy,
        "mean_prompt_auc": mean_auc,
        "roc_auc": pooled,
        "k": ks,
        "best_of_k": curve,
        "oracle": oracle,
        "best_of_k_loss": float(np.mean((oracle - curve)[defined] ** 2)) if defined.any() else float("nan"),
        "max_score": float(peaks.mean()),
        "end_score": float(curve[ks.argmax()]),
        "n_conflict_pairs": pairs,
        "n_samples": n_samples,
    }


def _from_battles(
    battles: Any, settings: dict[str, Any], human_seed: npt.NDArray[np.uint64], predicted_seed: npt.NDArray[np.uint64]
) -> dict[str, Any]:
    codes, names = codes_of(_column(battles, "model_a"), _column(battles, "model_b"))
    n = len(codes[0])
    human = outcomes_of(_column(battles, "outcome"), n, "battles['outcome']")
    if _has(battles, "predicted"):
        predicted = outcomes_of(_column(battles, "predicted"), n, "battles['predicted']")
    elif _has(battles, "reward_a") and _has(battles, "reward_b"):
        a, b = (_arrays.floats(_column(battles, key), f"battles['{key}']", ndim=1) for key in ("reward_a", "reward_b"))
        for key, reward in (("reward_a", a), ("reward_b", b)):
            if len(reward) != n:
                raise ValueError(f"battles['{key}'] must have the length of model_a, {n}, got {len(reward)}")
        predicted = np.where(a > b, 1.0, np.where(a < b, 0.0, 0.5))
    else:
        raise ValueError("battles must have a column 'predicted', or 'reward_a' and 'reward_b'")
    decided = human != 0.5
    fits, rates = [], []
    for side, outcome, seed in (("human", human, human_seed), ("predicted", predicted, predicted_seed)):
        wins, ties = counts_of(codes, outcome, len(names))
        try:
            fit = bradley_terry(wins, ties=ties, names=names, rng=np.random.default_rng(seed), **settings)
        except ValueError as error:
            raise ValueError(f"battles, {side} winners: {error}") from None
        fits.append(fit)
        points = wins + 0.5 * ties
        with np.errstate(invalid="ignore"):
            rates.append(points / (points + points.T))
    truth, guess = fits
    options = _run.options(1, False)
    first, second = np.triu_indices(len(names), 1)
    order, predicted_order = (np.sign(fit.rating[first] - fit.rating[second]) for fit in fits)
    separate, predicted_separate = (_separate(fit, first, second) for fit in fits)
    assert guess.resamples is not None  # asked for in the settings
    kept = guess.resamples[~np.isnan(guess.resamples[:, 0])]
    ahead = np.full(len(first), np.nan)
    if len(kept):
        for at, (i, j) in enumerate(zip(first, second, strict=True)):
            ahead[at] = np.mean(0.5 + 0.5 * np.sign(kept[:, i] - kept[:, j]))
    return {
        "preference_accuracy": float(np.mean(1.0 - np.abs(human - predicted)[decided])) if decided.any() else np.nan,
        "spearman": _slowthink.spearman(truth.rating, guess.rating, options),
        "kendall": _slowthink.kendall_tau(truth.rating, guess.rating, options),
        "row_pearson": _row_pearson(*rates),
        "separability": float(predicted_separate.mean()),
        "confidence_agreement": float(np.mean(order * predicted_order * (separate & predicted_separate))),
        "brier": float(np.mean((ahead - (0.5 + 0.5 * order)) ** 2)),
        "models": names,
        "human_rating": truth.rating,
        "predicted_rating": guess.rating,
    }


def _separate(fit: Any, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which pairs of players have intervals that do not overlap."""
    apart: npt.NDArray[np.bool_] = (fit.low[first] > fit.high[second]) | (fit.low[second] > fit.high[first])
    return apart


def _row_pearson(human: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]) -> float:
    found = []
    for x, y in zip(human, predicted, strict=True):
        met = ~np.isnan(x)
        x, y = x[met], y[met]
        if len(x) < 2 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
            continue
        x, y = x - x.mean(), y - y.mean()
        found.append(float(x @ y / np.sqrt((x @ x) * (y @ y))))
    return float(np.mean(found)) if found else float("nan")


def _has(battles: Any, name: str) -> bool:
    keys = battles.keys() if hasattr(battles, "keys") else getattr(battles, "columns", None)
    if keys is None:
        raise TypeError(f"battles must be a mapping or a data frame of columns, got {type(battles).__name__}")
    return name in keys


def _column(battles: Any, name: str) -> Any:
    if not _has(battles, name):
        raise ValueError(f"battles must have a column {name!r}")
    return battles[name]
