"""Laws carried over many steps, beside SciPy's sparse products, and the sparse matrix times a block of vectors.

    python benches/peers/propagate.py

Random sparse chains of about ten transitions a state. SciPy multiplies by its sparse matrix (which scatters), by
the transposed one made beforehand (which gathers), and by blocks of vectors; slowthink makes what it needs within the
call. Nanoseconds for each transition, step and vector; the least of several repeats, one thread and all.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from slowthink.chains import MarkovChain

REPEATS = 5
CASES = [(1_000, 10, 1, 500), (1_000, 10, 64, 50), (100_000, 10, 1, 20), (100_000, 10, 16, 10), (1_000_000, 10, 1, 5),
         (1_000_000, 10, 8, 4)]  # fmt: skip
"""States, transitions of each, vectors, steps."""


def least(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def measure(n: int, degree: int, n_vectors: int, n_steps: int) -> list[float]:
    """Nanoseconds of the four ways."""
    rng = np.random.default_rng(1)
    source = np.repeat(np.arange(n, dtype=np.uint32), degree)
    target = rng.integers(0, n, n * degree, dtype=np.uint32)
    chain = MarkovChain.from_edges(source, target, rng.random(n * degree), n_states=n)
    law = rng.random((n_vectors, n)) if n_vectors > 1 else rng.random(n)
    matrix = chain.to_scipy()
    transposed = matrix.T.tocsr()

    def scatter() -> npt.NDArray[np.float64]:
        x = law
        for _ in range(n_steps):
            x = x @ matrix
        return x

    def gather() -> npt.NDArray[np.float64]:
        x = law.T
        for _ in range(n_steps):
            x = transposed @ x
        return x.T

    found = chain.propagate(law, n_steps)
    np.testing.assert_allclose(found, scatter(), rtol=1e-11)
    np.testing.assert_allclose(found, gather(), rtol=1e-11)
    ways = [scatter, gather, lambda: chain.propagate(law, n_steps, threads=1), lambda: chain.propagate(law, n_steps)]
    return [1e9 * least(way) / (chain.n_transitions * n_vectors * n_steps) for way in ways]


def main() -> None:
    names = ["states", "vectors", "steps", "scatter", "gather", "1 thread", "all", "gain"]
    print(" ".join(f"{name:>9}" for name in names))
    for n, degree, n_vectors, n_steps in CASES:
        each = measure(n, degree, n_vectors, n_steps)
        row = " ".join(f"{value:9.2f}" for value in [*each, min(each[:2]) / each[2]])
        print(f"{n:9,} {n_vectors:9} {n_steps:9} {row}")


if __name__ == "__main__":
    main()
