"""Every digit of every entry on metastable chains, epsilon from 1e-1 to 1e-100, probabilities within sets 1e-30 to 1.

The references are exact rationals for small chains and elimination to hundreds of digits for larger ones. The relative
error is taken entry by entry.
"""

from __future__ import annotations

import decimal
import json
import math
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.reference import exact

GOAL = 1e-14
"""Relative error that is asked of each entry; 1e-10 is what is promised."""


@pytest.fixture(autouse=True)
def digits() -> Iterable[None]:
    with decimal.localcontext() as context:
        # The chains below take up to 100 digits for the sets and 30 for each of a few states in a row.
        context.prec = 400
        yield


def worst(found: np.ndarray, wanted: list[Any]) -> float:
    """The largest relative error; what is below the range of floats must be 0 or next to it, what is above infinite."""
    errors = [0.0]
    for x, y in zip(found.tolist(), wanted, strict=True):
        y = Decimal(y)
        if y == 0 or y > Decimal("1.7e308"):
            assert x == (0 if y == 0 else math.inf)
        elif y < Decimal("1e-300"):
            assert 0 <= x < 1e-299
        else:
            assert math.isfinite(x)
            errors.append(float(abs(Decimal(x) / y - 1)))
    return max(errors)


def check(matrix: np.ndarray, targets: list[int], source: list[int], tolerance: float = GOAL) -> None:
    """All quantities of a chain against elimination to 400 digits."""
    chain = MarkovChain(matrix)
    inside = [i for i in range(len(matrix)) if i not in targets]
    costs = np.where(np.arange(len(matrix)) % 2, 1e-20, 3.0)
    pairs = {
        "times": (chain.mean_hitting_times(targets), exact.mean_hitting_times(matrix, targets, number=Decimal)),
        "costs": (
            chain.mean_hitting_times(targets, costs=costs),
            exact.mean_hitting_times(matrix, targets, costs, number=Decimal),
        ),
        "committor": (
            chain.committor(source, targets),
            exact.hitting_probabilities(matrix, targets, source, number=Decimal),
        ),
        "backward": (
            chain.committor(source, targets, backward=True),
            exact.backward_committor(matrix, source, targets, number=Decimal),
        ),
        "escape": (chain.mean_escape_times(inside), exact.mean_hitting_times(matrix, targets, number=Decimal)),
        "stationary": (chain.stationary_distribution(), exact.stationary_distribution(matrix, number=Decimal)),
    }
    for name, (found, wanted) in pairs.items():
        assert worst(found, wanted) <= tolerance, name
        assert (found >= 0).all()
    absorbing = matrix.copy()
    ends = [*targets, *source]
    absorbing[ends] = np.eye(len(matrix))[ends]
    found = MarkovChain(absorbing).absorption_probabilities()
    for number, end in enumerate(sorted(ends)):
        wanted = exact.hitting_probabilities(absorbing, [end], number=Decimal)
        assert worst(found[:, number], wanted) <= tolerance, f"absorption in {end}"


@st.composite
def cases(draw: st.DrawFn, max_states: int) -> tuple[np.ndarray, list[int], list[int]]:
    """A metastable chain, and one or two states of its first and of its last set."""
    matrix, labels = draw(testing.metastable_matrices(max_states=max_states))
    first, last = np.flatnonzero(labels == 0), np.flatnonzero(labels == labels.max())
    width = draw(st.integers(1, 2))
    return matrix, first[:width].tolist(), last[-width:].tolist()


@given(cases(max_states=12))
def test_every_digit(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    check(*case)


@given(cases(max_states=7))
def test_every_digit_against_exact_rationals(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    matrix, targets, source = case
    chain = MarkovChain(matrix)
    pairs = [
        (chain.mean_hitting_times(targets), exact.mean_hitting_times(matrix, targets)),
        (chain.hitting_probabilities(targets, avoid=source), exact.hitting_probabilities(matrix, targets, source)),
        (chain.stationary_distribution(), exact.stationary_distribution(matrix)),
    ]
    for found, wanted in pairs:
        rounded = [Decimal(y.numerator) / Decimal(y.denominator) for y in wanted]
        assert worst(found, rounded) <= GOAL


def nested(epsilon: float, levels: int) -> np.ndarray:
    """2^levels states; a pair of sets of 2^l states is joined by transitions of epsilon^l."""
    n = 2**levels
    matrix = np.zeros((n, n))
    for i in range(n):
        for level in range(levels):
            matrix[i, i ^ (1 << level)] = 0.25 * epsilon**level * (1 + (i >> level & 1))
    return matrix + np.diag(1 - matrix.sum(axis=1))


@pytest.mark.parametrize("epsilon", [1e-1, 1e-5, 1e-20, 1e-60, 1e-100])
def test_sets_of_sets(epsilon: float) -> None:
    check(nested(epsilon, 4), [15], [0])


@pytest.mark.parametrize("epsilon", [1e-1, 1e-16, 1e-100])
def test_a_staircase_of_improbable_steps(epsilon: float) -> None:
    """Each of ten states is left upwards with epsilon and falls back to the first: weights of epsilon^k."""
    n = 10
    matrix = np.diag(np.full(n - 1, epsilon), 1)
    matrix[1:, 0] = 0.5
    check(matrix + np.diag(1 - matrix.sum(axis=1)), [n - 1], [1])


def large(n: int, n_sets: int, density: float, epsilon: float, seed: int) -> np.ndarray:
    """A ring of sets of n / n_sets states, whose probabilities spread over 30 orders of magnitude."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) * n_sets // n
    weight = 10.0 ** -(30 * rng.random((n, n))) * (rng.random((n, n)) < density) * (labels[:, None] == labels)
    weight[np.arange(n), np.arange(n)] = 0
    ends = np.searchsorted(labels, np.arange(n_sets))
    for first, last in zip(ends, [*ends[1:], n], strict=True):
        members = np.arange(first, last)
        weight[members, np.roll(members, -1)] += rng.random(len(members))
    weight /= 1.5 * weight.sum(axis=1, keepdims=True)
    weight[ends, np.roll(ends, -1)] += epsilon * rng.random(n_sets)
    return weight + np.diag(1 - weight.sum(axis=1))


@pytest.mark.parametrize(("n_sets", "density", "epsilon"), [(10, 0.05, 1e-100), (30, 1.0, 1e-12), (60, 0.5, 1e-40)])
def test_300_states(n_sets: int, density: float, epsilon: float) -> None:
    matrix = large(300, n_sets, density, epsilon, n_sets)
    chain = MarkovChain(matrix)
    with decimal.localcontext() as context:
        context.prec = 200
        assert worst(chain.mean_hitting_times(299), exact.mean_hitting_times(matrix, [299], number=Decimal)) <= GOAL
        wanted = exact.hitting_probabilities(matrix, [299], [0], number=Decimal)
        assert worst(chain.committor(0, 299), wanted) <= GOAL
        wanted = exact.stationary_distribution(matrix, number=Decimal)
        assert worst(chain.stationary_distribution(), wanted) <= GOAL


def grassmann(matrix: np.ndarray, targets: list[int]) -> list[Decimal]:
    """Mean hitting times to 60 digits by adding and multiplying alone, which loses at most n units of the last."""
    with decimal.localcontext() as context:
        context.prec = 60
        inside = [i for i in range(len(matrix)) if i not in targets]
        rows = [[Decimal(float(matrix[i, j])) for j in inside] for i in inside]
        exits = [sum(Decimal(float(matrix[i, j])) for j in targets) for i in inside]
        times = [Decimal(1)] * len(inside)
        for k in range(len(inside)):
            leave = sum(rows[k][k + 1 :], exits[k])
            rows[k][k + 1 :] = [x / leave for x in rows[k][k + 1 :]]
            exits[k], times[k] = exits[k] / leave, times[k] / leave
            tail = rows[k][k + 1 :]
            for i in range(k + 1, len(inside)):
                if factor := rows[i][k]:
                    rows[i][k + 1 :] = [x + factor * y for x, y in zip(rows[i][k + 1 :], tail, strict=True)]
                    exits[i] += factor * exits[k]
                    times[i] += factor * times[k]
        for k in reversed(range(len(inside))):
            times[k] += sum(x * y for x, y in zip(rows[k][k + 1 :], times[k + 1 :], strict=True))
        found = dict(zip(inside, times, strict=True))
        return [found.get(i, Decimal(0)) for i in range(len(matrix))]


def test_300_dense_states() -> None:
    """Probabilities over 30 orders of magnitude, a target that is hit with 1e-90 times as much from everywhere."""
    matrix = large(300, 1, 1.0, 0.1, 3)
    matrix[:, 299] *= 1e-90
    matrix += np.diag(1 - matrix.sum(axis=1))
    assert worst(MarkovChain(matrix).mean_hitting_times(299), grassmann(matrix, [299])) <= GOAL


@given(cases(max_states=10))
@settings(max_examples=10)
@example((nested(1e-50, 3), [7], [0]))
def test_adding_alone_gives_what_many_digits_give(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    matrix, targets, _ = case
    wanted = exact.mean_hitting_times(matrix, targets, number=Decimal)
    for x, y in zip(grassmann(matrix, targets), wanted, strict=True):
        assert x == y or abs(x / y - 1) < Decimal("1e-55")


def test_models_of_the_prism_benchmark_suite(shared_data: Path) -> None:
    """Each known answer, found by sparse LU elsewhere, within 1e-9: protocols, and an election with its rewards."""
    folder = shared_data / "prism_dtmcs"
    answers = json.loads((folder / "known_answers.json").read_text())
    seen = set()
    for name, model in answers.items():
        arrays = np.load(folder / f"{name}.npz")
        chain = MarkovChain((arrays["indptr"], arrays["indices"], arrays["data"]))
        assert (chain.n_states, chain.n_transitions) == (model["states"], model["transitions"])
        rewards = [arrays[key] for key in arrays.files if key.startswith(("stater_", "actr_"))]
        for answer in model["props"].values():
            [label] = [
                key
                for key in arrays.files
                if key.startswith("label_") and _name(key) == _name(answer["formula"].split("[F ")[1])
            ]
            targets = arrays[label]
            assert len(targets) == answer["n_target"]
            if answer["formula"].startswith("P"):
                found = chain.hitting_probabilities(targets)
            else:
                found = chain.mean_hitting_times(targets, costs=rewards[0])
            initial = found[arrays["initial"]]
            for value, wanted in [(initial[0], "first"), (initial.max(), "max")]:
                assert value == pytest.approx(answer[f"scipy_splu_{wanted}_init"], rel=1e-9)
                # The model checker's own value, to which it iterates, has fewer digits.
                key = "value_first_init" if wanted == "first" else "max_over_init"
                assert value == pytest.approx(answer[key], rel=1e-6)
            seen.add((name, label))
    assert len(seen) == 5


def _name(text: str) -> str:
    """The letters and digits of a label or of the formula it stands for."""
    return "".join(c for c in text.removeprefix("label_") if c.isalnum())
