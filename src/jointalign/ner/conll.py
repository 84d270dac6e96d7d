r"""Files of the CoNLL tasks and their relatives: a word a line, an empty line after each sentence.

What varies is found out: the columns (`word POS chunk NER` of CoNLL-2003, `word POS NER` of 2002,
`word lemma POS chunk NER` of the German files, `number word NER` of WikiNEuRal, with an inner layer
in GermEval, or just `word NER`), the scheme of the tags (BILOU, BMES and bare types, too), and where
documents begin: a line `-DOCSTART-` is a mark wherever it stands, alone or in a sentence, and never a
word. Lines with `#` before a sentence that have other columns than its words are comments, and so are
`# id` and `# text`. Tabs, where a line has some, alone part its columns. A code before every word, as
in WikiANN's `en:word`, is taken off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from jointalign.checks import checked
from jointalign.errors import FormatError, JointalignError
from jointalign.ner._blocks import BLANKS, DOCUMENT, Block, blocks
from jointalign.ner._columns import (
    LOOKED_AT,
    Columns,
    as_tag,
    columns_of,
    holds_bare_tags,
    is_label,
    words_of,
)
from jointalign.ner.base import OUTSIDE, Scheme, Sentence, scheme_of, to_scheme
from jointalign.storage.files import write_text


@dataclass(frozen=True)
class ConllText:
    """What a file holds.

    Args:
        sentences: With tags in BIO2, or without any.
        columns: Where words and tags were.
        scheme: Of the tags in the file.
        documents: Number of marks of documents.
    """

    sentences: tuple[Sentence, ...] = field(repr=False)
    columns: Columns
    scheme: Scheme
    documents: int

    @property
    def tokens(self) -> int:
        """Number of words."""
        return sum(len(sentence) for sentence in self.sentences)


def read(
    path: str | Path,
    *,
    encoding: str = "utf-8",
    word_column: int | None = None,
    tag_column: int | None = None,
    tagged: bool = True,
) -> ConllText:
    r"""Read a whole file.

    Args:
        path: Plain or compressed (`.gz`, `.bz2`, `.xz`, `.zst`); `-` for the standard input.
        encoding: The files of 2002 were ISO-8859-1 (`latin-1`) when they came out.
        word_column: From 0; default: found out.
        tag_column: Likewise.
        tagged: Whether there must be tags; otherwise any that are there are left alone.

    Raises:
        JointalignError: If the file cannot be opened, or has no sentence.
        FormatError: If a line has another number of columns, or no tag where one must be.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     text = "-DOCSTART- -X- O O\n\nAna NNP I-NP I-PER\nsmiles VBZ I-VP O\n"
        ...     _ = Path(folder, "eng.train").write_text(text)
        ...     read(f"{folder}/eng.train").sentences
        (Sentence(words=('Ana', 'smiles'), tags=('B-PER', 'O')),)
    """
    found = list(blocks(path, encoding))
    if not found:
        raise FormatError(path, None, "expected sentences, a word a line; there is none")
    _check_widths(path, found)
    columns = columns_of(path, found[:LOOKED_AT], word_column, tag_column, tagged)
    documents = sum(line.startswith(DOCUMENT) for block in found for line in block.before)
    if columns.tag is None:
        return ConllText(tuple(words_of(block, columns) for block in found), columns, Scheme.BIO2, documents)
    bare = holds_bare_tags(found[:LOOKED_AT], columns.tag)
    tags = [_tags_of(path, block, columns.tag, bare) for block in found]
    sentences = [
        Sentence(words_of(block, columns).words, to_scheme(row, Scheme.BIO2))
        for block, row in zip(found, tags, strict=True)
    ]
    return ConllText(tuple(sentences), columns, scheme_of(tags), documents)


@checked
def write(sentences: Iterable[Sentence], path: str | Path, scheme: Scheme = Scheme.BIO2) -> None:
    """Write words and tags in two columns; sentences without tags in one.

    Args:
        sentences: What to write.
        path: The file, replaced if it is there; compressed if its suffix says so.
        scheme: Of the tags.

    Raises:
        JointalignError: If a word is empty or holds a blank, or the file cannot be written.
    """
    with write_text(path) as text:
        for sentence in sentences:
            text.write(written(sentence, scheme) + "\n")


def written(sentence: Sentence, scheme: Scheme = Scheme.BIO2) -> str:
    """A sentence as lines of a file, each with its end.

    Raises:
        JointalignError: If a word is empty or holds a blank, which would be another column.
    """
    for word in sentence.words:
        if not word or BLANKS.search(word) or "\n" in word:
            raise JointalignError(f"a word must not be empty or hold a blank, got {word!r}")
    if sentence.tags is None:
        return "".join(f"{word}\n" for word in sentence.words)
    tags = to_scheme(sentence.tags, scheme)
    return "".join(f"{word} {tag}\n" for word, tag in zip(sentence.words, tags, strict=True))


def _check_widths(path: str | Path, found: list[Block]) -> None:
    width = len(found[0].rows[0])
    for block in found:
        for number, row in zip(block.numbers, block.rows, strict=True):
            if len(row) != width:
                reason = (
                    f"expected {width} columns as in line {found[0].numbers[0]}, got {len(row)}: "
                    f"{' '.join(row)[:60]}"
                )
                raise FormatError(path, number, reason)


def _tags_of(path: str | Path, block: Block, column: int, bare: bool) -> tuple[str, ...]:
    for number, row in zip(block.numbers, block.rows, strict=True):
        if not (is_label(row[column]) or (bare and row[column].isupper())):
            reason = (
                f"expected a tag such as {OUTSIDE}, B-PER or I-LOC in column {column}, got '{row[column]}'"
            )
            raise FormatError(path, number, reason)
    return tuple(as_tag(row[column]) for row in block.rows)
