"""Mazes of rooms with locked doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from slowthink import _arrays, _run, _slowthink
from slowthink._slowthink import State
from slowthink.problems._built_in import BuiltIn, whole

_COLORS = ("red", "blue", "green", "yellow", "purple", "orange")


class PlanCheck(NamedTuple):
    """What became of a plan."""

    feasible: bool
    """Whether each step can be taken, and the last one leads to the goal."""
    failed_step: int | None
    """Number of the step that fails, from 0; the length of a plan that ends too early; None for a feasible one."""
    reason: str
    """Why it fails; empty for a feasible plan."""


class KeysMaze(BuiltIn):
    """Keys-finding mazes: the agent goes from room to room, opens locked doors with keys of their colour, and carries
    one key at a time.

    An action goes to a next room through an open door ("up", "left", "right", "down"); opens the locked door of the
    room whose key is in hand ("unlock red"), and the key stays in it; or takes a key of the room ("take red"), and puts
    down there the one in hand. A state is terminal at the goal, where it is worth 1, and when no steps are left, where
    it is worth 0. The value of any other state is the outcome of a walk of the problem's own policy.

    Parameters
    ----------
    rows, columns : int
        Of rooms, 1 to 10 each; at least two rooms.
    n_keys : int
        Locked doors, each with a key and a colour of its own: 0 to 6, and fewer than rooms. All ways to place the agent
        and the keys must be at most 2**24, counted as r (r + 2)**n_keys for r rooms: up to six keys in 3 x 3, four in 5
        x 5, two in 10 x 10.
    n_instances : int
        Number of mazes, at least 1. Tree t works on maze t modulo n_instances.
    greed : float
        Of the problem's own policy, from 0 to 1: the probability of taking an action on a shortest way to the goal,
        one of those there are; else the policy takes any action. 0 is a uniform walk, 1 is perfect.
    experts : sequence of float, optional
        Greeds of further policies, for those who learn which one to trust (self-correction): by default 0.5, 2 and 4
        times `greed`, at most 1. With none of them, ``()``, self-correction is best-of-n.
    max_steps : int, optional
        Steps after which a walk is cut off, 1 to 65535. By default twice the longest of the mazes' shortest plans.
    seed : int
        What the mazes are drawn from.
    first : int
        The number of the first maze: shards (``first=``) make up the whole.

    Notes
    -----
    Mazes are random, and can be solved: a spanning tree of the grid is drawn, ``n_keys`` of its doors are locked, and
    doors are opened one after the other in a random order that is possible; each key lies in a uniform room that can
    be entered before its door is opened, and the goal in the region entered last. Walls within a region become open
    doors with probability 1/2. No state is a dead end: keys can be moved, but only to where they can be fetched.

    The only answer a walk can give is that it reached the goal, and it is right; a walk that is cut off does not vote.
    So a majority vote over walks is right as soon as one of them is, like best-of-n with a perfect verifier: a maze
    verifies itself. The success of n samples is pass@n, called 1-feasible-n for plans.

    The exact quantities come from the list of all worlds (places of the agent and the keys) that a maze can come to: a
    few hundred for 3 x 3 rooms and three keys, at 50 bytes each; in all mazes together at most 2**23.

    References
    ----------
    Su, Zhu, Xu, Jiao, Tian and Zheng 2025, "Token Assorted" (arXiv 2502.03275), describe the task. Their generator is
    not public: sizes, the layout of rooms and the text of plans and traces are ours.

    Examples
    --------
    >>> from slowthink.problems import KeysMaze
    >>> maze = KeysMaze(n_keys=2, n_instances=1, seed=3)
    >>> state = maze.root()
    >>> print(maze.describe(state))
    +----+----+----+
    | *  | @b      |
    + R  +    +    +
    |    B    |    |
    +----+    +    +
    |           r  |
    +----+----+----+
    nothing in hand, 22 steps left
    >>> plan = maze.solve(state)
    >>> ", ".join(plan)
    'take blue, down, unlock blue, down, right, take red, left, up, left, unlock red, up'
    >>> maze.check(plan)
    PlanCheck(feasible=True, failed_step=None, reason='')
    >>> maze.check(["take blue", "right"])
    PlanCheck(feasible=False, failed_step=2, reason='the plan ends at C1')
    >>> round(maze.success_probability(state), 4)
    0.0135
    """

    def __init__(
        self,
        rows: int = 3,
        columns: int = 3,
        n_keys: int = 3,
        n_instances: int = 100,
        *,
        greed: float = 0.1,
        experts: Sequence[float] | None = None,
        max_steps: int | None = None,
        seed: int = 0,
        first: int = 0,
    ) -> None:
        limit = None if max_steps is None else whole(max_steps, "max_steps", 1, 65535)
        own = float(_arrays.floats(greed, "greed", ndim=0, low=0.0, high=1.0))
        if experts is None:
            experts = [min(times * own, 1.0) for times in (0.5, 2.0, 4.0)]
        others = _arrays.floats(experts, "experts", ndim=1, low=0.0, high=1.0)
        self._arguments = {
            "rows": whole(rows, "rows", 1, 10),
            "columns": whole(columns, "columns", 1, 10),
            "n_keys": whole(n_keys, "n_keys", 0, 6),
            "n_instances": whole(n_instances, "n_instances", 1, 2**20),
            "greed": own,
            "experts": tuple(others.tolist()),
            "max_steps": limit,
            "seed": whole(seed, "seed"),
            "first": whole(first, "first"),
        }
        size = (self._arguments["rows"], self._arguments["columns"], self._arguments["n_keys"])
        self._native = _slowthink.Problem.keys_maze(
            size,
            self._arguments["n_instances"],
            np.append(own, others),
            limit,
            self._arguments["seed"],
            self._arguments["first"],
            _run.options(),
        )

    @property
    def n_instances(self) -> int:
        """Number of mazes."""
        return int(self._arguments["n_instances"])

    @property
    def max_steps(self) -> int:
        """Steps after which a walk is cut off."""
        return _slowthink.keys_maze_size(self._native)[0]

    @property
    def tokens_per_step(self) -> float:
        """Words of a step of the shortest plans, on average."""
        return _slowthink.keys_maze_size(self._native)[1]

    def layout(self, instance: int = 0) -> dict[str, Any]:
        """A maze as it is at first, to be solved by other means.

        Parameters
        ----------
        instance : int
            Number of the maze, from 0; beyond the last they begin anew.

        Returns
        -------
        dict
            ``start`` and ``goal``: rooms, numbered in the order of reading from 0; ``keys``: the room of the key of
            each colour; ``doors``: pairs of rooms, the lower first, each with the colour of its lock or None.

        Examples
        --------
        >>> from slowthink.problems import KeysMaze
        >>> KeysMaze(1, 4, n_keys=1, seed=1).layout()
        {'start': 3, 'goal': 0, 'keys': {'red': 2}, 'doors': {(0, 1): None, (1, 2): 'red', (2, 3): None}}
        """
        start, goal, keys, doors = _slowthink.keys_maze_layout(self._native, whole(instance, "instance"))
        return {
            "start": start,
            "goal": goal,
            "keys": dict(zip(_COLORS, keys, strict=False)),
            "doors": {(a, b): None if color is None else _COLORS[color] for a, b, color in doors},
        }

    def solve(self, state: State | None = None) -> list[str]:
        """A shortest plan, as breadth-first search finds it: of several actions that are as good the first.

        Parameters
        ----------
        state : State, optional
            The root of tree 0 by default. How many steps are left does not bind the plan.

        Returns
        -------
        list of str
            The actions; empty at the goal.
        """
        return _slowthink.keys_maze_plan(self._native, self._or_root(state))

    def check(self, plan: Sequence[str], state: State | None = None) -> PlanCheck:
        """Whether a plan leads to the goal, each step one that can be taken; if not, what fails first.

        Parameters
        ----------
        plan : sequence of str
            Actions as :meth:`actions` writes them.
        state : State, optional
            Where it begins; the root of tree 0 by default. The plan may have the steps that are left there at most, and
            none after the goal.

        Returns
        -------
        PlanCheck
            A named tuple ``(feasible, failed_step, reason)``.

        Examples
        --------
        >>> from slowthink.problems import KeysMaze
        >>> maze = KeysMaze(1, 4, n_keys=1, seed=1)
        >>> maze.solve()
        ['left', 'take red', 'unlock red', 'left', 'left']
        >>> maze.check(["left", "left"])
        PlanCheck(feasible=False, failed_step=1, reason='the red door on the side left is locked')
        """
        state = self._or_root(state)
        if isinstance(plan, (str, bytes)) or not isinstance(plan, Sequence):
            raise TypeError(f"plan must be a sequence of str, got {type(plan).__name__}")
        for i, action in enumerate(plan):
            if not isinstance(action, str):
                raise TypeError(f"plan[{i}] must be a str, got {type(action).__name__}")
        failure = _slowthink.keys_maze_failure(self._native, state, [str(action) for action in plan])
        return PlanCheck(True, None, "") if failure is None else PlanCheck(False, *failure)

    def trace(self, state: State | None = None) -> str:
        """Breadth-first search for the goal as text, to be used as a chain of thought.

        Parameters
        ----------
        state : State, optional
            The root of tree 0 by default.

        Returns
        -------
        str
            A line for each world, in the order in which it is found: its number, the number of the world that it
            follows, the action, and where the agent and the keys are. The last line is the plan of :meth:`solve`.
            A hundred lines or more where there are three keys.

        Examples
        --------
        >>> from slowthink.problems import KeysMaze
        >>> print(KeysMaze(1, 4, n_keys=1, seed=1).trace())
        0: D1, red at C1
        1: from 0 left: C1, red at C1
        2: from 1 take red: C1 with red
        3: from 2 right: D1 with red
        4: from 2 unlock red: C1, red used
        5: from 4 left: B1, red used
        6: from 4 right: D1, red used
        7: from 5 left: A1, red used
        plan: left, take red, unlock red, left, left
        """
        return _slowthink.keys_maze_trace(self._native, self._or_root(state), _run.options())

    def success_probability(self, state: State | None = None) -> float | None:
        """The probability that the problem's own policy reaches the goal with the steps that are left, exactly.

        Parameters
        ----------
        state : State, optional
            The root of tree 0 by default.

        Returns
        -------
        float or None
            None where the table that it is read from would have more than 2**21 numbers for a maze (worlds, times steps
            and one) or 2**26 for all of them.

        Notes
        -----
        Dynamic programming over worlds and steps left, once for each maze; some 20 ns a number of the table.
        """
        return _slowthink.keys_maze_success(self._native, self._or_root(state), _run.options())
