"""Distillation to a chain over clusters, with its time rescaled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain, _starts
from slowthink.metastable import _inputs
from slowthink.metastable._family import MetastableChain
from slowthink.metastable._reweight import meta_chain

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class DistillResult:
    """A chain over clusters, as it is and with its time rescaled; from :func:`distill`.

    Attributes
    ----------
    meta : MarkovChain
        The chain over the K clusters: with which probability a step leads from each to each.
    rescaled : MarkovChain
        The same with ``beta`` added to the logits of all transitions between different clusters.
    beta : float
    representatives : (K,) ndarray of uint32
        A state of each cluster: ``representatives[result.rescaled.walk(...)]`` is a path of states.
    n_steps : int
        Steps of the walk that was recorded; 0 if ``meta`` is exact.
    """

    meta: MarkovChain
    rescaled: MarkovChain
    beta: float
    representatives: npt.NDArray[np.uint32]
    n_steps: int

    @property
    def n_clusters(self) -> int:
        """Number of clusters, K."""
        return self.meta.n_states

    def escape_probabilities(self, *, rescaled: bool = False) -> _Floats:
        """(K,) probability with which a step leaves each cluster: the sum over the others, never one minus staying."""
        source, target, probability = _entries(self._chosen(rescaled))
        out = np.zeros(self.n_clusters)
        np.add.at(out, source[source != target], probability[source != target])
        return out

    def next_cluster(self, *, rescaled: bool = False) -> _Floats:
        """(K, K) law of the cluster that is next, from each; rows of clusters that are never left are 0.

        The rescaling does not change it: which way a walk leaves, and so every probability of coming to one cluster
        before another, is that of ``meta``.
        """
        chain = self._chosen(rescaled)
        source, target, probability = _entries(chain)
        out: _Floats = _arrays.zeros((self.n_clusters, self.n_clusters), np.float64)
        out[source, target] = probability
        np.fill_diagonal(out, 0.0)
        leaves = self.escape_probabilities(rescaled=rescaled)
        out[leaves > 0] /= leaves[leaves > 0, None]
        return out

    def _chosen(self, rescaled: bool) -> MarkovChain:
        return self.rescaled if _arrays.flag(rescaled, "rescaled") else self.meta

    def __repr__(self) -> str:
        source = f"n_steps={self.n_steps}" if self.n_steps else "exact"
        return f"DistillResult(n_clusters={self.n_clusters}, beta={self.beta:.4g}, {source})"


def distill(
    chain: Any,
    labels: npt.ArrayLike | None = None,
    *,
    exact: bool = True,
    n_steps: int | None = None,
    start: int | None = None,
    beta: float | None = None,
    representatives: npt.ArrayLike | None = None,
    rng: _run.RNG = None,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> DistillResult:
    """A small model of a metastable chain that crosses its clusters in a few steps, however small epsilon is.

    The chain over clusters leaves cluster k with probability q(l | k), about epsilon / M. Its softmax model, with beta
    added to the logits between different clusters, leaves with odds e^beta times as large, about 1 for beta = ln(M /
    epsilon); where it goes then, and so every probability of coming to one cluster before another, is the same.

    Parameters
    ----------
    chain : MetastableChain or MarkovChain
        The chain to distill, S states.
    labels : (S,) array of int, optional
        The cluster of each state, 0 to K - 1, each of them there; those of a MetastableChain by default.
    exact : bool
        Whether q is computed (:func:`meta_chain`), or learned from a walk: the shares of the steps from each cluster
        that lead to each, at which the cross-entropy of a K x K softmax model is least.
    n_steps : int, optional
        Steps of that walk; for a MetastableChain by default ceil((M / epsilon)^2), the order of the paper. A cluster it
        does not come to is never left.
    start : int, optional
        Where the walk begins; that of a MetastableChain, or 0, by default.
    beta : float, optional
        By default -ln of the smallest positive probability with which a cluster is left, so that each is left with
        a probability of 1/2 at least; ln(M / epsilon) for the ring.
    representatives : (K,) array of int, optional
        A state of each cluster; the first of each by default.
    rng : None, int, SeedSequence or Generator
        For the walk.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    DistillResult

    Raises
    ------
    ValueError
        Naming labels that are none, a representative of another cluster, or an argument out of range.

    Notes
    -----
    Logarithms throughout: 1e-300 is as good a probability as 0.1. A walk of n steps takes about 10 ns each, and 8 bytes
    a transition; it tells an epsilon below 1e-6 or so from nothing, and q is exact without it.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025 (arXiv 2502.01694), Algorithm 4 and Theorem 4.3. That beta is added to logits is our
    reading of "rescaling": it is what makes log(M / epsilon) the right size.

    Examples
    --------
    >>> from slowthink.metastable import distill, metastable_chain
    >>> for epsilon in (0.1, 1e-12):
    ...     small = distill(metastable_chain(8, 16, epsilon))
    ...     print(small, small.rescaled.mean_hitting_times(7)[0].round(3))
    DistillResult(n_clusters=8, beta=5.075, exact) 13.956
    DistillResult(n_clusters=8, beta=30.4, exact) 14.0
    """
    base = _inputs.markov_chain(chain)
    family = chain if isinstance(chain, MetastableChain) else None
    clusters, n_clusters = _labels(labels, base, family)
    chosen = _representatives(representatives, clusters, n_clusters)
    shift = None if beta is None else float(_arrays.floats(beta, "beta", ndim=0))
    begins = 0 if family is None else family.start
    if start is not None:
        begins = _starts.count(start, "start", high=base.n_states - 1)
    options = _run.options(threads, progress)
    if _arrays.flag(exact, "exact"):
        if n_steps is not None:
            raise ValueError(f"n_steps must be None where exact is True, got {n_steps!r}")
        steps, meta = 0, meta_chain(base, clusters)
    else:
        steps = _default_steps(family) if n_steps is None else _starts.count(n_steps, "n_steps", low=1)
        counts = base.count_transitions(begins, steps, rng=rng, threads=threads, progress=progress)
        pairs, place = np.unique(clusters[counts.source] * n_clusters + clusters[counts.indices], return_inverse=True)
        totals = np.zeros(len(pairs), np.int64)
        np.add.at(totals, place.reshape(-1), counts.counts)
        indptr = np.searchsorted(pairs, np.arange(n_clusters + 1) * n_clusters)
        meta = MarkovChain.from_weights((indptr, pairs % n_clusters, totals), dangling="absorb")
    if shift is None:
        shift = _largest_wait(meta)
    rescaled = MarkovChain._of(_slowthink.rescale_time(meta._chain, shift, options))
    return DistillResult(meta=meta, rescaled=rescaled, beta=shift, representatives=chosen, n_steps=steps)


def _entries(chain: MarkovChain) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], _Floats]:
    """Source, target and probability of each transition."""
    return np.repeat(np.arange(chain.n_states), np.diff(chain.indptr)), chain.indices, chain.probabilities


def _largest_wait(meta: MarkovChain) -> float:
    """-ln of the smallest positive probability with which a state is left; 0 where none is."""
    source, target, probability = _entries(meta)
    leaves = np.zeros(meta.n_states)
    np.add.at(leaves, source[source != target], probability[source != target])
    left = leaves[leaves > 0]
    return float(-np.log(left.min())) if len(left) else 0.0


def _labels(labels: Any, chain: MarkovChain, family: MetastableChain | None) -> tuple[npt.NDArray[np.int64], int]:
    if labels is None:
        if family is None:
            raise ValueError("labels must be given where chain is a MarkovChain, got None")
        return family.labels, family.n_clusters
    array = _arrays.integers(labels, "labels", ndim=1, low=0)
    if len(array) != chain.n_states:
        raise ValueError(f"labels must have one number for each of the {chain.n_states} states, got {len(array)}")
    present = np.unique(array)
    if present[-1] != len(present) - 1:
        raise ValueError(f"labels must be 0 to K - 1, each of them there, got {len(present)} up to {present[-1]}")
    return array, len(present)


def _representatives(value: Any, clusters: npt.NDArray[np.int64], n_clusters: int) -> npt.NDArray[np.uint32]:
    if value is None:
        return np.unique(clusters, return_index=True)[1].astype(np.uint32)
    chosen = _starts.states(value, "representatives", len(clusters))
    if len(chosen) != n_clusters:
        raise ValueError(f"representatives must have one state for each of {n_clusters} clusters, got {len(chosen)}")
    wrong = clusters[chosen] != np.arange(n_clusters)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(f"representatives[{k}] must be a state of cluster {k}, got {chosen[k]}")
    return chosen


def _default_steps(family: MetastableChain | None) -> int:
    if family is None:
        raise ValueError("n_steps must be given where chain is a MarkovChain and exact is False, got None")
    steps = (family.cluster_size / family.epsilon) ** 2 if family.epsilon > 1e-100 else math.inf
    if steps > 2.0**40:
        rule = f"be given where epsilon is as small as {family.epsilon:g}: by default it is {steps:.3g}"
        raise ValueError(f"n_steps must {rule}")
    return math.ceil(steps)
