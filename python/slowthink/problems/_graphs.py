"""What graphs with a question are, and what is known of them exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.problems._built_in import BuiltIn, whole

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


class Graphs(BuiltIn):
    """The part of :class:`Reachability` that draws no random numbers."""

    guess: bool
    """Whether walks guess at sinks."""
    _edges: _Ints
    """(E, 3) graph, tail and head."""
    _questions: _Ints
    """(3, n) roots, targets, wrong candidates."""
    _n_nodes: _Ints

    @property
    def n_instances(self) -> int:
        """How many graphs there are, n."""
        return len(self._n_nodes)

    @property
    def max_steps(self) -> int:
        """Steps that a walk has at most."""
        return _slowthink.graph_horizon(self._native)[0]

    @property
    def n_nodes(self) -> _Ints:
        """(n,) nodes of each graph."""
        return self._n_nodes.copy()

    @property
    def n_edges(self) -> _Ints:
        """(n,) edges of each graph."""
        return np.bincount(self._edges[:, 0], minlength=self.n_instances)

    @property
    def questions(self) -> _Ints:
        """(n, 3) root, target and wrong candidate of each instance."""
        return np.ascontiguousarray(self._questions.T)

    def edges(self, instance: int) -> _Ints:
        """The edges of a graph, in the order in which they were given.

        Parameters
        ----------
        instance : int
            From 0.

        Returns
        -------
        ndarray of int, shape (E, 2)
            The nodes they lead from and to.
        """
        number = whole(instance, "instance", high=self.n_instances - 1)
        return self._edges[self._edges_of(number), 1:]

    def depth(self, *, threads: int | None = None) -> _Ints:
        """The distance of the target from the root, shape (n,): -1 where there is no way.

        Parameters
        ----------
        threads : int, optional
            Number of threads; all by default.
        """
        return _slowthink.graph_depths(self._native, _run.options(threads))

    def distances(self, *, threads: int | None = None) -> _Ints:
        """The distance of each node from the root.

        Parameters
        ----------
        threads : int, optional
            Number of threads; all by default.

        Returns
        -------
        ndarray of int, shape (n, nodes of the largest graph)
            -1 where there is no way, and beyond the nodes of a graph. Ways through candidates, where walks end, count.
        """
        out = _arrays.empty((self.n_instances, int(self._n_nodes.max())), np.int64)
        _slowthink.graph_distances(self._native, out, _run.options(threads))
        return out

    def n_paths(self, *, threads: int | None = None) -> _Floats:
        """How many paths lead from the root to the target without passing the other candidate, shape (n,).

        Parameters
        ----------
        threads : int, optional
            Number of threads; all by default.

        Returns
        -------
        ndarray of float, shape (n,)
            Exact up to 2**53; inf where a path can go round in a cycle. Edges that are there twice count twice.
        """
        return _slowthink.graph_paths(self._native, _run.options(threads))

    def hit_probability(self, *, threads: int | None = None) -> _Floats:
        """The probability that a walk comes to the target within ``max_steps`` steps, before any guess: exact.

        Parameters
        ----------
        threads : int, optional
            Number of threads; all by default.

        Returns
        -------
        ndarray of float, shape (n,)

        Notes
        -----
        By one pass over the nodes, each after those it leads to. Where walks can be longer than ``max_steps``, as with
        cycles, their law is carried forward step by step: edges times steps.
        """
        return _slowthink.graph_ends(self._native, _run.options(threads))[:, 0].copy()

    def answer_probabilities(self, *, threads: int | None = None) -> _Floats:
        """The probabilities of a right answer, a wrong one and none: exact, guesses included.

        Parameters
        ----------
        threads : int, optional
            Number of threads; all by default.

        Returns
        -------
        ndarray of float, shape (n, 3)
            Rows sum to 1. The margin of a majority vote is the first column minus the second.
        """
        law = _slowthink.graph_ends(self._native, _run.options(threads))
        if self.guess:
            law[:, :2] += 0.5 * law[:, 2:]
            law[:, 2] = 0.0
        return law

    def pass_at_k(self, k: npt.ArrayLike, *, threads: int | None = None) -> _Floats:
        """The probability that at least one of k walks comes to the target, before any guess: ``1 - (1 - p)**k``.

        Parameters
        ----------
        k : int or (K,) array of int
            From 1.
        threads : int, optional
            Number of threads; all by default.

        Returns
        -------
        ndarray of float, shape (n,) for an int k, (n, K) otherwise
        """
        values = _arrays.integers(k, "k", ndim=(0, 1), low=1)
        p = self.hit_probability(threads=threads)
        with np.errstate(divide="ignore"):
            missed = np.log1p(-p)
        return -np.expm1(missed[(..., *([None] * values.ndim))] * values)

    def mean_steps(self, *, threads: int | None = None) -> _Floats:
        """The mean number of steps of a walk, guesses included, shape (n,): exact.

        Parameters
        ----------
        threads : int, optional
            Number of threads; all by default.
        """
        return _slowthink.graph_mean_steps(self._native, _run.options(threads))

    def _edges_of(self, number: int) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self._edges[:, 0] == number)
