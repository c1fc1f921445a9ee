"""Reachability in graphs, the task of ProsQA."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.problems import _prosqa
from slowthink.problems._built_in import whole
from slowthink.problems._graph_walks import GraphWalks, Superposition
from slowthink.problems._graphs import Graphs

_Ints = npt.NDArray[np.int64]

_MOST_STEPS = 2**31 - 1
"""Steps a walk can be given."""

_RESTARTED = 1_000_000
"""Steps after which walks that begin anew are cut off, unless told."""


class Reachability(Graphs):
    """Which of two nodes can be reached from the root of a directed graph? Many small graphs, one for each instance.

    A walk begins at the root and follows edges. It answers a candidate when it comes to one: the target is right, the
    other is wrong. In ProsQA the other candidate cannot be reached, so a walk that fails ends at a sink, from which no
    edge leads on; the states of a tree search are the same. Tree t works on instance t modulo n.

    Parameters
    ----------
    edges : array_like of int, shape (E, 3), or (E, 2) for a single graph
        The number of the graph, and the nodes that the edge leads from and to. Nodes of each graph are numbered from 0.
        The order of the edges of a node is that of its actions; an edge that is there twice counts twice.
    root, target, neg_target : array_like of int, shape (n,), or int
        Where walks begin, the candidate that is right and the one that is wrong: three different nodes.
    n_nodes : array_like of int, shape (n,), or int, optional
        How many nodes each graph has, at most 2**24; by default those that are named.
    weights : array_like of float, shape (E,), optional
        Above 0: the policy takes an edge in proportion to its weight. By default all edges of a node are alike.
    symbols : sequence of sequence of str, optional
        What the nodes of each graph are called; by default by their numbers.
    guess : bool
        Whether a walk at a sink takes one step more and answers either candidate, each with probability 1/2. True by
        default, for then every walk has an answer, and a majority vote has a margin: how often walks find the target.
        With False a walk at a sink has no answer, and of those that answer on ProsQA all are right.
    max_steps : int, optional
        Steps after which a walk is cut off without an answer; with ``guess`` its last step is a guess. By default the
        longest walk of all graphs without cycles, or the nodes of the largest graph with one, if that is more.

    Notes
    -----
    Where walks can be longer than ``max_steps`` the steps taken belong to a state. Elsewhere walks that meet are in the
    same state, and :meth:`key` tells.

    References
    ----------
    Hao et al. 2024, "Training Large Language Models to Reason in a Continuous Latent Space" (ProsQA); Zhu et al. 2025,
    "Reasoning by Superposition" (arXiv 2505.12514).

    Examples
    --------
    >>> from slowthink.problems import Reachability
    >>> graph = Reachability([[0, 1], [0, 2], [0, 3], [1, 4], [2, 4], [4, 5]], root=0, target=5, neg_target=6)
    >>> graph.depth(), graph.n_paths(), graph.hit_probability().round(3)
    (array([3]), array([2.]), array([0.667]))
    >>> graph.answer_probabilities().round(3)                        # right, wrong, none: at node 3 it guesses
    array([[0.833, 0.167, 0.   ]])
    >>> graph.pass_at_k([1, 2, 4]).round(3)
    array([[0.667, 0.889, 0.988]])
    >>> graph.superposition().measure()                              # undecided, undecided, undecided, right
    array([[0, 0, 0, 1]], dtype=int8)
    """

    def __init__(
        self,
        edges: npt.ArrayLike,
        root: npt.ArrayLike,
        target: npt.ArrayLike,
        neg_target: npt.ArrayLike,
        *,
        n_nodes: npt.ArrayLike | None = None,
        weights: npt.ArrayLike | None = None,
        symbols: Sequence[Sequence[str]] | None = None,
        guess: bool = True,
        max_steps: int | None = None,
    ) -> None:
        named = {"root": root, "target": target, "neg_target": neg_target}
        questions = {name: np.atleast_1d(_arrays.integers(v, name, ndim=(0, 1))) for name, v in named.items()}
        self._edges = _edges(edges, len(questions["root"]))
        self._questions = np.stack(_same_lengths(questions))
        sizes = None if n_nodes is None else np.atleast_1d(_arrays.integers(n_nodes, "n_nodes", ndim=(0, 1)))
        self._weights = None if weights is None else _arrays.floats(weights, "weights", ndim=1)
        self._symbols = None if symbols is None else _texts(symbols, len(self._questions[0]))
        self.guess = _arrays.flag(guess, "guess")
        limit = None if max_steps is None else whole(max_steps, "max_steps", 1, _MOST_STEPS)
        flat = [] if self._symbols is None else [symbol for symbols in self._symbols for symbol in symbols]
        self._native = _slowthink.Problem.reachability(
            self._edges, self._weights, list(self._questions), sizes, self.guess, limit, flat, _run.options()
        )
        self._n_nodes = _slowthink.graph_sizes(self._native)
        if self._symbols is not None:
            for i, (names, size) in enumerate(zip(self._symbols, self._n_nodes, strict=True)):
                if len(names) != size:
                    raise ValueError(f"symbols[{i}] must be one for each of {size} nodes, got {len(names)}")
        self._arguments = {
            "edges": self._edges,
            **dict(zip(questions, self._questions, strict=True)),
            "n_nodes": self._n_nodes,
            "weights": self._weights,
            "symbols": self._symbols,
            "guess": self.guess,
            "max_steps": limit,
        }

    def __repr__(self) -> str:
        return f"Reachability(<{self.n_instances} graphs>, guess={self.guess}, max_steps={self.max_steps})"

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, guess: bool = True, max_steps: int | None = None) -> Reachability:
        """The instances of a file in the format of ProsQA.

        Parameters
        ----------
        path : str or PathLike
            JSON, an array of objects, or JSON lines, an object each. An object has ``edges``, ``root``, ``target`` and
            ``neg_target``; ``idx_to_symbol`` is taken where it is there, and nothing else is needed.
        guess, max_steps
            As of the class.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It is not in this format; the message says where.

        Examples
        --------
        >>> import tempfile
        >>> from slowthink.problems import Reachability
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Reachability.generate(3, rng=1).write(f"{folder}/three.json")
        ...     Reachability.read(f"{folder}/three.json").n_instances
        3
        """
        return cls(**_prosqa.read(path), guess=guess, max_steps=max_steps)

    @classmethod
    def generate(
        cls,
        n: int,
        *,
        n_nodes: int = 28,
        n_parents: float = 1.5,
        shares: npt.ArrayLike = (0.36, 0.46),
        depth_weight: float = 1.5,
        min_depth: int = 3,
        guess: bool = True,
        rng: _run.RNG = None,
        first: int = 0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> Reachability:
        """Random instances like those of ProsQA.

        Nodes 0 and 1 are roots. Each further node draws its parents: from the descendants of root 0 alone, from those
        of root 1 alone, or from all nodes so far. Nodes left without any edge are dropped. The question begins at the
        root whose deepest sink of its own lies deeper; that sink is the target, and the other candidate is a sink that
        descends from the other root alone, so that it can never be reached.

        Parameters
        ----------
        n : int
            How many instances.
        n_nodes : int
            Nodes of a graph before some are dropped.
        n_parents : float
            Mean of the Poisson number of parents, up to 100.
        shares : (float, float)
            Probabilities that a node takes its parents from the descendants of the one root alone, and of the other.
        depth_weight : float
            A node at depth d is drawn as a parent with weight ``1 + depth_weight * d``.
        min_depth : int
            Distance of the target from the root, at least.
        guess : bool
            As of the class.
        rng : None, int, SeedSequence or Generator
            Where randomness comes from.
        first : int
            The number of the first instance; parts of a job that begin where the last one ended make one set.
        threads : int, optional
            Number of threads; all by default.
        progress : bool or callable
            A bar, or a callable of (done, total).

        Notes
        -----
        With the defaults nodes, edges, depths, reachable nodes and in-degrees have the laws of the published sets: see
        docs/problems.md. The construction is in the spirit of the appendix of Hao et al. 2024; the numbers were fitted
        to the sets. About 50 microseconds an instance.

        Examples
        --------
        >>> from slowthink.problems import Reachability
        >>> graphs = Reachability.generate(1000, rng=1)
        >>> bool((graphs.depth() >= 3).all()), bool(22 < graphs.n_nodes.mean() < 24)
        (True, True)
        """
        law = (
            whole(n_nodes, "n_nodes", 3, 2**24),
            float(_arrays.floats(n_parents, "n_parents", ndim=0)),
            _pair(shares, "shares"),
            float(_arrays.floats(depth_weight, "depth_weight", ndim=0)),
            whole(min_depth, "min_depth", 1, 2**32 - 1),
        )
        count = whole(n, "n", 1, 2**31)
        _arrays.fits((count, law[0], 3), np.int64, "edges of all graphs")
        start, guesses = whole(first, "first"), _arrays.flag(guess, "guess")
        drawn = _slowthink.generate_graphs(count, law, _run.seed(rng), start, _run.options(threads, progress))
        edges, questions, sizes, names, n_names = drawn
        symbols = _prosqa.symbols(edges, sizes, names, n_names)
        root, target, neg_target = questions.T
        return cls(edges, root, target, neg_target, n_nodes=sizes, symbols=symbols, guess=guesses)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes all instances in the format of ProsQA, with :meth:`record` for each.

        Parameters
        ----------
        path : str or PathLike
            A name that ends in .jsonl gets JSON lines, any other a JSON array. Weights are not written.
        """
        _prosqa.write(path, (self.record(i) for i in range(self.n_instances)))

    def record(self, instance: int) -> dict[str, Any]:
        """An instance as ProsQA has it, as text and as a graph.

        Parameters
        ----------
        instance : int
            From 0.

        Returns
        -------
        dict
            ``question``, ``steps`` (a shortest path to the target, a sentence for each edge; none if there is no path),
            ``answer``, ``idx_to_symbol``, ``edges``, ``root``, ``target``, ``neg_target``.

        Examples
        --------
        >>> from slowthink.problems import Reachability
        >>> names = ["Ada", "borble", "zandet", "Ben", "miffon"]
        >>> graph = Reachability([[0, 1], [1, 2], [3, 4]], root=0, target=2, neg_target=4, symbols=[names])
        >>> graph.record(0)["question"]
        'Ada is a borble. Every borble is a zandet. Ben is a miffon. Is Ada a zandet or a miffon?'
        """
        number = whole(instance, "instance", high=self.n_instances - 1)
        root, target, neg_target = self._questions[:, number].tolist()
        edges = self.edges(number).tolist()
        names = [str(i) for i in range(self._n_nodes[number])] if self._symbols is None else self._symbols[number]
        return _prosqa.record(names, edges, root, target, neg_target)

    def take(self, instances: npt.ArrayLike) -> Reachability:
        """The problem with some of the instances.

        Parameters
        ----------
        instances : array_like of int, shape (m,)
            Their numbers, in any order; or a mask of bools, shape (n,).

        Examples
        --------
        >>> from slowthink.problems import Reachability
        >>> graphs = Reachability.generate(200, rng=1)
        >>> shallow = graphs.take(graphs.depth() <= 4)
        >>> int(shallow.depth().max())
        4
        """
        chosen = _arrays.numbers(instances, "instances", ndim=1)
        if chosen.dtype == bool:
            if len(chosen) != self.n_instances:
                raise ValueError(f"instances must be a mask of length {self.n_instances}, got {len(chosen)}")
            chosen = np.flatnonzero(chosen)
        chosen = _arrays.integers(chosen, "instances", low=0)
        if not len(chosen):
            raise ValueError("instances must have at least one entry")
        if chosen.max() >= self.n_instances:
            i = int(np.argmax(chosen >= self.n_instances))
            raise ValueError(f"instances[{i}] must be below {self.n_instances}, got {chosen[i]}")
        parts = [self._edges_of(number) for number in chosen]
        edges = np.concatenate([self._edges[part] for part in parts])
        edges[:, 0] = np.repeat(np.arange(len(chosen)), [len(part) for part in parts])
        limit = self._arguments["max_steps"]
        return Reachability(
            edges,
            *self._questions[:, chosen],
            n_nodes=self._n_nodes[chosen],
            weights=None if self._weights is None else self._weights[np.concatenate(parts)],
            symbols=None if self._symbols is None else [self._symbols[number] for number in chosen],
            guess=self.guess,
            max_steps=limit,
        )

    def walk(
        self,
        policy: Literal["policy", "no-revisit", "depth-first"] = "policy",
        *,
        n_walks: int = 1,
        restart: bool = False,
        max_steps: int | None = None,
        rng: _run.RNG = None,
        first: int = 0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> GraphWalks:
        """Walks from the root of every instance, and how each of them ended. They do not guess.

        Parameters
        ----------
        policy : {"policy", "no-revisit", "depth-first"}
            ``"policy"`` takes edges by their weights, or all alike. ``"no-revisit"`` takes an edge, all alike, to a
            node where the walk has not been, and ends where there is none; without cycles that is the first again.
            ``"depth-first"`` goes back in that case to where it came from, which is a step as well: it finds the target
            wherever there is a way, unless it comes to the other candidate before.
        n_walks : int
            Walks for each instance, W.
        restart : bool
            Whether a walk that ends at no candidate begins again at the root: how long a walker needs who may fail.
        max_steps : int, optional
            Steps after which a walk is cut off, tries together; by default the ``max_steps`` of the problem, a million
            with ``restart``, and twice the nodes of the largest graph with ``"depth-first"``, which are enough.
        rng : None, int, SeedSequence or Generator
            Where randomness comes from. Walk w of instance i draws from stream ``first + w`` of child i of the seed,
            once for each step forward.
        first : int
            The number of the first walk of each instance.
        threads : int, optional
            Number of threads; all by default.
        progress : bool or callable
            A bar, or a callable of (done, total).

        Returns
        -------
        GraphWalks
            ``hit``, ``end``, ``steps`` and ``tries``, each of shape (n, W).

        Examples
        --------
        >>> from slowthink.problems import Reachability
        >>> graphs = Reachability.generate(100, rng=1)
        >>> walks = graphs.walk(n_walks=1000, rng=1)
        >>> bool(abs(walks.hit.mean() - graphs.hit_probability().mean()) < 0.01)
        True
        >>> bool(graphs.walk("depth-first", rng=1).hit.all())
        True
        """
        manner = _arrays.choice(policy, "policy", ("policy", "no-revisit", "depth-first"))
        count, again = whole(n_walks, "n_walks", 1, 2**48), _arrays.flag(restart, "restart")
        if max_steps is not None:
            limit = whole(max_steps, "max_steps", 1, _MOST_STEPS)
        elif again:
            limit = _RESTARTED
        else:
            limit = 2 * int(self._n_nodes.max()) if manner == "depth-first" else self.max_steps
        bits = _arrays.empty((self.n_instances * count,), np.uint64)
        _slowthink.walk_graphs(
            self._native, (manner, again, limit), count, _run.seed(rng), whole(first, "first"), bits,
            _run.options(threads, progress),
        )  # fmt: skip
        return GraphWalks.of_bits(bits.reshape(self.n_instances, count))

    def superposition(
        self,
        n_steps: int | None = None,
        *,
        noise: float = 0.0,
        threshold: float = 0.5,
        rng: _run.RNG = None,
        first: int = 0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> Superposition:
        """Thoughts that hold all nodes reached so far at once: breadth-first search, one expansion a step.

        Thought c is ``|V_c|**-0.5`` times the sum of the unit vectors of ``V_c``, the nodes within c edges of the root.

        Parameters
        ----------
        n_steps : int, optional
            Steps, C; by default the distance of the farthest target.
        noise : float
            With noise a step is: add to the weight of each node the weights of the nodes with an edge to it, and a
            normal number of this standard deviation; keep the nodes above the threshold, with equal weights again. This
            model of a thought of limited precision is ours; without noise it gives the thoughts above.
        threshold : float
            In units of the weights of the thought before. It matters with noise alone, if it is below 1.
        rng : None, int, SeedSequence or Generator
            Where the noise comes from. Instance i draws from stream ``first + i``.
        first : int
            The number of the first instance.
        threads : int, optional
            Number of threads; all by default.
        progress : bool or callable
            A bar, or a callable of (done, total).

        Returns
        -------
        Superposition
            The weights, what they answer after each step, and when they settled.

        References
        ----------
        Zhu et al. 2025, "Reasoning by Superposition" (arXiv 2505.12514), lemma 2.

        Examples
        --------
        >>> from slowthink.problems import Reachability
        >>> graphs = Reachability.generate(100, rng=1)
        >>> bool((graphs.superposition().solved_at() == graphs.depth()).all())
        True
        """
        if n_steps is None:
            steps = max(0, int(self.depth(threads=threads).max()))
        else:
            steps = whole(n_steps, "n_steps", high=2**32)
        sigma = float(_arrays.floats(noise, "noise", ndim=0, low=0.0))
        level = float(_arrays.floats(threshold, "threshold", ndim=0))
        if not level > 0.0:
            raise ValueError(f"threshold must be above 0, got {level}")
        shape = (self.n_instances, steps + 1, int(self._n_nodes.max()))
        weights = _arrays.empty(shape, np.float64)
        disturbed = (sigma, level) if sigma > 0.0 else None
        _slowthink.graph_thoughts(
            self._native, steps, shape[2], disturbed, _run.seed(rng), whole(first, "first"), weights.reshape(-1),
            _run.options(threads, progress),
        )  # fmt: skip
        return Superposition(weights, self._questions[1].copy(), self._questions[2].copy())


def _edges(edges: Any, n: int) -> _Ints:
    array = _arrays.integers(edges, "edges")
    if array.size == 0:
        return np.empty((0, 3), np.int64)
    if array.ndim != 2 or array.shape[1] not in ((2, 3) if n == 1 else (3,)):
        columns = "three columns" + (", or two for a single graph" if n == 1 else "")
        raise ValueError(f"edges must have {columns}, got shape {array.shape}")
    if array.shape[1] == 2:
        array = np.column_stack([np.zeros(len(array), np.int64), array])
    return np.ascontiguousarray(array)


def _same_lengths(named: dict[str, _Ints]) -> list[_Ints]:
    for name, array in named.items():
        _arrays.same_length(named["root"], "root", array, name)
    return list(named.values())


def _texts(symbols: Any, n: int) -> list[list[str]]:
    """``symbols`` as a list of lists of str."""
    if isinstance(symbols, str) or not isinstance(symbols, Sequence):
        raise TypeError(f"symbols must be a list of lists of str, got {type(symbols).__name__}")
    if len(symbols) != n:
        raise ValueError(f"symbols must have one list for each root, {n}, got {len(symbols)}")
    for i, names in enumerate(symbols):
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise TypeError(f"symbols[{i}] must be a list of str, got {type(names).__name__}")
        for j, name in enumerate(names):
            if not isinstance(name, str):
                raise TypeError(f"symbols[{i}, {j}] must be a str, got {type(name).__name__}")
    return [list(names) for names in symbols]


def _pair(shares: Any, name: str) -> tuple[float, float]:
    array = _arrays.floats(shares, name, ndim=1, low=0.0, high=1.0)
    if len(array) != 2:
        raise ValueError(f"{name} must be two numbers, got {len(array)}")
    return float(array[0]), float(array[1])
