"""A comparison as JSON, and back."""

from __future__ import annotations

import base64
import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slowthink import _arrays
from slowthink._report import json_text
from slowthink.strategies._strategies import from_dict, to_dict
from slowthink.strategies._verifier import Verifier

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
    """Writes a file so that a reader sees what was there before, or all of the new."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def arguments(data: dict[str, Any]) -> dict[str, Any]:
    """What a comparison is made of; KeyError, TypeError or ValueError where something is wrong."""
    if data["format"] != _FORMAT:
        raise ValueError(f"its format is {data['format']}, not {_FORMAT}")
    strategies = {label: from_dict(item) for label, item in data["strategies"].items()}
    budgets = tuple(int(budget) for budget in data["budgets"])
    shape = (len(strategies), len(budgets))
    size = shape[0] * shape[1] * int(data["n_finished"])
    packed = np.frombuffer(base64.b64decode(data["trials"]["correct"], validate=True), dtype=np.uint8)
    if len(packed) != -(-size // 8):
        raise ValueError(f"{len(packed)} bytes of trials")
    exact = [np.nan if row["exact"] is None else row["exact"] for row in data["rows"]]
    return {
        "problem": str(data["problem"]),
        "strategies": strategies,
        "budgets": budgets,
        "unit": _arrays.choice(data["unit"], "unit", ("answers", "steps", "tokens")),
        "n_instances": int(data["n_instances"]),
        "max_steps": int(data["max_steps"]),
        "tokens_per_step": data["tokens_per_step"],
        "verifier": None if data["verifier"] is None else Verifier(**data["verifier"]),
        "first": int(data["first"]),
        "seed": tuple(int(word, 16) for word in data["seed"]),
        "n_trials": int(data["n_trials"]),
        "confidence": float(data["confidence"]),
        "over": _arrays.choice(data["over"], "over", ("instances", "trials")),
        "correct": np.unpackbits(packed, count=size).reshape(*shape, -1) if size else np.zeros((*shape, 0), np.uint8),
        "total_cost": np.array(data["trials"]["total_cost"], dtype=np.uint64).reshape(*shape, len(COSTS)),
        "exact": np.array(exact, dtype=np.float64).reshape(shape),
        "ended": _arrays.choice(data["ended"], "ended", ("done", "time_limit", "interrupted")),
        "seconds": float(data["seconds"]),
        "notes": tuple(data["notes"]),
    }
