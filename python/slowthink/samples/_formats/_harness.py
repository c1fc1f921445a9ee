"""The sample logs of lm-evaluation-harness (``--log_samples``)."""

from __future__ import annotations

import itertools
import json
import string
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from slowthink.samples._formats._jsonl import Columns, Lines
from slowthink.samples._formats._mapping import Field, checked, fields
from slowthink.samples._formats._table import Labels, Source, Table, labels, table, text_of

KEYS = {"doc_id", "filter", "filtered_resps"}
"""Fields by which the format is known."""

NO_ANSWER = "[invalid]"
"""What the harness's regex filter puts where it finds no answer."""

PREFERRED = ("exact_match", "acc", "pass@1", "acc_norm")
"""Metrics that are verdicts, in order of preference."""


def read_harness(
    lines: Lines,
    path: str,
    columns: Mapping[str, str | None] | None,
    filter: str | None,
    on_error: str,
    threads: int | None,
) -> Table:
    """The table of one filter of a log: a sample for each response that the filter let pass."""
    asked = checked(columns)
    metric = asked.get("correct") or _metric(path, lines.head)
    own = {"problem": "doc_id", "correct": metric}
    others = {name: place for name, place in asked.items() if name not in own and name not in ("answer", "gold")}
    silent = {name: None for name in ("answer", "gold", "score", "cost", "cluster") if name not in others}
    wanted = [
        Field("filter", ("filter",), "label", True, False),
        Field("responses", ("filtered_resps",), "raw", True, False),
        Field("target", ("target",), "label", False, False),
        *fields(path, lines.keys, own | silent | others),
    ]
    wanted = [f._replace(role="number") if f.name == "correct" else f for f in wanted]
    reader = Columns(path, wanted, on_error, threads)
    for piece in lines:
        reader.feed(piece)
    found = reader.finish()
    names = [str(name) for name in found["filter"].values]
    chosen, notes = choose("filter", names, filter, path)
    kept = np.flatnonzero(found["filter"].codes == names.index(chosen))

    parsed = [_responses(json.loads(text_of(raw))) for _, raw in found["responses"][1]]
    responses = [parsed[code] for code in found["responses"][0][kept].tolist()]
    targets = ["" if value is None else str(value) for value in _picked(found["target"], kept)]
    problems, metrics = _picked(found["problem"], kept), found["correct"][kept]
    if np.isnan(metrics).any():
        raise ValueError(f"{path}: doc {problems[int(np.argmax(np.isnan(metrics)))]!r} has no value of {metric!r}")
    if any(isinstance(given, int) for given in responses):
        golds: list[Any] = [int(target) if target.isdigit() else target for target in targets]
        attempts: list[list[Any]] = [[given] for given in responses]
        agree = all((given[0] == gold) == value for given, gold, value in zip(attempts, golds, metrics, strict=True))
        verdicts: Any = metrics
    else:
        attempts = [[given] if given is None or isinstance(given, str) else given for given in responses]
        normal = next((form for form in _forms() if _explains(form, attempts, targets, metrics)), None)
        agree = normal is not None
        if normal is not None and normal is not str:
            attempts = [[None if text is None else normal(text) for text in given] for given in attempts]
            targets = [normal(target) for target in targets]
        golds = list(targets)
        verdicts = _verdicts(attempts, golds, metrics, agree, problems, metric, path)
    counts = [len(given) for given in attempts]
    rows = np.repeat(np.arange(len(kept)), counts)
    result: dict[str, Any] = {
        "problem": labels(problems[row] for row in rows),
        "answer": labels(None if text == NO_ANSWER else text for text in itertools.chain.from_iterable(attempts)),
        "correct": verdicts,
    }
    mapping = {"problem": "doc_id", "answer": "filtered_resps", "correct": metric}
    if agree:
        # Otherwise target and answer are not written alike, and only the metric knows which answers are right.
        result["gold"] = labels(golds[row] for row in rows)
        mapping["gold"] = "target"
    for field in wanted[3:]:
        if field.name not in own:
            column = found[field.name]
            column = (
                labels(_picked(column, kept)[row] for row in rows) if isinstance(column, Labels) else column[kept][rows]
            )
            result[field.name] = column
            mapping[field.name] = field.place
    source = Source(path, "lm_eval", mapping, len(kept), reader.n_skipped, [f"filter {chosen!r}", *notes])
    return table(source, result)


def choose(kind: str, names: Sequence[str], asked: str | None, path: str) -> tuple[str, list[str]]:
    """The filter (or scorer) to read: the one asked for, or the first with a warning that names the others."""
    if asked is not None:
        if asked not in names:
            raise ValueError(f"{path}: there is no {kind} {asked!r}, only {', '.join(map(repr, names))}")
        return asked, []
    if len(names) > 1:
        others = ", ".join(map(repr, names[1:]))
        warnings.warn(
            f"{path}: read by the {kind} {names[0]!r}; the log also has {others}: choose with filter=...", stacklevel=5
        )
        return names[0], [f"not read: {kind}s {others}"]
    return names[0], []


def _metric(path: str, head: Sequence[Mapping[str, Any]]) -> str:
    """The metric that serves as the verdict: one whose values lie in [0, 1], the usual names first."""
    listed = list(dict.fromkeys(itertools.chain.from_iterable(row.get("metrics") or () for row in head)))
    # Logs of older versions do not list the metrics.
    listed = listed or [name for name in PREFERRED if any(name in row for row in head)]
    listed.sort(key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED))
    for name in listed:
        values = [row[name] for row in head if name in row]
        if values and all(isinstance(value, (int, float)) and 0 <= value <= 1 for value in values):
            return str(name)
    raise ValueError(
        f"{path}: none of the metrics {', '.join(map(repr, listed))} is a verdict from 0 to 1: "
        "say which to take with columns={'correct': ...}"
    )


def _picked(column: Labels, rows: Any) -> list[Any]:
    return Labels(column.codes[rows], column.values).to_list()


def _responses(given: Any) -> Any:
    """What the filter passed on: a list of texts, one text, or for choices by likelihood the index of the likeliest."""
    if not isinstance(given, list):
        return str(given)
    if given and all(_is_likelihood(one) for one in given):
        # A single likelihood is that of the target itself, and no answer.
        return int(np.argmax([float(one[0]) for one in given])) if len(given) > 1 else None
    first = given[0] if given else []
    return [str(text) for text in first] if isinstance(first, list) else str(first)


def _is_likelihood(one: Any) -> bool:
    if not (isinstance(one, list) and len(one) == 2 and str(one[1]) in ("True", "False")):
        return False
    try:
        return float(one[0]) <= 0
    except (TypeError, ValueError):
        return False


def _forms() -> Iterable[Callable[[str], str]]:
    """The ways in which exact_match may write both sides before it compares them."""
    yield str
    tables = {"punctuation": string.punctuation, "numbers": string.digits}
    for lower, *dropped in itertools.product((False, True), ("", "punctuation"), ("", "numbers")):
        table = str.maketrans("", "", "".join(tables.get(name, "") for name in dropped))

        def form(text: str, lower: bool = bool(lower), table: Any = table) -> str:
            return (text.lower() if lower else text).translate(table)

        yield form


def _explains(form: Callable[[str], str], attempts: Any, targets: Any, metrics: Any) -> bool:
    """Whether the metric of every row is the share of its responses that equal the target under ``form``."""
    return all(
        bool(given)
        and abs(sum(text is not None and form(text) == form(target) for text in given) / len(given) - value) < 1e-9
        for given, target, value in zip(attempts, targets, metrics, strict=True)
    )


def _verdicts(
    attempts: Sequence[Sequence[str]],
    golds: Sequence[str],
    metrics: Any,
    agree: bool,
    problems: Sequence[Any],
    metric: str,
    path: str,
) -> Any:
    """The verdict on each sample: the metric is the mean over those of a row, so they are compared one by one."""
    verdicts: list[float] = []
    for given, gold, value, problem in zip(attempts, golds, metrics.tolist(), problems, strict=True):
        if len(given) == 1 or value in (0.0, 1.0):
            verdicts += [value] * len(given)
        elif agree:
            verdicts += [float(text == gold) for text in given]
        else:
            raise ValueError(
                f"{path}: {metric!r} of doc {problem!r} is {value:.4g}, the mean over {len(given)} responses, and "
                "comparing them with the target does not tell which of them are right"
            )
    return np.array(verdicts)
