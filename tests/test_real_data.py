"""Logs of real models: votes across models and paired comparisons (ZeroEval, LiveCodeBench).

Reads the files where they are; set SLOWTHINK_DATA to their folder. ``pytest tests/test_real_data.py -s`` prints the
figures.
"""

import csv
import json
import math

import numpy as np
import pytest
from slowthink.reference.majority import vote
from slowthink.samples import SampleLog, compare

TASKS = {"gsm": 1319, "crux": 800, "math-l5": 721}


@pytest.fixture(scope="module", params=TASKS)
def matrix(request, shared_data):
    """The answers and verdicts of about 45 models on one task: rows of (problem, model, answer, correct)."""
    folder = shared_data / "zeroeval_matrix"
    lines = (folder / f"{request.param}_answers.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    with open(folder / f"{request.param}_correct.csv", newline="", encoding="utf-8") as file:
        verdicts = {row["id"]: row for row in csv.DictReader(file)}
    assert len(answers) == TASKS[request.param]
    known = json.loads((folder / f"known_{request.param}.summary.json").read_text(encoding="utf-8"))
    rows = [
        (str(row["id"]), model, answer, int(verdicts[str(row["id"])][model]))
        for row in answers
        for model, answer in row["ans"].items()
    ]
    return request.param, rows, {entry["Model"]: float(entry["Acc"]) / 100 for entry in known}


def log_of(rows):
    problem, model, answer, correct = zip(*rows, strict=True)
    return SampleLog(problem=problem, answer=answer, correct=correct, extra={"model": model})


def test_accuracies_of_single_models_are_the_published_ones(matrix):
    task, rows, known = matrix
    logs = log_of(rows).split("model")
    gaps = [abs(log.curve("mean").mean[0] - known[model]) for model, log in logs.items() if model in known]
    print(f"\n{task}: {len(gaps)} models, median distance to the published accuracy {np.median(gaps):.4f}")
    # The verdicts here were made by another grader than the published ones; most models agree closely.
    assert len(gaps) >= 38
    assert np.median(gaps) < {"gsm": 0.001, "crux": 0.02, "math-l5": 0.01}[task]


def test_the_vote_across_models(matrix):
    task, rows, _ = matrix
    log = log_of(rows)
    curve = log.curve("maj@k")
    n = int(curve.k[-1])
    print(f"\n{task}: one model {curve.at(1)}, vote of 9 {curve.at(9)}, all {n} {curve.at(n)}")
    by_problem = {}
    for problem, _, answer, correct in rows:
        by_problem.setdefault(problem, []).append(
            ("right" if correct else ("wrong", answer)) if answer is not None else None
        )
    everyone = [float(vote(answers, "right")) for answers in by_problem.values() if len(answers) == n]
    np.testing.assert_allclose(curve.at(n).mean, np.mean(everyone), rtol=1e-12)
    assert curve.at(9).mean > curve.at(1).mean
    rng = np.random.default_rng(0)
    drawn = np.array(
        [
            [float(vote([answers[i] for i in rng.choice(len(answers), 9, replace=False)], "right")) for _ in range(20)]
            for answers in by_problem.values()
        ]
    )
    spread = math.sqrt((drawn.var(axis=1, ddof=1) / 20).sum()) / len(drawn)
    assert abs(drawn.mean() - curve.at(9).mean) < 5 * spread


def test_two_models_are_compared_problem_by_problem(matrix):
    task, rows, _ = matrix
    logs = log_of(rows).split("model")
    ranked = sorted(logs, key=lambda model: -logs[model].curve("mean").mean[0])
    first, second = (logs[model].curve("mean") for model in ranked[2:4])
    paired = compare(first, second).at(1)
    table = {
        model: {problem: correct for problem, other, _, correct in rows if other == model} for model in ranked[2:4]
    }
    a, b = (np.array([table[model][problem] for problem in table[ranked[2]]], dtype=float) for model in ranked[2:4])
    np.testing.assert_allclose(paired.difference, (a - b).mean(), atol=1e-15)
    np.testing.assert_allclose(paired.standard_error, (a - b).std(ddof=1) / math.sqrt(len(a)), rtol=1e-12)
    np.testing.assert_allclose(paired.correlation, np.corrcoef(a, b)[0, 1], rtol=1e-9)
    unpaired = math.hypot(first.standard_error[0], second.standard_error[0])
    assert paired.standard_error < unpaired
    print(f"\n{task}: {ranked[2]} - {ranked[3]}: {paired} (unpaired standard error {unpaired:.4f})")


def test_two_systems_on_code(shared_data):
    folder = shared_data / "lcb_o1"
    columns = {"problem": "question_id", "correct": "passed"}
    mini, preview = (
        SampleLog.read(folder / name, columns=columns).curve("mean") for name in ("O1-Mini.csv", "O1-Preview.csv")
    )
    comparison = compare(mini, preview)
    point = comparison.at(1)
    assert comparison.n_pairs == 880
    print(f"\nLiveCodeBench, o1-mini - o1-preview: {point}")
    assert 0 < point.p_value < 1e-3
