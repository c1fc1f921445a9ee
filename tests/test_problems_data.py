"""The problems on recorded games, on scored positions and on published puzzles.

Reads the files where they are; set SLOWTHINK_DATA to their folder.
"""

import csv
import json
import re

import numpy as np
import pytest
from slowthink.problems import ConnectFour, FifteenPuzzle, GameOf24, TicTacToe


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def from_zero(actions):
    """Columns and squares as the recordings count them."""
    return [int(action) - 1 for action in actions]


@pytest.mark.parametrize(
    ("name", "problem", "length"), [("tic_tac_toe", TicTacToe, 7), ("connect_four", ConnectFour, 17)]
)
def test_recorded_games_go_the_same_way_move_by_move(shared_data, name, problem, length):
    text = (shared_data / "openspiel_playthroughs" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^# State \d+$", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == length + 1
    game = problem()
    state = game.root()
    checked = 0
    for number, block in enumerate(blocks):
        board = re.findall(r"^# ([.xo]+)$", block, flags=re.MULTILINE)
        if board:
            assert game.describe(state) == "\n".join(board), number
        fields = dict(re.findall(r"^([A-Za-z]+)\(\) = (.*)$", block, flags=re.MULTILINE))
        if fields:
            checked += 1
            assert (game.n_actions(state) == 0) == (fields["IsTerminal"] == "True")
        if fields.get("IsTerminal") == "False":
            assert game.player(state) == int(fields["CurrentPlayer"])
            assert from_zero(game.actions(state)) == json.loads(fields["LegalActions"])
        move = re.search(r"^action: (\d+)$", block, flags=re.MULTILINE)
        if move is None:
            # The first player's return, from the view of the player who would move next.
            sign = 1 if game.player(state) == 0 else -1
            assert game.value(state) == sign * json.loads(fields["Returns"])[0]
            break
        state, reward = game.step(state, from_zero(game.actions(state)).index(int(move[1])))
        assert reward == 0
    assert number == length
    assert checked >= 6


@pytest.mark.parametrize("part", ["begin", "middle", "end"])
def test_scores_of_connect_four_are_the_published_ones(shared_data, part):
    scored = rows(shared_data / "connect4_scored" / f"test_easy_{part}.csv")
    assert len(scored) == 1000
    for row in scored:
        assert ConnectFour(row["moves"]).solve() == int(row["score"]), row["moves"]
    # Each action by itself, where that is no long search.
    for row in scored[:: {"begin": 500, "middle": 10, "end": 1}[part]]:
        game = ConnectFour(row["moves"])
        listed = {int(column): int(row[f"a{column}"]) for column in "1234567" if row[f"a{column}"]}
        found = dict(zip(map(int, game.actions(game.root())), game.action_scores().tolist(), strict=True))
        assert found == listed, row["moves"]


def test_published_puzzles_of_24_have_solutions(shared_data):
    puzzles = [sorted(map(int, row["Puzzles"].split())) for row in rows(shared_data / "game24" / "24_rank1_900.csv")]
    assert len(puzzles) == 900
    ours = GameOf24().puzzles()
    assert np.array_equal(ours, np.sort(ours, axis=1))
    assert {tuple(row) for row in puzzles} <= {tuple(row) for row in ours.tolist()}
    assert all(GameOf24.solve(row) for row in puzzles[::60])


def test_korfs_puzzles(shared_data):
    table = rows(shared_data / "korf15" / "korf_even.csv")
    puzzle = FifteenPuzzle([[int(row[f"p{cell}"]) for cell in range(16)] for row in table])
    optimal = np.array([int(row["optimal"]) for row in table])
    distance = np.array([puzzle.distance(puzzle.root(tree)) for tree in range(len(table))])
    assert len(table) == 50
    assert (distance <= optimal).all()
    assert ((optimal - distance) % 2 == 0).all()
    # The shortest of them, all the way.
    for tree in np.argsort(optimal, kind="stable")[:4].tolist():
        assert len(puzzle.solve(puzzle.root(tree))) == optimal[tree]
