"""What retrieval finds, as words: translations, answers to questions, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from jointalign.checks import checked
from jointalign.embedding import Embedding
from jointalign.errors import FormatError
from jointalign.retrieval.api import Neighbours
from jointalign.storage.tables import TableReport, read_table, write_table
from jointalign.vocabulary import SpellingRule, Vocabulary


@dataclass(frozen=True)
class Translation:
    """One translation of one word.

    Args:
        source: The word.
        target: Its translation.
        score: As retrieval gives it; higher is better.
        margin: Score minus that of the next best target word: how clear the choice is. `None` if
            there is no other target word.
        rank: Place among all target words, from 1.
        probability: Of being right, where a ranking knows; `None` elsewhere.
        given: Whether the pair is in the dictionary that the ranking has learnt from.
    """

    source: str
    target: str
    score: float
    margin: float | None
    rank: int
    probability: float | None = None
    given: bool = False


@dataclass(frozen=True)
class Answer:
    """What is known of a word that was asked for.

    Args:
        word: The word.
        translations: Best first; empty if the word is unknown or none is good enough.
        known: Whether the word has a vector.
        from_subwords: Whether that vector was built from the word's n-grams, the word itself not
            being in the vocabulary.
    """

    word: str
    translations: tuple[Translation, ...]
    known: bool = True
    from_subwords: bool = False


def spelt_like(vocabulary: Vocabulary, spelling: SpellingRule) -> Callable[[str], str]:
    """The function that gives a word that is asked for as a vocabulary spells it.

    Args:
        vocabulary: Of several words of one spelling the first is meant.
        spelling: The rule. A word that is not in the vocabulary is spelt by it.

    Example:
        >>> from jointalign.corpora.tokenization import Spelling
        >>> find = spelt_like(Vocabulary(("ışık", "İzmir")), Spelling("tr"))
        >>> find("IŞIK"), find("izmir"), find("ISPARTA")
        ('ışık', 'İzmir', 'ısparta')
    """
    rows, spell = vocabulary.by_spelling(spelling), spelling.speller()

    def spelt(word: str) -> str:
        plain = spell(word).strip()
        row = rows.get(plain)
        return plain or word if row is None else vocabulary.words[row]

    return spelt


def listed(
    words: Sequence[str], target: Embedding, best: Neighbours, count: int, threshold: float | None
) -> list[tuple[Translation, ...]]:
    """The first `count` of each word's neighbours; one more is needed for the last margin."""
    entries = []
    for word, rows, scores in zip(words, best.rows.tolist(), best.scores.tolist(), strict=True):
        margins = [score - lower for score, lower in pairwise(scores)] + [None]
        entries.append(
            tuple(
                Translation(word, target.words[row], score, margin, rank)
                for rank, (row, score, margin) in enumerate(
                    zip(rows[:count], scores, margins, strict=False), start=1
                )
                if threshold is None or score >= threshold
            )
        )
    return entries


def agreed(
    entries: Sequence[tuple[Translation, ...]], there: np.ndarray, back: np.ndarray, count: int
) -> list[tuple[Translation, ...]]:
    """Of each word, the translations that have it among their own `count` best.

    Args:
        entries: Of each word, from `listed`.
        there: Rows of its neighbours, `(n, k)`, `k` at least `count` unless all are there.
        back: Rows of the neighbours of each word of the other side, `(m, k)`.
        count: How many.
    """
    rows = np.arange(len(there))[:, None, None]
    mutual = (back[there[:, :count], :count] == rows).any(axis=2)  # (n, count)
    return [tuple(entry for entry in some if mutual[row, entry.rank - 1]) for row, some in enumerate(entries)]


COLUMNS = {"source": "", "target": "", "score": ".6g", "margin": ".6g", "rank": "d"}
"""Of a table of translations."""


@checked
def write_translations(
    entries: Iterable[Translation], path: str | Path, languages: tuple[str, str] = ("und", "und")
) -> TableReport:
    """Write translations as a table in the form that the suffix names; see `tables.write_table`.

    Args:
        entries: What to write, in this order. A margin of `None` becomes an empty cell.
        path: `.tsv`, `.csv`, `.json`, `.jsonl` or `.tmx`; compressed if a suffix says so (`.csv.gz`).
        languages: Codes of source and target, which TMX needs.

    Returns:
        How many rows there are, and in how many cells something was escaped.

    Raises:
        JointalignError: If the suffix is unknown or the file cannot be written.
    """
    return write_table(COLUMNS, _rows(entries), path, languages)


@checked
def write_tsv(entries: Iterable[Translation], path: str | Path) -> TableReport:
    """Write translations as a table with tabs, whatever the suffix; else as `write_translations`."""
    return write_table(COLUMNS, _rows(entries), path, form=".tsv")


def _rows(entries: Iterable[Translation]) -> Iterator[tuple[str, str, float, float | None, int]]:
    return ((entry.source, entry.target, entry.score, entry.margin, entry.rank) for entry in entries)


@checked
def read_tsv(path: str | Path) -> list[Translation]:
    """Read a table that `write_tsv` wrote; numbers have the digits that were written.

    Args:
        path: The file.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If a line is not of that form.
    """
    entries = []
    for number, cells in read_table(path):
        if number == 1:
            continue
        try:
            source, target, score, margin, rank = cells
            clear = float(margin) if margin else None
            entries.append(Translation(source, target, float(score), clear, int(rank)))
        except ValueError:
            reason = "expected source, target, score, margin and rank, with tabs between them"
            raise FormatError(path, number, reason) from None
    return entries
