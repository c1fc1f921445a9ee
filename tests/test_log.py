"""Sample logs: columns in, curves out."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slowthink import samples
from slowthink.samples import SampleLog


@pytest.fixture(scope="module")
def tot_log(shared_data: Path) -> SampleLog:
    problem, correct = [], []
    name = "gpt-4_0.7_naive_standard_sample_100_start900_end1000.compact.jsonl"
    with (shared_data / "tot_logs" / name).open() as file:
        for line in file:
            record = json.loads(line)
            problem += [record["idx"]] * len(record["r"])
            correct += record["r"]
    return SampleLog(problem=problem, correct=correct)


def test_real_log(tot_log: SampleLog) -> None:
    curve = tot_log.curve("pass@k")
    assert tot_log.n_problems == 100
    assert curve.at(1).mean == pytest.approx(0.0734, abs=1e-12)
    assert curve.at(100).mean == pytest.approx(0.33, abs=1e-12)
    assert np.isnan(tot_log.curve("pass@k", over="samples").at(100).standard_error)


def test_mean_equals_pass_at_1(tot_log: SampleLog) -> None:
    one, mean = tot_log.curve("pass@k", 1), tot_log.curve("mean")
    np.testing.assert_allclose(one.mean, mean.mean, rtol=1e-13)
    np.testing.assert_allclose(one.standard_error, mean.standard_error, rtol=1e-12)


def test_columns_of_any_package_make_the_same_log() -> None:
    problem, answer = ["b", "a", "b", "a", "a"], ["4", None, "5", "7", "7"]
    gold, score = ["4", "7", "4", "7", "7"], [0.5, 1.0, 0.0, 2.0, 3.0]
    logs = [SampleLog(problem=problem, answer=answer, gold=gold, score=score)]
    logs.append(SampleLog(problem=np.array(problem), answer=np.array(answer, dtype=object), gold=gold, score=score))
    columns = {"problem": problem, "answer": answer, "gold": gold, "score": score}
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(columns)
    logs.append(SampleLog(**{name: frame[name] for name in columns}))
    frame = frame.astype({"problem": "category", "answer": "category", "score": "Float64"})
    logs.append(SampleLog(**{name: frame[name] for name in columns}))
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(columns)
    logs.append(SampleLog(**{name: table[name] for name in columns}))
    for log in logs:
        assert repr(log) == (
            "<SampleLog of 5 samples of 2 problems, 2 to 3 a problem; 3 correct; 1 without an answer; "
            "answer, gold, correct, score>"
        )
        assert log.problems.tolist() == ["b", "a"]
        assert [x.tolist() for x in log.counts] == [[2, 3], [1, 2]]
        np.testing.assert_allclose(log.curve("best@k", 1).mean, (0.5 + 2 / 3) / 2)


def test_polars_columns() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"problem": ["x", "x"], "answer": [1, None], "gold": [1, 1]})
    log = SampleLog(problem=frame["problem"], answer=frame["answer"], gold=frame["gold"])
    assert (log.n_unanswered, log.correct.tolist()) == (1, [1, 0])  # type: ignore[union-attr]


def test_ragged_rows_in_any_order_equal_the_array_functions() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(1, 40, 60)
    problem = np.repeat(np.arange(60), n)
    correct = rng.random(len(problem)) < 0.3
    score = rng.integers(0, 5, len(problem)).astype(float)
    shuffled = rng.permutation(len(problem))
    log = SampleLog(problem=problem[shuffled], correct=correct[shuffled], score=score[shuffled])
    place = {label: i for i, label in enumerate(log.problems.tolist())}
    back = [place[i] for i in range(60)]
    c = np.bincount(problem, weights=correct).astype(int)
    np.testing.assert_array_equal(log.curve("pass@k").per_problem[back], samples.pass_at_k(n, c))
    scores, values = np.full((60, n.max()), np.nan), np.zeros((60, n.max()))
    for i in range(60):
        scores[i, : n[i]], values[i, : n[i]] = score[problem == i], correct[problem == i]
    expected = samples.best_of_k(scores, values, np.arange(1, n.max() + 1))
    np.testing.assert_allclose(log.curve("best@k").per_problem[back], expected, rtol=1e-12, atol=1e-14)


def test_n_below_k_is_counted_and_left_out() -> None:
    log = SampleLog(problem=[1, 1, 2, 2, 2], correct=[0, 0, 1, 1, 1])
    curve = log.curve("pass@k")
    assert curve.n_used.tolist() == [2, 2, 1]
    assert curve.mean.tolist() == [0.5, 0.5, 1.0]


def test_verdicts_are_derived_and_given_ones_stand() -> None:
    log = SampleLog(problem=[1] * 4, answer=["a", "b", None, "b"], gold=["a"] * 4, correct=[None, True, None, np.nan])
    assert log.correct.tolist() == [1, 1, 0, 0]  # type: ignore[union-attr]
    partial = SampleLog(problem=[1, 1, 2], correct=[0.5, 1.0, 0.0])
    assert partial.curve("mean").mean[0] == pytest.approx(0.375)
    with pytest.raises(ValueError, match=r"pass@k needs verdicts of 0 or 1, and correct\[0\] is 0.5"):
        partial.curve("pass@k")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"problem": []}, "problem must not be empty"),
        ({"problem": [1, None]}, r"problem\[1\] must not be missing"),
        ({"problem": [1, 2], "correct": [1]}, "correct must have the length of problem, 2, got 1"),
        ({"problem": [1, 2], "correct": [1, None]}, r"correct\[1\] is missing, and there is no answer and gold"),
        ({"problem": [1, 2], "correct": [1, 2]}, r"correct\[1\] must be True, False or between 0 and 1"),
        ({"problem": [7, 7], "answer": [1, 2], "gold": [1, 2]}, r"gold\[1\] must be the same in all rows of problem 7"),
        ({"problem": [7, 8], "answer": [1, 2], "gold": [1, None]}, r"correct\[1\] is missing, and its problem has no"),
        ({"problem": [7], "answer": ["1"], "gold": [1]}, "answer holds text and gold does not"),
        ({"problem": [1], "correct": [1], "score": [np.inf]}, r"score\[0\] must be finite or missing"),
        ({"problem": [1, 1], "cluster": ["x", "y"]}, r"cluster\[1\] must be the same"),
        ({"problem": [1, 2], "cluster": ["x", None]}, "cluster must be given for each problem"),
    ],
)
def test_bad_columns_are_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SampleLog(**columns)


def test_bad_types_are_named() -> None:
    with pytest.raises(TypeError, match=r"answer\[1\] must be hashable"):
        SampleLog(problem=[1, 1], answer=["a", ["b"]])
    with pytest.raises(TypeError, match=r"score\[1\] must be a number or missing, got 'high'"):
        SampleLog(problem=[1, 1], score=[1.0, "high"])
    with pytest.raises(TypeError, match="problem must be a column of values"):
        SampleLog(problem="p1")
    with pytest.raises(ValueError, match="problem must be 1-D"):
        SampleLog(problem=np.zeros((2, 2)))


def test_missing_scores_are_refused_not_sorted() -> None:
    """numpy sorts NaN last, so that the naive argmax or sort takes an unscored sample for the best one."""
    log = SampleLog(problem=["q", "q"], correct=[1, 0], score=[0.5, None])
    assert np.argmax(log.score) == 1  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"best@k needs a score for each sample, and score\[1\] is missing"):
        log.curve("best@k")
    assert log.filter(~np.isnan(log.score)).curve("best@k").mean.tolist() == [1.0]  # type: ignore[arg-type]


def test_missing_columns_are_named() -> None:
    log = SampleLog(problem=[1, 2], answer=["a", "b"])
    for metric, column in (("pass@k", "correct"), ("best@k", "score"), ("mean", "correct"), ("maj@k", "correct")):
        with pytest.raises(ValueError, match=f"{metric} needs .*{column}"):
            log.curve(metric)
    with pytest.raises(ValueError, match="metric must be one of"):
        log.curve("pass@10")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="k must be None or 1"):
        SampleLog(problem=[1], correct=[1]).curve("mean", 2)


def test_split_and_filter() -> None:
    model = ["a", "b", None, "a", "b"]
    log = SampleLog(problem=[1, 1, 1, 2, 3], correct=[1, 0, 1, 0, 1], extra={"model": model}, cluster=list("xxxyy"))
    parts = log.split("model")
    assert list(parts) == ["a", "b", None]
    assert [len(part) for part in parts.values()] == [2, 2, 1]
    assert parts["b"].problems.tolist() == [1, 3]
    assert [len(part) for part in log.split("cluster").values()] == [3, 2]
    assert log.filter(np.array([False, True, True, True, True]), model="a").problems.tolist() == [2]
    with pytest.raises(ValueError, match="no column 'nothing' to go by; the log has 'model', 'cluster'"):
        log.split("nothing")
    with pytest.raises(ValueError, match="filter must keep a row"):
        log.filter(model="c")
    with pytest.raises(ValueError, match="boolean mask"):
        log.filter([1, 2])


def test_codes_and_columns_make_the_same_log() -> None:
    columns = SampleLog(problem=["p", "q", "p"], answer=["x", None, "y"], gold=["x", "z", "x"], extra={"m": [1, 2, 1]})
    codes = SampleLog._from_codes(
        problem=np.array([0, 1, 0]),
        problems=["p", "q"],
        answer=np.array([0, -1, 1]),
        answers=["x", "y", "z"],
        gold=np.array([0, 2, 0]),
        correct=np.array([-1, -1, -1], dtype=np.int8),
        extra={"m": (np.array([0, 1, 0]), [1, 2])},
    )
    assert repr(codes) == repr(columns)
    assert codes.correct.tobytes() == columns.correct.tobytes()  # type: ignore[union-attr]
    assert list(codes.split("m")) == [1, 2]


def test_a_large_log_is_quick_and_lean() -> None:
    tracemalloc.start()
    problem = np.repeat(np.arange(2000, dtype=np.int32), 500)
    log = SampleLog(problem=problem, answer=problem % 7, gold=np.zeros(len(problem), dtype=np.int8))
    curve = log.curve("pass@k")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert curve.n_problems == 2000
    assert peak < 64e6 + 1.5 * (6 * len(problem) + curve._rows.nbytes)


def test_votes_of_a_log_equal_those_of_the_array_function() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(2, 30, 50)
    problem = np.repeat(np.arange(50), n)
    answer = rng.integers(-1, 4, len(problem))
    matrix = np.full((50, n.max()), -1)
    for i in range(50):
        matrix[i, : n[i]] = np.where(answer[problem == i] < 0, -2, answer[problem == i])
    given = [None if a < 0 else int(a) for a in answer]
    log = SampleLog(problem=problem, answer=given, gold=problem % 3)
    curve = log.curve("maj@k")
    expected = samples.maj_at_k(matrix, np.arange(50) % 3, curve.k)
    np.testing.assert_allclose(curve.per_problem, expected, rtol=1e-12, atol=1e-14)
    # Without gold answers the correct samples of a problem vote as one.
    judged = SampleLog(problem=problem, answer=given, correct=log.correct)
    assert judged.curve("maj@k").mean.tobytes() == curve.mean.tobytes()
    fixed = log.curve("maj@k", over="samples")
    assert fixed.standard_error[0] > 0
    assert np.isnan(fixed.standard_error[-1])
