"""Which words there are, how often each occurs, and which row each has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from jointalign.checks import check_fields
from jointalign.errors import JointalignError


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written to; the array itself still can."""
    view = array.view()
    view.setflags(write=False)
    return view


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each word occurs in one corpus.

    Args:
        words: Distinct words, by falling count (ties: by the word itself).
        values: The counts, int64 `(n,)`, same order; kept as a read-only view, not copied.
        lines: Number of non-empty lines of the corpus.

    Raises:
        JointalignError: If lengths differ or a word occurs twice.

    Example:
        >>> counts = Counts.from_pairs([("house", 2), ("the", 5)])
        >>> counts["house"], counts["castle"], counts.total, counts.words
        (2, 0, 7, ('the', 'house'))
    """

    words: tuple[str, ...]
    values: np.ndarray
    lines: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if len(self.words) != len(self.values):
            raise JointalignError(f"{len(self.words)} words but {len(self.values)} counts")
        if len(self.rows) != len(self.words):
            raise JointalignError("a word occurs twice in the counts; add its counts up first")
        object.__setattr__(self, "values", read_only(self.values))

    def __repr__(self) -> str:
        return f"Counts({len(self)} words, {self.total} tokens)"

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, int]], lines: int = 0) -> Counts:
        """Sort (word, count) pairs by falling count, ties by the word."""
        ordered = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
        values = np.array([count for _, count in ordered], dtype=np.int64)
        return cls(tuple(word for word, _ in ordered), values, lines)

    @cached_property
    def total(self) -> int:
        """Number of tokens: T in eq. (5) of the paper."""
        return int(self.values.sum())

    @cached_property
    def rows(self) -> dict[str, int]:
        """Word -> position in `words`."""
        return {word: row for row, word in enumerate(self.words)}

    def __getitem__(self, word: str) -> int:
        """Count of a word; 0 for a word never seen."""
        row = self.rows.get(word)
        return 0 if row is None else int(self.values[row])

    def __contains__(self, word: object) -> bool:
        return word in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def of(self, words: Sequence[str]) -> np.ndarray:
        """Counts of many words, int64 `(len(words),)`; 0 for words never seen."""
        rows, values = self.rows, self.values
        found = np.fromiter((rows.get(word, -1) for word in words), np.int64, len(words))
        if not len(values):
            return np.zeros(len(words), np.int64)
        return np.where(found >= 0, values[found], 0)


class SpellingRule(Hashable, Protocol):
    """A rule of spelling, such as `tokenization.Spelling`."""

    def speller(self) -> Callable[[str], str]:
        """The function that spells a word."""
        ...


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words in row order, by falling frequency, with their counts.

    Args:
        words: Distinct words; row `i` of the vectors belongs to `words[i]`.
        counts: Occurrences of each word in the corpus it comes from, int64 `(n,)`. Files without
            counts (`.vec`) get zeros: their order alone then carries the frequency. Kept as a
            read-only view, not copied.

    Raises:
        JointalignError: If lengths differ or a word occurs twice.

    Example:
        >>> vocabulary = Vocabulary(("the", "house"))
        >>> vocabulary.row("house"), "castle" in vocabulary, len(vocabulary)
        (1, False, 2)
    """

    words: tuple[str, ...]
    counts: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.counts is None:
            object.__setattr__(self, "counts", np.zeros(len(self.words), np.int64))
        check_fields(self)
        if len(self.words) != len(self.counts):
            raise JointalignError(f"{len(self.words)} words but {len(self.counts)} counts")
        if doubles := len(self.words) - len(self.rows):
            raise JointalignError(f"{doubles} words occur more than once in the vocabulary")
        object.__setattr__(self, "counts", read_only(self.counts))

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words)"

    @cached_property
    def rows(self) -> dict[str, int]:
        """Word -> row."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def _spelt(self) -> dict[SpellingRule, dict[str, int]]:
        return {}

    def by_spelling(self, spelling: SpellingRule) -> dict[str, int]:
        """Spelling -> row of the first word that is so spelt; worked out once.

        Args:
            spelling: The rule, `tokenization.Spelling`.

        Example:
            >>> from jointalign.corpora.tokenization import Spelling
            >>> Vocabulary(("Haus", "haus", "Café")).by_spelling(Spelling("de"))
            {'haus': 0, 'café': 2}
        """
        found = self._spelt.get(spelling)
        if found is None:
            found = {}
            for row, spelt in enumerate(map(spelling.speller(), self.words)):
                found.setdefault(spelt, row)
            self._spelt[spelling] = found
        return found

    def spelt(self, spelling: SpellingRule) -> tuple[int, int]:
        """How many words a rule spells in another way, and how many it merges with an earlier word.

        The latter are found by no spelling: of several words of one spelling the first is.

        Example:
            >>> from jointalign.corpora.tokenization import Spelling
            >>> Vocabulary(("Haus", "haus", "Café")).spelt(Spelling("de"))
            (2, 1)
        """
        spell = spelling.speller()
        respelt = sum(spell(word) != word for word in self.words)
        return respelt, len(self.words) - len(self.by_spelling(spelling))

    def row(self, word: str) -> int | None:
        """Row of a word, `None` if it is not in the vocabulary."""
        return self.rows.get(word)

    def __contains__(self, word: object) -> bool:
        return word in self.rows

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: np.ndarray) -> Vocabulary:
        """The words of some rows, in the order given."""
        words = self.words
        return Vocabulary(tuple(words[row] for row in rows.tolist()), self.counts[rows])
