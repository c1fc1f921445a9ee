"""How often a search with random rollouts finds the best move of connect four, against its simulations.

    python benches/connect_four.py FILE.csv ... [--simulations 100 1000 10000 100000] [--positions 200]

The files hold positions whose moves were scored exactly: columns `moves` (columns 1 to 7 in the order of play) and `a1`
to `a7` (the score of each move for the player to move, empty where the column is full; above 0 wins, below 0 loses, and
quick wins score more). Printed is the share of positions in which the chosen move keeps the best result there is, and
in which it has the best score, with standard errors.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from slowthink import trees
from slowthink.problems import ConnectFour

Position = tuple[str, list[float]]
"""The moves so far, and the scores of those to come."""


def read(path: Path, n: int) -> list[Position]:
    """The first `n` positions of a file, without those where all moves score the same."""
    with path.open(newline="") as file:
        rows = [(row["moves"], [float(row[f"a{i}"] or "nan") for i in range(1, 8)]) for row in csv.DictReader(file)]
    return [row for row in rows if np.nanmin(row[1]) < np.nanmax(row[1])][:n]


def shares(positions: list[Position], n_simulations: int) -> tuple[float, float]:
    """The share of positions in which the move found keeps the result, and has the best score."""
    kept, best = 0, 0
    for moves, scores in positions:
        forest = trees.Forest(1, trees.Uct(c=2**0.5), discount=-1.0, solver=(-1.0, 1.0), rng=1)
        forest.run(ConnectFour(moves), n_simulations)
        tree = forest.tree(0)
        open_columns = np.flatnonzero(~np.isnan(scores))
        children = np.flatnonzero(tree.parent == 0)
        # A proven child's value is exact; among equals the one most visited.
        worth = np.where(tree.visits[children] > 0, -tree.value[children], -np.inf)
        proven = np.abs(worth) == 1
        order = np.lexsort((tree.visits[children], np.where(proven, worth, 0)))
        score = scores[open_columns[tree.action[children[order[-1]]]]]
        kept += np.sign(score) == np.sign(np.nanmax(scores))
        best += score == np.nanmax(scores)
    return kept / len(positions), best / len(positions)


def main() -> None:
    """Prints a line for each file and number of simulations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--simulations", nargs="+", type=int, default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--positions", type=int, default=200)
    arguments = parser.parse_args()
    for path in arguments.files:
        positions = read(path, arguments.positions)
        for n in arguments.simulations:
            kept, best = shares(positions, n)
            errors = [(share * (1 - share) / len(positions)) ** 0.5 for share in (kept, best)]
            print(
                f"{path.stem}, {len(positions)} positions, {n:7,} simulations: keeps the result "
                f"{kept:.3f} +- {errors[0]:.3f}, best score {best:.3f} +- {errors[1]:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
