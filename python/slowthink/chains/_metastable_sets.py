"""Metastable sets of a chain: states that walks stay among for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink.chains import _spectrum, _starts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from slowthink.chains._chain import MarkovChain

_DENSE = 3000
"""States up to which the whole spectrum is at hand."""

_MOST_SUGGESTED = 64
"""Sets that ``k=None`` looks for at most."""


class MetastableSets:
    """The metastable sets of a chain, as :meth:`MarkovChain.metastable_sets` returns them.

    Attributes
    ----------
    memberships : (S, k) array of float64
        How much each state belongs to each set: from 0 to 1, rows sum to 1.
    coarse : (k, k) array of float64
        The transition matrix among the sets, with exactly the eigenvalues below. Rows sum to 1; entries are small where
        sets are left seldom, and can be slightly negative where memberships overlap (the sets are then no Markov chain
        in the strict sense).
    stationary : (k,) array of float64
        Weight of each set under the stationary law: the mean of its memberships. Where there are several recurrent
        classes, under the law that is reached from a uniform start.
    crispness : float
        Mean over the sets of the mean membership of those who belong to it, 1 where no state (of positive weight)
        belongs to two: sum(p m^2) / sum(p m) for memberships m and the stationary law p. Higher is better; compare it
        for several k.
    rates : (k,) array
        1 - eigenvalue of the k slowest modes, slowest first, with all digits (:meth:`MarkovChain.rates`).
    reversible : bool
        Whether the chain has detailed balance in each communicating class.
    """

    __slots__ = ("_chain", "coarse", "crispness", "memberships", "rates", "reversible", "stationary")

    def __init__(
        self,
        chain: MarkovChain,
        memberships: npt.NDArray[np.float64],
        coarse: npt.NDArray[np.float64],
        stationary: npt.NDArray[np.float64],
        crispness: float,
        rates: npt.NDArray[Any],
    ) -> None:
        self._chain = chain
        self.memberships = memberships
        self.coarse = coarse
        self.stationary = stationary
        self.crispness = crispness
        self.rates = rates
        self.reversible = rates.dtype == np.float64

    @property
    def k(self) -> int:
        """Number of sets."""
        return int(self.memberships.shape[1])

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """(S,) the set that each state belongs to most. Sets are numbered by their first state."""
        return np.asarray(self.memberships.argmax(axis=1))

    @property
    def sets(self) -> list[npt.NDArray[np.int64]]:
        """The states of each set, by label; none is empty."""
        labels = self.labels
        return [np.flatnonzero(labels == label) for label in range(self.k)]

    @property
    def eigenvalues(self) -> npt.NDArray[Any]:
        """(k,) eigenvalues of the slowest modes: 1 - :attr:`rates`."""
        return np.asarray(1.0 - self.rates)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draws the chain, coloured by set: :func:`slowthink.plots.plot_metastable_sets`."""
        from slowthink.plots import plot_metastable_sets

        return plot_metastable_sets(self._chain, self, ax, **options)

    def __repr__(self) -> str:
        sizes = np.bincount(self.labels, minlength=self.k)
        shown = ", ".join(map(str, sizes[:8])) + (", ..." if self.k > 8 else "")
        return f"MetastableSets(k={self.k}, sizes=[{shown}], crispness={self.crispness:.4g})"


def metastable_sets(
    self: MarkovChain, k: int | None = None, *, threads: int | None = None, progress: _run.Progress = False
) -> MetastableSets:
    """Finds k metastable sets: states that walks stay among for long.

    PCCA+ where the chain has detailed balance, its generalisation GPCCA where it has not.

    Parameters
    ----------
    k : int, optional
        Number of sets, from the number of recurrent classes to S. By default where the largest gap in the spectrum is:
        the k whose next rate is the most times its last one (at least 2 sets where there are 2 states, at most 64).
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    MetastableSets
        Exactly k sets, none of them empty.

    Raises
    ------
    ValueError
        If k is less than the number of recurrent classes, or splits a pair of complex eigenvalues (the message names
        the numbers beside it); if k sets are not to be told apart, or one would be empty; if a chain of more than 3000
        states is not irreducible, or has no detailed balance, or its k is not given or above 500.
    RuntimeError
        If the iteration for a chain of more than 3000 states does not converge, or a rate is too small for it: below
        some 1e-22, where the sets are well apart.

    Notes
    -----
    The functions that the k slowest modes span are nearly constant on each set. k combinations of them are sought that
    are non-negative, sum to 1 and are as crisp as can be. Only their span matters, so that any basis serves: here it
    comes from an elimination without subtractions and is as good at a coupling of 1e-100 as at 0.1. Several recurrent
    classes are nothing special, with k of them each is a set, and transient states belong to each with the probability
    of ending there.

    The search for the crispest combination begins in the simplex of k states that lie far apart and moves downhill in
    (k - 1)^2 dimensions (one set after another where these are more than 36); it finds a local optimum, and ends after
    some seconds where there are many states and sets. Eigenvalues that are equal without being a pair are told apart
    arbitrarily.

    Cost: O(S^3), and the search. Above 3000 states the slow functions come from subspace iteration (:meth:`rates`),
    some 100 products of the transition matrix with 1.25 k + 8 functions.

    References
    ----------
    Roeblitz and Weber 2013, "Fuzzy spectral clustering by PCCA+", Adv. Data Anal. Classif. 7. Reuter, Fackeldey and
    Weber 2019, "Generalized Markov modeling of nonreversible molecular kinetics", J. Chem. Phys. 150.

    Examples
    --------
    >>> import numpy as np
    >>> from slowthink.chains import MarkovChain
    >>> e = 1e-20
    >>> chain = MarkovChain([[0.5, 0.5, 0, 0], [0.5, 0.5, e, 0], [0, 2 * e, 0.5, 0.5], [0, 0, 0.5, 0.5]])
    >>> found = chain.metastable_sets()
    >>> found
    MetastableSets(k=2, sizes=[2, 2], crispness=1)
    >>> found.labels
    array([0, 0, 1, 1])
    >>> found.coarse * (1 - np.eye(2))
    array([[0.e+00, 5.e-21],
           [1.e-20, 0.e+00]])
    >>> found.stationary.round(3)
    array([0.667, 0.333])
    """
    options = _run.options(threads, progress)
    n_states = self.n_states
    if k is not None:
        k = _starts.count(k, "k", low=1, high=n_states)
    values: npt.NDArray[Any] = np.empty(0)
    if n_states <= _DENSE:
        values = _slowest_first(_spectrum.rates(self, threads=threads, progress=progress))
        k = _suggested(values) if k is None else k
    elif k is None:
        raise ValueError(f"k must be given for a chain of more than {_DENSE} states, got one of {n_states}")
    memberships, coarse, stationary, crispness, found = _slowthink.metastable_sets(self._chain, k, options)
    if found is not None:
        values = found
    return MetastableSets(
        self, memberships.reshape(n_states, k), coarse.reshape(k, k), stationary, crispness, values[:k].copy()
    )


def _slowest_first(rates: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """By real part, pairs together."""
    return np.asarray(rates[np.lexsort((rates.imag, np.abs(rates.imag), rates.real))])


def _suggested(rates: npt.NDArray[Any]) -> int:
    """The number of sets before the largest gap, on a logarithmic scale; it splits no pair."""
    n_zero = int((rates == 0).sum())
    if n_zero > 1 or len(rates) < 3:
        # Several recurrent classes: an infinite gap.
        return max(n_zero, min(2, len(rates)))
    sizes = np.log(rates.real[1 : _MOST_SUGGESTED + 2])
    return 2 + int(np.argmax(np.diff(sizes)))
