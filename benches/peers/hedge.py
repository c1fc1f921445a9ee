"""Hedge against NumPy, offline and vectorised, and as an online loop: 16 experts, 10,000 rounds, 20 runs.

Run: python benches/peers/hedge.py
"""

from __future__ import annotations

import time

import numpy as np
from slowthink.samples import hedge


def offline(losses: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All rounds at once."""
    after = losses.cumsum(axis=1)
    before = after - losses
    weights = np.exp(-rate * (before - before.min(axis=2, keepdims=True)))
    weights /= weights.sum(axis=2, keepdims=True)
    expected = (weights * losses).sum(axis=2)
    return weights, expected, expected.cumsum(axis=1) - after.min(axis=2)


def online(losses: np.ndarray, rate: float) -> np.ndarray:
    """Round by round, all runs at once."""
    total = np.zeros((len(losses), losses.shape[2]))
    expected = np.empty(losses.shape[:2])
    for t in range(losses.shape[1]):
        weights = np.exp(-rate * (total - total.min(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        expected[:, t] = (weights * losses[:, t]).sum(axis=1)
        total += losses[:, t]
    return expected


def main() -> None:
    losses = np.random.default_rng(0).random((20, 10_000, 16))
    rate = hedge(losses, return_weights=False).learning_rate
    calls = {
        "slowthink, all threads": lambda: hedge(losses),
        "slowthink, 1 thread": lambda: hedge(losses, threads=1),
        "slowthink, no weights": lambda: hedge(losses, return_weights=False),
        "numpy offline": lambda: offline(losses, rate),
        "numpy online loop": lambda: online(losses, rate),
    }
    np.testing.assert_allclose(hedge(losses).regret, offline(losses, rate)[2], atol=1e-9)
    times = dict.fromkeys(calls, float("inf"))
    for _ in range(5):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name] = min(times[name], time.perf_counter() - start)
    for name, seconds in times.items():
        print(f"{name:>24} {seconds * 1e3:9.1f} ms   numpy offline / this = {times['numpy offline'] / seconds:6.2f}")


if __name__ == "__main__":
    main()
