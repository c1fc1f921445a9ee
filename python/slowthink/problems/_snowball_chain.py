"""Chains of steps in which errors snowball."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _slowthink
from slowthink.problems._built_in import BuiltIn, whole

_RATE, _LENGTH = 50.0, 6


class SnowballChain(BuiltIn):
    """Chains of L steps that must all be right; step l is with probability p_l = min(rate exp(-l), 1).

    Each step has one right action and ``n_wrong`` wrong ones, which share 1 - p_l equally. The answer is right where
    all steps are; if not, the first wrong action decides which of the ``n_wrong`` wrong answers it is. Steps after a
    wrong one are taken, and paid for, all the same: a walk does not know.

    Parameters
    ----------
    success : array_like of float in [0, 1], shape (L,) or (E, L), optional
        The probability of the right action in each step; a row for each of E experts, of which the first is the
        problem's own policy. By default ``min(rate * exp(-l), 1)`` for l from 1 to ``length``.
    rate : float or array_like of float, shape (E,), optional
        lambda, above 0; 50 by default. Steps l <= log(rate) are then always right.
    length : int, optional
        L; 6 by default.
    n_wrong : int
        Wrong actions in a step, and wrong answers, 1 to 65,536; 1 by default.
    n_instances : int
        Tree t works on instance t modulo this number. Instances are alike but for the places of the right actions,
        which no search can tell.

    Notes
    -----
    A plain walk is right with probability ``prod_l p_l``. The value of a state is the outcome of a walk from there,
    from one draw. Actions are named "right", "wrong 1", "wrong 2", ...

    Caution: where p_l is above (1 - p_l) / ``n_wrong`` the right action is the most probable one, and a search that
    tries actions in the order of their prior probabilities is right at the first try. With one wrong action that is so
    only where p_l is above 1/2.

    References
    ----------
    Gan, Liao and Liu 2025, "Rethinking External Slow-Thinking: From Snowball Errors to Probability of Correct
    Reasoning" (arXiv 2501.15602), section 4, where the form of p_l is an assumption.

    Examples
    --------
    >>> from slowthink.problems import SnowballChain
    >>> chain = SnowballChain(rate=50, length=6, n_wrong=2)
    >>> chain.success.round(3)
    array([[1.   , 1.   , 1.   , 0.916, 0.337, 0.124]])
    >>> float(chain.success.prod().round(5))
    0.03824
    >>> state = chain.root()
    >>> for wanted in ("right", "wrong 2", "right"):
    ...     state, _ = chain.step(state, chain.actions(state).index(wanted))
    >>> chain.describe(state)
    'step 3 of 6, wrong answer 2'
    """

    def __init__(
        self,
        success: npt.ArrayLike | None = None,
        *,
        rate: npt.ArrayLike | None = None,
        length: int | None = None,
        n_wrong: int = 1,
        n_instances: int = 1000,
    ) -> None:
        if success is None:
            self._success = _profile(_RATE if rate is None else rate, _LENGTH if length is None else length)
        else:
            for name, value in (("rate", rate), ("length", length)):
                if value is not None:
                    raise ValueError(f"{name} must be None where success is given, got {value!r}")
            self._success = np.atleast_2d(_arrays.floats(success, "success", ndim=(1, 2), low=0, high=1)).copy()
        if not self._success.size:
            raise ValueError(f"success must have at least one step, got shape {self._success.shape}")
        numbers = {
            "n_wrong": whole(n_wrong, "n_wrong", 1, 2**16),
            "n_instances": whole(n_instances, "n_instances", 1),
        }
        self._native = _slowthink.Problem.snowball_chain(self._success, **numbers)
        self._success.flags.writeable = False
        self._arguments: dict[str, Any] = {"success": self._success, **numbers}

    def __repr__(self) -> str:
        n_experts, length = self._success.shape
        experts = f", {n_experts} experts" if n_experts > 1 else ""
        return f"SnowballChain(<{length} steps{experts}>, n_wrong={self._arguments['n_wrong']})"

    @property
    def success(self) -> npt.NDArray[np.float64]:
        """(E, L) the probability of the right action, by expert and step."""
        return self._success


def _profile(rate: npt.ArrayLike, length: int) -> npt.NDArray[np.float64]:
    """A row of min(rate exp(-l), 1) for each rate."""
    rates = np.atleast_1d(_arrays.floats(rate, "rate", ndim=(0, 1)))
    if not rates.size:
        raise ValueError("rate must not be empty")
    if not (rates > 0).all():
        raise ValueError(f"rate must be above 0, got {rates.min()}")
    steps = whole(length, "length", 1, 2**32 - 1)
    _arrays.fits((len(rates), steps), np.float64, "success")
    profile: npt.NDArray[np.float64] = rates[:, None] * np.exp(-np.arange(1.0, steps + 1))
    return np.minimum(profile, 1.0)
