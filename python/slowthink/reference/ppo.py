"""Slow twin of PPO-Clip on a tabular softmax policy: the whole matrix of probabilities, the chain rule written out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]


def ppo(
    matrix: _Floats,
    edges: list[tuple[int, int]],
    epsilon_max: float,
    *,
    clip: float,
    learning_rate: float,
    sign_gradient: bool,
    n_epochs: int,
    n_iterations: int,
    law: _Floats,
) -> tuple[_Floats, list[_Floats]]:
    """The policy after, and the probabilities of the edges before and after each iteration."""
    allowed = matrix > 0
    with np.errstate(divide="ignore"):
        logits = np.log(matrix)
    ahead = {edge for edge in edges if matrix[edge] < epsilon_max}
    reached: set[tuple[int, int]] = set()
    policy = softmax(logits)
    history = [np.array([policy[edge] for edge in edges])]
    while ahead and len(history) <= n_iterations:
        old = policy.copy()
        for _ in range(n_epochs):
            active = [edge for edge in ahead if policy[edge] < (1 + clip) * old[edge] and law[edge[0]] > 0]
            if not active:
                break
            gradient = np.zeros_like(matrix)
            for x, y in active:
                # d ratio / d p = 1 / p_old, weighted by law and p_old; d p_y / d logit_z = p_y ([y = z] - p_z)
                for z in np.flatnonzero(allowed[x]):
                    gradient[x, z] += law[x] * policy[x, y] * ((y == z) - policy[x, z])
            logits = logits + learning_rate * (np.sign(gradient) if sign_gradient else gradient)
            policy = softmax(logits)
            for edge in sorted(ahead):
                if policy[edge] >= epsilon_max:
                    ahead.remove(edge)
                    reached.add(edge)
            for x in {x for x, _ in reached}:
                kept = [y for source, y in reached if source == x]
                others = [z for z in np.flatnonzero(allowed[x]) if z not in kept]
                policy[x, others] *= (1 - len(kept) * epsilon_max) / policy[x, others].sum()
                policy[x, kept] = epsilon_max
            with np.errstate(divide="ignore"):
                logits = np.log(policy)
        history.append(np.array([policy[edge] for edge in edges]))
    return policy, history


def softmax(logits: _Floats) -> _Floats:
    """The softmax of each row."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: _Floats = odds / odds.sum(axis=1, keepdims=True)
    return result
