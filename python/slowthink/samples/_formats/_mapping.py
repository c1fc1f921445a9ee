"""Which field of a log is which column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from slowthink.samples._formats._table import ROLES

CANDIDATES = {
    "problem": ("problem", "problem_id", "task_id", "doc_id", "question_id", "puzzle_id", "idx", "id", "index"),
    "answer": ("answer", "extracted_answer", "final_answer", "prediction", "pred", "ans"),
    "gold": ("gold", "gold_answer", "target", "reference", "ground_truth", "expected", "label"),
    "correct": ("correct", "is_correct", "passed", "pass", "solved", "success", "verdict", "exact_match", "acc"),
    "score": ("score", "reward", "rm_score", "verifier_score", "confidence"),
    "cost": ("cost", "total_tokens", "n_tokens", "num_tokens", "tokens", "completion_tokens", "output_tokens"),
    "cluster": ("cluster", "cluster_id"),
}
"""Field names that are taken for a column, in order of preference."""


class Field(NamedTuple):
    """A column and where it is found."""

    name: str
    path: tuple[str, ...]
    role: str
    required: bool
    asked_for: bool

    @property
    def place(self) -> str:
        """The path as a caller writes it."""
        return ".".join(self.path)


def fields(path: str, keys: Iterable[str], columns: Mapping[str, str | None] | None) -> list[Field]:
    """The columns found among ``keys``, the top-level fields seen in the first rows of the log ``path``.

    ``columns`` says where a column is (a key, or keys joined by dots), or None for one that is not to be read.
    """
    keys = list(keys)
    asked = checked(columns)
    found = []
    taken = {place for place in asked.values() if place is not None}
    for name in dict.fromkeys([*ROLES, *asked]):
        place = asked.get(name)
        if name not in asked:
            place = next((key for key in CANDIDATES[name] if key in keys and key not in taken), None)
        if place is None:
            if name == "problem":
                raise ValueError(
                    f"{path}: no column for the problem among {', '.join(map(repr, keys))}: "
                    "say which it is with columns={'problem': ...}"
                )
            continue
        taken.add(place)
        # A key that itself holds a dot wins over the path.
        parts = (place,) if place in keys else tuple(place.split("."))
        role = ROLES.get(name, "label")
        found.append(Field(name, parts, role, name in ("problem", "correct"), name in asked))
    if {"answer", "gold"} <= {field.name for field in found}:
        # A verdict that is missing follows from the two.
        found = [field._replace(required=field.required and field.name != "correct") for field in found]
    return found


def checked(columns: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """``columns`` if it is a mapping of names."""
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise TypeError(f"columns must be a dict such as {{'problem': 'task_id'}}, got {columns!r}")
    for name, place in columns.items():
        if not isinstance(name, str) or not (place is None or (isinstance(place, str) and place)):
            raise TypeError(f"columns[{name!r}] must be the name of a field, or None, got {place!r}")
    return dict(columns)


def look_up(row: Any, path: Iterable[str]) -> Any:
    """The value at ``path`` in nested dicts; None where there is none."""
    for key in path:
        row = row.get(key) if isinstance(row, Mapping) else None
    return row
