"""Curves over k with their uncertainty."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.samples._columns import MISSING, factorize
from slowthink.samples._intervals import Interval, Over, bootstrap_quantiles, confidence_level

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CurvePoint:
    """One point of a :class:`Curve`: floats."""

    k: int
    mean: float
    standard_error: float
    low: float
    high: float
    n_used: int


@dataclass(frozen=True, eq=False)
class Curve:
    """The mean over problems of a metric, at each k, with its interval.

    Made by :meth:`SampleLog.curve` or :meth:`Curve.from_values`.

    Attributes
    ----------
    metric : str
        What was averaged, such as ``"pass@k"``.
    k : (K,) int64
    mean, standard_error, low, high : (K,) float64
        The mean over the problems that have at least k samples, its standard error and its confidence interval. The
        limits are not clipped to [0, 1]: a limit outside says that the normal approximation is poor there. NaN where
        not defined: no such problem, or fewer than two for a standard error.
    n_problems : int
        Number of problems in all.
    n_used : (K,) int64
        Number of problems with at least k samples, those averaged at k.
    confidence : float
        Level of the interval.
    interval : str
        ``"clt"``, ``"t"``, ``"wilson"`` or ``"bootstrap"``.
    over : str
        ``"problems"``: the problems are a sample of many; ``"samples"``: they are all there are, and only the attempts
        at them vary.
    problems : (P,) array
        Labels of the problems, by which :func:`compare` pairs two curves.
    """

    metric: str
    k: Integers
    mean: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    n_problems: int
    n_used: Integers
    confidence: float
    interval: str
    over: str
    problems: npt.NDArray[Any]
    _rows: Floats = field(repr=False)
    _index: Integers = field(repr=False)
    _cluster: Integers | None = field(repr=False, default=None)
    _variance_rows: Floats | None = field(repr=False, default=None)

    @classmethod
    def from_values(
        cls,
        values: npt.ArrayLike,
        k: npt.ArrayLike | None = None,
        *,
        metric: str = "mean",
        problems: Sequence[Any] | npt.NDArray[Any] | None = None,
        cluster: Sequence[Any] | npt.NDArray[Any] | None = None,
        variance: npt.ArrayLike | None = None,
        confidence: float = 0.95,
        interval: Interval = "clt",
        over: Over = "problems",
        n_resamples: int = 10_000,
        rng: _run.RNG = None,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> Curve:
        """The curve of per-problem values, such as :func:`pass_at_k` returns.

        Parameters
        ----------
        values : (P, K) or (P,) array_like
            Value of each problem at each k; NaN where the problem has fewer than k samples.
        k : (K,) array_like of int, optional
            Default 1 to K.
        metric : str
            Its name.
        problems : (P,) array_like, optional
            Distinct labels; default 0 to P - 1.
        cluster : (P,) array_like, optional
            Problems of equal label are not independent of each other.
        variance : (P, K) array_like, optional
            Within-problem variances of the values, for ``over="samples"``.
        confidence, interval, over, n_resamples, rng, threads, progress
            See :meth:`SampleLog.curve`.

        Raises
        ------
        ValueError, TypeError
            For shapes that do not fit, infinite values, repeated labels.

        Examples
        --------
        >>> from slowthink.samples import Curve
        >>> curve = Curve.from_values([[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]])
        >>> curve.mean.round(3)
        array([0.5  , 0.667])
        >>> curve.at(2).n_used
        3
        """
        rows = _arrays.floats(values, "values", ndim=(1, 2), finite=False)
        rows = rows[:, None] if rows.ndim == 1 else rows
        if rows.size == 0:
            raise ValueError(f"values must not be empty, got shape {rows.shape}")
        infinite = np.argwhere(np.isinf(rows))
        if len(infinite):
            i, j = (int(x) for x in infinite[0])
            raise ValueError(f"values[{i}, {j}] must be finite or NaN, got {rows[i, j]}")
        ks, _ = _arrays.k_values(k, rows.shape[1])
        if len(ks) != rows.shape[1]:
            raise ValueError(f"k must have one entry a column of values, {rows.shape[1]}, got {len(ks)}")
        labels = np.arange(len(rows)) if problems is None else label_array(problems, "problems")
        _arrays.same_length(rows, "values", labels, "problems")
        codes = None
        if cluster is not None:
            codes = factorize(cluster, "cluster")[0].astype(np.int64)
            if (codes == MISSING).any():
                raise ValueError(f"cluster[{int(np.argmax(codes == MISSING))}] must not be missing")
            _arrays.same_length(rows, "values", codes, "cluster")
        variances = None
        if variance is not None:
            variances = _arrays.floats(variance, "variance", ndim=(1, 2), finite=False)
            variances = variances[:, None] if variances.ndim == 1 else variances
            if variances.shape != rows.shape:
                raise ValueError(f"variance must have the shape of values, {rows.shape}, got {variances.shape}")
        return make_curve(
            metric,
            ks,
            rows,
            np.arange(len(rows), dtype=np.int64),
            labels,
            cluster=codes,
            variance_rows=variances,
            confidence=confidence,
            interval=interval,
            over=over,
            n_resamples=n_resamples,
            rng=rng,
            threads=threads,
            progress=progress,
        )

    @property
    def per_problem(self) -> Floats:
        """The values of each problem, (P, K): NaN where it has fewer than k samples. Made anew at each use."""
        return self._rows[self._index]

    def at(self, k: int) -> CurvePoint:
        """The point at ``k``.

        Raises
        ------
        KeyError
            If the curve was not computed there.
        """
        places = np.flatnonzero(self.k == k)
        if not len(places):
            raise KeyError(f"k = {k} is not on this curve, whose k are {_abridged(self.k)}")
        i = int(places[0])
        return CurvePoint(
            k=int(self.k[i]),
            mean=float(self.mean[i]),
            standard_error=float(self.standard_error[i]),
            low=float(self.low[i]),
            high=float(self.high[i]),
            n_used=int(self.n_used[i]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The curve as lists and numbers, ready for JSON; NaN becomes None."""
        return {
            "metric": self.metric,
            "n_problems": self.n_problems,
            "confidence": self.confidence,
            "interval": self.interval,
            "over": self.over,
            "k": self.k.tolist(),
            "n_used": self.n_used.tolist(),
            **{name: none_for_nan(getattr(self, name)) for name in ("mean", "standard_error", "low", "high")},
        }

    def to_pandas(self) -> Any:
        """The curve as a pandas DataFrame, one row a k (pandas must be installed)."""
        import pandas

        names = ("k", "mean", "standard_error", "low", "high", "n_used")
        return pandas.DataFrame({name: getattr(self, name) for name in names})

    def plot(self, ax: Any = None, **keywords: Any) -> Any:
        """Draws the curve and its band on a matplotlib axes (a new one by default), and returns the axes."""
        from slowthink import plots

        return plots.plot_curve(self, ax=ax, **keywords)

    def __repr__(self) -> str:
        where = [0] if len(self.k) == 1 else [0, len(self.k) - 1]
        points = ", ".join(f"k={self.k[i]}: {self.mean[i]:.4g} [{self.low[i]:.4g}, {self.high[i]:.4g}]" for i in where)
        return f"<Curve {self.metric} of {self.n_problems} problems, {len(self.k)} k; {points}>"


def make_curve(
    metric: str,
    k: Integers,
    rows: Floats,
    index: Integers,
    problems: npt.NDArray[Any],
    *,
    cluster: Integers | None,
    variance_rows: Floats | None,
    confidence: float,
    interval: str,
    over: str,
    n_resamples: int,
    rng: _run.RNG,
    threads: int | None,
    progress: _run.Progress,
) -> Curve:
    """A curve from distinct rows and the row number of each problem."""
    confidence = confidence_level(confidence)
    _arrays.choice(interval, "interval", ("clt", "t", "wilson", "bootstrap"))
    _arrays.choice(over, "over", ("problems", "samples"))
    if over == "samples" and interval != "clt":
        raise ValueError(f"over='samples' goes with interval='clt' alone, got interval={interval!r}")
    if over == "samples" and cluster is not None:
        raise ValueError("over='samples' takes no clusters: the problems are fixed, their samples independent")
    if over == "samples" and variance_rows is None:
        raise ValueError(f"over='samples' needs within-problem variances, and {metric} has none")
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    index = np.ascontiguousarray(index, dtype=np.int64)
    options = _run.options(threads, False)
    n_used, n_units, mean, standard_error = summary(rows, index, cluster, options)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    if over == "samples":
        assert variance_rows is not None
        variance_rows = np.ascontiguousarray(variance_rows, dtype=np.float64)
        n_known, _, mean_variance, _ = summary(variance_rows, index, None, options)
        # Unbiased variances may be negative for one problem; a negative sum means that it is lost in its own noise.
        standard_error = np.sqrt(np.maximum(mean_variance, 0.0) / np.maximum(n_used, 1))
        standard_error[(n_known != n_used) | np.isnan(mean_variance)] = np.nan
    if interval == "bootstrap":
        low, high, standard_error = bootstrap_quantiles(
            rows, index, cluster, confidence, n_resamples=n_resamples, rng=rng, threads=threads, progress=progress
        )
    elif interval == "wilson":
        low, high = _wilson(rows, n_used, mean, z, metric, cluster)
    else:
        width = standard_error * z
        if interval == "t":
            width = standard_error * student_quantiles(confidence, n_units - 1)
        low, high = mean - width, mean + width
    return Curve(
        metric=metric,
        k=k,
        mean=mean,
        standard_error=standard_error,
        low=low,
        high=high,
        n_problems=len(index),
        n_used=n_used,
        confidence=confidence,
        interval=interval,
        over=over,
        problems=problems,
        _rows=rows,
        _index=index,
        _cluster=cluster,
        _variance_rows=variance_rows,
    )


def summary(
    rows: Floats, index: Integers, cluster: Integers | None, options: _run.Options
) -> tuple[Integers, Integers, Floats, Floats]:
    """Per column: problems used, independent units, mean, standard error."""
    out = np.empty((rows.shape[1], 4))
    _slowthink.summarise_curves(rows, index, cluster, out, options)
    return out[:, 0].astype(np.int64), out[:, 1].astype(np.int64), out[:, 2].copy(), out[:, 3].copy()


def student_quantiles(confidence: float, df: Integers) -> Floats:
    """Student's two-sided quantile for each number of degrees of freedom; NaN where it is below one."""
    distinct, place = np.unique(df, return_inverse=True)
    return np.array([_slowthink.student_quantile(confidence, float(n)) for n in distinct])[place]


def _wilson(
    rows: Floats, n_used: Integers, mean: Floats, z: float, metric: str, cluster: Integers | None
) -> tuple[Floats, Floats]:
    if cluster is not None:
        raise ValueError("interval='wilson' takes no clusters: it is for independent problems")
    if not ((rows == 0) | (rows == 1) | np.isnan(rows)).all():
        raise ValueError(
            f"interval='wilson' needs per-problem values of 0 or 1 (one sample a problem), and {metric} has others; "
            "use 'clt' or 't'"
        )
    n = np.where(n_used > 0, n_used, np.nan)
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(mean * (1 - mean) / n + (z / (2 * n)) ** 2)
    # At means of 0 and 1 a limit equals the mean; rounding must not push it outside.
    return np.minimum(np.maximum(centre - half, 0.0), mean), np.maximum(np.minimum(centre + half, 1.0), mean)


def label_array(labels: Any, name: str) -> npt.NDArray[Any]:
    """``labels`` as a 1-D array: of its own dtype, or of objects where NumPy would change the values."""
    if hasattr(labels, "to_numpy"):
        labels = labels.to_numpy()
    if isinstance(labels, np.ndarray):
        array = labels
    else:
        if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
            raise TypeError(f"{name} must be a sequence of labels, got {labels!r}")
        items = list(labels)
        array = np.empty(len(items), dtype=object)
        array[:] = items
        if items and len({type(item) for item in items}) == 1 and isinstance(items[0], (int, str)):
            array = np.array(items)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, got shape {array.shape}")
    for i, item in enumerate(array.tolist() if array.dtype.hasobject else []):
        if not isinstance(item, Hashable):
            raise TypeError(f"{name}[{i}] must be hashable, got {item!r}")
    return array


def none_for_nan(values: Floats) -> list[float | None]:
    """``values`` as a list; NaN becomes None."""
    return [None if x != x else x for x in values.tolist()]


def _abridged(k: Integers) -> str:
    if len(k) <= 8:
        return ", ".join(map(str, k.tolist()))
    return f"{', '.join(map(str, k[:4].tolist()))}, ..., {k[-1]} ({len(k)} in all)"
