"""Simulated hitting and escape times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _starts
from slowthink.chains._hitting_times import HittingTimes

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def sample_hitting_times(
    self: MarkovChain,
    targets: Any,
    start: Any = None,
    *,
    max_steps: int,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
    jumps: Any = "auto",
) -> HittingTimes:
    """How long walks take to a set of states, and which of them they come to first.

    Parameters
    ----------
    targets : int, array of states, or (S,) array of bool
        One state, several, or a mask of those that are. A walk that begins in one has the time 0.
    start, n_walks, start_distribution, rng, first, threads
        As for :meth:`walk`.
    max_steps : int
        A walk that is at no target within so many steps, 0 to 2**63 - 1, is censored there. Large numbers cost nothing
        by themselves: where targets are out of reach is found out once walks have gone on for long, and they end there.
    progress : bool or callable
        True shows a bar; a callable is given the walks done and their number.
    jumps : "auto", "never" or (S,) array of int
        Where a walk need not take each step. With "auto" it jumps out of states, and of sets of up to 256 states, that
        it seldom leaves, where that takes less time than stepping: staying then costs nothing, however long. An array
        says by equal labels which states make up a set, -1 for none; up to 1,024 with one label. With "never" the
        walks are those of :meth:`walk`, to the draw. The law of the result is the same for all, the numbers are not.

    Returns
    -------
    HittingTimes
        With the time and the state of each walk, and what follows from them, censoring accounted for. Shards
        (``first=``) concatenate to the whole.

    Raises
    ------
    ValueError
        If there is no target, or a state is none of the chain's.

    Notes
    -----
    Cost: some 2 ns to 10 ns for each step that is taken. A jump out of a state takes about 50 ns. A jump out of a set
    of n states draws up to n^3 / 3 binomial counts of about 50 ns, fewer where the states are sparsely joined or the
    walk leaves soon; a set is eliminated once, n^3 / 2 multiplications and 32 n^2 bytes. Sets are looked for in chains
    of up to 4 million transitions, for ``max_steps`` of at least 1,000, and for some seconds at most: they are the
    strongly connected components that remain when the weaker transitions are left out, down to those from which the
    mean time to leave is long enough. What is found depends on the chain, the targets and ``max_steps`` alone.

    The leave probability of a state is the sum of its off-diagonal entries, never one minus the diagonal: 1e-100 is as
    good as 0.1. A time above ``max_steps`` is censored, also where the mean time is too large for an integer.

    References
    ----------
    Athenes and Bulatov 2014, "Path factorization approach to stochastic simulations" (kinetic path sampling). The
    elimination is that of Grassmann, Taksar and Heyman 1985, without subtractions.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.5, 0.5 - 1e-12, 1e-12], [0, 0, 1]])
    >>> times = chain.sample_hitting_times(2, 0, n_walks=1000, max_steps=10**15, rng=1)
    >>> times
    HittingTimes(n_walks=1000, n_censored=0)
    >>> low, high = times.interval(0.99)
    >>> low < 2e12 + 2 < high  # the exact mean
    True
    """
    chosen = _targets(targets, "targets", self.n_states)
    return _sample(self, chosen, start, max_steps, n_walks, start_distribution, rng, first, threads, progress, jumps)


def sample_escape_times(
    self: MarkovChain,
    states: Any,
    start: Any = None,
    *,
    max_steps: int,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
    jumps: Any = "auto",
) -> HittingTimes:
    """How long walks take to leave a set of states, and where to.

    Parameters
    ----------
    states : int, array of states, or (S,) array of bool
        The set. A walk that begins outside has the time 0.
    start, max_steps, n_walks, start_distribution, rng, first, threads, progress, jumps
        As for :meth:`sample_hitting_times`, whose targets are here all states but ``states``.

    Returns
    -------
    HittingTimes
        The steps to the first state outside the set, and that state.

    Raises
    ------
    ValueError
        If the set is empty or holds all states.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.5, 0.25, 0.25], [0, 0.5, 0.5]])
    >>> chain.sample_escape_times([0, 1], 0, n_walks=5, max_steps=1000, rng=1).states
    array([2, 2, 2, 2, 2])
    """
    outside = np.ones(self.n_states, dtype=np.bool_)
    outside[_targets(states, "states", self.n_states)] = False
    if not outside.any():
        raise ValueError("states must leave out at least one state, got all of them")
    chosen = np.flatnonzero(outside).astype(np.uint32)
    return _sample(self, chosen, start, max_steps, n_walks, start_distribution, rng, first, threads, progress, jumps)


def _sample(
    self: MarkovChain,
    targets: npt.NDArray[np.uint32],
    start: Any,
    max_steps: Any,
    n_walks: int | None,
    start_distribution: Any,
    rng: _run.RNG,
    first: int,
    threads: int | None,
    progress: _run.Progress,
    jumps: Any,
) -> HittingTimes:
    if isinstance(jumps, str):
        chosen: bool | npt.NDArray[np.int64] = _arrays.choice(jumps, "jumps", ("auto", "never")) == "auto"
    else:
        chosen = _arrays.integers(jumps, "jumps", ndim=1, low=-1)
        if len(chosen) != self.n_states:
            raise ValueError(f"jumps must have one label for each of the {self.n_states} states, got {len(chosen)}")
    max_steps = _starts.count(max_steps, "max_steps")
    options = _run.options(threads, progress)
    walks = _starts.walks(self, start, max_steps, start_distribution, n_walks, rng, first)
    out = _arrays.empty((walks.n_walks, 2), np.int64)
    _slowthink.sample_hitting_times(self._chain, walks, targets, chosen, out, options)
    return HittingTimes._of(out[:, 0].copy(), out[:, 1].copy(), max_steps)


def _targets(value: Any, name: str, n_states: int) -> npt.NDArray[np.uint32]:
    """A set of states as their numbers."""
    array = _arrays.numbers(value, name, ndim=(0, 1))
    if array.dtype == np.bool_:
        if array.shape != (n_states,):
            raise ValueError(f"{name} must have one entry for each of the {n_states} states, got shape {array.shape}")
        chosen = np.flatnonzero(array).astype(np.uint32)
    else:
        chosen = np.atleast_1d(_starts.states(value, name, n_states, ndim=(0, 1)))
    if not len(chosen):
        raise ValueError(f"{name} must hold at least one state")
    return chosen
