"""Curves: what they hold, and what they refuse."""

from __future__ import annotations

import json
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from slowthink.samples import Curve, SampleLog, pass_at_k


def test_a_curve_holds_the_closed_form() -> None:
    values = pass_at_k([4, 4, 2], [0, 3, 1])
    curve = Curve.from_values(values, metric="pass@k", confidence=0.9)
    np.testing.assert_allclose(curve.mean, np.nanmean(values, axis=0))
    assert curve.n_used.tolist() == [3, 3, 2, 2]
    z = NormalDist().inv_cdf(0.95)
    error = np.nanstd(values, axis=0, ddof=1) / np.sqrt(curve.n_used)
    np.testing.assert_allclose(curve.standard_error, error)
    np.testing.assert_allclose(curve.low, curve.mean - z * error)
    np.testing.assert_allclose(curve.high, curve.mean + z * error)
    assert curve.low.min() < 0, "limits are not clipped"
    np.testing.assert_array_equal(curve.per_problem, values)
    point = curve.at(3)
    assert (point.k, point.n_used, point.mean) == (3, 2, curve.mean[2])
    with pytest.raises(KeyError, match="k = 5 is not on this curve, whose k are 1, 2, 3, 4"):
        curve.at(5)
    assert "pass@k" in repr(curve)


def test_equal_problems_share_a_row() -> None:
    log = SampleLog(problem=np.repeat(np.arange(50_000), 4), correct=np.tile([1, 0, 0, 0, 1, 1, 0, 0], 25_000))
    curve = log.curve("pass@k")
    assert curve._rows.shape == (2, 4)
    assert curve.per_problem.shape == (50_000, 4)
    plain = Curve.from_values(curve.per_problem)
    np.testing.assert_allclose(curve.standard_error, plain.standard_error, rtol=1e-10, atol=1e-16)


def test_too_few_problems_have_no_interval() -> None:
    curve = Curve.from_values([[0.5, math.nan]])
    assert curve.mean[0] == 0.5
    assert np.isnan([curve.mean[1], *curve.standard_error, *curve.low]).all()
    text = json.dumps(curve.to_dict(), allow_nan=False)
    assert json.loads(text)["standard_error"] == [None, None]
    t = Curve.from_values([0.2, 0.4], interval="t")
    assert t.high[0] - t.mean[0] == pytest.approx(12.706204736 * 0.1)


def test_to_pandas() -> None:
    pytest.importorskip("pandas")
    frame = Curve.from_values([[0.0, 1.0], [1.0, 1.0]]).to_pandas()
    assert frame["mean"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": []}, "values must not be empty"),
        ({"values": [[math.inf]]}, r"values\[0, 0\] must be finite or NaN"),
        ({"values": [[1.0, 2.0]], "k": [1]}, "k must have one entry a column"),
        ({"values": [1.0], "problems": [1, 2]}, "problems must have the length of values"),
        ({"values": [1.0], "cluster": [1, 2]}, "cluster must have the length of values"),
        ({"values": [1.0], "variance": [1.0, 2.0]}, "variance must have the shape of values"),
        ({"values": [1.0], "confidence": 1.0}, "confidence must be between 0 and 1"),
        ({"values": [1.0], "interval": "exact"}, "interval must be"),
        ({"values": [1.0], "over": "runs"}, "over must be"),
        ({"values": [1.0, 0.0], "interval": "wilson", "cluster": [0, 0]}, "takes no clusters"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Curve.from_values(**arguments)
