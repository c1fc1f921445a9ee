"""Slow twin of the reader of JSON lines: ``json.loads`` on each line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

WORDS = dict.fromkeys(("true", "correct", "c", "passed", "pass", "yes"), 1.0)
WORDS |= dict.fromkeys(("false", "incorrect", "i", "failed", "fail", "no"), 0.0)


def read_log(
    data: bytes, columns: Mapping[str, tuple[Sequence[str], str, bool]], *, skip: bool = False
) -> tuple[dict[str, list[Any]], int]:
    """The columns of JSON lines, and how many rows were skipped.

    Parameters
    ----------
    data : bytes
        Lines of UTF-8.
    columns : mapping of str to (path, role, required)
        Roles: "label", "verdict", "number".
    skip : bool
        Skip rows that cannot be read; otherwise the first one raises.

    Returns
    -------
    columns : dict of str to list
        For labels the value of each sample, None where there is none; else floats, NaN where there is none.
    n_skipped : int

    Examples
    --------
    >>> columns = {"problem": (["id"], "label", True), "correct": (["ok"], "verdict", True)}
    >>> read_log(b'{"id": 1, "ok": [true, 0]}', columns)
    ({'problem': [1, 1], 'correct': [1.0, 0.0]}, 0)
    """
    result: dict[str, list[Any]] = {name: [] for name in columns}
    n_skipped = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            samples = _samples(json.loads(line.decode()), columns)
        except (ValueError, KeyError, TypeError) as error:
            if not skip:
                raise ValueError(f"line {number}: {error}") from error
            n_skipped += 1
            continue
        for name, values in samples.items():
            result[name] += values
    return result, n_skipped


def _samples(row: Any, columns: Mapping[str, tuple[Sequence[str], str, bool]]) -> dict[str, list[Any]]:
    if not isinstance(row, dict):
        raise TypeError("not an object")
    found: dict[str, Any] = {}
    for name, (path, role, required) in columns.items():
        value = row
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None  # type: ignore[assignment]
        many = isinstance(value, list)
        found[name] = ([_value(v, role, required) for v in value] if many else _value(value, role, required), many)
    lengths = {len(value) for value, many in found.values() if many}
    if len(lengths) > 1:
        raise ValueError("arrays of unequal length")
    n = lengths.pop() if lengths else 1
    return {name: value if many else [value] * n for name, (value, many) in found.items()}


def _value(value: Any, role: str, required: bool) -> Any:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if missing and required:
        raise ValueError("missing")
    if role == "label":
        if isinstance(value, (dict, list)):
            return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return None if missing else value
    if missing:
        return math.nan
    if role == "verdict" and isinstance(value, str) and value.strip().lower() in WORDS:
        return WORDS[value.strip().lower()]
    number = float(value)
    if role == "verdict" and not (math.isnan(number) or 0 <= number <= 1):
        raise ValueError("not between 0 and 1")
    return number
