"""Sample logs: columns in, curves out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from slowthink.samples import SampleLog


@pytest.fixture(scope="module")
def tot_log(shared_data: Path) -> SampleLog:
    problem, correct = [], []
    name = "gpt-4_0.7_naive_standard_sample_100_start900_end1000.compact.jsonl"
    with (shared_data / "tot_logs" / name).open() as file:
        for line in file:
            record = json.loads(line)
            problem += [record["idx"]] * len(record["r"])
            correct += record["r"]
    return SampleLog(problem=problem, correct=correct)


def test_real_log(tot_log: SampleLog) -> None:
    curve = tot_log.curve("pass@k")
    assert tot_log.n_problems == 100
    assert curve.at(1).mean == pytest.approx(0.0734, abs=1e-12)
    assert curve.at(100).mean == pytest.approx(0.33, abs=1e-12)
    assert np.isnan(tot_log.curve("pass@k", over="samples").at(100).standard_error)


def test_mean_equals_pass_at_1(tot_log: SampleLog) -> None:
    one, mean = tot_log.curve("pass@k", 1), tot_log.curve("mean")
    np.testing.assert_allclose(one.mean, mean.mean, rtol=1e-13)
    np.testing.assert_allclose(one.standard_error, mean.standard_error, rtol=1e-12)
