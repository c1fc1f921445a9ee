"""Figures of scaling: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest
from slowthink import plots
from slowthink.plots import _search

pytest.importorskip("matplotlib")


def test_lines_are_drawn_and_named():
    x = np.array([10.0, 100.0, 1000.0])
    axes = plots.plot_scaling(x, {"before": 7 * x, "after": [70.0, np.inf, 70.0]}, x_label="1 / epsilon")
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["before"].get_ydata(), 7 * x)
    np.testing.assert_array_equal(lines["after"].get_xdata(), [10.0, 1000.0])
    assert sorted(text.get_text() for text in axes.texts) == ["after", "before"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    shares = plots.plot_scaling(x, {"global": [1.0, 0.9, 1.0]}, log=False)
    assert shares.get_ylim()[0] == 0.0
    few = plots.plot_scaling([8, 16, 32], {"a": [1.0, 2.0, 3.0]})
    assert [label.get_text() for label in few.get_xticklabels()] == ["8", "16", "32"]


def test_points_lie_on_the_line_of_their_name():
    axes = plots.plot_scaling([1, 2], {"a": [1.0, 2.0], "b": [3.0, 4.0]}, points={"b": [3.5, np.nan]})
    lines = {line.get_label(): line for line in axes.lines if line.get_linestyle() != "None"}
    (points,) = (line for line in axes.lines if line.get_linestyle() == "None")
    assert (points.get_xdata().tolist(), points.get_ydata().tolist()) == ([1.0], [3.5])
    assert points.get_color() == lines["b"].get_color() != lines["a"].get_color()
    assert (lines["a"].get_marker(), lines["b"].get_marker()) == ("o", "")
    assert sorted(text.get_text() for text in axes.texts) == ["a", "b"]


def test_lines_that_lie_upon_each_other_are_seen():
    x = np.array([1.0, 10.0, 100.0])
    lines = {"a": x, "apart": x * 10, "b": x * 1.001, "shorter": [1.0, 10.0, np.nan], "c": x}
    axes = plots.plot_scaling(x, lines)
    styles = {line.get_label(): line.get_linestyle() for line in axes.lines}
    assert styles == {"a": "-", "apart": "-", "b": "--", "shorter": "-", "c": "--"}


def test_each_of_three_equal_lines_has_its_share_of_the_way():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_rgb

    places = np.geomspace(1, 100, 50)  # too many for markers
    axes = plots.plot_scaling(places, dict.fromkeys("abc", places))
    axes.figure.set_dpi(300)
    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[::-1, :, :3]
    (left, low), (right, high) = axes.bbox.get_points().astype(int)
    inside = image[low:high, left:right].astype(int)
    colors = [np.array(to_rgb(line.get_color())) * 255 for line in axes.lines]
    seen = np.array([(np.abs(inside - color).max(axis=2) <= 2).sum() for color in colors])
    assert (seen > 0.2 * seen.sum()).all(), seen


def test_panels_stand_in_rows_of_three():
    drawn = {f"panel {i}": {"x": [1.0, 2.0], "lines": {"a": [1.0, i + 1.0]}} for i in range(4)}
    fig = _search.panels(drawn)
    assert [axes.get_title(loc="left") for axes in fig.axes if axes.get_visible()] == list(drawn)
    assert fig.get_supxlabel() == ""
    assert "simulated" in _search.panels({"a": {**drawn["panel 0"], "points": {"a": [1, 1]}}}).get_supxlabel()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"x": [0.0, 1.0]}, "x must hold positive numbers"),
        ({"x": []}, "x must hold positive numbers"),
        ({"lines": {"a": [1.0]}}, "lines must have the length of x"),
        ({"points": {"a": [1.0]}}, "points must have the length of x"),
        ({"points": {"b": [1.0, 2.0]}}, "points must have names of lines, got 'b'"),
    ],
)
def test_bad_input_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        plots.plot_scaling(**{"x": [1.0, 2.0], "lines": {"a": [1.0, 2.0]}, **arguments})


def test_an_axis_of_less_than_a_power_of_ten_has_numbers() -> None:
    axes = plots.plot_scaling(np.linspace(0.32, 1.0, 50), {"line": np.ones(50)})
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.5", "0.7", "1"]
    wide = plots.plot_scaling(np.geomspace(1, 1000, 50), {"line": np.ones(50)})
    assert "2" not in [label.get_text() for label in wide.get_xticklabels()]
