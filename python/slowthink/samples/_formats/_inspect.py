"""The logs of inspect_ai: ``.eval`` (a zip whose members are compressed with Zstandard) and ``.json``."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slowthink.samples._formats._harness import choose
from slowthink.samples._formats._jsonl import Columns
from slowthink.samples._formats._mapping import Field, checked, look_up
from slowthink.samples._formats._streams import PIECE, unzstandard
from slowthink.samples._formats._table import ROLES, Source, Table, json_of, labels, table, text_of

_ZSTANDARD = 93  # the number of the compression in the zip format; zipfile itself knows it from Python 3.14 on
_VALUES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_NEEDED = ("id", "target", "scores", "model_usage", "error")


def read_eval(
    stream: io.BufferedReader,
    path: str,
    columns: Mapping[str, str | None] | None,
    filter: str | None,
    on_error: str,
    threads: int | None,
) -> Table:
    """The table of an ``.eval`` log. The messages and events in it are decompressed, but not parsed."""
    asked = checked(columns)
    try:
        archive = zipfile.ZipFile(stream if stream.seekable() else io.BytesIO(stream.read()))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: the archive is broken or cut short ({error})") from None
    with archive:
        members = {info.filename: info for info in archive.infolist()}
        header = next((members[name] for name in ("header.json", "_journal/start.json") if name in members), None)
        if header is None:
            raise ValueError(f"{path}: an archive without header.json is no log of inspect_ai")
        head = json.loads(_member(archive, header))
        samples = [i for name, i in members.items() if name.startswith("samples/") and name.endswith(".json")]
        needed = _paths(asked)
        wanted = [Field(place, tuple(parts), "raw", place == "id", False) for place, parts in needed.items()]
        reader = Columns(path, wanted, on_error, threads)

        def place_of(number: int) -> str:
            return samples[number].filename

        batch: list[bytes] = []
        for info in samples:
            batch.append(_member(archive, info))
            if sum(map(len, batch)) > PIECE:
                reader.feed_documents(batch, place_of)
                batch = []
        reader.feed_documents(batch, place_of)
    raw = reader.finish(place_of)
    decoded = []
    for codes, values in raw.values():
        known = [text_of(value) if is_text else json_of(value) for is_text, value in values]
        decoded.append([None if code < 0 else known[code] for code in codes.tolist()])
    rows = [dict(zip(raw, row, strict=True)) for row in zip(*decoded, strict=True)]
    return _table(path, head, rows, asked, filter, reader.n_skipped)


def read_json(text: bytes, path: str, columns: Mapping[str, str | None] | None, filter: str | None) -> Table:
    """The table of a ``.json`` log, which is one document."""
    asked = checked(columns)
    log = document(text, path)
    if not (isinstance(log, dict) and isinstance(log.get("eval"), dict)):
        raise ValueError(f"{path}: a JSON document that is no log of inspect_ai")
    needed = _paths(asked)
    rows = [{name: look_up(s, parts) for name, parts in needed.items()} for s in log.get("samples") or []]
    return _table(path, log, rows, asked, filter, 0)


def _paths(asked: Mapping[str, str | None]) -> dict[str, list[str]]:
    """The fields of a sample that are read: those always needed and those asked for."""
    return {place: place.split(".") for place in [*_NEEDED, *filter(None, asked.values())]}


def document(text: bytes, path: str) -> Any:
    """The one JSON document of a file."""
    try:
        return json.loads(text.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: not JSON: {error.msg} at column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deeply") from None


def _table(
    path: str,
    head: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    asked: Mapping[str, str | None],
    filter: str | None,
    n_skipped: int,
) -> Table:
    notes = _complaints(path, head, rows)
    scored = [row for row in rows if row["scores"] and row["error"] is None]
    if not scored:
        raise ValueError(f"{path}: no sample in this log has a score")
    scorers = list(dict.fromkeys(name for row in scored for name in row["scores"]))
    scorer, more = choose("scorer", scorers, filter, path)
    kept = [row for row in scored if scorer in row["scores"]]
    scores = [row["scores"][scorer] for row in kept]
    result: dict[str, Any] = {"problem": labels(row["id"] for row in kept)}
    mapping = {"problem": "id"}
    if "answer" not in asked:
        result["answer"] = labels(None if score.get("value") == "N" else score.get("answer") for score in scores)
        mapping["answer"] = f"scores.{scorer}.answer"
    if "gold" not in asked:
        # A list of targets means that each of them is right, which a single gold cannot say.
        targets = [row["target"] for row in kept]
        golds = [target[0] if isinstance(target, list) and len(target) == 1 else target for target in targets]
        if not any(isinstance(gold, list) for gold in golds):
            result["gold"] = labels(golds)
            mapping["gold"] = "target"
    if "correct" not in asked:
        values = np.array(
            [_value(score.get("value"), path, row, scorer) for score, row in zip(scores, kept, strict=True)]
        )
        inside = bool(((values >= 0) & (values <= 1)).all())
        # What is no verdict from 0 to 1 can still rank answers.
        result["correct" if inside else "score"] = values
        mapping["correct" if inside else "score"] = f"scores.{scorer}.value"
    if "cost" not in asked:
        usage = [row["model_usage"] for row in kept]
        result["cost"] = np.array(
            [sum(use.get("total_tokens") or 0 for use in models.values()) if models else np.nan for models in usage],
            dtype=np.float64,
        )
        mapping["cost"] = "model_usage.total_tokens"
    for name, place in asked.items():
        if place is None:
            continue
        column = [row[place] for row in kept]
        if all(value is None for value in column):
            raise ValueError(f"{path}: there is no field {place!r} (columns[{name!r}]) in any sample")
        mapping[name] = place
        if ROLES.get(name, "label") == "label":
            result[name] = labels(column)
        else:
            result[name] = np.array([_value(v, path, row, place) for v, row in zip(column, kept, strict=True)])
    source = Source(path, "inspect", mapping, len(rows), n_skipped, [f"scorer {scorer!r}", *more, *notes])
    return table(source, result)


def _complaints(path: str, head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is not as it should be with the run, each said by a warning."""
    notes = []
    status = head.get("status") or "started"
    if status != "success":
        notes.append(f"the run has the status {status!r}: samples may be missing")
    if head.get("invalidated"):
        notes.append("the run has been marked as invalid")
    failed = sum(row["error"] is not None for row in rows)
    unscored = sum(row["error"] is None and not row["scores"] for row in rows)
    if failed:
        notes.append(f"{failed} of {len(rows)} samples ended with an error and are left out")
    if unscored:
        notes.append(f"{unscored} of {len(rows)} samples have no score and are left out")
    for note in notes:
        warnings.warn(f"{path}: {note}", stacklevel=5)
    return notes


def _value(value: Any, path: str, row: Mapping[str, Any], place: str) -> float:
    """A score as a number, with inspect_ai's letters: C(orrect), P(artial), I(ncorrect), N(o answer)."""
    if value is None:
        return np.nan
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        known = _VALUES.get(value, _VALUES.get(value.lower()))
        if known is not None:
            return known
        try:
            return float(value)
        except ValueError:
            pass
    raise ValueError(f"{path}, sample {row['id']!r}: {place} must give C, P, I, N or a number, got {str(value)[:60]!r}")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, whatever its compression."""
    if info.compress_type != _ZSTANDARD:
        try:
            return archive.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise EOFError(f"{info.filename}: {error}") from error
    file = archive.fp
    assert file is not None
    # The local header repeats the name and has extra fields of its own length.
    file.seek(info.header_offset)
    fixed = file.read(30)
    if len(fixed) < 30 or not fixed.startswith(b"PK\x03\x04"):
        raise EOFError(f"{info.filename} is not where the directory says")
    name_length, extra_length = struct.unpack("<HH", fixed[26:30])
    file.seek(name_length + extra_length, io.SEEK_CUR)
    data = unzstandard(file.read(info.compress_size))
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise EOFError(f"{info.filename} does not have the checksum that the directory says")
    return data
