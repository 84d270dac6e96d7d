"""The binary format of the word2vec program (`.bin`): a header, then each word and its float32s.

Keeps words, their order and exact vectors; counts, n-grams and settings need the native format.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jointalign.embedding import Embedding
from jointalign.errors import FormatError
from jointalign.formats._rows import UNUSABLE, Rows, check_maximum, encode_words
from jointalign.storage.files import open_text, write_bytes

logger = logging.getLogger(__name__)

_CHUNK = 1 << 22
_LONGEST_WORD = 1 << 16
_MOST_DIMENSIONS = 1 << 20
_LOOKED_AT, _SMALLEST, _LARGEST = 1000, 1e-30, 1e20
_ROWS_AT_ONCE = 1024
_HEADER = re.compile(rb"(\d{1,18}) (\d{1,18})\s*\n")
_FASTTEXT = (793712314).to_bytes(4, "little")


def read(path: str | Path, max_vocabulary: int | None = None) -> Embedding:
    r"""Read a word2vec binary, with or without line ends after its rows.

    Of a word that comes twice the first row stays; words that are no UTF-8, as the program leaves
    those that it cuts at 100 bytes, and words with tabs or line ends are left out. The log says how
    many.

    Args:
        path: The file; see `files.open_text`.
        max_vocabulary: Stop after this many words; `None` for all.

    Raises:
        FormatError: If it is another kind of file or is cut off.
        JointalignError: If a number is not finite.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "english.bin")
        ...     _ = path.write_bytes(b"1 2\ncat " + np.float32([0.5, -1]).tobytes())
        ...     read(path).vector("cat")
        array([ 0.5, -1. ], dtype=float32)
    """
    with open_text(path) as stream:
        return read_stream(path, stream, max_vocabulary)


def read_stream(path: str | Path, stream: BinaryIO, max_vocabulary: int | None = None) -> Embedding:
    """`read` from an open file; the path is for messages."""
    check_maximum(max_vocabulary)
    announced, dimensions = _header(path, stream.readline(64))
    rows = Rows(path, dimensions, announced, max_vocabulary)
    more = _read_rows(rows, announced, dimensions, stream)
    if more and not rows.full:
        logger.warning("%s: there is more after the %d rows the header announces; left out", path, announced)
    found = rows.embedding()
    _check_sizes(path, found.vectors[:_LOOKED_AT])
    return found


def _check_sizes(path: str | Path, vectors: np.ndarray) -> None:
    """Refuse numbers of sizes that no vectors have: other bytes, read as float32."""
    sizes = np.abs(vectors[vectors != 0])
    if len(sizes) and ((sizes < _SMALLEST) | (sizes > _LARGEST)).mean() > 0.5:
        reason = "most numbers are below 1e-30 or above 1e+20; are they float32, in little-endian order?"
        raise FormatError(path, None, reason)


def write(embedding: Embedding, path: str | Path) -> None:
    r"""Write a word2vec binary as the word2vec program does, compressed if the suffix says so.

    A blank in a word, which would end it, becomes `_`, as the program's own phrases have it. Words
    that cannot be written (empty, with a line break, or then spelt like another) are left out. The
    log says how many.

    Args:
        embedding: Its words and vectors; the format has no place for the rest.
        path: The file, replaced if it is there.

    Raises:
        JointalignError: If a number is not finite, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> from jointalign.vocabulary import Vocabulary
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "one.bin")
        ...     write(Embedding(Vocabulary(("cat",)), np.float32([[1]])), path)
        ...     path.read_bytes()
        b'1 1\ncat \x00\x00\x80?\n'
    """
    embedding.check_finite()
    words, embedding = _writable(embedding, path)
    with write_bytes(path) as stream:
        stream.write(b"%d %d\n" % (len(embedding), embedding.dimensions))
        for start in range(0, len(embedding), _ROWS_AT_ONCE):
            block = slice(start, start + _ROWS_AT_ONCE)
            spelt = encode_words(path, words[block])
            vectors = embedding.vectors[block].astype("<f4", copy=False)
            lines = (b"%b %b\n" % (word, row.tobytes()) for word, row in zip(spelt, vectors, strict=True))
            stream.write(b"".join(lines))


def _writable(embedding: Embedding, path: str | Path) -> tuple[list[str], Embedding]:
    """Words as they are written, and the rows that are."""
    spelt: dict[str, int] = {word: row for row, word in enumerate(embedding.words) if " " not in word}
    joined = 0
    for row, word in enumerate(embedding.words):
        if " " in word and spelt.setdefault(word.replace(" ", "_"), row) == row:
            joined += 1
    kept = sorted((row, word) for word, row in spelt.items() if word and not UNUSABLE.search(word))
    if joined:
        logger.warning("%s: %d words with blanks are written with '_' in their place", path, joined)
    if left_out := len(embedding) - len(kept):
        logger.warning("%s: %d words that the format cannot hold are left out", path, left_out)
        embedding = embedding.take(np.array([row for row, _ in kept], np.int64))
    return [word for _, word in kept], embedding


def _header(path: str | Path, line: bytes) -> tuple[int, int]:
    if line.startswith(_FASTTEXT):
        raise FormatError(
            path,
            None,
            "this is a fastText model, not a word2vec binary; leave the format out, or say fasttext",
        )
    header = _HEADER.fullmatch(line)
    if header is None:
        raise FormatError(
            path,
            1,
            f"expected the header of a word2vec binary, as '200000 300', got {line[:20]!r}; "
            "a text file must be called .vec",
        )
    announced, dimensions = map(int, header.groups())
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        reason = f"expected 1 to {_MOST_DIMENSIONS} dimensions, got {dimensions}; write it again"
        raise FormatError(path, 1, reason)
    return announced, dimensions


def _read_rows(rows: Rows, announced: int, dimensions: int, stream: BinaryIO) -> bool:
    """Read the rows; whether anything but line ends comes after them."""
    data, taken = b"", 0
    while taken < announced and not rows.full:
        words, position = _take_rows(rows.path, data, rows.room()[: announced - taken])
        rows.add(words)
        data, taken = data[position:], taken + len(words)
        if words:
            continue
        chunk = stream.read(_CHUNK)
        if not chunk:
            raise FormatError(
                rows.path,
                None,
                f"the header announces {announced} rows, the file ends after {taken}; "
                "it is cut off: copy or download it again",
            )
        data += chunk
    return bool(data.strip(b"\n") or stream.read(_CHUNK).strip(b"\n"))


def _take_rows(path: str | Path, data: bytes, room: np.ndarray) -> tuple[list[bytes], int]:
    """Fill `room` with the rows that are complete in `data`: their words, the position after."""
    dimensions = room.shape[1]
    words, position = [], 0
    for row in room:
        start = position + data.startswith(b"\n", position)
        word_end = data.find(b" ", start, start + _LONGEST_WORD)
        if word_end < 0 and len(data) - start >= _LONGEST_WORD:
            reason = f"no word ends within {_LONGEST_WORD} bytes"
            raise FormatError(path, None, f"{reason}; this is no word2vec binary")
        if word_end < 0 or word_end + 1 + 4 * dimensions > len(data):
            break
        words.append(data[start:word_end])
        row[:] = np.frombuffer(data, "<f4", dimensions, word_end + 1)
        position = word_end + 1 + 4 * dimensions
    return words, position
