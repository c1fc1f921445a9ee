"""n-gram chains: the chain of the contexts of a text, and texts that it makes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _fit, _starts
from slowthink.chains._chain import MarkovChain
from slowthink.chains._transition_counts import TransitionCounts

Unit: TypeAlias = Literal["character", "word"]
Text: TypeAlias = "str | bytes"

_UNKNOWN = -1


class TextChain:
    """The chain of the contexts of a text, made by :func:`ngram_chain`.

    A state is a context: ``order`` characters or words in a row. A transition leads to the context without its first
    symbol and with a new one at its end.

    Attributes
    ----------
    chain : MarkovChain
        The contexts of the text in the order of their symbols.
    counts : TransitionCounts
        How often each context followed another.
    order : int
        Symbols in a context.
    symbols : list of str, or of bytes
        The characters or words of the text, ascending.
    """

    __slots__ = ("_alphabet", "_levels", "_unit", "chain", "counts", "order", "symbols")

    chain: MarkovChain
    counts: TransitionCounts
    order: int
    symbols: list[Any]

    def __init__(self, text: Text, order: int, unit: Unit) -> None:
        self._unit = unit
        self._alphabet = _Alphabet(text, unit)
        self.symbols = self._alphabet.symbols
        codes = self._alphabet.codes(text)
        self.order = order
        self._levels: list[npt.NDArray[np.int64]] = []
        states = codes
        for later in range(1, order):
            keys = states * len(self.symbols) + np.roll(codes, -later)
            level, states = np.unique(keys, return_inverse=True)
            self._levels.append(level)
        n_states = len(self._levels[-1]) if self._levels else len(self.symbols)
        circle = np.append(states, states[0]).astype(np.uint32)
        self.counts = _fit.count_trajectories(circle, n_states=n_states)
        self.chain = _fit.fit_chain(self.counts).chain

    def context(self, state: int) -> Text:
        """The symbols that a state stands for, as text."""
        state = int(_starts.states(state, "state", self.chain.n_states, ndim=0))
        codes = []
        for level in reversed(self._levels):
            state, last = divmod(int(level[state]), len(self.symbols))
            codes.append(last)
        return self._alphabet.text(np.array([*codes, state][::-1]))

    def states(self, text: Text) -> npt.NDArray[np.int64]:
        """The state after each symbol of a text, from symbol number ``order`` (the first context) on.

        Returns
        -------
        (n - order + 1,) int64 array
            -1 for a context that the chain does not have; empty for a text that is shorter than a context.
        """
        codes = self._alphabet.codes(text)
        states = codes[: max(len(codes) - self.order + 1, 0)]
        for later, level in enumerate(self._levels, start=1):
            nexts = codes[later : later + len(states)]
            keys = states * len(self.symbols) + nexts
            place = np.minimum(np.searchsorted(level, keys), len(level) - 1)
            known = (level[place] == keys) & (states != _UNKNOWN) & (nexts != _UNKNOWN)
            states = np.where(known, place, _UNKNOWN)
        return states

    def generate(
        self,
        n_symbols: int,
        start: Any = None,
        *,
        n_texts: int | None = None,
        rng: _run.RNG = None,
        first: int = 0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> Any:
        """Random text: what follows a start.

        Parameters
        ----------
        n_symbols : int
            Length of each text, in characters or words.
        start : str or bytes, optional
            What the texts continue; its last ``order`` symbols must be a context of the chain. By default each text
            draws a context, as often as it occurs. The start is no part of the result.
        n_texts : int, optional
            How many texts; by default one, returned by itself. One text is one walk, on one thread: many short texts
            are made many times faster than one long one.
        rng, first, threads, progress
            As for :meth:`MarkovChain.walk`; ``first`` is the number of the first text.

        Returns
        -------
        str or bytes, or a list of n_texts of them
            Words are joined by spaces.

        Notes
        -----
        Cost: one step of a walk a symbol, about 2 ns on each thread for a chain in the cache.

        Examples
        --------
        >>> from slowthink.chains import ngram_chain
        >>> ngram_chain("abracadabra ", order=2).generate(20, start="ab", n_texts=2, rng=1)
        ['ra abracadabracadabr', 'racadabra abra abrac']
        """
        n_symbols = _starts.count(n_symbols, "n_symbols")
        count = 1 if n_texts is None else _starts.count(n_texts, "n_texts")
        law, state = None, None
        if start is None:
            law = self.counts.row_sums() / self.counts.total
        else:
            state = self._start(start)
        walks = _starts.walks(self.chain, state, n_symbols, law, count, rng, first)
        options = _run.options(threads, progress)
        symbols = self._alphabet.output(self._levels[-1] % len(self.symbols) if self._levels else None)
        out = _arrays.empty((count, n_symbols), symbols.dtype)
        _slowthink.generate_text(self.chain._chain, walks, (symbols, out), options)
        texts = [self._alphabet.written(row) for row in out]
        return texts[0] if n_texts is None else texts

    def log_likelihood(self, text: Text) -> float:
        """The log of the probability of a text, given its first ``order`` symbols.

        In natural units; -inf if a context or a transition does not occur in the text the chain was made of, 0 for a
        text without transitions.

        Examples
        --------
        >>> from slowthink.chains import ngram_chain
        >>> chain = ngram_chain("abac")
        >>> chain.log_likelihood("abaca")
        -1.3862943611198906
        >>> chain.log_likelihood("abc")
        -inf
        """
        states = self.states(text)
        if len(states) < 2:
            return 0.0
        if (states == _UNKNOWN).any():
            return -np.inf
        seen = _fit.count_trajectories(states.astype(np.uint32), n_states=self.chain.n_states)
        return _fit.log_likelihood(self.chain, seen)

    def perplexity(self, text: Text) -> float:
        """``exp`` of the mean negative log-likelihood of the symbols of a text after its first context."""
        n = len(self.states(text)) - 1
        if n < 1:
            raise ValueError(f"text must have more than {self.order} symbols")
        return float(np.exp(-self.log_likelihood(text) / n))

    def _start(self, start: Any) -> int:
        states = self.states(start)
        if not len(states):
            raise ValueError(f"start must have at least {self.order} symbols, got {start!r}")
        if states[-1] == _UNKNOWN:
            raise ValueError(f"start must end in {self.order} symbols that occur in the text, got {start!r}")
        return int(states[-1])

    def __repr__(self) -> str:
        sizes = f"n_symbols={len(self.symbols)}, n_states={self.chain.n_states}"
        return f"TextChain(order={self.order}, unit={self._unit!r}, {sizes})"


def ngram_chain(text: Text, order: int = 1, unit: Unit = "character") -> TextChain:
    """The chain of the contexts of a text: which ``order`` symbols follow which.

    Parameters
    ----------
    text : str or bytes
        The text. Its end is followed by its beginning, as if it were written on a circle: so every context has a
        successor, the chain is irreducible, and each context is visited as often as it occurs.
    order : int
        Symbols in a context, at least 1: one less than the n of n-grams.
    unit : {"character", "word"}
        Symbols are characters (code points of a str, bytes of a bytes), or words between white space.

    Returns
    -------
    TextChain

    Notes
    -----
    Cost: O(n) for characters of order 1; contexts of higher order are sorted. About 20 bytes a symbol.

    Examples
    --------
    >>> from slowthink.chains import ngram_chain
    >>> text = ngram_chain("to be or not to be")
    >>> text
    TextChain(order=1, unit='character', n_symbols=7, n_states=7)
    >>> text.symbols
    [' ', 'b', 'e', 'n', 'o', 'r', 't']
    >>> text.counts.to_dense()[4]  # what follows an o
    array([2, 0, 0, 0, 0, 1, 1])
    >>> ngram_chain("to be or not to be", unit="word").generate(8, start="to", rng=2)
    'be or not to be to be or'
    """
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"text must be a str or bytes, got {type(text).__name__}")
    order = _starts.count(order, "order", low=1)
    _arrays.choice(unit, "unit", ("character", "word"))
    length = len(text) if unit == "character" else len(text.split())
    if not length:
        raise ValueError("text must hold at least one symbol")
    if order > length:
        raise ValueError(f"order must be at most the number of symbols in the text, {length}, got {order}")
    return TextChain(text, order, unit)


class _Alphabet:
    """The symbols of a text, and their numbers."""

    def __init__(self, text: Text, unit: Unit) -> None:
        self._bytes = isinstance(text, bytes)
        self._number: dict[Any, int] | None = None
        self.symbols: list[Any]
        if unit == "word":
            self.symbols = sorted(set(text.split()))
            self._number = {word: number for number, word in enumerate(self.symbols)}
        else:
            self._points = np.flatnonzero(np.bincount(self._code_points(text)))
            self.symbols = [self._joined(self._points[i : i + 1]) for i in range(len(self._points))]

    def codes(self, text: Any) -> npt.NDArray[np.int64]:
        """The numbers of the symbols of ``text``, -1 for others."""
        wanted = bytes if self._bytes else str
        if not isinstance(text, wanted):
            raise TypeError(f"text and start must be {wanted.__name__} as the text of the chain is, got {text!r:.40}")
        if self._number is not None:
            number = self._number
            return np.array([number.get(word, _UNKNOWN) for word in text.split()], dtype=np.int64)
        points = self._code_points(text)
        beyond = 256 if self._bytes else int(self._points[-1]) + 1
        table = np.full(beyond + 1, _UNKNOWN, dtype=np.int64)
        table[self._points] = np.arange(len(self._points))
        codes: npt.NDArray[np.int64] = table[points if self._bytes else np.minimum(points, beyond)]
        return codes

    def text(self, codes: npt.NDArray[np.int64]) -> Text:
        """The text of symbols with these numbers."""
        return self.written(self.output(codes))

    def output(self, codes: npt.NDArray[np.int64] | None) -> npt.NDArray[Any]:
        """What the kernel writes for symbols with these numbers (None: for each): bytes where that is possible."""
        if self._number is not None:
            every = np.arange(len(self.symbols), dtype=np.uint32)
        else:
            every = self._points.astype(np.uint8 if self._points[-1] < 256 else np.uint32)
        return every if codes is None else every[codes]

    def written(self, row: npt.NDArray[Any]) -> Text:
        """The text of what the kernel wrote."""
        if self._number is None:
            return self._joined(row)
        words = [self.symbols[number] for number in row]
        return b" ".join(words) if self._bytes else " ".join(words)

    def _joined(self, points: npt.NDArray[Any]) -> Text:
        if self._bytes:
            return points.astype(np.uint8).tobytes()
        if points.dtype == np.uint8:
            return points.tobytes().decode("latin-1")
        return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")

    def _code_points(self, text: Any) -> npt.NDArray[Any]:
        if self._bytes:
            return np.frombuffer(text, dtype=np.uint8)
        return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
