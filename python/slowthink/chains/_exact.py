"""Exact hitting times and probabilities, committors and escape times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _solve
from slowthink.chains._hitting import _targets
from slowthink.chains._solve import Method, SolveInfo

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_Floats = npt.NDArray[np.float64]
_States = npt.NDArray[np.uint32]

_NONE = 2**32 - 1
"""The label of a state that is in no set, as the kernels have it."""


@overload
def mean_hitting_times(
    self: MarkovChain,
    targets: Any,
    *,
    costs: npt.ArrayLike | None = None,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[False] = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats: ...
@overload
def mean_hitting_times(
    self: MarkovChain,
    targets: Any,
    *,
    costs: npt.ArrayLike | None = None,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[True],
    threads: int | None = None,
    progress: _run.Progress = False,
) -> tuple[_Floats, SolveInfo]: ...
def mean_hitting_times(
    self: MarkovChain,
    targets: Any,
    *,
    costs: npt.ArrayLike | None = None,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats | tuple[_Floats, SolveInfo]:
    """The mean number of steps from each state to a set of states, or what they cost on average.

    Parameters
    ----------
    targets : int, array of states, or (S,) array of bool
        One state, several, or a mask of those that are.
    costs : (S,) array of float, optional
        What a step out of each state costs, finite and at least 0: the result is then the mean cost up to the first
        visit of a target. Default: 1 for each step, which gives the mean hitting time. Those of targets do not matter.
    method : {"auto", "elimination", "iterative"}
        How the equations are solved. "auto" eliminates where that is cheap, and iterates where it is not.
    tolerance : float
        The largest relative error of an entry that an iteration may leave, as its residual bounds it.
    info : bool
        Whether to return a :class:`SolveInfo` as well.
    threads, progress
        As for all functions; the result does not depend on ``threads``.

    Returns
    -------
    (S,) array of float
        0 for the targets themselves; infinite for states from which the targets may be missed, with whatever
        probability, and for means above 1.8e308.
    SolveInfo
        Only with ``info=True``.

    Raises
    ------
    ValueError
        If there is no target, or a state is none of the chain's; if costs are negative or not finite.
    RuntimeError
        If the iteration misses its tolerance, and elimination was not asked for or would take too much memory.
    MemoryError
        If elimination would take more memory than there is.

    Notes
    -----
    Elimination adds, multiplies and divides non-negative numbers and never subtracts, so that each entry is right
    to about 1e-15, however seldom the chain leaves a set of its states. A state is left with the sum of its other
    transitions; the diagonal of the matrix is not looked at.

    Cost: reachability O(T); elimination O(S^3 / 3) where states are densely joined and less where they are not.

    References
    ----------
    Grassmann, Taksar and Heyman, "Regenerative analysis and steady state distributions for Markov chains", Oper. Res.
    33 (1985); O'Cinneide, "Entrywise perturbation theory and error analysis for Markov chains", Numer. Math. 65 (1993).

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.5, 0.5 - 1e-12, 1e-12], [0, 0, 1]])
    >>> chain.mean_hitting_times(2)
    array([2.e+12, 2.e+12, 0.e+00])
    >>> times, info = chain.mean_hitting_times(0, info=True)
    >>> times, info.method
    (array([ 0., inf, inf]), 'reachability')
    """
    chosen = _targets(targets, "targets", self.n_states)
    weights = None if costs is None else _costs(costs, self.n_states)
    request, wanted, options = _solve.request(self.n_states, method, tolerance, info, threads, progress)
    out = _arrays.empty((self.n_states,), np.float64)
    found = _slowthink.mean_hitting_times(self._chain, chosen, weights, request, out, options)
    return (out, SolveInfo(*found)) if wanted else out


@overload
def mean_escape_times(
    self: MarkovChain,
    states: Any,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[False] = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats: ...
@overload
def mean_escape_times(
    self: MarkovChain,
    states: Any,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[True],
    threads: int | None = None,
    progress: _run.Progress = False,
) -> tuple[_Floats, SolveInfo]: ...
def mean_escape_times(
    self: MarkovChain,
    states: Any,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats | tuple[_Floats, SolveInfo]:
    """The mean number of steps until a set of states is left, from each of its states.

    Parameters
    ----------
    states : int, array of states, or (S,) array of bool
        The set.
    method, tolerance, info, threads, progress
        As for :meth:`mean_hitting_times`, whose targets are here all states but ``states``.

    Returns
    -------
    (S,) array of float
        0 for states outside the set, infinite for those within from which it may never be left.
    SolveInfo
        Only with ``info=True``.

    Raises
    ------
    ValueError
        If the set is empty or holds all states.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[1 - 1e-20, 1e-20, 0], [0, 0.75, 0.25], [0, 0.5, 0.5]])
    >>> chain.mean_escape_times([0, 1])
    array([1.e+20, 4.e+00, 0.e+00])
    """
    outside = np.ones(self.n_states, dtype=np.bool_)
    outside[_targets(states, "states", self.n_states)] = False
    if not outside.any():
        raise ValueError("states must leave out at least one state, got all of them")
    chosen = np.flatnonzero(outside).astype(np.uint32)
    request, wanted, options = _solve.request(self.n_states, method, tolerance, info, threads, progress)
    out = _arrays.empty((self.n_states,), np.float64)
    found = _slowthink.mean_hitting_times(self._chain, chosen, None, request, out, options)
    return (out, SolveInfo(*found)) if wanted else out


@overload
def hitting_probabilities(
    self: MarkovChain,
    targets: Any,
    *,
    avoid: Any = None,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[False] = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats: ...
@overload
def hitting_probabilities(
    self: MarkovChain,
    targets: Any,
    *,
    avoid: Any = None,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[True],
    threads: int | None = None,
    progress: _run.Progress = False,
) -> tuple[_Floats, SolveInfo]: ...
def hitting_probabilities(
    self: MarkovChain,
    targets: Any,
    *,
    avoid: Any = None,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats | tuple[_Floats, SolveInfo]:
    """The probability of coming to a set of states, before another if one is given, from each state.

    Parameters
    ----------
    targets : int, array of states, or (S,) array of bool
        The set to come to.
    avoid : int, array of states, or (S,) array of bool, optional
        States that end a walk without success. None of them may be a target. Default: none.
    method, tolerance, info, threads, progress
        As for :meth:`mean_hitting_times`.

    Returns
    -------
    (S,) array of float
        Within [0, 1]; exactly 0 and 1 where the transitions alone settle it, and else right in each digit down to
        1e-308: 0 then means less than 5e-324.
    SolveInfo
        Only with ``info=True``.

    Raises
    ------
    ValueError
        If there is no target, a state is none of the chain's, or one is both target and to be avoided.

    See Also
    --------
    absorption_probabilities : for several sets at once.
    sample_hitting_probability : by simulation, also within a number of steps.

    Examples
    --------
    A gambler with 1 coin wins each game with probability 0.3, and wants 4.

    >>> from slowthink.chains import MarkovChain
    >>> games = [[1, 0, 0, 0, 0], [.7, 0, .3, 0, 0], [0, .7, 0, .3, 0], [0, 0, .7, 0, .3], [0, 0, 0, 0, 1]]
    >>> MarkovChain(games).hitting_probabilities(4).round(6)
    array([0.      , 0.046552, 0.155172, 0.408621, 1.      ])
    """
    chosen = _targets(targets, "targets", self.n_states)
    avoided = np.empty(0, np.uint32) if avoid is None else _set(avoid, "avoid", self.n_states)
    request, wanted, options = _solve.request(self.n_states, method, tolerance, info, threads, progress)
    out = _arrays.empty((self.n_states,), np.float64)
    found = _slowthink.hitting_probabilities(self._chain, chosen, avoided, request, out, options)
    return (out, SolveInfo(*found)) if wanted else out


def absorption_probabilities(
    self: MarkovChain,
    classes: Sequence[Any] | None = None,
    *,
    method: Method = "auto",
    tolerance: float = 1e-10,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats:
    """The probability that each of several sets of states is the first that a walk comes to, from each state.

    Parameters
    ----------
    classes : sequence of C sets, optional
        Each an int, an array of states or a mask; no state in two of them. Default: :attr:`recurrent_classes`.
    method, tolerance, threads, progress
        As for :meth:`mean_hitting_times`.

    Returns
    -------
    (S, C) array of float
        Exactly 0 and 1 where the transitions alone settle it. Rows sum to 1 where a walk comes to one of the sets for
        certain, as it does to a recurrent class.

    Raises
    ------
    ValueError
        If there is no set, one is empty, or two share a state.

    Notes
    -----
    The states are eliminated once for all sets.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[1, 0, 0, 0], [0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 0, 1]])
    >>> chain.absorption_probabilities().round(12)
    array([[1.        , 0.        ],
           [0.66666667, 0.33333333],
           [0.33333333, 0.66666667],
           [0.        , 1.        ]])
    """
    request, _, options = _solve.request(self.n_states, method, tolerance, False, threads, progress)
    if classes is None:
        labels = _slowthink.recurrent_classes(self._chain, _run.options(1))
        n_sets = int(labels[labels != _NONE].max()) + 1
    else:
        labels, n_sets = _labels(classes, self.n_states)
    out = _arrays.empty((self.n_states, n_sets), np.float64)
    _slowthink.absorption_probabilities(self._chain, labels, n_sets, request, out, options)
    return out


@overload
def committor(
    self: MarkovChain,
    source: Any,
    target: Any,
    *,
    backward: bool = False,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[False] = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats: ...
@overload
def committor(
    self: MarkovChain,
    source: Any,
    target: Any,
    *,
    backward: bool = False,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: Literal[True],
    threads: int | None = None,
    progress: _run.Progress = False,
) -> tuple[_Floats, SolveInfo]: ...
def committor(
    self: MarkovChain,
    source: Any,
    target: Any,
    *,
    backward: bool = False,
    method: Method = "auto",
    tolerance: float = 1e-10,
    info: bool = False,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> _Floats | tuple[_Floats, SolveInfo]:
    """How far each state is on the way from one set to another: the forward or the backward committor.

    Parameters
    ----------
    source, target : int, array of states, or (S,) array of bool
        Two sets that share no state.
    backward : bool
        False: the probability that a walk which is in the state comes to ``target`` next, before ``source``. True: the
        probability that a stationary walk which is seen in the state came from ``source`` last, not from ``target``;
        this needs an irreducible chain. In a reversible chain the two add up to 1.
    method, tolerance, info, threads, progress
        As for :meth:`mean_hitting_times`.

    Returns
    -------
    (S,) array of float
        Within [0, 1]. Forward: 0 on ``source``, 1 on ``target``; backward: the other way round.
    SolveInfo
        Only with ``info=True``.

    Raises
    ------
    ValueError
        If a set is empty or they share a state; backward: if the chain is not irreducible.

    References
    ----------
    Metzner, Schuette and Vanden-Eijnden, "Transition path theory for Markov jump processes", Multiscale Model. Simul. 7
    (2009).

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> ring = MarkovChain([[0, 0.75, 0.25], [0.25, 0, 0.75], [0.75, 0.25, 0]])
    >>> ring.committor(0, 2)
    array([0.  , 0.75, 1.  ])
    >>> ring.committor(0, 2, backward=True)
    array([1.  , 0.75, 0.  ])
    """
    origin = _targets(source, "source", self.n_states)
    goal = _targets(target, "target", self.n_states)
    if len(both := np.intersect1d(origin, goal)):
        raise ValueError(f"source and target must not share a state, got {int(both[0])} in both")
    back = _arrays.flag(backward, "backward")
    request, wanted, options = _solve.request(self.n_states, method, tolerance, info, threads, progress)
    out = _arrays.empty((self.n_states,), np.float64)
    if back:
        found = _slowthink.backward_committor(self._chain, origin, goal, request, out, options)
    else:
        found = _slowthink.hitting_probabilities(self._chain, goal, origin, request, out, options)
    return (out, SolveInfo(*found)) if wanted else out


def _costs(costs: Any, n_states: int) -> _Floats:
    array = _arrays.floats(costs, "costs", ndim=1, low=0)
    if len(array) != n_states:
        raise ValueError(f"costs must be one for each of the {n_states} states, got {len(array)}")
    return array


def _set(value: Any, name: str, n_states: int) -> _States:
    """As `_targets`, of a set that may be empty."""
    if _arrays.numbers(value, name, ndim=(0, 1)).size == 0:
        return np.empty(0, np.uint32)
    return _targets(value, name, n_states)


def _labels(classes: Any, n_states: int) -> tuple[_States, int]:
    """The number of the set that each state is in, and how many there are."""
    try:
        sets = list(classes)
    except TypeError:
        raise TypeError(f"classes must be a sequence of sets of states, got {type(classes).__name__}") from None
    if not sets:
        raise ValueError("classes must hold at least one set of states")
    labels = np.full(n_states, _NONE, np.uint32)
    for number, value in enumerate(sets):
        states = _targets(value, f"classes[{number}]", n_states)
        if (labels[states] != _NONE).any():
            shared = int(states[labels[states] != _NONE][0])
            raise ValueError(f"classes must not share states, got {shared} in {int(labels[shared])} and {number}")
        labels[states] = number
    return labels, len(sets)
