"""What the columns of a log must be, and the verdicts derived where they are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink.samples._columns import MISSING, Codes, Labels, object_array

Floats = npt.NDArray[np.float64]


def verdicts(
    given: npt.NDArray[Any] | None,
    answer: Codes | None,
    gold: Codes | None,
    answers: Labels,
    problem: Codes,
    problems: Labels,
) -> npt.NDArray[Any] | None:
    """Verdicts as int8 where they are 0 or 1 all, else float64; the missing ones derived.

    ``given``, ``answer`` and ``problem`` have an entry a sample, ``gold`` one a problem; the two last index the labels
    ``answers`` and ``problems``.
    """
    derivable = answer is not None and gold is not None
    if given is None and not derivable:
        return None
    if given is None or np.isnan(given).any():
        found = np.full(len(problem), np.nan) if given is None else given.astype(np.float64)
        missing = np.isnan(found)
        if answer is not None and gold is not None:
            if given is None:
                _comparable(answer, gold, answers)
            row_gold = gold[problem]
            known = missing & (row_gold != MISSING)
            found[known] = (answer == row_gold)[known]
            missing &= ~known
        if missing.any():
            row = int(np.argmax(missing))
            why = "its problem has no gold answer" if derivable else "there is no answer and gold to derive it from"
            raise ValueError(f"correct[{row}] is missing, and {why} (problem {problems[problem[row]]!r})")
    else:
        found = given
    outside = ~((found >= 0) & (found <= 1))
    if outside.any():
        row = int(np.argmax(outside))
        raise ValueError(f"correct[{row}] must be True, False or between 0 and 1, got {found[row]}")
    binary = found.astype(np.int8)
    return binary if (binary == found).all() else np.asarray(found, dtype=np.float64)


def refuse_missing(codes: Codes, name: str) -> None:
    if (codes < 0).any():
        raise ValueError(f"{name}[{int(np.argmax(codes < 0))}] must not be missing")


def refuse_infinite(values: Floats, name: str) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise ValueError(f"{name}[{row}] must be finite or missing, got {values[row]}")


def with_labels(codes: Codes, labels: Labels, known: Labels) -> tuple[Codes, Labels]:
    """``codes`` recoded to the labels ``known``, which grow by those that are new."""
    place = {label: i for i, label in enumerate(known)}
    new = [label for label in labels if label not in place]
    place |= {label: len(known) + i for i, label in enumerate(new)}
    table = np.array([*(place[label] for label in labels), MISSING], dtype=np.int32)
    return table[codes], object_array([*known, *new])


def _comparable(answer: Codes, gold: Codes, labels: Labels) -> None:
    """Refuses text answers to numeric golds, or the reverse: they would all be wrong."""
    sides = []
    for codes in (answer, gold):
        used = np.unique(codes[codes != MISSING])
        sides.append({isinstance(labels[i], str) for i in used})
    if sides[0] in ({True}, {False}) and sides[1] in ({True}, {False}) and sides[0] != sides[1]:
        texts, others = ("answer", "gold") if sides[0] == {True} else ("gold", "answer")
        raise ValueError(f"{texts} holds text and {others} does not, so that no two are equal: convert one of them")


def per_problem(
    codes: Codes,
    problem: Codes,
    problems: Labels,
    labels: Labels,
    name: str,
) -> Codes:
    """The one value that each problem has in a column, -1 for none; two are refused."""
    values = np.full(len(problems), MISSING, dtype=np.int32)
    if (codes != MISSING).all():
        values[problem[::-1]] = codes[::-1]  # of equal indices the last one written stays: the first row
        clash = values[problem] != codes
    else:
        known = np.flatnonzero(codes != MISSING)
        values[problem[known[::-1]]] = codes[known[::-1]]
        clash = (values[problem] != codes) & (codes != MISSING)
    if clash.any():
        row = int(np.argmax(clash))
        which = problem[row]
        raise ValueError(
            f"{name}[{row}] must be the same in all rows of problem {problems[which]!r}, "
            f"got {labels[codes[row]]!r} after {labels[values[which]]!r}"
        )
    return values
