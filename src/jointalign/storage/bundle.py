"""A folder of raw arrays and a note of what they are: for what is too large for one writing.

Arrays grow at their ends. Where a note has been made, what was stopped goes on; the last note
says that all is complete.
"""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.checkpoint import OtherWorkError, differences, plain_facts
from jointalign.storage.facts import Number, from_json, typed
from jointalign.storage.files import atomic, plain_errors

logger = logging.getLogger(__name__)

INFO = "info.json"
_LAYOUT = 3  # goes up when the files change, so that older ones are made anew
_BLOCK = 1 << 22
_WIDEST = 1 << 20
_DTYPES = ("u1", "<u2", "<u4", "<u8", "<i4", "<i8", "<f2")


class Kind(NamedTuple):
    """What an array is.

    Args:
        dtype: Of its values, little-endian, such as `<i4`.
        width: Values in a row; `None` for an array of one dimension.
    """

    dtype: str
    width: int | None = None

    @property
    def row_bytes(self) -> int:
        """Size of a row."""
        return np.dtype(self.dtype).itemsize * (self.width or 1)


@dataclass(frozen=True)
class Note:
    """What a folder says of its arrays.

    Args:
        facts: All that they depend on, as `plain_facts` gives it.
        state: What else there is to know, as plain types.
        complete: Whether they are whole, or a beginning.
        kinds: Of each array.
        sizes: In bytes.
        digests: CRC-32 of each file; empty where nobody asked for them.
    """

    facts: dict[str, Any]
    state: dict[str, Any]
    complete: bool
    kinds: dict[str, Kind]
    sizes: dict[str, Number]
    digests: dict[str, int]
    layout: int = _LAYOUT


@dataclass(frozen=True)
class Bundle:
    """Raw arrays in a folder, each a file `NAME.bin`.

    Args:
        folder: Made if missing; other files in it are left alone.
        facts: All that the arrays depend on, by name; see `plain_facts`.
        kinds: What arrays there are.
        checked: Whether digests are kept, so that damage is found when the arrays are read; they
            are read one time more then.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     bundle = Bundle(Path(folder), {"seed": 1}, {"rows": Kind("<i4", 2)})
        ...     with bundle.writing() as writer:
        ...         writer.append("rows", np.array([[1, 2], [3, 4]]))
        ...         writer.finish({"lines": 9})
        ...     arrays, note = read_bundle(folder, "rows", "write them again")
        >>> arrays["rows"].tolist(), note.state
        ([[1, 2], [3, 4]], {'lines': 9})
    """

    folder: Path
    facts: Mapping[str, Any]
    kinds: Mapping[str, Kind]
    checked: bool = False

    def load(self) -> Note | None:
        """What is there, whole or begun; `None` if nothing can be gone on from.

        Damage is reported.

        Raises:
            OtherWorkError: If it is of other facts; the files stay.
        """
        note = _noted(self.folder)
        if note is None:
            return None
        if changed := differences(note.facts, self._plain):
            raise OtherWorkError(self.folder / INFO, changed)
        there = {name: _size(_path(self.folder, name)) or 0 for name in note.sizes}
        short = [name for name, size in note.sizes.items() if there[name] < size]
        if short or note.kinds != self.kinds or (note.complete and there != note.sizes):
            logger.warning("%s: a file is damaged or lost; all is made again", self.folder)
            return None
        return note

    @contextmanager
    def writing(self, note: Note | None = None) -> Iterator[BundleWriter]:
        """Write the arrays; what is in the folder counts as complete when it is finished.

        Args:
            note: From `load`: what to go on from; `None` to begin anew.

        Raises:
            JointalignError: If something cannot be written.
        """
        with plain_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            writer = BundleWriter(self, note)
            try:
                yield writer
            finally:
                writer.close()

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return plain_facts(self.facts)


class BundleWriter:
    """Appends to the arrays of a bundle; made by `Bundle.writing`.

    Args:
        bundle: What is written.
        note: What to go on from; `None` to begin anew.
    """

    def __init__(self, bundle: Bundle, note: Note | None) -> None:
        self._bundle, self._is_noted = bundle, note is not None
        if note is None:
            (bundle.folder / INFO).unlink(missing_ok=True)
        self._files: dict[str, IO[bytes]] = {}
        for name in bundle.kinds:
            path = _path(bundle.folder, name)
            if note is None:
                path.unlink(missing_ok=True)  # arrays that are still mapped stay as they are
            file = path.open("w+b" if note is None else "r+b")
            if note is not None:
                file.truncate(note.sizes[name])
                file.seek(note.sizes[name])
            self._files[name] = file

    @property
    def names(self) -> tuple[str, ...]:
        """Of the arrays."""
        return tuple(self._files)

    def append(self, name: str, rows: np.ndarray) -> None:
        """Add rows to an array."""
        kind = self._bundle.kinds[name]
        self._files[name].write(rows.astype(kind.dtype, copy=False).tobytes())

    def written(self, name: str) -> np.memmap:
        """The values of an array that has some, to be changed in place and flushed."""
        self._files[name].flush()
        return np.memmap(_path(self._bundle.folder, name), self._bundle.kinds[name].dtype, "r+")

    def note(self, state: Mapping[str, Any]) -> None:
        """Vouch for what is written so far, so that it can be gone on from."""
        self._note(state, False)

    def finish(self, state: Mapping[str, Any]) -> None:
        """Vouch that all is written."""
        self._note(state, True)

    def _note(self, state: Mapping[str, Any], complete: bool) -> None:
        bundle, sizes = self._bundle, {}
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())  # a note must never vouch for what is not on the disk
            sizes[name] = file.tell()
        digests = {}
        if bundle.checked:
            digests = {name: _digest(_path(bundle.folder, name)) for name in sizes}
        note = Note(bundle._plain, dict(state), complete, dict(bundle.kinds), sizes, digests)
        with atomic(bundle.folder / INFO, "w") as file:
            json.dump(asdict(note), file, indent=2)
        self._is_noted = True

    def close(self) -> None:
        """Close the files, and remove them if nothing vouches for them."""
        for name, file in self._files.items():
            file.close()
            if not self._is_noted:
                _path(self._bundle.folder, name).unlink()


def read_bundle(folder: str | Path, what: str, cure: str) -> tuple[dict[str, np.ndarray], Note]:
    """The arrays of a folder, read-only and mapped into memory, and what it says of them.

    Args:
        folder: As `Bundle.writing` made it.
        what: It should be, for errors.
        cure: What to do if it is not.

    Raises:
        JointalignError: If it is not there or not complete.
        FormatError: If a file is not as it was written.
    """
    folder = Path(folder)
    note = _noted(folder)
    if note is None or not note.complete:
        raise JointalignError(f"{folder}: no complete {what} here; {cure}")
    for name, size in note.sizes.items():
        path = _path(folder, name)
        if (found := _size(path)) != size:
            came = "no file" if found is None else found
            raise FormatError(path, None, f"expected {size} bytes, got {came}; {cure}")
        if name in note.digests and _digest(path) != note.digests[name]:
            raise changed_file(path, cure)
    return {name: _mapped(_path(folder, name), kind) for name, kind in note.kinds.items()}, note


def changed_file(path: Path, cure: str) -> FormatError:
    """An error for a file that is not as it was written."""
    reason = "this is not as it was written, the disk or another program has changed it"
    return FormatError(path, None, f"{reason}; {cure}")


def _noted(folder: Path) -> Note | None:
    """A whole note of this layout; `None` for none."""
    try:
        note = typed(from_json((folder / INFO).read_bytes()), Note)
    except (OSError, JointalignError):  # missing, cut off, or of another layout
        return None
    known = note.sizes.keys() == note.kinds.keys() >= note.digests.keys()
    widths = [kind.width for kind in note.kinds.values() if kind.width is not None]
    sound = all(kind.dtype in _DTYPES for kind in note.kinds.values())
    sound &= all(type(width) is int and 0 < width <= _WIDEST for width in widths)
    # They name files of this folder, and no others.
    sound &= all(name.replace("_", "").replace("-", "").isalnum() for name in note.kinds)
    return note if known and sound and note.layout == _LAYOUT else None


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.bin"


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _mapped(path: Path, kind: Kind) -> np.ndarray:
    rows = path.stat().st_size // kind.row_bytes
    shape = (rows,) if kind.width is None else (rows, kind.width)
    return np.memmap(path, kind.dtype, "r", shape=shape) if rows else np.zeros(shape, kind.dtype)


def _digest(path: Path) -> int:
    """CRC-32 of a file, block by block: it may be larger than the memory."""
    found = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found = zlib.crc32(block, found)
    return found
