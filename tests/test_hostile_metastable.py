"""What users hand in by mistake to `slowthink.metastable`; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public name, of each method and property of its classes too. A name without
a case fails the test, so that a new function is fed with all of this from its first day. A second case of a name says
in brackets what is special.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from hostile import Hostile
from slowthink import metastable
from slowthink.chains import MarkovChain
from slowthink.metastable import (
    MetastableChain,
    SoftmaxPolicy,
    distill,
    local_information_task,
    metastable_chain,
    ppo,
    pretrain,
    scaling,
    search_budget,
    sparse_edge_search,
)

RING = metastable_chain(3, 3, 0.1, group=3, rng=1)
META_GRAPH = np.array([[0, 1], [1, 2], [2, 0], [1, 0]])
TABLE = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
EDGES = np.array([[3, 7], [0, 4]])
COUNTS = np.array([[5, 3, 0], [0, 2, 2], [1, 0, 4]])
LAW = np.array([0.25, 0.25, 0.0, 0.25, 0.0, 0.0, 0.25, 0.0, 0.0])

CASES: dict[str, dict[str, Any]] = {
    "Scaling.ratio": {},
    "Scaling.times": {},
    "SearchBudget": {
        "n_restarts": 3,
        "n_rollouts": 2,
        "n_cluster_steps": 40,
        "max_steps": 500,
        "miss_probability": 0.1,
    },
    "SearchBudget.n_steps": {},
    "SparseEdges.pool": {},
    "SparseEdges.precision": {"true": EDGES},
    "SparseEdges.recall": {"true": EDGES},
    "meta_chain": {"chain": RING.chain, "labels": np.array([0, 0, 0, 2, 2, 2, 1, 1, 1])},
    "meta_chain (family)": {"chain": RING},
    "DistillResult.escape_probabilities": {"rescaled": True},
    "DistillResult.n_clusters": {},
    "DistillResult.next_cluster": {"rescaled": False},
    "LocalInformation.chance": {},
    "LocalInformation.correlation": {},
    "MetastableChain.cluster": {"k": 1},
    "MetastableChain.compose": {"walks": np.array([[1, 0, 4, 3], [2, 1, 0, 0]])},
    "MetastableChain.expected_hitting_time": {"start": np.array([0, 1, 5])},
    "MetastableChain.n_sources": {},
    "MetastableChain.n_states": {},
    "MetastableChain.n_targets": {},
    "PpoResult.mean_hitting_times": {"targets": np.array([6, 7])},
    "PpoResult.mean_total_variation": {},
    "PpoResult.policy": {},
    "PretrainResult.end_of": {"stage": 1},
    "SoftmaxPolicy": {"chain": RING, "logits": np.linspace(-3, 3, RING.chain.n_transitions)},
    "SoftmaxPolicy.log_probabilities": {},
    "SoftmaxPolicy.n_states": {},
    "SoftmaxPolicy.to_chain": {},
    "SoftmaxPolicy.to_dense": {},
    "correlation": {"n_unread": np.array([0, 3, 5]), "n_elements": 4},
    "distill": {"chain": RING, "representatives": np.array([1, 3, 8])},
    "distill (walk)": {
        "chain": RING.chain,
        "labels": np.array([0, 0, 0, 2, 2, 2, 1, 1, 1]),
        "exact": False,
        "n_steps": 500,
        "beta": 2.0,
        "rng": 1,
    },
    "local_information_task": {"n_clusters": 3, "cluster_size": 3, "n_worlds": 4, "rng": 1},
    "local_information_task (table)": {"n_clusters": 3, "cluster_size": 3, "group": TABLE, "n_worlds": 4, "rng": 1},
    "metastable_chain": {"n_clusters": 3, "cluster_size": 3, "epsilon": 0.1, "rng": 1},
    "metastable_chain (arrays)": {
        "n_clusters": 3,
        "cluster_size": 4,
        "epsilon": 0.1,
        "meta_graph": META_GRAPH,
        "n_sources": 2,
        "n_targets": 2,
        "within": "regular",
        "entries": np.array([[0, 3], [2, 1], [1, 0]]),
        "group": TABLE,
        "rng": 1,
    },
    "ppo": {"chain": RING, "edges": EDGES, "epsilon_max": 0.25, "state_distribution": LAW},
    "ppo (batches)": {
        "chain": RING,
        "edges": EDGES,
        "epsilon_max": 0.25,
        "batch_size": 50,
        "n_iterations": 9,
        "rng": 1,
    },
    "pretrain": {"data": COUNTS, "n_steps_1": 90, "n_steps_2": 50, "threshold": 0.1},
    "pretrain (chain)": {"data": RING, "n_steps_1": 90, "n_steps_2": 50, "state_distribution": LAW},
    "reweight_edges": {"chain": RING, "edges": EDGES, "epsilon_max": 0.5},
    "scaling": {
        "n_clusters": np.array([4, 8]),
        "cluster_size": np.array([3, 5]),
        "epsilon": np.array([0.25, 0.125]),
        "rng": 1,
    },
    "search_budget": {"n_clusters": 4, "cluster_size": 5, "epsilon": 0.01},
    "sparse_edge_search": {"chain": RING, "max_steps": 50, "rng": 1},
    "sparse_edge_search (starts)": {
        "chain": RING.chain,
        "start": np.array([0, 3, 7]),
        "n_rollouts": 2,
        "n_cluster_steps": 30,
        "max_steps": 50,
        "stop_when": 2,
        "rng": 1,
    },
}
"""A small valid call of each public name; its array arguments are arrays here. A property takes none."""

MADE_BY_US = {
    "DistillResult",
    "LocalInformation",
    "MetastableChain",
    "PpoResult",
    "PretrainResult",
    "Scaling",
    "SparseEdges",
}
"""Public classes that only functions of ours construct."""

OBJECTS: dict[str, Any] = {
    "DistillResult": distill(RING),
    "LocalInformation": local_information_task(3, 3, n_worlds=4, rng=1),
    "MetastableChain": RING,
    "PpoResult": ppo(RING, EDGES, epsilon_max=0.25),
    "PretrainResult": pretrain(COUNTS, n_steps_1=90, n_steps_2=50),
    "Scaling": scaling(),
    "SearchBudget": search_budget(4, 5, 0.01),
    "SoftmaxPolicy": SoftmaxPolicy(RING),
    "SparseEdges": sparse_edge_search(RING, max_steps=50, rng=1),
}
"""One object of each, whose methods and properties are fed."""


MEMORY = {
    "metastable_chain": """
        from slowthink.metastable import metastable_chain
        inputs, call = [], lambda: metastable_chain(15, 1000, 1e-6).chain
    """,
    "reweight_edges": """
        from slowthink.metastable import metastable_chain, reweight_edges
        made = metastable_chain(10, 1000, 1e-6)
        inputs, call = [made.chain], lambda: reweight_edges(made, made.sparse_edges, 0.1)
    """,
}
"""Programs that set `inputs` and `call`, for large inputs and outputs."""


class TestMetastable(Hostile):
    cases = CASES
    memory = MEMORY

    def function(self, name: str) -> Callable[..., Any]:
        owner, _, attribute = name.partition(" (")[0].partition(".")
        if not attribute:
            return getattr(metastable, owner)
        if callable(inspect.getattr_static(type(OBJECTS[owner]), attribute)):
            return getattr(OBJECTS[owner], attribute)
        return lambda: getattr(OBJECTS[owner], attribute)

    def comparable(self, result: Any) -> Any:
        if isinstance(result, MarkovChain):
            return result.indptr, result.indices, result.probabilities
        if isinstance(result, MetastableChain):
            chain = result.chain
            parts = (result.sparse_edges, result.edge_actions, result.entries, result.meta_edges)
            return chain.indptr, chain.indices, chain.probabilities, parts
        return result


def attributes(owner: type) -> tuple[str, ...]:
    """The names of what an object holds: no calls."""
    return (*getattr(owner, "__slots__", ()), *getattr(owner, "__dataclass_fields__", ()))


def test_every_public_name_is_fed() -> None:
    fed = {name.partition(" (")[0] for name in CASES}
    members = {
        f"{owner}.{name}"
        for owner, value in OBJECTS.items()
        for name in dir(type(value))
        if not name.startswith("_") and name not in attributes(type(value))
    }
    callables = {name for name in metastable.__all__ if callable(getattr(metastable, name))}
    assert members | callables == fed | MADE_BY_US, "a new public name needs a case in CASES, and an old one none"
    assert not MADE_BY_US & fed
