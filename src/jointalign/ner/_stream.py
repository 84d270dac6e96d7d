"""Text in, tagged text out, as a stream: memory holds some thousand sentences at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jointalign.errors import FormatError
from jointalign.files import read_lines
from jointalign.ner._blocks import Block, blocks
from jointalign.ner._columns import columns_of, words_of
from jointalign.ner.base import Sentence
from jointalign.tokenization import tokenizer

AT_ONCE = 4000
"""Sentences tagged together: enough for batches of like length."""

Tag = Callable[[Sequence[Sentence]], Sequence[Sentence]]
_Item = TypeVar("_Item")


def tagged_lines(
    tag: Tag, path: str | Path, language: str, tokenized: bool = False
) -> Iterator[tuple[str, Sentence]]:
    """Tag a text of one sentence a line; lines without a word give no sentence.

    Args:
        tag: Tags sentences.
        path: Of the text; `-` for the standard input.
        language: Its words are cut out by the rules of this language, their case kept.
        tokenized: Whether they are cut already, at white space.

    Returns:
        For each sentence, `word TAG` lines with an empty one at the end, and the sentence.
    """
    cut = str.split if tokenized else tokenizer(language, lowercase=False)
    found = (Sentence(tuple(words)) for _, line in read_lines(path) if (words := cut(line)))
    for part in _parts(found):
        for sentence in tag(part):
            pairs = zip(sentence.words, sentence.tags or (), strict=True)
            yield "".join(f"{word} {tag}\n" for word, tag in pairs) + "\n", sentence


def tagged_blocks(
    tag: Tag, path: str | Path, encoding: str = "utf-8", word_column: int | None = None
) -> Iterator[tuple[str, Sentence]]:
    """Tag a file of a word a line; its lines stay as they are, with the tag as a further column.

    Args:
        tag: Tags sentences.
        path: Of the file; `-` for the standard input.
        encoding: Of the file.
        word_column: Column of the words, from 0; default: found out.

    Returns:
        For each sentence, its lines, those before it that are no words, and the sentence.

    Raises:
        FormatError: If a line has no such column.
    """
    columns = None
    for part in _parts(blocks(path, encoding)):
        if columns is None:
            columns = columns_of(path, part, word_column, tagged=False)
        for block in part:
            _check(path, block, columns.word)
        tagged = tag([words_of(block, columns) for block in part])
        for block, sentence in zip(part, tagged, strict=True):
            marks = "".join(f"{line}\n" for line in block.before)
            rows = zip(block.rows, sentence.tags or (), strict=True)
            yield marks + "".join(f"{' '.join(row)} {tag}\n" for row, tag in rows) + "\n", sentence


def _check(path: str | Path, block: Block, column: int) -> None:
    for number, row in zip(block.numbers, block.rows, strict=True):
        if len(row) <= column:
            reason = f"expected a word in column {column}, got {' '.join(row)}"
            raise FormatError(path, number, reason)


def _parts(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    waiting = iter(items)
    while part := list(islice(waiting, AT_ONCE)):
        yield part
