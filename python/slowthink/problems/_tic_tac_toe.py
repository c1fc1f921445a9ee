"""Tic-tac-toe."""

from __future__ import annotations

from slowthink import _run, _slowthink
from slowthink._slowthink import State
from slowthink.problems._built_in import BuiltIn, digits


class TicTacToe(BuiltIn):
    """Tic-tac-toe from a given position on; x moves first.

    A win is worth 1, a draw 0, always to the player to move: a state that the other player has just won is worth -1.
    The value of a state that is not terminal is the outcome of moves uniform at random.

    Parameters
    ----------
    moves : str
        What has been played: squares 1 to 9 in the order of reading.

    Examples
    --------
    >>> from slowthink.problems import TicTacToe
    >>> game = TicTacToe("519")
    >>> print(game.describe(game.root()))
    o..
    .x.
    ..x
    >>> game.actions(game.root())
    ['2', '3', '4', '6', '7', '8']
    >>> game.best_value()
    0
    >>> state, _ = game.step(game.root(), 0)
    >>> game.best_value(state)
    1
    """

    def __init__(self, moves: str = "") -> None:
        self._arguments = {"moves": digits(moves, "moves")}
        self._native = _slowthink.Problem.tic_tac_toe(moves)

    def best_value(self, state: State | None = None) -> int:
        """What a state is worth to the player to move when both play best: 1, 0 or -1.

        Parameters
        ----------
        state : State, optional
            The position after ``moves`` by default.

        Notes
        -----
        By minimax: at most 5,478 positions are looked at, in less than a millisecond.
        """
        return int(_slowthink.best_value(self._native, self._or_root(state), _run.options()))
