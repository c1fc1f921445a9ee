"""Where walks begin: the arguments ``start``, ``start_distribution``, ``n_walks`` and ``first`` of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

Starts: TypeAlias = "int | npt.NDArray[np.uint32] | npt.NDArray[np.float64]"
"""What the kernels take: one state for all walks, a state for each, or a probability for each state."""


class Walks(NamedTuple):
    """Which walks a kernel is to take, in the order in which it takes these words."""

    starts: Starts
    n_walks: int
    n_steps: int
    seed: npt.NDArray[np.uint64]
    first: int


def walks(
    chain: MarkovChain, start: Any, n_steps: Any, start_distribution: Any, n_walks: Any, rng: _run.RNG, first: Any
) -> Walks:
    """The kernels' form of the arguments that all walks share; ``rng`` moves on only if they are right."""
    if n_steps is None:
        raise TypeError("n_steps must be given")
    n_steps = count(n_steps, "n_steps")
    first = count(first, "first", high=2**64 - 1)
    first_states, n_walks = starts(chain, start, start_distribution, n_walks)
    _arrays.fits((chain._chain.bytes_to_come,), np.uint8, "an alias table")
    return Walks(first_states, n_walks, n_steps, _run.seed(rng), first)


def starts(chain: MarkovChain, start: Any, start_distribution: Any = None, n_walks: Any = None) -> tuple[Starts, int]:
    """The kernels' form of where the walks begin, and their number."""
    if (start is None) == (start_distribution is None):
        raise TypeError("either start or start_distribution must be given, and not both")
    wanted = None if n_walks is None else count(n_walks, "n_walks")
    if start is None:
        law = _arrays.floats(start_distribution, "start_distribution", ndim=1)
        return law, 1 if wanted is None else wanted
    first_states = states(start, "start", chain.n_states, ndim=(0, 1))
    if first_states.ndim == 0:
        return int(first_states), 1 if wanted is None else wanted
    if wanted is not None and wanted != len(first_states):
        raise ValueError(f"n_walks must be the length of start, {len(first_states)}, or None, got {wanted}")
    return first_states, len(first_states)


def is_each(starts: Starts) -> TypeGuard[npt.NDArray[np.uint32]]:
    """Whether there is a state for each walk."""
    return isinstance(starts, np.ndarray) and starts.dtype == np.uint32


def states(value: Any, name: str, n_states: int, *, ndim: int | tuple[int, ...] = 1) -> npt.NDArray[np.uint32]:
    """``value`` as states of a chain with ``n_states`` states."""
    if isinstance(value, np.ndarray) and value.dtype == np.uint32 and not isinstance(value, np.ma.MaskedArray):
        array = np.ascontiguousarray(_arrays.numbers(value, name, ndim=ndim)).reshape(value.shape)
        high = int(array.max(initial=0))
    else:
        wide = _arrays.integers(value, name, ndim=ndim, low=0)
        high = int(wide.max(initial=0))
        array = wide.astype(np.uint32) if high < n_states else np.asarray(wide)
    if high >= n_states:
        index = np.unravel_index(int(np.argmax(array >= n_states)), array.shape)
        place = f"[{', '.join(str(int(i)) for i in index)}]" if array.ndim else ""
        raise ValueError(f"{name}{place} must be below the number of states, {n_states}, got {int(array[index])}")
    return array


def count(value: Any, name: str, *, low: int = 0, high: int = 2**63 - 1) -> int:
    """``value`` as a whole number from ``low`` to ``high``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if not low <= value <= high:
        rule = f"at least {low}" if value < low else f"at most {high}"
        raise ValueError(f"{name} must be {rule}, got {value}")
    return int(value)
