"""How often each transition was seen, in compressed sparse rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays


class TransitionCounts:
    """How often each transition was seen: what walks were counted into, and what a chain is estimated from.

    Row ``i`` holds, from ``indptr[i]`` to ``indptr[i + 1]``, the states that followed state ``i`` and how often each
    of them did.

    Parameters
    ----------
    indptr : (S + 1,) int array
        Where the row of each state begins: from 0, never falling, to the number of entries.
    indices : int array
        The states that followed, row after row, ascending within each.
    counts : array
        How often, in the order of ``indices``; at least 0. Fractions are fine, such as those of effective counts.

    Attributes
    ----------
    indptr : (S + 1,) int64 array
    indices : uint32 array
    counts : int64 array, or float64 array where there are fractions

    Examples
    --------
    >>> from slowthink.chains import TransitionCounts
    >>> counts = TransitionCounts([0, 2, 3], [0, 1, 0], [5, 2, 3])
    >>> counts
    TransitionCounts(n_states=2, total=10)
    >>> counts.source, counts.indices, counts.counts
    (array([0, 0, 1]), array([0, 1, 0], dtype=uint32), array([5, 2, 3]))
    >>> counts.row_sums()
    array([7, 3])
    >>> (counts + counts).counts
    array([10,  4,  6])
    """

    __slots__ = ("counts", "indices", "indptr")

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.uint32]
    counts: npt.NDArray[Any]

    def __init__(self, indptr: Any, indices: Any, counts: Any) -> None:
        self.indptr = _arrays.integers(indptr, "indptr", ndim=1, low=0)
        wide = _arrays.integers(indices, "indices", ndim=1, low=0)
        numbers = _arrays.floats(counts, "counts", ndim=1, low=0)
        fractions = (numbers % 1 != 0).any()
        self.counts = numbers if fractions else _arrays.integers(counts, "counts", ndim=1, low=0)
        _arrays.same_length(wide, "indices", self.counts, "counts")
        ends = [0, len(wide)]
        if not len(self.indptr) or [self.indptr[0], self.indptr[-1]] != ends or (np.diff(self.indptr) < 0).any():
            raise ValueError(f"indptr must rise from 0 to the length of indices, {len(wide)}")
        if wide.max(initial=0) >= max(self.n_states, 1):
            index = int(np.argmax(wide >= self.n_states))
            raise ValueError(f"indices[{index}] must be below the number of states, {self.n_states}, got {wide[index]}")
        falls = np.diff(wide) <= 0
        falls[self.indptr[(self.indptr > 0) & (self.indptr < len(wide))] - 1] = False
        if falls.any():
            index = int(np.argmax(falls)) + 1
            raise ValueError(f"indices[{index}] must be above the one before it in its row, got {wide[index]}")
        self.indices = wide.astype(np.uint32)

    @classmethod
    def _of(
        cls, indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.uint32], counts: npt.NDArray[Any]
    ) -> TransitionCounts:
        """Arrays that are known to be right."""
        self = cls.__new__(cls)
        self.indptr, self.indices, self.counts = indptr, indices, counts
        return self

    @property
    def n_states(self) -> int:
        """Number of states, S."""
        return len(self.indptr) - 1

    @property
    def total(self) -> int | float:
        """The sum of all counts."""
        total: int | float = self.counts.sum().item()
        return total

    @property
    def source(self) -> npt.NDArray[np.int64]:
        """The state that each entry of :attr:`indices` followed; a new array."""
        return np.repeat(np.arange(self.n_states), np.diff(self.indptr))

    def row_sums(self) -> npt.NDArray[Any]:
        """(S,) transitions seen out of each state."""
        if self.counts.dtype == np.float64:
            return np.bincount(self.source, weights=self.counts, minlength=self.n_states)
        ends = np.concatenate([[0], np.cumsum(self.counts)])
        return np.diff(ends[self.indptr])

    def restrict(self, states: Any) -> TransitionCounts:
        """The counts of transitions within some states, which become 0, 1, ... in their order.

        Parameters
        ----------
        states : (n,) int array
            The states to keep, ascending, such as :func:`largest_connected_set` gives them.

        Examples
        --------
        >>> from slowthink.chains import TransitionCounts
        >>> TransitionCounts([0, 2, 3, 4], [0, 2, 1, 0], [5, 2, 3, 4]).restrict([0, 2]).to_dense()
        array([[5, 2],
               [4, 0]])
        """
        kept = _arrays.integers(states, "states", ndim=1, low=0)
        if not len(kept) or kept[-1] >= self.n_states or (np.diff(kept) <= 0).any():
            raise ValueError(f"states must be ascending and below the number of states, {self.n_states}, got {states}")
        number = np.full(self.n_states, -1, dtype=np.int64)
        number[kept] = np.arange(len(kept))
        within = (number[self.source] >= 0) & (number[self.indices] >= 0)
        ends = np.concatenate([[0], np.cumsum(within)])[self.indptr]
        sizes = np.diff(ends)[kept]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        return self._of(indptr, number[self.indices[within]].astype(np.uint32), self.counts[within])

    def __add__(self, other: TransitionCounts) -> TransitionCounts:
        """The counts of both, such as those of two shards of walks."""
        if not isinstance(other, TransitionCounts):
            return NotImplemented
        if other.n_states != self.n_states:
            raise ValueError(f"counts of {self.n_states} and of {other.n_states} states cannot be added")
        if np.array_equal(self.indptr, other.indptr) and np.array_equal(self.indices, other.indices):
            return self._of(self.indptr, self.indices, self.counts + other.counts)
        n = self.n_states
        keys = [counts.source * n + counts.indices for counts in (self, other)]
        merged, place = np.unique(np.concatenate(keys), return_inverse=True)
        total = np.zeros(len(merged), dtype=np.result_type(self.counts, other.counts))
        np.add.at(total, place.reshape(-1), np.concatenate([self.counts, other.counts]))
        indptr = np.searchsorted(merged, np.arange(self.n_states + 1) * n)
        return self._of(indptr, (merged % n).astype(np.uint32), total)

    def to_dense(self) -> npt.NDArray[Any]:
        """(S, S) matrix of the counts."""
        dense = np.zeros((self.n_states, self.n_states), dtype=self.counts.dtype)
        dense[self.source, self.indices] = self.counts
        return dense

    def to_scipy(self) -> Any:
        """The counts as a ``scipy.sparse.csr_array`` of shape (S, S), which shares their memory where SciPy allows."""
        try:
            from scipy.sparse import csr_array
        except ImportError:
            raise ImportError("to_scipy() needs SciPy: pip install scipy") from None
        # SciPy takes signed indices alone, of the same type as indptr.
        shape = (self.n_states, self.n_states)
        return csr_array((self.counts, self.indices.astype(np.int64), self.indptr), shape=shape)

    def __repr__(self) -> str:
        return f"TransitionCounts(n_states={self.n_states}, total={self.total})"
