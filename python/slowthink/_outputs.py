"""Files that a command writes, checked before anything is computed, and lines about them."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path


def check_outputs(options: argparse.Namespace) -> None:
    """Refuses what could not be written before anything is computed."""
    for name, path in (("--plot", options.plot), ("--json", options.json)):
        check_folder(name, path)
    if options.plot is None:
        return
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError('--plot needs matplotlib: pip install "slowthink[app]"')
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if options.plot.suffix[1:].lower() not in known:
        raise ValueError(f"--plot: the name must end in .png, .pdf, .svg or the like, got {options.plot}")


def check_folder(name: str, path: Path | None) -> None:
    """Refuses a file whose folder is not there."""
    if path is not None and str(path) != "-" and not path.absolute().parent.is_dir():
        raise ValueError(f"{name}: no such folder: {path.absolute().parent}")


def note(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"slowthink: {text}\n")
