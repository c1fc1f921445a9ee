"""`slowthink reproduce`: the table, its figure and JSON, and what is refused."""

from __future__ import annotations

import json

import pytest
from slowthink import _reproduce, cli
from slowthink._reproduce import Claim, Reproduction


@pytest.fixture(scope="module")
def found():
    parts = []
    result = _reproduce.PAPERS["metastable"](_reproduce.Request(seed=1, quick=True, report=parts.append))
    assert len(parts) == 7
    return result


def test_every_claim_holds(found):
    assert not [claim for claim in found.claims if not claim.holds]
    parts = {claim.part.split(":")[0] for claim in found.claims}
    assert len(parts) == 7
    claims = "\n".join(claim.claim for claim in found.claims)
    assert "K=8 M=16 eps=0.1: 1127" in claims
    assert "cycle, to the opposite cluster (caution): K^2 M^1 eps^-1" in claims


def test_the_same_seed_gives_the_same_numbers(found):
    again = _reproduce.PAPERS["metastable"](_reproduce.Request(seed=1, quick=True, threads=1))
    assert cli.json_text(again.to_dict()) == cli.json_text(found.to_dict())


def test_the_command(found, monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(_reproduce.PAPERS, "metastable", lambda request: found)
    plot, numbers = tmp_path / "figure.png", tmp_path / "numbers.json"
    code = cli.main(["reproduce", "metastable", "--quick", "--plot", str(plot), "--json", str(numbers)])
    captured = capsys.readouterr()
    assert code == 0
    assert plot.stat().st_size > 10_000
    assert f"wrote {plot}" in captured.err
    assert len(json.loads(numbers.read_text())["claims"]) == len(found.claims)
    assert captured.out.count("claimed") == 1
    assert max(map(len, captured.out.splitlines())) <= 100
    for claim in found.claims:
        assert claim.part in captured.out
        assert all(word in captured.out for word in claim.measured.split())
    assert cli.main(["reproduce", "metastable", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True


def test_a_claim_that_fails_shows_in_the_exit_code(monkeypatch, capsys):
    failed = Reproduction("A paper", [Claim("Part", "1 = 2", "1 = 1", False)], [], {})
    monkeypatch.setitem(_reproduce.PAPERS, "metastable", lambda request: failed)
    assert cli.main(["reproduce", "metastable"]) == 1
    assert "NO" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["reproduce"], "paper"),
        (["reproduce", "nothing"], "invalid choice: 'nothing'"),
        (["reproduce", "metastable", "--seed", "-1"], "must be a whole number from 0 on"),
        (["reproduce", "metastable", "--threads", "0"], "must be a whole number from 1 on"),
        (["reproduce", "metastable", "--plot", "no/such/folder/a.png"], "no such folder"),
    ],
)
def test_bad_input_is_one_line(arguments, text, capsys):
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


def test_the_names_on_the_command_line_are_those_there_are():
    assert set(cli.PAPERS) == set(_reproduce.PAPERS)
