"""What a search asks of a problem."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

S = TypeVar("S")


@runtime_checkable
class Problem(Protocol[S]):
    """A problem of your own: any object with these four methods can be searched.

    States may be of any type that is not changed by ``step``. A search keeps none of them for long: it makes them
    again along each path from the root, so ``step`` must do the same each time.

    A problem may also have

    * ``player(state)``: the player to move, 0 or 1, in games of two whose gains sum to zero; values are then those of
      the player to move, and a terminal state belongs to the player who would move next;
    * ``priors(state)``: an array of one probability for each action;
    * ``key(state)``: something hashable that equal states share and others do not.

    See Also
    --------
    TicTacToe, ConnectFour, GameOf24, FifteenPuzzle, SyntheticTree, AdditiveTree : Problems that need no Python while
        they are searched; they have these methods as well.

    Examples
    --------
    Count down from 10 by one or two; who reaches 0 exactly gets 1.

    >>> from slowthink.problems import Problem
    >>> class Countdown:
    ...     def root(self, tree):
    ...         return 10 + tree
    ...     def n_actions(self, state):
    ...         return 2 if state > 0 else 0
    ...     def step(self, state, action):
    ...         return state - (action + 1), 0.0
    ...     def value(self, state, rng):
    ...         while state > 0:
    ...             state -= int(rng.integers(1, 3))
    ...         return float(state == 0)
    >>> isinstance(Countdown(), Problem)
    True
    """

    def root(self, tree: int) -> S:
        """The state in which tree number ``tree`` begins: a forest searches many instances at once."""
        ...

    def n_actions(self, state: S) -> int:
        """How many actions there are, numbered from 0; none means that the state is terminal."""
        ...

    def step(self, state: S, action: int) -> tuple[S, float]:
        """The state that follows, and the reward of the step for the player who took it. ``state`` stays as it is."""
        ...

    def value(self, state: S, rng: np.random.Generator) -> float:
        """How good the state is for the player to move: exact where it is terminal, elsewhere an estimate, such as the
        outcome of a random rollout."""
        ...
