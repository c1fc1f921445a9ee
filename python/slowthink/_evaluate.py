"""The work of ``slowthink evaluate``: which curves, of which logs, side by side and compared."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from slowthink import __version__
from slowthink._report import Writer, curves_table, number, p_value, with_interval
from slowthink.samples import SampleLog, compare

METRICS = ("mean", "pass@k", "pass^k", "maj@k", "best@k", "weighted-maj@k")
PERMUTATIONS = 1000
"""Of the samples of each problem, for weighted votes: their noise is far below that of the problems."""
MANY_SAMPLES = 200_000
"""Above this many, a metric may take long enough for a progress bar."""
FEW_PROBLEMS = 30
"""Below this many, a normal interval is noticeably too narrow."""
ROLES = ("problem", "answer", "gold", "correct", "score", "cost", "cluster")
DEFAULT_METRICS = ("mean", "pass@k", "maj@k", "best@k", "weighted-maj@k")


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    metrics: Sequence[tuple[str, Sequence[int] | None]] = ()
    k: str | Sequence[int] = "powers"
    by: str | None = None
    extrapolate: Sequence[int] | None = None
    confidence: float = 0.95
    interval: Any = "clt"
    over: Any = "problems"
    seed: int = 0
    threads: int | None = None
    progress: bool = False
    reading: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A log, or the rows of a log that share a value of the ``--by`` column, and its curves by metric."""

    log: str
    group: str | None
    samples: SampleLog
    curves: Mapping[str, Any]
    beyond: Any | None


@dataclass(frozen=True)
class Comparison:
    """The paired differences of two parts by metric: first minus second."""

    first: str
    second: str
    group: str | None
    differences: Mapping[str, Any]


def evaluate(logs: Sequence[str], other: str | None, request: Request) -> Evaluation:
    """Reads the logs, and ``other`` to compare each of them with, and estimates what ``request`` asks for."""
    paths = [*logs, *([other] if other else [])]
    names = short_names(paths)
    reading = dict(request.reading)
    if request.by is not None and request.by not in ROLES:
        # Columns beside those with a role are read where they are asked for.
        reading["columns"] = {request.by: request.by} | (reading.get("columns") or {})
    read = {name: SampleLog.read(path, **reading) for name, path in zip(names, paths, strict=True)}
    for name, given in read.items():
        if "correct" not in given.columns:
            found = ", ".join(("problem", *given.columns))
            raise ValueError(
                f"{paths[names.index(name)]}: no column for the verdict, nor both answer and gold to derive it from "
                f"(found: {found}); say where they are with --columns correct=NAME"
            )
    samples = {(name, group): part for name, given in read.items() for group, part in _groups(given, request.by)}
    largest = max(int(part.num_samples.max()) for part in samples.values())
    ks = _k_values(request.k, largest)
    metrics = _metrics(request, samples, ks)
    parts = {key: _part(*key, part, metrics, request) for key, part in samples.items()}
    comparisons = []
    for (log, group), part in parts.items():
        against = parts.get((names[-1], group))
        if other and log != names[-1] and against is not None:
            differences = {
                metric: compare(
                    part.curves[metric],
                    against.curves[metric],
                    confidence=request.confidence,
                    rng=request.seed,
                    threads=request.threads,
                )
                for metric in part.curves
                if metric in against.curves
            }
            comparisons.append(Comparison(log, names[-1], group, differences))
    return Evaluation(request, dict(zip(names, paths, strict=True)), read, list(parts.values()), comparisons)


def _groups(log: SampleLog, by: str | None) -> list[tuple[str | None, SampleLog]]:
    if by is None:
        return [(None, log)]
    parts = log.split(by)
    values = list(parts)
    if all(isinstance(value, (int, float)) for value in values):
        values.sort()
    return [("(none)" if value is None else str(value), parts[value]) for value in values]


def short_names(paths: Sequence[str]) -> list[str]:
    """File names without their endings, with as many folders before them as tell them apart.

    Examples
    --------
    >>> short_names(["a/run.jsonl", "b/run.jsonl.gz"]), short_names(["new.csv", "old.csv"])
    (['a/run', 'b/run'], ['new', 'old'])
    """
    stems = [re.sub(r"(\.(jsonl?|csv|tsv|parquet|eval|gz|xz|zst))+$", "", path) for path in paths]
    for depth in range(1, 8):
        names = ["/".join(Path(stem).parts[-depth:]) for stem in stems]
        if len(set(names)) == len(names):
            return names
    return [f"{Path(stem).name} ({i + 1})" for i, stem in enumerate(stems)]


def _k_values(k: str | Sequence[int], largest: int) -> list[int]:
    if k == "all":
        return list(range(1, largest + 1))
    if k == "powers":
        return sorted({*(2**i for i in range(largest.bit_length())), largest})
    beyond = [value for value in k if int(value) > largest]
    if beyond:
        warnings.warn(
            f"k = {', '.join(map(str, beyond))}: no problem has more than {largest} samples (see --extrapolate)",
            stacklevel=2,
        )
    return [int(value) for value in k]


def _metrics(
    request: Request, samples: Mapping[Any, SampleLog], ks: Sequence[int]
) -> dict[str, tuple[Sequence[int], bool]]:
    """Each metric with its k, and whether it was asked for by name."""
    if request.metrics:
        chosen: dict[str, set[int]] = {}
        for metric, own in request.metrics:
            chosen.setdefault(metric, set()).update([1] if metric == "mean" else ks if own is None else own)
        return {metric: (sorted(own), True) for metric, own in chosen.items()}
    columns = set.intersection(*(set(part.columns) for part in samples.values()))
    needs = {"maj@k": {"answer"}, "best@k": {"score"}, "weighted-maj@k": {"answer", "score"}}
    if max(int(part.num_samples.max()) for part in samples.values()) == 1:
        # Of one sample each, all metrics are the same.
        needs = {metric: {"more samples"} for metric in needs}
    if request.over == "samples":
        needs["weighted-maj@k"] = {"a variance within the problems, which it has not"}
    return {
        metric: ([1] if metric == "mean" else ks, False)
        for metric in DEFAULT_METRICS
        if needs.get(metric, set()) <= columns
    }


def _part(
    name: str,
    group: str | None,
    samples: SampleLog,
    metrics: Mapping[str, tuple[Sequence[int], bool]],
    request: Request,
) -> Part:
    curves = {}
    for metric, (ks, by_name) in metrics.items():
        try:
            curves[metric] = samples.curve(
                metric,  # type: ignore[arg-type]
                np.asarray(ks),
                confidence=request.confidence,
                interval=request.interval,
                over=request.over,
                n_resamples=PERMUTATIONS if metric == "weighted-maj@k" and request.interval != "bootstrap" else 10_000,
                rng=request.seed,
                threads=request.threads,
                progress=request.progress and samples.n_samples > MANY_SAMPLES,
            )
        except ValueError as error:
            if by_name or metric in ("mean", "pass@k"):
                raise
            warnings.warn(f"{metric} left out: {error}", stacklevel=2)
    beyond = None
    if request.extrapolate:
        from slowthink.samples import extrapolate_pass_at_k

        n, correct = samples.counts
        beyond = extrapolate_pass_at_k(
            n, correct, np.asarray(request.extrapolate), confidence=request.confidence, threads=request.threads
        )
    return Part(name, group, samples, curves, beyond)


@dataclass(frozen=True)
class Evaluation:
    """Everything that was asked for, to be written as tables, as JSON or as a figure."""

    request: Request
    paths: Mapping[str, str]
    logs: Mapping[str, SampleLog]
    parts: Sequence[Part]
    comparisons: Sequence[Comparison]

    def label(self, part: Part) -> str:
        """What tells the part from the others."""
        if part.group is None:
            return part.log
        return part.group if len(self.logs) == 1 else f"{part.log}: {part.group}"

    def panels(self) -> dict[str, dict[str, Any]]:
        """Curves over k: all metrics in one panel for a single log, else a panel a metric with the parts in it."""
        if len(self.parts) == 1:
            curves = {metric: curve for metric, curve in self.parts[0].curves.items() if metric != "mean"}
            return {"": curves} if curves else {}
        metrics = dict.fromkeys(metric for part in self.parts for metric in part.curves if metric != "mean")
        return {
            metric: {self.label(part): part.curves[metric] for part in self.parts if metric in part.curves}
            for metric in metrics
        }

    def continued(self) -> dict[str, dict[str, Any]]:
        """The extrapolated rests of the curves of :meth:`panels`."""
        if len(self.parts) == 1:
            beyond = self.parts[0].beyond
            return {} if beyond is None else {"": {"pass@k": beyond}}
        return {"pass@k": {self.label(part): part.beyond for part in self.parts if part.beyond is not None}}

    def write(self, writer: Writer) -> None:
        """The tables."""
        for i, (name, log) in enumerate(self.logs.items()):
            if i:
                writer.line()
            writer.facts(_facts(self.paths[name], log))
        self._write_means(writer)
        for title, curves in self.panels().items():
            by = f" by {self.request.by}" if self.request.by else ""
            header, rows = curves_table(curves)
            writer.table(header, rows, title + by if title else "")
        for part in self.parts:
            if part.beyond is not None:
                law = part.beyond
                rows = [
                    [str(k), with_interval(*values)]
                    for k, *values in zip(
                        law.k.tolist(), law.mean.tolist(), law.low.tolist(), law.high.tolist(), strict=True
                    )
                ]
                title = f"extrapolated by a Beta({law.alpha:.3g}, {law.beta:.3g}) law of the problems' success rates"
                writer.table(["k", "pass@k"], rows, title if len(self.parts) == 1 else f"{self.label(part)}: {title}")
        for comparison in self.comparisons:
            self._write_comparison(writer, comparison)
        writer.line()
        writer.line(self._how())
        fewest = min(part.samples.n_problems for part in self.parts)
        if fewest < FEW_PROBLEMS and self.request.interval in ("clt", "bootstrap"):
            single = all(part.samples.num_samples.max() == 1 for part in self.parts)
            better = "--interval wilson" if single else "--interval t"
            writer.line(f"[{fewest} problems are few: these intervals are too narrow, {better} is safer]")

    def _write_means(self, writer: Writer) -> None:
        means = {self.label(part): part.curves["mean"].at(1) for part in self.parts if "mean" in part.curves}
        if len(self.parts) == 1:
            for point in means.values():
                writer.line()
                writer.line(f"mean correct  {with_interval(point.mean, point.low, point.high)}")
            return
        rows = []
        for part in self.parts:
            row = [self.label(part), str(part.samples.n_problems), str(part.samples.n_samples)]
            if means:
                point = means[self.label(part)]
                row.append(with_interval(point.mean, point.low, point.high))
            rows.append(row)
        head = ["log" if self.request.by is None else self.request.by, "problems", "samples"]
        writer.table([*head, *(["mean correct"] if means else [])], rows)

    def _write_comparison(self, writer: Writer, comparison: Comparison) -> None:
        group = "" if comparison.group is None else f", {self.request.by} = {comparison.group}"
        for metric, difference in comparison.differences.items():
            rows = [
                [
                    str(point.k),
                    with_interval(point.difference, point.low, point.high),
                    p_value(point.p_value),
                    number(point.correlation, 2),
                ]
                for point in map(difference.at, difference.k.tolist())
            ]
            shared = f"{int(difference.n_pairs.max())} problems in both"
            title = f"{metric}: {comparison.first} minus {comparison.second}, {shared}"
            writer.table(["k", "difference", "p", "correlation"], rows, title + group)

    def _how(self) -> str:
        request = self.request
        kind = {"clt": "normal", "t": "Student's t", "wilson": "Wilson", "bootstrap": "bootstrap"}[request.interval]
        over = "problems and samples" if request.over == "problems" else "samples, the problems being fixed"
        clusters = any("cluster" in log.columns for log in self.logs.values())
        clustered = " and clusters" if clusters and request.over == "problems" else ""
        return f"[{100 * request.confidence:.4g} % intervals: {kind}, over {over}{clustered}]"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain containers."""
        request = self.request
        return {
            "slowthink": __version__,
            "settings": {
                "confidence": request.confidence,
                "interval": request.interval,
                "over": request.over,
                "seed": request.seed,
                "by": request.by,
            },
            "logs": [
                {
                    "name": name,
                    "path": self.paths[name],
                    "format": None if log.source is None else log.source.format,
                    "columns": {} if log.source is None else log.source.columns,
                    "n_skipped": log.n_skipped,
                    "n_problems": log.n_problems,
                    "n_samples": log.n_samples,
                    "samples_per_problem": dict(zip(("min", "median", "max"), _spread(log), strict=True)),
                    "n_unanswered": log.n_unanswered,
                }
                for name, log in self.logs.items()
            ],
            "results": [
                {
                    "log": part.log,
                    **({} if self.request.by is None else {"group": part.group}),
                    "n_problems": part.samples.n_problems,
                    "curves": {metric: curve.to_dict() for metric, curve in part.curves.items()},
                    **({} if part.beyond is None else {"extrapolated": part.beyond.to_dict()}),
                }
                for part in self.parts
            ],
            "comparisons": [
                {
                    "first": comparison.first,
                    "second": comparison.second,
                    **({} if self.request.by is None else {"group": comparison.group}),
                    "differences": {metric: item.to_dict() for metric, item in comparison.differences.items()},
                }
                for comparison in self.comparisons
            ],
        }


def _facts(path: str, log: SampleLog) -> list[tuple[str, str]]:
    low, middle, high = _spread(log)
    each = f"{low}" if low == high else f"{low} to {high}, median {middle:g}"
    source = log.source
    derived = [] if source is None or "correct" in source.columns else ["correct (answer = gold)"]
    places = {} if source is None else source.columns
    named = [name if name == place else f"{name} = {place}" for name, place in places.items()]
    facts = [
        ("log", path if source is None else f"{path} ({source.format})"),
        ("columns", ", ".join(named + derived)),
        ("problems", f"{log.n_problems:,}"),
        ("samples", f"{log.n_samples:,}, {each} a problem"),
    ]
    if log.n_skipped:
        facts.append(("skipped", f"{log.n_skipped:,} malformed rows"))
    if log.n_unanswered:
        facts.append(("no answer", f"{log.n_unanswered:,} of the samples: counted in k, without a vote"))
    return facts + [("note", note) for note in (source.notes if source else [])]


def _spread(log: SampleLog) -> tuple[int, float, int]:
    n = log.num_samples
    return int(n.min()), float(np.median(n)), int(n.max())
