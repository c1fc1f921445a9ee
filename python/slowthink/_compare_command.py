"""``slowthink compare``: strategies of slow thinking side by side on one problem."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slowthink import problems
from slowthink._outputs import check_folder, check_outputs, note
from slowthink._report import Writer
from slowthink.strategies import STRATEGIES, Comparison, Verifier, compare
from slowthink.strategies._compare import BUDGETS
from slowthink.strategies._table import write


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

EXAMPLES = """\
examples:
  slowthink compare                                    Game of 24, all strategies, budgets 1 to 1024
  slowthink compare --plot curves.png --html page.html
  slowthink compare snowball --strategies best-of-n,majority,beam --budgets 1,8,64
  slowthink compare game-of-24 --verifier-error 0.1    a verifier that is wrong about a tenth of all answers
  slowthink compare own_problem.py:Coins --trials 500  a problem of your own in Python
"""


def add(commands: Any, formatter: type[argparse.HelpFormatter]) -> None:
    """Adds the command to the parser of the command line."""
    listed = "\n".join(f"  {name:<14}{text}" for name, (_, text) in PROBLEMS.items())
    parser = commands.add_parser(
        "compare",
        help="the same compute spent in several ways on one problem",
        description="How often each strategy of slow thinking is right at equal cost, with intervals.",
        epilog=f"problems:\n{listed}\n\n{EXAMPLES}",
        formatter_class=formatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "problem", nargs="?", metavar="PROBLEM", help="one of those below, a ProsQA file, or module_or_file.py:name"
    )
    what = parser.add_argument_group("what to compare").add_argument
    what("--strategies", type=_names, metavar="S[,S]", help=f"{', '.join(STRATEGIES)} (default: all but the last)")
    what("--budgets", type=_budgets, metavar="N[,N]", help=f"default: {','.join(map(str, BUDGETS))}")
    what("--unit", choices=("answers", "steps", "tokens"), help="what budgets are counted in (default: answers)")
    what("--trials", type=_count, metavar="N", help="default: each instance equally often")
    error = "share of right answers it refuses and of wrong answers it accepts, or both: FALSE_POSITIVE,FALSE_NEGATIVE"
    what("--verifier-error", type=_errors, metavar="E", help=error)
    noise = "standard deviation of the noise in the process reward of a state (default: 0)"
    what("--process-noise", type=_not_negative, metavar="S", help=noise)

    how = parser.add_argument_group("how").add_argument
    how("--confidence", type=_level, default=0.95, metavar="P", help="level of the intervals (default: 0.95)")
    how("--seed", type=_whole, metavar="N", help="of all that is random (default: 0)")
    how("--threads", type=_count, metavar="N", help="default: all processors")
    how("--time-limit", type=_not_negative, metavar="S", help="seconds after which no further trials are begun")
    how("--resume", type=Path, metavar="FILE", help="a file of --json to go on with, or to begin, and to keep")

    put = parser.add_argument_group("output").add_argument
    put("--plot", type=Path, metavar="FILE", help="write a figure: .png, .pdf or .svg")
    put("--html", type=Path, metavar="FILE", help="write a page with tables and figure")
    put("--json", type=Path, metavar="FILE", help="write all numbers as JSON ('-': print them instead of tables)")


def run(options: argparse.Namespace) -> int:
    """Compares, prints and writes; 130 where it was interrupted."""
    check_outputs(options)
    check_folder("--html", options.html)
    check_folder("--resume", options.resume)
    problem = made(options.problem or "game-of-24")
    if options.problem is None:
        note("no problem given: comparing on the Game of 24")
    more: dict[str, Any] = {}
    if options.budgets is not None:
        more["budgets"] = options.budgets
    if options.unit is not None:
        more["unit"] = options.unit
    resumed = options.resume is not None and options.resume.exists()
    if options.seed is not None or not resumed:
        more["rng"] = options.seed or 0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="interrupted after", category=RuntimeWarning)
        found = compare(
            problem,
            options.strategies,
            n_trials=options.trials,
            verifier=_verifier(options),
            threads=options.threads,
            confidence=options.confidence,
            time_limit=options.time_limit,
            checkpoint=options.resume,
            resume=options.resume,
            progress=sys.stderr.isatty(),
            **more,
        )
    _show(found, options)
    if found.interrupted:
        note("interrupted" + (f"; the same command goes on with {options.resume}" if options.resume else ""))
    return 130 if found.interrupted else 0


def _show(found: Comparison, options: argparse.Namespace) -> None:
    to_terminal = str(options.json) == "-"
    if to_terminal:
        sys.stdout.write(found.to_json())
    else:
        writer = Writer()
        write(found, writer)
        if options.json:
            found.to_json(options.json)
            note(f"wrote {options.json}")
    if options.html:
        found.to_html(options.html)
        note(f"wrote {options.html}")
    if options.plot:
        from slowthink.plots import _comparison

        _comparison.figure(found).savefig(options.plot, dpi=200)
        note(f"wrote {options.plot}")
    elif not to_terminal:
        note("for a figure add --plot FILE.png, for a page --html FILE.html")


def made(name: str) -> Any:
    """The problem of a name, of a ProsQA file, or of ``file.py:name`` and ``module:name``."""
    if name in PROBLEMS:
        return PROBLEMS[name][0]()
    if name.endswith(".json"):
        if not Path(name).is_file():
            raise FileNotFoundError(f"no such file: {name}")
        return problems.Reachability.read(name)
    source, _, attribute = name.rpartition(":")
    if not source:
        raise ValueError(f"PROBLEM must be one of {', '.join(PROBLEMS)}, or module_or_file.py:name, got {name!r}")
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


def _verifier(options: argparse.Namespace) -> Verifier | None:
    if options.verifier_error is None and options.process_noise is None:
        return None
    positive, negative = options.verifier_error or (0.0, 0.0)
    return Verifier(false_positive=positive, false_negative=negative, process_noise=options.process_noise or 0.0)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in STRATEGIES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(STRATEGIES)}")
    return list(dict.fromkeys(names))


def _budgets(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and 0 < int(word) < 2**31 for word in words):
        raise argparse.ArgumentTypeError(f"must be whole numbers from 1 on, joined by commas, got {text!r}")
    return sorted({int(word) for word in words})


def _errors(text: str) -> tuple[float, float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0.0 <= number <= 1.0 for number in numbers):
        raise argparse.ArgumentTypeError(f"must be one or two numbers from 0 to 1, got {text!r}")
    return numbers[0], numbers[-1]


def _count(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**40):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text!r}")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, got {text!r}")
    return int(text)


def _not_negative(text: str) -> float:
    return _real(text, "must be a number from 0 on", lambda value: 0.0 <= value < float("inf"))


def _level(text: str) -> float:
    return _real(text, "must be a number between 0 and 1", lambda value: 0.0 < value < 1.0)


def _real(text: str, rule: str, valid: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not valid(value):
        raise argparse.ArgumentTypeError(f"{rule}, got {text!r}")
    return value
