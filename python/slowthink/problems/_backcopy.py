"""The Bigram-Backcopy task."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain
from slowthink.problems._built_in import whole

_Floats = npt.NDArray[np.float64]


class Sequences(NamedTuple):
    """What :meth:`BigramBackcopy.sample` makes."""

    tokens: npt.NDArray[np.uint8]
    """(n, length) the tokens."""
    roles: npt.NDArray[np.uint8]
    """(n, length) how each came about: ``STARTS``, ``BIGRAM`` or ``COPY``."""


class BayesLoss(NamedTuple):
    """What the best predictor loses on tokens 2 and later, on average, in nats a token."""

    copy: float
    """On tokens that are copied; NaN where there are none."""
    bigram: float
    """On tokens drawn by the bigram law; NaN where there are none."""
    mean: float
    """On all tokens."""
    copy_fraction: float
    """Share of the tokens that are copied."""


class BigramBackcopy:
    """Sequences that follow a bigram law, but for what comes after a trigger: the token before it, once more.

    Token 0 is a mark that begins the sequence, token 1 follows the law of single tokens without the triggers, and then

        x[t] = x[t-2] where x[t-1] is a trigger, else x[t] ~ bigram[x[t-1]].

    Where everything after a trigger is copied, two triggers never meet. Attention heads that learn the task are active
    on triggers and dormant elsewhere.

    Parameters
    ----------
    bigram : (V, V) array of float
        Row v: probabilities of the token after v. V is at most 255.
    unigram : (V,) array of float
        Probabilities of single tokens, not all of them triggers.
    triggers : array_like of int
        Tokens after which one is copied, each listed once.
    mix_p : float
        The probability that the token after a trigger is copied; else it follows the bigram law, triggers included.
    length : int
        Tokens of a sequence, at least 1, the mark at its beginning included.

    Attributes
    ----------
    symbols : list of str, list of bytes, or None
        What the tokens stand for, where the law is that of a text.

    References
    ----------
    Guo, Pai, Bai, Jiao, Jordan and Mei 2024, "Active-Dormant Attention Heads" (arXiv 2410.13835): :meth:`from_text` of
    Tiny Shakespeare, with three triggers and a length of 257. Its released code has one more token, a delimiter, that
    never occurs; a third-party variant with a Gaussian bigram law is another task.

    Examples
    --------
    >>> from slowthink.problems import BigramBackcopy
    >>> task = BigramBackcopy.from_text("to be or not to be", n_triggers=1, length=12)
    >>> task
    BigramBackcopy(n_tokens=8, triggers=[0], mix_p=1, length=12)
    >>> tokens, roles = task.sample(1, rng=1)
    >>> "".join(task.symbols[token] for token in tokens[0, 1:])
    'be e e e e '
    >>> roles
    array([[0, 0, 1, 1, 2, 1, 2, 1, 2, 1, 2, 1]], dtype=uint8)
    >>> round(task.bayes_loss().mean, 4)
    0.2363
    """

    STARTS: ClassVar[int] = 0
    """The role of tokens 0 and 1."""
    BIGRAM: ClassVar[int] = 1
    """The role of a token drawn by the bigram law."""
    COPY: ClassVar[int] = 2
    """The role of a token that is copied."""

    symbols: list[Any] | None

    def __init__(
        self,
        bigram: npt.ArrayLike,
        unigram: npt.ArrayLike,
        triggers: npt.ArrayLike,
        *,
        mix_p: float = 1.0,
        length: int = 257,
    ) -> None:
        self.bigram = _law(_arrays.floats(bigram, "bigram", ndim=2, low=0.0), "bigram")
        """(V, V) the law of the next token."""
        self.unigram = _law(_arrays.floats(unigram, "unigram", ndim=1, low=0.0), "unigram")
        """(V,) the law of single tokens."""
        n = len(self.unigram)
        if not 1 <= n <= 255:
            raise ValueError(f"unigram must have from 1 to 255 numbers, got shape {self.unigram.shape}")
        if self.bigram.shape != (n, n):
            raise ValueError(f"bigram must have a row and a column for each of the {n} tokens of unigram, "
                             f"got shape {self.bigram.shape}")  # fmt: skip
        self.triggers = _tokens(triggers, n)
        """Tokens after which one is copied."""
        self.mix_p = float(_arrays.floats(mix_p, "mix_p", ndim=0, low=0.0, high=1.0))
        """The probability of a copy after a trigger."""
        self.length = whole(length, "length", 1)
        """Tokens of a sequence."""
        self.symbols = None
        first = self.unigram.copy()
        first[self.triggers] = 0.0
        if not first.sum() > 0:
            raise ValueError("triggers must leave a token that unigram gives a probability above 0")
        self._first = first / first.sum()

    @classmethod
    def from_text(
        cls, text: str | bytes, n_triggers: int = 3, *, mix_p: float = 1.0, length: int = 257
    ) -> BigramBackcopy:
        """The task on the characters of a text, in the order of their codes.

        Parameters
        ----------
        text : str or bytes
            Of at most 255 different characters, each of which is followed by another at least once.
        n_triggers : int
            The most frequent characters are triggers; of two as frequent the first.
        mix_p, length
            As for the class.

        Examples
        --------
        >>> from slowthink.problems import BigramBackcopy
        >>> task = BigramBackcopy.from_text("abracadabra", n_triggers=1)
        >>> task.symbols, task.triggers
        (['a', 'b', 'c', 'd', 'r'], array([0]))
        >>> task.bigram[0]
        array([0.  , 0.5 , 0.25, 0.25, 0.  ])
        """
        if not isinstance(text, (str, bytes)):
            raise TypeError(f"text must be a str or bytes, got {type(text).__name__}")
        if isinstance(text, bytes):
            points = np.frombuffer(text, np.uint8)
        else:
            points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        seen, codes = np.unique(points, return_inverse=True)
        n = len(seen)
        if not 1 <= n <= 255:
            raise ValueError(f"text must have from 1 to 255 different characters, got {n}")
        pairs = np.bincount(codes[:-1].astype(np.int64) * n + codes[1:], minlength=n * n).reshape(n, n)
        symbols: list[Any] = [bytes([code]) if isinstance(text, bytes) else chr(code) for code in seen]
        after = pairs.sum(axis=1)
        if not after.all():
            raise ValueError(f"text must have a character after {symbols[int(after.argmin())]!r} somewhere")
        counts = np.bincount(codes, minlength=n)
        triggers = np.argsort(-counts, kind="stable")[: whole(n_triggers, "n_triggers", 0, n)]
        if len(triggers) == n:
            raise ValueError(f"n_triggers must be below the number of characters, {n}, got {n_triggers}")
        task = cls(pairs / after[:, None], counts / counts.sum(), triggers, mix_p=mix_p, length=length)
        task.symbols = symbols
        return task

    def __repr__(self) -> str:
        sizes = f"n_tokens={self.n_tokens}, triggers={self.triggers.tolist()}"
        return f"BigramBackcopy({sizes}, mix_p={self.mix_p:g}, length={self.length})"

    @property
    def n_tokens(self) -> int:
        """Size of the vocabulary, V + 1: V is the mark at the beginning."""
        return len(self.unigram) + 1

    def sample(
        self,
        n: int,
        *,
        rng: _run.RNG = None,
        first: int = 0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> Sequences:
        """Random sequences.

        Parameters
        ----------
        n : int
            How many.
        rng : None, int, SeedSequence or Generator
        first : int
            The number of the first sequence: shards (``first=``) make up the whole.
        threads : int, optional
            Number of threads; all by default.
        progress : bool or callable
            True shows a bar; a callable is given the sequences made and their number.

        Returns
        -------
        Sequences
            A named tuple of ``tokens`` and ``roles``, both (n, length) ndarrays of uint8: views of one array, in which
            the tokens of a sequence stand before its roles.

        Notes
        -----
        Sequence i draws from stream ``first + i`` of the seed, a word for each token but the first: some 5 ns.
        """
        first = whole(first, "first")
        out = _arrays.empty((whole(n, "n"), 2, self.length), np.uint8)
        _slowthink.backcopy_sequences(
            self.bigram, self._first, self._is_trigger, self.mix_p, _run.seed(rng), first, out,
            _run.options(threads, progress),
        )  # fmt: skip
        return Sequences(out[:, 0], out[:, 1])

    @property
    def _is_trigger(self) -> npt.NDArray[np.bool_]:
        marks = np.zeros(len(self.unigram), bool)
        marks[self.triggers] = True
        return marks

    def second_order_chain(self) -> tuple[MarkovChain, npt.NDArray[np.int64], _Floats]:
        """The sequence as a Markov chain of pairs of neighbours.

        Returns
        -------
        chain : MarkovChain
            A state for each pair (x[t-1], x[t]), t from 2 on, that can occur.
        pairs : (S, 2) ndarray of int64
            The pairs, in ascending order.
        start : (S,) ndarray of float
            The law of (x[1], x[2]).
        """
        n, copies = len(self.unigram), self._is_trigger & (self.mix_p > 0)
        law = np.where((self._is_trigger & (self.mix_p == 1))[:, None], 0.0, self.bigram)
        start = self._first[:, None] * self.bigram
        found = start > 0
        while True:
            # After (a, b) comes (b, c), c drawn or a.
            after = found.any(axis=0)[:, None] & (law > 0) | (found & copies).T
            if not (after & ~found).any():
                break
            found |= after
        pairs = np.argwhere(found)
        number = np.full((n, n), -1)
        number[found] = np.arange(len(pairs))
        rows = law[pairs[:, 1]] * np.where(copies, 1 - self.mix_p, 1.0)[pairs[:, 1], None]
        rows[np.arange(len(pairs)), pairs[:, 0]] += np.where(copies, self.mix_p, 0.0)[pairs[:, 1]]
        source, token = np.nonzero(rows)
        indptr = np.searchsorted(source, np.arange(len(pairs) + 1))
        targets = number[pairs[source, 1], token]
        return MarkovChain((indptr, targets, rows[source, token])), pairs, start[found]

    def pair_law(self) -> _Floats:
        """The law of pairs of neighbours, (x[t-1], x[t]), on average over t from 2 to the end of a sequence.

        Returns
        -------
        (V, V) ndarray of float
            Entry (a, b): b follows a. Sums to 1; all NaN for sequences shorter than 3.

        Notes
        -----
        Exact: the law of :meth:`second_order_chain` is propagated step by step.
        """
        total = self._visits(self.length - 2)
        return total / (self.length - 2) if self.length > 2 else np.full_like(total, np.nan)

    def _visits(self, n: int) -> _Floats:
        """How often each pair is expected in the first n places from (x[1], x[2]) on."""
        chain, pairs, law = self.second_order_chain()
        repeats = np.diff(chain.indptr)
        total = np.zeros(len(pairs))
        for _ in range(n):
            total += law
            flows = np.repeat(law, repeats) * chain.probabilities
            law = np.bincount(chain.indices, flows, len(pairs)).astype(np.float64)
        dense = np.zeros_like(self.bigram)
        dense[pairs[:, 0], pairs[:, 1]] = total
        return dense

    def stationary_distribution(self) -> _Floats:
        """The law of pairs of neighbours in the long run: what share of an endless sequence each pair makes up.

        This may be far from what sequences of any usual length look like: see the notes, and :meth:`pair_law`.

        Returns
        -------
        (V, V) ndarray of float
            Entry (a, b): b follows a. Sums to 1.

        Notes
        -----
        Exact. Where mix_p is 1, a token that only triggers follow is copied for ever: a trap, in which every endless
        sequence ends. Tiny Shakespeare has one: "3" is always followed by a space. A sequence with three triggers
        reaches it after 31,000 tokens on average, so that in the long run half of all tokens are copied, but of 257
        tokens a quarter. If there are several traps, each counts with the probability of ending there.
        """
        chain, pairs, start = self.second_order_chain()
        law = np.zeros_like(self.bigram)
        law[pairs[:, 0], pairs[:, 1]] = start @ chain.absorption_probabilities() @ chain.stationary_distributions()
        return law

    def bayes_loss(self, *, long_run: bool = False) -> BayesLoss:
        """What the best predictor, which knows the law and the tokens before, loses on the tokens of each role.

        Parameters
        ----------
        long_run : bool
            False: on the tokens of a sequence from token 2 on. True: on those of an endless one, whose pairs have the
            :meth:`stationary_distribution`.

        Returns
        -------
        BayesLoss
            A named tuple ``(copy, bigram, mean, copy_fraction)``, in nats a token. With ``mix_p=1`` copies cost
            nothing, and other tokens the entropy of their row of the bigram law. All NaN for sequences shorter than 3.

        Notes
        -----
        Exact: the predictor does not see the roles. After trigger b that follows a it says
        ``mix_p [c = a] + (1 - mix_p) bigram[b, c]``.
        """
        entropy = -_times_log(self.bigram, self.bigram).sum(axis=1)
        if _arrays.flag(long_run, "long_run"):
            pairs, second = self.stationary_distribution(), np.zeros_like(self._first)
        elif self.length < 3:
            return BayesLoss(np.nan, np.nan, np.nan, np.nan)
        else:
            # Token 2 follows token 1, which is no trigger; token t from 3 on a pair.
            pairs, second = self._visits(self.length - 3) / (self.length - 2), self._first / (self.length - 2)
        is_trigger, mix = self._is_trigger, self.mix_p
        after, drawn = pairs[:, is_trigger], self.bigram[is_trigger]
        said = np.diag(np.full(len(entropy), mix))[:, None, :] + (1 - mix) * drawn  # previous, trigger, next
        on_copies = 0.0 - _times_log(mix * after, mix + (1 - mix) * drawn.T).sum()
        on_drawn = second @ entropy + (pairs.sum(axis=0) * ~is_trigger) @ entropy
        on_drawn -= (after * _times_log((1 - mix) * drawn, said).sum(axis=2)).sum()
        share = float(mix * after.sum())
        return BayesLoss(
            float(on_copies / share) if share > 0 else np.nan,
            float(on_drawn / (1 - share)) if share < 1 else np.nan,
            float(on_copies + on_drawn),
            share,
        )


def _times_log(weight: _Floats, law: _Floats) -> _Floats:
    """weight log(law), 0 where the weight is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weight > 0, weight * np.log(law), 0.0)


def _law(law: _Floats, name: str) -> _Floats:
    """Numbers whose last axis sums to 1."""
    sums = law.sum(axis=-1)
    wrong = ~(np.abs(sums - 1) <= 1e-9)
    if wrong.any():
        at = f"[{int(wrong.argmax())}]" if law.ndim == 2 else ""
        raise ValueError(f"{name}{at} must have a sum of 1 within 1e-9, got {np.ravel(sums)[wrong.argmax()]}")
    return law.copy()


def _tokens(triggers: Any, n: int) -> npt.NDArray[np.int64]:
    tokens = _arrays.integers(triggers, "triggers", ndim=1, low=0)
    for i, token in enumerate(tokens.tolist()):
        if token >= n:
            raise ValueError(f"triggers[{i}] must be below the number of tokens, {n}, got {token}")
        if token in tokens[:i]:
            raise ValueError(f"triggers[{i}] must not be listed before, got {token}")
    return tokens
