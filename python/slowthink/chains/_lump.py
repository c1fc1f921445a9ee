"""Coarse chains: blocks of states become states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


@dataclass(frozen=True, eq=False, repr=False)
class Lumping:
    """A chain whose states are blocks of the states of another, as :meth:`MarkovChain.lump` makes it.

    Attributes
    ----------
    chain : MarkovChain
        The chain of the K blocks.
    labels : (S,) uint32 array
        The block of each state.
    weights : (S,) float64 array
        The weight of each state within its block, summing to 1 over each.
    is_lumpable : bool
        Whether the chain is strongly lumpable: all states of a block lead to each other block with the same
        probability, up to ``rtol`` of the greater one. The blocks of a walk are then a Markov chain themselves, with
        any start.
    deviation : float
        The largest difference between the probabilities with which two states of one block lead to another block.
    deviation_at : (int, int, int) or None
        Where it is: the state with the smaller probability, that with the greater, and the block they lead to. None
        where there is no difference.
    relative_deviation : float
        The largest such difference as a part of the greater probability, 0 to 1: what is rare counts as much as what is
        frequent.
    """

    __slots__ = ("chain", "deviation", "deviation_at", "is_lumpable", "labels", "relative_deviation", "weights")

    chain: MarkovChain
    labels: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float64]
    is_lumpable: bool
    deviation: float
    deviation_at: tuple[int, int, int] | None
    relative_deviation: float

    def __repr__(self) -> str:
        return (
            f"Lumping(n_blocks={self.chain.n_states}, n_states={len(self.labels)}, is_lumpable={self.is_lumpable}, "
            f"deviation={self.deviation:.3g})"
        )


def lump(
    self: MarkovChain, labels: npt.ArrayLike, *, weights: npt.ArrayLike | None = None, rtol: float = 1e-9
) -> Lumping:
    """The coarse chain whose states are blocks of states.

    Parameters
    ----------
    labels : (S,) array of int
        The block of each state. Blocks are numbered from 0 on, without a gap.
    weights : (S,) array of float, optional
        How much each state of a block counts, at least 0, on any scale. By default :meth:`stationary_distribution`.
    rtol : float
        Up to what part of the greater one probabilities count as equal in ``is_lumpable``; from 0 to below 1.

    Returns
    -------
    Lumping
        With the coarse ``chain``, and how far the blocks are from being states of a Markov chain.

    Raises
    ------
    ValueError
        For a block without a state or without weight. A block of transient states has no stationary weight: say by
        ``weights`` how often walks are there.

    Notes
    -----
    The chain goes from block A to block B with probability ``sum_{i in A} w_i P(i, B) / sum_{i in A} w_i``. With the
    stationary weights, these are the frequencies of a single step in the steady state, and the stationary law of the
    coarse chain is that of the blocks, exactly; over several steps it agrees where the chain is lumpable, or where
    walks forget within a block how they came before they leave it (:meth:`metastable_sets`).

    Only transitions between two blocks are added up for the probability from one to the other: 1e-100 keeps its digits.
    O(S + T), one thread.

    References
    ----------
    Kemeny and Snell 1976, Finite Markov Chains, sections 6.3 and 6.4.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5]])
    >>> lumping = chain.lump([0, 1, 0], weights=[1, 1, 1])
    >>> lumping
    Lumping(n_blocks=2, n_states=3, is_lumpable=True, deviation=0)
    >>> lumping.chain.to_dense()
    array([[0.5, 0.5],
           [0.5, 0.5]])
    >>> lumping = chain.lump([0, 0, 1], weights=[1, 2, 1])
    >>> lumping.is_lumpable, lumping.deviation, lumping.deviation_at
    (False, 0.25, (0, 1, 1))
    """
    tolerance = float(_arrays.floats(rtol, "rtol", ndim=0, low=0))
    if tolerance >= 1:
        raise ValueError(f"rtol must be below 1, got {rtol}")
    wide = _arrays.integers(labels, "labels", ndim=1, low=0)
    if len(wide) != self.n_states:
        raise ValueError(f"labels must have an entry for each of the {self.n_states} states, got {len(wide)}")
    n_blocks = int(wide.max(initial=0)) + 1
    if n_blocks > self.n_states:
        raise ValueError(f"labels must number the blocks from 0 without a gap, got {n_blocks - 1}")
    blocks = wide.astype(np.uint32)
    masses = self.stationary_distribution() if weights is None else _arrays.floats(weights, "weights", ndim=1, low=0)
    found = _slowthink.lump_states(self._chain, blocks, n_blocks, masses, _run.options(1))
    chain, (low, high, low_state, high_state, block), relative = found
    # Divided by the greatest of the block first, they neither vanish nor overflow.
    largest = np.zeros(n_blocks)
    np.maximum.at(largest, blocks, masses)
    shares = masses / largest[blocks]
    shares /= np.bincount(blocks, shares)[blocks]
    relative_deviation = (relative[1] - relative[0]) / relative[1] if relative[1] else 0.0
    return Lumping(
        chain=type(self)._of(chain),
        labels=blocks,
        weights=shares,
        is_lumpable=relative_deviation <= tolerance,
        deviation=high - low,
        deviation_at=(low_state, high_state, block) if high > low else None,
        relative_deviation=relative_deviation,
    )
