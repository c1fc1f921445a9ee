"""What the command line writes: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import numpy as np

Panels = Mapping[str, Mapping[str, Any]]
"""Title of a panel -> name of a column -> its curve: the shape of tables and of figures alike."""


def number(value: float, digits: int = 3) -> str:
    """A value for a table; what is undefined is a dash.

    Examples
    --------
    >>> number(0.25), number(float("nan")), number(12345.6)
    ('0.250', '-', '12345.6')
    """
    if math.isnan(value):
        return "-"
    return f"{value:.6g}" if abs(value) >= 1000 else f"{value:.{digits}f}"


def with_interval(mean: float, low: float, high: float) -> str:
    """An estimate and its interval: three decimals, more where the estimate is small.

    Examples
    --------
    >>> with_interval(0.5, 0.41, 0.59), with_interval(0.5, float("nan"), float("nan"))
    ('0.500 [0.410, 0.590]', '0.500')
    >>> with_interval(0.0012, 0.0003, 0.0021), with_interval(0.0, 0.0, 0.0)
    ('0.0012 [0.0003, 0.0021]', '0.000 [0.000, 0.000]')
    >>> with_interval(7.1e-6, -3e-6, 2e-5)
    '7.1e-06 [-3.0e-06, 2.0e-05]'
    """
    if math.isnan(mean):
        return "-"
    small = 0.0 < abs(mean) < 0.01 and max(abs(low), abs(high)) < 0.1
    if small and abs(mean) < 1e-5:
        shown = [f"{value:.1e}" for value in (mean, low, high)]
    else:
        digits = 1 - math.floor(math.log10(abs(mean))) if small else 3
        shown = [number(value, digits) for value in (mean, low, high)]
    if math.isnan(low) or math.isnan(high):
        return shown[0]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def p_value(value: float) -> str:
    """A p-value to two figures, and an honest floor.

    Examples
    --------
    >>> p_value(0.0312), p_value(1e-9), p_value(0.8)
    ('0.031', '<0.0001', '0.80')
    """
    if math.isnan(value):
        return "-"
    if value < 1e-4:
        return "<0.0001"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def curves_table(columns: Mapping[str, Any], k_name: str = "k") -> tuple[list[str], list[list[str]]]:
    """Header and rows for curves side by side: a row for each k that any of them has.

    A column of problems is added where their number changes with k: problems with fewer than k samples are out.
    """
    ks = sorted({int(k) for curve in columns.values() for k in np.atleast_1d(curve.k)})
    cells = [
        {
            int(k): (with_interval(float(mean), float(low), float(high)), int(used))
            for k, mean, low, high, used in zip(
                np.atleast_1d(curve.k),
                np.atleast_1d(curve.mean),
                np.atleast_1d(curve.low),
                np.atleast_1d(curve.high),
                np.atleast_1d(curve.n_used),
                strict=True,
            )
        }
        for curve in columns.values()
    ]
    header = [k_name]
    rows = [[str(k)] for k in ks]
    for name, column in zip(columns, cells, strict=True):
        header.append(name)
        uneven = len({used for _, used in column.values()}) > 1
        if uneven:
            header.append("problems")
        for row, k in zip(rows, ks, strict=True):
            text, used = column.get(k, ("", 0))
            row.append(text)
            if uneven:
                row.append(str(used) if text else "")
    return header, rows


class Writer:
    """Tables and lines on a stream: by rich on a terminal where it is installed, else plain and aligned."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.console: Any = None
        self.width = 100
        if self.stream.isatty():
            self.width = shutil.get_terminal_size((100, 24)).columns
            try:
                from rich.console import Console

                self.console = Console(file=self.stream, highlight=False)
            except ImportError:
                pass

    def line(self, text: str = "", *, style: str = "") -> None:
        """One line of text."""
        if self.console is not None and style:
            from rich.text import Text

            self.console.print(Text(text, style=style), soft_wrap=True)
        else:
            self.stream.write(text + "\n")

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and what they are, aligned."""
        width = max(len(name) for name, _ in pairs)
        for name, fact in pairs:
            self.line(f"{name:<{width}}  {fact}")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """A table, its first column repeated where it must be broken to fit the width."""
        start = 1
        while start < len(header) or start == 1:
            end = self._fitting(header, rows, start)
            pick = [0, *range(start, end)]
            self._one([header[i] for i in pick], [[row[i] for i in pick] for row in rows], title)
            start, title = max(end, 2), ""

    def _fitting(self, header: Sequence[str], rows: Sequence[Sequence[str]], start: int) -> int:
        """The end of the columns from ``start`` on that fit beside the first: at least one."""
        used, end = self._width(header, rows, 0), start
        between = 2 if self.console is None else 3
        while end < len(header):
            used += between + self._width(header, rows, end)
            if used > self.width and end > start:
                break
            end += 1
        return end

    @staticmethod
    def _width(header: Sequence[str], rows: Sequence[Sequence[str]], column: int) -> int:
        return max(len(header[column]), *(len(row[column]) for row in rows), 0)

    def _one(self, header: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
        self.line()
        if title:
            self.line(title, style="bold")
        if self.console is not None:
            from rich import box
            from rich.table import Table
            from rich.text import Text

            table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
            for i, name in enumerate(header):
                table.add_column(Text(name), justify="left" if i == 0 and not _numeric(rows) else "right", no_wrap=True)
            for row in rows:
                table.add_row(*(Text(cell) for cell in row))
            self.console.print(table)
            return
        widths = [self._width(header, rows, i) for i in range(len(header))]
        first = "<" if not _numeric(rows) else ">"
        for row in [header, ["-" * width for width in widths], *rows]:
            sides = [first] + [">"] * (len(row) - 1)
            cells = [f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)]
            self.line("  ".join(cells).rstrip())


def _numeric(rows: Sequence[Sequence[str]]) -> bool:
    return all(row[0].isdigit() for row in rows)


def plain(value: Any) -> Any:
    """Arrays, NumPy scalars and nested containers as what JSON knows; NaN and infinities as None.

    Examples
    --------
    >>> plain({"mean": np.array([0.5, np.nan]), "n": np.int64(3)})
    {'mean': [0.5, None], 'n': 3}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def json_text(value: Any) -> str:
    """``value`` as strict JSON."""
    return json.dumps(plain(value), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
