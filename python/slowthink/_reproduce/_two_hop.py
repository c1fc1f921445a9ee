"""Guo, Zhu, Zhang, Jiao, Mei, Jordan and Russell 2025: contexts for two hops, guesses, and the abrupt transition."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from slowthink import _slowthink
from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink.problems import TwoHop

PAPER = "Guo et al. 2025, How Do LLMs Perform Two-Hop Reasoning in Context? (arXiv 2502.13913)"

LEVEL = 0.999
"""Of each interval by itself: a table of them all hides few misses."""

STARTS = {0: (634, 660, 741), 1: (524, 550, 640), 2: (1202, 1229, 1307), 3: (638, 666, 718)}
"""Of the notebook's random starts, by the number of their generator: steps at which the loss falls below each level."""

LEVELS = (2.5, 1.0, 0.1)


def reproduce(request: Request) -> Reproduction:
    """All parts, one after the other."""
    claims: list[Claim] = []
    panels: dict[str, dict[str, Any]] = {}
    parts = (data, baselines, transition)
    # Each part has a seed of its own, so that one does not change another.
    for part, seed in zip(parts, np.random.SeedSequence(request.seed).spawn(len(parts)), strict=True):
        request.report(part.__doc__ or part.__name__)
        found, drawn = part(request, seed)
        claims += found
        panels.update(drawn)
    remarks = (
        "Contexts and the model are those of the paper's code and notebook, as far as we know them. Transformers are "
        "not trained here: the two phases are those of the model of three parameters, whose plateau is a guess among "
        "all 31 tokens and not among the five ends.",
    )
    return Reproduction(PAPER, claims, remarks, panels)


def interval(successes: int, trials: int) -> tuple[float, float]:
    """Clopper and Pearson's."""
    return _slowthink.binomial_interval(successes, trials, LEVEL)


def shares(name: str, what: str, exact: float, counts: np.ndarray, n: int) -> Claim:
    """The claim that each of several events has the same probability: intervals of all at once (Bonferroni)."""
    level = 1 - (1 - LEVEL) / len(counts)
    limits = np.array([_slowthink.binomial_interval(int(count), n, level) for count in counts])
    return Claim(
        "The law of the contexts: 5 disjoint chains a > b > c, merged at random, one asked for",
        f"{name}: {what}",
        f"{counts.min() / n:.4f} to {counts.max() / n:.4f} of {n} contexts; all intervals hold {exact:.4f}"
        if (limits[:, 0] <= exact).all() and (exact <= limits[:, 1]).all()
        else f"{counts.min() / n:.4f} to {counts.max() / n:.4f} of {n} contexts",
        bool((limits[:, 0] <= exact).all() and (exact <= limits[:, 1]).all()),
        {"exact": exact, "counts": counts, "contexts": n},
    )


def data(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Whether contexts are drawn as the paper draws them."""
    task = TwoHop()
    n = 20_000 if request.quick else 400_000
    contexts = task.sample(n, rng=seed, threads=request.threads)
    edges = contexts[:, : task.answer_place - 1].reshape(n, -1, 2)
    ends, bridges = task.ends(contexts), task.answer(contexts, hops=1)
    nodes = np.sort(edges.reshape(n, -1), axis=1)
    distinct = 1 + (np.diff(nodes, axis=1) != 0).sum(axis=1)
    # An edge into a bridge comes before the edge out of it.
    out_of = (edges[:, :, 1, None] == edges[:, None, :, 0]).argmax(axis=2)
    inner = (edges[:, :, 1, None] == edges[:, None, :, 0]).any(axis=2)
    ordered = (~inner | (out_of > np.arange(edges.shape[1]))).all(axis=1)
    whole = int((ordered & (distinct == 15) & (inner.sum(axis=1) == 5)).sum())
    claims = [
        Claim(
            "The law of the contexts: 5 disjoint chains a > b > c, merged at random, one asked for",
            "15 distinct nodes, 10 edges, each chain in its order",
            f"{whole} of {n} contexts",
            whole == n,
            {"whole": whole, "contexts": n},
        )
    ]
    tokens = np.bincount(edges[:, 0, 0], minlength=task.n_tokens)
    claims.append(shares("the first node", "each of 30 with probability 1/30", 1 / 30, tokens[4:], n))
    asked = (ends == contexts[:, task.answer_place, None]).sum(axis=0)
    claims.append(shares("the question", "each chain with probability 1/5", 0.2, asked, n))
    # Places of the two edges that matter: all pairs of 10 places are equally probable.
    first = (edges[:, :, 0] == contexts[:, task.answer_place - 1, None]).argmax(axis=1)
    second = (edges[:, :, 0] == bridges[:, None]).argmax(axis=1)
    pairs = np.bincount(first * 10 + second, minlength=100)
    places = [i * 10 + j for i, j in permutations(range(10), 2) if i < j]
    claims.append(shares("the merge", "all 45 pairs of places of the two edges alike", 1 / 45, pairs[places], n))
    return claims, {}


def baselines(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """What a guess among the ends is worth, and sequential query."""
    claims = []
    n = 20_000 if request.quick else 200_000
    lucky_ones: list[float] = []
    queried: list[float] = []
    sizes = np.arange(1, 9)
    for n_chains, stream in zip(sizes.tolist(), seed.spawn(len(sizes)), strict=True):
        task = TwoHop(n_chains=n_chains, length=36)
        drawn, guessed = stream.spawn(2)
        contexts = task.sample(n, rng=drawn, threads=request.threads)
        answers = contexts[:, task.answer_place]
        right = int((task.answer(contexts) == answers).sum())
        choice = np.random.default_rng(guessed).integers(n_chains, size=n)
        lucky = int((task.ends(contexts)[np.arange(n), choice] == answers).sum())
        low, high = interval(lucky, n)
        lucky_ones.append(lucky / n)
        queried.append(right / n)
        if n_chains not in (2, 5, 8):
            continue
        claims.append(
            Claim(
                "Baselines: a uniform guess among the ends, and sequential query",
                f"{n_chains} chains: a guess is right with probability 1/{n_chains}, sequential query always",
                f"guess {lucky / n:.4f} [{low:.4f}, {high:.4f}], sequential query {right} of {n}",
                low <= 1 / n_chains <= high and right == n,
                {"guess": lucky / n, "low": low, "high": high, "sequential_query": right, "contexts": n},
            )
        )
    panel = {
        "x": sizes,
        "lines": {"guess among the ends": 1 / sizes, "sequential query": queried},
        "points": {"guess among the ends": lucky_ones},
        "x_label": "chains of a context",
        "y_label": "share of right answers",
        "log": False,
    }
    return claims, {"guess and sequential query": panel}


def transition(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """When the model of three parameters learns two hops."""
    part = "Three parameters under gradient descent: slow learning, then an abrupt transition"
    loss, parameters = TwoHop.dynamics()
    found = _steps(loss)
    last = ", ".join(f"{value:.2f}" for value in parameters[-1])
    claims = [
        Claim(
            part,
            "from zero: loss log 31 = 3.434 at first; below 2.5, 1, 0.1 at steps 970, 996, 1079",
            f"{loss[0]:.3f}; steps {', '.join(map(str, found))}",
            found == (970, 996, 1079) and abs(loss[0] - np.log(31)) < 1e-12,
            {"steps": found, "first_loss": loss[0]},
        ),
        Claim(
            part,
            "from zero: (beta_1, alpha_2, alpha_3) = (6.23, 5.70, 8.98) and loss .00276 after 4000 steps",
            f"({last}) and {loss[-1]:.5f}",
            bool(np.abs(parameters[-1] - (6.23, 5.70, 8.98)).max() < 0.005 and abs(loss[-1] - 0.00276) < 5e-6),
            {"parameters": parameters[-1], "loss": loss[-1]},
        ),
    ]
    steps = np.unique(np.geomspace(1, 4000, 400).astype(int))
    lines = {"from zero": loss[steps]}
    drops = [found[1] - found[0]]
    for number, known in STARTS.items():
        from_there, _ = TwoHop.dynamics(initial=np.random.default_rng(number).standard_normal(3).tolist())
        lines[f"random start {number}"] = from_there[steps]
        drops.append(int(_steps(from_there)[1] - _steps(from_there)[0]))
        claims.append(
            Claim(
                part,
                f"random start {number} (standard normal): steps {', '.join(map(str, known))}",
                f"steps {', '.join(map(str, _steps(from_there)))}",
                _steps(from_there) == known,
                {"steps": _steps(from_there)},
            )
        )
    claims.append(
        Claim(
            part,
            "a plateau of 500 to 1200 steps, a fall from 2.5 to 1 within about 30",
            f"falls in {min(drops)} to {max(drops)} steps",
            max(drops) <= 30,
            {"drops": drops},
        )
    )
    n = 40 if request.quick else 400
    starts = np.random.default_rng(seed).standard_normal((n, 3))
    random = [_steps(TwoHop.dynamics(initial=start.tolist())[0]) for start in starts]
    learned = np.array([steps for steps in random if steps[1] > 0])
    fall = learned[:, 1] - learned[:, 0]
    low, high = interval(int((fall <= 30).sum()), len(fall))
    half, late = (int(step) for step in np.quantile(learned[:, 0], (0.5, 0.9)))
    claims.append(
        Claim(
            part,
            "(ours) from other standard normal starts the fall is as abrupt wherever it begins",
            f"{len(learned)} of {n} starts learn in 4000 steps, half within {half}, nine of ten within {late}; "
            f"{(fall <= 30).mean():.3f} [{low:.3f}, {high:.3f}] fall within 30 steps",
            bool((fall <= 30).mean() > 0.9),
            {"starts": n, "learned": len(learned), "steps": learned[:, 0], "falls": fall},
        )
    )
    return claims, {
        "loss while two hops are learned": {
            "x": steps, "lines": lines, "x_label": "steps of gradient descent", "y_label": "loss",
        },
        "parameters, from zero": {
            "x": steps,
            "lines": dict(zip(("beta_1", "alpha_2", "alpha_3"), parameters[steps].T, strict=True)),
            "x_label": "steps of gradient descent",
            "y_label": "value",
            "log": False,
        },
    }  # fmt: skip


def _steps(loss: np.ndarray) -> tuple[int, ...]:
    """The first step at which the loss is below each level; 0 where it never is."""
    return tuple(int((loss < level).argmax()) for level in LEVELS)
