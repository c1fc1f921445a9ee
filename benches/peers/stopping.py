"""Beta stopping against scipy's incomplete beta function and quadrature, on the same counts in the same process.

Run: python benches/peers/stopping.py
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np
from slowthink.samples import stopping_probability


def best_of(repeats: int, *calls: Callable[[], object]) -> list[float]:
    """The least time of each call over alternating repeats, in seconds."""
    times = [float("inf")] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            times[i] = min(times[i], time.perf_counter() - start)
    return times


def main() -> None:
    from scipy.special import betainc

    rng = np.random.default_rng(0)
    print(f"{'counts':>32} {'ns/decision':>12} {'scipy betainc':>14} {'ratio':>6}")
    for name, votes, n in (
        ("2 answers, <= 40 votes", 41, 1_000_000),
        ("<= 300", 301, 1_000_000),
        ("<= 5000", 5001, 300_000),
    ):
        counts = np.sort(rng.integers(0, votes, (n, 2)), axis=1)
        # scipy gets the two largest counts ready made, as columns.
        second, first = (np.ascontiguousarray(counts[:, i], dtype=float) for i in (0, 1))
        for threads in (1, None):
            ours, scipys = best_of(
                5,
                functools.partial(stopping_probability, counts, threads=threads),
                functools.partial(betainc, second + 1, first + 1, 0.5),
            )
            label = f"{name}, {threads or 'all'} thr."
            print(f"{label:>32} {ours / n * 1e9:12.1f} {scipys / n * 1e9:14.1f} {scipys / ours:6.1f}")
    try:
        from scipy.integrate import quad
    except ImportError:
        print("adaptive quadrature: skipped, scipy is not installed")
        return
    counts = rng.integers(0, 41, (200, 2))

    def quadrature() -> list[float]:
        # The way the Beta rule is usually coded: one adaptive integral for each decision.
        found = []
        for a, b in counts:
            density = lambda x, a=a, b=b: x**a * (1 - x) ** b  # noqa: E731
            found.append(quad(density, 0.5, 1)[0] / quad(density, 0, 1)[0])
        return found

    (slow,) = best_of(1, quadrature)
    wide = np.tile(counts, (5000, 1))
    (ours,) = best_of(5, lambda: stopping_probability(wide))
    print(f"adaptive quadrature (e): {slow / 200 * 1e9:,.0f} ns/decision, ratio {slow / 200 / (ours / len(wide)):,.0f}")


if __name__ == "__main__":
    main()
