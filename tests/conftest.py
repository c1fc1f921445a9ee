"""Fixtures and hypothesis profiles for all tests."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# No deadlines: a busy machine is not a bug. HYPOTHESIS_PROFILE=fast|ci|slow chooses.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fast", max_examples=30, **_COMMON)
settings.register_profile("ci", max_examples=80, derandomize=True, database=None, print_blob=True, **_COMMON)
settings.register_profile("slow", max_examples=1500, **_COMMON)
_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if _CI else "fast"))

THREADS = (1, 2, 7)
"""Numbers of threads at which every kernel must give the same bytes."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, which is no part of the repository."""
    named = os.environ.get("SLOWTHINK_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not found: set SLOWTHINK_DATA (looked at {folder})")
    return folder


@pytest.fixture(scope="session")
def same_bytes() -> Callable[[Callable[[int], Any]], Any]:
    """Calls ``call(threads)`` at 1, 2 and 7 threads, asserts equal bytes and returns the result.

    A result may be an array, a number, or tuples and dataclass-like objects of them (compared by attribute).
    """

    def check(call: Callable[[int], Any]) -> Any:
        results = [call(threads) for threads in THREADS]
        first = parts(results[0])
        for threads, result in zip(THREADS[1:], results[1:], strict=True):
            assert parts(result) == first, f"{threads} threads and {THREADS[0]} differ"
        return results[0]

    return check


def stream(text: str | bytes, name: str = "log") -> io.BytesIO:
    """The text of a log as a file object with a name."""
    result = io.BytesIO(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    result.name = name
    return result


def parts(result: Any) -> list[tuple[str, tuple[int, ...], bytes]]:
    """The arrays and numbers within ``result``, as comparable bytes."""
    if isinstance(result, dict):
        return [part for key in sorted(result) for part in parts(result[key])]
    if isinstance(result, (list, tuple)):
        return [part for item in result for part in parts(item)]
    if result is None or isinstance(result, (str, bytes)):
        return [("text", (), repr(result).encode())]
    if isinstance(result, (np.ndarray, np.generic, bool, int, float)):
        array = np.asarray(result)
        return [(array.dtype.str, array.shape, array.tobytes())]
    names = sorted(name for name in dir(result) if not name.startswith("_"))
    values = [getattr(result, name) for name in names]
    return [part for value in values if not callable(value) for part in parts(value)]


@pytest.fixture(scope="session", autouse=True)
def hears_ctrl_c() -> Iterator[None]:
    """Ctrl-C raises, also where the tests were started in the background, which makes a shell ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def no_figure_is_left_open() -> Iterator[None]:
    """Figures join pyplot where a test has imported it, and pyplot warns of too many."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
