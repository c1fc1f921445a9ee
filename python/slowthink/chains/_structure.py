"""What the transitions of a chain tell without their probabilities: classes, periods, what is never left."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_States = npt.NDArray[np.uint32]


class CommunicatingClasses(Sequence[_States]):
    """The communicating classes of a chain, in the order of their least state.

    A sequence of K ascending arrays that together hold the S states; the attributes are arrays over all classes.

    Attributes
    ----------
    labels : (S,) uint32 array
        The number of the class that each state belongs to.
    recurrent : (K,) bool array
        Whether no transition leaves the class: walks stay in it for ever.
    absorbing : (K,) bool array
        Whether it is a single state that is never left.
    periods : (K,) int64 array
        The greatest common divisor of the lengths of all ways from a state of the class back to itself; 0 for a single
        state to which no way leads back.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> classes = MarkovChain.from_edges([0, 0, 1, 2, 3, 4], [1, 3, 2, 1, 4, 4]).communicating_classes()
    >>> classes
    CommunicatingClasses(n_classes=4, n_recurrent=2, n_states=5)
    >>> list(classes)
    [array([0], dtype=uint32), array([1, 2], dtype=uint32), array([3], dtype=uint32), array([4], dtype=uint32)]
    >>> classes.recurrent, classes.periods
    (array([False,  True, False,  True]), array([0, 2, 0, 1]))
    """

    __slots__ = ("_begins", "_states", "absorbing", "labels", "periods", "recurrent")

    labels: _States
    recurrent: npt.NDArray[np.bool_]
    absorbing: npt.NDArray[np.bool_]
    periods: npt.NDArray[np.int64]
    _states: _States
    _begins: npt.NDArray[np.int64]

    @classmethod
    def _of(
        cls,
        labels: _States,
        states: _States,
        begins: npt.NDArray[np.int64],
        recurrent: npt.NDArray[np.bool_],
        periods: npt.NDArray[np.int64],
    ) -> CommunicatingClasses:
        self = cls.__new__(cls)
        self.labels, self.recurrent, self.periods = labels, recurrent, periods
        self.absorbing = recurrent & (np.diff(begins) == 1)
        self._states, self._begins = states, begins
        return self

    def __len__(self) -> int:
        return len(self.recurrent)

    @overload
    def __getitem__(self, index: int) -> _States: ...
    @overload
    def __getitem__(self, index: slice) -> list[_States]: ...
    def __getitem__(self, index: int | slice) -> _States | list[_States]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"index {number} is out of range for {len(self)} classes")
        number %= len(self)
        return self._states[self._begins[number] : self._begins[number + 1]]

    def __iter__(self) -> Iterator[_States]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        recurrent = int(self.recurrent.sum())
        return f"CommunicatingClasses(n_classes={len(self)}, n_recurrent={recurrent}, n_states={len(self.labels)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self.labels, self._states, self._begins, self.recurrent, self.periods)


def communicating_classes(self: MarkovChain) -> CommunicatingClasses:
    """The sets of states that reach each other, which of them are never left, and their periods.

    Returns
    -------
    CommunicatingClasses
        A sequence of arrays of states; its ``labels``, ``recurrent``, ``absorbing`` and ``periods`` are arrays.

    See Also
    --------
    is_irreducible, period, recurrent_classes, transient_states, absorbing_states : What most questions need of it.

    Notes
    -----
    Two states belong together if each can be reached from the other; a state to which no way leads back is a class of
    its own. Every stored transition counts, however improbable. One thread, O(S + T); memory: 20 bytes a state.

    References
    ----------
    Tarjan 1972, SIAM J. Comput. 1 (components); Denardo 1977, Math. Oper. Res. 2 (periods).

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.25, 0.25, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    >>> for states in chain.communicating_classes():
    ...     print(states)
    [0]
    [1]
    [2 3]
    """
    return CommunicatingClasses._of(*_slowthink.communicating_classes(self._chain, _run.options(1)))


def recurrent_classes(self: MarkovChain) -> list[_States]:
    """The classes that are never left, each an ascending array of states, in the order of their least state.

    Found anew at each access, as the other properties of the structure are: see :meth:`communicating_classes`.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]]).recurrent_classes
    [array([1], dtype=uint32), array([2], dtype=uint32)]
    """
    classes = communicating_classes(self)
    return [classes[int(number)] for number in np.flatnonzero(classes.recurrent)]


def transient_states(self: MarkovChain) -> _States:
    """The states, ascending, that walks leave for good at some time: those of no recurrent class.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]]).transient_states
    array([0], dtype=uint32)
    """
    classes = communicating_classes(self)
    return np.flatnonzero(~classes.recurrent[classes.labels]).astype(np.uint32)


def absorbing_states(self: MarkovChain) -> _States:
    """The states, ascending, whose only transition is to themselves.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.5, 0.25, 0.25], [0, 1, 0], [0, 0, 1]]).absorbing_states
    array([1, 2], dtype=uint32)
    """
    classes = communicating_classes(self)
    return np.flatnonzero(classes.absorbing[classes.labels]).astype(np.uint32)


def is_irreducible(self: MarkovChain) -> bool:
    """Whether every state can be reached from every other.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0.5, 0.5], [1, 0]]).is_irreducible, MarkovChain([[0.5, 0.5], [0, 1]]).is_irreducible
    (True, False)
    """
    return len(communicating_classes(self)) == 1


def is_aperiodic(self: MarkovChain) -> bool:
    """Whether :attr:`period` is 1: the law of a walk then converges, whatever its start.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0, 1], [1, 0]]).is_aperiodic, MarkovChain([[1e-9, 1 - 1e-9], [1, 0]]).is_aperiodic
    (False, True)
    """
    return period(self) == 1


def period(self: MarkovChain) -> int:
    """The period d: the least number such that the laws of a walk after d, 2d, 3d, ... steps converge for every start.

    Of an irreducible chain it is the greatest common divisor of the lengths of all ways from a state back to itself. Of
    others it is the least common multiple over the recurrent classes, since walks end in them; transient states do not
    count (:attr:`CommunicatingClasses.periods` has theirs).

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> MarkovChain([[0, 1, 0], [0, 0, 1], [1, 0, 0]]).period
    3
    >>> MarkovChain.from_edges([0, 1, 2, 3, 4, 5, 5], [1, 0, 3, 4, 2, 1, 2]).period
    6
    """
    classes = communicating_classes(self)
    return math.lcm(*np.unique(classes.periods[classes.recurrent]).tolist())
