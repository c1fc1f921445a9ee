"""Weighted maj@k: votes that count as much as a verifier trusts them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.samples import _answers

Method = Literal["auto", "exact", "monte-carlo"]
_METHODS = ("auto", "exact", "monte-carlo")


def weighted_maj_at_k(
    answers: Any,
    weights: Any,
    gold: Any,
    k: npt.ArrayLike | None = None,
    *,
    n_resamples: int = 1000,
    rng: _run.RNG = None,
    method: Method = "auto",
    control_variates: bool = True,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Probability that the gold answer wins a weighted vote of k of a problem's n samples.

    Each sample of a uniformly drawn k-subset adds its weight to its answer, and the answer with the largest sum wins;
    a t-fold tie gives each of the t answers 1/t. A subset in which nobody votes scores 0.

    Parameters
    ----------
    answers : array_like of int, shape (P, n)
        Code of each sample's answer, from 0. -1 is padding, which makes a row shorter; -2 is a sample without an
        answer: it is drawn and does not vote. Or a list of P sequences of hashables, of any lengths, in which None is
        a sample without an answer.
    weights : array_like of float, shape (P, n)
        Weight of each sample, finite and not negative; ignored where there is no vote. Raw reward logits must be
        transformed, by ``np.exp`` or a sigmoid for example. A sample of weight 0 is drawn and does not vote. Rows of
        unequal lengths are given as a list of sequences.
    gold : array_like of int, shape (P,)
        Code of the right answer, or the answer itself; one that no sample gave has probability 0.
    k : int or array_like of int, optional
        Sizes of the vote, by default 1 to the largest number of samples.
    n_resamples : int
        Random permutations for each problem that Monte Carlo uses; at least 2.
    rng : int, SeedSequence, Generator or None
        Source of randomness. Problem i draws from a stream of its own, so that results do not depend on ``threads``.
    method : {"auto", "exact", "monte-carlo"}
        ``"auto"`` is exact for a problem whose weights are whole multiples of a common unit (whole numbers, decimals
        to six places, equal weights, simple ratios) if that takes an estimated 2e7 multiplications or fewer, some
        10 ms, and Monte Carlo otherwise. Equal weights are :func:`maj_at_k`. ``"exact"`` raises for weights without
        a common unit and for more than 1000 samples of unequal weight.
    control_variates : bool
        Correct the Monte Carlo mean by three statistics with known expectations on the same subsets: gold leads, and
        leads or ties, the unweighted vote; the sample of the largest weight is gold. This divides the variance by 4
        to 7 at k = 4 and 1.5 to 2 at k = 16, and takes half as long again; an estimate may leave [0, 1] by a few
        standard errors. Not used below 64 resamples.
    first : int
        Number of the first problem: shards of a job with the same seed give the rows of the whole.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        A bar, or a callable of (done, total) problems.

    Returns
    -------
    estimate : ndarray of float, shape (P, K), or (P,) for a single k
        NaN where k is larger than the number of samples.
    standard_error : ndarray of float, of the same shape
        Of the Monte Carlo error alone, by resample; 0 where the estimate is exact, and where all resamples agree.

    Raises
    ------
    ValueError
        For a weight of a vote that is negative, infinite or NaN, a k below 1, or shapes that differ.

    Notes
    -----
    One permutation serves all k: 3 to 4 ns a sample and resample on a thread. Sums of weights are taken in whole
    numbers of a common unit or of at least 30 bits for the least weight (so that 0.1 + 0.2 ties with 0.3), in floating
    point if the weights span more than nine orders of magnitude.

    The exact form counts subsets by size and weight and integrates ties out by Gauss-Legendre quadrature.

    Examples
    --------
    >>> from slowthink.samples import weighted_maj_at_k
    >>> estimate, standard_error = weighted_maj_at_k([[0, 0, 1]], [[1, 1, 3]], [0])
    >>> estimate
    array([[0.66666667, 0.33333333, 0.        ]])
    >>> answers, scores = [["4", "4", "5", None]], [[0.61, 0.7, 0.93, 0.2]]
    >>> weighted_maj_at_k(answers, scores, ["4"], k=3)[0]
    array([0.5])
    """
    _arrays.choice(method, "method", _METHODS)
    control_variates = _arrays.flag(control_variates, "control_variates")
    codes, gold_codes = _answers.encode(answers, gold)
    weight = _padded(weights, codes.shape)
    if codes.shape != weight.shape:
        raise ValueError(f"weights must have the shape of answers, {codes.shape}, got {weight.shape}")
    sizes, single = _arrays.k_values(k, codes.shape[1])
    resamples = int(_arrays.integers(n_resamples, "n_resamples", ndim=0, low=2))
    start = int(_arrays.integers(first, "first", ndim=0, low=0))
    out = np.empty((len(codes), 2 * len(sizes)))
    _slowthink.weighted_maj_at_k(
        codes,
        weight,
        gold_codes,
        sizes,
        _METHODS.index(method),
        resamples,
        control_variates,
        _run.seed(rng).tolist(),
        start,
        out,
        _run.options(threads, progress),
    )
    estimate, standard_error = out[:, : len(sizes)], out[:, len(sizes) :]
    return (estimate[:, 0], standard_error[:, 0]) if single else (estimate, standard_error)


def _padded(weights: Any, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """The weights as a matrix; rows of unequal lengths are padded to ``shape``."""
    rows = weights if isinstance(weights, (list, tuple)) else ()
    if len({len(row) for row in rows if isinstance(row, (list, tuple, np.ndarray))}) < 2:
        return _arrays.matrix(weights, "weights")
    padded = np.full((len(rows), shape[1]), np.nan)
    for i, row in enumerate(rows):
        values = _arrays.floats(row, f"weights[{i}]", ndim=1, finite=False)
        if len(values) > shape[1]:
            raise ValueError(f"weights[{i}] must have the length of answers[{i}], got {len(values)} weights")
        padded[i, : len(values)] = values
    return padded
