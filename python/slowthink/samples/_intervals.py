"""Bootstrap of whole curves, and comparisons of paired ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink

if TYPE_CHECKING:
    from slowthink.samples._curves import Curve

Interval: TypeAlias = Literal["clt", "t", "wilson", "bootstrap"]
Over: TypeAlias = Literal["problems", "samples"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ComparisonPoint:
    """One point of a :class:`Comparison`: floats."""

    k: int
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    correlation: float
    n_pairs: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """The difference of two curves over the problems that both have, at each k that both have.

    Attributes
    ----------
    k : (K,) int64
    difference, standard_error, low, high : (K,) float64
        First minus second, its standard error and its confidence interval.
    p_value : (K,) float64
        Two-sided, of the hypothesis that the two do not differ, at each k by itself: see :func:`holm` for many.
    correlation : (K,) float64
        Pearson's correlation of the two over the pairs; NaN where one of them does not vary. The larger it is, the
        more pairing gains.
    n_pairs : (K,) int64
        Problems with a value in both.
    unmatched : (int, int)
        Problems that are in the first curve alone, and in the second alone: they are left out.
    confidence, interval, over
        As of :class:`Curve`; ``interval`` may be ``"exact"`` for the sign test.
    """

    k: Integers
    difference: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    p_value: Floats
    correlation: Floats
    n_pairs: Integers
    unmatched: tuple[int, int]
    confidence: float
    interval: str
    over: str

    def at(self, k: int) -> ComparisonPoint:
        """The point at ``k``; KeyError if the two curves do not both have it."""
        places = np.flatnonzero(self.k == k)
        if not len(places):
            raise KeyError(f"k = {k} is not on both curves")
        i = int(places[0])
        floats = ("difference", "standard_error", "low", "high", "p_value", "correlation")
        values = {name: float(getattr(self, name)[i]) for name in floats}
        return ComparisonPoint(k=int(self.k[i]), n_pairs=int(self.n_pairs[i]), **values)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as lists and numbers, ready for JSON; NaN becomes None."""
        floats = ("difference", "standard_error", "low", "high", "p_value", "correlation")
        return {
            "confidence": self.confidence,
            "interval": self.interval,
            "over": self.over,
            "unmatched": list(self.unmatched),
            "k": self.k.tolist(),
            "n_pairs": self.n_pairs.tolist(),
            **{name: [None if x != x else x for x in getattr(self, name).tolist()] for name in floats},
        }

    def __repr__(self) -> str:
        where = [0] if len(self.k) == 1 else [0, len(self.k) - 1]
        points = ", ".join(
            f"k={self.k[i]}: {self.difference[i]:+.4g} [{self.low[i]:+.4g}, {self.high[i]:+.4g}], "
            f"p = {self.p_value[i]:.3g}"
            for i in where
        )
        return f"<Comparison over {int(self.n_pairs.max())} pairs of problems; {points}>"


def compare(
    curve_a: Curve,
    curve_b: Curve,
    *,
    confidence: float = 0.95,
    interval: Literal["clt", "t", "bootstrap"] | None = None,
    n_resamples: int = 10_000,
    rng: _run.RNG = None,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> Comparison:
    """The paired difference of two curves, ``curve_a - curve_b``, with interval and p-value.

    Both were measured on the same problems, and what is hard for the one is mostly hard for the other. The differences
    by problem vary less than the two curves do, so that a paired comparison sees what two separate intervals hide.

    Parameters
    ----------
    curve_a, curve_b : Curve
        Paired by their ``problems`` labels; compared at the k that both have. They may be of different metrics.
    confidence : float
        Level of the interval.
    interval : {"clt", "t", "bootstrap"}, optional
        Normal, Student's t with one degree of freedom less than there are pairs (or clusters), or percentiles over
        resampled pairs. Default: that of the two curves where they agree on one of these, else "clt". Where both
        curves are ``over="samples"`` their problems are fixed, and the standard error adds up the two variances
        within the problems.
    n_resamples, rng, threads, progress
        As for :meth:`SampleLog.curve`; of use with "bootstrap" alone.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If the two have no problem or no k in common, repeated labels, clusters that differ, or are one over problems
        and the other over samples.

    Notes
    -----
    The p-value is that of the standard error under "clt" and "t". Under "bootstrap" it is twice the smaller share of
    resampled differences on either side of zero, at least 2 / (n_resamples + 1). For one sample a problem see
    :func:`mcnemar`.

    Examples
    --------
    >>> from slowthink.samples import Curve, compare
    >>> a = Curve.from_values([0.2, 0.4, 0.6, 0.9])
    >>> b = Curve.from_values([0.1, 0.3, 0.5, 0.7])
    >>> round(compare(a, b).at(1).difference, 12)
    0.125
    """
    from slowthink.samples._curves import Curve  # which imports this module

    for name, curve in (("curve_a", curve_a), ("curve_b", curve_b)):
        if not isinstance(curve, Curve):
            raise TypeError(f"{name} must be a Curve, got {type(curve).__name__}")
    confidence = confidence_level(confidence)
    method = _agreed(curve_a.interval, curve_b.interval) if interval is None else interval
    _arrays.choice(method, "interval", ("clt", "t", "bootstrap"))
    if curve_a.over != curve_b.over:
        raise ValueError(f"curves must be over the same, got over={curve_a.over!r} and over={curve_b.over!r}")
    over = curve_a.over
    if over == "samples" and method != "clt":
        raise ValueError(f"curves over='samples' go with interval='clt' alone, got {method!r}")
    ks, column_a, column_b = np.intersect1d(curve_a.k, curve_b.k, return_indices=True)
    if not len(ks):
        raise ValueError("the curves must have a k in common")
    place_a, place_b = _pairs(curve_a, curve_b)
    cluster = _common_clusters(curve_a, curve_b, place_a, place_b)
    rows_a, rows_b = _columns_of(curve_a._rows, column_a), _columns_of(curve_b._rows, column_b)
    index_a, index_b = curve_a._index[place_a], curve_b._index[place_b]
    out = np.empty((len(ks), 5))
    _slowthink.compare_curves(rows_a, index_a, rows_b, index_b, cluster, out, _run.options(threads, False))
    n_pairs, n_units = out[:, 0].astype(np.int64), out[:, 1].astype(np.int64)
    difference, standard_error, correlation = (out[:, i].copy() for i in (2, 3, 4))
    if over == "samples":
        standard_error = _within(curve_a, curve_b, column_a, column_b, index_a, index_b, rows_a, rows_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = difference / standard_error
    statistic[(difference == 0) & (standard_error == 0)] = 0.0
    if method == "t":
        from slowthink.samples._curves import student_quantiles

        width = standard_error * student_quantiles(confidence, n_units - 1)
        pairs = zip(statistic.tolist(), (n_units - 1.0).tolist(), strict=True)
        p_value = np.array([_slowthink.student_two_sided(t, df) for t, df in pairs])
    else:
        width = standard_error * NormalDist().inv_cdf(0.5 + confidence / 2)
        p_value = np.array([math.erfc(abs(z) / math.sqrt(2)) for z in statistic.tolist()])
    low, high = difference - width, difference + width
    if method == "bootstrap":
        rows, index = _differences(rows_a, index_a, rows_b, index_b)
        count = _count(n_resamples, "n_resamples", 2)
        low, high, standard_error, *sides = _resampled(
            rows, index, cluster, confidence, count, rng, _run.options(threads, progress)
        )
        p_value = np.minimum(2 * (np.minimum(*sides) + 1) / (count + 1), 1.0)
        p_value[np.isnan(low)] = np.nan
    return Comparison(
        k=ks,
        difference=difference,
        standard_error=standard_error,
        low=low,
        high=high,
        p_value=p_value,
        correlation=correlation,
        n_pairs=n_pairs,
        unmatched=(curve_a.n_problems - len(place_a), curve_b.n_problems - len(place_b)),
        confidence=confidence,
        interval=method,
        over=over,
    )


def mcnemar(correct_a: npt.ArrayLike, correct_b: npt.ArrayLike) -> float:
    """The exact two-sided McNemar test: p-value for one verdict (0 or 1) a problem from each of two.

    The problems that only one of them solved are tosses of a fair coin if the two do not differ.

    Parameters
    ----------
    correct_a, correct_b : (P,) array_like
        Verdicts of 0 or 1, problem by problem.

    Examples
    --------
    >>> round(mcnemar([1, 1, 1, 1, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1]), 12)
    0.03125
    """
    a = _arrays.integers(correct_a, "correct_a", ndim=1)
    b = _arrays.integers(correct_b, "correct_b", ndim=1)
    _arrays.same_length(a, "correct_a", b, "correct_b")
    for name, verdicts in (("correct_a", a), ("correct_b", b)):
        strange = (verdicts != 0) & (verdicts != 1)
        if strange.any():
            row = int(np.argmax(strange))
            raise ValueError(f"{name}[{row}] must be 0 or 1, got {verdicts[row]}")
    return _slowthink.sign_test(int(np.count_nonzero(a > b)), int(np.count_nonzero(a != b)))


def holm(p_values: npt.ArrayLike) -> Floats:
    """Holm's adjusted p-values: below a level alpha, the chance of any false alarm among them is at most alpha.

    Parameters
    ----------
    p_values : (M,) array_like
        Between 0 and 1, in any order and however dependent; NaN stays NaN and is not counted.

    Returns
    -------
    (M,) float64

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = _arrays.floats(p_values, "p_values", ndim=1, low=0.0, high=1.0, finite=False)
    order = np.argsort(p, kind="stable")  # NaN last
    count = int(np.count_nonzero(~np.isnan(p)))
    adjusted = np.full(len(p), np.nan)
    scaled = p[order[:count]] * np.arange(count, 0, -1)
    adjusted[order[:count]] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def confidence_level(confidence: Any) -> float:
    """``confidence`` as a float strictly between 0 and 1."""
    if isinstance(confidence, (bool, np.bool_)) or not isinstance(confidence, (int, float, np.number)):
        raise TypeError(f"confidence must be a number, got {confidence!r}")
    # Nearer to 1 the quantile would be infinite.
    if not 0.0 < confidence <= 1.0 - 2.0**-52:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    return float(confidence)


def bootstrap_quantiles(
    rows: Floats,
    index: Integers,
    cluster: Integers | None,
    confidence: float,
    *,
    n_resamples: int,
    rng: _run.RNG,
    threads: int | None,
    progress: _run.Progress,
) -> tuple[Floats, Floats, Floats]:
    """Low and high percentiles and standard deviation of the resampled means of each column."""
    count = _count(n_resamples, "n_resamples", 2)
    if cluster is None and len(rows) == len(index) > 1:
        # Problems of equal curves share a row: a resample then only counts how often it is drawn.
        whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))[:, 0]
        _, first, place = np.unique(whole, return_index=True, return_inverse=True)
        rows, index = rows[first], place.astype(np.int64)[index]
    options = _run.options(threads, progress)
    low, high, deviation, _, _ = _resampled(rows, index, cluster, confidence, count, rng, options)
    return low, high, deviation


def _resampled(
    rows: Floats,
    index: Integers,
    cluster: Integers | None,
    confidence: float,
    n_resamples: int,
    rng: _run.RNG,
    options: _run.Options,
) -> tuple[Floats, ...]:
    """Of each column's resampled means: both percentiles, standard deviation, how many are <= 0, how many >= 0."""
    tails = [0.5 - confidence / 2, 0.5 + confidence / 2]
    out = np.empty((5, rows.shape[1]))
    _slowthink.bootstrap_curves(rows, index, cluster, n_resamples, _words(rng), tails, out, options)
    return tuple(row.copy() for row in out)


def bootstrap_means(
    values: npt.ArrayLike,
    *,
    n_resamples: int = 10_000,
    cluster: npt.ArrayLike | None = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> Floats:
    """Means of resampled problems: each replicate draws P of the P problems with replacement.

    Parameters
    ----------
    values : (P, K) or (P,) array_like
        Value of each problem in each column, such as :func:`pass_at_k` returns; NaN where there is none.
    n_resamples : int
        Number of replicates, B.
    cluster : (P,) array_like of int, optional
        Draw clusters instead, with all their problems.
    rng : None, int, SeedSequence or Generator
        Replicate b draws from stream b of the seed, the same problems for every column and every array of as many
        problems: the difference of two results is the bootstrap of the paired difference.
    first : int
        Number of the first replicate: shards of one job with one seed concatenate to the whole.
    threads, progress
        As for all functions; the result does not depend on ``threads``.

    Returns
    -------
    (B, K) or (B,) float64
        NaN where a replicate has drawn no value of a column.

    Notes
    -----
    One random word serves two draws up to 65,536 problems (no problem is off its probability by more than 2^-32).
    Columns that vary smoothly share most of their work: 256 points of a pass@k curve cost little more than 25.

    Examples
    --------
    >>> bootstrap_means([[0.0, 0.5], [1.0, 0.5]], n_resamples=3, rng=1)[:, 1]
    array([0.5, 0.5, 0.5])
    """
    rows = _arrays.floats(values, "values", ndim=(1, 2), finite=False)
    if rows.size == 0:
        raise ValueError(f"values must not be empty, got shape {rows.shape}")
    if np.isinf(rows).any():
        raise ValueError(f"values{np.argwhere(np.isinf(rows))[0].tolist()} must be finite or NaN")
    matrix = rows[:, None] if rows.ndim == 1 else rows
    codes = None
    if cluster is not None:
        codes = _arrays.integers(cluster, "cluster", ndim=1)
        _arrays.same_length(matrix, "values", codes, "cluster")
    count, start = _count(n_resamples, "n_resamples", 1), _count(first, "first", 0)
    out = np.empty((count, matrix.shape[1]))
    index = np.arange(len(matrix), dtype=np.int64)
    options = _run.options(threads, progress)
    _slowthink.bootstrap_means(matrix, index, codes, start, _words(rng), out, options)
    return out[:, 0].copy() if rows.ndim == 1 else out


def _words(rng: _run.RNG) -> list[int]:
    return [int(word) for word in _run.seed(rng)]


def _count(value: Any, name: str, low: int) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if not low <= value < 2**40:
        raise ValueError(f"{name} must be at least {low} and below 2**40, got {value}")
    return int(value)


def _agreed(a: str, b: str) -> str:
    return a if a == b and a in ("clt", "t", "bootstrap") else "clt"


def _pairs(curve_a: Curve, curve_b: Curve) -> tuple[Integers, Integers]:
    """Places of the common problems in the one and in the other, in the order of the first."""
    if curve_a.problems is curve_b.problems:
        everyone = np.arange(curve_a.n_problems, dtype=np.int64)
        return everyone, everyone
    place: dict[Any, int] = {}
    for i, label in enumerate(curve_b.problems.tolist()):
        if place.setdefault(label, i) != i:
            raise ValueError(f"curve_b must have distinct problems to be paired by, and {label!r} comes twice")
    labels = curve_a.problems.tolist()
    if len(set(labels)) != len(labels):
        twice = next(label for i, label in enumerate(labels) if label in labels[:i])
        raise ValueError(f"curve_a must have distinct problems to be paired by, and {twice!r} comes twice")
    common = [(i, place[label]) for i, label in enumerate(labels) if label in place]
    if not common:
        raise ValueError(
            f"the curves must have problems in common, and none of {labels[0]!r}, ... is among "
            f"{curve_b.problems.tolist()[0]!r}, ..."
        )
    both = np.array(common, dtype=np.int64)
    return both[:, 0].copy(), both[:, 1].copy()


def _common_clusters(curve_a: Curve, curve_b: Curve, place_a: Integers, place_b: Integers) -> Integers | None:
    if curve_a._cluster is None or curve_b._cluster is None:
        known, place = (curve_a._cluster, place_a) if curve_b._cluster is None else (curve_b._cluster, place_b)
        return None if known is None else known[place]
    a, b = curve_a._cluster[place_a], curve_b._cluster[place_b]
    # The same partition, whatever the codes: as many distinct pairs of codes as codes on either side.
    both = len(np.unique(np.stack([a, b]), axis=1).T)
    if not len(np.unique(a)) == len(np.unique(b)) == both:
        raise ValueError("the curves must have the same clusters on the problems they share")
    return a


def _differences(rows_a: Floats, index_a: Integers, rows_b: Floats, index_b: Integers) -> tuple[Floats, Integers]:
    """Distinct rows of differences, and the row of each pair."""
    pairs, index = np.unique(index_a * len(rows_b) + index_b, return_inverse=True)
    a, b = np.divmod(pairs, len(rows_b))
    return rows_a[a] - rows_b[b], index.astype(np.int64)


def _columns_of(rows: Floats, columns: Integers) -> Floats:
    if len(columns) == rows.shape[1] and bool((columns == np.arange(len(columns))).all()):
        return rows
    return np.ascontiguousarray(rows[:, columns])


def _within(
    curve_a: Curve,
    curve_b: Curve,
    column_a: Integers,
    column_b: Integers,
    index_a: Integers,
    index_b: Integers,
    rows_a: Floats,
    rows_b: Floats,
) -> Floats:
    """Standard error of the difference on a fixed benchmark: both variances within the problems, added up."""
    assert curve_a._variance_rows is not None
    assert curve_b._variance_rows is not None
    total = np.zeros(len(column_a))
    for k in range(len(total)):
        pair = ~np.isnan(rows_a[index_a, k]) & ~np.isnan(rows_b[index_b, k])
        variance = curve_a._variance_rows[index_a, column_a[k]] + curve_b._variance_rows[index_b, column_b[k]]
        n = np.count_nonzero(pair)
        total[k] = variance[pair].sum() / n**2 if n else np.nan
    return np.sqrt(np.maximum(total, 0.0))
