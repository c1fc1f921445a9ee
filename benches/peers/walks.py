"""Walks on graphs beside other packages: the same graph, the same starts, 80 states a walk, all of them written down.

    python benches/peers/walks.py [--large] [--threads 1 2] [--law uniform weighted second-order] [--peer NAME ...]

Laws: `uniform` over the neighbours, `weighted`, and `second-order` (node2vec with p = .5, q = 2 on equal weights).
Each package runs in a process of its own with slowthink in turn beside it, so that one which fails or takes too long
loses its lines alone. Counted are nanoseconds a step, the least of several repeats. Not counted: reading the graph,
compilation, tables made before the first walk. Packages are called as deep inside as their walks are still arrays.

`fresh` is slowthink returning a new array as the packages do, `out=` the same into an array that was written before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import graphs

N_STATES = 80
"""States of a walk."""
N_STEPS = N_STATES - 1
N_WALKS = {"small": 200_000, "medium": 100_000, "large": 100_000}
P, Q = 0.5, 2.0
LAWS = ("uniform", "weighted", "second-order")
TURN = 1.5
"""Seconds that a turn of a package should take; a slow one walks fewer walks."""
REPEATS = 5
FEW = 64
"""Walks of a trial."""

Starts = npt.NDArray[np.int32]
Walk = Callable[[Starts], Any]
"""Walks from the given states: an array, or lists for packages that know no other."""


class Skipped(Exception):
    """The package has no walks of this law, or none that end in time."""


def slowthink(graph: graphs.Graph, law: str, threads: int) -> Callable[..., Any]:
    from slowthink.chains import MarkovChain

    weights = graph.weights if law == "weighted" else None
    chain = MarkovChain.from_weights((graph.indptr, graph.indices, weights))
    order: dict[str, Any] = {"p": P, "q": Q} if law == "second-order" else {}
    return lambda start, out=None: chain.walk(start, N_STEPS, rng=1, threads=threads, out=out, **order)


def pecanpy(graph: graphs.Graph, law: str, threads: int) -> Walk:
    """Its compiled loop, without the lists of strings that it makes of the walks."""
    from numba_progress import ProgressBar
    from pecanpy import pecanpy as package

    form = {"uniform": "FirstOrderUnweighted", "weighted": "PreCompFirstOrder", "second-order": "SparseOTF"}[law]
    p, q = (P, Q) if law == "second-order" else (1.0, 1.0)
    walker = getattr(package, form)(p=p, q=q, workers=threads)
    walker.set_node_ids([str(i) for i in range(len(graph.indptr) - 1)])
    walker.indptr = graph.indptr.astype(np.uint32)
    walker.indices = graph.indices.astype(np.uint32)
    walker.data = graph.weights if law == "weighted" else np.ones_like(graph.weights)
    walker._preprocess_transition_probs()
    functions = walker.get_has_nbrs(), walker.get_move_forward()

    def walk(start: Starts) -> Any:
        with ProgressBar(total=len(start), disable=True) as progress:
            found = walker._random_walks(len(start), N_STEPS, 1, start.astype(np.uint32), *functions, progress)
        return found[:, :N_STATES]

    return walk


def grape(graph: graphs.Graph, law: str, threads: int) -> Walk:
    """Starts are its own. `max_neighbours=None`: by default it cuts rows at 100 neighbours."""
    from ensmallen import Graph

    source = np.repeat(np.arange(len(graph.indptr) - 1, dtype=np.int32), np.diff(graph.indptr))
    directed = law == "weighted"  # weights differ by direction; its walks of the second order know no directed graphs
    keep = slice(None) if directed else source < graph.indices
    columns = [source[keep], graph.indices[keep], *([graph.weights[keep]] if directed else [])]
    weights = {"weights_column_number": 2} if directed else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edges.csv"
        write_edges(path, columns)
        graph_of_theirs = Graph.from_csv(
            edge_path=str(path), edge_list_separator=",", edge_list_header=False, sources_column_number=0,
            destinations_column_number=1, edge_list_numeric_node_ids=True, numeric_node_ids=True, minimum_node_id=0,
            number_of_nodes=len(graph.indptr) - 1, directed=directed, edge_list_is_correct=True,
            edge_list_may_contain_duplicates=False, verbose=False, name="graph", **weights,
        )  # fmt: skip
    graph_of_theirs.enable(vector_sources=True)
    biased = {"return_weight": 1 / P, "explore_weight": 1 / Q} if law == "second-order" else {}
    return lambda start: graph_of_theirs.random_walks(
        walk_length=N_STATES, quantity=len(start), max_neighbours=None, **biased
    )


def write_edges(path: Path, columns: list[npt.NDArray[Any]]) -> None:
    """A line for each edge, in blocks: whole columns as text would not fit in memory."""
    with path.open("w") as file:
        for begin in range(0, len(columns[0]), 1_000_000):
            part = [column[begin : begin + 1_000_000].tolist() for column in columns]
            file.writelines(",".join(map(str, row)) + "\n" for row in zip(*part, strict=True))


def igraph(graph: graphs.Graph, law: str, threads: int) -> Walk:
    """One long walk, cut up: it walks once a call, and a call with weights reads all of them."""
    if law == "second-order" or threads > 1:
        raise Skipped("walks on one thread, and to the first order alone")
    from igraph import Graph

    n_nodes = len(graph.indptr) - 1
    source = np.repeat(np.arange(n_nodes, dtype=np.int32), np.diff(graph.indptr))
    theirs = Graph(n_nodes, np.stack([source, graph.indices], axis=1), directed=True)
    name = "weight" if law == "weighted" else None
    if name:
        theirs.es[name] = graph.weights.tolist()

    def walk(start: Starts) -> Any:
        long = theirs.random_walk(int(start[0]), N_STATES * len(start) - 1, weights=name)
        return np.array(long, dtype=np.int64).reshape(len(start), N_STATES)

    return walk


def torch_cluster(graph: graphs.Graph, law: str, threads: int) -> Walk:
    if law == "weighted":
        raise Skipped("knows no weights")
    import torch
    import torch_cluster as package

    torch.set_num_threads(threads)
    source = np.repeat(np.arange(len(graph.indptr) - 1), np.diff(graph.indptr))
    row, column = torch.from_numpy(source), torch.from_numpy(graph.indices.astype(np.int64))
    p, q = (P, Q) if law == "second-order" else (1.0, 1.0)

    def walk(start: Starts) -> Any:
        nodes = torch.from_numpy(start.astype(np.int64))
        return package.random_walk(row, column, nodes, N_STEPS, p=p, q=q, coalesced=False).numpy()

    return walk


def fastnode2vec(graph: graphs.Graph, law: str, threads: int) -> Walk:
    """A call for each walk, as it has no other. Its arrays are set from outside: its reader takes minutes."""
    if threads > 1:
        raise Skipped("walks on one thread")
    from fastnode2vec import Graph
    from fastnode2vec.graph import _csr_row_cumsum

    theirs = Graph.__new__(Graph)
    theirs.weighted = law == "weighted"
    theirs.indptr, theirs.indices = graph.indptr.astype(np.int32), graph.indices
    theirs.node_names = np.arange(len(graph.indptr) - 1)
    if theirs.weighted:
        total = np.add.reduceat(graph.weights.astype(np.float64), graph.indptr[:-1])
        theirs.data = _csr_row_cumsum(theirs.indptr, graph.weights / np.repeat(total, np.diff(graph.indptr)))
    p, q = (P, Q) if law == "second-order" else (1.0, 1.0)
    return lambda start: [theirs.generate_random_walk(N_STATES, p, q, state) for state in start.tolist()]


def csrgraph(graph: graphs.Graph, law: str, threads: int) -> Walk:
    """Its compiled loops: the method that calls them normalises the whole graph each time."""
    from csrgraph import csrgraph as make
    from csrgraph.random_walks import _node2vec_walks, _random_walk
    from scipy.sparse import csr_matrix

    n_nodes = len(graph.indptr) - 1
    weights = graph.weights if law == "weighted" else np.ones_like(graph.weights)
    matrix = csr_matrix((weights, graph.indices, graph.indptr), (n_nodes, n_nodes))
    theirs = make(matrix).normalize(return_self=False)
    arrays = theirs.weights, theirs.src, theirs.dst
    if law == "second-order":
        # It takes the inverses of p and q.
        return lambda start: _node2vec_walks(*arrays, start, N_STATES, 1 / P, 1 / Q)
    return lambda start: _random_walk(*arrays, start, N_STATES)


PEERS = {f.__name__: f for f in (pecanpy, grape, torch_cluster, fastnode2vec, csrgraph, igraph)}
THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graph", nargs="+", choices=N_WALKS, default=["small", "medium"])
    parser.add_argument("--large", action="store_true", help="the large graph too: some 8 GB of memory")
    parser.add_argument("--law", nargs="+", choices=LAWS, default=LAWS)
    parser.add_argument("--peer", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--limit", type=float, default=180.0, help="seconds for a package, graph and law")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.graph[0], options.law[0], options.peer[0], options.threads[0])))
        return
    names = [*options.graph, *(["large"] if options.large and "large" not in options.graph else [])]
    for name in names:
        graphs.load(name)
        for law in options.law:
            for threads in options.threads:
                compare(name, law, threads, options.peer, options.limit)


def compare(name: str, law: str, threads: int, peers: list[str], limit: float) -> None:
    """Prints a line for each package, and the least ratio."""
    print(f"\n{name}, {law}, {threads} thread{'s' * (threads > 1)}: ns a step")
    print(f"{'':>16} {'theirs':>10} {'fresh':>8} {'out=':>8} {'ratio':>8} {'out=':>8}   walks a turn")
    lines = []
    for peer in peers:
        found = run(name, law, threads, peer, limit)
        if isinstance(found, str):
            print(f"{peer:>16} skipped: {found}")
            continue
        theirs, fresh, warm = (found[key] for key in ("theirs", "fresh", "out"))
        lines.append((theirs / fresh, theirs / warm, theirs, peer))
        print(
            f"{peer:>16} {theirs:10.2f} {fresh:8.2f} {warm:8.2f} {theirs / fresh:8.1f} {theirs / warm:8.1f}"
            f"   {found['walks']:,}",
            flush=True,
        )
    if lines:
        fresh, warm, _, peer = min(lines, key=lambda line: line[2])
        print(
            f"fastest: {peer}; slowthink is {fresh:.1f} times as fast, {warm:.1f} times into a warm array", flush=True
        )


def run(name: str, law: str, threads: int, peer: str, limit: float) -> dict[str, float] | str:
    """What a process of its own measures, or why there is nothing."""
    arguments = ["--measure", "--graph", name, "--law", law, "--peer", peer, "--threads", str(threads)]
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    try:
        process = subprocess.run(
            [sys.executable, __file__, *arguments], env=environment, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return f"not done in {limit:.0f} s"
    if process.returncode:
        lines = process.stderr.strip().splitlines()
        return lines[-1][:100] if lines else f"ended by signal {-process.returncode}"
    found = json.loads(process.stdout.splitlines()[-1])
    return found.get("skipped", found)


def measure(name: str, law: str, peer: str, threads: int) -> dict[str, Any]:
    """Nanoseconds a step of one package, and of slowthink in turn with it."""
    graph = graphs.load(name)
    try:
        theirs = PEERS[peer](graph, law, threads)
    except (Skipped, ImportError) as error:
        return {"skipped": str(error)}
    ours = slowthink(graph, law, threads)
    start = graph.start[: N_WALKS[name]]
    out = ours(start)
    check(graph, out)
    check(graph, theirs(start[:FEW]))
    # What more walks add: the first call compiled, and some packages read the whole graph at each.
    begin = time.perf_counter()
    theirs(start[:FEW])
    middle = time.perf_counter()
    theirs(start[: 10 * FEW])
    added = (time.perf_counter() - middle) - (middle - begin)
    part = start[: max(10 * FEW, int(TURN / max(added, 1e-6) * 9 * FEW))]
    calls = {
        "theirs": (lambda: theirs(part), len(part)),
        "fresh": (lambda: ours(start), len(start)),
        "out": (lambda: ours(start, out), len(start)),
    }
    least = dict.fromkeys(calls, float("inf"))
    for _ in range(REPEATS):
        for key, (call, n_walks) in calls.items():
            begin = time.perf_counter()
            result = call()
            least[key] = min(least[key], (time.perf_counter() - begin) / (n_walks * N_STEPS) * 1e9)
            del result
    return {**least, "walks": len(part)}


def check(graph: graphs.Graph, walks: Any) -> None:
    """Refuses walks that are no walks on the graph; a few of them tell."""
    some = np.asarray(walks[:FEW], dtype=np.int64)
    if some.shape != (FEW, N_STATES):
        raise ValueError(f"walks of shape {some.shape}")
    for state, after in zip(some[:, :-1].ravel(), some[:, 1:].ravel(), strict=True):
        if after not in graph.indices[graph.indptr[state] : graph.indptr[state + 1]]:
            raise ValueError(f"walked from {state} to {after}, which is no edge")


if __name__ == "__main__":
    main()
