"""Rare hitting probabilities: exact rationals, closed forms down to 1e-290, unbiasedness, coverage, real protocols."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from slowthink.chains import HittingProbability, MarkovChain
from slowthink.reference import rare as slow

METHODS = ("plain", "splitting", "importance")


def ruin(up: float, top: int) -> MarkovChain:
    """A gambler with 0 to ``top`` coins who wins a game with probability ``up``, and stops at either end."""
    states = np.arange(1, top)
    indptr = np.concatenate([[0, 1], 1 + 2 * states, [2 * top]])
    indices = np.concatenate([[0], np.stack([states - 1, states + 1], axis=1).ravel(), [top]])
    return MarkovChain((indptr, indices, np.concatenate([[1.0], np.tile([1 - up, up], top - 1), [1.0]])))


def wins(up: float, top: int, start: int = 1) -> float:
    ratio = (1 - up) / up
    return math.expm1(start * math.log(ratio)) / math.expm1(top * math.log(ratio))


# --- known probabilities


@pytest.mark.parametrize(("method", "widest"), [("splitting", 20), ("importance", 1.0001)])
@pytest.mark.parametrize("top", [6, 14, 25, 82, 788])
def test_gamblers_ruin_from_a_hundredth_to_1e290(method: Any, widest: float, top: int) -> None:
    if (method, top) == ("splitting", 788):
        top = 150  # 1e-55: the cost of splitting grows with the logarithm of the probability
    found = ruin(0.3, top).sample_hitting_probability([top], 1, method=method, n_walks=4096, confidence=1 - 1e-6, rng=1)
    assert found.low <= wins(0.3, top) <= found.high < widest * found.probability
    assert found.method == method
    assert found.reliable


@pytest.mark.parametrize("top", [2, 6, 14])
def test_plain_walks_hold_the_closed_form(top: int) -> None:
    found = ruin(0.3, top).sample_hitting_probability([top], 1, method="plain", confidence=1 - 1e-6, rng=2)
    assert found.low <= wins(0.3, top) <= found.high
    assert found.probability == found.hits / found.n_walks == found.hits / 100_000
    assert found.reliable


def test_no_hit_leaves_an_upper_bound() -> None:
    found = ruin(0.3, 82).sample_hitting_probability([82], 1, method="plain", n_walks=1000, rng=3)
    assert (found.probability, found.hits, found.low) == (0, 0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 1000), rel=1e-9)  # the rule of three, exactly
    # Levels that tell nothing: no replicate arrives, and the plain walks at its beginning are what is known.
    blind = ruin(0.3, 82).sample_hitting_probability(
        [82], 1, method="splitting", n_walks=1024, levels=np.zeros(83), rng=3
    )
    assert (blind.probability, blind.low) == (0, 0)
    assert blind.high == pytest.approx(1 - 0.025 ** (1 / 1024), rel=1e-9)
    assert not blind.reliable
    assert "reliable=False" in repr(blind)


def test_weights_with_a_mean_above_one_are_a_probability_of_one() -> None:
    chain = MarkovChain([[1, 0, 0], [5 / 7, 1 / 7, 1 / 7], [0, 1, 0]])
    found = chain.sample_hitting_probability([0], 1, method="importance", n_walks=4096, max_steps=11, rng=0)
    assert found.estimates.mean() > 1
    assert found.low < found.probability == found.high == 1


def chain_of(rows: list[list[Fraction]]) -> MarkovChain:
    return MarkovChain(np.array([[float(p) for p in row] for row in rows]))


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[list[Fraction]], list[int], list[int], int]:
    """A small chain with many zeros, targets, states to avoid, and a start."""
    n = draw(st.integers(2, 6))
    weight = st.sampled_from([0, 0, 0, 1, 2, 5, 40])
    rows = []
    for i in range(n):
        row = draw(st.lists(weight, min_size=n, max_size=n))
        if not any(row):
            row[i] = 1
        rows.append([Fraction(w, sum(row)) for w in row])
    kinds = draw(st.lists(st.sampled_from("..ta"), min_size=n, max_size=n))
    kinds[draw(st.integers(0, n - 1))] = "t"
    targets = [i for i in range(n) if kinds[i] == "t"]
    return rows, targets, [i for i in range(n) if kinds[i] == "a"], draw(st.integers(0, n - 1))


@pytest.mark.parametrize("method", ["splitting", "importance"])
def test_walks_without_a_failure_leave_room_below_one(method: str) -> None:
    chain = MarkovChain([[1, 0], [40 / 41, 1 / 41]])
    found = chain.sample_hitting_probability([0], 1, method=method, n_walks=4096, max_steps=3, rng=0)
    assert found.probability == 1
    assert found.low < 1 - (1 / 41) ** 3 < found.high == 1


@given(problems(), st.one_of(st.none(), st.integers(0, 12)), st.integers(0, 1000))
def test_equals_the_exact_rational(problem: Any, max_steps: int | None, seed: int) -> None:
    rows, targets, avoid, start = problem
    exact = float(slow.hitting_probabilities(rows, targets, avoid, max_steps)[start])
    for method in (*METHODS, "auto"):
        found = chain_of(rows).sample_hitting_probability(
            targets,
            start,
            avoid=avoid,
            method=method,
            n_walks=4096,
            max_steps=max_steps,
            confidence=1 - 1e-8,
            rng=seed,
        )
        if exact == 0 or (exact == 1 and max_steps is None):
            assert (found.method, found.probability) == ("exact", exact)
        elif found.reliable:
            assert found.low - 1e-12 <= exact <= found.high + 1e-12
        assert 0 <= found.low <= found.probability <= found.high <= 1


@settings(max_examples=10)
@given(st.lists(st.integers(1, 9), min_size=8, max_size=30), st.integers(0, 1000))
def test_birth_and_death_by_rationals(weights: list[int], seed: int) -> None:
    up = [Fraction(1, 3 + w) for w in weights]
    down = [Fraction(w + 1, 3 + w) for w in weights]  # the rest stays
    top = len(up) + 1
    matrix = np.eye(top + 1)
    for i, (u, d) in enumerate(zip(up, down, strict=True), 1):
        matrix[i, [i - 1, i, i + 1]] = float(d), float(1 - u - d), float(u)
    exact = float(slow.birth_death(up, down, 1))
    for method in ("splitting", "importance"):
        found = MarkovChain(matrix).sample_hitting_probability(
            [top], 1, method=method, n_walks=4096, confidence=1 - 1e-8, rng=seed
        )
        assert found.low <= exact <= found.high or not found.reliable
    assert found.reliable


def test_the_twin_is_right() -> None:
    half = Fraction(1, 2)
    line = [[1, 0, 0, 0], [half, 0, half, 0], [0, half, 0, half], [0, 0, 0, 1]]
    rows = [[Fraction(p) for p in row] for row in line]
    assert slow.hitting_probabilities(rows, [3]) == [0, Fraction(1, 3), Fraction(2, 3), 1]
    assert slow.hitting_probabilities(rows, [3], [1]) == [0, 0, half, 1]
    assert slow.hitting_probabilities(rows, [3], (), 3) == [0, Fraction(1, 4), half + Fraction(1, 8), 1]
    assert slow.birth_death([half, half], [half, half], 2) == Fraction(2, 3)


ANSWERS = [
    ("brp_N16_MAX2", "label__s___5_", "p1"),
    ("brp_N16_MAX2", "label___s___5_____srep___2__", "p2"),
    ("crowds_TotalRuns3_CrowdSize5", "label__observe0___1_", "positive"),
]


@pytest.mark.parametrize(("name", "label", "property_"), ANSWERS)
@pytest.mark.parametrize("method", [*METHODS, "auto"])
def test_protocols_of_the_prism_suite(shared_data: Path, name: str, label: str, property_: str, method: str) -> None:
    folder = shared_data / "prism_dtmcs"
    arrays = np.load(folder / f"{name}.npz")
    answer = json.loads((folder / "known_answers.json").read_text())[name]["props"][property_]["value_first_init"]
    chain = MarkovChain((arrays["indptr"], arrays["indices"], arrays["data"]))
    found = chain.sample_hitting_probability(
        arrays[label], int(arrays["initial"][0]), method=method, confidence=0.999, rng=4
    )
    assert found.reliable
    assert found.low <= answer <= found.high
    if method != "plain":
        assert found.relative_error < 0.15


# --- statistics


def levels_of(kind: str, top: int) -> Any:
    """Functions of the state that are exact, coarse (many ties), flat, or useless."""
    states = np.arange(top + 1.0)
    exact = np.log(np.maximum([wins(0.3, top, i) for i in range(top + 1)], 1e-300))
    return {"exact": exact, "coarse": states // 3, "flat": 0.5 * exact, "none": 0 * states, "wrong": -states}[kind]


@pytest.mark.parametrize("max_steps", [None, 12])
@pytest.mark.parametrize("kind", ["exact", "coarse", "flat", "none", "wrong"])
@pytest.mark.parametrize("method", ["splitting", "importance"])
def test_every_level_function_is_unbiased(method: str, kind: str, max_steps: int | None) -> None:
    # Levels decide over the spread alone. Replacing fewer walks than share a level would be off by percents.
    up, top = Fraction(3, 10), 6
    rows = [[Fraction(0)] * (top + 1) for _ in range(top + 1)]
    rows[0][0] = rows[top][top] = Fraction(1)
    for i in range(1, top):
        rows[i][i - 1], rows[i][i + 1] = 1 - up, up
    if (method, kind, max_steps) == ("importance", "wrong", None):
        max_steps = 8  # drawn away from the targets, walks would not end
    exact = float(slow.hitting_probabilities(rows, [top], (), max_steps)[1])
    n = 1500 * 256 if method == "splitting" else 60_000
    found = ruin(0.3, top).sample_hitting_probability(
        [top], 1, method=method, n_walks=n, levels=levels_of(kind, top), max_steps=max_steps, rng=5
    )
    assert abs(found.probability - exact) <= 5 * found.standard_error + 1e-12


@pytest.mark.parametrize("top", [6, 14, 25])
@pytest.mark.parametrize("method", [*METHODS, "coarse splitting", "flat importance"])
def test_intervals_hold_the_truth_as_often_as_they_say(method: str, top: int) -> None:
    # At 1e-2, 1e-5 and 1e-9. "coarse": levels with many ties; "flat": values so far off that without the correction for
    # skewness 15 % of the intervals at 1e-9 miss.
    kind, _, name = method.rpartition(" ")
    chain, exact, seeds = ruin(0.3, top), wins(0.3, top), 400
    levels = {"": None, "coarse": np.arange(top + 1.0) // 2, "flat": levels_of("flat", top)}[kind]
    n_walks = {"plain": 2000, "splitting": 8 * 256, "importance": 2000}[name]
    held = 0
    for seed in range(seeds):
        found = chain.sample_hitting_probability([top], 1, method=name, n_walks=n_walks, levels=levels, rng=seed)
        held += found.low <= exact <= found.high
    assert held >= binom.ppf(1e-6, seeds, 0.95)


def test_the_exact_value_has_no_variance() -> None:
    levels = levels_of("exact", 25)
    found = ruin(0.3, 25).sample_hitting_probability([25], 1, method="importance", levels=levels, n_walks=1000, rng=6)
    assert found.relative_error < 1e-13
    assert found.low <= wins(0.3, 25) <= found.high < found.low * (1 + 1e-9)


def test_weights_of_a_bad_value_are_told() -> None:
    # Values that fall off far too slowly: few walks carry the estimate.
    found = ruin(0.3, 40).sample_hitting_probability(
        [40], 1, method="importance", levels=0.2 * np.arange(41), n_walks=2000, max_steps=400, rng=7
    )
    assert not found.reliable


def test_starts_follow_their_law() -> None:
    law = np.zeros(26)
    law[[0, 1, 2, 25]] = 0.5, 0.25, 0.25 - 2.0**-40, 2.0**-40
    exact = math.fsum(p * wins(0.3, 25, i) for i, p in enumerate(law) if 0 < i < 25) + law[25]
    for method in ("splitting", "importance", "auto"):
        found = ruin(0.3, 25).sample_hitting_probability(
            [25], start_distribution=law, method=method, confidence=1 - 1e-6, rng=8
        )
        assert found.low <= exact <= found.high
    even = ruin(0.3, 6).sample_hitting_probability(
        [6], start_distribution=np.full(7, 1 / 7), method="plain", confidence=1 - 1e-6, rng=8
    )
    assert even.low <= sum(wins(0.3, 6, i) for i in range(7)) / 7 <= even.high


def test_auto_takes_what_suits() -> None:
    def taken(chain: MarkovChain, target: int, **options: Any) -> str:
        return chain.sample_hitting_probability([target], 1, n_walks=512, rng=9, **options).method

    assert taken(ruin(0.3, 3), 3) == "plain"
    assert taken(ruin(0.3, 25), 25) == "importance"
    assert taken(ruin(0.3, 25), 25, levels=np.arange(26) ** 1.5) == "splitting"
    # Weighted walks that this function drives away from the target would hardly end: the trial gives them up.
    assert taken(ruin(0.3, 25), 25, levels=-np.arange(26)) == "splitting"
    # The choice does not move with the shard.
    chain = ruin(0.35, 8)
    assert len({taken(chain, 8, first=first) for first in range(20)}) == 1


# --- what needs no walk


def test_what_is_certain_or_impossible_is_exact() -> None:
    # 0 -> 1 -> 2 -> 0 turns for ever; 3 leads there; 4 absorbs.
    chain = MarkovChain([[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0.5, 0, 0, 0.5, 0], [0, 0, 0, 0, 1]])

    def exact(targets: list[int], start: int, **options: Any) -> float:
        found = chain.sample_hitting_probability(targets, start, **options)
        assert found.method == "exact"
        assert (found.low, found.high, found.standard_error) == (found.probability, found.probability, 0)
        assert (found.n_walks, found.n_steps, found.reliable) == (0, 0, True)
        return found.probability

    assert exact([2], 2) == exact([0], 1) == exact([0], 3) == exact([0, 4], 3) == 1
    assert exact([4], 0) == exact([3], 0) == exact([0], 3, avoid=[3]) == exact([2], 0, avoid=[1, 4]) == 0
    assert exact([2], 0, max_steps=1) == 0
    assert exact([2], 2, max_steps=0) == 1
    assert exact([2], 0, avoid=[0]) == 0
    certain = chain.sample_hitting_probability([2], 0, max_steps=2, method="plain", n_walks=100)
    assert (certain.probability, certain.hits, certain.high) == (1, 100, 1)
    mixed = chain.sample_hitting_probability([2], start_distribution=[0.25, 0, 0, 0.25, 0.5])
    assert (mixed.method, mixed.probability) == ("exact", 0.5)


def test_a_slip_of_1e15_is_seen_and_a_state_never_left_is_no_trap() -> None:
    # A long stay before a rare way out: walks end as soon as their fate is settled, here at state 3 -> {3}.
    p = 1e-15
    chain = MarkovChain([[0.5, 0.5, 0, 0], [0.5, 0, p, 0.5 - p], [0, 0, 1, 0], [0, 0, 0, 1]])
    exact = p / 0.5  # from 1: to 2 with p, back by 0 for certain with 1/2
    for method in ("splitting", "importance", "auto"):
        found = chain.sample_hitting_probability([2], 1, method=method, confidence=1 - 1e-6, n_walks=4096, rng=10)
        assert found.high >= exact >= found.low
    assert found.relative_error < 1e-3
    assert found.method == "importance"


def test_long_stays_cost_weighted_walks_nothing() -> None:
    p = 1e-12
    chain = MarkovChain([[1 - 3 * p, 2 * p, p, 0], [1 - 3 * p, p, p, p], [0, 0, 1, 0], [0, 0, 0, 1]])
    # From 0 on: 1 with 2/3; from there 3 with p, 2 with p, else back.
    exact = (2 / 3) * p / (p + p + (1 - 3 * p) / 3)
    found = chain.sample_hitting_probability([3], 0, method="importance", n_walks=5000, rng=14)
    assert found.low <= exact <= found.high < found.low * (1 + 1e-3)
    assert found.n_steps < 1e6


# --- the contract


def test_same_bytes_for_any_number_of_threads(same_bytes: Any) -> None:
    for method in METHODS:
        same_bytes(
            lambda threads, method=method: ruin(0.3, 10).sample_hitting_probability(
                [10], 1, method=method, n_walks=20_000, rng=11, threads=threads
            )
        )


@pytest.mark.parametrize("method", METHODS)
def test_shards_pool_to_the_whole(method: str) -> None:
    chain, size = ruin(0.3, 10), 4 if method == "splitting" else 1024
    walks = 256 if method == "splitting" else 1

    def run(first: int, items: int) -> HittingProbability:
        return chain.sample_hitting_probability(
            [10], 1, method=method, n_walks=items * walks, first=2**40 + first, rng=12
        )

    whole, parts = run(0, 3 * size), [run(0, size), run(size, 2 * size)]
    pooled = parts[0].pool(parts[1])
    for name in ("probability", "low", "high", "standard_error", "n_walks", "n_steps", "hits"):
        assert getattr(pooled, name) == getattr(whole, name)
    np.testing.assert_array_equal(pooled.estimates, whole.estimates)


def test_pool_refuses_what_does_not_belong_together() -> None:
    chain = ruin(0.3, 10)
    plain, other = (chain.sample_hitting_probability([10], 1, method=m, n_walks=600, rng=1) for m in METHODS[:2])
    with pytest.raises(ValueError, match=r"others must have method 'plain' and confidence 0\.95"):
        plain.pool(other)
    with pytest.raises(TypeError, match="others must be HittingProbability"):
        plain.pool(0.5)  # type: ignore[arg-type]


PINS = {
    "plain": (0.00146484375, 7857),
    "splitting": (0.0006465495682325767, 107481),
    "importance": (0.0005919311228349724, 37066),
}


@pytest.mark.parametrize("method", METHODS)
def test_values_are_stable(method: str) -> None:
    law = np.r_[0, 0.5, 0.5, np.zeros(8)]
    found = ruin(0.3, 10).sample_hitting_probability(
        [10], start_distribution=law, method=method, n_walks=2048, max_steps=40, rng=13
    )
    probability, n_steps = PINS[method]
    assert found.probability == pytest.approx(probability, rel=1e-13)
    assert found.n_steps == n_steps


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"targets": []}, "targets must not be empty"),
        ({"targets": [3]}, r"targets\[0\] must be below the number of states, 3, got 3"),
        ({"targets": [2], "avoid": [1, 2]}, r"avoid\[1\] must not be one of the targets, got 2"),
        ({"targets": [2], "avoid": [9]}, r"avoid\[0\] must be below the number of states, 3, got 9"),
        ({"targets": [2], "start": 5}, "start must be below the number of states, 3, got 5"),
        ({"targets": [2], "start": [1, 1]}, "start must be one state"),
        ({"targets": [2], "method": "ams"}, "method must be 'auto', 'plain', 'splitting' or 'importance'"),
        ({"targets": [2], "n_walks": 0}, "n_walks must be at least 1, got 0"),
        ({"targets": [2], "max_steps": -1}, "max_steps must be at least 0, got -1"),
        ({"targets": [2], "confidence": 1}, "confidence must be above 0 and below 1, got 1"),
        ({"targets": [2], "start": None, "start_distribution": [0.5, 0.5, 0.5]}, "sum of 1"),
        ({"targets": [2], "first": -1}, "first must be at least 0, got -1"),
        ({"targets": [2], "method": "splitting", "levels": [0, 1]}, "levels must have one number for each of the 3"),
        ({"targets": [2], "method": "importance", "levels": [0, np.nan, 1]}, r"levels\[1\] must be finite"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], text: str) -> None:
    chain = MarkovChain([[1, 0, 0], [0.6, 0, 0.4], [0, 0, 1]])
    with pytest.raises(ValueError, match=text):
        chain.sample_hitting_probability(**{"start": 1, **arguments})


def test_levels_may_be_anything_where_no_walk_comes() -> None:
    chain = MarkovChain([[1, 0, 0], [0.6, 0, 0.4], [0, 0, 1]])
    found = chain.sample_hitting_probability([2], 1, method="importance", levels=[-np.inf, -1.0, 0.0], rng=1)
    assert found.probability == pytest.approx(0.4, rel=1e-12)
