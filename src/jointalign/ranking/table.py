"""The dictionary that a ranker makes: given pairs kept, the rest by probability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jointalign.ranking.api import FittedRanker, Ranked
from jointalign.storage.tables import Cell, write_table

LEAST = 0.3
"""Probability that a translation needs to be listed, unless a precision is asked for."""

MOST = 5
"""Translations listed of a word, beside those that were given."""


COLUMNS = {
    "source": "",
    "target": "",
    "probability": ".4f",
    "rank": "d",
    "source_count": "d",
    "target_count": "d",
    "evidence": "",
}
"""Of a table of entries."""


@dataclass(frozen=True)
class Contradiction:
    """A given word whose surest translation is another than the given ones."""

    source: str
    given: tuple[str, ...]
    found: Ranked


def entries(fitted: FittedRanker, least: float = LEAST, *, keep_marks: bool = False) -> list[Ranked]:
    """Translations of all source words, the most frequent words first.

    A word has none, one or several. Given pairs are all there, whatever their probability, those
    with an unknown target word excepted. Identical words that were not given are left out below an
    even chance: spelt alike by accident.

    Args:
        fitted: What ranks.
        least: Probability that other translations need.
        keep_marks: List punctuation and digits, too.
    """
    words = [w for w in fitted.sides[0].words if keep_marks or any(map(str.isalpha, w))]
    given = {word: dict.fromkeys(others) for word, others in fitted.lexicon.grouped().items()}
    found = []
    for word, ranked in zip(words, fitted.rank(words, MOST), strict=True):
        kept = [one for one in ranked if one.given or _good(one, least)]
        present = {one.target for one in kept}
        missing = [t for t in given.get(word, ()) if t not in present and t in fitted.sides[1]]
        found += kept
        found += [Ranked(word, target, 0.0, MOST + 1, True, ()) for target in missing]
    return found


def _good(one: Ranked, least: float) -> bool:
    return one.probability >= (max(least, 0.5) if one.source == one.target else least)


def contradictions(found: Iterable[Ranked], least: float = 0.5) -> list[Contradiction]:
    """Words of the given dictionary that are better translated by something else.

    Args:
        found: From `entries`.
        least: Probability that the other translation needs.
    """
    by_word: dict[str, list[Ranked]] = {}
    for one in found:
        by_word.setdefault(one.source, []).append(one)
    return [
        Contradiction(word, tuple(one.target for one in some if one.given), some[0])
        for word, some in by_word.items()
        if not some[0].given and some[0].probability >= least and any(one.given for one in some)
    ]


def write_entries(found: Sequence[Ranked], fitted: FittedRanker, path: str | Path) -> None:
    """Write entries as a table with tabs.

    The columns: source, target, probability, rank, source_count, target_count, evidence. A given pair
    that is not among the best candidates has no probability and no rank.

    Raises:
        JointalignError: If the file cannot be written.
    """
    source, target = (side.vocabulary for side in fitted.sides)

    def rows() -> Iterator[Sequence[Cell]]:
        for one in found:
            ranked = one.rank <= MOST
            numbers = (one.probability, one.rank) if ranked else (None, None)
            counts = source.counts[source.rows[one.source]], target.counts[target.rows[one.target]]
            evidence = ", ".join([*(["given"] if one.given else []), *one.evidence])
            yield one.source, one.target, *numbers, *counts, evidence

    write_table(COLUMNS, rows(), path, form=".tsv")


def write_contradictions(found: Sequence[Contradiction], path: str | Path) -> None:
    """Write contradictions as a table with tabs: source, given, found, probability.

    Raises:
        JointalignError: If the file cannot be written.
    """
    columns = {"source": "", "given": "", "found": "", "probability": ".4f"}
    rows = ((one.source, ", ".join(one.given), one.found.target, one.found.probability) for one in found)
    write_table(columns, rows, path, form=".tsv")
