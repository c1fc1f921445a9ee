"""How much memory there is for a result: Linux promises more than it has, and ends the program that believes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path


def available(root: Path = Path("/")) -> int | None:
    """Bytes that this process can still take, or None where the system itself refuses what it cannot give.

    The least of what the machine has left and of what each control group above the process allows. ``root`` is where
    ``proc`` and ``sys`` are found.
    """
    if not sys.platform.startswith("linux"):
        return None
    rooms = [room for room in (_machine(root), *_groups(root)) if room is not None]
    return min(rooms, default=None)


def _machine(root: Path) -> int | None:
    fields = _fields(root / "proc/meminfo")
    if "MemAvailable" not in fields:
        return None
    return 1024 * (fields["MemAvailable"] + fields.get("SwapFree", 0))


def _groups(root: Path) -> Iterator[int]:
    """What is left in each control group of memory above this process, of version 1 or 2."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            top, limit, used, cache = "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            cache = "total_inactive_file"
        else:
            continue
        # Within a container the path may be that of the host, of which only the top is seen here.
        group = Path(path.lstrip("/"))
        for part in (group, *group.parents):
            folder = root / top / part
            most, taken = _text(folder / limit).strip(), _text(folder / used).strip()
            if most.isdecimal() and taken.isdecimal():
                # Files that were read once count as used but give way.
                yield max(int(most) - int(taken) + _fields(folder / "memory.stat").get(cache, 0), 0)


def _fields(path: Path) -> dict[str, int]:
    """The numbers of a file of lines such as ``name: number unit``."""
    rows = (line.replace(":", " ").split() for line in _text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
