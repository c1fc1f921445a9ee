"""Verdicts on the answers of problems in Python, and the choice among answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slowthink.strategies._verifier import Verifier


@dataclass
class Sample:
    """The end of a walk: what it answered, and what it took."""

    state: Any
    answer: Hashable | None
    correct: bool
    steps: int
    calls: int
    tokens: int
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Verdict:
    """What the judge says of an answer."""

    accepted: bool
    score: float


Streams = Callable[[], np.random.Generator]
"""Makes a stream, which takes longer than most of what is drawn from it."""


def judged(verifier: Verifier, sample: Sample, rng: Streams, seed: list[int]) -> Verdict:
    """The verdict on a sample; where errors are systematic they follow from the answer alone, by `seed`."""
    if sample.answer is None:
        return Verdict(False, 0.0)
    error = verifier.false_negative if sample.correct else verifier.false_positive
    accepted, score = sample.correct, 0.0 if sample.correct else verifier.bias
    if error > 0 or verifier.noise > 0:
        stream = _of(sample.answer, seed) if verifier.systematic else rng()
        accepted = sample.correct != bool(stream.random() < error)
        score += verifier.noise * float(stream.standard_normal())
    return Verdict(accepted, score + accepted)


def _of(answer: Hashable, seed: list[int]) -> np.random.Generator:
    digest = hashlib.sha256(repr(answer).encode()).digest()
    return np.random.default_rng([*seed, int.from_bytes(digest[:8], "little")])


def best(samples: Sequence[Sample], accuracy: float | None, rng: Streams) -> bool:
    """Whether the answer of the highest score is right; ties are broken at random."""
    answered = [sample for sample in samples if sample.answer is not None]
    if not answered:
        return False
    if accuracy is not None:
        return any(sample.correct for sample in answered) and bool(rng().random() < accuracy)
    scores = np.array([sample.verdict.score if sample.verdict else 0.0 for sample in answered])
    top = np.flatnonzero(scores == scores.max())
    return answered[int(top[rng().integers(len(top))] if len(top) > 1 else top[0])].correct


def choose(good: Sequence[bool], accuracy: float, rng: np.random.Generator) -> tuple[int, bool]:
    """Which of several a choice of some accuracy falls on; and whether it failed though all of them are good."""
    right = bool(rng.random() < accuracy)
    mixed = any(good) and not all(good)
    wanted = right if mixed else any(good)
    among = [i for i, is_good in enumerate(good) if bool(is_good) == wanted]
    return among[int(rng.integers(len(among)))], all(good) and not right


def vote(samples: Sequence[Sample], weighted: bool, rng: Streams) -> bool:
    """Whether the answer with most votes, or most weight, is right; ties are broken at random."""
    totals: dict[Hashable, float] = {}
    right: dict[Hashable, bool] = {}
    for sample in samples:
        if sample.answer is not None:
            weight = sample.verdict.score if weighted and sample.verdict else 1.0
            totals[sample.answer] = totals.get(sample.answer, 0.0) + weight
            right[sample.answer] = sample.correct
    if not totals:
        return False
    most = max(totals.values())
    top = [answer for answer, total in totals.items() if total == most]
    return right[top[int(rng().integers(len(top))) if len(top) > 1 else 0]]
