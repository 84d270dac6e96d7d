"""Reading and writing files: compression by suffix, UTF-8 lines, nothing half-written."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.compression import compressed, decompressed
from jointalign.storage.lines import pieces, why_not_text

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TEMPORARY = ".jointalign-tmp"
_YOUNG = 1.0  # seconds
_CAUSES = {
    errno.ENOENT: "no such file; check the path",
    errno.EISDIR: "expected a file, this is a folder",
    errno.ENOTDIR: "a part of this path is a file, not a folder; check the path",
    errno.EEXIST: "a file is where a folder is needed; choose another place",
    errno.EACCES: "no permission; change the rights of the file or folder, or choose another place",
    errno.EPERM: "no permission; change the rights of the file or folder, or choose another place",
    errno.EROFS: "this disk cannot be written to; choose another place",
    errno.ENOSPC: "no space left on this disk; free some, or choose another place",
    errno.EDQUOT: "your disk quota is used up; free some space, or choose another place",
    errno.ELOOP: "this link leads back to itself; make it anew, or choose another place",
    errno.ENAMETOOLONG: "this name is too long; choose a shorter one",
}


@contextmanager
def plain_errors(path: str | Path) -> Iterator[None]:
    """Turn the operating system's errors into `JointalignError`s that say what to do.

    Args:
        path: Named in the message, unless the error itself names another file.

    Raises:
        JointalignError: In place of any `OSError`, but for a closed pipe, which is nobody's fault;
            and of `pathlib`'s `RuntimeError` for a link that leads back to itself.

    Example:
        >>> with plain_errors("no-such-file"):
        ...     open("no-such-file")
        Traceback (most recent call last):
        jointalign.errors.JointalignError: no-such-file: no such file; check the path
    """
    try:
        yield
    except ConnectionError:
        raise
    except OSError as error:
        named = str(error.filename or path)
        # Whoever waits for `out.vec` has never heard of the temporary file beside it.
        place = path if named.endswith(_TEMPORARY) else named
        cause = _CAUSES.get(error.errno or 0, error.strerror or str(error))
        raise JointalignError(f"{place}: {cause}") from error
    except RuntimeError as error:
        if not str(error).startswith("Symlink loop"):  # before Python 3.13
            raise
        raise JointalignError(f"{path}: {_CAUSES[errno.ELOOP]}") from error


# Reading


@contextmanager
def open_text(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for reading, as bytes, decompressed if it is compressed.

    Files of several compressed streams one after the other (as `pbzip2`, `bgzip` and `cat` make
    them) are read to their end.

    Args:
        path: A file, plain or `.gz`, `.bz2`, `.xz`, `.zst`; `-` for the standard input.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: While reading, if compressed data is damaged or cut off.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with write_text(f"{folder}/words.txt.gz") as text:
        ...         _ = text.write("casa")
        ...     with open_text(f"{folder}/words.txt.gz") as stream:
        ...         stream.read()
        b'casa'
    """
    if str(path) == "-":
        yield decompressed(path, sys.stdin.buffer)
        return
    with plain_errors(path):
        file = Path(path).open("rb")
    with file:
        with plain_errors(path):
            stream = decompressed(path, file)
        yield stream


def read_lines(path: str | Path, longest: int | None = None) -> Iterator[tuple[int, str]]:
    r"""Lines of a UTF-8 text file, each with its number, counted from 1.

    Lines end with LF or CRLF, or all with CR, nothing else (so a form feed or U+2028 is part of its
    line); a byte order mark at the start is dropped.

    Args:
        path: As for `open_text`.
        longest: Lines of more bytes come in pieces, none much above twice that, so that memory
            is bounded. All have the number of their line, and together they are the line. It is
            cut after a blank, or where there is none between two characters. Default: never; a line
            of more than 64 MiB is then an error, or of more than `longest_line` says.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it is not UTF-8 text, or compressed and damaged.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "words.txt").write_bytes(b"casa\r\nhogar")
        ...     list(read_lines(f"{folder}/words.txt"))
        [(1, 'casa'), (2, 'hogar')]
    """
    decoded = False
    with open_text(path) as stream, plain_errors(path):
        for number, start, raw, _ in pieces(stream, longest, path):
            if number == 1 and not start:
                raw = raw.removeprefix(_BYTE_ORDER_MARK)
            if b"\0" in raw:
                raise FormatError(path, number, why_not_text(raw, None, start))
            try:
                text = raw.decode()
            except UnicodeDecodeError as error:
                raise FormatError(path, number, why_not_text(raw, error, start, decoded)) from None
            decoded = decoded or not text.isascii()
            yield number, text


def digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes as they lie on the disk, in hexadecimal.

    Example:
        >>> digest("/dev/null")[:16]
        'e3b0c44298fc1c14'
    """
    with plain_errors(path), Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# Writing


@contextmanager
def atomic(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Write a file completely or not at all.

    What is written goes to a temporary file in the same folder, which takes the place of `path`
    when the block ends, and is removed if the block fails or is interrupted. What a killed process
    has left is removed by the next one that writes into the folder. Missing folders are made. Links
    are followed; devices and pipes, which cannot be replaced, are written directly.

    Args:
        path: The file to write; the suffix means nothing here (`write_text` compresses).
        mode: `wb`, or `w` for UTF-8 text with LF line ends.

    Raises:
        JointalignError: If the file cannot be written: no permission, disk full, and so on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic(f"{folder}/runs/1/result.txt", "w") as file:
        ...         _ = file.write("done")
        ...     Path(folder, "runs/1/result.txt").read_text()
        'done'
    """
    if mode not in ("wb", "w"):
        raise JointalignError(f"expected mode 'wb' or 'w', got '{mode}'")
    encoding, newline = (None, None) if mode == "wb" else ("utf-8", "\n")
    with plain_errors(path):
        final = Path(path).resolve()
        if final.is_symlink():  # a loop, which Python 3.13 resolves to itself
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if final.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if final.exists() and not final.is_file():
            with final.open(mode, encoding=encoding, newline=newline) as file:
                yield file
            return
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(final.parent)
        temporary = final.parent / f".{secrets.token_hex(8)}{_TEMPORARY}"
        try:
            with temporary.open(mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
                held = _hold(file)
                yield file
                file.flush()
                os.fsync(file.fileno())
                if held:  # once it is free it would be taken for abandoned
                    temporary.replace(final)
            if not held:
                temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _hold(file: IO[Any], wait: bool = True) -> bool:
    """Lock an open file until it is closed, or its process is killed; whether that could be done."""
    try:
        import fcntl
    except ImportError:  # Windows, where an open file can be neither renamed nor removed
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another process, or a disk without locks
        return False
    return True


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files of writers that were killed; what others are writing stays."""
    for leftover in folder.glob(f".*{_TEMPORARY}"):
        try:
            # One that has only just been opened may not be held yet.
            if time.time() - leftover.stat().st_mtime < _YOUNG:
                continue
            with leftover.open("rb") as file:
                if _hold(file, wait=False):
                    leftover.unlink()
        except OSError:
            continue


@contextmanager
def write_bytes(path: str | Path) -> Iterator[BinaryIO]:
    """Write bytes like `atomic`, compressed if the suffix says so (`.gz`, `.bz2`, `.xz`, `.zst`).

    The same content gives the same file: no name and no time of day goes into it.
    """
    with atomic(path) as file, compressed(path, file) as stream:
        yield stream


@contextmanager
def write_text(path: str | Path) -> Iterator[TextIO]:
    r"""Write UTF-8 text with LF line ends, otherwise like `write_bytes`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with write_text(f"{folder}/words.txt.zst") as text:
        ...         _ = text.write("casa\n")
        ...     list(read_lines(f"{folder}/words.txt.zst"))
        [(1, 'casa')]
    """
    with write_bytes(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
        try:
            yield text
        finally:
            text.detach()  # flushes, and leaves closing to the owner of the stream


def check_folder(folder: str | Path) -> None:
    """Make a folder and make sure that files can be written there.

    Raises:
        JointalignError: If it cannot be made or written to.
    """
    with plain_errors(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        probe = Path(folder) / f".{secrets.token_hex(8)}{_TEMPORARY}"
        probe.open("xb").close()
        probe.unlink(missing_ok=True)


def check_place(path: str | Path) -> None:
    """Find out before hours of work whether something can be written to a path; nothing is made.

    Raises:
        JointalignError: If a part of the path is a file, or its first folder that is there cannot be
            written to.
    """
    with plain_errors(path):
        place = Path(path).resolve()
        if place.exists() and not place.is_file() and not place.is_dir():
            return  # a device or a pipe
        while not place.is_dir():
            if place.is_file() and place != Path(path).resolve():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
            place = place.parent
        probe = place / f".{secrets.token_hex(8)}{_TEMPORARY}"
        probe.open("xb").close()
        probe.unlink(missing_ok=True)


def remove_leftovers(folder: str | Path) -> int:
    """Remove temporary files of writers that were killed, one folder deep; returns how many.

    Only for folders that nobody else writes to at the time.
    """
    places = (f".*{_TEMPORARY}", f"*/.*{_TEMPORARY}")
    leftovers = [path for place in places for path in Path(folder).glob(place)]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def file_facts(path: str | Path) -> tuple[str, int, int]:
    """What tells one state of a file from another without reading it: path, size, time.

    Raises:
        JointalignError: If there is no such file.
    """
    with plain_errors(path):
        facts = Path(path).stat()
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return str(Path(path).resolve()), facts.st_size, facts.st_mtime_ns


def spare_folder(inputs: Iterable[str | Path | None], folder: str | Path) -> None:
    """Raise a `JointalignError` if an input lies in a folder whose files are to be replaced."""
    place = Path(folder).resolve()
    for given in filter(None, inputs):
        if place in (Path(given).resolve(), *Path(given).resolve().parents):
            raise JointalignError(
                f"{given}: this is an input, and {folder} is where results go; name another place"
            )


def spare_inputs(inputs: Iterable[str | Path], outputs: Iterable[str | Path]) -> None:
    """Make sure that writing the outputs would overwrite none of the inputs, nor one another.

    Raises:
        JointalignError: If one file is both, or two outputs are one file.
    """
    kept, written = {Path(path).resolve() for path in inputs}, set[Path]()
    for output in outputs:
        final = Path(output).resolve()
        if final in kept:
            raise JointalignError(f"{output}: this is an input, and would be overwritten; name another place")
        if final in written and (final.is_file() or not final.exists()):  # no device
            raise JointalignError(f"{output}: two results would be written here; name two places")
        written.add(final)
