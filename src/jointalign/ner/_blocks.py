"""Files of a word a line, cut into sentences as they stand, without a look at what columns mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.files import open_text, read_lines
from jointalign.storage.lines import pieces

DOCUMENT = "-DOCSTART-"
"""Begins a line that marks a new document."""

_TAG = re.compile(r"O|[BIES]-\S+")

BLANKS = re.compile(r"[ \t\r]+")
"""What separates columns; a no-break space is part of a word."""


@dataclass(frozen=True)
class Block:
    """A sentence as it stands in a file.

    Args:
        rows: The cells of each word.
        numbers: The line of each word, from 1.
        before: The lines before it that are no words: marks, comments, empty ones.
    """

    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    before: tuple[str, ...] = ()


def blocks(path: str | Path, encoding: str = "utf-8") -> Iterator[Block]:
    """The sentences of a file one by one, as they stand there.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is no text of this encoding.
    """
    reader = _Reader()
    for number, line in _lines(path, encoding):
        if (block := reader.take(number, line)) is not None:
            yield block
    if (block := reader.take(0, "")) is not None:
        yield block


class _Reader:
    """Puts lines together to blocks."""

    def __init__(self) -> None:
        self._before: list[str] = []
        self._maybe: list[tuple[int, str, tuple[str, ...]]] = []
        self._rows: list[tuple[str, ...]] = []
        self._numbers: list[int] = []
        self._width: int | None = None  # columns of the words seen last

    def take(self, number: int, line: str) -> Block | None:
        """The sentence that ends with this line, if one does."""
        cells = tuple(cell for cell in BLANKS.split(line) if cell)
        if not cells:
            block = self._finished()
            if block is None:
                self._before.append("")
            return block
        if cells[0] == DOCUMENT:
            self._before.append(line)
        elif line.startswith("#") and not self._rows:
            self._maybe.append((number, line, cells))
        else:
            self._width = len(cells)
            self._decide()
            self._add(number, cells)
        return None

    def _add(self, number: int, cells: tuple[str, ...]) -> None:
        self._rows.append(cells)
        self._numbers.append(number)

    def _decide(self) -> None:
        """Whether lines that begin with `#` are words: if they have the columns of words.

        Where no word was seen yet, as above a header's empty line, if they end with a tag.
        """
        for number, line, cells in self._maybe:
            tagged = len(cells) > 1 and _TAG.fullmatch(cells[-1]) is not None
            if tagged if self._width is None else len(cells) == self._width:
                self._add(number, cells)
            else:
                self._before.append(line)
        self._maybe = []

    def _finished(self) -> Block | None:
        self._decide()
        if not self._rows:
            return None
        block = Block(tuple(self._rows), tuple(self._numbers), tuple(self._before))
        self._before, self._rows, self._numbers = [], [], []
        return block


def _lines(path: str | Path, encoding: str) -> Iterator[tuple[int, str]]:
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        yield from read_lines(path)
        return
    with open_text(path) as stream:
        for number, _, raw in pieces(stream, None, path):
            try:
                yield number, raw.decode(encoding)
            except LookupError:
                raise JointalignError(f"there is no encoding '{encoding}'; try utf-8 or latin-1") from None
            except UnicodeDecodeError as error:
                raise FormatError(path, number, f"expected {encoding}: {error}") from None
