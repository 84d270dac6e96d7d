"""A text as numbers, ready to be cut into batches of sentences of like length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ner._characters import Spellings, character_table, character_vectors
from jointalign.ner._tagger import Tagger, WordBatch
from jointalign.ner._torch import import_torch
from jointalign.ner.base import Sentence, to_scheme

if TYPE_CHECKING:
    from torch import Generator, Tensor

POSITIONS = 4096
"""Words (or pieces) tagged at once; bounds the memory, whatever the sentences."""


class Examples:
    """Sentences prepared for one tagger.

    Args:
        tagger: Whose inputs, alphabet and labels are meant.
        sentences: With tags, where they are to be learnt.
        language: Of the sentences.
    """

    def __init__(self, tagger: Tagger, sentences: Sequence[Sentence], language: str) -> None:
        self.sentences, self.language = sentences, language
        self._tagger = tagger
        self._text = tagger.inputs.prepare(sentences, language)
        self._lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        self._starts = np.cumsum(self._lengths) - self._lengths
        words = {word: None for sentence in sentences for word in sentence.words}
        ranks = {word: rank for rank, word in enumerate(words)}
        flat = [ranks[word] for sentence in sentences for word in sentence.words]
        self._words = np.array(flat, np.int64)
        self._distinct = tuple(words)

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def sizes(self) -> np.ndarray:
        """Positions of each sentence, by which they go into batches, int64 `(n,)`."""
        return self._text.sizes

    def learning_batches(self, size: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Rows of all sentences in random batches of like length, at most `size` each."""
        order = rng.permutation(len(self))
        order = order[np.argsort(self.sizes[order], kind="stable")]
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return [batches[number] for number in rng.permutation(len(batches))]

    def tagging_batches(self) -> list[np.ndarray]:
        """Rows of all sentences, sorted by length, about `POSITIONS` positions together."""
        order = np.argsort(self.sizes, kind="stable")
        batches, start = [], 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and self.sizes[order[stop]] * (stop + 1 - start) <= POSITIONS:
                stop += 1
            batches.append(order[start:stop])
            start = stop
        return batches

    def batch(self, rows: np.ndarray, generator: Generator | None = None) -> WordBatch:
        """What the network sees of some sentences; with noise if there is a generator for it."""
        torch = import_torch()
        lengths = torch.from_numpy(self._lengths[rows]).to(self._tagger.device)
        inputs = self._text.batch(rows.tolist(), generator)
        characters = None
        if self._tagger.has_characters:
            characters = self._characters(self._padded(self._words, rows), generator)
        return WordBatch(inputs, lengths, characters)

    def tags(self, rows: np.ndarray) -> Tensor:
        """Rows of the labels of some sentences, int64 `(b, l)`, 0 beyond their ends."""
        padded = self._padded(self._labels, rows)
        return import_torch().from_numpy(padded).to(self._tagger.device)

    def _characters(self, words: np.ndarray, generator: Generator | None) -> Tensor:
        torch = import_torch()
        network = self._tagger.network["characters"]
        if generator is None:
            return self._table[torch.from_numpy(words).to(self._tagger.device)]
        distinct, places = np.unique(words, return_inverse=True)
        vectors = character_vectors(network, self._spellings, distinct, generator)
        return vectors[torch.from_numpy(places.reshape(words.shape)).to(self._tagger.device)]

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings.of(self._distinct, self._tagger.alphabet)

    @cached_property
    def _table(self) -> Tensor:
        """Character vectors of all words; until `learnt` says that the network has changed."""
        with import_torch().inference_mode():
            return character_table(self._tagger.network["characters"], self._spellings)

    def learnt(self) -> None:
        """Forget what was computed with the weights as they were."""
        self.__dict__.pop("_table", None)

    @cached_property
    def _labels(self) -> np.ndarray:
        rows = {label: row for row, label in enumerate(self._tagger.labels)}
        found = []
        for number, sentence in enumerate(self.sentences, 1):
            if sentence.tags is None:
                raise JointalignError(f"sentence {number} has no tags to learn from")
            for tag in to_scheme(sentence.tags, self._tagger.settings.scheme):
                if tag not in rows:
                    raise JointalignError(f"sentence {number}: the tagger has no tag '{tag}'")
                found.append(rows[tag])
        return np.array(found, np.int64)

    def _padded(self, flat: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Values of all words of some sentences, `(b, l)`, 0 beyond their ends."""
        lengths = self._lengths[rows]
        places = np.arange(lengths.max())[None]
        inside = places < lengths[:, None]
        return np.where(inside, flat[np.where(inside, self._starts[rows][:, None] + places, 0)], 0)


def tag_all(tagger: Tagger, examples: Examples) -> list[tuple[str, ...]]:
    """Tags of all sentences, in their order, in the scheme of the tagger."""
    examples.learnt()
    found: list[tuple[str, ...]] = [()] * len(examples)
    with import_torch().inference_mode():
        for rows in examples.tagging_batches():
            for row, tags in zip(rows.tolist(), tagger.decode(examples.batch(rows)), strict=True):
                found[row] = tuple(tags)
    return found
