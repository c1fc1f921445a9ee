"""What users hand in by mistake to `slowthink.samples`; `hostile.py` holds the tests.

`CASES` holds one small valid call of each public function. A function without a case fails the test, so that a new
kernel is fed with all of this from its first day.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from hostile import Hostile
from slowthink import samples

COUNTS = {"num_samples": np.array([4, 7, 9]), "num_correct": np.array([0, 3, 9])}
ANSWERS = np.array([[0, 1, 1, 2, 0, 1], [2, 2, 0, 1, 1, 2], [0, 0, 0, 1, 2, 3]])
GOLD = np.array([1, 2, 0])
SCORES = np.array([[3.0, 1.0, 2.0, 2.0, 5.0, 0.0], [1.0, 1.0, 4.0, 2.0, 2.0, 2.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]])
CORRECT = np.array([[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]])
WINS = np.array([[0, 8, 9], [4, 0, 7], [6, 5, 0]])
TIES = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]])

N_ROWS = 12
COLUMNS = {
    "problem": np.arange(N_ROWS) % 3,
    "answer": np.arange(N_ROWS) % 5,
    "gold": np.array([0, 1, 2] * 4),
    "correct": np.arange(N_ROWS) % 2,
    "score": np.linspace(0.0, 2.75, N_ROWS),
    "cost": np.arange(N_ROWS),
    "cluster": np.array([0, 1, 1] * 4),
}
LOG = samples.SampleLog(**COLUMNS)
CURVE = LOG.curve("pass@k")


def log_numbers(**columns: Any) -> tuple[Any, ...]:
    """What a log knows of its columns, but for the labels, which keep the type they came in."""
    log = samples.SampleLog(**columns)
    return log.num_samples, log.correct, log.score, log.cost, log.counts, log.n_unanswered


def filtered(rows: Any) -> Any:
    """What a log knows after it was filtered, by an argument that has no name to call it by."""
    return LOG.filter(rows).num_samples


@functools.wraps(samples.Curve.from_values)  # for the names of its parameters
def curve_numbers(**arguments: Any) -> tuple[Any, ...]:
    """What a curve knows, but for the labels of its problems."""
    curve = samples.Curve.from_values(**arguments)
    return curve.k, curve.mean, curve.standard_error, curve.low, curve.high, curve.n_used, curve.per_problem


CASES: dict[str, dict[str, Any]] = {
    "SampleLog": COLUMNS,
    "SampleLog.curve": {"metric": "pass@k", "k": np.array([1, 2])},
    "SampleLog.filter": {"rows": np.arange(N_ROWS) > 3},
    "best_of_k": {"scores": SCORES, "values": CORRECT},
    "best_of_n_probability": {"p": np.array([0.25, 0.5, 0.25]), "n": np.array([1, 5])},
    "Curve.from_values": {
        "values": SCORES,
        "k": np.arange(1, 7),
        "problems": np.array([4, 5, 6]),
        "cluster": np.array([0, 1, 1]),
    },
    "bootstrap_means": {"values": SCORES, "n_resamples": 5, "cluster": np.array([0, 1, 1]), "rng": 1},
    "bradley_terry": {
        "wins": WINS,
        "ties": TIES,
        "confidence": 0.9,
        "interval": "bootstrap",
        "n_resamples": 5,
        "rng": 1,
    },
    "compare": {"curve_a": CURVE, "curve_b": CURVE, "rng": 1, "n_resamples": 50},
    "extrapolate_pass_at_k": {**COUNTS, "k": np.array([8, 64])},
    "g_pass_at_k": {**COUNTS, "k": np.array([1, 2, 4]), "tau": 0.5},
    "hedge": {"losses": np.array([[0.0, 1.0, 0.5], [1.0, 0.25, 0.0]])},
    "holm": {"p_values": np.array([0.0, 0.5, 0.125])},
    "maj_at_k": {"answers": ANSWERS, "gold": GOLD},
    "mcnemar": {"correct_a": np.array([1, 1, 0, 1]), "correct_b": np.array([0, 1, 1, 0])},
    "mean_pass_at_k": COUNTS,
    "mg_pass_at_k": COUNTS,
    "pass_at_k": COUNTS,
    "pass_hat_k": COUNTS,
    "plurality_probability": {"p": np.array([0.5, 0.25, 0.25]), "n": np.array([1, 5])},
    "reward_model_metrics": {"scores": SCORES, "correct": CORRECT, "n_orders": 5, "n_resamples": 5, "rng": 1},
    "roc_auc": {"scores": SCORES, "correct": CORRECT},
    "samples_needed": {"p": np.array([0.5, 0.25, 0.25])},
    "should_stop": {"counts": np.array([[7, 1, 0], [3, 3, 1]])},
    "stopping_probability": {"counts": np.array([[7, 1, 0], [3, 3, 1]])},
    "weighted_maj_at_k": {"answers": ANSWERS, "weights": SCORES, "gold": GOLD, "n_resamples": 70, "rng": 1},
    "win_matrix": {
        "model_a": np.array([1, 2, 4]),
        "model_b": np.array([2, 4, 1]),
        "outcome": np.array([1.0, 0.5, 0.0]),
    },
}
"""A small valid call of each public function; its array arguments are arrays here."""

BOUND = {
    "Curve.from_values": curve_numbers,
    "SampleLog": log_numbers,
    "SampleLog.curve": LOG.curve,
    "SampleLog.filter": filtered,
}
"""How a case is called that is not a function of its name."""

MADE_BY_US = {
    "BradleyTerry",
    "Comparison",
    "ComparisonPoint",
    "Curve",
    "CurvePoint",
    "Extrapolation",
    "HedgeResult",
    "RewardModelMetrics",
}
"""Public classes that only functions of ours construct."""

PUBLIC = sorted(name for name in samples.__all__ if callable(getattr(samples, name)))


def test_every_public_function_is_fed() -> None:
    fed = {name for name in CASES if "." not in name}
    assert set(PUBLIC) - MADE_BY_US == fed, "a new public function needs a case in CASES, and an old one none"


MEMORY = {
    "pass_at_k, counts in int32": """
        n = np.full(4_000_000, 64, np.int32)
        c = (np.arange(4_000_000) % 65).astype(np.int32)
        inputs, call = [n, c], lambda: samples.pass_at_k(n, c, [1, 8, 64])
    """,
    "best_of_k, float32": """
        scores = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (400_000, 1))
        inputs, call = [scores], lambda: samples.best_of_k(scores, scores, [1, 8, 64])
    """,
    "maj_at_k, int8": """
        answers = np.tile(np.arange(50, dtype=np.int8) % 5, (2_000_000, 1))
        gold = np.zeros(2_000_000, np.int8)
        inputs, call = [answers, gold], lambda: samples.maj_at_k(answers, gold, [1, 2])
    """,
    "compare by bootstrap": """
        curves = [samples.Curve.from_values(rows) for rows in np.random.default_rng(1).random((2, 100, 2000))]
        inputs = [curve.per_problem for curve in curves]
        call = lambda: samples.compare(*curves, interval="bootstrap", rng=1).low
    """,
}


class TestSamples(Hostile):
    cases = CASES
    memory = MEMORY

    def function(self, name: str) -> Callable[..., Any]:
        return BOUND.get(name) or getattr(samples, name)
