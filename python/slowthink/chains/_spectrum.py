"""Eigenvalues of the transition matrix, and the rates, time scales and gaps that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def rates(
    self: MarkovChain, k: int | None = None, *, threads: int | None = None, progress: _run.Progress = False
) -> npt.NDArray[Any]:
    """One minus each eigenvalue of the transition matrix, with all its digits.

    The eigenvalues of a metastable chain crowd at 1, where 1 - 1e-17 is 1 in floating point. What tells them apart is
    how far from 1 they are: the rate at which their mode decays, per step.

    Parameters
    ----------
    k : int, optional
        How many, from 1 to S; by default all S. Those of the eigenvalues of the largest modulus.
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    (k,) array
        ``rates()[i]`` is 1 - ``eigenvalues()[i]``, in the same order: by falling modulus of the eigenvalue, the larger
        real part first among equals, then the larger imaginary one. Each recurrent class has one rate 0. float64 where
        all communicating classes have detailed balance (within 1e-10), complex128 otherwise.

    Raises
    ------
    ValueError
        If a communicating class of more than 3000 states has no detailed balance, or more than 500 of its eigenvalues
        are asked for.
    RuntimeError
        If the iteration for such a class does not converge, or a rate is too small for it.

    Notes
    -----
    The rates of the transition matrix are those of its communicating classes, each on its own. I - P restricted to a
    class is eliminated without subtractions, only from its off-diagonal entries, the state that is left soonest first.

    A class with detailed balance has its rates with a relative error of about 1e-14, however small they are and however
    far apart: they are the squared singular values of a Cholesky factor, by one-sided Jacobi rotations. Without it, the
    class is taken apart into its time scales: a rate then errs by about 1e-14 times what the eigenvalue problem
    *within* its time scale amplifies, where LAPACK errs by eps / rate. Slow modes between sets of states keep 10 digits
    or more at any coupling; where the probabilities within a class without detailed balance spread over tens of
    decades, single modes lose more (the worst in trials: 1e-5 at 30 decades, 2e-2 at 100). An eigenvalue near -1 or
    elsewhere on the unit circle, away from
    1, has an absolute error of some 1e-15 in either case.

    Cost: O(n^3) for a class of n states: 1000 states take a few seconds. Without detailed balance the time of the dense
    solver cannot be interrupted.

    Of a class of more than 3000 states with detailed balance the outermost modes are found by subspace iteration, which
    starts from functions that the chain itself has smoothed, so that none of many eigenvalues close to 1 is missed. Its
    rates have 8 digits, down to some 1e-22 where they are well apart from the rest; below, it says that it cannot.

    References
    ----------
    Demmel and Veselic 1992, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl. 13. Ye 2008,
    "Computing singular values of diagonally dominant matrices to high relative accuracy", Math. Comp. 77.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[1.0, 1e-30], [2e-30, 1.0]])
    >>> chain.rates()
    array([0.e+00, 3.e-30])
    >>> chain.eigenvalues()
    array([1., 1.])
    """
    count = self.n_states if k is None else _starts.count(k, "k", low=1, high=self.n_states)
    values = _sorted(self, count, threads, progress)[:count]
    return values


def eigenvalues(
    self: MarkovChain, k: int | None = None, *, threads: int | None = None, progress: _run.Progress = False
) -> npt.NDArray[Any]:
    """Eigenvalues of the transition matrix, those of the largest modulus first.

    Parameters
    ----------
    k : int, optional
        How many, from 1 to S; by default all S, each as often as its multiplicity.
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    (k,) array
        By falling modulus, the larger real part first among equals: the first is 1, once for each recurrent class.
        float64 where all communicating classes have detailed balance, complex128 otherwise. They are 1 minus the
        :meth:`rates`, which tell apart what is too close to 1.

    Raises
    ------
    ValueError
        As for :meth:`rates`, which also says how accurate they are and what they cost.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.9, 0.1], [0.5, 0.5]]).eigenvalues()
    array([1. , 0.4])
    >>> MarkovChain([[0, 1, 0], [0, 0, 1], [1, 0, 0]]).eigenvalues().round(3) + 0
    array([ 1. +0.j   , -0.5+0.866j, -0.5-0.866j])
    """
    values: npt.NDArray[Any] = 1.0 - rates(self, k, threads=threads, progress=progress)
    return values


def timescales(
    self: MarkovChain,
    k: int | None = None,
    *,
    lag: int | float = 1,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Implied time scales: how long the slowest modes take to decay by a factor of e.

    Parameters
    ----------
    k : int, optional
        How many, from 1 to S - 1; by default all S - 1.
    lag : number
        Time that a step of the chain takes, above 0: the lag at which it was counted.
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    (k,) array of float64
        -lag / ln |eigenvalue|, falling, of all eigenvalues but the first 1. Infinite for further eigenvalues of modulus
        1 (more recurrent classes, or a period; the latter within rounding), 0 for eigenvalues 0. Small rates keep their
        digits, see :meth:`rates`.

    Raises
    ------
    ValueError
        As for :meth:`rates`.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.9, 0.1], [0.5, 0.5]]).timescales()
    array([1.09135667])
    >>> MarkovChain([[1.0, 1e-30], [2e-30, 1.0]]).timescales(1)
    array([3.33333333e+29])
    """
    if isinstance(lag, (bool, np.bool_)) or not isinstance(lag, (int, float, np.integer, np.floating)):
        raise TypeError(f"lag must be a number, got {lag!r}")
    if not 0 < lag < np.inf:
        raise ValueError(f"lag must be positive and finite, got {lag}")
    count = self.n_states - 1 if k is None else _starts.count(k, "k", low=1)
    if count > self.n_states - 1:
        raise ValueError(f"k must be at most the number of states less one, {self.n_states - 1}, got {count}")
    decay = _decay(_sorted(self, count + 1, threads, progress)[1 : count + 1])
    with np.errstate(divide="ignore", over="ignore"):
        # ln |lambda|^2 = ln(1 - decay): log1p keeps the digits of a small decay.
        return np.asarray(2.0 * float(lag) / -np.log1p(-decay))


def spectral_gap(
    self: MarkovChain, *, absolute: bool = True, threads: int | None = None, progress: _run.Progress = False
) -> float:
    """Distance of the second eigenvalue from 1.

    Parameters
    ----------
    absolute : bool
        True: 1 - max |eigenvalue|, over all eigenvalues but the first 1, which rules how fast any start is forgotten.
        False: 1 - max of the real parts, which for chains with detailed balance is 1 less the second largest
        eigenvalue, and does not mind oscillations.
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    float
        0 where there are several recurrent classes; with ``absolute``, also where the chain is periodic (within
        rounding). NaN for a single state. A small gap between sets of states has its digits, see :meth:`rates`; the
        distance of an eigenvalue from -1 has an absolute error of some 1e-15.

    Raises
    ------
    ValueError
        As for :meth:`rates`.

    References
    ----------
    Levin, Peres and Wilmer, "Markov Chains and Mixing Times", section 12.2: gamma* and gamma.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> lazy = MarkovChain([[0.2, 0.8], [0.8, 0.2]])
    >>> round(lazy.spectral_gap(), 3), round(lazy.spectral_gap(absolute=False), 3)
    (0.4, 1.6)
    """
    if not isinstance(absolute, (bool, np.bool_)):
        raise TypeError(f"absolute must be True or False, got {absolute!r}")
    values = _sorted(self, min(2, self.n_states), threads, progress, slow=not absolute)[1:]
    if not len(values):
        return float("nan")
    if not absolute:
        return max(0.0, float(values.real.min()))
    decay = float(_decay(values[:1])[0])
    # 1 - |lambda| from 1 - |lambda|^2.
    return decay / (1.0 + float(np.sqrt(1.0 - decay)))


def pseudo_spectral_gap(
    self: MarkovChain, *, max_power: int = 32, threads: int | None = None, progress: _run.Progress = False
) -> float:
    """The gap that bounds mixing and the variance of averages where there is no detailed balance.

    The largest, over the powers k, of gap((P*)^k P^k) / k, with P* the time reversal of P, and the gap the distance of
    the second largest eigenvalue from 1.

    Parameters
    ----------
    max_power : int
        Powers from 1 to this are tried, at least 1. It ends before where no higher power can give more: gap / k is at
        most 1 / k. The result is exact if it is at least 1 / (max_power + 1), and else a lower bound.
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    float
        From 0 to 1. Entries of (P*)^k P^k are sums of products of probabilities: small gaps keep their digits.

    Raises
    ------
    ValueError
        If the chain is not irreducible, has one state or more than 3000, or stationary probabilities that differ by
        more than 300 decades.

    Notes
    -----
    Cost: O(max_power S^3).

    References
    ----------
    Paulin 2015, "Concentration inequalities for Markov chains by Marton couplings and spectral methods", Electron. J.
    Probab. 20(79), equation 3.3.

    Examples
    --------
    A walk that goes round and forgets where it is once in a round: no power of one step shows it.

    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]])
    >>> round(chain.pseudo_spectral_gap(max_power=1), 3), round(chain.pseudo_spectral_gap(), 3)
    (0.0, 0.25)
    """
    max_power = _starts.count(max_power, "max_power", low=1, high=1 << 20)
    gap, _ = _slowthink.pseudo_spectral_gap(self._chain, max_power, _run.options(threads, progress))
    return gap


def _sorted(
    chain: MarkovChain, k: int, threads: int | None, progress: _run.Progress, *, slow: bool = False
) -> npt.NDArray[Any]:
    """At least ``k`` rates, those of the eigenvalues of the largest modulus first; of large classes the slowest."""
    real, imaginary, reversible = _slowthink.chain_rates(chain._chain, k, slow, _run.options(threads, progress))
    values = real if reversible else real + 1j * imaginary
    # The two of a pair differ by rounding in nothing but the sign of their imaginary part.
    decay = _decay(values)
    # Moduli below 1e-8 are lost in what they leave of 1.
    smallest = np.where(decay == 1.0, -np.abs(1.0 - values), 0.0)
    order = np.lexsort((imaginary, real, smallest, decay))
    return np.asarray(values[order])


def _decay(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """1 - |1 - rate|^2, from 0 to 1, with all the digits of small rates."""
    return np.asarray(np.clip(2.0 * values.real - (values.real**2 + values.imag**2), 0.0, 1.0))
