"""How a call is run: the ``rng=``, ``threads=`` and ``progress=`` arguments that all kernels share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

RNG: TypeAlias = "int | Sequence[int] | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator | None"
"""What ``rng=`` takes (SPEC 7): None draws fresh entropy, an int or SeedSequence repeats, a Generator moves on."""

Progress: TypeAlias = "bool | Callable[[int, int], object]"
"""What ``progress=`` takes: False, True (a bar on stderr), or a callable of (done, total)."""

Options: TypeAlias = "tuple[int, Callable[[int, int], object] | None]"
"""What the compiled gate takes."""


def seed(rng: RNG) -> npt.NDArray[np.uint64]:
    """Four words from which all the randomness of one call follows.

    Examples
    --------
    >>> bool((seed(7) == seed(7)).all())
    True
    """
    if isinstance(rng, np.random.RandomState):
        raise TypeError("rng must be None, an int, a SeedSequence or a numpy Generator, got a RandomState")
    try:
        generator = np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        rule = f"rng must be None, a non-negative int, a SeedSequence or a numpy Generator, got {rng!r}"
        raise type(error)(rule) from None
    return generator.integers(0, 2**64, size=4, dtype=np.uint64)


def options(threads: int | None = None, progress: Progress = False) -> Options:
    """The gate's form of ``threads`` and ``progress``.

    ``threads=None`` takes all processors, or what the variable SLOWTHINK_NUM_THREADS says.
    """
    if threads is None:
        threads = _default_threads()
    elif isinstance(threads, bool) or not isinstance(threads, (int, np.integer)):
        raise TypeError(f"threads must be None or an int, got {threads!r}")
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    if progress is True:
        return min(int(threads), 1024), _Bar()
    if progress is False or progress is None:
        return min(int(threads), 1024), None
    if not callable(progress):
        raise TypeError(f"progress must be False, True or a callable of (done, total), got {progress!r}")
    return min(int(threads), 1024), progress


def _default_threads() -> int:
    text = os.environ.get("SLOWTHINK_NUM_THREADS")
    if text:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"SLOWTHINK_NUM_THREADS must be a positive number, got {text!r}")
        return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Bar:
    """A progress bar: tqdm's where it is installed, else one line on stderr. It ends with the call it belongs to."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._written = False
        try:
            from tqdm.auto import tqdm
        except ImportError:
            self._tqdm: Any = None
        else:
            self._tqdm = tqdm

    def __call__(self, done: int, total: int) -> None:
        if self._tqdm is None:
            if sys.stderr is not None:
                self._written = True
                share = f" ({done / total:.0%})" if total else ""
                sys.stderr.write(f"\r{done:,} of {total:,}{share}")
                sys.stderr.flush()
            return
        if self._bar is None:
            self._bar = self._tqdm(total=total)
        # A kernel learns its size as it goes from phase to phase.
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def __del__(self) -> None:
        # The gate drops the bar when the call ends, also with an exception.
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()
        elif self._written and sys.stderr is not None:
            sys.stderr.write("\n")
