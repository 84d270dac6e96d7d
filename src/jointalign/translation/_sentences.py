"""Sentences as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences as numbers.

    Args:
        tokens: All tokens, one sentence after the other, int32 `(t,)`, without start and end.
        words: Number of the word, within its sentence, that each token is a piece of, int32 `(t,)`.
        ends: Number of tokens up to the end of each sentence, int64 `(n,)`.
    """

    tokens: np.ndarray
    words: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each sentence, int64 `(n,)`."""
        return np.diff(self.ends, prepend=0)

    @classmethod
    def of(cls, rows: Sequence[np.ndarray], words: Sequence[np.ndarray] | None = None) -> Sentences:
        """Put sentences together; without `words` each token is a word."""
        words = [np.arange(len(row)) for row in rows] if words is None else words
        empty = np.zeros(0, np.int32)
        return cls(
            np.concatenate([empty, *rows]).astype(np.int32),
            np.concatenate([empty, *words]).astype(np.int32),
            np.cumsum([len(row) for row in rows], dtype=np.int64),
        )

    def __iter__(self) -> Iterator[np.ndarray]:
        start = 0
        for end in self.ends.tolist():
            yield self.tokens[start:end]
            start = end

    def take(self, rows: np.ndarray) -> Sentences:
        """Some sentences, in the order given."""
        lengths, ends = self.lengths[rows], self.ends[rows]
        new_ends = np.cumsum(lengths)
        # Where each token was: its place in the result, moved by as much as its sentence was.
        chosen = np.arange(lengths.sum()) + np.repeat(ends - new_ends, lengths)
        return Sentences(self.tokens[chosen], self.words[chosen], new_ends)
