"""Walks whose states are all returned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _run
from slowthink._slowthink import walk_chain
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


def walk(
    self: MarkovChain,
    start: Any = None,
    n_steps: int = 80,
    *,
    n_walks: int | None = None,
    start_distribution: Any = None,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
    out: npt.NDArray[np.uint32] | None = None,
) -> npt.NDArray[np.uint32]:
    """Walks of ``n_steps`` transitions each.

    Returns
    -------
    (W, n_steps + 1) uint32 array
        The start and the state after each step.
    """
    starts, n_walks = _starts.starts(self, start, start_distribution, n_walks)
    if out is None:
        out = np.empty((n_walks, n_steps + 1), dtype=np.uint32)
    walk_chain(self._chain, starts, _run.seed(rng), first, out, _run.options(threads, progress))
    return out
