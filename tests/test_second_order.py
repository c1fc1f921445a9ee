"""Second-order walks (node2vec): their law against the whole law of each step, the extremes of p and q, determinism."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from slowthink.chains import MarkovChain
from slowthink.reference import second_order as slow

FALSE_ALARM = 1e-8
"""Probability with which a sound kernel fails a comparison of frequencies, about; the seeds are fixed."""

LEAST = 10.0
"""Expected count below which a cell is joined with others, so that the statistic has its limiting law."""

Matrix = npt.NDArray[np.float64]


def statistic(found: npt.NDArray[np.int64], law: Matrix) -> tuple[float, int]:
    """Pearson's statistic of counts that follow ``law``, and its degrees of freedom; rare cells count as one."""
    assert found[law == 0].sum() == 0, "a transition that the chain does not have"
    expected = law * found.sum()
    often = expected >= LEAST
    if expected[~often].sum() < LEAST and often.any():
        rarest = np.flatnonzero(often)[np.argmin(expected[often])]
        often[rarest] = False
    cells = [*zip(found[often], expected[often], strict=True)]
    if expected[~often].sum() >= LEAST:
        cells.append((found[~often].sum(), expected[~often].sum()))
    return sum((o - e) ** 2 / e for o, e in cells), max(len(cells) - 1, 0)


def assert_steps_follow(walks: npt.NDArray[np.uint32], matrix: Matrix, p: float, q: float) -> int:
    """Compares the steps out of each pair of states with their law; returns how many cells were compared."""
    n_states = len(matrix)
    previous, state, following = (walks[:, i : walks.shape[1] - 2 + i].ravel().astype(np.int64) for i in range(3))
    order = np.argsort(previous * n_states + state, kind="stable")
    pairs, begins = np.unique((previous * n_states + state)[order], return_index=True)
    total, cells = 0.0, 0
    for pair, steps in zip(pairs, np.split(following[order], begins[1:]), strict=True):
        if len(steps) > 2 * LEAST:
            law = slow.transition_probabilities(matrix, *divmod(int(pair), n_states), p, q)
            part, free = statistic(np.bincount(steps, minlength=n_states), law)
            total, cells = total + part, cells + free
    assert total < chi2.isf(FALSE_ALARM, max(cells, 1)), (total, cells)
    return cells


def undirected(edges: npt.NDArray[np.int64]) -> Matrix:
    n_states = edges.max() + 1
    matrix = np.zeros((n_states, n_states))
    matrix[edges[:, 0], edges[:, 1]] = matrix[edges[:, 1], edges[:, 0]] = 1
    return matrix


@pytest.fixture(scope="module")
def karate(shared_data: Path) -> Matrix:
    rows = [line.split() for line in (shared_data / "graphs/karate.adjlist").read_text().splitlines()]
    return undirected(np.array([(int(row[0]) - 1, int(to) - 1) for row in rows for to in row[1:]]))


@pytest.fixture(scope="module")
def cora(shared_data: Path) -> Matrix:
    return undirected(np.loadtxt(lzma.open(shared_data / "graphs/cora.edgelist.xz"), dtype=np.int64))


PQ = [(0.5, 2.0), (4.0, 0.25), (0.25, 0.25), (3.0, 3.0), (1.0, 5.0), (1.0, 0.2), (0.1, 1.0), (7.0, 1.0)]


@pytest.mark.parametrize(("p", "q"), PQ)
@pytest.mark.parametrize("kind", ["uniform", "weighted", "directed", "directed and weighted"])
def test_each_step_follows_its_law_on_a_real_graph(karate: Matrix, kind: str, p: float, q: float):
    rng = np.random.default_rng(5)
    matrix = karate.copy()
    if "directed" in kind:
        matrix *= rng.random(matrix.shape) < 0.75
        matrix[np.flatnonzero(matrix.sum(axis=1) == 0), 0] = 1
    if "weighted" in kind:
        matrix *= rng.uniform(0.1, 5, matrix.shape)
    chain = MarkovChain.from_weights(matrix)
    start = np.arange(4000) % len(matrix)
    assert assert_steps_follow(chain.walk(start, 40, p=p, q=q, rng=3), matrix, p, q) > 300


@pytest.mark.parametrize("weighted", [False, True])
def test_each_step_follows_its_law_on_a_citation_graph(cora: Matrix, weighted: bool):
    matrix = cora * np.random.default_rng(6).uniform(0.5, 2, cora.shape) if weighted else cora
    start = np.repeat(np.flatnonzero(matrix.any(axis=1)), 12)
    walks = MarkovChain.from_weights(matrix, dangling="absorb").walk(start, 30, p=0.5, q=2, rng=4)
    assert assert_steps_follow(walks, matrix, 0.5, 2) > 10_000


@pytest.mark.parametrize("p", [1e-3, 1e3])
@pytest.mark.parametrize("q", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", ["sparse", "dense", "directed", "weighted"])
def test_extreme_p_and_q(kind: str, p: float, q: float):
    # A dense row holds neighbours of the previous state and little else, a sparse one hardly any: with q far from 1 and
    # p large, rejection alone would try a thousand times a step in one of them, whatever its envelope.
    rng = np.random.default_rng(7)
    matrix = (rng.random((30, 30)) < (0.9 if kind == "dense" else 0.12)).astype(float)
    matrix = matrix if kind == "directed" else np.maximum(matrix, matrix.T)
    matrix[np.arange(30), (np.arange(30) + 1) % 30] = matrix[(np.arange(30) + 1) % 30, np.arange(30)] = 1
    if kind == "weighted":
        matrix *= rng.uniform(0.2, 5, matrix.shape)
    chain = MarkovChain.from_weights(matrix)
    assert_steps_follow(chain.walk(np.arange(6000) % 30, 40, p=p, q=q, rng=8), matrix, p, q)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("p", "q"), [(1e-300, 1.0), (1e-12, 1e300), (1e300, 1e300), (1e300, 1e-300), (1.0, 1e-300)])
def test_the_limits_of_p_and_q(weighted: bool, p: float, q: float):
    matrix = undirected(np.array([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 3), (0, 6)]))
    matrix *= np.random.default_rng(1).uniform(1, 2, matrix.shape) if weighted else 1
    walks = MarkovChain.from_weights(matrix).walk(np.arange(700) % 7, 30, p=p, q=q, rng=1)
    previous, state, following = (walks[:, i : i + 29].ravel() for i in range(3))
    assert (matrix[state, following] > 0).all()
    laws = {
        (i, j): slow.transition_probabilities(matrix, i, j, p, q) for i in range(7) for j in range(7) if matrix[i, j]
    }
    taken = np.array([laws[i, j][k] for i, j, k in zip(previous, state, following, strict=True)])
    assert (taken > 1e-9).all()
    assert_steps_follow(walks, matrix, p, q)


def test_a_return_edge_may_be_missing():
    # A directed ring with chords: no transition has its reverse, so that nothing of a small p is ever paid out.
    n = 40
    matrix = np.zeros((n, n))
    for step in (1, 3, 7):
        matrix[np.arange(n), (np.arange(n) + step) % n] = step
    for weights in (matrix, (matrix > 0).astype(float)):
        walks = MarkovChain.from_weights(weights).walk(np.arange(4000) % n, 40, p=1e-6, q=0.5, rng=1)
        assert assert_steps_follow(walks, weights, 1e-6, 0.5) > 200


def test_self_loops_and_absorbing_states():
    matrix = np.array([[2.0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 3, 0], [0, 0, 0, 1]])
    for weights in (matrix, (matrix > 0).astype(float)):
        for p, q in [*PQ, (1e3, 1e3), (1e-3, 1e3)]:
            walks = MarkovChain.from_weights(weights).walk(np.arange(6000) % 3, 20, p=p, q=q, rng=2)
            assert_steps_follow(walks, weights, p, q)
            assert (np.diff((walks == 3).astype(int), axis=1) >= 0).all()
    alone = MarkovChain.from_weights(np.diag([1.0, 1, 1])).walk([0, 1, 2], 50, p=1e3, q=1e-3, rng=1)
    assert (alone == np.arange(3)[:, None]).all()


@st.composite
def problems(draw: st.DrawFn) -> tuple[Matrix, float, float]:
    n = draw(st.integers(1, 7))
    some = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.5] if draw(st.booleans()) else [0.0, 1.0])
    matrix = np.array(draw(st.lists(some, min_size=n * n, max_size=n * n))).reshape(n, n)
    if draw(st.booleans()):
        matrix = np.maximum(matrix, matrix.T)
    matrix[matrix.sum(axis=1) == 0, draw(st.integers(0, n - 1))] = 1
    weight = st.sampled_from([1e-3, 0.25, 0.5, 1.0, 2.0, 4.0, 1e3])
    return matrix, draw(weight), draw(weight)


@given(problems(), st.integers(1, 5))
def test_where_a_walk_ends(problem: tuple[Matrix, float, float], n_steps: int):
    matrix, p, q = problem
    n = len(matrix)
    walks = MarkovChain.from_weights(matrix).walk(0, n_steps, n_walks=5000, p=p, q=q, rng=1).astype(np.int64)
    law = slow.pair_distribution(matrix, 0, n_steps, p, q).ravel()
    total, free = statistic(np.bincount(walks[:, -2] * n + walks[:, -1], minlength=n * n), law)
    assert total < chi2.isf(FALSE_ALARM, max(free, 1))


def test_p_and_q_of_one_are_the_walks_of_the_chain(karate: Matrix):
    for weights in (karate, karate * np.random.default_rng(1).random(karate.shape)):
        chain = MarkovChain.from_weights(weights)
        expected = chain.walk(np.arange(34), 50, rng=1)
        np.testing.assert_array_equal(chain.walk(np.arange(34), 50, rng=1, p=1, q=1.0), expected)
        # The first step has no previous state: it follows the chain for any p and q.
        law = weights[0] / weights[0].sum()
        first = chain.walk(0, 1, n_walks=20_000, p=1e-3, q=1e3, rng=2)[:, 1]
        total, free = statistic(np.bincount(first, minlength=34), law)
        assert total < chi2.isf(FALSE_ALARM, free)


@pytest.mark.parametrize("kind", ["uniform", "directed", "weighted"])
@pytest.mark.parametrize(("p", "q"), [(0.5, 2.0), (0.001, 1000.0), (1000.0, 0.001)])
def test_bytes_depend_on_the_walk_alone(same_bytes, kind: str, p: float, q: float):
    rng = np.random.default_rng(3)
    matrix = (rng.random((300, 300)) < 0.03).astype(float)
    matrix = matrix if kind == "directed" else np.maximum(matrix, matrix.T)
    matrix *= rng.random(matrix.shape) if kind == "weighted" else 1
    chain = MarkovChain.from_weights(matrix, dangling="absorb")
    start = rng.integers(0, 300, 3000)
    whole = same_bytes(lambda threads: chain.walk(start, 25, p=p, q=q, rng=9, threads=threads))
    shards = [chain.walk(start[i : i + 700], 25, p=p, q=q, rng=9, first=i) for i in range(0, 3000, 700)]
    np.testing.assert_array_equal(np.concatenate(shards), whole)
    one = [chain.walk(start[i], 25, p=p, q=q, rng=9, first=i) for i in (0, 1, 1234, 2999)]
    np.testing.assert_array_equal(np.concatenate(one), whole[[0, 1, 1234, 2999]])
    drawn = {"start_distribution": np.full(300, 1 / 300), "p": p, "q": q, "rng": 9}
    np.testing.assert_array_equal(
        chain.walk(n_steps=5, n_walks=10, first=90, **drawn), chain.walk(n_steps=5, n_walks=100, **drawn)[90:]
    )


@pytest.mark.parametrize(
    ("kind", "p", "q", "total", "row"),
    [
        ("uniform", 0.5, 2, 39723, [3, 39, 39, 12, 39, 12, 2, 20, 39]),
        ("uniform", 1e3, 1e3, 39363, [3, 39, 32, 28, 28, 20, 8, 34, 11]),
        ("directed", 0.5, 2, 40473, [3, 39, 20, 2, 16, 33, 21, 15, 6]),
        ("directed", 1e3, 1e3, 40277, [3, 39, 39, 20, 27, 26, 20, 2, 33]),
        ("weighted", 0.5, 2, 40290, [3, 39, 2, 8, 13, 18, 27, 23, 16]),
        ("weighted", 1e3, 1e3, 41044, [3, 39, 39, 2, 28, 28, 39, 39, 2]),
    ],
)
def test_value_stability(kind: str, p: float, q: float, total: int, row: list[int]):
    # A changed value here changes every seeded walk: it needs a line in CHANGELOG.md.
    rng = np.random.default_rng(0)
    matrix = (rng.random((40, 40)) < 0.2).astype(float)
    matrix = np.maximum(matrix, matrix.T) if kind == "uniform" else matrix
    matrix *= rng.random(matrix.shape) if kind == "weighted" else 1
    chain = MarkovChain.from_weights(matrix, dangling="absorb")
    assert chain.walk(np.arange(40), 50, p=p, q=q, rng=7).sum(dtype=np.int64) == total
    assert chain.walk(3, 8, p=p, q=q, rng=7).tolist() == [row]


def test_short_walks():
    chain = MarkovChain.from_weights([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    assert chain.walk([2, 0], 0, p=2, q=2).tolist() == [[2], [0]]
    assert chain.walk(np.zeros(0, int), 7, p=2, q=2).shape == (0, 8)
    assert chain.walk([2, 0], 1, p=2, q=2, rng=1).shape == (2, 2)
    long = chain.walk(1, 20_000, p=2, q=2, rng=1)
    assert (long[0, 1:] != long[0, :-1]).all()


@pytest.mark.parametrize("name", ["p", "q"])
@pytest.mark.parametrize("value", [0, -1.0, np.inf, np.nan, 1e-301, 1e301])
def test_a_bad_p_or_q_is_named(name: str, value: float):
    chain = MarkovChain([[0.5, 0.5], [1, 0]])
    with pytest.raises(ValueError, match=f"^{name} must be"):
        chain.walk(0, 5, **{name: value})
