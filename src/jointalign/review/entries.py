"""The entries that are reviewed: words of a run with their candidates, in an order, some of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from jointalign.dictionary.base import COLUMNS as BY_CSLS
from jointalign.errors import FormatError
from jointalign.ranking.table import COLUMNS as RANKED
from jointalign.review.decisions import Decision, Verdict
from jointalign.storage.tables import read_table


@dataclass(frozen=True)
class Candidate:
    """What a word may be translated by.

    Args:
        target: The translation.
        probability: Of being right; `None` where the run could not say.
        count: How often it occurs in the target text; 0 where that is not known.
        evidence: What speaks for it: `given`, `vectors`, `spelling`, `affixes`.
    """

    target: str
    probability: float | None
    count: int
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A source word and its candidates.

    Args:
        source: The word.
        count: How often it occurs in the source text.
        candidates: The best first.
    """

    source: str
    count: int
    candidates: tuple[Candidate, ...] = ()

    @property
    def probability(self) -> float | None:
        """Of the first candidate."""
        return self.candidates[0].probability if self.candidates else None


def read_entries(path: str | Path, source: dict[str, int], target: dict[str, int]) -> list[Entry]:
    """The entries of a dictionary that a run has made, ranked or by CSLS, the most frequent words first.

    Args:
        path: The table.
        source: Counts of the source words.
        target: Counts of the target words.

    Raises:
        JointalignError: If it cannot be opened.
        FormatError: If it is no such table.
    """
    found: dict[str, list[Candidate]] = {}
    ranked = False
    for number, cells in read_table(path):
        if number == 1 and cells in (list(RANKED), list(BY_CSLS)):
            ranked = cells == list(RANKED)
            continue
        try:
            word, other, score, *_, evidence = cells
            chance = float(score) if ranked and score else None
            if chance is not None and not 0 <= chance <= 1:
                raise ValueError
            spoken = tuple(filter(None, evidence.split(", "))) if ranked else ()
        except ValueError:
            raise FormatError(path, number, "expected a dictionary of `jointalign run`") from None
        found.setdefault(word, []).append(Candidate(other, chance, target.get(other, 0), spoken))
    entries = [Entry(word, source.get(word, 0), tuple(some)) for word, some in found.items()]
    return sorted(entries, key=lambda entry: -entry.count)


class Status(StrEnum):
    """What has come of an entry; the value is a letter."""

    OPEN = "."
    ACCEPTED = "a"
    REJECTED = "r"
    SKIPPED = "s"
    DISPUTED = "d"

    @classmethod
    def of(cls, entry: Entry, found: Sequence[Decision], disputed: bool) -> Status:
        """By what holds of the word; rejected is an entry none of whose candidates is left."""
        if disputed:
            return cls.DISPUTED
        if any(one.verdict is Verdict.ACCEPT for one in found):
            return cls.ACCEPTED
        rejected = {one.target for one in found if one.verdict is Verdict.REJECT}
        if rejected and all(one.target in rejected for one in entry.candidates):
            return cls.REJECTED
        return cls.SKIPPED if any(one.verdict is Verdict.SKIP for one in found) else cls.OPEN


class Which(StrEnum):
    """Which entries, by what has been decided."""

    ALL = "all"
    OPEN = "open"
    MINE_OPEN = "mine-open"
    MINE = "mine"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    DISPUTED = "disputed"
    NOTED = "noted"


class Order(StrEnum):
    """In which order; `TEACHING` asks first what ranking learns most from."""

    FREQUENCY = "frequency"
    TEACHING = "teaching"
    SUREST = "surest"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True)
class Filter:
    """Which entries, and in which order.

    Args:
        ranks: First and last place by frequency, from 1; `None` for no end.
        chances: Least probability of the first candidate, and the one below which it must be.
        candidates: Whether an entry must have candidates (true), must not (false), or either.
        which: By what has been decided.
        text: What the word or a candidate must contain, whatever its case and marks.
        order: In which order.
    """

    ranks: tuple[int, int | None] = (1, None)
    chances: tuple[float, float] = (0.0, 2.0)
    candidates: bool | None = None
    which: Which = Which.ALL
    text: str = ""
    order: Order = Order.FREQUENCY


def folded(text: str) -> str:
    """For searches: without case and marks.

    Example:
        >>> folded("Déjà") == folded("deja")
        True
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in plain if not unicodedata.combining(mark)) or plain


class Entries:
    """The entries of a run, by place; words may be added, none goes.

    Args:
        entries: The most frequent words first.
        groups: Number of the group of similar words that each is in, for `Order.TEACHING`.

    Example:
        >>> entries = Entries([Entry("house", 9, (Candidate("casa", 0.9, 8),)), Entry("of", 5)])
        >>> entries.select(Filter(candidates=True), lambda place: True).tolist()
        [0]
        >>> entries.select(Filter(text="OF"), lambda place: True).tolist(), entries.place("of")
        ([1], 1)
    """

    def __init__(
        self, entries: Iterable[Entry], groups: Callable[[Sequence[str]], np.ndarray] | None = None
    ) -> None:
        self._entries = list(entries)
        self._groups = groups
        self._places = {entry.source: place for place, entry in enumerate(self._entries)}
        self._texts = ["\n".join(_texts(entry)) for entry in self._entries]
        self._teaching: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, place: int) -> Entry:
        return self._entries[place]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def place(self, word: str) -> int | None:
        """Where a word is; `None` for nowhere."""
        return self._places.get(word)

    def add(self, entry: Entry) -> int:
        """Put a new word at the end; returns its place."""
        self._entries.append(entry)
        self._texts.append("\n".join(_texts(entry)))
        return self._places.setdefault(entry.source, len(self._entries) - 1)

    def select(self, wanted: Filter, fits: Callable[[int], bool]) -> np.ndarray:
        """Places of the entries that a filter lets through, in its order.

        Args:
            wanted: The filter.
            fits: Whether what has been decided of the entry at a place is what the filter asks for.
        """
        first, last = wanted.ranks
        places = np.arange(len(self))[max(0, first - 1) : last]
        chances = self._chances()[places]
        least, below = wanted.chances
        if (least, below) != (0.0, 2.0):
            places = places[(chances >= least) & (chances < below)]
        if wanted.candidates is not None:
            places = places[[bool(self[at].candidates) == wanted.candidates for at in places.tolist()]]
        if wanted.text:
            text = folded(wanted.text)
            places = places[[text in self._texts[at] for at in places.tolist()]]
        if wanted.which is not Which.ALL:
            places = places[[fits(at) for at in places.tolist()]]
        return places[self._ordered(wanted.order, places)]

    def _chances(self) -> np.ndarray:
        return np.array(
            [np.nan if entry.probability is None else entry.probability for entry in self], np.float64
        )

    def _ordered(self, order: Order, places: np.ndarray) -> np.ndarray:
        if order is Order.FREQUENCY:
            return np.arange(len(places))
        if order is Order.TEACHING:
            return np.argsort(-self._worth()[places], kind="stable")
        chances = self._chances()[places]
        return np.argsort(-chances if order is Order.SUREST else chances, kind="stable")

    def _worth(self) -> np.ndarray:
        if self._teaching is None or len(self._teaching) != len(self):
            words = [entry.source for entry in self]
            groups = np.arange(len(self)) if self._groups is None else self._groups(words)
            counts = np.array([entry.count for entry in self])
            self._teaching = teaching(self._chances(), counts, groups)
        return self._teaching


def _texts(entry: Entry) -> list[str]:
    return [folded(entry.source), *(folded(one.target) for one in entry.candidates)]


def teaching(chances: np.ndarray, counts: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """How much ranking learns from a decision: uncertain, frequent, and unlike those asked before.

    Args:
        chances: Probability of the first candidate, NaN for none, `(n,)`.
        counts: How often each word occurs, `(n,)`.
        groups: Number of each word's group of similar words; the second of a group is worth half of what
            it would be alone, the third a third, `(n,)`.

    Returns:
        The worth of each, `(n,)`.

    Example:
        >>> teaching(np.array([0.5, 0.5, 1.0]), np.array([3, 1, 9]), np.array([0, 0, 1])).tolist()
        [2.0, 0.5, 0.0]
    """
    known = np.nan_to_num(chances, nan=0.0)
    worth = 4 * known * (1 - known) * np.log2(1 + counts)
    order = np.lexsort((-worth, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    places = np.arange(len(order)) - np.repeat(starts, sizes)
    worth[order] /= places + 1
    return worth
