"""Compressed streams: `.gz`, `.bz2`, `.xz`, `.zst`.

The suffix says how a file is written; how it is read, its first bytes say, since files come under
wrong names. What is expanded comes in bounded pieces, whatever the data claim.
"""

from __future__ import annotations

import bz2
import gzip
import io
import logging
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import zstandard

from jointalign.errors import FormatError

logger = logging.getLogger(__name__)

_CHUNK = 1 << 18
_MOST = 1 << 20  # bytes that are expanded at once
_ZSTD_INPUT = 1 << 11  # bytes, which become 64 MB at the most: its decompressor takes no limit

# What these make has `decompress`, `eof` and `unused_data`, but no common type.
_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(wbits=31),  # 31: with gzip's header and checksum
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lzma.LZMADecompressor,
    ".zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
}
COMPRESSIONS = tuple(_DECOMPRESSORS)

_STARTS = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"),
    ".xz": re.compile(rb"\xfd7zXZ\0"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}
_ARCHIVES = {b"PK\x03\x04": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
_LONGEST_START = 16
_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def named_suffix(path: str | Path) -> str:
    """The suffix that names a form, in lower case, without that of compression.

    Example:
        >>> named_suffix("en.Vec.gz"), named_suffix("words.zst"), named_suffix("-")
        ('.vec', '', '')
    """
    named = Path(path)
    return (named.with_suffix("") if named.suffix.lower() in COMPRESSIONS else named).suffix.lower()


def decompressed(path: str | Path, file: BinaryIO) -> BinaryIO:
    """The content of an open file, decompressed if its first bytes say that it is compressed.

    Args:
        path: For messages; a file of compressed data has their suffix, or the log says so.
        file: What to read. Text under a name such as `words.gz` is read as it is.

    Returns:
        A buffered reader.

    Raises:
        FormatError: If it is an archive; while reading, if compressed data is damaged or cut off.
    """
    reader = peekable(file)
    _refuse_archives(path, reader)
    suffix, found = Path(path).suffix.lower(), compression(path, reader.peek(_LONGEST_START))
    if found is None:
        if suffix in _DECOMPRESSORS:
            logger.warning("%s: the content is not compressed, whatever the name says", path)
        return reader
    if found != suffix:
        logger.info("%s: the content is %s data; read so", path, found)
    chunks = _decompress(path, reader, found)
    return cast(BinaryIO, io.BufferedReader(ChunkStream(chunks), _CHUNK))


def _refuse_archives(path: str | Path, reader: io.BufferedReader) -> None:
    head = reader.peek(512)
    kind = next((kind for start, kind in _ARCHIVES.items() if head.startswith(start)), None)
    if head[257:262] == b"ustar" or named_suffix(path) in (".tar", ".tgz"):
        kind = "tar"
    if kind is not None:
        reason = f"this is a {kind} archive, which may hold many files; unpack it, and name the one to read"
        raise FormatError(path, None, reason)


def compression(path: str | Path, head: bytes) -> str | None:
    r"""How a file is compressed, as a suffix; `None` if it is not.

    Args:
        path: The file; its suffix counts where its bytes do not tell.
        head: Its first bytes.

    Example:
        >>> compression("en.txt", b"\x1f\x8b\x08"), compression("en.txt.gz", b"the house")
        ('.gz', None)
    """
    suffix = Path(path).suffix.lower()
    found = next((name for name, start in _STARTS.items() if start.match(head)), None)
    if found is None and suffix in _DECOMPRESSORS and not _is_plain(head):
        return suffix
    return found


def peekable(file: BinaryIO) -> io.BufferedReader:
    """The same stream with a `peek`."""
    if isinstance(file, io.BufferedReader):
        return file
    # Not around the stream itself, which would be closed with the reader.
    return io.BufferedReader(ChunkStream(iter(partial(file.read, _CHUNK), b"")), _CHUNK)


def _is_plain(head: bytes) -> bool:
    """Whether these bytes, the first of a file, are text."""
    return bool(head) and not _CONTROL.search(head)


def compressed(path: str | Path, file: IO[bytes]) -> AbstractContextManager[BinaryIO]:
    """A stream into an open file, compressing if the suffix of `path` says so.

    Leaving the context ends the compressed data but does not close `file`. The same content gives
    the same bytes: no name and no time of day goes in.
    """
    stream: Any
    match Path(path).suffix.lower():
        case ".gz":
            stream = gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0)
        case ".bz2":
            stream = bz2.BZ2File(file, "wb")
        case ".xz":
            stream = lzma.LZMAFile(file, "wb")
        case ".zst":
            stream = zstandard.ZstdCompressor().stream_writer(file, closefd=False)
        case _:
            stream = nullcontext(file)
    return stream


def _decompress(path: str | Path, file: BinaryIO, kind: str) -> Iterator[bytes]:
    # Not gzip.open and the like: the standard library's readers pass over damage after the first
    # of several streams, and zstandard's passes over a missing end.
    data, decompressor = b"", None
    while data := data or file.read(_ZSTD_INPUT if kind == ".zst" else _CHUNK):
        if decompressor is None:
            data = data.lstrip(b"\0")  # padding that tapes and xz put between streams
            decompressor = _DECOMPRESSORS[kind]() if data else None
            continue
        try:
            yield from _expanded(kind, decompressor, data)
        except (zlib.error, OSError, EOFError, lzma.LZMAError, zstandard.ZstdError) as error:
            reason = f"expected {kind} data, got damaged or other data ({error})"
            raise FormatError(path, None, f"{reason}; copy or download it again") from None
        data = b""
        if decompressor.eof:
            data, decompressor = decompressor.unused_data, None
    if decompressor is not None:
        raise FormatError(path, None, "the compressed data is cut off; copy or download it again")


def _expanded(kind: str, decompressor: Any, data: bytes) -> Iterator[bytes]:
    """What some bytes become, `_MOST` bytes at a time where the decompressor can be told so."""
    if kind == ".gz":
        piece = decompressor.decompress(data, _MOST)
        while decompressor.unconsumed_tail or (len(piece) == _MOST and not decompressor.eof):
            yield piece
            piece = decompressor.decompress(decompressor.unconsumed_tail, _MOST)
    elif kind in (".bz2", ".xz"):
        piece = decompressor.decompress(data, _MOST)
        while not (decompressor.needs_input or decompressor.eof):
            yield piece
            piece = decompressor.decompress(b"", _MOST)
    else:
        piece = decompressor.decompress(data)
    yield piece


class ChunkStream(io.RawIOBase):
    """A byte stream over pieces of bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as a piece goes; how far."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
