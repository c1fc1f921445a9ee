"""Slow twin of pretraining: gradient descent on the whole matrix of weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]


def pretrain(
    matrix: _Floats, law: _Floats, learning_rate: float, threshold: float, n_steps_1: int, n_steps_2: int
) -> tuple[_Floats, _Floats]:
    """The models after the first stage and after the second."""
    weights = np.zeros_like(matrix)
    for _ in range(n_steps_1):
        weights += learning_rate * law[:, None] * (matrix - softmax(weights))
    first = softmax(weights)
    kept = first >= threshold
    kept[~kept.any(axis=1)] = True
    weights[~kept] = -np.inf
    for _ in range(n_steps_2):
        # The cross-entropy over what is kept, whose softmax is multiplied by the probability that is left.
        share = (matrix * kept).sum(axis=1, keepdims=True)
        slope = law[:, None] * (matrix - share * softmax(weights))
        weights = np.where(kept, weights + learning_rate * slope, -np.inf)
    return first, softmax(weights)


def softmax(weights: _Floats) -> _Floats:
    """The softmax of each row."""
    odds = np.exp(weights - weights.max(axis=1, keepdims=True))
    result: _Floats = odds / odds.sum(axis=1, keepdims=True)
    return result


def excess_loss(matrix: _Floats, law: _Floats, model: _Floats) -> float:
    """Cross-entropy of the model less the entropy of the data."""
    here = matrix > 0
    with np.errstate(divide="ignore"):
        terms = matrix[here] * (np.log(matrix[here]) - np.log(model[here]))
    return float((np.repeat(law, here.sum(axis=1)) * terms).sum())
