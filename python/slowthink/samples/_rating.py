"""Bradley-Terry ratings from pairwise wins."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink

_ELO = 400.0 / np.log(10.0)
_ELO_CENTRE = 1000.0


@dataclass(frozen=True, eq=False)
class BradleyTerry:
    """Ratings of M players, as :func:`bradley_terry` returns them.

    Attributes
    ----------
    rating : (M,) float64
        In units of ``scale``; mean 0 (``"elo"``: 1000), or 0 (1000) for the ``anchor``.
    standard_error, low, high : (M,) float64 or None
        Uncertainty and confidence limits of each rating; None without ``confidence``. They belong to the gauge: of
        ratings around their mean, or of differences to the anchor (whose own are 0). To compare two players use
        :meth:`difference`; overlapping limits do not mean that two players are equal.
    covariance : (M, M) float64 or None
        Of the ratings in this gauge.
    resamples : (n_resamples, M) float64 or None
        Ratings of each bootstrap round; rows of NaN where a round has no finite rating.
    failed_resamples : int
        How many rows those are; they are left out of the intervals.
    confidence : float or None
        Level of ``low`` and ``high``.
    names : tuple of str or None
        Names of the players.
    scale : str
        ``"natural"`` (log odds) or ``"elo"`` (400 points for odds of 10 to 1).
    n_iterations : int
        Newton steps of the fit.
    log_likelihood : float
        Of the battles, ties counted half on both sides.
    """

    rating: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64] | None
    low: npt.NDArray[np.float64] | None
    high: npt.NDArray[np.float64] | None
    covariance: npt.NDArray[np.float64] | None
    resamples: npt.NDArray[np.float64] | None
    failed_resamples: int
    confidence: float | None
    names: tuple[str, ...] | None
    scale: str
    n_iterations: int
    log_likelihood: float

    @property
    def ranking(self) -> npt.NDArray[np.intp]:
        """Numbers of the players from best to worst, equal ratings in the order of the players."""
        return np.argsort(-self.rating, kind="stable")

    def win_probability(self, i: int | str | None = None, j: int | str | None = None) -> Any:
        """Probability that player ``i`` beats player ``j`` (a tie counting half), by number or name.

        None stands for all players: a float, an (M,) array, or (M, M) with rows i and columns j (diagonal 1/2).

        Examples
        --------
        >>> from slowthink.samples import bradley_terry
        >>> bradley_terry([[0, 3], [1, 0]], names=["ann", "bob"]).win_probability("ann", "bob")
        0.75
        """
        rating = self.rating / (_ELO if self.scale == "elo" else 1.0)
        first = rating[:, None] if i is None else rating[_player(i, "i", self.names, len(rating))]
        second = rating if j is None else rating[_player(j, "j", self.names, len(rating))]
        with np.errstate(over="ignore"):
            result = 1.0 / (1.0 + np.exp(second - first))
        if i is None and j is not None:
            result = result[:, 0]
        return float(result) if result.ndim == 0 else result

    def difference(self, i: int | str, j: int | str) -> tuple[float, float, float, float]:
        """Rating of ``i`` minus rating of ``j``, its standard error and its confidence limits.

        The limits are normal for the sandwich, and percentiles of the differences of the rounds for the bootstrap.
        """
        if self.covariance is None or self.confidence is None:
            raise ValueError("difference needs the uncertainty of a call with confidence=")
        a, b = (_player(p, name, self.names, len(self.rating)) for p, name in ((i, "i"), (j, "j")))
        gap = float(self.rating[a] - self.rating[b])
        variance = self.covariance[a, a] + self.covariance[b, b] - 2.0 * self.covariance[a, b]
        error = float(np.sqrt(max(variance, 0.0)))
        if self.resamples is None:
            reach = _quantile(self.confidence) * error
            return gap, error, gap - reach, gap + reach
        low, high = _percentiles(_finite(self.resamples)[:, [a]] - _finite(self.resamples)[:, [b]], self.confidence)
        return gap, error, float(low[0]), float(high[0])

    def table(self) -> list[dict[str, Any]]:
        """One row for each player, from best to worst; a list of dicts, ready for a data frame.

        Examples
        --------
        >>> from slowthink.samples import bradley_terry
        >>> for row in bradley_terry([[0, 2], [4, 0]], names=["ann", "bob"], scale="elo").table():
        ...     print(row["rank"], row["name"], round(row["rating"], 1))
        1 bob 1060.2
        2 ann 939.8
        """
        rows = []
        for rank, player in enumerate(self.ranking.tolist(), 1):
            row: dict[str, Any] = {"rank": rank, "name": self.names[player] if self.names else player}
            for key in ("rating", "standard_error", "low", "high"):
                values = getattr(self, key)
                row[key] = None if values is None else float(values[player])
            rows.append(row)
        return rows


def bradley_terry(
    wins: npt.ArrayLike,
    *,
    ties: npt.ArrayLike | None = None,
    confidence: float | None = None,
    interval: Literal["sandwich", "bootstrap"] = "sandwich",
    n_resamples: int = 1000,
    ridge: float = 0.0,
    anchor: int | str | None = None,
    scale: Literal["natural", "elo"] = "natural",
    names: Sequence[str] | None = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> BradleyTerry:
    """Ratings of players from the outcomes of their battles, by maximum likelihood.

    Player i beats player j with probability ``1 / (1 + exp(rating[j] - rating[i]))``; a tie counts as half a win for
    both.

    Parameters
    ----------
    wins : (M, M) numbers of at least 0
        ``wins[i, j]``: how often player i beat player j; zeros on the diagonal. :func:`win_matrix` counts battles.
    ties : (M, M) symmetric numbers of at least 0, optional
        ``ties[i, j] = ties[j, i]``: how often i and j tied. Half wins may stand in ``wins`` instead: the ratings
        are the same, but the intervals then treat a tie as half of a decided battle and come out too wide.
    confidence : float in (0, 1), optional
        Level of the intervals, such as 0.95. None: ratings alone.
    interval : {"sandwich", "bootstrap"}
        ``"sandwich"``: normal limits from the robust covariance ``H^-1 G H^-1``, H the negative Hessian and G the
        sum of the squared scores of the battles. ``"bootstrap"``: percentiles of the ratings of multinomial
        resamples of the battles over the cells (i, j, outcome).
    n_resamples : int
        Rounds of the bootstrap.
    ridge : float
        The penalty ``ridge / 2 * sum(rating**2)`` on the log-likelihood; above 0 all ratings are finite.
    anchor : int or str, optional
        The player, by number or name, whose rating is set to 0 (``"elo"``: 1000). Intervals of the others then hold
        the noise of the anchor too and are wider than around the mean, which is the default.
    scale : {"natural", "elo"}
        Log odds around 0, or ``400 log10`` odds around 1000.
    names : sequence of M distinct str, optional
        Names of the players, for errors and for the result.
    rng : None, int, SeedSequence or Generator
        Seed of the bootstrap; round i draws from stream ``first + i``.
    first : int
        Number of the first round, so that rounds may be shared over machines: concatenate ``resamples``.
    threads, progress
        See :mod:`slowthink`.

    Returns
    -------
    BradleyTerry

    Raises
    ------
    ValueError
        On counts that are negative, not finite or of the wrong shape; where ratings are infinite because no chain of
        wins leads from some player to another, naming the winless, the unbeaten or the groups that never met; on
        fractional counts with the bootstrap.

    Warns
    -----
    RuntimeWarning
        Where bootstrap rounds have no finite rating, because a player lost all battles of the round, say. They are
        left out, which makes the intervals of such players too narrow: ``ridge`` keeps them.

    Notes
    -----
    Bradley and Terry, Biometrika 39 (1952); ratings are finite if and only if every player is linked to every other by
    a chain of wins (Ford, American Mathematical Monthly 64, 1957). Newton's method with Cholesky factors: about
    ``M**3 / 6`` steps for each of some 6 iterations. A round of the bootstrap costs about ``M**2`` random numbers (or
    one for each battle, if those are fewer) and ``10 M**2`` steps, and its ratings are exact to 1e-10. Made for up
    to a thousand players.

    Examples
    --------
    >>> import numpy as np
    >>> from slowthink.samples import bradley_terry
    >>> wins = np.array([[0, 8, 9], [2, 0, 7], [1, 3, 0]])
    >>> fit = bradley_terry(wins, confidence=0.95, names=["ann", "bob", "cid"])
    >>> fit.rating.round(3), fit.standard_error.round(3)
    (array([ 1.197, -0.179, -1.018]), array([0.427, 0.347, 0.397]))
    >>> bradley_terry([[0, 1, 1], [2, 0, 1], [0, 0, 0]], names=["ann", "bob", "cid"])
    Traceback (most recent call last):
    ...
    ValueError: wins must lead from every player to every other by a chain of wins or ties, or ratings are infinite
    (winless: "cid"; ...); leave players out or set ridge > 0
    """
    won = _arrays.floats(wins, "wins", ndim=2, low=0.0)
    n = _players(won, "wins")
    tied = None if ties is None else _arrays.floats(ties, "ties", ndim=2, low=0.0)
    if tied is not None and tied.shape != won.shape:
        raise ValueError(f"ties must have the shape of wins, {won.shape}, got {tied.shape}")
    labels = None if names is None else _labels(names, n)
    interval = _arrays.choice(interval, "interval", ("sandwich", "bootstrap"))  # type: ignore[assignment]
    scale = _arrays.choice(scale, "scale", ("natural", "elo"))  # type: ignore[assignment]
    fixed = None if anchor is None else _player(anchor, "anchor", labels, n)
    rounds = _count(n_resamples, "n_resamples", 1)
    covariance = resamples = None
    if confidence is not None:
        confidence = _level(confidence)
        if interval == "sandwich":
            covariance = np.empty((n, n))
        else:
            resamples = np.empty((rounds, n))
    rating, n_iterations, log_likelihood, failed = _slowthink.bradley_terry(
        won,
        tied,
        list(labels or ()),
        float(_arrays.floats(ridge, "ridge", ndim=0, low=0.0)),
        covariance,
        resamples,
        _run.seed(rng).tolist() if resamples is not None else [0, 0, 0, 0],
        _count(first, "first", 0, 2**63),
        _run.options(threads, progress),
    )
    unit, centre = (_ELO, _ELO_CENTRE) if scale == "elo" else (1.0, 0.0)
    if fixed is not None:
        rating -= rating[fixed]
        if covariance is not None:
            own = covariance[fixed]
            covariance = covariance - own - own[:, None] + own[fixed]
        if resamples is not None:
            resamples -= resamples[:, [fixed]]
    rating = rating * unit + centre
    error = low = high = None
    if covariance is not None and confidence is not None:
        covariance = covariance * unit**2
        error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        reach = _quantile(confidence) * error
        low, high = rating - reach, rating + reach
    if resamples is not None and confidence is not None:
        resamples *= unit
        resamples += centre
        kept = _finite(resamples)
        if failed:
            warnings.warn(
                f"{failed} of {len(resamples)} bootstrap rounds have no finite rating (a player without a win or a "
                "loss) and are left out of the intervals; ridge > 0 keeps them",
                RuntimeWarning,
                stacklevel=2,
            )
        if len(kept) > 1:
            covariance = np.atleast_2d(np.cov(kept, rowvar=False))
            error = np.sqrt(np.diag(covariance))
        else:
            covariance, error = np.full((n, n), np.nan), np.full(n, np.nan)
        low, high = _percentiles(kept, confidence)
    return BradleyTerry(
        rating=rating,
        standard_error=error,
        low=low,
        high=high,
        covariance=covariance,
        resamples=resamples,
        failed_resamples=failed,
        confidence=confidence,
        names=labels,
        scale=scale,
        n_iterations=n_iterations,
        log_likelihood=log_likelihood,
    )


def _players(wins: npt.NDArray[np.float64], name: str) -> int:
    if wins.shape[0] != wins.shape[1]:
        raise ValueError(f"{name} must be square, got shape {wins.shape}")
    return int(wins.shape[0])


def _labels(names: Sequence[str], n: int) -> tuple[str, ...]:
    try:
        labels = () if isinstance(names, (str, bytes)) else tuple(str(name) for name in names)
    except TypeError:
        labels = ()
    if not labels:
        raise TypeError(f"names must be a sequence of one name for each player, got {names!r}")
    if len(labels) != n:
        raise ValueError(f"names must have one entry for each of {n} players, got {len(labels)}")
    seen: set[str] = set()
    for i, label in enumerate(labels):
        if label in seen:
            raise ValueError(f"names[{i}] must be distinct from the others, got {label!r} again")
        seen.add(label)
    return labels


def _player(player: int | str, name: str, names: tuple[str, ...] | None, n: int) -> int:
    """The number of a player given by number or name."""
    if isinstance(player, str):
        if names is None or player not in names:
            known = "no names were given" if names is None else f"one of {', '.join(names[:8])}"
            raise ValueError(f"{name} must be a player's number or name ({known}), got {player!r}")
        return names.index(player)
    if isinstance(player, (bool, np.bool_)) or not isinstance(player, (int, np.integer)):
        raise TypeError(f"{name} must be a player's number or name, got {player!r}")
    if not 0 <= player < n:
        raise ValueError(f"{name} must be a player's number, 0 to {n - 1}, got {player}")
    return int(player)


def _count(value: int, name: str, low: int, high: int = 2**31) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if not low <= value < high:
        raise ValueError(f"{name} must be at least {low} and below {high}, got {value}")
    return int(value)


def _level(confidence: float) -> float:
    level = float(_arrays.floats(confidence, "confidence", ndim=0))
    if not 0.0 < level < 1.0:
        raise ValueError(f"confidence must be between 0 and 1, got {level}")
    return level


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + 0.5 * confidence)


def _finite(resamples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    good = ~np.isnan(resamples[:, 0])
    return resamples if good.all() else resamples[good]


def _percentiles(
    values: npt.NDArray[np.float64], confidence: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if len(values) == 0:
        nothing = np.full(values.shape[1], np.nan)
        return nothing, nothing.copy()
    tail = 0.5 - 0.5 * confidence
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=0)
    return low, high
