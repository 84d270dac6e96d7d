"""How the compiled loops read each corpus: rows of its words, what survives, which noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.training._model import alias_table, keep_probabilities
from jointalign.training._schedule import Schedule
from jointalign.training._seeds import seed_bits
from jointalign.training.base import Noise, Replacement, check_two
from jointalign.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Choices:
    """Words that may stand for each type of a corpus.

    Args:
        starts: Where each type's choices begin in `rows`, int64 `(types + 1,)`.
        rows: Rows of the vocabulary, int32.
        chance: Of a token that has choices to be replaced by one.
    """

    starts: np.ndarray
    rows: np.ndarray
    chance: float

    @classmethod
    def none(cls, types: int) -> Choices:
        """Every word stands for itself."""
        return cls(np.zeros(types + 1, np.int64), np.zeros(0, np.int32), 0.0)

    @classmethod
    def of(cls, words: Sequence[str], lexicon: Lexicon, vocabulary: Vocabulary, chance: float) -> Choices:
        """The translations of each word that the vocabulary has."""
        types = {word: number for number, word in enumerate(words)}
        found = {
            types[word]: [row for other in others if (row := vocabulary.row(other)) is not None]
            for word, others in lexicon.grouped().items()
            if word in types
        }
        numbers = np.zeros(len(words), np.int64)
        for number, rows in found.items():
            numbers[number] = len(rows)
        starts = np.concatenate([[0], np.cumsum(numbers)])
        listed = [row for number in sorted(found) for row in found[number]]
        return cls(starts, np.array(listed, np.int32), chance)

    def expected(self, rows_of_types: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
        """How often each row is read on average, float64 `(size,)`.

        Args:
            rows_of_types: Row of each type, -1 for none.
            values: How often each type occurs, float64 `(types,)`.
            size: Number of rows.
        """
        numbers = np.diff(self.starts)
        leaving = np.where(numbers > 0, self.chance, 0.0) * values
        known = rows_of_types >= 0
        found = np.bincount(rows_of_types[known], (values - leaving)[known], size)
        if len(self.rows):
            shares = np.repeat(leaving / np.maximum(numbers, 1), numbers)
            found += np.bincount(self.rows, shares, size)
        return found


@dataclass(frozen=True, eq=False)
class Reading:
    """One corpus as the compiled loops take it.

    Args:
        corpus: The text.
        share_key: Decides which lines belong to a share; the same in every epoch, as if sampled
            once into a file.
        rows: Row of each type in the vocabulary, int32 `(types,)`, -1 for rare words.
        choices: What may replace each type.
        keep: Chance of each row to survive subsampling, float32 `(v,)`.
        noise: Walker's alias table over the rows, see `alias_table`.
    """

    corpus: EncodedCorpus
    share_key: np.uint64
    rows: np.ndarray
    choices: Choices
    keep: np.ndarray
    noise: tuple[np.ndarray, np.ndarray]


def rows_of_types(corpus: EncodedCorpus, vocabulary: Vocabulary) -> np.ndarray:
    """Row of each type of a corpus, int32 `(types,)`, -1 for words that are too rare."""
    rows, words = vocabulary.rows, corpus.counts.words
    return np.fromiter((rows.get(word, -1) for word in words), np.int32, len(words))


def replacing(
    corpora: Sequence[EncodedCorpus], replacement: Replacement, vocabulary: Vocabulary
) -> list[Choices]:
    """Choices of two corpora, each with the translations into the other's language.

    Raises:
        JointalignError: If there are not two corpora, or no word has a known translation.
    """
    check_two(len(corpora))
    lexicon, chance = replacement.lexicon, replacement.probability
    directions = (lexicon, lexicon.reversed())
    found = [
        Choices.of(corpus.counts.words, direction, vocabulary, chance)
        for corpus, direction in zip(corpora, directions, strict=True)
    ]
    check_known(sum(len(choices.rows) for choices in found), lexicon)
    return found


def readings(
    corpora: Sequence[EncodedCorpus],
    schedule: Schedule,
    repeats: Sequence[float],
    rows: Sequence[np.ndarray],
    size: int,
    *,
    noise: Noise,
    exponent: float,
    subsampling: float,
    seed: int,
    choices: Sequence[Choices] | None = None,
    predicted: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Reading]:
    """Prepare all corpora.

    Args:
        corpora: The text.
        schedule: Of the training.
        repeats: How many times each corpus is read in an epoch.
        rows: Row of each type of each corpus, see `rows_of_types`.
        size: Number of rows, v.
        noise: Whose counts decide noise and subsampling.
        exponent: Noise is drawn by the count to this power.
        subsampling: Threshold t, see `keep_probabilities`.
        seed: Of the training.
        choices: What may replace the types of each corpus; nothing by default.
        predicted: How often each row is predicted in text where it is read so often; by default
            just as often. It decides the noise.
    """
    choices = choices or [Choices.none(len(corpus.counts)) for corpus in corpora]
    counts = [
        choice.expected(row, corpus.counts.values * repeat, size)
        for choice, row, corpus, repeat in zip(choices, rows, corpora, repeats, strict=True)
    ]
    found: list[Reading] = []
    made: dict[tuple[int, ...], tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]] = {}
    for number, corpus in enumerate(corpora):
        # Not by the languages' codes: texts whose language nobody has told all have the same.
        peers = tuple(range(len(corpora))) if noise is Noise.JOINT else (number,)
        if peers not in made:
            total = _whole(sum((counts[peer] for peer in peers), np.zeros(size)))
            keep = keep_probabilities(total, schedule.tokens_of(peers), subsampling)
            noises = total if predicted is None else predicted(total)
            made[peers] = keep, alias_table(noises**exponent)
        key = seed_bits(seed, 3, number)
        found.append(Reading(corpus, key, rows[number], choices[number], *made[peers]))
    return found


def _whole(counts: np.ndarray) -> np.ndarray:
    """Whole numbers, as in the vocabulary; at least one for a word that occurs at all."""
    return np.where(counts > 0, np.maximum(np.rint(counts), 1.0), 0.0)


def check_known(pairs: int, lexicon: Lexicon) -> None:
    """Raise unless some pairs of a lexicon were found."""
    if not pairs:
        raise JointalignError(
            f"none of the {len(lexicon)} pairs of the lexicon has both words in the texts; is it "
            "in the direction of the corpora (source first) and spelt as they are?"
        )
