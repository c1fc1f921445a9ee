"""Chains of clusters and their exact hitting times: published values, exact rationals, simulation."""

from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from slowthink.chains import MarkovChain
from slowthink.metastable import (
    MetastableChain,
    meta_chain,
    metastable_chain,
    reweight_edges,
    scaling,
    sparse_edge_search,
)
from slowthink.reference import metastable as slow

# n_clusters, cluster_size, epsilon, mean hitting time, source entries and the time with them
TABLE = [
    (8, 16, 0.1, 1127.0, 1, 1111.0),
    (8, 16, 0.05, 2247.0, 1, 2231.0),
    (8, 16, 0.01, 11207.0, 1, 11191.0),
    (8, 32, 0.01, 22407.0, 0, 22407.0),
    (16, 16, 0.01, 24015.0, 2, 23983.0),
    (32, 16, 0.01, 49631.0, 4, 49567.0),
]


def with_source_entries(n_clusters: int, n: int, entry: int = 1) -> np.ndarray:
    """Entry states of which those of the first ``n`` clusters on the way from cluster 0 to the last are sources."""
    entries = np.full(n_clusters, entry)
    entries[1 : 1 + n] = 0
    return entries


def solved(made: MetastableChain, target: int) -> np.ndarray:
    """Mean hitting times by LU, good enough for an epsilon that is not small."""
    matrix = made.chain.to_dense()
    others = np.flatnonzero(made.labels != target)
    times = np.zeros(made.n_states)
    times[others] = np.linalg.solve(np.eye(len(others)) - matrix[np.ix_(others, others)], np.ones(len(others)))
    return times


@pytest.mark.parametrize(("k", "m", "epsilon", "time", "n", "less"), TABLE)
def test_the_table_of_the_ring(k: int, m: int, epsilon: float, time: float, n: int, less: float):
    ring = metastable_chain(k, m, epsilon)
    assert ring.expected_hitting_time() == pytest.approx(time, rel=1e-14)
    assert ring.expected_hitting_time(0) == pytest.approx(time - m, rel=1e-14)
    some = metastable_chain(k, m, epsilon, entries=with_source_entries(k, n))
    assert some.expected_hitting_time() == pytest.approx(less, rel=1e-14)
    for made in (ring, some):
        np.testing.assert_allclose(made.expected_hitting_time(np.arange(k * m)), solved(made, k - 1), rtol=1e-9)


def test_entries_of_the_first_and_the_last_cluster_do_not_matter():
    entries = with_source_entries(8, 0)
    entries[[0, 7]] = 0
    assert metastable_chain(8, 16, 0.1, entries=entries).expected_hitting_time() == 1127.0


@pytest.mark.parametrize(("n_sources", "j", "time"), [(2, 0, 567.0), (2, 3, 543.0), (4, 2, 279.0)])
def test_several_sources(n_sources: int, j: int, time: float):
    made = metastable_chain(8, 16, 0.1, n_sources=n_sources, entries=with_source_entries(8, j, n_sources))
    assert made.expected_hitting_time() == pytest.approx(time, rel=1e-14)
    assert solved(made, 7)[made.start] == pytest.approx(time, rel=1e-10)


@pytest.mark.parametrize(("k", "time"), [(8, 25616.0), (16, 102464.0), (32, 409856.0)])
def test_the_cycle_takes_the_square_of_the_clusters(k: int, time: float):
    cycle = metastable_chain(k, 16, 0.01, meta_graph="cycle")
    assert cycle.expected_hitting_time(target=k // 2) == pytest.approx(time, rel=1e-14)
    one_jump = metastable_chain(k, 16, 0.01).expected_hitting_time(target=1)
    # The neighbour behind is K - 1 jumps away, not one; the complete graph takes as many to any cluster.
    assert cycle.expected_hitting_time() == pytest.approx((k - 1) * one_jump, rel=1e-14)
    complete = metastable_chain(k, 16, 0.01, meta_graph="complete")
    for target in (1, k // 2, k - 1):
        assert complete.expected_hitting_time(target=target) == pytest.approx((k - 1) * one_jump, rel=1e-14)


def made_by(draw: st.DrawFn) -> dict[str, Any]:
    k, m = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    n_sources, n_targets = draw(st.integers(1, m)), draw(st.integers(1, m))
    entries = draw(st.sampled_from(["distinct", "source", "random"]))
    assume(entries != "distinct" or n_sources + n_targets <= m)
    assume(entries != "source" or n_targets <= n_sources)
    return {
        "n_clusters": k,
        "cluster_size": m,
        "n_sources": n_sources,
        "n_targets": n_targets,
        "entries": entries,
        "meta_graph": draw(st.sampled_from(["ring", "complete", "cycle", "random"])),
        "degree": draw(st.integers(1, k - 1)),
        "rng": draw(st.integers(0, 2**32)),
    }


@given(st.composite(made_by)(), st.integers(0, 100), st.data())
def test_the_oracle_equals_exact_rationals(arguments: dict[str, Any], power: int, data: st.DataObject):
    k, m = arguments["n_clusters"], arguments["cluster_size"]
    epsilon = float(Fraction(1, 10) ** power)
    made = metastable_chain(epsilon=epsilon, **arguments)
    edges = {(int(a), int(b)) for a, b in made.meta_edges}
    entries = [[int(e) - cluster * m for e in made.entries[cluster]] for cluster in range(k)]
    exact = slow.transition_matrix(k, m, Fraction(epsilon), edges, made.n_sources, entries)
    np.testing.assert_allclose(made.chain.to_dense(), np.array(exact, dtype=float), rtol=4e-15, atol=0)
    target = data.draw(st.integers(0, k - 1) if arguments["meta_graph"] != "random" else st.just(k - 1))
    times = slow.mean_hitting_times(exact, set(made.cluster(target).tolist()))
    found = made.expected_hitting_time(np.arange(k * m), target=target)
    np.testing.assert_allclose(found, np.array(times, dtype=float), rtol=1e-13, atol=0)


@pytest.mark.parametrize("meta_graph", ["ring", "complete", "cycle", "random"])
@pytest.mark.parametrize("epsilon", [0.1, 1e-8, 1e-30, 1e-100])
def test_elimination_agrees(meta_graph: Any, epsilon: float):
    made = metastable_chain(9, 8, epsilon, meta_graph=meta_graph, n_sources=3, n_targets=2, entries="random", rng=4)
    found = made.chain.mean_hitting_times(made.target)
    np.testing.assert_allclose(found, made.expected_hitting_time(np.arange(72)), rtol=1e-13, atol=0)


@pytest.mark.parametrize("meta_graph", ["ring", "complete", "cycle", "random"])
def test_simulated_times_agree(meta_graph: Any):
    for epsilon in (0.1, 1e-9):
        made = metastable_chain(6, 8, epsilon, meta_graph=meta_graph, n_sources=2, entries="random", rng=5)
        # Six standard errors: a false alarm in some 5e8 calls.
        found = made.chain.sample_hitting_times(made.target, made.start, n_walks=4000, max_steps=2**62, rng=3)
        gap = found.mean() - made.expected_hitting_time()
        assert abs(gap) < 6 * found.standard_error, (epsilon, found.mean(), made.expected_hitting_time())


def test_a_given_graph_may_miss_the_target():
    edges = np.array([[0, 1], [0, 2], [1, 3]])
    made = metastable_chain(4, 3, 1e-6, meta_graph=edges)
    assert made.meta_graph == "edges"
    assert made.expected_hitting_time([0, 3, 4, 6, 9]).tolist() == [np.inf, 3e6 - 2, 3e6 + 1, np.inf, 0]
    assert (made.chain.to_dense()[6:9, 6:9] == 1 / 3).all()  # never left
    assert made.expected_hitting_time(target=1) == np.inf
    same = metastable_chain(4, 3, 1e-6, meta_graph=[(k, (k + 1) % 4) for k in (3, 1, 0, 2)])
    assert same.expected_hitting_time() == pytest.approx(metastable_chain(4, 3, 1e-6).expected_hitting_time())


def test_random_clusters_keep_their_words():
    for seed in range(5):
        regular = metastable_chain(4, 30, 1e-3, within="regular", cluster_degree=4, rng=seed)
        inside = regular.chain.to_dense()[:30, :30]
        inside[0] /= 1 - 1e-3
        np.testing.assert_allclose(inside.sum(axis=0), 1)  # a uniform stationary law
        assert np.linalg.matrix_power(inside, 60).min() > 0.8 / 30  # mixes
        assert set((inside * 4).round().astype(int).ravel()) <= {0, 1, 2, 3}
        weights = metastable_chain(4, 30, 1e-3, within="random", rng=seed).chain.to_dense()[1, :30]
        assert weights.min() > 0
        assert weights.std() > 0.3 / 30
    assert metastable_chain(2, 9, 0.1, within="regular", rng=1).chain.to_dense()[5, :9].max() >= 1 / 5


def test_only_uniform_clusters_have_a_closed_form():
    made = metastable_chain(4, 3, 0.1, within="random", rng=1)
    with pytest.raises(ValueError, match="start has no hitting time in closed form unless within is 'uniform'"):
        made.expected_hitting_time()


def test_attributes():
    made = metastable_chain(3, 5, 1e-100, n_sources=2, n_targets=2, meta_graph="complete", group=3, rng=1)
    assert made.labels.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert made.sources.tolist() == [[0, 1], [5, 6], [10, 11]]
    assert made.entries.tolist() == [[2, 3], [7, 8], [12, 13]]
    assert (made.start, made.target.tolist()) == (2, [10, 11, 12, 13, 14])
    assert len(made.sparse_edges) == 3 * 2 * 2 * 2
    matrix = made.chain.to_dense()
    source, target = made.sparse_edges.T
    assert (matrix[source, target] == 1e-100 / 4).all()
    assert set(made.edge_actions.tolist()) == {1, 2}  # type: ignore[union-attr]
    assert repr(made) == (
        "MetastableChain(n_clusters=3, cluster_size=5, epsilon=1e-100, meta_graph='complete', n_sparse_edges=24, "
        "group of 3)"
    )
    again = pickle.loads(pickle.dumps(made))
    assert again.expected_hitting_time() == made.expected_hitting_time()
    assert (again.chain.to_dense() == matrix).all()
    assert metastable_chain(3, 2, 0.1, n_sources=2, entries="source").start == 0


def test_a_seed_repeats_and_parts_are_independent():
    words: dict[str, Any] = {"meta_graph": "random", "entries": "random", "group": 5}
    one, other = (metastable_chain(20, 9, 0.1, rng=rng, **words) for rng in (7, np.random.default_rng(7)))
    assert (one.sparse_edges == other.sparse_edges).all()
    assert (one.sparse_edges != metastable_chain(20, 9, 0.1, rng=8, **words).sparse_edges).any()
    denser = metastable_chain(20, 9, 0.5, rng=7, within="random", **words)
    assert (one.sparse_edges == denser.sparse_edges).all()
    assert (one.edge_actions == denser.edge_actions).all()  # type: ignore[operator]


def test_value_stability():
    # A changed value here changes every seeded result: it needs a line in CHANGELOG.md.
    words: dict[str, Any] = {"within": "regular", "cluster_degree": 3, "entries": "random", "group": 7}
    made = metastable_chain(4, 5, 0.1, meta_graph="random", degree=2, rng=1, **words)
    assert made.edge_actions is not None
    assert made.meta_edges[:, 1].tolist() == [1, 2, 0, 3, 0, 3, 1, 2]
    assert made.entries.ravel().tolist() == [4, 5, 14, 15]
    assert made.edge_actions.tolist() == [5, 2, 5, 2, 4, 2, 3, 6]
    assert made.chain.indices[:16].tolist() == [0, 4, 5, 14, 1, 3, 4, 1, 2, 0, 3, 2, 4, 4, 5, 7]
    assert metastable_chain(4, 5, 0.1, within="random", rng=1).chain.row(1)[1][0] == 0.09375337769154163


def symmetric_group() -> np.ndarray:
    """The permutations of three things: entry (a, b) is a after b."""
    elements = list(permutations(range(3)))
    return np.array([[elements.index(tuple(a[i] for i in b)) for b in elements] for a in elements])


def test_actions_compose_along_walks():
    table = symmetric_group()
    shuffle = np.array([3, 0, 5, 1, 4, 2])  # the identity is not element 0
    table = shuffle[table][np.ix_(np.argsort(shuffle), np.argsort(shuffle))]
    made = metastable_chain(5, 3, 0.4, meta_graph="complete", group=table, rng=2)
    assert made.group is not None
    assert made.edge_actions is not None
    assert 3 not in made.edge_actions
    walks = made.chain.walk(1, 60, n_walks=50, rng=4)
    action = {(int(x), int(y)): int(a) for (x, y), a in zip(made.sparse_edges, made.edge_actions, strict=True)}
    expected = []
    for walk in walks.tolist():
        value = 3
        for step in pairwise(walk):
            value = int(table[action[step], value]) if step in action else value
        expected.append(value)
    assert made.compose(walks).tolist() == expected
    assert made.compose(walks[0]) == expected[0]
    assert len(set(expected)) == 6
    with pytest.raises(ValueError, match=r"walks\[1, 2\] must step from cluster to cluster along sparse edges"):
        made.compose([[0, 1, 2], [1, 2, 5]])
    with pytest.raises(ValueError, match="walks must be on a chain whose edges have actions"):
        metastable_chain(5, 3, 0.4).compose(walks)


@pytest.mark.parametrize(
    ("group", "text"),
    [
        ([[0, 1], [1, 1]], "group must have each element once in each row and column"),
        ([[0, 1, 2], [1, 0, 2], [2, 2, 0]], "group must have each element once"),
        ([[0, 2, 1], [2, 1, 0], [1, 0, 2]], r"group must be associative: \(a b\) c = a \(b c\)"),
        ([[0]], "group must be a table of 2 to 512 elements"),
        (1, "group must be at least 2, got 1"),
    ],
)
def test_what_is_no_group_is_named(group: Any, text: str):
    with pytest.raises(ValueError, match=text):
        metastable_chain(3, 2, 0.1, group=group)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"n_clusters": 1}, "n_clusters must be at least 2, got 1"),
        ({"epsilon": 0}, "epsilon must be from 1e-300 to 1, got 0"),
        ({"epsilon": 1.5}, "epsilon must be from 1e-300 to 1, got 1.5"),
        ({"cluster_size": 1}, "n_targets must be at most cluster_size - n_sources = 0 where entries are distinct"),
        ({"n_sources": 4}, "n_sources must be at least 1 and at most cluster_size = 3, got 4"),
        ({"entries": [0, 1]}, r"entries must have 1 states for each of the 3 clusters, got shape \(2,\)"),
        ({"entries": [0, 1, 3]}, r"entries\[2\] must be below cluster_size, 3, got 3"),
        ({"entries": [[0, 0]] * 3, "n_targets": 2}, r"entries\[0, 1\] must differ from the other entries"),
        ({"meta_graph": "random"}, "degree must be at least 1 and below the number of clusters, 3, got 3"),
        ({"meta_graph": [[0, 3]]}, r"meta_graph\[0, 1\] must be below the number of clusters, 3, got 3"),
        ({"meta_graph": [[0, 1, 2]]}, "meta_graph must be a name or have two columns"),
        ({"meta_graph": "star"}, "meta_graph must be 'ring', 'complete', 'cycle' or 'random', got 'star'"),
        ({"within": "dense"}, "within must be 'uniform', 'regular' or 'random', got 'dense'"),
        ({"cluster_degree": 2}, "cluster_degree must be None unless within is 'regular'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], text: str):
    with pytest.raises(ValueError, match=text):
        metastable_chain(**{"n_clusters": 3, "cluster_size": 3, "epsilon": 0.1, **arguments})


@pytest.mark.parametrize("meta_graph", ["ring", "complete", "cycle", "random"])
@pytest.mark.parametrize("epsilon", [1e-100, 1e-6, 0.3])
def test_raised_edges_make_the_chain_of_the_larger_epsilon(meta_graph: Any, epsilon: float):
    words: dict[str, Any] = {"meta_graph": meta_graph, "n_sources": 2, "n_targets": 2, "entries": "random", "rng": 3}
    before, after = (metastable_chain(6, 5, e, **words) for e in (epsilon, 0.4))
    order = np.random.default_rng(1).permutation(len(before.sparse_edges))
    found = reweight_edges(before, before.sparse_edges[order], 0.4)
    np.testing.assert_allclose(found.to_dense(), after.chain.to_dense(), rtol=1e-15)
    # The mean time falls by epsilon_max / epsilon, up to the steps that cross.
    ratio = before.expected_hitting_time() / after.expected_hitting_time()
    assert ratio == pytest.approx(0.4 / epsilon, rel=0.3)
    unchanged = reweight_edges(before.chain, before.sparse_edges, epsilon / 2)
    assert (unchanged.to_dense() == before.chain.to_dense()).all()


def test_a_search_and_what_it_found_shorten_the_way():
    made = metastable_chain(6, 8, 1e-4)
    fast = reweight_edges(made, sparse_edge_search(made, rng=1), 0.2)
    exact = metastable_chain(6, 8, 0.2).expected_hitting_time()
    times = fast.sample_hitting_times(made.target, made.start, n_walks=20_000, max_steps=10**9, rng=2)
    assert abs(times.mean() - exact) < 6 * times.standard_error


def test_only_the_rows_of_the_edges_change():
    made = metastable_chain(3, 3, 0.1, meta_graph="complete")
    before, after = made.chain.to_dense(), reweight_edges(made, [[0, 4]], 0.5).to_dense()
    assert (after[1:] == before[1:]).all()
    assert after[0, 4] == 0.5
    np.testing.assert_allclose(after[0, [0, 1, 2, 7]], before[0, [0, 1, 2, 7]] * (0.5 / 0.95))
    whole = MarkovChain([[0.0, 1.0], [0.5, 0.5]])  # nothing else to take from
    assert reweight_edges(whole, [[0, 1]], 0.5).to_dense().tolist() == whole.to_dense().tolist()
    assert reweight_edges(whole, np.zeros((0, 2), int), 0.5).to_dense().tolist() == whole.to_dense().tolist()
    assert reweight_edges(whole, [[1, 0]], 1).to_dense().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("edges", "epsilon_max", "text"),
    [
        ([[0, 4], [1, 4]], 0.5, r"edges\[1\] must be a transition of the chain, got \(1, 4\)"),
        ([[0, 4], [0, 1], [0, 4]], 0.5, r"edges\[2\] must differ from the others, got \(0, 4\) again"),
        ([[0, 9]], 0.5, r"edges\[0, 1\] must be below the number of states, 9, got 9"),
        ([[0, 1, 2]], 0.5, "edges must have two columns"),
        ([[0, 4]], 0, "epsilon_max must be above 0 and at most 1, got 0"),
    ],
)
def test_edges_that_cannot_be_raised_are_named(edges: Any, epsilon_max: float, text: str):
    with pytest.raises(ValueError, match=text):
        reweight_edges(metastable_chain(3, 3, 0.1), edges, epsilon_max)


@pytest.mark.parametrize("epsilon", [1e-100, 0.1, 0.9])
def test_the_meta_chain_of_the_ring(epsilon: float, same_bytes: Any):
    made = metastable_chain(5, 7, epsilon, n_sources=3)
    found = same_bytes(lambda threads: meta_chain(made, threads=threads).to_dense())
    expected = np.zeros((5, 5))
    expected[np.arange(5), (np.arange(5) + 1) % 5] = 3 * epsilon / 7
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(found[off], expected[off], rtol=1e-14)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (meta_chain(made.chain, made.labels).to_dense() == found).all()


@given(st.integers(0, 2**32), st.integers(0, 100), st.sampled_from(["regular", "random"]))
def test_the_meta_chain_equals_exact_rationals(seed: int, power: int, within: Any):
    made = metastable_chain(3, 4, float(f"1e-{power}"), within=within, meta_graph="complete", n_sources=2, rng=seed)
    matrix = [[Fraction(float(p)) for p in row] for row in made.chain.to_dense()]
    if power == 0:
        with pytest.raises(ValueError, match=r"labels\[0\] must be such that each state has transitions within"):
            meta_chain(made)
        return
    exact = np.array(slow.meta_chain(matrix, made.labels.tolist()), dtype=float)
    np.testing.assert_allclose(meta_chain(made).to_dense(), exact, rtol=1e-13, atol=0)


def test_what_are_no_clusters_is_named():
    made = metastable_chain(3, 3, 0.1)
    with pytest.raises(ValueError, match="labels must be given for a MarkovChain"):
        meta_chain(made.chain)
    with pytest.raises(ValueError, match="labels must have one label for each of the 9 states, got 2"):
        meta_chain(made, [0, 1])
    with pytest.raises(ValueError, match=r"labels\[1\] must be below the number of states, 9, got 9"):
        meta_chain(made, [0, 9, 0, 1, 1, 1, 2, 2, 2])
    with pytest.raises(ValueError, match="labels must name each cluster from 0 on, got none equal to 1"):
        meta_chain(made, [0, 0, 0, 2, 2, 2, 0, 0, 0])
    with pytest.raises(ValueError, match="labels must name clusters that have one each, got several closed classes"):
        meta_chain(MarkovChain(np.eye(2)), [0, 0])
    with pytest.raises(TypeError, match="chain must be a MetastableChain or a MarkovChain, got ndarray"):
        meta_chain(np.eye(2), [0, 1])  # type: ignore[arg-type]


def test_scaling_in_the_clusters_their_states_and_epsilon():
    for meta_graph, power in (("ring", 1), ("complete", 1), ("cycle", 2)):
        found = scaling(meta_graph, n_clusters=[64, 128, 256], cluster_size=[16, 32], epsilon=[1e-3, 1e-6])  # type: ignore[arg-type]
        np.testing.assert_allclose(found.exponents, [power, 1, 1], atol=0.02)
        for a, k in enumerate(found.n_clusters[:1]):
            for b, m in enumerate(found.cluster_size):
                for c, epsilon in enumerate(found.epsilon):
                    made = metastable_chain(int(k), int(m), epsilon, meta_graph=meta_graph)  # type: ignore[arg-type]
                    target = int(k // 2 if meta_graph == "cycle" else k - 1)
                    assert found.times[a, b, c] == pytest.approx(made.expected_hitting_time(target=target))
        assert (found.ratio[0] > 0.9).all()
    # On the cycle the ratio to K M / epsilon grows with K: the caution.
    cycle = scaling("cycle", n_clusters=[8, 16, 32], cluster_size=16, epsilon=0.01)
    np.testing.assert_allclose(cycle.ratio.ravel(), [2, 4, 8], rtol=2e-3)
    assert np.isnan(cycle.exponents[1:]).all()
    random = scaling("random", n_clusters=[16, 64, 256], cluster_size=16, epsilon=1e-3, n_graphs=30, rng=1)
    assert random.per_graph.shape == (3, 1, 1, 30)
    assert np.isfinite(random.per_graph).all()
    assert 0.8 < random.exponents[0] < 1.2
    assert np.array_equal(
        random.per_graph,
        scaling("random", n_clusters=[16, 64, 256], cluster_size=16, epsilon=1e-3, n_graphs=30, rng=1).per_graph,
    )


def test_a_grid_out_of_range_is_named():
    with pytest.raises(ValueError, match="n_clusters must be at least 2, got 1"):
        scaling(n_clusters=1)
    with pytest.raises(ValueError, match=r"epsilon\[1\] must be at least 1e-300, got 0"):
        scaling(epsilon=[0.1, 0.0])
    with pytest.raises(ValueError, match="cluster_size must hold at least one number"):
        scaling(cluster_size=[])
    with pytest.raises(ValueError, match="target must be 'last' or 'opposite'"):
        scaling(target="first")  # type: ignore[arg-type]
