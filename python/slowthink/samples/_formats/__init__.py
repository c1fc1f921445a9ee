"""Reading logs of samples: JSON lines, csv, parquet, and the logs of lm-evaluation-harness, human-eval and inspect_ai.

The format is told by the content. Every reader yields a :class:`Table`: columns, and where they came from.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from slowthink.samples._formats import _harness, _inspect, _jsonl, _tabular
from slowthink.samples._formats._mapping import checked
from slowthink.samples._formats._streams import opened, source_name
from slowthink.samples._formats._table import Labels, Source, Table, sample_log

if TYPE_CHECKING:
    from slowthink.samples._log import SampleLog

__all__ = ["FORMATS", "Labels", "Source", "Table", "read", "read_table"]

FORMATS = ("jsonl", "json", "csv", "parquet", "lm_eval", "human_eval", "inspect")
"""The formats, by the names that ``format=`` takes."""

_ALIASES = {
    "ndjson": "jsonl",
    "tsv": "csv",
    "lm-eval": "lm_eval",
    "lm_evaluation_harness": "lm_eval",
    "human-eval": "human_eval",
    "humaneval": "human_eval",
    "inspect_ai": "inspect",
    "inspect-ai": "inspect",
    "eval": "inspect",
}


def read(
    path: Any,
    format: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    filter: str | None = None,
    on_error: str = "raise",
) -> SampleLog:
    """The sample log in a file: see :func:`read_table`, which it is made from."""
    return sample_log(read_table(path, format, columns, filter, on_error))


def read_table(
    path: Any,
    format: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    filter: str | None = None,
    on_error: str = "raise",
    *,
    threads: int | None = None,
) -> Table:
    """The columns of a log.

    Parameters
    ----------
    path : path, "-" or file object
        The log; gzip, xz, bzip2 and Zstandard are decompressed on the way, whatever the name.
    format : str, optional
        One of :data:`FORMATS`; told by the content if not given.
    columns : mapping of str to str or None, optional
        Which field is which column of the sample log, ``{"problem": "idx", "correct": "eval.passed"}``; a dot leads
        into a nested object, None leaves a column out, other names make extra columns. Columns not mentioned are
        found by their usual names.
    filter : str, optional
        The filter of an lm-evaluation-harness log, or the scorer of an inspect_ai log. By default the first, with a
        warning that names the others.
    on_error : {"raise", "skip"}
        What to do with a row that cannot be read: raise a ValueError that names line and reason, or skip it, and
        warn at the end.
    threads : int, optional
        Threads that parse JSON.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        Naming the log, and the line and reason where there are any.

    Notes
    -----
    JSON labels keep their kind: problem ``1`` is not problem ``"1"`` (though ``1`` and ``1.0`` are one, as in
    Python). Cells of csv are text. Lists and objects as labels become their canonical JSON text. A row whose fields
    are arrays of one length becomes one sample for each element; fields that are no arrays repeat.

    The log is read once, in pieces; memory is that of the columns. Fields that are not wanted cost about 1 ns a byte.
    """
    if format is not None:
        format = _ALIASES.get(format, format)
        if format not in FORMATS:
            raise ValueError(f"format must be None or one of {', '.join(map(repr, FORMATS))}, got {format!r}")
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
    checked(columns)
    name = source_name(path)
    with opened(path) as stream:
        head = _head(stream)
        if not head:
            raise ValueError(f"{name}: the file is empty")
        asked = format is not None
        format = format or told(head, name)
        lines = None
        if format in ("jsonl", "lm_eval", "human_eval"):
            lines = _jsonl.Lines(stream, name)
            if not asked and lines.head:
                format = told_by_keys(lines.head[0])
        if filter is not None and format not in ("lm_eval", "inspect"):
            raise ValueError(f"filter is for the logs of lm-evaluation-harness and inspect_ai, and {name} is {format}")
        if format == "csv":
            return _tabular.read_csv(stream, name, columns, on_error, threads)
        if format == "parquet":
            return _tabular.read_parquet(stream, name, columns, on_error)
        if format == "inspect" and head.startswith(b"PK"):
            return _inspect.read_eval(stream, name, columns, filter, on_error, threads)
        if format == "inspect":
            return _inspect.read_json(b"".join(lines) if lines else stream.read(), name, columns, filter)
        if format == "json":
            rows = [json.dumps(row).encode() for row in _rows(stream, name)]
            lines = _jsonl.Lines(io.BufferedReader(io.BytesIO(b"\n".join(rows))), name)
        assert lines is not None
        if format == "lm_eval":
            return _harness.read_harness(lines, name, columns, filter, on_error, threads)
        return _jsonl.read_lines(lines, name, columns, on_error, threads, format)


def _head(stream: io.BufferedReader) -> bytes:
    """The beginning of a stream, which stays unread."""
    return stream.peek(1 << 16)


def told(head: bytes, name: str) -> str:
    """The format of a log, told by its beginning; which JSON lines they are shows in their fields."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{name}: the text is UTF-16, and must be UTF-8")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "inspect"
    lines = [line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    first = next(filter(None, lines), b"")
    if first.startswith(b"["):
        return "json"
    if first == b"{":
        # One object over many lines.
        return "inspect"
    if first.startswith(b"{"):
        return "jsonl"
    if any(separator.encode() in first for separator in _tabular.SEPARATORS):
        return "csv"
    raise ValueError(f"{name}: the format is not known: it begins with {first[:60]!r}; say which with format=...")


def told_by_keys(row: Mapping[str, Any]) -> str:
    """The format of JSON lines, told by the fields of one."""
    if row.keys() >= _harness.KEYS:
        return "lm_eval"
    if row.keys() >= {"task_id", "completion", "passed"}:
        return "human_eval"
    if row.keys() >= {"eval", "status", "version"}:
        return "inspect"
    return "jsonl"


def _rows(stream: io.BufferedReader, name: str) -> list[Any]:
    rows = _inspect.document(stream.read(), name)
    if not isinstance(rows, list):
        raise ValueError(f"{name}: the JSON document must be an array of objects, or a log of inspect_ai")
    return rows
