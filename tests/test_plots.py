"""Figures: what is drawn is what the curve says, and writing one leaves no state behind."""

import itertools
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from slowthink import plots

pytest.importorskip("matplotlib")


def curve(mean, k=None, width=0.05, metric="pass@k"):
    mean = np.asarray(mean, dtype=float)
    k = 2 ** np.arange(len(mean)) if k is None else np.asarray(k)
    return SimpleNamespace(k=k, mean=mean, low=mean - width, high=mean + width, metric=metric)


def names(axes):
    return [text.get_text() for text in axes.texts]


def tick_labels(axes):
    axes.figure.canvas.draw()
    return [text.get_text() for text in axes.get_xticklabels()]


def test_draws_the_curve_and_its_band():
    one = curve([0.2, 0.4, 0.7, 0.9])
    axes = plots.plot_curve(one)
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xdata(), one.k)
    np.testing.assert_array_equal(line.get_ydata(), one.mean)
    vertices = axes.collections[0].get_paths()[0].vertices
    for k, low, high in zip(one.k, one.low, one.high, strict=True):
        ys = vertices[vertices[:, 0] == k, 1]
        assert {ys.min(), ys.max()} == {low, high}
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "pass@k"


def test_plain_tick_labels_at_powers_of_two():
    axes = plots.plot_curve(curve(np.linspace(0.1, 0.9, 7)))
    assert tick_labels(axes) == ["1", "2", "4", "8", "16", "32", "64"]


def test_large_k_has_few_ticks():
    labels = tick_labels(plots.plot_curve(curve([0.1, 0.5, 0.9], k=[1, 1000, 10**6])))
    assert 3 <= len(labels) <= 12
    assert all(label.isdigit() for label in labels)


def test_undefined_values_are_left_out():
    axes = plots.plot_curve(curve([0.2, np.nan, 0.7, np.nan]))
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [1, 4])


def test_a_curve_without_any_value():
    axes = plots.plot_curves({"none": curve([np.nan]), "some": curve([0.5])}, legend=False)
    assert tick_labels(axes) == ["1"]
    assert names(axes) == ["some"]


def test_single_k_is_a_point_with_bars():
    axes = plots.plot_curve(curve([0.4], k=[8]))
    assert len(axes.collections) == 1
    assert tick_labels(axes) == ["8"]


def test_curves_are_named_at_their_ends_without_overlap():
    same = {name: curve([0.3, 0.9, 1.0]) for name in ("first", "second", "third")}
    axes = plots.figure({"": same}).axes[0]
    axes.figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes.values(), 2))
    assert boxes["first"].y0 > boxes["second"].y0 > boxes["third"].y0


def test_colors_differ_and_many_curves_get_a_legend():
    axes = plots.plot_curves({f"m{i}": curve([0.1 * i, 0.1 * i + 0.05]) for i in range(7)})
    assert len({line.get_color() for line in axes.lines}) == 7
    assert axes.get_legend() is None
    axes = plots.plot_curves({f"m{i}": curve([0.1 * i, 0.1 * i + 0.05]) for i in range(9)})
    assert len(axes.get_legend().get_texts()) == 9


def test_fractions_stay_on_their_axis_and_other_values_do_not():
    low, high = plots.plot_curve(curve([0.2, 0.99], width=0.1)).get_ylim()
    assert low == 0
    assert 1 < high < 1.05
    low, high = plots.plot_curve(curve([-3.0, 5.0], width=1.0, metric="best@k")).get_ylim()
    assert low < -4
    assert high > 6


def test_panels_share_one_scale():
    panels = {"pass@k": {"a": curve([0.1, 0.9])}, "maj@k": {"a": curve([0.1, 0.2])}}
    figure = plots.figure(panels, title="two")
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["pass@k", "maj@k"]


@pytest.mark.parametrize("n_panels", [1, 2, 3, 4, 5])
def test_any_number_of_panels(n_panels):
    panels = {f"panel {i}": {"a": curve([0.1, 0.9]), "b": curve([0.2, 0.3])} for i in range(n_panels)}
    figure = plots.figure(panels)
    figure.canvas.draw()
    assert sum(axes.get_visible() for axes in figure.axes) == n_panels


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_save(tmp_path, ending):
    path = tmp_path / f"figure.{ending}"
    plots.save({"": {"pass@k": curve([0.2, 0.4, 0.9])}}, path)
    assert path.stat().st_size > 5000


def test_no_curves():
    with pytest.raises(ValueError, match="at least one curve"):
        plots.plot_curves([])
    with pytest.raises(ValueError, match="at least one panel"):
        plots.figure({})


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_saving_imports_no_pyplot(tmp_path):
    code = f"""
import sys, numpy as np
from types import SimpleNamespace as N
from slowthink import plots
a = np.array([0.1, 0.2])
plots.save({{"": {{"x": N(k=np.array([1, 2]), mean=a, low=a, high=a, metric="pass@k")}}}}, r"{tmp_path / "a.png"}")
assert "matplotlib.pyplot" not in sys.modules
"""
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_joins_pyplot_where_it_is_in_use():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    axes = plots.plot_curve(curve([0.1, 0.5]))
    assert len(plt.get_fignums()) == len(before) + 1
    plt.close(axes.figure)


def test_without_matplotlib_the_error_says_what_to_do():
    code = """
import sys
sys.modules["matplotlib"] = sys.modules["matplotlib.figure"] = sys.modules["matplotlib.ticker"] = None
from slowthink import plots
from types import SimpleNamespace
try:
    plots.plot_curve(SimpleNamespace())
except ImportError as error:
    print(error)
"""
    assert run(code).stdout.strip() == 'plots need matplotlib: pip install "slowthink[app]"'
