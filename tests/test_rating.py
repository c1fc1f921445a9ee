"""Bradley-Terry ratings against a slow iteration, closed forms and the mistakes others made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink.reference import rating as reference
from slowthink.samples import BradleyTerry, bradley_terry, win_matrix

WINS = np.array([[0, 30, 41, 12], [19, 0, 22, 25], [8, 17, 0, 9], [14, 11, 20, 0]])
TIES = np.array([[0, 6, 2, 9], [6, 0, 5, 1], [2, 5, 0, 3], [9, 1, 3, 0]])
NAMES = ["ann", "bob", "cid", "dee"]


@st.composite
def tables(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Wins and ties with a cycle of wins through all players, so that ratings are finite."""
    n = draw(st.integers(2, 6))
    counts = st.lists(st.integers(0, 12), min_size=n * n, max_size=n * n)
    wins = np.array(draw(counts)).reshape(n, n)
    ties = np.triu(np.array(draw(counts)).reshape(n, n), 1)
    np.fill_diagonal(wins, 0)
    for i in range(n):
        wins[i, (i + 1) % n] += 1
    return wins, ties + ties.T


@given(tables())
def test_ratings_and_covariance_equal_the_slow_twin(table: tuple[np.ndarray, np.ndarray]) -> None:
    wins, ties = table
    fit = bradley_terry(wins, ties=ties, confidence=0.9)
    rating = reference.bradley_terry(wins, ties)
    np.testing.assert_allclose(fit.rating, rating, atol=1e-9)
    np.testing.assert_allclose(fit.covariance, reference.sandwich(rating, wins, ties), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fit.standard_error, np.sqrt(np.diag(fit.covariance)))
    assert fit.rating.sum() == pytest.approx(0, abs=1e-12)
    p = fit.win_probability()
    points = wins + ties / 2
    with np.errstate(divide="ignore"):
        assert fit.log_likelihood == pytest.approx((points * np.log(p)).sum())
    # At the maximum everyone's points equal the expected ones.
    np.testing.assert_allclose(points.sum(1), ((points + points.T) * p).sum(1), rtol=1e-9)


@given(tables(), st.randoms(use_true_random=False))
def test_relabelling_players_relabels_ratings(table: tuple[np.ndarray, np.ndarray], random: Any) -> None:
    wins, ties = table
    order = list(range(len(wins)))
    random.shuffle(order)
    moved = bradley_terry(wins[np.ix_(order, order)], ties=ties[np.ix_(order, order)])
    np.testing.assert_allclose(moved.rating, bradley_terry(wins, ties=ties).rating[order], atol=1e-10)


@pytest.mark.parametrize(("won", "lost"), [(3, 1), (999_999, 1), (0.5, 7.25)])
def test_two_players_have_log_odds(won: float, lost: float) -> None:
    fit = bradley_terry([[0, won], [lost, 0]], confidence=0.95)
    gap, error, low, high = fit.difference(0, 1)
    assert gap == pytest.approx(math.log(won / lost), rel=1e-12)
    assert error == pytest.approx(math.sqrt(1 / won + 1 / lost), rel=1e-6)
    assert (high - low) / 2 == pytest.approx(1.959964 * error, rel=1e-6)
    assert fit.win_probability(0, 1) == pytest.approx(won / (won + lost), rel=1e-12)


def test_ties_are_half_wins_for_ratings_and_narrow_the_sandwich() -> None:
    apart = bradley_terry(WINS, ties=TIES, confidence=0.95)
    within = bradley_terry(WINS + TIES / 2, confidence=0.95)
    np.testing.assert_allclose(apart.rating, within.rating, atol=1e-12)
    assert np.all(apart.standard_error < within.standard_error)


def test_large_tables_converge() -> None:
    rng = np.random.default_rng(0)
    strength = rng.normal(0, 2, 150)
    p = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    met = np.triu(rng.integers(20, 60, (150, 150)), 1)
    won = rng.binomial(met, p)
    fit = bradley_terry(won + np.triu(met - won, 1).T, confidence=0.95)
    assert fit.n_iterations < 15
    points = won + (met - won).T
    np.testing.assert_allclose(points.sum(1), ((met + met.T) * fit.win_probability()).sum(1), rtol=1e-9)
    error = np.sqrt(np.mean((fit.rating - strength + strength.mean()) ** 2))
    assert error < 2 * np.mean(fit.standard_error)


# Pitfalls: what goes wrong with the usual code.


def naive_newton(wins: np.ndarray, steps: int) -> np.ndarray:
    """Newton on the likelihood without asking whether a maximum exists; the first player is the gauge."""
    rating = np.zeros(len(wins))
    met = wins + wins.T
    for _ in range(steps):
        p = 1 / (1 + np.exp(rating[None, :] - rating[:, None]))
        curvature = met * p * (1 - p)
        hessian = np.diag(curvature.sum(1)) - curvature
        gradient = (wins - met * p).sum(1)
        rating[1:] += np.linalg.solve(hessian[1:, 1:], gradient[1:])
    return rating


def naive_iteration(wins: np.ndarray, steps: int) -> np.ndarray:
    """The minorise-maximise iteration, centred at each step."""
    worth = np.ones(len(wins))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(steps):
            worth = wins.sum(1) / ((wins + wins.T) / (worth[:, None] + worth[None, :])).sum(1)
            worth = worth / np.exp(np.log(worth).mean())
        return np.log(worth)


def test_a_winless_player_is_an_error_and_not_minus_thousands() -> None:
    wins = np.array([[0, 30, 20], [25, 0, 22], [0, 0, 0]])
    naive = naive_newton(wins.astype(float), 12) * 400 / math.log(10)
    assert naive[2] < -2000  # and falls with every step
    assert naive_newton(wins.astype(float), 20)[2] < naive_newton(wins.astype(float), 12)[2] - 5
    with pytest.raises(ValueError, match=r'winless: "cid"') as error:
        bradley_terry(wins, names=["ann", "bob", "cid"])
    assert "unbeaten" not in str(error.value)
    with pytest.raises(ValueError, match=r"winless: 2\b"):
        bradley_terry(wins)
    ridged = bradley_terry(wins, ridge=0.1, confidence=0.95)
    assert np.isfinite(ridged.rating).all()
    assert np.isfinite(ridged.standard_error).all()
    assert ridged.ranking.tolist()[-1] == 2


def test_a_winless_player_does_not_turn_all_ratings_into_nan() -> None:
    wins = np.array([[0.0, 3, 2], [2, 0, 2], [0, 0, 0]])
    assert np.isnan(naive_iteration(wins, 3)).all()  # log 0 = -inf, then -inf minus the mean
    with pytest.raises(ValueError, match="winless"):
        bradley_terry(wins)


def test_unbeaten_and_unconnected_players_are_named() -> None:
    with pytest.raises(ValueError, match=r'unbeaten: "bob"'):
        bradley_terry([[0, 0, 1], [2, 0, 1], [1, 0, 0]], names=["ann", "bob", "cid"])
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[1, 0] = apart[2, 3] = apart[3, 2] = 1
    with pytest.raises(ValueError, match=r'never met: \{"ann", "bob"\} and \{"cid", "dee"\}'):
        bradley_terry(apart, names=NAMES)
    # One tie between the groups connects them both ways.
    ties = np.zeros((4, 4))
    ties[1, 2] = ties[2, 1] = 1
    np.testing.assert_allclose(bradley_terry(apart, ties=ties).rating, 0, atol=1e-12)
    with pytest.raises(ValueError, match="never met"):
        bradley_terry(np.zeros((30, 30)))


def test_battles_of_one_class_are_no_special_case() -> None:
    # All are wins of "a": a classifier fitted on the column of outcomes has one class and refuses.
    outcome = [1, 1, 1, 1]
    assert len(set(outcome)) == 1
    wins, ties, names = win_matrix(["x", "y", "z", "x"], ["y", "z", "x", "y"], outcome)
    fit = bradley_terry(wins, ties=ties, names=names)
    assert np.isfinite(fit.rating).all()
    assert fit.rating[0] > fit.rating[1]


def test_bootstrap_rounds_without_ratings_are_counted_and_left_out() -> None:
    wins = np.array([[0, 6, 5], [4, 0, 6], [1, 1, 0]])
    drawn, _ = reference.resample(wins, np.zeros((3, 3), dtype=int), np.random.default_rng(0))
    rng = np.random.default_rng(0)
    naive = [naive_iteration(reference.resample(wins, np.zeros((3, 3), int), rng)[0], 50)[2] for _ in range(200)]
    assert drawn.sum() == wins.sum()
    assert not np.isfinite(np.quantile(naive, 0.025))  # some rounds are NaN, and so is the limit
    with pytest.warns(RuntimeWarning, match="bootstrap rounds have no finite rating"):
        fit = bradley_terry(wins, confidence=0.95, interval="bootstrap", n_resamples=400, rng=1)
    missing = np.isnan(fit.resamples)
    assert fit.failed_resamples == missing[:, 0].sum() > 20
    assert (missing.all(1) == missing.any(1)).all()
    assert np.isfinite([fit.low, fit.high, fit.standard_error]).all()
    kept = bradley_terry(wins, confidence=0.95, interval="bootstrap", n_resamples=400, rng=1, ridge=0.1)
    assert kept.failed_resamples == 0
    assert np.isfinite(kept.resamples).all()


def test_an_anchor_widens_the_intervals_of_the_others() -> None:
    for interval in ("sandwich", "bootstrap"):
        settings: dict[str, Any] = {"ties": TIES, "confidence": 0.95, "interval": interval, "names": NAMES, "rng": 3}
        centred = bradley_terry(WINS, **settings)
        anchored = bradley_terry(WINS, anchor="cid", **settings)
        # The mistake: the anchored rating with the error of the centred one.
        others = [0, 1, 3]
        assert np.all(anchored.standard_error[others] > 1.1 * centred.standard_error[others])
        assert (anchored.rating[2], anchored.low[2], anchored.high[2]) == (0, 0, 0)
        for player in others:
            gap = centred.difference(player, "cid")
            assert anchored.rating[player] == pytest.approx(gap[0])
            assert anchored.standard_error[player] == pytest.approx(gap[1])
            assert (anchored.low[player], anchored.high[player]) == pytest.approx(gap[2:])
            assert anchored.difference(player, "cid") == pytest.approx(gap)


# The bootstrap


def test_bootstrap_has_the_law_of_refitted_multinomial_resamples() -> None:
    wins, ties = WINS * 4, TIES * 4
    rounds = 600
    fit = bradley_terry(wins, ties=ties, confidence=0.9, interval="bootstrap", n_resamples=4000, rng=5)
    assert fit.failed_resamples == 0
    rng = np.random.default_rng(6)
    slow = np.array([reference.bradley_terry(*reference.resample(wins, ties, rng)) for _ in range(rounds)])
    error = fit.standard_error / math.sqrt(rounds)
    assert np.all(np.abs(fit.resamples.mean(0) - slow.mean(0)) < 5 * error)
    assert np.all(np.abs(slow.std(0) / fit.standard_error - 1) < 5 / math.sqrt(2 * rounds))
    np.testing.assert_allclose(
        np.cov(slow, rowvar=False), fit.covariance, atol=6 * error.max() * fit.standard_error.max()
    )
    # Enough battles for the sandwich to agree.
    sandwich = bradley_terry(wins, ties=ties, confidence=0.9)
    np.testing.assert_allclose(fit.standard_error, sandwich.standard_error, rtol=0.08)
    np.testing.assert_allclose(fit.low, sandwich.low, atol=0.03)


def test_equal_bytes_for_any_threads_and_shards(same_bytes: Any) -> None:
    def resamples(threads: int, first: int = 2, rounds: int = 300) -> np.ndarray:
        # Enough work for the gate to use its threads.
        wins = np.random.default_rng(1).integers(1, 9, (24, 24))
        np.fill_diagonal(wins, 0)
        fit = bradley_terry(
            wins, confidence=0.9, interval="bootstrap", n_resamples=rounds, rng=7, first=first, threads=threads
        )
        assert fit.resamples is not None
        return fit.resamples

    whole = same_bytes(resamples)
    shards = np.concatenate([resamples(2, 2, 100), resamples(1, 102, 200)])
    assert whole.tobytes() == shards.tobytes()


def test_pinned_values() -> None:
    # A change here is a line in CHANGELOG.md.
    fit = bradley_terry(WINS, ties=TIES, confidence=0.9, interval="bootstrap", n_resamples=3, rng=11)
    assert fit.resamples[:, 0].tolist() == PINNED


PINNED = [0.45039123041784074, 0.3883918745703831, 0.32985147539260856]


def test_a_generator_moves_on_and_an_int_repeats() -> None:
    generator = np.random.default_rng(0)
    draw = lambda rng: bradley_terry(  # noqa: E731
        WINS, confidence=0.9, interval="bootstrap", n_resamples=2, rng=rng
    ).resamples.tobytes()
    assert draw(1) == draw(1) != draw(2)
    assert draw(generator) != draw(generator)


# The result


def test_scales_tables_and_probabilities() -> None:
    natural = bradley_terry(WINS, ties=TIES, confidence=0.9, names=NAMES)
    elo = bradley_terry(WINS, ties=TIES, confidence=0.9, names=NAMES, scale="elo")
    unit = 400 / math.log(10)
    np.testing.assert_allclose(elo.rating, 1000 + unit * natural.rating)
    np.testing.assert_allclose(elo.high - elo.low, unit * (natural.high - natural.low))
    np.testing.assert_allclose(elo.win_probability(), natural.win_probability())
    p = natural.win_probability()
    np.testing.assert_allclose(p + p.T, 1)
    np.testing.assert_allclose(natural.win_probability("bob"), p[1])
    np.testing.assert_allclose(natural.win_probability(j="bob"), p[:, 1])
    assert natural.win_probability("bob", 3) == pytest.approx(p[1, 3])
    table = elo.table()
    assert [row["name"] for row in table] == [NAMES[i] for i in elo.ranking]
    assert [row["rank"] for row in table] == [1, 2, 3, 4]
    assert sorted((row["rating"] for row in table), reverse=True) == [row["rating"] for row in table]
    plain = bradley_terry(WINS)
    assert plain.standard_error is plain.low is plain.covariance is None
    assert plain.table()[0]["low"] is None
    with pytest.raises(ValueError, match="confidence="):
        plain.difference(0, 1)
    assert isinstance(plain, BradleyTerry)


def test_progress_is_told() -> None:
    calls: list[tuple[int, int]] = []
    bradley_terry(WINS, confidence=0.9, interval="bootstrap", n_resamples=50, progress=lambda *call: calls.append(call))
    assert calls[-1] == (50, 50)


# Counting battles


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([0, 0.5, 1])), min_size=1))
def test_win_matrix_counts(battles: list[tuple[int, int, float]]) -> None:
    battles = [battle for battle in battles if battle[0] != battle[1]] or [(0, 1, 1)]
    a, b, outcome = zip(*battles, strict=True)
    players = sorted({*a, *b})
    wins, ties, names = win_matrix(a, b, outcome)
    assert names == tuple(map(str, players))
    words = win_matrix([f"m{i}" for i in a], np.array([f"m{i}" for i in b]), np.array(outcome))
    assert words[2] == tuple(f"m{i}" for i in players)
    assert (words[0] == wins).all()
    for i, x in enumerate(players):
        for j, y in enumerate(players):
            won = sum((p, q, o) in ((x, y, 1), (y, x, 0)) for p, q, o in battles)
            tied = sum({p, q} == {x, y} and o == 0.5 for p, q, o in battles) if x != y else 0
            assert (wins[i, j], ties[i, j]) == (won, tied)


def test_win_matrix_takes_any_numbers() -> None:
    for dtype, players in ((np.int8, [-128, 127]), (np.int64, [-(2**62), 2**62]), (np.uint64, [3, 2**64 - 1])):
        a, b = np.array(players[:1] * 3, dtype), np.array(players[1:] * 3, dtype)
        wins, ties, names = win_matrix(a, b, [1, 0, 0.5])
        assert names == tuple(map(str, players))
        assert wins.tolist() == ties.tolist() == [[0, 1], [1, 0]]


def test_win_matrix_takes_columns_of_a_data_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": ["x", "y", "x"], "b": ["y", "z", "z"], "won": [True, False, True]})
    wins, ties, names = win_matrix(frame.a, frame.b, frame.won)
    assert names == ("x", "y", "z")
    assert wins.tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert not ties.any()


# Bad input


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"wins": [[0, 1]]}, ValueError, "wins must be square"),
        ({"wins": [0, 1]}, ValueError, "wins must be 2-D"),
        ({"wins": [[0]]}, ValueError, "wins must have at least 2 players"),
        ({"wins": np.zeros((0, 0))}, ValueError, "wins must have at least 2 players"),
        ({"wins": [[0, -1], [1, 0]]}, ValueError, r"wins\[0, 1\] must be at least 0.*got -1"),
        ({"wins": [[0, math.nan], [1, 0]]}, ValueError, r"wins\[0, 1\] must be finite"),
        ({"wins": [[0, math.inf], [1, 0]]}, ValueError, r"wins\[0, 1\] must be finite"),
        ({"wins": [[0, 1], [1, 2]]}, ValueError, r"wins\[1, 1\] must be 0.*got 2"),
        ({"wins": [["a", 1], [1, 2]]}, TypeError, "wins must be an array of numbers"),
        ({"wins": [[0, 1], [1]]}, ValueError, "wins must be an array of numbers, got rows of unequal length"),
        ({"ties": [[0, 1], [2, 0]]}, ValueError, r"ties\[0, 1\] must be symmetric"),
        ({"ties": [[0, 1, 2]]}, ValueError, "ties must have the shape of wins"),
        ({"ties": [[1, 1], [1, 0]]}, ValueError, r"ties\[0, 0\] must be 0"),
        ({"names": ["a"]}, ValueError, "names must have one entry for each of 2 players, got 1"),
        ({"names": ["a", "a"]}, ValueError, r"names\[1\] must be distinct"),
        ({"names": "ab"}, TypeError, "names must be a sequence"),
        ({"anchor": 2}, ValueError, "anchor must be a player's number, 0 to 1, got 2"),
        ({"anchor": "ann"}, ValueError, "anchor must be a player's number or name"),
        ({"anchor": True}, TypeError, "anchor must be"),
        ({"confidence": 1.0}, ValueError, "confidence must be between 0 and 1, got 1"),
        ({"confidence": math.nan}, ValueError, "confidence must be finite"),
        ({"interval": "normal"}, ValueError, "interval must be"),
        ({"scale": "log"}, ValueError, "scale must be"),
        ({"ridge": -1}, ValueError, "ridge must be at least 0"),
        ({"confidence": 0.9, "interval": "bootstrap", "n_resamples": 0}, ValueError, "n_resamples must be at least 1"),
        ({"confidence": 0.9, "interval": "bootstrap", "n_resamples": 1.5}, TypeError, "n_resamples must be an int"),
        ({"first": -1}, ValueError, "first must be at least 0"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        (
            {"wins": [[0, 1.5], [1, 0]], "confidence": 0.9, "interval": "bootstrap"},
            ValueError,
            r"wins\[0, 1\] must be a whole number.*got 1.5",
        ),
    ],
)
def test_bad_input_is_named(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        bradley_terry(**{"wins": [[0, 3], [1, 0]], **arguments})


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float32, ">f8", ">i4", object])
def test_any_dtype_and_layout(dtype: Any) -> None:
    expected = bradley_terry(WINS).rating
    for layout in (WINS, np.asfortranarray(WINS), np.repeat(np.repeat(WINS, 2, 0), 2, 1)[::2, ::2]):
        np.testing.assert_array_equal(bradley_terry(layout.astype(dtype)).rating, expected)


@pytest.mark.parametrize(
    ("a", "b", "outcome", "error", "text"),
    [
        (["x"], ["x"], [1], ValueError, r"model_b\[0\] must differ from model_a\[0\]"),
        (["x"], ["y"], [0.7], ValueError, r"outcome\[0\] must be 1 \(a won\), 0 \(b won\) or 0.5"),
        (["x"], ["y"], [math.nan], ValueError, r"outcome\[0\] must be finite"),
        (["x"], ["y"], [1, 0], ValueError, "outcome must have the length of model_a, 1, got 2"),
        (["x", "z"], ["y"], [1, 0], ValueError, "model_b must have the length of model_a"),
        ([], [], [], ValueError, "model_a must not be empty"),
        (np.array([], dtype=str), np.array([], dtype=str), [], ValueError, "model_a must not be empty"),
        ([["x"]], ["y"], [1], ValueError, "model_a must be 1-D"),
        (["x"], [1], [1], TypeError, "model_b must hold what model_a holds"),
        (
            np.array(["x", None], dtype=object),
            ["y", "y"],
            [1, 1],
            TypeError,
            r"model_a\[1\] must be a name or a whole number, got None",
        ),
        ([1.5], [2.5], [1], ValueError, r"model_a\[0\] must be a whole number, got 1.5"),
        ([True, {}], [2, 2], [1, 1], TypeError, r"model_a\[1\] must be a name or a whole number"),
        (np.array(["x", 3], dtype=object), ["y", "y"], [1, 1], TypeError, r"model_a\[1\] must be of the kind"),
    ],
)
def test_bad_battles_are_named(a: Any, b: Any, outcome: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        win_matrix(a, b, outcome)
