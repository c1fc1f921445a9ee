"""Files that a command writes, checked before anything is computed, and lines about them."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def check_outputs(options: argparse.Namespace) -> None:
    """Refuses what could not be written before anything is computed."""
    check_files(("--json", options.json), ("--plot", options.plot))
    if str(options.plot) == "-":
        raise ValueError("--plot must be the name of a file, got '-'")
    if options.plot is None:
        return
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError('--plot needs matplotlib: pip install "slowthink[app]"')
    from matplotlib.backend_bases import FigureCanvasBase

    known = set(FigureCanvasBase.get_supported_filetypes()) - {"pgf"}  # which needs LaTeX
    if options.plot.suffix[1:].lower() not in known:
        raise ValueError(f"--plot: the name must end in .png, .pdf, .svg or the like, got {options.plot}")


def check_files(*named: tuple[str, Path | None]) -> None:
    """Refuses files that could not be written, and two outputs for one file; '-' is none."""
    taken: dict[str, str] = {}
    for name, path in named:
        if path is None or str(path) == "-":
            continue
        if path.is_dir():  # Path("") is the folder that one is in
            raise ValueError(f"{name} must be the name of a file, got the folder {path}")
        folder = path.absolute().parent
        if not folder.is_dir():
            raise ValueError(f"{name}: no such folder: {folder}")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise ValueError(f"{name}: {path} cannot be written")
        other = taken.setdefault(os.path.realpath(path), name)
        if other != name:
            raise ValueError(f"{name} must differ from the file of {other}, got {path}")


def meant(word: str, known: Sequence[str]) -> str:
    """A question to end a message with, where a word is nearly one of those that are known.

    Examples
    --------
    >>> meant("BestOfN", ["walk", "best-of-n"]), meant("chess", ["walk"])
    (" (did you mean 'best-of-n'?)", '')
    """
    plain = {_plain(name): name for name in known}
    near = difflib.get_close_matches(_plain(word), plain, 1, 0.7)
    return f" (did you mean {plain[near[0]]!r}?)" if near else ""


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


def note(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"slowthink: {text}\n")
