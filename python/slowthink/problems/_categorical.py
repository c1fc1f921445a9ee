"""Answers with a given law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.problems._built_in import BuiltIn, whole

_MOST_ANSWERS = 1 << 24


class Categorical(BuiltIn):
    """Questions that are answered in one step, by independent draws from a law: what repeated sampling is about.

    Action a gives answer a. There is nothing to search; voting, verifying and asking other experts is what is left.

    Parameters
    ----------
    probabilities : array_like of float, shape (A,), (N, A) or (E, N, A), optional
        The probability of each answer; of each for N questions; and all of that for each of E experts, of which the
        first is the problem's own policy. Rows sum to 1 within 1e-9. Tree t works on question t modulo N. By default
        0.4, 0.3, 0.2 and 0.1.
    target : int or array_like of int, shape (N,)
        The right answer, from 0 to A - 1; of each question.

    See Also
    --------
    slowthink.samples.plurality_probability, slowthink.samples.samples_needed : What voting comes to, exactly.

    References
    ----------
    Huang, Li, Wu, Yang, Talwalkar, Ramchandran, Jordan and Jiao 2025, "Sample Complexity and Representation Ability of
    Test-time Scaling Paradigms" (arXiv 2506.05295): `two_answer` and `flat_wrong` are instances on which its bounds
    for voting and for best-of-n are tight.

    Examples
    --------
    >>> from slowthink.problems import Categorical
    >>> from slowthink.samples import samples_needed
    >>> question = Categorical([0.5, 0.3, 0.2])
    >>> question.actions(question.root()), question.gap
    (['0', '1', '2'], array([0.2]))
    >>> samples_needed(question.probabilities[0, 0], strategy="majority")
    54
    """

    def __init__(self, probabilities: npt.ArrayLike | None = None, target: npt.ArrayLike = 0) -> None:
        given = (0.4, 0.3, 0.2, 0.1) if probabilities is None else probabilities
        array = _arrays.floats(given, "probabilities", ndim=(1, 2, 3), low=0, high=1)
        self._probabilities = array.reshape((1,) * (3 - array.ndim) + array.shape).copy()
        _, n_questions, n_answers = self._probabilities.shape
        if not self._probabilities.size:
            raise ValueError(f"probabilities must have at least one answer, got shape {array.shape}")
        if n_answers > _MOST_ANSWERS:
            raise ValueError(f"probabilities must have at most {_MOST_ANSWERS:,} answers, got {n_answers:,}")
        right = _arrays.integers(target, "target", ndim=(0, 1), low=0)
        if right.ndim and len(right) != n_questions:
            raise ValueError(f"target must be an int or have length {n_questions}, got {len(right)}")
        if right.max(initial=0) >= n_answers:
            raise ValueError(f"target must be below the number of answers, {n_answers}, got {right.max()}")
        self._target = np.broadcast_to(right, n_questions).copy()
        rows = self._probabilities.reshape(-1, n_answers)
        self._native = _slowthink.Problem.categorical(rows, self._target.tolist())
        self._arguments: dict[str, Any] = {"probabilities": self._probabilities, "target": self._target}
        for values in (self._probabilities, self._target):
            values.flags.writeable = False

    def __repr__(self) -> str:
        n_experts, n_questions, n_answers = self._probabilities.shape
        experts = f", {n_experts} experts" if n_experts > 1 else ""
        return f"Categorical(<{n_questions} question{'s' * (n_questions != 1)} of {n_answers} answers{experts}>)"

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """(E, N, A) the probability of each answer, by expert and question."""
        return self._probabilities

    @property
    def target(self) -> npt.NDArray[np.int64]:
        """(N,) the right answers."""
        return self._target

    @property
    def gap(self) -> npt.NDArray[np.float64]:
        """(N,) how much more probable the right answer is than the best wrong one, under the problem's own policy:
        below 0 where a vote goes wrong in the end. NaN where there is no wrong answer."""
        own = self._probabilities[0].copy()
        questions = np.arange(len(own))
        right = own[questions, self._target]
        if own.shape[1] == 1:
            return np.full(len(own), np.nan)
        own[questions, self._target] = -1.0
        difference: npt.NDArray[np.float64] = right - own.max(axis=1)
        return difference

    @classmethod
    def two_answer(cls, gap: float) -> Categorical:
        """Two answers, the right one with probability (1 + gap) / 2: here a vote needs of the order of 1 / gap**2
        samples, as many as anywhere.

        Parameters
        ----------
        gap : float
            From 0 to 1.

        Examples
        --------
        >>> from slowthink.problems import Categorical
        >>> Categorical.two_answer(0.5).probabilities
        array([[[0.75, 0.25]]])
        """
        share = _gap(gap, 1.0)
        return cls([(1 + share) / 2, (1 - share) / 2])

    @classmethod
    def flat_wrong(cls, gap: float) -> Categorical:
        """The right answer with probability 2 gap, and wrong ones with probability gap each: here best-of-n needs of
        the order of 1 / gap samples, as many as anywhere.

        Parameters
        ----------
        gap : float
            Above 0 and at most 1/3; 1 / gap must be a whole number, for there are 1 / gap - 2 wrong answers.

        Examples
        --------
        >>> from slowthink.problems import Categorical
        >>> Categorical.flat_wrong(0.2).probabilities
        array([[[0.4, 0.2, 0.2, 0.2]]])
        """
        share = _gap(gap, 1 / 3)
        if share * _MOST_ANSWERS < 1:
            raise ValueError(f"gap must be at least {1 / _MOST_ANSWERS:.2g}, got {share}")
        n_wrong = round(1 / share) - 2
        if abs((n_wrong + 2) * share - 1) > 1e-9:
            raise ValueError(f"gap must be one over a whole number, got {share}")
        return cls([2 / (n_wrong + 2), *[1 / (n_wrong + 2)] * n_wrong])

    @classmethod
    def zipf(cls, n_answers: int, exponent: float = 1.0, *, target: int = 0) -> Categorical:
        """The answer of rank r, from 1 on, with a probability proportional to ``r ** -exponent``.

        Parameters
        ----------
        n_answers : int
            At least 1.
        exponent : float
            At least 0.
        target : int
            The right answer; 0 is the most frequent.

        Examples
        --------
        >>> from slowthink.problems import Categorical
        >>> Categorical.zipf(3, 1.0).probabilities.round(4)
        array([[[0.5455, 0.2727, 0.1818]]])
        """
        n = whole(n_answers, "n_answers", 1, _MOST_ANSWERS)
        power = float(_arrays.floats(exponent, "exponent", ndim=0, low=0))
        weights = np.exp(-power * np.log(np.arange(1.0, n + 1)))
        return cls(weights / math.fsum(weights), whole(target, "target"))

    @classmethod
    def dirichlet(
        cls, n_answers: int, concentration: float = 1.0, *, n_instances: int = 1000, rng: _run.RNG = None
    ) -> Categorical:
        """Questions whose laws are drawn from a symmetric Dirichlet law; answer 0 is right.

        The right answer need not be the most probable one: where it is not, more votes make things worse.

        Parameters
        ----------
        n_answers : int
            At least 1.
        concentration : float
            Above 0 and at most 1e100: small for laws in which one answer dominates, large for flat ones.
        n_instances : int
            Number of questions.
        rng : None, int, SeedSequence or Generator
            Where the laws are drawn from.

        Examples
        --------
        >>> from slowthink.problems import Categorical
        >>> questions = Categorical.dirichlet(4, 0.5, n_instances=3, rng=1)
        >>> questions.probabilities.shape, questions.gap.shape
        ((1, 3, 4), (3,))
        """
        n = whole(n_answers, "n_answers", 1, _MOST_ANSWERS)
        n_questions = whole(n_instances, "n_instances", 1, 2**32 - 1)
        alpha = float(_arrays.floats(concentration, "concentration", ndim=0, high=1e100))
        if not alpha > 0:
            raise ValueError(f"concentration must be above 0, got {alpha}")
        _arrays.fits((n_questions, n, 3), np.float64, "the laws")
        generator = np.random.default_rng(np.random.SeedSequence(_run.seed(rng).tolist()))
        laws = generator.dirichlet(np.full(n, alpha), n_questions)
        return cls(laws)


def _gap(value: Any, high: float) -> float:
    gap = float(_arrays.floats(value, "gap", ndim=0, low=0))
    if gap == 0 and high < 1:
        raise ValueError("gap must be above 0, got 0")
    if gap > high * (1 + 1e-12):
        raise ValueError(f"gap must be at most {high:.4g}, got {gap}")
    return gap
