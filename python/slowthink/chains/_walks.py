"""Walks whose states are all returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run
from slowthink._slowthink import walk_chain, walk_second_order
from slowthink.chains import _starts

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain

_CHUNK = 1 << 26
"""Bytes of the arrays of :func:`iter_walks`, about, if nobody says how many walks they should hold."""

_LANES = 128
"""Walks that a thread takes together: fewer at once are slower."""


def walk(
    self: MarkovChain,
    start: Any = None,
    n_steps: int | None = None,
    *,
    n_walks: int | None = None,
    start_distribution: Any = None,
    p: float = 1.0,
    q: float = 1.0,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
    out: npt.NDArray[np.uint32] | None = None,
) -> npt.NDArray[np.uint32]:
    """Walks of ``n_steps`` transitions each, all their states written down.

    Parameters
    ----------
    start : int or (W,) array of ints
        The state where all walks begin, or the state of each.
    n_steps : int
        Transitions of a walk. With 0 the result is the column of starts.
    n_walks : int, optional
        Number of walks, W: 1 by default, or the length of ``start``.
    start_distribution : (S,) array, optional
        Instead of ``start``: the probability of each state to be the first. Each walk draws its own.
    p, q : float
        Walks of the second order (node2vec), from 1e-300 to 1e300: from its second step on a walk weighs each
        transition by ``1/p`` if it leads back to the state before, by 1 if that state too has a transition to where
        it leads, and by ``1/q`` otherwise. With 1 and 1 the walks are those of the chain.
    rng : None, int, SeedSequence or Generator
        Where the randomness comes from; see Notes.
    first : int
        Number of the first walk, from 0 to 2^64 - 1: ``walk(..., n_walks=50, first=100)`` returns rows 100 to 149 of
        ``walk(..., n_walks=1000)``. Numbers beyond 2^64 - 1 go on from 0.
    threads : int, optional
        All processors by default. The result does not depend on it.
    progress : bool or callable
        True shows a bar; a callable is given the walks done and their number.
    out : (W, n_steps + 1) uint32 array, optional
        Where the walks are written, a ``numpy.memmap`` for instance: C-contiguous, writeable, in native byte order.
        An array that has been written before is faster than a new one, whose memory the system must first provide.

    Returns
    -------
    (W, n_steps + 1) uint32 array
        The start and the state after each step, a row for each walk; ``out`` if that is given.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that is wrong; a start that is no state, by its index.
    MemoryError
        If the result does not fit in memory, before any work starts. :meth:`iter_walks` yields it in parts, and
        :meth:`count_visits` and its like keep no walk at all.

    Notes
    -----
    Walk number ``i`` draws from stream ``first + i`` of the seed, one 64-bit number a step (and one for its start where
    that is drawn), so the same ``rng`` gives the same bytes at any number of threads and however the walks are divided
    over calls and machines. A draw picks among the transitions of a row by the alias method with 64-bit thresholds:
    the probability of each is right to 2^-64, and one of 1e-15 occurs at its rate.

    Cost: O(W n_steps), and once for a chain O(T) for its alias tables, unless all rows are uniform.

    Walks of the second order draw by rejection, one number a trial, or two unless all rows are uniform; after many
    trials in vain a step is drawn from its whole law. So a step costs O(1) for moderate ``p`` and ``q``, and O(number
    of transitions of its two states) for any. Its law is right to 2^-53. The chain keeps 2 bytes a transition more,
    made at the first call in O(T): they tell most pairs of states that are not joined.

    What reads sentences or tensors reads walks: ``torch.from_numpy(walks)`` shares their memory (uint32 tensors came
    with PyTorch 2.3; ``walks.astype("int64")`` serves older ones and embedding layers), and gensim takes
    ``walks.astype(str).tolist()``.

    References
    ----------
    A. J. Walker, An efficient method for generating discrete random variables with general distributions, ACM Trans.
    Math. Softw. 3 (1977) 253-256.

    A. Grover and J. Leskovec, node2vec: scalable feature learning for networks, KDD 2016, section 3.2. K. Yang and
    others, KnightKing: a fast distributed graph random walk engine, SOSP 2019.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> weather.walk(0, 8, n_walks=3, rng=1)
    array([[0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 1, 1, 0, 0, 0, 0, 0],
           [0, 0, 0, 1, 1, 0, 1, 1, 1]], dtype=uint32)
    >>> weather.walk(0, 8, first=2, rng=1)
    array([[0, 0, 0, 1, 1, 0, 1, 1, 1]], dtype=uint32)

    On a square, a walk that shuns the way back goes round and round:

    >>> square = MarkovChain.from_weights([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    >>> square.walk(0, 8, p=1e6, n_walks=2, rng=1)
    array([[0, 1, 2, 3, 0, 1, 2, 3, 0],
           [0, 3, 2, 1, 0, 3, 2, 1, 0]], dtype=uint32)
    """
    weights = _weight(p, "p"), _weight(q, "q")
    walks = _starts.walks(self, start, n_steps, start_distribution, n_walks, rng, first)
    shape = (walks.n_walks, walks.n_steps + 1)
    if out is None:
        out = _arrays.empty(shape, np.uint32)
    else:
        _arrays.output(out, "out", shape, np.uint32, walks.starts)
    _fill(self, walks.starts, weights, walks.seed, walks.first, out, _run.options(threads, progress))
    return out


def iter_walks(
    self: MarkovChain,
    start: Any = None,
    n_steps: int | None = None,
    *,
    chunk: int | None = None,
    reuse: bool = False,
    n_walks: int | None = None,
    start_distribution: Any = None,
    p: float = 1.0,
    q: float = 1.0,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> Iterator[npt.NDArray[np.uint32]]:
    """The walks of :meth:`walk` in parts, for results larger than memory.

    Parameters
    ----------
    start, n_steps, n_walks, start_distribution, p, q, rng, first, threads, progress
        As for :meth:`walk`. ``rng`` is drawn from once, when the iterator is made.
    chunk : int, optional
        Walks of a part, at least 1 (the last part may be smaller); by default as many as take about 64 MB.
    reuse : bool
        True writes each part over the one before it, in the same memory. That is faster, for a loop that is done with
        a part when it asks for the next.

    Yields
    ------
    (chunk, n_steps + 1) uint32 array
        Their concatenation is what :meth:`walk` returns, to the byte.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> parts = list(weather.iter_walks(0, 3, n_walks=5, chunk=2, rng=1))
    >>> [part.shape for part in parts]
    [(2, 4), (2, 4), (1, 4)]
    >>> bool((np.concatenate(parts) == weather.walk(0, 3, n_walks=5, rng=1)).all())
    True
    """
    weights = _weight(p, "p"), _weight(q, "q")
    walks = _starts.walks(self, start, n_steps, start_distribution, n_walks, rng, first)
    length = walks.n_steps + 1
    if chunk is None:
        chunk = max(_CHUNK // (4 * length * _LANES), 1) * _LANES
    chunk = min(_starts.count(chunk, "chunk", low=1), max(walks.n_walks, 1))
    buffer = _arrays.empty((chunk, length), np.uint32) if _arrays.flag(reuse, "reuse") else None
    n_threads, report = _run.options(threads, progress)
    starts = walks.starts.copy() if isinstance(walks.starts, np.ndarray) else walks.starts

    def parts() -> Iterator[npt.NDArray[np.uint32]]:
        for begin in range(0, walks.n_walks, chunk):
            n = min(chunk, walks.n_walks - begin)
            out = _arrays.empty((n, length), np.uint32) if buffer is None else buffer[:n]
            part: Any = starts[begin : begin + n] if _starts.is_each(starts) else starts
            options = n_threads, None if report is None else _of_the_whole(report, begin, walks.n_walks)
            _fill(self, part, weights, walks.seed, (walks.first + begin) % 2**64, out, options)
            yield out

    return parts()


def _weight(value: Any, name: str) -> float:
    """``p`` or ``q``."""
    return float(_arrays.floats(value, name, ndim=0, low=1e-300, high=1e300))


def _fill(
    chain: MarkovChain,
    starts: _starts.Starts,
    weights: tuple[float, float],
    seed: npt.NDArray[np.uint64],
    first: int,
    out: npt.NDArray[np.uint32],
    options: _run.Options,
) -> None:
    """Walks of the first or the second order."""
    if weights == (1.0, 1.0):
        walk_chain(chain._chain, starts, seed, first, out, options)
    else:
        walk_second_order(chain._chain, starts, *weights, seed, first, out, options)


def _of_the_whole(report: Callable[[int, int], object], begin: int, n_walks: int) -> Callable[[int, int], object]:
    """Reports the progress of the part that begins with walk ``begin`` as that of all."""
    return lambda done, _: report(begin + done, n_walks)
