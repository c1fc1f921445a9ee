"""Planning: what a given number of samples achieves, and how many a goal needs."""

from __future__ import annotations

import math
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.samples._majority import TIES, Ties


@overload
def plurality_probability(
    p: Any, n: int, target: int = ..., *, ties: Ties = ..., threads: int | None = ..., progress: _run.Progress = ...
) -> float: ...
@overload
def plurality_probability(
    p: Any, n: Any, target: int = ..., *, ties: Ties = ..., threads: int | None = ..., progress: _run.Progress = ...
) -> float | npt.NDArray[np.float64]: ...
def plurality_probability(
    p: Any,
    n: Any,
    target: int = 0,
    *,
    ties: Ties = "uniform",
    threads: int | None = None,
    progress: _run.Progress = False,
) -> float | npt.NDArray[np.float64]:
    """Exact probability that ``target`` wins the plurality of n independent answers with law ``p``.

    Parameters
    ----------
    p : (A,) floats in [0, 1]
        Probability of each answer; what the sum lacks to 1 is the probability of no answer.
    n : int or (N,) ints, at least 1
        Number of samples.
    target : int
        Index of the answer that must win.
    ties : {"uniform", "strict", "any"}
        What a tie is worth: one over the number of answers tied, nothing, or a win.

    Returns
    -------
    float, or (N,) float64
        Relative error about 1e-13 where the direct sums are affordable; for large n with many answers a Fourier sum
        of absolute error 1e-13 takes their place (in the rare case of a tiny probability, relative accuracy is lost).

    Examples
    --------
    >>> from slowthink.samples import plurality_probability
    >>> round(plurality_probability([0.4, 0.3, 0.3], 8), 7)
    0.4784896
    """
    _arrays.choice(ties, "ties", TIES)
    law = _arrays.floats(p, "p", ndim=1)
    values = _arrays.integers(n, "n", ndim=(0, 1), low=1)
    at = _index(target, len(law), "target")
    out = np.empty(values.size)
    _slowthink.plurality_probability(law, np.atleast_1d(values), at, ties, out, _run.options(threads, progress))
    return out if values.ndim else float(out[0])


def best_of_n_probability(p: Any, n: Any, target: int = 0) -> float | npt.NDArray[np.float64]:
    """Probability that a perfect verifier finds ``target`` among n independent answers with law ``p``.

    ``1 - (1 - p[target])**n``, without cancellation. ``p`` may be a single number, the probability of the target.

    Examples
    --------
    >>> from slowthink.samples import best_of_n_probability
    >>> round(best_of_n_probability([0.4, 0.3, 0.3], 6), 6)
    0.953344
    """
    law = np.atleast_1d(_arrays.floats(p, "p", ndim=(0, 1), low=0.0, high=1.0))
    if law.sum() > 1 + 1e-9:
        raise ValueError(f"p must sum to at most 1, got a sum of {law.sum()}")
    values = _arrays.integers(n, "n", ndim=(0, 1), low=1)
    right = float(law[_index(target, len(law), "target")])
    found = np.ones(values.shape) if right == 1 else -np.expm1(values * np.log1p(-right))
    return found if values.ndim else float(found)


def samples_needed(
    p: Any,
    *,
    strategy: Literal["majority", "best-of-n"] = "majority",
    confidence: float = 0.95,
    target: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> int:
    """Smallest number of samples at which a strategy returns ``target`` with probability ``confidence``: exact.

    ``strategy="majority"`` is the plurality vote with ties drawn at random: the smallest n from which on every n
    does. It grows like 1 / gap**2 in the gap between the two most probable answers. ``"best-of-n"`` has a perfect
    verifier: the smallest n with ``1 - (1 - p)**n >= confidence`` (Huang et al. 2025, arXiv 2506.05295).

    Parameters
    ----------
    p : (A,) floats in [0, 1]
        Probability of each answer; what the sum lacks to 1 is the probability of no answer.
    strategy : {"majority", "best-of-n"}
    confidence : float in (0, 1)
    target : int
        Index of the right answer.

    Raises
    ------
    ValueError
        If no number of samples gets there: for a vote, if ``target`` is not the most probable answer.

    Examples
    --------
    >>> from slowthink.samples import samples_needed
    >>> samples_needed([0.5, 0.3, 0.2]), samples_needed([0.5, 0.3, 0.2], strategy="best-of-n")
    (54, 5)
    """
    law = _arrays.floats(p, "p", ndim=1, low=0.0, high=1.0)
    if law.sum() > 1 + 1e-9:
        raise ValueError(f"p must sum to at most 1, got a sum of {law.sum()}")
    at = _index(target, len(law), "target")
    level = float(_arrays.floats(confidence, "confidence", ndim=0))
    if not 0 < level < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {level}")
    _arrays.choice(strategy, "strategy", ("majority", "best-of-n"))
    if strategy == "majority":
        return _slowthink.samples_for_majority(law, at, level, _run.options(threads, progress))
    right = float(law[at])
    if right == 0:
        raise ValueError(f"p[{at}] must be positive for any number of samples to do, got {right}")
    n = 1 if right == 1 else max(1, math.ceil(math.log1p(-level) / math.log1p(-right)))
    # The quotient of logarithms can be off by a rounding where n is exactly whole.
    while n > 1 and best_of_n_probability(right, n - 1) >= level:
        n -= 1
    while best_of_n_probability(right, n) < level:
        n += 1
    return n


def _index(value: Any, length: int, name: str) -> int:
    index = int(_arrays.integers(value, name, ndim=0))
    if not 0 <= index < length:
        raise ValueError(f"{name} must be an index into p, 0 to {length - 1}, got {index}")
    return index
