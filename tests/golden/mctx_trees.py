"""Searches by mctx on random trees, written to mctx_trees.json for the tests of the Rust core.

Run with mctx and jax installed: ``python tests/golden/mctx_trees.py``. With ``-`` it reads searches from standard input
instead, and answers on standard output: so does tests/test_peers_mctx.py, in a process of its own, since jax keeps
threads of its own.

The trees are not stored: the number of a node is a hash of its parent's number and the action, and its value, reward
and priors are hashes of its number, so that either language makes them again. What is stored is the order in which mctx
evaluates nodes, and where that leads.
"""

import json
import pathlib
import sys
from unittest import mock

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import mctx  # noqa: E402


def mix(x):
    """A hash of 32 bits (Wellons, "Prospecting for hash functions", 2018)."""
    x = jnp.asarray(x, jnp.uint32)
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def unit(x):
    """A number in [0, 1) of 24 bits, exact in single precision."""
    return (mix(x) >> 8).astype(jnp.float64) / 2**24


def evaluate(node, n_actions, *, zeros=False):
    """Value, reward and priors of the nodes with these numbers."""
    value = 2 * unit(node + jnp.uint32(1)) - 1
    reward = unit(node + jnp.uint32(2)) / 4
    action = jnp.arange(n_actions, dtype=jnp.uint32)
    weight = unit(node[:, None] + 16 + action) ** 2 + 0.01
    if zeros:
        weight = jnp.where((mix(node[:, None] + 4096 + action) % 3 == 0) & (action > 0), 0.0, weight)
    prior = (weight / weight.sum(-1, keepdims=True)).astype(jnp.float32).astype(jnp.float64)
    return value, reward, prior


def search(case):
    """The searches of all roots of `case`; discounts and rewards are one for all, or one for each."""
    n_actions, zeros = case["n_actions"], case.get("zeros", False)
    discount, rewards = jnp.asarray(case["discount"], jnp.float64), jnp.asarray(case["rewards"])

    def step(_params, _key, action, node):
        node = mix(node * jnp.uint32(31) + action.astype(jnp.uint32) + 1)
        value, reward, prior = evaluate(node, n_actions, zeros=zeros)
        reward, discounts = jnp.where(rewards, reward, 0.0), jnp.broadcast_to(discount, value.shape)
        return mctx.RecurrentFnOutput(reward=reward, discount=discounts, prior_logits=jnp.log(prior), value=value), node

    roots = jnp.asarray(case["roots"], jnp.uint32)
    value, _, prior = evaluate(roots, n_actions, zeros=zeros)
    root = mctx.RootFnOutput(prior_logits=jnp.log(prior), value=value, embedding=roots)
    arguments = ((), jax.random.key(0), root, step, case["n_simulations"] - 1)
    if case["policy"] == "gumbel":
        names = ("value_scale", "maxvisit_init", "rescale_values")
        parameters = {name: case[name] for name in names}

        def transform(tree, node):
            return mctx.qtransform_completed_by_mix_value(tree, node, **parameters)

        considered = case["max_num_considered_actions"]
        noise = jnp.asarray(case.get("noise", 0.0))
        # mctx takes no noise, but draws it by this.
        with mock.patch.object(jax.random, "gumbel", lambda _key, shape, dtype: jnp.broadcast_to(noise, shape)):
            return mctx.gumbel_muzero_policy(
                *arguments,
                invalid_actions=prior == 0,
                qtransform=transform,
                max_num_considered_actions=considered,
                gumbel_scale=1.0,
            )

    def transform(tree, node):
        if case["q_transform"] == "min_max":
            return mctx.qtransform_by_min_max(tree, node, min_value=case["min_value"], max_value=case["max_value"])
        return mctx.qtransform_by_parent_and_siblings(tree, node)

    return mctx.muzero_policy(
        *arguments,
        qtransform=transform,
        dirichlet_fraction=0.0,
        pb_c_init=case["pb_c_init"],
        pb_c_base=case["pb_c_base"],
        temperature=0.0,
    )


def results(case):
    """What there is to compare, for each root."""
    output = search(case)
    tree = output.search_tree
    for i in range(len(case["roots"])):
        yield {
            "parent": tree.parents[i, 1:].tolist(),
            "action": tree.action_from_parent[i, 1:].tolist(),
            "value": [round(float(value), 7) for value in tree.node_values[i]],
            "visits": tree.node_visits[i].tolist(),
            "chosen": int(output.action[i]),
            "weights": [round(float(weight), 9) for weight in output.action_weights[i]],
        }


def cases():
    """Parameters of the searches, from the ordinary to the extreme."""
    gumbel = {
        "policy": "gumbel",
        "max_num_considered_actions": 16,
        "value_scale": 0.1,
        "maxvisit_init": 50.0,
        "rescale_values": True,
    }
    puct = {"policy": "puct", "q_transform": "parent_and_siblings", "pb_c_init": 1.25, "pb_c_base": 19652.0}
    base = {"roots": [1, 2], "n_actions": 4, "n_simulations": 51, "discount": 1.0, "rewards": False}
    yield base | gumbel
    yield base | gumbel | {"n_actions": 20, "n_simulations": 101, "discount": 0.97, "rewards": True}
    yield base | gumbel | {"n_actions": 9, "discount": -1.0, "max_num_considered_actions": 4, "zeros": True}
    yield base | gumbel | {"n_actions": 5, "max_num_considered_actions": 1, "value_scale": 1.0, "rescale_values": False}
    yield base | gumbel | {"n_actions": 40, "n_simulations": 17, "maxvisit_init": 0.0, "zeros": True}
    yield base | gumbel | {"n_actions": 7, "n_simulations": 201, "max_num_considered_actions": 6, "discount": -1.0}
    yield base | puct
    yield base | puct | {"n_actions": 20, "n_simulations": 151, "discount": 0.97, "rewards": True}
    yield base | puct | {"n_actions": 3, "n_simulations": 101, "discount": -1.0, "pb_c_base": 50.0}
    yield (
        base | puct | {"q_transform": "min_max", "min_value": -1.0, "max_value": 2.0, "rewards": True, "pb_c_init": 2.5}
    )


def main():
    """Writes the file, or answers."""
    if sys.argv[1:] == ["-"]:
        json.dump([list(results(case)) for case in json.load(sys.stdin)], sys.stdout)
        return
    lines = [json.dumps(case | {"results": list(results(case))}, separators=(",", ":")) for case in cases()]
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
