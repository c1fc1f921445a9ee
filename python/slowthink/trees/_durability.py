"""What makes a forest survive its process: files, journals, and roots that move."""

from __future__ import annotations

import json
import os
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _slowthink
from slowthink.trees import _policies
from slowthink.trees._inputs import count, file_name
from slowthink.trees._policies import Policy

Path = str | os.PathLike[str]

_Self = TypeVar("_Self", bound="Durable")


class Durable(_slowthink.Forest):
    """The methods of :class:`Forest` that deal with files, and with what is below a node alone."""

    policy: Policy
    _first: int
    _seed: npt.NDArray[np.uint64]
    _searcher: Any

    def save(self, path: Path, *, fsync: bool = False) -> None:
        """Writes the whole forest to one file: all trees, texts, and tickets in flight.

        Parameters
        ----------
        path : str or PathLike
            The file. A file of that name is replaced, and only by a whole one.
        fsync : bool
            Whether to wait until the file is on the disk: then it is whole even if the machine loses power.

        Raises
        ------
        OSError
            The file cannot be written; what was there before is unchanged.

        Notes
        -----
        17 to 40 bytes a node; a tree of a million nodes takes 20 to 60 milliseconds. A process that is killed meanwhile
        leaves a file ``.slowthink-*.tmp`` beside ``path``, to be deleted.

        Examples
        --------
        >>> import tempfile
        >>> from slowthink.trees import Forest
        >>> forest = Forest(2, rng=1)
        >>> leaves = forest.ask(2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     forest.save(f"{folder}/forest")
        ...     other = Forest.load(f"{folder}/forest")
        >>> other.tell(leaves.ticket, 0.5, n_children=3)
        2
        """
        _slowthink.forest_save(self, file_name(path, "path"), self._note(), _arrays.flag(fsync, "fsync"))

    @classmethod
    def load(cls: type[_Self], path: Path) -> _Self:
        """The forest that :meth:`save` wrote to a file; it goes on as that one would have, to the last bit.

        Parameters
        ----------
        path : str or PathLike
            The file.

        Returns
        -------
        Forest
            Tickets that were in flight still are: tell their numbers (``leaves.ticket``), or see :meth:`outstanding`.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It is not a saved forest, or damaged; the message says where. No part of it is loaded.

        Examples
        --------
        >>> import tempfile
        >>> from slowthink.trees import Forest
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Forest(2, rng=1).save(f"{folder}/forest")
        ...     Forest.load(f"{folder}/forest").n_trees
        2
        """
        self = cls._blank()
        self._take_note(_slowthink.forest_load(self, file_name(path, "path")))
        return self

    @classmethod
    def resume(cls: type[_Self], path: Path, *, fsync: bool = False) -> _Self:
        """The forest whose journal is in a file, as it was when its process ended, however that was.

        Parameters
        ----------
        path : str or PathLike
            What was given as ``Forest(journal=path)``. The journal goes on there.
        fsync : bool
            As in ``Forest(fsync=...)``.

        Returns
        -------
        Forest
            Leaves that were in flight still are. As long as there are such that nobody has seen, `ask` hands out them
            alone, with their old tickets; :meth:`outstanding` returns them too.

        Raises
        ------
        OSError
            The file cannot be read, or (`BlockingIOError`) another forest keeps this journal.
        ValueError
            It is not a journal, or damaged; the message says at which byte. A last record that was not written to its
            end is not damage: nobody saw its effect.

        Examples
        --------
        >>> import tempfile
        >>> from slowthink.trees import Forest
        >>> folder = tempfile.TemporaryDirectory()
        >>> forest = Forest(2, rng=1, journal=f"{folder.name}/journal")
        >>> lost = forest.ask(2)
        >>> del forest
        >>> forest = Forest.resume(f"{folder.name}/journal")
        >>> bool((forest.ask(8).ticket == lost.ticket).all())
        True
        >>> del forest; folder.cleanup()
        """
        self = cls._blank()
        self._take_note(_slowthink.forest_resume(self, file_name(path, "path"), _arrays.flag(fsync, "fsync")))
        return self

    def compact(self) -> None:
        """Begins the journal anew with the forest as it is, in the same file, which is then as short as a saved forest.

        Raises
        ------
        ValueError
            No journal is kept.
        OSError
            The file cannot be written; the journal goes on as before.
        """
        _slowthink.forest_compact(self)

    def outstanding(self) -> _slowthink.Leaves:
        """All leaves in flight, in the order in which they were asked for.

        After :meth:`resume` and :meth:`load`, these are what the lost process was waiting for: ask the server again, or
        cancel them. `ask` does not hand them out again once they were returned here.

        Examples
        --------
        >>> from slowthink.trees import Forest
        >>> forest = Forest(3)
        >>> leaves = forest.ask(2)
        >>> bool((forest.outstanding().ticket == leaves.ticket).all())
        True
        """
        return _slowthink.forest_outstanding(self)

    def reroot(self, tree: int, action: int | None = None, *, node: int | None = None) -> npt.NDArray[np.int64]:
        """Makes a node the root of its tree, and keeps what is below it with all statistics.

        Parameters
        ----------
        tree : int
            Which tree.
        action : int, optional
            The new root is the child of the old one by this action ...
        node : int, optional
            ... or this node. One of the two must be given.

        Returns
        -------
        ndarray of int64, shape (number of old nodes,)
            The new number of each old node; -1 for those that are gone.

        Raises
        ------
        ValueError
            There is no such tree, child or node; or the policy is an order of growth, such as :class:`Beam`, which
            begins at the root once and for all.

        Notes
        -----
        Leaves in flight at or below the new root stay in flight; the others are cancelled. The tree's simulations are
        then the completed visits of the new root: with ``n_simulations``, the budget left is what those leave of it.
        Depths, and with them ``max_depth``, count from the new root; what the tree has cost so far stays. Noise at the
        root is drawn again for a new root. :meth:`Forest.run` needs a problem that begins at the new root from then on.
        Takes a pass over the tree.

        Examples
        --------
        >>> from slowthink.trees import Forest
        >>> forest = Forest(1, n_simulations=20)
        >>> while len(leaves := forest.ask(1)):
        ...     _ = forest.tell(leaves, 0.5, n_children=2)
        >>> visits = forest.tree(0).visits[2]
        >>> forest.reroot(0, 1)[:5].tolist()
        [-1, -1, 0, -1, -1]
        >>> bool(forest.simulations[0] == forest.tree(0).visits[0] == visits)
        True
        """
        tree = count(tree, "tree", 0, self.n_trees - 1)
        if (action is None) == (node is None):
            raise ValueError("action must be given, or node, and not both")
        if action is not None:
            action = count(action, "action", 0, 2**32 - 1)
            node = _slowthink.forest_child(self, tree, action)
            if node is None:
                raise ValueError(f"action must be one of a child that the root has room for, got {action}")
        else:
            node = count(node, "node", 0, 2**32 - 1)
        moved = _slowthink.forest_reroot(self, tree, node)
        # States of a Python problem are kept by node.
        self._searcher = None
        return moved

    def _keep(self, path: Path, fsync: bool, same_seed: bool) -> None:
        """Keeps a journal, or goes on with the one that is in the file."""
        name = file_name(path, "journal")
        if os.path.exists(name) and os.path.getsize(name):
            self._take_note(_slowthink.forest_resume(self, name, fsync, same_seed))
        else:
            _slowthink.forest_keep(self, name, self._note(), fsync)

    def _note(self) -> str:
        """What Python must know of a forest besides what the engine does."""
        policy = {"name": type(self.policy).__name__, **vars(self.policy)}
        return json.dumps({"policy": policy, "first": self._first, "seed": [int(word) for word in self._seed]})

    def _take_note(self, text: str) -> None:
        note = json.loads(text)
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in note["policy"].items()}
        policy = getattr(_policies, str(fields.pop("name")))
        self.policy = policy(**fields)
        self._first = note["first"]
        self._seed = np.array(note["seed"], dtype=np.uint64)
        self._searcher = None

    @classmethod
    def _blank(cls: type[_Self]) -> _Self:
        """A forest that another is about to take the place of."""
        make: Any = cls
        forest: _Self = make(1, rng=0)
        return forest
