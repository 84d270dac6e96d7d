"""Character n-grams: vectors for words that were never seen (Bojanowski et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

_ROWS_AT_ONCE = 1 << 14


def ngram_hashes(word: str, minimum: int, maximum: int, buckets: int) -> list[int]:
    """Buckets of a word's character n-grams, as `hash_ngrams` has them.

    Example:
        >>> len(ngram_hashes("casa", 3, 6, 2_000_000))
        10
    """
    return hash_ngrams([word], minimum, maximum, buckets)[1].tolist()


def hash_ngrams(
    words: Sequence[str], minimum: int, maximum: int, buckets: int
) -> tuple[np.ndarray, np.ndarray]:
    """Buckets of the character n-grams of words whose limits are marked by `<` and `>`.

    The hash is 32-bit FNV-1a over UTF-8 bytes, each byte taken as signed, as in fastText, so that
    both agree on which n-grams collide. The whole word with its limits is not an n-gram of
    itself unless it is short enough to be one; single limits are none either.

    Args:
        words: Any; bytes that are no UTF-8 as `surrogateescape` has them.
        minimum: Shortest n-gram, in characters.
        maximum: Longest n-gram, in characters.
        buckets: Size of the hash space.

    Returns:
        Number of n-grams of each word, int64 `(n,)`, and their buckets, uint32, word after word, each
        by where it begins and then by its length.

    Example:
        >>> counts, buckets = hash_ngrams(["cat", "a"], 3, 3, 1000)
        >>> counts.tolist(), buckets.shape  # <ca, cat, at>; <a>
        ([3, 1], (4,))
    """
    marked = [b"<%b>" % word.encode("utf-8", "surrogateescape") for word in words]
    sizes = np.fromiter(map(len, marked), np.int64, len(marked))
    data = np.frombuffer(b"".join(marked), np.uint8)
    begins = data & 0xC0 != 0x80  # the first byte of a character
    starts = np.flatnonzero(begins)
    word = np.repeat(np.arange(len(marked)), sizes)[starts]
    ends = np.cumsum(sizes)[word]
    characters = np.bincount(word, minlength=len(marked))
    signed = np.append(data.astype(np.int8).astype(np.uint32), np.uint32(0))
    inside = np.append(~begins, False)
    at, value = starts, np.full(len(starts), 2166136261, np.uint32)
    hashes, found = [], []
    for length in range(1, min(maximum, characters.max(initial=0)) + 1):
        is_ngram = at < ends
        value = (value ^ signed[at]) * np.uint32(16777619)
        at = np.minimum(at + 1, len(data))
        while len(more := np.flatnonzero(inside[at] & is_ngram)):
            value[more] = (value[more] ^ signed[at[more]]) * np.uint32(16777619)
            at[more] += 1
        if length == 1:
            is_ngram &= (starts > ends - sizes[word]) & (at < ends)
        if length >= minimum:
            hashes.append((value % np.uint64(buckets)).astype(np.uint32))
            found.append(is_ngram)
    if not hashes:
        return np.zeros(len(marked), np.int64), np.zeros(0, np.uint32)
    chosen = np.stack(found, axis=1)
    counts = np.bincount(word, chosen.sum(axis=1), len(marked)).astype(np.int64)
    return counts, np.stack(hashes, axis=1)[chosen]


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
        _, _, rows = self._rows([word])
        if not len(rows):
            return None
        vector = self.vectors[rows].mean(axis=0, dtype=np.float32)
        for move in self.moves:
            vector = move(vector)
        return vector

    def sums(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the n-grams of many words add up to, before any move.

        Returns:
            Sums of the rows, float32 `(n, d)`; how many rows each is the sum of, and how many
            n-grams the word has, known or not, int64 `(n,)` each.
        """
        counts, known, rows = self._rows(words)
        sums = np.zeros((len(words), self.vectors.shape[1]), np.float32)
        owners = np.repeat(np.arange(len(words)), known)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            block = slice(start, start + _ROWS_AT_ONCE)
            first = np.flatnonzero(np.diff(owners[block], prepend=-1))
            sums[owners[block][first]] += np.add.reduceat(self.vectors[rows[block]], first, axis=0)
        return sums, known, counts

    def _rows(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """N-grams of each word, `(n,)`, those with a row, `(n,)`, and these rows, word after word."""
        counts, hashes = hash_ngrams(words, self.minimum, self.maximum, self.buckets)
        if not len(self.buckets_used):
            return counts, np.zeros_like(counts), np.zeros(0, np.int64)
        rows = np.minimum(np.searchsorted(self.buckets_used, hashes), len(self.buckets_used) - 1)
        found = self.buckets_used[rows] == hashes
        owners = np.repeat(np.arange(len(words)), counts)
        return counts, np.bincount(owners[found], minlength=len(words)), rows[found]

    def moved(self, matrix: np.ndarray, means: Sequence[np.ndarray] = ()) -> SubwordTable:
        """The same n-grams after one more move: `matrix`, `(e, f)`, and `means`, each `(e,)`."""
        rows = np.reshape(np.asarray(means, np.float32), (len(means), len(matrix)))
        if self.moves and not len(means):
            last = self.moves[-1]
            return replace(self, moves=(*self.moves[:-1], Move(last.matrix @ matrix, last.means)))
        return replace(self, moves=(*self.moves, Move(matrix, rows)))
