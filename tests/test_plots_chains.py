"""Figures of chains: what is drawn is what was counted, and eigenvalues are those of the matrix."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from slowthink import plots
from slowthink.chains import MarkovChain

pytest.importorskip("matplotlib")


def cycle(n_states, stay=0.0):
    matrix = stay * np.eye(n_states)
    matrix[np.arange(n_states), (np.arange(n_states) + 1) % n_states] += 1 - stay
    return MarkovChain(matrix)


def names(axes):
    return [text.get_text() for text in axes.texts]


def named_lines(axes):
    return {line.get_label(): line for line in axes.lines}


def survival(share, times=None, width=0.05):
    share = np.asarray(share, dtype=float)
    times = np.arange(len(share)) if times is None else np.asarray(times)
    return SimpleNamespace(times=times, survival=share, low=np.maximum(share - width, 0), high=share + width)


def points(axes):
    """The eigenvalues that were drawn."""
    (dots,) = axes.collections
    return np.asarray(dots.get_offsets()) @ [1, 1j]


def test_occupancy_draws_shares_with_a_band():
    counts = np.array([[10, 0], [6, 4], [5, 5]])
    axes = plots.plot_occupancy(counts)
    lines = named_lines(axes)
    np.testing.assert_array_equal(lines["state 0"].get_ydata(), [1.0, 0.6, 0.5])
    np.testing.assert_array_equal(lines["state 1"].get_ydata(), [0.0, 0.4, 0.5])
    # Wilson's interval for 5 of 10, by statsmodels' proportion_confint: .2365931, .7634069.
    band = np.asarray(axes.collections[0].get_paths()[0].vertices)
    last = band[band[:, 0] == 2, 1]
    assert [last.min(), last.max()] == pytest.approx([0.2365931, 0.7634069], abs=1e-7)
    assert sorted(names(axes)) == ["state 0", "state 1"]
    assert axes.get_ylabel() == "share of the walks"


def test_occupancy_of_a_chain():
    chain = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    counts = chain.occupancy(0, 20, n_walks=100, rng=1)
    axes = plots.plot_occupancy(counts, labels=["dry", "wet"])
    np.testing.assert_array_equal(named_lines(axes)["wet"].get_ydata(), counts[:, 1] / 100)


def test_states_with_few_visits_share_a_curve():
    counts = np.tile([5, 1, 50, 3, 40, 1], (4, 1))
    axes = plots.plot_occupancy(counts, limit=2)
    lines = named_lines(axes)
    assert set(lines) == {"state 2", "state 4", "4 others"}
    np.testing.assert_allclose(lines["4 others"].get_ydata(), 0.1)


def test_walks_outside_the_counted_states_need_their_number():
    counts = np.array([[10, 0], [4, 2]])
    with pytest.raises(ValueError, match="n_walks must be given"):
        plots.plot_occupancy(counts)
    lines = named_lines(plots.plot_occupancy(counts, n_walks=10))
    np.testing.assert_array_equal(lines["state 0"].get_ydata(), [1.0, 0.4])


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ([1, 2], {}, "counts must be 2-D"),
        ([[1, -2]], {}, r"counts\[0, 1\]"),
        (np.zeros((0, 3), dtype=int), {}, "counts must have a row"),
        ([[0, 0]], {}, "n_walks must be at least 1"),
        ([[1, 2]], {"n_walks": 2}, "largest sum of a row, 3, got 2"),
        ([[1, 2]], {"limit": 0}, "limit must be from 1 to 7, got 0"),
        ([[1, 2]], {"labels": ["a"]}, "labels must have one name for each of the 2 columns, got 1"),
    ],
)
def test_bad_occupancy(counts, options, message):
    with pytest.raises(ValueError, match=message):
        plots.plot_occupancy(counts, **options)


def test_survival_is_drawn_as_stairs():
    # Nobody hits before step 3: the curve begins at 1.
    curve = survival([0.5, 0.25], times=[3, 9])
    axes = plots.plot_survival(curve, label="to the goal")
    (line,) = axes.lines
    assert line.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(line.get_xdata(), [0, 3, 9])
    np.testing.assert_array_equal(line.get_ydata(), [1.0, 0.5, 0.25])
    assert names(axes) == ["to the goal"]
    assert len(axes.collections) == 1
    assert axes.get_ylim()[0] == 0
    assert not plots.plot_survival(curve, band=False).collections


def test_survival_where_it_is_unknown_or_nobody_hit():
    (line,) = plots.plot_survival(survival([0.5, np.nan], times=[0, 4])).lines
    np.testing.assert_array_equal(line.get_ydata(), [0.5])
    (line,) = plots.plot_survival(survival([])).lines
    np.testing.assert_array_equal(line.get_ydata(), [1.0])


def test_several_survival_curves_share_axes_and_are_named_apart():
    axes = plots.plot_survival(survival([1.0, 0.4, 0.01]), label="first")
    plots.plot_survival(survival([1.0, 0.2, 0.01]), axes, label="second")
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert sorted(names(axes)) == ["first", "second"]
    assert not boxes[0].overlaps(boxes[1])
    assert len({line.get_color() for line in axes.lines}) == 2


def test_survival_on_a_logarithmic_scale():
    axes = plots.plot_survival(survival([1.0, 0.1, 0.01, 0.0]), label="a", log=True)
    plots.plot_survival(survival([1.0, 0.2, 0.02, 0.0]), axes, label="b")
    axes.figure.canvas.draw()
    low, high = axes.get_ylim()
    assert 0 < low < 0.01
    assert high > 1
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not boxes[0].overlaps(boxes[1])


def test_spectrum_shows_every_eigenvalue_and_the_gap():
    matrix = np.random.default_rng(1).dirichlet(np.ones(12), 12)
    axes = plots.plot_spectrum(MarkovChain(matrix))
    found, wanted = points(axes), np.linalg.eigvals(matrix)
    assert len(found) == 12
    assert max(np.abs(found - value).min() for value in wanted) < 1e-12
    gap = 1 - np.sort(np.abs(wanted))[-2]
    assert axes.get_title(loc="left") == f"gap {gap:.3g}"


def test_a_periodic_chain_has_its_eigenvalues_on_the_circle():
    axes = plots.plot_spectrum(cycle(5))
    np.testing.assert_allclose(np.abs(points(axes)), 1.0, atol=1e-12)
    assert axes.get_title(loc="left") == "gap below 1e-09"


def test_gap_of_a_slow_cycle():
    # Eigenvalues stay + (1 - stay) exp(2 pi i k / n).
    axes = plots.plot_spectrum(cycle(8, stay=0.25))
    second = abs(0.25 + 0.75 * np.exp(2j * np.pi / 8))
    assert axes.get_title(loc="left") == f"gap {1 - second:.3g}"


def test_one_state_has_no_gap():
    axes = plots.plot_spectrum(MarkovChain([[1.0]]))
    np.testing.assert_array_equal(points(axes), [1.0])
    assert axes.get_title(loc="left") == ""


def test_spectrum_of_a_large_chain_by_iteration():
    """Three blocks of 334 states: .9 for a jump within the block, .1 for the next block at the same place."""
    pytest.importorskip("scipy")
    size, jumps = 334, np.array([1, 7, 50, 120, 201, 333])
    state = np.arange(3 * size)
    block, place = np.divmod(state, size)
    inside = block[:, None] * size + (place[:, None] + jumps) % size
    targets = np.column_stack([inside, (state + size) % (3 * size)])
    weights = np.tile([*[0.9 / len(jumps)] * len(jumps), 0.1], (len(state), 1))
    indptr = np.arange(len(state) + 1) * targets.shape[1]
    chain = MarkovChain((indptr, targets.ravel(), weights.ravel()))
    # Rings within a ring: sums of the eigenvalues of either.
    waves = np.exp(2j * np.pi * np.outer(np.arange(size), jumps) / size).mean(axis=1)
    wanted = np.add.outer(0.9 * waves, 0.1 * np.exp(2j * np.pi * np.arange(3) / 3)).ravel()
    wanted = wanted[np.argsort(-np.abs(wanted))]
    found = points(plots.plot_spectrum(chain, n_eigenvalues=3))
    assert max(np.abs(found - value).min() for value in wanted[:3]) < 1e-9
    assert len(points(plots.plot_spectrum(chain))) == 32


@pytest.mark.parametrize("count", [0, 6])
def test_bad_number_of_eigenvalues(count):
    with pytest.raises(ValueError, match="n_eigenvalues must be from 1 to 5 for 5 states"):
        plots.plot_spectrum(cycle(5), n_eigenvalues=count)


def test_eigenvalues_that_do_not_converge_are_named(monkeypatch):
    linalg = pytest.importorskip("scipy.sparse.linalg")

    def eigs(*arguments, **keywords):
        raise linalg.ArpackNoConvergence("no", np.ones(2), np.ones((2, 2)))

    monkeypatch.setattr(linalg, "eigs", eigs)
    with pytest.raises(RuntimeError, match="2 of 32 eigenvalues converged"):
        plots.plot_spectrum(cycle(1001, stay=0.5))


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_figures_are_written(tmp_path, ending):
    for number, axes in enumerate(
        [
            plots.plot_occupancy([[3, 0], [1, 2]]),
            plots.plot_survival(survival([1.0, 0.5]), label="a"),
            plots.plot_spectrum(cycle(4)),
        ]
    ):
        path = tmp_path / f"{number}.{ending}"
        axes.figure.savefig(path)
        assert path.stat().st_size > 3000


@pytest.mark.parametrize(
    ("missing", "call", "message"),
    [
        ("matplotlib.figure", "plots.plot_occupancy([[1]])", 'plots need matplotlib: pip install "slowthink[app]"'),
        (
            "scipy.sparse.linalg",
            "plots.plot_spectrum(MarkovChain.from_weights(([*range(1002)], [*range(1001)], None)))",
            "eigenvalues of more than 1000 states need scipy: pip install scipy",
        ),
    ],
)
def test_what_is_missing_is_said(missing, call, message):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from slowthink import plots
from slowthink.chains import MarkovChain
try:
    {call}
except ImportError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == message, result.stderr
