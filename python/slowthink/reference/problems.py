"""Slow twins of the problems: their rules in plain Python.

Each has the root of a tree, the texts of the actions in a state, the state after one of them with its reward, the
outcome of a state that is terminal (None elsewhere), for the player to move, and the text of a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from typing import Any, ClassVar

_WORD = 2**64


def mix(z: int) -> int:
    """The step of SplitMix64, modulo 2**64."""
    z = (z + 0x9E3779B97F4A7C15) % _WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % _WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % _WORD
    return z ^ z >> 31


class SyntheticTree:
    """States are hashes; nothing is terminal, and the value is never random."""

    def __init__(self, branching: int, depth: int, seed: int = 0) -> None:
        self.branching, self.seed = branching, seed

    def root(self, tree: int) -> int:
        return mix(self.seed + tree + 1)

    def actions(self, state: int) -> list[str]:
        return [str(action) for action in range(self.branching)]

    def step(self, state: int, action: int) -> tuple[int, float]:
        return mix(state ^ (action + 1)), 0.0

    def outcome(self, state: int) -> float:
        return (mix(state) >> 40) / 2**24

    def text(self, state: int) -> str:
        return f"{state:016x}"


class AdditiveTree:
    """States are a hash and the edges so far."""

    def __init__(self, branching: int, depth: int, seed: int = 0, *, rewards: bool = False) -> None:
        self.branching, self.depth, self.seed, self.rewards = branching, depth, seed, rewards

    def root(self, tree: int) -> tuple[int, tuple[float, ...]]:
        return mix((7919 * (self.seed + tree) + 5) % _WORD), ()

    def actions(self, state: tuple[int, tuple[float, ...]]) -> list[str]:
        return [str(action) for action in range(self.branching if len(state[1]) < self.depth else 0)]

    def step(self, state: tuple[int, tuple[float, ...]], action: int) -> tuple[tuple[int, tuple[float, ...]], float]:
        hashed = mix(state[0] ^ (action + 1))
        edge = (mix(hashed) >> 11) / 2**53
        return (hashed, (*state[1], edge)), edge / self.depth if self.rewards else 0.0

    def outcome(self, state: tuple[int, tuple[float, ...]]) -> float | None:
        if len(state[1]) < self.depth:
            return None
        return 0.0 if self.rewards else sum(state[1]) / self.depth

    def text(self, state: tuple[int, tuple[float, ...]]) -> str:
        return f"{state[0]:016x}, {len(state[1])} edges of sum {sum(state[1]):.6f}"

    def best_value(self, state: tuple[int, tuple[float, ...]]) -> float:
        outcome = self.outcome(state)
        if outcome is not None:
            return outcome
        following = (self.step(state, action) for action in range(self.branching))
        return max(reward + self.best_value(child) for child, reward in following)


class _Board:
    """Games on a board of rows, from the top, each a str of x, o and dots."""

    lines: ClassVar[list[list[tuple[int, int]]]]

    def to_move(self, state: tuple[str, ...]) -> str:
        text = "".join(state)
        return "x" if text.count("x") == text.count("o") else "o"

    def outcome(self, state: tuple[str, ...]) -> float | None:
        for line in self.lines:
            stones = {state[row][column] for row, column in line}
            if len(stones) == 1 and stones != {"."}:
                return 1.0 if stones == {self.to_move(state)} else -1.0
        return None if "." in "".join(state) else 0.0

    def put(self, state: tuple[str, ...], row: int, column: int) -> tuple[tuple[str, ...], float]:
        rows = [list(text) for text in state]
        rows[row][column] = self.to_move(state)
        return tuple("".join(texts) for texts in rows), 0.0

    def text(self, state: tuple[str, ...]) -> str:
        return "\n".join(state)


class TicTacToe(_Board):
    """Squares are numbered from 1 in the order of reading."""

    lines: ClassVar = [
        *([(row, column) for column in range(3)] for row in range(3)),
        *([(row, column) for row in range(3)] for column in range(3)),
        [(i, i) for i in range(3)],
        [(i, 2 - i) for i in range(3)],
    ]

    def root(self, tree: int) -> tuple[str, ...]:
        return ("...",) * 3

    def actions(self, state: tuple[str, ...]) -> list[str]:
        free = [str(i + 1) for i, square in enumerate("".join(state)) if square == "."]
        return free if self.outcome(state) is None else []

    def step(self, state: tuple[str, ...], action: int) -> tuple[tuple[str, ...], float]:
        return self.put(state, *divmod(int(self.actions(state)[action]) - 1, 3))

    @cache  # noqa: B019
    def best_value(self, state: tuple[str, ...]) -> float:
        outcome = self.outcome(state)
        if outcome is not None:
            return outcome
        return max(-self.best_value(self.step(state, i)[0]) for i in range(len(self.actions(state))))


class ConnectFour(_Board):
    """Columns are numbered from 1; stones fall."""

    lines: ClassVar = [
        line
        for row in range(6)
        for column in range(7)
        for rows, columns in ((0, 1), (1, 0), (1, 1), (1, -1))
        for line in [[(row + i * rows, column + i * columns) for i in range(4)]]
        if all(r < 6 and 0 <= c < 7 for r, c in line)
    ]

    def root(self, tree: int) -> tuple[str, ...]:
        return ("." * 7,) * 6

    def actions(self, state: tuple[str, ...]) -> list[str]:
        free = [str(column + 1) for column in range(7) if state[0][column] == "."]
        return free if self.outcome(state) is None else []

    def step(self, state: tuple[str, ...], action: int) -> tuple[tuple[str, ...], float]:
        column = int(self.actions(state)[action]) - 1
        row = max(row for row in range(6) if state[row][column] == ".")
        return self.put(state, row, column)

    def score(self, state: tuple[str, ...]) -> int:
        """22 - s for a win with the s-th stone of the winner, by looking at every game: for late positions."""
        outcome = self.outcome(state)
        if outcome is not None:
            stones = sum(text.count("x") + text.count("o") for text in state)
            return int(outcome) * (22 - (stones + 1) // 2)
        return max(-self.score(self.step(state, i)[0]) for i in range(len(self.actions(state))))


_OPERATIONS: list[tuple[str, bool, Callable[[Fraction, Fraction], Fraction | None]]] = [
    ("+", False, lambda a, b: a + b),
    ("-", False, lambda a, b: a - b),
    ("-", True, lambda a, b: b - a),
    ("*", False, lambda a, b: a * b),
    ("/", False, lambda a, b: a / b if b else None),
    ("/", True, lambda a, b: b / a if a else None),
]


class GameOf24:
    """States are the numbers that are left, in ascending order."""

    def __init__(self, puzzles: Any) -> None:
        self.puzzles = [tuple(sorted(Fraction(int(number)) for number in row)) for row in puzzles]

    def root(self, tree: int) -> tuple[Fraction, ...]:
        return self.puzzles[tree % len(self.puzzles)]

    def moves(self, state: tuple[Fraction, ...]) -> dict[tuple[Fraction, ...], str]:
        """The text of the first action that leads to each state."""
        found: dict[tuple[Fraction, ...], str] = {}
        for i, j in combinations(range(len(state)), 2):
            for sign, swapped, compute in _OPERATIONS:
                result = compute(state[i], state[j])
                if result is None:
                    continue
                left, right = (state[j], state[i]) if swapped else (state[i], state[j])
                rest = [number for k, number in enumerate(state) if k not in (i, j)]
                following = tuple(sorted([*rest, result]))
                text = f"{_operand(left)} {sign} {_operand(right)} = {result} (left: {self.text(following)})"
                found.setdefault(following, text)
        return found

    def actions(self, state: tuple[Fraction, ...]) -> list[str]:
        return list(self.moves(state).values())

    def step(self, state: tuple[Fraction, ...], action: int) -> tuple[tuple[Fraction, ...], float]:
        return list(self.moves(state))[action], 0.0

    def outcome(self, state: tuple[Fraction, ...]) -> float | None:
        return float(state == (Fraction(24),)) if len(state) == 1 else None

    def text(self, state: tuple[Fraction, ...]) -> str:
        return " ".join(map(str, state))

    def policy(self, state: tuple[Fraction, ...], temperature: float) -> list[float]:
        """Softmax of what is disliked about the numbers left: those not natural, and a last one other than 24."""

        def disliked(left: tuple[Fraction, ...]) -> float:
            if len(left) == 1:
                return 0.0 if left == (Fraction(24),) else 3.0
            return float(sum(number < 0 or number.denominator > 1 for number in left))

        costs = [disliked(following) for following in self.moves(state)]
        if temperature == 0:
            weights = [float(cost == min(costs)) for cost in costs]
        else:
            weights = [math.exp(-cost / temperature) for cost in costs]
        return [weight / sum(weights) for weight in weights]

    def success(self, state: tuple[Fraction, ...], temperature: float) -> float:
        """The probability that the policy goes on to 24."""
        if len(state) == 1:
            return float(state == (Fraction(24),))
        shares = zip(self.policy(state, temperature), self.moves(state), strict=True)
        return sum(p * self.success(following, temperature) for p, following in shares if p > 0)

    def solvable(self, state: tuple[Fraction, ...]) -> bool:
        if len(state) == 1:
            return state == (Fraction(24),)
        return any(self.solvable(following) for following in self.moves(state))


def _operand(number: Fraction) -> str:
    return str(number) if number >= 0 and number.denominator == 1 else f"({number})"


class FifteenPuzzle:
    """States are the tiles in the order of reading and the last move of the blank."""

    _moves: ClassVar = (("up", -1, 0), ("left", 0, -1), ("right", 0, 1), ("down", 1, 0))
    _back: ClassVar = {"up": "down", "down": "up", "left": "right", "right": "left", "": ""}

    def __init__(self, states: Any, *, rewards: bool = False) -> None:
        self.states = [tuple(int(tile) for tile in row) for row in states]
        self.rewards = rewards

    def root(self, tree: int) -> tuple[tuple[int, ...], str]:
        return self.states[tree % len(self.states)], ""

    def actions(self, state: tuple[tuple[int, ...], str]) -> list[str]:
        if state[0] == tuple(range(16)):
            return []
        row, column = divmod(state[0].index(0), 4)
        open_ = [name for name, down, right in self._moves if 0 <= row + down < 4 and 0 <= column + right < 4]
        return [name for name in open_ if name != self._back[state[1]]]

    def step(self, state: tuple[tuple[int, ...], str], action: int) -> tuple[tuple[tuple[int, ...], str], float]:
        name = self.actions(state)[action]
        tiles = list(state[0])
        blank = tiles.index(0)
        other = blank + {"up": -4, "left": -1, "right": 1, "down": 4}[name]
        tiles[blank], tiles[other] = tiles[other], 0
        return (tuple(tiles), name), -1.0 if self.rewards else 0.0

    def distance(self, state: tuple[tuple[int, ...], str]) -> int:
        return sum(abs(tile // 4 - cell // 4) + abs(tile % 4 - cell % 4) for cell, tile in enumerate(state[0]) if tile)

    def outcome(self, state: tuple[tuple[int, ...], str]) -> float:
        """Never random."""
        return -float(self.distance(state)) if self.rewards else 1 - self.distance(state) / 80

    def text(self, state: tuple[tuple[int, ...], str]) -> str:
        return "\n".join(" ".join(f"{tile:2d}" for tile in state[0][4 * row : 4 * row + 4]) for row in range(4))
