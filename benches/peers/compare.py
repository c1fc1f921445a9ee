"""Strategies compared by the engine and by plain NumPy (slowthink.reference.strategies): the same trials, one process.

Run: python benches/peers/compare.py

CPU time on one thread, the least of alternating repeats, each strategy by itself. NumPy works on all trials at once;
its tree search is a loop, over fewer trials. What it takes to write out the states of the Game of 24 stands on a line
of its own: the engine does it in each call and pays for it in each of the others too, NumPy has them ready there. The
last line is a whole comparison of seven strategies, by the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from slowthink import problems
from slowthink.reference import strategies as slow
from slowthink.strategies import TreeSearch, Verifier, Walk, _backends, _strategies, compare
from slowthink.trees import Uct

JUDGE = Verifier(false_positive=0.05, process_noise=0.05)
BUDGETS = (1, 4, 16, 64, 256)
TRIALS = 1000
PUZZLES = [[4, 9, 10, 13], [1, 1, 4, 6], [6, 6, 6, 6], [3, 3, 8, 8]]


def least(repeats: int, *calls: Callable[[], object], clock: Callable[[], float] = time.process_time) -> list[float]:
    """The least time of each call over alternating repeats, in seconds: CPU time, or by another clock."""
    times = [float("inf")] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = clock()
            call()
            times[i] = min(times[i], clock() - start)
    return times


def numpy_form(
    problem: slow.Problem, name: str, n_trials: int, budgets: tuple[int, ...] = BUDGETS, error: float = 0.05
) -> None:
    rng, instances, errors = np.random.default_rng(1), np.arange(n_trials), {"false_positive": error}
    for n in budgets:
        if name in ("beam", "dvts"):
            getattr(slow, name)(problem, instances, n, 4, rng, process_noise=error, **errors)
        else:
            select = {"walk": "first", "best-of-n": "best", "majority": "majority", "weighted-vote": "weighted"}[name]
            slow.repeated(problem, select, instances, n, rng, **errors)


def engine(backend: _backends.Native, strategy: Any, n_trials: int, verifier: Verifier) -> None:
    caps = [n * backend.max_steps for n in BUDGETS]
    backend.run([strategy], caps, n_trials, 0, [1, 2, 3, 4], verifier)


def main() -> None:
    chain = problems.SnowballChain()
    print(f"{'problem':<22} {'strategy':<14} {'engine, ms':>10} {'NumPy, ms':>10} {'ratio':>6}")
    sampled("SnowballChain", chain, slow.SnowballChain(chain.success[0]))
    game, twin = problems.GameOf24(PUZZLES), slow.GameOf24(PUZZLES)
    states = partial(_backends.Native(game, (1, None)).run, [Walk()], [3], len(PUZZLES), 0, [1, 2, 3, 4], None)
    show("Game of 24, 4 puzzles", "states", least(2, states, partial(slow.GameOf24, PUZZLES)))
    sampled("Game of 24, 4 puzzles", game, twin)
    searched("Game of 24, 4 puzzles", game, twin)
    whole()


def whole() -> None:
    """The default comparison less self-correction, as a user meets it: seconds by the clock, on all processors."""
    puzzles = problems.GameOf24().puzzles()[::9]
    budgets, names = (1, 4, 16, 64, 256, 1024), ("walk", "best-of-n", "majority", "weighted-vote", "beam", "dvts")

    def ours() -> None:
        compare(problems.GameOf24(puzzles), [*names, "tree-search"], budgets, n_trials=len(puzzles), rng=1)

    def numpys() -> None:
        twin, instances, rng = slow.GameOf24(puzzles.tolist()), np.arange(len(puzzles)), np.random.default_rng(1)
        for name in names:
            numpy_form(twin, name, len(puzzles), budgets, 0.0)
        slow.tree_search(twin, instances, budgets[-1], 1.0, rng)

    show(f"Game of 24, {len(puzzles)} puzzles", "compare", least(3, ours, numpys, clock=time.perf_counter))


def sampled(title: str, problem: Any, twin: slow.Problem) -> None:
    """What NumPy does for all trials at once."""
    backend = _backends.Native(problem, (1, None))
    whole = [0.0, 0.0]
    for name in ("walk", "best-of-n", "majority", "weighted-vote", "beam", "dvts"):
        # NumPy draws all walks, so that the engine must not stop at an accepted answer.
        strategy = _strategies.STRATEGIES[name](**({"stop": False} if name == "best-of-n" else {}))
        ours, numpys = partial(engine, backend, strategy, TRIALS, JUDGE), partial(numpy_form, twin, name, TRIALS)
        times = least(3, ours, numpys)
        whole = [a + b for a, b in zip(whole, times, strict=True)]
        show(title, name, times)
    show(title, "all of these", whole)


def searched(title: str, problem: Any, twin: slow.GameOf24) -> None:
    """Tree search, at the largest budget alone: smaller ones are a part of it."""
    backend, rng, few = _backends.Native(problem, (1, None)), np.random.default_rng(1), 40
    ours = partial(engine, backend, TreeSearch(Uct()), TRIALS, Verifier())
    fast, loop = least(2, ours, partial(slow.tree_search, twin, np.arange(few), BUDGETS[-1], 1.0, rng))
    show(title, "tree-search", [fast * few / TRIALS, loop])


def show(title: str, name: str, times: list[float]) -> None:
    ours, numpys = (1e3 * seconds for seconds in times)
    print(f"{title:<22} {name:<14} {ours:10.2f} {numpys:10.1f} {numpys / ours:6.0f}")


if __name__ == "__main__":
    main()
