"""What strategies come to on chains of steps, in closed form: exactly, and by the bounds of the paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.problems._built_in import whole

_MOST_STEPS = 1 << 24


def walk_success(success: npt.ArrayLike) -> float:
    """Exact probability that a walk whose steps are right with these probabilities has no wrong one.

    Parameters
    ----------
    success : array_like of float in [0, 1], shape (L,)
        Probability of each step.

    Examples
    --------
    >>> from slowthink.problems import SnowballChain
    >>> from slowthink.strategies import walk_success
    >>> round(walk_success(SnowballChain(rate=50, length=6).success[0]), 5)
    0.03824
    """
    return float(np.prod(_profile(success)))


def stepwise_success(success: npt.ArrayLike, width: int, accuracy: float = 1.0) -> float:
    """Exact probability that a chain is right each of whose steps is selected from ``width`` candidates.

    Parameters
    ----------
    success : array_like of float in [0, 1], shape (L,)
        Probability of each step.
    width : int
        k, candidates of a step.
    accuracy : float in [0, 1]
        Probability that a right candidate is selected, where there is one, in each step.

    Returns
    -------
    float
        ``prod_l accuracy [1 - (1 - p_l)**width]``; it costs ``width * L`` steps.

    References
    ----------
    Gan, Liao and Liu 2025 (arXiv 2501.15602), theorem 4.6, of which :func:`stepwise_bound` is the bound.

    Examples
    --------
    >>> from slowthink.strategies import stepwise_success
    >>> stepwise_success([1, 0.5], 2), stepwise_success([1, 0.5], 2, accuracy=0.9)
    (0.75, 0.6075)
    """
    k, share = whole(width, "width", 1), _accuracy(accuracy)
    return float(np.prod(share * _at_least_one(_profile(success), k)))


def best_of_n_success(success: npt.ArrayLike, n: int, accuracy: float = 1.0) -> float:
    """Exact probability that the answer selected from ``n`` walks is right.

    Parameters
    ----------
    success : array_like of float in [0, 1], shape (L,)
        Probability of each step.
    n : int
        Number of walks.
    accuracy : float in [0, 1]
        Probability that a right answer is selected, where there is one.

    Returns
    -------
    float
        ``accuracy [1 - (1 - prod_l p_l)**n]``; it costs ``n * L`` steps.

    References
    ----------
    Gan, Liao and Liu 2025 (arXiv 2501.15602), section 4.

    Examples
    --------
    >>> from slowthink.strategies import best_of_n_success
    >>> best_of_n_success([1, 0.5], 2)
    0.75
    """
    count, share = whole(n, "n", 1), _accuracy(accuracy)
    return float(share * _at_least_one(np.prod(_profile(success)), count))


def walk_bound(rate: float, length: int) -> float:
    """The paper's bound for a walk whose steps are right with probability min(rate exp(-l), 1).

    Parameters
    ----------
    rate : float
        lambda, above 0.
    length : int
        L, number of steps.

    Returns
    -------
    float
        ``rate**L exp(-L (L + 1) / 2)``. It leaves the minimum out: it says nothing (it is 1 or more) unless
        log(rate) < (L + 1) / 2.

    References
    ----------
    Gan, Liao and Liu 2025 (arXiv 2501.15602), section 4.

    Examples
    --------
    >>> from slowthink.strategies import walk_bound
    >>> round(walk_bound(50, 6), 2)                 # and exactly 0.03824
    11.85
    """
    return _exp(_log_bound(rate, length))


def stepwise_bound(rate: float, length: int, width: int, accuracy: float = 1.0) -> float:
    """The paper's bound for stepwise selection: that of a walk times ``(accuracy * width)**length``.

    Parameters
    ----------
    rate, length : float, int
        As in :func:`walk_bound`.
    width, accuracy : int, float
        As in :func:`stepwise_success`.

    Examples
    --------
    >>> from slowthink.strategies import stepwise_bound, walk_bound
    >>> round(stepwise_bound(1, 2, 4, 0.5) / walk_bound(1, 2), 12)
    4.0
    """
    factor = whole(width, "width", 1) * _accuracy(accuracy)
    return _exp(_log_bound(rate, length) + length * math.log(factor)) if factor else 0.0


def best_of_n_bound(rate: float, length: int, n: int, accuracy: float = 1.0) -> float:
    """The paper's bound for best-of-n: that of a walk times ``accuracy * n``.

    Parameters
    ----------
    rate, length : float, int
        As in :func:`walk_bound`.
    n, accuracy : int, float
        As in :func:`best_of_n_success`.

    Examples
    --------
    >>> from slowthink.strategies import best_of_n_bound, walk_bound
    >>> round(best_of_n_bound(1, 2, 4, 0.5) / walk_bound(1, 2), 12)
    2.0
    """
    factor = whole(n, "n", 1) * _accuracy(accuracy)
    return _exp(_log_bound(rate, length) + math.log(factor)) if factor else 0.0


def gain_accuracy(success: npt.ArrayLike, width: int) -> npt.NDArray[np.float64]:
    """The accuracy above which selection from ``width`` candidates makes a step more probable to be right than it is
    by itself.

    Parameters
    ----------
    success : array_like of float in [0, 1], shape (L,)
        Probability of each step.
    width : int
        k, candidates of a step.

    Returns
    -------
    ndarray of float, shape (L,)
        ``p / [1 - (1 - p)**width]``: 1 / width in the limit of small p, and 1 for p = 1, where no selection helps. The
        paper's condition, accuracy > 1 / width, compares two bounds and is weaker.

    References
    ----------
    Gan, Liao and Liu 2025 (arXiv 2501.15602), theorem 4.6.

    Examples
    --------
    >>> from slowthink.strategies import gain_accuracy
    >>> gain_accuracy([1.0, 0.5, 1e-9, 0.0], 4).round(4)
    array([1.    , 0.5333, 0.25  , 0.25  ])
    """
    steps, k = _profile(success), whole(width, "width", 1)
    sure = np.divide(steps, _at_least_one(steps, k), out=np.full(steps.shape, 1.0 / k), where=steps > 0)
    return np.asarray(sure)


def matching_samples(
    success: npt.ArrayLike, width: int, accuracy: float = 1.0, *, best_of_n_accuracy: float = 1.0
) -> float:
    """How many walks best-of-n needs to do as well as stepwise selection, exactly.

    Parameters
    ----------
    success : array_like of float in [0, 1], shape (L,)
        Probability of each step.
    width, accuracy : int, float
        Of stepwise selection, as in :func:`stepwise_success`.
    best_of_n_accuracy : float in [0, 1]
        Of the choice among whole walks.

    Returns
    -------
    float
        The number n, not rounded, at which :func:`best_of_n_success` equals :func:`stepwise_success`; inf where no n is
        enough.

    Notes
    -----
    The bounds are equal at n = ``(accuracy * width)**L / best_of_n_accuracy``. Between accuracies of
    ``width**(1 / L - 1)`` and ``width**-0.5`` that goes from ``width`` to ``width**(L / 2)``, the range that the paper
    gives; where selection is better, n grows up to ``width**L``.

    References
    ----------
    Gan, Liao and Liu 2025 (arXiv 2501.15602), section 4.

    Examples
    --------
    >>> from slowthink.strategies import matching_samples
    >>> round(matching_samples([1.0, 1.0, 0.1], 4), 9)          # one hard step: no difference
    4.0
    >>> round(matching_samples([0.01] * 6, 4, 0.5), 1)          # six: about 4**3
    58.5
    """
    wanted = stepwise_success(success, width, accuracy)
    share, right = _accuracy(best_of_n_accuracy, "best_of_n_accuracy"), walk_success(success)
    if wanted == 0:
        return 0.0
    if wanted >= share or right == 0:
        return 1.0 if right == 1 and wanted <= share else math.inf
    return math.log1p(-wanted / share) / math.log1p(-right) if right < 1 else 1.0


def _profile(success: Any) -> npt.NDArray[np.float64]:
    steps = _arrays.floats(success, "success", ndim=1, low=0, high=1)
    if not steps.size:
        raise ValueError("success must have at least one step")
    return steps


def _accuracy(value: Any, name: str = "accuracy") -> float:
    return float(_arrays.floats(value, name, ndim=0, low=0, high=1))


def _at_least_one(probability: Any, n: int) -> npt.NDArray[np.float64]:
    """1 - (1 - p)**n, to the last digits where p is small."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(n * np.log1p(-np.asarray(probability))))


def _log_bound(rate: Any, length: Any) -> float:
    scale = float(_arrays.floats(rate, "rate", ndim=0))
    if not scale > 0:
        raise ValueError(f"rate must be above 0, got {scale}")
    steps = whole(length, "length", 1, _MOST_STEPS)
    return steps * math.log(scale) - steps * (steps + 1) / 2


def _exp(power: float) -> float:
    return math.exp(power) if power < 709.78 else math.inf
