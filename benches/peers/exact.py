"""Exact hitting and first passage times beside other packages, on chains that are nearly decomposed.

    python benches/peers/exact.py [--case NAME ...] [--peer NAME ...] [--limit SECONDS] [--threads N]

Each package runs in a process of its own with slowthink in turn beside it, so that one that fails or takes too long
loses its line alone. Printed are

* seconds, the least of a few repeats, from a transition matrix in memory to the times, and how much more memory the
  process took meanwhile;
* the largest residual `|sum_j p_ij (h_i - h_j) - 1|` over the states, in extended precision, of the numbers as they
  were returned (to round them alone leaves 1e-16 of the largest time);
* the largest relative difference to what slowthink returns by `method="auto"`, its seconds, and the ratio of both.

The line `walks` has the mean hitting time over the other states, and beside it the interval of simulated ones.

Cases: `metastable N` (sparse, reversible), `directed N` (its non-reversible twin), `clusters` (100 dense ones of 100
states), `all pairs` (first passage times of 1,000 dense states).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Times = npt.NDArray[np.float64]
Problem = Callable[[], tuple[Any, npt.NDArray[np.int64]]]
"""Makes a transition matrix and the targets; no targets where all pairs are asked for."""

REPEATS, TURN = 3, 20.0
"""Turns, and the seconds after which there is no further one."""


def metastable(n: int, blocks: int, *, directed: bool = False, coupling: float = 0.2, links: int = 3) -> Any:
    """Sparse blocks of random neighbours, joined in a ring by a few weak links."""
    rng = np.random.default_rng(7)
    size = n // blocks
    i = np.arange(n)
    base = i // size * size
    ring = base + (i - base + 1) % size
    pairs = np.repeat(i, 4), np.repeat(base, 4) + rng.integers(0, size, 4 * n)
    ring_weight, pair_weight = rng.uniform(0.1, 1, n), rng.uniform(0.1, 1, 4 * n)
    block = np.repeat(np.arange(blocks), links)
    source = block * size + rng.integers(0, size, len(block))
    target = (block + 1) % blocks * size + rng.integers(0, size, len(block))
    link_weight = coupling * rng.uniform(0.1, 1, len(block))
    sources, targets = np.concatenate([i, pairs[0], source]), np.concatenate([ring, pairs[1], target])
    weight = np.concatenate([ring_weight, pair_weight, link_weight])
    keep = sources != targets
    half = sparse.coo_matrix((weight[keep], (sources[keep], targets[keep])), (n, n)).tocsr()
    conductance = sparse.csr_matrix(half + half.T + sparse.diags(rng.uniform(0.1, 1, n)))
    if directed:
        conductance.data *= rng.uniform(0.5, 1.5, conductance.nnz)
    return rows_sum_to_one(conductance)


def clusters(count: int = 100, size: int = 100, epsilon: float = 1e-6) -> Any:
    """Dense clusters, each joined to the next by a transition each way."""
    rng = np.random.default_rng(8)
    inside = sparse.block_diag([rng.uniform(0.1, 1, (size, size)) for _ in range(count)], format="csr")
    first = np.arange(0, count * size, size)
    there = sparse.coo_matrix((np.full(count, epsilon), (first, np.roll(first, -1) + 7)), inside.shape)
    back = sparse.coo_matrix((np.full(count, epsilon), (first + 3, np.roll(first, 1) + 5)), inside.shape)
    return rows_sum_to_one(sparse.csr_matrix(inside + there + back))


def rows_sum_to_one(weights: Any) -> Any:
    matrix = sparse.csr_matrix(sparse.diags(1 / np.asarray(weights.sum(axis=1)).ravel()) @ weights)
    matrix.sort_indices()
    return matrix


def dense(n: int = 1000) -> Any:
    matrix = np.random.default_rng(9).random((n, n))
    return matrix / matrix.sum(axis=1, keepdims=True)


CASES: dict[str, Problem] = {
    "metastable 2000": lambda: (metastable(2_000, 10), np.arange(200)),
    "metastable 10000": lambda: (metastable(10_000, 20), np.arange(500)),
    "metastable 100000": lambda: (metastable(100_000, 50), np.arange(2_000)),
    "directed 10000": lambda: (metastable(10_000, 20, directed=True), np.arange(500)),
    "directed 100000": lambda: (metastable(100_000, 50, directed=True), np.arange(2_000)),
    "clusters": lambda: (clusters(), np.arange(100)),
    "all pairs": lambda: (dense(), np.arange(0)),
}
WALKS = {"metastable 2000": 4000, "metastable 10000": 2000, "metastable 100000": 100, "clusters": 4000}
"""How many walks check a case."""


class Skipped(Exception):
    """The package does not answer this."""


def ours(method: str) -> Callable[..., Times]:
    def solve(matrix: Any, targets: npt.NDArray[np.int64], threads: int) -> Times:
        from slowthink.chains import MarkovChain

        chain = MarkovChain(matrix)
        if not len(targets):
            if method != "auto":
                raise Skipped("has one way to all pairs")
            return chain.mean_first_passage_times(threads=threads)
        return chain.mean_hitting_times(targets, method=method, threads=threads)

    return solve


def superlu(matrix: Any, targets: npt.NDArray[np.int64], threads: int) -> Times:
    from scipy.sparse.linalg import splu

    if not len(targets):
        raise Skipped("solves for one set of targets")
    rest = np.setdiff1d(np.arange(matrix.shape[0]), targets)
    system = sparse.csc_matrix(sparse.identity(len(rest)) - matrix[rest][:, rest])
    out = np.zeros(matrix.shape[0])
    out[rest] = splu(system).solve(np.ones(len(rest)))
    return out


def numpy_inverse(matrix: Any, targets: npt.NDArray[np.int64], threads: int) -> Times:
    """Kemeny and Snell's fundamental matrix, as NumPy users write it."""
    if len(targets):
        raise Skipped("dense, for all pairs")
    n = len(matrix)
    system = np.vstack([(np.eye(n) - matrix).T[:-1], np.ones(n)])
    pi = np.linalg.solve(system, np.eye(n)[-1])
    z = np.linalg.inv(np.eye(n) - matrix + pi)
    return np.asarray((z.diagonal() - z) / pi)


def deeptime(matrix: Any, targets: npt.NDArray[np.int64], threads: int) -> Times:
    from deeptime.markov.tools import analysis

    if not len(targets):
        return np.stack([analysis.mfpt(matrix, j) for j in range(len(matrix))], axis=1)
    return np.asarray(analysis.mfpt(matrix, targets))


def pydtmc(matrix: Any, targets: npt.NDArray[np.int64], threads: int) -> Times:
    from pydtmc import MarkovChain as Theirs

    if not len(targets):
        return np.asarray(Theirs(matrix).mean_first_passage_times_to())
    return np.asarray(Theirs(matrix.toarray()).mean_first_passage_times_to(targets.tolist()))


PEERS: dict[str, Callable[..., Times]] = {
    "slowthink elimination": ours("elimination"),
    "slowthink iterative": ours("iterative"),
    "scipy SuperLU": superlu,
    "numpy inverse": numpy_inverse,
    "deeptime": deeptime,
    "PyDTMC": pydtmc,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--peer", nargs="+", choices=[*PEERS, "walks"], default=[*PEERS, "walks"])
    parser.add_argument("--limit", type=float, default=180.0, help="seconds for a package and case")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of slowthink, and of BLAS")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        case, peer = options.case[0], options.peer[0]
        found = walks(case) if peer == "walks" else measure(case, peer, options.threads)
        print(json.dumps(found))
        return
    for case in options.case:
        print(f"\n{case}, {options.threads} threads")
        print(f"{'':>22} {'seconds':>9} {'MB':>7} {'residual':>9} {'differs':>9} {'slowthink':>10} {'ratio':>8}")
        for peer in options.peer:
            found = run(case, peer, options.threads, options.limit)
            if isinstance(found, str):
                print(f"{peer:>22} {found}", flush=True)
                continue
            print(
                f"{peer:>22} {found['theirs']:9.3f} {found['megabytes']:7.0f} {found['residual']:9.0e}"
                f" {found['differs']:9.0e} {found['ours']:10.4f} {found['theirs'] / found['ours']:8.1f}",
                flush=True,
            )


def run(case: str, peer: str, threads: int, limit: float) -> Any:
    """What a process of its own measures, or why there is nothing."""
    arguments = ["--measure", "--case", case, "--peer", peer, "--threads", str(threads)]
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    try:
        process = subprocess.run(
            [sys.executable, __file__, *arguments], env=environment, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return f"not done in {limit:.0f} s"
    if process.returncode:
        lines = process.stderr.strip().splitlines()
        return lines[-1][:100] if lines else f"ended by signal {-process.returncode}"
    return json.loads(process.stdout.splitlines()[-1])


def walks(case: str) -> str:
    """The mean hitting time over the other states, and what walks from all of them say of it."""
    from slowthink.chains import MarkovChain

    if case not in WALKS:
        return "skipped: too long, or nothing to compare"
    matrix, targets = CASES[case]()
    chain = MarkovChain(matrix)
    times, info = chain.mean_hitting_times(targets, info=True)
    law = np.ones(chain.n_states)
    law[targets] = 0
    begin = time.perf_counter()
    sampled = chain.sample_hitting_times(
        targets, start_distribution=law / law.sum(), n_walks=WALKS[case], max_steps=2**62, rng=1
    )
    low, high = sampled.interval(0.99)
    return (
        f"mean {times[times > 0].mean():.6g} (auto took {info.method}, residual {info.residual:.0e}); 99 % interval of "
        f"{WALKS[case]:,} walks {low:.6g} to {high:.6g}, {time.perf_counter() - begin:.1f} s"
    )


def measure(case: str, peer: str, threads: int) -> dict[str, Any] | str:
    """Seconds, memory and errors of one package, and the seconds of slowthink in turn with it."""
    matrix, targets = CASES[case]()
    auto = ours("auto")
    try:
        theirs = PEERS[peer]
        before = memory("VmRSS", reset=True)
        begin = time.perf_counter()
        found = theirs(matrix, targets, threads)
        seconds = time.perf_counter() - begin
        megabytes = (memory("VmHWM") - before) / 1e6
    except (Skipped, ImportError) as error:
        return f"skipped: {error}"
    own = float("inf")
    for turn in range(REPEATS):
        begin = time.perf_counter()
        mine = auto(matrix, targets, threads)
        own = min(own, time.perf_counter() - begin)
        if turn < REPEATS - 1 and seconds < TURN:
            begin = time.perf_counter()
            theirs(matrix, targets, threads)
            seconds = min(seconds, time.perf_counter() - begin)
    off = mine > 0
    return {
        "theirs": seconds,
        "ours": own,
        "megabytes": megabytes,
        "residual": residual(matrix, targets, found),
        "differs": float(np.abs(found[off] / mine[off] - 1).max()),
    }


def residual(matrix: Any, targets: npt.NDArray[np.int64], times: Times) -> float:
    """The largest deviation from 1 of the sum over j of p_ij (h_i - h_j); of a few targets for all pairs."""
    if not len(targets):
        columns = np.arange(0, len(matrix), max(1, len(matrix) // 8))
        return max(residual(sparse.csr_matrix(matrix), np.array([j]), times[:, j]) for j in columns)
    wide = times.astype(np.longdouble)
    source = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    terms = matrix.data * (wide[source] - wide[matrix.indices])
    sums = np.add.reduceat(terms, matrix.indptr[:-1])
    return float(np.abs(np.delete(sums, targets) - 1).max())


def memory(field: str, *, reset: bool = False) -> int:
    """Bytes that the process takes, by /proc; with `reset` the peak starts anew."""
    if reset:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    with open("/proc/self/status") as file:
        found = re.search(field + r":\s+(\d+) kB", file.read())
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
