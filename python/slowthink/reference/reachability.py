"""Slow twin of reachability in graphs: all walks one by one, breadth-first search by matrices, the same draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink.reference.random import Stream

RIGHT, WRONG, NOWHERE, CUT_OFF = 1, 2, 0, 3


def child(words: Sequence[int], index: int) -> list[int]:
    """The seed of an item that needs many streams."""
    stream = Stream(words, index)
    return [stream.draw() for _ in range(4)]


def below(stream: Stream, n: int) -> int:
    """A number below n."""
    return stream.draw() * n >> 64


def uniform(stream: Stream) -> float:
    """A number in [0, 1)."""
    return (stream.draw() >> 11) / 2**53


class Graph:
    """One graph, its question, and the policy on it."""

    def __init__(
        self,
        edges: Sequence[tuple[int, int]],
        root: int,
        target: int,
        other: int,
        *,
        n_nodes: int | None = None,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.root, self.target, self.other = root, target, other
        named = [root, target, other, *(node for edge in edges for node in edge)]
        self.n_nodes = max(named) + 1 if n_nodes is None else n_nodes
        self.heads: list[list[int]] = [[] for _ in range(self.n_nodes)]
        self.weights: list[list[float]] = [[] for _ in range(self.n_nodes)]
        for (tail, head), weight in zip(edges, weights or [1.0] * len(edges), strict=True):
            self.heads[tail].append(head)
            self.weights[tail].append(weight)
        self.uniform = weights is None

    def over(self, node: int) -> bool:
        """Whether a walk answers here."""
        return node in (self.target, self.other)

    def all_walks(self, most: int, node: int | None = None, steps: int = 0) -> Iterator[tuple[int, int, Fraction]]:
        """The end, the number of steps and the probability of every walk of at most ``most`` steps."""
        node = self.root if node is None else node
        if self.over(node):
            yield (RIGHT if node == self.target else WRONG), steps, Fraction(1)
        elif not self.heads[node]:
            yield NOWHERE, steps, Fraction(1)
        elif steps == most:
            yield CUT_OFF, steps, Fraction(1)
        else:
            sum_ = sum(map(Fraction, self.weights[node]))
            for head, weight in zip(self.heads[node], self.weights[node], strict=True):
                for end, length, probability in self.all_walks(most, head, steps + 1):
                    yield end, length, probability * Fraction(weight) / sum_

    def moves(self, most: int, guess: bool) -> int:
        """Edges that a walk may take: one step is kept for a guess where some walk would need more than there are."""
        walks = self.all_walks(most)
        longer = any(end == CUT_OFF or (guess and end == NOWHERE and steps == most) for end, steps, _ in walks)
        return most - (longer and guess)

    def law(self, most: int, guess: bool) -> tuple[list[Fraction], Fraction]:
        """Probabilities of a right answer, a wrong one and none, and the mean number of steps, of walks that may take
        ``most`` steps."""
        law, mean = [Fraction(0)] * 3, Fraction(0)
        for end, steps, probability in self.all_walks(self.moves(most, guess)):
            decided = end in (RIGHT, WRONG)
            mean += probability * (steps + (guess and not decided))
            if decided:
                law[end - 1] += probability
            elif guess:
                law = [law[0] + probability / 2, law[1] + probability / 2, law[2]]
            else:
                law[2] += probability
        return law, mean

    def adjacency(self) -> npt.NDArray[np.int64]:
        """Entry (i, j) is the number of edges from j to i: what multiplies a column of nodes."""
        matrix = np.zeros((self.n_nodes, self.n_nodes), np.int64)
        for tail, heads in enumerate(self.heads):
            for head in heads:
                matrix[head, tail] += 1
        return matrix

    def n_paths(self) -> float:
        """Paths to the target, by powers of the matrix of the edges that walks take: their sum is finite where a power
        is without any path that still leads to the target."""
        matrix = self.adjacency().astype(object)
        matrix[:, [self.target, self.other]] = 0
        leads = np.zeros(self.n_nodes, bool)
        leads[self.target] = True
        for _ in range(self.n_nodes):
            leads |= (matrix.T.astype(bool) & leads).any(axis=1)
        now = np.zeros(self.n_nodes, object)
        now[self.root] = 1
        total = 0
        for _ in range(self.n_nodes + 1):
            total += now[self.target]
            now = matrix @ now
        return math.inf if (now.astype(bool) & leads).any() else float(total)

    def distances(self) -> list[int]:
        """By the first power of the matrix that comes to a node; -1 where none does."""
        reached = np.zeros(self.n_nodes, bool)
        reached[self.root] = True
        distance = np.where(reached, 0, -1)
        for step in range(1, self.n_nodes):
            reached |= (self.adjacency() @ reached).astype(bool)
            distance = np.where(reached & (distance < 0), step, distance)
        return [int(steps) for steps in distance]

    def thoughts(self, n_steps: int) -> npt.NDArray[np.float64]:
        """``|V_c|**-0.5`` on the nodes within c edges, c from 0 to ``n_steps``: a step adds what the edges carry, cuts
        at a threshold, and normalises."""
        thought = np.zeros(self.n_nodes)
        thought[self.root] = 1.0
        rows = [thought]
        for _ in range(n_steps):
            carried = thought + self.adjacency() @ thought
            kept = (carried > 0.5 * thought.max()).astype(float)
            thought = kept / np.linalg.norm(kept)
            rows.append(thought)
        return np.stack(rows)

    def walk(self, manner: str, restart: bool, most: int, stream: Stream) -> tuple[int, int, int]:
        """End, steps and tries of one walk."""
        steps = tries = 0
        while True:
            tries += 1
            before = steps
            end, steps = self._try(manner, most, steps, stream)
            if not restart or end != NOWHERE or steps == before:
                return end, steps, tries
            if steps == most:
                return CUT_OFF, steps, tries

    def _try(self, manner: str, most: int, steps: int, stream: Stream) -> tuple[int, int]:
        path, seen = [self.root], {self.root}
        while not self.over(path[-1]):
            node = path[-1]
            free = [head for head in self.heads[node] if manner == "policy" or head not in seen]
            back = manner == "depth-first" and not free and len(path) > 1
            if not free and not back:
                return NOWHERE, steps
            if steps == most:
                return CUT_OFF, steps
            steps += 1
            if back:
                path.pop()
            else:
                path.append(self._chosen(node, free, manner, stream))
                seen.add(path[-1])
        return (RIGHT if path[-1] == self.target else WRONG), steps

    def _chosen(self, node: int, free: list[int], manner: str, stream: Stream) -> int:
        if manner != "policy" or self.uniform:
            return free[below(stream, len(free))]
        largest = max(self.weights[node])
        shares = [weight / largest for weight in self.weights[node]]
        left = uniform(stream)
        for head, share in zip(free, shares, strict=True):
            if left < share / sum(shares):
                return head
            left -= share / sum(shares)
        return free[-1]


def generate(
    words: Sequence[int],
    index: int,
    *,
    n_nodes: int = 28,
    n_parents: float = 1.5,
    shares: tuple[float, float] = (0.36, 0.46),
    depth_weight: float = 1.5,
    min_depth: int = 3,
) -> dict[str, Any]:
    """Instance number ``index``: its edges and question."""
    stream = Stream(words, index)
    while True:
        edges: list[tuple[int, int]] = []
        origin, depth = [{0}, {1}], [0, 0]
        for node in range(2, n_nodes):
            share = uniform(stream)
            only = 0 if share < shares[0] else 1 if share < sum(shares) else None
            wanted = _poisson(n_parents, uniform(stream))
            pool = [v for v in range(node) if only is None or origin[v] == {only}]
            parents: list[int] = []
            while pool and len(parents) < wanted:
                place = _weighted([1 + depth_weight * depth[v] for v in pool], stream)
                parents.append(pool[place])
                pool[place] = pool[-1]
                pool.pop()
            edges += [(parent, node) for parent in parents]
            origin.append(set().union(*(origin[parent] for parent in parents)))
            depth.append(min((depth[parent] for parent in parents), default=-1) + 1)
        found = _question(edges, origin, min_depth, stream)
        if found is not None:
            return found


def _question(
    edges: list[tuple[int, int]], origin: list[set[int]], min_depth: int, stream: Stream
) -> dict[str, Any] | None:
    tails = {tail for tail, _ in edges}
    sinks = [[v for v in range(2, len(origin)) if v not in tails and origin[v] == {root}] for root in (0, 1)]
    away = [Graph(edges, root, 2, 2, n_nodes=len(origin)).distances() for root in (0, 1)]
    deepest = [max((away[root][v] for v in sinks[root]), default=-1) for root in (0, 1)]
    root = int(deepest[1] > deepest[0]) if deepest[0] != deepest[1] else below(stream, 2)
    if deepest[root] < min_depth:
        return None
    deep = [v for v in sinks[root] if away[root][v] == deepest[root]]
    target = deep[below(stream, len(deep))]
    place = below(stream, len(sinks[1 - root]))
    if not sinks[1 - root]:
        return None
    kept = sorted({node for edge in edges for node in edge})
    question = [kept.index(v) for v in (root, target, sinks[1 - root][place])]
    numbered = [(kept.index(tail), kept.index(head)) for tail, head in edges]
    return {"edges": numbered, "question": question, "n_nodes": len(kept)}


def _poisson(mean: float, u: float) -> int:
    k, p = 0, math.exp(-mean)
    total = p
    while u >= total:
        k += 1
        p *= mean / k
        total += p
    return k


def _weighted(weights: list[float], stream: Stream) -> int:
    left = uniform(stream) * sum(weights)
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    return len(weights) - 1
