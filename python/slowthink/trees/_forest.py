"""Forests of trees that are searched together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink.problems import Problem
from slowthink.problems._built_in import BuiltIn
from slowthink.trees._drive import Driver, Evaluate, Expand, Settings, Stop
from slowthink.trees._durability import Durable, Path
from slowthink.trees._expansion import DriveReport
from slowthink.trees._export import export
from slowthink.trees._inputs import count, not_negative, pair, real
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


class Forest(Durable):
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
    transpositions : bool
        States that are reached in several ways are searched once: a leaf that is told with the key of a node of its
        tree shares that node's children; problems of :mod:`slowthink.problems` tell their keys. What is found in either
        way moves the value of both: on every walk it is computed anew from the values that children have now, weighted
        with the visits of the edges to them (D. J. Wu, "Monte-Carlo graph search from first principles", KataGo; Czech
        et al., ICAPS 2021). With :class:`Uct` and :class:`Puct`, backup "mean", evaluations in flight that count, and
        without widening and solver.
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
    journal : str or PathLike, optional
        A file to which all that is asked and told is appended, before its effect is seen: whenever the process dies,
        even by SIGKILL, no more than what was in flight is lost. If the file is there already, the search that it
        holds goes on, which must be the same (with ``rng=None``, whatever its seed was); see :meth:`resume`. Lasts
        as long as the forest; one forest at a time may keep a journal.
    fsync : bool
        Whether each record of the journal is on the disk, and not only with the operating system, before its effect is
        seen: then nothing is lost if the machine loses power, and each call takes the milliseconds of a disk.

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

    With transpositions, the second evaluation of a node is not averaged in: its simulation returns the value that the
    node has. Leaves of one key share only if they have as many children, of which there is one at least. A leaf whose
    node is on its own path stays a node of its own, and a walk that comes back to a node ends there. `Tree.visits` are
    those of edges. A slot takes 12 bytes more, and each key 16.

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
        transpositions: bool = False,
        stop_at: float | None = None,
        stop_when_settled: bool = False,
        total_simulations: int | None = None,
        max_cost_per_tree: float | None = None,
        max_cost: float | None = None,
        journal: Path | None = None,
        fsync: bool = False,
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
            _arrays.flag(transpositions, "transpositions"),
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
        fsync = _arrays.flag(fsync, "fsync")
        if journal is not None:
            self._keep(journal, fsync, same_seed=rng is not None)
        return self

    policy: Policy
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

    def set_budget(self, n_simulations: npt.ArrayLike) -> None:
        """Lets trees have this many simulations in all from now on; none further where they have as many already.

        Parameters
        ----------
        n_simulations : int or array_like of int, shape (n_trees,)
            For all trees, or for each, 0 to 2**31 - 1.

        Examples
        --------
        >>> from slowthink.trees import Forest
        >>> forest = Forest(3)
        >>> forest.set_budget([1, 0, 1])
        >>> forest.ask(9).tree
        array([0, 2], dtype=uint32)
        """
        budgets = _arrays.integers(n_simulations, "n_simulations", ndim=(0, 1), low=0)
        if budgets.ndim and len(budgets) != self.n_trees:
            raise ValueError(f"n_simulations must have one value for each of {self.n_trees} trees, got {len(budgets)}")
        if (budgets >= 2**31).any():
            raise ValueError(f"n_simulations must be below 2**31, got {budgets.max()}")
        self._set_limits(np.broadcast_to(budgets, self.n_trees).tolist())

    async def drive(
        self,
        expand: Expand,
        evaluate: Evaluate | None = None,
        *,
        concurrency: int = 64,
        per_tree: int | None = None,
        retries: int = 3,
        timeout: float | None = None,
        backoff: float = 1.0,
        max_backoff: float = 60.0,
        retry_on: type[BaseException] | tuple[type[BaseException], ...] = Exception,
        n_simulations: int | None = None,
        max_cost: float | None = None,
        max_seconds: float | None = None,
        stop: Stop | None = None,
        on_failure: Literal["skip", "raise"] = "skip",
        progress: _run.Progress = False,
    ) -> DriveReport:
        """Searches with coroutines that evaluate leaves, such as calls of a language model, many at a time.

        Parameters
        ----------
        expand : callable
            Coroutine that takes a :class:`Leaf` and returns an :class:`Expansion`, or a dict of its fields.
        evaluate : callable, optional
            Coroutine that takes the leaf and its expansion and returns its value, where `expand` left it out. The
            children are known to the search, and may be asked for, as soon as `expand` returns.
        concurrency : int
            Leaves in flight at most.
        per_tree : int, optional
            Leaves of one tree in flight at most. Even without, a tree has more than one only where there are fewer
            trees with work than slots: a search is the better the fewer of its leaves are in flight.
        retries : int
            How often a call that fails is made again, after a pause.
        timeout : float, optional
            Seconds a call may take.
        backoff, max_backoff : float
            Seconds of the first pause, which then doubles up to the greatest; half of it is random.
        retry_on : exception type or tuple of them
            What counts as a failure of the call, besides running out of time. Any other exception ends the drive.
        n_simulations : int, optional
            Simulations of all trees together. :meth:`set_budget`, and `n_simulations` of the forest, are those of each.
        max_cost : float, optional
            No leaf is asked for once expansions have cost this much; those in flight are completed.
        max_seconds : float, optional
            The drive ends after this time; leaves in flight are taken back.
        stop : callable, optional
            Takes a leaf and its expansion. Where it returns True the tree is solved: nothing further is asked of it,
            and its leaves in flight are taken back.
        on_failure : {"skip", "raise"}
            What is done about a call that failed to the last: its leaf is taken back, and nothing further is asked of
            its tree in this drive, or its exception is raised.
        progress : bool or callable
            Whether to show a bar, or a function of (done, total).

        Returns
        -------
        DriveReport
            What was done, how full the slots were, what failed.

        Raises
        ------
        ValueError
            Nothing bounds the search: neither a budget nor `stop`. Also where an expansion is out of range.

        Notes
        -----
        However the drive ends, also by an exception or the cancellation of its task, leaves in flight are taken back:
        their counts are as if they had never been asked for. A drive can be followed by another. A leaf costs some 50
        microseconds of the interpreter.

        Examples
        --------
        >>> import asyncio
        >>> from slowthink.trees import Expansion, Forest
        >>> async def expand(leaf):
        ...     await asyncio.sleep(0.001)
        ...     return Expansion(value=sum(leaf.path()) / 10, n_children=3, payload=f"step {leaf.depth}", cost=20)
        >>> forest = Forest(8, n_simulations=10, rng=1)
        >>> report = asyncio.run(forest.drive(expand, concurrency=16))
        >>> report.reason, report.n_simulations, report.cost
        ('done', 80, 1600.0)
        >>> forest.tree(7).payload[1]
        'step 1'
        """
        bounds = (n_simulations, max_cost, max_seconds, stop)
        if all(bound is None for bound in bounds) and any(limit == 2**32 - 1 for limit in self._limits()):
            raise ValueError("n_simulations must be given, here or to the forest, or max_cost, max_seconds or stop")
        kinds = retry_on if isinstance(retry_on, tuple) else (retry_on,)
        if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
            raise TypeError(f"retry_on must be a type of exception, or a tuple of them, got {retry_on!r}")
        for name, function in (("expand", expand), ("evaluate", evaluate), ("stop", stop)):
            if not callable(function) and (function is not None or name == "expand"):
                raise TypeError(f"{name} must be callable, got {type(function).__name__}")
        settings = Settings(
            concurrency=count(concurrency, "concurrency", 1, 2**31 - 1),
            per_tree=2**31 - 1 if per_tree is None else count(per_tree, "per_tree", 1, 2**31 - 1),
            retries=count(retries, "retries", 0, 1000),
            timeout=None if timeout is None else not_negative(timeout, "timeout"),
            backoff=not_negative(backoff, "backoff"),
            max_backoff=not_negative(max_backoff, "max_backoff"),
            retry_on=(*kinds, asyncio.TimeoutError),
            n_simulations=None if n_simulations is None else count(n_simulations, "n_simulations", 0, 2**62),
            max_cost=None if max_cost is None else not_negative(max_cost, "max_cost"),
            max_seconds=None if max_seconds is None else not_negative(max_seconds, "max_seconds"),
            on_failure="raise" if _arrays.choice(on_failure, "on_failure", ("skip", "raise")) == "raise" else "skip",
        )
        report = _run.options(1, progress)[1]
        return await Driver(self, expand, evaluate, stop, report, settings).run()

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
