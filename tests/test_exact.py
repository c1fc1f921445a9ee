"""Exact quantities of chains of any structure: against the twin, closed forms, what reachability settles, bad input."""

from __future__ import annotations

import decimal
import math
import threading
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import testing
from slowthink.chains import MarkovChain, SolveInfo
from slowthink.reference import exact


def close(found: np.ndarray, wanted: Any, tolerance: float = 1e-13) -> None:
    """Entrywise: equal zeros, ones and infinities, and a relative error of at most ``tolerance``."""
    for x, y in zip(np.ravel(found).tolist(), np.ravel(np.asarray(wanted, dtype=object)), strict=True):
        if y in (0, math.inf):
            assert x == y
        else:
            assert math.isfinite(x)
            assert abs(Fraction(x) / Fraction(y) - 1) <= tolerance, (x, float(y))


@st.composite
def chains_with_sets(draw: st.DrawFn) -> tuple[np.ndarray, list[int], list[int]]:
    """A chain of any kind, and two sets of its states that share none; the second may be empty."""
    matrix = draw(testing.transition_matrices(max_states=7, least_coupling=1e-9))
    labels = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=len(matrix), max_size=len(matrix)))
    if 1 not in labels:
        labels[draw(st.integers(0, len(matrix) - 1))] = 1
    first, second = ([i for i, label in enumerate(labels) if label == wanted] for wanted in (1, 2))
    return matrix, first, second


# --- against the twin


@given(chains_with_sets(), st.data())
def test_hitting_times_and_costs(case: tuple[np.ndarray, list[int], list[int]], data: st.DataObject) -> None:
    matrix, targets, _ = case
    chain = MarkovChain(matrix)
    close(chain.mean_hitting_times(targets), exact.mean_hitting_times(matrix, targets))
    cost = st.sampled_from([0.0, 1.0, 2.5, 1e-9])
    costs = np.array(data.draw(st.lists(cost, min_size=len(matrix), max_size=len(matrix))))
    close(chain.mean_hitting_times(targets, costs=costs), exact.mean_hitting_times(matrix, targets, costs))


@given(chains_with_sets())
def test_hitting_probabilities(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    matrix, targets, avoid = case
    found = MarkovChain(matrix).hitting_probabilities(targets, avoid=avoid)
    wanted = exact.hitting_probabilities(matrix, targets, avoid)
    close(found, wanted)
    assert found.max() <= 1
    # Certainties are exact.
    assert all(x == 1 for x, y in zip(found, wanted, strict=True) if y == 1)


@given(testing.transition_matrices(max_states=7))
def test_stationary_distributions(matrix: np.ndarray) -> None:
    chain, classes = MarkovChain(matrix), exact.recurrent_classes(matrix)
    each = chain.stationary_distributions()
    close(each, [exact.stationary_distribution(matrix, states) for states in classes])
    if len(classes) == 1:
        assert (chain.stationary_distribution() == each[0]).all()
    else:
        with pytest.raises(ValueError, match="recurrent class"):
            chain.stationary_distribution()


@given(testing.transition_matrices(max_states=7))
def test_absorption(matrix: np.ndarray) -> None:
    classes = exact.recurrent_classes(matrix)
    found = MarkovChain(matrix).absorption_probabilities()
    wanted = [exact.hitting_probabilities(matrix, states) for states in classes]
    close(found.T, wanted)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(matrix)), abs=1e-14)
    assert ((found == 1) == (np.array(wanted, dtype=object).T == 1)).all()


@given(chains_with_sets())
def test_committors(case: tuple[np.ndarray, list[int], list[int]]) -> None:
    matrix, source, target = case
    if not target:
        target = [i for i in range(len(matrix)) if i not in source][:1]
    if not target:
        return
    chain = MarkovChain(matrix)
    close(chain.committor(source, target), exact.hitting_probabilities(matrix, target, source))
    if exact.recurrent_classes(matrix) == [list(range(len(matrix)))]:
        found, wanted = chain.committor(source, target, backward=True), exact.backward_committor(matrix, source, target)
        close(found, wanted)
        assert found.max() <= 1
    else:
        with pytest.raises(ValueError, match="irreducible"):
            chain.committor(source, target, backward=True)


@given(testing.transition_matrices(max_states=7), st.data())
def test_escape_times_are_hitting_times_of_the_rest(matrix: np.ndarray, data: st.DataObject) -> None:
    inside = data.draw(st.sets(st.integers(0, len(matrix) - 1), min_size=1))
    chain = MarkovChain(matrix)
    if len(inside) == len(matrix):
        with pytest.raises(ValueError, match="leave out"):
            chain.mean_escape_times(sorted(inside))
        return
    rest = [i for i in range(len(matrix)) if i not in inside]
    assert (chain.mean_escape_times(sorted(inside)) == chain.mean_hitting_times(rest)).all()


# --- closed forms


def birth_death(up: np.ndarray, down: np.ndarray) -> MarkovChain:
    """State i leads up with ``up[i]``, down with ``down[i]``, and else stays."""
    n = len(up)
    matrix = np.diag(up[:-1], 1) + np.diag(down[1:], -1)
    return MarkovChain(matrix + np.diag(1 - matrix.sum(axis=1))) if n else MarkovChain([[1.0]])


def test_the_gambler() -> None:
    n, p = 40, 0.3
    games = birth_death(np.r_[0, np.full(n - 1, p), 0], np.r_[0, np.full(n - 1, 1 - p), 0])
    ratio = Fraction(1 - p) / Fraction(p)
    close(games.hitting_probabilities(n), [(ratio**i - 1) / (ratio**n - 1) for i in range(n + 1)], 1e-14)
    wins, losses = games.absorption_probabilities([[n], [0]]).T
    assert (wins == games.hitting_probabilities(n)).all()
    assert wins + losses == pytest.approx(1, abs=1e-15)


def test_the_gambler_s_odds_below_the_range_of_floats_are_0() -> None:
    n, up, down = 1000, 0.3, 0.7
    games = birth_death(np.r_[0, np.full(n - 1, up), 0], np.r_[0, np.full(n - 1, down), 0])
    found = games.hitting_probabilities(n)
    with decimal.localcontext() as context:
        context.prec = 500
        ratio = Decimal(down) / Decimal(up)
        wanted = [(ratio**i - 1) / (ratio**n - 1) for i in range(n + 1)]
    seen = [i for i in range(n + 1) if wanted[i] > Decimal("1e-300")]
    close(found[seen], [wanted[i] for i in seen], 1e-12)
    assert found[1] == 0
    assert games.hitting_probabilities(0)[: n - 1].min() > 0.4


def test_products_far_below_the_range_of_floats() -> None:
    """Weights of 1, 1e-150, 1e-300 and, held for long, again 1e-10: the way there is less probable than any float."""
    matrix = np.diag([1e-150] * 3, 1)
    matrix[1, 0] = matrix[2, 0] = 1
    matrix[3, 0] = 1e-300
    matrix[2, 0] -= 1e-150
    chain = MarkovChain(matrix + np.diag(1 - matrix.sum(axis=1)))
    weights = [Fraction(1)]
    weights.append(weights[0] * Fraction(1e-150) / (Fraction(1) + Fraction(1e-150)))
    weights.append(weights[1] * Fraction(1e-150) / (Fraction(1) + Fraction(1e-150)))
    weights.append(weights[2] * Fraction(1e-150) / Fraction(1e-300))
    close(chain.stationary_distribution(), [weight / sum(weights) for weight in weights], 1e-14)
    assert chain.mean_hitting_times(3)[0] == math.inf  # 1e450, a mean above the largest float


def test_two_ways_that_are_both_less_probable_than_any_float() -> None:
    """0 leads to 4 and to 8 over three states each, from all of which it falls back: 1 to 3 in the end."""
    matrix = np.zeros((9, 9))
    for way in (1, 5):
        matrix[0, way] = 1e-120
        for state in range(way, way + 3):
            matrix[state, state + 1] = 1e-120
            matrix[state, 0] = 1
    matrix[7, 8] *= 3
    chain = MarkovChain(matrix + np.diag(1 - matrix.sum(axis=1)))
    assert chain.hitting_probabilities(8)[0] == pytest.approx(0.75, rel=1e-14)
    assert chain.absorption_probabilities()[0] == pytest.approx([0.25, 0.75], rel=1e-14)
    assert chain.mean_hitting_times([4, 8])[0] == math.inf


def test_a_time_above_all_floats_that_is_hardly_ever_met() -> None:
    """0 leads to 3 with 1/2 and to 1 with 1e-300, from where it takes 5e399: 1e100 on average, and not infinity."""
    matrix = np.zeros((4, 4))
    matrix[0, 1], matrix[0, 3] = 1e-300, 0.5
    matrix[1, 2] = 1e-200
    matrix[2, 1], matrix[2, 3] = 0.5, 1e-200
    chain = MarkovChain(matrix + np.diag(1 - matrix.sum(axis=1)))
    times = chain.mean_hitting_times(3)
    assert times[0] == pytest.approx(1e100, rel=1e-14)
    assert times[1:].tolist() == [math.inf, math.inf, 0]


def test_a_cycle_of_any_period() -> None:
    for n in (2, 3, 10):
        cycle = MarkovChain.from_edges(np.arange(n), (np.arange(n) + 1) % n)
        assert cycle.stationary_distribution() == pytest.approx(np.full(n, 1 / n), rel=1e-15)
        assert (cycle.mean_hitting_times(0) == (n - np.arange(n)) % n).all()


def test_what_the_diagonal_holds_does_not_matter() -> None:
    """1 - p of a state that is left with 1e-20 is 1, and what rounding adds to a row's sum is no transition."""
    chain = MarkovChain([[1.0, 1e-20, 0], [2e-20, 1.0, 1e-20], [0, 0.5, 0.5]])
    assert chain.mean_hitting_times(2) == pytest.approx([4e20, 3e20, 0], rel=1e-15)
    loose = MarkovChain([[0.5, 0.5, 0], [0.25, 0.5 + 1e-10, 0.25], [0, 0, 1]])
    assert loose.mean_hitting_times(2) == pytest.approx([8, 6, 0], rel=1e-15)


# --- structure


def test_targets_that_are_missed_or_out_of_reach() -> None:
    # 0 <-> 1 -> 2 (absorbing), 1 -> 3 <-> 4; 5 -> 2.
    rows = [[0, 1, 0, 0, 0, 0], [0.5, 0, 0.25, 0.25, 0, 0], [0, 0, 1, 0, 0, 0]]
    rows += [[0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0]]
    chain = MarkovChain(rows)
    inf = math.inf
    assert chain.mean_hitting_times(2).tolist() == [inf, inf, 0, inf, inf, 1]
    assert chain.hitting_probabilities(2).tolist() == [0.5, 0.5, 1, 0, 0, 1]
    # A walk that meets the one target cannot miss it, whatever may come of it later.
    assert chain.mean_hitting_times([1, 2, 4]).tolist() == [1, 0, 0, 1, 0, 1]
    assert chain.hitting_probabilities(2, avoid=[1]).tolist() == [0, 0, 1, 0, 0, 1]
    assert chain.mean_hitting_times(np.arange(6)).tolist() == [0] * 6
    assert chain.absorption_probabilities().tolist() == [[0.5, 0.5], [0.5, 0.5], [1, 0], [0, 1], [0, 1], [1, 0]]
    assert chain.absorption_probabilities([0, [1, 2]]).tolist()[2:] == [[0, 1], [0, 0], [0, 0], [0, 1]]
    with pytest.raises(ValueError, match=r"2 \(\{2\}; \{3, 4\}\).*stationary_distributions"):
        chain.stationary_distribution()


def test_more_sets_than_a_word_has_bits() -> None:
    """State 0 leads to each of 150 absorbing states with a weight of its own, 151 to the last alone."""
    n = 150
    edges = [(0, i, float(i)) for i in range(1, n + 1)] + [(i, i, 1.0) for i in range(1, n + 1)] + [(n + 1, n, 1.0)]
    source, target, weight = zip(*edges, strict=True)
    found = MarkovChain.from_edges(source, target, weight).absorption_probabilities()
    assert found[0] == pytest.approx(np.arange(1, n + 1) / (n * (n + 1) / 2), rel=1e-14)
    assert (found[1:-1] == np.eye(n)).all()
    assert found[-1].tolist() == [0] * (n - 1) + [1]


def test_one_state() -> None:
    alone = MarkovChain([[1.0]])
    assert alone.mean_hitting_times(0).tolist() == [0]
    assert alone.hitting_probabilities(0).tolist() == [1]
    assert alone.stationary_distribution().tolist() == [1]
    assert alone.absorption_probabilities().tolist() == [[1]]


def test_a_long_line_needs_no_deep_stack() -> None:
    n = 3000
    line = MarkovChain.from_edges(np.arange(n), np.r_[np.arange(1, n), n - 1])
    assert (line.mean_hitting_times(n - 1) == np.arange(n)[::-1]).all()
    assert (line.hitting_probabilities(0) == np.r_[1, np.zeros(n - 1)]).all()


# --- beside the simulation, whose interval misses once in a million runs


def two_rooms(epsilon: float) -> MarkovChain:
    """Six states in two rooms, joined by a door of probability epsilon each way."""
    matrix = np.zeros((6, 6))
    for first in (0, 3):
        for i in range(first, first + 3):
            matrix[i, [j for j in range(first, first + 3) if j != i]] = [0.2, 0.4]
    matrix[1, 4], matrix[5, 0] = epsilon, epsilon / 2
    return MarkovChain(matrix + np.diag(1 - matrix.sum(axis=1)))


@pytest.mark.parametrize("epsilon", [0.1, 1e-6, 1e-12])
def test_simulated_times_agree(epsilon: float) -> None:
    chain = two_rooms(epsilon)
    mean = chain.mean_hitting_times(5)[0]
    low, high = chain.sample_hitting_times(5, 0, n_walks=4000, max_steps=10**18, rng=1).interval(1 - 1e-6)
    assert low < mean < high
    assert high < 1.3 * low
    escape = chain.mean_escape_times([0, 1, 2])[2]
    low, high = chain.sample_escape_times([0, 1, 2], 2, n_walks=4000, max_steps=10**18, rng=2).interval(1 - 1e-6)
    assert low < escape < high


def test_simulated_probabilities_agree() -> None:
    chain = two_rooms(1e-7)
    exact_value = chain.hitting_probabilities(5, avoid=0)[2]
    found = chain.sample_hitting_probability([5], 2, avoid=[0], confidence=1 - 1e-6, rng=3)
    assert found.low < exact_value < found.high
    assert found.relative_error < 0.1


# --- how it was found


def test_info() -> None:
    chain = MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5]])
    calls: list[Callable[..., Any]] = [
        lambda **kwargs: chain.mean_hitting_times(0, **kwargs),
        lambda **kwargs: chain.mean_escape_times([0, 1], **kwargs),
        lambda **kwargs: chain.hitting_probabilities(0, avoid=2, **kwargs),
        lambda **kwargs: chain.committor(0, 2, **kwargs),
        lambda **kwargs: chain.committor(0, 2, backward=True, **kwargs),
        lambda **kwargs: chain.stationary_distribution(**kwargs),
    ]
    for call in calls:
        result, info = call(info=True)
        assert isinstance(info, SolveInfo)
        assert (info.method, info.n_steps) == ("elimination", 0)
        assert math.isnan(info.residual)
        assert (call() == result).all()
        assert (call(method="elimination") == result).all()
    assert chain.hitting_probabilities(0, info=True)[1].method == "reachability"


def wide_rooms(n_rooms: int, size: int, epsilon: float, *, directed: bool) -> MarkovChain:
    """Rooms in a circle, in each of which states have ten random partners; one door of weight epsilon to the next."""
    rng = np.random.default_rng(5)
    n = n_rooms * size
    source = np.repeat(np.arange(n), 10)
    target = source // size * size + rng.integers(0, size, len(source))
    doors = np.arange(n_rooms) * size
    source, target = np.r_[source, np.arange(n), doors], np.r_[target, np.roll(np.arange(n), -1), np.roll(doors, -1)]
    weight = np.r_[rng.uniform(0.1, 1, 10 * n), np.full(n, epsilon / n_rooms), np.full(n_rooms, epsilon)]
    inner = (source // size == target // size) | (np.arange(len(source)) >= 11 * n)
    chosen = [source[inner], target[inner], weight[inner]]
    return MarkovChain.from_edges(*chosen, directed=directed, n_states=n)


@pytest.mark.parametrize("directed", [False, True])
def test_both_methods_agree(directed: bool) -> None:
    chain = wide_rooms(4, 600, 1e-9, directed=directed)
    calls: dict[str, Callable[..., Any]] = {
        "times": lambda **kwargs: chain.mean_hitting_times(0, **kwargs),
        "stationary": lambda **kwargs: chain.stationary_distribution(**kwargs),
    }
    if not directed:
        calls["committor"] = lambda **kwargs: chain.committor(0, chain.n_states - 1, **kwargs)
    for name, call in calls.items():
        exact_one, iterated = call(method="elimination"), call(method="iterative", info=True)
        assert iterated[1].method == "iterative", name
        assert 0 <= iterated[1].residual <= 1e-10
        assert iterated[0] == pytest.approx(exact_one, rel=1e-10, abs=0), name


def test_auto_iterates_where_elimination_would_fill_in() -> None:
    chain = wide_rooms(4, 2500, 1e-9, directed=False)
    times, info = chain.mean_hitting_times(0, info=True)
    assert info.method == "iterative"
    assert info.residual <= 1e-10
    assert times[-1] > 1e9
    with pytest.raises(ValueError, match="method must be"):
        chain.committor(0, 1, backward=True, method="iterative")


def test_an_iteration_that_misses_its_tolerance_says_so() -> None:
    chain = wide_rooms(4, 600, 1e-9, directed=False)
    with pytest.raises(RuntimeError, match="elimination"):
        chain.mean_hitting_times(0, method="iterative", tolerance=1e-18)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda chain: chain.mean_hitting_times([]), "targets must hold at least one state"),
        (lambda chain: chain.mean_hitting_times([0, 9]), r"targets\[1\] must be below the number of states, 3"),
        (lambda chain: chain.mean_hitting_times(0, costs=[1, 2]), "costs must be one for each of the 3 states, got 2"),
        (lambda chain: chain.mean_hitting_times(0, costs=[1, -2, 1]), r"costs\[1\] must be at least 0"),
        (lambda chain: chain.mean_hitting_times(0, costs=[1, math.nan, 1]), r"costs\[1\] must be finite"),
        (lambda chain: chain.mean_hitting_times(0, method="lu"), "method must be"),
        (lambda chain: chain.mean_hitting_times(0, tolerance=0), "tolerance must be above 0"),
        (
            lambda chain: chain.hitting_probabilities([0, 1], avoid=[1]),
            r"avoid\[0\] must be .* no other set, got 1",
        ),
        (lambda chain: chain.committor([0, 1], [1, 2]), "must not share a state, got 1"),
        (lambda chain: chain.committor([], 1), "source must hold"),
        (lambda chain: chain.absorption_probabilities([0, [1, 0]]), "must not share states, got 0 in 0 and 1"),
        (lambda chain: chain.absorption_probabilities([]), "classes must hold at least one set"),
        (lambda chain: chain.absorption_probabilities([[]]), r"classes\[0\] must hold at least one state"),
        (lambda chain: chain.mean_escape_times([0, 1, 2]), "states must leave out at least one"),
    ],
)
def test_bad_input(call: Callable[[MarkovChain], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5]]))


def test_the_same_bytes_at_any_number_of_threads(same_bytes: Callable[[Callable[[int], Any]], Any]) -> None:
    rng = np.random.default_rng(1)
    matrix = rng.random((200, 200)) * 10.0 ** -rng.integers(0, 12, (200, 200))
    matrix[:20] = np.eye(200)[:20]
    chain = MarkovChain.from_weights(matrix)
    ring = MarkovChain.from_weights(matrix[20:, 20:] + np.roll(np.eye(180), 1, axis=1))

    def call(threads: int) -> Any:
        return (
            chain.mean_hitting_times(np.arange(20), threads=threads),
            chain.hitting_probabilities(3, avoid=[5], threads=threads),
            chain.absorption_probabilities(threads=threads),
            chain.stationary_distributions(threads=threads),
            ring.stationary_distribution(threads=threads),
            ring.committor(3, 7, backward=True, threads=threads),
        )

    same_bytes(call)


def test_progress_can_stop_it() -> None:
    n = 3000
    chain = MarkovChain.from_weights(np.random.default_rng(2).random((n, n)))

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        chain.mean_hitting_times(0, progress=stop)
    assert threading.active_count() < 50


def test_no_warning_of_numpy() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MarkovChain([[0.5, 0.5], [0, 1]]).mean_hitting_times(0)
