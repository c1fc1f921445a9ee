"""What a comparison found, and what can be said of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.strategies import _intervals, _json, _table
from slowthink.strategies._strategies import Strategy
from slowthink.strategies._verifier import Verifier
from slowthink.trees._inputs import file_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Unit: TypeAlias = Literal["answers", "steps", "tokens"]

Ended: TypeAlias = Literal["done", "time_limit", "interrupted"]


@dataclass(frozen=True)
class Difference:
    """How much more often one strategy is right than another, over the same trials.

    Attributes
    ----------
    a, b : str
        The two strategies.
    budget : int
        At which budget.
    difference, low, high : float
        Accuracy of `a` less that of `b`, and its interval.
    significant : bool
        Whether the interval leaves 0 out.
    """

    a: str
    b: str
    budget: int
    difference: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Winner:
    """The strategy that is right most often at one budget.

    Attributes
    ----------
    strategy : str
        The best; of equals the one that spent less.
    accuracy : float
        How often it is right.
    runner_up : str or None
        The second best, if there is one.
    over : Difference or None
        By how much the best is better.
    """

    strategy: str
    accuracy: float
    runner_up: str | None
    over: Difference | None

    @property
    def significant(self) -> bool:
        """Whether the runner-up is surely worse."""
        return self.over is not None and self.over.significant


@dataclass(eq=False)
class Comparison:
    """Accuracy and cost of strategies at equal budgets; what :func:`compare` returns.

    S strategies, B budgets, T trials that were finished.

    Attributes
    ----------
    strategies : dict of str to Strategy
        By the names they have here.
    budgets : tuple of int
        In the `unit`, ascending.
    accuracy, low, high : (S, B) arrays of float
        Share of right trials and its interval; NaN before the first trial.
    exact : (S, B) array of float
        The accuracy by exact computation, mean over all instances; NaN where it is not known, or would take seconds.
    correct : (S, B, T) array of uint8
        Which trials were right: trial t works on instance ``(first + t) % n_instances``.
    steps, calls, answers, verdicts, tokens : (S, B) arrays of float
        Mean cost of a trial.
    n_trials, n_finished : int
        How many were asked for and how many are here.
    ended : {"done", "time_limit", "interrupted"}
        Why no further trials were run.
    interrupted : bool
        Whether it was by Ctrl-C (or, in the file of a checkpoint, because the process ended).
    problem, fingerprint : str
        What was worked on, and what tells it apart from others that look alike: a hash of all arguments of a problem
        that comes with slowthink, nothing for one in Python, of which only the name of the class is known.
    unit : {"answers", "steps", "tokens"}
        What budgets are counted in; one answer is `max_steps` steps.
    n_instances, max_steps, tokens_per_step, first, seed, verifier, confidence, over, seconds
        How the comparison was made.

    Notes
    -----
    Intervals are Wilson's. Where trials repeat instances and `over` is "instances", the instances here stand for more
    like them: the trials are worth as many independent ones as would have a mean as uncertain as that of the sums by
    instance, and the interval reaches Student's quantile for the number of instances. With `over` "trials", or where
    there is one instance, or each instance is met once, trials are independent. With "trials" the question is about
    these very instances, and the interval is a little too wide rather than too narrow.

    Differences are paired by trial: their intervals are Bonett and Price's for paired proportions, with the same
    count of trials.

    References
    ----------
    Wilson 1927; Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data"; Korn and Graubard 1998 on effective sizes of samples with clusters.
    """

    problem: str
    strategies: dict[str, Strategy]
    budgets: tuple[int, ...]
    unit: Unit
    n_instances: int
    max_steps: int
    tokens_per_step: float | None
    verifier: Verifier | None
    first: int
    seed: tuple[int, ...]
    n_trials: int
    confidence: float
    over: Literal["instances", "trials"]
    correct: npt.NDArray[np.uint8]
    total_cost: npt.NDArray[np.uint64]
    """(S, B, 5): sums over trials of steps, calls, answers, verdicts and, where they are counted, tokens."""
    exact: npt.NDArray[np.float64]
    ended: Ended = "interrupted"
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    fingerprint: str = ""

    @cached_property
    def _interval(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        clustered = self.over == "instances"
        return _intervals.wilson(self.correct, self.instances, self.confidence, clustered=clustered)

    @property
    def low(self) -> npt.NDArray[np.float64]:
        return self._interval[0]

    @property
    def high(self) -> npt.NDArray[np.float64]:
        return self._interval[1]

    @property
    def interrupted(self) -> bool:
        return self.ended == "interrupted"

    @property
    def n_finished(self) -> int:
        return int(self.correct.shape[2])

    @property
    def instances(self) -> npt.NDArray[np.int64]:
        """The instance of each trial, shape (T,)."""
        return (np.arange(self.n_finished, dtype=np.int64) + self.first % self.n_instances) % self.n_instances

    @property
    def accuracy(self) -> npt.NDArray[np.float64]:
        return self._mean(self.correct.sum(axis=2, dtype=np.int64))

    @property
    def steps(self) -> npt.NDArray[np.float64]:
        return self._mean(self.total_cost[:, :, 0])

    @property
    def calls(self) -> npt.NDArray[np.float64]:
        return self._mean(self.total_cost[:, :, 1])

    @property
    def answers(self) -> npt.NDArray[np.float64]:
        return self._mean(self.total_cost[:, :, 2])

    @property
    def verdicts(self) -> npt.NDArray[np.float64]:
        return self._mean(self.total_cost[:, :, 3])

    @property
    def tokens(self) -> npt.NDArray[np.float64]:
        if self.tokens_per_step is None:
            return self._mean(self.total_cost[:, :, 4])
        return self.steps * self.tokens_per_step

    @property
    def spent(self) -> npt.NDArray[np.float64]:
        """Mean cost of a trial in the unit of the budgets, shape (S, B)."""
        if self.unit == "answers":
            return self.steps / self.max_steps
        return self.steps if self.unit == "steps" else self.tokens

    def _mean(self, total: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        if self.n_finished == 0:
            return np.full(total.shape, np.nan)
        return total.astype(np.float64) / self.n_finished

    def difference(self, a: str, b: str, budget: int) -> Difference:
        """How much more often one strategy is right than another at one budget, over the same trials.

        Parameters
        ----------
        a, b : str
            Two of the strategies.
        budget : int
            One of the budgets.

        Returns
        -------
        Difference
            Paired, with its interval.

        Examples
        --------
        >>> from slowthink.problems import GameOf24
        >>> from slowthink.strategies import compare
        >>> game = GameOf24(GameOf24().puzzles()[::5])
        >>> found = compare(game, ["walk", "best-of-n"], budgets=[16], rng=1)
        >>> found.difference("best-of-n", "walk", 16).significant
        True
        """
        return self._difference(self._place(a, "a"), self._place(b, "b"), self._column(budget), self.confidence)

    def _difference(self, i: int, j: int, column: int, confidence: float) -> Difference:
        found = _intervals.paired(
            self.correct[i, column], self.correct[j, column], self.instances, confidence,
            clustered=self.over == "instances",
        )  # fmt: skip
        labels = list(self.strategies)
        return Difference(labels[i], labels[j], self.budgets[column], *found)

    def best(self, budget: int) -> Winner:
        """The strategy that is right most often at one budget, and whether it is surely better than the next.

        Parameters
        ----------
        budget : int
            One of the budgets.

        Returns
        -------
        Winner
            Its difference to the runner-up has a wider interval than :meth:`difference` gives: as the best was found
            by looking at all, the level is shared out among the comparisons with each of the others (Bonferroni).

        Examples
        --------
        >>> from slowthink.problems import GameOf24
        >>> from slowthink.strategies import compare
        >>> game = GameOf24(GameOf24().puzzles()[::5])
        >>> found = compare(game, ["walk", "best-of-n"], budgets=[16], rng=1)
        >>> best = found.best(16)
        >>> best.strategy, best.runner_up, best.significant
        ('best-of-n', 'walk', True)
        """
        column = self._column(budget)
        if self.n_finished == 0:
            raise ValueError("budget must be one at which trials were finished: there are none")
        labels = list(self.strategies)
        order = sorted(range(len(labels)), key=lambda i: (-self.accuracy[i, column], self.steps[i, column], i))
        best = order[0]
        accuracy = float(self.accuracy[best, column])
        if len(order) == 1:
            return Winner(labels[best], accuracy, None, None)
        # Below 1, where rounding would make it that.
        level = min(1 - (1 - self.confidence) / (len(order) - 1), 1 - 2.0**-53)
        over = self._difference(best, order[1], column, level)
        return Winner(labels[best], accuracy, labels[order[1]], over)

    def _place(self, label: Any, name: str) -> int:
        if not isinstance(label, str):
            raise TypeError(f"{name} must be the name of a strategy, got {type(label).__name__}")
        if label not in self.strategies:
            raise ValueError(f"{name} must be one of {', '.join(self.strategies)}, got {label!r}")
        return list(self.strategies).index(label)

    def _column(self, budget: Any) -> int:
        number = int(_arrays.integers(budget, "budget", ndim=0))
        if number not in self.budgets:
            raise ValueError(f"budget must be one of {', '.join(map(str, self.budgets))}, got {number}")
        return self.budgets.index(number)

    def __repr__(self) -> str:
        n, b = len(self.strategies), len(self.budgets)
        what = f"{n} strateg{'y' if n == 1 else 'ies'} at {b} budget{'s' * (b != 1)} on {self.problem}"
        trials = f"{self.n_finished:,} trials" + (f" of {self.n_trials:,}" if self.n_finished < self.n_trials else "")
        return f"<Comparison of {what}, {trials}>"

    def _repr_html_(self) -> str:
        """Tables and winners, for notebooks."""
        from slowthink.strategies import _page

        return _page.excerpt(self)

    def table(self) -> str:
        """Accuracies and costs as text, aligned, and the winner at each budget.

        Returns
        -------
        str
            Lines of at most some 100 characters for the default budgets.

        Examples
        --------
        >>> from slowthink.problems import GameOf24
        >>> from slowthink.strategies import compare
        >>> game = GameOf24(GameOf24().puzzles()[::5])
        >>> found = compare(game, ["walk", "best-of-n"], budgets=[1, 16], rng=1)
        >>> print(found.table().split("\\n")[0])
        right answers in %, 95% intervals, by budget in answers (1 answer = 3 steps)
        """
        return _table.text(self)

    def plot(self, ax: Axes | None = None, *, x: Literal["spent", "budget"] = "spent") -> Axes:
        """Draws accuracy against cost on a logarithmic axis, with the intervals as bands and exact curves dashed.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        x : {"spent", "budget"}
            Whether points stand at the mean cost of a trial or at its budget: strategies that stop early spend less.

        Returns
        -------
        matplotlib Axes
        """
        from slowthink.plots import _comparison

        if ax is not None and not hasattr(ax, "set_xscale"):
            raise TypeError(f"ax must be a matplotlib Axes or None, got {type(ax).__name__}")
        return _comparison.plot(self, ax, _arrays.choice(x, "x", ("spent", "budget")))

    def to_dict(self) -> dict[str, Any]:
        """Settings, and a row for each strategy and budget.

        Returns
        -------
        dict
            ``["rows"]`` is a list of dicts, as pandas and polars take them.
        """
        return _json.settings(self)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """All numbers as JSON, from which :meth:`from_json` makes the same comparison again.

        Parameters
        ----------
        path : str or PathLike, optional
            A file to write as well. It is replaced in one step: a reader sees the old text or the new one.

        Returns
        -------
        str
        """
        text = _json.text(self)
        if path is not None:
            _json.replace_file(Path(file_name(path, "path")), text)
        return text

    @classmethod
    def from_json(cls, source: str | os.PathLike[str]) -> Comparison:
        """What :meth:`to_json` wrote.

        Parameters
        ----------
        source : str or PathLike
            The file, or the text itself.

        Raises
        ------
        ValueError
            Where it is no comparison.
        """
        if not isinstance(source, (str, os.PathLike)):
            raise TypeError(f"source must be a file or a text, got {type(source).__name__}")
        return cls(**_json.read(source))

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """One page that needs nothing else: the question, the table, the figure and the settings.

        Parameters
        ----------
        path : str or PathLike, optional
            A file to write as well.

        Returns
        -------
        str

        Notes
        -----
        The figure needs matplotlib; without it the page has none.
        """
        from slowthink.strategies import _page

        text = _page.html(self)
        if path is not None:
            _json.write_file(Path(file_name(path, "path")), text)
        return text
