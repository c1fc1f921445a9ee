"""A comparison as one page of HTML."""

from __future__ import annotations

import html as escape
import io
import re
from typing import TYPE_CHECKING

from slowthink.strategies import _table

if TYPE_CHECKING:
    from slowthink.strategies._comparison import Comparison

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap; }
th { border-bottom: 1px solid #888; font-weight: 600; } th:first-child, td:first-child { text-align: left; }
tr:nth-child(even) td { background: #f6f6f6; } td.best { font-weight: 700; } .wide { overflow-x: auto; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 0; } svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { :root { color-scheme: light; } body { background: #fff; } }
"""


def html(found: Comparison) -> str:
    """The whole page."""
    unit = found.unit
    question = (
        f"Spend the same compute in {len(found.strategies)} ways on {found.problem}: which way wins at "
        f"{found.budgets[0]:,} to {found.budgets[-1]:,} {unit}?"
    )
    parts = [
        "<h1>Which way of slow thinking wins?</h1>",
        f"<p>{_safe(question)}</p>",
        "<ul>",
        *(f"<li>{_safe(_table.winner(found, budget))}</li>" for budget in found.budgets if found.n_finished),
        "</ul>",
        _figure(found),
        f"<h2>{_safe(_capital(_table.title(found)))}</h2>",
        _accuracies(found),
        f"<h2>Mean cost of a trial in {unit}</h2>",
        _costs(found),
        "<h2>Settings</h2>",
        _settings(found),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>slowthink compare: {_safe(found.problem)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def excerpt(found: Comparison) -> str:
    """The tables and the winners, to stand among other things, as in a notebook."""
    cost = f"mean cost of a trial in {found.unit}, where the budget is the most"
    parts = [f"<p>{_safe(_table.title(found))}</p>", _accuracies(found)]
    if found.n_finished:
        lines = [*(_table.winner(found, budget) for budget in found.budgets), *_table.remarks(found)]
        parts += [f"<p>{_safe(cost)}</p>", _costs(found), f"<p>{'<br>'.join(map(_safe, lines))}</p>"]
    return "\n".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _safe(text: object) -> str:
    # Halves of surrogate pairs have no place in a file.
    return escape.escape(str(text).encode("utf-8", "replace").decode("utf-8"))


def _accuracies(found: Comparison) -> str:
    best = [found.best(budget).strategy if found.n_finished else "" for budget in found.budgets]
    rows = []
    for i, label in enumerate(found.strategies):
        cells = []
        for j in range(len(found.budgets)):
            exact = found.exact[i, j]
            known = "" if exact != exact else f' title="exact: {100 * exact:.3f}%"'
            strong = ' class="best"' if best[j] == label else ""
            cells.append(f"<td{strong}{known}>{_table.accuracy(found, i, j)}</td>")
        rows.append(f"<tr><td>{_safe(label)}</td>{''.join(cells)}</tr>")
    return _table_of(found, rows)


def _costs(found: Comparison) -> str:
    rows = []
    for i, label in enumerate(found.strategies):
        cells = "".join(f"<td>{_table.amount(float(value))}</td>" for value in found.spent[i])
        rows.append(f"<tr><td>{_safe(label)}</td>{cells}</tr>")
    return _table_of(found, rows)


def _table_of(found: Comparison, rows: list[str]) -> str:
    header = "".join(f"<th>{budget:,}</th>" for budget in found.budgets)
    return f'<div class="wide"><table>\n<tr><th>strategy</th>{header}</tr>\n' + "\n".join(rows) + "\n</table></div>"


def _settings(found: Comparison) -> str:
    from slowthink import __version__

    verifier = "the score of the problem" if found.verifier is None else repr(found.verifier)
    facts = {
        "problem": found.problem,
        "strategies": "; ".join(f"{label}: {strategy!r}" for label, strategy in found.strategies.items()),
        "verifier": verifier,
        "trials": "; ".join(_table.remarks(found)),
        "intervals": f"{100 * found.confidence:g}%, over {found.over}",
        "seed": " ".join(f"{word:016x}" for word in found.seed) + f", first trial {found.first:,}",
        "seconds": f"{found.seconds:.1f}",
        "slowthink": __version__,
    }
    return "<dl>\n" + "\n".join(f"<dt>{_safe(k)}</dt><dd>{_safe(v)}</dd>" for k, v in facts.items()) + "\n</dl>"


def _figure(found: Comparison) -> str:
    """An SVG element, or nothing where matplotlib is not installed or there is nothing to draw."""
    if found.n_finished == 0:
        return ""
    try:
        from matplotlib import rc_context

        from slowthink.plots import _comparison
    except ImportError:
        return ""
    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "slowthink"}):  # else each page has names of its own for the same marks
        _comparison.figure(found).savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"^.*?(?=<svg)", "", stream.getvalue(), count=1, flags=re.DOTALL)
