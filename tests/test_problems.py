"""The problems beside their slow twins: random games, move by move, and what is known of them."""

from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import _run, _slowthink
from slowthink.problems import (
    AdditiveTree,
    ConnectFour,
    FifteenPuzzle,
    GameOf24,
    Problem,
    SyntheticTree,
    TicTacToe,
)
from slowthink.reference import problems as slow
from slowthink.strategies import BestOfN, Verifier, Walk, compare

ORDERED = tuple(range(16))


@st.composite
def scrambled(draw: st.DrawFn) -> tuple[int, ...]:
    """A 15-puzzle some moves away from the goal."""
    tiles = list(ORDERED)
    for step in draw(st.lists(st.sampled_from([-4, -1, 1, 4]), max_size=60)):
        blank = tiles.index(0)
        other = blank + step
        if 0 <= other < 16 and (blank // 4 == other // 4 or blank % 4 == other % 4):
            tiles[blank], tiles[other] = tiles[other], 0
    return tuple(tiles)


def pairs() -> st.SearchStrategy[tuple]:
    """A problem and its twin."""
    seed = st.integers(0, 2**62)
    numbers = st.lists(st.tuples(*[st.integers(1, 13) | st.integers(1, 100)] * 4), min_size=1, max_size=3)
    trees = st.tuples(st.integers(1, 7), st.integers(1, 6), seed)
    return st.one_of(
        trees.map(lambda t: (SyntheticTree(*t), slow.SyntheticTree(*t))),
        st.tuples(trees, st.booleans()).map(
            lambda t: (AdditiveTree(*t[0], rewards=t[1]), slow.AdditiveTree(*t[0], rewards=t[1]))
        ),
        st.just((TicTacToe(), slow.TicTacToe())),
        st.just((ConnectFour(), slow.ConnectFour())),
        numbers.map(lambda rows: (GameOf24(rows), slow.GameOf24(rows))),
        st.tuples(st.lists(scrambled(), min_size=1, max_size=3), st.booleans()).map(
            lambda t: (FifteenPuzzle(t[0], rewards=t[1]), slow.FifteenPuzzle(t[0], rewards=t[1]))
        ),
    )


@given(pairs(), st.integers(0, 5), st.lists(st.integers(0, 2**31), max_size=45))
def test_games_go_as_those_of_the_twin(pair, tree, choices):
    problem, twin = pair
    state, expected = problem.root(tree), twin.root(tree)
    low, high = problem.value_bounds
    for n_moves, choice in enumerate([*choices, None]):
        actions = twin.actions(expected)
        assert problem.describe(state) == twin.text(expected)
        assert problem.actions(state) == actions
        assert problem.n_actions(state) == len(actions)
        assert problem.player(state) == (n_moves % 2 if problem.n_players == 2 else 0)
        value, outcome = problem.value(state, choice), twin.outcome(expected)
        assert low <= value <= high
        if outcome is not None:
            assert value == pytest.approx(outcome, abs=1e-14)
        if not actions or choice is None:
            break
        action = choice % len(actions)
        state, reward = problem.step(state, action)
        expected, expected_reward = twin.step(expected, action)
        assert reward == expected_reward
        assert problem.has_rewards or reward == 0


@given(pairs(), st.integers(0, 3), st.integers(0, 2**31))
def test_states_stay_as_they_are_and_values_repeat(pair, tree, choice):
    problem, _ = pair
    state = problem.root(tree)
    before = problem.describe(state), problem.key(state), problem.n_actions(state)
    if before[2]:
        problem.step(state, choice % before[2])
    assert problem.value(state, choice) == problem.value(state, choice)
    assert (problem.describe(state), problem.key(state), problem.n_actions(state)) == before
    again = pickle.loads(pickle.dumps(problem))
    assert again.describe(again.root(tree)) == before[0]
    assert repr(again) == repr(problem)


def test_they_are_problems():
    for problem in (SyntheticTree(4, 20), AdditiveTree(4, 6), TicTacToe(), ConnectFour(), GameOf24(), _solved()):
        assert isinstance(problem, Problem)
    assert not isinstance(object(), Problem)
    assert SyntheticTree(4, 20).max_depth == 20
    assert TicTacToe().max_depth is None


def _solved() -> FifteenPuzzle:
    return FifteenPuzzle(ORDERED)


def test_rollouts_of_a_generator_move_on():
    game, rng = ConnectFour(), np.random.default_rng(1)
    values = [game.value(game.root(), rng) for _ in range(200)]
    assert set(values) >= {-1.0, 1.0}
    rng = np.random.default_rng(1)
    assert [game.value(game.root(), rng) for _ in range(200)] == values


def test_tic_tac_toe_is_worth_what_minimax_says_everywhere():
    game, twin = TicTacToe(), slow.TicTacToe()
    open_, seen = [(game.root(), twin.root(0))], set()
    while open_:
        state, expected = open_.pop()
        if expected in seen:
            continue
        seen.add(expected)
        if len(seen) % 7 == 0 or len(twin.actions(expected)) > 6:
            assert game.best_value(state) == twin.best_value(expected)
        for action in range(game.n_actions(state)):
            open_.append((game.step(state, action)[0], twin.step(expected, action)[0]))
    assert len(seen) == 5478


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**40), st.booleans())
def test_the_best_path_of_an_additive_tree(branching, depth, seed, rewards):
    tree = AdditiveTree(branching, depth, seed, rewards=rewards)
    twin = slow.AdditiveTree(branching, depth, seed, rewards=rewards)
    assert tree.best_value() == pytest.approx(twin.best_value(twin.root(0)), abs=1e-13)
    child, expected = tree.step(tree.root(3), 0)[0], twin.step(twin.root(3), 0)[0]
    assert tree.best_value(child) == pytest.approx(twin.best_value(expected), abs=1e-13)


@given(st.lists(st.integers(0, 6), min_size=36, max_size=42))
def test_scores_of_late_positions_of_connect_four(choices):
    game, twin = ConnectFour(), slow.ConnectFour()
    state, expected = game.root(), twin.root(0)
    for choice in choices:
        if not (n_actions := game.n_actions(state)):
            break
        state, expected = game.step(state, choice % n_actions)[0], twin.step(expected, choice % n_actions)[0]
    assert game.solve(state) == twin.score(expected)
    scores = game.action_scores(state)
    assert scores.tolist() == [-twin.score(twin.step(expected, i)[0]) for i in range(game.n_actions(state))]


@given(st.lists(st.integers(1, 13), min_size=4, max_size=4))
def test_solutions_are_worth_24(numbers):
    found = GameOf24.solve(numbers)
    twin = slow.GameOf24([numbers])
    assert bool(found) == twin.solvable(twin.root(0))
    listed = {tuple(row) for row in GameOf24().puzzles().tolist()}
    assert (tuple(sorted(numbers)) in listed) == bool(found)
    for text in found:
        words = text.replace("(", "( ").replace(")", " )").split()
        assert sorted(int(word) for word in words if word.isdecimal()) == sorted(numbers)
        exact = " ".join(f"Fraction({word})" if word.isdecimal() else word for word in words)
        assert eval(exact, {"Fraction": Fraction}) == 24


@given(scrambled())
def test_solutions_of_the_15_puzzle_solve_it(tiles):
    puzzle = FifteenPuzzle(tiles)
    solution = puzzle.solve()
    assert len(solution) >= puzzle.distance()
    assert (len(solution) - puzzle.distance()) % 2 == 0
    state = puzzle.root()
    for i, name in enumerate(solution):
        state, _ = puzzle.step(state, puzzle.actions(state).index(name))
        if i == 0:  # no solution is shorter than one move less
            assert len(puzzle.solve(state)) == len(solution) - 1
    assert puzzle.n_actions(state) == 0
    assert puzzle.value(state) == 1.0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ConnectFour("48"), r"moves\[1\] must be a digit from 1 to 7, got '8'"),
        (lambda: ConnectFour("4444444"), r"moves\[6\] must be a column with room, got 4"),
        (lambda: ConnectFour("12121213"), r"moves\[7\] must not follow the end of the game"),
        (lambda: TicTacToe("55"), r"moves\[1\] must be an empty square, got 5"),
        (lambda: TicTacToe("5é"), r"moves\[1\] must be a digit from 1 to 9, got 'é'"),
        (lambda: GameOf24([[1, 2, 3, 0]]), r"puzzles\[0, 3\] must be from 1 to 100, got 0"),
        (lambda: GameOf24([[1, 2, 3]]), r"puzzles must have four columns, got shape \(1, 3\)"),
        (lambda: GameOf24.solve([1, 2, 3, 101]), r"numbers\[3\] must be from 1 to 100, got 101"),
        (lambda: GameOf24(np.zeros((0, 4), int)), "puzzles must have at least one row"),
        (lambda: FifteenPuzzle([*range(14), 15, 14]), r"states\[0\] must be a position from which the tiles can"),
        (lambda: FifteenPuzzle([*range(15), 14]), r"states\[0, 15\] must be a number from 0 to 15 that is not there"),
        (lambda: FifteenPuzzle([[1, 2]]), r"states must have 16 columns, got shape \(1, 2\)"),
        (lambda: SyntheticTree(0, 4), "branching must be at least 1, got 0"),
        (lambda: AdditiveTree(2, 0), "depth must be at least 1, got 0"),
        (lambda: AdditiveTree(32, 20).best_value(), r"branching must leave at most 2\*\*32 paths below the state"),
        (lambda: TicTacToe().step(TicTacToe().root(), 9), "action must be below the number of actions, 9, got 9"),
        (lambda: _solved().step(_solved().root(), 0), "action must be below .* 0: the state is terminal, got 0"),
        (lambda: SyntheticTree(2, 3).root(-1), "tree must be at least 0, got -1"),
        (lambda: SyntheticTree(2**40, 3), f"branching must be at most {2**32 - 1}, got {2**40}"),
    ],
)
def test_what_is_illegal_is_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_a_state_of_another_problem_is_refused():
    for state in (TicTacToe().root(), 7, None):
        with pytest.raises(TypeError, match="state must be a state of this problem"):
            ConnectFour().n_actions(state)
    with pytest.raises(TypeError, match="state must be a state of this problem"):
        ConnectFour().solve(TicTacToe().root())
    with pytest.raises(TypeError, match="moves must be a str of digits, got int"):
        ConnectFour(44)  # type: ignore[arg-type]


def test_solvers_give_up_when_told_to():
    with pytest.raises(RuntimeError, match="not solved within 100 nodes: raise max_nodes"):
        ConnectFour().solve(max_nodes=100)
    with pytest.raises(RuntimeError, match="not solved within 100 nodes: raise max_nodes"):
        FifteenPuzzle([14, 13, 15, 7, 11, 12, 9, 5, 6, 0, 2, 1, 4, 8, 10, 3]).solve(max_nodes=100)


@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0, 7.0, np.inf])
def test_walks_on_the_game_of_24_succeed_as_often_as_the_twin_says(temperature):
    puzzles = [[1, 1, 4, 6], [3, 3, 8, 8], [1, 1, 1, 1], [2, 2, 6, 13]]
    twin = slow.GameOf24(puzzles)
    expected = [twin.success(twin.root(i), temperature) for i in range(4)]
    verifier = Verifier()
    for i, puzzle in enumerate(puzzles):
        game = GameOf24([puzzle], temperature=temperature)
        found = _slowthink.exact_curves(
            game._native, [Walk()._native(), BestOfN()._native()], [3, 30], verifier._native(), _run.options()
        )
        np.testing.assert_allclose(found[:, 0], expected[i], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(found[1, 1], 1 - (1 - expected[i]) ** 10, rtol=1e-12, atol=1e-15)
    walks = compare(GameOf24(puzzles, temperature=temperature), ["walk"], [1], n_trials=8000, rng=3).correct[0, 0]
    for i, p in enumerate(expected):
        assert abs(walks[i::4].mean() - p) <= 5 * np.sqrt(p * (1 - p) / 2000) + 1e-12


def test_temperature_must_be_one():
    with pytest.raises(ValueError, match=r"temperature must be at least 0, got -1"):
        GameOf24(temperature=-1)
    with pytest.raises(ValueError, match=r"temperature must be at least 0, got (NaN|nan)"):
        GameOf24(temperature=np.nan)
    game = pickle.loads(pickle.dumps(GameOf24([[1, 2, 3, 4]], temperature=2.5)))
    assert repr(game) == "GameOf24(<1 puzzles>, temperature=2.5)"


def test_brute_force_agrees_on_all_puzzles_of_cards():
    puzzles = np.array(list(combinations_with_replacement(range(1, 14), 4)))
    numbers = puzzles[:, None].astype(float)  # (puzzle, way to get here, number left)
    with np.errstate(divide="ignore", invalid="ignore"):
        while numbers.shape[2] > 1:
            left = []
            for i, j in combinations(range(numbers.shape[2]), 2):
                a, b = numbers[:, :, i], numbers[:, :, j]
                rest = np.delete(numbers, (i, j), axis=2)
                for result in (a + b, a - b, b - a, a * b, a / b, b / a):
                    left.append(np.concatenate([rest, result[:, :, None]], axis=2))
            numbers = np.concatenate(left, axis=1)
        solvable = (np.abs(numbers[:, :, 0] - 24) < 1e-9).any(axis=1)
    assert solvable.sum() == 1362
    assert puzzles[solvable].tolist() == sorted(GameOf24().puzzles().tolist())
    for puzzle, found in zip(puzzles, solvable, strict=True):
        game = GameOf24([puzzle], temperature=np.inf)
        walk = [Walk()._native()]
        success = _slowthink.exact_curves(game._native, walk, [3], Verifier()._native(), _run.options())
        assert (success[0, 0] > 0) == found
