"""Tokens and steps a second of the problems that are generated, beside NumPy.

    python benches/generators.py [TEXT]      # the bigram law of a file; of random characters by default

Medians of five, in seconds of processor time on one thread: times of a busy machine. With two threads a machine that is
otherwise idle makes about twice as many tokens a second.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from slowthink.problems import BigramBackcopy, KeysMaze, TwoHop


def seconds(call: Callable[[], object]) -> float:
    """Processor time of a call."""
    found = []
    for _ in range(5):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return statistics.median(found)


def backcopy_in_numpy(task: BigramBackcopy, n: int, rng: np.random.Generator) -> np.ndarray:
    """All sequences side by side, a step at a time, by inversion of the laws of the rows."""
    sums = np.cumsum(task.bigram, axis=1)
    first = np.where(np.isin(np.arange(len(task.unigram)), task.triggers), 0.0, task.unigram)
    is_trigger = np.isin(np.arange(len(task.unigram)), task.triggers)
    tokens = np.empty((n, task.length), np.uint8)
    tokens[:, 0] = len(task.unigram)
    tokens[:, 1] = rng.choice(len(task.unigram), size=n, p=first / first.sum())
    for place in range(2, task.length):
        last = tokens[:, place - 1]
        drawn = (sums[last] < rng.random(n)[:, None]).sum(axis=1)
        tokens[:, place] = np.where(is_trigger[last], tokens[:, place - 2], drawn)
    return tokens


def two_hop_in_numpy(task: TwoHop, n: int, rng: np.random.Generator) -> np.ndarray:
    """All contexts side by side: random keys are sorted for the nodes, and for the order of the edges."""
    nodes = 4 + rng.random((n, task.n_nodes)).argsort(axis=1)[:, : 3 * task.n_chains].reshape(n, -1, 3)
    edges = np.stack([nodes[:, :, :2], nodes[:, :, 1:]], axis=2)
    # Two keys a chain in order: all orders of the edges that keep that of each chain are equally probable.
    keys = np.sort(rng.random((n, task.n_chains, 2)), axis=2).reshape(n, -1)
    order = keys.argsort(axis=1)
    told = np.take_along_axis(edges.reshape(n, -1, 2), order[:, :, None], axis=1).reshape(n, -1)
    asked = nodes[np.arange(n), rng.integers(task.n_chains, size=n)]
    padding = np.full((n, task.length - told.shape[1] - 2), 3)
    return np.concatenate([told, asked[:, :1], asked[:, 2:], padding], axis=1).astype(np.uint32)


def main() -> None:
    """Prints the table."""
    rng = np.random.default_rng(0)
    text = Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else "".join(map(chr, rng.geometric(0.08, 10**6) + 31))
    task = BigramBackcopy.from_text(text)
    tokens = 100_000 * (task.length - 1)
    fast = tokens / seconds(lambda: task.sample(100_000, rng=1, threads=1))
    slow = tokens / 20 / seconds(lambda: backcopy_in_numpy(task, 5000, rng))
    print(f"BigramBackcopy: {fast / 1e6:6.1f} M tokens/s, NumPy {slow / 1e6:5.2f}, {fast / slow:5.0f} x")

    hops = TwoHop()
    tokens = 200_000 * hops.length
    fast = tokens / seconds(lambda: hops.sample(200_000, rng=1, threads=1))
    slow = tokens / seconds(lambda: two_hop_in_numpy(hops, 200_000, rng))
    print(f"TwoHop:         {fast / 1e6:6.1f} M tokens/s, NumPy {slow / 1e6:5.2f}, {fast / slow:5.0f} x")

    made = seconds(lambda: KeysMaze())
    maze = KeysMaze()
    table = seconds(lambda: [m.success_probability(m.root(i)) for m in [KeysMaze()] for i in range(m.n_instances)])
    print(f"KeysMaze:       {maze.n_instances} mazes in {made * 1e3:.0f} ms, exact success of all {table * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
