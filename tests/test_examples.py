"""The example programs run as their first lines say, and show what they promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name, *arguments):
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_all_are_here():
    tested = {
        "evaluate_log.py", "compare_players.py", "plan_budget.py", "make_game24_log.py", "walk_graph.py",
        "metastable_hitting.py", "shakespeare.py", "llm_forest.py",
        "own_problem.py", "llm_server.py",
    }  # fmt: skip
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested | {"fake_server.py"}


def test_evaluate_log():
    out = run("evaluate_log.py")
    rows = [line.split()[0] for line in out.splitlines() if re.match(r" +\d", line)]
    assert rows == ["1", "4", "16", "64"]
    assert re.search(r"outvoted: \d+ of 200 problems", out)


def test_compare_players():
    """The intervals of the two overlap, and that of the paired difference is clear of 0."""
    number = r"([-+]?\d\.\d+)"
    interval = rf"{number} \[{number}, {number}\]"
    line = run("compare_players.py").splitlines()[0]
    careful, rough, difference = (list(map(float, found)) for found in re.findall(interval, line))
    assert careful[1] < rough[2]
    assert difference[1] > 0
    assert difference[0] == pytest.approx(careful[0] - rough[0], abs=0.0011)


def test_plan_budget():
    out = run("plan_budget.py")
    assert "188 samples by vote, 6 with a perfect verifier" in out
    assert len(re.findall(r"stopping by the \S+ rule", out)) == 2


def test_walk_graph(tmp_path):
    pytest.importorskip("networkx")
    out = run("walk_graph.py")
    assert "6,800 sentences" in out
    agree = int(re.search(r"where (\d+) of 34 members went", out)[1])
    assert agree >= 32
    # Two squares that share a corner, with weights, by names.
    edges = tmp_path / "edges.txt"
    edges.write_text("# a comment\na b 2\nb c\nc d 2\nd a\n\na e\ne f 3\nf g\ng a 3\n")
    assert "n_states=7, n_transitions=16" in run("walk_graph.py", str(edges))


def test_metastable_hitting(tmp_path):
    """The exact mean lies in the interval of the simulated ones, and censored walks are counted, not lost."""
    figure = tmp_path / "survival.png"
    out = run("metastable_hitting.py", str(figure))
    mean, low, high = map(float, re.search(r"cluster (\S+) \[(\S+), (\S+)\]", out).groups())
    assert low < mean < high
    assert low < float(re.search(r"exact +(\S+)", out)[1]) < high
    n_censored, last = int(re.search(r"(\d+) of 2000 walks are censored", out)[1]), out.splitlines()[-1]
    assert float(re.search(r"steps: (\S+)", last)[1]) == pytest.approx(n_censored / 2000, abs=5.01e-4)
    assert figure.stat().st_size > 5000


def test_shakespeare():
    """On the licence, for want of a play that is ours to ship."""
    path = EXAMPLES.parent / "LICENSE-APACHE"
    out = run("shakespeare.py", str(path))
    assert out.startswith(f"{len(path.read_text()):,} characters")
    shares = [float(share) for share in re.findall(r"(\S+)% of those in the rest", out)]
    assert len(shares) == 6
    assert shares == sorted(shares, reverse=True)
    assert re.search(r"bigrams: [\d,]+ characters a second", out)


def test_llm_forest():
    pytest.importorskip("openai")
    out = run("llm_forest.py", "--fake")
    lines, right = re.search(r"(\d+) lines", out), re.search(r"(\d+) of 24 problems right", out)
    assert 300 < int(lines[1]) <= 960
    assert int(right[1]) >= 18


def test_own_problem(tmp_path):
    pytest.importorskip("matplotlib")
    figure = tmp_path / "curves.png"
    out = run("own_problem.py", str(figure))
    rows = {
        line.split()[0]: [float(x) for x in re.findall(r"(\d+\.\d) ±", line)]
        for line in out.splitlines()
        if "±" in line
    }
    assert len(rows) == 8
    assert rows["walk"] == [rows["walk"][0]] * 4
    assert rows["beam"][3] > rows["majority"][3] > rows["walk"][3] + 20
    assert "200 trials on 100 instances of Sum" in out
    assert figure.stat().st_size > 5000


def test_llm_server(tmp_path):
    pytest.importorskip("openai")
    kept = tmp_path / "kept.json"
    out = run("llm_server.py", "--fake", "--trials", "4", "--keep", str(kept))
    assert "4 trials on 4 instances of Sums" in out
    assert re.search(r"best at 8: \S+, \d+", out)
    again = run("llm_server.py", "--fake", "--trials", "4", "--keep", str(kept))
    assert again == out
