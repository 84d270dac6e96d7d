"""Lines of a byte stream, long ones in pieces; and what is wrong with those that are no text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.compression import ChunkStream, peekable

LONGEST_LINE = 1 << 26
"""Bytes of the longest line that is read as a whole, unless `longest_line` says otherwise."""

_longest: ContextVar[int] = ContextVar("longest line", default=LONGEST_LINE)


def longest_line(size: int) -> AbstractContextManager[None]:
    """Read lines of up to so many bytes as a whole in this block; longer ones are an error, as ever.

    Args:
        size: In bytes; 64 MiB by default.

    Raises:
        JointalignError: If it is not positive.

    Example:
        >>> import io
        >>> with longest_line(4):
        ...     list(pieces(io.BytesIO(b"casa and more"), None, "words.txt"))
        Traceback (most recent call last):
        jointalign.errors.FormatError: words.txt, line 1: the line is longer than 4 bytes; is this text of
        lines? A larger --longest-line, or ja.longest_line, reads it
    """
    if not isinstance(size, int) or size < 1:
        raise JointalignError(f"longest_line: size must be a whole number of bytes, 1 or more, got {size!r}")
    return _limited(size)


@contextmanager
def _limited(size: int) -> Iterator[None]:
    token = _longest.set(size)
    try:
        yield
    finally:
        _longest.reset(token)


def check_length(size: int, path: str | Path, line: int) -> None:
    """Raise a `FormatError` for a line of so many bytes, or more, that is too long to be read as a whole."""
    limit = _longest.get()
    if size > limit:
        shown = f"{limit >> 20} MiB" if limit % (1 << 20) == 0 else f"{limit:,} bytes"
        reason = f"the line is longer than {shown}; is this text of lines?"
        raise FormatError(path, line, f"{reason} A larger --longest-line, or ja.longest_line, reads it")


def pieces(
    stream: BinaryIO, longest: int | None, path: str | Path = "-"
) -> Iterator[tuple[int, int, bytes, int]]:
    """Lines without their ends, or pieces of lines.

    Args:
        stream: Where to read.
        longest: Lines of more bytes are cut; `None` for never.
        path: For messages.

    Returns:
        Number of the line, from 1, number of its bytes before the piece, the piece, and number of the
        stream's bytes before it.

    Raises:
        FormatError: If a line that is not to be cut is too long, see `longest_line`.
    """
    stream = with_line_feeds(stream)
    number, start, rest, place = 1, 0, b"", 0
    limit = (_longest.get() if longest is None else longest) + 1
    for block in iter(partial(stream.readline, limit), b""):
        raw = rest + block
        if raw.endswith(b"\n"):
            size, raw = len(raw), raw.rstrip(b"\r\n")
            if raw or not start:
                yield number, start, raw, place
            number, start, rest, place = number + 1, 0, b"", place + size
            continue
        if longest is None:
            check_length(len(raw), path, number)
        cut = 0 if longest is None or len(raw) <= longest else _place_to_cut(raw)
        if cut:
            yield number, start, raw[:cut], place
        start, rest, place = start + cut, raw[cut:], place + cut
    raw = rest.rstrip(b"\r")
    if raw or (rest and not start):
        yield number, start, raw, place


def with_line_feeds(stream: BinaryIO) -> BinaryIO:
    """The same text, but that of files whose lines all end with CR alone, with LF instead.

    Elsewhere a carriage return ends no line: it would move all lines after it.
    """
    reader = peekable(stream)
    head = reader.peek(1)
    if b"\n" in head or b"\r" not in head[:-1]:
        return reader
    blocks = iter(partial(reader.read, 1 << 16), b"")
    turned = (block.replace(b"\r", b"\n") for block in blocks)
    return cast(BinaryIO, io.BufferedReader(ChunkStream(turned), 1 << 16))


def _place_to_cut(raw: bytes) -> int:
    blank = max(raw.rfind(b" "), raw.rfind(b"\t"))
    if blank >= 0:
        return blank + 1
    # Before the last character, which may be incomplete; carriage returns may end the line.
    last = len(raw) - 1
    starts = (i for i in range(last, 0, -1) if raw[i] & 0xC0 != 0x80 and raw[i] != 0x0D)
    return next(starts, last)


def why_not_text(raw: bytes, error: UnicodeDecodeError | None, start: int, decoded: bool = False) -> str:
    """What to say of bytes that are no text.

    Args:
        raw: The bytes.
        error: What decoding them gave; `None` if that is not what is wrong.
        start: Number of bytes of the line before them.
        decoded: Whether letters beyond ASCII came before, as UTF-8.
    """
    halves = raw[::2], raw[1::2]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or any(2 * half.count(0) > len(half) for half in halves):
        return "expected UTF-8, got UTF-16; convert it: iconv -f utf-16 -t utf-8 OLD > NEW"
    if error is None:
        return "expected text, got a binary file; if it is compressed, the file is damaged"
    came = f"expected UTF-8, got byte 0x{raw[error.start]:02x} at column {start + error.start + 1}"
    if decoded or not raw.decode(errors="ignore").isascii():
        return f"{came}; drop such bytes: iconv -f utf-8 -t utf-8 -c OLD > NEW"
    return f"{came}; convert the file: iconv -f latin1 -t utf-8 OLD > NEW (or whatever encoding it has)"
