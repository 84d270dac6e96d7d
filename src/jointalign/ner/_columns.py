"""Which column of a file holds the words, and which the tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import FormatError
from jointalign.ner._blocks import Block
from jointalign.ner.base import Sentence, is_tag

LOOKED_AT = 200
"""Sentences that columns are found from."""


@dataclass(frozen=True)
class Columns:
    """Which column is which, from 0; `tag` is `None` where there are no tags."""

    word: int = 0
    tag: int | None = None


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
    numbered = width > 1 and all(_is_counted(block) for block in found)
    candidates = [column for column in range(width) if _holds_tags(found, column)]
    if numbered and candidates == [1] and width == 2:
        numbered = False  # words that happen to be numbers
    word = (1 if numbered else 0) if word_column is None else word_column
    if tag_column is not None or not tagged:
        return Columns(word, tag_column)
    candidates = [column for column in candidates if column > word]
    if not candidates:
        cells = " | ".join(found[0].rows[0])
        reason = (
            "expected a column of tags such as O, B-PER or I-LOC after the words, "
            f"got {cells}; name it with the tag column"
        )
        raise FormatError(path, found[0].numbers[0], reason)
    # Chunks (B-NP) look like entities and come before them; inner entities, in files whose words
    # are counted, come after the outer ones.
    return Columns(word, candidates[0] if numbered else candidates[-1])


def words_of(block: Block, columns: Columns) -> Sentence:
    """The words of a sentence, without tags."""
    return Sentence(tuple(row[columns.word] for row in block.rows))


def _is_counted(block: Block) -> bool:
    first = block.rows[0][0]
    return first in ("0", "1") and all(
        row[0] == str(place) for place, row in enumerate(block.rows, int(first))
    )


def _holds_tags(found: Sequence[Block], column: int) -> bool:
    cells = {row[column] for block in found for row in block.rows if column < len(row)}
    return bool(cells) and all(is_tag(cell) for cell in cells)
