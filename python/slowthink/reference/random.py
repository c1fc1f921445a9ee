"""Slow twin of seeds and streams: xoroshiro128++ (Blackman and Vigna 2021) on Python's integers."""

from __future__ import annotations

from collections.abc import Sequence

_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(x: int) -> int:
    """Stafford's variant 13 of the MurmurHash3 finaliser."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB & _WORD
    return x ^ x >> 31


def _rotate(x: int, n: int) -> int:
    return (x << n | x >> 64 - n) & _WORD


def seed(words: Sequence[int]) -> list[int]:
    """The seed of four words, such as ``slowthink._run.seed(rng)`` draws: each is made to depend on all."""
    out = [int(word) for word in words]
    for step in range(8):
        out[step % 4] ^= _mix((out[(step + 3) % 4] + _GOLDEN * (step + 1)) & _WORD)
    return out


class Stream:
    """Stream number ``index`` of a seed.

    Examples
    --------
    >>> from slowthink.reference.random import Stream, seed
    >>> Stream(seed([1, 2, 3, 4]), 0).draw() != Stream(seed([1, 2, 3, 4]), 1).draw()
    True
    """

    def __init__(self, words: Sequence[int], index: int) -> None:
        a, b, c, d = words
        key = index * _GOLDEN & _WORD
        self.state = (
            _mix(_mix((key + a) & _WORD) ^ b),
            _mix((_mix(key ^ _rotate(c, 32)) + d) & _WORD),
        )

    def draw(self) -> int:
        """The next 64 bits."""
        low, high = self.state
        out = (_rotate((low + high) & _WORD, 17) + low) & _WORD
        high ^= low
        self.state = (_rotate(low, 49) ^ high ^ (high << 21 & _WORD), _rotate(high, 28))
        return out
