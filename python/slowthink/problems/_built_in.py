"""What the problems of the compiled module have in common: to be played by hand."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from slowthink import _arrays, _run, _slowthink
from slowthink._slowthink import State
from slowthink.chains import MarkovChain


def whole(value: Any, name: str, low: int = 0, high: int = 2**63 - 1) -> int:
    """``value`` as an int within [low, high]."""
    number = int(_arrays.integers(value, name, ndim=0, low=low))
    if number > high:
        raise ValueError(f"{name} must be at most {high}, got {number}")
    return number


def digits(value: Any, name: str) -> str:
    """``value`` if it is a text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str of digits, got {type(value).__name__}")
    return value


def node_limit(max_nodes: Any) -> int | None:
    """``max_nodes``, which may be None."""
    return None if max_nodes is None else whole(max_nodes, "max_nodes", 1)


class BuiltIn:
    """A problem that runs without Python. Its object never changes; it can be pickled."""

    _native: _slowthink.Problem
    _arguments: dict[str, Any]

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"{type(self).__name__}({listed})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self._arguments)

    def _fingerprint(self) -> str:
        """Text that tells apart problems that look alike: equal for equal arguments, on all machines."""
        return hashlib.sha256(_written_out((type(self).__name__, self._arguments))).hexdigest()[:32]

    @property
    def n_players(self) -> int:
        """1, or 2 whose gains sum to zero."""
        return self._native.traits()[0]

    @property
    def max_depth(self) -> int | None:
        """The depth below which nothing is to be searched, where states do not end by themselves."""
        return self._native.traits()[2]

    @property
    def has_rewards(self) -> bool:
        """Whether steps ever give a reward."""
        return self._native.traits()[3]

    @property
    def value_bounds(self) -> tuple[float, float]:
        """The least and the greatest that a state can be worth."""
        return self._native.traits()[4]

    def root(self, tree: int = 0) -> State:
        """The state in which tree number ``tree`` begins.

        Parameters
        ----------
        tree : int
            From 0.

        Returns
        -------
        State
            To be handed to the other methods.
        """
        return self._native.root(whole(tree, "tree"))

    def n_actions(self, state: State) -> int:
        """How many actions there are; none where the state is terminal.

        Parameters
        ----------
        state : State
            Of :meth:`root` or :meth:`step`.
        """
        return self._native.n_actions(self._of(state))

    def actions(self, state: State) -> list[str]:
        """The actions as people write them; their numbers are their places in the list.

        Parameters
        ----------
        state : State
            Of :meth:`root` or :meth:`step`.
        """
        return self._native.actions(self._of(state))

    def step(self, state: State, action: int) -> tuple[State, float]:
        """The state after an action, and the reward of the step.

        Parameters
        ----------
        state : State
            It stays as it is.
        action : int
            From 0 to ``n_actions(state) - 1``.
        """
        return self._native.step(self._of(state), whole(action, "action", high=2**32 - 1))

    def value(self, state: State, rng: _run.RNG = None) -> float:
        """How good a state is for the player to move: exact where it is terminal, elsewhere an estimate.

        Parameters
        ----------
        state : State
            Of :meth:`root` or :meth:`step`.
        rng : None, int, SeedSequence or Generator
            Where the random numbers of a rollout come from.
        """
        return self._native.value(self._of(state), _run.seed(rng))

    def player(self, state: State) -> int:
        """The player to move, 0 or 1; always 0 where there is but one.

        Parameters
        ----------
        state : State
            Of :meth:`root` or :meth:`step`.
        """
        return self._native.player(self._of(state))

    def key(self, state: State) -> int | None:
        """A number that equal states share and others do not; None where states never coincide.

        Parameters
        ----------
        state : State
            Of :meth:`root` or :meth:`step`.
        """
        return self._native.key(self._of(state))

    def describe(self, state: State) -> str:
        """The state as people write it.

        Parameters
        ----------
        state : State
            Of :meth:`root` or :meth:`step`.
        """
        return self._native.describe(self._of(state))

    def _of(self, state: State | None) -> State:
        """A state, or the root of tree 0 for None."""
        if not isinstance(state, State):
            raise TypeError(f"state must be a state of this problem, got {type(state).__name__}")
        return state

    def _or_root(self, state: State | None) -> State:
        return self._native.root(0) if state is None else self._of(state)


def _made(kind: type[BuiltIn], arguments: dict[str, Any]) -> BuiltIn:
    return kind(**arguments)


def _written_out(value: Any) -> bytes:
    """All that an argument holds, where its repr may leave something out."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        return f"{array.dtype.str}{array.shape}".encode() + array.tobytes()
    if isinstance(value, dict):
        return _written_out(list(value.items()))
    if isinstance(value, (list, tuple)):
        return f"{len(value)}(".encode() + b",".join(map(_written_out, value))
    if isinstance(value, MarkovChain):
        return _written_out(value.__reduce__()[1])
    return repr(value).encode()
