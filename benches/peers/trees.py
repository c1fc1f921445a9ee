"""Tree search against other packages: simulations a CPU-second, ask and tell from Python.

A simulation is a generation told. treequest (AB-MCTS-A and its standard MCTS) is timed in the same run, turn by turn
with slowthink; ratios are medians of the turns. The sections of tree_engines.py (OpenSpiel, mctx, ask and tell beside
the plain loop, two threads) follow.

Run: python benches/peers/trees.py [--only generative,discarded,games,ask-tell,mctx,threads] [--turns 5]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable

import numpy as np
import tree_engines
from slowthink.trees import Forest, Policy, Thompson, Uct


def cpu(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def scores(n: int, seed: int) -> list[float]:
    """How much the score of each generation is off its parent's."""
    drawn: list[float] = np.random.default_rng(seed).uniform(-0.2, 0.2, n + 1).tolist()
    return drawn


def ours(policy: Policy, n: int, seed: int, **options: object) -> Callable[[], object]:
    """Grows one tree by ``n`` nodes, one at a time."""

    def run() -> None:
        forest = Forest(1, policy, rng=seed, **options)  # type: ignore[arg-type]
        ask, tell, off, score = forest.ask, forest.tell, scores(n, seed), [0.5]
        tell(ask(1), 0.5)
        for i in range(n):
            leaves = ask(1)
            score.append(min(1.0, max(0.0, score[leaves.parent[0]] + off[i])))
            tell(leaves, score[-1])

    return run


def theirs(algorithm: object, n: int, seed: int) -> Callable[[], object]:
    """The same with an algorithm of treequest, whose states are scores."""

    def run() -> None:
        np.random.seed(seed)  # noqa: NPY002 treequest draws from there
        state, off = algorithm.init_tree(), scores(n, seed)  # type: ignore[attr-defined]
        for i in range(n):
            state, trials = algorithm.ask_batch(state, 1, ["a"])  # type: ignore[attr-defined]
            above = trials[0].parent_state
            score = min(1.0, max(0.0, (0.5 if above is None else above) + off[i]))
            state = algorithm.tell(state, trials[0].trial_id, (score, score))  # type: ignore[attr-defined]

    return run


def compare(name: str, n: int, turns: int, mine: Callable[[int], Callable[[], object]], peer: object) -> None:
    ratios, rates = [], []
    for turn in range(turns):
        slow = cpu(theirs(peer, n, turn))
        fast = min(cpu(mine(turn)) for _ in range(3))
        ratios.append(slow / fast)
        rates.append(n / fast)
    print(f"{name:32} {n:6,} nodes {statistics.median(rates):12,.0f} /s {statistics.median(ratios):9,.0f}x", flush=True)


def generative(turns: int) -> None:
    """Ask and tell one at a time; our standard search widens by one child for each visit's square root."""
    import treequest

    wide = (2.0, 0.5)
    for n in (200, 1000):
        for model in ("gaussian", "beta"):
            peer = treequest.ABMCTSA(dist_type=model)
            compare(f"AB-MCTS-A {model}", n, turns, lambda turn, m=model, n=n: ours(Thompson(m), n, turn), peer)
        peer = treequest.StandardMCTS()
        policy = Uct(c=2**0.5)
        compare("standard MCTS", n, turns, lambda turn, p=policy, n=n, w=wide: ours(p, n, turn, widening=w), peer)


def discarded(turns: int) -> None:
    """The share of 640 generations that change nothing, when many are asked for at once."""
    import treequest

    del turns
    logging.disable(logging.WARNING)
    for batch in (4, 16, 64):
        peer, rng = treequest.StandardMCTS(), np.random.default_rng(0)
        state, told = peer.init_tree(), 0
        while told < 640:
            state, trials = peer.ask_batch(state, batch, ["a"])
            for trial in trials:
                state = peer.tell(state, trial.trial_id, (told, rng.random()))
                told += 1
        kept = len(state.tree.get_state_score_pairs())
        forest = Forest(1, Uct(c=2**0.5), widening=(2.0, 0.5), rng=0)
        ours_told = ours_kept = 0
        while ours_told < 640:
            leaves = forest.ask(min(batch, 640 - ours_told))
            ours_told += len(leaves)
            ours_kept += forest.tell(leaves, rng.random(len(leaves)))
        print(f"batch {batch:3}: treequest discards {1 - kept / told:5.1%}, slowthink {1 - ours_kept / ours_told:5.1%}")


SECTIONS = {"generative": generative, "discarded": discarded, **tree_engines.SECTIONS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, separated by commas")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    for name in options.only.split(","):
        print(f"\n{name}: {SECTIONS[name].__doc__}")
        try:
            SECTIONS[name](options.turns)
        except ImportError as error:
            print(f"left out: {error}")


if __name__ == "__main__":
    main()
