"""What users hand in by mistake to `slowthink.problems`; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public name, of each method and property of its classes too. A name without
a case fails the test, so that a new problem is fed with all of this from its first day. A second case of a name says in
brackets what is special.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hostile import Hostile
from slowthink import problems
from slowthink._slowthink import State
from slowthink.metastable import metastable_chain
from slowthink.problems import (
    AdditiveTree,
    Categorical,
    ConnectFour,
    FifteenPuzzle,
    GameOf24,
    KeysMaze,
    MetastableReasoning,
    Reachability,
    SnowballChain,
    SyntheticTree,
    TicTacToe,
)

TILES = np.array([4, 1, 2, 3, 5, 9, 6, 7, 8, 0, 10, 11, 12, 13, 14, 15])
# Two graphs: the second has a cycle and weights that are not alike.
EDGES = np.array([[0, 0, 1], [0, 0, 2], [0, 1, 3], [0, 2, 4], [1, 1, 0], [1, 0, 2], [1, 2, 1], [1, 2, 3]])
GRAPHS: dict[str, Any] = {
    "edges": EDGES,
    "root": np.array([0, 1]),
    "target": np.array([3, 3]),
    "neg_target": np.array([5, 4]),
    "n_nodes": np.array([6, 5]),
    "weights": np.array([1.0, 2.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0]),
    "symbols": [list("abcdef"), list("ghijk")],
    "guess": True,
    "max_steps": 9,
}
BOUND: dict[str, Any] = {
    "AdditiveTree": AdditiveTree(3, 4, seed=5, rewards=True),
    "Categorical": Categorical([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], [0, 2]),
    "ConnectFour": ConnectFour("4156345444521742"),
    "FifteenPuzzle": FifteenPuzzle(np.stack([TILES, TILES])),
    "GameOf24": GameOf24([[1, 1, 4, 6], [3, 3, 8, 8]]),
    "KeysMaze": KeysMaze(2, 3, 2, 3, seed=5),
    "MetastableReasoning": MetastableReasoning(metastable_chain(3, 4, 0.5), 9, decoys=[[5, 6]]),
    "Reachability": Reachability(**GRAPHS),
    "SnowballChain": SnowballChain(np.array([0.9, 0.5, 0.25]), n_wrong=2),
    "SyntheticTree": SyntheticTree(4, 20, seed=5),
    "TicTacToe": TicTacToe("519"),
}


def _of_all(kind: str) -> dict[str, dict[str, Any]]:
    """What every problem has."""
    state = BOUND[kind].root()
    return {
        f"{kind}.actions": {"state": state},
        f"{kind}.describe": {"state": state},
        f"{kind}.has_rewards": {},
        f"{kind}.key": {"state": state},
        f"{kind}.max_depth": {},
        f"{kind}.n_actions": {"state": state},
        f"{kind}.n_players": {},
        f"{kind}.player": {"state": state},
        f"{kind}.root": {"tree": 3},
        f"{kind}.step": {"state": state, "action": 1},
        f"{kind}.value": {"state": state, "rng": 1},
        f"{kind}.value_bounds": {},
    }


CASES: dict[str, dict[str, Any]] = {
    "AdditiveTree": {"branching": 3, "depth": 4, "seed": 5, "rewards": True},
    "AdditiveTree.best_value": {"state": BOUND["AdditiveTree"].root(2)},
    "Categorical": {
        "probabilities": np.array([[[0.5, 0.5], [1, 0]], [[0.25, 0.75], [0, 1]]]),
        "target": np.array([0, 1]),
    },
    "Categorical (one)": {"probabilities": np.array([0.5, 0.25, 0.25]), "target": 1},
    "Categorical.dirichlet": {"n_answers": 3, "concentration": 1.0, "n_instances": 4, "rng": 1},
    "Categorical.flat_wrong": {"gap": 0.25},
    "Categorical.gap": {},
    "Categorical.probabilities": {},
    "Categorical.target": {},
    "Categorical.two_answer": {"gap": 0.25},
    "Categorical.zipf": {"n_answers": 4, "exponent": 1.0, "target": 1},
    "ConnectFour": {"moves": "4453"},
    "ConnectFour.action_scores": {"state": BOUND["ConnectFour"].root(), "max_nodes": 10**6},
    "ConnectFour.solve": {"state": BOUND["ConnectFour"].root(), "max_nodes": 10**6},
    "FifteenPuzzle": {"states": np.stack([TILES, TILES]), "rewards": False},
    "FifteenPuzzle (one)": {"states": TILES},
    "FifteenPuzzle.distance": {"state": BOUND["FifteenPuzzle"].root()},
    "FifteenPuzzle.solve": {"state": BOUND["FifteenPuzzle"].root(), "max_nodes": 10**6},
    "GameOf24": {"puzzles": np.array([[1, 1, 4, 6], [3, 3, 8, 8]]), "temperature": 0.5},
    "GameOf24.puzzles": {},
    "GameOf24.solve": {"numbers": np.array([1, 3, 4, 6])},
    "KeysMaze": {
        "rows": 2,
        "columns": 3,
        "n_keys": 2,
        "n_instances": 3,
        "greed": 0.5,
        "experts": np.array([0.25, 1.0]),
        "max_steps": 30,
        "seed": 5,
        "first": 7,
    },
    "KeysMaze.check": {"plan": ["up", "take red"], "state": BOUND["KeysMaze"].root(1)},
    "KeysMaze.layout": {"instance": 2},
    "KeysMaze.max_steps": {},
    "KeysMaze.n_instances": {},
    "KeysMaze.solve": {"state": BOUND["KeysMaze"].root(1)},
    "KeysMaze.success_probability": {"state": BOUND["KeysMaze"].root(1)},
    "KeysMaze.tokens_per_step": {},
    "KeysMaze.trace": {"state": BOUND["KeysMaze"].root(1)},
    "MetastableReasoning": {"chain": metastable_chain(3, 4, 0.5), "max_steps": 9, "decoys": [np.array([5, 6]), 4]},
    "MetastableReasoning (chain)": {
        "chain": metastable_chain(3, 4, 0.5).chain,
        "max_steps": 9,
        "start": 1,
        "target": np.array([8, 9]),
    },
    "Reachability": GRAPHS,
    "Reachability (one)": {"edges": EDGES[:4, 1:], "root": 0, "target": 3, "neg_target": 4},
    "Reachability.answer_probabilities": {"threads": 1},
    "Reachability.depth": {"threads": 1},
    "Reachability.distances": {"threads": 1},
    "Reachability.edges": {"instance": 1},
    "Reachability.generate": {
        "n": 3,
        "n_nodes": 12,
        "n_parents": 1.5,
        "shares": np.array([0.25, 0.5]),
        "depth_weight": 1.5,
        "min_depth": 2,
        "guess": True,
        "rng": 1,
        "first": 2,
        "threads": 1,
        "progress": False,
    },
    "Reachability.guess": {},
    "Reachability.hit_probability": {"threads": 1},
    "Reachability.max_steps": {},
    "Reachability.mean_steps": {"threads": 1},
    "Reachability.n_edges": {},
    "Reachability.n_instances": {},
    "Reachability.n_nodes": {},
    "Reachability.n_paths": {"threads": 1},
    "Reachability.pass_at_k": {"k": np.array([1, 2, 100]), "threads": 1},
    "Reachability.questions": {},
    "Reachability.record": {"instance": 1},
    "Reachability.superposition": {
        "n_steps": 3,
        "noise": 0.1,
        "threshold": 0.5,
        "rng": 1,
        "first": 2,
        "threads": 1,
        "progress": False,
    },
    "Reachability.take": {"instances": np.array([1, 0, 1])},
    "Reachability.walk": {
        "policy": "policy",
        "n_walks": 3,
        "restart": True,
        "max_steps": 100,
        "rng": 1,
        "first": 2,
        "threads": 1,
        "progress": False,
    },
    "SnowballChain": {"success": np.array([[0.75, 0.5, 0.25], [1.0, 0.0, 0.5]]), "n_wrong": 2, "n_instances": 5},
    "SnowballChain (rate)": {"rate": np.array([8.0, 50.0]), "length": 6},
    "SnowballChain.success": {},
    "SyntheticTree": {"branching": 4, "depth": 20, "seed": 5},
    "TicTacToe": {"moves": "519"},
    "TicTacToe.best_value": {"state": BOUND["TicTacToe"].root()},
}
for _kind in BOUND:
    CASES |= _of_all(_kind)


ELSEWHERE = {"Reachability.read", "Reachability.write"}
"""What reads and writes files: its own tests feed it mistakes."""

MEMORY: dict[str, str] = {
    "GameOf24": """
        from slowthink.problems import GameOf24
        inputs = [np.random.default_rng(1).integers(1, 14, (4_000_000, 4))]
        call = lambda: GameOf24(inputs[0]).puzzles()
    """,
    "FifteenPuzzle": """
        from slowthink.problems import FifteenPuzzle
        inputs = [np.tile(np.arange(16), (1_000_000, 1))]
        def call():
            global puzzle
            puzzle = FifteenPuzzle(inputs[0])
            return np.array([puzzle.distance(puzzle.root(999_999))])
    """,
}
"""Programs that set `inputs` and `call`, for large inputs and outputs."""


class TestProblems(Hostile):
    cases = CASES
    memory = MEMORY

    def function(self, name: str) -> Callable[..., Any]:
        kind, _, attribute = name.partition(" (")[0].partition(".")
        if not attribute:
            return getattr(problems, kind)
        if not callable(getattr(BOUND[kind], attribute)):
            return lambda: getattr(BOUND[kind], attribute)
        return getattr(BOUND[kind], attribute)

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        try:
            return super().call(name, arguments)
        except RuntimeError as error:
            if "raise max_nodes" not in str(error):
                raise
            return str(error)  # that a small limit was reached is an answer

    def comparable(self, result: Any) -> Any:
        if isinstance(result, tuple(map(type, BOUND.values()))):
            return [result.describe(result.root(tree)) for tree in range(3)]
        if isinstance(result, State):
            described = [problem.describe(result) for problem in BOUND.values() if _takes(problem, result)]
            assert len(described) == 1
            return described
        return [self.comparable(item) for item in result] if isinstance(result, (list, tuple)) else result


def _takes(problem: Any, state: State) -> bool:
    try:
        problem.n_actions(state)
    except TypeError:
        return False
    return True


def test_every_public_name_is_fed() -> None:
    fed = {name.partition(" (")[0] for name in CASES}
    members = {f"{kind}.{name}" for kind in BOUND for name in dir(BOUND[kind]) if not name.startswith("_")}
    assert (members - ELSEWHERE) | set(BOUND) == fed, "a new public name needs a case in CASES, and an old one none"
    rest = {"Problem", "BigramBackcopy", "TwoHop"}
    assert set(problems.__all__) - set(BOUND) == rest, (
        "the protocol is not called; test_hostile_generators.py has others"
    )
