"""The gate between interpreter and kernels: Ctrl-C, other threads, progress, panics, forks."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from slowthink import _run
from slowthink._slowthink import build_info, spin

LATE = 2.0
"""Seconds after which a reaction counts as missing. Free machines take 0.06; loaded ones, more."""


def interrupted_after(call: Any, seconds: float) -> float:
    """Runs ``call``, sends this process Ctrl-C after ``seconds``, returns the seconds until KeyboardInterrupt."""
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT) if sys.platform == "win32" else os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(seconds, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
        return time.perf_counter() - sent[0]
    finally:
        timer.cancel()
        timer.join()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_ctrl_c_stops_a_ten_second_kernel(threads: int) -> None:
    before = threading.active_count()
    took = interrupted_after(lambda: spin(5000 * threads, 2.0, _run.options(threads)), 0.3)
    assert took < LATE
    assert spin(3, 0.0, _run.options(threads)) == [0, 1, 2], "the next call is not affected"
    assert threading.active_count() == before


def test_ctrl_c_beside_a_busy_python_thread() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            sum(range(1000))

    busy = threading.Thread(target=work)
    busy.start()
    try:
        assert interrupted_after(lambda: spin(20_000, 2.0, _run.options(2)), 0.3) < LATE
    finally:
        stop.set()
        busy.join()


@pytest.mark.skipif(sys.platform == "win32", reason="sends a Unix signal")
def test_ctrl_c_ends_a_program_as_python_does() -> None:
    program = textwrap.dedent("""
        import time
        from slowthink import _run
        from slowthink._slowthink import spin
        print("ready", flush=True)
        try:
            spin(20_000, 2.0, _run.options(2))
        except KeyboardInterrupt:
            print("interrupted", time.time(), flush=True)
            raise
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.time()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    word, at = out.split()
    assert word == "interrupted"
    assert float(at) - sent < LATE
    assert "KeyboardInterrupt" in err
    assert child.returncode == -signal.SIGINT


def test_an_ignored_signal_does_not_stop_the_kernel() -> None:
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        timer.start()
        assert len(spin(200, 2.0, _run.options(1))) == 200
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert heard


def test_other_threads_run_meanwhile() -> None:
    """A Python thread goes on counting while a kernel of half a second runs."""
    counts = []
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            counts.append(time.perf_counter())
            time.sleep(0.005)

    counter = threading.Thread(target=count)
    counter.start()
    start = time.perf_counter()
    spin(250, 2.0, _run.options(1))
    end = time.perf_counter()
    stop.set()
    counter.join()
    during = [t for t in counts if start < t < end]
    assert len(during) >= 10
    assert max(during) - min(during) > 0.5 * (end - start)


def test_kernels_run_side_by_side_in_worker_threads() -> None:
    """Two calls must both be under way before either may end: each waits for the other in its progress callback."""
    barrier = threading.Barrier(2, timeout=60)

    def call(_: int) -> list[int]:
        met = False

        def meet(done: int, total: int) -> None:
            nonlocal met
            if not met:
                met = True
                barrier.wait()

        return spin(100, 2.0, _run.options(1, meet))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(call, range(2))) == [list(range(100))] * 2


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_a_panic_is_a_runtime_error(threads: int) -> None:
    # The message that Rust prints on stderr stays: it is a bug report.
    for milliseconds in (0.0, 1.0):
        with pytest.raises(RuntimeError, match="bug in slowthink: item 60 panics"):
            spin(1000, milliseconds, _run.options(threads), 60)
    assert spin(2, 0.0, _run.options(threads)) == [0, 1]


def test_a_panic_stops_the_other_threads() -> None:
    start = time.perf_counter()
    with pytest.raises(RuntimeError, match="item 0 panics"):
        spin(10_000, 2.0, _run.options(2), 0)
    assert time.perf_counter() - start < LATE


def test_progress_counts_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    spin(200, 2.0, _run.options(2, lambda done, total: seen.append((done, total))))
    assert seen[-1] == (200, 200)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) >= 2, "reported on the way, not only at the end"


def test_progress_is_called_for_short_kernels_too() -> None:
    seen = []
    spin(3, 0.0, _run.options(1, lambda *counts: seen.append(counts)))
    assert seen[-1] == (3, 3)


class Enough(Exception):
    pass


def enough(done: int, total: int) -> None:
    if done > 10:
        raise Enough


@pytest.mark.parametrize("threads", [1, 2])
def test_a_raising_callback_stops_the_kernel(threads: int) -> None:
    start = time.perf_counter()
    with pytest.raises(Enough):
        spin(5000 * threads, 2.0, _run.options(threads, enough))
    assert time.perf_counter() - start < LATE


def test_a_raising_callback_stops_the_kernel_on_any_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        start = time.perf_counter()
        with pytest.raises(Enough):
            pool.submit(spin, 5000, 2.0, _run.options(1, enough)).result()
        assert time.perf_counter() - start < LATE


def test_a_callback_that_raises_at_the_end_is_heard() -> None:
    def at_the_end(done: int, total: int) -> None:
        if done == total:
            raise Enough

    with pytest.raises(Enough):
        spin(3, 0.0, _run.options(1, at_the_end))


def test_a_kernel_in_a_coroutine_leaves_the_loop_running() -> None:
    async def main() -> tuple[int, list[int]]:
        call = asyncio.create_task(asyncio.to_thread(spin, 200, 2.0, _run.options(1)))
        ticks = 0
        while not call.done():
            ticks += 1
            await asyncio.sleep(0.005)
        return ticks, await call

    ticks, result = asyncio.run(main())
    assert ticks >= 10
    assert result == list(range(200))


def test_a_bar_with_tqdm(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    assert len(spin(150, 2.0, _run.options(1, True))) == 150
    err = capsys.readouterr().err
    assert "100%" in err
    assert "150/150" in err
    assert err.endswith("\n"), "the bar is closed with the call"


def test_a_line_without_tqdm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert len(spin(1500, 0.2, _run.options(1, True))) == 1500
    err = capsys.readouterr().err
    assert err.endswith("\r1,500 of 1,500 (100%)\n")
    assert err.count("\r") >= 2


def test_a_bar_survives_a_program_without_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert len(spin(10, 0.2, _run.options(1, True))) == 10


def test_a_bar_does_not_end_before_the_kernel_knows_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    _, bar = _run.options(1, True)
    assert bar is not None
    for done, total in [(0, 0), (5, 5), (6, 10), (10, 10)]:
        bar(done, total)
    assert "\n" not in stream.getvalue()
    del bar
    assert stream.getvalue().endswith("10 of 10 (100%)\n")


def test_results_come_in_item_order_at_any_number_of_threads(same_bytes: Any) -> None:
    assert same_bytes(lambda threads: spin(300, 0.05, _run.options(threads))) == list(range(300))


def _square_sum(threads: int) -> int:
    return sum(spin(200, 0.05, _run.options(threads)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_kernels_run_in_a_forked_child() -> None:
    assert _square_sum(2) == 19900  # threads have run in the parent
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_square_sum, [1, 2, 7]).get(timeout=60) == [19900] * 3
    assert _square_sum(2) == 19900


def test_threads_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOWTHINK_NUM_THREADS", "3")
    assert _run.options() == (3, None)
    assert _run.options(2) == (2, None)
    monkeypatch.setenv("SLOWTHINK_NUM_THREADS", "")
    assert _run.options()[0] == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for text in ("0", "-1", "two", "1.5", "²"):
        monkeypatch.setenv("SLOWTHINK_NUM_THREADS", text)
        with pytest.raises(ValueError, match=f"SLOWTHINK_NUM_THREADS must be a positive number, got '{text}'"):
            _run.options()


@pytest.mark.parametrize("threads", [0, -1, -(2**70)])
def test_too_few_threads(threads: int) -> None:
    with pytest.raises(ValueError, match=r"threads must be at least 1, got -?\d+"):
        _run.options(threads)


@pytest.mark.parametrize("threads", [True, "x", 1.0, np.bool_(True), [1], float("nan")])
def test_threads_of_a_wrong_type(threads: Any) -> None:
    with pytest.raises(TypeError, match="threads must be None or an int, got"):
        _run.options(threads)


def test_many_threads_are_only_as_many_as_help() -> None:
    assert _run.options(10**30)[0] == 1024
    assert spin(5, 0.3, _run.options(np.int64(10**6))) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("progress", [1, "yes", np.bool_(True), [print]])
def test_progress_of_a_wrong_type(progress: Any) -> None:
    with pytest.raises(TypeError, match="progress must be False, True or a callable"):
        _run.options(1, progress)


def test_build_info() -> None:
    version, profile, target, instruction_set = build_info()
    assert version.count(".") == 2
    assert profile in ("release", "debug")
    assert "-" in target
    assert instruction_set in ("avx512", "avx2", "baseline")
