"""Text embeddings (`.vec`, `.txt`): a header, then a word and its numbers on each line.

The format of word2vec, fastText, GloVe (without header), MUSE and VecMap. It keeps words, their
order and rounded vectors; counts, n-grams and settings need the native format.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jointalign.embedding import Embedding, check_finite
from jointalign.errors import FormatError, JointalignError
from jointalign.formats import _decimals
from jointalign.formats._rows import UNUSABLE, Rows, check_maximum, encode_words
from jointalign.storage.files import open_text, write_bytes
from jointalign.storage.lines import check_length, why_not_text, with_line_feeds

logger = logging.getLogger(__name__)

_BLOCK = 1 << 23
_LOOKED_AT = 20  # filled lines that the form of a file is found from
_HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*")
NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf|infinity)", re.IGNORECASE)


def read(path: str | Path, max_vocabulary: int | None = None) -> Embedding:
    r"""Read a text embedding.

    The rows that are there count, not the header, which may be missing or wrong (a warning in the
    log says so). Words may hold blanks. Of a word that comes twice the first row stays; words that
    are no UTF-8 are left out; the log says how many.

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
    with open_text(path) as stream:
        return read_stream(path, stream, max_vocabulary)


def read_stream(path: str | Path, stream: BinaryIO, max_vocabulary: int | None = None) -> Embedding:
    """`read` from an open file; the path is for messages."""
    check_maximum(max_vocabulary)
    blocks = _whole_lines(path, with_line_feeds(stream))
    block = next(blocks, b"").removeprefix(b"\xef\xbb\xbf")
    head = list(islice(_filled_lines(block), _LOOKED_AT))
    if len(head) < _LOOKED_AT:  # the last line may have no end
        block += next(blocks, b"")
        head = list(islice(_filled_lines(block), _LOOKED_AT))
    if not head:
        return _nothing(path, None, None)
    announced, dimensions, has_header = _form(path, [(line, row) for line, row, _ in head])
    if has_header and len(head) == 1:
        return _nothing(path, announced, dimensions)
    line, _, place = head[has_header]
    rows = Rows(path, dimensions, announced, max_vocabulary)
    _read_rows(rows, dimensions, line, chain([block[place:]], blocks))
    if announced is not None and not rows.full and announced != rows.taken:
        logger.warning(
            "%s: the header announces %d rows, %d are there; took those", path, announced, rows.taken
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
            holds a tab or line break), a number is not finite, or the file cannot.

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
        if not word or word != word.strip(" ") or UNUSABLE.search(word):
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


def _filled_lines(block: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Lines that are not blank: number, the line, where it begins."""
    number, place = 0, 0
    while place < len(block):
        end = block.find(b"\n", place) + 1 or len(block)
        number += 1
        if block[place:end].strip():
            yield number, block[place:end], place
        place = end


def _form(path: str | Path, head: list[tuple[int, bytes]]) -> tuple[int | None, int, bool]:
    """What the first lines say.

    Returns:
        Rows that a header announces, the length of the vectors, and whether there is a header.

    Raises:
        FormatError: If the first line is neither a header nor a row like those after it.
    """
    (line, first), *others = head
    header = _HEADER.fullmatch(first)
    if header:
        announced, dimensions = map(int, header.groups())
        return announced, _dimensions(path, *others[0], dimensions) if others else dimensions, True
    own = _numbers(first)
    if not own:
        raise _bad_row(path, line, first, None)
    counts = [_numbers(row) for _, row in others]
    usual, number = Counter(counts).most_common(1)[0] if counts else (own, 0)
    if usual == own or not _betray(own, others, counts, number):
        return None, own, False
    fields = first.split()
    if all(map(bytes.isdigit, fields)) and int(fields[1]) == usual:
        logger.warning("%s: took the first line, '%s', for a header", path, first.decode().strip())
        return int(fields[0]), usual, True
    if _may_be_word(first, usual):
        return None, usual, False
    reason = f"expected {usual} numbers, as in the lines after it, got {own}; correct or remove the line"
    raise FormatError(path, line, reason)


def _betray(own: int, others: list[tuple[int, bytes]], counts: list[int], number: int) -> bool:
    """Whether the first line is the odd one: most lines differ alike, or all have words with fractions."""
    if number > 1 and 2 * number > len(counts):
        return True
    return all(
        count > own and not _may_be_word(row, own) for (_, row), count in zip(others, counts, strict=True)
    )


def _numbers(row: bytes) -> int:
    """How many numbers a line ends with, after its first word."""
    _, *fields = row.split()
    return next((n for n, field in enumerate(reversed(fields)) if not NUMBER.fullmatch(field)), len(fields))


def _may_be_word(row: bytes, dimensions: int) -> bool:
    """Whether what a line has before its vector may be a word: "area 51", but no fractions."""
    fields = row.split()
    surplus = fields[1 : len(fields) - dimensions][-max(_numbers(row) - dimensions, 0) :]
    return _numbers(row) >= dimensions and len(surplus) <= 4 and not any(b"." in field for field in surplus)


def _nothing(path: str | Path, announced: int | None, dimensions: int | None) -> Embedding:
    if announced == 0 and dimensions:
        return Rows(path, dimensions, 0, None).embedding()
    came = "nothing" if announced is None else f"only a header that announces {announced} rows"
    raise FormatError(
        path, None, f"expected lines of a word and its numbers, got {came}; write the file again"
    )


def _dimensions(path: str | Path, line: int, row: bytes, announced: int) -> int:
    """Length of the vectors, from the header and the first row together."""
    numbers = _numbers(row)
    if not numbers or numbers < announced:
        raise _bad_row(path, line, row, announced)
    # More numbers may belong to the word ("area 51"), but not when they are many or fractions:
    # then the header is wrong, and following it would make words out of numbers.
    if announced == 0 or (numbers > announced and not _may_be_word(row, announced)):
        reason = f"expected {announced} numbers as the header says, got {numbers}; correct the header"
        raise FormatError(path, line, reason)
    return announced


def _whole_lines(path: str | Path, stream: BinaryIO) -> Iterator[bytes]:
    """A file in blocks of whole lines."""
    rest, line = b"", 1
    while block := stream.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest, line = block[end:], line + block.count(b"\n")
        else:
            rest += block
            check_length(len(rest), path, line)
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
            rows.add([block[start:end] for start, end, _ in spans[:filled].tolist()])
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
        why = why_not_text(row, None, 0)
        came = why if "UTF-16" in why else "binary data; a word2vec binary must be called .bin"
    else:
        shown = row[:40].decode(errors="replace").strip() + ("..." if len(row) > 40 else "")
        came = f"{len(row.split())} fields ('{shown}'); correct or remove the line"
        came += ", which may be where the file was cut off" if dimensions else ""
    return FormatError(path, line, f"expected a word and {dimensions or 'its'} numbers, got {came}")


def _formatted(words: list[bytes], vectors: np.ndarray, digits: int) -> bytes | memoryview:
    """Lines of words and numbers."""
    if not np.abs(vectors).max(initial=0) <= 2**62 / 10**digits:  # NaN, or beyond the kernel's integers
        check_finite([word.decode() for word in words], vectors)
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
