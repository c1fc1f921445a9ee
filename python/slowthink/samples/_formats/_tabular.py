"""Tables: csv (and other separators) and parquet."""

from __future__ import annotations

import csv
import io
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink.samples._formats._jsonl import Columns
from slowthink.samples._formats._mapping import Field, fields
from slowthink.samples._formats._table import LabelCoder, Labels, Source, Table, label, table

_ROWS = 1 << 14  # rows of a csv file handed over at once

SEPARATORS = ",\t;"


def separator(header: str) -> str:
    """The separator of a csv file, by its first line."""
    return max(SEPARATORS, key=header.count)


def read_csv(
    stream: io.BufferedReader, path: str, columns: Mapping[str, str | None] | None, on_error: str, threads: int | None
) -> Table:
    """The table of a csv file with a header. Its cells are text: labels stay text, an empty cell is no value."""
    # Bytes that are not UTF-8 pass as surrogates, so that the row they stand in can be named.
    with io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text, _any_field_size():
        first = text.readline()
        rows = csv.reader(_chained(first, text), delimiter=separator(first), strict=True)
        try:
            header = next(rows)
            wanted = fields(path, header, columns)
            for field in wanted:
                if field.path[0] not in header:
                    raise ValueError(
                        f"{path}: there is no column {field.place!r} (columns[{field.name!r}]) among "
                        f"{', '.join(map(repr, header))}"
                    )
            reader = Columns(path, wanted, on_error, threads)
            places = [(field.path[0], header.index(field.path[0])) for field in wanted]
            numbers: list[int] = []

            def line(row: int) -> str:
                return f"line {numbers[row]}"

            chunk: list[str] = []
            for row in rows:
                if not row:
                    continue
                numbers.append(rows.line_num)
                flaw = _flaw(row, len(header))
                if flaw is not None:
                    if on_error != "skip":
                        raise ValueError(f"{path}, line {rows.line_num}: {flaw}")
                    chunk.append("0")  # no object: the reader counts it as skipped
                else:
                    chunk.append(json.dumps({key: row[place] or None for key, place in places}))
                if len(chunk) == _ROWS:
                    reader.feed("\n".join(chunk).encode(), line)
                    chunk.clear()
            reader.feed("\n".join(chunk).encode(), line)
        except csv.Error as error:
            raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
        found = reader.finish(line)
    source = Source(path, "csv", {f.name: f.place for f in wanted}, reader.n_rows, reader.n_skipped)
    return table(source, found)


def _flaw(row: list[str], width: int) -> str | None:
    if len(row) != width:
        return f"{len(row)} cells where the header has {width}"
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return "not UTF-8"
    return None


def _chained(first: str, rest: io.TextIOWrapper) -> Iterator[str]:
    yield first
    yield from rest


class _any_field_size:
    """Lifts the csv module's limit on the length of a cell, which model output exceeds."""

    def __enter__(self) -> None:
        self._limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))

    def __exit__(self, *exception: object) -> None:
        csv.field_size_limit(self._limit)


def read_parquet(
    stream: io.BufferedReader, path: str, columns: Mapping[str, str | None] | None, on_error: str
) -> Table:
    """The table of a parquet file. Rows whose wanted columns are lists become one sample for each element."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError("reading parquet needs pyarrow: pip install 'slowthink[parquet]'") from None
    try:
        file = pyarrow.parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path}: not a readable parquet file ({error})") from None
    keys = file.schema_arrow.names
    wanted = fields(path, keys, columns)
    for field in wanted:
        if field.path[0] not in keys:
            raise ValueError(
                f"{path}: there is no column {field.place!r} (columns[{field.name!r}]) among "
                f"{', '.join(map(repr, keys))}"
            )
    gathered = {field.name: _Gathered(field, path) for field in wanted}
    n_rows = n_skipped = 0
    for batch in file.iter_batches(batch_size=1 << 16, columns=list(dict.fromkeys(f.path[0] for f in wanted))):
        arrays, lengths = {}, None
        for field in wanted:
            array = batch.column(batch.schema.get_field_index(field.path[0]))
            for key in field.path[1:]:
                array = pyarrow.compute.struct_field(array, key)
            if pyarrow.types.is_list(array.type) or pyarrow.types.is_large_list(array.type):
                own = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
                if lengths is not None and (own != lengths).any():
                    row = n_rows + int(np.argmax(own != lengths))
                    raise ValueError(f"{path}, row {row + 1}: the lists of a row must have one length ({field.place})")
                lengths = own
                arrays[field.name] = (array.flatten(), True)
            else:
                arrays[field.name] = (array, False)
        repeat = None if lengths is None else np.repeat(np.arange(len(lengths)), lengths)
        rows = np.arange(batch.num_rows) if repeat is None else repeat
        taken = {
            name: gathered[name].values(array if flat or repeat is None else array.take(pyarrow.array(repeat)))
            for name, (array, flat) in arrays.items()
        }
        flawed = np.zeros(len(rows), dtype=bool)
        for field in wanted:
            wrong = gathered[field.name].flaws(taken[field.name])
            if wrong.any() and on_error != "skip":
                row = n_rows + int(rows[np.argmax(wrong)]) + 1
                raise ValueError(f"{path}, row {row}: field {field.place!r} ({field.name}) {gathered[field.name].rule}")
            flawed |= wrong
        # As in the other formats it is the row that is skipped, with all its samples.
        bad = np.zeros(batch.num_rows, dtype=bool)
        bad[rows[flawed]] = True
        for name, values in taken.items():
            gathered[name].append(values[~bad[rows]])
        n_skipped += int(bad.sum())
        n_rows += batch.num_rows
    if n_skipped:
        warnings.warn(f"{path}: skipped {n_skipped} of {n_rows} rows", stacklevel=4)
    source = Source(path, "parquet", {f.name: f.place for f in wanted}, n_rows - n_skipped, n_skipped)
    return table(source, {name: column.finish() for name, column in gathered.items()})


class _Gathered:
    """A column of a parquet file, batch by batch."""

    def __init__(self, field: Field, path: str) -> None:
        self._field = field
        self._path = path
        self._coder = LabelCoder()
        self._parts: list[npt.NDArray[Any]] = []
        self.rule = {
            "label": "is missing",
            "verdict": "must be true or false, or a number from 0 to 1",
            "number": "must be a number",
        }[field.role]

    def values(self, array: Any) -> npt.NDArray[Any]:
        """The batch as codes or numbers."""
        import pyarrow

        if self._field.role == "label":
            kind = array.type
            if not (pyarrow.types.is_nested(kind) or pyarrow.types.is_dictionary(kind)):
                array = array.dictionary_encode()
            if pyarrow.types.is_nested(kind):
                return self._coder.codes(array.to_pylist())
            known = np.append(self._coder.codes(array.dictionary.to_pylist()), np.int64(-1))
            return np.asarray(known[array.indices.fill_null(-1).to_numpy(zero_copy_only=False)])
        if pyarrow.types.is_boolean(array.type):
            array = array.cast("int8")
        if not (pyarrow.types.is_integer(array.type) or pyarrow.types.is_floating(array.type)):
            raise ValueError(
                f"{self._path}: column {self._field.place!r} ({self._field.name}) must hold numbers, got {array.type}"
            )
        return np.asarray(array.cast("float64", safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)

    def flaws(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which of the values break the rule of the column."""
        if self._field.role == "label":
            return np.asarray((values < 0) & self._field.required)
        if self._field.role == "number":
            return np.zeros(len(values), dtype=bool)
        missing = np.isnan(values)
        return np.asarray((missing & self._field.required) | ~(missing | ((values >= 0) & (values <= 1))))

    def append(self, values: npt.NDArray[Any]) -> None:
        self._parts.append(values)

    def finish(self) -> Any:
        """The whole column."""
        if self._field.role != "label":
            return np.concatenate([np.empty(0), *self._parts])
        codes = np.concatenate([np.empty(0, np.int64), *self._parts])
        # Values of skipped rows, or unused entries of a dictionary, are no labels of the log.
        values = self._coder.values
        used, first = np.unique(codes[codes >= 0], return_index=True)
        order = used[np.argsort(np.flatnonzero(codes >= 0)[first])]
        place = np.full(len(values) + 1, -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        return Labels(place[codes], [label(values[code]) for code in order])
