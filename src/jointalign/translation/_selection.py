"""Which epoch is best, with and without translations to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jointalign.errors import JointalignError
from jointalign.translation._scoring import score
from jointalign.translation._translator import Translator


@dataclass(frozen=True)
class Validation:
    """Held-out lines of the two languages.

    Args:
        source: Of the source language.
        target: Of the target language.
        parallel: Whether they are translations of each other, line by line. They then give a BLEU,
            which the paper selects by; it is no longer unsupervised.

    Raises:
        JointalignError: If parallel texts differ in length.
    """

    source: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    parallel: bool = False

    def __post_init__(self) -> None:
        if self.parallel and len(self.source) != len(self.target):
            raise JointalignError(
                f"validation texts must have one line for each other's, got {len(self.source)} and "
                f"{len(self.target)}"
            )

    @classmethod
    def of(cls, source: Sequence[str], target: Sequence[str]) -> Validation:
        """Translations of each other."""
        return cls(tuple(source), tuple(target), True)


def measured(translator: Translator, validation: Validation) -> dict[str, Any]:
    """The round trip of Lample et al. (2018a, section 3.5), and BLEU where there are references.

    The round trip is the BLEU of a sentence, translated there and back, against itself; mean of
    both languages.
    """
    sides = validation.source, validation.target
    if not all(sides):
        return {}
    names, lowercase = translator.languages, translator.segmentation.lowercase
    ways = [f"{names[0]}-{names[1]}", f"{names[1]}-{names[0]}"]
    there = [translator.translate(lines, way) for lines, way in zip(sides, ways, strict=True)]
    back = [translator.translate(lines, way) for lines, way in zip(there, reversed(ways), strict=True)]
    trips = {
        name: score(found, lines, name, lowercase=lowercase).bleu
        for name, found, lines in zip(names, back, sides, strict=True)
    }
    facts: dict[str, Any] = {
        "round_trip": sum(trips.values()) / 2,
        "round_trips": trips,
        "kept": {way: _kept(*texts) for way, *texts in zip(ways, sides, there, strict=True)},
    }
    if validation.parallel:
        scores = {
            way: score(found, references, way, lowercase=lowercase)
            for way, found, references in zip(ways, there, reversed(sides), strict=True)
        }
        facts["bleu"] = sum(result.bleu for result in scores.values()) / 2
        facts["validation"] = {way: result.to_json() for way, result in scores.items()}
    return facts


def _kept(sources: Sequence[str], translations: Sequence[str]) -> float:
    """Share of the words of the translations that are copied from their source."""
    copied = total = 0
    for source, translation in zip(sources, translations, strict=True):
        known, words = set(source.split()), translation.split()
        copied += sum(word in known for word in words)
        total += len(words)
    return round(copied / total, 4) if total else 0.0
