"""What reviewers decide, kept beside a run: each decision at once, by words, with who and when.

One table in SQLite to which rows are only added: a decision is a row a word pair, an undoing is a row that
names the step that it undoes. What holds now follows from the rows in order, so nothing that was ever
decided is lost, and what another process has added is seen by reading the rows after the last one seen.
Rows name words, not places in a dictionary, so that the run can be made again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import RLock
from typing import Self

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.facts import typed
from jointalign.storage.files import plain_errors
from jointalign.storage.tables import TableReport, read_table, write_table

_TABLE = """
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, time TEXT NOT NULL, reviewer TEXT NOT NULL,
    source TEXT NOT NULL, target TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL,
    imported INTEGER NOT NULL)
"""
_COLUMNS: dict[str, str] = dict.fromkeys(("source", "target", "verdict", "reviewer", "time", "note"), "")
_Row = tuple[int, int, str, str, str, str, str, str, int]
_UNDO = "undo"
_WAIT = 30.0  # seconds for another process that writes


class Verdict(StrEnum):
    """What is decided of a pair of words; `SKIP` and `NOTE` are of a source word, without a target."""

    ACCEPT = "accept"
    REJECT = "reject"
    SKIP = "skip"
    NOTE = "note"
    CLEAR = "clear"


@dataclass(frozen=True)
class Decision:
    """One decision.

    Args:
        source: The word.
        target: Its translation; empty for `SKIP` and `NOTE`.
        verdict: What was decided; `CLEAR` takes back what was before.
        note: Any text.
        reviewer: Who; filled in when it is kept.
        time: When, in UTC; filled in when it is kept.
    """

    source: str
    target: str
    verdict: Verdict
    note: str = ""
    reviewer: str = ""
    time: str = ""

    @property
    def _key(self) -> tuple[str, str, bool]:
        """Of several decisions that agree in this, and in the source word, the last holds."""
        return self.reviewer, self.target, self.verdict is Verdict.NOTE


@dataclass(frozen=True)
class Merged:
    """What was taken over from a table.

    Args:
        added: Decisions that are new, or later than what was here.
        known: Decisions that were here.
        older: Decisions for which there is a later one by the same reviewer here.
    """

    added: int = 0
    known: int = 0
    older: int = 0


class Decisions:
    """The decisions of all reviewers of a run; close it, or use it in a `with`.

    Several processes and threads may use one file at once. Each change is on the disk when its method
    returns; `refresh` takes over those of others.

    Args:
        path: The file, made if missing.

    Raises:
        JointalignError: If it cannot be opened or is no file of decisions.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Decisions(f"{folder}/decisions.sqlite") as kept:
        ...     kept.decide("ana", [Decision("house", "casa", Verdict.ACCEPT)])
        ...     kept.decide("ana", [Decision("house", "hogar", Verdict.REJECT)])
        ...     print([(one.target, str(one.verdict)) for one in kept.of("house")])
        ...     print(kept.undo("ana"), [one.target for one in kept.of("house")])
        [('casa', 'accept'), ('hogar', 'reject')]
        ('house',) ['casa']
    """

    def __init__(self, path: str | Path) -> None:
        self._path, self._lock = Path(path), RLock()
        self._last = 0
        self._words: dict[str, dict[tuple[str, str, bool], list[tuple[str, int, int, Decision]]]] = {}
        self._steps: dict[int, tuple[str, ...]] = {}
        self._own: dict[str, list[int]] = {}  # steps that can be undone, by reviewer
        with plain_errors(path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._clear_errors():
            self._base = sqlite3.connect(path, _WAIT, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.execute(_TABLE)
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def decide(self, reviewer: str, choices: Sequence[Decision]) -> None:
        """Keep what was decided with one key: a step, which is undone as a whole.

        Args:
            reviewer: Who.
            choices: One or several; their reviewer and time are set here.

        Raises:
            JointalignError: If a name or word is missing or no text, or nothing can be written.
        """
        for choice in choices:
            _check(reviewer, choice)
        with self._writing():
            self._insert(reviewer, choices)
        self.refresh()

    def undo(self, reviewer: str) -> tuple[str, ...]:
        """Take back the last step of a reviewer that was not taken back yet, however long ago it was.

        Returns:
            The source words of that step; none if there is nothing to undo.
        """
        with self._writing():
            self.refresh()
            steps = self._own.get(reviewer, [])
            if not steps:
                return ()
            step = steps[-1]
            row = (step, _now(), reviewer, "", "", _UNDO, "", 0)
            self._base.execute(_INSERT, row)
        words = self._steps[step]
        self.refresh()
        return words

    def refresh(self) -> set[str]:
        """Take over what any process has added since; returns the source words that it is of."""
        with self._lock, self._clear_errors():
            rows = self._base.execute("SELECT * FROM event WHERE id > ? ORDER BY id", (self._last,))
            return {word for row in rows for word in self._take(*typed(list(row), _Row, "a row"))}

    def of(self, source: str) -> list[Decision]:
        """What holds of a source word, of all reviewers, in the order of time."""
        with self._lock:
            stacks = self._words.get(source, {}).values()
            tops = sorted(max(stack, key=lambda row: row[:2]) for stack in stacks if stack)
            return [decision for *_, decision in tops if decision.verdict is not Verdict.CLEAR]

    @property
    def sources(self) -> list[str]:
        """All source words of which something holds, by their first decision."""
        with self._lock:
            return [word for word in self._words if self.of(word)]

    def conflicts(self, source: str) -> tuple[str, ...]:
        """Translations that one reviewer has accepted and another rejected."""
        found = self.of(source)
        rejected = {one.target for one in found if one.verdict is Verdict.REJECT}
        accepted = [one.target for one in found if one.verdict is Verdict.ACCEPT]
        return tuple(dict.fromkeys(target for target in accepted if target in rejected))

    def accepted(self) -> list[tuple[str, str]]:
        """Pairs that somebody has accepted and nobody rejected."""
        pairs = {}
        for source in self.sources:
            disputed = self.conflicts(source)
            for one in self.of(source):
                if one.verdict is Verdict.ACCEPT and one.target not in disputed:
                    pairs[source, one.target] = None
        return list(pairs)

    def write(self, path: str | Path) -> TableReport:
        """Write all that holds as a table, e.g. for somebody who works elsewhere to `merge` it.

        Args:
            path: `.tsv`, compressed if a suffix says so.

        Raises:
            JointalignError: If it cannot be written.
        """
        rows = [
            (one.source, one.target, str(one.verdict), one.reviewer, one.time, one.note)
            for source in self.sources
            for one in self.of(source)
        ]
        return write_table(_COLUMNS, rows, path, form=".tsv")

    def merge(self, path: str | Path) -> Merged:
        """Take over a table that `write` has written, here or elsewhere; doing it again changes nothing.

        Of two decisions of one reviewer on one pair the later holds. What is taken over here is no step
        that a key can undo.

        Raises:
            JointalignError: If the table cannot be opened.
            FormatError: If a line is none of such a table; nothing is taken over then.
        """
        found = list(_read(path))
        added, known, older = [], 0, 0
        with self._writing():
            self.refresh()
            for decision in found:
                stack = self._words.get(decision.source, {}).get(decision._key, [])
                here = max(stack, key=lambda row: row[:2])[3] if stack else None
                if here == decision:
                    known += 1
                elif here is not None and here.time >= decision.time:
                    older += 1
                else:
                    added.append(decision)
            self._insert("", added, imported=True)
        self.refresh()
        return Merged(len(added), known, older)

    def _insert(self, reviewer: str, choices: Sequence[Decision], imported: bool = False) -> None:
        (step,) = self._base.execute("SELECT coalesce(max(id), 0) + 1 FROM event").fetchone()
        time = self._later(reviewer)
        for one in choices:
            who, when = (one.reviewer, one.time) if imported else (reviewer, time)
            row = (step, when, who, one.source, one.target, str(one.verdict), one.note, int(imported))
            self._base.execute(_INSERT, row)

    def _later(self, reviewer: str) -> str:
        """Now, or just after the reviewer's last decision if the clock has been put back since."""
        query = "SELECT max(time) FROM event WHERE reviewer = ?"
        (last,) = self._base.execute(query, (reviewer,)).fetchone()
        now = _now()
        if last is None or last < now:
            return now
        return (datetime.fromisoformat(last) + timedelta(microseconds=1)).isoformat(timespec="microseconds")

    def _take(
        self,
        number: int,
        step: int,
        time: str,
        reviewer: str,
        source: str,
        target: str,
        verdict: str,
        note: str,
        imported: int,
    ) -> tuple[str, ...]:
        self._last = number
        if verdict == _UNDO:
            words = self._steps[step]
            self._own[reviewer].remove(step)
            for word in words:
                for stack in self._words[word].values():
                    stack[:] = [row for row in stack if row[2] != step]
            return words
        decision = Decision(source, target, Verdict(verdict), note, reviewer, time)
        stacks = self._words.setdefault(source, {})
        stacks.setdefault(decision._key, []).append((time, number, step, decision))
        self._steps[step] = tuple(dict.fromkeys((*self._steps.get(step, ()), source)))
        if not imported and step not in self._own.setdefault(reviewer, [])[-1:]:
            self._own[reviewer].append(step)
        return (source,)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, self._clear_errors():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except FormatError:
            raise
        except (sqlite3.Error, LookupError, ValueError) as error:
            raise JointalignError(
                f"{self._path}: decisions cannot be kept or read here ({error}); check that this is a "
                "file of decisions, that it can be written, and that the disk is not full"
            ) from error


_INSERT = (
    "INSERT INTO event (step, time, reviewer, source, target, verdict, note, imported) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _check(reviewer: str, choice: Decision) -> None:
    of_pair = choice.verdict in (Verdict.ACCEPT, Verdict.REJECT)
    if not reviewer.strip() or not choice.source or (of_pair and not choice.target.strip()):
        raise JointalignError("a decision needs a reviewer, a word, and a translation to accept or reject")
    try:
        "".join((reviewer, choice.source, choice.target, choice.note)).encode()
    except UnicodeEncodeError:
        raise JointalignError("a decision holds half a character; write it again") from None


def _read(path: str | Path) -> Iterator[Decision]:
    for number, cells in read_table(path):
        if number == 1 and cells == list(_COLUMNS):
            continue
        try:
            source, target, verdict, reviewer, time, note = cells
            decision = Decision(source, target, Verdict(verdict), note, reviewer, _plain_time(time))
            _check(reviewer, decision)
        except ValueError:
            raise FormatError(
                path, number, f"expected {', '.join(_COLUMNS)}, with tabs between them"
            ) from None
        yield decision


def _plain_time(time: str) -> str:
    """In the one form in which times compare as texts do."""
    return datetime.fromisoformat(time).astimezone(UTC).isoformat(timespec="microseconds")
