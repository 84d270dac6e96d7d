"""Ranking learnt again from what reviewers have decided, here or in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypedDict

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.pipeline import rankable
from jointalign.progress import Progress
from jointalign.ranking.api import FittedRanker, Ranked, Ranker
from jointalign.ranking.table import write_entries
from jointalign.review.decisions import Decisions, Verdict
from jointalign.review.entries import Entry, read_entries
from jointalign.storage.facts import from_json, read_json, typed
from jointalign.storage.files import atomic, digest
from jointalign.storage.stages import claimed

FOLDER = "review"
"""In the folder of a run: decisions and what was learnt from them."""

DECISIONS, CANDIDATES, LEARNT, DICTIONARY = (
    "decisions.sqlite",
    "candidates.tsv",
    "learnt.json",
    "dictionary.tsv",
)

_COUNT = 5  # candidates of a word
_SHOWN = 50  # changes that are named
_STEPS = 5


@dataclass(frozen=True)
class Change:
    """A word whose first candidate has become another one.

    Args:
        source: The word.
        before: Its first candidate.
        after: The new one.
        probability: Of the new one.
    """

    source: str
    before: str
    after: str
    probability: float


@dataclass(frozen=True)
class Lesson:
    """What was learnt from decisions.

    Args:
        accepted: Pairs that reviewers have added to the training dictionary.
        rejected: Pairs that they have rejected.
        words: Words of the dictionary that probabilities were measured on, each unseen.
        p_at_1: Percentage of them with a right translation first.
        found: Words with candidates that had none before.
        changed: Words with another first candidate than before.
        changes: The surest of these.
    """

    accepted: int
    rejected: int
    words: int
    p_at_1: float
    found: int
    changed: int
    changes: tuple[Change, ...]


class _Noted(TypedDict):
    dictionary: str
    learnt: Lesson


def learn(
    run: Path, decisions: Decisions, before: Iterable[Entry], progress: Progress | None = None
) -> Lesson:
    """Rank anew by the run's dictionary and what was decided, and write the candidates of all words.

    Accepted pairs join the training dictionary, rejected ones leave it.

    Args:
        run: Its folder.
        decisions: Of all reviewers.
        before: The entries as they were.
        progress: Told how far it is.

    Raises:
        JointalignError: If there are too few pairs, another process is at it, or there is no such run.
    """
    tell = progress or (lambda done, total, note="": None)
    with claimed(run / FOLDER, "learning"):
        tell(0, _STEPS, "reading")
        given = rankable(run)
        accepted, rejected = decisions.accepted(), rejections(decisions)
        lexicon = joined(given.lexicon, accepted, rejected)
        ranker = Ranker(max_vocabulary=given.max_vocabulary)
        fitted = ranker.fit(
            given.spaces,
            lexicon,
            seed=given.seed,
            progress=lambda done, total, note="": tell(1 + done, _STEPS, note),
        )
        tell(_STEPS - 1, _STEPS, "ranking all words")
        found = _candidates(fitted)
        write_entries([one for some in found for one in some], fitted, run / FOLDER / CANDIDATES)
        learnt = _compared(found, before, fitted, len(accepted), rejected)
        noted = {"dictionary": digest(run / DICTIONARY), "learnt": asdict(learnt)}
        with atomic(run / FOLDER / LEARNT, "w") as file:
            json.dump(noted, file, ensure_ascii=False, indent=1)
        tell(_STEPS, _STEPS, "done")
    return learnt


def rejections(decisions: Decisions) -> set[tuple[str, str]]:
    """Pairs that somebody has rejected and nobody accepted."""
    pairs = set()
    for source in decisions.sources:
        found = decisions.of(source)
        accepted = {one.target for one in found if one.verdict is Verdict.ACCEPT}
        rejected = {one.target for one in found if one.verdict is Verdict.REJECT}
        pairs |= {(source, target) for target in rejected - accepted}
    return pairs


def joined(
    lexicon: Lexicon | None, accepted: Sequence[tuple[str, str]], rejected: set[tuple[str, str]]
) -> Lexicon:
    """A training dictionary with what was accepted and without what was rejected.

    Example:
        >>> joined(Lexicon((("a", "x"), ("b", "y"))), [("c", "z")], {("a", "x")}).pairs
        (('b', 'y'), ('c', 'z'))
    """
    base = Lexicon(()) if lexicon is None else lexicon
    pairs = dict.fromkeys((*base.pairs, *accepted))
    return replace(base, pairs=tuple(pair for pair in pairs if pair not in rejected))


def _candidates(fitted: FittedRanker) -> list[list[Ranked]]:
    """Of all words with a letter; given pairs too that are not among the best."""
    words = [word for word in fitted.sides[0].words if any(map(str.isalpha, word))]
    given = fitted.lexicon.grouped()
    found = []
    for word, ranked in zip(words, fitted.rank(words, _COUNT), strict=True):
        present = {one.target for one in ranked}
        missing = [t for t in given.get(word, ()) if t not in present and t in fitted.sides[1]]
        found.append([*ranked, *(Ranked(word, target, 0.0, _COUNT + 1, True, ()) for target in missing)])
    return found


def _compared(
    found: Iterable[Sequence[Ranked]],
    before: Iterable[Entry],
    fitted: FittedRanker,
    accepted: int,
    rejected: set[tuple[str, str]],
) -> Lesson:
    firsts = {
        entry.source: next(
            (one.target for one in entry.candidates if (entry.source, one.target) not in rejected), ""
        )
        for entry in before
    }
    changes, new = [], 0
    for ranked in found:
        left = [one for one in ranked if (one.source, one.target) not in rejected]
        first = firsts.get(left[0].source, "") if left else ""
        new += bool(left and not first)
        if first and first != left[0].target:
            changes.append(Change(left[0].source, first, left[0].target, left[0].probability))
    held_out = fitted.held_out
    return Lesson(
        accepted, len(rejected), held_out.words, held_out.p_at_1, new, len(changes), tuple(changes[:_SHOWN])
    )


def learnt_of(run: Path) -> Lesson | None:
    """What was learnt of the run's present dictionary; `None` if nothing was, or of another one."""
    path = run / FOLDER / LEARNT
    if not path.is_file() or not (run / FOLDER / CANDIDATES).is_file():
        return None
    noted = read_json(path, _Noted, "what was learnt from decisions", "remove it and learn again")
    return noted["learnt"] if noted["dictionary"] == digest(run / DICTIONARY) else None


def present_entries(run: Path) -> list[Entry]:
    """The entries of a run: its dictionary, or the candidates of all words where something was learnt.

    Raises:
        JointalignError: If the run has no dictionary.
    """
    if not (run / DICTIONARY).is_file():
        raise JointalignError(f"{run}: no dictionary here; finish `jointalign run --out {run}` first")
    counts = [EncodedCorpus.open(run / side).counts for side in ("source", "target")]
    source, target = (dict(zip(one.words, one.values.tolist(), strict=True)) for one in counts)
    path = run / DICTIONARY if learnt_of(run) is None else run / FOLDER / CANDIDATES
    return read_entries(path, source, target)


class Learning:
    """A process that learns while a server answers; one at a time.

    Args:
        run: The folder of the run.
        done: Called, in another thread, when something was learnt.
    """

    def __init__(self, run: Path, done: Any) -> None:
        self._run, self._done, self._lock = run, done, Lock()
        self._process: subprocess.Popen[str] | None = None
        self._state: dict[str, Any] = {"state": "idle"}

    @property
    def state(self) -> dict[str, Any]:
        """`state` is `idle`, `running` (with `done`, `total`, `note`), `done` or `failed` (with `reason`)."""
        return self._state

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._lock:
            if self._state["state"] == "running":
                return
            self._state = {"state": "running", "done": 0, "total": _STEPS, "note": "starting"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jointalign.review.learning", str(self._run)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
            Thread(target=self._watch, args=(self._process,), daemon=True).start()

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _watch(self, process: subprocess.Popen[str]) -> None:
        last: dict[str, Any] = {"state": "failed", "reason": "the process was ended"}
        for line in process.stdout or ():
            last = typed(from_json(line), dict[str, Any])
            if last["state"] == "running":
                self._state = last
        if process.wait() == 0 and last["state"] == "done":
            self._done()
        self._state = last if last["state"] != "running" else {"state": "failed", "reason": "it was ended"}


def main(arguments: Sequence[str]) -> int:
    """Learn in this process and tell how far it is in lines of JSON; see `Learning`."""
    run = Path(arguments[0])
    os.nice(10)  # whoever reviews comes first

    def tell(**facts: Any) -> None:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    try:
        with Decisions(run / FOLDER / DECISIONS) as decisions:
            learn(
                run,
                decisions,
                present_entries(run),
                lambda done, total, note="": tell(state="running", done=done, total=total, note=note),
            )
    except (JointalignError, MemoryError) as error:
        tell(state="failed", reason=" ".join(str(error).split()) or "out of memory")
        return 2
    tell(state="done")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
