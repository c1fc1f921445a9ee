"""Classes, periods and what is never left: against walks followed step by step, networkx, and real graphs."""

from __future__ import annotations

import lzma
import math
import pickle

import networkx
import numpy as np
import pytest
from hypothesis import given
from slowthink import testing
from slowthink.chains import MarkovChain
from slowthink.reference import structure as slow


def lists(classes) -> list[list[int]]:
    return [states.tolist() for states in classes]


@given(testing.transition_matrices())
def test_classes_and_periods_equal_the_slow_twin(matrix):
    chain = MarkovChain(matrix)
    expected = slow.classes(matrix)
    found = chain.communicating_classes()
    assert lists(found) == expected
    recurrent = [slow.is_recurrent(matrix, states) for states in expected]
    assert found.recurrent.tolist() == recurrent
    assert found.periods.tolist() == [slow.period(matrix, states[0]) for states in expected]
    kept = [states for states, stays in zip(expected, recurrent, strict=True) if stays]
    assert lists(chain.recurrent_classes) == kept
    assert chain.transient_states.tolist() == sorted(set(range(len(matrix))) - {i for states in kept for i in states})
    assert chain.absorbing_states.tolist() == [i for i in range(len(matrix)) if matrix[i, i] == matrix[i].sum()]
    assert chain.is_irreducible == (len(expected) == 1)
    assert chain.period == math.lcm(*(slow.period(matrix, states[0]) for states in kept))
    assert chain.is_aperiodic == (chain.period == 1)
    for number, states in enumerate(expected):
        assert (found.labels[states] == number).all()


@given(testing.weighted_graphs(max_nodes=30, max_edges=60))
def test_classes_equal_those_of_networkx(graph):
    chain = MarkovChain.from_edges(**graph, dangling="absorb")
    components = networkx.strongly_connected_components(chain.to_networkx())
    assert lists(chain.communicating_classes()) == sorted(sorted(states) for states in components)
    attracting = networkx.attracting_components(chain.to_networkx())
    assert lists(chain.recurrent_classes) == sorted(sorted(states) for states in attracting)


def test_the_classes_are_a_sequence():
    classes = MarkovChain.from_edges([0, 0, 1, 2, 3, 4], [1, 3, 2, 1, 4, 4]).communicating_classes()
    assert len(classes) == 4
    assert classes[-1].tolist() == [4]
    assert lists(classes[1:3]) == [[1, 2], [3]]
    assert classes[np.int64(1)].dtype == classes.labels.dtype == np.uint32
    assert classes.absorbing.tolist() == [False, False, False, True]
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"index {index} is out of range for 4 classes"):
            classes[index]
    with pytest.raises(TypeError):
        classes[1.0]
    again = pickle.loads(pickle.dumps(classes))
    assert lists(again) == lists(classes)
    assert again.periods.tolist() == classes.periods.tolist() == [0, 2, 0, 1]


def test_the_least_probable_transition_counts():
    for p in (1e-3, 1e-100, 5e-324):
        chain = MarkovChain([[1 - p, p], [0, 1]])
        assert chain.transient_states.tolist() == [0]
        assert MarkovChain([[1 - p, p], [p, 1 - p]]).is_irreducible
    # A loop that is all but impossible makes a circuit aperiodic.
    assert MarkovChain([[0, 1], [1, 0]]).period == 2
    assert MarkovChain([[1e-300, 1], [1, 0]]).period == 1


def test_the_period_of_several_classes_is_that_of_all_together():
    def circuits(*lengths: int) -> MarkovChain:
        begins = np.cumsum([0, *lengths])
        source = np.arange(begins[-1])
        target = np.concatenate([begin + np.roll(np.arange(n), -1) for begin, n in zip(begins, lengths, strict=False)])
        return MarkovChain.from_edges(source, target)

    assert circuits(4, 6).period == 12
    primes = [n for n in range(2, 60) if all(n % d for d in range(2, n))]
    assert circuits(*primes).period == math.prod(primes) > 2**63


def test_long_ways_need_no_deep_stack():
    n = 300_000
    ring = MarkovChain.from_edges(np.arange(n), np.roll(np.arange(n), -1))
    assert (ring.is_irreducible, ring.period) == (True, n)
    line = MarkovChain.from_edges(np.arange(n - 1), np.arange(1, n), dangling="absorb")
    assert len(line.communicating_classes()) == n
    assert line.absorbing_states.tolist() == [n - 1]


# --- real graphs


def graph(folder, name: str) -> MarkovChain:
    if name == "karate":
        rows = [line.split() for line in (folder / "graphs/karate.adjlist").read_text().splitlines()]
        edges = np.array([(int(row[0]), int(other)) for row in rows for other in row[1:]]) - 1
        return MarkovChain.from_edges(edges[:, 0], edges[:, 1])
    with lzma.open(folder / f"graphs/{name}.edgelist.xz") as file:
        edges = np.loadtxt(file, dtype=np.int64)
    return MarkovChain.from_edges(edges[:, 0], edges[:, 1], directed=name != "cora", dangling="absorb")


@pytest.mark.parametrize("name", ["karate", "cora", "p2p-Gnutella08"])
def test_real_graphs(shared_data, name):
    chain = graph(shared_data, name)
    classes = chain.communicating_classes()
    expected = list(networkx.strongly_connected_components(chain.to_networkx()))
    assert lists(classes) == sorted(sorted(states) for states in expected)
    print(f"\n{name}: {chain}, {classes}, largest {max(map(len, classes))}, period {chain.period}")
    if name == "p2p-Gnutella08":
        # The published figure of SNAP for the largest strongly connected component.
        assert max(map(len, classes)) == 2068
        assert (classes.absorbing == classes.recurrent).all()
    if name == "karate":
        assert chain.is_irreducible
        assert chain.is_aperiodic
