"""How long a search for sparse edges must be to find all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from slowthink import _arrays
from slowthink.chains import _starts

_MOST = 2**53
"""Restarts or steps beyond which there is no search."""


@dataclass(frozen=True)
class SearchBudget:
    """How much a search may spend, and what it promises; from :func:`search_budget`.

    Attributes
    ----------
    n_restarts : int
        R.
    n_rollouts : int
        Rollouts of a restart, N.
    n_cluster_steps : int
        Steps that learn the cluster, T0.
    max_steps : int
        The most steps of a rollout, T_max.
    miss_probability : float
        The search misses a sparse edge with at most this probability.
    """

    n_restarts: int
    n_rollouts: int
    n_cluster_steps: int
    max_steps: int
    miss_probability: float

    @property
    def n_steps(self) -> int:
        """The most steps that the search can take: R (T0 + N T_max)."""
        return self.n_restarts * (self.n_cluster_steps + self.n_rollouts * self.max_steps)


def search_budget(
    n_clusters: int,
    cluster_size: int,
    epsilon: float,
    *,
    n_sources: int = 1,
    n_edges: int = 1,
    miss_probability: float = 0.05,
) -> SearchBudget:
    """A budget with which :func:`sparse_edge_search` finds every sparse edge with probability 1 - ``miss_probability``.

    Parameters
    ----------
    n_clusters, cluster_size, epsilon, n_sources
        As for :func:`metastable_chain`.
    n_edges : int
        Sparse edges of a source, at most.
    miss_probability : float
        Above 0 and below 1.

    Returns
    -------
    SearchBudget

    Raises
    ------
    ValueError
        Where more than 2^53 restarts or steps of a rollout would be needed: sources that are always left are hardly
        learnt, and those that hardly ever are take too long.

    Notes
    -----
    Write K, M, eps for the first three, n for the sources of a cluster, b for the edges of a source, d for
    ``miss_probability``, E = K n b for all edges, p = n eps / M for the probability that a step from a state drawn
    uniformly leaves the cluster. Restarts begin at states drawn uniformly, clusters are uniform.

    * T0 = ln(M / a) / -ln(1 - q) with q = (1 - eps) / (M - n eps) and a = d / (K ln(E/d)), but at most 1/2. A walk that
      does not leave its cluster draws its states independently, each one with probability at least q: it has missed one
      of them after T0 steps with probability at most M (1 - q)^T0 = a (coupon collector). That it does not leave has
      the probability (1 - p)^T0.
    * T_max = 2 / p. A rollout leaves by a given edge within T_max steps with probability at least
      r = (1 - (1 - p)^(T_max - 1)) / (n b), all edges being alike after the first step.
    * N = n b ceil(ln K), at least n b. One of the rollouts finds the edge with probability 1 - (1 - r)^N, times
      1 - eps (n - 1) / M, since they may set out from another source.
    * R = ln(E/d) / s with s = (1 - p)^T0 (1 - a) (1 - eps (n - 1) / M) (1 - (1 - r)^N) / K, the probability that a
      restart begins in the cluster of a given edge, learns it, and finds the edge. R restarts miss it with probability
      at most exp(-R s) = d / E, and any of the E edges with at most d.

    That is R = O(K log K), N = O(log K) and R T_max = O(K log K M / eps), as in the paper.

    The promise is of finding all edges. What is found besides comes from restarts that took a part of a cluster for the
    whole, a share of at most a, or left it while they learnt it, a share of about 1 - (1 - p)^T0: few if eps T0 is
    small against M.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694), Algorithm 2.

    Examples
    --------
    >>> from slowthink.metastable import search_budget
    >>> search_budget(8, 16, 0.01)
    SearchBudget(n_restarts=45, n_rollouts=3, n_cluster_steps=149, max_steps=3200, miss_probability=0.05)
    """
    k = _starts.count(n_clusters, "n_clusters", low=1, high=2**32)
    m = _starts.count(cluster_size, "cluster_size", low=1, high=2**32)
    n = _starts.count(n_sources, "n_sources", low=1, high=m)
    b = _starts.count(n_edges, "n_edges", low=1, high=2**32)
    eps = float(_arrays.floats(epsilon, "epsilon", ndim=0))
    miss = miss_share(miss_probability)
    if not 0 < eps <= 1:
        raise ValueError(f"epsilon must be above 0 and at most 1, got {epsilon}")
    leave, seen = n * eps / m, (1 - eps) / (m - n * eps) if n * eps < m else 0.0
    many = math.log(k * n * b / miss)
    missed = min(miss / (k * many), 0.5)
    learn = math.log(m / missed) / -math.log1p(-seen) if 0 < seen < 1 else (0.0 if seen == 1 else math.inf)
    longest = 2 / leave
    if longest > _MOST:
        raise ValueError(f"epsilon must be such that at most 2^53 steps are enough for a rollout, got {epsilon}")
    n_cluster_steps, max_steps = math.ceil(min(learn, _MOST)), math.ceil(longest)
    n_rollouts = n * b * max(1, math.ceil(math.log(k)))
    stay = math.exp(n_cluster_steps * math.log1p(-leave)) if leave < 1 else float(n_cluster_steps == 0)
    overlook = m * math.exp(n_cluster_steps * math.log1p(-seen)) if seen < 1 else 0.0
    within = -math.expm1((max_steps - 1) * math.log1p(-leave)) if leave < 1 else 1.0
    one = -math.expm1(n_rollouts * math.log1p(-within / (n * b))) if within < n * b else 1.0
    success = stay * (1 - overlook) * (1 - eps * (n - 1) / m) * one / k
    if not success > many / _MOST:
        raise ValueError(f"epsilon must be small enough that clusters are learnt before they are left, got {epsilon}")
    return SearchBudget(math.ceil(many / success), n_rollouts, n_cluster_steps, max_steps, miss)


def miss_share(miss_probability: Any) -> float:
    """``miss_probability`` as a number above 0 and below 1."""
    miss = float(_arrays.floats(miss_probability, "miss_probability", ndim=0))
    if not 0 < miss < 1:
        raise ValueError(f"miss_probability must be above 0 and below 1, got {miss_probability}")
    return miss
