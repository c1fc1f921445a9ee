"""How full a server of language models is kept: lock-step, one call a tree at a time, and `Forest.drive`.

The model: 256 slots; tree i needs floor(40 U(0.5, 1.5)) steps, each of which occupies a slot for a lognormal time of
mean 1. *Lock-step*: one step of every live tree, then a barrier. *One each*: a tree has one step in flight, without a
barrier. *drive*: `Forest.drive` as it is, on a clock that jumps to the next event; a tree has more than one step in
flight where slots would be idle. Utilisation is the time that slots were occupied, the tail included: the mean over
replicates, and the least.

    python benches/server_model.py [replicates]
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from pathlib import Path

import numpy as np
from slowthink.trees import Expansion, Forest, Leaf, Uct

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import virtual_clock

SLOTS = 256


def durations(rng: np.random.Generator, sigma: float, n: int) -> np.ndarray:
    return rng.lognormal(-(sigma**2) / 2, sigma, n)


def lock_step(steps: np.ndarray, sigma: float, rng: np.random.Generator) -> float:
    busy, end = 0.0, 0.0
    for step in range(steps.max()):
        taken = durations(rng, sigma, int((steps > step).sum()))
        slots = [0.0] * SLOTS
        for seconds in taken:
            heapq.heapreplace(slots, slots[0] + seconds)
        busy, end = busy + taken.sum(), end + max(slots)
    return busy / (end * SLOTS)


def driven(steps: np.ndarray, sigma: float, rng: np.random.Generator, per_tree: int | None) -> float:
    async def expand(leaf: Leaf) -> Expansion:
        await asyncio.sleep(durations(rng, sigma, 1)[0])
        return Expansion(value=0.5, n_children=4)

    forest = Forest(len(steps), Uct())
    forest.set_budget(steps)
    return virtual_clock.run(forest.drive(expand, concurrency=SLOTS, per_tree=per_tree)).utilisation


def main() -> None:
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'trees':>6} {'sigma':>6} {'lock-step':>11} {'one each':>11} {'drive':>11}   (of {SLOTS} slots)")
    for n_trees, sigma in ((64, 0.5), (256, 0.5), (256, 1.0), (1024, 0.5)):
        found = []
        for replicate in range(replicates):
            rng = np.random.default_rng([replicate, n_trees])
            steps = np.floor(40 * rng.uniform(0.5, 1.5, n_trees)).astype(int)
            found.append([lock_step(steps, sigma, rng), driven(steps, sigma, rng, 1), driven(steps, sigma, rng, None)])
        mean, least = np.mean(found, axis=0), np.min(found, axis=0)
        print(f"{n_trees:>6} {sigma:>6}" + "".join(f"{m:>6.0%} >{lo:>3.0%}" for m, lo in zip(mean, least, strict=True)))


if __name__ == "__main__":
    main()
