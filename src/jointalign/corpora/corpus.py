"""Text of one language: lines of words, read as a stream, counted with several processes."""

from __future__ import annotations

import logging
import reprlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jointalign.checks import check_fields
from jointalign.corpora.tokenization import tokenizer
from jointalign.corpora.workers import in_order
from jointalign.errors import JointalignError
from jointalign.numerics.processors import usable_processors
from jointalign.storage.files import file_facts, read_lines
from jointalign.version import __version__
from jointalign.vocabulary import Counts

logger = logging.getLogger(__name__)

_BATCH_CHARACTERS = 1 << 20
_MEMORY = "text in memory"
LONGEST_LINE = 1 << 20
"""Bytes from which on a line is cut into several."""


@dataclass(frozen=True, eq=False)
class Batch:
    """A stretch of a corpus as numbers.

    Args:
        words: Its distinct words, by first occurrence.
        tokens: Its text, each token a position in `words`, int32 `(t,)`.
        lengths: Number of tokens of each non-empty line, int64 `(l,)`; they sum to `t`.
        empty_lines: Number of lines without a word.
        size: Its size in bytes of UTF-8.
    """

    words: tuple[str, ...]
    tokens: np.ndarray
    lengths: np.ndarray
    empty_lines: int
    size: int


class Lines(Protocol):
    """Text in memory, or made on the way: strings, or lists of words, each a sentence or paragraph."""

    def __iter__(self) -> Iterator[str | Sequence[str]]:
        """The text from its beginning."""
        ...


@dataclass(eq=False)
class Corpus:
    r"""Text of one language, one sentence or paragraph a line.

    Nothing is read before it is needed, and never more than a few batches are in memory. A line
    of more than a megabyte is cut at white space into several, and the log says so.

    Args:
        path: A UTF-8 file, plain or compressed (`.gz`, `.bz2`, `.xz`, `.zst`); several files are
            read one after the other; `-` is the standard input, which can be read only once.
        language: ISO 639 code; decides how lines are cut into words, see `tokenizer`.
        tokenized: Whether white space separates the words already.
        lowercase: Whether to lower-case.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "en.txt")
        ...     _ = path.write_text("The house.\n\nThe old house\n")
        ...     corpus = Corpus(path, language="en")
        ...     print(list(corpus.lines()), corpus.counts()["house"])
        [['the', 'house', '.'], ['the', 'old', 'house']] 2
    """

    path: str | Path | Sequence[str | Path]
    language: str = "en"
    tokenized: bool = False
    lowercase: bool = True
    _given: Lines | None = field(default=None, init=False, repr=False)
    _counts: Counts | None = field(default=None, init=False, repr=False)
    _used_up: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.paths:
            raise JointalignError("a corpus needs at least one file, got an empty list")

    @classmethod
    def of(
        cls, lines: Lines, language: str = "en", tokenized: bool | None = None, lowercase: bool = True
    ) -> Corpus:
        """Text that is in memory, or that a program makes.

        Args:
            lines: Strings, or lists of words, of which each is a sentence or paragraph. Whatever can be
                gone through more than once; an iterator serves where the text is read once.
            language: As for a file.
            tokenized: Likewise; `None`: if the first line is a list of words.
            lowercase: Likewise.

        Raises:
            JointalignError: If it is no text, or, while it is read, a line is neither.

        Example:
            >>> Corpus.of([["the", "house"], ["the", "sea"]]).counts()["the"]
            2
        """
        if isinstance(lines, str | bytes | Path | Mapping) or not isinstance(lines, Iterable):
            raise JointalignError(_no_lines("lines", lines))
        if tokenized is None:
            start, again = islice(lines, 1), lines
            first = list(start)
            if iter(again) is again:  # what was taken from an iterator is put back
                lines = chain(first, again)
            tokenized = bool(first) and not isinstance(first[0], str)
        corpus = cls(_MEMORY, language, tokenized, lowercase)
        corpus._given = lines
        return corpus

    @property
    def paths(self) -> tuple[str | Path, ...]:
        """The files, in reading order; of text in memory a name that says so."""
        return (self.path,) if isinstance(self.path, str | Path) else tuple(self.path)

    @property
    def facts(self) -> dict[str, Any]:
        """What the words depend on: the files' times and sizes, settings, version.

        Empty for the standard input and text in memory, of which nothing is known beforehand.

        Raises:
            JointalignError: If a file is missing.
        """
        if self._given is not None or any(str(path) == "-" for path in self.paths):
            return {}
        return {
            "version": __version__,
            "files": [file_facts(path) for path in self.paths],
            "language": self.language,
            "tokenized": self.tokenized,
            "lowercase": self.lowercase,
        }

    def lines(self) -> Iterator[list[str]]:
        """The words of each line; lines without a word are left out.

        Raises:
            JointalignError: If a file cannot be read, or the standard input is read a second time.
            FormatError: If a file is not UTF-8 text.
        """
        tokenize = self._tokenizer()
        return filter(None, map(tokenize, self._raw_lines()))

    def batches(self, workers: int | None = None) -> Generator[Batch, None, None]:
        """The whole corpus as numbers, in order, the same for any number of workers.

        Args:
            workers: Number of processes that cut lines into words; `None` for one a CPU. Where
                processes cannot be forked there is only this one.

        Raises:
            JointalignError: As for `lines`; and if there is no word at all, or a worker dies.
        """
        if workers is not None and workers < 1:
            raise JointalignError(f"expected at least 1 worker, got {workers}")
        tokens = empty_lines = 0
        texts = _joined(self._raw_lines())
        with closing(
            _encode_all(self._tokenizer(), texts, min(workers or usable_processors(), usable_processors()))
        ) as batches:
            for batch in batches:
                tokens += len(batch.tokens)
                empty_lines += batch.empty_lines
                yield batch
        names = ", ".join(map(str, self.paths))
        if not tokens:
            raise JointalignError(f"{names}: expected text, got no word; check the file")
        if empty_lines:
            logger.info("%s: %d empty lines skipped", names, empty_lines)

    def counts(self, workers: int | None = None) -> Counts:
        """How often each word occurs; counted once, then remembered.

        Args:
            workers: As for `batches`.

        Raises:
            JointalignError: As for `batches`.
        """
        if self._counts is not None:
            return self._counts
        tally = Tally()
        with closing(self.batches(workers)) as batches:
            for batch in batches:
                tally.add(batch)
        counts, _ = tally.finish()
        self.remember(counts)
        return counts

    def remember(self, counts: Counts) -> None:
        """Take over counts made elsewhere, so that `counts` need not read the text again."""
        self._counts = counts

    def _tokenizer(self) -> Callable[[str], list[str]]:
        return tokenizer(self.language, self.lowercase, self.tokenized)

    def _raw_lines(self) -> Iterator[str]:
        once = "the standard input" if "-" in map(str, self.paths) else ""
        if self._given is not None and iter(self._given) is self._given:
            once = "this iterator"
        if once and self._used_up:
            raise JointalignError(f"{once} can be read only once; save it to a file and name that")
        self._used_up = bool(once)
        if self._given is not None:
            yield from _texts(self._given)
            return
        for path in self.paths:
            yield from _lines_of(path)


def as_corpus(place: str, given: Corpus | Lines) -> Corpus:
    """A corpus of whatever is one: itself, or lines of text in memory.

    Raises:
        JointalignError: If it is neither.
    """
    if isinstance(given, Corpus):
        return given
    if isinstance(given, str | bytes | Path | Mapping) or not isinstance(given, Iterable):
        raise JointalignError(_no_lines(place, given))
    if isinstance(given, list | tuple) and given and not isinstance(given[0], Sequence):
        raise JointalignError(f"{_no_lines(place, given)} of {type(given[0]).__name__}")
    return Corpus.of(given)


def _no_lines(place: str, given: object) -> str:
    file = f"; a file is Corpus({str(given)!r})" if isinstance(given, str | Path) else ""
    return (
        f"{place} must be a Corpus, or lines of text (strings, or lists of words); got "
        f"{type(given).__name__}{file}"
    )


def _texts(lines: Lines) -> Iterator[str]:
    """Lines of text in memory, words with blanks between."""
    for number, line in enumerate(lines, start=1):
        if isinstance(line, str):
            yield line
        elif isinstance(line, Sequence) and all(isinstance(word, str) for word in line):
            yield " ".join(line)
        else:
            raise JointalignError(
                f"{_MEMORY}, line {number}: expected a string or a list of words, got {reprlib.repr(line)}"
            )


class Numbering(dict[str, int]):
    """Word -> number, by first look-up."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


class Tally:
    """The words of all batches so far: their numbers, by first occurrence, and counts."""

    def __init__(self) -> None:
        self.lines = 0
        self._numbers = Numbering()
        self._counts = np.zeros(1 << 16, np.int64)

    def add(self, batch: Batch) -> np.ndarray:
        """Count a batch; return its tokens as numbers that hold for all batches, int32 `(t,)`."""
        words = batch.words
        numbers = np.fromiter(map(self._numbers.__getitem__, words), np.int32, len(words))
        while len(self._numbers) > len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._counts[numbers] += np.bincount(batch.tokens, minlength=len(words))
        self.lines += len(batch.lengths)
        return numbers[batch.tokens]

    def finish(self) -> tuple[Counts, np.ndarray]:
        """The counts, and where each number went in them, int32 `(words,)`."""
        words = list(self._numbers)
        values = self._counts[: len(words)]
        by_word = np.array(sorted(range(len(words)), key=words.__getitem__), np.int64)
        order = by_word[np.argsort(-values[by_word], kind="stable")]
        rows = np.empty(len(words), np.int32)
        rows[order] = np.arange(len(words), dtype=np.int32)
        return Counts(tuple(words[i] for i in order.tolist()), values[order], self.lines), rows


def _lines_of(path: str | Path) -> Iterator[str]:
    """Lines of a file; long ones are cut, so that even a corpus on one line comes bit by bit."""
    cut: Counter[int] = Counter()  # pieces after the first, by number of the line
    last = 0
    for number, line in read_lines(path, LONGEST_LINE):
        if number == last:
            cut[number] += 1
        last = number
        yield line
    if cut:
        lines = "1 line" if len(cut) == 1 else f"{len(cut)} lines"
        logger.info("%s: %s too long, cut into %d pieces", path, lines, len(cut) + cut.total())


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines put together to texts of about a million characters."""
    text: list[str] = []
    size = 0
    for line in lines:
        text.append(line)
        size += len(line)
        if size >= _BATCH_CHARACTERS:
            yield "\n".join(text)
            text, size = [], 0
    if text:
        yield "\n".join(text)


def _encode(tokenize: Callable[[str], list[str]], text: str) -> Batch:
    tokens: list[str] = []
    lengths = []
    for line in text.split("\n"):
        words = tokenize(line)
        tokens += words
        lengths.append(len(words))
    numbers = Numbering()
    numbered = np.fromiter(map(numbers.__getitem__, tokens), np.int32, len(tokens))
    filled = np.array([length for length in lengths if length], np.int64)
    size = len(text.encode()) + 1
    return Batch(tuple(numbers), numbered, filled, len(lengths) - len(filled), size)


def _encode_all(
    tokenize: Callable[[str], list[str]], texts: Iterator[str], workers: int
) -> Generator[Batch, None, None]:
    """Encode texts, in order, with a bounded number of them on their way at any time."""
    start = list(islice(texts, 2))
    if len(start) < 2:
        workers = 1  # one text alone is not worth a second process
    return in_order(partial(_encode, tokenize), chain(start, texts), workers)
