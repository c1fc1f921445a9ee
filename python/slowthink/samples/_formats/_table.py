"""What a reader hands over: the columns of a log, and an account of where they came from."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from slowthink.samples._log import SampleLog

ROLES = {
    "problem": "label",
    "answer": "label",
    "gold": "label",
    "correct": "verdict",
    "score": "number",
    "cost": "number",
    "cluster": "label",
}
"""The columns of a sample log; any other name that a caller maps is a label too."""


@dataclass(frozen=True)
class Labels:
    """A column of hashable values: ``values[codes[i]]`` is that of sample i, and code -1 says that it has none.

    ``values`` are distinct, in order of first appearance.
    """

    codes: npt.NDArray[np.int64]
    values: list[Hashable]

    def to_list(self) -> list[Hashable]:
        """The value of each sample, None where there is none."""
        return [None if code < 0 else self.values[code] for code in self.codes.tolist()]


@dataclass
class Source:
    """Where the columns of a log come from; as text, one line for people."""

    path: str
    format: str
    columns: dict[str, str]
    n_rows: int = 0
    n_skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        mapping = ", ".join(f"{name} = {place}" for name, place in self.columns.items())
        skipped = [f"{self.n_skipped} rows skipped"] if self.n_skipped else []
        return "; ".join([f"{self.path} ({self.format}): {mapping}", *skipped, *self.notes])


@dataclass
class Table:
    """The columns of a log, of equal length; None where the log has no such column."""

    source: Source
    problem: Labels
    answer: Labels | None = None
    gold: Labels | None = None
    correct: npt.NDArray[np.bool_] | None = None
    score: npt.NDArray[np.float64] | None = None
    cost: npt.NDArray[np.float64] | None = None
    cluster: Labels | None = None
    extra: dict[str, Labels] = field(default_factory=dict)

    @property
    def n_skipped(self) -> int:
        """How many rows could not be read and were skipped."""
        return self.source.n_skipped

    def __len__(self) -> int:
        return len(self.problem.codes)


def sample_log(columns: Table) -> SampleLog:
    """The sample log of the columns of a file."""
    from slowthink.samples._log import SampleLog

    answers = columns.answer.values if columns.answer is not None else []
    gold = columns.gold
    if gold is not None:
        coder = LabelCoder(answers)
        table = np.append(coder.codes(gold.values), np.int64(-1))
        gold, answers = Labels(table[gold.codes], gold.values), coder.values
    try:
        log = SampleLog._from_codes(
            problem=columns.problem.codes,
            problems=columns.problem.values,
            answer=None if columns.answer is None else columns.answer.codes,
            answers=answers,
            gold=None if gold is None else gold.codes,
            correct=columns.correct,
            score=columns.score,
            cost=columns.cost,
            cluster=None if columns.cluster is None else (columns.cluster.codes, columns.cluster.values),
            extra={name: (labels.codes, labels.values) for name, labels in columns.extra.items()},
        )
    except ValueError as error:
        raise ValueError(f"{columns.source.path}: {error}") from None
    log.source = columns.source
    return log


def table(source: Source, columns: dict[str, Any]) -> Table:
    """The table of ``columns``; names that are not a sample log's own are its extra labels."""
    own = {name: column for name, column in columns.items() if name in ROLES}
    extra = {name: column for name, column in columns.items() if name not in ROLES}
    if not len(own["problem"].codes):
        raise ValueError(f"{source.path}: there are no samples in this log")
    return Table(source=source, extra=extra, **own)


def label(value: Any) -> Hashable:
    """``value`` as a label: itself, or for lists and dicts their canonical JSON text; NaN is no label (None).

    Labels compare as Python values do: ``1``, ``1.0`` and ``True`` are one, ``1`` and ``"1"`` are two.

    Examples
    --------
    >>> label({"b": [1, 2], "a": None})
    '{"a":null,"b":[1,2]}'
    """
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return value  # type: ignore[no-any-return]


class LabelCoder:
    """Gives codes to labels in order of first appearance."""

    def __init__(self, known: Iterable[Hashable] = ()) -> None:
        self._index = {value: code for code, value in enumerate(known)}

    def code(self, value: Hashable) -> int:
        """The code of ``value``; -1 for None."""
        return -1 if value is None else self._index.setdefault(value, len(self._index))

    def codes(self, values: Iterable[Any]) -> npt.NDArray[np.int64]:
        """The codes of many values of any kind."""
        return np.fromiter((self.code(label(value)) for value in values), np.int64)

    @property
    def values(self) -> list[Hashable]:
        """The distinct labels."""
        return list(self._index)


def labels(values: Iterable[Any]) -> Labels:
    """A column of labels from the value of each sample."""
    coder = LabelCoder()
    codes = coder.codes(values)
    return Labels(codes, coder.values)


def decoded(codes: npt.NDArray[np.int32], values: Sequence[tuple[bool, bytes]]) -> Labels:
    """A column of labels as the compiled reader hands it over: values are (is it a string, its bytes)."""
    coder = LabelCoder()
    table = coder.codes(text_of(raw) if is_text else json_of(raw) for is_text, raw in values)
    # Equal values in two spellings (1 and 1.0) have become one here, and NaN none; code -1 finds the -1 at the end.
    return Labels(np.append(table, np.int64(-1))[codes], coder.values)


def text_of(raw: bytes) -> str:
    """The string of its bytes, in which lone surrogates may stand."""
    return raw.decode("utf-8", "surrogatepass")


def json_of(raw: bytes) -> Any:
    """The value of a JSON text."""
    try:
        return json.loads(raw)
    except ValueError:  # an integer longer than Python converts: its digits are a fine name
        return raw.decode()
