"""What the links of a text say of its words: tables of probabilities, and a dictionary."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jointalign.lexicon import Lexicon
from jointalign.ranges import check_ranges, within
from jointalign.storage.files import read_lines, write_text
from jointalign.storage.tables import TableReport, write_table
from jointalign.word_alignment.base import Links, ParallelText

LinkCount = tuple[str, str, int]
"""A source and a target word, and how often they are linked."""


def count_links(text: ParallelText, links: Links) -> list[LinkCount]:
    """How often words are linked, each pair once, in order of the words.

    Example:
        >>> text = ParallelText.of([(["a", "b"], ["x", "y"]), (["b"], ["y"])])
        >>> count_links(text, Links.of([[(0, 0), (1, 1)], [(0, 0)]]))
        [('a', 'x', 1), ('b', 'y', 2)]
    """
    sentences = np.repeat(np.arange(len(links)), np.diff(links.starts))
    kinds = [
        side.tokens[side.starts[sentences] + links.pairs[:, column]].astype(np.int64)
        for column, side in enumerate((text.source, text.target))
    ]
    width = max(1, len(text.target.words))
    keys, counts = np.unique(kinds[0] * width + kinds[1], return_counts=True)
    sources, targets = np.divmod(keys, width)
    named = zip(sources.tolist(), targets.tolist(), counts.tolist(), strict=True)
    return sorted((text.source.words[i], text.target.words[j], n) for i, j, n in named)


def write_counts(counts: Iterable[LinkCount], path: str | Path) -> None:
    """Keep counts of a part of a text."""
    with write_text(path) as file:
        file.writelines(f"{source}\t{target}\t{count}\n" for source, target, count in counts)


def read_counts(path: str | Path) -> Iterator[LinkCount]:
    """Read what `write_counts` has written, one by one."""
    for _, line in read_lines(path):
        source, target, count = line.split("\t")
        yield source, target, int(count)


def added_counts(parts: Iterable[Iterable[LinkCount]]) -> Iterator[LinkCount]:
    """The counts of several parts as one, without holding them; each part in order of the words."""
    for (source, target), same in groupby(heapq.merge(*parts), lambda row: row[:2]):
        yield source, target, sum(count for _, _, count in same)


@dataclass(frozen=True)
class DictionarySettings:
    """Which links make a dictionary.

    Args:
        least_links: Of two words, for an entry.
        least_entry: Probability that an entry needs: of the target word among the links of the source
            word, times that of the source word among those of the target word.

    Raises:
        JointalignError: If a setting is out of its range.
    """

    least_links: int = within(2, least=1)
    least_entry: float = within(0.05, least=0, most=1)

    def __post_init__(self) -> None:
        check_ranges(self)


class TextDictionary(NamedTuple):
    """A dictionary from parallel text.

    Args:
        lexicon: Its entries, those of frequent source words first, of each the most probable first.
        probabilities: Of the target word among the links of the source word, `(e,)`.
        links: How often both are linked, `(e,)`.
    """

    lexicon: Lexicon
    probabilities: np.ndarray
    links: np.ndarray

    def write(self, path: str | Path, languages: tuple[str, str] = ("und", "und")) -> TableReport:
        """Write it in the form that the suffix names, as `write_table` does; `Lexicon.read` reads it."""
        columns = {"source": "", "target": "", "probability": ".4f", "rank": "d", "count": "d"}
        return write_table(columns, self._rows(), path, languages)

    def _rows(self) -> Iterator[tuple[str, str, float, int, int]]:
        ranks: Counter[str] = Counter()
        numbers = zip(self.probabilities.tolist(), self.links.tolist(), strict=True)
        for (source, target), (probability, count) in zip(self.lexicon.pairs, numbers, strict=True):
            ranks[source] += 1
            yield source, target, probability, ranks[source], count


class WordLinks:
    """Counts of the links of a text, of any number of words: they are read anew for each use.

    Args:
        read: Begins to read them, in order of the words. The totals of all words are held.

    Example:
        >>> counts = [("a", "x", 3), ("a", "y", 1), ("b", "y", 2)]
        >>> words = WordLinks(lambda: iter(counts))
        >>> list(words.table())
        [('x', 'a', 0.75), ('y', 'a', 0.25), ('y', 'b', 1.0)]
        >>> words.dictionary(DictionarySettings(least_entry=0.5)).lexicon.pairs
        (('a', 'x'), ('b', 'y'))
    """

    def __init__(self, read: Callable[[], Iterator[LinkCount]]) -> None:
        self._read = read
        self._totals: tuple[Counter[str], Counter[str]] = Counter(), Counter()
        for source, target, count in read():
            self._totals[0][source] += count
            self._totals[1][target] += count

    def table(self, reverse: bool = False) -> Iterator[tuple[str, str, float]]:
        """A generated word, the word that it is generated by, and its probability given this word.

        Args:
            reverse: Whether target words generate source words, instead of the other way round.
        """
        for source, target, count in self._read():
            words = (source, target) if reverse else (target, source)
            yield *words, count / self._totals[int(reverse)][words[1]]

    def write_table(self, path: str | Path, reverse: bool = False) -> None:
        """Write `target source probability` lines (Moses' `lex` files, Bicleaner's dictionaries).

        Args:
            path: The file; compressed if its suffix says so (`.gz`).
            reverse: As for `table`; the lines then are `source target probability`.
        """
        with write_text(path) as file:
            file.writelines(f"{one} {other} {share:.7f}\n" for one, other, share in self.table(reverse))

    def dictionary(self, settings: DictionarySettings | None = None) -> TextDictionary:
        """Pairs of words that are linked often enough; both with a letter or a digit."""
        settings, found = settings or DictionarySettings(), []
        for source, target, count in self._read():
            shares = count / self._totals[0][source], count / self._totals[1][target]
            words = all(any(c.isalnum() for c in word) for word in (source, target))
            if words and count >= settings.least_links and shares[0] * shares[1] >= settings.least_entry:
                found.append((-self._totals[0][source], source, -count, target, shares[0]))
        found.sort()
        return TextDictionary(
            Lexicon(tuple((source, target) for _, source, _, target, _ in found)),
            np.array([share for *_, share in found], np.float64),
            np.array([-count for _, _, count, _, _ in found], np.int64),
        )
