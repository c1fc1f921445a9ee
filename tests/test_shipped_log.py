"""The log that ships with the package is what its generator writes, and what the rules of the game allow."""

import ast
import gzip
import importlib.util
import itertools
import json
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

import pytest
import slowthink

SHIPPED = Path(slowthink.__file__).parent / "data" / "game24_log.jsonl.gz"
GENERATOR = Path(__file__).resolve().parents[1] / "examples" / "make_game24_log.py"


@pytest.fixture(scope="module")
def rows():
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def problems(rows):
    by_problem = defaultdict(list)
    for row in rows:
        by_problem[row["problem"]].append(row)
    return by_problem


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("make_game24_log", GENERATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_shape(rows, problems):
    assert SHIPPED.stat().st_size < 300_000
    assert len(problems) == 200
    for attempts in problems.values():
        assert [row["attempt"] for row in attempts] == list(range(64))
    assert all(row["gold"] == "24" and 0 < row["score"] <= 1 and row["cost"] > 0 for row in rows)


def test_generator_writes_the_same_bytes(problems, generator):
    """A twentieth of the puzzles, made anew, each on its own."""
    tables = generator.puzzles()
    assert [" ".join(map(str, table)) for table in tables] == list(problems)
    for table in tables[3::20]:
        name = " ".join(map(str, table))
        assert generator.text([table]) == "".join(json.dumps(row) + "\n" for row in problems[name])


def test_file_is_reproducible(generator, tmp_path, monkeypatch):
    """No time and no name in the gzip header."""
    written = []
    for name in ("one.jsonl.gz", "another.jsonl.gz"):
        command = ["make_game24_log.py", "-o", str(tmp_path / name), "--puzzles", "2", "--attempts", "3"]
        monkeypatch.setattr("sys.argv", command)
        generator.main()
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def evaluate(node, leaves):
    """The value of a parsed expression in exact rationals; its numbers are added to ``leaves``."""
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int)
        leaves.append(node.value)
        return Fraction(node.value)
    assert isinstance(node, ast.BinOp), ast.dump(node)
    left, right = evaluate(node.left, leaves), evaluate(node.right, leaves)
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    assert isinstance(node.op, ast.Div)
    return left / right


def test_every_answer_follows_from_the_four_numbers(rows):
    """Each response uses each number once and has the recorded value: no answer but by the rules."""
    for row in rows:
        leaves = []
        value = evaluate(ast.parse(row["response"], mode="eval").body, leaves)
        assert str(value) == row["answer"], row
        assert sorted(leaves) == sorted(map(int, row["problem"].split())), row


def reachable(numbers):
    """Every value the numbers give, by splitting them into two groups in all ways."""
    if len(numbers) == 1:
        return {numbers[0]}
    values = set()
    for size in range(1, len(numbers)):
        for left in itertools.combinations(range(len(numbers)), size):
            right = [i for i in range(len(numbers)) if i not in left]
            pairs = itertools.product(reachable([numbers[i] for i in left]), reachable([numbers[i] for i in right]))
            for a, b in pairs:
                values |= {a + b, a - b, a * b}
                if b:
                    values.add(a / b)
    return values


def test_puzzles_are_solvable_and_answers_attainable(problems):
    """The attainable numbers by another way than the generator's, for a sample of the puzzles."""
    for name in list(problems)[::25]:
        values = reachable([Fraction(number) for number in name.split()])
        assert 24 in values
        assert {Fraction(row["answer"]) for row in problems[name]} <= values


def test_there_is_something_to_see(problems):
    """Problems differ, votes help on some and mislead on others, and confidence tells something but not all."""
    solved = {name: sum(row["answer"] == "24" for row in attempts) / 64 for name, attempts in problems.items()}
    assert 0.15 < sum(solved.values()) / 200 < 0.35
    assert min(solved.values()) < 0.02
    assert max(solved.values()) > 0.8
    misled = [
        name
        for name, attempts in problems.items()
        if Counter(row["answer"] for row in attempts).most_common(1)[0][0] != "24" and solved[name] > 0
    ]
    assert 60 < len(misled) < 140
    right = wrong = 0
    for attempts in problems.values():
        for good, bad in itertools.product(attempts[:32], attempts[32:]):
            if good["answer"] == "24" != bad["answer"]:
                right += good["score"] > bad["score"]
                wrong += good["score"] < bad["score"]
    assert 0.7 < right / (right + wrong) < 0.95
