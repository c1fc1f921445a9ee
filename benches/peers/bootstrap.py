"""Percentile bootstrap of whole curves beside NumPy and other packages, on the same work in one process.

``python benches/peers/bootstrap.py``: 1000 problems, 256 samples each, k = 1 to 256, 10,000 resamples. The reference
counts how often each replicate draws each problem and multiplies the counts with the curves (float32).
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import numpy as np
from slowthink.samples import Curve, best_of_k, maj_at_k, pass_at_k

P, K, B = 1000, 256, 10_000
PAUSE = 0.3  # lets BLAS threads of the call before stop spinning


def numpy_counts(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.integers(0, P, (B, P)) + np.arange(B)[:, None] * P
    counts = np.bincount(drawn.ravel(), minlength=B * P).reshape(B, P).astype(np.float32)
    return np.percentile(counts @ values.astype(np.float32) / P, [2.5, 97.5], axis=0)


def scipy_one_column(values: np.ndarray, rng: np.random.Generator) -> object:
    from scipy.stats import bootstrap

    columns = 4
    return [
        bootstrap((values[:, j],), np.mean, n_resamples=B, method="percentile", rng=rng, batch=500)
        for j in range(columns)
    ]


def measure(calls: dict[str, Callable[[], object]], repeats: int = 5) -> dict[str, float]:
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def curves(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Problems by k: pass@k has few distinct rows, the others have as many as problems."""
    correct = rng.binomial(K, rng.beta(0.3, 0.9, P))
    answers = np.stack([rng.choice(20, K, p=p) for p in rng.dirichlet([0.3] * 20, P)])
    scores = rng.standard_normal((P, K))
    right = scores + 2 * rng.standard_normal((P, K)) > 1
    return {
        "pass@k": pass_at_k(np.full(P, K), correct),
        "best@k": best_of_k(scores, right),
        "maj@k": maj_at_k(answers, np.zeros(P, dtype=np.int64)),
    }


def main() -> None:
    rng = np.random.default_rng(0)
    for metric, values in curves(rng).items():
        settings = {"interval": "bootstrap", "rng": 1, "n_resamples": B}
        calls: dict[str, Callable[[], object]] = {
            "NumPy, counts @ curves (reference)": lambda values=values: numpy_counts(values, rng),
            "slowthink, bootstrap": lambda values=values, settings=settings: Curve.from_values(values, **settings),
            "slowthink, bootstrap, 1 thread": lambda values=values, settings=settings: Curve.from_values(
                values, threads=1, **settings
            ),
            "slowthink, closed form": lambda values=values: Curve.from_values(values),
        }
        times = measure(calls)
        if metric == "pass@k" and importlib.util.find_spec("scipy"):
            times["scipy, percentile, from 4 columns (e)"] = (
                measure({"scipy": lambda values=values: scipy_one_column(values, rng)}, 1)["scipy"] * K / 4
            )
        reference = times["NumPy, counts @ curves (reference)"]
        print(f"{metric}: {P} problems, {K} values of k, {B} resamples")
        for name, seconds in times.items():
            print(f"  {name:<40} {seconds * 1e3:10.2f} ms {reference / seconds:8.2f} x as fast as the reference")


if __name__ == "__main__":
    main()
