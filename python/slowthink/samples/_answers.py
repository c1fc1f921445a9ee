"""Answers as codes: equal answers of a problem share a number."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays

PADDING = -1
"""Code of a place in the matrix where there is no sample."""

SILENT = -2
"""Code of a sample from which no answer could be extracted: it may be drawn, and never votes."""


def encode(answers: Any, gold: Any) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """A (P, n) matrix of integer codes and the (P,) codes of the gold answers.

    Integers (an array, or rows of ints of any lengths) are codes already: non-negative, with -1 where there is no
    sample and -2 for a sample without an answer. Anything else is a sequence of sequences of hashables: equal values
    are equal answers, None and NaN are samples without an answer, and rows may differ in length.

    Examples
    --------
    >>> encode([["24", "12", None], ["24"]], ["24", "7"])
    (array([[ 0,  1, -2],
           [ 0, -1, -1]], dtype=int32), array([0, 1]))
    """
    if not isinstance(answers, np.ndarray) and getattr(answers, "ndim", None) == 2:
        answers = np.asarray(answers)  # a data frame, which iterates over the names of its columns
    if isinstance(answers, np.ndarray) and answers.dtype.kind not in "OUST":
        return _coded(answers, gold)
    rows = _rows(answers)
    if all(isinstance(item, (int, np.integer)) and not isinstance(item, bool) for row in rows for item in row):
        return _coded(_pad([np.asarray(row, dtype=np.int64) for row in rows], np.int64), gold)
    return _encoded(rows, gold)


def _coded(answers: Any, gold: Any) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    codes = _arrays.matrix(answers, "answers", whole=True)
    golds = _arrays.integers(gold, "gold", ndim=(0, 1), low=0)
    if golds.ndim == 0:
        golds = np.full(len(codes), golds)
    if len(golds) != len(codes):
        raise ValueError(f"gold must have one entry a problem, {len(codes)}, got {len(golds)}")
    return codes, golds


def _encoded(rows: list[list[Hashable]], gold: Any) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    golds = _sequence(gold, "gold", "a sequence with one gold answer a problem")
    if len(golds) != len(rows):
        raise ValueError(f"gold must have one entry a problem, {len(rows)}, got {len(golds)}")
    coded = []
    gold_codes = np.empty(len(rows), dtype=np.int64)
    for problem, (row, right) in enumerate(zip(rows, golds, strict=True)):
        seen: dict[Hashable, int] = {}
        codes = np.empty(len(row), dtype=np.int32)
        for i, answer in enumerate(row):
            try:
                codes[i] = SILENT if _is_missing(answer) else seen.setdefault(answer, len(seen))
            except TypeError:
                raise TypeError(f"answers[{problem}][{i}] must be hashable, got {answer!r}") from None
        if _is_missing(right):
            raise ValueError(f"gold[{problem}] must be an answer, got {right!r}")
        try:
            gold_codes[problem] = seen.get(right, len(seen))
        except TypeError:
            raise TypeError(f"gold[{problem}] must be hashable, got {right!r}") from None
        coded.append(codes)
    return _pad(coded, np.int32), gold_codes


def _rows(answers: Any) -> list[list[Hashable]]:
    rule = "a (P, n) array of codes or a sequence of sequences of answers"
    return [
        list(_sequence(row, f"answers[{i}]", "a sequence of answers"))
        for i, row in enumerate(_sequence(answers, "answers", rule))
    ]


def _sequence(value: Any, name: str, rule: str) -> Sequence[Any]:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        raise ValueError(f"{name} must be {rule}, got a 0-D array")
    if isinstance(value, (str, bytes, dict)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be {rule}, got {value!r}")
    if isinstance(value, np.ndarray):
        return list(value) if value.ndim > 1 else value.tolist()
    return value if isinstance(value, (list, tuple)) else list(value)


def _is_missing(answer: Any) -> bool:
    return answer is None or (isinstance(answer, (float, np.floating)) and answer != answer)


def _pad(rows: list[npt.NDArray[Any]], dtype: Any) -> npt.NDArray[Any]:
    width = max(map(len, rows), default=0)
    matrix = np.full((len(rows), width), PADDING, dtype=dtype)
    for to, row in zip(matrix, rows, strict=True):
        to[: len(row)] = row
    return matrix
