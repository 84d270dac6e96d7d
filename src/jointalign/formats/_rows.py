"""Words and vectors while a file is read, whose true number of rows is known only at its end."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from jointalign.embedding import Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.storage.compression import COMPRESSIONS
from jointalign.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

_FIRST_ROWS = 4096


class Rows:
    """Words with vectors, added block by block; of a word that comes again, the first row stays.

    Args:
        path: The file, for messages.
        dimensions: Length of each vector.
        announced: Number of rows the file's header speaks of; `None` without header. It decides
            how much memory is asked for at first, never how many rows are taken.
        maximum: Take this many rows and no more; `None` for all.
    """

    def __init__(self, path: str | Path, dimensions: int, announced: int | None, maximum: int | None) -> None:
        self.path = path
        self.maximum = maximum
        self.duplicates = 0
        self._words: dict[str, None] = {}
        size = _FIRST_ROWS if announced is None else min(announced, _most_rows(path, dimensions))
        self._vectors = np.empty((min(size, maximum or size), dimensions), np.float32)

    def __len__(self) -> int:
        return len(self._words)

    @property
    def full(self) -> bool:
        """Whether `maximum` is reached."""
        return self.maximum is not None and len(self) >= self.maximum

    def room(self) -> np.ndarray:
        """Where the next rows go, float32 `(at least 1, d)`; valid until the next call."""
        size, held = len(self._vectors), len(self)
        if held == size:
            size = max(size + size // 2, _FIRST_ROWS)
            grown = np.empty((size, self._vectors.shape[1]), np.float32)
            grown[:held] = self._vectors
            self._vectors = grown
        return self._vectors[held : self.maximum]

    def add(self, words: list[str]) -> None:
        """Take the first `len(words)` rows of `room()`, which have been filled."""
        held = len(self)
        kept = []
        for row, word in enumerate(words):
            if word not in self._words:
                self._words[word] = None
                kept.append(row)
        if len(kept) < len(words):
            self.duplicates += len(words) - len(kept)
            filled = self._vectors[held : held + len(words)]
            filled[: len(kept)] = filled[kept]

    def embedding(self) -> Embedding:
        """What was read; duplicates are reported in the log."""
        if self.duplicates:
            logger.warning("%s: %d rows left out because their word came before", self.path, self.duplicates)
        return Embedding(Vocabulary(tuple(self._words)), self._vectors[: len(self)])


def check_maximum(max_vocabulary: int | None) -> None:
    """Refuse a vocabulary of no words."""
    if max_vocabulary is not None and max_vocabulary < 1:
        raise JointalignError(f"expected a max_vocabulary of 1 or more, got {max_vocabulary}")


def decode_word(path: str | Path, line: int | None, word: bytes) -> str:
    """A word from UTF-8; a `FormatError` if it is not."""
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise FormatError(
            path,
            line,
            f"expected a word in UTF-8, got {word[:40]!r}; drop such bytes, in a text file with: "
            "iconv -f utf-8 -t utf-8 -c OLD > NEW",
        ) from None


def encode_words(path: str | Path, words: Iterable[str]) -> list[bytes]:
    """Words as UTF-8; a `JointalignError` for half a character (a lone surrogate)."""
    words = list(words)
    try:
        return [word.encode() for word in words]
    except UnicodeEncodeError as error:
        raise JointalignError(
            f"{path}: the word {error.object!r} is not valid Unicode; leave it out with `take`"
        ) from None


def _most_rows(path: str | Path, dimensions: int) -> int:
    """More rows than a file can hold, so that a wrong header does not use up the memory."""
    if str(path) == "-":
        return _FIRST_ROWS
    expansion = 16 if Path(path).suffix.lower() in COMPRESSIONS else 1
    return Path(path).stat().st_size * expansion // (2 * dimensions) + 1
