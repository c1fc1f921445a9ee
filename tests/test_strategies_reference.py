"""The strategies of the engine against their slow twin, within what chance allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import problems
from slowthink.reference import strategies as slow
from slowthink.strategies import (
    Beam,
    BestOfN,
    Dvts,
    MajorityVote,
    Strategy,
    TreeSearch,
    Verifier,
    WeightedVote,
    compare,
)
from slowthink.trees import Uct

PUZZLES = [[4, 9, 10, 13], [1, 1, 4, 6], [6, 6, 6, 6], [3, 3, 8, 8]]
GAME = slow.GameOf24(PUZZLES)
T = 4000


def close(a: float, b: float, n: int = T, more: float = 0.0) -> None:
    p = (a + b) / 2
    assert abs(a - b) <= 4.5 * np.sqrt(2 * p * (1 - p) / n) + 3 / n + more, (a, b)


def engine(strategy: Strategy, n: int, verifier: Verifier | None = None) -> float:
    game = problems.GameOf24(PUZZLES)
    return float(compare(game, [strategy], budgets=[n], n_trials=T, verifier=verifier, rng=1).accuracy[0, 0])


@pytest.mark.parametrize("n", [1, 6, 33])
@pytest.mark.parametrize("false_positive", [0.0, 0.1])
def test_repeated_sampling(n: int, false_positive: float) -> None:
    errors = {"false_positive": false_positive, "false_negative": 0.2}
    rng = np.random.default_rng(n)
    for name, strategy in (("best", BestOfN()), ("majority", MajorityVote()), ("weighted", WeightedVote())):
        expected = slow.repeated(GAME, name, np.arange(T), n, rng, **errors).mean()
        close(engine(strategy, n, Verifier(**errors)), float(expected))


@pytest.mark.parametrize(("n", "expand"), [(1, 4), (3, 4), (8, 4), (13, 4), (16, 2)])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_layers(n: int, expand: int, noise: float) -> None:
    rng = np.random.default_rng(n)
    judge = Verifier(false_positive=0.05, process_noise=noise)
    errors = {"process_noise": noise, "false_positive": 0.05}
    for twin, strategy in ((slow.beam, Beam(expand)), (slow.dvts, Dvts(expand))):
        expected = twin(GAME, np.arange(T), n, expand, rng, **errors).mean()
        close(engine(strategy, n, judge), float(expected))


@pytest.mark.parametrize("n", [4, 40])
def test_tree_search(n: int) -> None:
    found, spent = slow.tree_search(GAME, np.arange(400), n, 1.0, np.random.default_rng(1))
    fast = compare(problems.GameOf24(PUZZLES), [TreeSearch(Uct())], budgets=[n], n_trials=T, rng=1)
    close(float(fast.accuracy[0, 0]), float(found.mean()), 400)
    assert fast.steps[0, 0] == pytest.approx(spent.mean(), rel=0.15)


def test_exact_success_of_the_twin() -> None:
    ends = slow.walks(GAME, np.arange(T), 50, np.random.default_rng(2))
    rates = GAME.is_right(ends).reshape(-1, 4, 50).mean(axis=(0, 2))
    np.testing.assert_allclose(rates, GAME.success(GAME.roots(np.arange(4))), atol=0.005)


def test_a_chain_by_hand() -> None:
    chain = slow.SnowballChain([0.9, 0.5, 0.4], n_wrong=3)
    instances, rng = np.arange(20_000), np.random.default_rng(3)
    p = 0.9 * 0.5 * 0.4
    close(float(slow.repeated(chain, "first", instances, 1, rng).mean()), p, 20_000)
    close(float(slow.repeated(chain, "best", instances, 5, rng).mean()), 1 - (1 - p) ** 5, 20_000)
    # A perfect process reward: a level fails where all of its candidates do.
    of_four = np.prod([1 - (1 - p) ** 4 for p in (0.9, 0.5, 0.4)])
    close(float(slow.dvts(chain, instances, 4, 4, rng).mean()), float(of_four), 20_000)
    close(float(slow.beam(chain, instances, 4, 4, rng).mean()), float(of_four), 20_000)


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32))
def test_vote_counts(trials: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers, weights = rng.integers(0, 4, (trials, n)), rng.integers(0, 3, (trials, n)).astype(float)
    right = answers == 2
    for row in range(trials):
        totals = [
            weights[row][answers[row] == answer].sum() if (answers[row] == answer).any() else -1 for answer in range(4)
        ]
        wins = [answer for answer in range(4) if totals[answer] == max(totals)]
        one = slice(row, row + 1)
        drawn = {bool(slow.vote(answers[one], weights[one], right[one], rng)[0]) for _ in range(40)}
        assert drawn <= {answer == 2 for answer in wins}
        if len(wins) == 1:
            assert drawn == {wins == [2]}


def test_shares() -> None:
    assert slow.shares(10, 4).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]
