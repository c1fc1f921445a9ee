"""Walks on a dense chain of 100 states, ten million steps, beside the packages that simulate Markov chains.

    python benches/peers/dense_chain.py

Every package gets the same matrix and one thread, and returns the states of all steps. slowthink and QuantEcon walk
1,000 walks of 10,000 steps; the others know one walk, and get one as long as half a second or so allows. Packages that
are not installed are skipped.
"""

from __future__ import annotations

import os

os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import functools
import itertools
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from slowthink.chains import MarkovChain

N_STATES, N_WALKS, N_STEPS = 100, 1_000, 10_000
REPEATS = 5
Matrix = npt.NDArray[np.float64]
Simulate = Callable[[int], Any]
"""Walks about so many steps in all, and returns the states."""


def quantecon(matrix: Matrix) -> Simulate:
    import quantecon as package

    chain = package.MarkovChain(matrix)
    return lambda n: chain.simulate_indices(n // N_WALKS + 1, init=0, num_reps=N_WALKS, random_state=1)


def deeptime(matrix: Matrix) -> Simulate:
    from deeptime.markov.msm import MarkovStateModel

    model = MarkovStateModel(matrix)
    return lambda n: model.simulate(n + 1, start=0, seed=1)


def hmmlearn(matrix: Matrix) -> Simulate:
    """A hidden Markov model whose states emit nothing but themselves."""
    from hmmlearn.hmm import CategoricalHMM

    model = CategoricalHMM(N_STATES)
    model.startprob_, model.transmat_, model.emissionprob_ = np.full(N_STATES, 1 / N_STATES), matrix, np.eye(N_STATES)
    model.n_features = N_STATES
    return lambda n: model.sample(n + 1, random_state=1)[1]


def pydtmc(matrix: Matrix) -> Simulate:
    from pydtmc import MarkovChain as Chain

    chain = Chain(matrix)
    return lambda n: chain.simulate(n, initial_state=0, output_indices=True, seed=1)


def numpy_side_by_side(matrix: Matrix) -> Simulate:
    """All walks one step at a time, by the cumulated row of each."""
    cumulated = matrix.cumsum(axis=1)

    def simulate(n: int) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng(1)
        states = np.zeros((n // N_WALKS + 1, N_WALKS), dtype=np.int64)
        for before, after in itertools.pairwise(states):
            after[:] = (cumulated[before] < rng.random((N_WALKS, 1))).sum(axis=1)
        return states.T

    return simulate


PEERS = (quantecon, deeptime, hmmlearn, pydtmc, numpy_side_by_side)


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def walk(chain: MarkovChain, out: npt.NDArray[np.uint32] | None) -> object:
    return chain.walk(0, N_STEPS, n_walks=N_WALKS, rng=1, threads=1, out=out)


def compare(name: str, simulate: Simulate, ours: Callable[[npt.NDArray[np.uint32] | None], object]) -> str:
    """A line of nanoseconds a step, ours in turn with theirs, and the ratios."""
    simulate(2 * N_WALKS)  # compiles
    trial = seconds(lambda: simulate(10 * N_WALKS))
    n = int(0.5 / max(trial, 1e-9) * 10) * N_WALKS
    n = min(max(n, 2 * N_WALKS), N_WALKS * N_STEPS)
    out = np.empty((N_WALKS, N_STEPS + 1), dtype=np.uint32)
    ours(out)
    theirs, fresh, warm = (float("inf"),) * 3
    for _ in range(REPEATS):
        theirs = min(theirs, seconds(lambda: simulate(n)) / n * 1e9)
        fresh = min(fresh, seconds(lambda: ours(None)) / out[:, 1:].size * 1e9)
        warm = min(warm, seconds(lambda: ours(out)) / out[:, 1:].size * 1e9)
    ratios = f"{theirs / fresh:8.1f} {theirs / warm:8.1f}"
    return f"{name:>20} {theirs:10.1f} {fresh:8.2f} {warm:8.2f} {ratios}   {n:,} steps"


def main() -> None:
    warnings.simplefilter("ignore")
    matrix = np.random.default_rng(4).random((N_STATES, N_STATES))
    matrix /= matrix.sum(axis=1, keepdims=True)
    ours = functools.partial(walk, MarkovChain(matrix))
    print(f"{'':>20} {'theirs':>10} {'fresh':>8} {'out=':>8} {'ratio':>8} {'out=':>8}   ns a step")
    for make in PEERS:
        try:
            simulate = make(matrix)
        except ImportError as error:
            print(f"{make.__name__:>20} skipped: {error}")
            continue
        print(compare(make.__name__, simulate, ours), flush=True)


if __name__ == "__main__":
    main()
