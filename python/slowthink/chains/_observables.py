"""What walks show of themselves without being stored: visits, transitions, ends, occupancy by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _starts
from slowthink.chains._transition_counts import TransitionCounts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_UNLABELLED = 2**32 - 1


def count_visits(
    self: MarkovChain,
    start: Any = None,
    n_steps: int | None = None,
    *,
    from_step: int = 0,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.int64]:
    """How often walks visit each state; nothing is stored but the counts.

    Parameters
    ----------
    start, n_steps, n_walks, start_distribution, rng, first, threads
        As for :meth:`walk`: the walks are the same, to the draw.
    from_step : int
        The first step that counts, from 0, which is the start. A walk counts n_steps + 1 - ``from_step`` times, not at
        all if that is negative.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    (S,) int64 array
        Visits of each state at the steps from ``from_step`` to ``n_steps``. The counts of shards (``first=``) add up to
        those of the whole.

    Notes
    -----
    Cost: O(W n_steps), about as long as :meth:`walk` takes to write the walks, and 8 S bytes.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> weather.count_visits(0, 1000, n_walks=1000, from_step=1, rng=1) / 1_000_000
    array([0.833814, 0.166186])
    """
    walks = _starts.walks(self, start, n_steps, start_distribution, n_walks, rng, first)
    from_step = _starts.count(from_step, "from_step")
    out = _arrays.zeros((self.n_states,), np.int64)
    _slowthink.count_visits(self._chain, walks, from_step, out, _run.options(threads, progress))
    return out


def count_transitions(
    self: MarkovChain,
    start: Any = None,
    n_steps: int | None = None,
    lag: int = 1,
    *,
    from_step: int = 0,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> TransitionCounts:
    """How often walks go from one state to another in ``lag`` steps.

    Parameters
    ----------
    start, n_steps, n_walks, start_distribution, rng, first, threads
        As for :meth:`walk`: the walks are the same, to the draw.
    lag : int
        Steps from the one state to the other, at least 1.
    from_step : int
        The first step whose state counts as the one that is left; 0 is the start.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    TransitionCounts
        Counts of (state at step t, state at step t + lag) for all t from ``from_step`` to n_steps - lag: for a lag
        above 1 the pairs of a walk overlap and are correlated. With a lag of 1 there is an entry for each transition
        of the chain, in the order of :attr:`indices`, be it zero; else for each pair that occurs. The counts of
        shards (``first=``) add up to those of the whole.

    Notes
    -----
    Cost: O(W n_steps) and, for a lag of 1, O(T). Walks are taken twice for a lag above 1, and their pairs sorted if
    there are more than a thousand states. Memory: 8 bytes a transition for a lag of 1 and 16 more, for a while, where
    rows are not uniform; else 28 a pair that occurs.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> counts = weather.count_transitions(0, 1000, n_walks=1000, rng=1)
    >>> counts.counts / counts.row_sums()[counts.source]
    array([0.89998645, 0.10001355, 0.50141245, 0.49858755])
    """
    walks = _starts.walks(self, start, n_steps, start_distribution, n_walks, rng, first)
    lag = _starts.count(lag, "lag", low=1)
    from_step = _starts.count(from_step, "from_step")
    options = _run.options(threads, progress)
    if lag > 1:
        return TransitionCounts._of(*_slowthink.count_pairs(self._chain, walks, from_step, lag, options))
    if not self._chain.is_uniform:
        _arrays.fits((3, self.n_transitions), np.int64, "a table of counts")
    out = _arrays.zeros((self.n_transitions,), np.int64)
    _slowthink.count_transitions(self._chain, walks, from_step, out, options)
    return TransitionCounts._of(self.indptr, self.indices, out)


def endpoints(
    self: MarkovChain,
    start: Any = None,
    n_steps: int | None = None,
    *,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.uint32]:
    """Where walks are after ``n_steps`` steps: the last column of :meth:`walk`, without the others.

    Parameters
    ----------
    start, n_steps, n_walks, start_distribution, rng, first, threads
        As for :meth:`walk`.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    (W,) uint32 array

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> weather.endpoints(0, 1000, n_walks=8, rng=1)
    array([0, 0, 1, 0, 1, 0, 0, 1], dtype=uint32)
    """
    walks = _starts.walks(self, start, n_steps, start_distribution, n_walks, rng, first)
    out = _arrays.empty((walks.n_walks,), np.uint32)
    _slowthink.endpoints(self._chain, walks, out, _run.options(threads, progress))
    return out


def occupancy(
    self: MarkovChain,
    start: Any = None,
    n_steps: int | None = None,
    *,
    states: Any = None,
    labels: Any = None,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.int64]:
    """How many walks are in each state, or set of states, after each step.

    Parameters
    ----------
    start, n_steps, n_walks, start_distribution, rng, first, threads
        As for :meth:`walk`: the walks are the same, to the draw.
    states : (K,) array of ints, optional
        The states to count, each once; all by default.
    labels : (S,) array of ints, optional
        Instead of ``states``: the number of the set that each state belongs to, from 0; -1 for none. K is the
        largest label and one.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    (n_steps + 1, K) int64 array
        Row t counts the walks by their state after step t; divided by the number of walks it estimates the law at
        time t (:meth:`propagate` gives it exactly). The counts of shards (``first=``) add up to those of the whole.

    Notes
    -----
    The counts of one step are independent of each other as walks are; those of different steps come from the same
    walks. Cost: O(W n_steps), and 8 (n_steps + 1) K bytes.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> weather.occupancy(0, 3, n_walks=10_000, rng=1)
    array([[10000,     0],
           [ 8999,  1001],
           [ 8560,  1440],
           [ 8416,  1584]])
    """
    walks = _starts.walks(self, start, n_steps, start_distribution, n_walks, rng, first)
    codes, n_labels = _codes(self.n_states, states, labels)
    out = _arrays.zeros((walks.n_steps + 1, n_labels), np.int64)
    _slowthink.occupancy(self._chain, walks, codes, out, _run.options(threads, progress))
    return out


def _codes(n_states: int, states: Any, labels: Any) -> tuple[npt.NDArray[np.uint32] | None, int]:
    """The kernel's labels of all states (None: each is its own) and their number."""
    if states is not None and labels is not None:
        raise TypeError("states or labels may be given, not both")
    if labels is not None:
        wide = _arrays.integers(labels, "labels", ndim=1, low=-1)
        if len(wide) != n_states:
            raise ValueError(f"labels must have one number for each of the {n_states} states, got {len(wide)}")
        largest = int(wide.max(initial=-1))
        if largest >= _UNLABELLED:
            raise ValueError(f"labels[{int(wide.argmax())}] must be below {_UNLABELLED}, got {largest}")
        return np.where(wide < 0, _UNLABELLED, wide).astype(np.uint32), largest + 1
    if states is None:
        return None, n_states
    chosen = _starts.states(states, "states", n_states)
    codes = np.full(n_states, _UNLABELLED, dtype=np.uint32)
    codes[chosen] = np.arange(len(chosen), dtype=np.uint32)
    twice = np.flatnonzero(codes[chosen] != np.arange(len(chosen)))
    if len(twice):
        raise ValueError(f"states[{twice[0]}] must be there once, got {chosen[twice[0]]} again")
    return codes, len(chosen)
