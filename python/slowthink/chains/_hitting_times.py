"""What simulated hitting times say, censored ones among them: mean, quantiles, survival, and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _slowthink

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]

_ROUNDING = 1e-12
"""A survival probability is a product of rounded numbers: so far it may be off where it should equal a quantile."""


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier's estimate of the probability that a hitting time is longer than t."""

    times: _Ints
    """The t, ascending: the times at which walks hit, or those asked for."""
    survival: _Floats
    """P(T > t); NaN beyond the last time at which a walk was watched, unless all had hit by then."""
    standard_error: _Floats
    """By Greenwood's formula."""
    low: _Floats
    high: _Floats
    """Pointwise confidence limits, on the scale of log(-log P), hence within [0, 1]. Where no walk, or each, has hit by
    t, the exact binomial limits."""
    at_risk: _Ints
    """Walks that had not hit before t and were watched at t."""
    hits: _Ints
    """Walks that hit at t."""


class HittingTimes:
    """Times at which walks came to a target, some of them censored.

    Parameters
    ----------
    times : (W,) array of int
        Steps to the target; -1 where the walk did not come to one while it was watched.
    states : (W,) array of int, optional
        The states hit; -1 where censored.
    max_steps : int or (W,) array of int
        How many steps the walks were watched.

    Notes
    -----
    Censored times are never dropped and never averaged in: a mean that they leave open is NaN, its interval has no
    upper end, and :meth:`restricted_mean`, :meth:`survival` and :meth:`quantile` take them for what they are.

    Examples
    --------
    >>> from slowthink.chains import HittingTimes
    >>> times = HittingTimes([3, 5, -1, 8], max_steps=10)
    >>> times.mean(), times.restricted_mean(10), times.median()
    (nan, 6.5, 5.0)
    """

    __slots__ = ("_follow", "max_steps", "states", "times")

    times: _Ints
    """(W,) steps to the first target, -1 where censored."""
    states: _Ints | None
    """(W,) the targets hit, -1 where censored."""
    max_steps: int | _Ints
    """Steps within which a hit was seen."""

    def __init__(self, times: Any, states: Any = None, *, max_steps: Any) -> None:
        self.times = _arrays.integers(times, "times", ndim=1, low=-1)
        self.states = None
        if states is not None:
            self.states = _arrays.integers(states, "states", ndim=1, low=-1)
            _arrays.same_length(self.times, "times", self.states, "states")
        watched = _arrays.integers(max_steps, "max_steps", ndim=(0, 1), low=0)
        if watched.ndim:
            _arrays.same_length(self.times, "times", watched, "max_steps")
        self.max_steps = watched if watched.ndim else int(watched)
        late = self.times > watched
        if late.any():
            index = int(np.argmax(late))
            raise ValueError(f"times[{index}] must be at most max_steps, got {self.times[index]}")
        self._follow = np.where(self.times < 0, watched, self.times)

    @classmethod
    def _of(cls, times: _Ints, states: _Ints, max_steps: int) -> HittingTimes:
        """The public form of what the kernel gave."""
        self = cls.__new__(cls)
        self.times, self.states, self.max_steps = times, states, max_steps
        self._follow = np.where(times < 0, max_steps, times)
        return self

    @property
    def n_walks(self) -> int:
        """Number of walks, W."""
        return len(self.times)

    @property
    def n_censored(self) -> int:
        """Walks that came to no target while they were watched."""
        return int(np.count_nonzero(self.times < 0))

    @property
    def hitting_fraction(self) -> float:
        """Share of the walks that came to a target while they were watched; NaN without walks."""
        return (self.n_walks - self.n_censored) / self.n_walks if self.n_walks else float("nan")

    def mean(self) -> float:
        """Mean hitting time; NaN where a walk is censored, for the mean then depends on what was not seen, or without
        walks. See :meth:`restricted_mean` and :meth:`median`."""
        return float(np.mean(self.times)) if self.n_walks and not self.n_censored else float("nan")

    @property
    def standard_error(self) -> float:
        """Standard error of :meth:`mean`; NaN where that is NaN, and for fewer than two walks."""
        if self.n_walks < 2 or self.n_censored:
            return float("nan")
        return float(np.std(self.times, ddof=1) / np.sqrt(self.n_walks))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the exact mean hitting time.

        Parameters
        ----------
        confidence : float
            Above 0 and below 1.

        Returns
        -------
        (low, high) : floats
            Where walks are censored, high is inf and low the lower limit of :meth:`restricted_interval`: the mean is
            at least the restricted one, and nothing that was seen says how much larger it is. NaN for fewer than two
            walks.

        Notes
        -----
        Hitting times are skewed, often as an exponential law and sometimes more. The statistic of Student is therefore
        taken through the cubic of Hall 1992, "On the removal of skewness by transformation", which holds its level to
        order 1 / W on either side.

        Examples
        --------
        >>> from slowthink.chains import HittingTimes
        >>> low, high = HittingTimes([3, 5, 4, 8, 5, 3] * 5, max_steps=10).interval()
        >>> round(low, 2), round(high, 2)
        (4.09, 5.42)
        >>> HittingTimes([3, 5, 4, 8, 5, 3, -1], max_steps=10).interval()[1]
        inf
        """
        low, high = _mean_interval(np.minimum(self._follow, self._watched()), _level(confidence))
        return low, float("inf") if self.n_censored else high

    def restricted_mean(self, tau: float | None = None) -> float:
        """Mean of the hitting time or ``tau``, whichever is less: what censored walks do tell of the mean.

        Parameters
        ----------
        tau : float, optional
            Steps, at most the longest time at which a walk was watched; by default the time up to which each walk was
            watched or had hit.

        Returns
        -------
        float
            The area under :meth:`survival` from 0 to ``tau``; NaN without walks.
        """
        return self._restricted(tau)[0]

    def restricted_interval(self, tau: float | None = None, confidence: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the exact mean of the hitting time or ``tau``, whichever is less.

        The same as :meth:`interval` where each walk was watched for ``tau`` steps or had hit, else normal with the
        variance of Greenwood's formula.
        """
        level = _level(confidence)
        mean, tau, error = self._restricted(tau)
        if tau <= self._watched() or not self.n_censored:
            return _mean_interval(np.minimum(self._follow, tau), level)
        width = NormalDist().inv_cdf((1 + level) / 2) * error
        return max(mean - width, 0.0), min(mean + width, tau)

    def survival(self, t: Any = None, confidence: float = 0.95) -> Survival:
        """The probability that a walk takes longer than t, by Kaplan and Meier.

        Parameters
        ----------
        t : (n,) array of int, or int, optional
            Times, ascending or not; by default those at which walks hit.
        confidence : float
            Of the pointwise limits.

        Returns
        -------
        Survival
            Arrays of the length of ``t``.

        References
        ----------
        Kaplan and Meier 1958, "Nonparametric estimation from incomplete observations". The limits are those of
        Kalbfleisch and Prentice, on the scale of log(-log P).

        Examples
        --------
        >>> from slowthink.chains import HittingTimes
        >>> curve = HittingTimes([1, 2, -1, 4], max_steps=[9, 9, 2, 9]).survival()
        >>> curve.times, curve.survival
        (array([1, 2, 4]), array([0.75, 0.5 , 0.  ]))
        """
        level = _level(confidence)
        hits, estimate, greenwood, _ = self._product_limit()
        times = hits if t is None else np.atleast_1d(_arrays.integers(t, "t", ndim=(0, 1), low=0))
        place = np.searchsorted(hits, times, side="right")
        survival = np.concatenate([[1.0], estimate])[place]
        sums = np.concatenate([[0.0], greenwood])[place]
        error = np.where(survival > 0, survival * np.sqrt(np.where(survival > 0, sums, 0.0)), 0.0)
        follow, watched = np.sort(self._follow), np.sort(self._follow[self.times < 0])
        low, high = np.zeros(len(times)), np.ones(len(times))
        inner = (survival > 0) & (survival < 1)
        log = np.log(survival[inner])
        stretch = np.exp(NormalDist().inv_cdf((1 + level) / 2) * error[inner] / survival[inner] / -log)
        low[inner], high[inner] = np.exp(log * stretch), np.exp(log / stretch)
        # Walks of which it is known whether they had hit by t.
        known = len(follow) - np.searchsorted(watched, times, side="left")
        with np.errstate(divide="ignore"):
            tail = ((1 - level) / 2) ** (1 / known)
        low = np.where(survival == 1, tail, low)
        high = np.where(survival == 0, 1 - tail, high)
        unseen = (times > follow.max(initial=-1)) & (survival > 0)
        for array in (survival, error, low, high):
            array[unseen] = np.nan
        at_risk = len(follow) - np.searchsorted(follow, times, side="left")
        seen = np.sort(self.times[self.times >= 0])
        counts = np.searchsorted(seen, times, side="right") - np.searchsorted(seen, times, side="left")
        return Survival(times, survival, error, low, high, at_risk.astype(np.int64), counts.astype(np.int64))

    def quantile(self, q: float = 0.5) -> float:
        """The least time by which a share ``q`` of the walks has hit, 0 < q <= 1; NaN where that was not seen."""
        share = _share(q)
        hits, estimate, *_ = self._product_limit()
        reached = estimate <= (1 - share) + _ROUNDING
        return float(hits[np.argmax(reached)]) if reached.any() else float("nan")

    def median(self) -> float:
        """The time by which half of the walks have hit; NaN where fewer were seen to."""
        return self.quantile(0.5)

    def quantile_interval(self, q: float = 0.5, confidence: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the time by which a share ``q`` of all walks hits.

        Returns
        -------
        (low, high) : floats
            The times at which the limits of :meth:`survival` come down to 1 - ``q`` (Brookmeyer and Crowley 1982); high
            is inf where the upper one never does, low is the last time watched where the lower one never does.
        """
        share, level = _share(q), _level(confidence)
        if not self.n_walks:
            return float("nan"), float("nan")
        curve = self.survival(confidence=level)
        below = curve.low <= 1 - share + _ROUNDING
        above = curve.high <= 1 - share + _ROUNDING
        low = float(curve.times[np.argmax(below)]) if below.any() else float(self._follow.max())
        return low, float(curve.times[np.argmax(above)]) if above.any() else float("inf")

    def __len__(self) -> int:
        return self.n_walks

    def __repr__(self) -> str:
        return f"HittingTimes(n_walks={self.n_walks}, n_censored={self.n_censored})"

    def _watched(self) -> float:
        """The time up to which each walk was watched or had hit."""
        censored = self._follow[self.times < 0]
        return float(censored.min()) if len(censored) else float(self._follow.max(initial=0))

    def _product_limit(self) -> tuple[_Ints, _Floats, _Floats, _Ints]:
        """The times of hits, P(T > t) there, Greenwood's sums, and the walks at risk."""
        hits, counts = np.unique(self.times[self.times >= 0], return_counts=True)
        at_risk = self.n_walks - np.searchsorted(np.sort(self._follow), hits, side="left")
        left = (at_risk - counts).astype(np.float64)
        with np.errstate(divide="ignore"):
            greenwood = np.cumsum(counts / (at_risk * left))
        return hits, np.cumprod(left / at_risk, dtype=np.float64), greenwood, at_risk.astype(np.int64)

    def _restricted(self, tau: Any) -> tuple[float, float, float]:
        """The restricted mean, its tau, and its standard error."""
        longest = float(self._follow.max(initial=0))
        limit = self._watched() if tau is None else float(_arrays.floats(tau, "tau", ndim=0, low=0))
        if limit > longest and self.n_censored:
            raise ValueError(f"tau must be at most the longest time watched, {longest:.17g}, got {limit:.17g}")
        if not self.n_walks:
            return float("nan"), limit, float("nan")
        if limit <= self._watched() or not self.n_censored:
            values = np.minimum(self._follow, limit)
            error = float(np.std(values) / np.sqrt(self.n_walks))
            return float(np.mean(values)), limit, error
        hits, survival, _, at_risk = self._product_limit()
        before = hits < limit
        edges = np.concatenate([[0.0], hits[before], [limit]])
        areas = np.concatenate([[1.0], survival[before]]) * np.diff(edges)
        rest = np.cumsum(areas[::-1])[::-1][1:]
        counts = np.unique(self.times[self.times >= 0], return_counts=True)[1][before]
        left = (at_risk[before] - counts).astype(np.float64)
        terms = np.divide(rest**2 * counts, at_risk[before] * left, out=np.zeros_like(rest), where=left > 0)
        return float(areas.sum()), limit, float(np.sqrt(terms.sum()))


def _mean_interval(values: npt.NDArray[Any], level: float) -> tuple[float, float]:
    """Limits of the mean of what ``values`` are a sample of, corrected for their skewness."""
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean = float(np.mean(values))
    gaps = (values - mean).astype(np.float64)
    spread = float(np.sqrt(np.mean(gaps**2)))
    if spread == 0:
        return mean, mean
    skewness = float(np.mean((gaps / spread) ** 3))
    quantile = float(_slowthink.student_quantile(level, n - 1) / np.sqrt(n))
    scale = float(spread * np.sqrt(n / (n - 1)))
    low, high = (mean - scale * _untransformed(y, skewness, n) for y in (quantile, -quantile))
    return max(low, 0.0), high


def _untransformed(y: float, skewness: float, n: int) -> float:
    """The t for which t + g t^2 / 3 + g^2 t^3 / 27 + g / (6 n) = y, where g is the skewness."""
    if abs(skewness) < 1e-6:
        return float(y)
    return float(3 / skewness * (np.cbrt(1 + skewness * (y - skewness / (6 * n))) - 1))


def _level(confidence: Any) -> float:
    level = float(_arrays.floats(confidence, "confidence", ndim=0))
    if not 0 < level < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {confidence}")
    return level


def _share(q: Any) -> float:
    share = float(_arrays.floats(q, "q", ndim=0))
    if not 0 < share <= 1:
        raise ValueError(f"q must be above 0 and at most 1, got {q}")
    return share
