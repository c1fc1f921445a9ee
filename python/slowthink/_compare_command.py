"""``slowthink compare``: strategies of slow thinking side by side on one problem."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slowthink._named_problem import PROBLEMS, in_words_of_the_command, is_own, made
from slowthink._outputs import check_files, check_outputs, meant, note
from slowthink._report import Writer
from slowthink.strategies import STRATEGIES, Comparison, Verifier, compare
from slowthink.strategies._compare import BUDGETS
from slowthink.strategies._table import write

EXAMPLES = """\
examples:
  slowthink compare                                    Game of 24, all strategies, budgets 1 to 1024
  slowthink compare --plot curves.png --html page.html
  slowthink compare snowball --strategies best-of-n,majority,beam --budgets 1,8,64
  slowthink compare game-of-24 --verifier-error 0.1    a verifier that is wrong about a tenth of all answers
  slowthink compare own_problem.py:Sum --trials 500    a problem of your own in Python
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
        "problem",
        nargs="?",
        metavar="PROBLEM",
        help="one of those below (default: game-of-24), a ProsQA file (.json, .jsonl), or module_or_file.py:name",
    )
    what = parser.add_argument_group("what to compare").add_argument
    what("--strategies", type=_names, metavar="S[,S]", help=f"{', '.join(STRATEGIES)} (default: all but the last)")
    what("--budgets", type=_budgets, metavar="N[,N]", help=f"default: {','.join(map(str, BUDGETS))}")
    what("--unit", choices=("answers", "steps", "tokens"), help="what budgets are counted in (default: answers)")
    trials = "default: about 1,000, each instance equally often; each instance of a problem in Python once"
    what("--trials", type=_count, metavar="N", help=trials)
    error = "share of wrong answers that the verifier accepts and of right ones that it refuses, one number or two"
    what("--verifier-error", type=_errors, metavar="P[,N]", help=error)
    noise = "standard deviation of the noise in the process reward of an unfinished state (default: 0)"
    what("--process-noise", type=_not_negative, metavar="S", help=noise)

    how = parser.add_argument_group("how").add_argument
    how("--confidence", type=_level, metavar="P", help="level of the intervals (default: 0.95)")
    how("--seed", type=_whole, metavar="N", help="of all that is random (default: 0, or that of --resume)")
    how("--threads", type=_count, metavar="N", help="default: all processors")
    how("--time-limit", type=_not_negative, metavar="S", help="seconds after which no further trials are begun")
    how(
        "--resume",
        type=Path,
        metavar="FILE",
        help="a file of --json to go on with, or to begin; what is done is kept in it",
    )

    put = parser.add_argument_group("output").add_argument
    put("--plot", type=Path, metavar="FILE", help="write a figure: .png, .pdf or .svg")
    put("--html", type=Path, metavar="FILE", help="write a page with tables and figure")
    put("--json", type=Path, metavar="FILE", help="write all numbers as JSON ('-': print them instead of tables)")


def run(options: argparse.Namespace) -> int:
    """Compares, prints and writes; 130 where it was interrupted."""
    check_files(("--resume", options.resume))
    check_files(("--json", options.json), ("--plot", options.plot), ("--html", options.html))
    check_outputs(options)
    for name, path in (("--html", options.html), ("--resume", options.resume)):
        if str(path) == "-":
            raise ValueError(f"{name} must be the name of a file, got '-'")
    if options.problem is None:
        note("no problem given: comparing on the Game of 24")
    name = "game-of-24" if options.problem is None else options.problem
    more: dict[str, Any] = {}
    if options.budgets is not None:
        more["budgets"] = options.budgets
    resumed = options.resume is not None and options.resume.exists()
    if options.seed is not None or not resumed:
        more["rng"] = options.seed or 0
    with in_words_of_the_command(is_own(name)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="interrupted after", category=RuntimeWarning)
        found = compare(
            made(name),
            options.strategies,
            n_trials=options.trials,
            unit=options.unit,
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


def _verifier(options: argparse.Namespace) -> Verifier | None:
    if options.verifier_error is None and options.process_noise is None:
        return None
    positive, negative = options.verifier_error or (0.0, 0.0)
    return Verifier(false_positive=positive, false_negative=negative, process_noise=options.process_noise or 0.0)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in STRATEGIES:
            near = meant(name, list(STRATEGIES))
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(STRATEGIES)}{near}")
    return list(dict.fromkeys(names))


def _budgets(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and 0 < int(word) < 2**31 for word in words):
        raise argparse.ArgumentTypeError(f"must be whole numbers from 1 to {2**31 - 1}, joined by commas, got {text!r}")
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
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {2**40 - 1}, got {text!r}")
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
