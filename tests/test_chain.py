"""Chains: what they are made of, what is refused, what comes out; and walks, byte for byte, from the slow twin."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import networkx
import numpy as np
import pytest
import scipy.sparse
from hypothesis import example, given
from hypothesis import strategies as st
from slowthink import _run, testing
from slowthink.chains import MarkovChain
from slowthink.reference import chains as slow
from slowthink.reference.random import Stream, seed

MATRIX = np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0], [0.125, 0.0, 0.875]])


def rows(chain: MarkovChain) -> list[slow.Row]:
    """The rows of a chain as the slow twin takes them."""
    pairs = (chain.row(state) for state in range(chain.n_states))
    return [list(zip(targets.tolist(), p.tolist(), strict=True)) for targets, p in pairs]


def assert_rows(chain: MarkovChain, expected: list[slow.Row], rtol: float = 4e-16) -> None:
    found = rows(chain)
    assert [[to for to, _ in row] for row in found] == [[to for to, _ in row] for row in expected]
    np.testing.assert_allclose([p for row in found for _, p in row], [p for row in expected for _, p in row], rtol=rtol)


# --- what goes in


@given(testing.transition_matrices())
def test_a_matrix_is_kept_as_it_is(matrix: np.ndarray) -> None:
    chain = MarkovChain(matrix)
    assert chain.n_states == len(matrix)
    assert chain.n_transitions == np.count_nonzero(matrix)
    np.testing.assert_array_equal(chain.to_dense(), matrix)
    for other in (scipy.sparse.csr_array(matrix), (chain.indptr, chain.indices, chain.probabilities)):
        np.testing.assert_array_equal(MarkovChain(other).to_dense(), matrix)


@given(testing.weighted_graphs(), st.booleans())
def test_weights_and_edges_equal_the_twin(graph: dict[str, Any], absorb: bool) -> None:
    entries = list(zip(graph["source"].tolist(), graph["target"].tolist(), graph["weight"].tolist(), strict=True))
    dangling = "absorb" if absorb else "error"
    sparse = scipy.sparse.coo_array((graph["weight"], (graph["source"], graph["target"])), [graph["n_states"]] * 2)
    try:
        expected = slow.rows(graph["n_states"], entries, absorb=absorb)
    except ValueError:
        with pytest.raises(ValueError, match="source must have an edge of positive weight out of every state"):
            MarkovChain.from_edges(**graph, dangling=dangling)
        with pytest.raises(ValueError, match=r"weights\[\d+\] must have a positive entry"):
            MarkovChain.from_weights(sparse, dangling=dangling)
        return
    chain = MarkovChain.from_edges(**graph, dangling=dangling)
    assert_rows(chain, expected, rtol=2e-15)  # sums of parallel edges are rounded one by one
    assert_rows(MarkovChain.from_weights(sparse, dangling=dangling), expected, rtol=2e-15)
    assert_rows(MarkovChain.from_weights(sparse.toarray(), dangling=dangling), expected, rtol=2e-15)
    assert np.all(np.abs(np.add.reduceat(chain.probabilities, chain.indptr[:-1]) - 1) < 1e-15 * chain.n_states)


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
def test_sparse_matrices_of_any_format(form: str, kind: str) -> None:
    sparse = getattr(scipy.sparse, f"{form}_{kind}")(MATRIX)
    np.testing.assert_array_equal(MarkovChain(sparse).to_dense(), MATRIX)
    counts = getattr(scipy.sparse, f"{form}_{kind}")((8 * MATRIX).astype(np.int16))
    np.testing.assert_array_equal(MarkovChain.from_weights(counts).to_dense(), MATRIX)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.int8, np.uint64, ">i4", float])
def test_rows_in_any_order_with_duplicates_and_zeros(dtype: Any) -> None:
    indptr, indices = np.array([0, 5, 6, 8]), np.array([2, 0, 1, 0, 1, 2, 2, 0])
    values = np.array([0.25, 0.25, 0.0, 0.25, 0.25, 1.0, 0.875, 0.125])
    chain = MarkovChain((indptr.astype(dtype), indices.astype(dtype), values))
    np.testing.assert_array_equal(chain.to_dense(), MATRIX)
    assert chain.indices.tolist() == [0, 1, 2, 2, 0, 2]
    strided = np.repeat(indices.astype(dtype), 2)[::2]
    np.testing.assert_array_equal(MarkovChain((indptr, strided, values)).to_dense(), MATRIX)
    if dtype is not float:
        sparse = scipy.sparse.csr_array((values, indices.astype(np.int64), indptr))
        assert not sparse.has_sorted_indices
        np.testing.assert_array_equal(MarkovChain(sparse).to_dense(), MATRIX)
        ends = np.repeat(np.arange(3), np.diff(indptr)).astype(dtype), indices.astype(dtype)
        np.testing.assert_array_equal(MarkovChain.from_edges(*ends, values).to_dense(), MATRIX)


def test_rows_without_numbers_are_uniform() -> None:
    indptr, indices = [0, 3, 4, 6], [2, 0, 1, 0, 1, 2]
    for chain in (
        MarkovChain((indptr, indices, None)),
        MarkovChain.from_weights((indptr, indices, None)),
        MarkovChain.from_weights((indptr, indices, np.full(6, 0.1))),
        MarkovChain.from_edges([0, 0, 0, 1, 2, 2], indices),
        MarkovChain.from_edges([2, 0, 1, 0, 2, 0], [2, 1, 0, 0, 1, 2], np.full(6, 0.3)),
    ):
        assert chain.probabilities.tolist() == [1 / 3, 1 / 3, 1 / 3, 1, 0.5, 0.5]
        chain.walk(0, 1, rng=1)
        copy = 8 * 6  # of the transitions of a small chain
        assert chain.nbytes == 8 * 3 + 4 * 6 + copy, "no probabilities are stored, and no tables"


def test_a_tuple_of_three_rows_is_not_taken_for_sparse_rows() -> None:
    # Both readings of these numbers are valid: two states, or three.
    parts = ((0, 1, 3), (1, 0, 1), (1, 1, 3))
    with pytest.raises(ValueError, match="weights must be a list or an array where it has three rows"):
        MarkovChain.from_weights(parts)
    assert MarkovChain.from_weights(list(parts)).n_states == 3
    assert MarkovChain.from_weights(tuple(map(np.array, parts))).n_states == 2


def test_pandas_frames_are_dense_matrices() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(MATRIX, index=list("abc"), columns=list("abc"))
    np.testing.assert_array_equal(MarkovChain(frame).to_dense(), MATRIX)


def test_undirected_edges_lead_both_ways() -> None:
    chain = MarkovChain.from_edges([0, 1, 2], [1, 2, 2], [1.0, 2.0, 4.0], directed=False)
    np.testing.assert_array_equal(chain.to_dense() * [[1], [3], [6]], [[0, 1, 0], [1, 0, 2], [0, 2, 4]])


@pytest.mark.parametrize("cls", [networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph])
def test_graphs_equal_their_adjacency(cls: type[networkx.Graph]) -> None:
    rng = np.random.default_rng(3)
    names = [f"node {i}" for i in rng.permutation(30)]
    graph = cls()
    graph.add_nodes_from(names)
    for u, v in rng.integers(0, 30, (120, 2)):
        graph.add_edge(names[u], names[v], weight=float(rng.integers(1, 9)), cost=1.0)
    for weight, attribute in (("weight", "weight"), (None, None), ("cost", "cost")):
        adjacency = networkx.to_scipy_sparse_array(graph, nodelist=list(graph), weight=attribute)
        chain = MarkovChain.from_networkx(graph, weight, dangling="absorb")
        wanted = MarkovChain.from_weights(adjacency, dangling="absorb")
        np.testing.assert_array_equal(chain.to_dense(), wanted.to_dense())


def test_karate_club() -> None:
    graph = networkx.karate_club_graph()
    chain = MarkovChain.from_networkx(graph, weight=None)
    degrees = np.array([degree for _, degree in graph.degree()])
    assert (np.diff(chain.indptr) == degrees).all()
    walks = chain.walk(np.arange(34), 50, rng=1)
    assert all(graph.has_edge(a, b) for a, b in zip(walks[:, :-1].ravel(), walks[:, 1:].ravel(), strict=True))


def test_attributes_that_some_edges_lack() -> None:
    graph = networkx.Graph([("a", "b"), ("b", "c")])
    assert MarkovChain.from_networkx(graph).row(1)[1].tolist() == [0.5, 0.5], "no edge has a weight"
    with pytest.raises(
        ValueError, match="weight must be an attribute of every edge, got 'wieght', which 2 of them lack"
    ):
        MarkovChain.from_networkx(graph, "wieght")
    graph.edges["a", "b"]["weight"] = 3
    with pytest.raises(
        ValueError, match="weight must be an attribute of every edge, got 'weight', which 1 of them lack"
    ):
        MarkovChain.from_networkx(graph)
    graph.edges["b", "c"]["weight"] = "heavy"
    with pytest.raises(TypeError, match="weight"):
        MarkovChain.from_networkx(graph)
    graph.edges["b", "c"]["weight"] = 1
    assert MarkovChain.from_networkx(graph).row(1)[1].tolist() == [0.75, 0.25]
    graph.add_node("alone")
    with pytest.raises(ValueError, match="source must have an edge of positive weight out of every state"):
        MarkovChain.from_networkx(graph)
    with pytest.raises(ValueError, match="graph must have at least one node"):
        MarkovChain.from_networkx(networkx.Graph())
    with pytest.raises(TypeError, match="graph must be a networkx graph, got list"):
        MarkovChain.from_networkx([(0, 1)])


# --- what is refused


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        ([[0.5, 0.5], [0.5, 0.4]], r"transition_matrix\[1\] must have a sum of 1 within 1e-9 .*, got 0.9"),
        ([[0.5, 0.5], [1.5, -0.5]], r"transition_matrix\[1, 1\] must be a finite number of at least 0, got -0.5"),
        ([[0.5, 0.5], [np.nan, 1]], r"transition_matrix\[1, 0\] must be a finite number of at least 0, got NaN"),
        ([[0.5, 0.5], [np.inf, 1]], r"transition_matrix\[1, 0\] must be a finite number of at least 0, got inf"),
        ([[0.0, 0.0], [0.5, 0.5]], r"transition_matrix\[0\] must have a sum of 1 within 1e-9 .*, got 0"),
        ([[0.5, 0.5]], r"transition_matrix must be a square matrix of at least one row, got 1 x 2"),
        (np.zeros((0, 0)), r"transition_matrix must be a square matrix of at least one row, got 0 x 0"),
        (scipy.sparse.csr_array((2, 3)), r"transition_matrix must be a square matrix .* shape \(2, 3\)"),
        (scipy.sparse.csr_array((0, 0)), r"transition_matrix must be a square matrix .* shape \(0, 0\)"),
        (([0, 1], [0], [0.5, 0.5]), r"transition_matrix must have one number for each of 1 indices, got 2"),
        (([0, 1, 2], [0, 2], None), r"indices\[1\] must be at least 0 and below the number of states, 2, got 2"),
        (([0, 1, 2], [0, -1], None), r"indices\[1\] must be at least 0 and below the number of states, 2, got -1"),
        (([0, 1, 1], [0], None), r"transition_matrix\[1\] must have a positive entry"),
        (([0, 2, 1, 3], [0, 1, 2], None), r"indptr\[2\] must be at least indptr\[1\] = 2, got 1"),
        (([1, 2], [0, 0], None), r"indptr\[0\] must be 0, got 1"),
        (([0, 2], [0], None), r"indptr\[1\] must be the number of indices, 1, got 2"),
        (([0], [], None), r"indptr must have one element more than there are states"),
    ],
)
def test_what_is_wrong_with_a_matrix_is_named(matrix: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        MarkovChain(matrix)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"source": [0, 3]}, r"source\[1\] must be at least 0 and below n_states = 3, got 3"),
        ({"target": [0, -1]}, r"target\[1\] must be at least 0 and below n_states = 3, got -1"),
        ({"target": [0]}, r"target must have the length of source, 2, got 1 states"),
        ({"weight": [1.0, -2.0]}, r"weight\[1\] must be a finite number of at least 0, got -2"),
        ({"weight": [np.nan, 1.0]}, r"weight\[0\] must be a finite number of at least 0, got NaN"),
        ({"weight": [1.0]}, r"weight must have the length of source, 2, got 1 weights"),
        ({"weight": [1.0, 0.0]}, r"source must have an edge of positive weight out of every state .* state 1"),
        ({"n_states": 0}, r"n_states must be at least 1, got 0"),
        ({"n_states": None, "source": [], "target": []}, r"source must not be empty where n_states is not given"),
        ({"n_states": None, "target": [0, 2**32 - 1]}, r"target\[1\] must be .* below 4,294,967,295"),
        ({"dangling": "ignore"}, r"dangling must be 'error' or 'absorb', got 'ignore'"),
    ],
)
def test_what_is_wrong_with_edges_is_named(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        MarkovChain.from_edges(**{"source": [0, 1], "target": [1, 0], "n_states": 3, **arguments})


@pytest.mark.parametrize("error", [1e-6, -1e-6, 1e-5, -1e-5])
def test_rows_that_nearly_sum_to_one_lead_to_no_invalid_state(error: float) -> None:
    # The naive walk searches a draw in the cumulated row, and runs past its end where the sum is below the draw.
    row = np.array([0.25, 0.25, 0.5 + error])
    naive = np.searchsorted(np.cumsum(row), np.nextafter(1, 0), side="right")
    assert (naive == 3) == (error < 0)
    chain = MarkovChain.from_weights(np.tile(row, (3, 1)))
    assert chain.walk(0, 20_000, n_walks=20, rng=1).max() == 2
    assert abs(chain.row(0)[1].sum() - 1) < 1e-15
    with pytest.raises(ValueError, match="from_weights normalises rows"):
        MarkovChain(np.tile(row, (3, 1)))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([1e308, 1e308, 0.5e308], [0.4, 0.4, 0.2]),  # their sum is infinite
        ([5e-324, 5e-324, 0], [0.5, 0.5, 0]),
        ([5e-324, 0, 15e-324], [0.25, 0, 0.75]),
        ([1e-300, 1e-290, 1e-290], [5e-11, 0.5, 0.5]),
        ([0, 7.0, 0], [0, 1, 0]),
        ([-0.0, 1.0, 3.0], [0, 0.25, 0.75]),
        ([1e-299, 1.0, 0], [1e-299, 1.0, 0]),
    ],
)
def test_weights_of_any_size(weights: list[float], expected: list[float]) -> None:
    chain = MarkovChain.from_weights([weights] * 3)
    np.testing.assert_allclose(chain.to_dense()[1], expected, rtol=1e-10)
    assert chain.walk(0, 100, n_walks=3, rng=1).max() < 3


def test_a_weight_too_small_for_a_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weights\[0, 1\] must be zero or at least 1e-300 of the sum of its row"):
        MarkovChain.from_weights([[1.0, 1e-301], [1, 0]])
    with pytest.raises(ValueError, match=r"weight must be zero or at least 1e-300 .* got .* from state 0 to 1"):
        MarkovChain.from_edges([0, 0, 1], [0, 1, 0], [1.0, 1e-301, 1])
    with pytest.raises(
        ValueError, match=r"weight must have duplicates with a finite sum, got infinity from state 0 to 1"
    ):
        MarkovChain.from_edges([0, 0, 1], [1, 1, 0], [1e308, 1e308, 1])


# --- what comes out


@given(testing.transition_matrices())
def test_what_goes_out_comes_in_again(matrix: np.ndarray) -> None:
    chain = MarkovChain(matrix)
    sparse = chain.to_scipy()
    assert sparse.indices.dtype == sparse.indptr.dtype == np.int32
    assert scipy.sparse.csr_array((sparse.data, sparse.indices, sparse.indptr)).has_canonical_format
    np.testing.assert_array_equal(sparse.toarray(), matrix)
    graph = chain.to_networkx()
    assert list(graph) == list(range(len(matrix)))
    again = MarkovChain.from_networkx(graph)
    np.testing.assert_allclose(again.to_dense(), matrix, rtol=1e-15)
    for twin in (pickle.loads(pickle.dumps(chain)), copy.copy(chain), copy.deepcopy(chain)):
        assert (twin.indptr == chain.indptr).all()
        assert (twin.indices == chain.indices).all()
        assert twin.probabilities.tobytes() == chain.probabilities.tobytes()
        assert twin.walk(0, 9, rng=1).tobytes() == chain.walk(0, 9, rng=1).tobytes()


def test_a_pickle_of_uniform_rows_is_small() -> None:
    chain = MarkovChain.from_edges(np.repeat(np.arange(1000), 50), np.tile(np.arange(50), 1000), n_states=1000)
    assert len(pickle.dumps(chain)) < 4 * 50_000 + 8 * 1000 + 1000
    assert pickle.loads(pickle.dumps(chain)).nbytes == chain.nbytes == 4 * 50_000 + 8 * 1000


def test_a_chain_does_not_change() -> None:
    chain = MarkovChain(MATRIX)
    chain.probabilities[:] = 7
    chain.indices[:] = 7
    chain.indptr[:] = 7
    np.testing.assert_array_equal(chain.to_dense(), MATRIX)
    for name in ("n_states", "indptr", "probabilities"):
        with pytest.raises(AttributeError):
            setattr(chain, name, 1)
    assert repr(chain) == "MarkovChain(n_states=3, n_transitions=6)"


def test_memory_is_what_is_said() -> None:
    chain = MarkovChain(MATRIX)
    assert chain.nbytes == 8 * 3 + 12 * 6
    chain.walk(0, 1, rng=1)
    copy = 8 * (8 + 2 * 6)  # of the tables of a small chain: a line of states, and two words for each transition
    assert chain.nbytes == 8 * 3 + 28 * 6 + copy


def test_rows_are_named_by_their_state() -> None:
    targets, p = MarkovChain(MATRIX).row(2)
    assert (targets.tolist(), p.tolist()) == ([0, 2], [0.125, 0.875])
    with pytest.raises(ValueError, match="state must be below the number of states, 3, got 3"):
        MarkovChain(MATRIX).row(3)
    with pytest.raises(ValueError, match="state must be at least 0, got -1"):
        MarkovChain(MATRIX).row(-1)


# --- walks, from the slow twin


@given(testing.transition_matrices(), st.integers(0, 2**64 - 1), st.integers(0, 2**62))
@example(MATRIX, 0, 0)
def test_walks_are_those_of_the_twin(matrix: np.ndarray, rng: int, first: int) -> None:
    chain = MarkovChain(matrix)
    n = chain.n_states
    law = np.arange(1.0, n + 1) / (n * (n + 1) / 2)
    for arguments in ({"start": n - 1}, {"start": [0, n - 1, 0]}, {"start_distribution": law.tolist()}):
        found = chain.walk(n_steps=20, n_walks=3, rng=rng, first=first, **arguments)
        wanted = slow.walk(rows(chain), 20, n_walks=3, rng=rng, first=first, **arguments)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_row_of_more_than_two_to_the_24_transitions(weighted: bool) -> None:
    n = 2**24 + 3
    weight = np.ones(n)
    weight[5] = n - 1.0  # half of all
    source, target = np.zeros(n, np.uint32), np.arange(n, dtype=np.uint32)
    chain = MarkovChain.from_edges(source, target, weight if weighted else None, dangling="absorb")
    assert chain.n_transitions == 2 * n - 1
    assert chain.indptr[:3].tolist() == [0, n, n + 1]
    targets, p = chain.row(0)
    assert (targets == target).all()
    assert p[6] == pytest.approx(1 / (2 * n - 2) if weighted else 1 / n, rel=1e-12)
    assert chain.row(1)[0].tolist() == [1]
    found = chain.walk(0, 1, n_walks=4000, rng=3)[:, 1]
    if weighted:
        assert abs(np.count_nonzero(found == 5) - 2000) < 5 * np.sqrt(1000)  # 5 standard deviations
        assert found.max() > n // 2
    else:
        words = seed(_run.seed(3).tolist())
        assert found.tolist() == [Stream(words, walk).draw() * n >> 64 for walk in range(4000)]
