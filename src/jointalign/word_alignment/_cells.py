"""A parallel text as learning sees it: every pair of words that share a sentence pair."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jointalign.errors import JointalignError
from jointalign.numerics.processors import usable_processors
from jointalign.word_alignment._kernels import number_by_frequency, number_cells, types_of_entries
from jointalign.word_alignment.base import ParallelText, TextSide, starts_of

_PARTS = 64
_MOST_ENTRIES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class TextCells:
    """TextCells and entries of a text, as `_kernels` explains them.

    Args:
        text: The text.
        cells: The entry of each cell, int32 `(c,)`.
        starts: Where the cells of each sentence pair begin, and the end, int64 `(s + 1,)`.
        entries: Number of distinct entries.
        occurrences: Source tokens by their type, where each type's begin, and the sentence of each
            source token.
    """

    text: ParallelText
    cells: np.ndarray
    starts: np.ndarray
    entries: int
    occurrences: tuple[np.ndarray, np.ndarray, np.ndarray]

    @classmethod
    def of(cls, text: ParallelText, by_frequency: bool = False) -> TextCells:
        """Number the cells.

        Args:
            text: The text.
            by_frequency: Whether frequent entries have low numbers.

        Raises:
            JointalignError: If there are none, or too many.
        """
        source, target = text.source, text.target
        lengths = np.diff(source.starts), np.diff(target.starts)
        starts = starts_of(lengths[0] * lengths[1])
        if starts[-1] == 0:
            raise JointalignError(
                "there is nothing to align: no sentence pair has words on both sides; expected "
                "'source words ||| target words' on a line, or two files with as many lines"
            )
        counts = np.bincount(source.tokens, minlength=len(source.words))
        occurrences = (
            np.argsort(source.tokens, kind="stable"),
            starts_of(counts),
            np.repeat(np.arange(len(text), dtype=np.int32), lengths[0]),
        )
        cells = np.empty(starts[-1], np.int32)
        entries = number_cells(
            *occurrences, source.starts, target.tokens, target.starts, starts, len(target.words), cells
        )
        if entries > _MOST_ENTRIES:
            raise JointalignError(
                f"{entries:,} distinct word pairs are more than 32-bit numbers can name; split the text"
            )
        if by_frequency:
            number_by_frequency(cells, entries)
        return cls(text, cells, starts, entries, occurrences)

    @property
    def layout(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What every kernel needs to find a cell."""
        return self.text.source.starts, self.text.target.starts, self.starts, self.cells

    @cached_property
    def longest(self) -> int:
        """Words of the longest sentence of either side."""
        sides = self.text.source, self.text.target
        return max(1, *(int(np.diff(side.starts).max(initial=0)) for side in sides))

    def side(self, target: bool) -> TextSide:
        """One of both languages."""
        return self.text.target if target else self.text.source

    def entry_types(self, chosen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The source and the target type of each entry, or of those that are chosen, int32."""
        size = self.entries if chosen is None else len(chosen)
        places = np.zeros(0, np.int32)
        if chosen is not None:
            places = np.full(self.entries, -1, np.int32)
            places[chosen] = np.arange(size)
        kinds = np.empty(size, np.int32), np.empty(size, np.int32)
        types_of_entries(*self.layout, self.text.source.tokens, self.text.target.tokens, places, *kinds)
        return kinds

    def most_counted(self) -> int:
        """What no count of an entry can exceed."""
        sides = self.text.source, self.text.target
        return min(int(np.bincount(side.tokens, minlength=1).max()) for side in sides)

    def mass(
        self, weights: np.ndarray, forward: bool
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
        """Weights of generated tokens, summed over sentences of equal size.

        Args:
            weights: Of each generated token.
            forward: Whether the target is generated.

        Returns:
            Lengths of the generated and the other sentence of each distinct size and where its
            positions begin, all `(k,)`; and the sum at each position of each size.
        """
        generated, conditioning = self.side(forward), self.side(not forward)
        lengths = np.diff(generated.starts)
        sizes = np.stack([lengths, np.diff(conditioning.starts)], 1)
        distinct, of_sentence = np.unique(sizes, axis=0, return_inverse=True)
        mass_starts = starts_of(distinct[:, 0])
        positions = np.arange(len(generated.tokens)) - np.repeat(generated.starts[:-1], lengths)
        places = np.repeat(mass_starts[:-1][of_sentence.reshape(-1)], lengths) + positions
        mass = np.bincount(places, weights, mass_starts[-1])
        usable = distinct[:, 1] > 0
        sides = distinct[usable, 0], distinct[usable, 1], mass_starts[:-1][usable]
        return sides, mass

    @cached_property
    def sentence_parts(self) -> np.ndarray:
        """Bounds of groups of sentences with about as many cells each."""
        return _even(self.starts)

    @cached_property
    def type_parts(self) -> np.ndarray:
        """Bounds of groups of source types with about as many tokens each."""
        return _even(self.occurrences[1])

    @cached_property
    def entry_parts(self) -> np.ndarray:
        """Bounds of equal groups of entries."""
        return np.linspace(0, self.entries, _PARTS + 1).astype(np.int64)

    @staticmethod
    def in_parts(parts: np.ndarray, work: Callable[[int, int], None], threads: int | None) -> None:
        """Do the work on all parts, each from its first to before its last member."""
        with ThreadPoolExecutor(threads or usable_processors()) as pool:
            for done in [pool.submit(work, *pair) for pair in _pairs(parts)]:
                done.result()


def _pairs(bounds: np.ndarray) -> list[tuple[int, int]]:
    pairs = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [(first, last) for first, last in pairs if first < last]


def _even(starts: np.ndarray) -> np.ndarray:
    goals = np.linspace(0, starts[-1], _PARTS + 1)
    bounds = np.searchsorted(starts, goals)
    bounds[0], bounds[-1] = 0, len(starts) - 1
    return np.maximum.accumulate(bounds)
