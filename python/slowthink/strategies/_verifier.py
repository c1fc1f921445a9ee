"""The judge of answers and of states on the way to them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from slowthink import _arrays
from slowthink.trees._inputs import not_negative, real


@dataclass(frozen=True)
class Verifier:
    """A judge who errs as much as is said here: of answers, and of states on the way to them (a process reward).

    An answer is accepted or not; what is accepted wrongly or refused wrongly is drawn. Its score is 1 if it was
    accepted and 0 if not, plus `bias` and noise. A state's score is the exact probability that the policy goes on
    from it to a right answer, plus `process_bias` and noise; on a problem in Python it is the `score` of the problem
    instead, where it has one.

    Parameters
    ----------
    false_positive : float
        Probability that a wrong answer is accepted, 0 to 1.
    false_negative : float
        Probability that a right answer is not, 0 to 1.
    noise : float
        Standard deviation of the normal noise of an answer's score.
    bias : float
        Added to the score of every wrong answer.
    systematic : bool
        Whether the same answer to the same instance meets the same error each time it is judged, instead of a fresh
        one: more samples do not help against the former.
    accuracy : float, optional
        Probability that a choice of one among several falls on a right one if there is any, instead of scores: of the
        answer that best-of-n, beams, DVTS, tree search and self-correction end with, and of each step of `stepwise`,
        where it is right if a right answer can still be reached. What votes, learners and trees hear of answers, and
        beams and DVTS of states, are the scores all the same. A problem in Python needs `success_probability` for
        `stepwise` then.
    process_noise : float
        Standard deviation of the normal noise of a state's score.
    process_bias : float
        Added to the score of every state from which no right answer can be reached. On a problem in Python these are
        the states whose `success_probability` is exactly 0, or whose `score` is, if there is no more to ask.

    Examples
    --------
    >>> from slowthink.strategies import Verifier
    >>> Verifier(false_positive=0.1).is_exact
    False
    >>> Verifier(false_negative=1.5)
    Traceback (most recent call last):
    ...
    ValueError: false_negative must be from 0 to 1, got 1.5
    """

    false_positive: float = 0.0
    false_negative: float = 0.0
    noise: float = 0.0
    bias: float = 0.0
    systematic: bool = False
    accuracy: float | None = None
    process_noise: float = 0.0
    process_bias: float = 0.0

    def __post_init__(self) -> None:
        for name in ("false_positive", "false_negative"):
            object.__setattr__(self, name, _share(getattr(self, name), name))
        for name in ("noise", "process_noise"):
            object.__setattr__(self, name, not_negative(getattr(self, name), name))
        for name in ("bias", "process_bias"):
            object.__setattr__(self, name, real(getattr(self, name), name))
        object.__setattr__(self, "systematic", _arrays.flag(self.systematic, "systematic"))
        if self.accuracy is not None:
            object.__setattr__(self, "accuracy", _share(self.accuracy, "accuracy"))

    def _native(self) -> tuple[float, float, float, float, bool, float, float, float]:
        """The judge as the engine takes it."""
        accuracy = math.nan if self.accuracy is None else self.accuracy
        errors = (self.false_positive, self.false_negative, self.noise, self.bias, self.systematic)
        return (*errors, accuracy, self.process_noise, self.process_bias)

    @property
    def is_exact(self) -> bool:
        """Whether it knows right answers from wrong ones."""
        never = self.false_positive == self.false_negative == self.noise == self.bias == 0.0
        return never and self.accuracy is None

    @property
    def says_yes_or_no(self) -> bool:
        """Whether an accepted answer leaves nothing to look for."""
        return self.noise == self.bias == 0.0 and self.accuracy is None


def _share(value: object, name: str) -> float:
    number = real(value, name)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{name} must be from 0 to 1, got {number:g}")
    return number
