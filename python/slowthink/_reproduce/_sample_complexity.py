"""Huang et al. 2025: how many samples voting and best-of-n need, and self-correction as online learning."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink._reproduce import _experts
from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink._reproduce._trials import WALKS_BEST, WALKS_MAJORITY, interval, right
from slowthink.problems import Categorical
from slowthink.samples import best_of_n_probability, plurality_probability, samples_needed
from slowthink.strategies import Verifier

PAPER = (
    "Huang, Li, Wu, Yang, Talwalkar, Ramchandran, Jordan, Jiao 2025, Sample Complexity and Representation Ability of "
    "Test-time Scaling Paradigms (arXiv 2506.05295)"
)

DELTA = 0.05
"""Probability of a wrong answer that is allowed."""

# Gap and the least number of samples, worked out by hand.
VOTES_OF_TWO = ((0.4, 17), (0.2, 67), (0.1, 269), (0.05, 1081), (0.02, 6763), (0.01, 27055), (0.005, 108221))
BEST_OF_TWO = ((0.4, 3), (0.2, 4), (0.1, 4), (0.05, 5), (0.02, 5), (0.01, 5))
BEST_OF_FLAT = ((0.2, 6), (0.1, 14), (0.05, 29), (0.02, 74), (0.01, 149), (0.001, 1497))
VOTES_OF_FLAT = ((0.2, 61, 65), (0.1, 162, 170), (0.05, 388, 406), (0.02, 1164, 1208))


def reproduce(request: Request) -> Reproduction:
    """All parts, one after the other."""
    claims: list[Claim] = []
    panels: dict[str, dict[str, Any]] = {}
    parts = (two_answers, flat_wrong, simulated, exponent, verifier, _experts.regret, _experts.correction)
    for part, seed in zip(parts, np.random.SeedSequence(request.seed).spawn(len(parts)), strict=True):
        request.report(part.__doc__ or part.__name__)
        found, drawn = part(request, seed)
        claims += found
        panels.update(drawn)
    remarks = (
        "Caution: best-of-n is given a verifier that never errs, voting is not. With errors it is bounded by them, and "
        "no number of samples helps. The constants are exact; the paper has rates without constants.",
        "The separation 1/gap^2 against 1/gap is over worst cases, not on each instance: where wrong answers are flat, "
        "voting is only a factor of log worse. The paper's trained models are not reproduced. Intervals: 99.9% each.",
        "Self-correction ends at the first accepted answer; before it a learner hears of failures alone, so that it "
        "does little more than ask all in turn. Learning itself is what the regret shows.",
    )
    return Reproduction(PAPER, claims, remarks, panels)


def law(question: Categorical) -> npt.NDArray[np.float64]:
    """The law of the one question of a problem."""
    p: npt.NDArray[np.float64] = question.probabilities[0, 0]
    return p


def needed(question: Categorical, strategy: Literal["majority", "best-of-n"]) -> int:
    return samples_needed(law(question), strategy=strategy, confidence=1 - DELTA)


def fitted(gaps: list[float], numbers: list[int]) -> float:
    """The exponent of the gap, over the three smallest."""
    return float(np.polyfit(np.log(gaps[-3:]), np.log(numbers[-3:]), 1)[0])


def two_answers(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Two answers, on which voting is worst."""
    del request, seed
    part = f"Two answers, (1 +- gap)/2: voting needs z^2/gap^2 samples for an error of {DELTA}"
    gaps, known = ([pair[i] for pair in VOTES_OF_TWO] for i in (0, 1))
    votes = [needed(Categorical.two_answer(gap), "majority") for gap in gaps]
    best = [needed(Categorical.two_answer(gap), "best-of-n") for gap, _ in BEST_OF_TWO]
    constant, limit = votes[-1] * gaps[-1] ** 2, 1.6448536269514722**2
    slope = fitted(gaps, votes)
    claims = [
        Claim(
            part,
            f"gap {', '.join(f'{gap:g}' for gap in gaps)}: n = {', '.join(map(str, known))}",
            f"n = {', '.join(map(str, votes))}",
            votes == known,
            {"gaps": gaps, "votes": votes},
        ),
        Claim(
            part,
            f"n gap^2 -> {limit:.3f}, exponent -2",
            f"n gap^2 = {constant:.4f}, exponent {slope:.4f}",
            abs(constant - limit) < 5e-4 and abs(slope + 2) < 1e-3,
            {"constant": constant, "exponent": slope},
        ),
        Claim(
            part,
            f"best-of-n on the same, gap 0.4 to 0.01: {', '.join(str(n) for _, n in BEST_OF_TWO)}",
            ", ".join(map(str, best)),
            best == [n for _, n in BEST_OF_TWO],
            {"best_of_n": best},
        ),
    ]
    lines = {"voting": votes, "best-of-n": [needed(Categorical.two_answer(gap), "best-of-n") for gap in gaps]}
    drawn = {"x": [1 / gap for gap in gaps], "lines": lines, "x_label": "1 / gap", "y_label": "samples needed"}
    return claims, {"two answers": drawn}


def flat_wrong(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Flat wrong answers, on which best-of-n is worst."""
    del seed
    part = f"2 gap for the right answer, gap for each wrong one: best-of-n needs ln(1/{DELTA})/(2 gap)"
    gaps, known = ([pair[i] for pair in BEST_OF_FLAT] for i in (0, 1))
    best = [needed(Categorical.flat_wrong(gap), "best-of-n") for gap in gaps]
    constant, limit = best[-1] * gaps[-1], math.log(1 / DELTA) / 2
    slope = fitted(gaps, best)
    claims = [
        Claim(
            part,
            f"gap {', '.join(f'{gap:g}' for gap in gaps)}: n = {', '.join(map(str, known))}",
            f"n = {', '.join(map(str, best))}",
            best == known,
            {"gaps": gaps, "best_of_n": best},
        ),
        Claim(
            part,
            f"n gap -> {limit:.3f}, exponent -1",
            f"n gap = {constant:.4f}, exponent {slope:.4f}",
            abs(constant - limit) < 2e-3 and abs(slope + 1) < 5e-3,
            {"constant": constant, "exponent": slope},
        ),
    ]
    votes = {}
    for gap, uniform, strict in VOTES_OF_FLAT[: 2 if request.quick else 4]:
        question = Categorical.flat_wrong(gap)
        found = needed(question, "majority"), least_strict(law(question), request.threads)
        votes[gap] = found[0]
        ratio = found[0] * gap / math.log(round(1 / gap) - 2)
        times = found[0] / needed(question, "best-of-n")
        claims.append(
            Claim(
                "Voting on the same: only a factor of log(answers) more (caution)",
                f"gap {gap:g}: n = {uniform}, or {strict} where a tie is a failure",
                f"n = {found[0]}, {found[1]}; n gap / ln W = {ratio:.1f}; {times:.0f} times best-of-n",
                found == (uniform, strict),
                {"gap": gap, "uniform": found[0], "strict": found[1], "ratio": ratio},
            )
        )
    shown = list(votes)
    lines = {"voting": [votes[gap] for gap in shown], "best-of-n": [best[gaps.index(gap)] for gap in shown]}
    drawn = {"x": [1 / gap for gap in shown], "lines": lines, "x_label": "1 / gap", "y_label": "samples needed"}
    return claims, {"flat wrong answers": drawn}


def least_strict(p: npt.NDArray[np.float64], threads: int | None) -> int:
    """The least n with which the right answer alone has the most votes with probability 1 - DELTA."""
    low, high = 1, 2
    while plurality_probability(p, high, ties="strict", threads=threads) < 1 - DELTA:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = plurality_probability(p, middle, ties="strict", threads=threads) >= 1 - DELTA
        low, high = (low, middle) if enough else (middle, high)
    # The probability need not grow with each single vote.
    near = np.arange(max(1, high - 12), high + 1)
    values = np.asarray(plurality_probability(p, near, ties="strict", threads=threads))
    return int(near[np.argmax(values >= 1 - DELTA)])


def simulated(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """Trials at the numbers of samples that are needed, and at half of them."""
    claims = []
    n_trials = 2_000 if request.quick else 20_000
    cases = (
        ("two answers, gap 0.1", Categorical.two_answer(0.1), WALKS_MAJORITY, "majority", 269),
        ("flat wrong, gap 0.1", Categorical.flat_wrong(0.1), WALKS_MAJORITY, "majority", 162),
        ("flat wrong, gap 0.02", Categorical.flat_wrong(0.02), WALKS_BEST, "best-of-n", 74),
        ("Zipf, 20 answers", Categorical.zipf(20), WALKS_MAJORITY, "majority", 0),
    )
    for (name, question, strategy, label, given), stream in zip(cases, seed.spawn(len(cases)), strict=True):
        number = given or needed(question, "majority")
        numbers = [number // 2, number]
        if label == "majority":
            exact = np.asarray(plurality_probability(law(question), numbers))
        else:
            exact = np.array([best_of_n_probability(law(question)[0], m) for m in numbers])
        hits = right(request, question, [strategy], numbers, n_trials, stream)[0]
        bounds = [interval(int(h), n_trials) for h in hits]
        claims.append(
            Claim(
                "Simulated at the number needed, and at half of it",
                f"{name}, {label}, n = {numbers[0]}, {numbers[1]}: {exact[0]:.4f}, {exact[1]:.4f}",
                "; ".join(f"{h / n_trials:.4f} [{b[0]:.4f}, {b[1]:.4f}]" for h, b in zip(hits, bounds, strict=True)),
                all(low <= e <= high for e, (low, high) in zip(exact, bounds, strict=True))
                and exact[0] < 1 - DELTA <= exact[1],
                {"n": numbers, "exact": exact, "simulated": hits / n_trials},
            )
        )
    return claims, {}


def exponent(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """How fast the error of a vote falls."""
    del request, seed
    claims = []
    for p, n in (((0.5, 0.3, 0.2), 600), ((0.6, 0.4), 600)):
        expected = -math.log(1 - (math.sqrt(p[0]) - math.sqrt(p[1])) ** 2)
        # A tie is a failure here: a loss to the strongest rival, summed over odd and even n alike.
        errors = [1 - float(plurality_probability(p, m, ties="strict")) for m in (n // 2, n)]
        # The error is the power times 1 / sqrt(n).
        found = (math.log(errors[0] / errors[1]) - math.log(2) / 2) / (n - n // 2)
        claims.append(
            Claim(
                "Error of a vote of n: exp(-n E), E = -log(1 - (sqrt p1 - sqrt p2)^2)",
                f"p = {', '.join(f'{x:g}' for x in p)}: E = {expected:.5f}",
                f"{found:.5f} between n = {n // 2} and {n}",
                abs(found / expected - 1) < 0.02,
                {"expected": expected, "found": found},
            )
        )
    return claims, {}


def verifier(request: Request, seed: np.random.SeedSequence) -> tuple[list[Claim], dict[str, Any]]:
    """What a verifier that errs leaves of best-of-n."""
    claims = []
    n_trials = 5_000 if request.quick else 50_000
    question, numbers = Categorical.flat_wrong(0.1), [1, 4, 14, 64, 162, 1024]
    p = float(law(question)[0])
    cases = ((0.0, 0.0), (0.05, 0.1), (0.3, 0.3))
    lines: dict[str, Any] = {"voting": np.asarray(plurality_probability(law(question), numbers))}
    points: dict[str, Any] = {}
    for (positive, negative), stream in zip(cases, seed.spawn(len(cases)), strict=True):
        accepted = p * (1 - negative), (1 - p) * positive
        ceiling = accepted[0] / sum(accepted)
        refused = p * negative, (1 - p) * (1 - positive)
        none = (1 - sum(accepted)) ** np.array(numbers, dtype=float)
        exact = ceiling * (1 - none) + refused[0] / sum(refused) * none
        judge = Verifier(false_positive=positive, false_negative=negative)
        hits = right(request, question, [WALKS_BEST], numbers, n_trials, stream, judge)[0]
        bounds = [interval(int(h), n_trials) for h in hits]
        reaches = ceiling >= 1 - DELTA
        word = (
            "14 samples are enough"
            if reaches
            else f"never above {ceiling:.3f}, where a vote of 162 is right w.p. 0.951"
        )
        claims.append(
            Claim(
                "Best-of-n with a verifier that errs (caution); flat wrong answers, gap 0.1",
                f"accepts wrong ones w.p. {positive:g}, refuses right ones w.p. {negative:g}: {word}",
                f"n = 14, 162, 1024: {', '.join(f'{hits[numbers.index(m)] / n_trials:.4f}' for m in (14, 162, 1024))}"
                f" (exactly {', '.join(f'{exact[numbers.index(m)]:.4f}' for m in (14, 162, 1024))})",
                all(low <= e <= high for e, (low, high) in zip(exact, bounds, strict=True))
                and (exact[numbers.index(14)] >= 1 - DELTA) == reaches,
                {"n": numbers, "exact": exact, "simulated": hits / n_trials, "ceiling": ceiling},
            )
        )
        name = f"best-of-n, errors {positive:g}, {negative:g}"
        lines[name], points[name] = exact, hits / n_trials
    drawn = {"x": numbers, "lines": lines, "points": points, "x_label": "samples", "y_label": "right", "log": False}
    return claims, {"verifiers that err": drawn}
