"""Slow twin of the contexts for several hops and of the model that learns them, in plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np


def context(
    n_nodes: int, hops: int, n_chains: int, length: int, rng: np.random.Generator
) -> tuple[list[int], list[list[int]], int]:
    """A context, its chains, and which of them is asked for."""
    nodes = [int(node) + 4 for node in rng.choice(n_nodes, n_chains * (hops + 1), replace=False)]
    chains = [nodes[i : i + hops + 1] for i in range(0, len(nodes), hops + 1)]
    waiting = [list(pairwise(chain)) for chain in chains]
    tokens: list[int] = []
    while any(waiting):
        left = np.array([len(edges) for edges in waiting])
        chosen = rng.choice(n_chains, p=left / left.sum())
        tokens += waiting[chosen].pop(0)
    asked = int(rng.integers(n_chains))
    tokens += [chains[asked][0], chains[asked][-1]]
    return tokens + [3] * (length - len(tokens)), chains, asked


def chains_of(tokens: list[int], hops: int, n_chains: int) -> list[list[int]]:
    """The chains that a context tells, by joining its edges: [] if they are no chains, or told in another order."""
    edges = [(tokens[i], tokens[i + 1]) for i in range(0, 2 * hops * n_chains, 2)]
    chains: list[list[int]] = []
    for a, b in edges:
        grown = [chain for chain in chains if chain[-1] == a]
        if grown:
            grown[0].append(b)
        else:
            chains.append([a, b])
    nodes = [node for chain in chains for node in chain]
    whole = len(chains) == n_chains and len(set(nodes)) == len(nodes) == n_chains * (hops + 1)
    return chains if whole and all(len(chain) == hops + 1 for chain in chains) else []


def loss(beta: float, second: float, third: float, others: int = 10, wrong: int = 30) -> float:
    """The loss of the three-parameter model."""

    def share(x: float, n: int) -> float:
        return math.exp(x) / (math.exp(x) + n)

    a = share(beta, others)
    z = third * (share(second * a, others) + share(0.0, others)) * a
    return -math.log(share(z, wrong))


def descend(n_steps: int, rate: float, start: tuple[float, float, float]) -> list[tuple[float, ...]]:
    """Parameters after each step of gradient descent, gradients by central differences."""
    path: list[tuple[float, ...]] = [start]
    for _ in range(n_steps):
        now = path[-1]
        gradient = []
        for i in range(3):
            up, down = list(now), list(now)
            up[i] += 1e-5
            down[i] -= 1e-5
            gradient.append((loss(up[0], up[1], up[2]) - loss(down[0], down[1], down[2])) / 2e-5)
        path.append(tuple(x - rate * g for x, g in zip(now, gradient, strict=True)))
    return path
