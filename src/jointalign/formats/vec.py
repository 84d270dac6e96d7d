"""Text embeddings (`.vec`, `.txt`): a header, then a word and its numbers on each line.

The format of word2vec, fastText, GloVe (without header), MUSE and VecMap. It keeps words, their
order and rounded vectors; counts, n-grams and settings need the native format.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jointalign.embedding import Embedding
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import _decimals
from jointalign.formats._rows import Rows, check_maximum, decode_word, encode_words
from jointalign.storage.files import open_text, write_bytes

logger = logging.getLogger(__name__)

_BLOCK = 1 << 23
_LONGEST_LINE = 1 << 26
_HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*")
_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf|infinity)", re.IGNORECASE)


def read(path: str | Path, max_vocabulary: int | None = None) -> Embedding:
    r"""Read a text embedding.

    The rows that are there count, not the header, which may be missing or wrong (a warning in the
    log says so). Words may hold blanks. Of a word that comes twice the first row stays, and the log
    says how many did.

    Args:
        path: The file; see `files.open_text`.
        max_vocabulary: Stop after this many words; `None` for all.

    Raises:
        FormatError: If a line is not a word and its numbers, a number is not finite, or the file is
            empty, binary or cut off; with the line.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "english.vec")
        ...     _ = path.write_text("2 3\ncat 1 0 0.5\ndog 0 1 0.5\n")
        ...     english = read(path)
        >>> english.words, english.vectors.shape
        (('cat', 'dog'), (2, 3))
    """
    check_maximum(max_vocabulary)
    with open_text(path) as stream:
        line, row = _filled_line(stream, 0)
        header = _HEADER.fullmatch(row)
        announced, announced_dimensions = map(int, header.groups()) if header else (None, None)
        if header:
            line, row = _filled_line(stream, line)
        if not row:
            return _nothing(path, announced, announced_dimensions)
        dimensions = _dimensions(path, line, row, announced_dimensions)
        rows = Rows(path, dimensions, announced, max_vocabulary)
        _read_rows(rows, dimensions, line, _whole_lines(path, row, stream))
    if announced is not None and not rows.full and announced != len(rows) + rows.duplicates:
        logger.warning(
            "%s: the header announces %d rows, %d are there; took those",
            path,
            announced,
            len(rows) + rows.duplicates,
        )
    return rows.embedding()


def write(embedding: Embedding, path: str | Path, digits: int = 6) -> None:
    """Write a text embedding, compressed if the suffix says so.

    Args:
        embedding: Its words and vectors; the format has no place for the rest.
        path: The file, replaced if it is there.
        digits: Digits after the point, 1 to 15; 6 are exact to 0.0000005, and float32 vectors of
            length 1 are not much more exact themselves.

    Raises:
        JointalignError: If a word cannot be written (it is empty, starts or ends with a blank or
            holds a line break), or the file cannot.

    Example:
        >>> import tempfile
        >>> from jointalign.vocabulary import Vocabulary
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "one.vec")
        ...     write(Embedding(Vocabulary(("cat",)), np.float32([[0.5, -1]])), path, digits=2)
        ...     path.read_text().splitlines()
        ['1 2', 'cat 0.50 -1.00']
    """
    if not 1 <= digits <= 15:
        raise JointalignError(f"expected 1 to 15 digits after the point, got {digits}")
    for word in embedding.words:
        if not word or word != word.strip(" \t\r") or "\n" in word:
            raise JointalignError(
                f"{path}: the word {word!r} cannot be in a text file of vectors; leave it out with "
                "`take`, or write .safetensors"
            )
    rows_at_once = max(1, _BLOCK // (embedding.dimensions * (digits + 22) + 1))
    with write_bytes(path) as stream:
        stream.write(b"%d %d\n" % (len(embedding), embedding.dimensions))
        for start in range(0, len(embedding), rows_at_once):
            block = slice(start, start + rows_at_once)
            words = encode_words(path, embedding.words[block])
            stream.write(_formatted(words, embedding.vectors[block], digits))


def _filled_line(stream: BinaryIO, number: int) -> tuple[int, bytes]:
    """The next line that is not blank, and its number; empty at the end of the file."""
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            break
    return number, line


def _nothing(path: str | Path, announced: int | None, dimensions: int | None) -> Embedding:
    if announced == 0 and dimensions:
        return Rows(path, dimensions, 0, None).embedding()
    came = "nothing" if announced is None else f"only a header that announces {announced} rows"
    raise FormatError(
        path, None, f"expected lines of a word and its numbers, got {came}; write the file again"
    )


def _dimensions(path: str | Path, line: int, row: bytes, announced: int | None) -> int:
    """Length of the vectors, from the header and the first row together."""
    _, *fields = row.split()
    numbers = 0
    while numbers < len(fields) and _NUMBER.fullmatch(fields[-1 - numbers]):
        numbers += 1
    if not numbers or numbers < (announced or 0):
        raise _bad_row(path, line, row, announced)
    if announced is None:
        return numbers
    # More numbers may belong to the word ("area 51"), but not when they are many or fractions:
    # then the header is wrong, and following it would make words out of numbers.
    surplus = fields[len(fields) - numbers : len(fields) - announced]
    if announced == 0 or len(surplus) > 4 or any(b"." in field for field in surplus):
        reason = f"expected {announced} numbers as the header says, got {numbers}; correct the header"
        raise FormatError(path, line, reason)
    return announced


def _whole_lines(path: str | Path, rest: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """The file after its header in blocks of whole lines."""
    while block := stream.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
            if len(rest) > _LONGEST_LINE:
                raise FormatError(path, None, "a line is longer than 64 MiB; this is no text file")
    if rest:
        yield rest + b"\n"


def _read_rows(rows: Rows, dimensions: int, line: int, blocks: Iterator[bytes]) -> None:
    for block in blocks:
        data, position, why = np.frombuffer(block, np.uint8), 0, _decimals.FULL
        while why == _decimals.FULL and not rows.full:
            room = rows.room()
            spans = np.empty((min(len(room), len(block) // (2 * dimensions) + 1), 3), np.int64)
            filled, lines, position, why = _decimals.parse_rows(
                data, position, dimensions, room[: len(spans)], spans
            )
            rows.add(
                [
                    decode_word(rows.path, line + offset, block[start:end])
                    for start, end, offset in spans[:filled].tolist()
                ]
            )
            line += lines
        if rows.full:
            return
        if why != _decimals.END:
            row = block[position : block.index(b"\n", position)]
            raise _bad_row(rows.path, line, row, dimensions, why == _decimals.NOT_FINITE)


def _bad_row(
    path: str | Path, line: int, row: bytes, dimensions: int | None, not_finite: bool = False
) -> FormatError:
    if not_finite:
        came = "a number that is not finite or too large; remove the row"
    elif b"\0" in row:
        came = "binary data; a word2vec binary must be called .bin"
    else:
        shown = row[:40].decode(errors="replace").strip() + ("..." if len(row) > 40 else "")
        came = f"{len(row.split())} fields ('{shown}'); correct or remove the line"
        came += ", which may be where the file was cut off" if dimensions else ""
    return FormatError(path, line, f"expected a word and {dimensions or 'its'} numbers, got {came}")


def _formatted(words: list[bytes], vectors: np.ndarray, digits: int) -> bytes | memoryview:
    """Lines of words and numbers."""
    if np.abs(vectors).max(initial=0) > 2**62 / 10**digits:  # beyond the kernel's integers
        lines = (
            b" ".join([word, *(b"%.*f" % (digits, value) for value in row)])
            for word, row in zip(words, vectors.tolist(), strict=True)
        )
        return b"".join(line + b"\n" for line in lines)
    joined = b"".join(words)
    ends = np.cumsum([len(word) for word in words], dtype=np.int64)
    size = len(joined) + len(words) * (vectors.shape[1] * (digits + 22) + 1)
    out = np.empty(size, np.uint8)
    used = _decimals.format_rows(
        np.ascontiguousarray(vectors), digits, np.frombuffer(joined, np.uint8), ends, out
    )
    return out[:used].data
