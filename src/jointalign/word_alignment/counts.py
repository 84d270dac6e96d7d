"""What the links of a text have counted, kept by words so that other text can go on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jointalign.word_alignment._cells import TextCells
from jointalign.word_alignment.base import ParallelText

Words = tuple[str, ...]

_BLOCK = 1 << 18  # of entries, whose keys are held at once


@dataclass(frozen=True, eq=False)
class WordPairs:
    """Pairs of words that something is known of.

    Args:
        words: Those of the source and of the target language.
        places: Of a source and a target word in these, each pair once, in order, uint32 `(e, 2)`.
    """

    words: tuple[Words, Words]
    places: np.ndarray

    @classmethod
    def of(cls, text: ParallelText, places: np.ndarray) -> WordPairs:
        """Some pairs of the words of a text, in any order."""
        ordered = places[np.lexsort(places.T[::-1])].astype(np.uint32)
        return cls((text.source.words, text.target.words), ordered)

    def keys(self, targets: int | None = None) -> np.ndarray:
        """One number for each pair, in order if `targets` is the number of target words, int64 `(e,)`."""
        factor = len(self.words[1]) if targets is None else targets
        return self.places[:, 0].astype(np.int64) * factor + self.places[:, 1].astype(np.int64)

    def of_entries(self, values: np.ndarray, cells: TextCells) -> np.ndarray:
        """The value of the pair that each entry of a text is, 0 for none of these, `(entries,)`."""
        places = (
            places_of(self.words[0], cells.text.source.words),
            places_of(self.words[1], cells.text.target.words),
        )
        kinds, own = cells.entry_types(), np.append(self.keys(), -2)
        found = np.empty(cells.entries, values.dtype)
        for first in range(0, cells.entries, _BLOCK):
            block = slice(first, first + _BLOCK)
            sources, targets = (place[kind[block]] for place, kind in zip(places, kinds, strict=True))
            keys = np.where((sources >= 0) & (targets >= 0), sources * len(self.words[1]) + targets, -1)
            at = np.searchsorted(own[:-1], keys)
            found[block] = picked(values, np.where(own[at] == keys, at, -1))
        return found


class DirectionCounts(NamedTuple):
    """Counts of one direction, where words of the one language generate those of the other.

    Args:
        pairs: How often each pair of words is linked, `(e,)`.
        null: How often each generated word comes from none, `(generated words,)`.
        jumps: How often each distance from one link to the next occurs, the distance 0 in the middle,
            `(odd,)`.
        fertilities: How often each word generates 0, 1, ... words, `(conditioning words, f)`.
    """

    pairs: np.ndarray
    null: np.ndarray
    jumps: np.ndarray
    fertilities: np.ndarray

    @classmethod
    def single(
        cls, pairs: np.ndarray, null: np.ndarray, jumps: np.ndarray, fertilities: np.ndarray
    ) -> DirectionCounts:
        """Those of any type, as float32."""
        return cls(*(np.asarray(counts, np.float32) for counts in (pairs, null, jumps, fertilities)))


class Before(NamedTuple):
    """Counts as they meet a text: by its entries and its words.

    Args:
        pairs: Of each entry, float32 `(entries,)`; `None` for none at all.
        null: Of each generated word.
        types: Number of generated words, those that the text lacks among them.
        totals: Links of each conditioning word, and of NULL, `(conditioning words + 1,)`.
        jumps: Of all distances that the text has room for.
        fertilities: `(conditioning words, most words + 1)`.
    """

    pairs: np.ndarray | None
    null: np.ndarray
    types: int
    totals: np.ndarray
    jumps: np.ndarray
    fertilities: np.ndarray


@dataclass(frozen=True, eq=False)
class LinkCounts:
    """Counts of both directions.

    Args:
        pairs: The pairs that are counted.
        forward: Where the source generates the target, all float32.
        reverse: Where the target generates the source.
        sentences: Number of sentence pairs that have been counted.
    """

    pairs: WordPairs
    forward: DirectionCounts
    reverse: DirectionCounts
    sentences: int

    @classmethod
    def nothing(cls) -> LinkCounts:
        """Where nothing was seen yet."""
        empty = DirectionCounts(*(np.zeros(shape, np.float32) for shape in (0, 0, 1, (0, 1))))
        return cls(WordPairs(((), ()), np.zeros((0, 2), np.uint32)), empty, empty, 0)

    @classmethod
    def of_dictionary(
        cls, entries: Sequence[tuple[str, str]], probabilities: np.ndarray, weight: float
    ) -> LinkCounts:
        """A dictionary as if it had been seen so often.

        Args:
            entries: A source and a target word each, each pair once.
            probabilities: Of each entry, `(e,)`.
            weight: What a probability of one counts.

        Example:
            >>> counts = LinkCounts.of_dictionary([("house", "casa")], np.ones(1), 2.0)
            >>> counts.pairs.words, counts.forward.pairs.tolist()
            ((('house',), ('casa',)), [2.0])
        """
        text = ParallelText.of(([one], [other]) for one, other in entries)
        places = np.stack([text.source.tokens, text.target.tokens], 1)
        counts = weight * np.asarray(probabilities)[np.lexsort(places.T[::-1])]
        pairs = WordPairs.of(text, places)
        sizes = [len(side) for side in pairs.words]
        forward, reverse = (
            DirectionCounts.single(counts, np.zeros(generated), np.zeros(1), np.zeros((conditioning, 1)))
            for conditioning, generated in (sizes, sizes[::-1])
        )
        return cls(pairs, forward, reverse, 0)

    def meeting(self, cells: TextCells, forward: bool, most_words: int) -> Before:
        """The counts of one direction by the words of a text."""
        sides = cells.side(forward).words, cells.side(not forward).words  # generated, conditioning
        jumps = np.zeros(2 * cells.longest + 3)
        fertilities = np.zeros((len(sides[1]), most_words + 1))
        if not any(self.pairs.words):
            totals = np.zeros(len(sides[1]) + 1)
            return Before(None, np.zeros(len(sides[0])), len(sides[0]), totals, jumps, fertilities)
        step = 1 if forward else -1
        way, own = (self.reverse, self.forward)[forward], self.pairs.words[::-step]
        places = [places_of(*words) for words in zip(own, sides, strict=True)]
        room = min(len(jumps), len(way.jumps)) // 2
        middles = len(jumps) // 2, len(way.jumps) // 2
        jumps[middles[0] - room : middles[0] + room + 1] = way.jumps[
            middles[1] - room : middles[1] + room + 1
        ]
        for k in range(way.fertilities.shape[1]):
            fertilities[:, min(k, most_words)] += picked(way.fertilities[:, k], places[1])
        sums = np.bincount(self.pairs.places[:, int(not forward)], way.pairs, len(own[1]))
        totals = np.append(picked(sums, places[1]), way.null.sum(dtype=np.float64))
        types = len(own[0]) + int(np.sum(places[0] < 0))
        pairs = self.pairs.of_entries(way.pairs, cells)
        return Before(pairs, picked(way.null, places[0]), types, totals, jumps, fertilities)

    def with_text(self, cells: TextCells, forward: DirectionCounts, reverse: DirectionCounts) -> LinkCounts:
        """These counts and those of a text.

        Args:
            cells: The text.
            forward: Its counts, by its entries and words.
            reverse: Of the other direction.
        """
        text = cells.text.source.words, cells.text.target.words
        words = [joined_words(*both) for both in zip(self.pairs.words, text, strict=True)]
        places = [places_of(*both) for both in zip(words, text, strict=True)]
        used = np.flatnonzero((forward.pairs > 0) | (reverse.pairs > 0))
        kinds = [side[rows] for side, rows in zip(places, cells.entry_types(used), strict=True)]
        new = kinds[0] * len(words[1]) + kinds[1]
        keys, at = np.unique(np.append(self.pairs.keys(len(words[1])), new), return_inverse=True)
        ways = []
        for own, more, given in ((self.forward, forward, 1), (self.reverse, reverse, 0)):
            pairs = np.bincount(at, np.append(own.pairs, more.pairs[used]), len(keys))
            null = _spread(own.null, more.null, places[given], len(words[given]))
            jumps = _added(own.jumps, more.jumps)
            fertilities = _spread(own.fertilities, more.fertilities, places[1 - given], len(words[1 - given]))
            ways.append(DirectionCounts.single(pairs, null, jumps, fertilities))
        joined = WordPairs(
            (words[0], words[1]), np.stack(np.divmod(keys, max(1, len(words[1]))), 1).astype(np.uint32)
        )
        return LinkCounts(joined, ways[0], ways[1], self.sentences + len(cells.text))


def joined_words(words: Sequence[str], more: Sequence[str]) -> Words:
    """The words, then those of the others that are new, each once."""
    return tuple(dict.fromkeys([*words, *more]))


def places_of(words: Words, wanted: Words) -> np.ndarray:
    """Where each wanted word stands, -1 for nowhere, int64."""
    places = {word: place for place, word in enumerate(words)}
    return np.array([places.get(word, -1) for word in wanted], np.int64)


def picked(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The values at these places, 0 at -1, float64."""
    return np.where(places >= 0, np.append(values, 0.0)[places], 0.0)


def _spread(before: np.ndarray, more: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """Counts by the first words and counts of the words at some places, by all words."""
    wide = max(before.shape[1:] + more.shape[1:], default=0)
    found = np.zeros((size, wide) if wide else size)
    for rows, counts in ((np.arange(len(before)), before), (places, more)):
        at = (rows, slice(counts.shape[1])) if wide else rows
        found[at] += counts
    return found


def _added(before: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The sum of two rows of odd length, middle on middle."""
    room = max(len(before), len(more)) // 2
    found = np.zeros(2 * room + 1)
    for counts in (before, more):
        half = len(counts) // 2
        found[room - half : room + half + 1] += counts
    return found
