"""Bradley-Terry: fit and 1000 bootstrap rounds of 1M battles between 100 models, against NumPy and the pip packages.

Ratios are times over that of slowthink on the same work, taken in turns in this process, the least of several repeats.
(e) marks times extrapolated from fewer rounds. Run: python benches/peers/bradley_terry.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from slowthink.samples import bradley_terry, win_matrix

N_MODELS, N_BATTLES, TIES, ROUNDS = 100, 1_000_000, 0.15, 1000
REFERENCE_ROUNDS = 50


def battles() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uniform pairs of distinct models of strengths N(0, 0.6^2); 15 % of the battles are ties."""
    rng = np.random.default_rng(0)
    strength = rng.normal(0, 0.6, N_MODELS)
    a = rng.integers(0, N_MODELS, N_BATTLES)
    b = (a + rng.integers(1, N_MODELS, N_BATTLES)) % N_MODELS
    won = rng.random(N_BATTLES) < 1 / (1 + np.exp(strength[b] - strength[a]))
    return a, b, np.where(rng.random(N_BATTLES) < TIES, 0.5, won)


def numpy_win_matrix(a: np.ndarray, b: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Points of each model against each other."""
    size = N_MODELS * N_MODELS
    points = np.bincount(a * N_MODELS + b, outcome, size) + np.bincount(b * N_MODELS + a, 1 - outcome, size)
    return points.reshape(N_MODELS, N_MODELS)


def numpy_newton(points: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Newton's method with a gauge of a constant matrix."""
    met = points + points.T
    won = points.sum(1)
    rating = start
    for _ in range(50):
        p = 1 / (1 + np.exp(rating[None, :] - rating[:, None]))
        curvature = met * p * (1 - p)
        hessian = np.diag(curvature.sum(1)) - curvature + 1.0
        step = np.linalg.solve(hessian, won - (met * p).sum(1))
        rating = rating + step
        if np.abs(step).max() < 1e-8:
            break
    return rating - rating.mean()


def numpy_bootstrap(wins: np.ndarray, ties: np.ndarray, rounds: int) -> np.ndarray:
    """Multinomial resamples of the cells, each refitted by Newton from the full fit."""
    rng = np.random.default_rng(1)
    cells = np.concatenate([wins.ravel(), np.triu(ties).ravel()])
    total = int(cells.sum())
    law = cells / total
    start = numpy_newton(wins + ties / 2, np.zeros(N_MODELS))
    out = np.empty((rounds, N_MODELS))
    for i in range(rounds):
        won, tied = rng.multinomial(total, law).reshape(2, N_MODELS, N_MODELS)
        out[i] = numpy_newton(won + (tied + tied.T) / 2, start)
    return out


def least(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The least time of each call, the calls taken in turns."""
    times = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name] = min(times[name], time.perf_counter() - start)
    return times


def show(title: str, times: dict[str, float], own: str) -> None:
    """Prints times and their ratios to that of slowthink."""
    print(f"\n{title}")
    for name, seconds in times.items():
        print(f"  {name:<58}{seconds * 1e3:>12.2f} ms{seconds / times[own]:>12.1f} x")


def main() -> None:
    """Prints the tables."""
    a, b, outcome = battles()
    wins, ties, _ = win_matrix(a, b, outcome)
    points = wins + ties / 2
    zero = np.zeros(N_MODELS)
    fast = bradley_terry(wins, ties=ties, confidence=0.95, interval="bootstrap", n_resamples=ROUNDS, rng=0)
    slow = numpy_bootstrap(wins, ties, 100)
    print(f"largest gap of the fits {np.abs(fast.rating - numpy_newton(points, zero)).max():.1e};", end=" ")
    print(f"mean ratio of bootstrap errors {np.mean(slow.std(0) / fast.standard_error):.3f} (100 NumPy rounds)")

    fits: dict[str, Callable[[], object]] = {
        "slowthink bradley_terry": lambda: bradley_terry(wins, ties=ties),
        "slowthink, with sandwich intervals": lambda: bradley_terry(wins, ties=ties, confidence=0.95),
        "numpy Newton": lambda: numpy_newton(points, zero),
    }
    try:
        import choix
    except ImportError:
        print("choix: not installed, skipped")
    else:
        fits["choix.ilsr_pairwise_dense on the win matrix"] = lambda: choix.ilsr_pairwise_dense(points)
    times = least(fits, 10)
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        print("sklearn: not installed, skipped")
    else:
        part = 20_000
        rows = np.zeros((part, N_MODELS))
        rows[np.arange(part), a[:part]] += 1
        rows[np.arange(part), b[:part]] -= 1
        model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-6, max_iter=300)
        times |= {
            name: seconds * N_BATTLES / part
            for name, seconds in least(
                {"sklearn LogisticRegression on battles (e)": lambda: model.fit(rows, outcome[:part] > 0.25)}, 1
            ).items()
        }
    show("Fit, win matrix given", times, "slowthink bradley_terry")

    show(
        "Fit from battles",
        least(
            {
                "slowthink win_matrix + bradley_terry": lambda: _from_battles(a, b, outcome),
                "numpy bincount + Newton": lambda: numpy_newton(numpy_win_matrix(a, b, outcome), zero),
            },
            3,
        ),
        "slowthink win_matrix + bradley_terry",
    )

    def own(threads: int | None) -> Callable[[], object]:
        settings = {"confidence": 0.95, "interval": "bootstrap", "n_resamples": ROUNDS, "rng": 0, "threads": threads}
        return lambda: bradley_terry(wins, ties=ties, **settings)

    scaled = f"numpy multinomial + warm Newton ({REFERENCE_ROUNDS} rounds, e)"
    calls = {
        "slowthink, fit and bootstrap": own(None),
        "slowthink, one thread": own(1),
        scaled: lambda: numpy_bootstrap(wins, ties, REFERENCE_ROUNDS),
    }
    times = least(calls, 5)
    times[scaled] *= ROUNDS / REFERENCE_ROUNDS
    show(f"{ROUNDS} bootstrap rounds", times, "slowthink, fit and bootstrap")


def _from_battles(a: np.ndarray, b: np.ndarray, outcome: np.ndarray) -> object:
    wins, ties, names = win_matrix(a, b, outcome)
    return bradley_terry(wins, ties=ties, names=names)


if __name__ == "__main__":
    main()
