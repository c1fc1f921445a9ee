"""What other libraries take: a chain as a dense or sparse matrix, or as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _run
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def row(self: MarkovChain, state: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
    """The transitions out of one state.

    Returns
    -------
    targets : (D,) uint32 array
        Where they lead, ascending.
    probabilities : (D,) float64 array

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.9, 0.1], [0.5, 0.5]]).row(0)
    (array([0, 1], dtype=uint32), array([0.9, 0.1]))
    """
    return self._chain.row(int(_starts.states(state, "state", self.n_states, ndim=0)))


def to_dense(self: MarkovChain, *, threads: int | None = None) -> npt.NDArray[np.float64]:
    """The transition matrix, (S, S): 8 bytes for each pair of states.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain.from_edges([0, 1, 1], [1, 0, 1]).to_dense()
    array([[0. , 1. ],
           [0.5, 0.5]])
    """
    options = _run.options(threads)
    out = np.empty((self.n_states, self.n_states))
    self._chain.fill_dense(out, options)
    return out


def to_scipy(self: MarkovChain) -> Any:
    """The transition matrix as a ``scipy.sparse.csr_array`` of shape (S, S): new arrays, rows sorted.

    Indices have 32 bits where that suffices.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> matrix = MarkovChain([[0.9, 0.1], [0.5, 0.5]]).to_scipy()
    >>> (matrix @ matrix).toarray().round(2)
    array([[0.86, 0.14],
           [0.7 , 0.3 ]])
    """
    try:
        from scipy.sparse import csr_array
    except ImportError:
        raise ImportError("to_scipy() needs SciPy: pip install scipy") from None
    # SciPy takes signed indices alone, of the same type as indptr.
    index = np.int32 if max(self.n_states, self.n_transitions) < 2**31 else np.int64
    indices = self.indices
    indices = indices.view(index) if index is np.int32 else indices.astype(index)
    arrays = (self.probabilities, indices, self.indptr.astype(index, copy=False))
    matrix = csr_array(arrays, shape=(self.n_states, self.n_states))
    matrix.has_canonical_format = True  # SciPy would look for itself
    return matrix


def to_networkx(self: MarkovChain) -> Any:
    """The chain as a ``networkx.DiGraph``: nodes 0 to S - 1, and an edge with its ``weight`` for each transition.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> graph = MarkovChain([[0.9, 0.1], [0.5, 0.5]]).to_networkx()
    >>> graph.edges[0, 1]
    {'weight': 0.1}
    """
    try:
        from networkx import DiGraph
    except ImportError:
        raise ImportError("to_networkx() needs networkx: pip install networkx") from None
    graph = DiGraph()
    graph.add_nodes_from(range(self.n_states))
    source = np.repeat(np.arange(self.n_states), np.diff(self.indptr))
    edges = zip(source.tolist(), self.indices.tolist(), self.probabilities.tolist(), strict=True)
    graph.add_weighted_edges_from(edges)
    return graph
