"""Reproducible chance: the same seed and label give the same draws on every machine and in every language.

Draws come from SHA-256 over `seed`, `label` and a counter, not from Python's generator, so that a stranger can
recompute which variant a candidate saw.
"""

from collections.abc import Iterable
from fractions import Fraction
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")
Seed = int | str


class Chance:
    """A stream of draws named by (seed, label)."""

    def __init__(self, seed: Seed, label: str) -> None:
        self._prefix = f"{seed}\x1f{label}\x1f".encode()
        self._count = 0

    def bits(self) -> int:
        """The next 256 bits."""
        self._count += 1
        return int.from_bytes(sha256(self._prefix + str(self._count).encode()).digest())

    def below(self, bound: int) -> int:
        """Uniform on 0 … bound − 1, without modulo bias; bound from 1 to 2**200."""
        if not 1 <= bound <= 1 << 200:
            raise ValueError("The number of possibilities must be from 1 to 2**200.")
        limit = (1 << 256) - (1 << 256) % bound
        while True:
            draw = self.bits()
            if draw < limit:
                return draw % bound

    def fraction(self) -> Fraction:
        """Uniform on [0, 1), a multiple of 2**-53 (every value is also a float)."""
        return Fraction(self.bits() >> 203, 1 << 53)


def shuffled(values: Iterable[T], seed: Seed, label: str) -> list[T]:
    """A Fisher-Yates permutation of `values`."""
    result = list(values)
    chance = Chance(seed, label)
    for i in range(len(result) - 1, 0, -1):
        j = chance.below(i + 1)
        result[i], result[j] = result[j], result[i]
    return result


def shuffled_around(values: list[T], fixed: list[bool], seed: Seed, label: str) -> list[T]:
    """The same, but the values marked as fixed keep their places."""
    moving = iter(shuffled((v for v, f in zip(values, fixed, strict=True) if not f), seed, label))
    return [value if stays else next(moving) for value, stays in zip(values, fixed, strict=True)]
