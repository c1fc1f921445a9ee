"""Chains made of others: sparse edges raised, and the chain of the clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain, _starts
from slowthink.metastable._family import MetastableChain
from slowthink.metastable._search import SparseEdges

_Floats = npt.NDArray[np.float64]


def reweight_edges(
    chain: MetastableChain | MarkovChain, edges: SparseEdges | npt.ArrayLike, epsilon_max: float
) -> MarkovChain:
    """The chain with some transitions raised, as a process-reward model that knows them steers it.

    In each row that has some of ``edges`` these get the probability ``epsilon_max`` together, in the proportions they
    had; the rest of the row is scaled to what remains. A row whose edges have as much already is left as it is: nothing
    is lowered.

    Parameters
    ----------
    chain : MetastableChain or MarkovChain
        The chain.
    edges : SparseEdges or (E, 2) array of int
        Source and target of each transition to raise, each at most once.
    epsilon_max : float
        Above 0 and at most 1.

    Returns
    -------
    MarkovChain

    Raises
    ------
    ValueError
        Naming an edge that is no transition of the chain, or is there twice.

    Notes
    -----
    O(transitions). Where all sparse edges of a :func:`metastable_chain` are raised
    the result is that of the same call with ``epsilon_max``: mean hitting times fall from about K M / epsilon to
    K M / epsilon_max.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694), section 3:
    the set of edges found as an external process-reward model.

    Examples
    --------
    >>> from slowthink.metastable import metastable_chain, reweight_edges, sparse_edge_search
    >>> slow = metastable_chain(8, 16, 1e-4)
    >>> fast = reweight_edges(slow, sparse_edge_search(slow, rng=1), 0.1)
    >>> times = fast.sample_hitting_times(slow.target, slow.start, n_walks=1000, max_steps=10**9, rng=1)
    >>> low, high = times.interval(0.99)
    >>> low < 1127 < high, slow.expected_hitting_time()  # 1127 is the mean for epsilon = 0.1
    (True, 1120007.0)
    """
    walked = _walked(chain)
    high = float(_arrays.floats(epsilon_max, "epsilon_max", ndim=0))
    if not 0 < high <= 1:
        raise ValueError(f"epsilon_max must be above 0 and at most 1, got {epsilon_max}")
    given = edges.edges if isinstance(edges, SparseEdges) else edges
    pairs = _starts.states(given, "edges", walked.n_states, ndim=2).astype(np.int64)
    if pairs.shape[1] != 2:
        raise ValueError(f"edges must have two columns, got shape {pairs.shape}")
    _arrays.fits((walked.n_transitions, 4), np.float64, "a chain")
    indptr, indices, probabilities = walked.indptr, walked.indices, walked.probabilities
    # The entries of the rows that have edges, and no others; their keys ascend, since rows do.
    states, row_of_edge = np.unique(pairs[:, 0], return_inverse=True)
    begins, degrees = indptr[states], np.diff(indptr)[states]
    row = np.repeat(np.arange(len(states)), degrees)
    entries = np.arange(len(row)) + np.repeat(begins - np.cumsum(degrees) + degrees, degrees)
    keys = row * walked.n_states + indices[entries]
    wanted = row_of_edge * walked.n_states + pairs[:, 1]
    place = np.searchsorted(keys, wanted)
    for index in np.flatnonzero(np.append(keys, -1)[place] != wanted)[:1]:
        raise ValueError(f"edges[{index}] must be a transition of the chain, got {tuple(pairs[index].tolist())}")
    raised = np.zeros(len(keys), dtype=np.bool_)
    raised[place] = True
    if np.count_nonzero(raised) != len(pairs):
        order = np.argsort(wanted, kind="stable")
        twice = order[1:][np.diff(wanted[order]) == 0].min()
        raise ValueError(f"edges[{twice}] must differ from the others, got {tuple(pairs[twice].tolist())} again")
    values = probabilities[entries]
    total = np.bincount(row[raised], weights=values[raised], minlength=len(states))
    rest = np.bincount(row[~raised], weights=values[~raised], minlength=len(states))
    up, down = np.ones(len(states)), np.ones(len(states))
    change = (total < high) & (rest > 0)
    up[change], down[change] = high / total[change], (1 - high) / rest[change]
    probabilities[entries] = values * np.where(raised, up[row], down[row])
    return MarkovChain((indptr, indices, probabilities))


def meta_chain(
    chain: MetastableChain | MarkovChain,
    labels: npt.ArrayLike | None = None,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> MarkovChain:
    """The chain of the clusters: how often a walk that has mixed within its cluster leaves it, and for which.

    Entry (k, l) is ``q(l | k) = sum over x in C_k of mu_k(x) sum over y in C_l of p(y | x)``, where mu_k is the
    stationary law of cluster k by itself: of its rows without the transitions out of it, over their sum.

    Parameters
    ----------
    chain : MetastableChain or MarkovChain
        The chain.
    labels : (S,) array of int, optional
        The cluster of each state, 0 to K - 1, each of which must be there; a MetastableChain knows its own.
    threads, progress
        As for all functions.

    Returns
    -------
    MarkovChain
        Of K states. Every entry is a sum of products of non-negative numbers, right to some 1e-15 relative however
        small. For the uniform ring ``q(k + 1 | k) = epsilon / M``, exactly.

    Raises
    ------
    ValueError
        Naming a label without states, a state without transitions within its cluster, or a cluster that by itself has
        more than one closed class.

    Notes
    -----
    Walks of the chain itself stay a little off mu_k, since they enter and leave at particular states: the exact share
    of steps from k to l, under the stationary law of the whole chain, is epsilon / (M + epsilon) for the ring.

    Cost: O(transitions), and O(M^3) at most for a cluster of M states; clusters are shared out to threads.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694), section 2.

    Examples
    --------
    >>> from slowthink.metastable import meta_chain, metastable_chain
    >>> meta_chain(metastable_chain(3, 4, 1e-20)).to_dense()
    array([[1.0e+00, 2.5e-21, 0.0e+00],
           [0.0e+00, 1.0e+00, 2.5e-21],
           [2.5e-21, 0.0e+00, 1.0e+00]])
    """
    walked = _walked(chain)
    if labels is None:
        if not isinstance(chain, MetastableChain):
            raise ValueError("labels must be given for a MarkovChain: a MetastableChain alone knows its own")
        labels = chain.labels
    numbers = _arrays.integers(labels, "labels", ndim=1, low=0)
    if len(numbers) != walked.n_states:
        raise ValueError(f"labels must have one label for each of the {walked.n_states} states, got {len(numbers)}")
    most = int(numbers.max())
    if most >= walked.n_states:
        index = int(np.argmax(numbers == most))
        raise ValueError(f"labels[{index}] must be below the number of states, {walked.n_states}, got {most}")
    options = _run.options(threads, progress)
    return MarkovChain._of(_slowthink.meta_chain(walked._chain, numbers.astype(np.uint32), most + 1, options))


def _walked(chain: Any) -> MarkovChain:
    """The chain itself."""
    walked = chain.chain if isinstance(chain, MetastableChain) else chain
    if not isinstance(walked, MarkovChain):
        raise TypeError(f"chain must be a MetastableChain or a MarkovChain, got {type(chain).__name__}")
    return walked
