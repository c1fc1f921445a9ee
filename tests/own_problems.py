"""Problems in Python for the tests of strategies."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from slowthink.problems import GameOf24

P = 0.6


class Coins:
    """Six coins; all must show heads, each does with probability 0.6. A bad one shows in the process reward."""

    max_steps = 6
    n_instances = 5

    def root(self, instance: int) -> tuple[int, str]:
        return instance, ""

    def step(self, state: tuple[int, str], rng: np.random.Generator) -> tuple[int, str]:
        return state[0], state[1] + ("H" if rng.random() < P else "T")

    def answer(self, state: tuple[int, str]) -> str | None:
        return state[1] if len(state[1]) == 6 else None

    def correct(self, answer: str, instance: int) -> bool:
        assert 0 <= instance < 5
        return answer == "HHHHHH"

    def score(self, state: tuple[int, str]) -> float:
        return float("T" not in state[1])


class SlowCoins(Coins):
    """The same behind calls that take time and fail now and then."""

    def __init__(self, failing: int = 0) -> None:
        self.calls = self.at_once = self.most_at_once = self.entered = self.left = 0
        self.failing = failing

    async def __aenter__(self) -> None:
        self.entered += 1

    async def __aexit__(self, *error: object) -> None:
        self.left += 1

    async def step(self, state: Any, rng: np.random.Generator) -> Any:  # type: ignore[override]
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        drawn = super().step(state, rng)
        try:
            await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        if self.failing and self.calls % self.failing == 0:
            raise ConnectionError("try again")
        return drawn

    def tokens(self, state: Any) -> int:
        return 7


class Listed:
    """A problem that comes with slowthink, as one would write it in Python: actions with their probabilities."""

    max_steps = 3

    def __init__(self, temperature: float = 1.0) -> None:
        self.puzzles = [[4, 9, 10, 13], [1, 1, 4, 6], [6, 6, 6, 6], [3, 3, 8, 8]]
        self.native = GameOf24(self.puzzles, temperature=temperature)
        self.n_instances = len(self.puzzles)
        self._known: dict[Any, Any] = {}

    def root(self, instance: int) -> Any:
        return self.native.root(instance)

    def n_actions(self, state: Any) -> int:
        return self.native.n_actions(state)

    def step(self, state: Any, action: int) -> tuple[Any, float]:
        return self.native.step(state, action)

    def value(self, state: Any, rng: np.random.Generator) -> float:
        return self.native.value(state, rng)

    def answer(self, state: Any) -> str:
        return self.native.describe(state)

    def correct(self, state: Any) -> bool:
        return self.native.describe(state) == "24"
