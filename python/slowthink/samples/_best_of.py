"""best-of-k: choose by score, be judged by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink


def best_of_k(
    scores: npt.ArrayLike,
    values: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    *,
    ties: str = "uniform",
    worst: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Expected value of the best-scored of k samples, exactly, for each problem and each k.

    The mean over all k-subsets of the n samples at hand of the value of the sample with the highest score. The value
    may be anything: whether the sample is correct, a gold reward where the score is a proxy, or the score itself,
    which gives the expected maximum. Scores and values that are both 0/1 verdicts give pass@k.

    Parameters
    ----------
    scores : (P, n) array
        Score of each sample, of any integer or float type. NaN means that there is no sample (it pads the row of a
        problem with fewer samples, anywhere in the row); infinite scores are legal.
    values : (P, n) array
        Value of each sample: finite wherever the score is not NaN, and not read elsewhere.
    k : None, int or (K,) array of int
        Subset sizes, at least 1. None: every k from 1 to the largest number of scores of a problem.
    ties : "uniform"
        Samples tied at the top score are chosen with equal chance, so that the order of the samples has no influence.
    worst : bool
        Take the sample with the lowest score instead.
    threads : None or int
        Largest number of threads; None for all.
    progress : bool or callable
        True for a bar, or a callable of (done, total).

    Returns
    -------
    (P, K) array of float, (P,) for an int ``k``
        NaN where k exceeds the number of scores of the problem.

    Raises
    ------
    ValueError
        If the shapes differ, if the value of a scored sample is NaN or infinite, if k is below 1, or if ``ties`` is
        not known.

    Notes
    -----
    The sample of rank j (ascending, ties averaged) has weight C(j-1, k-1) / C(n, k). O(n log^2 n) to sort a problem,
    and at most O(n) for each k. Small results keep their relative accuracy where the values are not negative.

    Examples
    --------
    A verifier that prefers the wrong sample when it sees enough of them:

    >>> from slowthink.samples import best_of_k
    >>> best_of_k([[0.9, 0.5, 0.1]], [[0, 1, 0]])
    array([[0.33333333, 0.33333333, 0.        ]])

    Ties do not depend on the order of the samples:

    >>> best_of_k([[1, 1], [1, 1]], [[0, 1], [1, 0]], 2)
    array([0.5, 0.5])
    """
    _arrays.choice(ties, "ties", ("uniform",))
    if not isinstance(worst, (bool, np.bool_)):
        raise TypeError(f"worst must be True or False, got {worst!r}")
    scores, values, ks, single = _arguments(scores, values, k)
    options = _run.options(threads, progress)
    out = np.empty((len(scores), len(ks)))
    _slowthink.best_of_k(scores, values, ks, out, options, bool(worst))
    return out[:, 0] if single else out


def best_of_variance(
    scores: npt.ArrayLike,
    values: npt.ArrayLike,
    k: npt.ArrayLike | None = None,
    *,
    worst: bool = False,
    threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Variance (P, K) of best-of-k of each problem over repetitions of its samples; (P,) for an int ``k``.

    The delete-one jackknife, which is too large on average; NaN where k exceeds the number of scores less one.

    Examples
    --------
    >>> best_of_variance([[1.0, 2.0, 3.0]], [[0.0, 1.0, 0.0]])
    array([[0.11111111, 0.44444444,        nan]])
    """
    scores, values, ks, single = _arguments(scores, values, k)
    out = np.empty((len(scores), len(ks)))
    _slowthink.best_of_k_variance(scores, values, ks, out, _run.options(threads), worst)
    return out[:, 0] if single else out


def _arguments(
    scores: Any, values: Any, k: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.int64], bool]:
    scores = _arrays.matrix(scores, "scores")
    values = _arrays.matrix(values, "values")
    if scores.shape != values.shape:
        raise ValueError(f"values must have the shape of scores, {scores.shape}, got {values.shape}")
    largest = scores.shape[1]
    if k is None and scores.dtype.kind == "f" and (missing := np.isnan(scores)).any():
        largest -= int(np.count_nonzero(missing, axis=1).min())
    ks, single = _arrays.k_values(k, largest)
    return scores, values, ks, single
