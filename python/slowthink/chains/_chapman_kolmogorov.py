"""Whether observed walks are those of a Markov chain at a lag: what it predicts over more steps beside what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink.chains import _fit, _posterior, _starts, _trajectories

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from slowthink.chains._chain import MarkovChain
    from slowthink.chains._transition_counts import TransitionCounts

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ChapmanKolmogorov:
    """What :func:`chapman_kolmogorov` found: probabilities of going from one set of states to another, for L lags.

    Entry (l, a, b) of each array is the probability that a walk in set a is in set b after ``lags[l]`` steps of the
    data.

    Attributes
    ----------
    lag : int
        Steps of the data for which one step of the chain stands.
    steps, lags : (L,) int64 arrays
        Steps of the chain, and of the data.
    predicted : (L, M, M) float64 array
        By that many steps of the chain fitted at ``lag``.
    predicted_low, predicted_high : (L, M, M) float64 arrays
        The interval of the prediction.
    estimated : (L, M, M) float64 array
        By one step of the chain fitted at that lag: what the data say themselves.
    low, high : (L, M, M) float64 arrays
        The interval of the estimate.
    agrees : (L, M, M) bool array
        Whether the two intervals overlap.
    """

    __slots__ = (
        "agrees", "estimated", "high", "lag", "lags", "low", "predicted", "predicted_high", "predicted_low", "steps",
    )  # fmt: skip

    lag: int
    steps: npt.NDArray[np.int64]
    lags: npt.NDArray[np.int64]
    predicted: _Floats
    predicted_low: _Floats
    predicted_high: _Floats
    estimated: _Floats
    low: _Floats
    high: _Floats
    agrees: npt.NDArray[np.bool_]

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """:func:`slowthink.plots.plot_chapman_kolmogorov` of this result."""
        from slowthink.plots import plot_chapman_kolmogorov

        return plot_chapman_kolmogorov(self, ax, **options)

    def __repr__(self) -> str:
        return (
            f"ChapmanKolmogorov(lag={self.lag}, steps={self.steps.tolist()}, n_sets={self.predicted.shape[1]}, "
            f"agrees={self.agrees.mean():.0%})"
        )


def chapman_kolmogorov(
    trajectories: Any,
    lag: int,
    steps: Any,
    *,
    sets: Any = None,
    weights: Any = None,
    reversible: bool = False,
    prior: Any = 0.0,
    n_samples: int = 200,
    confidence: float = 0.95,
    rng: _run.RNG = None,
    threads: int | None = None,
) -> ChapmanKolmogorov:
    """The test of a chain fitted at a lag: its powers against chains fitted at multiples of the lag.

    If the data are walks of a Markov chain at this lag, k of its steps are one step of the chain at k times the lag. If
    they are not (the lag is too short for the walks to forget what the states do not say), the prediction leaves sets
    too early.

    Parameters
    ----------
    trajectories : int array, (W, n) int array, or list of int arrays
        Observed walks, as for :func:`count_trajectories`.
    lag : int
        Steps of the data for which one step of the chain stands, at least 1.
    steps : int or array of int
        Up to how many steps the chain is tested, or the numbers of steps; at least 1.
    sets : (S,) int or (S, M) float array, optional
        The sets between which probabilities are compared: a label for each state, from 0 without a gap, or its
        membership in each of M sets, from 0 to 1 with rows that sum to 1. By default each state is a set of its own.
    weights : (S,) float array, optional
        How often walks begin in each state of a set, on any scale. By default as often as the data are there.
    reversible, prior
        As for :func:`fit_chain`, for all of the chains.
    n_samples : int
        Random chains from which each interval is taken, at least 2.
    confidence : float
        Of the intervals, above 0 and below 1.
    rng : None, int, SeedSequence or Generator
        Draws the random chains: SPEC 7.
    threads : int, optional
        Number of threads; all by default.

    Returns
    -------
    ChapmanKolmogorov
        With arrays of predictions, estimates and their intervals, and ``plot()``.

    Raises
    ------
    ValueError
        For a state that the data never leave at one of the lags (it may be seen at the ends alone: leave it out, or
        give a prior), a set without weight.

    Notes
    -----
    Transitions are counted from every position, and for the intervals by the number of independent ones that they are
    worth (``counting="effective"`` of :func:`count_trajectories`). The random chains are those of
    :func:`sample_posterior`. Prediction and estimate come from the same data: at k = 1 they are equal, and where the
    intervals do not overlap the difference is more than either error. With default settings a few of many pairs do not,
    by chance.

    References
    ----------
    Prinz et al. 2011, J. Chem. Phys. 134, section IV F.

    Examples
    --------
    Two states of which the second is really two, a fast one and a slow one. A chain fitted at a single step predicts
    that it is left too soon; one fitted at 20 steps does not:

    >>> from slowthink.chains import MarkovChain, chapman_kolmogorov
    >>> hidden = MarkovChain([[0.8, 0.2, 0], [0.45, 0.5, 0.05], [0, 0.05, 0.95]])
    >>> seen = (hidden.walk(0, 200_000, rng=1) > 0).astype(int)
    >>> test = chapman_kolmogorov(seen, 1, [1, 10], rng=2)
    >>> test.predicted[:, 1, 1].round(2), test.estimated[:, 1, 1].round(2)
    (array([0.77, 0.47]), array([0.77, 0.58]))
    >>> chapman_kolmogorov(seen, 20, 3, rng=2).agrees.all()
    np.True_
    """
    lag = _starts.count(lag, "lag", low=1)
    multiples = _arrays.integers(steps, "steps", ndim=(0, 1), low=1)
    if isinstance(steps, (bool, np.bool_)):
        raise TypeError(f"steps must be an int or an array of ints, got {steps!r}")
    if multiples.ndim == 0:
        _arrays.fits((int(multiples),), np.int64, "steps")
        multiples = np.arange(1, int(multiples) + 1)
    elif not len(multiples):
        raise ValueError("steps must hold at least one number")
    n_samples = _starts.count(n_samples, "n_samples", low=2)
    level = float(_arrays.floats(confidence, "confidence", ndim=0))
    if not 0 < level < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {confidence}")
    reversible = _arrays.flag(reversible, "reversible")
    _run.options(threads)
    generator = np.random.default_rng(_run.seed(rng))
    _, offsets, n_states = _trajectories.trajectories(trajectories)
    longest, most = int(np.diff(offsets).max()) - 1, int(multiples.max())
    if lag * most > longest:
        raise ValueError(
            f"steps must stay within the trajectories: {most:,} times a lag of {lag:,} is more than the {longest:,} "
            "steps of the longest"
        )
    members = _memberships(sets, n_states)
    base = _fit.count_trajectories(trajectories, lag=lag, n_states=len(members), counting="effective", threads=threads)
    if weights is None:
        sliding = _fit.count_trajectories(trajectories, lag=lag, n_states=len(members), threads=threads)
        masses = sliding.row_sums().astype(np.float64)
    else:
        masses = _arrays.floats(weights, "weights", ndim=1, low=0)
        if len(masses) != len(members):
            raise ValueError(f"weights must have an entry for each of the {len(members)} states, got {len(masses)}")
    starts = members.T * masses
    empty = np.flatnonzero(starts.sum(axis=1) == 0)
    if len(empty):
        raise ValueError(f"weights must be positive for a state of each set, and are 0 in set {empty[0]} (sets)")
    starts /= starts.sum(axis=1, keepdims=True)

    options: dict[str, Any] = {"reversible": reversible, "prior": prior}
    random: dict[str, Any] = {**options, "rng": generator, "threads": threads}
    quantiles = [(1 - level) / 2, (1 + level) / 2]

    def fitted(counts: TransitionCounts, step: int) -> MarkovChain:
        try:
            return _fit.fit_chain(counts, **options).chain
        except ValueError as error:
            raise ValueError(f"trajectories have no chain at a lag of {step}: {error}") from None

    def once(chain: MarkovChain) -> _Floats:
        return np.asarray(chain.propagate(starts, 1, threads=threads) @ members)

    def ahead(chain: MarkovChain) -> _Floats:
        out, laws, taken = np.empty((len(multiples), len(starts), len(starts))), starts, 0
        for i in np.argsort(multiples, kind="stable"):
            laws = chain.propagate(laws, int(multiples[i]) - taken, threads=threads)
            taken = int(multiples[i])
            out[i] = laws @ members
        return out

    predicted = ahead(fitted(base, lag))
    samples = _posterior.sample_posterior(base, n_samples, **random)
    predicted_low, predicted_high = np.quantile(samples.map(ahead), quantiles, axis=0)
    estimated, low, high = (np.empty_like(predicted) for _ in range(3))
    for i, multiple in enumerate(multiples.tolist()):
        if multiple == 1:
            # Of the same counts: the same numbers.
            estimated[i], low[i], high[i] = predicted[i], predicted_low[i], predicted_high[i]
            continue
        counts = _fit.count_trajectories(
            trajectories, lag=lag * multiple, n_states=len(members), counting="effective", threads=threads
        )
        estimated[i] = once(fitted(counts, lag * multiple))
        samples = _posterior.sample_posterior(counts, n_samples, **random)
        low[i], high[i] = np.quantile(samples.map(once), quantiles, axis=0)
    return ChapmanKolmogorov(
        lag=lag,
        steps=multiples,
        lags=multiples * lag,
        predicted=predicted,
        predicted_low=predicted_low,
        predicted_high=predicted_high,
        estimated=estimated,
        low=low,
        high=high,
        agrees=(predicted_low <= high) & (low <= predicted_high),
    )


def _memberships(sets: Any, n_states: int) -> _Floats:
    """How much each state belongs to each set, (S, M)."""
    if sets is None:
        _arrays.fits((n_states, n_states), np.float64, "memberships")
        return np.eye(n_states)
    array = _arrays.numbers(sets, "sets", ndim=(1, 2))
    if len(array) < n_states:
        raise ValueError(f"sets must have an entry for each of the {n_states} states of the data, got {len(array)}")
    if array.ndim == 2:
        members = _arrays.floats(array, "sets", low=0, high=1)
        sums = members.sum(axis=1)
        if not (abs(sums - 1) <= 1e-6).all():
            row = int(np.argmax(~(abs(sums - 1) <= 1e-6)))
            raise ValueError(f"sets[{row}] must sum to 1 within 1e-6, got {sums[row]}")
        return members
    labels = _arrays.integers(array, "sets", low=0)
    n_sets = int(labels.max()) + 1
    if n_sets > len(labels) or (np.bincount(labels) == 0).any():
        raise ValueError("sets must number the sets from 0 without a gap")
    members = np.zeros((len(labels), n_sets))
    members[np.arange(len(labels)), labels] = 1.0
    return members
