"""PUCT and Gumbel MuZero against mctx on random trees: every node of every tree, its visits and its value."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from slowthink.trees import Forest, Gumbel, Puct

SCRIPT = pathlib.Path(__file__).with_name("golden") / "mctx_trees.py"

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mctx") is None, reason="mctx is not installed"),
    pytest.mark.timeout(600),  # jax compiles for some seconds a case, and more on a busy machine
]


def mix(x):
    x &= 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def unit(x):
    return (mix(x) >> 8) / 2**24


def evaluate(node, case):
    """Value, reward and priors of a node, as the script has them."""
    actions = range(case["n_actions"])
    weight = np.array([unit(node + 16 + action) ** 2 + 0.01 for action in actions])
    if case["zeros"]:
        weight[[mix(node + 4096 + action) % 3 == 0 and action > 0 for action in actions]] = 0
    return 2 * unit(node + 1) - 1, unit(node + 2) / 4, (weight / weight.sum()).astype(np.float32)


DISCOUNTS = [1.0, 0.97, -1.0]

# Each discount with and without rewards, for several roots.
BASE = {
    "roots": [*range(100, 112)],
    "discount": DISCOUNTS * 4,
    "rewards": [False] * 6 + [True] * 6,
    "zeros": False,
}
GUMBEL = {"policy": "gumbel", "value_scale": 0.1, "maxvisit_init": 50.0, "rescale_values": True}
CASES = [
    BASE
    | GUMBEL
    | {"n_actions": 6, "n_simulations": 129, "max_num_considered_actions": 16, "zeros": True, "gumbel_scale": 1.0},
    BASE | GUMBEL | {"n_actions": 24, "n_simulations": 17, "max_num_considered_actions": 8, "gumbel_scale": 0.0},
    BASE
    | {"policy": "puct", "q_transform": "parent_and_siblings", "pb_c_init": 1.25, "pb_c_base": 19652.0}
    | {"n_actions": 5, "n_simulations": 201},
    BASE
    | {"policy": "puct", "q_transform": "min_max", "min_value": -2.0, "max_value": 3.0}
    | {"pb_c_init": 2.0, "pb_c_base": 100.0, "n_actions": 18, "n_simulations": 65},
]


def forest(case, i):
    if case["policy"] == "gumbel":
        names = ("max_num_considered_actions", "gumbel_scale", "value_scale", "maxvisit_init", "rescale_values")
        policy = Gumbel(**{name: case[name] for name in names})
    else:
        names = ("pb_c_init", "pb_c_base", "q_transform", "min_value", "max_value")
        policy = Puct(**{name: case[name] for name in names if name in case})
    return Forest(1, policy, n_simulations=case["n_simulations"], discount=case["discount"][i], rng=1, first=i)


def search(case, i):
    """The tree that a search from root ``i`` grows, and its nodes in the order of their evaluation."""
    searched, states, nodes = forest(case, i), {}, []
    while len(leaves := searched.ask(1)):
        node, parent, action = int(leaves.node[0]), int(leaves.parent[0]), int(leaves.action[0])
        states[node] = mix(states[parent] * 31 + action + 1) if nodes else case["roots"][i]
        value, reward, prior = evaluate(states[node], case)
        rewards = [reward] if case["rewards"][i] and nodes else None
        searched.tell(leaves, [value], rewards=rewards, n_children=len(prior), priors=[prior])
        nodes.append(node)
    return searched.tree(0), nodes


def noise(case):
    """Our noise for each root of ``case``, for mctx to take."""
    rows = []
    for i in range(len(case["roots"])):
        asked = forest(case, i)
        asked.tell(asked.ask(1), 0.0, n_children=case["n_actions"])
        rows.append(asked.tree(0).gumbel_noise().tolist())
    return rows


@pytest.fixture(scope="module")
def answers():
    cases = [case | ({"noise": noise(case)} if case.get("gumbel_scale") else {}) for case in CASES]
    # The compiler may take it easy: these searches are short.
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    command = [sys.executable, SCRIPT, "-"]
    done = subprocess.run(
        command, input=json.dumps(cases), capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_every_tree_is_that_of_mctx(number, answers):
    case = CASES[number]
    for i, expected in enumerate(answers[number]):
        tree, nodes = search(case, i)
        order = {node: place for place, node in enumerate(nodes)}
        assert tree.action[nodes[1:]].tolist() == expected["action"]
        assert [order[int(parent)] for parent in tree.parent[nodes[1:]]] == expected["parent"]
        assert tree.visits[nodes].tolist() == expected["visits"]
        np.testing.assert_allclose(tree.value[nodes], expected["value"], atol=1e-5)
        np.testing.assert_allclose(tree.action_weights(), expected["weights"], atol=1e-5)
        if case["policy"] == "gumbel":
            assert tree.gumbel_action() == expected["chosen"]
