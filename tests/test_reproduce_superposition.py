"""`slowthink reproduce superposition`: every claim, on generated instances and on a file."""

from __future__ import annotations

import json

import pytest
from slowthink import _reproduce, cli
from slowthink._reproduce import Request
from slowthink.problems import Reachability


@pytest.fixture(scope="module")
def found():
    parts = []
    result = _reproduce.PAPERS["superposition"](Request(seed=1, quick=True, report=parts.append))
    assert len(parts) == 6
    return result


def test_every_claim_holds(found):
    assert not [claim for claim in found.claims if not claim.holds]
    claims = "\n".join(claim.claim for claim in found.claims)
    for wanted in ("depth 3: solved after 3 steps", "k = 256", "majority: samples for 95 % grow like Delta^-2"):
        assert wanted in claims
    assert len(found.panels) == 4


def test_the_same_seed_gives_the_same_numbers(found):
    again = _reproduce.PAPERS["superposition"](Request(seed=1, quick=True, threads=1))
    assert cli.json_text(again.to_dict()) == cli.json_text(found.to_dict())


def test_the_published_set(shared_data):
    file = str(shared_data / "prosqa" / "prosqa_valid.compact.jsonl")
    found = _reproduce.PAPERS["superposition"](Request(seed=2, quick=True, data=file))
    assert not [claim for claim in found.claims if not claim.holds]
    claims = {claim.claim: claim for claim in found.claims}
    assert claims["all: hit probability 0.1623, exact by recursion"].data["exact"] == pytest.approx(0.16231192)
    assert claims["depth 6: solved after 6 steps, and undecided before"].measured == "7 of 7"


def test_a_figure_and_numbers(found, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(_reproduce.PAPERS, "superposition", lambda request: found)
    plot, numbers = tmp_path / "figure.png", tmp_path / "numbers.json"
    assert cli.main(["reproduce", "superposition", "--plot", str(plot), "--json", str(numbers)]) == 0
    assert plot.stat().st_size > 10_000
    assert json.loads(numbers.read_text())["holds"] is True
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 100
    assert "Cautions." in printed


def test_instances_that_are_others_fail(tmp_path, capsys):
    # Chains, which a walk cannot miss: nothing is like ProsQA here.
    file = tmp_path / "chains.json"
    edges = [[i, 0, 1] for i in range(3)] + [[i, 1, 2] for i in range(3)] + [[i, 3, 4] for i in range(3)]
    Reachability(edges, [0] * 3, [2] * 3, [4] * 3).write(file)
    assert cli.main(["reproduce", "superposition", "--quick", "--data", str(file)]) == 1
    assert "NO" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["metastable", "--data", "x.json"], "--data: metastable takes no instances from a file"),
        (["superposition", "--data", "nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_input_is_one_line(arguments, text, capsys):
    assert cli.main(["reproduce", *arguments]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1
