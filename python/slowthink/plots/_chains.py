"""Figures of Markov chains: where walks are, how long they go without a hit, and what the eigenvalues say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.plots import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from slowthink.chains import MarkovChain

_Z = 1.959963984540054
"""Standard deviations on either side of a 95 % interval."""
_DENSE = 1000
"""States up to which all eigenvalues are computed."""
_SOME = 32
"""Eigenvalues of a larger chain."""
_ON_CIRCLE = 1e-9
"""How far inside the unit circle rounding may put an eigenvalue that lies on it."""


class SurvivalLike(Protocol):
    """What is drawn: what :meth:`HittingTimes.survival <slowthink.chains.HittingTimes.survival>` returns."""

    @property
    def times(self) -> npt.NDArray[np.int64]: ...
    @property
    def survival(self) -> npt.NDArray[np.float64]: ...
    @property
    def low(self) -> npt.NDArray[np.float64]: ...
    @property
    def high(self) -> npt.NDArray[np.float64]: ...


def plot_occupancy(
    counts: npt.ArrayLike,
    ax: Axes | None = None,
    *,
    n_walks: int | None = None,
    labels: Sequence[Any] | None = None,
    limit: int = 6,
) -> Axes:
    """Draws the share of the walks in each state over the steps, with 95 % bands.

    Parameters
    ----------
    counts : (n_steps + 1, K) array of ints
        What :meth:`MarkovChain.occupancy <slowthink.chains.MarkovChain.occupancy>` returns.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`.
    n_walks : int, optional
        Number of walks; by default what each row sums to. Needed where some walks are in none of the K states.
    labels : sequence of length K, optional
        Names of the columns, written at the ends of their curves; "state 0", "state 1", ... by default.
    limit : int
        How many states get a curve of their own, from 1 to 7: those with the most visits. The others are added up in
        a grey one.

    Returns
    -------
    matplotlib Axes

    Notes
    -----
    The bands are Wilson's interval for each step alone: the walks of different steps are the same ones.
    """
    array = _arrays.integers(counts, "counts", ndim=2, low=0)
    total = _number_of_walks(array, n_walks)
    if not 1 <= limit <= len(_style.COLORS):
        raise ValueError(f"limit must be from 1 to {len(_style.COLORS)}, got {limit}")
    names = [f"state {i}" for i in range(array.shape[1])] if labels is None else [str(label) for label in labels]
    if len(names) != array.shape[1]:
        raise ValueError(f"labels must have one name for each of the {array.shape[1]} columns, got {len(names)}")
    axes = _style.new_axes() if ax is None else ax
    order = np.argsort(-array.sum(axis=0), kind="stable")
    shown, rest = np.sort(order[:limit]), order[limit:]
    for color, column in zip(_style.COLORS, shown, strict=False):
        _draw_share(axes, array[:, column], total, names[column], color)
    if len(rest):
        _draw_share(axes, array[:, rest].sum(axis=1), total, f"{len(rest)} others", _style.GREY)
    axes.set_xlim(0, max(len(array) - 1, 1))
    _finish(axes, "step", "share of the walks")
    return axes


def _number_of_walks(counts: npt.NDArray[np.int64], n_walks: int | None) -> int:
    if counts.size == 0:
        raise ValueError(f"counts must have a row for each step and a column for each state, got shape {counts.shape}")
    sums = counts.sum(axis=1)
    total = int(sums[0]) if n_walks is None else n_walks
    if n_walks is None and sums.min() != sums.max():
        raise ValueError(
            "n_walks must be given: the rows of counts differ in their sums, so that some walks are missing"
        )
    if total < 1 or total < sums.max():
        raise ValueError(f"n_walks must be at least 1 and the largest sum of a row, {sums.max()}, got {total}")
    return total


def _draw_share(axes: Axes, counts: npt.NDArray[np.int64], total: int, name: str, color: str) -> None:
    """A curve of counts / total and Wilson's interval (J. Amer. Statist. Assoc. 22, 1927)."""
    steps, share = np.arange(len(counts)), counts / total
    middle = (share + _Z**2 / (2 * total)) / (1 + _Z**2 / total)
    half = _Z / (1 + _Z**2 / total) * np.sqrt(share * (1 - share) / total + (_Z / (2 * total)) ** 2)
    (line,) = axes.plot(steps, share, color=color, linewidth=1.6, label=name or "_", zorder=3)
    line.set_gid(_style.CURVE)
    axes.fill_between(steps, middle - half, middle + half, color=color, alpha=0.18, linewidth=0, zorder=1)


def plot_survival(
    survival: SurvivalLike,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    color: str | None = None,
    band: bool = True,
    log: bool = False,
) -> Axes:
    """Draws the share of walks without a hit against the steps taken, as stairs with a band.

    Parameters
    ----------
    survival : survival curve
        What :meth:`HittingTimes.survival <slowthink.chains.HittingTimes.survival>` returns. Drawn from step 0 on, as
        far as it is defined.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`. Several curves may share one.
    label : str, optional
        Name at the end of the curve.
    color : str, optional
        As matplotlib takes it; by default it follows the number of curves already drawn.
    band : bool
        Whether the interval is drawn.
    log : bool
        Whether the shares stand on a logarithmic scale: an exponential law is a straight line there.

    Returns
    -------
    matplotlib Axes
    """
    axes = _style.new_axes() if ax is None else ax
    if log:
        axes.set_yscale("log")
    color = _style.COLORS[len(_style.drawn(axes)) % len(_style.COLORS)] if color is None else color
    times, share, low, high = (np.asarray(getattr(survival, name)) for name in ("times", "survival", "low", "high"))
    if not len(times) or times[0] > 0:
        # Before the first hit none has hit.
        times = np.append(0, times)
        share, low, high = (np.append(1.0, values) for values in (share, low, high))
    known = np.isfinite(share)
    times, share, low, high = times[known], share[known], low[known], high[known]
    (line,) = axes.step(times, share, where="post", color=color, linewidth=1.6, label=label or "_", zorder=3)
    line.set_gid(_style.CURVE)
    if band:
        axes.fill_between(times, low, high, step="post", color=color, alpha=0.18, linewidth=0, zorder=1)
    axes.set_xlim(left=0)
    _finish(axes, "steps", "share of the walks without a hit")
    return axes


def plot_spectrum(chain: MarkovChain, ax: Axes | None = None, *, n_eigenvalues: int | None = None) -> Axes:
    """Draws the eigenvalues of the transition matrix within the unit circle, and the gap below those on it.

    A chain has as many eigenvalues 1 as recurrent classes; one of period d has the other d-th roots of 1 as well. Those
    near the circle belong to slow decay or slow rotation: exp(-t) in -1 / ln |eigenvalue| steps.

    Parameters
    ----------
    chain : MarkovChain
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default, as in :func:`plot_curve`.
    n_eigenvalues : int, optional
        How many, those of the largest modulus; by default all of them up to 1000 states, else 32.

    Returns
    -------
    matplotlib Axes
        Its title gives the gap, 1 less the largest modulus of an eigenvalue but the first 1.

    Raises
    ------
    ImportError
        Above 1000 states without scipy.
    RuntimeError
        If an iteration for some of the eigenvalues did not converge.

    Notes
    -----
    Up to 1000 states by a dense solver (O(S^3), about 1 s), above by scipy's implicitly restarted Arnoldi iteration,
    which takes O(T) a step, and may miss some of many eigenvalues that crowd together at 1: do not count
    metastable sets in the figure of a large chain.
    """
    values = _eigenvalues(chain, n_eigenvalues)
    axes = _style.new_axes() if ax is None else ax
    turn = np.linspace(0.0, 2.0 * np.pi, 361)
    axes.plot(np.cos(turn), np.sin(turn), color=_style.GREY, linewidth=0.8, zorder=1)
    moduli = np.abs(values)
    on_circle = moduli > 1.0 - _ON_CIRCLE
    blue, red = _style.COLORS[:2]
    axes.scatter(values.real, values.imag, s=18, c=np.where(on_circle, red, blue), linewidths=0, zorder=3)
    if len(values) > 1:
        second = min(float(moduli[1]), 1.0)
        gap = 1.0 - second
        axes.plot(
            second * np.cos(turn), second * np.sin(turn), color=blue, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2
        )
        text = f"gap {gap:.3g}" if gap > _ON_CIRCLE else f"gap below {_ON_CIRCLE:g}"
        axes.set_title(text, loc="left", fontsize=_style.SIZE + 1, color="#222222", pad=8)
    axes.set_aspect("equal")
    axes.set_xlim(-1.08, 1.08)
    axes.set_ylim(-1.08, 1.08)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([-1, -0.5, 0, 0.5, 1])
    axes.set_xlabel("real part", color=_style.GREY)
    axes.set_ylabel("imaginary part", color=_style.GREY)
    _style.frame(axes)
    return axes


def _eigenvalues(chain: MarkovChain, count: int | None) -> npt.NDArray[np.complex128]:
    """Eigenvalues by falling modulus, real ones first among equals."""
    n_states = chain.n_states
    dense = n_states <= _DENSE
    most = n_states if dense else n_states - 2
    count = min(most, n_states if dense else _SOME) if count is None else count
    if not 1 <= count <= most:
        raise ValueError(f"n_eigenvalues must be from 1 to {most} for {n_states} states, got {count}")
    values = np.linalg.eigvals(chain.to_dense()).astype(np.complex128) if dense else _some_eigenvalues(chain, count)
    order = np.lexsort((-values.real, -np.round(np.abs(values), 12)))
    found: npt.NDArray[np.complex128] = values[order][:count]
    return found


def _some_eigenvalues(chain: MarkovChain, count: int) -> npt.NDArray[np.complex128]:
    try:
        from scipy.sparse.linalg import ArpackNoConvergence, eigs
    except ImportError:
        raise ImportError(f"eigenvalues of more than {_DENSE} states need scipy: pip install scipy") from None
    # A start of our own, for the same figure each time; not that of ones, which is an eigenvector.
    start = np.random.default_rng(0).random(chain.n_states)
    try:
        values: npt.NDArray[np.complex128] = eigs(chain.to_scipy(), k=count, v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise RuntimeError(
            f"{len(error.eigenvalues)} of {count} eigenvalues converged: ask for another number by n_eigenvalues"
        ) from None
    return values


def _finish(axes: Axes, x_label: str, y_label: str) -> None:
    """Labels, a scale of shares from 0, and names at the ends."""
    axes.set_xlabel(x_label, color=_style.GREY)
    axes.set_ylabel(y_label, color=_style.GREY)
    _style.frame(axes)
    lines = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in _style.drawn(axes)])
    if axes.get_yscale() == "log":
        axes.set_ylim(0.5 * lines[lines > 0.0].min(initial=1.0), 1.1)
    else:
        bands = [path.vertices for band in axes.collections for path in band.get_paths() if np.size(path.vertices)]
        top = max([lines.max(initial=0.0), *(np.asarray(band)[:, 1].max() for band in bands)])
        axes.set_ylim(0.0, min(1.015, 1.04 * top))
    _style.name_ends(axes)
