"""How long walks take to forget where they began."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_LEAST = 1e-9
"""The smallest distance between laws of which rounding leaves enough."""


def mixing_time(
    self: MarkovChain,
    epsilon: float = 0.25,
    *,
    start: int | None = None,
    start_distribution: npt.ArrayLike | None = None,
    max_states: int = 2048,
    max_steps: int = 1_000_000,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> float:
    """The steps after which the law of a walk is near the stationary one, and stays there.

    Parameters
    ----------
    epsilon : float
        How near: half the sum of the absolute differences (total variation), from 1e-9 to below 1.
    start : int, optional
        The state where walks begin. By default the worst one: the time is then enough for all.
    start_distribution : (S,) array of float, optional
        In place of a state the law from which it is drawn.
    max_states : int
        Chains with more states are not made dense: they need a start, and are followed step by step.
    max_steps : int
        Most steps that such a chain is followed.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the matrix products, or the steps, done and their number so far.

    Returns
    -------
    float
        A whole number below 2**53; above, it has the precision of a float. inf where walks never come so near, for the
        chain is periodic.

    Raises
    ------
    ValueError
        If there are several recurrent classes, and so no law that all walks come near; if the chain is too large to be
        made dense and has no start, or ``max_steps`` are not enough.

    Notes
    -----
    The distance never rises with the steps. The powers P, P^2, P^4, ... are computed until one is near enough, and from
    them the binary digits of the time: some ``2 log2(time)`` dense products of S^3 multiplications, so that a time of
    1e100 costs 700 of them. Their entries are sums of non-negative numbers alone, their rows are divided by their sums
    each time, and the stationary law is found without subtractions: the result is right to some ``1e-15 / epsilon``
    of itself however metastable the chain is, where ``1 - lambda`` and powers of eigenvalues lose everything. Memory:
    8 S^2 bytes for each of up to 60 powers, 21 above 1,024 states. From a given start, steps are tried first while they
    are cheaper.

    References
    ----------
    Levin, Peres and Wilmer 2009, Markov Chains and Mixing Times, section 4.5 (the definition).

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.9, 0.1], [0.5, 0.5]]).mixing_time(0.01)
    5.0
    >>> p = 1e-100
    >>> f"{MarkovChain([[1 - p, p], [p, 1 - p]]).mixing_time():.10g}"  # log(2) / (2 p)
    '3.465735903e+99'
    >>> MarkovChain([[0, 1], [1, 0]]).mixing_time()
    inf
    """
    near = float(_arrays.floats(epsilon, "epsilon", ndim=0))
    if not _LEAST <= near < 1:
        raise ValueError(f"epsilon must be at least {_LEAST} and below 1, got {epsilon}")
    max_states = _starts.count(max_states, "max_states")
    max_steps = _starts.count(max_steps, "max_steps")
    options = _run.options(threads, progress)
    law = _law(self, start, start_distribution)
    dense = self.n_states <= max_states
    if law is None and not dense:
        raise ValueError(
            f"start must be given for a chain of {self.n_states:,} states: from all of them at once it would be made "
            f"dense, which max_states={max_states:,} does not allow"
        )
    stationary = self.stationary_distribution(threads=threads)
    period = self.period
    if law is None and period > 1 and near < 1 - 1 / period:
        # Walks from one state are in one of so many sets of equal weight at a time.
        return math.inf
    if law is not None:
        # As many steps as take the time of squaring a dense matrix once or twice.
        cheap = self.n_states**3 // (self.n_states + self.n_transitions) if dense else max_steps
        taken = _slowthink.steps_to_mix(self._chain, stationary, near, law, min(cheap, 2**63 - 1), options)
        if taken is not None:
            return float(taken)
        if not dense:
            raise ValueError(
                f"max_steps must be larger: after {max_steps:,} steps the law of the walk is not within {near} of the "
                f"stationary one, and the chain has too many states, {self.n_states:,}, to be made dense (max_states)"
            )
    _arrays.fits((_slowthink.mixing_matrices(self.n_states), self.n_states, self.n_states), np.float64, "powers")
    return _slowthink.mixing_time(self._chain, stationary, near, law, options)


def _law(self: MarkovChain, start: Any, start_distribution: Any) -> npt.NDArray[np.float64] | None:
    """The law of the start; None where all states are to be tried."""
    if start_distribution is not None:
        if start is not None:
            raise TypeError("start and start_distribution must not both be given")
        law = _arrays.floats(start_distribution, "start_distribution", ndim=1, low=0)
        whole = math.fsum(law)
        if len(law) != self.n_states or not abs(whole - 1) <= 1e-9:
            raise ValueError(
                f"start_distribution must be {self.n_states} numbers, one for each state, that sum to 1 within 1e-9, "
                f"got {len(law)} numbers that sum to {whole}"
            )
        return law / whole
    if start is None:
        return None
    law = np.zeros(self.n_states)
    law[int(_starts.states(start, "start", self.n_states, ndim=0))] = 1.0
    return law
