"""The arguments ``chain`` and ``edges`` of the functions that learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.chains import MarkovChain


def markov_chain(chain: Any, name: str = "chain") -> MarkovChain:
    """The chain itself, of a :class:`MarkovChain` or of what has one."""
    held = getattr(chain, "chain", chain)
    if not isinstance(held, MarkovChain):
        raise TypeError(f"{name} must be a MarkovChain or a MetastableChain, got {type(chain).__name__}")
    return held


def pairs(edges: Any, name: str, n_states: int) -> npt.NDArray[np.uint32]:
    """Edges, or those of what a search found, as pairs of states of a chain."""
    array = _arrays.integers(getattr(edges, "edges", edges), name, ndim=2, low=0)
    if array.shape[1] != 2:
        raise ValueError(f"{name} must have two columns, source and target, got shape {array.shape}")
    if array.max(initial=0) >= n_states and array.size:
        row, column = (int(i) for i in np.argwhere(array >= n_states)[0])
        rule = f"be below the number of states, {n_states}"
        raise ValueError(f"{name}[{row}, {column}] must {rule}, got {array[row, column]}")
    return array.astype(np.uint32)


def law(value: Any, name: str, n_states: int) -> npt.NDArray[np.float64]:
    """How often each state is met: equal for None."""
    if value is None:
        return np.full(n_states, 1.0 / n_states)
    return _arrays.floats(value, name, ndim=1)
