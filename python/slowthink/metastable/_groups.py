"""Groups whose elements label the sparse edges, and what a walk composes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.metastable._family import MetastableChain

_States = npt.NDArray[np.uint32]

_MOST_ELEMENTS = 512
"""Elements of a group whose table is checked: the cube of their number."""


def table(group: Any) -> _States:
    """The table of the cyclic group of an order, or a table that is checked to be that of a group."""
    if isinstance(group, (int, np.integer)):
        order = _starts.count(group, "group", low=2, high=_MOST_ELEMENTS)
        elements = np.arange(order, dtype=np.uint32)
        return np.add.outer(elements, elements) % np.uint32(order)
    products = _arrays.integers(group, "group", ndim=2, low=0)
    n = len(products)
    if products.shape != (n, n) or not 2 <= n <= _MOST_ELEMENTS:
        raise ValueError(f"group must be a table of 2 to {_MOST_ELEMENTS} elements, got shape {products.shape}")
    every = np.arange(n)
    if (np.sort(products, axis=0) != every[:, None]).any() or (np.sort(products, axis=1) != every).any():
        raise ValueError("group must have each element once in each row and column of its table")
    for a in every:
        if (products[products[a]] != products[a][products]).any():
            raise ValueError(f"group must be associative: (a b) c = a (b c), which fails for a = {a}")
    return products.astype(np.uint32)  # an associative table with such rows and columns is that of a group


def identity(products: _States) -> int:
    """The element that changes no other."""
    return int(np.argmax((products == np.arange(len(products))).all(axis=1)))


def others(products: _States) -> _States:
    """All elements but the identity, ascending."""
    return np.delete(np.arange(len(products), dtype=np.uint32), identity(products))


def compose(self: MetastableChain, walks: npt.ArrayLike) -> _States:
    """What the sparse edges along walks compose to: the last action times ... times the first.

    Parameters
    ----------
    walks : (T + 1,) or (W, T + 1) array of int
        States of each walk, as :meth:`MarkovChain.walk` gives them.

    Returns
    -------
    (W,) ndarray of uint32, or a 0-D one for one walk
        An element of the group for each walk; the identity where no sparse edge was taken.

    Raises
    ------
    ValueError
        If the edges have no actions, or there is a step from one cluster to another that is no sparse edge.

    Notes
    -----
    O(W T log E), with a few arrays of the size of ``walks``.

    Examples
    --------
    >>> from slowthink.metastable import metastable_chain
    >>> parity = metastable_chain(4, 3, 0.5, group=2)
    >>> parity.compose([[1, 0, 4, 3, 7], [1, 0, 2, 0, 4]])  # two sparse edges, and one
    array([0, 1], dtype=uint32)
    """
    if self.group is None or self.edge_actions is None:
        raise ValueError("walks must be on a chain whose edges have actions: make it with group=")
    states = _starts.states(walks, "walks", self.n_states, ndim=(1, 2))
    if states.shape[-1] == 0:
        raise ValueError(f"walks must have at least one state, got shape {states.shape}")
    rows = states.reshape(-1, states.shape[-1]).astype(np.int64)
    neutral = identity(self.group)
    walk, step = np.nonzero(rows[:, 1:] // self.cluster_size != rows[:, :-1] // self.cluster_size)
    keys = rows[walk, step] * self.n_states + rows[walk, step + 1]
    known = self.sparse_edges[:, 0].astype(np.int64) * self.n_states + self.sparse_edges[:, 1]
    place = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
    missing = np.ones(len(keys), np.bool_) if not len(known) else known[place] != keys
    if missing.any():
        first = int(np.argmax(missing))
        index = (int(walk[first]), int(step[first]) + 1)[2 - states.ndim :]
        at, to = rows[walk[first], step[first]], rows[walk[first], step[first] + 1]
        rule = f"step from cluster to cluster along sparse edges, and from {at} none leads to {to}"
        raise ValueError(f"walks[{', '.join(map(str, index))}] must {rule}")
    composed = np.full(len(rows), neutral, dtype=np.uint32)
    actions = self.edge_actions[place]
    # The i-th crossing of every walk at once.
    begins = np.searchsorted(walk, np.arange(len(rows) + 1))
    for i in range(int(np.diff(begins).max(initial=0))):
        active = np.flatnonzero(begins[:-1] + i < begins[1:])
        composed[active] = self.group[actions[begins[active] + i], composed[active]]
    return composed.reshape(states.shape[:-1])
