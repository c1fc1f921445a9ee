"""Keys-finding mazes beside their slow twin: rules, plans, traces, exact success, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slowthink.problems import KeysMaze, Problem
from slowthink.reference import keys_maze as slow
from slowthink.samples import pass_at_k
from slowthink.strategies import compare


@st.composite
def mazes(draw: st.DrawFn, most_keys: int = 3, most_rooms: int = 9) -> tuple[KeysMaze, list[slow.KeysMaze]]:
    """Mazes and their twins."""
    rows, columns = draw(
        st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda s: 2 <= s[0] * s[1] <= most_rooms)
    )
    n_keys = draw(st.integers(0, min(most_keys, rows * columns - 1)))
    greed = draw(st.floats(0, 1))
    maze = KeysMaze(rows, columns, n_keys, 2, greed=greed, max_steps=60, seed=draw(st.integers(0, 2**62)))
    return maze, [slow.KeysMaze(rows, columns, maze.layout(i)) for i in range(2)]


@given(mazes(), st.integers(0, 3), st.lists(st.integers(0, 2**31), max_size=40))
def test_walks_go_as_those_of_the_twin(pair, tree, choices):
    maze, twins = pair
    twin = twins[tree % 2]
    state, world = maze.root(tree), twin.root
    for choice in [*choices, None]:
        moves = twin.moves(world)
        assert maze.actions(state) == list(moves)
        assert maze.n_actions(state) == len(moves)
        if not moves:
            assert world[0] == twin.goal
            assert maze.value(state) == 1.0 == maze.success_probability(state)
            break
        if choice is None:
            break
        assert maze.value(state, choice) in (0.0, 1.0)
        action = choice % len(moves)
        state, reward = maze.step(state, action)
        world = moves[list(moves)[action]]
        assert reward == 0
    assert len(maze.solve(state)) == twin.distance(world)


@given(mazes(), st.lists(st.integers(0, 2**31), max_size=10))
def test_traces_are_breadth_first(pair, choices):
    maze, (twin, _) = pair
    state, world = maze.root(), twin.root
    for choice in choices:
        moves = list(twin.moves(world).values())
        if not moves:
            break
        state, world = maze.step(state, choice % len(moves))[0], moves[choice % len(moves)]
    *lines, last = maze.trace(state).splitlines()
    assert last == ("plan: " + ", ".join(maze.solve(state)))
    assert lines[0] == f"0: {twin.line(world)}"
    _, found = twin.search(world)
    worlds = [world]
    for number, (line, (before, action)) in enumerate(zip(lines[1:], found, strict=True), 1):
        worlds.append(twin.moves(worlds[before])[action])
        assert line == f"{number}: from {before} {action}: {twin.line(worlds[-1])}"


@settings(max_examples=10)
@given(mazes(most_keys=2, most_rooms=6))
def test_success_is_what_the_law_of_the_world_says(pair):
    maze, twins = pair
    for tree, twin in enumerate(twins):
        exact = twin.success_probability(twin.root, 60, maze._arguments["greed"])
        assert maze.success_probability(maze.root(tree)) == pytest.approx(exact, abs=1e-12)


@given(mazes(), st.lists(st.integers(0, 2**31), max_size=12))
def test_plans_are_checked_step_by_step(pair, choices):
    maze, (twin, _) = pair
    names = [
        *slow.SIDES,
        *(f"{verb} {color}" for verb in ("take", "unlock") for color in twin.colors),
        "fly",
        "take pink",
    ]
    plan = [names[choice % len(names)] for choice in choices] if choices else maze.solve()
    check = maze.check(plan)
    world = twin.root
    for step, action in enumerate(plan):
        if action not in twin.moves(world):
            assert (check.feasible, check.failed_step) == (False, step)
            assert check.reason
            return
        world = twin.moves(world)[action]
    assert check.feasible == (world[0] == twin.goal)
    assert check.failed_step == (None if check.feasible else len(plan))


def test_the_order_of_keys_matters():
    # With three keys the shortest plan must carry them one by one: each is taken, then used, with no other in between.
    maze = KeysMaze(3, 3, 3, 50, seed=1)
    lengths = []
    for tree in range(50):
        plan = maze.solve(maze.root(tree))
        lengths.append(len(plan))
        held = None
        for action in plan:
            verb, _, color = action.partition(" ")
            held = color if verb == "take" else held
            assert verb != "unlock" or held == color
    assert maze.max_steps == 2 * max(lengths)
    words = [len(action.split()) for tree in range(50) for action in maze.solve(maze.root(tree))]
    assert maze.tokens_per_step == pytest.approx(np.mean(words))


def test_greedier_policies_succeed_more_often():
    found = [
        np.mean([maze.success_probability(maze.root(t)) for t in range(20)])
        for maze in (KeysMaze(n_instances=20, greed=g, max_steps=40, seed=3) for g in (0, 0.25, 0.5, 0.75, 1))
    ]
    assert np.all(np.diff(found) > 0)
    assert found[-1] == 1.0


def test_one_feasible_of_k_is_pass_at_k():
    # Plans that a policy samples are right or not; 1-feasible-10 is the probability that one of ten is.
    maze = KeysMaze(3, 3, 2, 1, greed=0.2, max_steps=30, seed=2)
    p = maze.success_probability()
    rng = np.random.default_rng(0)
    n = 2000
    correct = sum(maze.value(maze.root(), rng) for _ in range(n))
    exact = 1 - (1 - p) ** 10
    assert 0.05 < p < 0.6
    assert pass_at_k([n], [int(correct)], 10)[0] == pytest.approx(exact, abs=5 * 10 * (1 - p) ** 9 * np.sqrt(p / n))


def test_the_same_mazes_however_they_are_made(same_bytes):
    whole = KeysMaze(n_instances=40, seed=7)
    part = KeysMaze(n_instances=10, seed=7, first=30)
    drawn = [whole.describe(whole.root(t)).rpartition(",")[0] for t in range(40)]
    assert [part.describe(part.root(t)).rpartition(",")[0] for t in range(10)] == drawn[30:]
    again = pickle.loads(pickle.dumps(whole))
    assert again.actions(whole.root(3)) == whole.actions(whole.root(3))
    assert repr(again) == repr(whole)
    assert isinstance(whole, Problem)


def test_large_mazes_have_plans_and_no_table():
    maze = KeysMaze(5, 5, 3, 1, max_steps=65535, seed=1)
    assert maze.success_probability() is None
    assert maze.check(maze.solve()).feasible


def test_states_of_other_mazes_are_refused():
    maze, other = KeysMaze(n_instances=2), KeysMaze(n_instances=3)
    for call in (maze.actions, maze.solve, maze.trace, maze.success_probability, lambda state: maze.check([], state)):
        with pytest.raises(TypeError, match="state must be a state of this problem, got one of another"):
            call(other.root())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"rows": 0}, "rows must be at least 1, got 0"),
        ({"rows": 11}, "rows must be at most 10, got 11"),
        ({"rows": 1, "columns": 1, "n_keys": 0}, "columns must make at least two rooms, got 1"),
        ({"rows": 1, "columns": 3, "n_keys": 3}, "n_keys must be at most 2, for 3 rooms, got 3"),
        ({"rows": 10, "columns": 10}, "n_keys must leave at most 16777216 worlds"),
        ({"n_instances": 0}, "n_instances must be at least 1, got 0"),
        ({"rows": 4, "columns": 4, "n_keys": 4, "n_instances": 2**20}, "n_instances must have at most 8388608 worlds"),
        ({"greed": 1.5}, "greed must be at most 1.0, got 1.5"),
        ({"greed": np.nan}, "greed must be finite, got nan"),
        ({"experts": [0.5, -1]}, r"experts\[1\] must be at least 0.0, got -1"),
        ({"max_steps": 0}, "max_steps must be at least 1, got 0"),
    ],
)
def test_what_is_out_of_range_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        KeysMaze(**arguments)


def test_plans_are_texts():
    for plan in ("up", 3, None, [1]):
        with pytest.raises(TypeError, match="plan"):
            KeysMaze(n_instances=1).check(plan)


def test_a_vote_of_walks_is_right_as_soon_as_one_is():
    maze = KeysMaze(n_instances=20, max_steps=40, seed=3)
    p = np.array([maze.success_probability(maze.root(tree)) for tree in range(20)])
    exact = np.array([p.mean(), (1 - (1 - p) ** 4).mean()])
    found = compare(maze, ["walk", "majority"], [4], n_trials=4000, rng=1)
    # Instances are fixed: what varies is which walks succeed.
    np.testing.assert_allclose(found.accuracy[:, 0], exact, atol=5 * np.sqrt(0.25 / 4000))


def test_experts_of_the_default_are_more_and_less_greedy():
    arguments = {"n_instances": 5, "seed": 1}
    assert KeysMaze(**arguments)._arguments["experts"] == (0.05, 0.2, 0.4)
    assert KeysMaze(greed=0.5, **arguments)._arguments["experts"] == (0.25, 1.0, 1.0)
    strategies, how = ["best-of-n", "self-correction"], {"budgets": [2], "n_trials": 300, "rng": 1}
    found = compare(KeysMaze(**arguments), strategies, **how)
    lonely = compare(KeysMaze(**arguments, experts=()), strategies, **how)
    np.testing.assert_array_equal(found.correct[0], lonely.correct[0])
    assert found.accuracy[1, 0] > lonely.accuracy[1, 0] + 0.05
    assert "best-of-n by another name: self-correction" in lonely.table()
    assert "by another name" not in found.table()
