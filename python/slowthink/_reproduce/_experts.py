"""Self-correction as online learning over experts: simple regret, and what it is worth on a problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from slowthink._reproduce._claims import Claim, Request
from slowthink._reproduce._trials import WALKS_BEST, interval, right
from slowthink.problems import Categorical
from slowthink.samples import best_of_n_probability
from slowthink.strategies import regret as lost
from slowthink.strategies._strategies import Learner, learner_numbers

LEARNERS: tuple[Learner, ...] = ("hedge", "ucb", "thompson", "successive-elimination")

MEANS = (0.8, *[0.5] * 7)
"""How often each of K = 8 experts is right."""


def regret(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Simple regret of learners that choose among experts."""
    claims = []
    n_runs, rounds = 300 if request.quick else 2000, 4096
    at = [2**power for power in range(4, 13)]
    lines: dict[str, Any] = {}
    gap = MEANS[0] - MEANS[1]
    for learner, stream in zip(LEARNERS, seed.spawn(len(LEARNERS)), strict=True):
        found = lost(MEANS, learner, rounds, n_runs=n_runs, rng=stream, threads=request.threads)
        # Of the rounds up to each power of two, the last eighth: one round alone would be noise.
        lines[learner] = [found.simple[t - t // 8 : t].mean() for t in at]
        first, last = (round(n_runs * (1 - found.best_share[t - 1])) for t in (at[0], at[-1]))
        bounds = [(gap * low, gap * high) for low, high in (interval(first, n_runs), interval(last, n_runs))]
        claims.append(
            Claim(
                f"Simple regret of round T falls to 0: {len(MEANS)} experts, one right w.p. 0.8, the others 0.5",
                f"{learner}: o(1)",
                f"T = 16: {gap * first / n_runs:.3f} [{bounds[0][0]:.3f}, {bounds[0][1]:.3f}]; T = 4096: "
                f"{gap * last / n_runs:.3f} [{bounds[1][0]:.3f}, {bounds[1][1]:.3f}]",
                bounds[1][1] < bounds[0][0] and bounds[1][1] < 0.2 * gap,
                {"T": at, "regret": lines[learner]},
            )
        )
    drawn = {"x": at, "lines": lines, "x_label": "rounds", "y_label": "simple regret", "log": False}
    return claims, {"who is asked": drawn}


def correction(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Self-correction on a problem whose own policy is a poor expert."""
    claims = []
    n_trials = 2_000 if request.quick else 20_000
    # Five experts; the problem's own is right once in fifty, the best every other time.
    rights = np.array([0.02, 0.05, 0.5, 0.02, 0.05])
    experts = [[[p, *[(1 - p) / 4] * 4]] for p in rights]
    problem, numbers = Categorical(experts), [1, 4, 16, 64]
    best = np.array([best_of_n_probability(float(rights[0]), m) for m in numbers])
    oracle = np.array([best_of_n_probability(float(rights.max()), m) for m in numbers])
    strategies = [("experts", "best", True, learner_numbers(learner, 2.0, 0.05), None) for learner in LEARNERS]
    hits = right(request, problem, [WALKS_BEST, *strategies], numbers, n_trials, seed)
    lines: dict[str, Any] = {"best-of-n of its own": best, "the best expert": oracle}
    for learner, row in zip(("best-of-n", *LEARNERS), hits, strict=True):
        bounds = [interval(int(h), n_trials) for h in row]
        if learner == "best-of-n":
            text = f"of its own policy at 16: {best[2]:.4f}"
            holds = all(low <= e <= high for e, (low, high) in zip(best, bounds, strict=True))
        else:
            lines[learner] = row / n_trials
            text = f"{learner} at 16: above {best[2]:.3f}, below the best expert's {oracle[2]:.5f}"
            holds = bounds[2][0] > best[2] and bounds[2][0] < oracle[2]
        claims.append(
            Claim(
                "Self-correction finds the expert to trust: right w.p. 0.02 (its own), 0.05, 0.5, 0.02, 0.05",
                text,
                "; ".join(
                    f"{m}: {h / n_trials:.4f} [{low:.4f}, {high:.4f}]"
                    for m, h, (low, high) in zip(numbers[2:], row[2:], bounds[2:], strict=True)
                ),
                holds,
                {"n": numbers, "simulated": row / n_trials},
            )
        )
    drawn = {"x": numbers, "lines": lines, "x_label": "answers", "y_label": "right", "log": False}
    return claims, {"self-correction": drawn}
