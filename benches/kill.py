"""Kills a search at random instants until it is done: ``python benches/kill.py --runs 200``.

Each run searches a forest in a process that keeps a journal, and is killed by SIGKILL again and again; each time
another process resumes it. Nothing that was told may be lost, and the forest in the end must equal, byte for byte, the
one of a process that nobody killed. The search asks in batches, tells in another order, takes leaves back, tells some
in two steps and moves roots. Needs a system with `fork`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np
from slowthink.trees import Forest, Leaves, Puct, Uct

IN_FLIGHT, BATCH = 12, 5


def mixed(*numbers: int) -> int:
    """A number that follows from these, and looks random."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state ^ (int(number) + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9 % 2**64
        state ^= state >> 29
    return state


def begin(seed: int, journal: Path | None = None) -> Forest:
    if seed % 2:
        return Forest(5, Uct(c=0.7), n_simulations=60, rng=seed, journal=journal, widening=(1.0, 0.5))
    return Forest(4, Puct(), n_simulations=70, rng=seed, journal=journal)


def search(forest: Forest, seed: int, acknowledged: int | None = None) -> None:
    """Searches to the end. What comes next follows from the forest and its leaves in flight alone, so that whoever
    resumes does what the lost process would have done."""
    held: list[tuple[int, int, int]] = []

    def take(leaves: Leaves) -> int:
        held.extend(zip(leaves.ticket.tolist(), leaves.tree.tolist(), leaves.node.tolist(), strict=True))
        return len(leaves)

    if seed % 3:  # otherwise `ask` hands out what was lost
        take(forest.outstanding())
    while True:
        while len(held) < IN_FLIGHT and take(forest.ask(min(BATCH, IN_FLIGHT - len(held)), per_tree=6)):
            pass
        if not held:
            return
        turn = mixed(int(forest.simulations.sum()), *(ticket for ticket, *_ in held))
        if turn % 211 == 0:
            tree = turn % forest.n_trees
            children = np.flatnonzero(forest.tree(tree).parent == 0)
            if len(children):
                forest.reroot(tree, node=int(children[turn % len(children)]))
                held.clear()
                take(forest.outstanding())
                continue
        ticket, tree, node = held.pop(turn % len(held))
        kind = mixed(turn, node)
        if kind % 11 == 0 and ticket >> 32 < 5:
            forest.cancel([ticket])
            continue
        if kind % 7 == 0:
            forest.tell([ticket], n_children=3)
        value = (mixed(tree, node) >> 11) / 2**53
        forest.tell([ticket], [value], n_children=3, payload=[f"node {node}"], cost=1.0)
        if acknowledged is not None:
            os.write(acknowledged, ticket.to_bytes(8, "little"))


def live(seed: int, folder: Path) -> int:
    """A process that searches until it is done or dead; returns its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        acknowledged = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        forest = begin(seed, folder / "journal")
        search(forest, seed, acknowledged)
        forest.save(folder / "saved")
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def check(folder: Path, deaths: int) -> int:
    """That nothing is lost which the dead processes knew to be told; returns how much there is."""
    told = np.frombuffer((folder / "told").read_bytes(), dtype="<u8") if (folder / "told").exists() else np.zeros(0)
    if not (folder / "journal").exists():
        assert not len(told)
        return 0
    forest = Forest.resume(folder / "journal")
    assert not set(forest.outstanding().ticket.tolist()) & set(told.tolist()), "a ticket that was told is open"
    n = int(forest.costs.sum())
    # Each may have died between a tell and its note.
    assert len(told) <= n <= len(told) + deaths, f"{len(told)} tells were acknowledged, and {n} are there"
    return n


def run(seed: int, longest: float, clock: random.Random) -> int:
    """Kills one search until it is done; returns how often."""
    alone = begin(seed)
    search(alone, seed)
    with tempfile.TemporaryDirectory() as name:
        folder, kills, before = Path(name), 0, 0
        alone.save(folder / "alone")
        expected = (folder / "alone").read_bytes()
        while True:
            child = live(seed, folder)
            time.sleep(clock.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            assert status in (0, signal.SIGKILL), f"the process ended with {status}"
            now = check(folder, kills + 1)
            assert now >= before, "what was there after one death is gone after the next"
            if status == 0:
                break
            before, kills = now, kills + 1
        assert (folder / "saved").read_bytes() == expected, "the forest is another one"
        Forest.resume(folder / "journal").save(folder / "again")
        assert (folder / "again").read_bytes() == expected, "the journal is of another forest"
    return kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--longest", type=float, default=0.02, help="seconds that a process lives at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    clock, start = random.Random(options.seed), time.perf_counter()
    kills = [run(options.seed + i, options.longest, clock) for i in range(options.runs)]
    print(
        f"{options.runs} runs, killed {sum(kills)} times (at most {max(kills)} times each): nothing told was lost, "
        f"and every forest equals that of a process nobody killed; {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
