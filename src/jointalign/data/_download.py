"""Downloads that go on where they were stopped; a file appears only when it is complete and right.

What has come so far lies in `NAME.part`, and the version of the file that it belongs to (its ETag
or date) in `NAME.part.version`. When asked to go on, a server that has another version by now, or
cannot send parts of files, sends the whole file again (RFC 9110, If-Range).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import requests

from jointalign.errors import FormatError, JointalignError
from jointalign.progress import Progress
from jointalign.storage.files import plain_errors
from jointalign.storage.stages import alone
from jointalign.version import __version__

_CHUNK = 1 << 16
_SECONDS = (20, 60)  # until connected; without a byte
_HEADERS = {
    "User-Agent": f"jointalign/{__version__} python-requests",
    "Accept-Encoding": "identity",  # bytes as they are in the file, so that they can be counted
}


@dataclass(frozen=True)
class Checksum:
    """What a file must be.

    Args:
        algorithm: A name that hashlib knows: `sha1`, `sha256`.
        values: In hexadecimal; one of them must be the file's.
        origin: Who says so, for the message.
    """

    algorithm: str
    values: tuple[str, ...]
    origin: str

    def check(self, path: Path, cure: str) -> None:
        """Compare a file.

        Raises:
            FormatError: If it is another one; ends with the cure.
        """
        with plain_errors(path), path.open("rb") as file:
            actual = hashlib.file_digest(file, self.algorithm).hexdigest()
        if actual not in (value.lower() for value in self.values):
            name, wanted = self.algorithm.upper(), " or ".join(self.values)
            reason = f"expected {name} {wanted} ({self.origin}), got {actual}; {cure}"
            raise FormatError(path, None, reason)


def download(
    url: str, path: Path, checksum: Checksum | None = None, progress: Progress | None = None
) -> None:
    """Download a file, going on where an earlier call was stopped.

    Args:
        url: Where it is.
        path: Where it goes; folders are made.
        checksum: What it must be; a file that is not is deleted.
        progress: Told the bytes that are there, of all.

    Raises:
        JointalignError: If there is no connection, it breaks, the server has no such file, or the
            disk is full. What has come is kept for the next call.
        FormatError: If the file does not have the checksum.
    """
    part = path.with_name(f"{path.name}.part")
    version = path.with_name(f"{part.name}.version")
    with plain_errors(path), _plain_network_errors(url):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path), part.open("ab") as file:
            keep = False
            try:
                _receive(url, file, version, progress)
                if checksum is not None:
                    cure = "it was damaged on its way, or has just been replaced; download it again"
                    checksum.check(part, cure)
                part.replace(path)
            except FormatError:
                raise
            except BaseException:
                keep = file.tell() > 0
                raise
            finally:
                if not keep:
                    part.unlink(missing_ok=True)
                    version.unlink(missing_ok=True)


def fetch_text(url: str) -> str:
    """The content of a small text file on the web.

    Raises:
        JointalignError: As `download`.
    """
    with _plain_network_errors(url):
        response = requests.get(url, headers=_HEADERS, timeout=_SECONDS)
        _check_answer(url, response)
        return response.content.decode("utf-8", "replace")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = path.with_name(f"{path.name}.lock")
    with alone(lock, f"{path}: another process is downloading this file; wait for it"):
        try:
            yield
        finally:
            with suppress(PermissionError):  # Windows removes no file that is held
                lock.unlink(missing_ok=True)


def _receive(url: str, file: BinaryIO, version: Path, progress: Progress | None) -> None:
    """Bring the rest, or all, of a file."""
    start = file.seek(0, os.SEEK_END)
    known = version.read_text("utf-8") if version.exists() else ""
    headers = dict(_HEADERS)
    if start and known:
        headers |= {"Range": f"bytes={start}-", "If-Range": known}
    with requests.get(url, headers=headers, stream=True, timeout=_SECONDS) as response:
        span = response.headers.get("Content-Range", "")
        if start and response.status_code == requests.codes.requested_range_not_satisfiable:
            if span == f"bytes */{start}":  # stopped after the last byte
                return
            file.truncate(0)  # more than there is: not this file
            return _receive(url, file, version, progress)
        _check_answer(url, response)
        if response.status_code != requests.codes.partial_content:
            start = 0
            file.truncate(0)
            version.write_text(_version(response.headers), "utf-8")
        elif not span.startswith(f"bytes {start}-"):
            file.truncate(0)
            raise _failed(url, f"the server sent '{span}' when asked for the rest from {start}")
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        _copy(response, file, start, total, progress)
    if total is not None and file.tell() != total:
        raise _failed(url, f"the connection ended after {file.tell()} of {total} bytes")


def _copy(
    response: requests.Response, file: BinaryIO, done: int, total: int | None, progress: Progress | None
) -> None:
    try:
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total, f"{done / 1e6:.1f} MB")
    finally:
        file.flush()
    os.fsync(file.fileno())


def _version(headers: Mapping[str, str]) -> str:
    """What tells this version of a file from others; empty if nothing does."""
    tag = headers.get("ETag", "")
    # A weak tag says that two versions mean the same, not that their bytes are equal.
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _check_answer(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status in (401, 403, 404, 410):
        raise JointalignError(f"{url}: the server has no such file (HTTP {status}); check the language codes")
    if status >= 400:
        raise JointalignError(f"{url}: the server is not ready (HTTP {status}); try again later")
    if "text/html" in response.headers.get("Content-Type", ""):
        raise JointalignError(
            f"{url}: expected a file, got a web page; if your network wants a login, log in first"
        )


@contextmanager
def _plain_network_errors(url: str) -> Iterator[None]:
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise _failed(url, "its certificate is not trusted") from error
    except requests.exceptions.ProxyError as error:
        raise _failed(url, "the proxy refuses; see the variable HTTPS_PROXY") from error
    except requests.exceptions.Timeout as error:
        raise _failed(url, "no answer in time") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise _failed(url, "the connection broke") from error
    except requests.exceptions.RequestException as error:
        raise _failed(url, "no connection, or it was lost") from error


def _failed(url: str, cause: str) -> JointalignError:
    return JointalignError(
        f"{url}: download failed: {cause}; check the network, then start the same command again: "
        "it goes on where it stopped"
    )
