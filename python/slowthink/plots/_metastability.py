"""Figures of metastable chains: the states coloured by their set, and the time scales with the gap between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.chains import MetastableSets
from slowthink.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from slowthink.chains import MarkovChain

_MOST_LINES = 4000
"""Transitions that are drawn at most, the most probable between sets and within them first."""
_GOLDEN = np.pi * (3.0 - np.sqrt(5.0))
"""The angle between neighbours in a sunflower, which fills a disc evenly."""


def plot_metastable_sets(
    chain: MarkovChain,
    sets: MetastableSets | None = None,
    ax: Axes | None = None,
    *,
    k: int | None = None,
    edges: bool = True,
) -> Axes:
    """Draws the states of a chain, coloured by their metastable set.

    Parameters
    ----------
    chain : MarkovChain
    sets : MetastableSets, optional
        What :meth:`MarkovChain.metastable_sets <slowthink.chains.MarkovChain.metastable_sets>` returns for it; by
        default found here, ``k`` of them.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`.
    k : int, optional
        Number of sets where ``sets`` is not given; by default where the largest gap is.
    edges : bool
        Whether transitions are drawn: grey within a set, black between two. At most 4000, half of them between sets,
        the most probable ones.

    Returns
    -------
    matplotlib Axes
        The sets stand on a circle, neighbours where most is exchanged. A state lies between the sets that it belongs
        to, by its memberships; those that belong to one fill a disc around its place.
    """
    if sets is None:
        sets = chain.metastable_sets(k)
    elif k is not None:
        raise TypeError("either sets or k must be given, and not both")
    elif not isinstance(sets, MetastableSets):
        raise TypeError(f"sets must be what metastable_sets() returns, got {type(sets).__name__} (their number is k=)")
    if len(sets.memberships) != chain.n_states:
        raise ValueError(f"sets must be those of the chain, of {chain.n_states} states, got {len(sets.memberships)}")
    axes = _style.new_axes() if ax is None else ax
    labels = sets.labels
    places = _places(sets)
    if edges:
        _draw_edges(axes, chain, labels, places)
    size = float(np.clip(2500.0 / chain.n_states, 3.0, 60.0))
    for label in range(sets.k):
        chosen = labels == label
        axes.scatter(
            places[chosen, 0], places[chosen, 1], s=size, color=_style.COLORS[label % 7],
            marker=_style.MARKERS[label // 7 % 7], linewidths=0.4, edgecolors="white", label=f"set {label}", zorder=3,
        )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(
        f"{sets.k} sets, crispness {sets.crispness:.3g}",
        loc="left", fontsize=_style.SIZE + 1, color="#222222", pad=8,
    )  # fmt: skip
    if 1 < sets.k <= 14:
        axes.legend(
            fontsize=_style.SIZE - 1, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.2,
            labelcolor=_style.GREY,
        )  # fmt: skip
    return axes


def _places(sets: MetastableSets) -> npt.NDArray[np.float64]:
    """(S, 2) where each state is drawn."""
    k, labels = sets.k, sets.labels
    turn = 2.0 * np.pi * np.arange(k) / k + np.pi / 2
    centres = np.zeros((k, 2))
    if k > 1:
        centres[_round_trip(sets)] = np.column_stack([np.cos(turn), np.sin(turn)])
    # Discs that fill about half of the gap between neighbours.
    room = 0.55 * (np.sin(np.pi / k) if k > 2 else 0.8)
    sizes = np.bincount(labels, minlength=k)
    places = sets.memberships @ centres
    for label in range(k):
        chosen = np.flatnonzero(labels == label)
        # The surest members in the middle.
        chosen = chosen[np.argsort(-sets.memberships[chosen, label], kind="stable")]
        number = np.arange(len(chosen)) + 0.5
        radius = room * np.sqrt(number / sizes.max())
        places[chosen] += radius[:, None] * np.column_stack([np.cos(number * _GOLDEN), np.sin(number * _GOLDEN)])
    return np.asarray(places)


def _round_trip(sets: MetastableSets) -> npt.NDArray[np.int64]:
    """The sets in an order in which each is followed by the one that it exchanges most with, of those that are left."""
    # Relative to what leaves a set: exchange may be 1e-100.
    flow = np.clip(sets.coarse, 0.0, None) * (1 - np.eye(sets.k))
    flow = flow / np.maximum(flow.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    flow = flow + flow.T
    order = [0]
    while len(order) < sets.k:
        left = np.setdiff1d(np.arange(sets.k), order)
        order.append(int(left[np.argmax(flow[order[-1], left])]))
    return np.array(order)


def _draw_edges(axes: Axes, chain: MarkovChain, labels: npt.NDArray[np.int64], places: npt.NDArray[np.float64]) -> None:
    from matplotlib.collections import LineCollection

    source = np.repeat(np.arange(chain.n_states), np.diff(chain.indptr))
    target = chain.indices.astype(np.int64)
    probability = chain.probabilities
    between = labels[source] != labels[target]
    for mask, color, alpha, width, zorder in (
        (~between & (source != target), "#999999", 0.35, 0.5, 1),
        (between, "#222222", 0.7, 0.8, 2),
    ):
        chosen = np.flatnonzero(mask)
        chosen = chosen[np.argsort(-probability[chosen], kind="stable")][: _MOST_LINES // 2]
        lines = np.stack([places[source[chosen]], places[target[chosen]]], axis=1)
        axes.add_collection(LineCollection(list(lines), colors=color, alpha=alpha, linewidths=width, zorder=zorder))


def plot_timescales(
    chain: MarkovChain, ax: Axes | None = None, *, k: int | None = None, n_timescales: int = 20, lag: float = 1
) -> Axes:
    """Draws the slowest time scales of a chain, and the gap that tells its metastable sets apart.

    Parameters
    ----------
    chain : MarkovChain
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`.
    k : int, optional
        Number of sets whose gap is marked: k - 1 time scales lie above it. By default the largest gap.
    n_timescales : int
        How many are drawn, at least 2 (fewer where there are fewer).
    lag : number
        Time that a step of the chain takes.

    Returns
    -------
    matplotlib Axes
        On a logarithmic scale; infinite ones (several recurrent classes, a period) and those that are 0 are left out.
        The title gives the number of sets and the ratio of the two time scales beside the gap.
    """
    n_timescales = int(_arrays.integers(n_timescales, "n_timescales", ndim=0, low=2))
    scales = chain.timescales(lag=lag)[:n_timescales]
    number = np.arange(2, len(scales) + 2)
    shown = np.isfinite(scales) & (scales > 0)
    if not shown.any():
        raise ValueError("the chain must have a time scale that is neither 0 nor infinite")
    ratios = np.where(shown[:-1] & shown[1:], scales[:-1] / np.where(shown[1:], scales[1:], 1.0), 0.0)
    if k is None:
        k = 2 + int(np.argmax(ratios)) if len(ratios) else 2
    else:
        k = int(_arrays.integers(k, "k", ndim=0, low=2))
    axes = _style.new_axes() if ax is None else ax
    slow = shown & (number <= k)
    blue, red = _style.COLORS[:2]
    bottom = scales[shown].min() / 3
    for mask, color in ((slow, red), (shown & ~slow, blue)):
        axes.vlines(number[mask], bottom, scales[mask], color=color, linewidth=0.8, alpha=0.5, zorder=2)
        axes.scatter(number[mask], scales[mask], s=26, color=color, linewidths=0, zorder=3)
    title = f"{k} sets"
    if k - 2 < len(ratios) and ratios[k - 2] > 0:
        above, below = scales[k - 2], scales[k - 1]
        axes.axhspan(below, above, color="#000000", alpha=0.06, linewidth=0, zorder=0)
        title += f", gap {above / below:.3g}"
    axes.set_title(title, loc="left", fontsize=_style.SIZE + 1, color="#222222", pad=8)
    axes.set_yscale("log")
    axes.set_ylim(bottom=bottom)
    axes.set_xlim(1.5, number[-1] + 0.5)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("eigenvalue", color=_style.GREY)
    axes.set_ylabel("time scale in steps" if lag == 1 else "time scale", color=_style.GREY)
    _style.frame(axes)
    return axes
