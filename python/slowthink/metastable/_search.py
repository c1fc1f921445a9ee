"""Sparse-edge search, and what it found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain, _starts
from slowthink.metastable._budget import SearchBudget, miss_share, search_budget
from slowthink.metastable._family import MetastableChain

_States = npt.NDArray[np.uint32]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class SparseEdges:
    """The edges that a search found; from :func:`sparse_edge_search`.

    Attributes
    ----------
    edges : (E, 2) ndarray of uint32
        Source and target of each, in the order in which they were first found.
    counts : (E,) ndarray of int64
        Rollouts that ended with it. An edge that is none was mostly found once or twice.
    found_at : (E,) ndarray of int64
        Steps taken when it was first found, one restart and one rollout counted after the other.
    n_restarts : int
        Restarts that were made.
    n_steps : int
        Steps of all of them.
    n_censored : int
        Rollouts that ended without leaving their cluster.
    n_rollouts, n_cluster_steps, max_steps : int
        What the search was asked to do in a restart.
    """

    edges: _States
    counts: _Ints
    found_at: _Ints
    n_restarts: int
    n_steps: int
    n_censored: int
    n_rollouts: int
    n_cluster_steps: int
    max_steps: int

    def precision(self, true: MetastableChain | npt.ArrayLike) -> float:
        """Share of the edges found that are sparse edges; NaN where none was found.

        Parameters
        ----------
        true : MetastableChain or (L, 2) array of int
            The sparse edges there are.
        """
        return self._shared(true) / len(self.edges) if len(self.edges) else math.nan

    def recall(self, true: MetastableChain | npt.ArrayLike) -> float:
        """Share of the sparse edges that were found; NaN where there are none.

        Parameters
        ----------
        true : MetastableChain or (L, 2) array of int
            The sparse edges there are.
        """
        n_true = len(_keys(true))
        return self._shared(true) / n_true if n_true else math.nan

    def pool(self, *others: SparseEdges) -> SparseEdges:
        """One result from shards of a search: the same chain, plan and seed, consecutive ``first=``, in that order.

        Examples
        --------
        >>> from slowthink.metastable import metastable_chain, sparse_edge_search
        >>> ring = metastable_chain(4, 8, 0.01)
        >>> parts = [sparse_edge_search(ring, n_restarts=20, first=first, rng=1) for first in (0, 20)]
        >>> whole = sparse_edge_search(ring, n_restarts=40, rng=1)
        >>> bool((parts[0].pool(parts[1]).found_at == whole.found_at).all())
        True
        """
        plan = (self.n_rollouts, self.n_cluster_steps, self.max_steps)
        places: dict[tuple[int, int], int] = {}
        counts: list[int] = []
        found_at: list[int] = []
        n_restarts = n_steps = n_censored = 0
        for result in (self, *others):
            if not isinstance(result, SparseEdges):
                raise TypeError(f"others must be SparseEdges, got {type(result).__name__}")
            if (result.n_rollouts, result.n_cluster_steps, result.max_steps) != plan:
                raise ValueError("others must have the same n_rollouts, n_cluster_steps and max_steps")
            for edge, count, at in zip(result.edges.tolist(), result.counts, result.found_at, strict=True):
                place = places.setdefault((edge[0], edge[1]), len(places))
                if place == len(counts):
                    counts.append(0)
                    found_at.append(n_steps + int(at))
                counts[place] += int(count)
            n_restarts += result.n_restarts
            n_steps += result.n_steps
            n_censored += result.n_censored
        edges = np.array(list(places), dtype=np.uint32).reshape(-1, 2)
        arrays = (edges, np.array(counts, dtype=np.int64), np.array(found_at, dtype=np.int64))
        return SparseEdges(*arrays, n_restarts, n_steps, n_censored, *plan)

    def _shared(self, true: Any) -> int:
        return len(_keys(true) & _keys(self.edges))

    def __len__(self) -> int:
        return len(self.edges)

    def __repr__(self) -> str:
        return f"SparseEdges(n_edges={len(self)}, n_restarts={self.n_restarts}, n_steps={self.n_steps})"


def sparse_edge_search(
    chain: MetastableChain | MarkovChain,
    start: Any = None,
    *,
    n_restarts: int | None = None,
    n_rollouts: int | None = None,
    n_cluster_steps: int | None = None,
    max_steps: int | None = None,
    miss_probability: float = 0.05,
    stop_when: int | None = None,
    patience: int | None = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> SparseEdges:
    """Finds the sparse edges between clusters: short walks learn a cluster, rollouts find the ways out of it.

    A restart takes ``n_cluster_steps`` steps from where it begins and takes the states it has visited for its cluster.
    From the last of them ``n_rollouts`` walks set out side by side. Each ends with its first step out of the cluster,
    which is noted as a sparse edge, or after ``max_steps``.

    Parameters
    ----------
    chain : MetastableChain or MarkovChain
        The chain that is walked; nothing but its steps is used. A MarkovChain has no defaults for the next four.
    start : int or (R,) array of int, optional
        Where restarts begin, all at one state or each at its own; at states drawn uniformly by default.
    n_restarts, n_rollouts, n_cluster_steps, max_steps : int, optional
        R, N, T0 and T_max. By default those of :func:`search_budget`, with which every sparse edge is found with
        probability at least 1 - ``miss_probability``. The promise is proved for uniform clusters and restarts that
        begin anywhere, with none of the four given.
    miss_probability : float
        For the defaults, above 0 and below 1.
    stop_when : int, optional
        End after the restart with which so many different edges are found, false ones included.
    patience : int, optional
        End after so many restarts in a row that found no new edge.
    rng : None, int, SeedSequence or Generator
        Restart i draws from child ``first + i`` of the seed.
    first : int
        Number of the first restart: shards of one search are put together by :meth:`SparseEdges.pool`.
    threads, progress
        As for all functions; the result does not depend on ``threads``. Where a search ends early, restarts that others
        had begun are left out of it.

    Returns
    -------
    SparseEdges

    Raises
    ------
    ValueError
        For no restarts or rollouts, a start that is no state, or where a number must be given and is not.

    Notes
    -----
    Where T0 is too short to visit the whole cluster, steps to the states not yet seen are taken for sparse edges; where
    the walk leaves the cluster while it learns it, the edge it left by goes unseen and the next cluster is known in
    part. Nothing of this is hidden: see :meth:`SparseEdges.precision`, and ``counts``.

    Every step is taken, some 3 ns each on one thread for rollouts that are several, and 8 ns for a single walk, so that
    the time grows with 1 / epsilon: ``max_steps`` is what bounds it. O(1) memory a restart, and 1 bit a state.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694), Algorithm 2.

    Examples
    --------
    >>> from slowthink.metastable import metastable_chain, sparse_edge_search
    >>> ring = metastable_chain(8, 16, 0.001)
    >>> found = sparse_edge_search(ring, rng=1)
    >>> found.recall(ring), found.precision(ring)
    (1.0, 1.0)
    >>> hasty = sparse_edge_search(ring, n_cluster_steps=20, rng=1)  # too few to see all of 16 states
    >>> hasty.precision(ring) < 0.2
    True
    """
    walked, known = (chain.chain, chain) if isinstance(chain, MetastableChain) else (chain, None)
    if not isinstance(walked, MarkovChain):
        raise TypeError(f"chain must be a MetastableChain or a MarkovChain, got {type(chain).__name__}")
    given: dict[str, Any] = {
        name: value if value is None else _starts.count(value, name, low=low)
        for name, value, low in (
            ("n_restarts", n_restarts, 1),
            ("n_rollouts", n_rollouts, 1),
            ("n_cluster_steps", n_cluster_steps, 0),
            ("max_steps", max_steps, 0),
        )
    }
    starts = None
    if start is not None:
        starts, n_starts = _starts.starts(walked, start)
        if _starts.is_each(starts) and given["n_restarts"] is None:
            given["n_restarts"] = n_starts
    missing = [name for name, value in given.items() if value is None]
    miss = miss_share(miss_probability)
    if missing:
        if known is None:
            raise ValueError(f"{missing[0]} must be given for a MarkovChain: a MetastableChain alone has a default")
        budget = _budget_of(known, miss)
        given = {name: getattr(budget, name) if value is None else value for name, value in given.items()}
    stop = (
        None if stop_when is None else _starts.count(stop_when, "stop_when", low=1),
        None if patience is None else _starts.count(patience, "patience", low=1),
    )
    number = _starts.count(first, "first", high=2**64 - 1)
    options = _run.options(threads, progress)
    _arrays.fits((given["n_rollouts"], 16 * options[0]), np.uint64, "the rollouts of all threads")
    _arrays.fits((walked._chain.bytes_to_come,), np.uint8, "an alias table")
    plan = (given["n_restarts"], given["n_rollouts"], given["n_cluster_steps"], given["max_steps"])
    found = _slowthink.sparse_edge_search(walked._chain, starts, plan, stop, _run.seed(rng), number, options)
    edges, counts, found_at, n_made, n_steps, n_censored = found
    return SparseEdges(edges.reshape(-1, 2), counts, found_at, n_made, n_steps, n_censored, *plan[1:])


def _budget_of(chain: MetastableChain, miss_probability: float) -> SearchBudget:
    """The budget for a chain of the family."""
    leads_to = np.bincount(chain.meta_edges[:, 0], minlength=chain.n_clusters).max()
    return search_budget(
        chain.n_clusters,
        chain.cluster_size,
        chain.epsilon,
        n_sources=chain.n_sources,
        n_edges=max(1, int(leads_to) * chain.n_targets),
        miss_probability=miss_probability,
    )


def _keys(true: Any) -> set[tuple[int, int]]:
    """Edges as pairs."""
    if isinstance(true, MetastableChain):
        true = true.sparse_edges
    edges = _arrays.integers(true, "true", ndim=2, low=0)
    if edges.shape[1] != 2:
        raise ValueError(f"true must have two columns, got shape {edges.shape}")
    return {(source, target) for source, target in edges.tolist()}
