"""Files of comparisons: what they must hold, what they are resumed by, and how they are written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slowthink.problems import Categorical, GameOf24, KeysMaze, MetastableReasoning, Reachability, SnowballChain
from slowthink.strategies import Comparison, Verifier, compare

CHAIN = SnowballChain(rate=300)
GRAPHS = Reachability([[0, 0, 1], [0, 0, 2], [1, 0, 2], [1, 0, 1]], [0, 0], [1, 2], [2, 1])
HOW: dict[str, Any] = {"strategies": ["walk", "best-of-n"], "budgets": [1, 4], "n_trials": 9, "rng": 1}
FOUND = compare(CHAIN, **HOW)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SnowballChain(rate=50), SnowballChain(rate=20)),
        (GameOf24([[1, 1, 4, 6]]), GameOf24([[3, 3, 8, 8]])),
        (Categorical([0.5, 0.5], target=0), Categorical([0.6, 0.4], target=0)),
        (MetastableReasoning(), MetastableReasoning(experts=())),
        (MetastableReasoning(target=[12]), MetastableReasoning(target=[13])),
        (GRAPHS.take([0]), GRAPHS.take([1])),
    ],
)
def test_problems_that_look_alike_are_told_apart(one: Any, other: Any) -> None:
    assert repr(one) == repr(other)
    found = Comparison.from_json(compare(one, **HOW).to_json())
    with pytest.raises(ValueError, match=r"its .* is another one than that given here"):
        compare(other, resume=found)
    assert compare(one, resume=found).n_finished == 9


def test_fingerprints_are_the_same_everywhere() -> None:
    assert SnowballChain()._fingerprint() == "5bd822e6b270ecca97c1e80f0b3474f3"
    assert KeysMaze()._fingerprint() == "9a75e9940d41620c421fb8aeecec4049"


def test_what_is_not_given_is_taken_from_the_file() -> None:
    odd: dict[str, Any] = {"unit": "steps", "first": 3, "confidence": 0.8, "over": "trials"}
    begun = compare(CHAIN, **HOW, **odd, verifier=Verifier(0.1))
    gone_on = compare(CHAIN, resume=begun, n_trials=12)
    assert (gone_on.unit, gone_on.first, gone_on.confidence, gone_on.over) == tuple(odd.values())
    assert gone_on.verifier == Verifier(0.1)
    for name, value in (("unit", "answers"), ("first", 0)):
        with pytest.raises(ValueError, match=f"the same comparison: its {name} is {odd[name]}, here it"):
            compare(CHAIN, resume=begun, **{name: value})
    assert compare(CHAIN, resume=begun, confidence=0.95).confidence == 0.95
    with pytest.raises(ValueError, match="n_trials must be at least the 9 that resume has, got 8"):
        compare(CHAIN, resume=begun, n_trials=8)


def test_a_verifier_that_never_errs_is_the_default() -> None:
    assert FOUND.verifier == Verifier()
    assert compare(CHAIN, resume=FOUND, verifier=Verifier()).n_finished == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format must be 1, got 2"),
        ({"format": None}, "format must be 1"),
        ({"fingerprint": ...}, "it lacks 'fingerprint'"),
        ({"n_finished": 8}, "correct must hold 32 bits, got 5 bytes"),
        ({"n_finished": -9}, "n_finished must be at least 0"),
        ({"n_trials": 0}, "n_trials must be at least 1"),
        ({"n_instances": 0}, "n_instances must be at least 1"),
        ({"max_steps": "6"}, "max_steps must be an int"),
        ({"first": -5}, "first must be at least 0"),
        ({"confidence": 7}, "confidence must be between 0 and 1"),
        ({"budgets": [4, 1]}, r"budgets\[1\] must be above"),
        ({"tokens_per_step": "a"}, "tokens_per_step must be"),
        ({"seconds": -1}, "seconds must be at least 0"),
        ({"seed": ["zz"]}, "invalid literal"),
        ({"notes": 5}, "not iterable"),
        ({"verifier": {"honest": True}}, "unexpected keyword"),
        ({"strategies": {"walk": {"name": "run"}}}, "it lacks 'run'"),
        (
            {"strategies": {"walk": {"name": "walk"}, "best": {"name": "best-of-n"}}, "rows": []},
            "the accuracies of its rows",
        ),
        ({"trials": {"correct": "!", "total_cost": []}}, "base64"),
    ],
)
def test_what_is_no_comparison_is_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    data = json.loads(FOUND.to_json())
    for name, value in change.items():
        data[name] = value
        if value is ...:
            del data[name]
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=f"source must be a comparison .*, got .*changed.json: .*{words}"):
        Comparison.from_json(file)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"[1, 2]", b"null", b"\xff\xfe", b"{" * 5000, FOUND.to_json()[:500].encode()]
)
def test_foreign_files_are_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"source must be a comparison as to_json writes it, got .*kept.json: "):
        compare(CHAIN, resume=file)
    assert file.read_bytes() == content


@pytest.mark.skipif(os.name == "nt", reason="links, pipes and devices")
def test_what_is_no_plain_file_stays_what_it_is(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    FOUND.to_json(link)
    assert link.is_symlink()
    assert Comparison.from_json(real).n_finished == 9
    assert sorted(tmp_path.iterdir()) == [link, real]
    reading, writing = os.pipe()
    FOUND.to_json(f"/dev/fd/{writing}")
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        assert pipe.read() == FOUND.to_json()


def test_errors_name_the_file(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "x.json"
    for write in (FOUND.to_json, FOUND.to_html):
        with pytest.raises(FileNotFoundError) as caught:
            write(missing)
        assert caught.value.filename == str(missing)
        with pytest.raises(IsADirectoryError) as caught_folder:
            write(tmp_path)
        assert caught_folder.value.filename == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_notebooks_see_tables() -> None:
    page = FOUND._repr_html_()
    assert page.count("<table>") == 2
    assert "best at 4: best-of-n" in page
    assert "9 trials on 9 instances" in page
    none = compare(CHAIN, **HOW, time_limit=0)
    assert none._repr_html_().count("<table>") == 1
    assert "0 trials of 9 on 0 instances of SnowballChain(<6 steps>, n_wrong=1): the time was up" in none.table()


def test_small_words() -> None:
    assert repr(compare(CHAIN, ["walk"], [1], n_trials=2, rng=1)).startswith(
        "<Comparison of 1 strategy at 1 budget on "
    )
    one_step = compare(Categorical(), ["walk"], [1], n_trials=2, rng=1)
    assert "(1 answer = 1 step)" in one_step.table()
    assert one_step.problem == "Categorical(<1 question of 4 answers>)"


def test_confidence_next_to_one() -> None:
    found = compare(CHAIN, ["walk", "majority", "best-of-n"], [1], n_trials=50, rng=1, confidence=1 - 2**-52)
    assert np.isfinite(found.high).all()
    over = found.best(1).over
    assert over is not None
    assert -1 <= over.low <= over.high <= 1
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        compare(CHAIN, ["walk"], [1], n_trials=5, confidence=1 - 2**-53)


def test_titles_fit() -> None:
    pytest.importorskip("matplotlib")
    found = compare(KeysMaze(n_instances=2), ["walk"], [1], n_trials=2, rng=1)
    title = found.plot().get_title(loc="left")
    assert title.startswith("KeysMaze(rows=3, columns=3")
    assert title.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert len(title) <= 56
    with pytest.raises(TypeError, match="ax must be a matplotlib Axes or None, got str"):
        found.plot("budget")
