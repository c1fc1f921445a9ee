"""Stationary distributions: where a chain is in the long run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _solve
from slowthink.chains._solve import Method, SolveInfo

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_Floats = npt.NDArray[np.float64]

_NONE = 2**32 - 1
"""The label of a transient state, as the kernels have it."""


@overload
def stationary_distribution(
    self: MarkovChain,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[False] = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats: ...
@overload
def stationary_distribution(
    self: MarkovChain,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[True],
    threads: int | None = None,
    progress: _run.Progress = False,
) -> tuple[_Floats, SolveInfo]: ...
def stationary_distribution(
    self: MarkovChain,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats | tuple[_Floats, SolveInfo]:
    """The distribution that the chain keeps: the share of time that a long walk spends in each state.

    Parameters
    ----------
    method, tolerance, info, threads, progress
        As for :meth:`mean_hitting_times`.

    Returns
    -------
    (S,) array of float
        Sums to 1. 0 for transient states; each other entry is right in all digits down to 1e-308. A period of the chain
        does not matter.
    SolveInfo
        Only with ``info=True``.

    Raises
    ------
    ValueError
        If there are several recurrent classes, which it names: each has a distribution of its own,
        see :meth:`stationary_distributions`.

    References
    ----------
    Grassmann, Taksar and Heyman 1985; see :meth:`mean_hitting_times`.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[1 - 3e-50, 3e-50, 0], [1e-50, 1 - 1e-50, 0], [0.5, 0.25, 0.25]])
    >>> chain.stationary_distribution()
    array([0.25, 0.75, 0.  ])
    """
    request, wanted, options = _solve.request(self.n_states, method, tolerance, info, threads, progress)
    labels = _slowthink.recurrent_classes(self._chain, _run.options(1))
    n_classes = int(labels[labels != _NONE].max()) + 1
    if n_classes > 1:
        named = "; ".join(_class(np.flatnonzero(labels == number)) for number in range(min(n_classes, 3)))
        raise ValueError(
            f"the chain must have one recurrent class to have one stationary distribution, got {n_classes} "
            f"({named}{'; ...' if n_classes > 3 else ''}): stationary_distributions() gives that of each"
        )
    out = _arrays.empty((self.n_states,), np.float64)
    found = _slowthink.stationary_distribution(self._chain, labels, 0, request, out, options)
    return (out, SolveInfo(*found)) if wanted else out


def stationary_distributions(
    self: MarkovChain,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats:
    """The stationary distribution of each recurrent class.

    Any stationary distribution of the chain is a mixture of these. In the long run a walk from state i spends the share
    ``absorption_probabilities()[i] @ stationary_distributions()`` of its time in each state.

    Parameters
    ----------
    method, tolerance, threads, progress
        As for :meth:`mean_hitting_times`.

    Returns
    -------
    (C, S) array of float
        A row for each of :attr:`recurrent_classes`, 0 outside of the class.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0, 0], [0.25, 0.75, 0, 0], [0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1]])
    >>> each = chain.stationary_distributions()
    >>> each.round(6)
    array([[0.333333, 0.666667, 0.      , 0.      ],
           [0.      , 0.      , 0.      , 1.      ]])
    >>> (chain.absorption_probabilities()[2] @ each).round(6)
    array([0.222222, 0.444444, 0.      , 0.333333])
    """
    request, _, options = _solve.request(self.n_states, method, tolerance, False, threads, progress)
    labels = _slowthink.recurrent_classes(self._chain, _run.options(1))
    n_classes = int(labels[labels != _NONE].max()) + 1
    out = _arrays.empty((n_classes, self.n_states), np.float64)
    for number in range(n_classes):
        _slowthink.stationary_distribution(self._chain, labels, number, request, out[number], options)
    return out


def _class(states: npt.NDArray[Any]) -> str:
    """A set of states in a message."""
    return f"{{{', '.join(map(str, states[:5].tolist()))}{', ...' if len(states) > 5 else ''}}}"
