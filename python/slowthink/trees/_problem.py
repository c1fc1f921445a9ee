"""How a forest searches a problem that is a Python object."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink.problems import Problem

if TYPE_CHECKING:
    from slowthink.trees._forest import Forest


class Searcher:
    """The states that a forest has reached in a problem, by tree and node."""

    def __init__(self, problem: Problem[Any], first: int, seed: npt.NDArray[np.uint64]) -> None:
        self.problem = problem
        self._first = first
        self._seed = [int(word) for word in seed]
        self._states: dict[int, dict[int, Any]] = {}
        self._rewards = False
        self._priors: Callable[[Any], npt.ArrayLike] | None = getattr(problem, "priors", None)
        self._player: Callable[[Any], int] | None = getattr(problem, "player", None)

    def run(self, forest: Forest, n_simulations: int, report: Callable[[int, int], object] | None) -> None:
        """Completes ``n_simulations`` in each tree, one leaf of each in flight at a time."""
        before = forest._limits()
        counts = forest.simulations
        forest._set_limits([min(limit, int(n) + n_simulations) for limit, n in zip(before, counts, strict=True)])
        rngs: dict[int, np.random.Generator] = {}
        start, total = int(counts.sum()), n_simulations * len(counts)
        try:
            while True:
                leaves = forest.ask(forest.n_trees, per_tree=1)
                if report is not None:
                    report(min(total, int(forest.simulations.sum()) - start), total)
                if not len(leaves):
                    break
                try:
                    told = [self._evaluate(leaves, i, rngs, counts) for i in range(len(leaves))]
                except BaseException:
                    forest.cancel(leaves)
                    raise
                values, rewards, n_children, priors, players = zip(*told, strict=True)
                self._rewards = self._rewards or any(rewards)
                forest.tell(
                    leaves,
                    np.array(values, dtype=np.float64),
                    n_children=np.array(n_children, dtype=np.int64),
                    rewards=np.array(rewards, dtype=np.float64) if self._rewards else None,
                    priors=np.concatenate(priors) if self._priors else None,
                    players=np.array(players, dtype=np.uint8) if self._player else None,
                )
        finally:
            forest._set_limits(before)

    def _evaluate(
        self, leaves: Any, i: int, rngs: dict[int, np.random.Generator], counts: npt.NDArray[np.int64]
    ) -> tuple[float, float, int, npt.NDArray[np.float32] | None, int]:
        tree, node = int(leaves.tree[i]), int(leaves.node[i])
        states = self._states.setdefault(tree, {})
        parent = states.get(int(leaves.parent[i]))
        reward = 0.0
        if node == 0:
            state = self.problem.root(self._first + tree)
        elif parent is not None:
            state, reward = self.problem.step(parent, int(leaves.action[i]))
        else:
            state = self.problem.root(self._first + tree)
            for action in leaves.path(i):
                state, reward = self.problem.step(state, action)
        states[node] = state
        if tree not in rngs:
            key = (self._first + tree, int(counts[tree]))
            rngs[tree] = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))
        n_actions = int(self.problem.n_actions(state))
        value = float(self.problem.value(state, rngs[tree]))
        priors = None
        if self._priors is not None:
            given = self._priors(state) if n_actions > 0 else ()
            priors = np.asarray(given, dtype=np.float32)
            if priors.shape != (n_actions,):
                raise ValueError(f"problem: priors must be one for each of {n_actions} actions, got {priors.shape}")
        player = int(self._player(state)) if self._player is not None else 0
        return value, float(reward), n_actions, priors, player
