"""What users hand in by mistake to `slowthink.trees`; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public name, of the methods and properties of `Forest` and `Tree` too.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hostile import Hostile
from slowthink import trees
from slowthink.problems import TicTacToe
from slowthink.trees import Forest, Leaves, Tree, Uct

COLUMNS = ("parent", "action", "depth", "visits", "in_flight", "value", "reward", "prior", "n_children")


def forest() -> Forest:
    """Three trees whose roots are in flight, with tickets 0 to 2."""
    made = Forest(3, Uct(), rng=1, discount=-1.0)
    made.ask(3)
    return made


def grown() -> Forest:
    """One tree with a root and three children."""
    made = Forest(1, Uct(), rng=1)
    for _ in range(2):
        made.tell(made.ask(3), 0.5, n_children=3)
    return made


TICKETS = np.array([1, 0, 2])

CASES: dict[str, dict[str, Any]] = {
    "Beam": {"width": 3},
    "BestFirst": {},
    "BestOfN": {"n": 3},
    "BreadthFirst": {},
    "DepthFirst": {},
    "Dvts": {"width": 3},
    "Forest": {"n_trees": 3, "policy": Uct(), "rng": 1, "n_simulations": 9, "max_depth": 4},
    "Forest (solver)": {"n_trees": 3, "rng": 1, "solver": np.array([-1.0, 1.0]), "in_flight": ("loss", -1.0)},
    "Forest (widening)": {"n_trees": 3, "policy": Uct(), "rng": 1, "widening": np.array([1.0, 0.5]), "backup": "max"},
    "Forest.ask": {"n": 2, "per_tree": 1},
    "Forest.cancel": {"tickets": TICKETS},
    "Forest.costs": {},
    "Forest.discount": {},
    "Forest.done": {},
    "Forest.n_in_flight": {},
    "Forest.n_trees": {},
    "Forest.outstanding": {},
    "Forest.policy": {},
    "Forest.reroot": {"tree": 1, "node": 0},
    "Forest.run": {"problem": TicTacToe(), "n_simulations": 3},
    "Forest.set_budget": {"n_simulations": np.array([3, 0, 5])},
    "Forest.set_priority": {"trees": np.array([0, 2]), "priority": 3},
    "Forest.simulations": {},
    "Forest.stop": {"trees": np.array([0, 2])},
    "Forest.tell": {
        "tickets": TICKETS,
        "values": np.array([0.5, 0.25, 1.0]),
        "rewards": np.array([0.0, 0.5, 1.0]),
        "n_children": np.array([2, 0, 1]),
        "priors": np.array([[0.5, 0.5], [0.0, 0.0], [1.0, 0.0]]),
        "terminal": np.array([False, True, False]),
        "players": np.array([0, 1, 0]),
        "cost": np.array([1, 2, 3]),
        "payload": ["a", None, "b"],
    },
    "Forest.tell (numbers)": {"tickets": TICKETS, "values": 0.5, "n_children": 2, "cost": 1.0, "players": 1},
    "Forest.tree": {"i": 1},
    "Gumbel": {"max_num_considered_actions": 4},
    "Leaves.action": {},
    "Leaves.depth": {},
    "Leaves.kind": {},
    "Leaves.node": {},
    "Leaves.parent": {},
    "Leaves.path": {"i": 1},
    "Leaves.ticket": {},
    "Leaves.tree": {},
    "Puct": {"pb_c_init": 1.5, "fpu": ("parent", 0.5)},
    "Puct (bounds)": {"q_transform": "min_max", "min_value": -1.0, "max_value": 1.0},
    "Thompson": {"model": "gaussian", "m": 0.5},
    "Tree.action_weights": {},
    "Tree.best_child": {"node": 0},
    "Tree.best_path": {"by": "lower_bound", "value_range": np.array([0.0, 1.0])},
    "Tree.children": {"node": 0},
    "Tree.n_nodes": {},
    "Tree.path": {"node": 2},
    "Tree.to_text": {"max_nodes": 9},
    "Tree.visit_policy": {"temperature": 0.5},
    "Tree.vote": {"answers": ["r", "a", "b", "c"], "weights": np.array([0.0, 1.0, 2.0, 0.5])},
    "Uct": {"c": 0.5, "fpu": 1.0},
    "from_arrays": {
        "parent": [-1, 0, 0, 1],  # no array: -1 has no unsigned form
        "value": np.array([0.5, 0.75, 0.25, 1.0]),
        "visits": np.array([9, 5, 3, 4]),
        "action": np.array([0, 2, 1, 0]),
        "reward": np.array([0.0, 0.5, 0.0, 0.25]),
        "prior": np.array([1.0, 0.5, 0.5, 1.0]),
        "player": np.array([0, 1, 1, 0]),
        "discount": 0.5,
    },
}
"""A small valid call of each public name; its array arguments are arrays here. A property takes none."""

MEMORY: dict[str, str] = {
    "Forest.tree": """
        from slowthink.trees import Forest, Uct
        forest = Forest(1, Uct())
        for _ in range(40):
            leaves = forest.ask(100_000)
            forest.tell(leaves, 0.5, n_children=4)
        inputs = []
        def call():
            tree = forest.tree(0)
            return tuple(value for value in vars(tree).values() if isinstance(value, np.ndarray))
    """,
}
"""Programs that set `inputs` and `call`, for large inputs and outputs."""


class TestTrees(Hostile):
    cases = CASES
    memory = MEMORY

    def function(self, name: str) -> Callable[..., Any]:
        kind, _, attribute = name.partition(" (")[0].partition(".")
        if not attribute:
            return getattr(trees, kind)
        owner: Any = forest() if kind == "Forest" else grown()
        if kind == "Leaves":
            owner = owner.ask(2)
        elif kind == "Tree":
            owner = owner.tree(0)
        if callable(getattr(owner, attribute)):
            return (
                _observed(owner, attribute)
                if attribute in ("cancel", "run", "set_budget", "set_priority", "stop", "tell")
                else getattr(owner, attribute)
            )
        return lambda: getattr(owner, attribute)

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        try:
            with tempfile.TemporaryDirectory() as folder:
                journal = arguments.get("journal")
                if isinstance(journal, str) and journal:
                    arguments = {**arguments, "journal": f"{folder}/{journal}"}
                return super().call(name, arguments)
        except IndexError as error:
            raise ValueError(str(error)) from None  # a leaf is an item

    def comparable(self, result: Any) -> Any:
        if isinstance(result, Forest):
            leaves = result.ask(5)
            return [self.comparable(leaves), result.tell(leaves, 0.5, n_children=2), self.comparable(result.tree(0))]
        if isinstance(result, Leaves):
            return result.ticket, result.tree, result.node, result.parent, result.action, result.depth, result.kind
        if isinstance(result, Tree):
            return [getattr(result, name) for name in COLUMNS], repr(result.payload), result.cost
        return repr(result) if isinstance(result, trees.Policy) else result


def _observed(owner: Forest, attribute: str) -> Callable[..., Any]:
    """The method, returning what it leaves behind as well."""
    method = getattr(owner, attribute)

    def call(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        tree = owner.tree(1)
        return result, [getattr(tree, name) for name in COLUMNS], owner.costs, owner.ask(9).tree

    call.__signature__ = inspect.signature(method)
    return call


ELSEWHERE = {
    *("Forest.drive", "Forest.export", "Tree.kin", "Tree.step_value", "Tree.to_dot", "Tree.to_html"),
    *("export", "read_tot_log"),
    *("Tree.gumbel_action", "Tree.gumbel_noise"),
    *("Forest.compact", "Forest.load", "Forest.resume", "Forest.save"),
}
"""What reads and writes other forms of trees, and files, or belongs to one policy: its own tests feed it mistakes."""


def test_every_public_name_is_fed() -> None:
    fed = {name.partition(" (")[0] for name in CASES}
    members = {
        f"{kind.__name__}.{name}"
        for kind in (Forest, Tree, Leaves)
        for name in (*dir(kind), *getattr(kind, "__annotations__", {}))
        if not name.startswith("_") and not (kind is Tree and name in getattr(Tree, "__dataclass_fields__", ()))
    }
    bare = set(trees.__all__) - {
        "By",
        "DriveReport",
        "Expansion",
        "Failure",
        "Leaf",
        "Leaves",
        "Policy",
        "Tree",
    }  # made by us, or by nobody
    assert members | bare == fed | ELSEWHERE, "a new public name needs a case in CASES, and an old one none"


def test_a_policy_of_nobody_is_refused() -> None:
    with pytest.raises(TypeError, match="policy must be one of the policies"):
        Forest(1, "uct")
    with pytest.raises(TypeError, match="policy must be one of the policies"):
        Forest(1, trees.Policy())
