"""Work in stages that can be stopped at any moment: each leaves files and a record."""

from __future__ import annotations

import fcntl
import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jointalign.errors import JointalignError
from jointalign.files import atomic, check_folder, remove_leftovers


@dataclass(frozen=True)
class Record:
    """What is known of a finished stage.

    Args:
        key: Digest of everything that the stage's files depend on.
        seconds: How long it took.
        peak_memory_mb: Largest memory of the process up to its end.
        repeated: Whether it was found done and not done again.
    """

    key: str
    seconds: float
    peak_memory_mb: float
    repeated: bool = False


class Stages:
    """The stages of one folder.

    Args:
        folder: Where all files of the run lie.
        report: Told the name of each stage and whether it was done before.
    """

    def __init__(self, folder: Path, report: Callable[[str, bool], None] | None = None) -> None:
        self.folder = folder
        self.records: dict[str, Record] = {}
        self._report = report

    def do(
        self,
        name: str,
        settings: Mapping[str, Any] | Sequence[Any],
        outputs: Sequence[str],
        work: Callable[[], None],
        after: Sequence[str] = (),
    ) -> Record:
        """Do a stage unless it is done.

        Args:
            name: Of the stage, and of its record.
            settings: All that its result depends on besides earlier stages.
            outputs: Files that it leaves, below the folder.
            work: Makes them; each must appear as a whole or not at all.
            after: Earlier stages that it depends on.
        """
        upstream = [self.records[earlier].key for earlier in after]
        text = json.dumps([name, settings, upstream], sort_keys=True, default=str)
        key = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        record = self._finished(name, key, outputs)
        if self._report is not None:
            self._report(name, record is not None)
        if record is None:
            begun = time.monotonic()
            work()
            record = Record(key, time.monotonic() - begun, peak_memory_mb())
            self._write(name, record, outputs)
        self.records[name] = record
        return record

    def _path(self, name: str) -> Path:
        return self.folder / "stages" / f"{name}.json"

    def _finished(self, name: str, key: str, outputs: Sequence[str]) -> Record | None:
        try:
            facts = json.loads(self._path(name).read_text("utf-8"))
            if facts["key"] != key:
                return None
            for output in outputs:
                if (self.folder / output).stat().st_size != facts["outputs"][output]:
                    return None
            return Record(key, facts["seconds"], facts["peak_memory_mb"], repeated=True)
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no record, or not a whole one: do it again

    def _write(self, name: str, record: Record, outputs: Sequence[str]) -> None:
        facts = {
            "key": record.key,
            "outputs": {output: (self.folder / output).stat().st_size for output in outputs},
            "seconds": round(record.seconds, 3),
            "peak_memory_mb": round(record.peak_memory_mb, 1),
        }
        with atomic(self._path(name), "w") as file:
            json.dump(facts, file, indent=2)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second process out of a folder while this one works in it.

    Raises:
        JointalignError: If another process is at work there, or the folder cannot be written.
    """
    check_folder(folder)
    lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JointalignError(
                f"{folder}: another process is at work in this folder; wait for it or name another"
            ) from None
        remove_leftovers(folder)
        yield


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
