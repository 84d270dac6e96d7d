"""Text in, tagged text out, as a stream: memory holds some thousand sentences at a time.

Text that is no text may have no ends of sentences. So parts have a greatest number of words, too,
and longer sentences than any real one are tagged in pieces.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from jointalign.corpora.tokenization import parted, tokenizer
from jointalign.errors import FormatError
from jointalign.ner._blocks import Block, blocks
from jointalign.ner._columns import columns_of, words_of
from jointalign.ner.base import Sentence
from jointalign.storage.files import read_lines

logger = logging.getLogger(__name__)

AT_ONCE, WORDS_AT_ONCE = 4000, 200_000
"""Sentences, and about so many words, tagged together: enough for batches of like length."""

LONGEST = 5000
"""Words of a sentence that are tagged together; the longest of the CoNLL files has 1,238."""

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
    cut = parted if tokenized else tokenizer(language, lowercase=False)
    found = (Sentence(tuple(words)) for _, line in read_lines(path) if (words := cut(line)))
    for part in _parts(found, len):
        for sentence in _tagged(tag, part):
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
    for part in _parts(blocks(path, encoding), lambda block: len(block.rows)):
        if columns is None:
            columns = columns_of(path, part, word_column, tagged=False)
        for block in part:
            _check(path, block, columns.word)
        tagged = _tagged(tag, [words_of(block, columns) for block in part])
        for block, sentence in zip(part, tagged, strict=True):
            yield block.with_tags(sentence.tags or ()), sentence


def _check(path: str | Path, block: Block, column: int) -> None:
    for number, row in zip(block.numbers, block.rows, strict=True):
        if len(row) <= column:
            reason = f"expected a word in column {column}, got {' '.join(row)}"
            raise FormatError(path, number, reason)


def _parts(items: Iterable[_Item], words: Callable[[_Item], int]) -> Iterator[list[_Item]]:
    part: list[_Item] = []
    count = 0
    for item in items:
        part.append(item)
        count += words(item)
        if len(part) == AT_ONCE or count >= WORDS_AT_ONCE:
            yield part
            part, count = [], 0
    if part:
        yield part


def _tagged(tag: Tag, sentences: Sequence[Sentence]) -> Iterator[Sentence]:
    """Tag sentences; those of too many words in pieces, after which they are whole again."""
    pieces = [list(_pieces(sentence)) for sentence in sentences]
    tagged = iter(tag([piece for row in pieces for piece in row]))
    for sentence, row in zip(sentences, pieces, strict=True):
        if len(row) > 1:
            logger.warning(
                "a sentence of %d words, '%s ...', was tagged in %d pieces: are there no ends of sentences?",
                len(sentence),
                " ".join(sentence.words[:5])[:60],
                len(row),
            )
        tags = [tag for _ in row for tag in next(tagged).tags or ()]
        yield Sentence(sentence.words, tuple(tags))


def _pieces(sentence: Sentence) -> Iterator[Sentence]:
    for start in range(0, len(sentence), LONGEST):
        yield Sentence(sentence.words[start : start + LONGEST])
