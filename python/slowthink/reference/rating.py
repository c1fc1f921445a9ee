"""Bradley-Terry by a slow iteration, and its intervals from the definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def bradley_terry(wins: Any, ties: Any = None, n_iterations: int = 100_000) -> npt.NDArray[np.float64]:
    """Ratings of sum 0 by Hunter's minorise-maximise iteration (Annals of Statistics 32, 2004), without a check that
    they are finite."""
    won = np.asarray(wins, dtype=float) + (0 if ties is None else 0.5 * np.asarray(ties, dtype=float))
    met = won + won.T
    worth = np.ones(len(won))
    for _ in range(n_iterations):
        new = won.sum(1) / (met / (worth[:, None] + worth[None, :])).sum(1)
        new /= np.exp(np.log(new).mean())
        if np.abs(np.log(new / worth)).max() < 1e-15:
            break
        worth = new
    rating: npt.NDArray[np.float64] = np.log(worth)
    rating -= rating.mean()
    return rating


def sandwich(rating: Any, wins: Any, ties: Any = None) -> npt.NDArray[np.float64]:
    """Robust covariance of the ratings: the pseudo-inverse of the Hessian around the sum, battle by battle, of the
    squared scores."""
    n = len(rating)
    hessian, squares = np.zeros((n, n)), np.zeros((n, n))
    tied = np.zeros((n, n)) if ties is None else np.triu(np.asarray(ties, dtype=float))
    for i in range(n):
        for j in range(n):
            direction = np.zeros(n)
            direction[i] += 1.0
            direction[j] -= 1.0
            p = 1.0 / (1.0 + np.exp(rating[j] - rating[i]))
            for outcome, count in ((1.0, np.asarray(wins)[i, j]), (0.5, tied[i, j])):
                score = (outcome - p) * direction
                squares += count * np.outer(score, score)
                hessian += count * p * (1 - p) * np.outer(direction, direction)
    inverse = np.linalg.pinv(hessian, hermitian=True)
    covariance: npt.NDArray[np.float64] = inverse @ squares @ inverse
    return covariance


def resample(wins: Any, ties: Any, rng: np.random.Generator) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Wins and ties of as many battles drawn from the battles with replacement."""
    won, tied = np.asarray(wins), np.triu(np.asarray(ties))
    cells = np.concatenate([won.ravel(), tied.ravel()])
    total = int(cells.sum())
    drawn = rng.multinomial(total, cells / total)
    new, new_ties = drawn.reshape(2, *won.shape)
    return new, new_ties + new_ties.T
