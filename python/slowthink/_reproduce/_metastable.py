"""Kim, Wu, Lee and Suzuki 2025: hitting times, how they grow, and the search for sparse edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from slowthink import _slowthink
from slowthink._reproduce import _learning
from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink.metastable import metastable_chain, scaling, search_budget, sparse_edge_search

PAPER = "Kim, Wu, Lee, Suzuki 2025, Metastable Dynamics of Chain-of-Thought Reasoning (arXiv 2502.01694)"

LEVEL = 0.999
"""Of each interval by itself: a table of them all hides few misses."""

# K, M, epsilon, entry states that are sources, and the mean hitting time worked out by hand.
RING = (
    (8, 16, 0.1, 0, 1127.0),
    (8, 16, 0.1, 1, 1111.0),
    (8, 16, 0.05, 0, 2247.0),
    (8, 16, 0.05, 1, 2231.0),
    (8, 16, 0.01, 0, 11207.0),
    (8, 16, 0.01, 1, 11191.0),
    (8, 32, 0.01, 0, 22407.0),
    (16, 16, 0.01, 0, 24015.0),
    (16, 16, 0.01, 2, 23983.0),
    (32, 16, 0.01, 0, 49631.0),
    (32, 16, 0.01, 4, 49567.0),
)


def reproduce(request: Request) -> Reproduction:
    """All parts, one after the other."""
    claims: list[Claim] = []
    panels: dict[str, dict[str, Any]] = {}
    parts = (oracle, growth, search, _learning.policy, _learning.pretraining, _learning.distillation, _learning.local)
    # Each part has a seed of its own, so that one does not change another.
    for part, seed in zip(parts, np.random.SeedSequence(request.seed).spawn(len(parts)), strict=True):
        request.report(part.__doc__ or part.__name__)
        found, drawn = part(request, seed)
        claims += found
        panels.update(drawn)
    remarks = (
        "The paper proves theorems and has no experiments: all numbers are slowthink's own. The forms of the theorems "
        "are known to us from other texts about the paper, not from the paper itself; constants are ours.",
        f"Intervals hold with {LEVEL:.1%} each. The cycle is a caution: a time of K M / eps needs a meta-graph that is "
        "crossed in O(K) jumps. The local-information task is our own construction in the spirit of section 5.",
    )
    return Reproduction(PAPER, claims, remarks, panels)


def interval(successes: int, trials: int) -> tuple[float, float]:
    """Clopper and Pearson's."""
    return _slowthink.binomial_interval(successes, trials, LEVEL)


def oracle(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """The exact hitting times of the ring: by formula, by elimination, by simulation."""
    claims = []
    n_walks = 1000 if request.quick else 10_000
    for (k, m, epsilon, n_sources, known), stream in zip(RING, seed.spawn(len(RING)), strict=True):
        entries = np.ones(k, int)
        entries[1 : 1 + n_sources] = 0
        ring = metastable_chain(k, m, epsilon, entries=entries)
        formula = float(ring.expected_hitting_time())
        exact = float(ring.chain.mean_hitting_times(ring.target)[ring.start])
        times = ring.chain.sample_hitting_times(
            ring.target, ring.start, max_steps=10**12, n_walks=n_walks, rng=stream, threads=request.threads
        )
        low, high = times.interval(LEVEL)
        error = abs(exact / known - 1)
        at_source = f", {n_sources} of the entries at sources" if n_sources else ""
        claims.append(
            Claim(
                "Mean hitting time of the ring: (K-1)(M/eps + 1) - M j",
                f"K={k} M={m} eps={epsilon:g}{at_source}: {known:g}",
                f"{exact:.10g} (error {error:.0e}); simulated {times.mean():.0f} [{low:.0f}, {high:.0f}]",
                error < 1e-12 and formula == known and low <= known <= high,
                {"exact": exact, "formula": formula, "simulated": times.mean(), "low": low, "high": high},
            )
        )
    return claims, {}


def growth(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """The exponents of K, M and 1 / epsilon for each meta-graph."""
    claims = []
    by_clusters: dict[str, Any] = {}
    by_size: dict[str, Any] = {}
    by_epsilon: dict[str, Any] = {}
    n_clusters, sizes, epsilons = np.array([8, 16, 32, 64]), np.array([16, 32, 64]), np.array([1e-2, 1e-4, 1e-8])
    for graph, wanted, slack in (("ring", 1, 0.1), ("complete", 1, 0.1), ("random", 1, 0.4), ("cycle", 2, 0.1)):
        found = scaling(
            graph,  # type: ignore[arg-type]
            n_clusters=n_clusters,
            cluster_size=sizes,
            epsilon=epsilons,
            n_graphs=10 if request.quick else 60,
            rng=seed,
        )
        k, m, e = (float(exponent) for exponent in found.exponents)
        ratios = ", ".join(f"{ratio:.3g}" for ratio in found.ratio[:3, 0, 0])
        name = "cycle, to the opposite cluster (caution)" if graph == "cycle" else graph
        claims.append(
            Claim(
                "Growth of the mean hitting time: K M / eps",
                f"{name}: K^{wanted} M^1 eps^-1",
                f"K^{k:.2f} M^{m:.2f} eps^-{e:.2f}; over K M / eps at K = 8, 16, 32: {ratios}",
                abs(k - wanted) < slack and abs(m - 1) < 0.01 and abs(e - 1) < 0.01,
                {"exponents": found.exponents, "ratio": found.ratio[:, 0, 0]},
            )
        )
        by_clusters[graph] = found.times[:, 0, 0]
        by_size[graph] = found.times[0, :, 0]
        by_epsilon[graph] = found.times[0, 0, :]
    return claims, {
        "growth with K": {"x": n_clusters, "lines": by_clusters, "x_label": "clusters, K"},
        "growth with M": {"x": sizes, "lines": by_size, "x_label": "states of a cluster, M"},
        "growth with 1 / epsilon": {"x": 1 / epsilons, "lines": by_epsilon},
    }


def search(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Whether searches find all edges, and within the budget."""
    claims = []
    n_searches = 30 if request.quick else 200
    for (k, m, epsilon), stream in zip(((8, 16, 0.01), (16, 16, 0.01), (16, 32, 0.001)), seed.spawn(3), strict=True):
        ring = metastable_chain(k, m, epsilon)
        budget = search_budget(k, m, epsilon)
        found = [sparse_edge_search(ring, rng=one, threads=request.threads) for one in stream.spawn(n_searches)]
        whole = sum(edges.recall(ring) == 1 for edges in found)
        steps, precision = (
            [edges.n_steps for edges in found],
            float(np.mean([edges.precision(ring) for edges in found])),
        )
        low, high = interval(whole, n_searches)
        promised = 1 - budget.miss_probability
        unit = k * m / epsilon
        claims.append(
            Claim(
                "Search for sparse edges: R = O(K log K) restarts of O(log K) rollouts",
                f"K={k} M={m} eps={epsilon:g}: all w.p. {promised:g} in {budget.n_steps / unit:.0f} K M / eps steps",
                f"{whole}/{n_searches} [{low:.3f}, {high:.3f}] in {np.mean(steps) / unit:.1f} K M / eps, "
                f"precision {precision:.2f}",
                high >= promised and max(steps) <= budget.n_steps,
                {"found_all": whole, "searches": n_searches, "steps": float(np.mean(steps)), "precision": precision},
            )
        )
    return claims, {}
