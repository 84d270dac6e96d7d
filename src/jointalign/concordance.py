"""Where words stand in a text, in its own lines: an index over an encoded corpus.

The positions of all words are one array, sorted by word (a counting sort, in time proportional to the
text), and of each line the place in its file is kept, so that it can be shown as it was written. A
compressed text cannot be entered in the middle: of such a one a plain copy is kept with the index.
Nothing is looked up by spelling: a line that is shown is cut into words again, and these must be the
words that were encoded. So a text that has changed since is told from one that has not, line by line.
"""

from __future__ import annotations

import logging
import mmap
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from jointalign.corpora.corpus import LONGEST_LINE, Corpus
from jointalign.corpora.encoding import EncodedCorpus
from jointalign.corpora.tokenization import Spelling, parted, tokenizer
from jointalign.errors import JointalignError
from jointalign.numerics.compiling import compiled
from jointalign.storage.bundle import INFO, Bundle, Kind, read_bundle
from jointalign.storage.compression import compression
from jointalign.storage.facts import typed
from jointalign.storage.files import atomic, digest, open_text, plain_errors
from jointalign.storage.lines import pieces

logger = logging.getLogger(__name__)

_FOLDER = "concordance"
_BLOCK = 1 << 22
_PLAIN = re.compile(rb"[0-9A-Za-z]")  # what makes a word in any language
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LOOKED_AT = 400  # occurrences among which good ones are chosen
_WINDOW = 40  # words on each side that are looked at
_COMFORTABLE = 12  # words of a sentence that is easy to read


class _State(TypedDict):
    """What is noted of the texts: places of those of which there is a copy, and sizes."""

    copied: list[int]
    sizes: list[int]


@dataclass(frozen=True)
class Passage:
    """A line in which a word occurs.

    Args:
        path: The file.
        number: Of the line in its file, from 1.
        text: The line as it was written.
        spans: Where the word stands in it: first character and the one after its last.

    Example:
        >>> Passage("en.txt", 7, "The house by the sea", ((4, 9),)).segments()
        [('The ', False), ('house', True), (' by the sea', False)]
    """

    path: str
    number: int
    text: str
    spans: tuple[tuple[int, int], ...]

    def segments(self, around: int | None = None) -> list[tuple[str, bool]]:
        """The line in pieces, each with whether it is the word.

        Args:
            around: Characters that are kept on each side of the first occurrence, cut at blanks, with
                an ellipsis; default: all.
        """
        start, end, text = 0, len(self.text), self.text
        if around is not None:
            first = self.spans[0] if self.spans else (0, 0)
            if first[0] > around:
                start = text.find(" ", first[0] - around, first[0]) + 1 or first[0] - around
            if end - first[1] > around:
                end = text.rfind(" ", first[1], first[1] + around)
                end = first[1] + around if end < 0 else end
        found, place = [("…", False)] if start else [], start
        for first, last in self.spans:
            if last <= end:
                found += [(text[place:first], False), (text[first:last], True)]
                place = last
        found += [(text[place:end], False)] + ([("…", False)] if end < len(text) else [])
        return [segment for segment in found if segment[0]]


@dataclass(frozen=True, eq=False)
class Concordance:
    r"""All occurrences of all words of a text.

    Args:
        corpus: The text.
        encoded: Its words as numbers.
        positions: Places in `encoded.tokens`, by word and then rising, uint32 or int64 `(t,)`.
        lines: Of each line its file's place in `corpus.paths`, its first byte, its number of bytes and
            its number in the file, int64 `(l, 4)`.
        texts: The plain files that these bytes are in: those of the corpus, or copies of compressed ones.

    Example:
        >>> import tempfile
        >>> from jointalign.corpora.encoding import encode
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "en.txt").write_text("A house!\n\nThe House, the old house.\n")
        ...     corpus = Corpus(f"{folder}/en.txt")
        ...     _ = encode(corpus, f"{folder}/encoded")
        ...     houses = Concordance.of(corpus, f"{folder}/encoded")
        ...     print(houses.count("House"))
        ...     for passage in houses.passages("house"):
        ...         print(passage.number, passage.text, passage.spans)
        3
        1 A house! ((2, 7),)
        3 The House, the old house. ((4, 9), (19, 24))
    """

    corpus: Corpus
    encoded: EncodedCorpus
    positions: np.ndarray
    lines: np.ndarray
    texts: tuple[Path, ...]

    @classmethod
    def of(cls, corpus: Corpus, folder: str | Path) -> Concordance:
        """Open the index of an encoded corpus; if there is none, or one of another text, it is made.

        Args:
            corpus: The text that was encoded.
            folder: Where `encode` has put it; the index goes into a folder in there.

        Raises:
            JointalignError: If there is no encoded corpus, or the text is gone or has changed since.
        """
        folder = Path(folder)
        encoded = EncodedCorpus.open(folder)
        made_of = digest(folder / INFO)
        found = _opened(folder / _FOLDER, made_of, corpus, encoded)
        if found is None:
            _make(folder / _FOLDER, made_of, corpus, encoded)
            found = _opened(folder / _FOLDER, made_of, corpus, encoded)
        if found is None:
            raise JointalignError(f"{folder / _FOLDER}: changed while it was written; remove it")
        return cls(corpus, encoded, *found)

    def count(self, word: str) -> int:
        """How often a word occurs, whatever its case where the corpus has none."""
        return len(self._positions(word))

    def passages(self, word: str) -> Iterator[Passage]:
        """The lines in which a word occurs, each once, in the order of the text.

        Raises:
            JointalignError: If the text is gone or has changed.
        """
        spelt, last = self._spelt(word), -1
        positions = self._positions(word)
        for start in range(0, len(positions), _BLOCK):
            for line in self._lines_of(positions[start : start + _BLOCK]).tolist():
                if line != last:
                    yield self._passage(line, spelt)
                last = line

    def best(self, word: str, count: int = 5) -> list[Passage]:
        """Good examples: short, with the words that a word keeps company with, each unlike the others.

        Chosen among 400 occurrences that lie evenly in the text; the same each time.

        Args:
            word: The word.
            count: How many; fewer if there are no more lines of different words.

        Raises:
            JointalignError: If the text is gone or has changed.
        """
        positions = self._positions(word)
        places = np.linspace(0, max(len(positions) - 1, 0), min(len(positions), _LOOKED_AT)).astype(np.int64)
        looked_at = np.asarray(positions[places], np.int64)
        lines, firsts = np.unique(self._lines_of(looked_at), return_index=True)
        company = [self._company(at, line) for at, line in zip(looked_at[firsts], lines, strict=True)]
        chosen = _varied(company, self._worth(company), count)
        spelt = self._spelt(word)
        return [self._passage(line, spelt) for line in lines[chosen].tolist()]

    def _spelt(self, word: str) -> str:
        if word in self.encoded.counts:
            return word
        return Spelling(self.corpus.language, self.corpus.lowercase).speller()(word).strip()

    def _positions(self, word: str) -> np.ndarray:
        row = self.encoded.counts.rows.get(self._spelt(word))
        return (
            self.positions[:0] if row is None else self.positions[self._starts[row] : self._starts[row + 1]]
        )

    @cached_property
    def _starts(self) -> np.ndarray:
        return _starts_of(self.encoded)

    @cached_property
    def _maps(self) -> dict[int, mmap.mmap]:
        return {}

    def _lines_of(self, positions: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.encoded.line_ends, positions, side="right")

    def _words(self, line: int) -> tuple[int, int]:
        return int(self.encoded.line_ends[line - 1]) if line else 0, int(self.encoded.line_ends[line])

    def _company(self, at: int, line: int) -> np.ndarray:
        """The words around an occurrence, itself left out."""
        start, end = self._words(line)
        around = self.encoded.tokens[max(start, at - _WINDOW) : min(end, at + _WINDOW + 1)]
        return around[around != self.encoded.tokens[at]]

    def _worth(self, company: Sequence[np.ndarray]) -> np.ndarray:
        """Higher for lines of a comfortable length whose words come more often here than elsewhere."""
        together = Counter(word for words in company for word in set(words.tolist()))
        counts, total = self.encoded.counts.values, self.encoded.counts.total
        worth = np.empty(len(company))
        for place, words in enumerate(company):
            seen = np.array([together[word] for word in words.tolist()])
            drawn = np.log2(np.maximum(seen * total / np.maximum(counts[words] * len(company) * 20.0, 1), 1))
            typical = np.where(seen > 1, np.minimum(drawn, 4), 0).sum() / (len(words) + 1)
            rare = (counts[words] < 5).sum() / (len(words) + 1)
            worth[place] = typical - rare - abs(np.log((len(words) + 2) / (_COMFORTABLE + 1)))
        return worth

    def _passage(self, line: int, word: str) -> Passage:
        place, first, size, number = self.lines[line].tolist()
        path = self.corpus.paths[place]
        raw = self._bytes(place)[first : first + size]
        start, end = self._words(line)
        expected = [self.encoded.counts.words[row] for row in self.encoded.tokens[start:end].tolist()]
        text = raw.decode("utf-8", "replace")
        if self._cut(text) != expected:
            raise _changed(path)
        return Passage(str(path), number, text, tuple(self._spans(text, word)))

    def _bytes(self, place: int) -> mmap.mmap | bytes:
        if place not in self._maps:
            path = self.texts[place]
            try:
                with path.open("rb") as file:
                    self._maps[place] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError):  # gone, or empty
                raise _changed(self.corpus.paths[place]) from None
        return self._maps[place]

    @cached_property
    def _cut(self) -> Any:
        return _cutter(self.corpus)

    @cached_property
    def _spell(self) -> Any:
        return Spelling(self.corpus.language, self.corpus.lowercase).speller()

    def _spans(self, text: str, word: str) -> Iterator[tuple[int, int]]:
        """Where a word stands: in the pieces between blanks that hold it, found by spelling them again."""
        for start, piece in _placed(text, self.corpus.tokenized):
            words = self._cut(piece)
            if word in words:
                for span, found in zip(_places(piece, words, self._spell), words, strict=True):
                    if found == word:
                        yield start + span[0], start + span[1]


def _cutter(corpus: Corpus) -> Any:
    return tokenizer(corpus.language, corpus.lowercase, corpus.tokenized)


def _placed(text: str, tokenized: bool) -> Iterator[tuple[int, str]]:
    place = 0
    for piece in parted(text) if tokenized else text.split():
        place = text.index(piece, place)
        yield place, piece
        place += len(piece)


def _places(piece: str, words: Sequence[str], spell: Any) -> list[tuple[int, int]]:
    """Where each word stands in a piece; a word that cannot be found is taken to be the whole piece.

    Words follow each other, so each is the longest stretch from where the last ended that is spelt as
    it; what is part of no word, as invisible characters, is passed over.
    """
    spans, place = [], 0
    for word in words:
        for first in range(place, len(piece)):
            most = min(len(piece), first + 4 * len(word) + 8)
            last = next((end for end in range(most, first, -1) if spell(piece[first:end]) == word), None)
            if last is not None:
                break
        else:
            return [(0, len(piece))] * len(words)
        spans.append((first, last))
        place = last
    return spans


def _varied(company: Sequence[np.ndarray], worth: np.ndarray, count: int) -> list[int]:
    """The best, each worth less by how much it has in common with those before; no line twice."""
    sets = [frozenset(words.tolist()) for words in company]
    likeness, chosen = np.zeros(len(sets)), list[int]()
    left = np.ones(len(sets), bool)
    while left.any() and len(chosen) < count:
        best = int(np.argmax(np.where(left, worth - 3 * likeness, -np.inf)))
        chosen.append(best)
        shared = [len(one & sets[best]) / max(1, len(one | sets[best])) for one in sets]
        likeness = np.maximum(likeness, shared)
        left &= np.array([one != sets[best] for one in sets])
    return chosen


# On the disk


def _starts_of(encoded: EncodedCorpus) -> np.ndarray:
    """Of each word, and after the last, the first of its positions, int64 `(words + 1,)`."""
    return np.concatenate([[0], np.cumsum(encoded.counts.values)])


def _opened(
    folder: Path, made_of: str, corpus: Corpus, encoded: EncodedCorpus
) -> tuple[np.ndarray, np.ndarray, tuple[Path, ...]] | None:
    """What is in the folder, or `None` if it is not whole or of another text."""
    try:
        arrays, note = read_bundle(folder, "index", "it is made again")
        if note.facts != {"made_of": made_of}:
            return None
        state = typed(note.state, _State)
        if note.kinds != _kinds(len(encoded.tokens)):
            return None
        positions, lines = arrays["positions"], arrays["lines"]
        texts = _texts(folder, corpus, state["copied"])
        sizes = list(zip(texts, state["sizes"], strict=True))
    except (JointalignError, KeyError, TypeError, ValueError) as error:
        logger.info("%s", error)
        return None
    for path, size in sizes:
        if not path.is_file() or path.stat().st_size != size:
            if path.parent == folder:
                return None
            raise _changed(path)
    blocks = (positions[start : start + _BLOCK] for start in range(0, len(positions), _BLOCK))
    inside = len(positions) == len(encoded.tokens) and all(block.max() < len(positions) for block in blocks)
    whole = len(lines) == len(encoded.line_ends) and lines.min() >= 0 and lines[:, 0].max() < len(texts)
    return (positions, lines, texts) if inside and whole else None


def _texts(folder: Path, corpus: Corpus, copied: Iterable[int]) -> tuple[Path, ...]:
    places = set(copied)
    return tuple(
        folder / f"text.{place}" if place in places else Path(path) for place, path in enumerate(corpus.paths)
    )


def _kinds(tokens: int) -> dict[str, Kind]:
    return {"positions": Kind("<u4" if tokens < 1 << 32 else "<i8"), "lines": Kind("<i8", 4)}


def _make(folder: Path, made_of: str, corpus: Corpus, encoded: EncodedCorpus) -> None:
    for path in corpus.paths:
        if not Path(path).is_file():
            raise _changed(path)
    tokens = encoded.tokens
    copied = [place for place, path in enumerate(corpus.paths) if _is_compressed(path)]
    texts, count = _texts(folder, corpus, copied), 0
    with Bundle(folder, {"made_of": made_of}, _kinds(len(tokens)), checked=True).writing() as writer:
        for place, path in enumerate(corpus.paths):
            lines = _lines_with_words(path, corpus, texts[place] if place in copied else None)
            for block in _blocks(lines, place):
                count += len(block)
                writer.append("lines", block)
        if count != len(encoded.line_ends):
            raise _changed(", ".join(map(str, corpus.paths)))
        for start in range(0, len(tokens), _BLOCK):
            writer.append("positions", tokens[start : start + _BLOCK])
        positions = writer.written("positions")
        _sort(tokens, _starts_of(encoded), positions)
        positions.flush()
        writer.finish({"copied": copied, "sizes": [path.stat().st_size for path in texts]})


@compiled()
def _sort(tokens: np.ndarray, starts: np.ndarray, positions: np.ndarray) -> None:
    """A counting sort: each token's place goes where the next one of its word belongs."""
    following = starts.copy()
    for place in range(len(tokens)):
        word = tokens[place]
        positions[following[word]] = place
        following[word] += 1


def _is_compressed(path: str | Path) -> bool:
    with plain_errors(path), Path(path).open("rb") as file:
        return compression(path, file.read(16)) is not None


def _lines_with_words(path: str | Path, corpus: Corpus, copy: Path | None) -> Iterator[tuple[int, int, int]]:
    """First byte, size and number of each line that the encoded corpus has; the whole text into a copy."""
    cut = _cutter(corpus)
    with ExitStack() as stack:
        stream = stack.enter_context(open_text(path))
        kept = None if copy is None else stack.enter_context(atomic(copy))
        place = 0
        for number, start, raw, first in pieces(stream, LONGEST_LINE, path):
            if number == 1 and not start and raw.startswith(_BYTE_ORDER_MARK):
                raw, first = raw[3:], first + 3
            if kept is not None:
                first, place = place, place + len(raw) + 1
                kept.write(raw + b"\n")
            if _PLAIN.search(raw) or _has_word(raw.decode("utf-8", "replace"), cut):
                yield first, len(raw), number


def _has_word(text: str, cut: Any) -> bool:
    # The first piece tells in nearly all cases, and pieces are remembered where lines are not.
    return any(map(cut, text.split())) or bool(cut(text))


def _blocks(lines: Iterable[tuple[int, int, int]], place: int) -> Iterator[np.ndarray]:
    block: list[tuple[int, int, int, int]] = []
    for line in lines:
        block.append((place, *line))
        if len(block) == 1 << 16:
            yield np.array(block, "<i8")
            block = []
    if block:
        yield np.array(block, "<i8")


def _changed(path: str | Path) -> JointalignError:
    return JointalignError(
        f"{path}: the text is gone or has changed since the run was made, so its sentences cannot be shown; "
        "put it back as it was, or make the run again"
    )
