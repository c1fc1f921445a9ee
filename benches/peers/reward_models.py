"""ROC AUC of each of 2555 prompts with 32 samples, and all metrics of samples, against NumPy and scikit-learn.

Ratios are times over that of slowthink on the same work, taken in turns in this process, the least of several repeats.
(e) marks times extrapolated from fewer prompts. Run: python benches/peers/reward_models.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from slowthink.samples import reward_model_metrics, roc_auc

N_PROMPTS, N, ORDERS = 2555, 32, 100


def numpy_rank_sum(scores: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """AUC of each row from the ranks; ties get the ranks they happen to be sorted into."""
    ranks = np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(ranks, scores.argsort(1), np.arange(1, scores.shape[1] + 1)[None, :], 1)
    positive = correct.sum(1)
    with np.errstate(invalid="ignore"):
        return ((ranks * correct).sum(1) - positive * (positive + 1) / 2) / (positive * (N - positive))


def numpy_curves(scores: np.ndarray, correct: np.ndarray) -> tuple[float, float, float]:
    """Loss, maximum and end of the best-of-k curve as means over random orders."""
    rng = np.random.default_rng(0)
    curves, oracles = np.empty((ORDERS, N)), np.empty((ORDERS, N))
    rows = np.arange(len(scores))[:, None]
    for order in range(ORDERS):
        shuffle = rng.permutation(N)
        score, verdict = scores[:, shuffle], correct[:, shuffle]
        ahead = np.maximum.accumulate(score, axis=1)
        new = np.concatenate([np.ones((len(score), 1), bool), score[:, 1:] > ahead[:, :-1]], axis=1)
        chosen = np.maximum.accumulate(np.where(new, np.arange(N), 0), axis=1)
        curves[order] = verdict[rows, chosen].mean(0)
        oracles[order] = np.maximum.accumulate(verdict, axis=1).mean(0)
    mean = curves.mean(0)
    return float(np.mean((oracles.mean(0) - mean) ** 2)), float(curves.max(1).mean()), float(mean[-1])


def show(title: str, calls: dict[str, tuple[Callable[[], object], float]], repeats: int) -> None:
    """Prints the least time of each call, times its factor, and its ratio to the first."""
    times = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, (call, factor) in calls.items():
            start = time.perf_counter()
            call()
            times[name] = min(times[name], (time.perf_counter() - start) * factor)
    print(f"\n{title}")
    own = next(iter(times.values()))
    for name, seconds in times.items():
        print(f"  {name:<58}{seconds * 1e3:>12.2f} ms{seconds / own:>12.1f} x")


def main() -> None:
    """Prints the tables."""
    rng = np.random.default_rng(0)
    skill = rng.beta(1, 1, (N_PROMPTS, 1))
    correct = rng.random((N_PROMPTS, N)) < skill
    scores = correct + 1.5 * rng.normal(size=(N_PROMPTS, N))
    gap = np.nanmax(np.abs(roc_auc(scores, correct) - numpy_rank_sum(scores, correct)))
    print(f"largest gap of the AUCs {gap:.1e}")
    calls: dict[str, tuple[Callable[[], object], float]] = {
        "slowthink roc_auc": (lambda: roc_auc(scores, correct), 1.0),
        "slowthink roc_auc, one thread": (lambda: roc_auc(scores, correct, threads=1), 1.0),
        "numpy rank sum (wrong with ties)": (lambda: numpy_rank_sum(scores, correct), 1.0),
    }
    try:
        from sklearn.metrics import roc_auc_score
    except ImportError:
        print("sklearn: not installed, skipped")
    else:
        part = [i for i in range(200) if 0 < correct[i].sum() < N]
        calls["sklearn roc_auc_score per prompt (e)"] = (
            lambda: [roc_auc_score(correct[i], scores[i]) for i in part],
            N_PROMPTS / len(part),
        )
    show("AUC of each prompt", calls, 5)
    found, naive = reward_model_metrics(scores, correct, rng=0, n_orders=ORDERS), numpy_curves(scores, correct)
    print(
        f"\nloss, max and end score: {found.best_of_k_loss:.6f}, {found.max_score:.4f}, {found.end_score:.4f};", end=" "
    )
    print(f"numpy, {ORDERS} orders: {naive[0]:.6f}, {naive[1]:.4f}, {naive[2]:.4f}")
    show(
        "Metrics of samples",
        {
            "slowthink reward_model_metrics (all)": (
                lambda: reward_model_metrics(scores, correct, rng=0, n_orders=ORDERS),
                1.0,
            ),
            f"numpy, the curves alone, {ORDERS} orders": (lambda: numpy_curves(scores, correct), 1.0),
        },
        3,
    )


if __name__ == "__main__":
    main()
