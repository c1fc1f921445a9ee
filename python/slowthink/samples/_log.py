"""Logs of samples: tidy columns in, curves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink.samples._checks import per_problem, refuse_infinite, refuse_missing, verdicts, with_labels
from slowthink.samples._columns import MISSING, factorize, numbers, object_array
from slowthink.samples._curves import Curve, make_curve
from slowthink.samples._intervals import Interval, Over

if TYPE_CHECKING:
    from slowthink.samples._formats import Source

Metric: TypeAlias = Literal["pass@k", "pass^k", "maj@k", "best@k", "weighted-maj@k", "mean"]
METRICS: tuple[Metric, ...] = ("pass@k", "pass^k", "maj@k", "best@k", "weighted-maj@k", "mean")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class SampleLog:
    """Samples (attempts at problems) as tidy columns of equal length, one row a sample.

    Parameters
    ----------
    problem : (N,) column
        Label of the problem that the sample attempts; never missing. Rows may come in any order, and problems may
        have different numbers of samples.
    answer : (N,) column, optional
        Text or number. A missing one (None, NaN, pandas' NA) means that no answer could be extracted: the sample was
        drawn and counts towards k, but it never votes. An empty text is an answer like any other.
    gold : (N,) column, optional
        The right answer, the same in all rows of a problem (rows without it take it from the others).
    correct : (N,) column, optional
        True, False, 1 or 0, or partial credit between. A missing one is derived: correct is what equals the gold
        answer, and a sample without an answer is not. Values between 0 and 1 serve "mean" and "best@k" alone.
    score : (N,) column of numbers, optional
        What a verifier or reward model says of the sample.
    cost : (N,) column of numbers, optional
        Tokens or calls.
    cluster : (N,) column, optional
        Problems of one cluster are not independent of each other (questions about one text). One for each problem.
    extra : mapping of name to (N,) column, optional
        More columns, for :meth:`split` and :meth:`filter`.

    Raises
    ------
    ValueError, TypeError
        Naming column and row: for columns of unequal length, a missing problem, golds or clusters that differ within a
        problem, a verdict outside [0, 1] or one that is missing and cannot be derived.

    Notes
    -----
    Columns may be lists, NumPy arrays, or columns of pandas, polars and pyarrow. A row takes 4 bytes for problem and
    answer each, 1 for a binary verdict, 8 for score and cost each; a distinct label is stored once.

    Examples
    --------
    >>> from slowthink.samples import SampleLog
    >>> log = SampleLog(problem=["a", "a", "b", "b"], answer=["4", "5", "6", None], gold=["4", "4", "7", "7"])
    >>> log
    <SampleLog of 4 samples of 2 problems, 2 a problem; 1 correct; 1 without an answer; answer, gold, correct>
    >>> log.curve("pass@k").mean
    array([0.25, 0.5 ])
    """

    __slots__ = (
        "_answer",
        "_answers",
        "_cluster",
        "_clusters",
        "_correct",
        "_cost",
        "_extra",
        "_gold",
        "_order",
        "_problem",
        "_problems",
        "_score",
        "_starts",
        "source",
    )

    source: Source | None
    """Where a log that was read comes from: file, format, mapping of columns, skipped rows; as text, one line."""

    _problem: npt.NDArray[np.int32]
    _problems: npt.NDArray[Any]
    _answer: npt.NDArray[np.int32] | None
    _answers: npt.NDArray[Any]
    _gold: npt.NDArray[np.int32] | None  # (P,)
    _correct: npt.NDArray[Any] | None  # (N,) int8 or float64
    _score: Floats | None
    _cost: Floats | None
    _cluster: npt.NDArray[np.int32] | None  # (P,)
    _clusters: npt.NDArray[Any]
    _extra: dict[str, tuple[npt.NDArray[np.int32], npt.NDArray[Any]]]
    _order: Integers | None
    _starts: Integers

    def __init__(
        self,
        problem: Any,
        answer: Any = None,
        gold: Any = None,
        correct: Any = None,
        score: Any = None,
        cost: Any = None,
        cluster: Any = None,
        *,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if extra is not None and not isinstance(extra, Mapping):
            raise TypeError(f"extra must be a mapping of names to columns, got {type(extra).__name__}")
        codes, problems = factorize(problem, "problem")
        given = {"answer": answer, "gold": gold, "correct": correct, "score": score, "cost": cost, "cluster": cluster}
        coded = {
            name: factorize(given[name], name) for name in ("answer", "gold", "cluster") if given[name] is not None
        }
        plain = {name: numbers(given[name], name) for name in ("correct", "score", "cost") if given[name] is not None}
        answers: npt.NDArray[Any] = object_array([])
        answer_codes = gold_codes = None
        if "answer" in coded:
            answer_codes, answers = coded["answer"]
        if "gold" in coded:
            gold_codes, answers = with_labels(*coded["gold"], answers)
        self._set_up(
            problem=codes,
            problems=problems,
            answer=answer_codes,
            answers=answers,
            gold=gold_codes,
            cluster=coded.get("cluster"),
            extra={name: factorize(column, f"extra[{name!r}]") for name, column in (extra or {}).items()},
            **{name: plain.get(name) for name in ("correct", "score", "cost")},
        )

    @classmethod
    def _from_codes(
        cls,
        *,
        problem: npt.NDArray[Any],
        problems: Any,
        answer: npt.NDArray[Any] | None = None,
        answers: Any = (),
        gold: npt.NDArray[Any] | None = None,
        correct: npt.NDArray[Any] | None = None,
        score: npt.NDArray[Any] | None = None,
        cost: npt.NDArray[Any] | None = None,
        cluster: tuple[npt.NDArray[Any], Any] | None = None,
        extra: Mapping[str, tuple[npt.NDArray[Any], Any]] | None = None,
    ) -> SampleLog:
        """A log of columns that are codes already, as the readers of files make them.

        ``problem`` (N,): indices into ``problems``, distinct and each used; ``answer`` and ``gold`` (N,): indices into
        the one list ``answers``, -1 where missing; ``correct``, ``score``, ``cost`` (N,): numbers, NaN where missing
        (``correct`` may be int8 with -1 instead); ``cluster`` and each of ``extra``: codes (N,) and their labels.
        """
        if correct is not None and correct.dtype.kind in "iu":
            correct = np.where(correct < 0, np.nan, correct) if (correct < 0).any() else correct
        self = cls.__new__(cls)
        self._set_up(
            problem=np.asarray(problem, dtype=np.int32),
            problems=_labels(problems),
            answer=None if answer is None else np.asarray(answer, dtype=np.int32),
            answers=_labels(answers),
            gold=None if gold is None else np.asarray(gold, dtype=np.int32),
            correct=correct,
            score=None if score is None else np.asarray(score, dtype=np.float64),
            cost=None if cost is None else np.asarray(cost, dtype=np.float64),
            cluster=None if cluster is None else (np.asarray(cluster[0], dtype=np.int32), _labels(cluster[1])),
            extra={
                name: (np.asarray(codes, dtype=np.int32), _labels(labels))
                for name, (codes, labels) in (extra or {}).items()
            },
        )
        return self

    def _set_up(
        self,
        *,
        problem: npt.NDArray[np.int32],
        problems: npt.NDArray[Any],
        answer: npt.NDArray[np.int32] | None,
        answers: npt.NDArray[Any],
        gold: npt.NDArray[np.int32] | None,
        correct: npt.NDArray[Any] | None,
        score: Floats | None,
        cost: Floats | None,
        cluster: tuple[npt.NDArray[np.int32], npt.NDArray[Any]] | None,
        extra: dict[str, tuple[npt.NDArray[np.int32], npt.NDArray[Any]]],
    ) -> None:
        columns = {"answer": answer, "gold": gold, "correct": correct, "score": score, "cost": cost}
        columns["cluster"] = None if cluster is None else cluster[0]
        columns |= {f"extra[{name!r}]": codes for name, (codes, _) in extra.items()}
        for name, column in columns.items():
            if column is not None and len(column) != len(problem):
                raise ValueError(f"{name} must have the length of problem, {len(problem)}, got {len(column)}")
        if len(problem) == 0:
            raise ValueError("problem must not be empty: the log has no samples")
        refuse_missing(problem, "problem")
        self.source = None
        self._problem, self._problems = problem, problems
        self._answer, self._answers = answer, answers
        self._score, self._cost, self._extra = score, cost, extra
        self._gold = None if gold is None else per_problem(gold, problem, problems, answers, "gold")
        self._cluster, self._clusters = None, object_array([])
        if cluster is not None:
            self._cluster = per_problem(cluster[0], problem, problems, cluster[1], "cluster")
            self._clusters = cluster[1]
            if (self._cluster == MISSING).any():
                where = problems[int(np.argmax(self._cluster == MISSING))]
                raise ValueError(f"cluster must be given for each problem, and is missing for {where!r}")
        self._correct = verdicts(correct, answer, self._gold, answers, problem, problems)
        if score is not None:
            refuse_infinite(score, "score")
        if cost is not None:
            refuse_infinite(cost, "cost")
        counts = np.bincount(problem, minlength=len(problems))
        self._starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        self._order = None
        if (problem[1:] < problem[:-1]).any():
            self._order = np.argsort(problem, kind="stable")

    @classmethod
    def read(
        cls,
        path: Any,
        format: str | None = None,
        columns: Mapping[str, str | None] | None = None,
        filter: str | None = None,
        on_error: Literal["raise", "skip"] = "raise",
    ) -> SampleLog:
        """The log in a file: JSON lines, csv, parquet, or what an evaluation package wrote.

        Parameters
        ----------
        path : path, "-" or file object
            Compressed or not (gzip, xz, bzip2, Zstandard), whatever its name. ``"-"`` is standard input; a file object
            may be of bytes or of text.
        format : {"jsonl", "json", "csv", "parquet", "lm_eval", "human_eval", "inspect"}, optional
            Told by the content when not given.

            - ``"jsonl"``: one JSON object a line; ``"json"``: one array of such objects.
            - ``"csv"``: a header and cells separated by commas, tabs or semicolons.
            - ``"parquet"``: needs pyarrow.
            - ``"lm_eval"``: the samples of lm-evaluation-harness (``--log_samples``): repeats become samples.
            - ``"human_eval"``: the results of human-eval.
            - ``"inspect"``: a log of inspect_ai, ``.eval`` or ``.json``: epochs become samples.
        columns : mapping of str to str or None, optional
            Which field of the file is which column of the log, as ``{"problem": "task_id", "correct": "eval.passed"}``
            (a dot leads into nested objects); None leaves a column out, other names become extra columns. Columns not
            mentioned are found by their usual names (``id``, ``task_id``, ``passed``, ``target``, ``reward``, ...);
            :attr:`source` tells which were taken.
        filter : str, optional
            The filter to take from a log of lm-evaluation-harness, or the scorer from one of inspect_ai; by default
            the first, with a warning that names the others.
        on_error : {"raise", "skip"}
            What to do about a malformed row: name it in a ValueError, or leave it out and warn with the count
            (:attr:`n_skipped`).

        Returns
        -------
        SampleLog
            Its :attr:`source` says where the columns came from.

        Raises
        ------
        ValueError
            Naming the file, the line (or row) and the reason: a row that cannot be read, a verdict that is none, a
            format that is not known, a file that is empty or cut short, no column for the problem, a field of
            ``columns`` or a ``filter`` that is not there; and whatever :class:`SampleLog` refuses in the columns.
        TypeError
            If ``path`` or ``columns`` is of the wrong kind.
        OSError
            If the file cannot be opened.
        ImportError
            If the file needs a package that is not installed: pyarrow for parquet, zstandard for Zstandard.

        Warns
        -----
        UserWarning
            Of skipped rows, of further filters or scorers, and of samples of inspect_ai that ended with an error.

        Notes
        -----
        Labels of JSON keep their kind: problem ``1`` is not problem ``"1"``, while ``1`` and ``1.0`` are one. The cells
        of a csv file are text. A row whose fields are arrays of one length becomes one sample for each element. The
        file is read once, in pieces; memory is that of the columns.

        Examples
        --------
        >>> import io
        >>> text = '{"task_id": 1, "passed": true}\\n{"task_id": 1, "passed": false}'
        >>> log = SampleLog.read(io.StringIO(text))
        >>> log.counts
        (array([2]), array([1]))
        >>> print(log.source)
        <StringIO> (jsonl): problem = task_id, correct = passed
        """
        from slowthink.samples import _formats

        return _formats.read(path, format=format, columns=columns, filter=filter, on_error=on_error)

    @property
    def n_skipped(self) -> int:
        """Rows of the file that could not be read and were skipped (``on_error="skip"``)."""
        return 0 if self.source is None else self.source.n_skipped

    @property
    def n_samples(self) -> int:
        """Number of samples in all, N."""
        return len(self._problem)

    @property
    def n_problems(self) -> int:
        """Number of problems, P."""
        return len(self._problems)

    @property
    def problems(self) -> npt.NDArray[Any]:
        """Labels of the problems (P,), in order of first appearance."""
        return self._problems.copy()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the log has, besides the problem; ``correct`` also where it was derived."""
        names = ("answer", "gold", "correct", "score", "cost", "cluster")
        return (*(name for name in names if getattr(self, f"_{name}") is not None), *self._extra)

    @property
    def num_samples(self) -> Integers:
        """Samples of each problem (P,)."""
        return np.diff(self._starts)

    @property
    def counts(self) -> tuple[Integers, Integers]:
        """Samples and correct samples of each problem (P,), as :func:`pass_at_k` takes them."""
        verdicts = self._binary("counts")
        correct = np.bincount(self._problem[verdicts == 1], minlength=self.n_problems)
        return self.num_samples, correct.astype(np.int64)

    @property
    def correct(self) -> npt.NDArray[Any] | None:
        """Verdicts by row (N,), given or derived: int8 where all are 0 or 1, else float64."""
        return None if self._correct is None else self._correct.copy()

    @property
    def score(self) -> Floats | None:
        """Scores by row (N,), NaN where missing."""
        return None if self._score is None else self._score.copy()

    @property
    def cost(self) -> Floats | None:
        """Costs by row (N,), NaN where missing."""
        return None if self._cost is None else self._cost.copy()

    @property
    def n_unanswered(self) -> int:
        """Samples from which no answer was extracted."""
        return 0 if self._answer is None else int(np.count_nonzero(self._answer == MISSING))

    def filter(self, rows: Any = None, /, **columns: Any) -> SampleLog:
        """The log of some rows: those of a boolean mask (N,), and those with a given value in further columns.

        Problems left without samples are no longer in it.

        Examples
        --------
        >>> log = SampleLog(problem=[1, 1, 2], correct=[1, 0, 1], extra={"model": ["a", "b", "a"]})
        >>> log.filter(model="a").n_samples
        2
        """
        keep = np.ones(self.n_samples, dtype=bool)
        if rows is not None:
            mask = _arrays.numbers(rows, "rows")
            if mask.dtype != np.bool_ or mask.shape != keep.shape:
                raise ValueError(f"rows must be a boolean mask of shape {keep.shape}, got {mask.dtype} {mask.shape}")
            keep &= mask
        for name, value in columns.items():
            codes, labels = self._column(name)
            matching = [i for i, label in enumerate(labels) if label == value]
            keep &= codes == (matching[0] if matching else MISSING - 1)
        if not keep.any():
            raise ValueError("filter must keep a row, and none fits")
        return self._take(np.flatnonzero(keep))

    def split(self, by: str) -> dict[Any, SampleLog]:
        """One log for each value of the column ``by`` (one of ``extra``, or "cluster"), in order of first appearance.

        Rows without a value form the log of None.
        """
        codes, labels = self._column(by)
        order = np.argsort(codes, kind="stable")
        borders = np.searchsorted(codes[order], np.arange(MISSING, len(labels) + 1))
        parts = {}
        for code in [*range(len(labels)), MISSING]:
            rows = order[borders[code + 1] : borders[code + 2]]
            if len(rows):
                parts[None if code == MISSING else labels[code]] = self._take(rows)
        return parts

    def curve(
        self,
        metric: Metric = "pass@k",
        k: npt.ArrayLike | None = None,
        *,
        confidence: float = 0.95,
        interval: Interval = "clt",
        over: Over = "problems",
        n_resamples: int = 10_000,
        rng: _run.RNG = None,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> Curve:
        """The mean over problems of a metric, for each k, with its interval.

        Parameters
        ----------
        metric : {"pass@k", "pass^k", "maj@k", "best@k", "weighted-maj@k", "mean"}
            At least one of k samples correct; all correct; the plurality vote of k answers correct (needs ``answer``;
            the correct samples of a problem vote as one, also where their texts differ); the sample of highest score
            correct (needs ``score``); the vote weighted by score correct (both; estimated by ``n_resamples``
            permutations a problem, whose noise is within the standard error); the mean of ``correct``, at k = 1 alone.
        k : None, int or (K,) array_like of int
            None: 1 to the largest number of samples of a problem. At a k for which some problems have too few
            samples the mean is over the others: see ``n_used`` of the curve.
        confidence : float
            Level of the interval, between 0 and 1.
        interval : {"clt", "t", "wilson", "bootstrap"}
            ``"clt"``: normal, from the standard error over problems (or clusters, if the log has them): the noise of
            the samples within the problems is already in it. ``"t"``: the same with Student's quantile; better under
            some 30 problems. ``"wilson"``: for one sample a problem, values 0 and 1. ``"bootstrap"``: percentiles over
            ``n_resamples`` draws of P problems (or of clusters); with few problems and values of 0 and 1 these are
            too narrow, down to a point where all values agree: use ``"wilson"``.
        over : {"problems", "samples"}
            ``"samples"``: the benchmark is fixed, and only the attempts vary: the standard error comes from the
            variances within the problems. NaN where these are not defined (k = n). Not for "weighted-maj@k".
        n_resamples, rng, threads, progress
            Draws of the bootstrap, or permutations of "weighted-maj@k"; the seed of both; see
            :func:`slowthink.samples.maj_at_k` for the last two. Curves of the same problems and the same ``rng``
            (an int) draw the same problems in each resample.

        Returns
        -------
        Curve

        Raises
        ------
        ValueError
            If the log lacks a column that the metric needs, or has partial credit or missing scores where that has no
            meaning; the row is named.
        """
        if not isinstance(metric, str) or metric not in METRICS:
            raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
        if metric == "mean":
            if k is not None and not np.array_equal(np.atleast_1d(np.asarray(k)), [1]):
                raise ValueError(f"k must be None or 1 for the metric 'mean', got {k!r}")
            ks = np.ones(1, dtype=np.int64)
        else:
            ks, _ = _arrays.k_values(k, int(self.num_samples.max()))
            if len(ks) == 0:
                raise ValueError("k must not be empty")
        _arrays.choice(over, "over", ("problems", "samples"))
        if over == "samples" and metric == "weighted-maj@k":
            raise ValueError(
                "over='samples' is not for weighted-maj@k: it has no estimate of the variance within a problem"
            )
        from slowthink.samples import _metrics

        rows, index, variances = _metrics.rows(self, metric, ks, over == "samples", n_resamples, rng, threads, progress)
        return make_curve(
            metric,
            ks,
            rows,
            index,
            self.problems,
            cluster=None if self._cluster is None or over == "samples" else self._cluster.astype(np.int64),
            variance_rows=variances,
            confidence=confidence,
            interval=interval,
            over=over,
            n_resamples=n_resamples,
            rng=rng,
            threads=threads,
            progress=progress,
        )

    def __len__(self) -> int:
        return self.n_samples

    def __repr__(self) -> str:
        n = self.num_samples
        each = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
        facts = [f"{self.n_samples:,} samples of {self.n_problems:,} problems, {each} a problem"]
        if self._correct is not None:
            total = float(self._correct.sum(dtype=np.float64))
            facts.append(f"{total:,.0f} correct" if self._correct.dtype == np.int8 else f"mean {total / len(self):.4g}")
        if self.n_unanswered:
            facts.append(f"{self.n_unanswered:,} without an answer")
        return f"<SampleLog of {'; '.join([*facts, ', '.join(self.columns)])}>"

    def _binary(self, metric: str) -> npt.NDArray[np.int8]:
        """The verdicts, refused unless all are 0 or 1."""
        if self._correct is None:
            raise ValueError(f"{metric} needs the column correct, or answer and gold to derive it from")
        if self._correct.dtype != np.int8:
            row = int(np.argmax((self._correct != 0) & (self._correct != 1)))
            raise ValueError(
                f"{metric} needs verdicts of 0 or 1, and correct[{row}] is {self._correct[row]}: partial credit serves "
                "'mean' and 'best@k' alone"
            )
        return self._correct

    def _column(self, name: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
        if name in self._extra:
            return self._extra[name]
        if name == "cluster" and self._cluster is not None:
            return self._cluster[self._problem], self._clusters
        have = [*self._extra, *(["cluster"] if self._cluster is not None else [])]
        raise ValueError(f"no column {name!r} to go by; the log has {', '.join(map(repr, have)) or 'none'}")

    def _take(self, rows: Integers) -> SampleLog:
        def cut(column: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
            return None if column is None else column[rows]

        problem = self._problem[rows]
        used = np.zeros(self.n_problems, dtype=bool)
        used[problem] = True
        place = np.cumsum(used, dtype=np.int32) - np.int32(1)
        cluster = None if self._cluster is None else (self._cluster[problem], self._clusters)
        log = SampleLog.__new__(SampleLog)
        log._set_up(
            problem=place[problem],
            problems=self._problems[used],
            answer=cut(self._answer),
            answers=self._answers,
            gold=None if self._gold is None else self._gold[problem],
            correct=cut(self._correct),
            score=cut(self._score),
            cost=cut(self._cost),
            cluster=cluster,
            extra={name: (codes[rows], labels) for name, (codes, labels) in self._extra.items()},
        )
        return log


def _labels(values: Any) -> npt.NDArray[Any]:
    return values if isinstance(values, np.ndarray) else object_array(list(values))
