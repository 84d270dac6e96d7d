"""What goes wrong: errors by kind and type, and scores of entities whose words are known or unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jointalign.ner.base import EntityCounts, Sentence, Span, entity_facts, spans


@dataclass(frozen=True)
class TypeErrors:
    """What became of the entities of one type, and what was taken for one.

    Args:
        correct: Found with the right words and type.
        other_type: Found with the right words, as another type.
        other_words: Something of its type overlaps it.
        both: Only something of another type overlaps it.
        missed: Nothing was found there.
        spurious: Found of this type where there is no entity at all.
    """

    correct: int = 0
    other_type: int = 0
    other_words: int = 0
    both: int = 0
    missed: int = 0
    spurious: int = 0

    @property
    def gold(self) -> int:
        """Entities to be found."""
        return self.correct + self.other_type + self.other_words + self.both + self.missed


@dataclass(frozen=True)
class ErrorReport:
    """Errors of a tagger on some sentences.

    Args:
        types: By type of the entity, or for spurious ones of what was found.
        confused: Right words, wrong type: how often, by the two types, most frequent first.
    """

    types: dict[str, TypeErrors]
    confused: tuple[tuple[str, str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain types."""
        return {
            "types": {name: asdict(one) for name, one in self.types.items()},
            "confused": [{"gold": gold, "found": found, "n": n} for gold, found, n in self.confused],
        }


def errors_of(gold: Sequence[Sentence], predicted: Sequence[Sequence[str]]) -> ErrorReport:
    """Sort what a tagger got wrong.

    Args:
        gold: Sentences with tags.
        predicted: Tags of the same sentences.

    Example:
        >>> gold = [Sentence(("Ana", "de", "Lima", "sings"), ("B-PER", "I-PER", "I-PER", "O"))]
        >>> errors_of(gold, [("B-PER", "O", "B-LOC", "B-LOC")]).types
        {'LOC': TypeErrors(correct=0, ..., spurious=1), 'PER': TypeErrors(correct=0, ..., other_words=1, ...)}
    """
    kinds: Counter[tuple[str, str]] = Counter()
    confused: Counter[tuple[str, str]] = Counter()
    for sentence, tags in zip(gold, predicted, strict=True):
        wanted, found = spans(sentence.tags or ()), spans(tags)
        for span in wanted:
            kind, other = _outcome(span, found)
            kinds[span.type, kind] += 1
            if kind == "other_type":
                confused[span.type, other] += 1
        for span in found:
            kinds[span.type, "spurious"] += not any(_overlap(span, other) for other in wanted)
    names = sorted({type_ for type_, _ in kinds})
    types = {
        name: TypeErrors(**{kind: n for (type_, kind), n in kinds.items() if type_ == name}) for name in names
    }
    order = sorted(confused.items(), key=lambda item: (-item[1], item[0]))
    return ErrorReport(types, tuple((*pair, n) for pair, n in order))


def _outcome(span: Span, found: Sequence[Span]) -> tuple[str, str]:
    """What became of an entity, and of which type what was found there is."""
    there = [other for other in found if _overlap(span, other)]
    for other in there:
        if (other.start, other.end) == (span.start, span.end):
            return ("correct" if other.type == span.type else "other_type"), other.type
    if any(other.type == span.type for other in there):
        return "other_words", span.type
    return ("both", there[0].type) if there else ("missed", "")


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


@dataclass(frozen=True)
class ByKnown:
    """Scores of entities all of whose words are known, and of the others."""

    known: EntityCounts
    unknown: EntityCounts

    def to_json(self) -> dict[str, Any]:
        """Both as plain types."""
        return {"known": entity_facts(self.known), "unknown": entity_facts(self.unknown)}


def by_known(
    gold: Sequence[Sentence], predicted: Sequence[Sequence[str]], known: Callable[[str], bool]
) -> ByKnown:
    """Score entities apart by whether all of their words are known.

    Args:
        gold: Sentences with tags.
        predicted: Tags of the same sentences.
        known: Whether a word is, e.g. to the training text or the vectors.

    Example:
        >>> gold = [Sentence(("Ana", "met", "Eva"), ("B-PER", "O", "B-PER"))]
        >>> by_known(gold, [("B-PER", "O", "O")], {"Ana"}.__contains__).unknown
        EntityCounts(correct=0, predicted=0, gold=1)
    """
    totals = {True: EntityCounts(), False: EntityCounts()}
    for sentence, tags in zip(gold, predicted, strict=True):
        wanted, found = set(spans(sentence.tags or ())), set(spans(tags))
        for span in wanted | found:
            is_known = all(map(known, sentence.words[span.start : span.end]))
            totals[is_known] += EntityCounts(span in wanted and span in found, span in found, span in wanted)
    return ByKnown(totals[True], totals[False])
