"""Work in stages that can be stopped at any moment: each leaves files and a record."""

from __future__ import annotations

import json
import logging
import secrets
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from filelock import FileLock, Timeout

from jointalign.errors import JointalignError
from jointalign.storage.checkpoint import OtherWorkError, differences, or_fresh, plain_facts
from jointalign.storage.facts import Number, from_json, typed
from jointalign.storage.files import atomic, check_folder, remove_leftovers

logger = logging.getLogger(__name__)

RECORDS = "stages"
LOCK = ".lock"
_DIGESTED = 1 << 24  # bytes; what is larger, vectors and text as numbers, is checked when it is opened


@dataclass(frozen=True)
class Record:
    """What is known of a finished stage.

    Args:
        settings: All that the stage's files depend on besides earlier stages.
        made: Random mark of this doing of the stage. Two doings with one setting can differ
            (several threads), so what comes after depends on the mark, too.
        upstream: Marks of the earlier stages that this doing has used.
        seconds: How long the work took in the process that finished it.
        peak_memory_mb: Largest memory of a process up to its end; `None` where the system cannot say.
        repeated: Whether it was found done and not done again.
    """

    settings: dict[str, Any]
    made: str
    upstream: tuple[str, ...]
    seconds: float
    peak_memory_mb: float | None
    repeated: bool = False


class Stages:
    """The stages of one folder.

    Args:
        folder: Where all files of the run lie.
        report: Told the name of each stage and whether it was done before.
        fresh: Whether what was made with other settings, finished or not, is made again, with a
            warning; it is refused otherwise.
    """

    def __init__(
        self, folder: Path, report: Callable[[str, bool], None] | None = None, *, fresh: bool = False
    ) -> None:
        self.folder, self._fresh = folder, fresh
        self.records: dict[str, Record] = {}
        self._report = report

    def do(
        self,
        name: str,
        settings: Mapping[str, Any],
        outputs: Sequence[str],
        work: Callable[[], None],
        after: Sequence[str] = (),
    ) -> Record:
        """Do a stage unless it is done.

        Args:
            name: Of the stage, and of its record.
            settings: All that its result depends on besides earlier stages, by name.
            outputs: Files that it leaves, below the folder.
            work: Makes them; each must appear as a whole or not at all.
            after: Earlier stages that it depends on.

        Raises:
            OtherWorkError: If it was finished, or begun, with other settings, unless `fresh`.
        """
        upstream = tuple(self.records[earlier].made for earlier in after)
        facts = plain_facts(settings)
        before = self._read(name)
        if before is not None and (changed := differences(before["settings"], facts)):
            if not self._fresh:
                raise OtherWorkError(self._path(name), changed)
            logger.warning("%s: made before with other settings (%s), now replaced", name, changed)
            before = None
        record = self._finished(before, upstream, outputs)
        if self._report is not None:
            self._report(name, record is not None)
        if record is None:
            # Before the first file changes: a record must never vouch for another's files.
            self._path(name).unlink(missing_ok=True)
            begun = time.monotonic()
            or_fresh(work, self._fresh)
            seconds = time.monotonic() - begun
            record = Record(facts, secrets.token_hex(8), upstream, seconds, peak_memory_mb())
            self._write(name, record, outputs)
        self.records[name] = record
        return record

    def _path(self, name: str) -> Path:
        return self.folder / RECORDS / f"{name}.json"

    def _read(self, name: str) -> dict[str, Any] | None:
        """A whole record; `None` for none, and then the stage is done again."""
        return _noted(self._path(name))

    def _finished(
        self, before: dict[str, Any] | None, upstream: tuple[str, ...], outputs: Sequence[str]
    ) -> Record | None:
        if before is None or tuple(before["upstream"]) != upstream:
            return None
        try:
            for output in outputs:
                if _kept(self.folder / output) != before["outputs"][output]:
                    return None
        except (OSError, KeyError):
            return None
        costs = before["seconds"], before["peak_memory_mb"]
        return Record(before["settings"], before["made"], upstream, *costs, True)

    def _write(self, name: str, record: Record, outputs: Sequence[str]) -> None:
        facts = {
            "settings": record.settings,
            "made": record.made,
            "upstream": record.upstream,
            "outputs": {output: _kept(self.folder / output) for output in outputs},
            "seconds": round(record.seconds, 3),
            "peak_memory_mb": record.peak_memory_mb and round(record.peak_memory_mb, 1),
        }
        with atomic(self._path(name), "w") as file:
            json.dump(facts, file, indent=2)


class _Kept(NamedTuple):
    """What tells that a file is as the stage has left it: its size, and if it is not large, its CRC-32."""

    size: Number
    digest: Number | None


def _kept(path: Path) -> _Kept:
    size = path.stat().st_size
    return _Kept(size, zlib.crc32(path.read_bytes()) if size <= _DIGESTED else None)


class _Noted(TypedDict):
    """A record as its file has it."""

    settings: dict[str, Any]
    made: str
    upstream: tuple[str, ...]
    outputs: dict[str, _Kept]
    seconds: float
    peak_memory_mb: float | None


def _noted(path: Path) -> dict[str, Any] | None:
    try:
        return typed(from_json(path.read_bytes()), _Noted)
    except (OSError, JointalignError):
        return None


def in_step(folder: Path, names: Sequence[str]) -> bool:
    """Whether these stages are done, each from the present files of the one before."""
    records = [_noted(folder / RECORDS / f"{name}.json") for name in names]
    pairs = zip(records[:-1], records[1:], strict=True)
    return None not in records and all(one["made"] in two["upstream"] for one, two in pairs if one and two)


@contextmanager
def alone(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock file, which stays; the system frees it when a process is killed.

    Args:
        path: The file.
        refusal: Said where another process holds it.

    Raises:
        JointalignError: If another process holds it.
    """
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise JointalignError(refusal) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def claimed(folder: Path, name: str = "") -> Iterator[None]:
    """Hold the lock of a folder of results, whatever else is in it, or of a file in it.

    Args:
        folder: Made if missing.
        name: Of the file; empty for the folder.

    Raises:
        JointalignError: If another process is at work there, or it cannot be written.
    """
    check_folder(folder)
    lock = folder / (f".{name}.lock" if name else LOCK)
    with alone(lock, f"{folder / name}: another process is at work on this; wait or name another"):
        yield


@contextmanager
def locked(folder: Path, marker: str = RECORDS) -> Iterator[None]:
    """Claim a folder for this process while it works in it.

    Args:
        folder: Made if missing.
        marker: A folder in it that says that it is ours. A folder that is not empty and has none
            holds something else, which must not be overwritten.

    Raises:
        JointalignError: If another process is at work there, the folder holds something else, or
            it cannot be written.
    """
    check_folder(folder)
    if not (folder / marker).is_dir() and any(path.name != LOCK for path in folder.iterdir()):
        raise JointalignError(
            f"{folder}: this folder holds other files, which could be overwritten; name an empty or a new one"
        )
    with alone(folder / LOCK, f"{folder}: another process is at work in this folder; wait or name another"):
        (folder / marker).mkdir(exist_ok=True)
        remove_leftovers(folder)
        yield
        if not (folder / LOCK).exists():
            raise JointalignError(f"{folder}: this folder was removed meanwhile; start again")


def spare_others(folder: str | Path, names: Iterable[str], own: str) -> None:
    """Make sure that results in a folder would replace nothing but earlier results.

    Args:
        folder: Where they are to go; need not exist.
        names: Of the files to be written.
        own: The one among them whose presence says that they are all from here; write it
            first, so that what was stopped can be started again.

    Raises:
        JointalignError: If there are files of these names that are from elsewhere.
    """
    found = [name for name in names if (Path(folder) / name).exists()]
    if found and own not in found:
        raise JointalignError(
            f"{folder}: {', '.join(found)} would be overwritten, and there is no {own}, which "
            "would say that an earlier command has made them; name an empty or a new folder"
        )


def peak_memory_mb() -> float | None:
    """Largest resident memory of this process, or of one that it has waited for, in MiB.

    `None` where the system does not count it (there is no `resource` on Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    peak = max(resource.getrusage(one).ru_maxrss for one in who)
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
