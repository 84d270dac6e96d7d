"""Words with vectors: of one corpus, and of two languages in one space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jointalign.checks import check_fields, float32
from jointalign.errors import JointalignError
from jointalign.numerics.devices import torch_of
from jointalign.numerics.normalize import unit
from jointalign.storage.tables import frame
from jointalign.subwords import SubwordTable
from jointalign.vocabulary import Vocabulary, read_only

if TYPE_CHECKING:
    import pandas  # type: ignore[import-not-found]
    import torch

    from jointalign.dictionary.api import Translations

Setting = str | int | float | bool | None


@dataclass(frozen=True, eq=False)
class Embedding:
    """A vocabulary and one vector a word; words are rows.

    Args:
        vocabulary: The words, by falling frequency.
        vectors: float32 `(n, d)`, kept as a read-only view, not copied; other numbers become float32.
        subwords: N-gram table, for words outside the vocabulary; `None` where there is none.
        settings: How it was made: names and values, kept in the native file.

    Raises:
        JointalignError: If shapes disagree or a value is not finite. Vectors mapped from a file
            are not looked at here, which would read it all; see `check_finite`.

    Example:
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> english.vector("dog")
        array([0., 1.], dtype=float32)
    """

    vocabulary: Vocabulary
    vectors: np.ndarray
    subwords: SubwordTable | None = None
    settings: MappingType[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", float32("Embedding: vectors", self.vectors))
        check_fields(self)
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.vocabulary):
            raise JointalignError(
                f"expected one vector a word, ({len(self.vocabulary)}, d); got shape {self.vectors.shape}"
            )
        if not isinstance(self.vectors, np.memmap):
            self.check_finite()
        object.__setattr__(self, "vectors", read_only(self.vectors))

    def __repr__(self) -> str:
        return f"Embedding({len(self)} words, {self.dimensions} dimensions)"

    @property
    def words(self) -> tuple[str, ...]:
        """The words in row order."""
        return self.vocabulary.words

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __contains__(self, word: object) -> bool:
        return word in self.vocabulary

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __getitem__(self, word: str) -> np.ndarray:
        """Vector of a word, `(d,)`, as `vector` has it.

        Raises:
            JointalignError: If there is none.
        """
        found = self.vector(word)
        if found is None:
            raise JointalignError(f"there is no vector for '{word}', and none can be made of its n-grams")
        return found

    def similarity(self, word: str, other: str) -> float:
        """Cosine of two words.

        Raises:
            JointalignError: If one has no vector.
        """
        one, two = unit(np.stack([self[word], self[other]]))
        return float(one @ two)

    def most_similar(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words of highest cosine, best first, but for the word itself.

        Raises:
            JointalignError: If it has no vector.

        Example:
            >>> vectors = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
            >>> Embedding(Vocabulary(("cat", "pet", "car")), vectors).most_similar("cat", 1)
            [('pet', 0.70...)]
        """
        asked = unit(self[word][None])[0]
        blocks = (self.vectors[start : start + 65536] for start in range(0, len(self), 65536))
        cosines = np.concatenate([unit(block) @ asked for block in blocks])
        if word in self:
            cosines[self.vocabulary.rows[word]] = -np.inf
        best = np.argsort(-cosines, kind="stable")[: max(0, min(count, len(self) - (word in self)))]
        return [(self.words[row], float(cosines[row])) for row in best.tolist()]

    def vector(self, word: str) -> np.ndarray | None:
        """Vector of a word, `(d,)`, made from its n-grams if it is unknown; `None` without them."""
        row = self.vocabulary.row(word)
        if row is not None:
            return self.vectors[row]
        return None if self.subwords is None else self.subwords.vector(word)

    def to_numpy(self) -> np.ndarray:
        """The vectors, `(n, d)` float32, as a copy that may be written to."""
        return np.array(self.vectors)

    def to_torch(self) -> torch.Tensor:
        """The same as a tensor of torch.

        Raises:
            MissingExtraError: If torch is not installed.
        """
        return torch_of("torch").from_numpy(self.to_numpy())

    def to_frame(self) -> pandas.DataFrame:
        """The same as a table of pandas, a row a word.

        Raises:
            JointalignError: If pandas is not installed.
        """
        return frame(self.to_numpy(), index=list(self.words))

    def check_finite(self) -> None:
        """Look at every vector, which reads a mapped file once.

        Raises:
            JointalignError: If one holds NaN or infinity; its word is named.
        """
        check_finite(self.words, self.vectors)

    def take(self, rows: np.ndarray) -> Embedding:
        """Some rows, in the order given (copied); n-grams and settings stay."""
        return replace(self, vocabulary=self.vocabulary.take(rows), vectors=self.vectors[rows])

    def first(self, size: int | None) -> Embedding:
        """The `size` most frequent words; all of them for `None`."""
        if size is None or size >= len(self):
            return self
        return self.take(np.arange(size))


@dataclass(frozen=True, eq=False)
class BilingualEmbedding:
    """Two languages in one space: the three disjoint parts of section 3.1 of the paper.

    Two independently trained embeddings are the case with nothing shared (`separate`); a spelling
    may then be in both, as two words.

    Args:
        source_only: Words of the source language alone, by falling count in the source corpus.
        target_only: Words of the target language alone, likewise.
        shared: Words that have one vector in both languages.
        shared_source_counts: Count of each shared word in the source corpus, int64 `(s,)`.
        shared_target_counts: The same in the target corpus.
        source_language: Code of the source language, e.g. `en`.
        target_language: Code of the target language.

    Raises:
        JointalignError: If dimensions or lengths disagree, or a shared word is in another part too.
    """

    source_only: Embedding
    target_only: Embedding
    shared: Embedding
    shared_source_counts: np.ndarray
    shared_target_counts: np.ndarray
    source_language: str = "source"
    target_language: str = "target"

    def __post_init__(self) -> None:
        check_fields(self)
        sizes = {part.dimensions for part in (self.source_only, self.target_only, self.shared)}
        if len(sizes) > 1:
            raise JointalignError(
                "the parts must have one number of dimensions, got "
                f"{self.source_only.dimensions} (source), {self.target_only.dimensions} (target), "
                f"{self.shared.dimensions} (shared)"
            )
        for counts in (self.shared_source_counts, self.shared_target_counts):
            if len(counts) != len(self.shared):
                raise JointalignError(f"{len(self.shared)} shared words but {len(counts)} counts")
        for word in self.shared.words:
            if word in self.source_only or word in self.target_only:
                raise JointalignError(f"'{word}' is shared and in one language only at the same time")

    def __repr__(self) -> str:
        sizes = f"{len(self.source_only)} + {len(self.target_only)} words, {len(self.shared)} shared"
        languages = f"{self.source_language}-{self.target_language}"
        return f"BilingualEmbedding({languages}: {sizes}, {self.dimensions} dimensions)"

    @classmethod
    def separate(
        cls,
        source: Embedding,
        target: Embedding,
        source_language: str = "source",
        target_language: str = "target",
    ) -> BilingualEmbedding:
        """Two independently trained embeddings, nothing shared."""
        if source.dimensions != target.dimensions:
            raise JointalignError(
                "both sides need the same number of dimensions, got "
                f"{source.dimensions} (source) and {target.dimensions} (target); "
                "train both with the same number of dimensions"
            )
        nothing = Embedding(Vocabulary(()), np.zeros((0, source.dimensions), np.float32))
        none = np.zeros(0, np.int64)
        return cls(source, target, nothing, none, none, source_language, target_language)

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.source_only.dimensions

    def translate(self, word: str, count: int = 5) -> list[tuple[str, float]]:
        """The translations of a source word, best first, with their scores by CSLS.

        `translate` and `Translations` of the package can do more: other scores, many words.

        Args:
            word: In any case; made of n-grams if it is unknown and the source has some.
            count: How many.

        Raises:
            JointalignError: If the word has no vector.

        Example:
            >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
            >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
            >>> space = BilingualEmbedding.separate(english, spanish, "en", "es")
            >>> space.translate("dog", 1)
            [('perro', ...)]
        """
        return self._translations.best(word, count)

    @cached_property
    def _translations(self) -> Translations:
        from jointalign.dictionary.api import Translations  # a room above; see `ignore_imports`

        return Translations(self)

    @cached_property
    def source(self) -> Embedding:
        """All words of the source language, shared ones too, by falling count in its own corpus."""
        counts = [self.source_only.vocabulary.counts, self.shared_source_counts]
        return merged([self.source_only, self.shared], counts)

    @cached_property
    def target(self) -> Embedding:
        """All words of the target language, shared ones too, by falling count in its own corpus."""
        counts = [self.target_only.vocabulary.counts, self.shared_target_counts]
        return merged([self.target_only, self.shared], counts)

    def sides(self, max_vocabulary: int | None = None) -> tuple[Embedding, Embedding]:
        """Source and target, ready to be searched.

        Args:
            max_vocabulary: Only the most frequent words of each language; default: all.

        Raises:
            JointalignError: If one of their vectors holds NaN or infinity, which would be the best
                translation of everything; its word is named.
        """
        sides = self.source.first(max_vocabulary), self.target.first(max_vocabulary)
        for side in sides:
            side.check_finite()
        return sides

    def reversed(self) -> BilingualEmbedding:
        """The same space with source and target exchanged."""
        return BilingualEmbedding(
            self.target_only,
            self.source_only,
            self.shared,
            self.shared_target_counts,
            self.shared_source_counts,
            self.target_language,
            self.source_language,
        )


def merged(parts: Sequence[Embedding], counts: Sequence[np.ndarray]) -> Embedding:
    """The words of disjoint parts in one embedding, by falling count.

    Args:
        parts: At least one; n-grams and settings are those of the first.
        counts: What to sort each part by, and the counts of the result, int64 `(n,)` each.
    """
    first, others = parts[0], parts[1:]
    if not any(map(len, others)) and np.array_equal(first.vocabulary.counts, counts[0]):
        return first
    together = np.concatenate(counts)
    order = np.argsort(-together, kind="stable")
    words = [word for part in parts for word in part.words]
    vocabulary = Vocabulary(tuple(words[row] for row in order.tolist()), together[order])
    vectors = np.concatenate([part.vectors for part in parts])[order]
    return Embedding(vocabulary, vectors, first.subwords, first.settings)


def check_finite(words: Sequence[str], vectors: np.ndarray, block: int = 65536) -> None:
    """Look at the vectors of some words, `(n, d)`, a block of rows at a time.

    Raises:
        JointalignError: If a vector holds NaN or infinity; its word is named.
    """
    for start in range(0, len(vectors), block):
        bad = ~np.isfinite(vectors[start : start + block]).all(axis=1)
        if bad.any():
            word = words[start + int(bad.argmax())]
            raise JointalignError(
                f"the vector of '{word}' holds NaN or infinity; "
                "remove the word or train again with a lower learning rate"
            )
