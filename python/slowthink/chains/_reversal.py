"""Detailed balance, and the chain that runs backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def is_reversible(self: MarkovChain, *, rtol: float = 1e-9, threads: int | None = None) -> bool:
    """Whether the chain is in detailed balance: walks look the same forwards and backwards.

    Parameters
    ----------
    rtol : float
        The two flows between a pair of states, and so the probabilities of a circuit in its two directions, count as
        equal if they differ by at most so much of the larger one. From 0 to below 1.
    threads : int, optional
        Number of threads; all by default.

    Returns
    -------
    bool
        Of a chain with several recurrent classes: whether it holds within each of them. Transitions out of transient
        states carry no stationary flow, and do not count.

    See Also
    --------
    time_reversal : The chain itself where it is reversible.

    Notes
    -----
    Every transition between recurrent states is tested, against the one back, each to ``rtol`` of itself: a flow of
    1e-100 counts as much as one of 0.1. The stationary law is not needed. The weights of the states follow from the
    transitions along a tree, in numbers that neither overflow nor vanish, and are right to a few units in the last
    place for each step from its root, so that probabilities that are rounded themselves pass. O(T log(T / S)); 20 bytes
    a state.

    References
    ----------
    Kelly 1979, Reversibility and Stochastic Networks, section 1.5 (Kolmogorov's criterion).

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 1e-9, 1 - 1e-9]]).is_reversible()
    True
    >>> MarkovChain([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.3, 0.2, 0.5]]).is_reversible()
    False
    """
    tolerance = float(_arrays.floats(rtol, "rtol", ndim=0, low=0))
    if tolerance >= 1:
        raise ValueError(f"rtol must be below 1, got {rtol}")
    return _slowthink.is_reversible(self._chain, tolerance, _run.options(threads))


def time_reversal(self: MarkovChain, *, stationary_distribution: npt.ArrayLike | None = None) -> MarkovChain:
    """The chain of which the walks are those of this one, in the steady state, seen backwards.

    Parameters
    ----------
    stationary_distribution : (S,) array of float, optional
        The stationary law, on any scale, where it is known already, or where there are several: a chain of several
        recurrent classes is turned round within each of them by any law that is positive in all, such as
        ``chain.stationary_distributions().sum(axis=0)``. By default :meth:`stationary_distribution`.

    Returns
    -------
    MarkovChain
        With the transitions ``pi_j p_ji / pi_i`` from i to j. Loops keep their probabilities.

    Raises
    ------
    ValueError
        For a state without weight, such as a transient one (leave it out first, or say what the walks are that come
        from there), and a law that is not stationary: what flows into each state must be its weight, to 1e-9 of it.

    Notes
    -----
    O(S + T), beside the stationary law; memory: 40 bytes a transition, for a while.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0, 0.75, 0.25], [0.25, 0, 0.75], [0.75, 0.25, 0]])
    >>> chain.time_reversal(stationary_distribution=[1, 1, 1]).to_dense()
    array([[0.  , 0.25, 0.75],
           [0.75, 0.  , 0.25],
           [0.25, 0.75, 0.  ]])
    """
    if stationary_distribution is None:
        law = self.stationary_distribution()
    else:
        law = _arrays.floats(stationary_distribution, "stationary_distribution", ndim=1)
    return type(self)._of(_slowthink.time_reversal(self._chain, law, _run.options(1)))
