"""What users hand in by mistake to `slowthink.chains`; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public name, of each method and property of `MarkovChain` too. A name without
a case fails the test, so that a new kernel is fed with all of this from its first day. A second case of a name says in
brackets what is special: "MarkovChain.from_weights (arrays)".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import networkx
import numpy as np
from hostile import Hostile
from slowthink import chains
from slowthink.chains import MarkovChain

MATRIX = np.array([[0.5, 0.25, 0.25, 0.0], [0.0, 0.0, 1.0, 0.0], [0.25, 0.0, 0.0, 0.75], [0.5, 0.0, 0.0, 0.5]])
WEIGHTS = np.array([[2, 1, 1, 0], [0, 0, 3, 0], [1, 0, 0, 3], [5, 0, 0, 5]])
ARRAYS = {
    "indptr": np.array([0, 3, 4, 6, 8]),
    "indices": np.array([0, 1, 2, 2, 0, 3, 0, 3]),
    "values": np.array([2, 1, 1, 3, 1, 3, 5, 5]),
}
CHAIN = MarkovChain(MATRIX)
GRAPH = networkx.Graph([("a", "b"), ("b", "c")])
TRAJECTORY = np.array([0, 1, 1, 2, 0, 2, 1, 0])
TRAJECTORIES = np.array([[0, 1, 1, 2, 0, 2], [1, 0, 2, 2, 1, 1], [2, 1, 0, 0, 1, 2]])
LAW = np.array([0.5, 0.25, 0.0, 0.25])
WALKS = {"start": np.array([0, 3, 2]), "n_steps": 3, "rng": 1}

CASES: dict[str, dict[str, Any]] = {
    "HittingTimes": {"times": np.array([3, 0, 4]), "states": np.array([1, 2, 0]), "max_steps": 5},
    "HittingTimes (watched)": {"times": np.array([3, 2, 4]), "max_steps": np.array([5, 2, 9])},
    "MarkovChain": {"transition_matrix": MATRIX},
    "MarkovChain (arrays)": {
        "indptr": ARRAYS["indptr"],
        "indices": ARRAYS["indices"],
        "transition_matrix": np.array([0.5, 0.25, 0.25, 1.0, 0.25, 0.75, 0.5, 0.5]),
    },
    "MarkovChain.from_edges": {
        "source": np.array([0, 0, 1, 2]),
        "target": np.array([1, 2, 2, 0]),
        "weight": np.array([1, 2, 3, 4]),
        "n_states": 3,
    },
    "MarkovChain.from_networkx": {"graph": GRAPH},
    "MarkovChain.from_trajectories": {"trajectories": TRAJECTORY},
    "MarkovChain.from_trajectories (rows)": {"trajectories": TRAJECTORIES, "lag": 2, "counting": "effective"},
    "MarkovChain.from_weights": {"weights": WEIGHTS},
    "MarkovChain.from_weights (arrays)": {
        "indptr": ARRAYS["indptr"],
        "indices": ARRAYS["indices"],
        "weights": ARRAYS["values"],
    },
    "MarkovChain.absorbing_states": {},
    "MarkovChain.absorption_probabilities": {},
    "MarkovChain.absorption_probabilities (sets)": {"classes": [np.array([1, 3]), 2], "method": "elimination"},
    "MarkovChain.communicating_classes": {},
    "MarkovChain.committor": {"source": np.array([0]), "target": np.array([False, False, True, False])},
    "MarkovChain.committor (backward)": {"source": np.array([0, 1]), "target": 3, "backward": True, "info": True},
    "MarkovChain.count_transitions": {**WALKS, "lag": 1},
    "MarkovChain.count_transitions (lag)": {**WALKS, "lag": 2, "from_step": 1},
    "MarkovChain.count_visits": {**WALKS, "from_step": 1},
    "MarkovChain.eigenvalues": {"k": 2},
    "MarkovChain.endpoints": WALKS,
    "MarkovChain.first_passage_distribution": {"targets": np.array([1]), "start": np.array([0, 3]), "n_steps": 3},
    "MarkovChain.first_passage_distribution (law)": {"targets": 1, "start_distribution": LAW, "n_steps": 3},
    "MarkovChain.hitting_probabilities": {"targets": np.array([1]), "avoid": np.array([3])},
    "MarkovChain.indices": {},
    "MarkovChain.indptr": {},
    "MarkovChain.is_aperiodic": {},
    "MarkovChain.is_irreducible": {},
    "MarkovChain.is_reversible": {"rtol": 1e-9},
    "MarkovChain.iter_walks": {**WALKS, "chunk": 2},
    "MarkovChain.kemeny_constant": {},
    "MarkovChain.mean_escape_times": {"states": np.array([0, 2])},
    "MarkovChain.mean_first_passage_times": {"returns": True},
    "MarkovChain.mean_hitting_times": {"targets": np.array([1]), "info": True},
    "MarkovChain.mean_hitting_times (costs)": {"targets": 2, "costs": np.array([1.0, 2.0, 0.0, 0.5])},
    "MarkovChain.lump": {"labels": np.array([0, 1, 1, 0]), "weights": np.array([2, 1, 1, 3])},
    "MarkovChain.mixing_time": {"epsilon": 0.125},
    "MarkovChain.mixing_time (start)": {"epsilon": 0.125, "start_distribution": LAW, "max_states": 2},
    "MarkovChain.n_states": {},
    "MarkovChain.metastable_sets": {"k": 3},
    "MarkovChain.nbytes": {},
    "MarkovChain.n_transitions": {},
    "MarkovChain.occupancy": {**WALKS, "labels": np.array([0, 2, 1, 0])},
    "MarkovChain.occupancy (states)": {"start_distribution": LAW, "n_steps": 3, "states": np.array([2, 0]), "rng": 1},
    "MarkovChain.period": {},
    "MarkovChain.probabilities": {},
    "MarkovChain.propagate": {"distribution": LAW, "n_steps": 3},
    "MarkovChain.propagate (rows)": {
        "distribution": np.array([LAW, [1, 0, -2, 0]]),
        "n_steps": 2,
        "return_all": True,
        "backward": True,
    },
    "MarkovChain.recurrent_classes": {},
    "MarkovChain.pseudo_spectral_gap": {"max_power": 3},
    "MarkovChain.rates": {"k": 2},
    "MarkovChain.row": {"state": 2},
    "MarkovChain.sample_hitting_probability": {
        "targets": np.array([1]),
        "start_distribution": np.array([0.25, 0.0, 0.5, 0.25]),
        "avoid": np.array([3]),
        "levels": np.array([0.0, 3.0, 1.0, 0.0]),
        "n_walks": 600,
        "rng": 1,
    },
    "MarkovChain.stationary_distribution": {},
    "MarkovChain.stationary_distribution (info)": {"method": "elimination", "tolerance": 1e-9, "info": True},
    "MarkovChain.stationary_distributions": {},
    "MarkovChain.spectral_gap": {"absolute": False},
    "MarkovChain.timescales": {"k": 2, "lag": 3},
    "MarkovChain.to_dense": {},
    "MarkovChain.to_networkx": {},
    "MarkovChain.to_scipy": {},
    "MarkovChain.sample_escape_times": {"states": np.array([0, 2]), "start": 2, "n_walks": 3, "max_steps": 9, "rng": 1},
    "MarkovChain.sample_hitting_times": {"targets": np.array([1]), "start": np.array([0, 3]), "max_steps": 9, "rng": 1},
    "MarkovChain.sample_hitting_times (labels)": {
        "targets": np.array([False, True, False, False]),
        "start_distribution": LAW,
        "n_walks": 3,
        "max_steps": 9,
        "rng": 1,
        "jumps": np.array([0, 0, 1, 0]),
    },
    "MarkovChain.time_reversal": {"stationary_distribution": np.array([4, 1, 2, 3])},
    "MarkovChain.transient_states": {},
    "MarkovChain.transition_paths": {"source": np.array([0]), "target": np.array([False, False, False, True])},
    "MarkovChain.walk": WALKS,
    "MarkovChain.walk (second order)": {**WALKS, "p": 2.0, "q": 0.5},
    "MarkovChain.walk (law)": {"start_distribution": LAW, "n_steps": 3, "n_walks": 4, "rng": 1},
    "chapman_kolmogorov": {
        "trajectories": TRAJECTORY,
        "lag": 1,
        "steps": 2,
        "weights": np.array([1, 2, 1]),
        "prior": 1.0,
        "n_samples": 3,
        "rng": 1,
    },
    "chapman_kolmogorov (sets)": {
        "trajectories": TRAJECTORIES,
        "lag": 1,
        "steps": np.array([1, 3]),
        "sets": np.array([[1, 0], [0.5, 0.5], [0, 1]]),
        "prior": 1.0,
        "n_samples": 3,
        "rng": 1,
    },
    "count_trajectories": {"trajectories": TRAJECTORY, "lag": 2},
    "count_trajectories (rows)": {"trajectories": TRAJECTORIES, "counting": "effective"},
    "fit_chain": {"counts": WEIGHTS},
    "fit_chain (reversible)": {"counts": WEIGHTS, "prior": WEIGHTS, "reversible": True},
    "largest_connected_set": {"counts": WEIGHTS},
    "log_likelihood": {"chain": CHAIN, "counts": WEIGHTS},
    "ngram_chain": {"text": "to be or not to be"},
    "sample_posterior": {"counts": WEIGHTS, "n_samples": 3, "rng": 1},
    "sample_posterior (reversible)": {"counts": WEIGHTS, "n_samples": 3, "reversible": True, "rng": 1},
    "TransitionCounts": {"indptr": ARRAYS["indptr"], "indices": ARRAYS["indices"], "counts": ARRAYS["values"]},
}
"""A small valid call of each public name; its array arguments are arrays here. A property takes none."""


def chain_of_arrays(indptr: Any, indices: Any, transition_matrix: Any) -> MarkovChain:
    return MarkovChain((indptr, indices, transition_matrix))


def weights_of_arrays(indptr: Any, indices: Any, weights: Any) -> MarkovChain:
    return MarkovChain.from_weights((indptr, indices, weights))


BOUND: dict[str, Callable[..., Any]] = {
    "MarkovChain": MarkovChain,
    "MarkovChain (arrays)": chain_of_arrays,
    "MarkovChain.from_weights (arrays)": weights_of_arrays,
}
"""How a case is called that is not the method of its name on `CHAIN`, nor the function of its name."""

MADE_BY_US: set[str] = {
    "ChainSamples",
    "ChapmanKolmogorov",
    "CommunicatingClasses",
    "FirstPassageDistribution",
    "FittedChain",
    "HittingProbability",
    "SolveInfo",
    "Lumping",
    "Survival",
    "TextChain",
    "MetastableSets",
    "TransitionPaths",
}
"""Public classes that only functions of ours construct."""

MEMORY = {
    "count_trajectories": """
        from slowthink.chains import count_trajectories
        inputs = [np.random.default_rng(1).integers(0, 100_000, 20_000_000, dtype=np.uint32)]
        def call():
            counts = count_trajectories(inputs[0])
            return counts.indptr, counts.indices, counts.counts
    """,
    "MarkovChain, dense": """
        matrix = np.random.default_rng(1).random((5000, 5000))
        matrix /= matrix.sum(axis=1, keepdims=True)
        inputs, call = [matrix], lambda: MarkovChain(matrix)
    """,
    "MarkovChain.from_edges": """
        rng = np.random.default_rng(1)
        inputs = [*rng.integers(0, 1_000_000, (2, 8_000_000), dtype=np.uint32), rng.random(8_000_000)]
        call = lambda: MarkovChain.from_edges(*inputs, directed=False, dangling="absorb")
    """,
    "MarkovChain.from_edges, no weights": """
        inputs = list(np.random.default_rng(1).integers(0, 1_000_000, (2, 20_000_000), dtype=np.uint32))
        call = lambda: MarkovChain.from_edges(*inputs, dangling="absorb")
    """,
    "MarkovChain.from_weights": """
        indptr = np.arange(0, 20_000_001, 20)
        indices = np.random.default_rng(1).integers(0, 1_000_000, 20_000_000, dtype=np.int32)
        inputs = [indptr, indices, np.random.default_rng(2).random(20_000_000)]
        call = lambda: MarkovChain.from_weights(tuple(inputs))
    """,
    "MarkovChain.to_scipy": """
        indices = np.random.default_rng(1).integers(0, 1_000_000, 20_000_000, dtype=np.int32)
        chain = MarkovChain.from_weights((np.arange(0, 20_000_001, 20), indices, None))
        def call():
            global matrix
            matrix = chain.to_scipy()
            return matrix.data, matrix.indices, matrix.indptr
        inputs = [chain]
    """,
}
"""Programs that set `inputs` and `call`, for large inputs and outputs."""


class TestChains(Hostile):
    cases = CASES
    memory = MEMORY

    def function(self, name: str) -> Callable[..., Any]:
        if name in BOUND:
            return BOUND[name]
        bare = name.partition(" (")[0]
        if not bare.startswith("MarkovChain."):
            return getattr(chains, bare)
        attribute = bare.removeprefix("MarkovChain.")
        if isinstance(inspect.getattr_static(MarkovChain, attribute), property):
            return lambda: getattr(CHAIN, attribute)
        return getattr(CHAIN, attribute)

    def comparable(self, result: Any) -> Any:
        if isinstance(result, MarkovChain):
            return result.indptr, result.indices, result.probabilities
        if isinstance(result, chains.TransitionPaths):
            fluxes = [self.comparable(flux) for flux in (result.gross_flux, result.net_flux)]
            return result.forward_committor, result.backward_committor, result.rate, fluxes
        if hasattr(result, "tocsr"):
            matrix = result.tocsr()
            return matrix.shape, matrix.indptr, matrix.indices, matrix.data
        if isinstance(result, networkx.Graph):
            return [tuple(edge) for edge in result.edges(data="weight")]
        return [self.comparable(item) for item in result] if isinstance(result, Iterator) else result


def test_every_public_name_is_fed() -> None:
    fed = {name.partition(" (")[0] for name in CASES}
    members = {f"MarkovChain.{name}" for name in dir(MarkovChain) if not name.startswith("_")}
    callables = {name for name in chains.__all__ if callable(getattr(chains, name))}
    assert members | callables == fed | MADE_BY_US, "a new public name needs a case in CASES, and an old one none"
