"""The 15-puzzle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink._slowthink import State
from slowthink.problems._built_in import BuiltIn, node_limit


class FifteenPuzzle(BuiltIn):
    """The 15-puzzle: fifteen tiles are slid into order on a square of four by four.

    An action moves the blank up, left, right or down, but never back where it came from. The state in which all tiles
    are in order, the blank in the upper left corner, is terminal.

    Parameters
    ----------
    states : array_like of int, shape (n, 16) or (16,)
        The tile in each cell in the order of reading, 0 for the blank; in order are 0, 1, ..., 15. Tree t works on
        row t modulo n.
    rewards : bool
        False: a state of Manhattan distance d is worth 1 - d/80, and steps give nothing; 80 moves solve any puzzle.
        True: each step gives -1 and a state is worth -d, so that a path and its end are worth minus the moves made and
        those still needed at least, as in A*.

    Examples
    --------
    >>> from slowthink.problems import FifteenPuzzle
    >>> puzzle = FifteenPuzzle([4, 1, 2, 3, 5, 9, 6, 7, 8, 0, 10, 11, 12, 13, 14, 15])
    >>> print(puzzle.describe(puzzle.root()))
     4  1  2  3
     5  9  6  7
     8  0 10 11
    12 13 14 15
    >>> puzzle.actions(puzzle.root())
    ['up', 'left', 'right', 'down']
    >>> puzzle.solve()
    ['up', 'left', 'up']
    >>> puzzle.distance(), puzzle.value(puzzle.root())
    (3, 0.9625)
    """

    def __init__(self, states: npt.ArrayLike, *, rewards: bool = False) -> None:
        array = _arrays.integers(states, "states", ndim=(1, 2))
        if array.shape[-1] != 16:
            raise ValueError(f"states must have 16 columns, got shape {array.shape}")
        array, rewards = array.reshape(-1, 16), _arrays.flag(rewards, "rewards")
        self._native = _slowthink.Problem.fifteen_puzzle(array, rewards)
        self._arguments = {"states": array.astype(np.uint8), "rewards": rewards}

    def __repr__(self) -> str:
        return f"FifteenPuzzle(<{len(self._arguments['states'])} puzzles>, rewards={self.has_rewards})"

    def distance(self, state: State | None = None) -> int:
        """The Manhattan distance: rows and columns between each tile and its place, added up. No solution is shorter.

        Parameters
        ----------
        state : State, optional
            The root of tree 0 by default.
        """
        return _slowthink.fifteen_puzzle_distance(self._or_root(state))

    def solve(self, state: State | None = None, *, max_nodes: int | None = None) -> list[str]:
        """A shortest solution.

        Parameters
        ----------
        state : State, optional
            The root of tree 0 by default. Its last move does not bind the solution.
        max_nodes : int, optional
            Give up with a RuntimeError after so many nodes; by default never.

        Returns
        -------
        list of str
            The directions in which the blank moves.

        Notes
        -----
        Iterative deepening A* with Manhattan distance and linear conflicts, some 50 ns a node: milliseconds for
        solutions of 35 moves, seconds for random puzzles (53 moves on average), hours for the hardest (80). Ctrl-C
        stops it.

        References
        ----------
        Korf 1985, "Depth-first iterative-deepening"; Hansson, Mayer and Yung 1992, "Criticizing solutions to relaxed
        models yields powerful admissible heuristics".
        """
        return _slowthink.fifteen_puzzle_solution(self._or_root(state), node_limit(max_nodes), _run.options())
