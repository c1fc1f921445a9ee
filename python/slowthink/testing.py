"""Hypothesis strategies for tests of code that handles samples: counts, answers, scores, logs.

Needs hypothesis (``pip install "slowthink[test]"``). The strategies shrink towards few problems and few samples, and
lean towards the cases that go wrong: no samples, none or all correct, ties, short rows.

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

__all__ = ["answers", "counts", "log_columns", "scores"]

Counts: TypeAlias = "tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]"
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
