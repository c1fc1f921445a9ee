"""best-of-k of 1,000 problems x 256 samples with tied scores at every k, against NumPy.

The reference sorts, averages tied values and multiplies by one matrix of rank weights. It is timed twice: with the
weights made in the call, which is the work of a call of slowthink (from scores and values to the result, nothing kept
between calls), and with the weights kept from before, which spares it a part. Every ratio is time of a reference /
time of the row. (e): extrapolated linearly from a part of the work.

Run: python benches/peers/best_of_k.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import numpy as np
from slowthink.samples import best_of_k

P, N = 1000, 256
MADE, KEPT = "numpy with ties, weights made in the call", "numpy with ties, weights kept from before"

Weights = Callable[[int], np.ndarray]


def weights(n: int) -> np.ndarray:
    """The chance (k, rank) that the sample of a rank is the best of k."""
    ranks, out = np.arange(1, n + 1), np.zeros((n, n))
    for k in ranks:
        steps = (ranks[1:] - k) / ranks[:-1]  # from rank j to rank j - 1, for j = n down to 2
        down = np.cumprod(np.concatenate([[k / n], np.maximum(steps[::-1], 0)]))
        out[k - 1] = down[::-1]
    return out


kept = cache(weights)


def without_ties(scores: np.ndarray, values: np.ndarray, weights: Weights = weights) -> np.ndarray:
    order = np.argsort(scores, axis=1)
    return np.take_along_axis(values, order, 1) @ weights(scores.shape[1]).T


def with_ties(scores: np.ndarray, values: np.ndarray, weights: Weights = weights) -> np.ndarray:
    """The same after tied values are replaced by their mean."""
    p, n = scores.shape
    order = np.argsort(scores, axis=1)
    scores, values = np.take_along_axis(scores, order, 1), np.take_along_axis(values, order, 1)
    starts = np.ones((p, n), bool)
    starts[:, 1:] = scores[:, 1:] != scores[:, :-1]
    group = np.cumsum(starts) - 1
    mean = np.bincount(group, values.ravel()) / np.bincount(group)
    return mean[group].reshape(p, n) @ weights(n).T


def monte_carlo(scores: np.ndarray, values: np.ndarray, k: int, draws: int, rng: np.random.Generator) -> float:
    """The usual loop: draw k samples, take the value of the best, average."""
    total = 0.0
    for _ in range(draws):
        chosen = rng.choice(len(scores), k, replace=False)
        total += values[chosen[np.argmax(scores[chosen])]]
    return total / draws


def timed(repeats: int, calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The least time of each call in seconds: rounds of all calls in turn, in each of them ten runs in a row."""
    times = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(0.2)  # the threads of a BLAS keep spinning for a while after a product
            for _ in range(10):
                start = time.perf_counter()
                call()
                times[name] = min(times[name], time.perf_counter() - start)
    return times


def main() -> None:
    rng = np.random.default_rng(0)
    continuous = rng.normal(size=(P, N))
    values = (continuous + 2 * rng.normal(size=(P, N)) > 1).astype(float)
    tied = np.round(continuous * 4) / 4
    ragged = tied.copy()
    ragged[np.arange(N) >= rng.integers(N // 2, N + 1, P)[:, None]] = np.nan
    np.testing.assert_allclose(best_of_k(tied, values), with_ties(tied, values), atol=1e-12)
    np.testing.assert_allclose(best_of_k(continuous, values), without_ties(continuous, values), atol=1e-12)
    calls: dict[str, Callable[[], object]] = {
        MADE: lambda: with_ties(tied, values),
        KEPT: lambda: with_ties(tied, values, kept),
        "slowthink, ties": lambda: best_of_k(tied, values),
        "slowthink, ties, 1 thread": lambda: best_of_k(tied, values, threads=1),
        "slowthink, unequal n": lambda: best_of_k(ragged, values),
        "numpy without ties, weights made": lambda: without_ties(continuous, values),
        "numpy without ties, weights kept": lambda: without_ties(continuous, values, kept),
        "slowthink, no ties": lambda: best_of_k(continuous, values),
    }
    times = timed(30, calls)
    loop = timed(1, {"": lambda: monte_carlo(tied[0], values[0], 64, 500, rng)})[""]
    times["choice + argmax, 10,000 draws (e)"] = loop * 20 * N * P
    print(f"{'':44} {'time':>13} {'weights made':>15} {'weights kept':>15}")
    for name, seconds in times.items():
        ratios = "".join(f"{times[base] / seconds:14.4g} x" for base in (MADE, KEPT))
        print(f"{name:>44} {seconds * 1e3:10.2f} ms{ratios}")


if __name__ == "__main__":
    main()
