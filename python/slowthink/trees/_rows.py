"""Rows of training data as files: JSON lines, Arrow, Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

Row = dict[str, Any]
SUFFIXES = (".jsonl", ".parquet", ".arrow")
_BATCH = 4096
_COMMON = {"problem": "text", "tree": "int", "prompt": "text"}
_PATH = {"steps": "texts", "actions": "ints", "nodes": "ints"}
COLUMNS = {
    "sft": {**_COMMON, "text": "text", **_PATH, "value": "float", "visits": "int"},
    "dpo": {
        **_COMMON,
        **dict.fromkeys(("prefix", "chosen", "rejected"), "text"),
        **dict.fromkeys(("prefix_steps", "prefix_characters"), "int"),
        **dict.fromkeys(("chosen_value", "rejected_value"), "float"),
        **dict.fromkeys(("chosen_visits", "rejected_visits"), "int"),
        **dict.fromkeys(("chosen_nodes", "rejected_nodes"), "ints"),
    },
    "prm": {
        **_COMMON,
        **_PATH,
        "values": "floats",
        "visits": "ints",
        "low": "floats",
        "high": "floats",
        "first_new": "int",
        "terminal": "flag",
        "correct": "flag",
    },
}
"""The columns of each kind of data, and what they hold."""


def checked(path: Any) -> Path:
    """``path``, if its suffix tells a format that can be written."""
    result = Path(path)
    if result.suffix not in SUFFIXES:
        raise ValueError(f"path must end in .jsonl, .parquet or .arrow, got {os.fspath(path)!r}")
    if result.suffix != ".jsonl":
        _pyarrow()
    return result


def write(rows: Iterable[Row], kind: str, path: Path) -> int:
    """Writes ``rows``; the file appears when it is complete. Returns their number."""
    with _replacing(path) as part:
        if path.suffix == ".jsonl":
            return _write_json(rows, part)
        return _write_arrow(rows, kind, part, parquet=path.suffix == ".parquet")


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write_json(rows: Iterable[Row], path: Path) -> int:
    n = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, allow_nan=False) + "\n")
            n += 1
    return n


def _write_arrow(rows: Iterable[Row], kind: str, path: Path, *, parquet: bool) -> int:
    pa = _pyarrow()
    types = {"text": pa.string(), "int": pa.int64(), "float": pa.float64(), "flag": pa.bool_()}
    types |= {name + "s": pa.list_(types[name]) for name in ("text", "int", "float")}
    schema = pa.schema([(name, types[what]) for name, what in COLUMNS[kind].items()])
    if parquet:
        from pyarrow.parquet import ParquetWriter as writer
    else:
        from pyarrow.ipc import new_file as writer
    n = 0
    iterator = iter(rows)
    with path.open("wb") as file, writer(file, schema) as out:
        while batch := list(islice(iterator, _BATCH)):
            out.write_table(pa.Table.from_pylist(batch, schema=schema))
            n += len(batch)
    return n


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ImportError('Arrow and Parquet need pyarrow: pip install "slowthink[parquet]"') from None
    return pyarrow
