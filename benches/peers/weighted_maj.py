"""Weighted maj@k by Monte Carlo against NumPy's best form of the same, and a loop over dictionaries.

1000 problems, 256 samples, 20 answers, uniform answers, weights exp(S), 10,000 resamples, every k; the slower ones on
a part of the work, extrapolated (e).

Run: python benches/peers/weighted_maj.py [--problems 1000]
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from slowthink.samples import weighted_maj_at_k

N, ANSWERS, RESAMPLES = 256, 20, 10_000
CHUNK = 64  # resamples at a time: what keeps NumPy in the cache


def numpy_prefixes(answer: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every prefix of a permutation at once; without a count of ties, which real weights do not have."""
    order = rng.random((CHUNK, N), dtype=np.float32).argsort(axis=1)
    drawn, weights = answer[order], weight[order]
    gold = np.where(drawn == 0, weights, 0).cumsum(axis=1)
    rival, total = np.zeros_like(gold), np.empty_like(gold)
    for a in range(1, ANSWERS):
        np.multiply(weights, drawn == a, out=total)
        np.cumsum(total, axis=1, out=total)
        np.maximum(rival, total, out=rival)
    return (gold > rival).mean(axis=0)


def dictionaries(answer: list[int], weight: list[float], resamples: int) -> list[float]:
    """The usual loop: a subset for every k, sums in a dictionary."""
    won = [0.0] * N
    for _ in range(resamples):
        order = random.sample(range(N), N)
        for k in range(1, N + 1):
            votes: dict[int, float] = defaultdict(float)
            for i in order[:k]:
                votes[answer[i]] += weight[i]
            won[k - 1] += max(votes, key=votes.__getitem__) == 0
    return [w / resamples for w in won]


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--problems", type=int, default=1000)
    problems = parser.parse_args().problems
    rng = np.random.default_rng(0)
    answers = rng.integers(0, ANSWERS, (problems, N))
    weights = np.exp(rng.normal(size=(problems, N)))
    gold = np.zeros(problems, dtype=int)
    whole = problems * RESAMPLES * N

    def one_chunk() -> np.ndarray:
        return numpy_prefixes(small, weights[0], rng)

    small = answers[0].astype(np.uint8)
    # The reference in chunks that fit the cache, and ours, in turn; the least of several.
    reference, ours = float("inf"), {}
    for repeat in range(3):
        reference = min(reference, *(timed(one_chunk) / (CHUNK * N) for _ in range(20)))
        for controls in (False, True):
            for threads in (1, None):
                part = problems if repeat == 0 or problems <= 100 else 100
                seconds = timed(
                    lambda part=part, controls=controls, threads=threads: weighted_maj_at_k(
                        answers[:part], weights[:part], gold[:part], n_resamples=RESAMPLES, rng=1,
                        control_variates=controls, threads=threads,
                    )
                )  # fmt: skip
                step = seconds / (part * RESAMPLES * N)
                ours[controls, threads] = min(ours.get((controls, threads), float("inf")), step)
        reference = min(reference, *(timed(one_chunk) / (CHUNK * N) for _ in range(20)))
    loop = timed(lambda: dictionaries(answers[0].tolist(), weights[0].tolist(), 4)) / (4 * N)
    print(f"{problems} problems x {N} samples x {RESAMPLES} resamples, all k")
    print(f"{'':34} {'ns/step':>9} {'whole job':>11} {'numpy / this':>13}")
    rows = [("numpy prefixes (e)", reference), ("dictionaries, subset for each k (e)", loop)]
    for (controls, threads), step in ours.items():
        rows.append((f"slowthink, {threads or 'all'} thr., controls {'on' if controls else 'off'}", step))
    for name, step in rows:
        print(f"{name:<34} {step * 1e9:9.2f} {step * whole:9.2f} s {reference / step:13.2f}")


if __name__ == "__main__":
    main()
