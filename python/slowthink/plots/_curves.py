"""Figures of curves over k.

The axis of k is logarithmic to base 2 with plain numbers, every curve carries its interval as a band and its name at
its end, and markers keep the curves apart in grey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from slowthink.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class CurveLike(Protocol):
    """What is drawn: :class:`slowthink.samples.Curve`, or anything with these arrays."""

    @property
    def k(self) -> npt.NDArray[np.int64]: ...
    @property
    def mean(self) -> npt.NDArray[np.float64]: ...
    @property
    def low(self) -> npt.NDArray[np.float64]: ...
    @property
    def high(self) -> npt.NDArray[np.float64]: ...
    @property
    def metric(self) -> str: ...


def plot_curve(
    curve: CurveLike,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    color: str | None = None,
    marker: str | None = None,
    linestyle: str = "-",
    band: bool = True,
) -> Axes:
    """Draws one curve over k with its interval.

    Parameters
    ----------
    curve : Curve
        What :meth:`SampleLog.curve <slowthink.samples.SampleLog.curve>` returns. Undefined values (NaN) are left out.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default. It is one of pyplot's when the program has imported pyplot (so that
        notebooks and ``plt.show()`` find it), else one that leaves no trace behind.
    label : str, optional
        Name at the end of the curve; the curve's metric by default, "" for none.
    color, marker, linestyle : str, optional
        As matplotlib takes them; colour and marker follow the number of curves already drawn.
    band : bool
        Whether the interval is drawn: a band, or bars where there are fewer than two points.

    Returns
    -------
    matplotlib Axes
    """
    axes = _style.new_axes() if ax is None else ax
    number = len(_style.drawn(axes))
    color = _style.COLORS[number % len(_style.COLORS)] if color is None else color
    marker = _style.MARKERS[number % len(_style.MARKERS)] if marker is None else marker
    k, mean, low, high = _defined(curve)
    name = curve.metric if label is None else label
    dots = marker if len(k) <= 16 else ""
    (line,) = axes.plot(
        k, mean, color=color, marker=dots, linestyle=linestyle, markersize=4, linewidth=1.6, label=name or "_", zorder=3
    )
    line.set_gid(_style.CURVE)
    if band and len(k) == 1:
        axes.vlines(k, low, high, color=color, linewidth=1.2, zorder=2)
    elif band:
        axes.fill_between(k, low, high, color=color, alpha=0.18, linewidth=0, zorder=1)
    _dress(axes, curve.metric)
    return axes


def plot_curves(
    curves: Mapping[str, CurveLike] | Iterable[CurveLike],
    ax: Axes | None = None,
    *,
    continued: Mapping[str, CurveLike] | None = None,
    title: str | None = None,
    legend: bool | None = None,
) -> Axes:
    """Draws several curves into one panel.

    Parameters
    ----------
    curves : mapping of label to Curve, or sequence of Curve
        In the order of their colours; a sequence takes the metrics for labels.
    ax : matplotlib Axes, optional
        Where to draw, as in :func:`plot_curve`.
    continued : mapping of label to Curve, optional
        What a model says of larger k (:func:`slowthink.samples.extrapolate_pass_at_k`): drawn dashed, from the end of
        the curve of that label on.
    title : str, optional
        Set in small type above the panel.
    legend : bool, optional
        True for a legend box; by default curves are named at their right end, which reads faster, up to seven.

    Returns
    -------
    matplotlib Axes
    """
    named = list(curves.items()) if isinstance(curves, Mapping) else [(curve.metric, curve) for curve in curves]
    if not named:
        raise ValueError("curves must hold at least one curve")
    axes = _style.new_axes() if ax is None else ax
    for label, curve in named:
        number = len(_style.drawn(axes))
        plot_curve(curve, axes, label=label)
        if continued and label in continued:
            _continue(axes, number, continued[label])
    metrics = {curve.metric for _, curve in named}
    axes.set_ylabel(_y_label(metrics), color=_style.GREY)
    if title:
        axes.set_title(title, loc="left", fontsize=_style.SIZE + 1, color="#222222", pad=8)
    if legend is None:
        legend = len(_style.drawn(axes)) > len(_style.COLORS)
    if legend:
        axes.legend(frameon=False, fontsize=_style.SIZE - 1, ncols=1 + len(_style.drawn(axes)) // 12)
    elif len(_style.drawn(axes)) > 1:
        _style.name_ends(axes)
    return axes


def figure(
    panels: Mapping[str, Mapping[str, CurveLike]],
    *,
    continued: Mapping[str, Mapping[str, CurveLike]] | None = None,
    title: str | None = None,
) -> Figure:
    """A figure with a panel for each entry of ``panels``, side by side on one scale, up to three in a row.

    It belongs to no window and to no pyplot state: write it with ``figure.savefig``. ``continued`` holds, by panel,
    what :func:`plot_curves` draws dashed.
    """
    from matplotlib.ticker import MaxNLocator

    if not panels:
        raise ValueError("panels must hold at least one panel")
    # Four panels stand better in a square than as three and one.
    n_columns = 2 if len(panels) == 4 else min(len(panels), 3)
    n_rows = -(-len(panels) // n_columns)
    width, height = _style.PANEL if len(panels) == 1 else _style.SMALL_PANEL
    fig = _style.new_figure((width * n_columns, height * n_rows))
    grid = fig.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for axes, (name, curves) in zip(grid.flat, panels.items(), strict=False):
        beyond = (continued or {}).get(name)
        plot_curves(curves, axes, continued=beyond, title=name if len(panels) > 1 else None)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid.flat if len(panels) > 1 else ():
        axes.set_ylabel("")
    if len(panels) > 1:
        fig.supylabel("fraction correct", fontsize=_style.SIZE, color=_style.GREY)
    shown = list(grid.flat[: len(panels)])
    _fit_y(shown)
    for axes, curves in zip(shown, panels.values(), strict=True):
        if axes.get_legend() is None and len(curves) > 1:
            _style.name_ends(axes)
    if title:
        fig.suptitle(title, fontsize=_style.SIZE + 2, x=0.01, ha="left", color="#222222")
    return fig


def save(
    panels: Mapping[str, Mapping[str, CurveLike]],
    path: str | PathLike[str],
    *,
    continued: Mapping[str, Mapping[str, CurveLike]] | None = None,
    title: str | None = None,
) -> None:
    """Writes :func:`figure` to a file; the ending says the format (.png, .pdf, .svg)."""
    figure(panels, continued=continued, title=title).savefig(path, dpi=200)


def _continue(axes: Axes, number: int, beyond: CurveLike) -> None:
    """The dashed rest of the curve that was drawn as line ``number``; the name moves to its end."""
    line = _style.drawn(axes)[number]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    k, mean, low, high = _defined(beyond)
    later = k > (x[-1] if len(x) else 0)
    (rest,) = axes.plot(
        np.append(x[-1:], k[later]), np.append(y[-1:], mean[later]),
        color=line.get_color(), linestyle=(0, (4, 2)), linewidth=1.6, label="_", zorder=3,
    )  # fmt: skip
    axes.fill_between(k[later], low[later], high[later], color=line.get_color(), alpha=0.1, linewidth=0, zorder=1)
    rest.set_gid("slowthink-rest")
    line.rest = rest
    _dress(axes, beyond.metric)


def _defined(curve: CurveLike) -> tuple[npt.NDArray[Any], ...]:
    """k, mean, low and high where the mean is defined, in ascending k; a missing bound falls back to the mean."""
    k, mean = np.atleast_1d(np.asarray(curve.k)), np.atleast_1d(np.asarray(curve.mean, dtype=np.float64))
    low, high = np.atleast_1d(np.asarray(curve.low)), np.atleast_1d(np.asarray(curve.high))
    order = np.argsort(k, kind="stable")
    order = order[np.isfinite(mean[order])]
    k, mean, low, high = k[order], mean[order], low[order], high[order]
    return k, mean, np.where(np.isfinite(low), low, mean), np.where(np.isfinite(high), high, mean)


def _y_label(metrics: set[str]) -> str:
    return metrics.pop() if len(metrics) == 1 else "fraction correct"


def _dress(axes: Axes, metric: str) -> None:
    """Scale, ticks and spines."""
    from matplotlib.ticker import FixedLocator, NullLocator

    lines = [getattr(line, "rest", line) for line in _style.drawn(axes)] + _style.drawn(axes)
    ks = np.unique(np.concatenate([line.get_xdata() for line in lines]))
    axes.set_xscale("log", base=2)
    if len(ks):
        powers = 2 ** np.arange(0, int(np.log2(max(ks.max(), 1))) + 1)
        powers = powers[powers >= ks.min()]
        ticks = ks if len(powers) < 2 else powers[:: 1 + len(powers) // 9]
        axes.xaxis.set_major_locator(FixedLocator([float(tick) for tick in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}" if x < 1e5 else f"{x:.0f}")
    axes.set_xlabel("k, samples per problem", color=_style.GREY)
    axes.set_ylabel(metric, color=_style.GREY)
    _style.frame(axes)
    _fit_y([axes])


def _fit_y(panels: Sequence[Axes]) -> None:
    """One scale for all panels, around curves and bands, from 0 where that costs little.

    A normal interval near 0 or 1 may stick out of [0, 1]; where the means are fractions the axis does not follow it.
    """
    lines = [line for axes in panels for line in _style.drawn(axes)]
    means = [np.asarray(line.get_ydata(), dtype=float) for line in lines]
    means += [np.asarray(line.rest.get_ydata(), dtype=float) for line in lines if hasattr(line, "rest")]
    bounds = [
        np.asarray(path.vertices)[:, 1]
        for axes in panels
        for collection in axes.collections
        for path in collection.get_paths()
        if np.size(path.vertices)
    ]
    mean = np.concatenate([[], *means])
    if not len(mean):
        return
    every = np.concatenate([mean, *bounds])
    bottom, top = float(every.min()), float(every.max())
    pad = 0.04 * max(top - bottom, 0.02)
    low, high = bottom - pad, top + pad
    if mean.min() >= 0.0 and mean.max() <= 1.0:
        low = 0.0 if bottom < 0.35 * top else low
        # A little above 1, so that a curve which runs along it is seen whole.
        high = min(high, 1.015)
    for axes in panels:
        axes.set_ylim(low, high)
