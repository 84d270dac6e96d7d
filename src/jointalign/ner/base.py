"""What all of tagging shares: sentences, schemes of tags, and scores with their conditions.

An entity is a type and the tokens `start` to `end - 1`. Which entities a row of tags means is read
as the scorer of the CoNLL tasks (`conlleval`) reads it, so that IOB1, BIO2 and IOBES need no
telling apart: an entity begins at `B-` and `S-`, and at any other tag of a type that does not go on
with the entity before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isnan, nan
from statistics import fmean, stdev
from typing import Any

from jointalign.errors import JointalignError
from jointalign.version import __version__

OUTSIDE = "O"
_TAG = re.compile(r"O|[BIES]-\S+")


@dataclass(frozen=True)
class Sentence:
    """Words, and their tags where they are known.

    Args:
        words: As they are written, cased.
        tags: One a word, in any scheme; `None` for text without tags.

    Raises:
        JointalignError: If there is not one tag a word, or no word.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not self.words:
            raise JointalignError("a sentence needs at least one word")
        if self.tags is not None and len(self.tags) != len(self.words):
            raise JointalignError(
                f"expected one tag a word, got {len(self.words)} words and {len(self.tags)} tags"
            )

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, order=True)
class Span:
    """An entity: the tokens from `start` to `end - 1`, counted from 0, and its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, order=True)
class Entity(Span):
    """An entity that was found.

    Args:
        probability: That it is there, with just these words and this type, as the tagger sees it.
    """

    probability: float


class Scheme(StrEnum):
    """How entities are written as tags."""

    IOB1 = "iob1"
    """`I-` throughout; `B-` only where an entity follows another one of its type (CoNLL-2003)."""

    BIO2 = "bio2"
    """`B-` at the first word, `I-` after it (CoNLL-2002)."""

    IOBES = "iobes"
    """`B-`, `I-`, `E-` at the last word, `S-` for a single one (Lample et al. 2016)."""


def is_tag(text: str) -> bool:
    """Whether this is a tag of any scheme."""
    return _TAG.fullmatch(text) is not None


def spans(tags: Sequence[str]) -> tuple[Span, ...]:
    """The entities that tags of any scheme mean, in order.

    Example:
        >>> spans(("I-PER", "I-PER", "O", "I-LOC", "B-LOC"))
        (Span(start=0, end=2, type='PER'), Span(start=3, end=4, type='LOC'), ...)
    """
    found: list[Span] = []
    open_type, start = "", 0
    for position, tag in enumerate(tags):
        kind, _, type_ = tag.partition("-")
        goes_on = kind in ("I", "E") and type_ == open_type
        if open_type and not goes_on:
            found.append(Span(start, position, open_type))
        if kind == OUTSIDE:
            open_type = ""
            continue
        if not (open_type and goes_on):
            open_type, start = type_, position
        if kind in ("E", "S"):
            found.append(Span(start, position + 1, open_type))
            open_type = ""
    if open_type:
        found.append(Span(start, len(tags), open_type))
    return tuple(found)


def to_scheme(tags: Sequence[str], scheme: Scheme) -> tuple[str, ...]:
    """The same entities in another scheme.

    Example:
        >>> to_scheme(("I-PER", "I-PER", "O", "I-LOC", "B-LOC"), Scheme.IOBES)
        ('B-PER', 'E-PER', 'O', 'S-LOC', 'S-LOC')
    """
    return written(spans(tags), len(tags), scheme)


def written(entities: Iterable[Span], length: int, scheme: Scheme) -> tuple[str, ...]:
    """Tags of a sentence with these entities, which do not overlap."""
    tags = [OUTSIDE] * length
    before: Span | None = None
    for span in entities:
        first, last = "B", "I"
        if scheme is Scheme.IOB1:
            follows = before is not None and (before.end, before.type) == (span.start, span.type)
            first = "B" if follows else "I"
        elif scheme is Scheme.IOBES:
            first, last = ("S" if span.end - span.start == 1 else "B"), "E"
        for position in range(span.start, span.end):
            tags[position] = f"I-{span.type}"
        tags[span.end - 1] = f"{last}-{span.type}"
        tags[span.start] = f"{first}-{span.type}"
        before = span
    return tuple(tags)


def scheme_of(sentences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme that some sentences' tags are written in.

    `E-` and `S-` mean IOBES. Entities that begin with `I-` more often than with `B-` mean IOB1; a
    few are found in files of BIO2, by mistake. Tags without any entity are BIO2.
    """
    begun = {"I": 0, "B": 0}
    for tags in sentences:
        if any(tag[0] in "ES" for tag in tags):
            return Scheme.IOBES
        for span in spans(tags):
            begun[tags[span.start][0]] += 1
    return Scheme.IOB1 if begun["I"] > begun["B"] else Scheme.BIO2


@dataclass(frozen=True)
class EntityCounts:
    """Entities found and to be found.

    Args:
        correct: Found with the right words and type.
        predicted: Found.
        gold: To be found.
    """

    correct: int = 0
    predicted: int = 0
    gold: int = 0

    def __add__(self, other: EntityCounts) -> EntityCounts:
        return EntityCounts(
            self.correct + other.correct, self.predicted + other.predicted, self.gold + other.gold
        )

    @property
    def precision(self) -> float:
        """Share of the found ones that are right, in percent; 0 if none was found."""
        return 100 * self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the ones to be found that were, in percent; 0 if there is none."""
        return 100 * self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both, in percent."""
        total = self.predicted + self.gold
        return 200 * self.correct / total if total else 0.0


@dataclass(frozen=True)
class NERConditions:
    """What must be equal, or known to differ, for two scores to be compared.

    Args:
        language: Of the text that was tagged.
        sentences: How many.
        tokens: Words in them; marks of documents are none.
        seed: Of the bootstrap.
        version: Of jointalign.
    """

    language: str
    sentences: int
    tokens: int
    seed: int = 0
    version: str = __version__

    def __str__(self) -> str:
        return (
            f"language:{self.language}|sentences:{self.sentences}|tokens:{self.tokens}|"
            f"spans:conlleval|seed:{self.seed}|v:{self.version}"
        )


@dataclass(frozen=True)
class NERResult:
    """Score of a tagger: micro-averaged over entities, as `conlleval` gives it.

    Args:
        counts: All entities.
        types: The same for each type, by name.
        ci: 95 % bootstrap interval of F1 over sentences, in percent.
        conditions: What was tagged.

    Example:
        >>> result = NERResult(EntityCounts(6, 8, 10), {}, (50.0, 80.0), NERConditions("es", 5, 60))
        >>> print(result)
        F1 = 66.7 [50.0, 80.0] P 75.0 R 60.0 |language:es|sentences:5|tokens:60|...
    """

    counts: EntityCounts
    types: dict[str, EntityCounts] = field(hash=False)
    ci: tuple[float, float]
    conditions: NERConditions

    @property
    def f1(self) -> float:
        """F1 of all entities, in percent."""
        return self.counts.f1

    def __str__(self) -> str:
        low, high = self.ci
        return (
            f"F1 = {self.f1:.1f} [{low:.1f}, {high:.1f}] P {self.counts.precision:.1f} "
            f"R {self.counts.recall:.1f} |{self.conditions}"
        )

    def to_json(self) -> dict[str, Any]:
        """Numbers and signature as plain types."""
        return {
            **entity_facts(self.counts),
            "ci": [None if isnan(end) else end for end in self.ci],
            "types": {name: entity_facts(counts) for name, counts in self.types.items()},
            "signature": str(self.conditions),
        }


def entity_facts(counts: EntityCounts) -> dict[str, Any]:
    """Scores and counts as plain types."""
    return {
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "correct": counts.correct,
        "predicted": counts.predicted,
        "gold": counts.gold,
    }


@dataclass(frozen=True)
class Summary:
    """Mean of some numbers, one a seed, and their standard deviation (`nan` for one)."""

    mean: float
    deviation: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Summarise.

        Raises:
            JointalignError: If there is no number.

        Example:
            >>> print(Summary.of([50.0, 52.0]))
            51.0 ± 1.4
        """
        if not values:
            raise JointalignError("there is no score to take the mean of")
        return cls(fmean(values), stdev(values) if len(values) > 1 else nan, len(values))

    def __str__(self) -> str:
        return f"{self.mean:.1f}" + ("" if isnan(self.deviation) else f" ± {self.deviation:.1f}")
