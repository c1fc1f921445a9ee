"""What users hand in by mistake to the problems that are sequences of tokens; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public name of their classes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from hostile import Hostile
from slowthink import problems
from slowthink.problems import BigramBackcopy, TwoHop

LAW = np.array([[0.5, 0.25, 0.25], [0.125, 0.0, 0.875], [0.25, 0.75, 0.0]])
BOUND: dict[str, Any] = {
    "BigramBackcopy": BigramBackcopy(LAW, [0.25, 0.5, 0.25], [1], mix_p=0.5, length=6),
    "TwoHop": TwoHop(8, 2, 2, 11),
}
CONTEXTS = BOUND["TwoHop"].sample(3, rng=1).astype(np.int64)

CASES: dict[str, dict[str, Any]] = {
    "BigramBackcopy": {
        "bigram": LAW,
        "unigram": np.array([0.25, 0.5, 0.25]),
        "triggers": np.array([1, 2]),
        "mix_p": 0.5,
        "length": 6,
    },
    "BigramBackcopy.from_text": {"text": "abracadabra", "n_triggers": 1, "mix_p": 0.5, "length": 6},
    "BigramBackcopy.bayes_loss": {"long_run": True},
    "BigramBackcopy.pair_law": {},
    "BigramBackcopy.sample": {"n": 3, "rng": 1, "first": 2, "threads": 2},
    "BigramBackcopy.second_order_chain": {},
    "BigramBackcopy.stationary_distribution": {},
    "TwoHop": {"n_nodes": 8, "hops": 2, "n_chains": 2, "length": 11},
    "TwoHop.answer": {"contexts": CONTEXTS, "hops": 1},
    "TwoHop.describe": {"context": CONTEXTS[0]},
    "TwoHop.dynamics": {
        "n_steps": 3,
        "learning_rate": 0.5,
        "initial": np.array([0.5, 0.25, 1.0]),
        "n_others": 3,
        "n_nodes": 5,
    },
    "TwoHop.ends": {"contexts": CONTEXTS},
    "TwoHop.sample": {"n": 3, "rng": 1, "first": 2, "threads": 2},
}

MEMORY: dict[str, str] = {
    "BigramBackcopy.sample": """
        from slowthink.problems import BigramBackcopy
        task = BigramBackcopy(np.full((64, 64), 1 / 64), np.full(64, 1 / 64), [3])
        inputs = []
        call = lambda: task.sample(400_000, rng=1)
    """,
    "TwoHop.sample": """
        from slowthink.problems import TwoHop
        inputs = []
        call = lambda: TwoHop().sample(1_000_000, rng=1)
    """,
}
"""Programs that set `inputs` and `call`, for large inputs and outputs."""


class TestGenerators(Hostile):
    cases = CASES
    memory = MEMORY

    def function(self, name: str) -> Callable[..., Any]:
        kind, _, attribute = name.partition(".")
        return getattr(BOUND[kind], attribute) if attribute else getattr(problems, kind)

    def comparable(self, result: Any) -> Any:
        if isinstance(result, TwoHop):
            return result.sample(2, rng=1) if result.length < 1000 else None
        if isinstance(result, BigramBackcopy):
            return result.sample(2, rng=1) if result.length < 1000 else None
        return result


def test_every_public_method_is_fed() -> None:
    methods = {f"{kind}.{name}" for kind in BOUND for name, _ in inspect.getmembers(BOUND[kind], callable)}
    public = {name for name in methods if not name.partition(".")[2].startswith("_")}
    assert public | set(BOUND) == set(CASES), "a new public method needs a case in CASES, and an old one none"
