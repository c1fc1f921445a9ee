"""What is counted along walks, beside writing the walks down, and beside counting what was written with NumPy.

    python benches/observables.py [small|medium|large ...] [--threads 1 2] [--walks 50000]

Walks of 80 steps on the graphs of graphs.py. Nanoseconds a step of processor time (which other programs on the machine
disturb less than the time on the clock), the least of several repeats. The NumPy column counts walks that are already
written: add `walk` to compare.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import graphs
import numpy as np
from slowthink.chains import MarkovChain

N_STEPS = 80
REPEATS = 5


def least(call: Callable[[], Any]) -> float:
    """Seconds of all threads together."""
    seconds = []
    for _ in range(REPEATS):
        begin = time.process_time()
        call()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def numpy_transitions(walks: np.ndarray[Any, Any], n_states: int) -> Any:
    keys = walks[:, :-1].astype(np.int64) * n_states + walks[:, 1:]
    return np.unique(keys, return_counts=True)


def measure(name: str, weighted: bool, threads: int, n_walks: int) -> None:
    graph = graphs.load(name)
    chain = MarkovChain.from_weights((graph.indptr, graph.indices, graph.weights if weighted else None))
    start = graph.start[:n_walks]
    n = chain.n_states
    labels = np.arange(n) % 7
    walks = np.zeros((len(start), N_STEPS + 1), dtype=np.uint32)
    same: dict[str, Any] = {"start": start, "n_steps": N_STEPS, "rng": 1, "threads": threads}
    rows: dict[str, tuple[Callable[[], Any], Callable[[], Any] | None]] = {
        "walk, out=": (lambda: chain.walk(**same, out=walks), None),
        "endpoints": (lambda: chain.endpoints(**same), None),
        "count_visits": (lambda: chain.count_visits(**same), lambda: np.bincount(walks.ravel(), minlength=n)),
        "count_transitions": (lambda: chain.count_transitions(**same), lambda: numpy_transitions(walks, n)),
        "occupancy": (
            lambda: chain.occupancy(**same, labels=labels),
            lambda: [np.bincount(labels[column], minlength=7) for column in walks.T],
        ),
    }
    print(f"{name}, {'weighted' if weighted else 'uniform'}, {threads} threads, {len(start):,} walks")
    for title, (ours, plain) in rows.items():
        scale = 1e9 / (len(start) * N_STEPS)
        line = f"  {title:18} {least(ours) * scale:8.2f} ns a step"
        print(line if plain is None else f"{line}   NumPy {least(plain) * scale:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graphs", nargs="*", default=["small", "medium"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--walks", type=int, default=50_000)
    arguments = parser.parse_args()
    for name in arguments.graphs:
        for weighted in (False, True):
            for threads in arguments.threads:
                measure(name, weighted, threads, arguments.walks)


if __name__ == "__main__":
    main()
