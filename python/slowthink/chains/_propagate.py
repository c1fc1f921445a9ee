"""Laws carried forwards, observables carried backwards, any number of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def propagate(
    self: MarkovChain,
    distribution: npt.ArrayLike,
    n_steps: int,
    *,
    return_all: bool = False,
    backward: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> npt.NDArray[np.float64]:
    """The law of a walk after so many steps, or the mean of an observable then.

    Parameters
    ----------
    distribution : (S,) or (D, S) array of float
        One law of the start, or one in each row. Any finite numbers are taken: a difference of laws, a density that
        does not sum to 1, or with ``backward`` a function of the state.
    n_steps : int
        Steps, 0 to 2**63 - 1.
    return_all : bool
        Whether to return the laws after 0, 1, ..., ``n_steps`` steps, and not the last alone.
    backward : bool
        False carries laws forwards: x becomes x P, where walks that begin there are. True carries functions backwards:
        f becomes P f, the mean of f one step later for walks that begin in each state.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the steps done and their number.

    Returns
    -------
    (S,) or (D, S) float64 array
        With ``return_all`` one axis more, before the last: (n_steps + 1, S) or (D, n_steps + 1, S).

    See Also
    --------
    occupancy, endpoints : The same from simulated walks.

    Notes
    -----
    Rows of the matrix are divided by their sums. The sum of a law is then kept to a few units of rounding a step, and
    no number becomes negative. Each entry is summed in the order of the states: it does not depend on the threads, nor
    on what other laws there are.

    Cost: about T multiplications a step for each law; up to eight laws take their steps together, and each transition
    is read once for them. Where that is more than the matrix by itself some times, ``S**3 log2(n_steps)``, and S is at
    most 2,048, the powers P, P^2, P^4, ... take its place. Their rows are divided by their sums each time, so that the
    error grows with the logarithm of ``n_steps`` alone: after 1e18 steps a law is right to about 1e-13, at any
    metastability. Memory: 128 bytes a state for each thread and 12 a transition, or 16 bytes a pair of states.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> weather.propagate([0, 1], 2, return_all=True)
    array([[0. , 1. ],
           [0.5, 0.5],
           [0.7, 0.3]])
    >>> weather.propagate([0, 1], 2, backward=True)  # the chance of rain in two days
    array([0.14, 0.3 ])
    >>> chain = MarkovChain([[1 - 1e-15, 1e-15], [2e-15, 1 - 2e-15]])
    >>> chain.propagate([1, 0], 10**18).round(6)
    array([0.666667, 0.333333])
    """
    values = _arrays.floats(distribution, "distribution", ndim=(1, 2))
    if values.shape[-1] != self.n_states:
        raise ValueError(
            f"distribution must have an entry for each of the {self.n_states} states in its last axis, "
            f"got shape {values.shape}"
        )
    n_steps = _starts.count(n_steps, "n_steps")
    return_all = _arrays.flag(return_all, "return_all")
    backward = _arrays.flag(backward, "backward")
    options = _run.options(threads, progress)
    shape = (*values.shape[:-1], n_steps + 1, self.n_states) if return_all else values.shape
    out = _arrays.empty(shape, np.float64)
    rows = values.reshape(-1, self.n_states)
    _slowthink.propagate_vectors(self._chain, rows, n_steps, backward, return_all, out.reshape(-1), options)
    return out
