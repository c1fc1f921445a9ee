"""`slowthink reproduce snowball` and `sample-complexity`: every claim holds, and the seed decides."""

from __future__ import annotations

import json

import pytest
from slowthink import _reproduce, cli
from slowthink._reproduce import Request

PARTS = {"sample-complexity": 7, "snowball": 6}


@pytest.fixture(scope="module", params=sorted(PARTS))
def found(request):
    parts = []
    result = _reproduce.PAPERS[request.param](Request(seed=1, quick=True, report=parts.append))
    assert len(parts) == PARTS[request.param]
    return request.param, result


def test_every_claim_holds(found):
    assert not [claim for claim in found[1].claims if not claim.holds]


def test_the_same_seed_gives_the_same_numbers(found):
    again = _reproduce.PAPERS[found[0]](Request(seed=1, quick=True, threads=1))
    assert cli.json_text(again.to_dict()) == cli.json_text(found[1].to_dict())


def test_the_known_figures_are_claimed():
    claims = "\n".join(claim.claim for claim in _reproduce.PAPERS["snowball"](Request(quick=True)).claims)
    assert "lambda=50 L=6: exactly 0.03824, bound 11.85" in claims


def test_the_command(found, monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    name, result = found
    monkeypatch.setitem(_reproduce.PAPERS, name, lambda request: result)
    plot, numbers = tmp_path / "figure.png", tmp_path / "numbers.json"
    assert cli.main(["reproduce", name, "--quick", "--plot", str(plot), "--json", str(numbers)]) == 0
    captured = capsys.readouterr()
    assert plot.stat().st_size > 10_000
    assert json.loads(numbers.read_text())["holds"] is True
    assert max(map(len, captured.out.splitlines()[1:])) <= 100
