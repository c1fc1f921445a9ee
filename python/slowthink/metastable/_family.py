"""The family of chains: clusters, sparse edges between them, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain, _starts
from slowthink.metastable import _groups, _oracle

_States = npt.NDArray[np.uint32]

MetaGraph = Literal["ring", "complete", "cycle", "random"]
Within = Literal["uniform", "regular", "random"]
Entries = Literal["distinct", "source", "random"]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class MetastableChain:
    """A chain of dense clusters that sparse edges join; from :func:`metastable_chain`.

    State ``k * cluster_size + i`` is state i of cluster k.

    Attributes
    ----------
    chain : MarkovChain
        The chain, S = ``n_clusters * cluster_size`` states.
    labels : (S,) ndarray of int64
        The cluster of each state.
    sparse_edges : (E, 2) ndarray of uint32
        Source and target of each transition between clusters, ascending.
    edge_actions : (E,) ndarray of uint32, or None
        For each sparse edge the element of the group that it acts by, never the identity. Transitions within clusters
        act by the identity.
    group : (G, G) ndarray of uint32, or None
        The table of the group: entry (a, b) is a b.
    epsilon : float
        Probability with which a source leaves its cluster.
    n_clusters, cluster_size : int
        K and M.
    meta_graph : str
        "ring", "complete", "cycle", "random", or "edges" where they were given.
    meta_edges : (L, 2) ndarray of uint32
        The pairs of clusters of which the first leads to the second, ascending.
    within : str
        "uniform", "regular" or "random".
    sources : (K, n_sources) ndarray of uint32
        The states of each cluster that have sparse edges.
    entries : (K, n_targets) ndarray of uint32
        The states of each cluster at which it is entered.
    start : int
        Where walks begin by default: the first state of cluster 0 that is no source (0 where all are).
    target : (M,) ndarray of uint32
        The states of the last cluster.
    """

    chain: MarkovChain
    labels: npt.NDArray[np.int64]
    sparse_edges: _States
    edge_actions: _States | None
    group: _States | None
    epsilon: float
    n_clusters: int
    cluster_size: int
    meta_graph: str
    meta_edges: _States
    within: str
    sources: _States
    entries: _States
    start: int
    target: _States

    @property
    def n_states(self) -> int:
        """Number of states, S."""
        return self.n_clusters * self.cluster_size

    @property
    def n_sources(self) -> int:
        """Sources of a cluster."""
        return int(self.sources.shape[1])

    @property
    def n_targets(self) -> int:
        """Entry states of a cluster."""
        return int(self.entries.shape[1])

    def cluster(self, k: int) -> _States:
        """(M,) the states of cluster ``k``.

        Examples
        --------
        >>> from slowthink.metastable import metastable_chain
        >>> metastable_chain(3, 4, 0.1).cluster(2)
        array([ 8,  9, 10, 11], dtype=uint32)
        """
        first = _starts.count(k, "k", high=self.n_clusters - 1) * self.cluster_size
        return np.arange(first, first + self.cluster_size, dtype=np.uint32)

    expected_hitting_time = _oracle.expected_hitting_time
    compose = _groups.compose

    def __repr__(self) -> str:
        group = "" if self.group is None else f", group of {len(self.group)}"
        return (
            f"MetastableChain(n_clusters={self.n_clusters}, cluster_size={self.cluster_size}, "
            f"epsilon={self.epsilon:g}, meta_graph={self.meta_graph!r}, n_sparse_edges={len(self.sparse_edges)}{group})"
        )


def metastable_chain(
    n_clusters: int,
    cluster_size: int,
    epsilon: float,
    *,
    meta_graph: MetaGraph | npt.ArrayLike = "ring",
    n_sources: int = 1,
    n_targets: int = 1,
    within: Within = "uniform",
    entries: Entries | npt.ArrayLike = "distinct",
    degree: int = 3,
    cluster_degree: int | None = None,
    group: int | npt.ArrayLike | None = None,
    rng: _run.RNG = None,
) -> MetastableChain:
    """A chain of K dense clusters of M states, which few states leave, with probability epsilon.

    The first ``n_sources`` states of each cluster are its sources. The row of a source is (1 - epsilon) times its row
    within the cluster, and epsilon in equal shares on each of the ``n_targets`` entry states of each cluster that its
    own leads to. No other row leaves its cluster. With all by default this is the directed ring, one source and one
    entry state for each cluster, whose hitting time of the last cluster is (K - 1) (M / epsilon + 1).

    Parameters
    ----------
    n_clusters : int
        K, at least 2.
    cluster_size : int
        M, at least 1.
    epsilon : float
        Probability with which a source leaves its cluster, 1e-300 to 1.
    meta_graph : {"ring", "complete", "cycle", "random"} or (L, 2) array of int
        Which clusters lead to which: each to the next, and the last to the first; each to all others; each to the next
        and the one before; each to ``degree`` others drawn uniformly, anew until the last cluster can be reached from
        all. Or pairs of clusters of which the first leads to the second.
    n_sources : int
        Sources of each cluster, n_out in the paper; 1 to M.
    n_targets : int
        Entry states of each cluster, d_out in the paper; 1 to M.
    within : {"uniform", "regular", "random"}
        The transitions within a cluster. "uniform": from each state to all of the cluster, itself included, with equal
        probabilities. "regular": to itself, the next state on a random cycle, and ``cluster_degree - 2`` more by random
        permutations, all with equal probabilities, so that the stationary law of the cluster is uniform. "random": to
        all with weights drawn uniformly from (0, 1].
    entries : {"distinct", "source", "random"} or (K,) or (K, n_targets) array of int
        The entry states of a cluster: the first that are no sources; the first sources; drawn uniformly; or these, as
        numbers from 0 to M - 1 within each cluster. An entry that is a source makes the next cluster near: on the ring
        each costs M / n_sources steps less.
    degree : int
        Clusters that each leads to in a random graph.
    cluster_degree : int, optional
        Transitions of a row within a "regular" cluster, at least 2; half of the states by default.
    group : int or (G, G) array of int, optional
        Label each sparse edge with an element of a group drawn uniformly from all but the identity: the order of a
        cyclic group, at least 2, or the table of a group of up to 512 elements, entry (a, b) being a b.
    rng : None, int, SeedSequence or Generator
        The meta-graph, the transitions within, the entries and the actions are drawn independently: one does not change
        where another is asked for.

    Returns
    -------
    MetastableChain

    Raises
    ------
    ValueError
        Naming an argument that is out of range, an entry that is no state of its cluster, a degree with which the last
        cluster is not reached in one random graph of 1,000, or a table that is not that of a group.
    MemoryError
        Where the chain does not fit: it takes 12 bytes a transition, of which there are K M^2 within clusters (K M
        ``cluster_degree`` in regular ones).

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694), sections 2
    and 5.

    Examples
    --------
    >>> from slowthink.metastable import metastable_chain
    >>> ring = metastable_chain(8, 16, 0.1)
    >>> ring
    MetastableChain(n_clusters=8, cluster_size=16, epsilon=0.1, meta_graph='ring', n_sparse_edges=8)
    >>> ring.expected_hitting_time()
    1127.0
    >>> times = ring.chain.sample_hitting_times(ring.target, ring.start, n_walks=2000, max_steps=10**9, rng=1)
    >>> low, high = times.interval(0.99)
    >>> low < 1127 < high
    True
    """
    sizes = (
        _starts.count(n_clusters, "n_clusters", low=2, high=2**32 - 1),
        _starts.count(cluster_size, "cluster_size", low=1, high=2**32 - 1),
        _starts.count(n_sources, "n_sources", low=1),
        _starts.count(n_targets, "n_targets", low=1),
    )
    k, m = sizes[:2]
    share = float(_arrays.floats(epsilon, "epsilon", ndim=0))
    _arrays.choice(within, "within", ("uniform", "regular", "random"))
    inner = m if within != "regular" else max(2, (m + 1) // 2)
    if cluster_degree is not None:
        if within != "regular":
            raise ValueError(f"cluster_degree must be None unless within is 'regular', got {cluster_degree!r}")
        inner = _starts.count(cluster_degree, "cluster_degree", low=2)
    graph = _graph(meta_graph, k, _starts.count(degree, "degree", low=1))
    table = None if group is None else _groups.table(group)
    n_meta = len(graph) if isinstance(graph, np.ndarray) else {"complete": k * (k - 1)}.get(graph[0], k * graph[1])
    _arrays.fits((k * m * inner + n_meta * sizes[2] * sizes[3], 3), np.float32, "a chain")
    made = _slowthink.metastable_chain(
        sizes,
        share,
        graph,
        (within, inner),
        _entries(entries, sizes),
        0 if table is None else len(table) - 1,
        _run.seed(rng),
        _run.options(1),
    )
    compiled, meta_edges, sparse_edges, entry_states, actions = made
    return MetastableChain(
        chain=MarkovChain._of(compiled),
        labels=np.repeat(np.arange(k, dtype=np.int64), m),
        sparse_edges=sparse_edges.reshape(-1, 2),
        edge_actions=None if table is None else _groups.others(table)[actions],
        group=table,
        epsilon=share,
        n_clusters=k,
        cluster_size=m,
        meta_graph="edges" if isinstance(graph, np.ndarray) else graph[0],
        meta_edges=meta_edges.reshape(-1, 2),
        within=within,
        sources=np.add.outer(np.arange(k, dtype=np.uint32) * np.uint32(m), np.arange(sizes[2], dtype=np.uint32)),
        entries=entry_states.reshape(k, -1),
        start=sizes[2] % m,
        target=np.arange((k - 1) * m, k * m, dtype=np.uint32),
    )


def _graph(meta_graph: Any, n_clusters: int, degree: int) -> _States | tuple[str, int]:
    """The kernel's form of the meta-graph: its edges, or its name and how many clusters each leads to."""
    if isinstance(meta_graph, str):
        name = _arrays.choice(meta_graph, "meta_graph", ("ring", "complete", "cycle", "random"))
        return name, degree if name == "random" else 2
    edges = _below(meta_graph, "meta_graph", n_clusters, "the number of clusters", 2)
    if edges.shape[1] != 2:
        raise ValueError(f"meta_graph must be a name or have two columns, got shape {edges.shape}")
    return edges


def _entries(entries: Any, sizes: tuple[int, int, int, int]) -> _States | str:
    """The kernel's form of the entry states."""
    if isinstance(entries, str):
        return _arrays.choice(entries, "entries", ("distinct", "source", "random"))
    n_clusters, cluster_size, _, n_targets = sizes
    given = _below(entries, "entries", cluster_size, "cluster_size", (1, 2))
    if len(given) != n_clusters or given.size != n_clusters * n_targets:
        rule = f"have {n_targets} states for each of the {n_clusters} clusters"
        raise ValueError(f"entries must {rule}, got shape {given.shape}")
    return given.ravel()


def _below(value: Any, name: str, high: int, what: str, ndim: int | tuple[int, ...]) -> _States:
    """``value`` as numbers from 0 to ``high`` - 1."""
    array = _arrays.integers(value, name, ndim=ndim, low=0)
    if array.max(initial=0) >= high:
        index = np.unravel_index(int(np.argmax(array >= high)), array.shape)
        place = ", ".join(str(int(i)) for i in index)
        raise ValueError(f"{name}[{place}] must be below {what}, {high}, got {array[index]}")
    return array.astype(np.uint32)
