"""Figures of strategies compared: accuracy against cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slowthink.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from slowthink.strategies import Comparison

SIZE = (6.6, 4.0)
_TITLE = 56
"""Letters of a title at most."""
_COLORS = (*_style.COLORS, "#7f7f7f", "#8c510a", "#5e3c99")
_MARKERS = (*_style.MARKERS, "p", "*", "h")


def plot(found: Comparison, ax: Axes | None, x: str) -> Axes:
    """Lines with bands, and the exact curves dashed."""
    axes = _new_axes() if ax is None else ax
    budgets = np.array(found.budgets, dtype=np.float64)
    axes.set_xscale("log", base=2)
    for i, label in enumerate(found.strategies):
        color, marker = _COLORS[i % len(_COLORS)], _MARKERS[i % len(_MARKERS)]
        cost = found.spent[i] if x == "spent" else budgets
        order = np.argsort(cost, kind="stable")
        order = order[np.isfinite(found.accuracy[i, order]) & (cost[order] > 0)]
        places = cost[order]
        (line,) = axes.plot(
            places, 100 * found.accuracy[i, order], color=color, marker=marker, markersize=4, linewidth=1.6,
            label=label if not label.startswith("_") else f" {label}", zorder=3,
        )  # fmt: skip
        line.set_gid(_style.CURVE)
        low, high = 100 * found.low[i, order], 100 * found.high[i, order]
        if len(np.unique(places)) > 1:
            axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0, zorder=1)
        else:
            axes.vlines(places, low, high, color=color, linewidth=1.2, zorder=2)
        known = np.isfinite(found.exact[i, order])
        if known.any():
            axes.plot(
                places[known], 100 * found.exact[i, order][known], color="#222222", linestyle=(0, (4, 2)),
                linewidth=0.9, zorder=4, label="_exact",
            )  # fmt: skip
    _dress(axes, found, x)
    _legend(axes)
    return axes


def _new_axes() -> Axes:
    axes = _style.new_axes()
    axes.figure.set_size_inches(*SIZE)  # type: ignore[union-attr]
    return axes


def _legend(axes: Axes) -> None:
    """Names beside the figure: lines end at different costs, where names would stand among other lines."""
    lines = _style.drawn(axes)
    exact = [line for line in axes.lines if line.get_label() == "_exact"]
    handles, names = [*lines, *exact[:1]], [str(line.get_label()) for line in lines] + ["exact"] * bool(exact)
    axes.legend(
        handles, names, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=_style.SIZE,
        handlelength=2.2, labelspacing=0.6,
    )  # fmt: skip


def figure(found: Comparison) -> Figure:
    """A figure of its own, that belongs to no window."""
    made = _style.new_figure(SIZE)
    plot(found, made.subplots(), "spent")
    return made


def _dress(axes: Axes, found: Comparison, x: str) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    places = np.concatenate([np.asarray(line.get_xdata(), dtype=np.float64) for line in _style.drawn(axes)])
    if len(places):
        low, high = int(np.floor(np.log2(places.min()) + 0.01)), int(np.ceil(np.log2(places.max()) - 0.01))
        powers = 2.0 ** np.arange(low, high + 1)
        axes.xaxis.set_major_locator(FixedLocator(powers[:: 1 + len(powers) // 9].tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    spent = "mean cost of a trial" if x == "spent" else "budget of a trial"
    steps = f"{found.max_steps:,} step{'s' * (found.max_steps != 1)}"
    unit = f"answers of {steps}" if found.unit == "answers" else found.unit
    axes.set_xlabel(f"{spent}, {unit}", color=_style.GREY)
    axes.set_ylabel("right answers, %", color=_style.GREY)
    axes.set_title(_short(found.problem), loc="left", fontsize=_style.SIZE + 1, color="#222222", pad=8)
    top = max([100 * float(np.nanmax(found.high)) if found.n_finished else 1.0, 1e-9])
    axes.set_ylim(0.0, min(102.0, 1.06 * top))
    _style.frame(axes)


def _short(text: str) -> str:
    """A title that fits above the axes."""
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1].rstrip(' ,')}\N{HORIZONTAL ELLIPSIS}"
