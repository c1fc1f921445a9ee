"""Slow twin of Hedge: the definition, round by round."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def hedge(losses: Floats, learning_rate: float) -> tuple[Floats, Floats, Floats]:
    """Weights (T, N), expected losses (T,) and cumulative regret (T,) for losses (T, N)."""
    n_rounds, n_experts = losses.shape
    weights, expected, regret = np.zeros((n_rounds, n_experts)), np.zeros(n_rounds), np.zeros(n_rounds)
    total = np.zeros(n_experts)
    for t in range(n_rounds):
        w = np.exp(-learning_rate * (total - total.min()))
        weights[t] = w / w.sum()
        expected[t] = (weights[t] * losses[t]).sum()
        total = total + losses[t]
        regret[t] = expected[: t + 1].sum() - total.min()
    return weights, expected, regret
