"""The dictionary that a ranker makes: given pairs kept, the rest by probability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from jointalign.embedding import Embedding
from jointalign.ranking.api import Ranked
from jointalign.storage.tables import Cell, TableReport, write_table

LEAST = 0.3
"""Probability that a translation needs to be listed, unless a precision is asked for."""

MOST = 5
"""Translations listed of a word, beside those that were given."""


_SHORT, _TIMES = 3, 8.0

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


class Ranking(Protocol):
    """What a dictionary is made of: a `FittedRanker`, or a `KeptRanking`."""

    @property
    def sides(self) -> tuple[Embedding, Embedding]:
        """Source and target words."""
        ...

    @property
    def known(self) -> np.ndarray:
        """Rows of the given pairs, `(k, 2)`."""
        ...

    def rank(self, words: Sequence[str], count: int = 5) -> list[list[Ranked]]:
        """Translations of source words, best first."""
        ...


@dataclass(frozen=True)
class Contradiction:
    """A given word whose surest translation is another than the given ones."""

    source: str
    given: tuple[str, ...]
    found: Ranked


def entries(ranking: Ranking, least: float = LEAST, *, keep_marks: bool = False) -> list[Ranked]:
    """Translations of all source words, the most frequent words first.

    A word has none, one or several. Given pairs are all there, whatever their probability, those
    with an unknown target word excepted. Left out are words that were not given and are likely to be
    spelt alike by accident: those of three letters or less, of which there are few to choose from, those
    that are eight times as frequent in one language as in the other, and those below an even chance.

    Args:
        ranking: What has ranked.
        least: Probability that other translations need.
        keep_marks: List punctuation and digits, and words spelt alike by accident, too.
    """
    source, target = (side.words for side in ranking.sides)
    words = [w for w in source if keep_marks or any(map(str.isalpha, w))]
    given: dict[str, dict[str, None]] = {}
    for row, other in ranking.known.tolist():
        given.setdefault(source[row], {})[target[other]] = None
    found = []
    rates = [_rates(side) for side in ranking.sides]
    for word, ranked in zip(words, ranking.rank(words, MOST), strict=True):
        kept = [one for one in ranked if one.given or one.probability >= least]
        if not keep_marks:
            kept = [one for one in kept if one.given or not _is_accident(one, rates)]
        present = {one.target for one in kept}
        missing = [other for other in given.get(word, ()) if other not in present]
        found += kept
        found += [Ranked(word, target, 0.0, MOST + 1, True, ()) for target in missing]
    return found


def _is_accident(one: Ranked, rates: Sequence[Callable[[str], float]]) -> bool:
    if one.source != one.target:
        return False
    # Scripts without case write words in few signs: two of them are no accident.
    is_short = len(one.source) <= _SHORT and one.source.lower() != one.source.upper()
    here, there = (rate(one.source) for rate in rates)
    return is_short or one.probability < 0.5 or max(here, there) > _TIMES * min(here, there)


def _rates(side: Embedding) -> Callable[[str], float]:
    """How often a word occurs among all of its language; always the same where counts are not known."""
    rows, counts = side.vocabulary.rows, side.vocabulary.counts
    total = float(counts.sum())
    return lambda word: float(counts[rows[word]]) / total if total else 1.0


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


def write_entries(
    found: Sequence[Ranked], ranking: Ranking, path: str | Path, languages: tuple[str, str] = ("und", "und")
) -> TableReport:
    """Write entries in the form that the suffix names.

    The columns: source, target, probability, rank, source_count, target_count, evidence. A given pair
    that is not among the best candidates has no probability and no rank. TMX names the languages.

    Raises:
        JointalignError: If the file cannot be written.
    """
    source, target = (side.vocabulary for side in ranking.sides)

    def rows() -> Iterator[Sequence[Cell]]:
        for one in found:
            ranked = one.rank <= MOST
            numbers = (one.probability, one.rank) if ranked else (None, None)
            counts = source.counts[source.rows[one.source]], target.counts[target.rows[one.target]]
            evidence = ", ".join([*(["given"] if one.given else []), *one.evidence])
            yield one.source, one.target, *numbers, *counts, evidence

    return write_table(COLUMNS, rows(), path, languages)


def write_contradictions(found: Sequence[Contradiction], path: str | Path) -> None:
    """Write contradictions as a table with tabs: source, given, found, probability.

    Raises:
        JointalignError: If the file cannot be written.
    """
    columns = {"source": "", "given": "", "found": "", "probability": ".4f"}
    rows = ((one.source, ", ".join(one.given), one.found.target, one.found.probability) for one in found)
    write_table(columns, rows, path, form=".tsv")
