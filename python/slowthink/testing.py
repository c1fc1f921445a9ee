"""Hypothesis strategies for tests of code that handles samples (counts, answers, scores, logs) or Markov chains.

Needs hypothesis (``pip install "slowthink[test]"``). The strategies shrink towards few problems, samples and states,
and lean towards the cases that go wrong: no samples, none or all correct, ties, short rows; nearly decoupled sets,
absorbing states, periods, several classes.

Examples
--------
>>> from hypothesis import given, settings
>>> from slowthink import samples, testing
>>> @settings(database=None)
... @given(testing.counts())
... def test_pass_at_k_is_a_probability(counts):
...     num_samples, num_correct = counts
...     assert ((0 <= (p := samples.pass_at_k(num_samples, num_correct, 1))) | (p != p)).all()
>>> test_pass_at_k_is_a_probability()
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

__all__ = [
    "CHAIN_KINDS",
    "answers",
    "counts",
    "log_columns",
    "metastable_matrices",
    "scores",
    "transition_matrices",
    "weighted_graphs",
]

Counts: TypeAlias = "tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]"
CHAIN_KINDS = ("dense", "sparse", "metastable", "absorbing", "periodic", "several classes")
"""What :func:`transition_matrices` makes."""

Answers: TypeAlias = "tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]"


@st.composite
def counts(draw: st.DrawFn, *, max_problems: int = 8, max_samples: int = 40, min_samples: int = 0) -> Counts:
    """``(num_samples, num_correct)``, two (P,) arrays with 0 <= num_correct <= num_samples."""
    pair = st.integers(min_samples, max_samples).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(0, n) | st.sampled_from([0, n]))
    )
    rows = draw(st.lists(pair, min_size=1, max_size=max_problems))
    return np.array([n for n, _ in rows], np.int64), np.array([c for _, c in rows], np.int64)


@st.composite
def answers(
    draw: st.DrawFn, *, max_problems: int = 6, max_samples: int = 12, max_answers: int = 5, ragged: bool = True
) -> Answers:
    """``(answers, gold)``: a (P, n) array of answer codes, short rows padded with -1, and the (P,) right codes.

    The right answer need not occur among the answers.
    """
    n = draw(st.integers(1, max_samples))
    code = st.integers(0, max_answers - 1)
    row = st.lists(code, min_size=0 if ragged else n, max_size=n).map(lambda codes: codes + [-1] * (n - len(codes)))
    rows = draw(st.lists(row, min_size=1, max_size=max_problems))
    gold = draw(st.lists(code, min_size=len(rows), max_size=len(rows)))
    return np.array(rows, np.int64).reshape(len(rows), n), np.array(gold, np.int64)


@st.composite
def scores(
    draw: st.DrawFn, *, max_problems: int = 6, max_samples: int = 12, ragged: bool = True, ties: bool = True
) -> npt.NDArray[np.float64]:
    """A (P, n) array of finite scores, many of them equal unless ``ties=False``, short rows padded with NaN."""
    n = draw(st.integers(1, max_samples))
    n_problems = draw(st.integers(1, max_problems))
    score = st.floats(-1e6, 1e6, allow_subnormal=False)
    if ties:
        score = st.integers(1, 4).map(float) | score
    row = st.lists(score, min_size=n, max_size=n, unique=not ties)
    result = np.array(draw(st.lists(row, min_size=n_problems, max_size=n_problems)), np.float64)
    if ragged:
        for i in range(n_problems):
            result[i, draw(st.integers(0, n)) :] = np.nan
    return result


@st.composite
def log_columns(draw: st.DrawFn, *, max_problems: int = 5, max_samples: int = 6) -> dict[str, list[Any]]:
    """Columns of a log, samples in any order: problem, answer (or None), gold, correct, score, cost.

    Pass them on as ``SampleLog(**columns)``.
    """
    n_problems = draw(st.integers(1, max_problems))
    gold = [draw(st.sampled_from("abc")) for _ in range(n_problems)]
    rows = []
    for problem in range(n_problems):
        for _ in range(draw(st.integers(1, max_samples))):
            answer = draw(st.sampled_from(["a", "b", "c", None]))
            score, cost = draw(st.integers(0, 4)) / 4, draw(st.integers(1, 900))
            rows.append((f"problem {problem}", answer, gold[problem], answer == gold[problem], score, cost))
    rows = draw(st.permutations(rows))
    names = ("problem", "answer", "gold", "correct", "score", "cost")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


@st.composite
def transition_matrices(
    draw: st.DrawFn, *, kind: str | None = None, max_states: int = 8, least_coupling: float = 1e-15
) -> npt.NDArray[np.float64]:
    """A transition matrix (S, S) of one of :data:`CHAIN_KINDS`, or of any; rows sum to 1 up to rounding.

    ``"dense"`` has no zeros, ``"sparse"`` many, at least one transition out of each state. In ``"metastable"`` the
    states form two or three sets with transitions of ``least_coupling`` or more between them. In ``"absorbing"``
    some states are never left and all others may reach one. ``"periodic"`` has a period above 1, and ``"several
    classes"`` at least two sets that are never left, with transient states in some cases.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from slowthink import testing
    >>> from slowthink.chains import MarkovChain
    >>> @settings(database=None)
    ... @given(testing.transition_matrices())
    ... def test_states_stay_in_range(matrix):
    ...     assert (MarkovChain(matrix).walk(0, 5, n_walks=3, rng=1) < len(matrix)).all()
    >>> test_states_stay_in_range()
    """
    if kind is None:
        kind = draw(st.sampled_from(CHAIN_KINDS))
    elif kind not in CHAIN_KINDS:
        raise ValueError(f"kind must be one of {CHAIN_KINDS}, got {kind!r}")
    n = draw(st.integers(1 if kind in ("dense", "sparse", "absorbing") else 4, max(4, max_states)))
    state = np.arange(n)
    weight = draw(_weights((n, n)))
    if kind == "sparse":
        weight *= draw(_masks((n, n)))
        weight[state, draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))] += 1.0
    elif kind == "metastable":
        group = state % draw(st.integers(2, 3))
        coupling = 10.0 ** -draw(st.floats(1.0, -float(np.log10(least_coupling))))
        weight *= np.where(group[:, None] == group, 1.0, coupling)
    elif kind == "absorbing":
        absorbing = state < draw(st.integers(1, n))
        weight *= draw(_masks((n, n)))
        weight[:, 0] += 1.0  # the first is absorbing, and always in reach
        weight[absorbing] = np.eye(n)[absorbing]
    elif kind == "periodic":
        phase = state % draw(st.integers(2, n))
        period = int(phase.max()) + 1
        weight *= phase == (phase[:, None] + 1) % period
    elif kind == "several classes":
        group = np.minimum(state % 3, draw(st.integers(1, 2)))  # group 2 is transient, where there is one
        weight *= (group[:, None] == group) | (group[:, None] == 2)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


@st.composite
def metastable_matrices(
    draw: st.DrawFn,
    *,
    min_states: int = 4,
    max_states: int = 12,
    least_epsilon: float = 1e-100,
    least_probability: float = 1e-30,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """``(matrix, labels)``: an irreducible chain of two to four sets that it seldom leaves, and the set of each state.

    The transitions between sets have probabilities of about epsilon, which is drawn from ``least_epsilon`` to 0.1;
    those within sets spread over ``least_probability`` to 1 in some cases and are even in others, and are dense in some
    and sparse in others. A solver that forms I - P loses all digits of most of these.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from slowthink import testing
    >>> from slowthink.chains import MarkovChain
    >>> @settings(database=None)
    ... @given(testing.metastable_matrices())
    ... def test_the_share_of_time_is_positive(case):
    ...     matrix, labels = case
    ...     assert (MarkovChain(matrix).stationary_distribution() > 0).all()
    >>> test_the_share_of_time_is_positive()
    """
    n_sets = draw(st.integers(2, 4))
    n = draw(st.integers(max(min_states, n_sets), max(max_states, n_sets)))
    epsilon = 10.0 ** -draw(st.floats(1.0, -float(np.log10(least_epsilon))))
    spread = draw(st.sampled_from([0.0, 2.0, -float(np.log10(least_probability))]))
    density = draw(st.sampled_from([0.1, 0.5, 1.0]))
    # The numbers of a large matrix come from one seed: drawn one by one they would be too many.
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.sort(np.arange(n) % n_sets)
    weight = 10.0 ** -(spread * rng.random((n, n))) * (rng.random((n, n)) < density)
    weight *= labels[:, None] == labels
    state = np.arange(n)
    # Around each set, so that its states reach each other, and from each to the next.
    first = np.searchsorted(labels, labels)
    following = np.where(np.r_[labels[1:], -1] == labels, state + 1, first)
    weight[state, following] += 10.0 ** -(spread * rng.random(n))
    weight /= weight.sum(axis=1, keepdims=True)
    weight *= 1 - 0.5 * rng.random((n, 1)) * (rng.random() < 0.5)
    for number in range(n_sets):
        for _ in range(draw(st.integers(1, 2))):
            source = rng.choice(state[labels == number])
            target = rng.choice(state[labels == (number + 1) % n_sets])
            weight[source, target] += epsilon * rng.uniform(0.1, 1.0)
    # What is missing in a row is staying; rows that have too much of it are divided.
    excess = np.maximum(weight.sum(axis=1) - weight[state, state], 1.0)
    weight /= excess[:, None]
    weight[state, state] = 0
    weight[state, state] = np.maximum(1 - weight.sum(axis=1), 0)
    return weight, labels


@st.composite
def weighted_graphs(draw: st.DrawFn, *, max_nodes: int = 8, max_edges: int = 20) -> dict[str, Any]:
    """A weighted graph as edges in any order: ``source``, ``target``, ``weight`` and ``n_states``.

    There are parallel edges, loops, nodes without edges and weights of zero. Pass it on as
    ``MarkovChain.from_edges(**graph, dangling="absorb")``.
    """
    n = draw(st.integers(1, max_nodes))
    node = st.integers(0, n - 1)
    weight = st.sampled_from([1.0, 1.0, 2.0, 0.0]) | st.floats(1e-9, 1e9)
    edges = draw(st.lists(st.tuples(node, node, weight), max_size=max_edges))
    columns = list(zip(*edges, strict=True)) or [(), (), ()]
    return {
        "source": np.array(columns[0], np.int64),
        "target": np.array(columns[1], np.int64),
        "weight": np.array(columns[2], np.float64),
        "n_states": n,
    }


def _weights(shape: tuple[int, ...]) -> st.SearchStrategy[npt.NDArray[np.float64]]:
    size = int(np.prod(shape))
    weight = st.sampled_from([1.0, 1.0, 3.0]) | st.floats(1e-3, 1.0)
    return st.lists(weight, min_size=size, max_size=size).map(lambda row: np.array(row).reshape(shape))


def _masks(shape: tuple[int, ...]) -> st.SearchStrategy[npt.NDArray[np.bool_]]:
    size = int(np.prod(shape))
    return st.lists(st.booleans(), min_size=size, max_size=size).map(lambda row: np.array(row, bool).reshape(shape))
