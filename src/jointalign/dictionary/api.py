"""Translations of single words, and whole dictionaries, out of a bilingual embedding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from jointalign.checks import checked
from jointalign.corpora.tokenization import Spelling
from jointalign.dictionary.base import (
    Answer,
    Translation,
    agreed,
    listed,
    read_tsv,
    spelt_like,
    write_translations,
    write_tsv,
)
from jointalign.embedding import BilingualEmbedding, Embedding, check_finite
from jointalign.errors import JointalignError
from jointalign.retrieval.api import (
    LazyHubness,
    Neighbours,
    Retrieval,
    Score,
    both_neighbours,
    hubness,
    lazy_hubness,
    mean_similarity,
    neighbours,
)
from jointalign.retrieval.hubs import Hubs

__all__ = [
    "Answer",
    "Translation",
    "Translations",
    "induce",
    "read_tsv",
    "spelt_like",
    "translate",
    "write_translations",
    "write_tsv",
]


@checked
def translate(
    bilingual: BilingualEmbedding,
    words: Sequence[str],
    *,
    count: int = 5,
    score: Score | str = Retrieval.CSLS,
    threshold: float | None = None,
    max_vocabulary: int | None = None,
    lowercase: bool = True,
) -> list[Answer]:
    """Translate words from source to target.

    Args:
        bilingual: Both languages in one space.
        words: Source words. Those outside the vocabulary are translated by their n-grams, where
            the source has any.
        count: Translations a word; all if there are fewer.
        score: How translations are scored: `nn`, `csls`, `isf`, or a `Score`.
        threshold: Leave out translations that score lower; default: none.
        max_vocabulary: Translate into the most frequent target words only, and tell hubs by the
            most frequent source words only; default: all. Any word may be asked for.
        lowercase: Whether capitals make no difference. A question is spelt by the rule of the source
            language, and is the vocabulary's first word of that spelling.

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
    translations = Translations(bilingual, score, max_vocabulary)
    spelling = Spelling(bilingual.source_language, lowercase)
    asked = list(map(spelt_like(bilingual.source.vocabulary, spelling), words))
    return translations.of(asked, count=count, threshold=threshold)


class Translations:
    """Answers many questions to one space; what does not change is worked out once.

    Args:
        bilingual: Both languages in one space.
        score: How translations are scored: `nn`, `csls`, `isf`, or a `Score`.
        max_vocabulary: As for `translate`.
        hubs: Of the space, for CSLS, if known from before.

    Raises:
        JointalignError: If `max_vocabulary` is not positive, a vector not finite, or `hubs` those
            of another space.
    """

    @checked
    def __init__(
        self,
        bilingual: BilingualEmbedding,
        score: Score | str = Retrieval.CSLS,
        max_vocabulary: int | None = None,
        hubs: Hubs | None = None,
    ) -> None:
        _check(1, max_vocabulary)
        self._source, self._language = bilingual.source, bilingual.source_language
        self._frequent, self._target = bilingual.sides(max_vocabulary)
        self._score, self._hubs = Score.of(score), hubs
        if hubs is not None:
            hubs.check(self._frequent, self._target, self._score.neighbourhood)

    @cached_property
    def _target_hubs(self) -> np.ndarray | LazyHubness:
        known = None if self._hubs is None else self._hubs.target
        return self._hubness(known, self._target, self._frequent)

    @cached_property
    def _source_hubs(self) -> np.ndarray | LazyHubness:
        known = None if self._hubs is None else self._hubs.source
        return self._hubness(known, self._frequent, self._target)

    def _hubness(
        self, known: np.ndarray | None, candidates: Embedding, others: Embedding
    ) -> np.ndarray | LazyHubness:
        if not self._score.is_csls:
            return hubness(candidates.vectors, others.vectors, self._score)
        if known is not None:
            return known
        return lazy_hubness(candidates.vectors, others.vectors, self._score.neighbourhood)

    @checked
    def of(
        self, words: Sequence[str], *, count: int = 5, threshold: float | None = None, mutual: bool = False
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
            word: vector for word in dict.fromkeys(words) if (vector := self._source.vector(word)) is not None
        }
        found: dict[str, tuple[Translation, ...]] = {}
        if vectors:
            queries = np.stack(list(vectors.values()))
            check_finite(list(vectors), queries)
            best = neighbours(
                queries, self._target.vectors, count + 1, score=self._score, hubs=self._target_hubs
            )
            entries = listed(list(vectors), self._target, best, count, threshold)
            found = dict(zip(vectors, entries, strict=True))
        if mutual:
            found = self._agreed(found, count)
        return [
            Answer(word, found[word], from_subwords=word not in self._source)
            if word in found
            else Answer(word, (), known=False)
            for word in words
        ]

    def scores(self, word: str, targets: Sequence[str]) -> list[float]:
        """Scores of some translations of a word, wherever they stand among the others.

        Raises:
            JointalignError: If one of the words is not known.
        """
        vector = self._source.vector(word)
        known = [row for row in map(self._target.vocabulary.rows.get, targets) if row is not None]
        if vector is None or len(known) < len(targets):
            raise JointalignError(f"'{word}' or one of {', '.join(targets)} has no vector")
        if not known:
            return []
        query, hubs = vector[None], self._target_hubs
        some = self._target.vectors[known]
        if not isinstance(hubs, np.ndarray):
            hubs = hubness(some, self._frequent.vectors, self._score)
        elif len(hubs) == len(self._target):
            hubs = hubs[known]
        density = None
        if self._score.is_csls:
            density = mean_similarity(query, self._target.vectors, self._score.neighbourhood)
        best = neighbours(query, some, len(known), score=self._score, hubs=hubs, density=density)
        placed = dict(zip(best.rows[0].tolist(), best.scores[0].tolist(), strict=True))
        return [placed[place] for place in range(len(known))]

    @checked
    def best(self, word: str, count: int = 5) -> list[tuple[str, float]]:
        """The translations of one word and their scores, as `BilingualEmbedding.translate` gives them.

        Raises:
            JointalignError: If the word has no vector, or `count` is not positive.
        """
        spelling = Spelling(self._language)
        answer = self.of([spelt_like(self._source.vocabulary, spelling)(word)], count=count)[0]
        if not answer.known:
            raise JointalignError(f"there is no vector for '{word}', and none can be made of its n-grams")
        return [(one.target, one.score) for one in answer.translations]

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
            score=self._score,
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


@checked
def induce(
    bilingual: BilingualEmbedding,
    *,
    count: int = 1,
    mutual: bool = True,
    score: Score | str = Retrieval.CSLS,
    threshold: float | None = None,
    max_vocabulary: int | None = None,
    hubs: Hubs | None = None,
) -> list[Translation]:
    """Translate the whole source vocabulary.

    Args:
        bilingual: Both languages in one space.
        count: Translations a word; all if there are fewer.
        mutual: Keep a pair only if each word is among the `count` best of the other.
        score: How translations are scored: `nn`, `csls`, `isf`, or a `Score`.
        threshold: Leave out pairs that score lower; default: none.
        max_vocabulary: Use only the most frequent words of each language; default: all.
        hubs: Of the space, for CSLS, if known from before: half the work.

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
    x, z, score = source.vectors, target.vectors, Score.of(score)
    known = None
    if hubs is not None and score.is_csls:
        hubs.check(source, target, score.neighbourhood)
        known = hubs.source, hubs.target
    if not mutual:
        r_source, r_target = known or (None, None)
        best = neighbours(x, z, count + 1, score=score, hubs=r_target, density=r_source)
        chosen = listed(source.words, target, best, count, threshold)
        return [entry for word_entries in chosen for entry in word_entries]
    best, back = both_neighbours(x, z, count + 1, score=score, hubs=known)
    return _mutual(source, target, best, back, count, threshold)


def induce_and_keep(
    bilingual: BilingualEmbedding, *, max_vocabulary: int | None = None
) -> tuple[list[Translation], Hubs]:
    """`induce` with its defaults, and the hubs that it has to work out.

    Args:
        bilingual: As for `induce`.
        max_vocabulary: As for `induce`.

    Raises:
        JointalignError: As `induce`.
    """
    _check(1, max_vocabulary)
    source, target = bilingual.sides(max_vocabulary)
    hubs = Hubs.of(source, target)
    best, back = both_neighbours(source.vectors, target.vectors, 2, hubs=(hubs.source, hubs.target))
    return _mutual(source, target, best, back, 1, None), hubs


def _mutual(
    source: Embedding,
    target: Embedding,
    best: Neighbours,
    back: Neighbours,
    count: int,
    threshold: float | None,
) -> list[Translation]:
    """Translations of all source words that give the word back."""
    entries = listed(source.words, target, best, count, threshold)
    kept = agreed(entries, best.rows, back.rows, count)
    return [entry for word_entries in kept for entry in word_entries]


def _check(count: int, max_vocabulary: int | None) -> None:
    for name, value in (("count", count), ("max_vocabulary", max_vocabulary)):
        if value is not None and value < 1:
            raise JointalignError(f"{name} must be positive, got {value}")
