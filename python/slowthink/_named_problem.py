"""The PROBLEM of the command line: a name, a file of instances, or Python of the user's; what goes wrong with it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import slowthink
from slowthink import problems
from slowthink._outputs import meant


def _reachability() -> Any:
    return problems.Reachability.generate(300, rng=0)


PROBLEMS: dict[str, tuple[Callable[[], Any], str]] = {
    "game-of-24": (problems.GameOf24, "four numbers make 24; all 1,362 classic puzzles"),
    "snowball": (problems.SnowballChain, "six steps that must all be right, each less likely than the one before"),
    "keys-maze": (problems.KeysMaze, "100 mazes of rooms, keys and locked doors"),
    "reachability": (_reachability, "which of two nodes can be reached, in 300 graphs; or a ProsQA JSON file"),
    "metastable": (problems.MetastableReasoning, "63 steps on a chain of 4 clusters, from the first to the last"),
    "categorical": (problems.Categorical, "an answer that is right with probability 0.4, and three wrong ones"),
}
"""By the names of the command line: what makes it, and what it is."""


def made(name: str) -> Any:
    """The problem of a name, of a ProsQA file, or of ``file.py:name`` and ``module:name``."""
    if name in PROBLEMS:
        return PROBLEMS[name][0]()
    if name.endswith((".json", ".jsonl")):
        if not Path(name).is_file():
            raise FileNotFoundError(f"no such file: {name}")
        return problems.Reachability.read(name)
    source, _, attribute = name.rpartition(":")
    if not source:
        near = meant(name, list(PROBLEMS)) or (f" (did you mean {name + ':NAME'!r}?)" if name.endswith(".py") else "")
        raise ValueError(f"PROBLEM must be one of {', '.join(PROBLEMS)}, or module_or_file.py:name, got {name!r}{near}")
    found = _module(source)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ValueError(f"PROBLEM: {source} has no {attribute!r}")
        found = getattr(found, part)
    return found() if inspect.isclass(found) or inspect.isfunction(found) else found


def _module(source: str) -> Any:
    if not source.endswith(".py"):
        sys.path.insert(0, "")
        try:
            return importlib.import_module(source)
        finally:
            sys.path.remove("")
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {source}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up; modules beside the file can be imported.
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def is_own(name: str) -> bool:
    """Whether a problem is Python of the user's."""
    return name not in PROBLEMS and not name.endswith((".json", ".jsonl"))


_OPTIONS = {
    "n_trials": "--trials",
    "source": "--resume",
    **{name: f"--{name}" for name in ("budgets", "strategies", "unit", "confidence", "resume", "threads")},
}
_ARGUMENT = re.compile(rf"^(?:{'|'.join(_OPTIONS)})(?=(?:\[\d+\])?:? )")


_SAID = (ValueError, TypeError, OSError, ImportError, MemoryError)
"""What this package says, and what speaks for itself."""


@contextmanager
def in_words_of_the_command(own: bool) -> Iterator[None]:
    """Messages that name options instead of arguments, and the line of a problem of the user's that is at fault.

    What such a problem prints goes to stderr, where it does not get between tables and numbers.
    """
    try:
        with redirect_stdout(sys.stderr) if own else nullcontext():
            yield
    except (Exception, SystemExit) as error:
        text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
        place = _place(error) if own else None
        if place is not None or (own and not isinstance(error, _SAID)):
            raise ValueError(f"{place or 'PROBLEM'}: {type(error).__name__}{': ' * bool(text)}{text}") from None
        if isinstance(error, (ValueError, TypeError)):
            raise type(error)(_ARGUMENT.sub(lambda found: _OPTIONS[found[0]], text)) from None
        raise


def _place(error: BaseException) -> str | None:
    """The last line that is neither of this package nor of an installed one."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    folders = [str(Path(slowthink.__file__).parent), *map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))]
    places = tuple(str(Path(folder).resolve()) for folder in folders)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith("<") and not str(Path(frame.filename).resolve()).startswith(places):
            return f"{frame.filename}, line {frame.lineno}, in {frame.name}"
    return None
