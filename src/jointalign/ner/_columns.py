"""Which column of a file holds the words, and which the tags."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import FormatError
from jointalign.ner._blocks import Block
from jointalign.ner.base import OUTSIDE, Sentence

logger = logging.getLogger(__name__)

_LABEL = re.compile(r"O|[BIESLUMW]-\S+")
_BARE = re.compile(r"O|(?![BIESLUMW]_)[A-Z][A-Z_]*")  # among prefixed ones it is a slip: IPER
_KINDS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "W": "S"}
_PREFIX = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*:(?=.)")

LOOKED_AT = 200
"""Sentences that columns are found from."""


@dataclass(frozen=True)
class Columns:
    """Which column is which, from 0; `tag` is `None` where there are no tags.

    `prefix` is what all words begin with and is none of theirs: `en:`, as WikiANN has it.
    """

    word: int = 0
    tag: int | None = None
    prefix: str = ""


def is_label(cell: str) -> bool:
    """Whether this is a tag as files have them, those of BILOU, BMES and BMEWO among them."""
    return _LABEL.fullmatch(cell) is not None


def as_tag(cell: str) -> str:
    """The tag of `ner.base` that a file's means; a bare type, or a bare `B` or `I`, is one, too."""
    if cell == OUTSIDE:
        return cell
    kind, dash, type_ = cell.partition("-")
    if not dash:
        return f"{_KINDS[cell]}-ENTITY" if cell in _KINDS else f"I-{cell}"
    return f"{_KINDS[kind]}-{type_}"


def columns_of(
    path: str | Path,
    found: Sequence[Block],
    word_column: int | None = None,
    tag_column: int | None = None,
    tagged: bool = True,
) -> Columns:
    """Find out which column is which.

    Args:
        path: For messages.
        found: Some sentences.
        word_column: Where it is known.
        tag_column: Where it is known.
        tagged: Whether there must be tags.

    Raises:
        FormatError: If there is no such column.
    """
    width = len(found[0].rows[0])
    for name, column in (("word", word_column), ("tag", tag_column)):
        if column is not None and not 0 <= column < width:
            reason = f"there is no column {column} for the {name}; columns are 0 to {width - 1}"
            raise FormatError(path, found[0].numbers[0], reason)
    prefix = _prefix(path, found, word_column)
    numbered = width > 1 and all(_is_counted(block) for block in found)
    candidates = [column for column in range(width) if _holds_tags(found, column)]
    if numbered and candidates == [1] and width == 2:
        numbered = False  # words that happen to be numbers
    word = (1 if numbered else 0) if word_column is None else word_column
    if tag_column is not None or not tagged:
        return Columns(word, tag_column, prefix)
    candidates = [column for column in candidates if column > word]
    if not candidates:
        candidates = [c for c in range(word + 1, width) if holds_bare_tags(found, c)]
    if not candidates:
        _check_nearly(path, found, word)
        cells = " | ".join(found[0].rows[0])
        reason = (
            "expected a column of tags such as O, B-PER or I-LOC after the words, "
            f"got {cells}; name it with the tag column"
        )
        raise FormatError(path, found[0].numbers[0], reason)
    # Chunks (B-NP) look like entities and come before them; inner entities, in files whose words
    # are counted, come after the outer ones.
    return Columns(word, candidates[0] if numbered else candidates[-1], prefix)


def words_of(block: Block, columns: Columns) -> Sentence:
    """The words of a sentence, without tags."""
    prefix = columns.prefix
    words = (row[columns.word] for row in block.rows)
    return Sentence(tuple(word.removeprefix(prefix) or word for word in words))


def _prefix(path: str | Path, found: Sequence[Block], column: int | None) -> str:
    words = [row[column or 0] for block in found for row in block.rows if len(row) > (column or 0)]
    first = _PREFIX.match(words[0]) if len(words) > 1 else None
    if first is None or not all(word.startswith(first[0]) for word in words):
        return ""
    logger.warning("%s: every word begins with '%s', which is taken off", path, first[0])
    return first[0]


def _is_counted(block: Block) -> bool:
    first = block.rows[0][0]
    return first in ("0", "1") and all(
        row[0] == str(place) for place, row in enumerate(block.rows, int(first))
    )


def holds_bare_tags(found: Sequence[Block], column: int) -> bool:
    """Whether a column has names of types, and `O` between them."""
    cells = {row[column] for block in found for row in block.rows if column < len(row)}
    return OUTSIDE in cells and all(_BARE.fullmatch(cell) for cell in cells)


def _check_nearly(path: str | Path, found: Sequence[Block], word: int) -> None:
    """Name the line of a column of tags but for a few cells."""
    for column in range(len(found[0].rows[0]) - 1, word, -1):
        cells = [
            (number, row[column])
            for block in found
            for number, row in zip(block.numbers, block.rows, strict=True)
            if column < len(row)
        ]
        odd = [(number, cell) for number, cell in cells if not is_label(cell)]
        if odd and 2 * len(odd) <= len(cells):
            number, cell = odd[0]
            reason = f"expected a tag such as O, B-PER or I-LOC in column {column}, got '{cell}'"
            raise FormatError(path, number, f"{reason}; correct it")


def _holds_tags(found: Sequence[Block], column: int) -> bool:
    cells = {row[column] for block in found for row in block.rows if column < len(row)}
    return bool(cells) and all(map(is_label, cells))
