"""Pretraining of a bigram model in two stages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain, TransitionCounts, _fit, _starts
from slowthink.metastable import _inputs

_Floats = npt.NDArray[np.float64]

_NOTED = 48
"""Steps of each stage at which figures are noted, but for those that coincide."""

_MOST_STEPS = 1 << 40
"""Steps that are taken without being asked for at most."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class PretrainResult:
    """A trained bigram model and how it was learned; from :func:`pretrain`.

    Attributes
    ----------
    chain : MarkovChain
        The model after the second stage, S states, without the entries that were cut off.
    n_steps_1, n_steps_2 : int
        Steps of the two stages.
    threshold : float
        Entries below it were cut off after the first stage.
    step : (R,) ndarray of int64
        Steps at which figures were noted, about equally spaced on a logarithmic scale, those of the second stage
        counted from the beginning of the first; the step between the stages is there twice, before and after the cut.
    stage : (R,) ndarray of int64
        1 or 2.
    excess_loss : (R,) ndarray of float
        Cross-entropy less the entropy of the data, in nats a transition; infinite where a transition was cut off.
    error : (R,) ndarray of float
        Largest relative error of the probability of a transition, over all transitions out of states that occur.
    spurious_mass : (R,) ndarray of float
        Probability with which the model takes a step that is no transition of the data.
    n_spurious : int
        Pairs of states that are no transition and survived the cut.
    n_missed : int
        Transitions that did not.
    """

    chain: MarkovChain
    n_steps_1: int
    n_steps_2: int
    threshold: float
    step: npt.NDArray[np.int64]
    stage: npt.NDArray[np.int64]
    excess_loss: _Floats
    error: _Floats
    spurious_mass: _Floats
    n_spurious: int
    n_missed: int

    def end_of(self, stage: int) -> int:
        """The index of the last noted step of stage 1 or 2.

        Examples
        --------
        >>> from slowthink.chains import MarkovChain
        >>> from slowthink.metastable import pretrain
        >>> model = pretrain(MarkovChain([[0.9, 0.1, 0], [0, 0.5, 0.5], [1, 0, 0]]))
        >>> bool(model.spurious_mass[model.end_of(1)] > 0), model.spurious_mass[model.end_of(2)]
        (True, np.float64(0.0))
        """
        wanted = _starts.count(stage, "stage", low=1, high=2)
        return int(np.flatnonzero(self.stage == wanted)[-1])

    def __repr__(self) -> str:
        first, second = self.error[self.end_of(1)], self.error[self.end_of(2)]
        return (
            f"PretrainResult(n_steps={self.n_steps_1} + {self.n_steps_2}, error={first:.2g} then {second:.2g}, "
            f"n_spurious={self.n_spurious}, n_missed={self.n_missed})"
        )


def pretrain(
    data: Any,
    *,
    learning_rate: float = 1.0,
    epsilon: float | None = None,
    n_steps_1: int | None = None,
    n_steps_2: int | None = None,
    threshold: float | None = None,
    state_distribution: npt.ArrayLike | None = None,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> PretrainResult:
    """Learns a softmax-linear bigram model by gradient descent, in two stages with a cut between them.

    The model is p_W(y | x) = exp(W_yx) / sum over z of exp(W_zx): states are orthonormal vectors, so that softmax(W x)
    is linear in the embedding. From W = 0 full-batch gradient descent lowers the cross-entropy to the data. It learns
    the transitions fast, but an entry that is no transition only sinks as one over the number of steps; so the first
    stage ends with a cut of the small entries, and without them the second one converges exponentially.

    Parameters
    ----------
    data : MarkovChain, MetastableChain, TransitionCounts, (S, S) array of counts or scipy.sparse matrix
        What follows what. A chain stands for infinitely many transitions; counts are those of observed walks.
    learning_rate : float
        Above 0 and below 4 over the largest frequency of a state, where descent becomes unstable.
    epsilon : float, optional
        The least probability to be learned; by default the smallest of a transition in the data.
    n_steps_1, n_steps_2 : int, optional
        Steps of the two stages. By default ceil(S B / (``learning_rate`` epsilon^2)) and ceil(3 S /
        (``learning_rate`` epsilon^2)), B being the mean number of transitions out of a state: K M^2 / epsilon^2 and 3 K
        M / epsilon^2 for K clusters of M states. The paper's orders are the same up to logarithms; these constants
        are ours, and leave an error of about exp(-3 / epsilon) after the second stage where states are equally
        frequent, or that of rounding: steps below the last digit of a weight are lost, at some 1e-12.
    threshold : float, optional
        What is below it after the first stage is cut off; ``epsilon`` / 2 by default. A row with nothing above it stays
        whole.
    state_distribution : (S,) array of float, optional
        How often each state occurs. By default all equally for a chain, and as they were left for counts. The row of a
        state that never does is not learned: it stays equal over all states.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the rows done and their number.

    Returns
    -------
    PretrainResult

    Raises
    ------
    ValueError
        Naming an argument out of its range, or steps that must be given since there would be more than 2**40.

    Notes
    -----
    From W = 0 entries of equal probability keep equal weights, all entries that are no transitions among them: a step
    of a row costs about 10 ns for each *different* probability in it, and is gradient descent on all S entries all the
    same. Rows are shared out to threads; memory is that of the data, and S entries for each row that keeps an entry
    that is no transition.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025 (arXiv 2502.01694), Algorithm 1.

    Examples
    --------
    >>> from slowthink.metastable import pretrain
    >>> counts = [[90, 10, 0, 0], [0, 50, 50, 0], [0, 0, 70, 30], [20, 0, 0, 80]]
    >>> model = pretrain(counts)
    >>> model
    PretrainResult(n_steps=800 + 1200, error=0.026 then 4.2e-15, n_spurious=0, n_missed=0)
    >>> model.chain.to_dense().round(10)
    array([[0.9, 0.1, 0. , 0. ],
           [0. , 0.5, 0.5, 0. ],
           [0. , 0. , 0.7, 0.3],
           [0.2, 0. , 0. , 0.8]])
    """
    chain, law = _data(data)
    if state_distribution is not None:
        law = _inputs.law(state_distribution, "state_distribution", chain.n_states)
    rate = float(_arrays.floats(learning_rate, "learning_rate", ndim=0))
    if not rate > 0:
        raise ValueError(f"learning_rate must be above 0, got {learning_rate}")
    least = float(chain.probabilities.min()) if epsilon is None else float(_arrays.floats(epsilon, "epsilon", ndim=0))
    if not 0 < least <= 1:
        raise ValueError(f"epsilon must be above 0 and at most 1, got {epsilon}")
    cut = least / 2 if threshold is None else float(_arrays.floats(threshold, "threshold", ndim=0))
    steps_1 = _steps(n_steps_1, "n_steps_1", chain.n_transitions, rate, least)
    steps_2 = _steps(n_steps_2, "n_steps_2", 3 * chain.n_states, rate, least)
    first, second = _noted(steps_1), _noted(steps_2)
    options = _run.options(threads, progress)
    found = _slowthink.pretrain_bigram(chain._chain, law, rate, cut, first, second, options)
    compiled, excess, error, spurious, n_spurious, n_missed = found
    return PretrainResult(
        chain=MarkovChain._of(compiled),
        n_steps_1=steps_1,
        n_steps_2=steps_2,
        threshold=cut,
        step=np.concatenate([first, second + np.uint64(steps_1)]).astype(np.int64),
        stage=np.repeat(np.array([1, 2]), [len(first), len(second)]),
        excess_loss=excess,
        error=error,
        spurious_mass=spurious,
        n_spurious=n_spurious,
        n_missed=n_missed,
    )


def _data(data: Any) -> tuple[MarkovChain, _Floats]:
    """What follows what, and how often each state occurs."""
    held = getattr(data, "chain", data)
    if isinstance(held, MarkovChain):
        return held, np.full(held.n_states, 1.0 / held.n_states)
    table = _fit.table(data, "data")
    counts = TransitionCounts._of(*table)
    rows = counts.row_sums().astype(np.float64)
    total = float(rows.sum())
    if not 0 < total < math.inf:
        raise ValueError(f"data must hold counts with a positive sum, got {total}")
    try:
        chain = MarkovChain.from_weights((counts.indptr, counts.indices, counts.counts), dangling="absorb")
    except ValueError as error:
        raise ValueError(str(error).replace("weights", "data", 1)) from None
    return chain, rows / total


def _steps(value: Any, name: str, size: int, rate: float, epsilon: float) -> int:
    if value is not None:
        return _starts.count(value, name, high=2**62)
    steps = size / rate / epsilon**2 if epsilon > 1e-150 else math.inf
    if not steps <= _MOST_STEPS:
        raise ValueError(f"{name} must be given where epsilon is as small as {epsilon:g}: by default it is {steps:.3g}")
    return math.ceil(steps)


def _noted(n_steps: int) -> npt.NDArray[np.uint64]:
    """The steps 0 and ``n_steps``, and others between them."""
    between = np.geomspace(1, max(n_steps, 1), _NOTED).astype(np.uint64)
    return np.unique(np.concatenate([[np.uint64(0)], np.minimum(between, np.uint64(n_steps)), [np.uint64(n_steps)]]))
