"""What the gate costs: a call, a reported call, and how soon Ctrl-C is heard. Run on a free machine.

python benches/gate.py
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

from slowthink import _run
from slowthink._slowthink import spin


def best(call: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of ``repeats`` runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def ignore(done: int, total: int) -> None:
    """A callback that does nothing."""


def calls() -> None:
    brief, own = _run.options(1), _run.options(1, ignore)
    two = _run.options(2, ignore)
    print(f"a call on the calling thread (small jobs)     {best(lambda: spin(0, 0.0, brief), 2000) * 1e6:8.1f} us")
    print(f"a call on a thread of its own                 {best(lambda: spin(0, 0.0, own), 500) * 1e6:8.1f} us")
    print(f"a call on two threads, 64 items               {best(lambda: spin(64, 0.0, two), 500) * 1e6:8.1f} us")


def progress() -> None:
    """What the waiting thread spends on a kernel of about two seconds: all that a report costs, whatever else runs."""
    n_threads = _run.options()[0]
    forms: dict[str, _run.Progress] = {"no progress": False, "a callback": ignore, "progress=True": True}
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        spin(100, 1.0, _run.options(None, True))  # imports tqdm
        for name, form in forms.items():
            options = _run.options(None, form)
            start, start_cpu = time.perf_counter(), time.thread_time()
            spin(2000 * n_threads, 1.0, options)
            spent, took = time.thread_time() - start_cpu, time.perf_counter() - start
            print(f"share of the processors, {name:<14}        {spent / took / n_threads:9.3%}   ({took:.1f} s)")


def interrupt() -> None:
    """Seconds from the signal to the exception, over repeated calls."""
    waits = []
    for _ in range(20):
        sent: list[float] = []

        def send(sent: list[float] = sent) -> None:
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.1, send)
        timer.start()
        try:
            spin(20_000, 1.0, _run.options(2))
        except KeyboardInterrupt:
            waits.append(time.perf_counter() - sent[0])
        timer.join()
    waits.sort()
    print(
        f"Ctrl-C to KeyboardInterrupt: median {waits[len(waits) // 2] * 1e3:.0f} ms, longest {waits[-1] * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    calls()
    progress()
    interrupt()
