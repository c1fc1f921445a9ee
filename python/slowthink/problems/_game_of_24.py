"""The Game of 24."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.problems._built_in import BuiltIn


class GameOf24(BuiltIn):
    """The Game of 24: four numbers, each to be used once, are combined by + - * / into 24.

    A state is the numbers that are left, exact fractions. An action takes two of them and puts back their sum,
    difference (either way round), product or quotient (either way round); actions that would leave the same numbers
    are one. When one number is left the state is worth 1 if that is 24, and 0 if not. The value of any other state is
    the outcome of actions uniform at random.

    Parameters
    ----------
    puzzles : array_like of int, shape (n, 4), optional
        Whole numbers from 1 to 100. By default the 1,362 puzzles of cards from 1 to 13 that have a solution. Tree t
        works on puzzle t modulo n.
    temperature : float
        Of the policy that :mod:`slowthink.strategies` walks by, at least 0: an action has the weight exp(-d / T), where
        d counts the numbers left that are no natural numbers, and 3 for a last number other than 24. All actions are
        equally probable at an infinite temperature. The experts of self-correction are the policies with this
        temperature and with 0.5, 2 and 4 times it.

    Examples
    --------
    >>> from slowthink.problems import GameOf24
    >>> game = GameOf24([[4, 9, 10, 13]])
    >>> state = game.root()
    >>> for wanted in ("13 - 9 = 4", "10 - 4 = 6", "4 * 6 = 24"):
    ...     (number, text), = ((i, text) for i, text in enumerate(game.actions(state)) if text.startswith(wanted))
    ...     print(text)
    ...     state, _ = game.step(state, number)
    13 - 9 = 4 (left: 4 4 10)
    10 - 4 = 6 (left: 4 6)
    4 * 6 = 24 (left: 24)
    >>> game.value(state)
    1.0
    >>> GameOf24.solve([3, 3, 8, 8])
    ['8 / (3 - 8 / 3)']
    >>> GameOf24().puzzles().shape
    (1362, 4)
    """

    def __init__(self, puzzles: npt.ArrayLike | None = None, *, temperature: float = 1.0) -> None:
        array = None if puzzles is None else _rows_of_four(puzzles)
        heat = float(_arrays.floats(temperature, "temperature", ndim=0, low=0, finite=False))
        self._native = _slowthink.Problem.game_of_24(array, heat, _run.options())
        self._arguments = {"puzzles": None if array is None else array.astype(np.uint8), "temperature": heat}

    def __repr__(self) -> str:
        heat = self._arguments["temperature"]
        return f"GameOf24(<{len(self.puzzles())} puzzles>{'' if heat == 1 else f', temperature={heat:g}'})"

    def puzzles(self) -> npt.NDArray[np.int64]:
        """The puzzles of this game, shape (n, 4), in the order of the trees."""
        return _slowthink.game_of_24_puzzles(self._native)

    @staticmethod
    def solve(numbers: npt.ArrayLike) -> list[str]:
        """All expressions that make 24 of four numbers; none if it cannot be done.

        Parameters
        ----------
        numbers : array_like of int, shape (4,)
            From 1 to 100, in any order.

        Returns
        -------
        list of str
            In alphabetical order, with the parentheses that are needed and no others. Of a sum or product of two parts
            the smaller part stands first; of three parts there may be several orders.

        Notes
        -----
        Exact: fractions, no rounding. Some 10 milliseconds.
        """
        array = _arrays.integers(numbers, "numbers", ndim=1)
        if array.shape != (4,):
            raise ValueError(f"numbers must be four numbers, got shape {array.shape}")
        return _slowthink.game_of_24_solutions(array.tolist(), _run.options())


def _rows_of_four(puzzles: Any) -> npt.NDArray[np.int64]:
    array = _arrays.integers(puzzles, "puzzles", ndim=2)
    if array.shape[1] != 4:
        raise ValueError(f"puzzles must have four columns, got shape {array.shape}")
    return array
