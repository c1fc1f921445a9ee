"""A comparison as JSON, and back."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink._report import json_text, plain
from slowthink.samples._intervals import confidence_level
from slowthink.strategies._strategies import from_dict, to_dict
from slowthink.strategies._verifier import Verifier
from slowthink.trees._inputs import count, not_negative

if TYPE_CHECKING:
    from slowthink.strategies._comparison import Comparison

COSTS = ("steps", "calls", "answers", "verdicts", "tokens")
"""What is counted, in this order."""

_FORMAT = 1


def settings(found: Comparison) -> dict[str, Any]:
    """How it was made, and a row for each strategy and budget."""
    columns = {name: getattr(found, name) for name in ("accuracy", "low", "high", "exact", *COSTS)}
    rows = [
        {"strategy": label, "budget": budget, **{name: float(array[i, j]) for name, array in columns.items()}}
        for i, label in enumerate(found.strategies)
        for j, budget in enumerate(found.budgets)
    ]
    return {
        "problem": found.problem,
        "fingerprint": found.fingerprint,
        "unit": found.unit,
        "budgets": list(found.budgets),
        "strategies": {label: to_dict(strategy) for label, strategy in found.strategies.items()},
        "verifier": None if found.verifier is None else dataclasses.asdict(found.verifier),
        "n_instances": found.n_instances,
        "max_steps": found.max_steps,
        "tokens_per_step": found.tokens_per_step,
        "n_trials": found.n_trials,
        "n_finished": found.n_finished,
        "first": found.first,
        "seed": [f"{word:016x}" for word in found.seed],
        "confidence": found.confidence,
        "over": found.over,
        "ended": found.ended,
        "seconds": round(found.seconds, 3),
        "notes": list(found.notes),
        "rows": rows,
    }


def text(found: Comparison) -> str:
    """The same with all trials."""
    from slowthink import __version__

    trials = {
        "correct": base64.b64encode(np.packbits(found.correct, axis=None).tobytes()).decode("ascii"),
        "total_cost": found.total_cost.tolist(),
    }
    return json_text({"format": _FORMAT, "slowthink": __version__, **settings(found), "trials": trials})


def replace_file(file: Path, text: str) -> None:
    """Writes a file so that a reader sees what was there before, or all of the new.

    What is no plain file, such as a pipe or a device, is written to: to put a file in its place would take it away.
    """
    if file.exists() and not file.is_file():
        write_file(file, text)
        return
    file = Path(os.path.realpath(file))  # where a link leads to
    part = file.with_name(f"{file.name[:200]}.{os.getpid()}.part")
    try:
        try:
            write_file(part, text)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise


def write_file(file: Path, text: str) -> None:
    """Writes a file; an error names it, on a full disk too."""
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        error.filename = error.filename or str(file)
        raise


def read(source: str | os.PathLike[str]) -> dict[str, Any]:
    """The arguments of the comparison in a file, or in a text that begins with a brace."""
    is_text = isinstance(source, str) and source.lstrip()[:1] == "{"
    what = "a text" if is_text else os.fspath(source)
    try:
        data = json.loads(str(source) if is_text else Path(source).read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise ValueError(f"a {type(data).__name__} instead of an object")
        return _arguments(data)
    except KeyError as error:
        reason = f"it lacks {error}"
    except (TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())
    raise ValueError(f"source must be a comparison as to_json writes it, got {what!s}: {reason}") from None


def _arguments(data: dict[str, Any]) -> dict[str, Any]:
    """What a comparison is made of; KeyError, TypeError or ValueError where something is wrong."""
    if data["format"] != _FORMAT:
        raise ValueError(f"format must be {_FORMAT}, got {data['format']!r}")
    strategies = {label: from_dict(item) for label, item in data["strategies"].items()}
    budgets = check_budgets(data["budgets"])
    shape = (len(strategies), len(budgets))
    n_finished = count(data["n_finished"], "n_finished", 0, 2**40)
    size = shape[0] * shape[1] * n_finished
    packed = np.frombuffer(base64.b64decode(data["trials"]["correct"], validate=True), dtype=np.uint8)
    if len(packed) != -(-size // 8):
        raise ValueError(f"correct must hold {size} bits, got {len(packed)} bytes")
    correct = np.unpackbits(packed, count=size).reshape(*shape, -1) if size else np.zeros((*shape, 0), np.uint8)
    rows = data["rows"]
    if [row["accuracy"] for row in rows] != plain(_mean(correct).ravel()):
        raise ValueError("the accuracies of its rows are not those of its trials")
    exact = np.array([np.nan if row["exact"] is None else row["exact"] for row in rows], dtype=np.float64)
    if not (np.isnan(exact) | ((exact >= 0) & (exact <= 1 + 1e-9))).all():
        raise ValueError("exact must be probabilities")
    per_step = data["tokens_per_step"]
    return {
        "problem": str(data["problem"]),
        "fingerprint": str(data["fingerprint"]),
        "strategies": strategies,
        "budgets": budgets,
        "unit": _arrays.choice(data["unit"], "unit", ("answers", "steps", "tokens")),
        "n_instances": count(data["n_instances"], "n_instances", 1, 2**63 - 1),
        "max_steps": count(data["max_steps"], "max_steps", 1, 2**32 - 1),
        "tokens_per_step": None if per_step is None else not_negative(per_step, "tokens_per_step"),
        "verifier": None if data["verifier"] is None else Verifier(**data["verifier"]),
        "first": count(data["first"], "first", 0, 2**63 - 1),
        "seed": tuple(int(word, 16) for word in data["seed"]),
        "n_trials": count(data["n_trials"], "n_trials", 1, 2**40),
        "confidence": confidence_level(data["confidence"]),
        "over": _arrays.choice(data["over"], "over", ("instances", "trials")),
        "correct": correct,
        "total_cost": np.array(data["trials"]["total_cost"], dtype=np.uint64).reshape(*shape, len(COSTS)),
        "exact": exact.reshape(shape),
        "ended": _arrays.choice(data["ended"], "ended", ("done", "time_limit", "interrupted")),
        "seconds": not_negative(data["seconds"], "seconds"),
        "notes": tuple(str(note) for note in data["notes"]),
    }


def check_budgets(budgets: Any) -> tuple[int, ...]:
    """Budgets that ascend."""
    array = _arrays.integers(budgets, "budgets", ndim=(0, 1), low=1)
    numbers = np.atleast_1d(array).tolist()
    if not numbers:
        raise ValueError("budgets must hold at least one number")
    for i, number in enumerate(numbers):
        if number > 2**31 - 1:
            raise ValueError(f"budgets[{i}] must be at most {2**31 - 1}, got {number}")
        if i and number <= numbers[i - 1]:
            raise ValueError(f"budgets[{i}] must be above the one before it, {numbers[i - 1]}, got {number}")
    return tuple(numbers)


def _mean(correct: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    n = correct.shape[2]
    return correct.sum(axis=2, dtype=np.int64) / n if n else np.full(correct.shape[:2], np.nan)
