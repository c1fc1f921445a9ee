"""What users hand in by mistake to `slowthink.strategies`; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public name, of the methods and properties of `Comparison` too.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import Hostile
from slowthink import strategies
from slowthink.problems import GameOf24
from slowthink.strategies import Comparison, Strategy, Verifier, compare
from slowthink.trees import Uct

GAME = GameOf24([[1, 1, 4, 6], [3, 3, 8, 8]])
FOUND = compare(GAME, ["walk", "best-of-n"], budgets=[1, 4], n_trials=9, rng=1)

CASES: dict[str, dict[str, Any]] = {
    "Beam": {"expand": 3},
    "BestOfN": {"stop": False},
    "Comparison.accuracy": {},
    "Comparison.answers": {},
    "Comparison.best": {"budget": 4},
    "Comparison.calls": {},
    "Comparison.difference": {"a": "walk", "b": "best-of-n", "budget": 4},
    "Comparison.from_json": {"source": FOUND.to_json()},
    "Comparison.high": {},
    "Comparison.instances": {},
    "Comparison.interrupted": {},
    "Comparison.low": {},
    "Comparison.n_finished": {},
    "Comparison.spent": {},
    "Comparison.steps": {},
    "Comparison.table": {},
    "Comparison.to_dict": {},
    "Comparison.to_json": {"path": None},
    "Comparison.tokens": {},
    "Comparison.verdicts": {},
    "Dvts": {"expand": 3},
    "MajorityVote": {},
    "SelfCorrection": {"learner": "ucb", "stop": False, "c": 1.0},
    "Stepwise": {"width": 3},
    "TreeSearch": {"policy": Uct(), "values": "process", "select": "majority", "stop": False, "branching": 3},
    "Verifier": {"false_positive": 0.1, "noise": 0.5, "systematic": True, "accuracy": 0.9, "process_bias": -1.0},
    "Walk": {},
    "WeightedVote": {},
    "compare": {
        "problem": GAME,
        "strategies": ["walk", "majority"],
        "budgets": np.array([1, 3]),
        "n_trials": 5,
        "verifier": Verifier(),
        "rng": 1,
    },
    "regret": {"means": np.array([0.25, 0.5, 1.0]), "learner": "thompson", "n_rounds": 7, "n_runs": 5, "rng": 1},
    "best_of_n_bound": {"rate": 50.0, "length": 6, "n": 4, "accuracy": 0.5},
    "best_of_n_success": {"success": np.array([1.0, 0.5, 0.25]), "n": 4, "accuracy": 0.5},
    "gain_accuracy": {"success": np.array([1.0, 0.5, 0.25]), "width": 4},
    "matching_samples": {
        "success": np.array([1.0, 0.5, 0.25]),
        "width": 4,
        "accuracy": 0.5,
        "best_of_n_accuracy": 1.0,
    },
    "stepwise_bound": {"rate": 50.0, "length": 6, "width": 4, "accuracy": 0.5},
    "stepwise_success": {"success": np.array([1.0, 0.5, 0.25]), "width": 4, "accuracy": 0.5},
    "walk_bound": {"rate": 50.0, "length": 6},
    "walk_success": {"success": np.array([1.0, 0.5, 0.25])},
}
"""A small valid call of each public name; its array arguments are arrays here. A property takes none."""


class TestStrategies(Hostile):
    cases = CASES

    def function(self, name: str) -> Callable[..., Any]:
        kind, _, attribute = name.partition(" (")[0].partition(".")
        if not attribute:
            return getattr(strategies, kind)
        value = getattr(FOUND, attribute)
        return value if callable(value) else lambda: value

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        # Files that are named by junk are written where they do no harm.
        before = Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                return super().call(name, arguments)
            except OSError as error:
                return str(error)
            finally:
                os.chdir(before)

    def comparable(self, result: Any) -> Any:
        if isinstance(result, Comparison):
            return result.correct, result.total_cost, result.exact
        return repr(result) if isinstance(result, (Strategy, Verifier)) else result


ELSEWHERE = {"Comparison.plot", "Comparison.to_html"}
"""What needs matplotlib: its own tests feed it mistakes."""


def test_every_public_name_is_fed() -> None:
    fields = getattr(Comparison, "__dataclass_fields__", ())
    members = {f"Comparison.{name}" for name in dir(Comparison) if not name.startswith("_") and name not in fields}
    made_by_us = {"Comparison", "Difference", "ReasoningProblem", "Regret", "STRATEGIES", "Strategy", "Winner"}
    assert members | (set(strategies.__all__) - made_by_us) == set(CASES) | ELSEWHERE


def test_a_strategy_of_nobody_is_refused() -> None:
    with pytest.raises(TypeError, match=r"strategies must be strategies of slowthink.strategies"):
        Strategy()._native()
    with pytest.raises(TypeError, match=r"strategies\[0\] must be a name or a strategy, got int"):
        compare(GAME, [3])
