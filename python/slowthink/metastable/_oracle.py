"""Exact mean hitting times of the family, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.metastable._family import MetastableChain

_Floats = npt.NDArray[np.float64]


@overload
def expected_hitting_time(self: MetastableChain, start: int | None = ..., *, target: int | None = ...) -> float: ...
@overload
def expected_hitting_time(self: MetastableChain, start: Any = ..., *, target: int | None = ...) -> float | _Floats: ...
def expected_hitting_time(self: MetastableChain, start: Any = None, *, target: int | None = None) -> float | _Floats:
    """The exact mean number of steps until a walk is first in a cluster.

    A visit to a cluster that begins at a state that is no source takes ``M / (n_sources epsilon) + 1`` steps on
    average, the last one out of it included, and ``M / n_sources`` less where it begins at a source. The clusters that
    are visited are those of a walk on the meta-graph that goes to each neighbour alike. Hence, with ``J`` the mean
    number of its jumps to the target, ``J (M / (n_sources epsilon) + 1)`` where neither start nor entries are sources:

    * ring: ``J`` = d at distance d along the ring, K - 1 to the last cluster,
    * complete graph: ``J`` = K - 1,
    * cycle: ``J`` = d (K - d), so that the opposite cluster is K^2 / 4 jumps away,
    * other graphs: by elimination over the clusters, without subtractions.

    Parameters
    ----------
    start : int or array of states, optional
        Where the walk begins; :attr:`start` by default. 0 in the target.
    target : int, optional
        The cluster; the last by default.

    Returns
    -------
    float, or an array of the shape of ``start``
        Steps; inf where the target may be missed, or beyond 1.8e308. Relative error some 1e-15 for every epsilon.

    Raises
    ------
    ValueError
        If the transitions within clusters are not "uniform", which is what makes the times those of coin tosses: see
        :meth:`MarkovChain.mean_hitting_times` for any others.

    Notes
    -----
    Cost: O(edges of the meta-graph); O(K^3) at most for one that is random or given.

    Examples
    --------
    >>> from slowthink.metastable import metastable_chain
    >>> ring = metastable_chain(8, 16, 0.1)
    >>> ring.expected_hitting_time(), ring.expected_hitting_time(0)  # from the source: 16 less
    (1127.0, 1111.0)
    >>> metastable_chain(8, 16, 0.1, entries="source").expected_hitting_time()
    1031.0
    >>> cycle = metastable_chain(8, 16, 0.01, meta_graph="cycle")
    >>> cycle.expected_hitting_time(target=4), cycle.expected_hitting_time(target=7)
    (25616.0, 11207.0)
    """
    goal = self.n_clusters - 1 if target is None else _starts.count(target, "target", high=self.n_clusters - 1)
    states = _starts.states(self.start if start is None else start, "start", self.n_states, ndim=(0, 1))
    if self.within != "uniform":
        raise ValueError(
            f"start has no hitting time in closed form unless within is 'uniform', got {self.within!r}: "
            "see MarkovChain.mean_hitting_times"
        )
    n_sources = self.sources.shape[1]
    with np.errstate(over="ignore"):
        # What a visit takes if it begins at a source is taken off as a share of it, which keeps all digits.
        toss = self.cluster_size / n_sources / self.epsilon
        sources = (self.entries.astype(np.int64) % self.cluster_size < n_sources).mean(axis=1)
        visit = toss * (1 - self.epsilon * sources) + 1
        after = mean_after(self.meta_graph, self.meta_edges, visit, goal)
        clusters, place = np.divmod(states.astype(np.int64), self.cluster_size)
        first = toss * (1 - self.epsilon * (place < n_sources)) + 1
        times = np.where(clusters == goal, 0.0, first + after[clusters])
    return float(times) if times.ndim == 0 else times


def mean_after(meta_graph: str, edges: npt.NDArray[np.uint32], visit: _Floats, target: int) -> _Floats:
    """For each cluster the mean time from when it is left until ``target``, where a visit to k takes ``visit[k]``.

    ``meta_graph`` is the name of the graph whose ``edges`` these are.
    """
    n = len(visit)
    entered = _entered(meta_graph, edges, visit, target)
    degree = np.bincount(edges[:, 0], minlength=n)
    total = np.bincount(edges[:, 0], weights=entered[edges[:, 1]], minlength=n)
    out: _Floats = np.divide(total, degree, out=np.full(n, np.inf), where=degree > 0)
    return out


def _entered(meta_graph: str, edges: npt.NDArray[np.uint32], visit: _Floats, target: int) -> _Floats:
    """For each cluster the mean time from when it is entered until ``target``, 0 for that."""
    n = len(visit)
    out = np.zeros(n)
    if meta_graph == "ring":
        behind = (target - np.arange(1, n)) % n  # the clusters at distance 1, 2, ...
        out[behind] = np.cumsum(visit[behind])
    elif meta_graph == "complete":
        # x_k = v_k + (sum of the x of all others but the target) / (K - 1).
        visit = np.where(np.arange(n) == target, 0.0, visit)
        out = (n - 1) * (visit + visit.sum()) / n
        out[target] = 0.0
    elif meta_graph == "cycle":
        # From distance d the cluster at distance x is visited 2 min(d, x) (K - max(d, x)) / K times.
        around = (target + np.arange(1, n)) % n
        distance, costs = np.arange(1.0, n), visit[around]
        nearer = np.cumsum(distance * costs)
        farther = np.append(np.cumsum(((n - distance) * costs)[:0:-1])[::-1], 0.0)
        out[around] = 2 / n * ((n - distance) * nearer + distance * farther)
    else:
        out = _slowthink.mean_costs(edges, visit, target, _run.options(1))
    return out
