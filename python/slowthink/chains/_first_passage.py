"""First passages: mean times between all pairs of states, Kemeny's constant, the law of the time to some states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _memory, _run, _slowthink
from slowthink.chains import _starts
from slowthink.chains._hitting import _targets

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_WORKSPACE = 19
"""Bytes that the tables take for each pair of states: 7/3 numbers."""


def mean_first_passage_times(
    self: MarkovChain, *, returns: bool = False, threads: int | None = None, progress: _run.Progress = False
) -> npt.NDArray[np.float64]:
    """The exact mean number of steps from each state to each other.

    Parameters
    ----------
    returns : bool
        What the diagonal holds: 0 by default, the time to a state where one is already. With True the mean time of the
        first return, which is one over the stationary probability; inf for a transient state.
    threads : int, optional
        Number of threads; all by default. The result does not depend on it.
    progress : bool or callable
        True shows a bar; a callable is given the work done and to do, about three multiplications each.

    Returns
    -------
    ndarray of float, shape (S, S)
        Entry (i, j) is the mean time at which a walk from i first is in j: column j is
        :meth:`mean_hitting_times` of j. inf where j may be missed, and where the time is above 1.8e308.

    Raises
    ------
    MemoryError
        If there is no room for the result and the tables, before work starts: 27 bytes for each pair of states.

    Notes
    -----
    The states are halved again and again. With one half eliminated, the other is a system of its own whose times
    between all pairs are found in the same way; those from the eliminated half follow from them. That is 23/18 S^3
    multiplications for the times to all states, where one elimination for each would take S^4 / 3, in loops that use
    the vector unit: some 0.1 s for 1,000 states. The tables are dense, also for a sparse chain.

    Only off-diagonal entries enter, and they are added, multiplied and divided, never subtracted (Grassmann, Taksar and
    Heyman): each entry is right to about 1e-14 of itself, however seldom sets of states are left. Where a time is above
    1e280, everything is computed again with numbers of unlimited exponent, which takes some ten times as long.

    A state j is hit with certainty from the states of its recurrent class and from those that end in no other. A
    transient state is so from states whose walks all pass it on their way out.

    References
    ----------
    Kemeny and Snell 1960, "Finite Markov Chains"; Grassmann, Taksar and Heyman 1985, "Regenerative analysis and steady
    state distributions for Markov chains".

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.5, 0.5 - 1e-12, 1e-12], [0, 0.25, 0.75]])
    >>> chain.mean_first_passage_times()
    array([[0.e+00, 2.e+00, 2.e+12],
           [2.e+00, 0.e+00, 2.e+12],
           [6.e+00, 4.e+00, 0.e+00]])
    >>> chain.mean_first_passage_times(returns=True).diagonal().round(6)
    array([2.e+00, 2.e+00, 5.e+11])
    """
    returns = _arrays.flag(returns, "returns")
    options = _run.options(threads, progress)
    shape = (self.n_states, self.n_states)
    _arrays.fits((*shape, 8 + _WORKSPACE), np.uint8, "a table of all pairs of states")
    out = _arrays.empty(shape, np.float64)
    _slowthink.mean_first_passage_times(self._chain, returns, out, options)
    return out


def kemeny_constant(self: MarkovChain, *, threads: int | None = None, progress: _run.Progress = False) -> float:
    """The mean number of steps to a state drawn from the stationary law, which is the same from every state.

    ``K = sum over j of pi_j m_ij`` with ``m_ii = 0``, which is the sum of ``1 / (1 - lambda)`` over the eigenvalues
    other than 1. Some authors let ``m_ii`` be the time of the first return: theirs is K + 1.

    Parameters
    ----------
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        As for :meth:`mean_first_passage_times`.

    Returns
    -------
    float
        Right to about 1e-14 at any metastability. Transient states do not count: the constant is that of the
        recurrent class.

    Raises
    ------
    ValueError
        If there are several recurrent classes, with a state of two of them.
    MemoryError
        If there is no room for the tables.

    Notes
    -----
    Dense or small chains: from the times between all pairs, at the cost of :meth:`mean_first_passage_times`, with 27
    bytes for each pair. Sparse chains: from an elimination, where that is cheaper. With n the end of all walks,
    ``N_kk`` the mean visits of k from itself and ``m_kn`` the time to n, it is ``sum over k of N_kk - pi_k m_kn``. The
    mean of what is subtracted, over n by its stationary probability, is the constant itself: n is chosen such that it
    is at most 0.9 of the rest, and one digit is lost at most. All other numbers are only added.

    What PyDTMC calls ``kemeny_constant`` is the trace of the fundamental matrix of an absorbing chain: the mean visits
    of each transient state from itself, summed. It has none for irreducible chains.

    References
    ----------
    Kemeny and Snell 1960, "Finite Markov Chains", theorem 4.4.10.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.9, 0.1], [0.3, 0.7]]).kemeny_constant()  # the other eigenvalue is 0.6
    2.5
    """
    return _slowthink.kemeny_constant(self._chain, _memory.available(), _run.options(threads, progress))


@dataclass(frozen=True, eq=False, slots=True)
class FirstPassageDistribution:
    """The exact law of the time of the first visit, up to some step; from
    :meth:`MarkovChain.first_passage_distribution`.

    Attributes
    ----------
    probabilities : ndarray of float, shape (n_steps + 1,) or (W, n_steps + 1)
        Entry t is the probability that the first visit is at step t; a row for each start where there are several.
    beyond : float or ndarray of float, shape (W,)
        The probability that it is later, or never: what was left after the last step, added up.
    """

    probabilities: npt.NDArray[np.float64]
    beyond: float | npt.NDArray[np.float64]

    @property
    def n_steps(self) -> int:
        """The last step whose probability is given."""
        return int(self.probabilities.shape[-1]) - 1

    def __repr__(self) -> str:
        starts = f"n_starts={len(self.probabilities)}, " if self.probabilities.ndim == 2 else ""
        beyond = "" if starts else f", beyond={self.beyond:.6g}"
        return f"FirstPassageDistribution({starts}n_steps={self.n_steps}{beyond})"


def first_passage_distribution(
    self: MarkovChain,
    targets: Any,
    start: Any = None,
    *,
    n_steps: int,
    start_distribution: Any = None,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> FirstPassageDistribution:
    """The exact probability that a walk first is at a target at step 0, 1, 2 and so on.

    Parameters
    ----------
    targets : int, array of states, or (S,) array of bool
        One state, several, or a mask of those that are. A walk that begins in one is there at step 0.
    start : int or (W,) array of states, optional
        Where the walk begins. With neither ``start`` nor ``start_distribution``, each state in turn: W is S.
    n_steps : int
        The last step to give a probability for.
    start_distribution : (S,) array, optional
        The law of the first state.
    threads : int, optional
        Number of threads, where there are several starts.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    FirstPassageDistribution
        With ``probabilities`` and the mass ``beyond`` the last step.

    Raises
    ------
    ValueError
        If there is no target, a state is none of the chain's, or ``start_distribution`` is no law.
    MemoryError
        If the result does not fit, before work starts.

    Notes
    -----
    A multiplication for each transition and step, two where there are several starts, however many. Mass moves along
    the transitions and is added up, never found as one minus the rest: a probability of 1e-100 has all its digits.
    Those below 5e-324 are 0. The law uses the probabilities as they are, of loops too; where the rows sum to 1 only
    nearly, so does the law.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.5, 0.25, 0.25], [0, 0, 1]])
    >>> law = chain.first_passage_distribution(2, 0, n_steps=4)
    >>> law
    FirstPassageDistribution(n_steps=4, beyond=0.695312)
    >>> law.probabilities
    array([0.       , 0.       , 0.125    , 0.09375  , 0.0859375])
    >>> chain.first_passage_distribution(2, n_steps=2).beyond
    array([0.875 , 0.6875, 0.    ])
    """
    chosen = _targets(targets, "targets", self.n_states)
    n_steps = _starts.count(n_steps, "n_steps")
    options = _run.options(threads, progress)
    if start is None and start_distribution is None:
        starts: _starts.Starts = np.arange(self.n_states, dtype=np.uint32)
    else:
        starts, _ = _starts.starts(self, start, start_distribution)
    if _starts.is_each(starts):
        out = _arrays.empty((len(starts), n_steps + 1), np.float64)
        left = _arrays.empty((len(starts),), np.float64)
        _slowthink.first_passage_of_each(self._chain, chosen, starts, out, left, options)
        return FirstPassageDistribution(out, left)
    law = np.zeros(self.n_states) if isinstance(starts, int) else starts.astype(np.float64, copy=False)
    if isinstance(starts, int):
        law[starts] = 1.0
    one = _arrays.empty((n_steps + 1,), np.float64)
    beyond = _slowthink.first_passage_from(self._chain, chosen, law, one, options)
    return FirstPassageDistribution(one, beyond)
