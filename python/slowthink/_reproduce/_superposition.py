"""Zhu, Hao, Hu, Jiao, Russell and Tian 2025: reachability by superposition, and by walks."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink.problems import Reachability
from slowthink.samples import samples_needed

PAPER = "Zhu, Hao, Hu, Jiao, Russell, Tian 2025, Reasoning by Superposition (arXiv 2505.12514), on ProsQA"

LEVEL = 0.999
"""Of each interval by itself."""

PUBLISHED = {"nodes": 22.8, "edges": 35.84, "nodes reached": 13.4, "widest frontier": 5.0, "hit probability": 0.1584}
"""Means over the 500 instances of the published test set."""

_Floats = npt.NDArray[np.float64]


def reproduce(request: Request) -> Reproduction:
    """All parts, one after the other."""
    seeds = np.random.SeedSequence(request.seed).spawn(6)
    if request.data is None:
        graphs = Reachability.generate(400 if request.quick else 2000, rng=seeds[0], threads=request.threads)
    else:
        graphs = Reachability.read(request.data)
        if (graphs.depth() < 0).all():
            raise ValueError(f"{request.data}: no target can be reached from its root")
    claims: list[Claim] = []
    panels: dict[str, dict[str, Any]] = {}
    parts = (instances, superposition, walks, pass_at_k, votes, noise)
    for part, seed in zip(parts, seeds, strict=True):
        request.report(part.__doc__ or part.__name__)
        found, drawn = part(request, graphs, seed)
        claims += found
        panels.update(drawn)
    origin = (
        "Instances were generated to be like those of ProsQA." if request.data is None else "Instances: the file's."
    )
    remarks = (
        "Cautions. O(n^2) steps of a discrete chain of thought are an upper bound of the paper, no lower one: "
        "depth-first search, a discrete walk that remembers where it was, needs fewer than 2 n. The accuracies of "
        "trained models in the paper (superposition near 100 %, discrete chains of thought near 75 %, both with two "
        "layers) need training and are not reproduced; a uniform walk is no trained model.",
        f"Intervals hold with {LEVEL:.1%} each. Steps of walks, votes and noise are slowthink's own numbers. " + origin,
    )
    return Reproduction(PAPER, claims, remarks, panels)


def _interval(shares: _Floats, n: int) -> tuple[float, float]:
    """Where the mean of ``n`` draws for each instance, which succeed with these probabilities, is expected."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    # A half of a success more on either side: the mean is a count.
    reach = z * np.sqrt((shares * (1 - shares)).sum() / n) + 0.5 / n
    return float(shares.mean() - reach / len(shares)), float(shares.mean() + reach / len(shares))


def instances(
    request: Request, graphs: Reachability, seed: np.random.SeedSequence
) -> tuple[list[Claim], dict[str, Any]]:
    """What the instances are."""
    distances, depth = graphs.distances(), graphs.depth()
    frontiers = np.stack([(distances == step).sum(axis=1) for step in range(1, int(distances.max()) + 1)])
    means = {
        "nodes": graphs.n_nodes.mean(),
        "edges": graphs.n_edges.mean(),
        "nodes reached": (distances >= 0).sum(axis=1).mean(),
        "widest frontier": frontiers.max(axis=0).mean(),
        "hit probability": graphs.hit_probability().mean(),
    }
    other = np.take_along_axis(distances, graphs.questions[:, 2:], axis=1)[:, 0]
    part = f"The instances: {graphs.n_instances} graphs"
    counts = np.bincount(depth[depth >= 0])
    listed = ", ".join(f"{count} at {steps}" for steps, count in enumerate(counts) if count)
    claims = [
        Claim(
            part,
            "exactly one of the two candidates can be reached",
            f"the target in {(depth >= 0).sum()}, the other in {(other >= 0).sum()}; depths: {listed}",
            bool((depth >= 0).all() and (other < 0).all()),
            {"depth": depth},
        ),
        Claim(
            part,
            "like the test set: means " + ", ".join(f"{value:g} {name}" for name, value in PUBLISHED.items()),
            ", ".join(f"{value:.4g}" for value in means.values()),
            all(abs(means[name] / value - 1) < 0.1 for name, value in PUBLISHED.items()),
            means,
        ),
    ]
    return claims, {}


def superposition(
    request: Request, graphs: Reachability, seed: np.random.SeedSequence
) -> tuple[list[Claim], dict[str, Any]]:
    """Breadth-first search by superposition: one expansion a step."""
    depth = graphs.depth()
    thoughts = graphs.superposition(threads=request.threads)
    solved = thoughts.solved_at()
    carried = graphs.superposition(noise=1e-300, rng=seed, threads=request.threads)
    difference = float(np.abs(carried.weights - thoughts.weights).max())
    last = thoughts.n_nodes[:, -1].mean()
    part = "Superposition: thought c holds the nodes within c edges, with weights |V_c|^-1/2"
    claims = [
        Claim(
            part,
            f"depth {steps}: solved after {steps} steps, and undecided before",
            f"{int((solved[of] == steps).sum())} of {int(of.sum())}",
            bool((solved[of] == steps).all()),
            {"solved_at": solved[of]},
        )
        for steps in np.unique(depth[depth >= 0]).tolist()
        for of in [depth == steps]
    ]
    wrong = int((thoughts.measure() == -1).sum())
    claims += [
        Claim(part, "no thought prefers the wrong candidate", f"{wrong} do", wrong == 0),
        Claim(
            part,
            "the layer: carry along the edges, cut at a threshold, normalise",
            f"weights differ by at most {difference:.0e}; the last thought holds {last:.1f} nodes",
            difference < 1e-12,
        ),
    ]
    return claims, {}


def walks(request: Request, graphs: Reachability, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Discrete walks: how often they find the target, and how long that takes."""
    p, depth, n_nodes = graphs.hit_probability(), graphs.depth(), graphs.n_nodes
    n_walks = 200 if request.quick else 1000
    once, again, deep = seed.spawn(3)
    counts = graphs.walk(n_walks=n_walks, rng=once, threads=request.threads).n_hits
    part = "A discrete walk follows one edge at a time, uniformly"
    claims = []
    for name, of in [("all", depth >= 0), *((f"depth {d}", depth == d) for d in np.unique(depth[depth >= 0]).tolist())]:
        low, high = _interval(p[of], n_walks)
        found = counts[of].mean() / n_walks
        claims.append(
            Claim(
                part,
                f"{name}: hit probability {p[of].mean():.4f}, exact by recursion",
                f"{found:.4f} by {n_walks} walks of each of {int(of.sum())}, expected in [{low:.4f}, {high:.4f}]",
                low <= found <= high,
                {"exact": p[of].mean(), "simulated": found, "low": low, "high": high},
            )
        )
    found = graphs.answer_probabilities()[:, 0].mean()
    claims.append(
        Claim(
            part,
            "a walk that guesses at sinks is far from sure",
            f"right with probability {found:.4f}; superposition: 1",
            bool(found < 0.75),
        )
    )
    n_tries = 20 if request.quick else 100
    restarted = graphs.walk(restart=True, n_walks=n_tries, rng=again, threads=request.threads)
    first = graphs.walk("depth-first", n_walks=n_tries, rng=deep, threads=request.threads)
    found, bound = restarted.steps.mean(axis=1), n_nodes**2
    claims += [
        Claim(
            part,
            "many steps where superposition needs D: walks that begin again until they hit",
            f"{found.mean():.1f} steps on average (median {np.median(restarted.steps):.0f}), D = {depth.mean():.2f}",
            bool((found >= depth).all() and found.mean() > 10 * depth.mean()),
            {"steps": found},
        ),
        Claim(
            part,
            "caution: O(n^2) is no lower bound. Depth first with steps back needs fewer than 2 n",
            f"{first.steps.mean():.1f} on average, at most {(first.steps.max(axis=1) / n_nodes).max():.2f} n; "
            f"n^2 = {bound.mean():.0f}; all hit: {bool(first.hit.all())}",
            bool(first.hit.all() and (first.steps.max(axis=1) < 2 * n_nodes).all()),
            {"steps": first.steps.mean(axis=1)},
        ),
    ]
    steps = 2 ** np.arange(0, 11)
    lines = {
        "superposition": [(depth <= most).mean() for most in steps],
        "depth first": [(first.hit & (first.steps <= most)).mean() for most in steps],
        "restarted walks": [(restarted.hit & (restarted.steps <= most)).mean() for most in steps],
    }
    panel = {"x": steps, "lines": lines, "x_label": "steps", "y_label": "share solved", "log": False}
    return claims, {"solved within so many steps": panel}


def pass_at_k(
    request: Request, graphs: Reachability, seed: np.random.SeedSequence
) -> tuple[list[Claim], dict[str, Any]]:
    """The bridge to repeated sampling: pass@k of walks."""
    ks = [1, 4, 16, 64, 256]
    exact = graphs.pass_at_k(ks)
    claims, measured = [], []
    groups = 4 if request.quick else 16
    hit = graphs.walk(n_walks=ks[-1] * groups, rng=seed, threads=request.threads).hit
    for i, k in enumerate(ks):
        n = hit.shape[1] // k
        found = float(hit.reshape(len(hit), n, k).any(axis=2).mean())
        low, high = _interval(exact[:, i], n)
        measured.append(found)
        claims.append(
            Claim(
                "Restarted walks are repeated sampling: pass@k is the mean of 1 - (1 - p)^k",
                f"k = {k}: {exact[:, i].mean():.4f}",
                f"{found:.4f} by {n} groups of walks, expected in [{low:.4f}, {high:.4f}]",
                low <= found <= high,
                {"k": k, "exact": exact[:, i].mean(), "simulated": found, "low": low, "high": high},
            )
        )
    panel = {
        "x": ks,
        "lines": {"walks": exact.mean(axis=0), "superposition": np.ones(len(ks))},
        "points": {"walks": measured},
        "x_label": "walks, k",
        "y_label": "pass@k",
        "log": False,
    }
    return claims, {"pass@k of walks": panel}


def votes(request: Request, graphs: Reachability, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """What a vote needs against what a verifier needs: the margin of guessing walks is their hit probability."""
    part = "Walks that guess: a majority vote has the margin Delta = p"
    p = graphs.hit_probability()
    gaps = np.quantile(p[p > 0], [0.8, 0.65, 0.5, 0.35, 0.2])
    if len(np.unique(gaps[gaps < 1])) < len(gaps):
        return [Claim(part, "samples for 95 % grow like a power of Delta", "the margins hardly differ", False)], {}
    needed = {
        "majority": [samples_needed([(1 + gap) / 2, (1 - gap) / 2]) for gap in gaps],
        "best-of-n": [samples_needed([gap], strategy="best-of-n") for gap in gaps],
    }
    claims = []
    for name, wanted in (("majority", 2), ("best-of-n", 1)):
        slope = -float(np.polyfit(np.log(gaps), np.log(needed[name]), 1)[0])
        claims.append(
            Claim(
                part,
                f"{name}: samples for 95 % grow like Delta^-{wanted}",
                f"Delta^-{slope:.2f}; at the median Delta = {gaps[2]:.4f}: {needed[name][2]}",
                abs(slope - wanted) < 0.15,
                {"gap": gaps, "needed": needed[name]},
            )
        )
    panel = {"x": np.round(1 / gaps, 1), "lines": needed, "x_label": "1 / Delta", "y_label": "samples needed"}
    return claims, {"votes and verifiers": panel}


def noise(request: Request, graphs: Reachability, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """A superposition of limited precision (our model)."""
    sigmas = np.array([0.01, 0.02, 0.04, 0.08, 0.16])
    depth = graphs.depth()
    shares = []
    for sigma, stream in zip(sigmas, seed.spawn(len(sigmas)), strict=True):
        answers = graphs.superposition(noise=float(sigma), rng=stream, threads=request.threads).measure()
        shares.append(float((np.take_along_axis(answers, np.maximum(depth, 0)[:, None], axis=1) == 1).mean()))
    listed = ", ".join(f"{share:.3f} at {sigma:g}" for share, sigma in zip(shares, sigmas, strict=True))
    claim = Claim(
        "Noise in the weights (ours, not the paper's)",
        "caution: weights shrink like |V_c|^-1/2, and noise of that order breaks the search",
        f"right after D steps: {listed}",
        bool(shares[0] > 0.999 and (np.diff(shares) <= 0).all() and shares[-1] < 0.5),
        {"sigma": sigmas, "right": shares},
    )
    panel = {
        "x": sigmas,
        "lines": {"right after D steps": shares},
        "x_label": "noise",
        "y_label": "share",
        "log": False,
    }
    return [claim], {"noise": panel}
