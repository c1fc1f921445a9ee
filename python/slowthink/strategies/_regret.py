"""Learners by themselves: what is lost by not knowing which expert is best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.strategies._strategies import Learner, learner_numbers
from slowthink.trees._inputs import count


@dataclass(frozen=True, eq=False)
class Regret:
    """What :func:`regret` found, by round.

    Attributes
    ----------
    simple : (T,) array of float
        The best mean less that of the expert who is asked in round t, mean over runs.
    standard_error : (T,) array of float
        Of `simple`.
    cumulative : (T,) array of float
        The sum of `simple` up to round t.
    best_share : (T,) array of float
        Share of runs in which the best expert is asked in round t.
    """

    simple: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64]
    cumulative: npt.NDArray[np.float64]
    best_share: npt.NDArray[np.float64]


def regret(
    means: npt.ArrayLike,
    learner: Learner = "hedge",
    n_rounds: int = 1000,
    *,
    n_runs: int = 1000,
    c: float = 2.0,
    delta: float = 0.05,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> Regret:
    """Lets a learner choose among experts whose answers are right with known probabilities, unknown to it.

    This is self-correction without the walks: in each round an expert is asked, and the verifier says whether the
    answer is right.

    Parameters
    ----------
    means : array_like of float, shape (K,)
        How often each expert is right, 0 to 1.
    learner : {"hedge", "ucb", "thompson", "successive-elimination"}
        As in :class:`SelfCorrection`.
    n_rounds : int
        T.
    n_runs : int
        Independent runs.
    c, delta : float
        As in :class:`SelfCorrection`.
    rng, first, threads, progress
        As in :func:`compare`; run i draws from streams of its own.

    Returns
    -------
    Regret

    Notes
    -----
    One pass over the experts a round; a run and round take 4 bytes.

    References
    ----------
    Huang et al. 2025, definition 4.6: the simple regret ``max_a r(a) - E r(a_T)``.

    Examples
    --------
    >>> from slowthink.strategies import regret
    >>> found = regret([0.2, 0.5, 0.8], "thompson", 500, n_runs=200, rng=1)
    >>> bool(found.simple[0] > 0.2), bool(found.simple[-1] < 0.02)
    (True, True)
    """
    rates = _arrays.floats(means, "means", ndim=1, low=0, high=1)
    if not rates.size:
        raise ValueError("means must hold at least one expert")
    if rates.size > 2**16:
        raise ValueError(f"means must hold at most {2**16} experts, got {rates.size}")
    numbers = learner_numbers(learner, c, delta)
    shape = (count(n_runs, "n_runs", 1, 2**40), count(n_rounds, "n_rounds", 1, 2**40))
    number = count(first, "first", 0, 2**63 - 1)
    chosen = _arrays.empty(shape, np.uint32)
    flat = chosen.reshape(-1)
    seed = [int(word) for word in _run.seed(rng)]
    options = _run.options(threads, progress)
    _slowthink.learner_choices(rates.tolist(), numbers, shape[1], number, seed, flat, options)
    gaps = rates.max() - rates
    # By counts of experts, round by round: no array of runs and rounds of floats.
    counts = np.stack([(chosen == expert).sum(axis=0) for expert in range(rates.size)], axis=1)
    shares = counts / shape[0]
    simple = shares @ gaps
    deviation = np.sqrt(np.maximum(shares @ gaps**2 - simple**2, 0.0) / max(shape[0] - 1, 1))
    return Regret(simple, deviation, np.cumsum(simple), shares[:, gaps == 0].sum(axis=1))
