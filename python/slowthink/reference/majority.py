"""Slow twins of the plurality kernels: enumeration in exact rationals, and plain NumPy polynomials."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt


def vote(answers: Iterable[Hashable], gold: Hashable, ties: str = "uniform") -> Fraction:
    """What the vote of ``answers`` is worth: 1 if ``gold`` wins, its share of a tie by the rule, else 0.

    >>> vote(["24", "12", None], "24"), vote([None], "24")
    (Fraction(1, 2), Fraction(0, 1))
    """
    counts = Counter(answer for answer in answers if answer is not None)
    if gold not in counts or counts[gold] < max(counts.values()):
        return Fraction(0)
    tied = sum(count == counts[gold] for count in counts.values())
    return {"uniform": Fraction(1, tied), "strict": Fraction(int(tied == 1)), "any": Fraction(1)}[ties]


def maj_at_k(
    answers: Sequence[Hashable], gold: Hashable, k: int, ties: str = "uniform", replace: bool = False
) -> Fraction:
    """Mean of :func:`vote` over all k-subsets (with ``replace``: all k-tuples) of one problem's samples.

    >>> maj_at_k("aaabbc", "a", 3)
    Fraction(3, 5)
    """
    draws = itertools.product(answers, repeat=k) if replace else itertools.combinations(answers, k)
    total, n = Fraction(0), 0
    for draw in draws:
        total += vote(draw, gold, ties)
        n += 1
    return total / n


def maj_from_counts(counts: Sequence[int], k: int, target: int = 0, silent: int = 0) -> Fraction:
    """As :func:`maj_at_k` (uniform ties) from the counts of the answers, by exact integer polynomials.

    ``sum_m C(c_a, m) [x^(k-m)] integral_0^1 prod_b (sum_(j<m) C(c_b, j) x^j + y C(c_b, m) x^m) dy / C(n, k)``.
    Polynomials in x and y are dictionaries from the pair of powers to the coefficient.

    >>> maj_from_counts([4, 4, 2], 5)
    Fraction(19, 42)
    """
    total = Fraction(0)
    for m in range(1, min(counts[target], k) + 1):
        product = {(0, 0): math.comb(counts[target], m)}
        for b, count in enumerate(counts):
            if b != target:
                factor = {(j, int(j == m)): math.comb(count, j) for j in range(min(m, count) + 1)}
                product = _times(product, factor)
        product = _times(product, {(j, 0): math.comb(silent, j) for j in range(silent + 1)})
        total += sum(Fraction(value, y + 1) for (x, y), value in product.items() if x == k - m)
    return total / math.comb(sum(counts) + silent, k)


def _times(a: dict[tuple[int, int], int], b: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    product: dict[tuple[int, int], int] = {}
    for (x, y), value in a.items():
        for (u, v), other in b.items():
            product[x + u, y + v] = product.get((x + u, y + v), 0) + value * other
    return product


def maj_curve(counts: Sequence[int], target: int = 0) -> npt.NDArray[np.float64]:
    """All k at once in plain NumPy: the yardstick of the benchmarks (n up to about 1000, uniform ties).

    One product of polynomials, by ``np.convolve``, for each number of votes and quadrature node.

    >>> maj_curve([3, 2, 1]).round(4)
    array([0.5 , 0.5 , 0.6 , 0.7 , 0.75, 1.  ])
    """
    n = sum(counts)
    rows = {count: _binomial(count) for count in {*counts, n}}
    rivals = [count for b, count in enumerate(counts) if b != target and count > 0]
    won = np.zeros(n + 1)
    for m in range(1, counts[target] + 1):
        active = [count for count in rivals if count >= m]
        rest = _binomial(sum(count for count in rivals if count < m))
        nodes, weights = np.polynomial.legendre.leggauss(len(active) // 2 + 1)
        for y, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            product = rest
            for count in active:
                factor = rows[count][: m + 1].copy()
                factor[m] *= y
                product = np.convolve(product, factor)
            won[m : m + len(product)] += weight * rows[counts[target]][m] * product[: n + 1 - m]
    return won[1:] / rows[n][1:]


@functools.cache
def _binomial(n: int) -> npt.NDArray[np.float64]:
    return np.array([math.comb(n, j) / 2**n for j in range(n + 1)])


def maj_variance(answers: Sequence[Hashable], gold: Hashable, k: int) -> Fraction:
    """The delete-one jackknife variance of :func:`maj_at_k`.

    >>> maj_variance("aab", "a", 1)
    Fraction(1, 9)
    """
    n = len(answers)
    without = [maj_at_k([*answers[:i], *answers[i + 1 :]], gold, k) for i in range(n)]
    mean = sum(without, Fraction(0)) / n
    return Fraction(n - 1, n) * sum(((value - mean) ** 2 for value in without), Fraction(0))


def plurality_probability(p: Sequence[Fraction], n: int, target: int = 0, ties: str = "uniform") -> Fraction:
    """Exact probability that ``target`` wins n independent answers, by enumeration of all counts.

    >>> plurality_probability([Fraction(2, 5), Fraction(3, 10), Fraction(3, 10)], 3)
    Fraction(53, 125)
    """
    silent = 1 - sum(p)
    total = Fraction(0)
    for counts in _compositions(n, len(p) + 1):
        weight: Any = Fraction(math.factorial(n))
        for count, probability in zip(counts, [*p, silent], strict=True):
            weight *= Fraction(probability) ** count / math.factorial(count)
        votes = [b for b, count in enumerate(counts[:-1]) for _ in range(count)]
        total += weight * vote(votes, target, ties)
    return total


def _compositions(n: int, parts: int) -> Iterable[tuple[int, ...]]:
    if parts == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in _compositions(n - first, parts - 1):
            yield (first, *rest)
