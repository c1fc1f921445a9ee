"""Figures of metastable chains: each state in the colour of its set and near it, each time scale at its height."""

from __future__ import annotations

import numpy as np
import pytest
from slowthink import plots
from slowthink.chains import MarkovChain

pytest.importorskip("matplotlib")


def clusters(n_clusters=3, size=4, coupling=1e-3):
    weights = np.kron(np.eye(n_clusters), np.ones((size, size)))
    for c in range(n_clusters):
        weights[size * c, size * ((c + 1) % n_clusters) + 1] = coupling
    weights = weights + weights.T
    return MarkovChain(weights / weights.sum(axis=1, keepdims=True))


def groups(axes):
    """The places of the states of each set, by its label."""
    return {c.get_label(): np.asarray(c.get_offsets()) for c in axes.collections if c.get_label().startswith("set ")}


def test_sets_are_drawn_apart_and_whole():
    chain = clusters()
    axes = plots.plot_metastable_sets(chain, k=3)
    found = groups(axes)
    assert sorted(found) == ["set 0", "set 1", "set 2"]
    assert [len(places) for places in found.values()] == [4, 4, 4]
    centres = np.array([places.mean(axis=0) for places in found.values()])
    spread = max(np.linalg.norm(places - places.mean(axis=0), axis=1).max() for places in found.values())
    apart = min(np.linalg.norm(centres[i] - centres[j]) for i in range(3) for j in range(i))
    assert apart > 2 * spread
    assert axes.get_title(loc="left") == "3 sets, crispness 1"
    assert len(axes.get_legend().get_texts()) == 3


def test_the_result_draws_itself():
    chain = clusters()
    sets = chain.metastable_sets(3)
    first, second = groups(sets.plot()), groups(plots.plot_metastable_sets(chain, sets))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_edges_within_and_between_sets():
    chain = clusters()
    lines = [c for c in plots.plot_metastable_sets(chain).collections if hasattr(c, "get_segments")]
    assert [len(c.get_segments()) for c in lines] == [3 * 4 * 3, 6]
    assert not [c for c in plots.plot_metastable_sets(chain, edges=False).collections if hasattr(c, "get_segments")]


def test_a_state_between_two_sets_is_drawn_between_them():
    # A bridge that belongs to either half.
    weights = np.zeros((7, 7))
    weights[:3, :3] = weights[4:, 4:] = 1
    weights[2, 3] = weights[3, 4] = 0.01
    weights = weights + weights.T
    chain = MarkovChain(weights / weights.sum(axis=1, keepdims=True))
    sets = chain.metastable_sets(2)
    assert sets.memberships[3] == pytest.approx([0.5, 0.5], abs=1e-6)
    places = np.concatenate(list(groups(sets.plot()).values()))
    heights = np.sort(places[:, 1])
    assert np.abs(heights).min() < 0.5


def test_many_sets_and_a_single_one():
    axes = plots.plot_metastable_sets(clusters(16, 2), k=16)
    assert len(groups(axes)) == 16
    assert axes.get_legend() is None
    assert len(groups(plots.plot_metastable_sets(MarkovChain([[1.0]])))) == 1


def test_timescales_and_the_gap():
    chain = clusters()
    axes = plots.plot_timescales(chain, lag=2)
    scales = chain.timescales(lag=2)
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in axes.collections if not hasattr(c, "get_segments")])
    drawn = drawn[np.argsort(drawn[:, 0])]
    shown = np.isfinite(scales) & (scales > 0)
    np.testing.assert_allclose(drawn[:, 1], scales[shown][: len(drawn)])
    np.testing.assert_array_equal(drawn[:2, 0], [2, 3])
    assert axes.get_title(loc="left").startswith("3 sets, gap ")
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "time scale"
    assert plots.plot_timescales(chain, k=2).get_title(loc="left").startswith("2 sets, gap ")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: plots.plot_metastable_sets(c, c.metastable_sets(2), k=2), TypeError, "either sets or k"),
        (
            lambda c: plots.plot_metastable_sets(c, clusters(2).metastable_sets(2)),
            ValueError,
            "sets must be those of the chain, of 12 states, got 8",
        ),
        (lambda c: plots.plot_timescales(c, n_timescales=1), ValueError, "n_timescales must be at least 2, got 1"),
        (lambda c: plots.plot_timescales(c, k=1), ValueError, "k must be at least 2, got 1"),
        (
            lambda c: plots.plot_timescales(MarkovChain(np.eye(3))),
            ValueError,
            "the chain must have a time scale that is neither 0 nor infinite",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(clusters())


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_figures_are_written(tmp_path, ending):
    for number, axes in enumerate([plots.plot_metastable_sets(clusters()), plots.plot_timescales(clusters())]):
        path = tmp_path / f"{number}.{ending}"
        axes.figure.savefig(path)
        assert path.stat().st_size > 3000


def test_a_number_in_the_place_of_sets_is_refused():
    with pytest.raises(TypeError, match=r"got int \(their number is k=\)"):
        plots.plot_metastable_sets(clusters(), 3)
