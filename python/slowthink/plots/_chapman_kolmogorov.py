"""A figure of what a fitted chain predicts over more steps, beside what the data say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from slowthink.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ChapmanKolmogorovLike(Protocol):
    """What is drawn: what :func:`slowthink.chains.chapman_kolmogorov` returns."""

    @property
    def lags(self) -> npt.NDArray[np.int64]: ...
    @property
    def predicted(self) -> npt.NDArray[np.float64]: ...
    @property
    def predicted_low(self) -> npt.NDArray[np.float64]: ...
    @property
    def predicted_high(self) -> npt.NDArray[np.float64]: ...
    @property
    def estimated(self) -> npt.NDArray[np.float64]: ...
    @property
    def low(self) -> npt.NDArray[np.float64]: ...
    @property
    def high(self) -> npt.NDArray[np.float64]: ...


def plot_chapman_kolmogorov(
    test: ChapmanKolmogorovLike,
    ax: Axes | None = None,
    *,
    sets: Sequence[int] | None = None,
    labels: Sequence[Any] | None = None,
) -> Axes:
    """Draws the probability of being in the same set again, as predicted and as estimated, over the lags.

    Curves with bands are the predictions of the chain fitted at the first lag, points with bars the estimates at each
    lag. Where the points lie above the curve, walks stay longer than the chain says: its lag is too short.

    Parameters
    ----------
    test : ChapmanKolmogorov
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`.
    sets : sequence of int, optional
        Which sets to draw, up to 7; by default the first 7.
    labels : sequence of str, optional
        Their names, written at the ends of their curves; "set 0", "set 1", ... by default.

    Returns
    -------
    matplotlib Axes
    """
    n_sets = test.predicted.shape[1]
    chosen = list(range(min(n_sets, len(_style.COLORS)))) if sets is None else [int(number) for number in sets]
    if not 1 <= len(chosen) <= len(_style.COLORS) or not all(0 <= number < n_sets for number in chosen):
        raise ValueError(f"sets must be 1 to {len(_style.COLORS)} numbers below {n_sets}, got {sets}")
    names = [f"set {number}" for number in chosen] if labels is None else [str(label) for label in labels]
    if len(names) != len(chosen):
        raise ValueError(f"labels must have one name for each of the {len(chosen)} sets, got {len(names)}")
    axes = _style.new_axes() if ax is None else ax
    order = np.argsort(test.lags, kind="stable")
    lags = np.concatenate([[0], test.lags[order]])
    for color, marker, name, number in zip(_style.COLORS, _style.MARKERS, names, chosen, strict=False):

        def stay(values: npt.NDArray[np.float64], number: int = number) -> npt.NDArray[np.float64]:
            found: npt.NDArray[np.float64] = values[order, number, number]
            return found

        (line,) = axes.plot(
            lags, np.concatenate([[1.0], stay(test.predicted)]), color=color, linewidth=1.6, label=name, zorder=3
        )
        line.set_gid(_style.CURVE)
        low, high = (np.concatenate([[1.0], stay(values)]) for values in (test.predicted_low, test.predicted_high))
        axes.fill_between(lags, low, high, color=color, alpha=0.18, linewidth=0, zorder=1)
        middle = stay(test.estimated)
        # An interval of quantiles need not hold the estimate.
        bars = np.maximum([middle - stay(test.low), stay(test.high) - middle], 0.0)
        axes.errorbar(
            lags[1:], middle, yerr=bars, fmt=marker, color=color, markersize=4, linewidth=1.0, capsize=2, zorder=4
        )
    axes.set_xlim(left=0)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel("steps of the data", color=_style.GREY)
    axes.set_ylabel("probability of being in the set again", color=_style.GREY)
    _style.frame(axes)
    _style.name_ends(axes)
    return axes
