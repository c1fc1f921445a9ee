"""The class ``Tree``: one searched tree as arrays, and what can be asked of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink.trees import _html, _paths, _text
from slowthink.trees._nodes import Flags, Floats, Integers, Kin, make_kin, node_number, path_to, step_values
from slowthink.trees._paths import By
from slowthink.trees._root import Root, RootPolicies


@dataclass(frozen=True, eq=False, repr=False)
class Tree(RootPolicies):
    """A tree as it was when it was asked for: arrays by node, node 0 the root, parents before their children.

    ``Forest.tree`` and :func:`from_arrays` make it.

    Attributes
    ----------
    parent : ndarray of int, shape (N,)
        The parent; -1 for the root.
    action : ndarray of int, shape (N,)
        The number among the siblings; -1 for the root.
    depth : ndarray of int, shape (N,)
        Steps from the root.
    visits : ndarray of int, shape (N,)
        Completed visits; 0 for nodes that were not evaluated.
    value : ndarray of float, shape (N,)
        Mean of the node's own evaluation and the returns below it, *seen from the node*; NaN before it was evaluated.
    reward : ndarray of float, shape (N,)
        Reward of the step into the node, for whoever took it.
    prior : ndarray of float, shape (N,)
        Prior probability; NaN where there is none.
    n_children : ndarray of int, shape (N,)
        Children the node is known to have, whether they have a place in these arrays or not.
    terminal : ndarray of bool, shape (N,)
        Whether the node was evaluated and ends its path.
    payload : sequence of length N
        What was told with each node, a text as a rule; None where nothing was.
    in_flight : ndarray of int, shape (N,)
        Visits in flight.
    player : ndarray of uint8, shape (N,), or None
        The player to move, where players were told.
    same_as : ndarray of int, shape (N,), or None
        With transpositions: the node whose children a node shares because their states are equal, -1 for none. `parent`
        of those children is the former, and paths and exports take them to be its own.
    discount : float
        Multiplies a value at each step up.
    extra : mapping of name to ndarray of length N
        More columns, of imported trees.
    n_nodes, n_simulations, n_bytes, cost : int, int, int, float
        Nodes; completed simulations; memory of the nodes in the engine, without texts; the sum of what was told to have
        been spent.
    root : Root or None
        What the policies at the root follow from, in a tree of a forest.

    Examples
    --------
    >>> from slowthink import trees
    >>> tree = trees.from_arrays(
    ...     [-1, 0, 0, 1, 1], [0.6, 0.75, 0.2, 1.0, 0.5], payload=["2 + 2?", "add", "guess", "4", "5"]
    ... )
    >>> print(tree)
    tree of 5 nodes, 5 evaluated, 3 terminal, depth 2
    N=5 Q=0.6  2 + 2?
    ├─ 0: N=3 Q=0.75  add
    │  ├─ 0: N=1 Q=1 ■  4
    │  └─ 1: N=1 Q=0.5 ■  5
    └─ 1: N=1 Q=0.2 ■  guess
    >>> tree.best_path(by="value")
    array([0, 1, 3])
    >>> tree.vote(tree.payload)
    {'4': 1.0, '5': 0.5, 'guess': 0.2}
    """

    parent: Integers
    action: Integers
    depth: Integers
    visits: Integers
    value: Floats
    reward: Floats
    prior: Floats
    n_children: Integers
    terminal: Flags
    payload: Sequence[Any]
    in_flight: Integers
    player: npt.NDArray[np.uint8] | None = None
    same_as: Integers | None = None
    discount: float = 1.0
    extra: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    n_simulations: int = 0
    n_bytes: int = 0
    cost: float = 0.0
    root: Root | None = None

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.parent)

    def __len__(self) -> int:
        return len(self.parent)

    def __repr__(self) -> str:
        depth = int(self.depth[self.visits > 0].max(initial=0))
        value = f", value {self.value[0]:.4g}" if self.visits[0] else ""
        return f"Tree({self.n_nodes:,} nodes, {self.n_simulations:,} simulations, depth {depth}{value})"

    def __str__(self) -> str:
        return self.to_text()

    @cached_property
    def kin(self) -> Kin:
        """The children of every node, side by side: what the methods below look children up in."""
        return make_kin(self.parent, self.action)

    @cached_property
    def step_value(self) -> Floats:
        """Value of the step into each node for the player who took it: ``reward + discount * value``, shape (N,).

        This is what siblings are compared by: with discount -1 (or another player to move) a node that is bad for
        whoever moves there is a good step. NaN for the root and for nodes that were not evaluated.

        Examples
        --------
        >>> from slowthink import trees
        >>> trees.from_arrays([-1, 0, 0], [0.5, -1.0, 0.25], discount=-1).step_value
        array([  nan,  1.  , -0.25])
        """
        return step_values(self)

    def children(self, node: int = 0) -> Integers:
        """The children of ``node`` that have a place in the arrays, by action.

        Examples
        --------
        >>> from slowthink import trees
        >>> trees.from_arrays([-1, 0, 0, 1], [0.5, 0.7, 0.1, 0.9]).children(0)
        array([1, 2])
        """
        return self.kin.of(node_number(self, node)).copy()

    def path(self, node: int) -> Integers:
        """The nodes from the root to ``node``, both included; ``tree.action[path[1:]]`` are the actions.

        Examples
        --------
        >>> from slowthink import trees
        >>> trees.from_arrays([-1, 0, 0, 1], [0.5, 0.7, 0.1, 0.9]).path(3)
        array([0, 1, 3])
        """
        return path_to(self, node_number(self, node))

    def best_path(
        self,
        by: By = "visits",
        *,
        node: int = 0,
        confidence: float = 0.95,
        value_range: tuple[float, float] | None = None,
    ) -> Integers:
        """The nodes from ``node`` down the best child of each, as far as nodes were evaluated.

        Parameters
        ----------
        by : {"visits", "value", "lower_bound", "max"}
            What makes a child best. Equals are told apart by the lowest action.

            ``"visits"``: the most visited, the *robust child*: what a search trusts, the usual choice.

            ``"value"``: the greatest :attr:`step_value`, the *max child*; a lucky single visit wins here.

            ``"lower_bound"``: the greatest lower end of Wilson's interval for the mean :attr:`step_value`, at
            ``confidence``. It treats a node's visits as independent values at the two ends of ``value_range``, the
            greatest variance there is; a search that visits what looks good makes them neither independent nor
            unbiased, so it is a rule for choosing and not a guarantee.

            ``"max"``: the best single return. With one player: the path to the terminal node (any evaluated leaf,
            where no terminal one was reached) with the greatest sum of rewards and value, discounted. With two
            players: minimax over the evaluated leaves.
        node : int
            Where to begin.
        confidence : float
            Of the interval, two-sided.
        value_range : (float, float), optional
            The least and greatest value there can be. By default [0, 1] where all values lie in it and there is one
            player, otherwise [-1, 1]; must be given where values leave that.

        Returns
        -------
        ndarray of int
            Nodes, ``node`` first.

        Examples
        --------
        >>> from slowthink import trees
        >>> tree = trees.from_arrays([-1, 0, 0, 0], [0.6, 0.6, 0.8, 0.9], visits=[100, 70, 25, 4])
        >>> [tree.best_path(by)[1].item() for by in ("visits", "lower_bound", "value", "max")]
        [1, 2, 3, 3]
        """
        return _paths.best_path(self, by, node, confidence, value_range)

    def best_child(
        self,
        node: int = 0,
        by: By = "visits",
        *,
        confidence: float = 0.95,
        value_range: tuple[float, float] | None = None,
    ) -> int | None:
        """The best evaluated child of ``node``, None where there is none; arguments as in :meth:`best_path`.

        Examples
        --------
        >>> from slowthink import trees
        >>> trees.from_arrays([-1, 0, 0], [0.5, 0.7, 0.9]).best_child(by="value")
        2
        """
        return _paths.best_child(self, node, by, confidence, value_range)

    def vote(
        self,
        answers: Sequence[Hashable] | Mapping[int, Hashable] | Callable[[Any], Hashable],
        weights: Literal["value", "visits"] | npt.ArrayLike | None = "value",
    ) -> dict[Hashable, float]:
        """Votes of the evaluated terminal nodes for their answers.

        Parameters
        ----------
        answers : sequence of length N, mapping or function
            The answer of each node, by number of node, or as a function of its payload. Only terminal nodes are
            looked at; None does not vote.
        weights : {"value", "visits"} or array_like of float, shape (N,), or None
            What a node's vote counts: its value (the last step's reward and the value behind it, as whoever took the
            step sees it), how often the search came there, numbers of your own, or 1.

        Returns
        -------
        dict of answer to weight
            The heaviest first; among equals the answer that stands first in the arrays.

        Raises
        ------
        ValueError
            For a weight below 0: values of [-1, 1] are no votes.

        Examples
        --------
        >>> from slowthink import trees
        >>> tree = trees.from_arrays([-1, 0, 0, 0], [0.5, 0.9, 0.4, 0.6], payload=[None, "x = 7", "x = 3", "x=3"])
        >>> tree.vote(lambda text: text.split("=")[1].strip())
        {'3': 1.0, '7': 0.9}
        >>> tree.vote(lambda text: text.split("=")[1].strip(), weights=None)
        {'3': 2.0, '7': 1.0}
        """
        return _paths.vote(self, answers, weights)

    def to_text(self, *, max_nodes: int = 40, max_depth: int | None = None, width: int | None = None) -> str:
        """The tree as indented lines, the most visited children first; ``print(tree)`` shows it.

        Each line tells the action, visits ``N``, :attr:`step_value` ``Q`` (of the root: its value), prior ``P`` where
        there is one, ■ for a terminal node, and the beginning of its text.

        Parameters
        ----------
        max_nodes : int
            The most visited nodes are shown, up to this many; lines tell how many more there are.
        max_depth : int, optional
            Nodes deeper down are left out as well.
        width : int, optional
            Columns of a line, at least 20; by default what the terminal has.

        Examples
        --------
        >>> from slowthink import trees
        >>> tree = trees.from_arrays([-1, 0, 0, 0], [0.5, 0.7, 0.1, 0.9], payload=["?", "a", "b", "c"])
        >>> print(tree.to_text(max_nodes=3))
        tree of 4 nodes, 4 evaluated, 3 terminal, depth 1
        N=4 Q=0.5  ?
        ├─ 0: N=1 Q=0.7 ■  a
        ├─ 1: N=1 Q=0.1 ■  b
        └─ … 1 more
        """
        return _text.to_text(self, max_nodes, max_depth, width)

    def to_dot(self, *, max_nodes: int = 500, max_characters: int = 60, best: By = "visits") -> str:
        """The tree in the DOT language, for Graphviz: ``dot -Tsvg``.

        Parameters
        ----------
        max_nodes : int
            The most visited nodes are drawn, up to this many; dotted edges tell how many more there are.
        max_characters : int
            Where the text of a node is cut off.
        best : {"visits", "value", "max"}
            The path that is drawn in blue, as in :meth:`best_path`.

        Examples
        --------
        >>> from slowthink import trees
        >>> print(trees.from_arrays([-1, 0], [0.5, 1.0]).to_dot().splitlines()[0])
        digraph tree {
        """
        return _text.to_dot(self, max_nodes, max_characters, self.best_path(best))

    def to_html(
        self, path: str | os.PathLike[str] | None = None, *, title: str | None = None, best: By = "visits"
    ) -> str | Path:
        """The whole tree as one interactive page that needs nothing else, no network included.

        The page unfolds and folds nodes, searches their texts, colours them by value or by visits, shows the details of
        the one that is chosen, and is worked by mouse or keyboard. Only the rows in sight are in the document, so
        100,000 nodes are as smooth as ten.

        Parameters
        ----------
        path : path, optional
            Where to write the page.
        title : str, optional
            The heading; by default the root's text.
        best : {"visits", "value", "lower_bound", "max"}
            The path that is highlighted, as in :meth:`best_path`.

        Returns
        -------
        str or pathlib.Path
            The page, or where it was written.

        Notes
        -----
        About 40 bytes a node and its text. Texts are data to the page and never code, whatever they hold.

        Examples
        --------
        >>> from slowthink import trees
        >>> trees.from_arrays([-1, 0], [0.5, 1.0]).to_html()[:15]
        '<!doctype html>'
        """
        return _html.to_html(self, path, title, best)
