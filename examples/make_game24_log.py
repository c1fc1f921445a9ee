"""Writes the log that ships with slowthink: 200 Game-of-24 puzzles, 64 attempts of a randomised player at each.

The game: four numbers from 1 to 13; take two of the numbers on the table, replace them by their sum, difference,
product or quotient, and repeat until one number is left. The aim is 24.

The player thinks before it moves, but does sums in its head only roughly. At each turn it considers a few moves,
imagines how each could go on, and believes to have seen results that are off by up to a tenth. It then prefers the
moves that seemed to end near 24. So it fails in a patterned way: near misses such as 23 and 25 come up again and
again, on some puzzles more often than 24 itself, and how sure it feels says something about being right, not all.

    python examples/make_game24_log.py                              # the shipped log
    python examples/make_game24_log.py --roughness 0.02 -o careful.jsonl   # a player that is better at sums

Only the four basic operations and ``random.random`` are used on floats, so the rows are the same on every machine.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import operator
import random
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

TARGET = 24
N_PUZZLES = 200
N_ATTEMPTS = 64
THOUGHTS = 4
"""How many ways to go on the player imagines, at most, for each move it considers."""
CANDIDATES = 8
"""How many moves the player considers at a turn."""
ROUGHNESS = 0.04
"""Largest relative error of a result worked out in the head."""
CONTENT = 0.2
"""It stops thinking once it believes to see a result this near to 24."""
SHIPPED = Path(__file__).resolve().parents[1] / "python/slowthink/data/game24_log.jsonl.gz"

Table = tuple[Fraction, ...]
Move = tuple[int, int, str]
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def moves(table: Table) -> list[Move]:
    """Every move: the places of two numbers and an operation. Sums and products in one order, no division by zero."""
    found = []
    for i, j in itertools.permutations(range(len(table)), 2):
        for symbol in OPERATIONS:
            if (symbol in "+*" and i > j) or (symbol == "/" and table[j] == 0):
                continue
            found.append((i, j, symbol))
    return found


def play(table: Table, move: Move) -> Table:
    """The table after a move; the new number stands last."""
    i, j, symbol = move
    rest = tuple(number for place, number in enumerate(table) if place not in (i, j))
    return (*rest, OPERATIONS[symbol](table[i], table[j]))


@cache
def results(table: Table) -> frozenset[Fraction]:
    """Every number that can be left at the end."""
    if len(table) == 1:
        return frozenset(table)
    return frozenset(value for move in moves(table) for value in results(tuple(sorted(play(table, move)))))


@cache
def n_solutions(table: Table) -> int:
    """How many sequences of moves end in 24."""
    if len(table) == 1:
        return int(table[0] == TARGET)
    return sum(n_solutions(tuple(sorted(play(table, move)))) for move in moves(table))


def puzzles(n_puzzles: int = N_PUZZLES) -> list[Table]:
    """Solvable puzzles, drawn without replacement from all those with numbers from 1 to 13, in ascending order."""
    lots = random.Random("slowthink: puzzles")
    # One lot for each table, solvable or not, so that no answer decides what another puzzle draws.
    drawn = sorted(
        (lots.random(), tuple(map(Fraction, numbers)))
        for numbers in itertools.combinations_with_replacement(range(1, 14), 4)
    )
    solvable = (table for _, table in drawn if TARGET in results(table))
    return sorted(itertools.islice(solvable, n_puzzles))


def difficulty(table: Table) -> str:
    """A rough grade by the number of solutions."""
    count = n_solutions(table)
    return "hard" if count < 9 else "medium" if count < 18 else "easy"


def plain_sum(numbers: Iterable[float]) -> float:
    """Left to right, with a rounding at each step: the built-in ``sum`` compensates for them from Python 3.12 on."""
    total = 0.0
    for number in numbers:
        total += number
    return total


class Player:
    """One attempt: what it imagines, how sure it felt, how many operations it tried."""

    def __init__(self, draw: random.Random, roughness: float) -> None:
        self.draw = draw
        self.roughness = roughness
        self.n_tried = 0

    def attempt(self, table: Table) -> tuple[Fraction, str, float]:
        """Plays to the end: the number reached, how it was written, and the confidence."""
        texts = [str(number) for number in table]
        shares = []
        while len(table) > 1:
            move, share = self.choose(table)
            shares.append(share)
            i, j, symbol = move
            written = f"({texts[i]}{symbol}{texts[j]})"
            texts = [text for place, text in enumerate(texts) if place not in (i, j)] + [written]
            table = play(table, move)
        return table[0], texts[0][1:-1], plain_sum(shares) / len(shares)

    def choose(self, table: Table) -> tuple[Move, float]:
        """A move, and the share of the preference that it had."""
        considered: list[tuple[Move, float]] = []
        for move in self.some(moves(table), CANDIDATES):
            self.n_tried += 1
            miss = self.foresee(play(table, move))
            considered.append((move, 1.0 / ((0.5 + miss) * (0.5 + miss))))
            if miss < CONTENT:
                break
        total = plain_sum(appeal for _, appeal in considered)
        mark = self.draw.random() * total
        chosen = considered[-1]
        for chosen in considered:
            mark -= chosen[1]
            if mark < 0.0:
                break
        return chosen[0], chosen[1] / total

    def foresee(self, table: Table) -> float:
        """How near to 24 the play seems to end at best; it stops to think when it believes to see 24."""
        best = self.imagine(table)
        for _ in range(THOUGHTS - 1 if len(table) > 1 else 0):
            if best < CONTENT:
                break
            best = min(best, self.imagine(table))
        return best

    def imagine(self, table: Table) -> float:
        """How far from 24 a line of play seems to end that goes on at random and finishes as well as it can."""
        while len(table) > 2:
            self.n_tried += 1
            table = play(table, self.some(moves(table), 1)[0])
        ends = [table[0]] if len(table) == 1 else [play(table, move)[0] for move in moves(table)]
        self.n_tried += len(ends) if len(table) > 1 else 0
        return min(abs(float(end) * (1.0 + self.roughness * (2.0 * self.draw.random() - 1.0)) - TARGET) for end in ends)

    def some(self, choices: list[Move], n: int) -> list[Move]:
        """``n`` of the choices without replacement, all of them if there are fewer."""
        left = list(choices)
        return [left.pop(int(self.draw.random() * len(left))) for _ in range(min(n, len(left)))]


def rows(table: Table, n_attempts: int = N_ATTEMPTS, roughness: float = ROUGHNESS) -> Iterator[dict[str, object]]:
    """The log's rows for one puzzle. Each attempt has a generator of its own, so any of them can be made alone."""
    name = " ".join(map(str, table))
    for number in range(n_attempts):
        player = Player(random.Random(f"slowthink: {name}: roughness {roughness}: attempt {number}"), roughness)
        reached, written, confidence = player.attempt(table)
        yield {
            "problem": name,
            "attempt": number,
            "response": written,
            "answer": str(reached),
            "gold": str(TARGET),
            "score": round(confidence, 4),
            "cost": player.n_tried,
            "difficulty": difficulty(table),
        }


def text(tables: list[Table], n_attempts: int = N_ATTEMPTS, roughness: float = ROUGHNESS) -> str:
    """The log as JSON lines."""
    return "".join(json.dumps(row) + "\n" for table in tables for row in rows(table, n_attempts, roughness))


def main() -> None:
    """Writes a log; without arguments, the shipped one."""
    parser = argparse.ArgumentParser(description="Write a log of a randomised player's attempts at the Game of 24.")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED, help="a .jsonl or .jsonl.gz file")
    parser.add_argument("--puzzles", type=int, default=N_PUZZLES, help="number of puzzles (default: %(default)s)")
    parser.add_argument("--attempts", type=int, default=N_ATTEMPTS, help="attempts at each (default: %(default)s)")
    rough = "largest relative error of its sums (default: %(default)s)"
    parser.add_argument("--roughness", type=float, default=ROUGHNESS, help=rough)
    options = parser.parse_args()
    content = text(puzzles(options.puzzles), options.attempts, options.roughness).encode()
    # No time and no file name in the header: the same rows give the same file.
    packed = gzip.compress(content, 9, mtime=0) if options.output.suffix == ".gz" else content
    options.output.write_bytes(packed)
    print(f"{options.output}: {options.puzzles} puzzles x {options.attempts} attempts, {len(packed):,} bytes")


if __name__ == "__main__":
    main()
