"""A run, its decisions and what surrounds its words, as plain facts for pages."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import Any, TypedDict

from jointalign.concordance import Passage
from jointalign.errors import JointalignError
from jointalign.pipeline import texts
from jointalign.review.decisions import Decision, Decisions, Merged, Verdict
from jointalign.review.entries import Entries, Entry, Filter, Status, Which
from jointalign.review.exports import SUFFIXES, export, listed
from jointalign.review.learning import DECISIONS, FOLDER, Learning, learnt_of, present_entries
from jointalign.review.surroundings import Surroundings

GOOD, MORE = 5, 20
"""Sentences that are shown first, and that are added to them."""

_AROUND = 110  # characters on each side of a word
_LONGEST = 500  # characters of a translation or a note


class SentDecision(TypedDict):
    """A decision as a page sends it."""

    target: str
    verdict: Verdict
    note: str


@dataclass(frozen=True)
class _Known:
    """What is remembered of a word of which something holds."""

    status: Status
    reviewers: frozenset[str]
    noted: bool


_NOTHING = _Known(Status.OPEN, frozenset(), False)


class Desk:
    """What pages show and do; several threads may use it at once.

    Args:
        run: The folder of a finished run.

    Raises:
        JointalignError: If there is no such run.
    """

    def __init__(self, run: Path) -> None:
        corpora = texts(run)
        self.run, self._lock = run, RLock()
        self.languages = corpora["source"].language, corpora["target"].language
        self._surroundings = Surroundings(run, corpora)
        entries = present_entries(run)
        self.decisions = Decisions(run / FOLDER / DECISIONS)
        self.learning = Learning(run, self._learnt)
        self._log: list[str] = []
        self._take(entries)

    def close(self) -> None:
        """Close the file of decisions, and end a process that learns."""
        self.learning.stop()
        self.decisions.close()

    def _take(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            self._entries = Entries(entries, self._surroundings.groups)
            self._known: dict[str, _Known] = {}
            self._log, self._generation = [], secrets.token_hex(8)
            self.decisions.refresh()
            for word in self.decisions.sources:
                self._remember(word)

    def _learnt(self) -> None:
        self._take(present_entries(self.run))

    def _remember(self, word: str) -> int:
        place = self._entries.place(word)
        place = self._entries.add(Entry(word, 0)) if place is None else place
        found = self.decisions.of(word)
        deciding = [one for one in found if one.verdict is not Verdict.NOTE]
        status = Status.of(self._entries[place], found, bool(self.decisions.conflicts(word)))
        noted = len(deciding) < len(found)
        self._known[word] = _Known(status, frozenset(one.reviewer for one in deciding), noted)
        return place

    def _refresh(self) -> None:
        for word in self.decisions.refresh():
            self._note(word)

    def _note(self, word: str) -> None:
        self._remember(word)
        self._log.append(word)

    def _of(self, place: int) -> _Known:
        return self._known.get(self._entries[place].source, _NOTHING)

    # What is shown

    def start(self) -> dict[str, Any]:
        """What a page needs first."""
        with self._lock:
            learnt = learnt_of(self.run)
            return {
                "run": self.run.resolve().name,
                "languages": list(self.languages),
                "entries": len(self._entries),
                "ranked": any(entry.probability is not None for entry in self._entries),
                "learnt": None if learnt is None else asdict(learnt),
                **self._point(),
            }

    def _point(self) -> dict[str, Any]:
        return {"generation": self._generation, "sequence": len(self._log)}

    def view(self, wanted: Filter, reviewer: str) -> dict[str, Any]:
        """Numbers of the entries that a filter lets through, and a letter each for what has come of them."""
        with self._lock:
            self._refresh()
            places = self._entries.select(
                wanted, lambda at: _fits(wanted.which, self._of(at), reviewer)
            ).tolist()
            statuses = "".join(self._of(at).status for at in places)
            return {"ids": places, "statuses": statuses, **self._point()}

    def rows(self, places: Sequence[int], reviewer: str) -> list[dict[str, Any]]:
        """Lines of a list."""
        with self._lock:
            self._refresh()
            return [self._row(at, reviewer) for at in places if 0 <= at < len(self._entries)]

    def _row(self, place: int, reviewer: str) -> dict[str, Any]:
        entry, known = self._entries[place], self._of(place)
        accepted = [one.target for one in self.decisions.of(entry.source) if one.verdict is Verdict.ACCEPT]
        first = [one.target for one in entry.candidates[:1]]
        return {
            "id": place,
            "source": entry.source,
            "count": entry.count,
            "targets": list(dict.fromkeys(accepted)) or first,
            "probability": entry.probability,
            "status": known.status,
            "mine": reviewer in known.reviewers,
            "noted": known.noted,
        }

    def entry(self, place: int, reviewer: str) -> dict[str, Any]:
        """All that is known of an entry without reading any text.

        Raises:
            JointalignError: If there is no such entry.
        """
        with self._lock:
            self._refresh()
            if not 0 <= place < len(self._entries):
                raise JointalignError(f"there is no entry {place}")
            entry, found = self._entries[place], self.decisions.of(self._entries[place].source)
            targets = dict.fromkeys(one.target for one in entry.candidates)
            added = [one.target for one in found if one.target and one.target not in targets]
            known = {one.target: asdict(one) for one in entry.candidates}
            return {
                **self._row(place, reviewer),
                "candidates": [
                    {
                        **known.get(
                            target, {"target": target, "probability": None, "count": 0, "evidence": ["added"]}
                        ),
                        "accepted": _who(found, target, Verdict.ACCEPT),
                        "rejected": _who(found, target, Verdict.REJECT),
                    }
                    for target in dict.fromkeys((*targets, *added))
                ],
                "skipped": _who(found, "", Verdict.SKIP),
                "notes": [[one.reviewer, one.note] for one in found if one.verdict is Verdict.NOTE],
            }

    def place(self, word: str) -> int | None:
        """Where a word is; a word of the text that is no entry becomes one.

        Returns:
            `None` for a word that does not occur.
        """
        with self._lock:
            place = self._entries.place(word)
        if place is not None:
            return place
        count = self._surroundings.sentences("source", word, 0).count
        with self._lock:
            return (
                self._entries.add(Entry(word, count)) if count and self._entries.place(word) is None else None
            )

    def sentences(self, side: str, word: str, start: int | None) -> dict[str, Any]:
        """Sentences with a word: the best, or those from a place in the text on."""
        found = self._surroundings.sentences(side, word, GOOD if start is None else MORE, start)
        return {
            "count": found.count,
            "missing": found.missing,
            "passages": [
                {"line": one.number, "segments": one.segments(_AROUND), "whole": _whole(one)}
                for one in found.passages
            ],
        }

    def near(self, place: int, target: str) -> dict[str, list[str]]:
        """Words near the word of an entry and near a translation, and their forms.

        Raises:
            JointalignError: If there is no such entry, or the space of the run cannot be read.
        """
        with self._lock:
            if not 0 <= place < len(self._entries):
                raise JointalignError(f"there is no entry {place}")
            word = self._entries[place].source
        around = self._surroundings
        return {
            "source": around.near("source", word),
            "source_forms": around.forms("source", word),
            "target": around.near("target", target),
            "target_forms": around.forms("target", target),
            "translations": around.translations(word),
        }

    def changes(self, generation: str, since: int, reviewer: str) -> dict[str, Any]:
        """What anybody has decided since; a page of another generation has to begin anew."""
        with self._lock:
            self._refresh()
            same = generation == self._generation and 0 <= since <= len(self._log)
            words = dict.fromkeys(self._log[since:] if same else ())
            places = [place for word in words if (place := self._entries.place(word)) is not None]
            return {
                **self._point(),
                "anew": not same,
                "rows": [self._row(at, reviewer) for at in places],
                "learning": self.learning.state,
            }

    # What is done

    def decide(self, reviewer: str, place: int, choices: Sequence[SentDecision]) -> dict[str, Any]:
        """Keep decisions on an entry; it is on the disk when this returns.

        Raises:
            JointalignError: If there is no such entry, a decision is none, or it cannot be kept.
        """
        with self._lock:
            if not 0 <= place < len(self._entries):
                raise JointalignError(f"there is no entry {place}")
            word = self._entries[place].source
            made = [
                Decision(word, _one_line(one["target"]), one["verdict"], _one_line(one["note"]))
                for one in choices
            ]
            self.decisions.decide(_one_line(reviewer), made)
            self._note(word)
            return {"entry": self.entry(place, reviewer), **self._point()}

    def undo(self, reviewer: str) -> dict[str, Any]:
        """Take back a reviewer's last step; `entry` is `None` if there is none."""
        with self._lock:
            words = self.decisions.undo(reviewer)
            for word in words:
                self._note(word)
            place = self._entries.place(words[0]) if words else None
            return {"entry": None if place is None else self.entry(place, reviewer), **self._point()}

    def clear(self, reviewer: str, place: int) -> dict[str, Any]:
        """Take back all that a reviewer has decided of an entry, as a step that can itself be undone."""
        found = self.decisions.of(self._entries[place].source) if 0 <= place < len(self._entries) else []
        own = [one for one in found if one.reviewer == reviewer and one.verdict is not Verdict.NOTE]
        choices = [SentDecision(target=one.target, verdict=Verdict.CLEAR, note="") for one in own]
        return (
            self.decide(reviewer, place, choices)
            if choices
            else {"entry": self.entry(place, reviewer), **self._point()}
        )

    def merge(self, path: Path) -> Merged:
        """Take over the decisions in a table."""
        merged = self.decisions.merge(path)
        self._take(present_entries(self.run))
        return merged

    def exported(self, suffix: str, undecided_from: float | None = None) -> bytes:
        """The dictionary in a form of one file.

        Raises:
            JointalignError: If there is no such form.
        """
        if suffix not in SUFFIXES:
            raise JointalignError(f"there is no form '{suffix}'; known are {', '.join(SUFFIXES)}")
        with self._lock:
            self._refresh()
            pairs = listed(self._entries, self.decisions, undecided_from)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"dictionary{suffix}")
            export(pairs, path, self.languages, self.title)
            return path.read_bytes()

    def written(self) -> bytes:
        """All decisions as a table."""
        with tempfile.TemporaryDirectory() as folder:
            self.decisions.write(Path(folder, "decisions.tsv"))
            return Path(folder, "decisions.tsv").read_bytes()

    @property
    def title(self) -> str:
        """Of the dictionary."""
        return f"{self.languages[0]} to {self.languages[1]}"

    def warm(self) -> None:
        """Open what would make the first page wait."""
        for side in ("source", "target"):
            self._surroundings.sentences(side, "", 0)
        for entry in list(self._entries)[:1]:
            self._surroundings.translations(entry.source)


def _fits(which: Which, known: _Known, reviewer: str) -> bool:
    if which is Which.OPEN:
        return known.status is Status.OPEN
    if which in (Which.MINE, Which.MINE_OPEN):
        return (reviewer in known.reviewers) == (which is Which.MINE)
    if which is Which.NOTED:
        return known.noted
    return known.status.name == which.name


def _who(found: Sequence[Decision], target: str, verdict: Verdict) -> list[str]:
    return [one.reviewer for one in found if one.target == target and one.verdict is verdict]


def _one_line(text: str) -> str:
    if len(text) > _LONGEST:
        raise JointalignError(f"a word or a note has {_LONGEST} characters at most, this has {len(text)}")
    return " ".join(text.split())


def _whole(passage: Passage) -> list[tuple[str, bool]] | None:
    """The whole line, where it is longer than what is shown of it."""
    whole = passage.segments()
    return whole if whole != passage.segments(_AROUND) else None
