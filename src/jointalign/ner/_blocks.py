"""Files of a word a line, cut into sentences as they stand, without a look at what columns mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.files import open_text, read_lines
from jointalign.storage.lines import pieces

DOCUMENT = "-DOCSTART-"
"""Begins a line that marks a new document."""

_TAG = re.compile(r"O|[BIESLUMW]-\S+")

BLANKS = re.compile(r"[ \t\r]+")
"""What separates columns, in lines without tabs; a no-break space is part of a word."""

_COMMENT = re.compile(r"# ?(?:id|text|sent_id|doc_id|newdoc|newpar|domain|global\.columns)\b|#[^\t]*=")


@dataclass(frozen=True)
class Block:
    """A sentence as it stands in a file.

    Args:
        rows: The cells of each word.
        numbers: The line of each word, from 1.
        lines: The line of each word, as it is.
        before: The lines before it that are no words: marks, comments, empty ones.
    """

    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    lines: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    def with_tags(self, tags: Sequence[str]) -> str:
        """The lines as they are, each with a tag as a further column, and an empty one at the end."""
        marks = "".join(f"{line}\n" for line in self.before)
        rows = zip(self.lines, tags, strict=True)
        return marks + "".join(f"{line}{_separator(line)}{tag}\n" for line, tag in rows) + "\n"


def _separator(line: str) -> str:
    return "\t" if "\t" in line else " "


def cells_of(line: str) -> tuple[str, ...]:
    """The columns of a line: what tabs part, where there are any, so that words may hold blanks."""
    if "\t" in line.strip():
        return tuple(cell.strip(" \r") for cell in line.strip(" \t\r").split("\t"))
    return tuple(cell for cell in BLANKS.split(line) if cell)


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
        self._lines: list[str] = []
        self._width: int | None = None  # columns of the words seen last

    def take(self, number: int, line: str) -> Block | None:
        """The sentence that ends with this line, if one does."""
        cells = cells_of(line)
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
            self._add(number, line, cells)
        return None

    def _add(self, number: int, line: str, cells: tuple[str, ...]) -> None:
        self._lines.append(line.rstrip(" \t\r"))
        self._rows.append(cells)
        self._numbers.append(number)

    def _decide(self) -> None:
        """Whether lines that begin with `#` are words: if they have the columns of words.

        Where no word was seen yet, as above a header's empty line, if they end with a tag.
        """
        for number, line, cells in self._maybe:
            tagged = len(cells) > 1 and _TAG.fullmatch(cells[-1]) is not None
            is_word = tagged if self._width is None else len(cells) == self._width
            if is_word and (tagged or not _COMMENT.match(line)):
                self._add(number, line, cells)
            else:
                self._before.append(line)
        self._maybe = []

    def _finished(self) -> Block | None:
        self._decide()
        if not self._rows:
            return None
        block = Block(tuple(self._rows), tuple(self._numbers), tuple(self._lines), tuple(self._before))
        self._before, self._rows, self._numbers, self._lines = [], [], [], []
        return block


def _lines(path: str | Path, encoding: str) -> Iterator[tuple[int, str]]:
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        yield from read_lines(path)
        return
    with open_text(path) as stream:
        for number, _, raw, _ in pieces(stream, None, path):
            try:
                yield number, raw.decode(encoding)
            except LookupError:
                raise JointalignError(f"there is no encoding '{encoding}'; try utf-8 or latin-1") from None
            except UnicodeDecodeError as error:
                raise FormatError(path, number, f"expected {encoding}: {error}") from None
