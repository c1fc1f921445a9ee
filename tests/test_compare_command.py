"""``slowthink compare`` as a user meets it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from slowthink import _compare_command, cli
from slowthink.strategies import Comparison

OWN = Path(__file__).with_name("own_problems.py")
QUICK = ("--budgets", "1,8", "--trials", "60", "--strategies", "walk,best-of-n,beam")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command in this process: exit code, stdout, stderr."""

    def call(*arguments: Any) -> tuple[int, str, str]:
        code = cli.main(["compare", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_tables_and_files(run: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    figure, page, numbers = (tmp_path / name for name in ("a.png", "a.html", "a.json"))
    code, out, err = run(*QUICK, "--plot", figure, "--html", page, "--json", numbers)
    assert code == 0
    assert "right answers in %, 95% intervals" in out
    assert "best at 8: beam" in out
    assert "no problem given: comparing on the Game of 24" in err
    assert figure.read_bytes()[:4] == b"\x89PNG"
    assert page.read_text().startswith("<!DOCTYPE html>")
    found = Comparison.from_json(numbers)
    assert (found.n_finished, found.budgets) == (60, (1, 8))
    assert found.table() in out
    code, printed, err = run("game-of-24", *QUICK, "--json", "-")
    assert code == 0
    assert json.loads(printed)["rows"] == json.loads(numbers.read_text())["rows"]
    _, _, err = run("game-of-24", *QUICK)
    assert "for a figure add --plot FILE.png" in err


def test_readme_shows_what_is_printed(run: Any) -> None:
    readme = Path(__file__).resolve().parents[1] / "README.md"
    shown = readme.read_text(encoding="utf-8").split("$ slowthink compare --plot compare.png\n")[1].split("```")[0]
    _, out, _ = run()
    assert out.strip("\n").splitlines() == shown.strip("\n").splitlines()


def test_the_same_seed_and_threads(run: Any) -> None:
    one = run(*QUICK, "--seed", 5, "--threads", 1)[1]
    assert run(*QUICK, "--seed", 5, "--threads", 2)[1] == one
    assert run(*QUICK, "--seed", 6)[1] != one


def test_a_problem_in_python(run: Any) -> None:
    code, out, _ = run(f"{OWN}:Coins", "--budgets", "1,4", "--trials", "20")
    assert code == 0
    assert "20 trials on 5 instances of Coins" in out
    module, sys.path[:0] = "own_problems:SlowCoins", [str(OWN.parent)]
    try:
        assert run(module, "--budgets", "2", "--strategies", "walk")[0] == 0
    finally:
        del sys.path[0]


def test_options_reach_the_comparison(run: Any, tmp_path: Path) -> None:
    options = ("--verifier-error", "0.1,0.2", "--process-noise", "0.3", "--confidence", "0.9", "--unit", "steps")
    data = json.loads(run(*QUICK, *options, "--json", "-")[1])
    judge = data["verifier"]
    assert (judge["false_positive"], judge["false_negative"], judge["process_noise"]) == (0.1, 0.2, 0.3)
    assert (data["confidence"], data["unit"], data["budgets"]) == (0.9, "steps", [1, 8])


def test_resuming(run: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    assert run(*QUICK, "--time-limit", 0, "--resume", kept)[0] == 0
    assert Comparison.from_json(kept).n_finished == 0
    whole = run(*QUICK)[1]
    assert run(*QUICK, "--resume", kept)[1] == whole
    assert run("--resume", kept)[1] == whole
    code, _, err = run(*QUICK, "--resume", kept, "--seed", 9)
    assert code == 2
    assert "resume must be of the same comparison: its rng is" in err


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_prints_what_was_finished(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    command = [sys.executable, "-m", "slowthink", "compare", "--budgets", "1,1024", "--trials", "1000000"]
    process = subprocess.Popen(
        [*command, "--resume", str(kept)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "best at 1,024: " in out
    assert "of 1,000,000 on" in out
    assert f"the same command goes on with {kept}" in err
    found = Comparison.from_json(kept)
    assert found.interrupted
    assert found.n_finished > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chess",), "PROBLEM must be one of game-of-24, snowball"),
        (("Game24",), "got 'Game24' (did you mean 'game-of-24'?)"),
        (("",), "or module_or_file.py:name, got ''"),
        (("own_problem.py",), "(did you mean 'own_problem.py:NAME'?)"),
        (("--strategies", "BestOfN"), "(did you mean 'best-of-n'?)"),
        (("--plot", "-"), "--plot must be the name of a file, got '-'"),
        (("--html", "-"), "--html must be the name of a file, got '-'"),
        (("--resume", "-"), "--resume must be the name of a file, got '-'"),
        (("--json", "/"), "--json must be the name of a file, got the folder /"),
        (("--html", ""), "--html must be the name of a file, got the folder ."),
        (("--json", "no.such", "--html", "no.such"), "--html must differ from the file of --json, got no.such"),
        (("snowball", "--budgets", "2147483647"), "--budgets[0] must be at most 2147483646 steps"),
        (("--confidence", "0.9999999999999999"), "--confidence must be between 0 and 1"),
        (("no_such.py:X",), "no such file: no_such.py"),
        (("no_such.json",), "no such file: no_such.json"),
        ((f"{OWN}:Nothing",), "has no 'Nothing'"),
        (("no_such_module:X",), "No module named 'no_such_module'"),
        (("--strategies", "walk,run"), "'run' is none of walk, best-of-n"),
        (("--budgets", "0"), "must be whole numbers from 1 to 2147483647, joined by commas, got '0'"),
        (("--budgets", "x"), "got 'x'"),
        (("--trials", "0"), "must be a whole number from 1 to 1099511627775, got "),
        (("--verifier-error", "2"), "must be one or two numbers from 0 to 1"),
        (("--process-noise", "-1"), "must be a number from 0 on"),
        (("--confidence", "1"), "must be a number between 0 and 1"),
        (("--seed", "-1"), "must be a whole number from 0 on"),
        (("--threads", "0"), "must be a whole number from 1 to "),
        (("--plot", "/no/such/x.png"), "--plot: no such folder: /no/such"),
        (("--html", "/no/such/x.html"), "--html: no such folder: /no/such"),
        (("--resume", "/no/such/x.json"), "--resume: no such folder: /no/such"),
        ((f"{OWN}:P",), "problem must be one of slowthink.problems"),
    ],
)
def test_refused_in_one_line(run: Any, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1 + ("no problem given" in err)


@pytest.mark.parametrize("name", _compare_command.PROBLEMS)
def test_named_problems(run: Any, name: str) -> None:
    code, out, _ = run(name, "--budgets", "1,4", "--trials", "20")
    assert code == 0
    assert "20 trials on " in out
    assert len(re.findall(r"^(?:walk|beam|dvts|tree-search) .* ±", out, re.MULTILINE)) == 4


WRONG = """
import sys
class P:
    max_steps = 2
    def root(self, instance): return 0
    def step(self, state, rng): return state + 1
    def answer(self, state): return state if state == 2 else None
    def correct(self, state): return True
class Raises(P):
    def step(self, state, rng): return {}["x"]
class Waits(P):
    async def step(self, state, rng): raise OSError("refused")
class Leaves(P):
    def step(self, state, rng): sys.exit(5)
class Prints(P):
    def step(self, state, rng):
        print("a step")
        return state + 1
class Garbage(P):
    def correct(self, state): return "no"
class Unmade(P):
    def __init__(self): raise RuntimeError("cannot be made")
def gives_class(): return P
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Raises", "wrong.py, line 10, in step: KeyError: 'x'"),
        ("Waits", "wrong.py, line 12, in step: OSError: refused"),
        ("Leaves", "wrong.py, line 14, in step: SystemExit: 5"),
        ("Unmade", "wrong.py, line 22, in __init__: RuntimeError: cannot be made"),
        ("Garbage", "slowthink: error: problem.correct must give True or False, got 'no'"),
        ("gives_class", "slowthink: error: problem must be an object, got the class P: P() makes one"),
    ],
)
def test_errors_of_a_problem_name_their_line(run: Any, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    code, out, err = run(f"{tmp_path / 'wrong.py'}:{name}", "--budgets", "1", "--trials", "2", "--strategies", "walk")
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(:", "bad.py, line 1: SyntaxError: invalid syntax\n"),
        ("x = 1 / 0", "bad.py, line 1, in <module>: ZeroDivisionError: division by zero\n"),
        ("import nosuchmodule", "bad.py, line 1, in <module>: ModuleNotFoundError: No module named 'nosuchmodule'\n"),
        ("\0", "SyntaxError: source code"),
    ],
)
def test_files_that_are_no_modules(run: Any, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.py").write_text(text)
    code, out, err = run(f"{tmp_path / 'bad.py'}:P")
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_what_a_problem_prints_is_not_in_the_way(run: Any, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    arguments = ("--budgets", "1", "--trials", "2", "--strategies", "walk", "--json", "-")
    code, out, err = run(f"{tmp_path / 'wrong.py'}:Prints", *arguments)
    assert code == 0
    assert json.loads(out)["n_finished"] == 2
    assert err.count("a step\n") == 4


def test_streams_that_are_closed_or_know_few_letters(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "slowthink", "compare", "snowball", *QUICK]
    page = tmp_path / "page.html"
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    made = subprocess.run([*command, "--html", str(page)], env=ascii_only, capture_output=True, text=True, check=True)
    assert re.search(r"^walk +\d+\.\d \+-\d", made.stdout, re.MULTILINE)
    assert "±" in page.read_text(encoding="utf-8")
    if os.name != "nt":
        for closed, code in ((">&-", 0), ("2>&-", 0), ("--budgets 0 2>&-", 2)):
            shell = " ".join(f"'{word}'" for word in command) + f" {closed}"
            made = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
            assert made.returncode == code
            assert "Traceback" not in made.stderr


def test_the_time_is_up_before_it_begins(run: Any) -> None:
    code, out, _ = run("snowball", "--time-limit", "0")
    assert code == 0
    assert "0 trials of 1,000 on 0 instances of SnowballChain(<6 steps>, n_wrong=1): the time was up" in out


def test_lines_of_json_are_graphs_too(run: Any, tmp_path: Path) -> None:
    from slowthink.problems import Reachability

    file = tmp_path / "graphs.jsonl"
    Reachability.generate(4, rng=1).write(file)
    code, out, _ = run(file, "--budgets", "1,4", "--trials", "8")
    assert code == 0
    assert "8 trials on 4 instances of Reachability(<4 graphs>" in out


def test_files_that_cannot_be_written(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, out, err = run("snowball", "--json", tmp_path / "x.json")
    assert (code, out) == (2, "")
    assert "--json: " in err
    assert "x.json cannot be written" in err


def test_a_narrow_terminal_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    from slowthink._report import Writer
    from slowthink.problems import SnowballChain
    from slowthink.strategies import compare
    from slowthink.strategies._table import write

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    write(compare(SnowballChain(), n_trials=8, rng=1), Writer(stream))
    assert "\N{HORIZONTAL ELLIPSIS}" not in stream.getvalue()
    rows = [line for line in stream.getvalue().splitlines() if line.startswith("self-correction")]
    assert len(rows) > 6
    assert all(len(row) <= 40 for row in rows)
