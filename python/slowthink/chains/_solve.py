"""How exact quantities are solved for: ``method=``, ``tolerance=`` and ``info=``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from slowthink import _arrays, _memory, _run

Method = Literal["auto", "elimination", "iterative"]
"""How equations are solved; docs/exact.md says what each is good for."""

Request: TypeAlias = "tuple[str, float, int | None]"
"""What the kernels take: method, tolerance, and the bytes that an elimination may use."""

_SMALL = 4096
"""States of a chain that is solved without a look at how much memory there is."""


@dataclass(frozen=True, slots=True)
class SolveInfo:
    """How an exact result was found; what a call with ``info=True`` returns beside it.

    Attributes
    ----------
    method : {"elimination", "iterative", "reachability"}
        What was done in the end. "reachability": the transitions alone settled every state.
    residual : float
        What the iteration measured in the end: a bound for the relative error of every entry. NaN for the other
        methods: elimination is right to about n_states * 1e-16 in each entry, whatever residual rounding leaves.
    n_steps : int
        Steps of the iteration; 0 for the other methods.
    """

    method: str
    residual: float
    n_steps: int


def request(
    n_states: int, method: Any, tolerance: Any, info: Any, threads: int | None, progress: _run.Progress
) -> tuple[Request, bool, _run.Options]:
    """The kernels' form of the arguments that exact quantities of a chain of ``n_states`` share."""
    _arrays.choice(method, "method", ("auto", "elimination", "iterative"))
    number = float(_arrays.floats(tolerance, "tolerance", ndim=0))
    if not 0 < number < 1:
        raise ValueError(f"tolerance must be above 0 and below 1, got {number}")
    wanted, options = _arrays.flag(info, "info"), _run.options(threads, progress)
    return (method, number, _memory.available() if n_states > _SMALL else None), wanted, options
