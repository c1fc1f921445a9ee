"""A comparison as text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from slowthink._report import Writer

if TYPE_CHECKING:
    from slowthink.strategies._comparison import Comparison


def text(found: Comparison) -> str:
    """Tables and winners, one after the other."""
    stream = io.StringIO()
    write(found, Writer(stream))
    return stream.getvalue().strip("\n")


def write(found: Comparison, writer: Writer) -> None:
    """The same, to a terminal or a file."""
    header = [f"{budget:,}" for budget in found.budgets]
    rows = [[label, *(accuracy(found, i, j) for j in range(len(header)))] for i, label in enumerate(found.strategies)]
    writer.table(["strategy", *header], rows, title(found))
    if found.n_finished == 0:
        writer.line()
        for line in remarks(found):
            writer.line(line)
        return
    spent = [[label, *(amount(float(value)) for value in found.spent[i])] for i, label in enumerate(found.strategies)]
    writer.table(["strategy", *header], spent, f"mean cost of a trial in {found.unit}, where the budget is the most")
    writer.line()
    for budget in found.budgets:
        writer.line(winner(found, budget))
    for line in remarks(found):
        writer.line(line)


def title(found: Comparison) -> str:
    level = f"{100 * found.confidence:g}%"
    steps = f"{found.max_steps:,} step{'s' * (found.max_steps != 1)}"
    unit = f"answers (1 answer = {steps})" if found.unit == "answers" else found.unit
    return f"right answers in %, {level} intervals, by budget in {unit}"


def accuracy(found: Comparison, i: int, j: int) -> str:
    """Percent, and the larger side of the interval."""
    mean, low, high = found.accuracy[i, j], found.low[i, j], found.high[i, j]
    if np.isnan(mean):
        return "-"
    return f"{100 * mean:.1f} ±{100 * max(mean - low, high - mean):.1f}"


def amount(value: float) -> str:
    """A cost to three figures."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def winner(found: Comparison, budget: int) -> str:
    """Who wins at a budget, and by how much."""
    best = found.best(budget)
    start = f"best at {budget:,}: {best.strategy}, {100 * best.accuracy:.1f}%"
    if best.over is None:
        return start
    over = best.over
    if over.difference == 0:
        return f"{start}; as often right as {best.runner_up}"
    by = f"{100 * over.difference:+.1f} [{100 * over.low:+.1f}, {100 * over.high:+.1f}]"
    sure = "" if best.significant else ", which may be chance"
    return f"{start}; {by} over {best.runner_up}{sure}"


def remarks(found: Comparison) -> list[str]:
    """How many trials, and what stands in the way of a full answer."""
    instances = len(np.unique(found.instances))
    of = f" of {found.n_trials:,}" if found.n_finished < found.n_trials else ""
    lines = [f"{found.n_finished:,} trials{of} on {instances:,} instance{'s' * (instances != 1)} of {found.problem}"]
    if found.n_finished < found.n_trials:
        lines[0] += ": " + ("the time was up" if found.ended == "time_limit" else "interrupted")
    return [*lines, *found.notes]
