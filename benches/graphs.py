"""The three graphs on which walks are measured, as NumPy files that every benchmark reads.

    python benches/graphs.py [small|medium|large ...]      # all of them by default; those that exist are kept

Writes target/graphs/<name>/{indptr,indices,weights,start}.npy: neighbours in compressed sparse rows (sorted, both
directions of each pair, no loops, nobody isolated), a weight in [.1, 5) for each directed entry, and 400,000 states
from which walks start. `small` joins random pairs, `medium` and `large` are recursive matrices (Chakrabarti, Zhan and
Faloutsos, SDM 2004) with scattered numbers, whose hubs have ten thousand times the mean degree.

The bytes are the same with every NumPy from 1.26 on: the checksums are compared. `large` takes 20 s and 4 GB to make.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).resolve().parents[1] / "target" / "graphs"
N_STARTS = 400_000
QUADRANTS = (0.57, 0.19, 0.19, 0.05)
"""Probabilities of the quadrants of a recursive matrix."""


class Graph(NamedTuple):
    """What is read from the files."""

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    start: npt.NDArray[np.int32]


class Recipe(NamedTuple):
    """How a graph is made, and how the sha256 of its rows (indptr, then indices) and of its weights begin."""

    n_nodes: int
    n_pairs: int
    recursive: bool
    seed: int
    rows_sum: str
    weights_sum: str


RECIPES = {
    "small": Recipe(10_000, 50_000, False, 1, "cae9b95f921f02dd", "15861543e9c749d8"),
    "medium": Recipe(1_000_000, 5_300_000, True, 2, "66e6473e30a348b0", "230783ea77af18f5"),
    "large": Recipe(8_000_000, 53_000_000, True, 3, "77cf1457bfef595f", "d13bbd53f5beec4d"),
}


def load(name: str) -> Graph:
    """The graph called `name`, made first where its files are missing."""
    paths = [FOLDER / name / f"{field}.npy" for field in Graph._fields]
    if not all(path.is_file() for path in paths):
        arrays = make(RECIPES[name])
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        for path, array in zip(paths, arrays, strict=True):
            # Under its own name only when it is whole: an interrupted run leaves nothing that looks finished.
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.save(file, array)
            part.replace(path)
    return Graph(*(np.load(path) for path in paths))


def make(recipe: Recipe) -> Graph:
    """The graph of a recipe. The order of the draws and their types are part of the definition."""
    rng = np.random.default_rng(recipe.seed)
    source, target = (recursive_pairs if recipe.recursive else random_pairs)(recipe, rng)
    keep = source != target
    source, target = source[keep], target[keep]
    degree = np.bincount(source, minlength=recipe.n_nodes) + np.bincount(target, minlength=recipe.n_nodes)
    alone = np.flatnonzero(degree == 0).astype(np.uint32)
    partner = (alone + 1 + rng.integers(0, recipe.n_nodes - 1, len(alone), dtype=np.uint32)) % recipe.n_nodes
    indptr, indices = rows(np.append(source, alone), np.append(target, partner), recipe.n_nodes)
    weights = rng.random(len(indices), dtype=np.float32) * np.float32(4.9) + np.float32(0.1)
    for arrays, expected in (((indptr, indices), recipe.rows_sum), ((weights,), recipe.weights_sum)):
        found = checksum(*arrays)
        if not found.startswith(expected):
            raise RuntimeError(f"sha256 {found} should begin with {expected}: this NumPy draws other numbers")
    start = np.random.default_rng(9).integers(0, recipe.n_nodes, N_STARTS, dtype=np.int32)
    return Graph(indptr, indices, weights, start)


def random_pairs(recipe: Recipe, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Pairs of uniform nodes."""
    source = rng.integers(0, recipe.n_nodes, recipe.n_pairs, dtype=np.uint32)
    return source, rng.integers(0, recipe.n_nodes, recipe.n_pairs, dtype=np.uint32)


def recursive_pairs(recipe: Recipe, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Pairs from a recursive matrix, one 16-bit draw for each bit of all pairs, high bits first; then renumbered."""
    n_bits = (recipe.n_nodes - 1).bit_length()
    a, b, c = (round(float(limit) * 65535) for limit in np.cumsum(QUADRANTS[:3]))
    source = np.zeros(recipe.n_pairs, dtype=np.uint32)
    target = np.zeros(recipe.n_pairs, dtype=np.uint32)
    for _ in range(n_bits):
        draw = rng.integers(0, 1 << 16, recipe.n_pairs, dtype=np.uint16)
        source <<= 1
        source |= draw >= b
        target <<= 1
        target |= ((draw >= a) & (draw < b)) | (draw >= c)
    number = rng.permutation(1 << n_bits).astype(np.uint32)
    return number[source] % recipe.n_nodes, number[target] % recipe.n_nodes


def rows(
    source: npt.NDArray[np.uint32], target: npt.NDArray[np.uint32], n_nodes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Compressed sparse rows of both directions of the pairs, each once."""
    n_pairs = len(source)
    # A pair is one number, so that sorting the numbers sorts rows and targets at once, in place.
    key = np.empty(2 * n_pairs, dtype=np.int64)
    for half, begin, end in ((key[:n_pairs], source, target), (key[n_pairs:], target, source)):
        half[:] = begin
        half <<= 32
        half |= end
    key.sort()
    key = key[np.append(True, key[1:] != key[:-1])]
    indptr = np.zeros(n_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(key >> 32, minlength=n_nodes), out=indptr[1:])
    return indptr, (key & 0xFFFFFFFF).astype(np.int32)


def checksum(*arrays: npt.NDArray[np.generic]) -> str:
    """The sha256 of the bytes of the arrays, one after another."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.data)
    return digest.hexdigest()


def main(names: list[str]) -> None:
    for name in names or RECIPES:
        if name not in RECIPES:
            sys.exit(f"no graph is called {name!r}: choose from {', '.join(RECIPES)}")
        graph = load(name)
        degrees = np.diff(graph.indptr)
        print(
            f"{name}: {len(degrees):,} nodes, {len(graph.indices):,} entries, "
            f"mean degree {degrees.mean():.2f}, largest {degrees.max():,}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
