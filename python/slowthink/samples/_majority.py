"""maj@k: exact plurality votes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.samples import _answers

Ties: TypeAlias = Literal["uniform", "strict", "any"]

TIES = ("uniform", "strict", "any")


def maj_at_k(
    answers: Any,
    gold: Any,
    k: Any = None,
    *,
    ties: Ties = "uniform",
    replace: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Probability that the gold answer wins the plurality vote of k samples: exact, for all k at once.

    The mean over all k-subsets of the samples of a problem, which no draw of subsets enters: it is what averaging
    over more and more random subsets converges to, and the unbiased estimate of least variance of the accuracy of a
    vote of k fresh samples.

    Parameters
    ----------
    answers : (P, n) array of int codes, or a sequence of P sequences of hashables
        Codes: equal codes are equal answers; -1 is no sample (pads a short row) and -2 a sample without an answer.
        Hashables: equal values are equal answers and None (or NaN) is a sample without an answer; rows may differ
        in length. A sample without an answer may be drawn, and never votes; a draw without votes scores 0.
    gold : (P,) codes or hashables
        The right answer of each problem; it need not be among the answers.
    k : None, int or (K,) ints, at least 1
        None takes every k from 1 to n.
    ties : {"uniform", "strict", "any"}
        What a tie for the most votes is worth: one over the number of answers tied (the winner is drawn at random),
        nothing, or a win.
    replace : bool
        True draws the k samples with replacement: what a bootstrap of the samples estimates. Biased as an estimate
        for fresh samples.
    threads, progress
        See :mod:`slowthink`.

    Returns
    -------
    (P, K) float64, or (P,) if k is an int
        NaN where k exceeds the number of samples of the problem (with ``replace``: where there is none). Relative
        error about 1e-13.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, the offending value and the rule.

    Notes
    -----
    With counts c_b the votes X_b of a k-subset are multivariate hypergeometric, and the gold answer a wins with
    probability ``sum_m sum_t P(X_a = m, t rivals have m votes, the other rivals fewer) / (t + 1)``. Computed as a
    product of polynomials with non-negative coefficients; a problem of 256 samples takes some ten microseconds, one
    of 10,000 samples from milliseconds (few answers) to a minute (twenty equally frequent ones).

    Examples
    --------
    Three right answers, two equal wrong ones and a third:

    >>> from slowthink.samples import maj_at_k
    >>> maj_at_k([["24", "24", "24", "12", "12", "7"]], ["24"]).round(4)
    array([[0.5 , 0.5 , 0.6 , 0.7 , 0.75, 1.  ]])

    A vote of two is no better than one sample: it ties whenever they differ.
    """
    _arrays.choice(ties, "ties", TIES)
    replace = _arrays.flag(replace, "replace")
    codes, golds = _answers.encode(answers, gold)
    values, scalar = _arrays.k_values(k, codes.shape[1])
    out = np.empty((len(codes), len(values)))
    _slowthink.maj_at_k(codes, golds, values, ties, replace, out, _run.options(threads, progress))
    return out[:, 0] if scalar else out


def maj_variance(
    answers: Any,
    gold: Any,
    k: Any = None,
    *,
    ties: Ties = "uniform",
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """Variance of :func:`maj_at_k` over the samples of each problem, by the delete-one jackknife.

    Arguments as there. Returns (P, K) float64, or (P,) if k is an int; NaN where k > n - 1. In expectation a little
    above the true variance (Efron and Stein 1981).

    Examples
    --------
    >>> maj_variance([["24", "24", "12", "12", "12", "7"]], ["24"], 1).round(4)
    array([0.0444])
    """
    codes, golds = _answers.encode(answers, gold)
    values, scalar = _arrays.k_values(k, codes.shape[1])
    out = np.empty((len(codes), len(values)))
    _slowthink.maj_variance(codes, golds, values, ties, out, _run.options(threads, progress))
    return out[:, 0] if scalar else out
