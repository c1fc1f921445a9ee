"""Slow twin of chains and walks: rows as dictionaries, one walk after another, one draw a step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from slowthink import _run
from slowthink.reference.random import Stream, seed

Row = list[tuple[int, float]]
"""The transitions out of a state: targets, ascending, and their probabilities."""


def rows(n_states: int, entries: Iterable[tuple[int, int, float]], *, absorb: bool = False) -> list[Row]:
    """Rows of a chain from weights ``(source, target, weight)``: duplicates add up, each row is divided by its sum.

    Sums are exact; each probability is rounded once.
    """
    sums: list[dict[int, Fraction]] = [{} for _ in range(n_states)]
    for source, target, weight in entries:
        if not 0 <= target < n_states or not 0 <= weight < math.inf:
            raise ValueError(f"no transition: {source} -> {target}, {weight}")
        if weight > 0:
            sums[source][target] = sums[source].get(target, Fraction(0)) + Fraction(weight)
    out: list[Row] = []
    for state, row in enumerate(sums):
        if not row and not absorb:
            raise ValueError(f"no transition out of state {state}")
        total = sum(row.values())
        out.append([(to, float(row[to] / total)) for to in sorted(row)] or [(state, 1.0)])
    return out


def table(row: Row) -> list[tuple[int, int, int]]:
    """The alias table of a row (Vose 1991): ``(threshold, below, above)`` for each of its places.

    Of a draw times the number of places, the high 64 bits are the place; the target is ``below`` where the low 64 bits
    are below the threshold, else ``above``.
    """
    degree = len(row)
    slots = [(0, target, target) for target, _ in row]
    scale = degree / _sum(p for _, p in row)
    share = [p * scale for _, p in row]
    small = [place for place in range(degree) if share[place] < 1]
    large = [place for place in range(degree) if share[place] >= 1]
    while small and large:
        poor, rich = small.pop(), large[-1]
        slots[poor] = (int(share[poor] * 2.0**64), row[poor][0], row[rich][0])
        share[rich] = share[rich] + share[poor] - 1
        if share[rich] < 1:
            small.append(large.pop())
    return slots


def _sum(values: Iterable[float]) -> float:
    """The sum as the kernels take it, with the rounding of each addition carried along (Neumaier 1974)."""
    total = lost = 0.0
    for value in values:
        following = total + value
        lost += (total - following) + value if total >= value else (value - following) + total
        total = following
    return total + lost


def step(slots: Sequence[tuple[int, int, int]], draw: int) -> int:
    """The target of a 64-bit draw."""
    product = draw * len(slots)
    threshold, below, above = slots[product >> 64]
    return below if product & (2**64 - 1) < threshold else above


def walk(
    chain: Sequence[Row],
    n_steps: int,
    *,
    n_walks: int = 1,
    start: int | Sequence[int] | None = None,
    start_distribution: Sequence[float] | None = None,
    rng: _run.RNG = None,
    first: int = 0,
) -> npt.NDArray[np.uint32]:
    """The walks of :meth:`slowthink.chains.MarkovChain.walk`, byte for byte.

    Walk i of the call draws from stream ``first + i``: once for its start if that follows a law, then once a step.
    """
    tables = [table(row) for row in chain]
    law = table([(state, p) for state, p in enumerate(start_distribution) if p > 0]) if start_distribution else None
    starts = [start] * n_walks if isinstance(start, int) else list(start or [])
    words = seed(_run.seed(rng).tolist())
    out = np.empty((n_walks, n_steps + 1), dtype=np.uint32)
    for i in range(n_walks):
        stream = Stream(words, first + i)
        state = starts[i] if law is None else step(law, stream.draw())
        out[i, 0] = state
        for t in range(1, n_steps + 1):
            state = step(tables[state], stream.draw())
            out[i, t] = state
    return out
