"""What all figures share: colours, sizes for a column of a paper, quiet axes, names at the ends of lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#4d4d4d"
SIZE = 9.0
PANEL = (4.4, 3.2)
"""Width and height of a single panel in inches: one column of a paper."""
SMALL_PANEL = (3.5, 2.9)
"""The same where there are several."""
CURVE = "slowthink-curve"
"""Marks the lines that have a name at their end."""


def new_figure(size: tuple[float, float]) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError('plots need matplotlib: pip install "slowthink[app]"') from None
    return Figure(figsize=size, layout="constrained")


def new_axes() -> Axes:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        made: Figure = pyplot.figure(figsize=PANEL, layout="constrained")
        return made.subplots()
    return new_figure(PANEL).subplots()


def drawn(axes: Axes) -> list[Any]:
    """The curves that were put there by this package."""
    return [line for line in axes.lines if line.get_gid() == CURVE]


def last_point(line: Any) -> tuple[float, float]:
    """The last point of a curve, or of its dashed rest."""
    last = getattr(line, "rest", line)
    return float(last.get_xdata()[-1]), float(last.get_ydata()[-1])


def frame(axes: Axes) -> None:
    """Labels, ticks and spines that stay behind the data."""
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(SIZE)
    axes.tick_params(labelsize=SIZE, color=GREY, labelcolor=GREY, length=3, width=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=GREY, linewidth=0.8)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)


def name_ends(axes: Axes) -> None:
    """Each curve's name at its right end in its colour, moved apart where they would overlap."""
    for old in [text for text in axes.texts if text.get_gid() == "slowthink-name"]:
        old.remove()
    lines = [line for line in drawn(axes) if len(line.get_xdata()) and not line.get_label().startswith("_")]
    if not lines:
        return
    # Heights on the scale of the axis, where equal distances look equal.
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(np.array(axes.get_ylim()))
    heights = [np.clip(scale.transform(np.array([last_point(line)[1]]))[0], low, high) for line in lines]
    points = (SMALL_PANEL[1] - 0.7) * 72.0
    gap = 1.25 * SIZE / points * (high - low)
    # Ends that cannot be told apart are named from the top in the order of drawing.
    ends = sorted(
        ((height, number) for number, height in enumerate(heights)),
        key=lambda end: (round(end[0] / (gap / 4)), -end[1]),
    )
    places = [place for place, _ in ends]
    # Push up, then back from the top: the names keep this order.
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    places[-1] = min(places[-1], high)
    for i in range(len(places) - 2, -1, -1):
        places[i] = min(places[i], places[i + 1] - gap)
    for place, (_, number) in zip(scale.inverted().transform(np.array(places)), ends, strict=True):
        line = lines[number]
        text = axes.annotate(
            line.get_label(), (last_point(line)[0], place), xytext=(7, 0), textcoords="offset points", va="center",
            ha="left", fontsize=SIZE, color=line.get_color(), annotation_clip=False,
        )  # fmt: skip
        text.set_gid("slowthink-name")
