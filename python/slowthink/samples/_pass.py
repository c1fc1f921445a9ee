"""pass@k, pass^k and G-Pass@k from the counts of samples and of correct samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink

Counts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], bool]


def pass_at_k(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Chance that at least one of k samples is correct: the unbiased estimate for each problem.

    The mean over all k-subsets of the n samples at hand, 1 - C(n-c, k) / C(n, k). It is exact to rounding for any n
    and k, small values included, and not the biased 1 - (1 - c/n)^k.

    Parameters
    ----------
    num_samples : int or (P,) array of int
        Samples of each problem, n >= 0; they may differ. A single number holds for all problems.
    num_correct : int or (P,) array of int
        Correct samples of each problem, 0 <= c <= n.
    k : None, int or (K,) array of int
        Subset sizes, at least 1. None: every k from 1 to the largest n.
    threads : None or int
        Largest number of threads; None for all.
    progress : bool or callable
        True for a bar, or a callable of (done, total).

    Returns
    -------
    (P, K) array of float, (P,) for an int ``k``
        NaN where k > n: pass@k cannot be estimated without bias from fewer than k samples. Without the first axis if
        both counts are single numbers; a float if ``k`` is one too.

    Raises
    ------
    ValueError
        If a count is negative, fractional or above n, if k is below 1, or if the lengths differ.

    See Also
    --------
    mean_pass_at_k : the mean over problems, without the (P, K) array.

    Notes
    -----
    O(P K) for the result, and O(k) for each distinct pair of counts. Chen et al. 2021, Evaluating large language
    models trained on code, equation 1.

    The counts are those of samples of one problem. The number of solved problems out of all is a different thing: 50
    of 164 problems solved in one attempt each says nothing of pass@100.

    Examples
    --------
    >>> from slowthink.samples import pass_at_k
    >>> pass_at_k([10, 10, 4], [1, 5, 2], 5)
    array([0.5       , 0.99603175,        nan])
    >>> pass_at_k(4, 1)
    array([0.25, 0.5 , 0.75, 1.  ])
    """
    return _rows(num_samples, num_correct, k, "pass@k", 0.0, threads, progress)


def pass_hat_k(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Chance that all of k samples are correct (pass^k, a measure of reliability), for each problem.

    C(c, k) / C(n, k), the unbiased estimate. Parameters, result, errors and cost are those of :func:`pass_at_k`.

    Parameters
    ----------
    num_samples, num_correct : int or (P,) array of int
        Samples and correct samples of each problem.
    k : None, int or (K,) array of int
        Subset sizes; None: every k from 1 to the largest n.
    threads, progress
        As for :func:`pass_at_k`.

    Returns
    -------
    (P, K) array of float, (P,) for an int ``k``
        NaN where k > n.

    Notes
    -----
    Yao et al. 2024, tau-bench.

    Examples
    --------
    >>> from slowthink.samples import pass_hat_k
    >>> pass_hat_k([8, 8], [8, 6], [1, 2, 8])
    array([[1.        , 1.        , 1.        ],
           [0.75      , 0.53571429, 0.        ]])
    """
    return _rows(num_samples, num_correct, k, "pass^k", 0.0, threads, progress)


def g_pass_at_k(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None,
    tau: float,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Chance that at least the fraction ``tau`` of k samples is correct (G-Pass@k), for each problem.

    The threshold is max(ceil(tau k), 1) samples, where a product within rounding of a whole number counts as that
    number: 0.28 of 25 is 7, though 0.28 * 25 is a little more in floating point. ``tau=0`` gives pass@k, ``tau=1``
    gives pass^k.

    Parameters
    ----------
    num_samples, num_correct : int or (P,) array of int
        Samples and correct samples of each problem.
    k : None, int or (K,) array of int
        Subset sizes; None: every k from 1 to the largest n.
    tau : float
        Fraction that must be correct, in [0, 1].
    threads, progress
        As for :func:`pass_at_k`.

    Returns
    -------
    (P, K) array of float, (P,) for an int ``k``
        NaN where k > n.

    Raises
    ------
    ValueError
        As :func:`pass_at_k`, and if ``tau`` is outside [0, 1].

    Notes
    -----
    A tail of the hypergeometric law, summed from its mode outwards: O(sqrt(k)) to O(k) for each distinct pair of
    counts and each k. Liu et al. 2024, Are your LLMs capable of stable reasoning?

    Examples
    --------
    >>> from slowthink.samples import g_pass_at_k
    >>> g_pass_at_k(16, 12, [2, 4, 8], 0.75)
    array([0.55      , 0.75549451, 0.71538462])
    """
    fraction = _arrays.floats(tau, "tau", ndim=0, low=0.0, high=1.0)
    return _rows(num_samples, num_correct, k, "g-pass@k", float(fraction), threads, progress)


def mg_pass_at_k(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """G-Pass@k averaged over the fractions from one half to one (mG-Pass@k), for each problem.

    (2/k) E[max(X - h, 0)] with X correct of k and h = ceil(k/2): the sum (2/k) sum_{i>h} P(X >= i) of the source. It
    is the mean of G-Pass@k over tau in [1/2, 1] for an even k; for k = 1 it is 0.

    Parameters
    ----------
    num_samples, num_correct : int or (P,) array of int
        Samples and correct samples of each problem.
    k : None, int or (K,) array of int
        Subset sizes; None: every k from 1 to the largest n.
    threads, progress
        As for :func:`pass_at_k`.

    Returns
    -------
    (P, K) array of float, (P,) for an int ``k``
        NaN where k > n.

    Notes
    -----
    Cost and source are those of :func:`g_pass_at_k`.

    Examples
    --------
    >>> from slowthink.samples import mg_pass_at_k
    >>> mg_pass_at_k(16, [8, 12, 16], 4)
    array([0.16153846, 0.51373626, 1.        ])
    """
    return _rows(num_samples, num_correct, k, "mg-pass@k", 0.0, threads, progress)


def mean_pass_at_k(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Mean of pass@k over the problems, for each k.

    The same as ``np.nanmean(pass_at_k(...), axis=0)`` without the (P, K) array: only the distinct pairs of counts
    are worked on.

    Parameters
    ----------
    num_samples, num_correct : int or (P,) array of int
        Samples and correct samples of each problem.
    k : None, int or (K,) array of int
        Subset sizes; None: every k from 1 to the largest n.
    threads, progress
        As for :func:`pass_at_k`.

    Returns
    -------
    (K,) array of float, a float for an int ``k``
        The mean over the problems with n >= k; NaN where there are none.

    Notes
    -----
    O(P + U K) for U distinct pairs of counts. Where n differs, the problems that enter the mean differ with k.

    Examples
    --------
    >>> from slowthink.samples import mean_pass_at_k
    >>> mean_pass_at_k([4, 4, 2], [1, 2, 0])
    array([0.25      , 0.44444444, 0.875     , 1.        ])
    """
    n, c, _ = _counts(num_samples, num_correct)
    ks, single = _arrays.k_values(k, int(n.max(initial=0)))
    mean = _slowthink.pass_at_k_mean(n, c, ks, _run.options(threads, progress))
    return _without_axes(mean, single)


def distinct_pass_rows(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    metric: str = "pass@k",
    *,
    threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Rows (U, K) of the metric for the distinct pairs of counts, and the row (P,) of each problem.

    ``rows[index]`` is the (P, K) array; sums over problems take ``np.bincount(index)`` as weights instead.

    Examples
    --------
    >>> rows, index = distinct_pass_rows([2, 2, 2], [1, 0, 1])
    >>> rows, index
    (array([[0. , 0. ],
           [0.5, 1. ]]), array([1, 0, 1]))
    """
    n, c, _ = _counts(num_samples, num_correct)
    ks, _ = _arrays.k_values(k, int(n.max(initial=0)))
    options = _run.options(threads)
    n, c, _, index = _slowthink.distinct_counts(n, c, options)
    rows = np.empty((len(n), len(ks)))
    _slowthink.pass_at_k_rows(n, c, ks, rows, options, metric)
    return rows, index


def pass_variance(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    metric: str = "pass@k",
    *,
    threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Variance (P, K) of pass@k or pass^k of each problem over repetitions of its samples; (P,) for an int ``k``.

    Where 2k <= n the unbiased q_k^2 - q_2k with q_k = C(n-c, k) / C(n, k); above that the delete-one jackknife, which
    is too large on average; NaN where k > n - 1. For pass^k the same with correct and wrong samples exchanged.

    Examples
    --------
    >>> pass_variance(4, 2, [1, 2, 3, 4])
    array([0.08333333, 0.02777778, 0.        ,        nan])
    """
    n, c, single_problem = _counts(num_samples, num_correct)
    ks, single = _arrays.k_values(k, int(n.max(initial=0)))
    out = np.empty((len(n), len(ks)))
    _slowthink.pass_at_k_variance(n, c, ks, out, _run.options(threads), metric)
    return _without_axes(out, single, single_problem)


def _rows(
    num_samples: Any,
    num_correct: Any,
    k: Any,
    metric: str,
    tau: float,
    threads: int | None,
    progress: _run.Progress,
) -> npt.NDArray[np.float64]:
    n, c, single_problem = _counts(num_samples, num_correct)
    ks, single = _arrays.k_values(k, int(n.max(initial=0)))
    options = _run.options(threads, progress)
    out = np.empty((len(n), len(ks)))
    _slowthink.pass_at_k_rows(n, c, ks, out, options, metric, tau)
    return _without_axes(out, single, single_problem)


def _counts(num_samples: Any, num_correct: Any) -> Counts:
    """Both counts as arrays of one length, and whether both were single numbers."""
    n = _arrays.integers(num_samples, "num_samples", ndim=(0, 1), low=0)
    c = _arrays.integers(num_correct, "num_correct", ndim=(0, 1), low=0)
    single = n.ndim == 0 and c.ndim == 0
    if n.ndim == 1 and c.ndim == 1:
        _arrays.same_length(n, "num_samples", c, "num_correct")
    if n.ndim == 0:
        n = np.full(c.size, n)
    if c.ndim == 0:
        c = np.full(n.size, c)
    return n, c, single


def _without_axes(
    out: npt.NDArray[np.float64], single_k: bool, single_problem: bool = False
) -> npt.NDArray[np.float64]:
    """Drops the axes of what was given as a single number."""
    if single_k:
        out = out[..., 0]
    result: npt.NDArray[np.float64] = out[0] if single_problem else out
    return result[()]
