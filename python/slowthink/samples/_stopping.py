"""When to stop sampling answers: Beta posterior and e-values."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink

Rule = Literal["beta", "e-value"]


def stopping_probability(
    counts: npt.ArrayLike, *, rule: Rule = "beta", threads: int | None = None
) -> npt.NDArray[np.float64]:
    """How sure the votes so far make it that the leading answer is the one that would win.

    Parameters
    ----------
    counts : array_like of int, shape (P, A) or (A,)
        Votes for each answer of each problem, 0 to 2**40, in any order.
    rule : {"beta", "e-value"}
        ``"beta"`` is the posterior probability that the leader (v1 votes) is likelier than the runner-up (v2 votes)
        under a uniform prior, ``I_{1/2}(v2 + 1, v1 + 1)``. It is meant for one look at the votes: looked at after
        every sample with the same threshold, it stops wrongly more often than one minus the threshold says.
        ``"e-value"`` holds at all looks together: the chance that it *ever* reaches ``threshold`` for an answer that
        is not the likeliest is at most ``1 - threshold``. It asks for more votes, and counts A - 1 rivals, so give
        a column to every answer that could occur, those without votes included.
    threads : int, optional
        Number of threads; all by default.

    Returns
    -------
    ndarray of float, shape (P,), or () for one problem
        Between 0.5 and 1 for ``"beta"`` (a tie has exactly 0.5), between 0 and 1 for ``"e-value"``.

    Notes
    -----
    A finite binomial sum of positive terms: right to 1e-12 at any count, where quadrature of the Beta density
    underflows at a few hundred votes. About 10 ns a problem and 1 ns a column; above 255 votes for the leader one
    multiplication for every two votes of its lead, at most 4.5 sqrt(v1 + v2).

    References
    ----------
    Aggarwal et al. 2023, "Let's Sample Step by Step: Adaptive-Consistency" (the Beta rule). The e-value is a mixture
    over the leader's share, uniform above one half, with a union bound over the rivals (Ville's inequality).

    Examples
    --------
    >>> from slowthink.samples import stopping_probability
    >>> stopping_probability([[12, 8, 0], [600, 500, 3], [3, 3, 1]]).round(6)
    array([0.808345, 0.998718, 0.5     ])
    """
    _arrays.choice(rule, "rule", ("beta", "e-value"))
    array = _arrays.numbers(counts, "counts", ndim=(1, 2))
    if array.ndim == 1 and array.size:
        matrix = _arrays.integers(array, "counts", low=0).reshape(1, -1)
    else:
        matrix = _arrays.matrix(array, "counts", whole=True)
    if matrix.shape[1] == 0:
        raise ValueError(f"counts must have at least one column, got shape {matrix.shape}")
    result = np.empty(len(matrix))
    _slowthink.stopping_probability(matrix, rule == "e-value", result, _run.options(threads))
    return result.reshape(()) if array.ndim == 1 else result


def should_stop(
    counts: npt.ArrayLike, *, threshold: float = 0.95, rule: Rule = "beta", threads: int | None = None
) -> npt.NDArray[np.bool_]:
    """Whether each problem has enough votes for its leading answer (adaptive consistency).

    Parameters
    ----------
    counts : array_like of int, shape (P, A) or (A,)
        Votes for each answer of each problem.
    threshold : float
        The confidence at which to stop, above 0 and below 1.
    rule : {"beta", "e-value"}
        See :func:`stopping_probability`. With ``"beta"`` and a look after every sample the error is larger than
        ``1 - threshold``: of two equally likely answers, one is declared the winner at 0.95 within 100 votes more than
        half of the time. With ``"e-value"`` it is at most ``1 - threshold`` however often one looks.
    threads : int, optional
        Number of threads; all by default.

    Returns
    -------
    ndarray of bool, shape (P,), or () for one problem
        ``stopping_probability(counts, rule=rule) >= threshold``.

    Examples
    --------
    >>> from slowthink.samples import should_stop
    >>> should_stop([[5, 0], [5, 1], [600, 500]])
    array([ True, False,  True])
    >>> should_stop([[5, 0], [600, 500], [60, 20]], rule="e-value")
    array([False, False,  True])
    """
    level = _arrays.floats(threshold, "threshold", ndim=0)
    if not 0 < level < 1:
        raise ValueError(f"threshold must be above 0 and below 1, got {threshold}")
    return np.asarray(stopping_probability(counts, rule=rule, threads=threads) >= level)
