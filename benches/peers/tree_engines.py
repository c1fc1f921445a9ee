"""Search engines side by side: simulations a CPU-second, in one process and in turn.

    python benches/peers/tree_engines.py [--only games ask-tell mctx threads] [--repeats 5]

`games`: UCT with random rollouts on tic-tac-toe and connect four, in slowthink and in the C++ core of OpenSpiel's
wheel. `ask-tell`: trees that ask Python for every value, with a constant evaluator, as a share of the plain loop over
arrays at 1,000 simulations, which `cargo bench --bench trees` runs in between. `mctx`: MuZero's search on CPU, many
trees at once, beside ask and tell on as many trees (mctx is at home on accelerators; its compilation is not counted).
`threads`: the CPU time of a forest on one thread as a share of that on two.

A simulation is one completed evaluation. Time is that of the process, all threads added; the ratio is the median over
repeats that alternate. Packages that are not installed leave their section out.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from slowthink import trees
from slowthink.problems import ConnectFour, SyntheticTree, TicTacToe

ROOT = Path(__file__).resolve().parents[2]


def cpu_seconds(job: Callable[[], Any]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    job()
    return time.process_time() - start


def alternate(ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int) -> tuple[float, float, float]:
    """Best times of both, and the median over turns of theirs over ours."""
    turns = [(cpu_seconds(ours), cpu_seconds(theirs)) for _ in range(repeats)]
    ratio = statistics.median(other / own for own, other in turns)
    return min(own for own, _ in turns), min(other for _, other in turns), ratio


def games(repeats: int) -> None:
    """In-engine rollouts beside OpenSpiel's C++ bot."""
    import pyspiel

    for name, problem, sizes in (
        ("tic_tac_toe", TicTacToe(), (10_000, 100_000)),
        ("connect_four", ConnectFour(), (10_000, 100_000)),
    ):
        game = pyspiel.load_game(name)
        for n in sizes:

            def theirs(game: Any = game, n: int = n) -> None:
                evaluator = pyspiel.RandomRolloutEvaluator(n_rollouts=1, seed=7)
                bot = pyspiel.MCTSBot(game, evaluator, 2**0.5, n, 1000, False, 7, False)
                bot.mcts_search(game.new_initial_state())

            def ours(problem: Any = problem, n: int = n) -> None:
                forest = trees.Forest(1, trees.Uct(c=2**0.5), discount=-1.0, rng=7)
                forest.run(problem, n, threads=1)
                assert forest.simulations[0] == n

            own, other, ratio = alternate(ours, theirs, repeats)
            rates = f"OpenSpiel {n / other / 1e6:5.2f} M/s, slowthink {n / own / 1e6:5.2f} M/s"
            print(f"{name:12} {n:7,} simulations: {rates}, ratio {ratio:.1f}")


def plain_rate(branching: int) -> float:
    """Simulations a second of the plain loop at 1,000 simulations, in millions."""
    command = ["cargo", "bench", "--quiet", "--bench", "trees", "--", str(branching), "--short"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = re.search(r"1000 simulations: plain +([\d.]+) M/s", text)
    assert found, text
    return float(found[1])


def ask_and_tell(n_trees: int, n_simulations: int, batch: int, branching: int) -> int:
    """A whole search by ask and tell; returns its simulations."""
    forest = trees.Forest(n_trees, trees.Uct(c=1.0), max_depth=20, n_simulations=n_simulations, rng=0)
    ask, tell = forest.ask, forest.tell
    while leaves := ask(batch):
        tell(leaves, 0.5, n_children=branching)
    return n_trees * n_simulations


WORKLOADS = (
    (1, 20_000, 1),
    (1, 65_536, 64),
    (1, 131_072, 1024),
    (1000, 64, 1),
    (1000, 512, 64),
    (1000, 1024, 1024),
    (4096, 256, 4096),
)


def ask_tell(repeats: int) -> None:
    """A constant evaluator in Python."""
    for branching in (4, 32):
        for n_trees, n_simulations, batch in WORKLOADS:
            before = plain_rate(branching)
            rates = []
            for _ in range(repeats):
                start = time.process_time()
                n = ask_and_tell(n_trees, n_simulations, batch, branching)
                rates.append(n / (time.process_time() - start) / 1e6)
            plain = (before + plain_rate(branching)) / 2
            rate = statistics.median(rates)
            shares = f"{rate:.2f} M/s, plain loop {plain:.2f}, share {rate / plain:.0%}"
            print(f"b = {branching:2}, {n_trees:4} trees, batch {batch:4}: {shares}")


def mctx(repeats: int) -> None:
    """MuZero's search of mctx on CPU beside ask and tell."""
    import jax
    import jax.numpy as jnp
    import mctx as peer

    for branching in (4, 32):
        for batch, n_simulations in ((1, 100), (64, 100), (1024, 32)):
            root = peer.RootFnOutput(
                prior_logits=jnp.zeros((batch, branching)), value=jnp.full(batch, 0.5), embedding=jnp.zeros(batch)
            )

            def step(params: Any, key: Any, action: Any, embedding: Any, batch: int = batch, b: int = branching) -> Any:
                ones = jnp.ones(batch)
                out = peer.RecurrentFnOutput(
                    reward=0 * ones, discount=ones, prior_logits=jnp.zeros((batch, b)), value=0.5 * ones
                )
                return out, embedding

            def search(key: Any, root: Any = root, n: int = n_simulations, step: Any = step) -> Any:
                return peer.muzero_policy((), key, root, step, n, dirichlet_fraction=0.0).action

            compiled = jax.jit(search)
            key = jax.random.PRNGKey(0)
            compiled(key).block_until_ready()

            def theirs(compiled: Any = compiled, key: Any = key) -> None:
                compiled(key).block_until_ready()

            def ours(batch: int = batch, n: int = n_simulations, b: int = branching) -> None:
                forest = trees.Forest(batch, trees.Puct(), n_simulations=n + 1, rng=0)
                priors = np.full((batch, b), 1 / b, dtype=np.float32)
                while leaves := forest.ask(batch):
                    forest.tell(leaves, 0.5, n_children=b, priors=priors[: len(leaves)])

            own, other, ratio = alternate(ours, theirs, repeats)
            n = batch * n_simulations
            print(
                f"b = {branching:2}, {batch:4} trees, {n_simulations:3} simulations: mctx {n / other / 1e3:8.1f} k/s, "
                f"slowthink {n / own / 1e3:8.1f} k/s, ratio {ratio:.0f}"
            )


def threads(repeats: int) -> None:
    """CPU time of a forest on one thread over that on two."""
    for branching in (4, 32):
        problem = SyntheticTree(branching, 20)

        def run(n: int, problem: SyntheticTree = problem) -> None:
            trees.Forest(1000, trees.Uct(c=1.0), rng=0).run(problem, 1000, threads=n)

        run(1)
        two, one, ratio = alternate(lambda: run(2), lambda: run(1), repeats)
        rates = f"{1 / one:.2f} M/s a CPU-second on 1 thread, {1 / two:.2f} on 2"
        print(f"b = {branching:2}, 1,000 trees of 1,000: {rates}, efficiency {ratio:.2f}")


SECTIONS = {"games": games, "ask-tell": ask_tell, "mctx": mctx, "threads": threads}


def main() -> None:
    """Runs the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.only:
        print(f"-- {name}", flush=True)
        try:
            SECTIONS[name](arguments.repeats)
        except ImportError as error:
            print(f"left out: {error}")


if __name__ == "__main__":
    main()
