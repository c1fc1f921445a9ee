"""Ways to spend compute on a reasoning problem, compared at equal cost.

:func:`compare` runs strategies (:class:`Walk`, :class:`BestOfN`, :class:`MajorityVote`, :class:`WeightedVote`,
:class:`Beam`, :class:`Dvts`, :class:`TreeSearch`, :class:`SelfCorrection`, :class:`Stepwise`) on a problem of
:mod:`slowthink.problems`, or on an object of your own (:class:`ReasoningProblem`) that may call a language model, and
says how often each is right at each budget, with intervals. :func:`regret` plays the learners of self-correction by
themselves. On chains of steps that must all be right
(:class:`slowthink.problems.SnowballChain`) closed forms say so exactly: :func:`walk_success`, :func:`stepwise_success`,
:func:`best_of_n_success`, :func:`gain_accuracy`, :func:`matching_samples`, and the bounds of the paper.
"""

from slowthink.strategies._compare import compare
from slowthink.strategies._comparison import Comparison, Difference, Winner
from slowthink.strategies._own import ReasoningProblem
from slowthink.strategies._regret import Regret, regret
from slowthink.strategies._strategies import (
    STRATEGIES,
    Beam,
    BestOfN,
    Dvts,
    MajorityVote,
    SelfCorrection,
    Stepwise,
    Strategy,
    TreeSearch,
    Walk,
    WeightedVote,
)
from slowthink.strategies._theory import (
    best_of_n_bound,
    best_of_n_success,
    gain_accuracy,
    matching_samples,
    stepwise_bound,
    stepwise_success,
    walk_bound,
    walk_success,
)
from slowthink.strategies._verifier import Verifier

__all__ = [
    "STRATEGIES",
    "Beam",
    "BestOfN",
    "Comparison",
    "Difference",
    "Dvts",
    "MajorityVote",
    "ReasoningProblem",
    "Regret",
    "SelfCorrection",
    "Stepwise",
    "Strategy",
    "TreeSearch",
    "Verifier",
    "Walk",
    "WeightedVote",
    "Winner",
    "best_of_n_bound",
    "best_of_n_success",
    "compare",
    "gain_accuracy",
    "matching_samples",
    "regret",
    "stepwise_bound",
    "stepwise_success",
    "walk_bound",
    "walk_success",
]
