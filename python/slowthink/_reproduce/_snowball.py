"""Gan, Liao and Liu 2025: walks, stepwise selection and best-of-n on chains in which errors snowball."""

from __future__ import annotations

from typing import Any

import numpy as np

from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink._reproduce._trials import WALK, WALKS_BEST, WIDEST_CHAIN, interval, right
from slowthink.problems import SnowballChain
from slowthink.strategies import (
    TreeSearch,
    Verifier,
    best_of_n_success,
    gain_accuracy,
    matching_samples,
    stepwise_bound,
    stepwise_success,
    walk_bound,
    walk_success,
)

PAPER = (
    "Gan, Liao, Liu 2025, Rethinking External Slow-Thinking: From Snowball Errors to Probability of Correct "
    "Reasoning (arXiv 2501.15602)"
)

RATE, LENGTH = 50.0, 6
"""Of the chain on which strategies are compared."""


def reproduce(request: Request) -> Reproduction:
    """All parts, one after the other."""
    claims: list[Claim] = []
    panels: dict[str, dict[str, Any]] = {}
    parts = (walks, selection, budgets, matching, gain, rewards)
    for part, seed in zip(parts, np.random.SeedSequence(request.seed).spawn(len(parts)), strict=True):
        request.report(part.__doc__ or part.__name__)
        found, drawn = part(request, seed)
        claims += found
        panels.update(drawn)
    remarks = (
        "The law p_l = min(lambda exp(-l), 1) of a step is an assumption of the paper, not a finding. Its accuracies "
        "of language models are not reproduced. The forms of its theorems are known to us from other texts.",
        "Caution: the bounds leave the minimum out, and a condition that compares two bounds (accuracy > 1/k) is not "
        "the condition for a gain. Exact values stand beside all of them. Intervals hold with 99.9% each.",
    )
    return Reproduction(PAPER, claims, remarks, panels)


def trials(request: Request) -> int:
    return 5_000 if request.quick else 200_000


def walks(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """A plain walk: exactly, by its bound, and simulated."""
    claims = []
    n = trials(request)
    cases = ((50.0, 6, 0.03824, 11.85), (2.0, 2, None, None), (8.0, 4, None, None))
    for (rate, length, known, known_bound), stream in zip(cases, seed.spawn(len(cases)), strict=True):
        chain = SnowballChain(rate=rate, length=length)
        exact, bound = walk_success(chain.success[0]), walk_bound(rate, length)
        hits = int(right(request, chain, [WALK], [length], n, stream)[0, 0])
        low, high = interval(hits, n)
        agrees = known is None or (abs(exact - known) < 5e-6 and abs(bound - (known_bound or 0)) < 5e-3)
        claims.append(
            Claim(
                "A walk: right w.p. prod min(lambda e^-l, 1), at most lambda^L e^(-L(L+1)/2)",
                f"lambda={rate:g} L={length}: exactly {exact:.5f}, bound {bound:.4g}",
                f"{hits / n:.5f} [{low:.5f}, {high:.5f}]" + ("; the bound says nothing" if bound >= 1 else ""),
                agrees and low <= exact <= high and exact <= bound * (1 + 1e-12),
                {"exact": exact, "bound": bound, "simulated": hits / n, "low": low, "high": high},
            )
        )
    lengths = np.arange(1, 13)
    lines = {
        "exact": [walk_success(SnowballChain(rate=RATE, length=int(length)).success[0]) for length in lengths],
        "bound": [walk_bound(RATE, int(length)) for length in lengths],
    }
    drawn = {"x": lengths, "lines": lines, "x_label": "steps, L (lambda = 50)", "y_label": "a walk is right"}
    return claims, {"errors snowball": drawn}


def selection(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Stepwise selection of width k with accuracy eps: exactly, by its bound, and simulated."""
    claims = []
    chain, n = SnowballChain(rate=RATE, length=LENGTH), trials(request)
    cases = [(k, eps) for k in (2, 4, 16) for eps in (1.0, 0.8)]
    for (k, eps), stream in zip(cases, seed.spawn(len(cases)), strict=True):
        exact = stepwise_success(chain.success[0], k, eps)
        bound = stepwise_bound(RATE, LENGTH, k, eps)
        verifier = Verifier(accuracy=eps)
        hits = int(right(request, chain, [WIDEST_CHAIN], [k * LENGTH], n, stream, verifier)[0, 0])
        low, high = interval(hits, n)
        claims.append(
            Claim(
                "Selection in each step, width k: eps^L prod [1 - (1 - p_l)^k]; lambda=50 L=6",
                f"k={k} eps={eps:g}: {exact:.5f}, bound {bound:.3g}",
                f"{hits / n:.5f} [{low:.5f}, {high:.5f}]",
                low <= exact <= high and exact <= bound,
                {"exact": exact, "bound": bound, "simulated": hits / n, "low": low, "high": high},
            )
        )
    return claims, {}


def budgets(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Accuracy against cost: best-of-n beside stepwise selection at the same number of steps."""
    claims, panels = [], {}
    n, numbers = trials(request) // 5, [1, 2, 4, 8, 16, 32, 64, 128]
    one_hard = SnowballChain([1.0] * (LENGTH - 1) + [0.1])
    cases = (
        ("lambda=50 L=6", SnowballChain(rate=RATE, length=LENGTH), 1.0),
        ("lambda=50 L=6", SnowballChain(rate=RATE, length=LENGTH), 0.95),
        ("one hard step of 6, p=0.1", one_hard, 1.0),
    )
    for (name, chain, eps), stream in zip(cases, seed.spawn(len(cases)), strict=True):
        steps = chain.success[0]
        exact = np.array(
            [
                [best_of_n_success(steps, number, eps) for number in numbers],
                [stepwise_success(steps, number, eps) for number in numbers],
            ]
        )
        caps = [number * LENGTH for number in numbers]
        hits = right(request, chain, [WALKS_BEST, WIDEST_CHAIN], caps, n, stream, Verifier(accuracy=eps))
        bounds = np.array([[interval(int(h), n) for h in row] for row in hits])
        covered = (bounds[:, :, 0] <= exact) & (exact <= bounds[:, :, 1])
        ahead = [number for number, (best, tree) in zip(numbers, exact.T, strict=True) if best > tree * (1 + 1e-9)]
        if name.startswith("one"):
            claim, shape = "the two curves are one", bool(np.allclose(exact[0], exact[1], rtol=1e-12))
        elif eps == 1:
            claim, shape = "selection in each step is ahead at every cost above one walk", not ahead
        else:
            claim = f"few steps: selection ahead; many: best-of-n, for eps > eps^L = {eps**LENGTH:.2f}"
            shape = bool(ahead) and ahead[-1] == numbers[-1] and 4 not in ahead
        at = numbers.index(16)
        claims.append(
            Claim(
                "Accuracy against cost at equal cost (simulated at 1 to 128 answers)",
                f"{name} eps={eps:g}: {claim}",
                f"at 16: best-of-n {hits[0, at] / n:.4f} ({exact[0, at]:.4f}), stepwise {hits[1, at] / n:.4f} "
                f"({exact[1, at]:.4f}); {covered.sum()}/{covered.size} intervals cover"
                + (f"; best-of-n ahead at {', '.join(map(str, ahead))}" if ahead else ""),
                shape and bool(covered.all()),
                {
                    "budgets": numbers,
                    "exact": exact,
                    "simulated": hits / n,
                    "low": bounds[..., 0],
                    "high": bounds[..., 1],
                },
            )
        )
        panels[f"{name.split(',')[0]}, eps = {eps:g}"] = {
            "x": numbers,
            "lines": {"best-of-n": exact[0], "stepwise": exact[1]},
            "points": {"best-of-n": hits[0] / n, "stepwise": hits[1] / n},
            "x_label": "cost in answers",
            "y_label": "right",
            "log": False,
        }
    return claims, panels


def matching(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """How many walks best-of-n needs to match stepwise selection."""
    del request, seed  # nothing is random here
    claims = []
    b, hard = 4, SnowballChain(rate=0.01, length=LENGTH).success[0]
    cases = (
        ("best case", b ** (1 / LENGTH - 1), float(b), f"b = {b}"),
        ("worst case", b**-0.5, float(b ** (LENGTH // 2)), f"b^(L/2) = {b ** (LENGTH // 2)}"),
        ("beyond the range (caution): eps=1", 1.0, float(b**LENGTH), f"b^L = {b**LENGTH}"),
    )
    for name, eps, wanted, text in cases:
        found = matching_samples(hard, b, eps)
        claims.append(
            Claim(
                "Best-of-n matches width b=4, L=6, at n = (eps b)^L: between b and b^(L/2)",
                f"hard steps (lambda=0.01), {name}: {text}",
                f"exactly n = {found:.5g} for eps={eps:.3f}",
                abs(found / wanted - 1) < 0.02,
                {"accuracy": eps, "matching": found},
            )
        )
    easy = SnowballChain([1.0] * (LENGTH - 1) + [0.1]).success[0]
    found = matching_samples(easy, b)
    claims.append(
        Claim(
            "Best-of-n matches width b=4, L=6, at n = (eps b)^L: between b and b^(L/2)",
            f"one hard step, eps=1: b = {b}",
            f"exactly n = {found:.5g}",
            abs(found - b) < 1e-9,
            {"accuracy": 1.0, "matching": found},
        )
    )
    accuracies = np.linspace(b ** (1 / LENGTH - 1), 1.0, 25)
    lines = {
        "exact": [matching_samples(hard, b, float(eps)) for eps in accuracies],
        "bounds: (eps b)^L": (accuracies * b) ** LENGTH,
        "b^(L/2)": np.full(len(accuracies), float(b ** (LENGTH // 2))),
    }
    drawn = {"x": accuracies, "lines": lines, "x_label": "accuracy of a selection", "y_label": "n of best-of-n"}
    return claims, {"n that matches width 4": drawn}


def gain(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Selection gains exactly where eps [1 - (1 - p)^k] > p."""
    claims = []
    k, n = 4, trials(request)
    p = float(SnowballChain(rate=RATE, length=LENGTH).success[0, 4])
    limit = float(gain_accuracy([p], k)[0])
    chain = SnowballChain([p])
    slack = 0.2 if request.quick else 0.03
    cases = (
        (1.1 / k, f"above 1/k = {1 / k:g}, below p/[1-(1-p)^k] = {limit:.4f} (caution): no gain", False),
        ((1 - slack) * limit, f"just below {limit:.4f}: no gain", False),
        ((1 + slack) * limit, f"just above {limit:.4f}: gain", True),
    )
    for (eps, text, gains), stream in zip(cases, seed.spawn(len(cases)), strict=True):
        hits = int(right(request, chain, [WIDEST_CHAIN], [k], n, stream, Verifier(accuracy=eps))[0, 0])
        low, high = interval(hits, n)
        exact = stepwise_success([p], k, eps)
        claims.append(
            Claim(
                f"Selection gains iff eps > p/[1-(1-p)^k] (the paper: eps > 1/k); p={p:.4f} k={k}",
                f"eps={eps:.4f}, {text}",
                f"{hits / n:.4f} [{low:.4f}, {high:.4f}], exactly {exact:.4f}",
                low <= exact <= high and (low > p if gains else high < p),
                {"accuracy": eps, "exact": exact, "simulated": hits / n, "low": low, "high": high, "single": p},
            )
        )
    small = float(gain_accuracy([1e-6], k)[0])
    claims.append(
        Claim(
            f"Selection gains iff eps > p/[1-(1-p)^k] (the paper: eps > 1/k); p={p:.4f} k={k}",
            "the two conditions are one in the limit of hard steps",
            f"p=1e-06: {small:.7f}, 1/k = {1 / k:g}",
            abs(small * k - 1) < 1e-5 and limit > 1 / k,
            {"limit": limit, "small": small},
        )
    )
    return claims, {}


def rewards(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Not the framework but the cost and the reliability of rewards decide: search with noisy process rewards."""
    claims = []
    answers, n, noises = 16, 3_000 if request.quick else 20_000, (0.0, 0.1, 10.0)
    # No right action is the most probable one, which a tree search would try first.
    chain = SnowballChain([0.3] * 4, n_wrong=2)
    best = best_of_n_success(chain.success[0], answers)
    search = TreeSearch(values="process")._native()
    for noise, stream in zip(noises, seed.spawn(len(noises)), strict=True):
        verifier = Verifier(process_noise=noise)
        hits = right(request, chain, [WALKS_BEST, WIDEST_CHAIN, search], [answers * 4], n, stream, verifier)[:, 0]
        of_best, of_steps, of_tree = ([float(x) for x in interval(int(h), n)] for h in hits)
        if noise < max(noises):
            word, holds = "both searches ahead of best-of-n", min(of_steps[0], of_tree[0]) > best
        else:
            word, holds = "both behind it", max(of_steps[1], of_tree[1]) < best
        claims.append(
            Claim(
                f"Rewards of states decide, not the framework: cost of {answers} answers, 4 steps of p=0.3, n_wrong=2",
                f"noise {noise:g}: {word}",
                f"stepwise {_shown(hits[1], n, of_steps)}, tree search {_shown(hits[2], n, of_tree)}, best-of-n "
                f"{hits[0] / n:.3f} (exactly {best:.3f})",
                holds and of_best[0] <= best <= of_best[1],
                {"noise": noise, "simulated": hits / n, "best_of_n": best, "stepwise": of_steps, "tree": of_tree},
            )
        )
    return claims, {}


def _shown(hits: int, n: int, bounds: list[float]) -> str:
    return f"{hits / n:.3f} [{bounds[0]:.3f}, {bounds[1]:.3f}]"
