"""Slow twin of the extrapolation: products of fractions, and a likelihood summed sample by sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def pass_at_k(alpha: Fraction, beta: Fraction, k: int, zero_inflation: Fraction = Fraction(0)) -> Fraction:
    """1 - prod_{j<k} (b + j)/(a + b + j), for the share of problems that are solved at all."""
    fail = Fraction(1)
    for j in range(k):
        fail *= (beta + j) / (alpha + beta + j)
    return (1 - zero_inflation) * (1 - fail)


def log_likelihood(
    num_samples: Sequence[int], num_correct: Sequence[int], alpha: float, beta: float, zero_inflation: float = 0.0
) -> float:
    """Log-probability of the verdicts in their order, each given those before it (Polya's urn)."""
    total = 0.0
    for n, c in zip(num_samples, num_correct, strict=True):
        chance = 1.0
        for j in range(c):
            chance *= (alpha + j) / (alpha + beta + j)
        for j in range(n - c):
            chance *= (beta + j) / (alpha + beta + c + j)
        total += math.log((1 - zero_inflation) * chance + (zero_inflation if c == 0 else 0.0))
    return total
