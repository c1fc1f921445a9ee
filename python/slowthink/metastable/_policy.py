"""A policy with a logit for each transition of a chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain
from slowthink.metastable import _inputs

_Floats = npt.NDArray[np.float64]


class SoftmaxPolicy:
    """A tabular softmax policy: a logit for each transition of a chain, none for what the chain never does.

    Parameters
    ----------
    chain : MarkovChain or MetastableChain
        Its transitions are those of the policy, S states and T transitions.
    logits : (T,) array of float, optional
        In the order of :attr:`MarkovChain.indices <slowthink.chains.MarkovChain.indices>`; the logarithms of the
        chain's probabilities by default. Minus infinity rules a transition out. What is added to all logits of a state
        changes nothing.

    Attributes
    ----------
    transitions : MarkovChain
        The chain whose transitions are those of the policy.
    logits : (T,) ndarray of float

    Raises
    ------
    ValueError
        Naming a logit that is NaN or plus infinity, or the state none of whose logits is finite.

    Notes
    -----
    8 bytes a transition; the table over all pairs of states, :meth:`to_dense`, is made only where it is asked for. All
    is computed in logarithms: a transition of probability 1e-300 keeps all its digits.

    Examples
    --------
    >>> import numpy as np
    >>> from slowthink.metastable import SoftmaxPolicy
    >>> from slowthink.chains import MarkovChain
    >>> policy = SoftmaxPolicy(MarkovChain([[0.75, 0.25], [0.0, 1.0]]))
    >>> policy
    SoftmaxPolicy(n_states=2, n_transitions=3)
    >>> SoftmaxPolicy(policy.transitions, policy.logits + [0.0, np.log(3), 5.0]).to_chain().to_dense()
    array([[0.5, 0.5],
           [0. , 1. ]])
    """

    __slots__ = ("logits", "transitions")

    transitions: MarkovChain
    logits: _Floats

    def __init__(self, chain: Any, logits: npt.ArrayLike | None = None) -> None:
        self.transitions = _inputs.markov_chain(chain)
        if logits is None:
            self.logits = np.log(self.transitions.probabilities)
            return
        self.logits = _arrays.floats(logits, "logits", ndim=1, finite=False)
        if len(self.logits) != self.transitions.n_transitions:
            rule = f"have one number for each of the {self.transitions.n_transitions} transitions"
            raise ValueError(f"logits must {rule}, got {len(self.logits)}")
        self.log_probabilities()

    @property
    def n_states(self) -> int:
        """Number of states, S."""
        return self.transitions.n_states

    def log_probabilities(self) -> _Floats:
        """(T,) logarithms of the probabilities of the transitions."""
        out = np.empty(len(self.logits))
        _slowthink.softmax_log_probabilities(self.transitions._chain, self.logits, out, _run.options(1))
        return out

    def to_chain(self) -> MarkovChain:
        """The chain that follows the policy; a transition of a probability below 5e-324 is left out."""
        return MarkovChain._of(_slowthink.softmax_policy(self.transitions._chain, self.logits, _run.options(1)))

    def to_dense(self) -> _Floats:
        """(S, S) logits, minus infinity where there is no transition; MemoryError where they do not fit."""
        out = _arrays.empty((self.n_states, self.n_states), np.float64)
        out.fill(-np.inf)
        indptr = self.transitions.indptr
        out[np.repeat(np.arange(self.n_states), np.diff(indptr)), self.transitions.indices] = self.logits
        return out

    def __repr__(self) -> str:
        return f"SoftmaxPolicy(n_states={self.n_states}, n_transitions={len(self.logits)})"
