"""Chains from matrices, weights, edges and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink._slowthink import Chain
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def chain(value: Any, name: str, *, weights: bool = False, dangling: str = "error") -> Chain:
    """The compiled chain of a dense or sparse matrix, or of the three arrays of compressed sparse rows."""
    absorb = _absorb(dangling)
    options = _run.options(1)
    if isinstance(value, tuple) and len(value) == 3:
        if all(isinstance(part, (list, tuple)) and len(part) == 3 for part in value):
            rule = "be a list or an array where it has three rows; a tuple of three is (indptr, indices, numbers)"
            raise ValueError(f"{name} must {rule}")
        indptr, indices, values = value
    elif hasattr(value, "tocsr"):
        if len(value.shape) != 2 or value.shape[0] != value.shape[1] or value.shape[0] == 0:
            raise ValueError(f"{name} must be a square matrix of at least one row, got shape {value.shape}")
        sparse = value.tocsr()
        indptr, indices, values = sparse.indptr, sparse.indices, sparse.data
    else:
        return Chain.from_dense(_arrays.matrix(value, name), weights, absorb, options)
    numbers = None if values is None else _arrays.floats(values, name, ndim=1, finite=False)
    rows = _arrays.integers(indptr, "indptr", ndim=1)
    return Chain.from_csr(rows, _indices(indices, "indices"), numbers, weights, absorb, options)


def from_weights(cls: type[MarkovChain], weights: Any, *, dangling: str = "error") -> MarkovChain:
    """A chain whose transition probabilities are proportional to ``weights`` within each row.

    Parameters
    ----------
    weights : (S, S) array, scipy.sparse matrix or (indptr, indices, weights)
        Non-negative and finite, of any size; within a row a weight must be zero or at least 1e-300 of the sum. Rows of
        a sparse matrix need not be sorted, duplicates add up, zeros are left out. In the tuple, weights may be None:
        all are equal then.
    dangling : "error" or "absorb"
        What becomes of a row of zeros: a ValueError that names it, or a state that is never left.

    Returns
    -------
    MarkovChain
        Rows sum to 1 up to the rounding of their entries. Rows of equal weights are uniform, exactly.

    Raises
    ------
    ValueError
        Naming the row and the column of a weight that is negative, NaN or infinite, or of a target that is no state.

    Notes
    -----
    One thread; about 10 to 20 ns a transition. Float64 weights and indices of 32 or 64 bits are read where they are.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain.from_weights([[3, 1], [0, 0]], dangling="absorb").probabilities
    array([0.75, 0.25, 1.  ])
    """
    return cls._of(chain(weights, "weights", weights=True, dangling=dangling))


def from_edges(
    cls: type[MarkovChain],
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    n_states: int | None = None,
    *,
    directed: bool = True,
    dangling: str = "error",
) -> MarkovChain:
    """A chain that leaves each state by its edges, with probabilities proportional to their weights.

    Parameters
    ----------
    source, target : array_like of int, shape (E,)
        The states that each edge leads from and to, in any order. Parallel edges add up.
    weight : array_like of float, shape (E,), optional
        Non-negative and finite; equal if not given.
    n_states : int, optional
        Number of states, S; one more than the largest named if not given.
    directed : bool
        Whether an edge leads one way only. If not, each stands for two, but for one from a state to itself.
    dangling : "error" or "absorb"
        What becomes of a state without an edge of positive weight: a ValueError that names it, or a state that is
        never left.

    Returns
    -------
    MarkovChain

    Raises
    ------
    ValueError
        Naming the edge of a bad state or weight, or the state without an edge.

    Notes
    -----
    A counting sort on one thread: O(S + E) time, and 8 bytes a state besides the result.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> path = MarkovChain.from_edges([0, 1], [1, 2], directed=False)
    >>> path.to_dense()
    array([[0. , 1. , 0. ],
           [0.5, 0. , 0.5],
           [0. , 1. , 0. ]])
    """
    absorb, directed = _absorb(dangling), _arrays.flag(directed, "directed")
    sources, targets = _indices(source, "source"), _indices(target, "target")
    if sources.dtype != targets.dtype:
        sources, targets = _arrays.integers(sources, "source"), _arrays.integers(targets, "target")
    numbers = None if weight is None else _arrays.floats(weight, "weight", ndim=1, finite=False)
    n = None if n_states is None else _starts.count(n_states, "n_states", low=1, high=2**32 - 1)
    return cls._of(Chain.from_edges(sources, targets, numbers, n, directed, absorb, _run.options(1)))


def from_networkx(
    cls: type[MarkovChain], graph: Any, weight: str | None = "weight", *, dangling: str = "error"
) -> MarkovChain:
    """The random walk on a networkx graph.

    State i is the i-th node in the order of the graph: ``nodes = list(graph)`` gives the node of each state.

    Parameters
    ----------
    graph : networkx Graph, DiGraph, MultiGraph or MultiDiGraph
        An undirected edge is walked both ways; parallel edges add up.
    weight : str or None
        The attribute of the edges that holds their weights; None takes all as equal. Where no edge has an attribute
        "weight" all are equal too; any other name must be there, and on all edges.
    dangling : "error" or "absorb"
        What becomes of a node without an edge of positive weight, as in :meth:`from_edges`.

    Returns
    -------
    MarkovChain

    Raises
    ------
    ValueError
        If only some edges have the attribute; see also :meth:`from_edges`.

    Examples
    --------
    >>> import networkx
    >>> from slowthink.chains import MarkovChain
    >>> graph = networkx.Graph([("a", "b"), ("b", "c")])
    >>> chain = MarkovChain.from_networkx(graph)
    >>> nodes = list(graph)
    >>> [nodes[state] for state in chain.row(nodes.index("b"))[0]]
    ['a', 'c']
    """
    if not all(hasattr(graph, method) for method in ("is_directed", "edges", "nodes")):
        raise TypeError(f"graph must be a networkx graph, got {type(graph).__name__}")
    if weight is not None and not isinstance(weight, str):
        raise TypeError(f"weight must be None or the name of an attribute, got {type(weight).__name__}")
    position = {node: state for state, node in enumerate(graph)}
    if not position:
        raise ValueError("graph must have at least one node")
    edges = [(position[u], position[v]) for u, v in graph.edges()]
    ends = np.array(edges, dtype=np.uint32).reshape(-1, 2).T
    return from_edges(
        cls,
        np.ascontiguousarray(ends[0]),
        np.ascontiguousarray(ends[1]),
        None if weight is None else _attribute(graph, weight),
        len(position),
        directed=graph.is_directed(),
        dangling=dangling,
    )


def _attribute(graph: Any, name: str) -> list[Any] | None:
    """The attribute of all edges, or None where none has it and need not."""
    missing = object()
    values = [value for *_, value in graph.edges(data=name, default=missing)]
    absent = sum(value is missing for value in values)
    if absent and (absent < len(values) or name != "weight"):
        raise ValueError(f"weight must be an attribute of every edge, got {name!r}, which {absent} of them lack")
    return None if absent else values


def _absorb(dangling: str) -> bool:
    return _arrays.choice(dangling, "dangling", ("error", "absorb")) == "absorb"


def _indices(value: Any, name: str) -> npt.NDArray[Any]:
    """``value`` as a 1-D array of integers of a type that the kernels take: its own where that is possible."""
    array = _arrays.numbers(value, name, ndim=1)
    if array.dtype in (np.int32, np.int64, np.uint32) and array.flags.c_contiguous:
        return array
    return _arrays.integers(array, name)
