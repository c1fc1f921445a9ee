"""Metrics of reward models by pairs, subsets and permutations, in exact rationals where there are no square roots."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import comb, isnan, sqrt


def pair_accuracy(prompts: Sequence[tuple[Sequence[float], Sequence[int]]]) -> Fraction | None:
    """Share of conflict pairs, within prompts of (scores, verdicts), ranked right; ties half; None without a pair."""
    right, pairs = Fraction(0), 0
    for scores, correct in prompts:
        for i, j in permutations(range(len(scores)), 2):
            if correct[i] and not correct[j]:
                pairs += 1
                right += Fraction((scores[i] > scores[j]) - (scores[i] < scores[j]) + 1, 2)
    return right / pairs if pairs else None


def best_of_k(scores: Sequence[float], correct: Sequence[int], k: int) -> Fraction:
    """Expected correctness of the highest-scoring sample of a k-subset, ties at random, over all subsets."""
    total = Fraction(0)
    for subset in combinations(range(len(scores)), k):
        top = max(scores[i] for i in subset)
        tied = [correct[i] for i in subset if scores[i] == top]
        total += Fraction(sum(tied), len(tied))
    return total / comb(len(scores), k)


def max_score(prompts: Sequence[tuple[Sequence[float], Sequence[int]]]) -> Fraction:
    """Mean over all orders (the same for each prompt; equal lengths) of the largest value of the best-of-k curve."""
    n = len(prompts[0][0])
    total, orders = Fraction(0), 0
    for order in permutations(range(n)):
        curve = []
        for k in range(1, n + 1):
            chosen = [correct[max(order[:k], key=scores.__getitem__)] for scores, correct in prompts]
            curve.append(Fraction(sum(chosen), len(prompts)))
        total += max(curve)
        orders += 1
    return total / orders


def stretched(scores: Sequence[float]) -> list[float]:
    """Scores of a prompt on [0, 1]; 0.5 where all are equal; missing ones (NaN) dropped."""
    present = [score for score in scores if not isnan(score)]
    low, high = min(present), max(present)
    return [(score - low) / (high - low) if high > low else 0.5 for score in present]


def kendall_tau(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall's tau-b over all pairs."""
    sign = untied_x = untied_y = 0
    for i, j in combinations(range(len(x)), 2):
        a, b = (x[i] > x[j]) - (x[i] < x[j]), (y[i] > y[j]) - (y[i] < y[j])
        sign += a * b
        untied_x += a * a
        untied_y += b * b
    return sign / sqrt(untied_x * untied_y) if untied_x and untied_y else float("nan")


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's correlation of middle ranks, each counted by comparing with all."""

    def ranks(values: Sequence[float]) -> list[Fraction]:
        return [Fraction(sum((a > b) - (a < b) for b in values)) for a in values]

    a, b = ranks(x), ranks(y)
    spread = sum(i * i for i in a) * sum(j * j for j in b)
    return float(sum(i * j for i, j in zip(a, b, strict=True))) / sqrt(spread) if spread else float("nan")
