"""Kim, Wu, Lee and Suzuki 2025: what is learned from the edges that a search found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from slowthink._reproduce._claims import Claim, Request
from slowthink.metastable import (
    distill,
    local_information_task,
    metastable_chain,
    ppo,
    pretrain,
    reweight_edges,
    sparse_edge_search,
)


def policy(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Hitting times before and after the edges were raised, and how far the policy moved."""
    claims = []
    part = "Reward for sparse edges: their probability rises from eps to eps_max"
    # Below 1 / M, so that transitions within clusters that a search took for sparse by mistake have nothing to gain.
    k, m, epsilon_max = 8, 16, 0.05
    moved = []
    for epsilon in (1e-2, 1e-6, 1e-30):
        ring = metastable_chain(k, m, epsilon)
        if epsilon == 1e-2:
            edges: Any = sparse_edge_search(ring, rng=seed, threads=request.threads)
            origin = "edges of a search"
        else:
            edges, origin = ring.sparse_edges, "edges given"
        better = ppo(ring, edges, epsilon_max=epsilon_max, threads=request.threads)
        before, after = (float(times[ring.start]) for times in better.mean_hitting_times(ring.target))
        limit, exact = epsilon_max / epsilon, (m / epsilon + 1) / (m / epsilon_max + 1)
        # The step out of each cluster is in both times: without it the ratio is that of the probabilities.
        waits = (before - (k - 1)) / (after - (k - 1))
        claims.append(
            Claim(
                part,
                f"PPO, eps={epsilon:g}, {origin}: time falls by eps_max/eps = {limit:.6g}",
                f"{before:.6g} to {after:.6g}, by {before / after:.6g}; the waits by {waits:.10g}",
                abs(waits / limit - 1) < 1e-9 and abs(before / after / exact - 1) < 1e-9,
                {"before": before, "after": after, "iterations": better.n_iterations},
            )
        )
        moved.append(float(better.mean_total_variation) * m / (epsilon_max - epsilon))
    steered = reweight_edges(ring, ring.sparse_edges, epsilon_max)
    by_reward = float(steered.mean_hitting_times(ring.target)[ring.start])
    claims.append(
        Claim(
            part,
            f"process reward (reweighting), eps={epsilon:g}: the time of a chain with eps_max",
            f"{by_reward:.10g}, and {(k - 1) * (m / epsilon_max + 1):.10g} there",
            abs(by_reward / ((k - 1) * (m / epsilon_max + 1)) - 1) < 1e-9,
            {"after": by_reward},
        )
    )
    claims.append(
        Claim(
            part,
            "PPO moves the policy by o(1/M) in total variation, where eps_max = o(1)",
            f"(eps_max - eps) / M on average over states, times {min(moved):.6f} to {max(moved):.6f}",
            max(abs(ratio - 1) for ratio in moved) < 1e-6,
            {"ratio": moved},
        )
    )
    epsilons = np.logspace(-1, -12, 12)
    times: dict[str, list[float]] = {"before": [], "after": [], "distilled": []}
    for epsilon in epsilons:
        ring = metastable_chain(k, m, float(epsilon))
        better = ppo(ring, ring.sparse_edges, epsilon_max=epsilon_max)
        for name, chain in (("before", better.base), ("after", better.chain)):
            times[name].append(float(chain.mean_hitting_times(ring.target)[ring.start]))
        times["distilled"].append(float(distill(ring).rescaled.mean_hitting_times(k - 1)[0]))
    return claims, {"before and after search, and distilled": {"x": 1 / epsilons, "lines": times}}


def pretraining(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """What each of the two stages learns."""
    k, m, epsilon = (4, 8, 0.1) if request.quick else (8, 8, 0.05)
    ring = metastable_chain(k, m, epsilon)
    model = pretrain(ring, threads=request.threads)
    first, second = model.end_of(1), model.end_of(2)
    part = "Pretraining of the bigram model in two stages"
    exact = float(ring.chain.mean_hitting_times(ring.target)[ring.start])
    learned = float(model.chain.mean_hitting_times(ring.target)[ring.start])
    claims = [
        Claim(
            part,
            f"K={k} M={m} eps={epsilon:g}: T1 = K M^2 / eps^2 = {model.n_steps_1} steps separate edges from the rest",
            f"error {model.error[first]:.1e}, mass off the edges {model.spurious_mass[first]:.1e}; "
            f"cut: {model.n_spurious} kept, {model.n_missed} lost by mistake",
            model.n_spurious == 0 and model.n_missed == 0 and model.spurious_mass[first] > 0,
            {"error": model.error[first], "spurious_mass": model.spurious_mass[first]},
        ),
        Claim(
            part,
            f"then T2 = 3 K M / eps^2 = {model.n_steps_2} steps: exponentially small error",
            f"error {model.error[second]:.1e} (exp(-3/eps) = {math.exp(-3 / epsilon):.0e}, rounding about 1e-12); "
            f"mean hitting time {learned:.9g}, exactly {exact:.9g}",
            model.error[second] < 1e-10 and abs(learned / exact - 1) < 1e-9,
            {"error": model.error[second], "learned": learned, "exact": exact},
        ),
    ]
    panel = {
        "x": np.maximum(model.step, 1),
        "lines": {"largest error": model.error, "mass off edges": model.spurious_mass},
        "x_label": "steps of gradient descent",
        "y_label": "relative error, probability",
    }
    return claims, {"pretraining, the cut, and the second stage": panel}


def distillation(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Crossing times of the distilled chain, and which way it leaves."""
    part = "Distillation to a chain over clusters, rescaled by beta = log(M / eps)"
    claims = []
    for k in (8, 32):
        times, escapes = [], []
        for epsilon in (1e-1, 1e-4, 1e-8, 1e-12):
            small = distill(metastable_chain(k, 16, epsilon, meta_graph="random", rng=1))
            escapes.append(float(np.abs(small.next_cluster() - small.next_cluster(rescaled=True)).max()))
            crossing = distill(metastable_chain(k, 16, epsilon)).rescaled.mean_hitting_times(k - 1)
            times.append(float(crossing[0]))
        claims.append(
            Claim(
                part,
                f"K={k}: crossing in O(K) steps for eps from 0.1 to 1e-12",
                f"{min(times):.3f} to {max(times):.3f} steps, at most {max(times) / k:.2f} K",
                max(times) <= 2 * k,
                {"times": times},
            )
        )
        claims.append(
            Claim(
                part,
                f"K={k}, random meta-graph: escape probabilities are preserved",
                f"law of the next cluster differs by {max(escapes):.0e} at most",
                max(escapes) < 1e-12,
                {"differences": escapes},
            )
        )
    k, m, epsilon = 8, 16, 0.1
    ring = metastable_chain(k, m, epsilon)
    n_steps = (1 if request.quick else 16) * math.ceil((m / epsilon) ** 2)
    learned = distill(ring, exact=False, n_steps=n_steps, rng=seed, threads=request.threads)
    found, exact = learned.escape_probabilities(), distill(ring).escape_probabilities()
    # Visits to a cluster are geometric: about n escapes leave a relative error of 1 / sqrt(n).
    expected = np.sqrt(k / (n_steps * exact))
    worst = float((np.abs(found / exact - 1) / expected).max())
    claims.append(
        Claim(
            part,
            f"K={k} M={m} eps={epsilon:g}: learned from a walk of {n_steps} steps",
            f"escape probabilities within {np.abs(found / exact - 1).max():.1%}, {worst:.1f} standard errors",
            worst < 5,
            {"found": found, "exact": exact},
        )
    )
    return claims, {}


def local(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Learners with access to more and more, on longer and longer hidden paths."""
    claims = []
    sizes = np.array([4, 8, 16, 32])
    lines: dict[str, list[float]] = {"chance": []}
    n_worlds = 200 if request.quick else 2000
    for k, stream in zip(sizes.tolist(), seed.spawn(len(sizes)), strict=True):
        result = local_information_task(k, n_worlds=n_worlds, confidence=0.999, rng=stream, threads=request.threads)
        lines["chance"].append(result.chance)
        for level, share in zip(result.levels, result.accuracy, strict=True):
            lines.setdefault(level, []).append(float(share))
        measured = ", ".join(
            f"{level} {share:.3f} [{low:.3f}, {high:.3f}]"
            for level, share, low, high in zip(result.levels, result.accuracy, result.low, result.high, strict=True)
        )
        # Chance, and what the actions that were read are worth.
        as_expected = (result.low <= result.expected) & (result.expected <= result.high)
        known = k < sizes[-1] or bool((result.expected[:3] < result.chance + 0.01).all())
        claims.append(
            Claim(
                "Composing hidden actions (ours, after section 5): chance is 1/5",
                f"K={k}: only the global learner succeeds"
                + (", others at chance" if k == sizes[-1] else ", others fall to chance"),
                measured,
                bool(result.low[3] > 0.9 and (result.high[:3] < 0.9).all() and as_expected.all() and known),
                {"accuracy": result.accuracy, "expected": result.expected, "correlation": result.correlation},
            )
        )
    panel = {
        "x": sizes,
        "lines": {name: lines[name] for name in ("none", "path", "local", "global", "chance")},
        "x_label": "clusters, K",
        "y_label": "share of right guesses",
        "log": False,
    }
    return claims, {"composing hidden actions, by access": panel}
