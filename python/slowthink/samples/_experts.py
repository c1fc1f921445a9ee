"""Online learning over experts: Hedge and its regret."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink


@dataclasses.dataclass(frozen=True)
class HedgeResult:
    """What :func:`hedge` played and how it fared; arrays have a leading axis of runs if the losses had one."""

    weights: npt.NDArray[np.float64] | None
    """(..., T, N): the weights used in round t, chosen before its losses were seen; None if not asked for."""
    expected_loss: npt.NDArray[np.float64]
    """(..., T): the expected loss of round t."""
    regret: npt.NDArray[np.float64]
    """(..., T): expected loss of the rounds up to t less that of the single expert that is best up to t."""
    learning_rate: float
    """The rate that was used."""
    regret_bound: float
    """What the regret after T rounds cannot exceed: ln(N)/rate + rate T/8, which is sqrt(T ln(N)/2) at the default."""


def hedge(
    losses: npt.ArrayLike,
    *,
    learning_rate: float | None = None,
    return_weights: bool = True,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> HedgeResult:
    """Play Hedge (exponential weights) against known losses.

    Expert i has in round t the weight ``exp(-rate * (loss of i in the rounds before))``, normalised.

    Parameters
    ----------
    losses : array_like of float, shape (T, N) or (R, T, N)
        Loss of each of N experts (strategies, prompts, models) in each of T rounds of R independent runs; 0 to 1.
    learning_rate : float, optional
        Positive; by default ``sqrt(8 ln(N) / T)``, which has the least bound for T rounds.
    return_weights : bool
        False leaves the largest output out.
    threads : int, optional
        Number of threads; all by default. Runs are shared out to threads.
    progress : bool or callable
        A bar, or a callable of (done, total) runs.

    Returns
    -------
    HedgeResult
        Weights, expected losses, cumulative regret, the rate and the bound on the final regret.

    Raises
    ------
    ValueError
        For a loss outside [0, 1] or NaN, or a rate that is not positive and finite.

    Notes
    -----
    R T N exponentials. Losses so far are kept less their minimum, so that weights never underflow together.

    References
    ----------
    Freund and Schapire 1997, "A decision-theoretic generalization of on-line learning"; the bound with this rate:
    Cesa-Bianchi and Lugosi 2006, theorem 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from slowthink.samples import hedge
    >>> result = hedge([[1, 0], [1, 0]], learning_rate=np.log(2))
    >>> result.weights.round(3)
    array([[0.5  , 0.5  ],
           [0.333, 0.667]])
    >>> result.regret.round(3)
    array([0.5  , 0.833])
    """
    array = _arrays.numbers(losses, "losses", ndim=(2, 3))
    shape = array.shape
    if 0 in shape:
        raise ValueError(f"losses must have at least one run, round and expert, got shape {shape}")
    n_runs, n_rounds, n_experts = (1, *shape) if len(shape) == 2 else shape
    matrix = _arrays.matrix(array.reshape(-1, n_experts), "losses")
    if learning_rate is None:
        rate = math.sqrt(8 * math.log(n_experts) / n_rounds)
    else:
        rate = float(_arrays.floats(learning_rate, "learning_rate", ndim=0))
        if not rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {learning_rate}")
    weights = np.empty(array.size) if _arrays.flag(return_weights, "return_weights") else None
    expected_loss, regret = np.empty(n_runs * n_rounds), np.empty(n_runs * n_rounds)
    _slowthink.hedge(
        matrix, n_runs, len(shape) == 3, rate, weights, expected_loss, regret, _run.options(threads, progress)
    )
    return HedgeResult(
        weights=None if weights is None else weights.reshape(shape),
        expected_loss=expected_loss.reshape(shape[:-1]),
        regret=regret.reshape(shape[:-1]),
        learning_rate=rate,
        regret_bound=math.log(n_experts) / rate + rate * n_rounds / 8 if n_experts > 1 else 0.0,
    )
