"""Seeds made to measure: the four words with which a numbered stream draws a number that was chosen first.

With them a test asks a kernel, through its public function, what it does with any of the 2^64 draws, such as the few
that lead to a transition of probability 1e-15. A stream's two words of state are hashes that can be undone, and so is
the seed.
"""

from __future__ import annotations

import numpy as np
import pytest
from slowthink import _run

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def rotate(x: int, n: int) -> int:
    return (x << n | x >> 64 - n) & WORD


def mix(x: int) -> int:
    x = (x ^ x >> 30) * FACTORS[0] & WORD
    x = (x ^ x >> 27) * FACTORS[1] & WORD
    return x ^ x >> 31


def unmix(x: int) -> int:
    """The number that `mix` makes `x` of."""

    def unshift(x: int, n: int) -> int:
        result = x
        for _ in range(64 // n):
            result = x ^ result >> n
        return result

    x = unshift(x, 31) * pow(FACTORS[1], -1, 2**64) & WORD
    x = unshift(x, 27) * pow(FACTORS[0], -1, 2**64) & WORD
    return unshift(x, 30)


def words(index: int, draw: int) -> list[int]:
    """Words of a seed whose stream `index` begins with `draw`."""
    low = 0x0123456789ABCDEF
    high = (rotate((draw - low) & WORD, 64 - 17) - low) & WORD
    key = index * GOLDEN & WORD
    a, c = 0x5555, 0x3333
    seed = [a, mix((key + a) & WORD) ^ unmix(low), c, (unmix(high) - mix(key ^ rotate(c, 32))) & WORD]
    for step in reversed(range(8)):  # undo what makes a seed of words
        seed[step % 4] ^= mix((seed[(step + 3) % 4] + GOLDEN * (step + 1)) & WORD)
    return seed


def plant(monkeypatch: pytest.MonkeyPatch, index: int, draw: int) -> None:
    """Makes the stream `index` of every later call begin with `draw`, whatever `rng` is."""
    planted = np.array(words(index, draw), dtype=np.uint64)
    monkeypatch.setattr(_run, "seed", lambda rng: planted)
