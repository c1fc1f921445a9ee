"""What is counted along walks: equal to counting walks that were written down, and to laws that are known."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from slowthink.chains import MarkovChain, TransitionCounts
from slowthink.reference import observables as slow
from test_walks import CHAINS, LANES, chi_square, random_chain, starts

LEVEL = 1e-7
"""A sound kernel fails one of these tests, over all its seeds, about once in ten million."""

WIDE = random_chain(3000, 3, "weighted")
"""More states than a dense matrix of pairs is made for."""


def as_dict(counts: TransitionCounts) -> dict[tuple[int, int], int]:
    entries = zip(counts.source.tolist(), counts.indices.tolist(), counts.counts.tolist(), strict=True)
    return {(i, j): n for i, j, n in entries if n}


# --- equal to counting what was written down


@given(
    st.sampled_from(["uniform, near", "weighted, near", "mixed, near", "absorbing"]),
    st.integers(0, 300),
    st.integers(0, 12),
    st.integers(0, 14),
    st.integers(1, 14),
    st.integers(0, 2**64 - 1),
)
def test_equals_the_twin(name: str, n_walks: int, n_steps: int, from_step: int, lag: int, first: int):
    chain = CHAINS[name]
    start = starts(chain, n_walks)
    same: dict[str, Any] = {"start": start, "n_steps": n_steps, "rng": 1, "first": first}
    walks = chain.walk(**same)
    rows = walks.tolist()
    assert chain.count_visits(**same, from_step=from_step).tolist() == slow.visits(rows, chain.n_states, from_step)
    assert as_dict(chain.count_transitions(**same, lag=lag, from_step=from_step)) == slow.transitions(
        rows, lag, from_step
    )
    assert chain.endpoints(**same).tolist() == walks[:, -1].tolist()
    labels = [state % 5 - 1 for state in range(chain.n_states)]
    assert chain.occupancy(**same, labels=labels).tolist() == slow.occupancy(rows, labels, n_steps)
    every = chain.occupancy(**same)
    assert every.tolist() == slow.occupancy(rows, range(chain.n_states), n_steps)
    chosen = [3, 0, 1]
    np.testing.assert_array_equal(chain.occupancy(**same, states=chosen), every[:, chosen])


@pytest.mark.parametrize("chain", [WIDE, CHAINS["uniform, far"], CHAINS["weighted, far"]])
def test_equals_the_twin_on_many_states(chain: MarkovChain, same_bytes):
    start = starts(chain, 700)
    walks = chain.walk(start, 40, rng=2)
    visits = same_bytes(lambda threads: chain.count_visits(start, 40, from_step=3, rng=2, threads=threads))
    np.testing.assert_array_equal(visits, np.bincount(walks[:, 3:].ravel(), minlength=chain.n_states))
    for lag in (1, 2, 5, 40, 41):
        counts = same_bytes(lambda threads, lag=lag: chain.count_transitions(start, 40, lag, rng=2, threads=threads))
        assert as_dict(counts) == slow.transitions(walks.tolist(), lag)
        again = TransitionCounts(counts.indptr, counts.indices, counts.counts)  # which checks rows and their order
        assert again.total == 700 * max(41 - lag, 0)
    labels = np.arange(chain.n_states) % 3 - 1
    occupancy = same_bytes(lambda threads: chain.occupancy(start, 40, labels=labels, rng=2, threads=threads))
    expected = [[(labels[column] == label).sum() for label in (0, 1)] for column in walks.T]
    np.testing.assert_array_equal(occupancy, expected)


def test_few_threads_count_apart_and_many_by_parts():
    # So many counters that seven threads share them and one has its own.
    n = 3_000_000
    ring = MarkovChain.from_weights((np.arange(n + 1), np.roll(np.arange(n, dtype=np.int32), -1), None))
    start = np.random.default_rng(3).integers(0, n, 3000, dtype=np.uint32)
    expected = np.bincount((start[:, None] + np.arange(300)).ravel() % n, minlength=n)
    for threads in (1, 7):
        np.testing.assert_array_equal(ring.count_visits(start, 299, threads=threads), expected)
        counts = ring.count_transitions(start, 300, threads=threads).counts
        np.testing.assert_array_equal(counts, expected)
    spread = ring.occupancy(start[:1000], 1, threads=7)
    np.testing.assert_array_equal(spread[1], np.bincount((start[:1000] + 1) % n, minlength=n))


def test_transitions_are_in_the_order_of_the_chain():
    chain = CHAINS["mixed, near"]
    counts = chain.count_transitions(0, 10, rng=1)
    np.testing.assert_array_equal(counts.indptr, chain.indptr)
    np.testing.assert_array_equal(counts.indices, chain.indices)


def test_shards_add_up():
    chain, start = WIDE, starts(WIDE, 400)

    def shard(begin: int, end: int) -> tuple[Any, ...]:
        same: dict[str, Any] = {"start": start[begin:end], "n_steps": 30, "rng": 4, "first": begin}
        return (
            chain.count_visits(**same),
            chain.occupancy(**same, states=[5, 7]),
            chain.count_transitions(**same),
            chain.count_transitions(**same, lag=3),
        )

    parts = [shard(0, 150), shard(150, 279), shard(279, 400)]
    for whole, one, two, three in zip(shard(0, 400), *parts, strict=True):
        total = one + two + three
        if isinstance(whole, TransitionCounts):
            assert as_dict(total) == as_dict(whole)
        else:
            np.testing.assert_array_equal(total, whole)


def test_a_row_longer_than_a_part_of_the_counters():
    hub = 70_000
    source = np.concatenate([np.zeros(hub, int), np.arange(1, hub)])
    target = np.concatenate([np.arange(hub), np.zeros(hub - 1, int)])
    indptr = np.searchsorted(source, np.arange(hub + 1))
    star = MarkovChain.from_weights((indptr, target, np.random.default_rng(5).random(len(source))))
    walks = star.walk(0, 50, n_walks=500, rng=6)
    assert as_dict(star.count_transitions(0, 50, n_walks=500, rng=6)) == slow.transitions(walks.tolist())
    assert as_dict(star.count_transitions(0, 50, 2, n_walks=500, rng=6)) == slow.transitions(walks.tolist(), 2)


def test_value_stability():
    chain, start = WIDE, starts(WIDE, 200)
    visits = chain.count_visits(start, 50, rng=7, first=2**33)
    counts = chain.count_transitions(start, 50, rng=7, first=2**33).counts
    ends = chain.endpoints(start, 50, rng=7, first=2**33)
    occupancy = chain.occupancy(start, 50, labels=np.arange(3000) % 4, rng=7, first=2**33)
    numbers = np.arange(1, 3001)
    found = [int(visits @ numbers), int(counts @ np.arange(len(counts))), int(ends @ np.arange(200))]
    assert [*found, *occupancy[50].tolist()] == PINNED


PINNED = [15298223, 44908243, 32387572, 51, 61, 44, 44]


# --- known laws


def test_occupancy_of_two_states_by_step():
    a, b, n_walks = 0.1, 0.35, 200_000
    found = MarkovChain([[1 - a, a], [b, 1 - b]]).occupancy(1, 30, n_walks=n_walks, rng=8)
    home = b / (a + b)
    for step, (here, there) in enumerate(found):
        p = home * (1 - (1 - a - b) ** step)
        assert here + there == n_walks
        assert binom.ppf(LEVEL, n_walks, p) <= here <= binom.isf(LEVEL, n_walks, p), step


def test_return_to_where_one_started_on_a_ring():
    # After 2 m steps of a fair walk on a ring longer than that, the chance to be back is binomial.
    n, n_walks = 101, 300_000
    step = np.arange(n)[:, None] + [-1, 1]
    ring = MarkovChain.from_weights((np.arange(0, 2 * n + 1, 2), (step % n).ravel(), None))
    found = ring.occupancy(7, 60, states=[7], n_walks=n_walks, rng=9)[:, 0]
    assert not found[1::2].any()
    for m in range(31):
        p = binom.pmf(m, 2 * m, 0.5)
        assert binom.ppf(LEVEL, n_walks, p) <= found[2 * m] <= binom.isf(LEVEL, n_walks, p), m


@pytest.mark.parametrize("name", ["uniform, near", "weighted, near", "mixed, near"])
def test_states_after_some_steps_follow_the_power_of_the_matrix(name: str):
    chain = CHAINS[name]
    dense = np.zeros((500, 500))
    dense[np.repeat(np.arange(500), np.diff(chain.indptr)), chain.indices] = chain.probabilities
    law = np.random.default_rng(10).dirichlet(np.ones(500))
    same: dict[str, Any] = {"start_distribution": law, "n_walks": 400_000, "rng": 11}
    found = chain.occupancy(**same, n_steps=9)
    for step in (0, 1, 2, 3, 9):
        expected = 400_000 * law @ np.linalg.matrix_power(dense, step)
        seen = expected >= 5
        observed = np.r_[found[step][seen], found[step][~seen].sum()]
        assert chi_square(observed, np.r_[expected[seen], max(expected[~seen].sum(), 1e-9)]) > LEVEL, step
    np.testing.assert_array_equal(found.sum(axis=0), chain.count_visits(**same, n_steps=9))


# --- real graphs


def edges(shared_data: Path, name: str) -> np.ndarray:
    folder = shared_data / "graphs"
    if name == "karate":
        lists = [list(map(int, line.split())) for line in (folder / "karate.adjlist").read_text().splitlines()]
        return np.array([(i - 1, j - 1) for i, *others in lists for j in others])
    with lzma.open(folder / f"{name}.edgelist.xz", "rt") as file:
        return np.loadtxt(file, dtype=np.int64)


def graph(shared_data: Path, name: str, weighted: bool) -> tuple[MarkovChain, np.ndarray]:
    """The chain of a graph, and the sum of weights of each row. Undirected graphs have symmetric weights."""
    pairs = edges(shared_data, name)
    n = int(pairs.max()) + 1
    if name != "p2p-Gnutella08":
        pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    weights = np.random.default_rng(12).random(len(pairs)) + 0.1 if weighted else np.ones(len(pairs))
    if name != "p2p-Gnutella08":
        pairs = np.concatenate([pairs, pairs[pairs[:, 0] != pairs[:, 1]][:, ::-1]])
        loops = pairs[: len(weights), 0] == pairs[: len(weights), 1]
        weights = np.concatenate([weights, weights[~loops]])
    order = np.lexsort(pairs.T[::-1])
    indptr = np.searchsorted(pairs[order, 0], np.arange(n + 1))
    rows = (indptr, pairs[order, 1], weights[order] if weighted else None)
    sums = np.bincount(pairs[:, 0], weights, minlength=n)
    return MarkovChain.from_weights(rows, dangling="absorb"), sums


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["karate", "cora", "p2p-Gnutella08"])
def test_every_transition_of_a_real_graph_is_taken_at_its_rate(shared_data, name: str, weighted: bool):
    chain, _ = graph(shared_data, name, weighted)
    # As many walks from every state, so that each row is seen.
    start = np.repeat(np.arange(chain.n_states), 6_000_000 // chain.n_states)
    counts = chain.count_transitions(start, 2, rng=13)
    expected = counts.row_sums()[counts.source] * chain.probabilities
    ways = np.diff(chain.indptr)
    assert chain.n_transitions == len(counts.counts)
    assert (counts.counts[np.repeat(ways == 1, ways)] == expected[np.repeat(ways == 1, ways)]).all()
    # Rows in which each transition is expected often enough; of the others, their sums are tested elsewhere.
    often = np.minimum.reduceat(expected, chain.indptr[:-1]) >= 5
    tested = np.repeat(often & (ways > 1), ways)
    assert tested.mean() > 0.6
    df = int((ways[often] - 1).sum())
    level = chi_square(counts.counts[tested], expected[tested], df)
    assert LEVEL < level < 1 - LEVEL


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["karate", "cora"])
def test_visits_of_a_real_graph_follow_its_stationary_law(shared_data, name: str, weighted: bool):
    # On an undirected graph it is the sum of the weights of each row. Walks that start with it stay with it; one visit
    # of each walk makes independent counts.
    chain, sums = graph(shared_data, name, weighted)
    law = sums / sums.sum()
    for n_steps in (0, 1, 30):
        found = chain.count_visits(
            start_distribution=law, n_steps=n_steps, from_step=n_steps, n_walks=1_000_000, rng=14
        )
        assert found.sum() == 1_000_000
        seen = law > 0
        assert not found[~seen].any()
        level = chi_square(found[seen], 1_000_000 * law[seen])
        assert LEVEL < level < 1 - LEVEL, n_steps


def test_where_walks_end_on_a_graph_with_dead_ends(shared_data):
    chain, _ = graph(shared_data, "p2p-Gnutella08", False)
    dead = np.diff(chain.indptr) == 1
    dead &= chain.indices[chain.indptr[:-1]] == np.arange(chain.n_states)
    found = chain.occupancy(0, 300, labels=np.where(dead, 0, -1), n_walks=5 * LANES, rng=15)[:, 0]
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0
    assert found[-1] > 0.9 * 5 * LANES


@pytest.mark.parametrize("method", ["count_visits", "count_transitions", "endpoints", "occupancy"])
def test_progress_counts_steps(method: str):
    reports: list[tuple[int, int]] = []
    getattr(CHAINS["mixed, near"], method)(
        0, 3000, n_walks=LANES + 3, threads=2, progress=lambda *done: reports.append(done)
    )
    done, total = reports[-1]
    assert done == total
    # What is made of the counts in the end is counted too, in blocks of states.
    assert (LANES + 3) * 3000 <= total <= (LANES + 3) * 3000 + 256


# --- bad input


@pytest.mark.parametrize(
    ("method", "arguments", "error", "text"),
    [
        ("count_visits", {"from_step": -1}, ValueError, "from_step must be at least 0, got -1"),
        ("count_transitions", {"lag": 0}, ValueError, "lag must be at least 1, got 0"),
        ("count_transitions", {"lag": 1.5}, TypeError, "lag must be an int"),
        ("occupancy", {"labels": [0] * 4, "states": [0]}, TypeError, "states or labels may be given, not both"),
        ("occupancy", {"labels": [0, 1]}, ValueError, "labels must have one number for each of the 4 states, got 2"),
        ("occupancy", {"labels": [0, 1, -2, 0]}, ValueError, r"labels\[2\] must be at least -1, got -2"),
        ("occupancy", {"labels": [0, 1, 2**32, 0]}, ValueError, r"labels\[2\] must be below 4294967295"),
        ("occupancy", {"states": [0, 4]}, ValueError, r"states\[1\] must be below the number of states, 4, got 4"),
        ("occupancy", {"states": [2, 0, 2]}, ValueError, r"states\[0\] must be there once, got 2 again"),
        ("endpoints", {"n_walks": 2**60}, MemoryError, "takes 4,611,686,018,427,387,904 bytes"),
        ("occupancy", {"n_steps": 2**60}, MemoryError, "takes"),
    ],
)
def test_bad_input_is_named(method, arguments, error, text):
    with pytest.raises(error, match=text):
        getattr(CHAINS["absorbing"], method)(**{"start": 0, "n_steps": 3, **arguments})


def test_nothing_to_count():
    chain = CHAINS["absorbing"]
    assert chain.count_visits([], 5).tolist() == [0, 0, 0, 0]
    assert chain.count_visits(0, 5, from_step=6).tolist() == [0, 0, 0, 0]
    assert chain.count_transitions(0, 0).total == 0
    assert chain.count_transitions(0, 5, 2**62).total == 0
    assert WIDE.count_transitions(0, 5, 6).indptr.tolist() == [0] * 3001
    assert chain.endpoints([2, 0], 0).tolist() == [2, 0]
    assert chain.occupancy([], 2, labels=[-1, -1, -1, 0]).tolist() == [[0], [0], [0]]
    assert chain.occupancy(0, 2, labels=[-1] * 4).shape == (3, 0)
    assert chain.occupancy(0, 2, states=[]).shape == (3, 0)
