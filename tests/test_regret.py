"""Learners by themselves: against the same rules in plain Python, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from slowthink.strategies import regret
from slowthink.strategies._learners import LEARNERS

MEANS = [0.3, 0.8, 0.5]


@pytest.mark.parametrize("learner", LEARNERS)
def test_equals_the_rules_in_python(learner: str) -> None:
    n_runs, n_rounds = 400, 120
    rng = np.random.default_rng(1)
    asked = np.zeros((n_runs, n_rounds), dtype=int)
    for run in range(n_runs):
        policy = LEARNERS[learner](3)
        for t in range(n_rounds):
            asked[run, t] = policy.choose(rng)
            policy.update(int(asked[run, t]), float(rng.random() < MEANS[asked[run, t]]))
    gaps = 0.8 - np.array(MEANS)
    expected = gaps[asked]
    found = regret(MEANS, learner, n_rounds, n_runs=4000, rng=2)  # type: ignore[arg-type]
    error = np.hypot(expected.std(axis=0) / np.sqrt(n_runs), found.standard_error)
    assert (np.abs(expected.mean(axis=0) - found.simple) <= 4.5 * error + 1e-12).all()
    np.testing.assert_allclose(found.cumulative, np.cumsum(found.simple))


@pytest.mark.parametrize("learner", LEARNERS)
def test_learns(learner: str) -> None:
    found = regret(MEANS, learner, 3000, n_runs=300, rng=3)  # type: ignore[arg-type]
    assert found.simple[-200:].mean() < 0.35 * found.simple[:10].mean()
    assert found.best_share[-1] > 0.75
    # Less than linear.
    assert found.cumulative[2999] < 0.75 * 10 * found.cumulative[299]


def test_the_same_for_threads_and_shards(same_bytes) -> None:
    same_bytes(lambda threads: regret(MEANS, "thompson", 50, n_runs=300, rng=4, threads=threads))
    whole = regret(MEANS, "hedge", 20, n_runs=10, rng=4)
    parts = [regret(MEANS, "hedge", 20, n_runs=n, rng=4, first=first) for first, n in ((0, 4), (4, 6))]
    np.testing.assert_allclose(whole.simple, 0.4 * parts[0].simple + 0.6 * parts[1].simple)


def test_one_expert_and_equal_experts() -> None:
    for means in ([0.4], [0.4, 0.4], [0.0, 0.0], [1.0, 1.0]):
        for learner in LEARNERS:
            found = regret(means, learner, 30, n_runs=5, rng=1)  # type: ignore[arg-type]
            assert not found.simple.any()
            assert (found.best_share == 1).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"means": []}, "means must hold at least one expert"),
        ({"means": [0.5, 1.5]}, r"means\[1\] must be at most 1, got 1.5"),
        ({"means": [np.nan]}, r"means\[0\] must be finite"),
        ({"learner": "best"}, "learner must be"),
        ({"n_rounds": 0}, "n_rounds must be at least 1"),
        ({"n_runs": 0}, "n_runs must be at least 1"),
        ({"c": -1.0}, "c must be at least 0"),
        ({"delta": 0.0}, "delta must be between 0 and 1"),
    ],
)
def test_refused(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        regret(**{"means": [0.5], **arguments})
