"""Files of parallel text and of links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from jointalign.corpora.tokenization import tokenizer
from jointalign.errors import FormatError, JointalignError
from jointalign.storage.files import read_lines
from jointalign.word_alignment.base import Gold, Links, ParallelText
from jointalign.word_alignment.tmx import is_tmx, read_tmx

SEPARATOR = "|||"
_BLANK = " \t\r"
_MOST_DIGITS = 9  # of a position, which is kept in 32 bits


@dataclass(frozen=True)
class Cutting:
    """How the lines of a parallel text become words.

    Args:
        languages: Codes of both, which decide how lines are cut into words.
        tokenized: Whether white space separates the words already.
        lowercase: Whether to lower-case.
    """

    languages: tuple[str, str] = ("en", "es")
    tokenized: bool = False
    lowercase: bool = True

    def pairs(self, *files: str | Path) -> Iterator[tuple[list[str], list[str]]]:
        """The words of the sentence pairs of one or two files; errors as for `read_parallel`."""
        return self.words(raw_pairs(*files, languages=self.languages))

    def words(self, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[list[str], list[str]]]:
        """The words of sentence pairs."""
        one, other = (tokenizer(language, self.lowercase, self.tokenized) for language in self.languages)
        return ((one(a), other(b)) for a, b in pairs)


def read_parallel(
    source: str | Path,
    target: str | Path | None = None,
    *,
    languages: tuple[str, str] = ("en", "es"),
    tokenized: bool = False,
    lowercase: bool = True,
) -> ParallelText:
    r"""Read sentence pairs from a file of `source ||| target` lines, a translation memory, or two files.

    Args:
        source: The one file (`.tmx`: a translation memory, see `read_tmx`), or the source language's;
            may be compressed.
        target: The target language's file, line by line the same sentences.
        languages: Codes of both, which decide how lines are cut into words.
        tokenized: Whether white space separates the words already.
        lowercase: Whether to lower-case.

    Raises:
        JointalignError: If a file cannot be read.
        FormatError: If a line has no separator or several, or one file is longer.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "text")
        ...     _ = path.write_text("The house ||| La casa\n")
        ...     text = read_parallel(path)
        >>> text.source[0], text.target[0]
        (['the', 'house'], ['la', 'casa'])
    """
    files = [source] if target is None else [source, target]
    return ParallelText.of(Cutting(languages, tokenized, lowercase).pairs(*files))


def raw_pairs(
    source: str | Path, target: str | Path | None = None, *, languages: tuple[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """Sentence pairs as they stand in the files; arguments and errors as for `read_parallel`."""
    if is_tmx(source) and target is None:
        if languages is None:
            raise JointalignError(f"{source}: a translation memory holds many languages; name two of them")
        yield from read_tmx(source, languages)
        return
    if target is None:
        for number, line in read_lines(source):
            sides = line.split(SEPARATOR)
            if len(sides) != 2:
                raise FormatError(
                    source,
                    number,
                    f"expected 'source {SEPARATOR} target', got {len(sides) - 1} separators; "
                    "for two files name the target's, too",
                )
            yield sides[0].strip(_BLANK), sides[1].strip(_BLANK)
        return
    for one, other in zip_longest(read_lines(source), read_lines(target)):
        if one is None or other is None:
            longer = target if one is None else source
            number = (one or other or (None,))[0]
            raise FormatError(
                longer,
                number,
                "the other language's file ends before this line; both must have "
                "one sentence a line, in the same order",
            )
        yield one[1].strip(_BLANK), other[1].strip(_BLANK)


def read_links(path: str | Path) -> Links:
    """Read links in Pharaoh's form, `0-0 1-2`, counted from 0, a sentence pair a line.

    Raises:
        FormatError: If something else is found.
    """
    return parse_links(read_lines(path), path)


def parse_links(lines: Iterable[tuple[int, str]], path: str | Path) -> Links:
    """Links of numbered lines of a file, as `read_links` reads them all."""
    return Links.of([[_link(path, number, item, "-") for item in line.split()] for number, line in lines])


def read_gold(path: str | Path, start: int = 1) -> Gold:
    r"""Read gold links: `1-1` is sure, `1p2` possible, a sentence pair a line.

    Args:
        path: The file.
        start: What the first word is called, 1 in most gold files.

    Raises:
        FormatError: If something else is found.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "gold")
        ...     _ = path.write_text("1-1 2p1\n")
        ...     gold = read_gold(path)
        >>> list(gold.sure.lines()), list(gold.possible.lines())
        (['0-0'], ['0-0 1-0'])
    """
    sure, possible = [], []
    for number, line in read_lines(path):
        must, may = [], []
        for item in line.split():
            mark = "p" if "p" in item else "-"
            source, target = _link(path, number, item, mark, start)
            (may if mark == "p" else must).append((source, target))
        sure.append(must)
        possible.append([*must, *may])
    return Gold(Links.of(sure), Links.of(possible))


def _link(path: str | Path, number: int, item: str, mark: str, start: int = 0) -> tuple[int, int]:
    source, _, target = item.partition(mark)
    if not all(side.isdecimal() and len(side) <= _MOST_DIGITS for side in (source, target)):
        raise FormatError(path, number, f"expected a link such as '0{mark}1', got '{item}'")
    link = int(source) - start, int(target) - start
    if min(link) < 0:
        raise FormatError(
            path,
            number,
            f"expected positions of at least {start}, got '{item}'; say from which number the file counts",
        )
    return link


def check_links(
    links: Links, text: ParallelText, path: str | Path, *, start: int = 0, last: bool = False
) -> None:
    """Make sure that links belong to a text.

    Args:
        links: What to check.
        text: Their text.
        path: For messages.
        start: What the file calls the first word.
        last: Whether they may be of the text's last lines alone.

    Raises:
        FormatError: If there are more or fewer lines, or a link names a word that is not there.
    """
    if len(links) != len(text) and not (last and len(links) < len(text)):
        raise FormatError(path, None, f"expected {len(text)} lines, as many as the text, got {len(links)}")
    before = len(text) - len(links)
    sentences = np.repeat(np.arange(len(links)), np.diff(links.starts))
    for column, side in enumerate((text.source, text.target)):
        beyond = links.pairs[:, column] >= np.diff(side.starts)[before + sentences]
        if beyond.any():
            at = int(np.argmax(beyond))
            raise FormatError(
                path,
                int(sentences[at]) + 1,
                f"the link {links.pairs[at, 0] + start}-{links.pairs[at, 1] + start} names a word beyond "
                "the end of its sentence; is the text tokenised as when it was aligned?",
            )
