"""Training data from searched trees, as rows or as files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays
from slowthink.trees import _nodes, _rows
from slowthink.trees._training import Kind, Row, options_of, rows_of, sources
from slowthink.trees._tree import Tree

Which = Literal["best", "longest", "shortest", "all"]
Pairs = Literal["best", "extremes", "all"]
Of = Literal["steps", "paths"]
Correct = float | str | Sequence[npt.ArrayLike] | Callable[[Any], npt.ArrayLike]


def export(
    trees: Iterable[_nodes.Nodes],
    kind: Kind,
    path: str | os.PathLike[str] | None = None,
    *,
    problems: Sequence[str | None] | None = None,
    ids: Sequence[Any] | None = None,
    min_visits: int = 1,
    correct: Correct | None = None,
    which: Which | None = None,
    margin: float | None = None,
    pairs: Pairs | None = None,
    of: Of | None = None,
    confidence: float | None = None,
    value_range: tuple[float, float] | None = None,
    separator: str = "",
    text: Callable[[Any], str | None] | None = None,
) -> list[Row] | int:
    """Training data from searched trees.

    Parameters
    ----------
    trees : sequence of Tree, or a Forest
        Where the data comes from.
    kind : {"sft", "dpo", "prm"}
        ``"sft"``: a correct path of each tree, to imitate. ``"dpo"``: pairs of siblings, one better than the other,
        behind exactly the same prefix. ``"prm"``: every path with the value of each of its steps, rejected and failed
        ones included, for a process reward model.
    path : path, optional
        A file to write, whose suffix tells the format: ``.jsonl``, ``.parquet`` or ``.arrow`` (the latter two need
        pyarrow). It appears when it is complete.
    problems : sequence of str, one a tree, optional
        The text of each tree's problem, the ``prompt`` of its rows; by default the payload of the root.
    ids : sequence, one a tree, optional
        The name of each tree's problem. By default 16 hexadecimal digits of the SHA-256 hash of its text, or the number
        of the tree where there is no text.
    min_visits : int
        Nodes with fewer visits take no part: ends of paths ("sft"), either sibling ("dpo"), every step ("prm": a path
        ends before its first such step). The value of one visit is mostly noise.
    correct : float, str, sequence of masks or function, for "sft" (where it must be given) and "prm"
        Which terminal nodes are correct. A number: those that are worth at least that to whoever took the last step
        (its reward plus the node's value, not discounted). A text: those above 0 in that column of ``Tree.extra``.
        Otherwise True or False for each node, for each tree; or a function that takes a tree and returns that.
    which : {"best", "longest", "shortest", "all"}, for "sft"
        Which correct path of each tree: worth the most, with the most or the fewest steps (then worth the most), or
        all. Equals are told apart by visits, then by the lowest node. A tree without a correct path has no row.
    margin : float, for "dpo"
        How much better the chosen step's value is at least; 0 by default, and it is always greater.
    pairs : {"best", "extremes", "all"}, for "dpo"
        The best sibling against each worse one (the default), against the worst, or every better one against every
        worse one. Two siblings of the same text are no pair.
    of : {"steps", "paths"}, for "dpo"
        Texts that end with the two siblings (the default), or that go on down the most visited children.
    confidence, value_range : float, (float, float), for "prm"
        Of Wilson's interval; see :meth:`Tree.best_path`. The range is by default that of all trees together.
    separator : str
        Stands between steps where they are joined to a text.
    text : function, optional
        Makes a text of a payload that is none.

    Returns
    -------
    list of dict, or int
        The rows; their number where they were written to ``path``. All have

        ``problem`` (str), ``tree`` (int), ``prompt`` (str or None): **split data by problem**, not by row, so that no
        problem is both trained on and tested with; several trees of one problem share its name.

        ``"sft"``: ``text``; ``steps``, ``actions``, ``nodes`` (lists, from the root's child on); ``value``, ``visits``
        of the end.

        ``"dpo"``: ``prefix``, ``chosen``, ``rejected`` (texts; both begin with the prefix); ``prefix_steps``,
        ``prefix_characters`` (the length of the prefix, to mask it: Unicode characters as Python counts them);
        ``chosen_value``, ``rejected_value``, ``chosen_visits``, ``rejected_visits`` (of the two siblings);
        ``chosen_nodes``, ``rejected_nodes``.

        ``"prm"``: ``steps``, ``actions``, ``nodes``, ``values``, ``visits``, ``low``, ``high`` (lists in the order of
        the steps); ``first_new`` (how many of the first steps an earlier row of the tree has too: leave them out where
        a step must count once); ``terminal``; ``correct`` (None where the path does not end in a terminal node, or
        ``correct`` is not given).

        A text is None where a step of it has none.

    Raises
    ------
    ValueError, TypeError
        For an option of another kind, a path of another suffix, payloads that are no texts (give ``text``).

    Notes
    -----
    Values are those of the step, ``reward + discount * value``, seen by *whoever took it*: in a game of two players
    what is good for the one who moved.

    Examples
    --------
    >>> from slowthink import trees
    >>> tree = trees.from_arrays(
    ...     [-1, 0, 0, 1, 1], [0.6, 0.75, 0.2, 1.0, 0.5], payload=["2 + 2?", "Add. ", "Guess. ", "It is 4.", "It is 5."]
    ... )
    >>> trees.export([tree], "sft", correct=1.0)[0]["text"]
    'Add. It is 4.'
    >>> for row in trees.export([tree], "dpo", margin=0.3):
    ...     print(row["prefix_characters"], row["chosen"], "|", row["rejected"])
    0 Add.  | Guess.
    5 Add. It is 4. | Add. It is 5.
    >>> for row in trees.export([tree], "prm"):
    ...     print(row["steps"], row["values"], row["visits"])
    ['Guess. '] [0.2] [1]
    ['Add. ', 'It is 4.'] [0.75, 1.0] [3, 1]
    ['Add. ', 'It is 5.'] [0.75, 0.5] [3, 1]
    """
    named = {"correct": correct, "which": which, "margin": margin, "pairs": pairs, "of": of}
    options = options_of(kind, {**named, "confidence": confidence, "value_range": value_range})
    least = int(_arrays.integers(min_visits, "min_visits", ndim=0, low=0))
    file = None if path is None else _rows.checked(path)
    if isinstance(trees, Tree) or not isinstance(trees, Iterable):
        raise TypeError(f"trees must be a Forest or a sequence of Tree, got {type(trees).__name__}")
    if text is not None and not callable(text):
        raise TypeError(f"text must be a function of a payload, got {type(text).__name__}")
    many = trees if isinstance(trees, Sized) else list(trees)
    if kind == "prm":
        options["value_range"] = _common_range(_each(many), options["value_range"])
    first = getattr(trees, "_first", 0)  # trees of one forest that is grown in parts are numbered throughout
    all_sources = sources(_each(many), len(many), first, problems, ids, separator, text)
    rows = (row for source in all_sources for row in rows_of(source, kind, least, options))
    return list(rows) if file is None else _rows.write(rows, kind, file)


def _each(trees: Iterable[Any]) -> Iterator[Tree]:
    for i, tree in enumerate(trees):
        if not isinstance(tree, Tree):
            raise TypeError(f"trees[{i}] must be a Tree, got {type(tree).__name__}")
        yield tree


def _common_range(trees: Iterable[_nodes.Nodes], given: Any) -> tuple[float, float]:
    """The range of the step values of all trees."""
    ends = [0.0]
    two_players = False
    for tree in trees:
        values = _nodes.step_values(tree)
        known = values[~np.isnan(values)]
        if len(known):
            ends += [known.min(), known.max()]
        two_players = two_players or _nodes.has_two_players(tree)
    return _nodes.value_range(np.array(ends[1:]), two_players, given)
