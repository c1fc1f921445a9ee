"""AB-MCTS-A, one generation at a time, with all scores in lists."""

from __future__ import annotations

from typing import Any

import numpy as np


class AbMcts:
    """Adaptive branching with node aggregation (Inoue et al. 2025, arXiv 2503.04412, section 3).

    Parameters
    ----------
    model : {"gaussian", "beta"}
        The law of scores.
    rng : numpy.random.Generator
        Draws from the posteriors.

    Attributes
    ----------
    parent : list of int
        The parent of each node; -1 for the root.
    score : list of float
        The score of each node.
    """

    def __init__(self, model: str, *, rng: np.random.Generator) -> None:
        self.model = model
        self.rng = rng
        self.parent: list[int] = []
        self.score: list[float] = []

    def draw(self, scores: list[float]) -> float:
        """A draw of the mean of the law that gave ``scores``, with the priors of the authors' program."""
        n = len(scores)
        if self.model == "beta":
            return float(self.rng.beta(0.5 + sum(scores), 0.5 + n - sum(scores)))
        mean = float(np.mean(scores)) if n else 0.0
        squares = 1.0 * 0.1 + n * float(np.var(scores) if n else 0.0) + n / (1.0 + n) * mean**2
        variance = squares / self.rng.chisquare(1.0 + n)
        return float(self.rng.normal(n * mean / (1.0 + n), np.sqrt(variance / (1.0 + n))))

    def children(self, node: int) -> list[int]:
        """The children of ``node``."""
        return [child for child, parent in enumerate(self.parent) if parent == node]

    def below(self, node: int) -> list[int]:
        """``node`` and all nodes below it."""
        return [node] + [deep for child in self.children(node) for deep in self.below(child)]

    def choose(self) -> int:
        """The node of which another child is to be generated."""
        node = 0
        while children := self.children(node):
            generated = self.draw([self.score[child] for child in children])
            deeper = [self.score[at] for child in children for at in self.below(child)[1:]]
            if generated >= self.draw(deeper):
                break
            draws = [self.draw([self.score[at] for at in self.below(child)]) for child in children]
            node = children[int(np.argmax(draws))]
        return node

    def ask(self) -> int:
        """The parent of the next node; -1 for the root."""
        return self.choose() if self.parent else -1

    def tell(self, parent: int, score: float) -> None:
        """Adds the node that was asked for."""
        self.parent.append(parent)
        self.score.append(score)

    def grow(self, n: int, *, step: float) -> tuple[int, int]:
        """The root's children and the depth of a tree of ``n`` nodes, whose scores move by up to ``step`` a level."""
        depth: list[int] = []
        while len(self.parent) < n:
            parent = self.ask()
            above: Any = self.score[parent] if parent >= 0 else 0.5
            self.tell(parent, float(np.clip(above + self.rng.uniform(-step, step), 0, 1)))
            depth.append(depth[parent] + 1 if parent >= 0 else 0)
        return len(self.children(0)), max(depth)
