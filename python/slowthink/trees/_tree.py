"""One tree of a forest, as arrays by node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


class Tree:
    """One tree as it was when :meth:`Forest.tree` was called: arrays by node; node 0 is the root.

    A node's children stand behind it. Nodes that were never asked for are there too, with 0 visits.

    Attributes
    ----------
    parent : ndarray of int64
        The parent; -1 for the root.
    action : ndarray of int64
        The number of the node among its siblings; -1 for the root.
    depth : ndarray of uint32
        Steps from the root.
    visits : ndarray of int64
        Completed visits. A node's visits are one more than those of its children.
    in_flight : ndarray of int64
        Visits in flight.
    value : ndarray of float64
        Mean of the node's own evaluation and the returns below it, seen from the node; NaN before it was evaluated.
    reward : ndarray of float64
        Reward of the step into the node.
    prior : ndarray of float64
        Prior probability; NaN where the policy reads none.
    n_children : ndarray of int64
        How many children the node has, as far as that is known.
    payload : dict
        The texts that were told, by node.
    n_simulations : int
        Completed simulations.
    n_bytes : int
        Memory of the nodes in the engine, without texts.
    cost : float
        The sum of what was told to have been spent.
    """

    parent: npt.NDArray[np.int64]
    action: npt.NDArray[np.int64]
    depth: npt.NDArray[np.uint32]
    visits: npt.NDArray[np.int64]
    in_flight: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    reward: npt.NDArray[np.float64]
    prior: npt.NDArray[np.float64]
    n_children: npt.NDArray[np.int64]

    def __init__(
        self,
        columns: Mapping[str, npt.NDArray[np.generic]],
        *,
        payload: Mapping[int, str] | None = None,
        n_simulations: int = 0,
        n_bytes: int = 0,
        cost: float = 0.0,
    ) -> None:
        for name, column in columns.items():
            setattr(self, name, column)
        self.payload: dict[int, str] = dict(payload or {})
        self.n_simulations = n_simulations
        self.n_bytes = n_bytes
        self.cost = cost

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.parent)

    def path(self, node: int) -> list[int]:
        """The actions from the root to ``node``."""
        if not 0 <= node < self.n_nodes:
            raise ValueError(f"node must be at least 0 and below {self.n_nodes}, got {node}")
        actions: list[int] = []
        while node > 0:
            actions.append(int(self.action[node]))
            node = int(self.parent[node])
        return actions[::-1]

    def children(self, node: int) -> npt.NDArray[np.int64]:
        """The children of ``node`` that have room in memory, by action."""
        if not 0 <= node < self.n_nodes:
            raise ValueError(f"node must be at least 0 and below {self.n_nodes}, got {node}")
        return np.flatnonzero(self.parent == node)

    def __repr__(self) -> str:
        depth = int(self.depth[self.visits > 0].max(initial=0))
        value = f", value {self.value[0]:.4g}" if self.visits[0] else ""
        return f"Tree({self.n_nodes:,} nodes, {self.n_simulations:,} simulations, depth {depth}{value})"
