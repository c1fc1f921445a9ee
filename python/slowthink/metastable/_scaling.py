"""How the mean hitting time grows with the clusters, their states and 1 / epsilon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink.chains import _starts
from slowthink.metastable._family import MetaGraph, metastable_chain
from slowthink.metastable._oracle import mean_after

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Scaling:
    """Mean hitting times over a grid of chains, and their exponents; from :func:`scaling`.

    Attributes
    ----------
    meta_graph, target : str
        Which graph, and which cluster was to be hit.
    n_clusters, cluster_size : (A,), (B,) ndarray of int64
        K and M of the grid.
    epsilon : (C,) ndarray of float64
        Of the grid.
    per_graph : (A, B, C, n_graphs) ndarray of float64
        Exact mean hitting times from cluster 0; of each graph where they are random.
    exponents : (3,) ndarray of float64
        Those of K, M and 1 / epsilon in the power law that fits the logarithms of ``times`` best; NaN where there is
        but one value, or a time is infinite.
    """

    meta_graph: str
    target: str
    n_clusters: _Ints
    cluster_size: _Ints
    epsilon: _Floats
    per_graph: _Floats
    exponents: _Floats

    @property
    def times(self) -> _Floats:
        """(A, B, C) the median over the graphs: few of them have times so long that the mean would be theirs."""
        return np.asarray(np.median(self.per_graph, axis=-1))

    @property
    def ratio(self) -> _Floats:
        """(A, B, C) :attr:`times` over K M / epsilon, which the paper's theorem bounds up to logarithms."""
        scale = self.n_clusters[:, None, None] * self.cluster_size[None, :, None] / self.epsilon
        return np.asarray(self.times / scale)

    def __repr__(self) -> str:
        k, m, e = self.exponents
        law = f"K^{k:.2f} M^{m:.2f} epsilon^-{e:.2f}"
        return f"Scaling(meta_graph={self.meta_graph!r}, target={self.target!r}, time ~ {law})"


def scaling(
    meta_graph: MetaGraph = "ring",
    *,
    n_clusters: npt.ArrayLike = (8, 16, 32, 64),
    cluster_size: npt.ArrayLike = (16, 32, 64),
    epsilon: npt.ArrayLike = (1e-2, 1e-3, 1e-4),
    target: Literal["last", "opposite"] | None = None,
    degree: int = 3,
    n_graphs: int = 20,
    rng: _run.RNG = None,
) -> Scaling:
    """Exact mean hitting times for all combinations of K, M and epsilon, and the powers in which they grow.

    Parameters
    ----------
    meta_graph : {"ring", "complete", "cycle", "random"}
        See :func:`metastable_chain`; one source and one entry state for each cluster, which differ.
    n_clusters, cluster_size, epsilon : array of int, array of int, array of float
        The grid; numbers of clusters at least 2, sizes at least 2, or one number for each.
    target : {"last", "opposite"}, optional
        The cluster to be hit: number K - 1 or number K // 2. By default the opposite one for the cycle, whose last
        cluster is next to the first, and the last one for others. In a random graph the opposite one may be missed.
    degree : int
        Clusters that each leads to in a random graph.
    n_graphs : int
        Random graphs for each K.
    rng : None, int, SeedSequence or Generator
        For random graphs. They are the same for all M and epsilon.

    Returns
    -------
    Scaling

    Raises
    ------
    ValueError
        Naming a number of the grid that is out of range.

    Notes
    -----
    Nothing is simulated and no matrix is made: the times are those of :meth:`MetastableChain.expected_hitting_time`.
    Cost: O(edges of the meta-graph) for each combination, O(K^3) at most for random graphs.

    Kim et al. have the hitting time grow as K M / epsilon, up to logarithms. That holds where the meta-graph is hit in
    O(K) jumps: on the ring, the complete graph, and most random graphs. On the cycle it takes K^2 / 4.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694), section 3.

    Examples
    --------
    >>> from slowthink.metastable import scaling
    >>> scaling("ring")
    Scaling(meta_graph='ring', target='last', time ~ K^1.06 M^1.00 epsilon^-1.00)
    >>> scaling("cycle")
    Scaling(meta_graph='cycle', target='opposite', time ~ K^2.00 M^1.00 epsilon^-1.00)
    """
    name = _arrays.choice(meta_graph, "meta_graph", ("ring", "complete", "cycle", "random"))
    goal = ("opposite" if name == "cycle" else "last") if target is None else target
    _arrays.choice(goal, "target", ("last", "opposite"))
    clusters = np.atleast_1d(_arrays.integers(n_clusters, "n_clusters", ndim=(0, 1), low=2))
    sizes = np.atleast_1d(_arrays.integers(cluster_size, "cluster_size", ndim=(0, 1), low=2))
    shares = np.atleast_1d(_arrays.floats(epsilon, "epsilon", ndim=(0, 1), low=1e-300, high=1.0))
    for values, argument in ((clusters, "n_clusters"), (sizes, "cluster_size"), (shares, "epsilon")):
        if not len(values):
            raise ValueError(f"{argument} must hold at least one number")
    n = _starts.count(n_graphs, "n_graphs", low=1, high=2**32) if name == "random" else 1
    visit = sizes[:, None] / shares + 1
    per_graph = _arrays.empty((len(clusters), len(sizes), len(shares), n), np.float64)
    seeds = np.random.SeedSequence(_run.seed(rng).tolist()).generate_state(n, np.uint64)
    for a, k in enumerate(clusters.tolist()):
        for graph, seed in enumerate(seeds.tolist()):
            edges = metastable_chain(k, 2, 1.0, meta_graph=meta_graph, degree=degree, rng=seed).meta_edges
            jumps = mean_after(name, edges, np.ones(k), k - 1 if goal == "last" else k // 2)[0] + 1
            per_graph[a, :, :, graph] = jumps * visit
    exponents = _exponents(clusters, sizes, shares, np.median(per_graph, axis=-1))
    return Scaling(name, goal, clusters, sizes, shares, per_graph, exponents)


def _exponents(clusters: _Ints, sizes: _Ints, shares: _Floats, times: Any) -> _Floats:
    """The powers of K, M and 1 / epsilon in the best fit to the logarithms of ``times``, if those are finite."""
    out = np.full(3, np.nan)
    axes = [np.log(clusters), np.log(sizes), -np.log(shares)]
    varied = [axis for axis in range(3) if len(np.unique(axes[axis])) > 1]
    grid = np.meshgrid(*axes, indexing="ij")
    design = np.stack([grid[axis].ravel() for axis in varied] + [np.ones(times.size)], axis=1)
    if np.isfinite(times).all():
        out[varied] = np.linalg.lstsq(design, np.log(times).ravel(), rcond=None)[0][:-1]
    return out
