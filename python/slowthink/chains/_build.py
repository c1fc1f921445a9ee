"""Chains from matrices, weights, edges and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slowthink import _arrays, _run
from slowthink._slowthink import Chain

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def chain(value: Any, name: str, *, weights: bool = False, dangling: str = "error") -> Chain:
    """The compiled chain of a dense or sparse matrix, or of the three arrays of compressed sparse rows."""
    absorb = _arrays.choice(dangling, "dangling", ("error", "absorb")) == "absorb"
    options = _run.options(1)
    if isinstance(value, tuple) and len(value) == 3:
        indptr, indices, values = value
    elif hasattr(value, "tocsr"):
        if len(set(value.shape)) != 1:
            raise ValueError(f"{name} must be a square matrix, got shape {value.shape}")
        sparse = value.tocsr()
        indptr, indices, values = sparse.indptr, sparse.indices, sparse.data
    else:
        return Chain.from_dense(_arrays.matrix(value, name), weights, absorb, options)
    index = _arrays.numbers(indices, "indices", ndim=1)
    if index.dtype not in (np.int32, np.int64, np.uint32) or not index.flags.c_contiguous:
        index = _arrays.integers(index, "indices")
    numbers = None if values is None else _arrays.floats(values, name, ndim=1, finite=False)
    return Chain.from_csr(_arrays.integers(indptr, "indptr", ndim=1), index, numbers, weights, absorb, options)


def from_weights(cls: type[MarkovChain], weights: Any, *, dangling: str = "error") -> MarkovChain:
    """A chain whose transition probabilities are proportional to ``weights`` within each row.

    Parameters
    ----------
    weights : (S, S) array, scipy.sparse matrix or (indptr, indices, weights)
        Non-negative and finite. In the tuple, weights may be None: all are equal then.
    dangling : "error" or "absorb"
        What becomes of a row of zeros: a ValueError that names it, or a state that is never left.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain.from_weights([[3, 1], [0, 0]], dangling="absorb").probabilities
    array([0.75, 0.25, 1.  ])
    """
    return cls._of(chain(weights, "weights", weights=True, dangling=dangling))
