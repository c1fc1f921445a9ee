"""Exact maj@k for all k against NumPy: the same exact polynomials, and Monte Carlo over permutations.

1000 problems of 256 samples and 20 answers, three kinds of laws. Lines marked (e) are extrapolated from a part.

Run: python benches/peers/maj_at_k.py
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from slowthink.reference.majority import maj_curve
from slowthink.samples import maj_at_k

P, N, A = 1000, 256, 20
RESAMPLES = 10_000


def best(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def exact_numpy(codes: np.ndarray) -> np.ndarray:
    return np.array([maj_curve(np.bincount(row, minlength=A).tolist()) for row in codes])


def prefix_numpy(codes: np.ndarray, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Votes along random permutations of one problem, uniform ties: estimates for all k at once."""
    order = np.argsort(rng.random((n_resamples, N)), axis=1)
    votes = np.zeros((n_resamples, A), dtype=np.int32)
    won = np.empty(N)
    rows = np.arange(n_resamples)
    for k in range(N):
        votes[rows, codes[order[:, k]]] += 1
        top = votes.max(axis=1, keepdims=True)
        tied = votes == top
        won[k] = (tied[:, 0] / tied.sum(axis=1)).mean()
    return won


def loop(codes: list[int], k: int, n_resamples: int) -> float:
    """One k at a time, as evaluation scripts write it."""
    won = 0
    for _ in range(n_resamples):
        won += Counter(random.sample(codes, k)).most_common(1)[0][0] == 0
    return won / n_resamples


def main() -> None:
    rng = np.random.default_rng(0)
    laws = {
        "Dirichlet(.3)": rng.dirichlet([0.3] * A, P),
        "hard (.3, .3, .2, rest)": np.tile([0.3, 0.3, 0.2, *[0.2 / 17] * 17], (P, 1)),
        "uniform": np.full((P, A), 1 / A),
    }
    gold = np.zeros(P, dtype=np.int64)
    for name, law in laws.items():
        codes = np.stack([rng.choice(A, N, p=p) for p in law])
        part = codes[:200]
        np.testing.assert_allclose(maj_at_k(part, gold[:200]), exact_numpy(part), rtol=1e-11)
        # In turn, so that a drift of the machine meets both.
        ours, single, exact = np.inf, np.inf, np.inf
        for _ in range(3):
            ours = min(ours, best(lambda codes=codes: maj_at_k(codes, gold), 5))
            single = min(single, best(lambda codes=codes: maj_at_k(codes, gold, threads=1), 5))
            exact = min(exact, best(lambda part=part: exact_numpy(part), 1) * P / len(part))
        prefix = best(lambda codes=codes: prefix_numpy(codes[0], 1000, rng), 2) * P * RESAMPLES / 1000
        plain = best(lambda codes=codes: loop(codes[0].tolist(), N // 2, 200), 2) * P * N * RESAMPLES / 200
        print(f"{name}: {P} problems x {N} samples x {A} answers, all k")
        for label, seconds in {
            "slowthink, all threads": ours,
            "slowthink, 1 thread": single,
            "numpy exact (e)": exact,
            f"numpy prefix Monte Carlo, {RESAMPLES} (e)": prefix,
            f"random.sample + Counter, {RESAMPLES} (e)": plain,
        }.items():
            print(f"{label:>40} {seconds * 1e3:14.1f} ms {seconds / ours:14,.1f} x ours")


if __name__ == "__main__":
    main()
