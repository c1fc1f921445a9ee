"""Rare hitting probabilities: plain walks, adaptive multilevel splitting, importance sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

Method = Literal["auto", "plain", "splitting", "importance"]

_ROUNDING = 8 * 2.0**-53
"""Relative error that a step of a weighted walk may leave, where nothing else is uncertain any more."""


@dataclass(frozen=True, eq=False)
class HittingProbability:
    """An estimated probability of reaching some states, with its interval; from
    :meth:`MarkovChain.sample_hitting_probability`.

    Attributes
    ----------
    probability : float
        The estimate; unbiased for every method, but that the weights of "importance" may have a mean above 1, of
        which 1 is made.
    standard_error : float
        Its standard error; 0 for "exact", NaN for a single walk or replicate.
    low, high : float
        Ends of the interval.
    confidence : float
        Its level.
    method : {"exact", "plain", "splitting", "importance"}
        What was done. "exact": reachability settled it.
    n_walks : int
        Walks begun at the start; for "splitting" 256 times the number of replicates.
    n_steps : int
        Steps of all walks: the work that was spent.
    hits : int
        Walks that arrived, for "plain"; 0 otherwise.
    estimates : ndarray of float
        The independent unbiased estimates that ``probability`` is the mean of, where that is at most 1, in item order:
        one a walk for "importance", one a replicate for "splitting", none for "plain".
    max_steps : int or None
        After how many steps a walk had failed.
    """

    probability: float
    standard_error: float
    low: float
    high: float
    confidence: float
    method: str
    n_walks: int
    n_steps: int
    hits: int
    estimates: npt.NDArray[np.float64]
    max_steps: int | None = None

    @property
    def relative_error(self) -> float:
        """Standard error over the estimate; NaN where that is 0."""
        return self.standard_error / self.probability if self.probability > 0 else math.nan

    @property
    def effective_items(self) -> float:
        """How many equal estimates would vary as little: (sum of estimates)^2 / sum of squares.

        For "plain" the number of hits, for "exact" infinity, 0 where every estimate is 0.
        """
        if self.method == "exact":
            return math.inf
        if self.method == "plain":
            return float(self.hits)
        if self.probability == 0:
            return 0.0
        shares = self.estimates / self.estimates.max()
        return float(shares.sum() ** 2 / np.square(shares).sum())

    @property
    def reliable(self) -> bool:
        """Whether the interval can be trusted.

        That of "exact" and "plain" always can: it holds for any number of hits. Those of "importance" and "splitting"
        lean on the spread of the estimates; they are trusted if the estimates are worth at least 200 equal walks or 5
        equal replicates, the largest is at most a twentieth (half) of their sum, and the relative error is at most 0.5.
        Weights that vary wildly usually show it, but a sample cannot rule out a rare, huge weight that it has not
        seen: check a surprising result by another method.
        """
        if self.method in ("exact", "plain"):
            return True
        if not 0 < self.relative_error <= 0.5 and self.standard_error != 0:
            return False
        worth, share = (200.0, 0.05) if self.method == "importance" else (5.0, 0.5)
        return self.effective_items >= worth and float(self.estimates.max() / self.estimates.sum()) <= share

    def pool(self, *others: HittingProbability) -> HittingProbability:
        """One result from shards of a job: the same problem, method and seed, consecutive ``first=``, in that order.

        The probability and its interval are those of the job done in one go, bit by bit.

        Examples
        --------
        >>> from slowthink.chains import MarkovChain
        >>> chain = MarkovChain([[1, 0, 0], [0.6, 0, 0.4], [0, 0, 1]])
        >>> parts = [chain.sample_hitting_probability([2], 1, method="plain", n_walks=500, first=first, rng=1)
        ...          for first in (0, 500)]
        >>> whole = chain.sample_hitting_probability([2], 1, method="plain", n_walks=1000, rng=1)
        >>> parts[0].pool(parts[1]).probability == whole.probability
        True
        """
        results = [self, *others]
        for result in others:
            if not isinstance(result, HittingProbability):
                raise TypeError(f"others must be HittingProbability, got {type(result).__name__}")
            if (result.method, result.confidence) != (self.method, self.confidence):
                raise ValueError(
                    f"others must have method {self.method!r} and confidence {self.confidence}, "
                    f"got {result.method!r} and {result.confidence}"
                )
        estimates = self.estimates if self.method == "exact" else np.concatenate([r.estimates for r in results])
        n_walks, n_steps, hits = (sum(getattr(r, name) for r in results) for name in ("n_walks", "n_steps", "hits"))
        return _result(self.method, n_walks, hits, n_steps, estimates, self.confidence, self.max_steps)

    def __repr__(self) -> str:
        trust = "" if self.reliable else ", reliable=False"
        return (
            f"HittingProbability({self.probability:.6g}, {self.confidence:.4g} interval [{self.low:.6g}, "
            f"{self.high:.6g}], method={self.method!r}, n_walks={self.n_walks}{trust})"
        )


def sample_hitting_probability(
    self: MarkovChain,
    targets: Any,
    start: Any = None,
    *,
    avoid: Any = None,
    n_walks: int | None = None,
    method: Method = "auto",
    levels: npt.ArrayLike | None = None,
    max_steps: int | None = None,
    start_distribution: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> HittingProbability:
    """The probability that a walk reaches some states, estimated down to 1e-300, with an interval.

    Parameters
    ----------
    targets : (N,) array_like of int
        The states to be reached, at least one.
    start : int, optional
        Where walks begin: either this or ``start_distribution``. A start in ``targets`` has reached them.
    avoid : (M,) array_like of int, optional
        States that end a walk without success. None of them may be a target.
    n_walks : int, optional
        Walks begun at the start. For "splitting" rounded up to whole replicates of 256, at least two. Default: 100,000
        for "plain", 10,000 for "importance", 16,384 for "splitting".
    method : {"auto", "plain", "splitting", "importance"}
        * ``"plain"``: independent walks and the interval of Clopper and Pearson, right at 0 hits too. A walk ends as
          soon as reachability settles its fate.
        * ``"splitting"``: adaptive multilevel splitting. Walks that came nearest to the targets are copied, in
          independent replicates; the cost grows with the logarithm of 1/probability only.
        * ``"importance"``: walks on the chain ``p_ij V_j / (P V)_i`` for an approximate hitting probability V, weighted
          by their likelihood ratio. The better V, the smaller the variance, down to none.
        * ``"auto"``: "plain" where at least 10 of 1,024 trial walks of at most 65,536 steps arrive, else "importance"
          where the weights of 256 such walks are worth at least 64 equal ones, else "splitting". Trials do not depend
          on ``first``.
    levels : (S,) array_like of float, optional
        What "near" means to the latter two: larger is nearer. Splitting uses the order alone (of more than 4,096 values
        neighbours become one); importance sampling takes V = exp(levels), so that the best levels are the logarithm of
        the probability. Default: the logarithm of a lower bound of it from at most 1,000 sweeps of value iteration,
        O(transitions) each; ``max_steps`` is not looked at.
    max_steps : int, optional
        Walks that are not there after so many steps have failed. Default: no limit.
    start_distribution : (S,) array_like of float, optional
        Law of the first state.
    confidence : float
        Level of the interval, above 0 and below 1.
    rng : None, int, SeedSequence or Generator
        Walk i (replicate i for "splitting") draws from stream ``first + i`` of the seed.
    first : int
        Number of the first walk (replicate): shards of one job with one seed are put together by
        :meth:`HittingProbability.pool`.
    threads, progress
        As for all functions; the result does not depend on ``threads``.

    Returns
    -------
    HittingProbability

    Raises
    ------
    ValueError
        For no target, a state that is none of the chain's, a target in ``avoid``, or levels that are not finite for a
        state on the way.

    Notes
    -----
    Where no walk can arrive the probability is 0, and where none can miss it is 1 (without ``max_steps``): found from
    the transitions alone, ``method`` says "exact".

    The intervals of "importance" and "splitting" are Student's with Hall's correction: estimates of small probabilities
    are skew, and an interval symmetric about a low one would end below the truth too often. See
    :attr:`HittingProbability.reliable`. Where all walks of "splitting" arrive, ``low`` is that of plain walks, and
    where all of "importance" do within ``max_steps`` it is lowered by as much. Where no estimate is positive, ``high``
    is that of plain walks for "splitting" (its replicates begin with plain walks, none of which has arrived), and 1 for
    "importance".

    Memory: up to 20 bytes a state and 4 a transition within reach of the start; for "importance" 16 a state and 40 a
    transition more.
    A walk goes on until its fate is settled, which may take long in a chain that dwells; those of "importance" without
    ``max_steps`` leave out the steps in which a state stays. For an exact number see ``hitting_probabilities``.

    References
    ----------
    Brehier et al., "Unbiasedness of some generalized adaptive multilevel splitting algorithms", Ann. Appl. Probab. 26
    (2016): all walks at the level are replaced, ties included; Cerou and Guyader, "Adaptive multilevel splitting for
    rare event analysis", Stoch. Anal. Appl. 25 (2007); Garvels, "The splitting method in rare event simulation",
    thesis, Twente (2000); L'Ecuyer, Demers and Tuffin, "Rare events, splitting, and quasi-Monte Carlo", ACM TOMACS 17
    (2007); Heidelberger, "Fast simulation of rare events in queueing and reliability models", ACM TOMACS 5
    (1995), for the zero-variance change of measure; Clopper and Pearson, Biometrika 26 (1934); Hall, "On the removal of
    skewness by transformation", J. R. Statist. Soc. B 54 (1992).

    Examples
    --------
    A gambler with 1 coin wins each game with probability 0.3, and wants 30: (7/3 - 1) / ((7/3)^30 - 1), 1.2e-11.

    >>> import numpy as np
    >>> from slowthink.chains import MarkovChain
    >>> games = np.diag([0.0] + [0.3] * 29, 1) + np.diag([0.7] * 29 + [0.0], -1)
    >>> games[0] = 0; games[0, 0] = games[30, 30] = 1
    >>> found = MarkovChain(games).sample_hitting_probability([30], 1, rng=1)
    >>> found.method, found.low < (7 / 3 - 1) / ((7 / 3) ** 30 - 1) < found.high, found.relative_error < 0.01
    ('importance', True, True)
    """
    wanted = _starts.states(targets, "targets", self.n_states)
    avoided = _starts.states(() if avoid is None else avoid, "avoid", self.n_states)
    starts, _ = _starts.starts(self, start, start_distribution)
    if _starts.is_each(starts):
        raise ValueError(f"start must be one state (start_distribution takes several), got {len(starts)}")
    _arrays.choice(method, "method", ("auto", "plain", "splitting", "importance"))
    count = None if n_walks is None else _starts.count(n_walks, "n_walks", low=1, high=2**48)
    limit = None if max_steps is None else _starts.count(max_steps, "max_steps")
    heights = None if levels is None else _arrays.floats(levels, "levels", ndim=1, finite=False)
    level = _confidence(confidence)
    item = _starts.count(first, "first", high=2**64 - 1)
    options = _run.options(threads, progress)
    if count is not None and method != "plain":
        _arrays.empty((count,), np.float64)  # a MemoryError now where the estimates would not fit
    found = _slowthink.hitting_probability(
        self._chain,
        wanted,
        avoided,
        starts,
        limit,
        method,
        count,
        heights,
        _run.seed(rng),
        item,
        options,
    )
    name, walks, hits, steps, estimates = found
    return _result(name, walks, hits, steps, estimates, level, limit)


def _confidence(value: Any) -> float:
    """``value`` as a level of confidence."""
    level = float(_arrays.floats(value, "confidence", ndim=0))
    if not 0 < level < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {value!r}")
    return level


def _result(
    method: str,
    n_walks: int,
    hits: int,
    n_steps: int,
    estimates: npt.NDArray[np.float64],
    confidence: float,
    max_steps: int | None,
) -> HittingProbability:
    """The estimate, its error and its interval."""
    if method == "exact":
        probability = float(estimates[0])
        error, low, high = 0.0, probability, probability
    elif method == "plain":
        probability = hits / n_walks
        error = math.sqrt(probability * (1 - probability) / n_walks)
        low, high = _slowthink.binomial_interval(hits, n_walks, confidence)
    elif method == "splitting" and estimates.min() == 1:
        # No walk has failed: estimates without any spread say less than the number of walks does.
        probability, error = 1.0, 0.0
        low, high = _slowthink.binomial_interval(n_walks, n_walks, confidence)
    else:
        probability, error, low, high = _interval(method, n_walks, n_steps, estimates, confidence)
        if method == "importance" and max_steps is not None and estimates.min() > 0:
            # None came too late, which bounds the share of those that do, and their spread is not seen.
            low *= _slowthink.binomial_interval(n_walks, n_walks, confidence)[0]
    return HittingProbability(
        probability, error, low, high, confidence, method, n_walks, n_steps, hits, estimates, max_steps
    )


def _interval(
    method: str, n_walks: int, n_steps: int, estimates: npt.NDArray[np.float64], confidence: float
) -> tuple[float, float, float, float]:
    """Mean of the estimates, its error, and Student's interval with Hall's correction for skewness."""
    n, most = len(estimates), float(estimates.max())
    if most == 0.0:
        high = _slowthink.binomial_interval(0, n_walks, confidence)[1] if method == "splitting" else 1.0
        return 0.0, 0.0, 0.0, high
    # In units of the largest: squares of 1e-300 would be 0.
    shares = estimates / most
    mean = float(shares.mean())
    probability = most * mean
    if n < 2:
        return probability, math.nan, 0.0, 1.0
    centred = shares - mean
    deviation = math.sqrt(float(np.square(centred).sum()) / (n - 1))
    relative = deviation / math.sqrt(n) / mean
    skewness = float((centred**3).mean()) / deviation**3 if deviation > 0 else 0.0
    t = _slowthink.student_quantile(confidence, n - 1)
    rounding = _ROUNDING * (1 + n_steps / n)
    # At a low confidence the correction alone might lead past the estimate.
    down = 1 - relative * max(_hall(t, skewness, n), 0.0)
    up = 1 - relative * min(_hall(-t, skewness, n), 0.0)
    low, high = probability * max(0.0, down - rounding), probability * (up + rounding)
    # Weights may have a mean above 1, to which 1 is the nearest probability.
    return min(1.0, probability), probability * relative, min(1.0, low), min(1.0, high)


def _hall(t: float, skewness: float, n: int) -> float:
    """The quantile of the studentised mean of ``n`` skew numbers where the normal or Student's one is ``t``.

    The inverse of Hall's transformation T + a T^2 / 3 + a^2 T^3 / 27 + a / 6 with a = skewness / sqrt(n).
    """
    a = skewness / math.sqrt(n)
    if abs(a) < 1e-9:
        return t
    inner = 1 + a * (t - a / 6)
    return 3 / a * (math.copysign(abs(inner) ** (1 / 3), inner) - 1)
