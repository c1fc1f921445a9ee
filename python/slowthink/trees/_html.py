"""A tree as one interactive page; its parts are in ``_page``."""

from __future__ import annotations

import base64
import html
import json
import os
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink.trees._text import words

if TYPE_CHECKING:
    from slowthink.trees._paths import By
    from slowthink.trees._tree import Tree


def to_html(tree: Tree, path: str | os.PathLike[str] | None, title: str | None, best: By) -> str | Path:
    """The page, or where it was written."""
    heading = words(tree.payload[0]) or "Tree" if title is None else title
    if not isinstance(heading, str):
        raise TypeError(f"title must be a text, got {type(heading).__name__}")
    page = _part("page.html").substitute(
        title=html.escape(_sound(heading[:300])).replace("\0", "\ufffd"),
        style=_part("page.css").template,
        script=_part("page.js").template,
        data=_inert(json.dumps(_data(tree, best), allow_nan=False, separators=(",", ":"))),
    )
    if path is None:
        return page
    file = Path(path)
    file.write_text(page, encoding="utf-8", newline="\n")
    return file


def _data(tree: Tree, best: By) -> dict[str, Any]:
    step = tree.step_value.copy()
    step[0] = tree.value[0]
    texts = [None if payload is None else words(payload) for payload in tree.payload]
    two_players = tree.discount < 0 or tree.player is not None
    data: dict[str, Any] = {
        "parent": _packed(tree.parent, "<i4"),
        "action": _packed(tree.action, "<i4"),
        "visits": _packed(tree.visits, "<f8"),
        "value": _packed(tree.value, "<f4"),
        "step": _packed(step, "<f4"),
        "terminal": _packed(tree.terminal & (tree.visits > 0), "u1"),
        "extra": {name: _packed(column, "<f8") for name, column in tree.extra.items() if column.dtype.kind in "biuf"},
        "texts": None if all(text is None for text in texts) else texts,
        "best": tree.best_path(best).tolist(),
        "note": "values as whoever took the step sees them" if two_players else "",
    }
    if tree.reward.any():
        data["reward"] = _packed(tree.reward, "<f4")
    if not np.isnan(tree.prior).all():
        data["prior"] = _packed(tree.prior, "<f4")
    return data


def _packed(column: npt.NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(column, dtype=dtype).tobytes()).decode("ascii")


def _inert(text: str) -> str:
    """JSON in which nothing can end the element that it stands in."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _sound(text: str) -> str:
    """``text`` without halves of surrogate pairs, which have no place in a file."""
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def _part(name: str) -> Template:
    return Template(resources.files("slowthink.trees").joinpath("_page", name).read_text(encoding="utf-8"))
