"""fastText's models (`.bin`, `.ftz`): words, counts and n-grams, so that unseen words have vectors.

All numbers are little-endian. A file holds, one after the other: the magic number and the version;
twelve settings and the subsampling threshold; the dictionary (numbers of entries, words, labels,
tokens, pruned n-grams; the entries, each a word that a zero ends, its count and its kind; pairs of
bucket and row if n-grams were pruned); a matrix with a row a word and then a row a bucket; another
that only training and classification need. A matrix is dense, or product-quantised (Jégou et al.
2011; Joulin et al. 2016): each row is cut into pieces, and of each piece the nearest of 256 centroids
is stored.

The vector of a word is the mean of its row and the rows of its n-grams (Bojanowski et al. 2017).
"""

from __future__ import annotations

import logging
import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from jointalign.embedding import Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats._rows import UNUSABLE, Rows, check_maximum, encode_words
from jointalign.storage.files import plain_errors, write_bytes
from jointalign.subwords import SubwordTable
from jointalign.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

MAGIC = (793712314).to_bytes(4, "little")
"""What a model begins with."""

END = "</s>"
"""The end of a sentence, a word without n-grams."""

_VERSIONS = (11, 12)
_SUPERVISED = 3  # of the setting `model`; skip-gram is 2, CBOW 1
_SETTINGS = {
    "dimensions": 0,
    "window": 5,
    "epochs": 5,
    "minimum_count": 5,
    "negatives": 5,
    "word_ngrams": 1,
    "loss": 2,  # negative sampling
    "model": 2,
    "buckets": 0,
    "minimum": 0,
    "maximum": 0,
    "update_rate": 100,
    "threshold": 1e-4,
}
_KEPT = ("window", "epochs", "minimum_count", "negatives", "threshold")
_START = struct.Struct("<4si")
_ARGUMENTS = struct.Struct("<12id")
_COUNTS = struct.Struct("<3i2q")
_ENTRY = struct.Struct("<qb")
_SHAPE = struct.Struct("<2q")
_PIECES = struct.Struct("<4i")
_CENTROIDS = 256
_MOST_DIMENSIONS = 1 << 20
_MOST_CHARACTERS = 32  # of an n-gram; more would not be one
_LONGEST_WORD = 1 << 16
_WORDS_AT_ONCE = 512
_ROWS_AT_ONCE = 1 << 13
_SAMPLE = 4096  # words that tell how long a vector made of n-grams is


def read(path: str | Path, max_vocabulary: int | None = None) -> Embedding:
    """Read a model of fastText; its n-grams stay in the file, which is mapped into memory.

    Of a supervised model, words and n-grams are read; its labels and its classifier are left out.
    The rows of n-grams of a quantised one are expanded.

    Args:
        path: The file, not compressed.
        max_vocabulary: Only this many words, from the first on, and all n-grams; `None` for all.

    Raises:
        JointalignError: If the file cannot be opened, or a number is not finite.
        FormatError: If it is no model of fastText, damaged or cut off; with the place.

    Example:
        >>> import tempfile
        >>> one = Embedding(Vocabulary(("cat",), np.array([7])), np.float32([[1, 2]]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(one, f"{folder}/en.bin")
        ...     english = read(f"{folder}/en.bin")
        >>> english.vector("cat"), english.vocabulary.counts
        (array([1., 2.], dtype=float32), array([7]))
    """
    check_maximum(max_vocabulary)
    file = _File(path)
    settings = _settings(file)
    words, counts, pruned = _dictionary(file, settings)
    dimensions = int(settings["dimensions"])
    own_rows = int(settings["buckets"]) if pruned is None else len(pruned)
    matrix = _matrix(file, (len(words) + own_rows, dimensions))
    _matrix(file, None)
    file.check_end()
    table = _table(settings, pruned, matrix, len(words))
    rows = Rows(path, dimensions, len(words), max_vocabulary)
    start = 0
    while start < len(words) and not rows.full:
        room = rows.room()[:_WORDS_AT_ONCE]
        block = words[start : start + len(room)]
        room[: len(block)] = _means(matrix[start : start + len(block)], table, block)
        rows.add(block)
        start += len(block)
    found = rows.embedding()
    by_word = dict(zip(reversed(words), reversed(counts), strict=True))  # of two, the first
    kept = np.array([by_word[word.encode()] for word in found.words], np.int64)
    facts = {f"fasttext.{name}": settings[name] for name in _KEPT}
    return Embedding(Vocabulary(found.words, kept), found.vectors, table, facts)


class _File:
    """A mapped file that is read from its start to its end; nothing is taken that is not there."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        if not Path(path).is_file() and (str(path) == "-" or Path(path).exists()):
            raise FormatError(
                path, None, "a model of fastText is mapped into memory; save it to a file first"
            )
        with plain_errors(path), Path(path).open("rb") as file:
            empty = not Path(path).stat().st_size
            self.data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.place = 0

    def fail(self, reason: str) -> NoReturn:
        """Raise a `FormatError` that names the place."""
        raise FormatError(
            self.path, None, f"at byte {self.place}: {reason}; copy or download the model again"
        )

    def need(self, size: int, what: str) -> None:
        """Fail unless so many bytes are left."""
        left = len(self.data) - self.place
        if size > left:
            self.fail(f"expected {size} bytes of {what}, got {left}: the file is cut off or damaged")

    def numbers(self, form: struct.Struct, what: str) -> tuple:
        """The next few numbers."""
        self.need(form.size, what)
        self.place += form.size
        return form.unpack_from(self.data, self.place - form.size)

    def flag(self, what: str) -> bool:
        """A byte that is 0 or 1."""
        (value,) = self.numbers(struct.Struct("B"), what)
        if value > 1:
            self.place -= 1
            self.fail(f"expected 0 or 1 for {what}, got {value}")
        return bool(value)

    def array(self, kind: str, count: int, what: str) -> np.ndarray:
        """The next so many numbers as a read-only view of the file, `(count,)`."""
        size = count * np.dtype(kind).itemsize
        self.need(size, what)
        self.place += size
        return np.frombuffer(self.data, kind, count, self.place - size) if count else np.empty(0, kind)

    def word(self) -> bytes:
        """The next word, which a zero ends."""
        end = self.data.find(b"\0", self.place, self.place + _LONGEST_WORD)
        if end < 0:
            self.fail(f"expected a word of fewer than {_LONGEST_WORD} bytes and a zero after it")
        word, self.place = self.data[self.place : end], end + 1
        return word

    def check_end(self) -> None:
        """Fail if there is more."""
        if self.place < len(self.data):
            self.fail(f"expected the end of the file, got {len(self.data) - self.place} bytes more")


def _settings(file: _File) -> dict[str, int | float]:
    magic, version = file.numbers(_START, "the magic number and the version")
    if magic != MAGIC:
        reason = (
            f"expected a model of fastText, which begins with the bytes {MAGIC.hex()}, got {magic.hex()}; "
            "a compressed one has to be expanded first, since it is mapped into memory"
        )
        raise FormatError(file.path, None, reason)
    if version not in _VERSIONS:
        reason = f"expected version 11 or 12 of fastText's format, got {version}; save it by fastText 0.9"
        raise FormatError(file.path, None, reason)
    found = dict(zip(_SETTINGS, file.numbers(_ARGUMENTS, "settings"), strict=True))
    for name, least, most in (
        ("dimensions", 1, _MOST_DIMENSIONS),
        ("buckets", 0, 2**31 - 1),
        ("minimum", 0, 2**31 - 1),
        ("maximum", 0, _MOST_CHARACTERS),
    ):
        if not least <= found[name] <= most:
            file.fail(f"expected {least} to {most} for the setting {name}, got {found[name]}")
    if found["maximum"] and not found["buckets"]:
        file.fail(f"expected buckets for n-grams of {found['maximum']} characters, got none")
    if version == _VERSIONS[0] and found["model"] == _SUPERVISED:
        found["maximum"] = 0  # such models note a length, but were trained without n-grams
    return found


def _dictionary(
    file: _File, settings: dict[str, int | float]
) -> tuple[list[bytes], list[int], np.ndarray | None]:
    """Words, their counts, and bucket and row of each n-gram that was not pruned, `(p, 2)`."""
    size, words, labels, _, pruned = file.numbers(_COUNTS, "numbers of words")
    if min(size, words, labels) < 0 or size != words + labels or pruned < -1:
        reason = f"{size} entries, {words} words, {labels} labels, {pruned} pruned n-grams"
        file.fail(f"expected numbers of words that fit together, got {reason}")
    file.need(size * (1 + _ENTRY.size), f"{size} words")
    found, counts = [], []
    for number in range(size):
        word = file.word()
        count, label = file.numbers(_ENTRY, "the count of a word")
        if label != (number >= words) or count < 0:
            what = f"count {count} and kind {label} for entry {number + 1}, {word[:40]!r}"
            file.fail(f"expected {words} words, then {labels} labels, none with a negative count; got {what}")
        if not label:
            found.append(word)
            counts.append(count)
    if labels:
        logger.warning(
            "%s: a supervised model: its %d labels and its classifier are left out", file.path, labels
        )
    if pruned < 0:
        return found, counts, None
    pairs = file.array("<i4", 2 * pruned, "pruned n-grams").reshape(-1, 2)
    for column, (what, limit) in enumerate((("buckets", settings["buckets"]), ("rows", pruned))):
        values = pairs[:, column]
        if len(values) and not 0 <= values.min() <= values.max() < limit:
            file.fail(f"expected {what} of n-grams below {limit}, got {values.min()} to {values.max()}")
    return found, counts, pairs


@dataclass(frozen=True, eq=False)
class _Quantized:
    """A matrix whose rows are made when asked for.

    Args:
        codes: Number of the centroid of each piece of each row, uint8 `(n, p)`.
        centroids: Of all pieces, one after the other, float32 `(256 d,)`.
        piece: Length of a piece; the last may be shorter.
        dimensions: Length of a row, d.
        lengths: What to multiply each row by, `(n,)`; `None` for nothing.
    """

    codes: np.ndarray
    centroids: np.ndarray
    piece: int
    dimensions: int
    lengths: np.ndarray | None = None

    def __getitem__(self, rows: slice) -> np.ndarray:
        codes = self.codes[rows]
        found = np.empty((len(codes), self.dimensions), np.float32)
        for number, start in enumerate(range(0, self.dimensions, self.piece)):
            end = min(start + self.piece, self.dimensions)
            known = self.centroids[_CENTROIDS * start : _CENTROIDS * end].reshape(_CENTROIDS, end - start)
            found[:, start:end] = known[codes[:, number]]
        if self.lengths is not None:
            found *= self.lengths[rows, None]
        return found


def _matrix(file: _File, expected: tuple[int, int] | None) -> np.ndarray | _Quantized:
    """The next matrix; `expected` is its shape, `None` for whatever it says itself."""
    quantized = file.flag("whether a matrix is quantised")
    with_lengths = quantized and file.flag("whether lengths are quantised")
    shape = file.numbers(_SHAPE, "the shape of a matrix")
    rows, dimensions = shape
    empty = not min(shape) and max(shape) > len(file.data)
    if shape != (expected or shape) or min(shape) < 0 or empty:
        told = "sizes within the file's" if expected is None else f"{expected[0]} x {expected[1]}"
        file.fail(f"expected {told} as the shape of a matrix, got {rows} x {dimensions}")
    if not quantized:
        return file.array("<f4", rows * dimensions, "a matrix").reshape(shape)
    (size,) = file.numbers(struct.Struct("<i"), "the size of a quantised matrix")
    codes = file.array("u1", max(size, 0), "a quantised matrix")
    piece, centroids = _centroids(file, dimensions)
    pieces = -(-dimensions // piece)
    if size != rows * pieces:
        file.fail(f"expected {rows} rows of {pieces} bytes in a quantised matrix, got {size} bytes")
    lengths = None
    if with_lengths:
        numbers = file.array("u1", rows, "quantised lengths")
        lengths = _centroids(file, 1)[1][numbers]
    return _Quantized(codes.reshape(rows, pieces), centroids, piece, dimensions, lengths)


def _centroids(file: _File, expected: int) -> tuple[int, np.ndarray]:
    """Length of the pieces of so many dimensions, and their centroids."""
    dimensions, pieces, piece, last = file.numbers(_PIECES, "the pieces of quantised rows")
    fits = dimensions == expected and piece > 0 and pieces == -(-dimensions // piece)
    if not fits or last != dimensions - (pieces - 1) * piece:
        came = f"{pieces} of {piece}, the last of {last}, for {dimensions} dimensions"
        file.fail(f"expected pieces that make up {expected} dimensions, got {came}")
    return piece, file.array("<f4", _CENTROIDS * dimensions, "centroids")


def _table(
    settings: dict[str, int | float], pruned: np.ndarray | None, matrix: np.ndarray | _Quantized, words: int
) -> SubwordTable | None:
    minimum, maximum, buckets = (int(settings[name]) for name in ("minimum", "maximum", "buckets"))
    if max(minimum, 1) > maximum or (pruned is not None and not len(pruned)):
        return None
    vectors = matrix[words:]
    used = np.arange(buckets, dtype=np.uint32)
    if pruned is not None:
        used, first = np.unique(pruned[:, 0], return_index=True)
        used, vectors = used.astype(np.uint32), vectors[pruned[first, 1]]
    return SubwordTable(used, vectors, minimum, maximum, buckets)


def _means(own: np.ndarray, table: SubwordTable | None, words: Sequence[bytes]) -> np.ndarray:
    """Vectors of some words from their rows, `(n, d)`, and the rows of their n-grams."""
    if table is None:
        return own
    sums, known, _ = _sums(table, [word.decode("utf-8", "surrogateescape") for word in words])
    return (own + sums) / (1 + known[:, None]).astype(np.float32)


def _sums(table: SubwordTable, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`table.sums`, in which the end of a sentence has no n-grams."""
    sums, known, counts = table.sums(words)
    for row, word in enumerate(words):
        if word == END:
            sums[row], known[row], counts[row] = 0, 0, 0
    return sums, known, counts


def write(embedding: Embedding, path: str | Path) -> None:
    """Write a model that fastText opens; it has the same vectors as the embedding.

    The row of a word is (k + 1) times its vector less the rows of its k n-grams, so that their mean
    is the vector. An unseen word has the vector that the embedding makes of it where no alignment
    has centred, but for its length if some of its n-grams are unknown, which fastText counts as
    zeros. Where one has, which is more than rows of n-grams can say, its direction is approximate,
    and the log says so.

    There is no matrix for further training. Words that the format cannot hold (empty, with a zero,
    a tab or the end of a line) are left out, with a count in the log; a count of 0 is written as 1.

    Args:
        embedding: Its words, counts, vectors and n-grams.
        path: The file, replaced if it is there.

    Raises:
        JointalignError: If a number is not finite, no word is left, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> table = SubwordTable(np.arange(9, dtype=np.uint32), np.ones((9, 2), np.float32), 3, 3, 9)
        >>> english = Embedding(Vocabulary(("cat",)), np.float32([[1, 2]]), table)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(english, f"{folder}/en.bin")
        ...     again = read(f"{folder}/en.bin")
        >>> again.vector("cat"), again.vector("cats")
        (array([1., 2.], dtype=float32), array([1., 1.], dtype=float32))
    """
    embedding.check_finite()
    usable = [bool(word) and "\0" not in word and not UNUSABLE.search(word) for word in embedding.words]
    if left_out := len(usable) - sum(usable):
        logger.warning("%s: %d words that the format cannot hold are left out", path, left_out)
        embedding = embedding.take(np.flatnonzero(usable))
    if not len(embedding):
        raise JointalignError(f"{path}: expected a word or more to write, got none")
    words, table = embedding.words, embedding.subwords
    move = None if table is None else _Affine.of(table, words[:_SAMPLE])
    if move is not None and not move.exact:
        logger.warning("%s: the alignment has centred, so vectors of unseen words are approximate", path)
    with write_bytes(path) as stream:
        stream.write(_head(embedding))
        for start in range(0, len(words), _ROWS_AT_ONCE):
            block = slice(start, start + _ROWS_AT_ONCE)
            counts = np.maximum(embedding.vocabulary.counts[block], 1).tolist()
            for word, count in zip(encode_words(path, words[block]), counts, strict=True):
                stream.write(word + b"\0" + _ENTRY.pack(count, 0))
        buckets = 0 if table is None else table.buckets
        stream.write(b"\0" + _SHAPE.pack(len(words) + buckets, embedding.dimensions))
        for start in range(0, len(words), _WORDS_AT_ONCE):
            block = slice(start, start + _WORDS_AT_ONCE)
            rows = embedding.vectors[block]
            if table is not None and move is not None:
                sums, known, ngrams = _sums(table, words[block])
                rows = (1 + ngrams[:, None]) * rows.astype(np.float64) - move(sums, known[:, None])
            stream.write(rows.astype("<f4").tobytes())
        if table is not None and move is not None:
            for rows in _bucket_rows(table, move):
                stream.write(rows.astype("<f4").tobytes())
        stream.write(b"\0" + _SHAPE.pack(0, embedding.dimensions))


def _head(embedding: Embedding) -> bytes:
    """Everything before the words."""
    kept = {name: embedding.settings.get(f"fasttext.{name}", _SETTINGS[name]) for name in _KEPT}
    settings = _SETTINGS | kept | {"dimensions": embedding.dimensions}
    if (table := embedding.subwords) is not None:
        settings |= {"buckets": table.buckets, "minimum": table.minimum, "maximum": table.maximum}
    tokens = int(np.maximum(embedding.vocabulary.counts, 1).sum())
    sizes = _COUNTS.pack(len(embedding), len(embedding), 0, tokens, -1)
    return _START.pack(MAGIC, _VERSIONS[-1]) + _ARGUMENTS.pack(*settings.values()) + sizes


@dataclass(frozen=True, eq=False)
class _Affine:
    """All moves of an n-gram table as one: x -> x @ matrix + offset, float64.

    Where a move makes a vector length one, every vector is divided by the same number here: what
    vectors made of n-grams are long on average.

    Args:
        matrix: `(d, e)`.
        offset: `(e,)`.
        exact: Whether no move makes a vector length one.
    """

    matrix: np.ndarray
    offset: np.ndarray
    exact: bool

    @classmethod
    def of(cls, table: SubwordTable, words: Sequence[str]) -> _Affine:
        """Of a table's moves, and vectors that it makes."""
        sums, known, _ = _sums(table, words)
        x = sums[known > 0] / known[known > 0, None].astype(np.float64)
        matrix, offset = np.eye(table.vectors.shape[1]), np.zeros(table.vectors.shape[1])
        for move in table.moves:
            for mean in (np.zeros(1), *move.means) if len(move.means) else ():
                x, offset = x - mean, offset - mean
                lengths = np.linalg.norm(x, axis=1, keepdims=True)
                typical = lengths.mean() if lengths.any() else 1.0
                x = x / np.where(lengths, lengths, 1.0)
                matrix, offset = matrix / typical, offset / typical
            x, matrix, offset = x @ move.matrix, matrix @ move.matrix, offset @ move.matrix
        return cls(matrix, offset, not any(len(move.means) for move in table.moves))

    def __call__(self, sums: np.ndarray, known: np.ndarray | int) -> np.ndarray:
        """What the moved rows of some n-grams add up to, from the sum of the rows and their number."""
        return sums.astype(np.float64) @ self.matrix + known * self.offset


def _bucket_rows(table: SubwordTable, move: _Affine) -> Iterator[np.ndarray]:
    """Moved rows of all buckets, block by block; zeros for those that are not used."""
    for start in range(0, table.buckets, _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, table.buckets)
        first, last = np.searchsorted(table.buckets_used, [start, end])
        rows = np.zeros((end - start, len(move.offset)))
        rows[table.buckets_used[first:last] - start] = move(table.vectors[first:last], 1)
        yield rows
