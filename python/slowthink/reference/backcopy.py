"""Slow twin of the Bigram-Backcopy task in plain NumPy: the law token by token, and what is known of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]


def bigram_from_text(text: str) -> tuple[list[str], _Floats, _Floats]:
    """Characters, the law of the next one, and that of single ones."""
    symbols = sorted(set(text))
    number = {symbol: i for i, symbol in enumerate(symbols)}
    pairs = np.zeros((len(symbols), len(symbols)))
    for a, b in pairwise(text):
        pairs[number[a], number[b]] += 1
    unigram = np.array([text.count(symbol) for symbol in symbols]) / len(text)
    return symbols, pairs / pairs.sum(axis=1, keepdims=True), unigram


def following(before: int, last: int, bigram: _Floats, triggers: Any, mix_p: float) -> _Floats:
    """The law of the token after (before, last)."""
    law: _Floats = bigram[last].copy()
    if last in triggers:
        law *= 1 - mix_p
        law[before] += mix_p
    return law


def sequence(
    bigram: _Floats, unigram: _Floats, triggers: Any, mix_p: float, length: int, rng: np.random.Generator
) -> list[int]:
    """A sequence, token by token."""
    first = np.array([0.0 if token in triggers else p for token, p in enumerate(unigram)])
    tokens = [len(unigram), int(rng.choice(len(unigram), p=first / first.sum()))]
    while len(tokens) < length:
        if tokens[-1] in triggers and rng.random() < mix_p:
            tokens.append(tokens[-2])
        else:
            tokens.append(int(rng.choice(len(unigram), p=bigram[tokens[-1]])))
    return tokens[:length]


def laws(bigram: _Floats, unigram: _Floats, triggers: Any, mix_p: float, length: int) -> list[_Floats]:
    """The law of (x[t-1], x[t]) for t from 2 to length - 1, by propagation."""
    n = len(unigram)
    first = np.array([0.0 if token in triggers else p for token, p in enumerate(unigram)])
    law = (first / first.sum())[:, None] * bigram
    found = [law]
    steps = np.array([[following(a, b, bigram, triggers, mix_p) for b in range(n)] for a in range(n)])
    for _ in range(length - 3):
        law = np.einsum("ab,abc->bc", law, steps)
        found.append(law)
    return found


def bayes_loss(pairs: _Floats, bigram: _Floats, triggers: Any, mix_p: float) -> tuple[float, float, float]:
    """Loss of the best predictor on copies and on other tokens, and the share of copies, one token after another."""
    on_copies = on_drawn = share = 0.0
    for a, b in np.argwhere(pairs > 0).tolist():
        p = float(pairs[a, b])
        law = following(a, b, bigram, triggers, mix_p)
        copied = mix_p if b in triggers else 0.0
        share += p * copied
        if copied:
            on_copies -= p * copied * float(np.log(law[a]))
        for c in np.flatnonzero(bigram[b] * (1 - copied)):
            on_drawn -= p * (1 - copied) * float(bigram[b, c] * np.log(law[c]))
    return on_copies / share if share else np.nan, on_drawn / (1 - share) if share < 1 else np.nan, share
