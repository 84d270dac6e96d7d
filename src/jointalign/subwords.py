"""Character n-grams: vectors for words that were never seen (Bojanowski et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


def ngram_hashes(word: str, minimum: int, maximum: int, buckets: int) -> list[int]:
    """Buckets of a word's character n-grams, with the word's limits marked by `<` and `>`.

    The hash is 32-bit FNV-1a over UTF-8 bytes, each byte taken as signed, as in fastText, so that
    both agree on which n-grams collide. The whole word with its limits is not an n-gram of
    itself unless it is short enough to be one; single limits are none either.

    Example:
        >>> len(ngram_hashes("casa", 3, 6, 2_000_000))
        10
    """
    marked = f"<{word}>"
    hashes = []
    for start in range(len(marked)):
        for length in range(minimum, maximum + 1):
            end = start + length
            if end > len(marked):
                break
            if length == 1 and (start == 0 or end == len(marked)):
                continue
            hashes.append(_fnv(marked[start:end].encode("utf-8", "surrogateescape")) % buckets)
    return hashes


def _fnv(data: bytes) -> int:
    value = 2166136261
    for byte in data:
        value ^= byte if byte < 128 else byte | 0xFFFFFF00
        value = value * 16777619 & 0xFFFFFFFF
    return value


@dataclass(frozen=True, eq=False)
class Move:
    """What an alignment does to a vector: make it length one and subtract, then multiply.

    Args:
        matrix: `(d, e)`.
        means: Subtracted one after the other, `(s, d)`, the vector being made length one before
            the first and after each; none of it if `s` is 0.
    """

    matrix: np.ndarray
    means: np.ndarray

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        """Move one vector, `(d,)` to `(e,)`."""
        if len(self.means):
            vector = _unit(vector)
            for mean in self.means:
                vector = _unit(vector - mean)
        return (vector @ self.matrix).astype(np.float32)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / (np.linalg.norm(vector) or 1.0)


@dataclass(frozen=True, eq=False)
class SubwordTable:
    """Vectors of the character n-grams that occur, and how to build a word from them.

    Args:
        buckets_used: Sorted bucket numbers, uint32 `(g,)`.
        vectors: One row per bucket, float32 `(g, d)`.
        minimum: Shortest n-gram, in characters.
        maximum: Longest n-gram, in characters.
        buckets: Size of the hash space.
        moves: Put after the mean, e.g. by alignments, in this order. Kept apart so that aligning
            costs no copy of the table.
    """

    buckets_used: np.ndarray
    vectors: np.ndarray
    minimum: int = 3
    maximum: int = 6
    buckets: int = 2_000_000
    moves: tuple[Move, ...] = ()

    def vector(self, word: str) -> np.ndarray | None:
        """Mean of the vectors of a word's n-grams, moved, `(e,)`; `None` if none is known."""
        hashes = np.asarray(ngram_hashes(word, self.minimum, self.maximum, self.buckets), np.uint32)
        if not len(hashes) or not len(self.buckets_used):
            return None
        known = np.isin(hashes, self.buckets_used)
        if not known.any():
            return None
        rows = np.searchsorted(self.buckets_used, hashes[known])
        vector = self.vectors[rows].mean(axis=0, dtype=np.float32)
        for move in self.moves:
            vector = move(vector)
        return vector

    def moved(self, matrix: np.ndarray, means: Sequence[np.ndarray] = ()) -> SubwordTable:
        """The same n-grams after one more move: `matrix`, `(e, f)`, and `means`, each `(e,)`."""
        rows = np.reshape(np.asarray(means, np.float32), (len(means), len(matrix)))
        if self.moves and not len(means):
            last = self.moves[-1]
            return replace(self, moves=(*self.moves[:-1], Move(last.matrix @ matrix, last.means)))
        return replace(self, moves=(*self.moves, Move(matrix, rows)))
