"""Connect four."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink._slowthink import State
from slowthink.problems._built_in import BuiltIn, digits, node_limit


class ConnectFour(BuiltIn):
    """Connect four, on seven columns of six, from a given position on; x moves first.

    A win is worth 1, a draw 0, always to the player to move: a state that the other player has just won is worth -1.
    The value of a state that is not terminal is the outcome of moves uniform at random, in about a tenth of a
    microsecond.

    Parameters
    ----------
    moves : str
        What has been played: columns 1 to 7 from the left.

    Examples
    --------
    >>> from slowthink.problems import ConnectFour
    >>> game = ConnectFour("4156345444521742")
    >>> state = game.root()
    >>> print(game.describe(state).replace(".", "-"))
    ---x---
    ---o---
    ---x---
    ---ox--
    xo-ox--
    ooxxxoo
    >>> game.actions(state)
    ['1', '2', '3', '5', '6', '7']
    >>> game.solve(), game.action_scores()
    (13, array([ 0,  0,  0, 13,  0, -1]))
    >>> state, reward = game.step(state, 3)
    >>> game.player(state), game.solve(state)
    (1, -13)
    """

    def __init__(self, moves: str = "") -> None:
        self._arguments = {"moves": digits(moves, "moves")}
        self._native = _slowthink.Problem.connect_four(moves)

    def solve(self, state: State | None = None, *, max_nodes: int | None = None) -> int:
        """The exact score of a position for the player to move.

        Parameters
        ----------
        state : State, optional
            The position after ``moves`` by default.
        max_nodes : int, optional
            Give up with a RuntimeError after so many nodes; by default never.

        Returns
        -------
        int
            0 for a draw; 22 - s for a win with the s-th of one's own stones; for a loss the negative of the winner's
            score.

        Notes
        -----
        By alpha-beta search, some 100 ns a node. Positions in which somebody wins soon take milliseconds; others take
        seconds with 12 stones on the board, and minutes to hours with fewer. Ctrl-C stops it.

        References
        ----------
        Pons 2015, "Solving Connect 4: how to build a perfect AI" (blog.gamesolver.org).
        """
        return _slowthink.connect_four_scores(self._or_root(state), False, node_limit(max_nodes), _run.options())[0]

    def action_scores(self, state: State | None = None, *, max_nodes: int | None = None) -> npt.NDArray[np.int64]:
        """The exact score of each action for the player to move: what :meth:`solve` says of the position after it,
        seen from here.

        Parameters
        ----------
        state : State, optional
            The position after ``moves`` by default.
        max_nodes : int, optional
            Give up with a RuntimeError after so many nodes in all; by default never.

        Returns
        -------
        ndarray of int, shape (n_actions,)
            Empty where the game is over.
        """
        scores = _slowthink.connect_four_scores(self._or_root(state), True, node_limit(max_nodes), _run.options())
        return np.array(scores, dtype=np.int64)
