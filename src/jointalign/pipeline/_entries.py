"""The ranked dictionary of a run as people read it: headwords, and entries with their sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointalign.concordance import Concordance
from jointalign.pipeline.page import EVEN, Example, ExampleEntries, Headword, Headwords, Line, Sense, Table
from jointalign.storage.tables import read_table

SHOWN = 50
"""Headwords on the page."""

EXAMPLES = 10
SENTENCES = 2
_AROUND = 90  # characters of a sentence on each side of the word
_SURE, _SURER = 0.8, 0.9
_GOOD_AMONG = 2000  # headwords
_CONTRADICTIONS = 15


@dataclass(frozen=True)
class Entry:
    """A row of the dictionary."""

    source: str
    source_count: int
    sense: Sense


def read_entries(path: Path) -> list[Entry]:
    """Read a ranked dictionary."""
    found = []
    for number, row in read_table(path):
        if number > 1:
            source, target, chance, _, count, target_count, evidence = row
            spoken = [name for name in evidence.split(", ") if name]
            given = "given" in spoken
            sense = Sense(
                target,
                float(chance) if chance else None,
                given,
                int(target_count),
                [name for name in spoken if name != "given"],
            )
            found.append(Entry(source, int(count), sense))
    return found


def headwords(entries: Sequence[Entry], languages: tuple[str, str], name: str) -> Headwords:
    """The most frequent words that have a translation more likely right than not.

    Args:
        entries: Of the dictionary.
        languages: Codes of source and target.
        name: Of the dictionary's file.
    """
    words: dict[str, Headword] = {}
    for one in entries:
        before = words.get(one.source)
        senses = sorted([*(before.senses if before else ()), one.sense], key=lambda sense: not sense.given)
        words[one.source] = Headword(one.source, one.source_count, senses)
    shown, passed = [], 0
    for word in words.values():
        if len(shown) == SHOWN:
            break
        if any(_is_likely(sense) for sense in word.senses):
            shown.append(word)
        else:
            passed += 1
    note = (
        f"The {len(shown)} most frequent of {len(words):,} words, with {len(entries):,} translations, all of "
        f"them in {name}. Numbers are chances in 100 of being right; those below 50 are in italics"
    )
    if passed:
        note += f". {passed} words among these whose every translation is so are only in the file"
    return Headwords("The first entries", shown, languages, note + ".")


def _is_likely(sense: Sense) -> bool:
    return sense.given or (sense.probability or 0.0) >= EVEN


def good_and_doubtful(
    entries: Sequence[Entry], texts: tuple[Concordance, Concordance], languages: tuple[str, str]
) -> list[ExampleEntries]:
    """Ten entries that are surely right and ten that are doubtful, with sentences of both texts.

    None of them was given, and none is a word spelt alike; both tens are spread over frequencies.

    Args:
        entries: Of the dictionary.
        texts: Of source and target.
        languages: Their codes.
    """
    firsts = list({one.source: one for one in reversed(entries)}.values())[::-1]
    new = [one for one in firsts if not one.sense.given and one.source != one.sense.target]
    new = [one for one in new if one.sense.probability is not None][:_GOOD_AMONG]
    good = [one for one in new if _chance(one) >= _SURER]
    if len(good) < EXAMPLES:
        good = [one for one in new if _chance(one) >= _SURE] or sorted(new, key=_chance)[-EXAMPLES:]
    doubtful = [one for one in new if _chance(one) < EVEN] or [one for one in new if _chance(one) < _SURE]
    notes = "Not among your pairs; the most frequent and rarer ones.", "Look at these first."
    titles = "Ten entries that are probably right", "Ten entries to doubt"
    return [
        ExampleEntries(title, [_example(one, texts) for one in spread(some, EXAMPLES)], languages, note)
        for title, some, note in zip(titles, (good, doubtful), notes, strict=True)
        if some
    ]


def _chance(one: Entry) -> float:
    return one.sense.probability or 0.0


def spread(entries: Sequence[Entry], count: int) -> list[Entry]:
    """So many, at distances that grow with their rank, so that frequent ones are seen, too."""
    if len(entries) <= count:
        return list(entries)
    places = np.unique(np.geomspace(1, len(entries), count).round().astype(int) - 1)
    chosen = list(dict.fromkeys([*places.tolist(), *range(len(entries))]))[:count]
    return [entries[place] for place in sorted(chosen)]


def _example(one: Entry, texts: tuple[Concordance, Concordance]) -> Example:
    words = one.source, one.sense.target
    lines = [_lines(text, word) for text, word in zip(texts, words, strict=True)]
    return Example(one.source, one.sense, lines[0], lines[1])


def _lines(text: Concordance, word: str) -> list[Line]:
    return [passage.segments(_AROUND) for passage in text.best(word, SENTENCES)]


def contradicted(path: Path) -> list[Table]:
    """Given words that something else translates better, by frequency; no table for none."""
    rows = [row for number, row in read_table(path) if number > 1]
    if not rows:
        return []
    shown = [[word, given, found, f"{100 * float(chance):.0f} %"] for word, given, found, chance in rows]
    note = (
        f"{len(rows):,} in all, in {path.name}. Often it is another form of the word; else your pair is a "
        "rarer sense, or the text is of other things."
    )
    head = ["word", "given", "found instead", "chance of being right"]
    return [Table("Your words that the texts translate otherwise", head, shown[:_CONTRADICTIONS], note)]
