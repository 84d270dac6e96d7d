"""Words and vectors while a file is read, whose true number of rows is known only at its end."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from jointalign.embedding import Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.storage.compression import COMPRESSIONS
from jointalign.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

_FIRST_ROWS = 4096
_FEW = 9  # words that may be damaged in a file of no other letters than ASCII
UNUSABLE = re.compile(r"[\t\n\r]")


_ENDS_WITH_FRACTION = re.compile(r" [-+]?\d*\.\d+(?:[eE][-+]?\d+)?$")


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
        self._unreadable: list[bytes] = []
        self._broken: list[str] = []
        self._numbered: list[str] = []
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

    @property
    def taken(self) -> int:
        """Rows that were seen, those left out, too."""
        return len(self) + self.duplicates + len(self._unreadable) + len(self._broken)

    def add(self, words: list[bytes]) -> None:
        """Take the first `len(words)` rows of `room()`, which have been filled.

        A word that is no UTF-8, as word2vec leaves those that it cuts at 100 bytes, or that holds a
        tab or the end of a line is left out.
        """
        held = len(self)
        kept = []
        for row, raw in enumerate(words):
            try:
                word = raw.decode()
            except UnicodeDecodeError:
                self._unreadable.append(raw)
                continue
            if word in self._words:
                self.duplicates += 1
            elif UNUSABLE.search(word):
                self._broken.append(word)
            else:
                if " " in word and _ENDS_WITH_FRACTION.search(word):
                    self._numbered.append(word)
                self._words[word] = None
                kept.append(row)
        if len(kept) < len(words):
            filled = self._vectors[held : held + len(words)]
            filled[: len(kept)] = filled[kept]

    def embedding(self) -> Embedding:
        """What was read; what was left out is reported in the log.

        Raises:
            FormatError: If there are as many words that are no UTF-8 as others beyond ASCII: then
                the file has another encoding.
        """
        if self._unreadable:
            self._check_encoding()
        if self._numbered:
            logger.warning(
                "%s: %d words end with a number, as %r; is there one too many on their lines?",
                self.path,
                len(self._numbered),
                self._numbered[0],
            )
        for number, why, example in (
            (self.duplicates, "because their word came before", ""),
            (len(self._unreadable), "because their word is no UTF-8", self._unreadable[:1]),
            (len(self._broken), "because their word holds a tab or the end of a line", self._broken[:1]),
        ):
            if number:
                shown = f", as {example[0]!r:.60}" if example else ""
                logger.warning("%s: %d rows left out %s%s", self.path, number, why, shown)
        return Embedding(Vocabulary(tuple(self._words)), self._vectors[: len(self)])

    def _check_encoding(self) -> None:
        readable = sum(not word.isascii() for word in self._words)
        if self._words and len(self._unreadable) <= max(readable, _FEW):
            return
        raise FormatError(
            self.path,
            None,
            f"expected words in UTF-8, got {len(self._unreadable)} that are not, as "
            f"{self._unreadable[0][:40]!r}; convert a text file: iconv -f latin1 -t utf-8 OLD > NEW (or "
            "whatever encoding it has)",
        )


def check_maximum(max_vocabulary: int | None) -> None:
    """Refuse a vocabulary of no words."""
    if max_vocabulary is not None and max_vocabulary < 1:
        raise JointalignError(f"expected a max_vocabulary of 1 or more, got {max_vocabulary}")


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
