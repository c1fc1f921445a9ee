"""Figures of what a search is worth: mean hitting times before and after it, and how they grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_MARKED = 20
"""Points up to which each is marked."""
_ALIKE = 0.01
"""Share of the height of the axes up to which lines are not told apart."""
_DASH = 2.5
"""In line widths."""
_FEW = 8
"""Points up to which each may have its number on the axis."""


def plot_scaling(
    x: npt.ArrayLike,
    lines: Mapping[str, npt.ArrayLike],
    ax: Axes | None = None,
    *,
    points: Mapping[str, npt.ArrayLike] | None = None,
    x_label: str = "1 / epsilon",
    y_label: str = "mean hitting time",
    log: bool = True,
) -> Axes:
    """Draws quantities against a parameter, both on logarithmic scales: a power law is a straight line.

    Lines that lie upon each other show in turn, in dashes.

    Parameters
    ----------
    x : (n,) array of float
        The parameter, above 0, such as 1 / epsilon.
    lines : mapping of str to (n,) array of float
        What is drawn, by the name that stands at its end: mean hitting times before and after a search, say. What is
        not finite, or not positive on a logarithmic scale, is left out.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`.
    points : mapping of str to (n,) array of float, optional
        What is drawn as points in the colour of the line of that name, such as what was simulated beside what is exact.
    x_label, y_label : str
        Names of the axes.
    log : bool
        Whether the quantities stand on a logarithmic scale.

    Returns
    -------
    matplotlib Axes
    """
    places = _arrays.floats(x, "x", ndim=1)
    if not len(places) or not (places > 0).all():
        raise ValueError("x must hold positive numbers")
    axes = _style.new_axes() if ax is None else ax
    axes.set_xscale("log")
    if log:
        axes.set_yscale("log")
    points = points or {}
    if unknown := set(points) - set(lines):
        raise ValueError(f"points must have names of lines, got {sorted(unknown)[0]!r}")
    drawn = []
    for number, (name, values) in enumerate(lines.items()):
        style = number % len(_style.COLORS)
        color, marker = _style.COLORS[style], _style.MARKERS[style]
        shown, heights = _shown(places, values, "lines", log)
        filled = marker if len(places) <= _MARKED and name not in points else ""
        (line,) = axes.plot(
            shown, heights, color=color, marker=filled, markersize=4, linewidth=1.6, label=name or "_", zorder=3
        )
        line.set_gid(_style.CURVE)
        drawn.append(line)
        if name in points:
            shown, heights = _shown(places, points[name], "points", log)
            axes.plot(
                shown, heights, color=color, marker=marker, markersize=6, markerfacecolor="none", linestyle="",
                label="_", zorder=4,
            )  # fmt: skip
    axes.set_xlabel(x_label, color=_style.GREY)
    axes.set_ylabel(y_label, color=_style.GREY)
    if not log:
        axes.set_ylim(bottom=0.0)
    _take_turns(axes, drawn)
    _ticks(axes, places)
    _style.frame(axes)
    _style.name_ends(axes)
    return axes


def _shown(
    places: npt.NDArray[np.float64], values: npt.ArrayLike, argument: str, log: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What has a place on the axes."""
    heights = _arrays.floats(values, argument, ndim=1, finite=False)
    _arrays.same_length(places, "x", heights, argument)
    shown = np.isfinite(heights) & ((heights > 0) | (not log))
    return places[shown], heights[shown]


def _take_turns(axes: Axes, lines: Sequence[Line2D]) -> None:
    """Lines that lie upon each other are drawn in dashes, one where the others are not."""
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_ylim()))
    groups: list[list[tuple[Line2D, npt.NDArray[Any], npt.NDArray[Any]]]] = []
    for line in lines:
        places, heights = np.asarray(line.get_xdata()), scale.transform(np.asarray(line.get_ydata()))
        for group in groups:
            _, others, level = group[0]
            if np.array_equal(places, others) and (np.abs(heights - level) <= _ALIKE * (high - low)).all():
                group.append((line, places, heights))
                break
        else:
            groups.append([(line, places, heights)])
    for group in groups:
        n = len(group)
        # The first is whole, below the others.
        for turn, (line, *_) in enumerate(group[1:], start=1):
            line.set_linestyle((-_DASH * turn, (_DASH, _DASH * (n - 1))))


def _ticks(axes: Axes, places: npt.NDArray[np.float64]) -> None:
    """Numbers at powers of ten; at the places themselves where those are few and near each other.

    Where fewer than two powers of ten are in sight, at 1, 2, 3, 5 and 7 times them.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    if len(places) <= _FEW and places.max() <= 100 * places.min():
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xticks([], minor=True)
    elif places.max() < 10 * places.min():
        low, high = places.min() * 0.999, places.max() * 1.001
        round_ones = LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0)).tick_values(low, high)
        shown = [place for place in round_ones if low <= place <= high]
        if len(shown) > 1:
            axes.set_xticks(shown, [f"{place:g}" for place in shown])


def panels(drawn: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A figure with a panel for each entry: title -> arguments of :func:`plot_scaling`."""
    n_columns = min(len(drawn), 3)
    n_rows = -(-len(drawn) // n_columns)
    width, height = _style.SMALL_PANEL
    fig = _style.new_figure(((width + 0.5) * n_columns, height * n_rows))
    grid = fig.subplots(n_rows, n_columns, squeeze=False)
    for axes, (title, arguments) in zip(grid.flat, drawn.items(), strict=False):
        plot_scaling(ax=axes, **arguments)
        axes.set_title(title, loc="left", fontsize=_style.SIZE + 1, color="#222222", pad=8)
    for axes in grid.flat[len(drawn) :]:
        axes.set_visible(False)
    if any("points" in arguments for arguments in drawn.values()):
        note = "hollow points: simulated; their lines: exact"
        fig.supxlabel(note, x=0.005, ha="left", fontsize=_style.SIZE, color=_style.GREY)
    return fig
