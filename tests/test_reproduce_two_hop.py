"""`slowthink reproduce two-hop`: every claim holds, and would not for another law."""

from __future__ import annotations

import numpy as np
import pytest
from slowthink import _reproduce, cli
from slowthink._reproduce import _two_hop


@pytest.fixture(scope="module")
def found():
    parts = []
    result = _reproduce.PAPERS["two-hop"](_reproduce.Request(seed=1, quick=True, report=parts.append))
    assert len(parts) == 3
    return result


def test_every_claim_holds(found):
    assert not [claim for claim in found.claims if not claim.holds]
    assert len({claim.part for claim in found.claims}) == 3
    measured = "\n".join(claim.measured for claim in found.claims)
    assert "3.434; steps 970, 996, 1079" in measured
    assert "(6.23, 5.70, 8.98) and 0.00276" in measured


def test_the_same_seed_gives_the_same_numbers(found):
    again = _reproduce.PAPERS["two-hop"](_reproduce.Request(seed=1, quick=True, threads=1))
    assert cli.json_text(again.to_dict()) == cli.json_text(found.to_dict())


def test_shares_that_differ_do_not_hold():
    assert _two_hop.shares("a", "b", 0.25, np.array([2500, 2500, 2500, 2500]), 10_000).holds
    assert not _two_hop.shares("a", "b", 0.25, np.array([2300, 2700, 2500, 2500]), 10_000).holds


def test_the_command(found, monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(_reproduce.PAPERS, "two-hop", lambda request: found)
    plot = tmp_path / "figure.png"
    assert cli.main(["reproduce", "two-hop", "--quick", "--plot", str(plot)]) == 0
    assert plot.stat().st_size > 10_000
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100
