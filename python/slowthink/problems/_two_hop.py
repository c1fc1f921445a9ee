"""Contexts for reasoning in several hops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.problems._built_in import whole

_FIRST_NODE = 4


class Dynamics(NamedTuple):
    """The three-parameter model while it learns."""

    loss: npt.NDArray[np.float64]
    """(n_steps + 1,) the loss before the first step, and after each."""
    parameters: npt.NDArray[np.float64]
    """(n_steps + 1, 3) beta_1, alpha_2 and alpha_3, likewise."""


class TwoHop:
    """Contexts that tell disjoint chains of nodes edge by edge, all mixed up, and ask for the end of one.

    With two hops a chain is a -> b -> c. Its edges are told as "a b" and "b c", in this order, with edges of other
    chains before, between and after. The question is a, the answer c; the other chains distract. A context is

        the edges, two tokens each; the question; the answer; padding.

    Tokens 0 to 3 are special: 0 begins, 1 marks an edge and 2 an answer in variants that write these; 3 ends, and is
    what contexts are padded with. Nodes are the tokens from 4 on.

    Parameters
    ----------
    n_nodes : int
        Node tokens to draw from, at least ``n_chains * (hops + 1)``, at most 2**20.
    hops : int
        Edges of a chain, at least 1.
    n_chains : int, optional
        The chain that is asked for, and the distractors. By default as many as fit: ``(length - 2) // 2 // hops``.
    length : int
        Tokens of a context, at least ``2 * hops * n_chains + 2``.

    Notes
    -----
    The nodes of the chains are drawn without replacement. The next edge is of a chain with probability proportional to
    the edges that it has left, so that all orders that keep that of each chain are equally probable. The chain that is
    asked for is uniform, independent of all else: whoever knows the ends of all chains and nothing more is right with
    probability ``1 / n_chains``, however he chooses.

    References
    ----------
    Guo, Zhu, Zhang, Jiao, Mei, Jordan and Russell 2025, "How Do LLMs Perform Two-Hop Reasoning in Context?" (arXiv
    2502.13913), whose setting are the defaults.

    Examples
    --------
    >>> from slowthink.problems import TwoHop
    >>> task = TwoHop()
    >>> contexts = task.sample(3, rng=1)
    >>> contexts[0]
    array([13, 12, 25, 18, 33, 10, 18, 26, 10, 11, 12, 17, 30, 24,  4, 19, 19,
           16, 24,  9, 33, 11,  3,  3], dtype=uint32)
    >>> task.describe(contexts[0])
    '13>12 25>18 33>10 18>26 10>11 12>17 30>24 4>19 19>16 24>9 33? 11'
    >>> task.answer(contexts).tolist(), contexts[:, task.answer_place].tolist()
    ([11, 29, 22], [11, 29, 22])
    >>> task.answer(contexts, hops=1).tolist()  # the bridges
    [10, 18, 9]
    >>> task.ends(contexts)[0].tolist()
    [26, 11, 17, 16, 9]
    """

    def __init__(self, n_nodes: int = 30, hops: int = 2, n_chains: int | None = None, length: int = 24) -> None:
        self.n_nodes = whole(n_nodes, "n_nodes", 1, 2**20)
        """Node tokens."""
        self.hops = whole(hops, "hops", 1, 2**20)
        """Edges of a chain."""
        self.length = whole(length, "length", 4)
        """Tokens of a context."""
        self.n_chains = (self.length - 2) // 2 // self.hops if n_chains is None else whole(n_chains, "n_chains", 1)
        """Chains of a context."""
        if self.n_chains < 1:
            raise ValueError(f"length must be at least 2 hops + 2 = {2 * self.hops + 2}, got {self.length}")
        # The kernel knows the rules: a call without contexts.
        self._fill(np.empty((0, self.length), np.uint32), _run.seed(0), 0, _run.options(1))

    def __repr__(self) -> str:
        sizes = f"n_nodes={self.n_nodes}, hops={self.hops}, n_chains={self.n_chains}, length={self.length}"
        return f"TwoHop({sizes})"

    @property
    def n_tokens(self) -> int:
        """Size of the vocabulary: the nodes and four special tokens."""
        return self.n_nodes + _FIRST_NODE

    @property
    def answer_place(self) -> int:
        """The place of the answer in a context; that of the question is one less."""
        return 2 * self.hops * self.n_chains + 1

    def sample(
        self,
        n: int,
        *,
        rng: _run.RNG = None,
        first: int = 0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> npt.NDArray[np.uint32]:
        """Random contexts.

        Parameters
        ----------
        n : int
            How many.
        rng : None, int, SeedSequence or Generator
        first : int
            The number of the first context: shards (``first=``) make up the whole.
        threads : int, optional
            Number of threads; all by default.
        progress : bool or callable
            True shows a bar; a callable is given the contexts made and their number.

        Returns
        -------
        (n, length) ndarray of uint32

        Notes
        -----
        Context i draws from stream ``first + i`` of the seed, a word for each node, edge and question: about 10 ns a
        token.
        """
        first = whole(first, "first")
        out = _arrays.empty((whole(n, "n"), self.length), np.uint32)
        self._fill(out, _run.seed(rng), first, _run.options(threads, progress))
        return out

    def _fill(self, out: Any, seed: Any, first: int, options: _run.Options) -> None:
        _slowthink.two_hop_contexts((self.n_nodes, self.hops, self.n_chains), seed, first, out, options)

    def answer(self, contexts: npt.ArrayLike, *, hops: int | None = None) -> npt.NDArray[np.uint32]:
        """Answers by sequential query: from the question on, ``hops`` times to the target of the edge out of a node.

        Parameters
        ----------
        contexts : array_like of int, shape (n, length)
            As :meth:`sample` makes them. The written answer is not looked at.
        hops : int, optional
            From 0, the question itself, to those of the task, the default, which is always right.

        Returns
        -------
        (n,) ndarray of uint32
        """
        array, edges = self._edges(contexts)
        n_hops = self.hops if hops is None else whole(hops, "hops", 0, self.hops)
        node = array[:, self.answer_place - 1]
        rows = np.arange(len(array))
        for _ in range(n_hops):
            found = edges[:, :, 0] == node[:, None]
            place = found.argmax(axis=1)
            missing = ~found[rows, place]
            if missing.any():
                row = int(missing.argmax())
                raise ValueError(f"contexts[{row}] must have an edge out of token {node[row]}")
            node = edges[rows, place, 1]
        return node.astype(np.uint32)

    def ends(self, contexts: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """The last nodes of the chains, in the order in which they are told: what a guess is about.

        Parameters
        ----------
        contexts : array_like of int, shape (n, length)
            As :meth:`sample` makes them.

        Returns
        -------
        (n, n_chains) ndarray of uint32
        """
        _, edges = self._edges(contexts)
        is_end = ~(edges[:, :, 1, None] == edges[:, None, :, 0]).any(axis=2)
        wrong = is_end.sum(axis=1) != self.n_chains
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(f"contexts[{row}] must have {self.n_chains} nodes without an edge out of them")
        ends: npt.NDArray[np.uint32] = edges[:, :, 1][is_end].reshape(-1, self.n_chains).astype(np.uint32)
        return ends

    def describe(self, context: npt.ArrayLike) -> str:
        """A context as people write it: edges, the question, the answer.

        Parameters
        ----------
        context : array_like of int, shape (length,)
        """
        row = _arrays.integers(context, "context", ndim=1)
        array, edges = self._edges(row[None], "context")
        told = " ".join(f"{a}>{b}" for a, b in edges[0])
        return f"{told} {array[0, self.answer_place - 1]}? {array[0, self.answer_place]}"

    def _edges(self, contexts: Any, name: str = "contexts") -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        array = _arrays.integers(contexts, name, ndim=2, low=0)
        if array.shape[1] != self.length:
            raise ValueError(f"{name} must have {self.length} tokens each, got shape {array.shape}")
        return array, array[:, : self.answer_place - 1].reshape(len(array), self.hops * self.n_chains, 2)

    @staticmethod
    def dynamics(
        n_steps: int = 4000,
        *,
        learning_rate: float = 0.1,
        initial: Sequence[float] = (0.0, 0.0, 0.0),
        n_others: int = 10,
        n_nodes: int = 30,
    ) -> Dynamics:
        """The model of three parameters that learns two hops: a long plateau, then an abrupt transition.

        With s(x, N) = e^x / (e^x + N), the attention paid to one of N + 1 places,

            a = s(beta_1, N),  y = alpha_2 a,  z = alpha_3 (s(y, N) + s(0, N)) a,  loss = -log s(z, n_nodes):

        the first layer copies parents (beta_1), the second queries the bridge with what it copied (alpha_2), the third
        reads the end off (alpha_3).

        Parameters
        ----------
        n_steps : int
            Of gradient descent, at most 10**7.
        learning_rate : float
            Above 0.
        initial : sequence of float, length 3
            beta_1, alpha_2 and alpha_3 at first.
        n_others : int
            N, at least 1.
        n_nodes : int
            Wrong answers, at least 1: the loss of a uniform answer is log(n_nodes + 1).

        Returns
        -------
        Dynamics
            A named tuple of the loss, shape (n_steps + 1,), and the parameters, shape (n_steps + 1, 3).

        Notes
        -----
        Full gradients, in closed form; some 2 microseconds a step.

        References
        ----------
        The notebook of Guo et al. 2025: its model with gamma = 0 and zeta = 1.

        Examples
        --------
        >>> from slowthink.problems import TwoHop
        >>> loss, parameters = TwoHop.dynamics()
        >>> round(float(loss[0]), 3), [int((loss < level).argmax()) for level in (2.5, 1.0, 0.1)]
        (3.434, [970, 996, 1079])
        >>> parameters[-1].round(2).tolist(), round(float(loss[-1]), 5)
        ([6.23, 5.7, 8.98], 0.00276)
        """
        n_steps = whole(n_steps, "n_steps", 0, 10**7)
        rate = float(_arrays.floats(learning_rate, "learning_rate", ndim=0))
        if not rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {rate}")
        start = _arrays.floats(initial, "initial", ndim=1)
        if start.shape != (3,):
            raise ValueError(f"initial must be three numbers, got shape {start.shape}")
        others, wrong = float(whole(n_others, "n_others", 1)), float(whole(n_nodes, "n_nodes", 1))
        loss = np.empty(n_steps + 1)
        parameters = np.empty((n_steps + 1, 3))
        beta, second, third = start.tolist()
        blank = 1 / (1 + others)
        for step in range(n_steps + 1):
            a = _share(beta, others)
            b = _share(second * a, others)
            z = third * (b + blank) * a
            loss[step] = np.logaddexp(0.0, math.log(wrong) - z)
            parameters[step] = beta, second, third
            pull = rate * (1 - _share(z, wrong))
            slope = b * (1 - b)
            beta += pull * third * a * (1 - a) * (b + blank + a * slope * second)
            second, third = second + pull * third * a * a * slope, third + pull * (b + blank) * a
        return Dynamics(loss, parameters)


def _share(x: float, others: float) -> float:
    """e^x / (e^x + others), for any x."""
    y = math.log(others) - x
    return 1 / (1 + math.exp(y)) if y < 0 else math.exp(-y) / (1 + math.exp(-y))
