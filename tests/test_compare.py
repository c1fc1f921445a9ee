"""Comparisons on the problems that come with slowthink: intervals, resuming, files, figures, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import trees
from slowthink.problems import GameOf24, TicTacToe
from slowthink.strategies import (
    STRATEGIES,
    Beam,
    BestOfN,
    Comparison,
    Dvts,
    SelfCorrection,
    Stepwise,
    TreeSearch,
    Verifier,
    Walk,
    _intervals,
    compare,
)
from slowthink.trees import Gumbel, Puct, Thompson, Uct

GAME = GameOf24(GameOf24().puzzles()[::7])
ALL = [*STRATEGIES, SelfCorrection("ucb"), SelfCorrection("thompson"), SelfCorrection("successive-elimination")]


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(GAME, ALL, budgets=[1, 4, 16, 64], n_trials=600, rng=1)


def same(a: Comparison, b: Comparison) -> None:
    """All but how long it took."""
    left, right = ({**c.to_dict(), "seconds": 0} for c in (a, b))
    np.testing.assert_equal(left, right)
    np.testing.assert_array_equal(a.correct, b.correct)
    np.testing.assert_array_equal(a.total_cost, b.total_cost)


def test_budgets_are_kept_and_help(found: Comparison) -> None:
    assert (found.steps <= 3 * np.array(found.budgets)).all()
    assert (found.spent <= found.budgets).all()
    for i, label in enumerate(found.strategies):
        if label != "majority":
            assert (found.low[i, :-1] <= found.high[i, 1:]).all(), label
    for other in ("best-of-n", "majority"):
        assert found.difference("tree-search", other, 64).significant
    walk = list(found.strategies).index("walk")
    assert (found.accuracy[walk] == found.accuracy[walk, 0]).all()
    assert (found.answers[walk] == 1).all()


def test_exact_curves_lie_in_the_intervals() -> None:
    whole = compare(GameOf24(), ["walk", "best-of-n", "weighted-vote"], budgets=[1, 4, 16, 64], rng=2, confidence=0.999)
    assert whole.n_trials == 1362
    known = np.isfinite(whole.exact)
    assert known.all()
    assert (whole.low <= whole.exact).all()
    assert (whole.exact <= whole.high).all()


def test_same_bytes_for_any_threads_and_blocks(found: Comparison) -> None:
    for threads in (1, 2, 7):
        same(found, compare(GAME, ALL, budgets=[1, 4, 16, 64], n_trials=600, rng=1, threads=threads))
    shards = [
        compare(GAME, ALL, budgets=[1, 4, 16, 64], n_trials=n, rng=1, first=first)
        for first, n in ((0, 250), (250, 1), (251, 349))
    ]
    np.testing.assert_array_equal(np.concatenate([shard.correct for shard in shards], axis=2), found.correct)
    np.testing.assert_array_equal(sum(shard.total_cost for shard in shards), found.total_cost)
    np.testing.assert_array_equal(np.concatenate([shard.instances for shard in shards]), found.instances)


def test_subsets_draw_the_same(found: Comparison) -> None:
    """Trials of a strategy do not depend on what else is compared."""
    one = compare(GAME, ["beam", "best-of-n"], budgets=[4, 64], n_trials=600, rng=1)
    labels = list(found.strategies)
    np.testing.assert_array_equal(one.correct[0], found.correct[labels.index("beam")][[1, 3]])
    np.testing.assert_array_equal(one.correct[1], found.correct[labels.index("best-of-n")][[1, 3]])


class Impatient:
    """A progress callback that presses Ctrl-C."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, done: int, total: int) -> None:
        if done >= self.after:
            raise KeyboardInterrupt


def test_an_interrupted_comparison_goes_on(tmp_path: Any, found: Comparison) -> None:
    file = tmp_path / "kept.json"
    arguments: dict[str, Any] = {"budgets": [1, 4, 16, 64], "n_trials": 600, "rng": 1}
    with pytest.warns(RuntimeWarning, match=r"interrupted after \d+ of 600 trials"):
        part = compare(GAME, ALL, **arguments, progress=Impatient(50), checkpoint=file)
    assert part.interrupted
    assert 50 <= part.n_finished < 600
    np.testing.assert_array_equal(part.correct, found.correct[:, :, : part.n_finished])
    assert "interrupted" in part.table()
    same(Comparison.from_json(file), part)
    for resume in (part, file, str(file)):
        again = compare(GAME, resume=resume)
        assert again.ended == "done"
        same(again, found)
    same(compare(GAME, ALL, **arguments, resume=file, checkpoint=file), found)
    same(Comparison.from_json(file), found)
    # More trials than were asked for at first.
    more = compare(GAME, resume=file, n_trials=700)
    same(more, compare(GAME, ALL, budgets=[1, 4, 16, 64], n_trials=700, rng=1))


def test_resume_begins_where_there_is_no_file(tmp_path: Any) -> None:
    file = tmp_path / "kept.json"
    one = compare(GAME, ["walk"], budgets=[1], n_trials=20, rng=1, resume=file, checkpoint=file)
    assert one.n_finished == 20
    same(Comparison.from_json(file), one)
    for change in ({"rng": 2}, {"budgets": [2]}, {"first": 5}, {"strategies": ["beam"]}, {"verifier": Verifier(0.1)}):
        with pytest.raises(ValueError, match="resume must be of the same comparison: its "):
            compare(GAME, **{"resume": file, **change})
    with pytest.raises(ValueError, match="resume must be of the same comparison: its problem"):
        compare(GameOf24([[1, 1, 4, 6]]), resume=file)


def test_no_time() -> None:
    none = compare(GAME, ["walk", "beam"], budgets=[1], time_limit=0, rng=1)
    assert none.ended == "time_limit"
    assert none.n_finished == 0
    assert np.isnan(none.accuracy).all()
    assert repr(none).endswith("0 trials of 1,170>")
    with pytest.raises(ValueError, match="there are none"):
        none.best(1)
    none.to_html()
    same(Comparison.from_json(none.to_json()), none)


def test_winner_and_difference(found: Comparison) -> None:
    best = found.best(64)
    assert best.accuracy == found.accuracy[:, 3].max()
    assert best.over is not None
    wider, single = best.over, found.difference(best.strategy, str(best.runner_up), 64)
    assert wider.difference == single.difference
    assert wider.low < single.low
    assert wider.high > single.high
    labels = list(found.strategies)
    a, b = labels.index("beam"), labels.index("walk")
    difference = found.difference("beam", "walk", 16)
    assert difference.difference == pytest.approx(found.accuracy[a, 2] - found.accuracy[b, 2])
    assert found.difference("walk", "beam", 16).low == pytest.approx(-difference.high)
    alone = compare(GAME, ["walk"], budgets=[1], n_trials=20, rng=1).best(1)
    assert (alone.runner_up, alone.over, alone.significant) == (None, None, False)


def test_files(tmp_path: Any, found: Comparison) -> None:
    text = found.to_json(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    same(Comparison.from_json(text), found)
    data = json.loads(text)
    assert len(data["rows"]) == len(ALL) * 4
    assert data["rows"][5]["strategy"] == "best-of-n"
    for spoiled in ("{}", "{", "[]", json.dumps({**data, "format": 9}), json.dumps({**data, "budgets": [1]})):
        with pytest.raises((ValueError, FileNotFoundError)):
            Comparison.from_json(spoiled)
    policy = TreeSearch(Puct(fpu=("parent", 0.1)), values="process", select="majority")
    odd = compare(
        GAME, {"mine": policy, "uct": TreeSearch(Uct())}, budgets=[2], n_trials=8, verifier=Verifier(0.1), rng=1
    )
    again = Comparison.from_json(odd.to_json())
    assert again.strategies == odd.strategies
    same(again, odd)


def test_table_and_page(tmp_path: Any, found: Comparison) -> None:
    lines = found.table().split("\n")
    assert max(map(len, lines)) <= 130  # by the longest name
    row = next(line for line in lines if line.startswith("beam"))
    shown = [float(cell) for cell in re.findall(r"(\d+\.\d) ±", row)]
    assert shown == pytest.approx(100 * found.accuracy[4], abs=0.051)
    assert sum(line.startswith("best at ") for line in lines) == 4
    page = found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert "<svg" in page
    assert found.to_html() == page
    for bad in (3, b"bytes", ""):
        with pytest.raises((TypeError, ValueError), match="path must be the name of a file"):
            found.to_html(bad)  # type: ignore[arg-type]
    names = r'xmlns[^=]*="[^"]*"|<rdf:RDF.*?</rdf:RDF>'
    assert "http" not in re.sub(names, "", page, flags=re.DOTALL), "a page needs nothing else"
    hostile = compare(GAME, {"<script>": Walk(), "_hidden": Beam()}, budgets=[1], n_trials=8, rng=1).to_html()
    assert "<script>" not in hostile


def test_figure(found: Comparison) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = found.plot()
    lines = {line.get_label(): line for line in axes.lines}
    assert set(found.strategies) <= set(lines)
    np.testing.assert_allclose(lines["beam"].get_ydata(), 100 * found.accuracy[4])
    np.testing.assert_allclose(lines["beam"].get_xdata(), found.steps[4] / 3)
    assert sum(line.get_label() == "_exact" for line in axes.lines) == np.isfinite(found.exact).all(axis=1).sum()
    assert axes.get_xscale() == "log"
    budgets = found.plot(x="budget")
    assert budgets.lines[0].get_xdata().tolist() == [1, 4, 16, 64]
    with pytest.raises(ValueError, match="x must be 'spent' or 'budget'"):
        found.plot(x="time")  # type: ignore[arg-type]


def test_units() -> None:
    answers = compare(GAME, ["beam", "best-of-n"], budgets=[2, 8], n_trials=100, rng=1)
    steps = compare(GAME, ["beam", "best-of-n"], budgets=[6, 24], n_trials=100, rng=1, unit="steps")
    np.testing.assert_array_equal(answers.correct, steps.correct)
    np.testing.assert_array_equal(steps.spent, steps.steps)
    tokens = compare(GAME, ["beam", "best-of-n"], budgets=[6, 24], n_trials=100, rng=1, unit="tokens")
    assert (tokens.tokens <= tokens.budgets).all()


def test_a_verifier_that_errs_costs_accuracy() -> None:
    def at(verifier: Verifier | None) -> np.ndarray:
        strategies = ["best-of-n", "weighted-vote", "majority"]
        return compare(GAME, strategies, budgets=[64], n_trials=500, verifier=verifier, rng=3).accuracy[:, 0]

    perfect, wrong = at(None), at(Verifier(false_positive=0.3))
    assert wrong[0] < perfect[0] - 0.2
    assert wrong[2] == perfect[2]
    np.testing.assert_array_equal(at(Verifier()), perfect)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32))
def test_intervals_hold_what_they_should(n: int, n_instances: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    correct = (rng.random((2, n)) < rng.random()).astype(np.uint8)
    instance = np.arange(n) % n_instances
    for clustered in (False, True):
        low, high = _intervals.wilson(correct, instance, 0.95, clustered=clustered)
        mean = correct.mean(axis=1)
        assert ((low >= 0) & (low <= mean) & (mean <= high) & (high <= 1)).all()
        d, left, right = _intervals.paired(correct[0], correct[1], instance, 0.95, clustered=clustered)
        assert d == pytest.approx(mean[0] - mean[1])
        assert -1 <= left <= d <= right <= 1


def test_trials_that_repeat_instances_count_for_less() -> None:
    """Of 40 instances, each met 50 times, all trials of an instance are alike: the naive interval is far too narrow."""
    rng = np.random.default_rng(5)
    instance = np.arange(2000) % 40
    covered = {False: 0, True: 0}
    for _ in range(400):
        correct = (rng.random(40) < 0.3).astype(np.uint8)[instance][None]
        for clustered in covered:
            low, high = _intervals.wilson(correct, instance, 0.95, clustered=clustered)
            covered[clustered] += bool(low[0] <= 0.3 <= high[0])
    assert covered[False] < 0.35 * 400
    assert 0.92 * 400 <= covered[True] <= 0.99 * 400


def test_paired_intervals_cover() -> None:
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(1000):
        both = rng.random(80)
        a, b = (both < 0.5).astype(np.uint8), ((both + 0.1 * (rng.random(80) < 0.5)) < 0.5).astype(np.uint8)
        _, low, high = _intervals.paired(a, b, np.arange(80), 0.95, clustered=True)
        inside += low <= 0.05 <= high
    assert 930 <= inside <= 985


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"problem": GameOf24}, TypeError, "problem must be an object, got the class GameOf24"),
        ({"problem": TicTacToe()}, TypeError, "problem must be one that is reasoned about"),
        ({"problem": object()}, TypeError, "problem must be one of slowthink.problems, or have the methods"),
        ({"strategies": ["walk", "run"]}, ValueError, r"strategies\[1\] must be one of walk, .*, got 'run'"),
        ({"strategies": [Walk(), "walk"]}, ValueError, r"strategies\[1\] must differ"),
        ({"strategies": []}, ValueError, "strategies must hold at least one"),
        ({"strategies": 3}, TypeError, "strategies must be a list"),
        ({"strategies": ["best-of-m"]}, ValueError, r"got 'best-of-m' \(did you mean 'best-of-n'\?\)"),
        ({"strategies": [TreeSearch(Thompson())]}, ValueError, r"strategies\[0\] must have a policy for children"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"concurrency": 0}, ValueError, "concurrency must be at least 1"),
        ({"retries": -1}, ValueError, "retries must be at least 0"),
        ({"budgets": []}, ValueError, "budgets must hold at least one"),
        ({"budgets": [4, 4]}, ValueError, r"budgets\[1\] must be above the one before it, 4, got 4"),
        ({"budgets": [0]}, ValueError, r"budgets\[0\] must be at least 1, got 0"),
        ({"budgets": [2**31]}, ValueError, r"budgets\[0\] must be at most"),
        ({"budgets": [2**30]}, ValueError, r"budgets\[0\] must be at most \d+ steps"),
        ({"n_trials": 0}, ValueError, "n_trials must be at least 1"),
        ({"unit": "calls"}, ValueError, "unit must be"),
        ({"verifier": 0.1}, TypeError, "verifier must be a Verifier"),
        ({"first": -1}, ValueError, "first must be at least 0"),
        ({"confidence": 1.0}, ValueError, "confidence must be between 0 and 1"),
        ({"over": "problems"}, ValueError, "over must be"),
        ({"time_limit": -1}, ValueError, "time_limit must be at least 0"),
        ({"checkpoint": "/no/such/folder/x.json"}, ValueError, "checkpoint must be in a folder that exists"),
        ({"checkpoint": "."}, ValueError, "checkpoint must be a file, got the folder ."),
        ({"resume": "."}, ValueError, "resume must be a file, got the folder ."),
        ({"resume": 3}, TypeError, "resume must be the name of a file"),
    ],
)  # fmt: skip
def test_refused(change: dict[str, Any], error: type[Exception], words: str) -> None:
    arguments = {"problem": GAME, "strategies": ["walk"], "budgets": [1], "n_trials": 3, **change}
    with pytest.raises(error, match=words):
        compare(**arguments)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Beam(0), "expand must be at least 1"),
        (lambda: Dvts(expand=-1), "expand must be at least 1"),
        (lambda: Stepwise(0), "width must be at least 1"),
        (lambda: SelfCorrection("best"), "learner must be"),
        (lambda: SelfCorrection(c=-1), "c must be at least 0"),
        (lambda: SelfCorrection(delta=1), "delta must be between 0 and 1"),
        (lambda: TreeSearch(Gumbel()), "policy must be one whose search goes on for any budget, .*, got Gumbel"),
        (lambda: TreeSearch(trees.Beam(4)), "policy must be one whose search goes on for any budget, .*, got Beam"),
        (lambda: TreeSearch(values="hope"), "values must be"),
        (lambda: TreeSearch(select="first"), "select must be"),
        (lambda: Verifier(false_positive=-0.1), "false_positive must be from 0 to 1"),
        (lambda: Verifier(accuracy=2), "accuracy must be from 0 to 1"),
        (lambda: Verifier(noise=-1), "noise must be at least 0"),
        (lambda: Verifier(process_bias=np.inf), "process_bias must be finite"),
    ],
)
def test_parameters_are_checked(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_names() -> None:
    for name, kind in STRATEGIES.items():
        assert kind().label == name
        assert eval(repr(kind()), vars(__import__("slowthink.strategies", fromlist=["x"])) | {"Puct": Puct}) == kind()
    assert BestOfN(stop=False).label == "best-of-n(stop=False)"
    assert asdict(Verifier())["accuracy"] is None
