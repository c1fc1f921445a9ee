"""Reading a log of JSON lines: SampleLog.read beside other ways to get its columns.

A log of SIZE bytes is made in a temporary folder (its rows carry texts that nobody asks for, as logs do) and read
whole by slowthink, each time in a process of its own, whose peak of memory is shown; the others read a slice of it.
Their times for the whole file, marked (e), are extrapolated in proportion to its size.

    python benches/peers/read_log.py [--size 1e9] [--slice 1e8] [--text 1500] [--threads N] [--repeats 3]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CHILD = """
import resource, sys, time
from slowthink.samples import SampleLog
base = resource.getrusage(resource.RUSAGE_SELF)
start = time.perf_counter()
log = SampleLog.read(sys.argv[1])
seconds = time.perf_counter() - start
end = resource.getrusage(resource.RUSAGE_SELF)
work = end.ru_utime + end.ru_stime - base.ru_utime - base.ru_stime
print(seconds, work, log.n_samples, (end.ru_maxrss - base.ru_maxrss) / 1024)
"""


def write(path: Path, size: float, text: int) -> None:
    """A log of about ``size`` bytes, with about ``text`` characters of prose in a row; every seventh row not ASCII."""
    draw = random.Random(5)
    words = [f"{draw.choice('abcdefgh')}{i % 37}" for i in range(1000)] + ["naïve", "∑", '"so"', "\n", "\\frac"]
    blocks = []
    for i in range(2000):
        prose = " ".join(draw.choices(words if i % 7 == 0 else words[:-5], k=max(1, text // 4)))
        row = {"completion": prose, "usage": {"input": i, "output": 17 * i % 1000}, "logprobs": [-0.25, float("-inf")]}
        blocks.append(json.dumps(row, ensure_ascii=False)[1:])
    with open(path, "w", encoding="utf-8") as file:
        number = written = 0
        while written < size:
            correct, answer = draw.random() < 0.4, draw.randrange(40)
            head = {
                "task_id": f"task/{number // 64}",
                "answer": str(answer),
                "correct": correct,
                "score": draw.random(),
            }
            line = json.dumps(head)[:-1] + ", " + blocks[number % len(blocks)] + "\n"
            written += file.write(line)
            number += 1


def by_loads(path: Path, loads: Callable[[str], dict[str, object]] | None = None) -> int:
    """The columns by a loop over the lines."""
    loads = loads or json.loads
    columns: dict[str, list[object]] = {"task_id": [], "answer": [], "correct": [], "score": []}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = loads(line)
            for name, column in columns.items():
                column.append(row[name])
    return len(columns["score"])


def by_orjson(path: Path) -> int:
    """The same with orjson, which takes bytes and refuses -Infinity."""
    import orjson

    columns: dict[str, list[object]] = {"task_id": [], "answer": [], "correct": [], "score": []}
    with open(path, "rb") as file:
        for line in file:
            row = orjson.loads(line.replace(b"-Infinity", b"null"))
            for name, column in columns.items():
                column.append(row[name])
    return len(columns["score"])


def by_pandas(path: Path) -> int:
    """pandas.read_json(lines=True)."""
    import pandas

    return len(pandas.read_json(path, lines=True))


def by_pyarrow(path: Path) -> int:
    """pyarrow.json, which parses all fields and refuses -Infinity."""
    import io

    import pyarrow.json

    return int(pyarrow.json.read_json(io.BytesIO(path.read_bytes().replace(b"-Infinity", b"null"))).num_rows)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1e9)
    parser.add_argument("--slice", type=float, default=1e8)
    parser.add_argument("--text", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.threads:
        os.environ["SLOWTHINK_NUM_THREADS"] = str(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole.jsonl", Path(folder) / "slice.jsonl"
        write(whole, arguments.size, arguments.text)
        write(part, min(arguments.size, arguments.slice), arguments.text)
        scale = whole.stat().st_size / part.stat().st_size
        peers = {"json.loads": by_loads, "orjson": by_orjson, "pandas.read_json": by_pandas, "pyarrow.json": by_pyarrow}
        times: dict[str, list[float]] = {"slowthink": []}
        works: dict[str, list[float]] = {"slowthink": []}
        memory = 0.0
        for _ in range(arguments.repeats):
            child = subprocess.run([sys.executable, "-c", CHILD, whole], capture_output=True, text=True, check=True)
            seconds, work, n_rows, used = child.stdout.split()
            times["slowthink"].append(float(seconds))
            works["slowthink"].append(float(work))
            memory = max(memory, float(used))
            for name, read in list(peers.items()):
                package = name.split(".")[0]
                try:
                    importlib.import_module(package)
                except ImportError:
                    print(f"{name}: {package} is not installed")
                    del peers[name]
                    continue
                start, begin = time.perf_counter(), time.process_time()
                read(part)
                times.setdefault(name, []).append((time.perf_counter() - start) * scale)
                works.setdefault(name, []).append((time.process_time() - begin) * scale)
        size = whole.stat().st_size
        print(f"{size / 1e9:.2f} GB, {int(n_rows):,} rows; least of {arguments.repeats} runs")
        print(f"memory of slowthink above its start: {memory:.0f} MB")
        fastest, least = min(times["slowthink"]), min(works["slowthink"])
        print(f"{'':20s}{'wall':>9s}{'':9s}{'':>8s}{'ratio':>7s}{'processor':>12s}{'ratio':>7s}")
        for name, runs in times.items():
            mark = "" if name == "slowthink" or scale == 1 else "(e)"
            wall, work = min(runs), min(works[name])
            print(
                f"{name:20s}{wall:7.2f} s {mark:4s}{size / wall / 1e6:8.0f} MB/s{wall / fastest:7.1f}"
                f"{work:10.2f} s{work / least:7.1f}"
            )


if __name__ == "__main__":
    main()
