"""What a way to fill a new vocabulary takes and gives; its subclasses hold one method a file.

An old model has a row for each token of its tokeniser. A new tokeniser has other tokens, and each of
their rows is made of old ones: a copy of one, a mean of several with weights, or, where nothing is known
of the token, a fallback. The same rows and weights serve for the input and for the output of a model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

import numpy as np

_NUMBERS_AT_ONCE = 1 << 22


class Copied(StrEnum):
    """Which new tokens take the row of an old one as it is."""

    SPECIAL = "special"
    """Those that mark beginnings, ends, gaps and padding."""

    SHARED = "shared"
    """These, and all that both vocabularies have."""


class Fallback(StrEnum):
    """The row of a token of which nothing is known."""

    RANDOM = "random"
    """Drawn from a normal distribution with the mean and deviation of the old rows, number by number."""

    MEAN = "mean"
    """The mean of the old rows."""


class Weights(NamedTuple):
    """Sources of each new token, one token after the other.

    Args:
        starts: Where each token's sources begin, and the end of the last, int64 `(m + 1,)`.
        sources: Numbers of old tokens, int64 `(w,)`.
        weights: What each counts, float64 `(w,)`; those of a token add up to one.
    """

    starts: np.ndarray
    sources: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, tokens: int, rows: np.ndarray, sources: np.ndarray, weights: np.ndarray) -> Weights:
        """From new tokens `(w,)` in rising order, an old token and a weight for each."""
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=tokens))])
        return cls(starts.astype(np.int64), sources.astype(np.int64), weights.astype(np.float64))

    @property
    def rows(self) -> np.ndarray:
        """The new token of each source, int64 `(w,)`."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class TransferMethod(ABC):
    """One method. Subclasses are frozen dataclasses whose fields are its settings, `copied` among them."""

    copied: Copied
    fallback: ClassVar[Fallback] = Fallback.RANDOM
    uses_space: ClassVar[bool] = True
    """Whether it goes by vectors of tokens at all."""

    @abstractmethod
    def fit(self, old: np.ndarray, new: np.ndarray, shared: np.ndarray) -> Weights:
        """Say what each new token is made of.

        Args:
            old: Vectors of old tokens, `(n, d)`; a row of zeros where there is none.
            new: Vectors of new tokens in the same space, `(m, d)`, likewise.
            shared: Tokens that both vocabularies have, new and old number, int64 `(p, 2)`, by new.

        Returns:
            Sources of each of the `m` tokens; none where the method knows nothing.
        """


@dataclass(frozen=True, eq=False)
class TokenMap:
    """What each token of a new vocabulary is made of.

    Args:
        old: Tokens of the old vocabulary, by number, as its tokeniser writes them.
        new: Those of the new one.
        weights: Sources of each new token; none for those left to the fallback.
        copied: Which new tokens take an old row as it is, bool `(m,)`.
        fallback: The row of the others.

    Example:
        >>> weights = Weights.of(3, np.array([0, 1, 1]), np.array([1, 0, 1]), np.array([1, 0.5, 0.5]))
        >>> token_map = TokenMap(("a", "b"), ("b", "ab", "?"), weights, np.array([True, False, False]))
        >>> token_map.apply(np.array([[0.0], [2.0]])).tolist(), token_map.sources("ab")
        ([[2.0], [1.0], [...]], [('a', 0.5), ('b', 0.5)])
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    weights: Weights
    copied: np.ndarray
    fallback: Fallback = Fallback.RANDOM

    def __repr__(self) -> str:
        counts = ", ".join(f"{number} {kind}" for kind, number in self.counts.items())
        return f"TokenMap({len(self.old)} to {len(self.new)} tokens: {counts})"

    @property
    def known(self) -> np.ndarray:
        """Which new tokens are made of old ones, bool `(m,)`."""
        return np.diff(self.weights.starts) > 0

    @property
    def counts(self) -> dict[str, int]:
        """How many tokens are copied, mapped, and left to the fallback."""
        known, copied = int(self.known.sum()), int(self.copied.sum())
        return {"copied": copied, "mapped": known - copied, "fallback": len(self.new) - known}

    def sources(self, token: str) -> list[tuple[str, float]]:
        """Old tokens that a new one is made of, with weights, the heaviest first."""
        return self.sources_of(self.new.index(token))

    def sources_of(self, number: int) -> list[tuple[str, float]]:
        """The same of a token by its number."""
        part = slice(*self.weights.starts[number : number + 2].tolist())
        pairs = zip(self.weights.sources[part].tolist(), self.weights.weights[part].tolist(), strict=True)
        return sorted(
            ((self.old[int(source)], float(weight)) for source, weight in pairs), key=lambda p: -p[1]
        )

    def items(self) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        """Each new token, by number, and its sources."""
        return ((token, self.sources_of(number)) for number, token in enumerate(self.new))

    def apply(self, matrix: np.ndarray, seed: int = 0) -> np.ndarray:
        """Rows of the new vocabulary from rows of the old one.

        Args:
            matrix: `(n, d)`, a row an old token, or `(n,)`, a number an old token.
            seed: Of the random fallback.

        Returns:
            `(m, d)` or `(m,)`, of the same type of numbers.
        """
        old = matrix.reshape(len(matrix), -1)
        rows = np.empty((len(self.new), old.shape[1]), matrix.dtype)
        step = max(1, _NUMBERS_AT_ONCE // max(1, old.shape[1]))
        self._fill_unknown(rows, old, np.random.default_rng(seed), step)
        starts, sources, weights = self.weights
        filled = np.flatnonzero(self.known)
        begin = 0
        while begin < len(filled):  # as many tokens at once as have so many sources
            most = starts[filled[begin]] + step
            end = max(begin + 1, int(np.searchsorted(starts[filled + 1], most, "right")))
            block = filled[begin:end]
            part = slice(starts[block[0]], starts[block[-1] + 1])
            weighted = old[sources[part]].astype(np.float64) * weights[part, None]
            rows[block] = np.add.reduceat(weighted, starts[block] - part.start, axis=0)
            begin = end
        return rows.reshape(len(self.new), *matrix.shape[1:])

    def _fill_unknown(
        self, rows: np.ndarray, old: np.ndarray, generator: np.random.Generator, step: int
    ) -> None:
        mean, deviation = old.mean(axis=0, dtype=np.float64), old.std(axis=0, dtype=np.float64)
        unknown = np.flatnonzero(~self.known)
        for begin in range(0, len(unknown), step):
            block = unknown[begin : begin + step]
            random = self.fallback is Fallback.RANDOM
            rows[block] = generator.normal(mean, deviation, (len(block), len(mean))) if random else mean
