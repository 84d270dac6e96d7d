"""Translations of single words, and whole dictionaries, out of a bilingual embedding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding, check_finite
from jointalign.errors import JointalignError
from jointalign.files import write_text
from jointalign.retrieval import Neighbours, Retrieval, both_neighbours, hubness, neighbours


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
    """

    source: str
    target: str
    score: float
    margin: float | None
    rank: int


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


def translate(
    bilingual: BilingualEmbedding,
    words: Sequence[str],
    *,
    count: int = 5,
    retrieval: Retrieval = Retrieval.CSLS,
    threshold: float | None = None,
    max_vocabulary: int | None = None,
) -> list[Answer]:
    """Translate words from source to target.

    Args:
        bilingual: Both languages in one space.
        words: Source words. Those outside the vocabulary are translated by their n-grams, where
            the source has any.
        count: Translations a word; all if there are fewer.
        retrieval: How translations are retrieved.
        threshold: Leave out translations that score lower; default: none.
        max_vocabulary: Translate into the most frequent target words only, and tell hubs by the
            most frequent source words only; default: all. Any word may be asked for.

    Returns:
        An answer a word, in the order asked.

    Raises:
        JointalignError: If a setting is not positive, or a vector not finite.

    Example:
        >>> import numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
        >>> space = BilingualEmbedding.separate(english, spanish)
        >>> dog, cow = translate(space, ["dog", "cow"], count=1)
        >>> dog.translations[0].target, dog.translations[0].rank, cow.known
        ('perro', 1, False)
    """
    translations = Translations(bilingual, retrieval, max_vocabulary)
    return translations.of(words, count=count, threshold=threshold)


class Translations:
    """Answers many questions to one space; what does not change is worked out once.

    Args:
        bilingual: Both languages in one space.
        retrieval: How translations are retrieved.
        max_vocabulary: As for `translate`.

    Raises:
        JointalignError: If `max_vocabulary` is not positive, or a vector not finite.
    """

    def __init__(
        self,
        bilingual: BilingualEmbedding,
        retrieval: Retrieval = Retrieval.CSLS,
        max_vocabulary: int | None = None,
    ) -> None:
        _check(1, max_vocabulary)
        self._source = bilingual.source
        self._frequent, self._target = bilingual.sides(max_vocabulary)
        self._retrieval = retrieval

    @cached_property
    def _target_hubs(self) -> np.ndarray:
        return hubness(self._target.vectors, self._frequent.vectors, self._retrieval)

    @cached_property
    def _source_hubs(self) -> np.ndarray:
        return hubness(self._frequent.vectors, self._target.vectors, self._retrieval)

    def of(
        self,
        words: Sequence[str],
        *,
        count: int = 5,
        threshold: float | None = None,
        mutual: bool = False,
    ) -> list[Answer]:
        """Translate words.

        Args:
            words: Source words.
            count: Translations a word; all if there are fewer.
            threshold: Leave out translations that score lower; default: none.
            mutual: Keep a translation only if the word is among its `count` best, too.

        Returns:
            An answer a word, in the order asked.

        Raises:
            JointalignError: If `count` is not positive, or the vector of a word not finite.
        """
        _check(count, None)
        vectors = {
            word: vector
            for word in dict.fromkeys(words)
            if (vector := self._source.vector(word)) is not None
        }
        found: dict[str, tuple[Translation, ...]] = {}
        if vectors:
            queries = np.stack(list(vectors.values()))
            check_finite(list(vectors), queries)
            best = neighbours(
                queries,
                self._target.vectors,
                count + 1,
                retrieval=self._retrieval,
                hubs=self._target_hubs,
            )
            entries = _entries(list(vectors), self._target, best, count, threshold)
            found = dict(zip(vectors, entries, strict=True))
        if mutual:
            found = self._agreed(found, count)
        return [
            Answer(word, found[word], from_subwords=word not in self._source)
            if word in found
            else Answer(word, (), known=False)
            for word in words
        ]

    def _agreed(
        self, found: dict[str, tuple[Translation, ...]], count: int
    ) -> dict[str, tuple[Translation, ...]]:
        """Only translations that give the word back among their own `count` best."""
        targets = list(dict.fromkeys(entry.target for some in found.values() for entry in some))
        if not targets:
            return found
        rows = [self._target.vocabulary.rows[word] for word in targets]
        back = neighbours(
            self._target.vectors[rows],
            self._frequent.vectors,
            count,
            retrieval=self._retrieval,
            hubs=self._source_hubs,
        )
        returned = {
            target: {self._frequent.words[row] for row in best}
            for target, best in zip(targets, back.rows.tolist(), strict=True)
        }
        return {
            word: tuple(entry for entry in some if word in returned[entry.target])
            for word, some in found.items()
        }


def induce(
    bilingual: BilingualEmbedding,
    *,
    count: int = 1,
    mutual: bool = True,
    retrieval: Retrieval = Retrieval.CSLS,
    threshold: float | None = None,
    max_vocabulary: int | None = None,
) -> list[Translation]:
    """Translate the whole source vocabulary.

    Args:
        bilingual: Both languages in one space.
        count: Translations a word; all if there are fewer.
        mutual: Keep a pair only if each word is among the `count` best of the other.
        retrieval: How translations are retrieved.
        threshold: Leave out pairs that score lower; default: none.
        max_vocabulary: Use only the most frequent words of each language; default: all.

    Returns:
        Translations, most frequent source word first, best translation first.

    Raises:
        JointalignError: If a setting is not positive, or a vector not finite.

    Example:
        >>> import numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("perro", "gato")), np.eye(2, dtype=np.float32)[::-1])
        >>> entries = induce(BilingualEmbedding.separate(english, spanish))
        >>> [(entry.source, entry.target) for entry in entries]
        [('cat', 'gato'), ('dog', 'perro')]
    """
    _check(count, max_vocabulary)
    source, target = bilingual.sides(max_vocabulary)
    x, z = source.vectors, target.vectors
    if not mutual:
        best = neighbours(x, z, count + 1, retrieval=retrieval)
        chosen = _entries(source.words, target, best, count, threshold)
        return [entry for word_entries in chosen for entry in word_entries]
    best, back = both_neighbours(x, z, count + 1, retrieval=retrieval)
    entries = _entries(source.words, target, best, count, threshold)
    rows = np.arange(len(source))[:, None, None]
    agreed = (back.rows[best.rows[:, :count], :count] == rows).any(axis=2)  # (n, count)
    return [
        entry
        for row, word_entries in enumerate(entries)
        for entry in word_entries
        if agreed[row, entry.rank - 1]
    ]


def write_tsv(entries: Iterable[Translation], path: str | Path) -> None:
    """Write translations as a table with tabs: source, target, score, margin, rank.

    Args:
        entries: What to write, in this order. A margin of `None` becomes an empty field.
        path: The file; compressed if its suffix says so (`.gz`, `.bz2`, `.xz`, `.zst`).

    Raises:
        JointalignError: If the file cannot be written.
    """
    with write_text(path) as file:
        file.write("source\ttarget\tscore\tmargin\trank\n")
        for entry in entries:
            margin = "" if entry.margin is None else f"{entry.margin:.6g}"
            file.write(
                f"{entry.source}\t{entry.target}\t{entry.score:.6g}\t{margin}\t{entry.rank}\n"
            )


def _entries(
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


def _check(count: int, max_vocabulary: int | None) -> None:
    for name, value in (("count", count), ("max_vocabulary", max_vocabulary)):
        if value is not None and value < 1:
            raise JointalignError(f"{name} must be positive, got {value}")
