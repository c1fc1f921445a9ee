"""Forests of trees that are searched together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.problems import Problem
from slowthink.problems._built_in import BuiltIn
from slowthink.trees._export import export
from slowthink.trees._inputs import count, pair, real
from slowthink.trees._policies import Policy, Puct
from slowthink.trees._problem import Searcher
from slowthink.trees._root import Root
from slowthink.trees._tree import Tree

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from typing_extensions import Self

    from slowthink.trees._training import Kind

_BACKUPS = ("mean", "max", "min", "product", "last")


class Forest(_slowthink.Forest):
    """Trees that are searched together: they ask for leaves, and are told what those are worth, in any order.

    Parameters
    ----------
    n_trees : int
        Number of trees, 1 to 2**31 - 1.
    policy : Policy
        Which leaf is asked for next: :class:`Uct`, :class:`Puct`, :class:`Gumbel`, ...
    n_simulations : int, optional
        Simulations that a tree may have in all.
    rng : optional
        Anything that :func:`numpy.random.default_rng` takes. Tree i draws from its own streams.
    first : int
        The number of the first tree: trees `first` to `first + n_trees` of a larger forest with the same `rng` draw the
        same numbers here as there.
    discount : float
        Multiplies a value at each step up, -1 to 1 and not 0; negative where two players alternate whose gains sum to
        zero.
    backup : {"mean", "max", "min", "product", "last"}
        What a node is worth: the mean of its own evaluation and all returns from below; its best evaluated child; the
        mean over simulations of the least evaluation between the node and the leaf, or of their product (a geometric
        mean), or of the leaf's.
    in_flight : "count" or ("loss", float)
        How evaluations in flight weigh on the choice of the next: as visits that leave values alone, or as visits that
        were worth this to the parent.
    max_depth : int, optional
        Nodes at this depth have no children.
    widening : (float, float), optional
        Children come one by one: at most ``k n**alpha`` of them, n the node's visits, those in flight included.
    solver : (float, float), optional
        The least and the greatest value there is, for whoever is to move: nodes are then proven, and left alone, where
        their children leave no doubt about them.
    deduplicate : bool
        Where children come one by one: a child told with the same `payload` as a sibling before it keeps its visit, but
        nothing is asked for below it; the sibling has its prior, and counts it.
    stop_at : float, optional
        A tree is done as soon as a terminal node is told with at least this value, as the player at the root sees it;
        rewards on the way do not count.
    stop_when_settled : bool
        A tree is done as soon as the simulations it has left, of `n_simulations`, cannot change which child of its root
        is visited most. With :class:`Uct` and :class:`Puct`.
    total_simulations : int, optional
        Simulations of all trees together; those in flight count until they are cancelled.
    max_cost_per_tree, max_cost : float, optional
        A tree, or the forest, is done when it was told to have cost this much, such as tokens. What is in flight is not
        known to cost anything, so what a search costs in the end may be more by that.

    Attributes
    ----------
    n_trees, n_in_flight : int
        Trees; leaves that were asked for and not told.
    simulations, costs, done : ndarray
        By tree: completed simulations, what was told to have been spent, whether nothing more is asked for.

    Notes
    -----
    Results depend on the order of tells, never on how they are grouped into calls, nor on the number of threads. A node
    takes 12 to 16 bytes.

    Examples
    --------
    A tree of two actions everywhere, where the value of a state is the share of actions 1 on the way to it.

    >>> import numpy as np
    >>> from slowthink.trees import Forest, Uct
    >>> forest = Forest(1, Uct(c=0.5))
    >>> for _ in range(200):
    ...     leaves = forest.ask(4)
    ...     values = [np.mean(leaves.path(i) or 0) for i in range(len(leaves))]
    ...     _ = forest.tell(leaves, values, n_children=2)
    >>> tree = forest.tree(0)
    >>> bool(tree.visits[0] == tree.n_simulations == forest.simulations[0])
    True
    >>> bool(tree.visits[2] > 3 * tree.visits[1])
    True
    """

    def __new__(
        cls,
        n_trees: int,
        policy: Policy = Puct(),  # noqa: B008 it is frozen
        *,
        n_simulations: int | None = None,
        rng: _run.RNG = None,
        first: int = 0,
        discount: float = 1.0,
        backup: Literal["mean", "max", "min", "product", "last"] = "mean",
        in_flight: Literal["count"] | tuple[Literal["loss"], float] = "count",
        max_depth: int | None = None,
        widening: tuple[float, float] | None = None,
        solver: tuple[float, float] | None = None,
        deduplicate: bool = False,
        stop_at: float | None = None,
        stop_when_settled: bool = False,
        total_simulations: int | None = None,
        max_cost_per_tree: float | None = None,
        max_cost: float | None = None,
    ) -> Self:
        if not isinstance(policy, Policy):
            raise TypeError(f"policy must be one of the policies of slowthink.trees, got {type(policy).__name__}")
        rules = (
            real(discount, "discount"),
            _arrays.choice(backup, "backup", _BACKUPS),
            _loss(in_flight),
            None if max_depth is None else count(max_depth, "max_depth", 0, 2**32 - 1),
            None if n_simulations is None else count(n_simulations, "n_simulations", 1, 2**31 - 1),
            None if widening is None else pair(widening, "widening"),
            None if solver is None else pair(solver, "solver"),
            _arrays.flag(deduplicate, "deduplicate"),
            (
                None if stop_at is None else real(stop_at, "stop_at"),
                _arrays.flag(stop_when_settled, "stop_when_settled"),
                None if total_simulations is None else count(total_simulations, "total_simulations", 1, 2**63 - 1),
                None if max_cost_per_tree is None else real(max_cost_per_tree, "max_cost_per_tree"),
                None if max_cost is None else real(max_cost, "max_cost"),
            ),
        )
        n_trees = count(n_trees, "n_trees", 1, 2**31 - 1)
        first = count(first, "first", 0, 2**64 - 1)
        seed = _run.seed(rng)
        self = super().__new__(cls, n_trees, policy._numbers(), rules, seed, first)
        self.policy = policy
        self._first = first
        self._seed = seed
        self._searcher = None
        return self

    policy: Policy
    _first: int
    _seed: npt.NDArray[np.uint64]
    _searcher: Searcher | None

    def tree(self, i: int) -> Tree:
        """Tree number ``i`` as arrays by node, as it is now.

        Parameters
        ----------
        i : int
            Which tree, 0 to ``n_trees - 1``.

        Examples
        --------
        >>> from slowthink.trees import Forest
        >>> forest = Forest(2)
        >>> forest.tell(forest.ask(2), 0.5, n_children=3)
        2
        >>> forest.tree(1)
        Tree(1 nodes, 1 simulations, depth 0, value 0.5)
        """
        i = count(i, "i", 0, self.n_trees - 1)
        columns, (n_simulations, n_bytes, cost) = self._columns(i)
        payload: list[str | None] = [None] * len(columns["parent"])
        for node, text in self._payload(i).items():
            payload[node] = text
        named: dict[str, Any] = {**columns, "depth": columns["depth"].astype(np.int64), "payload": payload}
        root = Root(*self._root(i))
        return Tree(**named, discount=self.discount, n_simulations=n_simulations, n_bytes=n_bytes, cost=cost, root=root)

    def run(
        self,
        problem: Problem[Any],
        n_simulations: int,
        *,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> None:
        """Completes ``n_simulations`` more simulations in each tree, or as many as its budget leaves.

        Parameters
        ----------
        problem : Problem
            One of :mod:`slowthink.problems`, which are searched without Python, or any object with the methods of
            :class:`slowthink.problems.Problem`.
        n_simulations : int
            Simulations of each tree.
        threads : int, optional
            Number of threads; all by default. A problem in Python runs on one.
        progress : bool or callable
            Whether to show a bar, or a function of (done, total).

        Notes
        -----
        One leaf of each tree is in flight at a time. The states of a problem in Python are kept from run to run as long
        as the problem is the same object.

        Examples
        --------
        >>> from slowthink.problems import TicTacToe
        >>> from slowthink.trees import Forest, Uct
        >>> forest = Forest(1, Uct(), rng=1, discount=-1.0)
        >>> forest.run(TicTacToe(), 2000)
        >>> int(forest.tree(0).visits[1:10].argmax())
        4

        A problem in Python:

        >>> class Count:
        ...     def root(self, tree): return 0
        ...     def n_actions(self, state): return 2 if state < 8 else 0
        ...     def step(self, state, action): return state + 1 + action, float(action)
        ...     def value(self, state, rng): return 0.0
        >>> forest = Forest(2, Uct(), rng=1)
        >>> forest.run(Count(), 100)
        >>> forest.simulations
        array([100, 100])
        """
        n_simulations = count(n_simulations, "n_simulations", 0, 2**31 - 1)
        options = _run.options(threads, progress)
        if isinstance(problem, BuiltIn):
            return self._run(problem._native, n_simulations, options)
        names = ("root", "n_actions", "step", "value")
        missing = [name for name in names if not callable(getattr(problem, name, None))]
        if missing:
            raise TypeError(f"problem must have the methods of slowthink.problems.Problem, lacks {', '.join(missing)}")
        if self._searcher is None or self._searcher.problem is not problem:
            self._searcher = Searcher(problem, self._first, self._seed)
        self._searcher.run(self, n_simulations, options[1])
        return None

    def __len__(self) -> int:
        return self.n_trees

    def __iter__(self) -> Iterator[Tree]:
        return (self.tree(i) for i in range(self.n_trees))

    def export(
        self, kind: Kind, path: str | os.PathLike[str] | None = None, **options: Any
    ) -> list[dict[str, Any]] | int:
        """Training data from all trees: :func:`slowthink.trees.export` of this forest, with its options.

        Parameters
        ----------
        kind : {"sft", "dpo", "prm"}
            Correct paths, pairs of siblings, or steps with their values.
        path : path, optional
            A file to write: ``.jsonl``, ``.parquet`` or ``.arrow``.
        **options
            ``problems``, ``ids``, ``min_visits``, ``correct``, ``which``, ``margin``, ``pairs``, ``of``,
            ``confidence``, ``value_range``, ``separator``, ``text``: see there.

        Returns
        -------
        list of dict, or int
            The rows; their number where they were written to ``path``.

        Examples
        --------
        >>> from slowthink.trees import Forest, Uct
        >>> forest = Forest(1, Uct())
        >>> for values, texts in ([0.5], ["2 + 2?"]), ([0.9, 0.2], ["4", "5"]):
        ...     leaves = forest.ask(2)
        ...     _ = forest.tell(leaves, values, n_children=[2] if len(values) == 1 else [0, 0], payload=texts)
        >>> for row in forest.export("dpo"):
        ...     print(row["prompt"], row["chosen"], "not", row["rejected"])
        2 + 2? 4 not 5
        """
        return export(self, kind, path, **options)

    def stop(self, trees: npt.ArrayLike) -> None:
        """Asks nothing more of these trees. Leaves in flight may still be told.

        Parameters
        ----------
        trees : int or array_like of int, shape (N,)
            Which trees, 0 to ``n_trees - 1``.

        Examples
        --------
        >>> from slowthink.trees import Forest
        >>> forest = Forest(3)
        >>> forest.stop([0, 2])
        >>> forest.done
        array([ True, False,  True])
        >>> forest.ask(5).tree
        array([1], dtype=uint32)
        """
        self._stop(self._numbers(trees))

    def set_priority(self, trees: npt.ArrayLike, priority: int) -> None:
        """Lets these trees go before all of lower priority: those are asked only for what these have not.

        Parameters
        ----------
        trees : int or array_like of int, shape (N,)
            Which trees, 0 to ``n_trees - 1``.
        priority : int
            -2**63 to 2**63 - 1; 0 for every tree at first. Trees of the same priority take turns.

        Examples
        --------
        >>> from slowthink.trees import Forest
        >>> forest = Forest(4)
        >>> forest.set_priority([2, 3], 1)
        >>> forest.ask(3).tree
        array([2, 3, 0], dtype=uint32)
        """
        self._set_priority(self._numbers(trees), count(priority, "priority", -(2**63), 2**63 - 1))

    def _numbers(self, trees: npt.ArrayLike) -> list[int]:
        numbers = np.atleast_1d(_arrays.integers(trees, "trees", ndim=(0, 1), low=0))
        above = numbers >= self.n_trees
        if above.any():
            i = int(above.argmax())
            raise ValueError(f"trees[{i}] must be at most {self.n_trees - 1}, got {numbers[i]}")
        return [int(number) for number in numbers]

    def __repr__(self) -> str:
        trees = "1 tree" if self.n_trees == 1 else f"{self.n_trees:,} trees"
        return f"Forest({trees}, {self.policy!r}, {int(self.simulations.sum()):,} simulations)"


def _loss(value: Any) -> float | None:
    if isinstance(value, str) and value == "count":
        return None
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0] == "loss":
        return real(value[1], "in_flight")
    rule = f"in_flight must be 'count' or ('loss', number), got {value!r}"
    raise ValueError(rule) if isinstance(value, (str, tuple)) else TypeError(rule)
