"""Reasoning on a Markov chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain
from slowthink.metastable import MetastableChain, metastable_chain
from slowthink.problems._built_in import BuiltIn, whole

_NONE = 2**32 - 1


class MetastableReasoning(BuiltIn):
    """A walk on a Markov chain that answers where it comes to a target, and nothing if it runs out of steps.

    Actions are the transitions of a row. On the chains of :func:`slowthink.metastable.metastable_chain` most steps
    stay within a cluster and lead nowhere; a right answer needs the rare ones, one after the other.

    Parameters
    ----------
    chain : MarkovChain or MetastableChain, optional
        What is walked on. It is copied. By default ``metastable_chain(4, 4, 0.2)``, whose last cluster is 63 steps away
        on average.
    max_steps : int, optional
        Steps after which a walk is cut off, 1 to 2**32 - 1; 63 by default on the default chain, to be given otherwise.
    start : int, optional
        The state where walks begin; that of a MetastableChain by default.
    target : int or array_like of int, optional
        The states that answer rightly, all with answer 0; the last cluster of a MetastableChain by default.
    decoys : sequence of int or array_like of int
        The states of the j-th of these, counted from 1, give the wrong answer j.
    experts : sequence of float
        Shares of exploration of further policies, for those who learn which one to trust (self-correction): each takes
        with this probability, from 0 to 1, any transition of the row, all alike, and else one by the chain's law. Three
        by default; with none of them self-correction is best-of-n.

    Notes
    -----
    Where (``max_steps`` + 1) S (1 + number of decoys) is at most 2**22, the probability of each answer is known from
    each state with each number of steps left, by dynamic programming; the value of a state is then the outcome of one
    draw, and otherwise that of a walk to its end.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694).

    Examples
    --------
    >>> from slowthink.metastable import metastable_chain
    >>> from slowthink.problems import MetastableReasoning
    >>> problem = MetastableReasoning(metastable_chain(8, 16, 0.1), max_steps=1127)
    >>> state = problem.root()
    >>> problem.describe(state), problem.actions(state)[:2]
    ('state 1, 1127 steps left', ['to 0', 'to 1'])
    """

    def __init__(
        self,
        chain: MarkovChain | MetastableChain | None = None,
        max_steps: int | None = None,
        *,
        start: int | None = None,
        target: npt.ArrayLike | None = None,
        decoys: Iterable[npt.ArrayLike] = (),
        experts: Sequence[float] = (0.1, 0.3, 1.0),
    ) -> None:
        if chain is None:
            chain = metastable_chain(4, 4, 0.2)
            max_steps = 63 if max_steps is None else max_steps
        if isinstance(chain, MetastableChain):
            start = chain.start if start is None else start
            target = chain.target if target is None else target
            chain = chain.chain
        if not isinstance(chain, MarkovChain):
            raise TypeError(f"chain must be a MarkovChain or a MetastableChain, got {type(chain).__name__}")
        for name, value in (("max_steps", max_steps), ("start", start), ("target", target)):
            if value is None:
                raise TypeError(f"{name} must be given for this chain")
        n_states = chain.n_states
        steps = whole(max_steps, "max_steps", 1, 2**32 - 1)
        first = whole(start, "start", high=n_states - 1)
        try:
            listed = list(decoys)
        except TypeError:
            kind = type(decoys).__name__
            raise TypeError(f"decoys must be a sequence of states or arrays of states, got {kind}") from None
        sets = [_states(target, "target", n_states)]
        sets += [_states(states, f"decoys[{j}]", n_states) for j, states in enumerate(listed)]
        answers = np.full(n_states, _NONE, dtype=np.int64)
        for answer, states in enumerate(sets):
            taken = states[answers[states] != _NONE]
            name = f"decoys[{answer - 1}]" if answer else "target"
            if taken.size:
                raise ValueError(f"{name} must not have states of other answers, got {taken[0]}")
            answers[states] = answer
        if answers[first] != _NONE:
            raise ValueError(f"start must not be a state that answers, got {first}")
        shares = _arrays.floats(experts, "experts", ndim=1, low=0.0, high=1.0).tolist()
        self._native = _slowthink.Problem.metastable_reasoning(
            chain._chain, first, answers.tolist(), steps, shares, _run.options(1)
        )
        self._arguments: dict[str, Any] = {
            "chain": chain,
            "max_steps": steps,
            "start": first,
            "target": sets[0],
            "decoys": sets[1:],
            "experts": tuple(shares),
        }

    def __repr__(self) -> str:
        chain, max_steps = self._arguments["chain"], self._arguments["max_steps"]
        n_decoys = len(self._arguments["decoys"])
        return f"MetastableReasoning(<{chain.n_states} states, {n_decoys} decoys>, max_steps={max_steps})"


def _states(value: Any, name: str, n_states: int) -> npt.NDArray[np.int64]:
    """States, each once, at least one."""
    array = np.atleast_1d(_arrays.integers(value, name, ndim=(0, 1), low=0))
    if not array.size:
        raise ValueError(f"{name} must have at least one state")
    if array.max() >= n_states:
        place = int(np.argmax(array >= n_states))
        raise ValueError(f"{name}[{place}] must be below the number of states, {n_states}, got {array[place]}")
    states: npt.NDArray[np.int64] = np.unique(array)
    return states
