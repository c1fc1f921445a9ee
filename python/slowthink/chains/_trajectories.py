"""Observed walks, as the kernels take them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.chains import _starts

Trajectories: TypeAlias = "tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], int]"
"""States of one trajectory after another, where each begins (and the last ends), number of states."""

MOST_STATES = 2**32 - 1


def trajectories(value: Any, n_states: Any = None) -> Trajectories:
    """The kernels' form of a trajectory, a matrix with a trajectory in each row, or a list of trajectories."""
    most = MOST_STATES if n_states is None else _starts.count(n_states, "n_states", low=1, high=MOST_STATES)
    if hasattr(value, "iloc"):  # of pandas: as the array it holds
        value = np.asarray(value)
    if isinstance(value, np.ndarray) or not isinstance(value, (list, tuple)) or not any(map(_is_many, value)):
        array = _starts.states(value, "trajectories", most, ndim=(1, 2))
        parts = [array.reshape(-1)]
        lengths = [array.shape[-1]] * (len(array) if array.ndim == 2 else 1)
    else:
        parts = [_starts.states(part, f"trajectories[{i}]", most) for i, part in enumerate(value)]
        lengths = list(map(len, parts))
    states = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not len(states):
        raise ValueError("trajectories must hold at least one state")
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    found = int(states.max()) + 1 if n_states is None else most
    _arrays.empty((found + 1,), np.int64)  # MemoryError where not even the rows fit
    return np.ascontiguousarray(states), offsets, found


def _is_many(item: Any) -> bool:
    """Whether an item of a list is a trajectory, not a state."""
    return hasattr(item, "__len__") and not isinstance(item, (str, bytes))
