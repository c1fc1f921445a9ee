"""The per-problem values of each metric of a log, and their variances within the problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _run
from slowthink.samples._columns import MISSING

if TYPE_CHECKING:
    from slowthink.samples._log import SampleLog

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Chunk: TypeAlias = "tuple[Integers, int]"
"""Some problems, and the width of their padded matrix."""

_CHUNK = 1 << 22  # entries of a padded matrix handed to a kernel at once

# What the voting kernels call a place without a sample, and a sample without an answer.
_PADDING, _SILENT = -1, -2


def rows(
    log: SampleLog,
    metric: str,
    k: Integers,
    with_variance: bool,
    n_resamples: int,
    rng: _run.RNG,
    threads: int | None,
    progress: _run.Progress,
) -> tuple[Floats, Integers, Floats | None]:
    """Distinct rows (U, K), the row of each problem (P,), and the variances (U, K) if asked for."""
    if metric in ("pass@k", "pass^k"):
        return _passes(log, metric, k, with_variance, threads, progress)
    if metric == "mean":
        return _means(log, with_variance)
    values = np.empty((log.n_problems, len(k)))
    variances = np.empty_like(values) if with_variance else None
    fill = {"maj@k": _votes, "best@k": _best, "weighted-maj@k": _weighted_votes}[metric]
    fill(log, k, values, variances, n_resamples, rng, threads, progress)
    return values, np.arange(log.n_problems, dtype=np.int64), variances


def _passes(
    log: SampleLog, metric: str, k: Integers, with_variance: bool, threads: int | None, progress: _run.Progress
) -> tuple[Floats, Integers, Floats | None]:
    from slowthink.samples import _pass

    log._binary(metric)
    n, c = log.counts
    pairs, index = np.unique(n * (int(n.max()) + 1) + c, return_inverse=True)
    n, c = np.divmod(pairs, int(n.max()) + 1)
    kernel = _pass.pass_at_k if metric == "pass@k" else _pass.pass_hat_k
    values = kernel(n, c, k, threads=threads, progress=progress)
    variances = _pass.pass_variance(n, c, k, metric, threads=threads) if with_variance else None
    return values, index.astype(np.int64), variances


def _means(log: SampleLog, with_variance: bool) -> tuple[Floats, Integers, Floats | None]:
    if log._correct is None:
        raise ValueError("mean needs the column correct, or answer and gold to derive it from")
    n = log.num_samples
    verdicts = log._correct.astype(np.float64)
    mean = np.bincount(log._problem, weights=verdicts, minlength=len(n)) / n
    index = np.arange(len(n), dtype=np.int64)
    if not with_variance:
        return mean[:, None], index, None
    squares = np.bincount(log._problem, weights=(verdicts - mean[log._problem]) ** 2, minlength=len(n))
    variance = np.full(len(n), np.nan)
    np.divide(squares, n * (n - 1.0), out=variance, where=n > 1)
    return mean[:, None], index, variance[:, None]


def _votes(
    log: SampleLog,
    k: Integers,
    values: Floats,
    variances: Floats | None,
    n_resamples: int,
    rng: _run.RNG,
    threads: int | None,
    progress: _run.Progress,
) -> None:
    from slowthink.samples import _majority

    votes = _vote_codes(log, "maj@k")
    for chunk in _chunks(log):
        answers = _padded(log, votes, _PADDING, chunk)
        gold = np.zeros(len(answers), dtype=np.int64)
        values[chunk[0]] = _majority.maj_at_k(answers, gold, k, threads=threads, progress=progress)
        if variances is not None:
            variances[chunk[0]] = _majority.maj_variance(answers, gold, k, threads=threads, progress=progress)


def _best(
    log: SampleLog,
    k: Integers,
    values: Floats,
    variances: Floats | None,
    n_resamples: int,
    rng: _run.RNG,
    threads: int | None,
    progress: _run.Progress,
) -> None:
    from slowthink.samples import _best_of

    scores = _scores(log, "best@k")
    if log._correct is None:
        raise ValueError("best@k needs the column correct, or answer and gold to derive it from")
    for chunk in _chunks(log):
        score = _padded(log, scores, np.nan, chunk)
        correct = _padded(log, log._correct, 0, chunk)
        values[chunk[0]] = _best_of.best_of_k(score, correct, k, threads=threads, progress=progress)
        if variances is not None:
            variances[chunk[0]] = _best_of.best_of_variance(score, correct, k, threads=threads)


def _weighted_votes(
    log: SampleLog,
    k: Integers,
    values: Floats,
    variances: Floats | None,
    n_resamples: int,
    rng: _run.RNG,
    threads: int | None,
    progress: _run.Progress,
) -> None:
    from slowthink.samples import _weighted

    votes = _vote_codes(log, "weighted-maj@k")
    scores = _scores(log, "weighted-maj@k")
    words = [int(word) for word in _run.seed(rng)]  # one seed for all the chunks
    first = 0
    for chunk in _chunks(log):
        answers, weights = _padded(log, votes, _PADDING, chunk), _padded(log, scores, np.nan, chunk)
        gold = np.zeros(len(answers), dtype=np.int64)
        values[chunk[0]], _ = _weighted.weighted_maj_at_k(
            answers,
            weights,
            gold,
            k,
            n_resamples=n_resamples,
            rng=words,
            first=first,
            threads=threads,
            progress=progress,
        )
        first += len(answers)


def _vote_codes(log: SampleLog, metric: str) -> npt.NDArray[np.int32]:
    """What each sample votes for: 0 is right, other answers count from 1; without an answer it is silent."""
    if log._answer is None:
        raise ValueError(f"{metric} needs the column answer")
    verdicts = log._binary(metric)
    votes = np.where(verdicts == 1, np.int32(0), log._answer + np.int32(1))
    votes[log._answer == MISSING] = _SILENT
    return votes


def _scores(log: SampleLog, metric: str) -> Floats:
    if log._score is None:
        raise ValueError(f"{metric} needs the column score")
    missing = np.isnan(log._score)
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(
            f"{metric} needs a score for each sample, and score[{row}] is missing "
            f"(problem {log._problems[log._problem[row]]!r}): filter such rows out, or give them a score"
        )
    return log._score


def _padded(log: SampleLog, column: npt.NDArray[Any], padding: Any, chunk: Chunk) -> npt.NDArray[Any]:
    """The column as a matrix of the problems of ``chunk``, short rows padded."""
    problems, width = chunk
    starts, n = log._starts[problems], log.num_samples[problems]
    consecutive = int(problems[-1]) - int(problems[0]) + 1 == len(problems)
    if consecutive and bool((n == width).all()):
        rows = slice(int(starts[0]), int(starts[0]) + len(problems) * width)
        block = column[rows] if log._order is None else column[log._order[rows]]
        return block.reshape(len(problems), width)
    places = np.arange(width)
    inside = places < n[:, None]
    rows_of = (starts[:, None] + places)[inside]
    matrix = np.full(inside.shape, padding, dtype=column.dtype)
    matrix[inside] = column[rows_of if log._order is None else log._order[rows_of]]
    return matrix


def _chunks(log: SampleLog) -> Iterator[Chunk]:
    """Problems in groups of similar numbers of samples, so that padding at most doubles the entries."""
    n = log.num_samples
    level = np.frexp(n - 0.5)[1]  # 2^(level - 1) < n <= 2^level
    for this in np.unique(level):
        members = np.flatnonzero(level == this)
        width = int(n[members].max())
        step = max(1, _CHUNK // width)
        for first in range(0, len(members), step):
            yield members[first : first + step], width
