"""Reading JSON lines: against Python's parser and a slow twin, line by line."""

from __future__ import annotations

import io
import json
import math
import warnings
from typing import Any

import numpy as np
import pytest
from conftest import stream
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference.log import read_log
from slowthink.samples._formats import _jsonl, _streams, read_table
from slowthink.samples._formats._mapping import Field

WANTED = {
    "problem": (("id",), "label", True),
    "correct": (("ok",), "verdict", True),
    "score": (("eval", "score"), "number", False),
    "answer": (("answer",), "label", False),
}


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


def equal(a: Any, b: Any) -> bool:
    """Equality of columns that takes NaN for equal and tells the types of labels apart."""
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return (a == b and isinstance(a, str) == isinstance(b, str)) or (a != a and b != b)


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
