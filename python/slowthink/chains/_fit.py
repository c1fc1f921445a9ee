"""Chains from trajectories: counts, connected sets, the chain of greatest likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _build, _starts, _trajectories
from slowthink.chains._transition_counts import TransitionCounts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

Counting: TypeAlias = Literal["sliding", "strided", "effective"]
Dangling: TypeAlias = Literal["error", "absorb"]

Table: TypeAlias = "tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.float64]]"
"""Positive counts in compressed sparse rows: indptr, indices, counts."""

_COUNTINGS = ("sliding", "strided", "effective")


def count_trajectories(
    trajectories: Any,
    *,
    lag: int = 1,
    n_states: int | None = None,
    counting: Counting = "sliding",
    threads: int | None = None,
    progress: _run.Progress = False,
) -> TransitionCounts:
    """How often observed walks (trajectories) went from one state to another in ``lag`` steps.

    Parameters
    ----------
    trajectories : int array, (W, n) int array, or list of int arrays
        One trajectory, one in each row, or a list of trajectories of any lengths. States are whole numbers from 0 on:
        for labels, ``states, trajectory = np.unique(labels, return_inverse=True)``. No transition leads from one
        trajectory to the next. One that is not longer than ``lag`` has no transition.
    lag : int
        Steps from the one state to the other, at least 1.
    n_states : int, optional
        Number of states; by default the largest state seen, plus one.
    counting : {"sliding", "strided", "effective"}
        Which transitions count. ``"sliding"``: from every position t to t + lag; all data are used, but for a lag above
        1 the transitions overlap, and intervals that take them for independent are too narrow. ``"strided"``: from
        positions 0, lag, 2 lag, ... alone, which do not overlap; most of the data are left out. ``"effective"``: the
        sliding counts, with each row divided by the number of its overlapping transitions that tell as much as
        one independent one. A chain fitted to them is that of the sliding counts (without a prior), and its
        intervals are about right.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the states done and their number.

    Returns
    -------
    TransitionCounts
        Its ``counts`` are int64, float64 for ``"effective"``.

    Notes
    -----
    Cost: O(length + S), some nanoseconds a state; memory: 4 bytes a state of a trajectory, 8 S, and up to 12 a pair of
    states that occurs (or 8 S^2 a thread for up to 512 states).

    A row of effective counts is divided by ``g_i = 1 + 2 sum_k r_k``, where ``r_k`` is the correlation of the errors
    ``[x(t + lag) = j] - p_ij`` of two transitions out of i that begin k < lag steps apart, weighted by their number and
    averaged over j by variance; it is clipped to [1, lag], its bounds where no correlation is negative. Further apart
    there is no correlation in a Markov chain: the past of a transition does not foretell its error.

    References
    ----------
    Hansen and Hodrick 1980, J. Polit. Econ. 88 (errors of overlapping forecasts); Rao and Scott 1981, J. Am. Stat.
    Assoc. 76 (one design effect for the categories of a row).

    Examples
    --------
    >>> from slowthink.chains import count_trajectories
    >>> count_trajectories([[0, 1, 1, 2], [2, 1]]).to_dense()
    array([[0, 1, 0],
           [0, 1, 1],
           [0, 1, 0]])
    >>> days = [0] * 6 + [1] * 5 + [0] * 4 + [1] * 7 + [0] * 5
    >>> count_trajectories(days, lag=4).to_dense()
    array([[3, 8],
           [8, 4]])
    >>> count_trajectories(days, lag=4, counting="effective").to_dense().round(2)
    array([[2.15, 5.74],
           [5.33, 2.67]])
    """
    lag = _starts.count(lag, "lag", low=1)
    _arrays.choice(counting, "counting", _COUNTINGS)
    options = _run.options(threads, progress)
    data = _trajectories.trajectories(trajectories, n_states)
    strided, effective = counting == "strided", counting == "effective"
    indptr, indices, counts, inefficiency = _slowthink.count_trajectories(data, lag, strided, effective, options)
    if inefficiency is None:
        return TransitionCounts._of(indptr, indices, counts)
    return TransitionCounts._of(indptr, indices, counts / np.repeat(inefficiency, np.diff(indptr)))


def largest_connected_set(counts: Any) -> npt.NDArray[np.int64]:
    """The largest set of states that all reach each other by observed transitions.

    Parameters
    ----------
    counts : TransitionCounts, (S, S) array or scipy.sparse matrix
        How often each transition was seen; zeros are none.

    Returns
    -------
    (n,) int64 array
        The states of the set, ascending. Of several sets of the same size, the one with the most transitions within it;
        then the one with the lowest state.

    See Also
    --------
    TransitionCounts.restrict : The counts of these states alone.

    Notes
    -----
    Strongly connected components by Tarjan's algorithm: O(S + transitions), one thread.

    Examples
    --------
    A state that is left and never seen again, one that the data end in, and two between which they go:

    >>> from slowthink.chains import count_trajectories, largest_connected_set
    >>> counts = count_trajectories([3, 1, 2, 1, 2, 2, 1, 0])
    >>> kept = largest_connected_set(counts)
    >>> kept
    array([1, 2])
    >>> counts.restrict(kept).to_dense()
    array([[0, 2],
           [2, 1]])
    """
    indptr, indices, values = table(counts)
    n_states = len(indptr) - 1
    component = _slowthink.strong_components(indptr, indices, _run.options(1)).astype(np.int64)
    source = np.repeat(np.arange(n_states), np.diff(indptr))
    within = component[source] == component[indices]
    sizes = np.bincount(component)
    seen = np.bincount(component[source[within]], weights=values[within], minlength=len(sizes))
    lowest = np.full(len(sizes), n_states)
    np.minimum.at(lowest, component, np.arange(n_states))
    best = np.lexsort([lowest, -seen, -sizes])[0]
    return np.flatnonzero(component == best)


@dataclass(frozen=True, eq=False)
class FittedChain:
    """What :func:`fit_chain` found.

    Attributes
    ----------
    chain : MarkovChain
        The chain of greatest likelihood.
    standard_error : (T,) float64 array or None
        Of ``chain.probabilities``, in their order: that of a share in a multinomial sample,
        ``sqrt(p (1 - p) / n)``, n being the counts of the row with their prior. It is 0 where a row has one entry,
        and too small where an entry was seen a handful of times: :func:`sample_posterior` gives intervals that hold
        there. None for a reversible chain, whose entries depend on each other.
    stationary_distribution : (S,) float64 array or None
        The law with which a reversible chain is in detailed balance; None for others.
    log_likelihood : float
        The sum of counts times the log of their probabilities (natural logarithms; the prior is not counted).
    """

    chain: MarkovChain
    standard_error: npt.NDArray[np.float64] | None
    stationary_distribution: npt.NDArray[np.float64] | None
    log_likelihood: float


def fit_chain(
    counts: Any,
    *,
    reversible: bool = False,
    prior: Any = 0.0,
    dangling: Dangling = "error",
    progress: _run.Progress = False,
) -> FittedChain:
    """The chain under which observed transitions are likeliest.

    Parameters
    ----------
    counts : TransitionCounts, (S, S) array or scipy.sparse matrix
        How often each transition was seen, at least 0; fractions are fine.
    reversible : bool
        Whether the chain must be in detailed balance, ``pi_i p_ij = pi_j p_ji``. The counts must then be strongly
        connected: see :func:`largest_connected_set`.
    prior : float, (S, S) array or scipy.sparse matrix
        Pseudo-counts that are added. A number is added to *every* pair of states, seen or not (Laplace smoothing): the
        chain then has S^2 transitions. A sparse matrix smooths the pairs it names alone.
    dangling : {"error", "absorb"}
        What becomes of a state that was never left (not seen at all, or only as the last of a trajectory): a
        ValueError that names it, or a state that absorbs. A reversible chain has none.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    FittedChain

    Raises
    ------
    ValueError
        For a state that was never left, or counts that are not strongly connected, with the name of a state.

    Notes
    -----
    Without detailed balance the probabilities are the shares of each row. With it they are found by Newton's method to
    1e-8 in a step that converges quadratically, so to about 1e-15: ``p_ij`` is ``(c_ij + c_ji) s_ij``, normalised,
    where ``s_ij = 1 / (1 + exp(w_j - w_i))`` and w minimises the convex function
    ``sum_ij c_ij log(1 + exp(w_j - w_i))``. Detailed balance holds to rounding. Cost: O(transitions), for a reversible
    chain ten to twenty solutions of a sparse linear system by conjugate gradients; one thread.

    References
    ----------
    Bowman et al. 2009, J. Chem. Phys. 131; Prinz et al. 2011, J. Chem. Phys. 134; Trendelkamp-Schroer et al. 2015, J.
    Chem. Phys. 143 (reversible chains, by fixed-point iterations).

    Examples
    --------
    >>> from slowthink.chains import fit_chain
    >>> fit = fit_chain([[362, 126, 60], [136, 90, 68], [50, 79, 124]])
    >>> fit.chain.probabilities[:3].round(7), fit.standard_error[:3].round(4)
    (array([0.6605839, 0.229927 , 0.1094891]), array([0.0202, 0.018 , 0.0133]))
    >>> fit = fit_chain([[0, 3, 1], [1, 0, 3], [3, 1, 0]], reversible=True)
    >>> fit.chain.probabilities, fit.stationary_distribution.round(3)
    (array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]), array([0.333, 0.333, 0.333]))
    """
    from slowthink.chains._chain import MarkovChain

    reversible = _arrays.flag(reversible, "reversible")
    _arrays.choice(dangling, "dangling", ("error", "absorb"))
    options = _run.options(1, progress)
    seen = table(counts)
    weights = filled(with_prior(seen, prior), dangling)
    if reversible:
        indptr, indices, flows, law = _slowthink.fit_reversible(weights, options)
        chain = MarkovChain._of(_compiled((indptr, indices, flows)))
        return FittedChain(chain, None, law, _log_likelihood(chain, seen))
    chain = MarkovChain._of(_compiled(weights))
    totals = np.repeat(np.add.reduceat(weights[2], weights[0][:-1]), np.diff(weights[0]))
    p = chain.probabilities
    return FittedChain(chain, np.sqrt(p * (1 - p) / totals), None, _log_likelihood(chain, seen))


def log_likelihood(chain: MarkovChain, counts: Any) -> float:
    """The log of the probability of observed transitions under a chain.

    Parameters
    ----------
    chain : MarkovChain
    counts : TransitionCounts, (S, S) array or scipy.sparse matrix
        How often each transition was seen, for the same states.

    Returns
    -------
    float
        ``sum c_ij log p_ij``, in natural units; -inf if a transition was seen that the chain does not have.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain, log_likelihood
    >>> log_likelihood(MarkovChain([[0.5, 0.5], [1.0, 0.0]]), [[1, 2], [2, 0]])
    -2.0794415416798357
    """
    from slowthink.chains._chain import MarkovChain

    if not isinstance(chain, MarkovChain):
        raise TypeError(f"chain must be a MarkovChain, got {type(chain).__name__}")
    return _log_likelihood(chain, table(counts))


def from_trajectories(
    cls: type[MarkovChain],
    trajectories: Any,
    *,
    lag: int = 1,
    n_states: int | None = None,
    reversible: bool = False,
    prior: Any = 0.0,
    counting: Counting = "sliding",
    dangling: Dangling = "error",
    threads: int | None = None,
    progress: _run.Progress = False,
) -> MarkovChain:
    """The chain under which observed walks (trajectories) are likeliest.

    Parameters
    ----------
    trajectories, lag, n_states, counting, threads, progress
        As for :func:`count_trajectories`. One step of the chain stands for ``lag`` steps of the data.
    reversible, prior, dangling
        As for :func:`fit_chain`.

    Returns
    -------
    MarkovChain

    See Also
    --------
    count_trajectories, largest_connected_set, fit_chain : The steps of this one, for data with states to be left out,
        standard errors and the likelihood.
    sample_posterior : Intervals for anything that follows from the chain.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain.from_trajectories([[0, 0, 1, 0], [1, 1, 0]], prior=1)
    >>> chain.probabilities
    array([0.5, 0.5, 0.6, 0.4])
    """
    counts = count_trajectories(
        trajectories, lag=lag, n_states=n_states, counting=counting, threads=threads, progress=progress
    )
    return fit_chain(counts, reversible=reversible, prior=prior, dangling=dangling).chain


def table(value: Any, name: str = "counts") -> Table:
    """The positive entries of counts in any form."""
    if isinstance(value, TransitionCounts):
        indptr, indices, values = value.indptr, value.indices, np.asarray(value.counts, dtype=np.float64)
    elif hasattr(value, "tocsr"):
        if len(set(value.shape)) != 1:
            raise ValueError(f"{name} must be a square matrix, got shape {value.shape}")
        sparse = value.tocsr().astype(np.float64, copy=True)
        sparse.sum_duplicates()
        values = _arrays.floats(sparse.data, name, low=0)
        indptr, indices = sparse.indptr.astype(np.int64), sparse.indices.astype(np.uint32)
    else:
        dense = _arrays.floats(value, name, ndim=2, low=0)
        if dense.shape[0] != dense.shape[1] or not len(dense):
            raise ValueError(f"{name} must be a square matrix of at least one row, got shape {dense.shape}")
        rows, columns = np.nonzero(dense)
        indptr = np.searchsorted(rows, np.arange(len(dense) + 1))
        return indptr, columns.astype(np.uint32), dense[rows, columns]
    if (values == 0).any():
        kept = values > 0
        indptr = np.concatenate([[0], np.cumsum(kept)])[indptr]
        indices, values = indices[kept], values[kept]
    return indptr, indices, values


def with_prior(counts: Table, prior: Any) -> Table:
    """``counts`` and the pseudo-counts of ``prior``."""
    n_states = len(counts[0]) - 1
    if not hasattr(prior, "tocsr") and _arrays.numbers(prior, "prior").ndim == 0:
        number = float(_arrays.floats(prior, "prior", ndim=0, low=0))
        if number == 0:
            return counts
        dense = _arrays.empty((n_states, n_states), np.float64)
        dense[...] = number
    else:
        indptr, indices, values = table(prior, "prior")
        if len(indptr) - 1 != n_states:
            raise ValueError(f"prior must have {n_states} states, as counts has, got {len(indptr) - 1}")
        if not len(values):
            return counts
        keys = np.concatenate([_keys(*counts[:2]), _keys(indptr, indices)])
        merged, place = np.unique(keys, return_inverse=True)
        total = np.zeros(len(merged))
        np.add.at(total, place.reshape(-1), np.concatenate([counts[2], values]))
        indptr = np.searchsorted(merged, np.arange(n_states + 1) * n_states)
        return indptr, (merged % n_states).astype(np.uint32), total
    dense.reshape(-1)[_keys(*counts[:2])] += counts[2]
    indptr = np.arange(n_states + 1, dtype=np.int64) * n_states
    return indptr, np.tile(np.arange(n_states, dtype=np.uint32), n_states), dense.reshape(-1)


def filled(counts: Table, dangling: str) -> Table:
    """``counts`` whose empty rows, if that is allowed, have one transition to themselves."""
    indptr, indices, values = counts
    empty = np.flatnonzero(np.diff(indptr) == 0)
    if not len(empty):
        return counts
    if dangling == "error":
        more = f" (and {len(empty) - 1} more)" if len(empty) > 1 else ""
        raise ValueError(
            f"counts must have a transition out of every state: state {empty[0]}{more} was never left; "
            'dangling="absorb" makes it absorb, largest_connected_set() names the states to restrict the counts to, '
            "a prior gives it transitions"
        )
    indptr = indptr + np.searchsorted(empty, np.arange(len(indptr)))
    places = counts[0][empty]
    return indptr, np.insert(indices, places, empty.astype(np.uint32)), np.insert(values, places, 1.0)


def _compiled(weights: Table) -> _slowthink.Chain:
    try:
        return _build.chain(weights, "counts", weights=True)
    except ValueError as error:
        raise ValueError(str(error).replace("weights", "counts", 1)) from None


def _keys(indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """One number for each entry, in order: row times states plus column."""
    n_states = len(indptr) - 1
    keys: npt.NDArray[np.int64] = np.repeat(np.arange(n_states) * n_states, np.diff(indptr)) + indices
    return keys


def _log_likelihood(chain: MarkovChain, counts: Table) -> float:
    indptr, indices, values = counts
    if len(indptr) - 1 != chain.n_states:
        raise ValueError(f"counts must have {chain.n_states} states, as the chain has, got {len(indptr) - 1}")
    own, other = _keys(chain.indptr, chain.indices), _keys(indptr, indices)
    if not len(other):
        return 0.0
    place = np.minimum(np.searchsorted(own, other), len(own) - 1)
    if (own[place] != other).any():
        return -np.inf
    return float(np.sum(values * np.log(chain.probabilities[place])))
