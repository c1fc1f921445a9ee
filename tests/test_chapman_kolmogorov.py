"""The test of a fitted chain against its data at multiples of the lag: what it finds, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from slowthink import plots
from slowthink.chains import MarkovChain, chapman_kolmogorov, count_trajectories, fit_chain

HIDDEN = MarkovChain([[0.8, 0.2, 0.0], [0.45, 0.5, 0.05], [0.0, 0.05, 0.95]])
CLUSTERS = MarkovChain.from_weights(np.kron(np.eye(2), np.full((2, 2), 1.0)) + 0.05)


def test_predictions_are_powers_and_estimates_are_fits():
    data = CLUSTERS.walk(0, 3_000, rng=1)
    found = chapman_kolmogorov(data, 2, [1, 3, 5], n_samples=2, rng=1)
    assert found.lags.tolist() == [2, 6, 10]
    matrix = fit_chain(count_trajectories(data, lag=2)).chain.to_dense()
    for i, k in enumerate([1, 3, 5]):
        np.testing.assert_allclose(found.predicted[i], np.linalg.matrix_power(matrix, k), rtol=1e-12)
        other = fit_chain(count_trajectories(data, lag=2 * k)).chain.to_dense()
        np.testing.assert_allclose(found.estimated[i], other, rtol=1e-12)
    np.testing.assert_array_equal(found.estimated[0], found.predicted[0])
    assert repr(found).startswith("ChapmanKolmogorov(lag=2, steps=[1, 3, 5], n_sets=4, agrees=")


def test_sets_are_weighted_by_how_often_the_data_are_there():
    data = CLUSTERS.walk(0, 3_000, n_walks=2, rng=2)
    labels = np.array([0, 0, 1, 1])
    found = chapman_kolmogorov(list(data), 1, [1, 4], sets=labels, n_samples=2, rng=1)
    counts = count_trajectories(list(data)).to_dense()
    coarse = np.array([[counts[labels == a][:, labels == b].sum() for b in (0, 1)] for a in (0, 1)])
    np.testing.assert_allclose(found.estimated[0], coarse / coarse.sum(axis=1, keepdims=True), rtol=1e-12)
    members = np.eye(2)[labels]
    soft = chapman_kolmogorov(list(data), 1, [1, 4], sets=members, n_samples=2, rng=1)
    np.testing.assert_allclose(soft.predicted, found.predicted, rtol=1e-15)
    np.testing.assert_allclose(found.predicted.sum(axis=2), 1, rtol=1e-12)
    even = chapman_kolmogorov(list(data), 1, 4, sets=members * 0.5 + 0.25, weights=np.ones(4), n_samples=2, rng=1)
    assert even.predicted.shape == (4, 2, 2)
    assert even.predicted[-1, 0, 0] < found.predicted[1, 0, 0]


@pytest.mark.parametrize("reversible", [False, True])
def test_walks_of_a_markov_chain_pass(reversible):
    # The prediction of the true chain is within the intervals about as often as they say.
    held, n = 0, 0
    truth = [np.linalg.matrix_power(CLUSTERS.to_dense(), k) for k in (2, 8)]
    for seed in range(12):
        data = CLUSTERS.walk(0, 4_000, rng=seed)
        found = chapman_kolmogorov(data, 1, [2, 8], reversible=reversible, n_samples=100, rng=seed)
        assert found.agrees.mean() > 0.7
        # The entries of a row depend on each other, and the lags: one of each row and lag.
        for i, matrix in enumerate(truth):
            for row in range(0, 4, 2):
                n += 2
                held += found.low[i, row, row] <= matrix[row, row] <= found.high[i, row, row]
                held += found.predicted_low[i, row, row] <= matrix[row, row] <= found.predicted_high[i, row, row]
    # 100 samples place the ends loosely: 0.85 is far below what they hold, 0.95; the alarm is false once in 10^6.
    assert binom.cdf(held, n, 0.87) > 1e-6


def test_what_the_states_do_not_say_is_seen_at_a_short_lag():
    seen = (HIDDEN.walk(0, 100_000, rng=3) > 0).astype(int)
    short = chapman_kolmogorov(seen, 1, [1, 5, 20], n_samples=100, rng=4)
    assert not short.agrees[1:, 1, 1].any()
    assert (short.predicted[1:, 1, 1] < short.low[1:, 1, 1] - 0.02).all()
    # At a lag at which the fast part is forgotten, the slow one alone is left.
    assert chapman_kolmogorov(seen, 40, 3, n_samples=100, rng=5).agrees.all()


def test_same_seed_same_bytes(same_bytes):
    data = CLUSTERS.walk(0, 2_000, rng=6)
    first = same_bytes(lambda threads: chapman_kolmogorov(data, 1, 3, n_samples=20, rng=7, threads=threads))
    other = chapman_kolmogorov(data, 1, 3, n_samples=20, rng=8)
    assert (other.low != first.low).any()
    np.testing.assert_array_equal(other.predicted, first.predicted)


def test_the_values_for_a_seed_stay():
    data = CLUSTERS.walk(0, 500, rng=9)
    found = chapman_kolmogorov(data, 1, [2], sets=[0, 0, 1, 1], n_samples=10, rng=10)
    ends = [found.low[0, 0, 0], found.high[0, 0, 0], found.predicted_low[0, 0, 0]]
    assert ends == pytest.approx([0.8451452538661536, 0.9033787899245922, 0.8399931296433001], abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": []}, "steps must hold at least one number"),
        ({"steps": [2**62], "lag": 2}, r"steps must stay within the trajectories: .* is more than the 10 steps"),
        ({"lag": 0}, "lag must be at least 1"),
        ({"sets": [0, 1]}, "sets must have an entry for each of the 3 states"),
        ({"sets": [0, 2, 2]}, "sets must number the sets from 0 without a gap"),
        ({"sets": [[1, 0], [0.5, 0.4], [0, 1]]}, r"sets\[1\] must sum to 1"),
        ({"sets": [[1, 0], [1, 0], [1, 0]]}, "weights must be positive for a state of each set, and are 0 in set 1"),
        ({"weights": [1, 1]}, "weights must have an entry for each of the 3 states"),
        ({"n_samples": 1}, "n_samples must be at least 2"),
        ({"confidence": 1}, "confidence must be above 0 and below 1"),
    ],
)
def test_bad_arguments_are_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        chapman_kolmogorov(**{"trajectories": [0, 1, 2, 0, 1, 2, 0, 1, 1, 2, 0], "lag": 1, "steps": 2, **arguments})


def test_states_that_are_never_left_are_named():
    with pytest.raises(ValueError, match=r"trajectories have no chain at a lag of 1: .* state 2 was never left"):
        chapman_kolmogorov([0, 1, 0, 1, 0, 2], 1, 2, sets=[0, 1, 1])
    with pytest.raises(ValueError, match=r"trajectories have no chain at a lag of 2: .* state 2 was never left"):
        chapman_kolmogorov([0, 1, 0, 1, 0, 2, 1], 1, 2, sets=[0, 1, 1])


def test_the_figure_shows_predictions_and_estimates():
    pytest.importorskip("matplotlib")
    data = CLUSTERS.walk(0, 2_000, rng=11)
    found = chapman_kolmogorov(data, 1, [5, 1, 3], sets=[0, 0, 1, 1], n_samples=20, rng=12)
    axes = found.plot(labels=["left", "right"])
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["left"].get_xdata().tolist() == [0, 1, 3, 5]
    np.testing.assert_allclose(lines["left"].get_ydata(), [1, *found.predicted[[1, 2, 0], 0, 0]])
    assert sorted(text.get_text() for text in axes.texts) == ["left", "right"]
    assert len(axes.containers) == 2
    only = plots.plot_chapman_kolmogorov(found, sets=[1])
    assert [text.get_text() for text in only.texts] == ["set 1"]
    with pytest.raises(ValueError, match="sets must be 1 to 7 numbers below 2"):
        plots.plot_chapman_kolmogorov(found, sets=[2])
    with pytest.raises(ValueError, match="labels must have one name for each of the 2 sets, got 1"):
        plots.plot_chapman_kolmogorov(found, labels=["one"])
