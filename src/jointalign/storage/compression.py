"""Compressed streams by suffix: `.gz`, `.bz2`, `.xz`, `.zst`."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import zstandard

from jointalign.errors import FormatError

_CHUNK = 1 << 18

# What these make has `decompress`, `eof` and `unused_data`, but no common type.
_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(wbits=31),  # 31: with gzip's header and checksum
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lzma.LZMADecompressor,
    ".zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
}
COMPRESSIONS = tuple(_DECOMPRESSORS)


def decompressed(path: str | Path, file: BinaryIO) -> BinaryIO:
    """The content of an open file, decompressed if the suffix of `path` says so.

    Raises:
        FormatError: While reading, if compressed data is damaged or cut off.
    """
    start = _DECOMPRESSORS.get(Path(path).suffix.lower())
    if start is None:
        return file
    chunks = _decompress(path, file, start)
    return cast(BinaryIO, io.BufferedReader(_ChunkStream(chunks), _CHUNK))


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


def _decompress(path: str | Path, file: BinaryIO, start: Callable[[], Any]) -> Iterator[bytes]:
    # Not gzip.open and the like: the standard library's readers pass over damage after the first
    # of several streams, and zstandard's passes over a missing end.
    data, decompressor = b"", None
    while data := data or file.read(_CHUNK):
        if decompressor is None:
            data = data.lstrip(b"\0")  # padding that tapes and xz put between streams
            decompressor = start() if data else None
            continue
        try:
            yield decompressor.decompress(data)
        except (zlib.error, OSError, EOFError, lzma.LZMAError, zstandard.ZstdError) as error:
            reason = f"expected {Path(path).suffix} data, got damaged or other data ({error})"
            raise FormatError(path, None, f"{reason}; copy or download it again") from None
        data = b""
        if decompressor.eof:
            data, decompressor = decompressor.unused_data, None
    if decompressor is not None:
        raise FormatError(path, None, "the compressed data is cut off; copy or download it again")


class _ChunkStream(io.RawIOBase):
    """A byte stream over pieces of bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
