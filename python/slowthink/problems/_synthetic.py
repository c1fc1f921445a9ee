"""Trees made of hashes."""

from __future__ import annotations

from slowthink import _arrays, _run, _slowthink
from slowthink._slowthink import State
from slowthink.problems._built_in import BuiltIn, whole


class SyntheticTree(BuiltIn):
    """A tree in which every state has as many actions, and a value that a hash decides.

    What is timed on it is the search: a step takes a nanosecond. Nothing is terminal and nothing random.

    Parameters
    ----------
    branching : int
        Actions in each state, at least 1.
    depth : int
        To be searched down to here: :attr:`max_depth`. States do not know their depth.
    seed : int
        Tree t of seed s is tree s + t of seed 0.

    Notes
    -----
    The hash of the root of tree t is ``mix(seed + t + 1)``, that of the state after action a ``mix(h ^ (a + 1))``, and
    the value of a state the upper 24 bits of ``mix(h)`` over 2**24. ``mix`` is the step of SplitMix64 (Steele, Lea and
    Flood 2014).

    Examples
    --------
    >>> from slowthink.problems import SyntheticTree
    >>> tree = SyntheticTree(branching=4, depth=20)
    >>> state, reward = tree.step(tree.root(), 3)
    >>> tree.n_actions(state), tree.describe(state)
    (4, 'def434e398051d63')
    """

    def __init__(self, branching: int, depth: int, seed: int = 0) -> None:
        branching, depth = whole(branching, "branching", 1, 2**32 - 1), whole(depth, "depth", 0, 2**32 - 1)
        self._arguments = {"branching": branching, "depth": depth, "seed": whole(seed, "seed")}
        self._native = _slowthink.Problem.synthetic_tree(**self._arguments)


class AdditiveTree(BuiltIn):
    """A tree whose edges are worth something, and whose best path is known: what a search loses can be measured.

    Parameters
    ----------
    branching : int
        Actions in each state above the depth, at least 1.
    depth : int
        Edges of a path, at least 1. States at this depth are terminal.
    seed : int
        Tree t of seed s is tree s + t of seed 0.
    rewards : bool
        False: a state is worth what the whole path through it is worth, the edges before it included, and steps give
        nothing. True: each step gives its edge's share, and a state is worth what is still to come.

    Notes
    -----
    A path is worth the mean of its edges, each uniform in [0, 1). The value of a state is that of a rollout, a path
    with actions uniform at random. The hash of the root of tree t is ``mix(7919 (seed + t) + 5)``, that of the state
    after action a is c = ``mix(h ^ (a + 1))``, and the edge into it is worth the upper 53 bits of ``mix(c)`` over
    2**53; for ``mix`` see :class:`SyntheticTree`.

    Examples
    --------
    >>> from slowthink.problems import AdditiveTree
    >>> tree = AdditiveTree(branching=4, depth=6)
    >>> round(tree.best_value(), 4)
    0.8434
    >>> children = [tree.step(tree.root(), action)[0] for action in range(4)]
    >>> [round(tree.best_value(child), 4) for child in children]
    [0.8434, 0.7799, 0.7864, 0.7345]
    """

    def __init__(self, branching: int, depth: int, seed: int = 0, *, rewards: bool = False) -> None:
        branching, depth = whole(branching, "branching", 1, 2**32 - 1), whole(depth, "depth", 1, 2**32 - 1)
        rewards = _arrays.flag(rewards, "rewards")
        self._arguments = {"branching": branching, "depth": depth, "seed": whole(seed, "seed"), "rewards": rewards}
        self._native = _slowthink.Problem.additive_tree(**self._arguments)

    def best_value(self, state: State | None = None) -> float:
        """The value of the best path through a state, of what is left of it where edges are rewards.

        Parameters
        ----------
        state : State, optional
            The root of tree 0 by default.

        Notes
        -----
        All paths below the state are looked at, at most 2**32; some 10 ns a path.
        """
        return _slowthink.best_value(self._native, self._or_root(state), _run.options())
