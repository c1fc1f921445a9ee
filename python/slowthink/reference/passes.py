"""pass@k, pass^k and G-Pass@k in exact rationals, and by going through all subsets."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import ceil, comb


def over_subsets(n: int, c: int, k: int, credit: Callable[[int], Fraction | int]) -> Fraction:
    """Mean over all k-subsets of n samples, c of them correct, of ``credit(number correct in the subset)``."""
    subsets = [sum(i < c for i in subset) for subset in combinations(range(n), k)]
    return Fraction(sum((Fraction(credit(x)) for x in subsets), Fraction(0)), len(subsets))


def pass_at_k(n: int, c: int, k: int) -> Fraction | None:
    """1 - C(n-c, k) / C(n, k) (Chen et al. 2021); None where k > n."""
    return None if k > n else 1 - Fraction(comb(n - c, k), comb(n, k))


def pass_hat_k(n: int, c: int, k: int) -> Fraction | None:
    """C(c, k) / C(n, k); None where k > n."""
    return None if k > n else Fraction(comb(c, k), comb(n, k))


def at_least(n: int, c: int, k: int, least: int) -> Fraction:
    """Chance that a k-subset has at least ``least`` correct samples: a tail of the hypergeometric law."""
    ways = sum(comb(c, j) * comb(n - c, k - j) for j in range(max(least, 0), min(c, k) + 1))
    return Fraction(ways, comb(n, k))


def g_pass_at_k(n: int, c: int, k: int, tau: Fraction | str) -> Fraction | None:
    """At least max(ceil(tau k), 1) of k correct (Liu et al. 2024); ``tau`` is exact, as in ``"0.28"``."""
    return None if k > n else at_least(n, c, k, max(ceil(Fraction(tau) * k), 1))


def mg_pass_at_k(n: int, c: int, k: int) -> Fraction | None:
    """(2/k) times the sum of P(at least i correct) over i from ceil(k/2) + 1 to k (Liu et al. 2024)."""
    if k > n:
        return None
    return Fraction(2, k) * sum((at_least(n, c, k, i) for i in range(ceil(k / 2) + 1, k + 1)), Fraction(0))


def variance_of_pass(n: int, c: int, k: int) -> Fraction | None:
    """Unbiased variance of pass@k over repetitions where 2k <= n, else the delete-one jackknife; None for k > n - 1."""
    if k > n - 1:
        return None
    if 2 * k <= n:
        return Fraction(comb(n - c, k), comb(n, k)) ** 2 - Fraction(comb(n - c, 2 * k), comb(n, 2 * k))
    return jackknife_of_pass(n, c, k)


def jackknife_of_pass(n: int, c: int, k: int) -> Fraction:
    """Delete-one jackknife of pass@k, for k < n: c samples leave c - 1 correct ones behind, the others c."""
    left = [c - 1] * c + [c] * (n - c)
    return jackknife([1 - Fraction(comb(n - 1 - rest, k), comb(n - 1, k)) for rest in left])


def jackknife(without: list[Fraction]) -> Fraction:
    """Delete-one estimate of a variance from the values of the statistic without each sample in turn."""
    n = len(without)
    mean = sum(without, Fraction(0)) / n
    return Fraction(n - 1, n) * sum(((value - mean) ** 2 for value in without), Fraction(0))
