"""The command line as a user meets it: what it prints, writes and refuses."""

import importlib.util
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slowthink
from hypothesis import given
from hypothesis import strategies as st
from slowthink import _report, cli
from slowthink.samples import SampleLog


@pytest.fixture
def run(capsys):
    """Runs the command line in this process: exit code, stdout, stderr."""

    def call(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def write_log(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def attempts(n_problems=12, n=8, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    rows = []
    for problem in range(n_problems):
        p = min(max(rng.random() + shift, 0.02), 0.98)
        for _ in range(n):
            right = rng.random() < p
            rows.append(
                {
                    "problem": f"p{problem}",
                    "answer": "yes" if right else str(rng.integers(3)),
                    "gold": "yes",
                    "score": round(float(rng.random() + right), 3),
                    "subject": "odd" if problem % 2 else "even",
                }
            )
    return rows


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "new.jsonl", attempts())


@pytest.fixture
def other(tmp_path):
    return write_log(tmp_path / "old.jsonl", attempts(seed=1, shift=-0.2))


def expected_pass(rows, k):
    """Mean pass@k from binomial coefficients of Python's integers."""
    verdicts = {}
    for row in rows:
        verdicts.setdefault(row["problem"], []).append(row["answer"] == row["gold"])
    values = [1 - math.comb(len(v) - sum(v), k) / math.comb(len(v), k) for v in verdicts.values()]
    return sum(values) / len(values)


def load(text):
    """Strict JSON: NaN and infinities are refused."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def test_without_a_log_it_takes_the_shipped_one(run):
    code, out, err = run("evaluate")
    assert code == 0
    assert "no log given" in err
    assert "game24_log.jsonl.gz" in out
    assert "problems  200" in out
    assert "12,800, 64 a problem" in out
    lines = out.splitlines()
    ks = [int(line.split()[0]) for line in lines if line.strip()[:1].isdigit()]
    assert ks[:7] == [1, 2, 4, 8, 16, 32, 64]
    for metric in ("pass@k", "maj@k", "best@k", "weighted-maj@k"):
        assert metric in out
    assert max(map(len, lines)) <= 100 or "/" in max(lines, key=len)


def test_readme_shows_what_is_printed(run):
    readme = Path(__file__).resolve().parents[1] / "README.md"
    shown = readme.read_text(encoding="utf-8").split("$ slowthink evaluate --plot curves.png\n")[1].split("```")[0]
    _, out, _ = run("evaluate")
    # All but the path of the log.
    assert out.splitlines()[1:] == shown.splitlines()[1:]


def test_numbers_are_right(run, log):
    code, out, _ = run("evaluate", log, "--metric", "pass@k", "--json", "-")
    assert code == 0
    curve = load(out)["results"][0]["curves"]["pass@k"]
    assert curve["k"] == [1, 2, 4, 8]
    for k, mean in zip(curve["k"], curve["mean"], strict=True):
        assert mean == pytest.approx(expected_pass(attempts(), k), abs=1e-12)


def test_table_and_json_say_the_same(run, log, tmp_path):
    _, out, err = run("evaluate", log, "--metric", "pass@k", "--json", tmp_path / "r.json")
    assert "r.json" in err
    curve = load((tmp_path / "r.json").read_text())["results"][0]["curves"]["pass@k"]
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    for i, row in enumerate(rows):
        low, high = curve["low"][i], curve["high"][i]
        assert row == [str(curve["k"][i]), f"{curve['mean'][i]:.3f}", f"[{low:.3f},", f"{high:.3f}]"]


def test_json_has_null_for_what_is_not_defined(run, tmp_path):
    path = write_log(tmp_path / "one.jsonl", [{"problem": "a", "correct": 1}, {"problem": "a", "correct": 0}])
    code, out, err = run("evaluate", path, "--k", "1,2,3", "--json", "-", "--metric", "pass@k")
    assert code == 0
    curve = load(out)["results"][0]["curves"]["pass@k"]
    assert curve["mean"] == [0.5, 1.0, None]
    assert curve["standard_error"][0] is None
    assert "k = 3: no problem has more than 2 samples" in err


def test_same_seed_same_output(run, log):
    options = ["evaluate", log, "--interval", "bootstrap", "--metric", "weighted-maj@k,pass@k", "--json", "-"]
    first = run(*options, "--seed", 3)
    assert first[0] == 0
    assert run(*options, "--seed", 3, "--threads", 1) == first
    assert run(*options, "--seed", 4) != first


def test_metrics_with_their_own_k(run, log):
    _, out, _ = run("evaluate", log, "--metric", "pass@4,pass^2", "--metric", "maj@8", "--json", "-")
    curves = load(out)["results"][0]["curves"]
    assert {metric: curve["k"] for metric, curve in curves.items()} == {"pass@k": [4], "pass^k": [2], "maj@k": [8]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", [3]), ("4,1,4", [1, 4]), ("all", list(range(1, 9))), ("powers", [1, 2, 4, 8])],
)
def test_k(run, log, text, expected):
    _, out, _ = run("evaluate", log, "--metric", "pass@k", "--k", text, "--json", "-")
    assert load(out)["results"][0]["curves"]["pass@k"]["k"] == expected


def test_default_k_ends_with_all_samples(run, tmp_path):
    path = write_log(tmp_path / "log.jsonl", attempts(n=11))
    _, out, _ = run("evaluate", path, "--metric", "pass@k", "--json", "-")
    assert load(out)["results"][0]["curves"]["pass@k"]["k"] == [1, 2, 4, 8, 11]


def test_uneven_samples_show_how_many_problems_count(run, tmp_path):
    rows = attempts(n_problems=4, n=8) + [{**row, "problem": "x" + row["problem"]} for row in attempts(3, n=2)]
    code, out, _ = run("evaluate", write_log(tmp_path / "log.jsonl", rows), "--metric", "pass@k")
    assert code == 0
    assert "2 to 8, median 8 a problem" in out
    table = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert [row[-1] for row in table] == ["7", "7", "4", "4"]


def test_metrics_follow_the_columns(run, tmp_path):
    rows = [{"problem": row["problem"], "correct": int(row["answer"] == "yes")} for row in attempts()]
    _, out, _ = run("evaluate", write_log(tmp_path / "log.jsonl", rows), "--json", "-")
    assert set(load(out)["results"][0]["curves"]) == {"mean", "pass@k"}


def test_one_sample_a_problem_has_one_metric_and_a_better_interval(run, tmp_path):
    path = write_log(tmp_path / "log.jsonl", attempts(n=1))
    code, out, _ = run("evaluate", path)
    assert code == 0
    assert "maj@k" not in out
    assert "12 problems are few" in out
    assert "--interval wilson" in out
    code, out, _ = run("evaluate", path, "--interval", "wilson")
    assert code == 0
    assert "few" not in out


def test_messages_speak_of_options(run, tmp_path):
    path = write_log(tmp_path / "log.jsonl", [{"who": 1, "correct": 1}])
    code, _, err = run("evaluate", path)
    assert code == 2
    assert "--columns problem=NAME" in err


def test_default_metric_that_does_not_fit_is_left_out_and_said(run, tmp_path):
    rows = [{**row, "score": row["score"] - 5} for row in attempts()]
    path = write_log(tmp_path / "log.jsonl", rows)
    code, out, err = run("evaluate", path, "--json", "-")
    assert code == 0
    assert set(load(out)["results"][0]["curves"]) == {"mean", "pass@k", "maj@k", "best@k"}
    assert "weighted-maj@k left out" in err
    assert run("evaluate", path, "--metric", "weighted-maj@k")[0] == 2


def test_by(run, log, tmp_path):
    code, out, _ = run("evaluate", log, "--by", "subject", "--json", tmp_path / "r.json")
    assert code == 0
    assert "pass@k by subject" in out
    assert "even" in out
    assert "odd" in out
    results = load((tmp_path / "r.json").read_text())["results"]
    for result in results:
        rows = [row for row in attempts() if row["subject"] == result["group"]]
        assert result["curves"]["pass@k"]["mean"][1] == pytest.approx(expected_pass(rows, 2), abs=1e-12)


def test_by_a_nested_field(run, tmp_path):
    rows = [{**row, "meta": {"subject": row["subject"]}} for row in attempts()]
    path = write_log(tmp_path / "log.jsonl", rows)
    code, out, _ = run("evaluate", path, "--by", "topic", "--columns", "topic=meta.subject", "--json", "-")
    assert code == 0
    assert [result["group"] for result in load(out)["results"]] == ["even", "odd"]


def test_groups_that_are_numbers_are_sorted(run, tmp_path):
    rows = [{**row, "level": 10 - 4 * (i % 3)} for i, row in enumerate(attempts())]
    code, out, _ = run("evaluate", write_log(tmp_path / "log.jsonl", rows), "--by", "level", "--json", "-")
    assert code == 0
    assert [result["group"] for result in load(out)["results"]] == ["2", "6", "10"]


def test_compare(run, log, other, tmp_path):
    code, out, _ = run("evaluate", log, "--compare", other, "--json", tmp_path / "r.json")
    assert code == 0
    assert "pass@k: new minus old, 12 problems in both" in out
    (comparison,) = load((tmp_path / "r.json").read_text())["comparisons"]
    difference = comparison["differences"]["pass@k"]
    expected = expected_pass(attempts(), 2) - expected_pass(attempts(seed=1, shift=-0.2), 2)
    assert difference["difference"][1] == pytest.approx(expected, abs=1e-12)


def test_compare_with_itself(run, log, tmp_path):
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(log.read_bytes())
    code, out, _ = run("evaluate", log, "--compare", copy, "--metric", "pass@k")
    assert code == 0
    rows = [line for line in out.splitlines() if " 0.000 [0.000, 0.000]" in line]
    assert len(rows) == 4


def test_several_logs_side_by_side(run, log, other, tmp_path):
    code, out, _ = run("evaluate", log, other, "--plot", tmp_path / "f.png", "--metric", "pass@k,maj@k")
    assert code == 0
    header = next(line for line in out.splitlines() if line.strip().startswith("k ") and "new" in line)
    assert header.split() == ["k", "new", "old"]
    assert (tmp_path / "f.png").stat().st_size > 10_000


def test_same_name_in_two_folders(run, log, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "new.jsonl").write_bytes(log.read_bytes())
    code, out, _ = run("evaluate", log, tmp_path / "b" / "new.jsonl", "--metric", "pass@k")
    assert code == 0
    assert "b/new" in out


def test_extrapolate(run, log):
    _, out, _ = run("evaluate", log, "--metric", "pass@k", "--extrapolate", "8,64,512", "--json", "-")
    beyond = load(out)["results"][0]["extrapolated"]
    assert beyond["k"] == [8, 64, 512]
    assert expected_pass(attempts(), 8) == pytest.approx(beyond["mean"][0], abs=0.05)
    assert beyond["mean"][0] < beyond["mean"][1] < beyond["mean"][2] <= 1
    code, out, _ = run("evaluate", log, "--metric", "pass@k", "--extrapolate", "64")
    assert code == 0
    assert "Beta(" in out


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_plot(run, log, tmp_path, ending):
    code, _, err = run("evaluate", log, "--plot", tmp_path / f"f.{ending}", "--extrapolate", "32,128")
    assert code == 0
    assert f"f.{ending}" in err
    assert (tmp_path / f"f.{ending}").stat().st_size > 5_000


def test_columns_and_formats(run, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("idx,reward\n1,1\n1,0\n2,0\n2,0\n", encoding="utf-8")
    code, out, _ = run("evaluate", path, "--columns", "problem=idx,correct=reward", "--json", "-")
    assert code == 0
    assert load(out)["logs"][0]["columns"] == {"problem": "idx", "correct": "reward"}
    assert load(out)["results"][0]["curves"]["pass@k"]["mean"] == [0.25, 0.5]


def broken(tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_text('{"problem": 1, "correct": 1}\n{"problem": 1, "corr\n{"problem": 2, "correct": 0}\n')
    return path


def test_malformed_line_is_named(run, tmp_path):
    code, out, err = run("evaluate", broken(tmp_path))
    assert (code, out) == (2, "")
    assert "broken.jsonl" in err
    assert "2" in err.split("broken.jsonl")[1]
    assert err.count("\n") == 1


def test_malformed_line_can_be_skipped(run, tmp_path):
    code, out, err = run("evaluate", broken(tmp_path), "--on-error", "skip")
    assert code == 0
    assert "samples   2," in out
    assert "1" in err


BAD = [
    ([], "COMMAND"),
    (["evaluat"], "evaluat"),
    (["evaluate", "missing.jsonl"], "no such file: missing.jsonl"),
    (["evaluate", "pass@k"], "--metric pass@k,maj@k"),
    (["evaluate", "."], "is a folder"),
    (["evaluate", "LOG", "--metric", "pas@k"], "'pas@k' is none of"),
    (["evaluate", "LOG", "--metric", "pass@0"], "'pass@0'"),
    (["evaluate", "LOG", "--metric", ""], "''"),
    (["evaluate", "LOG", "--k", "0"], "got '0'"),
    (["evaluate", "LOG", "--k", "1,-2"], "got '1,-2'"),
    (["evaluate", "LOG", "--k", "two"], "got 'two'"),
    (["evaluate", "LOG", "--k", "1.5"], "got '1.5'"),
    (["evaluate", "LOG", "--confidence", "95"], "got '95'"),
    (["evaluate", "LOG", "--confidence", "nan"], "got 'nan'"),
    (["evaluate", "LOG", "--seed", "-1"], "got '-1'"),
    (["evaluate", "LOG", "--threads", "0"], "got '0'"),
    (["evaluate", "LOG", "--interval", "exact"], "exact"),
    (["evaluate", "LOG", "--columns", "problem"], "got 'problem'"),
    (["evaluate", "LOG", "--columns", "problem=nowhere"], "nowhere"),
    (["evaluate", "LOG", "--columns", "problm=problem"], "problm"),
    (["evaluate", "LOG", "--by", "colour"], "colour"),
    (["evaluate", "LOG", "--k", "99999999999999999999"], "k"),
    (["evaluate", "LOG", "--extrapolate", "0"], "got '0'"),
    (["evaluate", "LOG", "--filter", "vote"], "filter"),
    (["evaluate", "LOG", "--compare", "missing.jsonl"], "missing.jsonl"),
    (["evaluate", "LOG", "--plot", "nowhere/f.png"], "no such folder"),
    (["evaluate", "LOG", "--plot", "f.xyz"], ".png"),
    (["evaluate", "LOG", "--json", "nowhere/f.json"], "no such folder"),
    (["evaluate", "LOG", "--format", "morse"], "morse"),
    (["evaluate", "LOG", "--interval", "wilson"], "wilson"),
    (["evaluate", "LOG", "--over", "samples", "--interval", "bootstrap"], "over='samples'"),
    (["evaluate", "LOG", "--metric", "mean", "--plot", "f.png"], "--plot"),
    (["evaluate", "LOG", "--no-such-option"], "--no-such-option"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_exit_code_2(run, log, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*[log if argument == "LOG" else argument for argument in arguments])
    assert (code, out) == (2, "")
    assert err.startswith("slowthink: error: ")
    assert err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "f.png").exists()


NOT_LOGS = {
    "empty": b"",
    "blank": b"\n\n",
    "binary": bytes(range(256)) * 4,
    "zeros": b"\0" * 100,
    "text": b"once upon a time\nthere was a log\n",
    "number": b"42\n",
    "list": b"[1, 2]\n",
    "gzip cut short": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc",
    "zip": b"PK\x03\x04nothing",
    "no problem": b'{"a": 1}\n{"a": 2}\n',
    "no verdict": b'{"problem": 1}\n{"problem": 2}\n',
    "verdict of two": b'{"problem": 1, "correct": 2}\n',
    "two golds": b'{"problem": 1, "answer": "a", "gold": "a"}\n{"problem": 1, "answer": "a", "gold": "b"}\n',
}


@pytest.mark.parametrize("name", NOT_LOGS)
@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet", ".eval", ".json", ".jsonl.gz", ""])
def test_files_that_are_no_logs(run, tmp_path, name, ending):
    path = tmp_path / f"file{ending}"
    path.write_bytes(NOT_LOGS[name])
    code, out, err = run("evaluate", path)
    assert (code, out) == (2, ""), err
    assert err.splitlines()[-1].startswith("slowthink: error: ")


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.dictionaries(
                st.sampled_from(["problem", "answer", "gold", "correct", "score", "id"]),
                st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([1])),
            ).map(lambda row: json.dumps(row).encode()),
        ),
        max_size=8,
    )
)
def test_any_bytes_end_with_a_table_or_an_error(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("any") / "log.jsonl"
    path.write_bytes(b"\n".join(lines))
    assert cli.main(["evaluate", str(path), "--json", str(path.with_suffix(".json"))]) in (0, 2)


def test_unreadable_file(run, log):
    log.chmod(0)
    try:
        log.read_bytes()
    except PermissionError:
        code, out, err = run("evaluate", log)
        assert (code, out) == (2, "")
        assert "Permission denied" in err
    else:
        pytest.skip("this user may read every file")


def test_plot_without_matplotlib(run, log, monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else find(name, *rest)
    )
    code, out, err = run("evaluate", log, "--plot", tmp_path / "f.png")
    assert (code, out) == (2, "")
    assert err == 'slowthink: error: --plot needs matplotlib: pip install "slowthink[app]"\n'


def test_ctrl_c(run, log, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "evaluate", interrupted)
    assert run("evaluate", log) == (130, "", "slowthink: interrupted\n")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_table_on_a_terminal_and_off_it_hold_the_same_words(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "60")
    header, rows = ["k", "pass@k", "maj@k [strict]"], [["1", "0.25", "0.1"], ["16", "0.5", "-"]]
    texts = []
    for stream in (Terminal(), io.StringIO()):
        writer = _report.Writer(stream)
        writer.line("title", style="bold")
        writer.table(header, rows, "a table")
        texts.append(stream.getvalue())
    words = [[word for word in text.split() if word.strip("─-")] for text in map(without_escapes, texts)]
    assert words[0] == words[1]
    assert "\x1b[" not in texts[1]


def without_escapes(text):
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_wide_tables_are_broken_with_the_first_column_repeated():
    stream = io.StringIO()
    header = ["k", *(f"column {i} " + "x" * 20 for i in range(6))]
    _report.Writer(stream).table(header, [[str(i)] * 7 for i in (1, 2)])
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.startswith("k") for line in lines) == 2
    assert all(any(name in line for line in lines) for name in header)


def shell(*arguments, **options):
    command = [sys.executable, "-m", "slowthink", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_info_from_any_folder(tmp_path):
    result = shell("info", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert slowthink.__version__ in result.stdout
    assert "instruction set" in result.stdout
    assert np.__version__ in result.stdout


def test_version_and_help(run):
    assert run("--version")[:2] == (0, f"slowthink {slowthink.__version__}\n")
    code, out, _ = run("evaluate", "--help")
    assert code == 0
    assert "examples:" in out


def test_closed_pipe_is_quiet(log):
    command = [sys.executable, "-m", "slowthink", "evaluate", str(log), "--k", "all", "--json", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read().decode()
        assert process.wait(timeout=120) == 141
    assert error == ""


def test_console_script_is_declared():
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="slowthink")
    assert script.load() is cli.main


def test_api_agrees(run, log):
    _, out, _ = run("evaluate", log, "--over", "samples", "--metric", "maj@k", "--k", "1,4", "--json", "-")
    got = load(out)["results"][0]["curves"]["maj@k"]
    want = SampleLog.read(log).curve("maj@k", [1, 4], over="samples").to_dict()
    assert got == want
