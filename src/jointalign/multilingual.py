"""Words of more than two languages in one space, in disjoint parts by set of languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jointalign.checks import check_fields
from jointalign.embedding import BilingualEmbedding, Embedding, merged
from jointalign.errors import JointalignError
from jointalign.vocabulary import Vocabulary, read_only


@dataclass(frozen=True, eq=False)
class Part:
    """Words that have one vector in each of some languages, and belong to no other.

    Args:
        languages: Codes of those languages.
        embedding: The words, by falling count in these languages together.
        counts: Count of each word in each of the languages, int64 `(n, k)`.

    Raises:
        JointalignError: If the counts have another shape.
    """

    languages: tuple[str, ...]
    embedding: Embedding
    counts: np.ndarray

    def __post_init__(self) -> None:
        check_fields(self)
        expected = (len(self.embedding), len(self.languages))
        if self.counts.shape != expected:
            raise JointalignError(
                f"the part of {' and '.join(self.languages)} needs counts of shape {expected}, "
                f"got {self.counts.shape}"
            )
        object.__setattr__(self, "counts", read_only(self.counts))

    def counts_in(self, language: str) -> np.ndarray:
        """Count of each word in one of the languages, int64 `(n,)`."""
        return self.counts[:, self.languages.index(language)]


@dataclass(frozen=True, eq=False)
class MultilingualEmbedding:
    """Some languages in one space: each part of section 3.1 of the paper, for any set of them.

    With two languages the parts are those of a `BilingualEmbedding`: `source_only`, `target_only`
    and `shared`. Within a language each spelling is in one part; after an alignment to a pivot a
    spelling may be in two parts that have no language in common, as two words.

    Args:
        languages: Codes of the languages; at least two.
        parts: One for each language by itself, empty where it has no words of its own, and one for
            each set of languages that share words.

    Raises:
        JointalignError: If a language has no part of its own, two parts are of the same languages,
            dimensions differ, or a spelling occurs twice in a language.

    Example:
        >>> def part(languages, *words):
        ...     vectors = np.ones((len(words), 2), np.float32)
        ...     counts = np.full((len(words), len(languages)), 5)
        ...     return Part(languages, Embedding(Vocabulary(words), vectors), counts)
        >>> space = MultilingualEmbedding(
        ...     ("en", "es", "de"),
        ...     (part(("en",), "the"), part(("es",), "el"), part(("de",), "der"),
        ...      part(("en", "de"), "name"), part(("en", "es", "de"), "radio")),
        ... )
        >>> space.language("de").words
        ('der', 'name', 'radio')
        >>> pair = space.pair("en", "es")
        >>> pair.source_only.words, pair.target_only.words, pair.shared.words
        (('the', 'name'), ('el',), ('radio',))
    """

    languages: tuple[str, ...]
    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {size}" for name, size in self.sizes.items())
        return f"MultilingualEmbedding({sizes} words)"

    def __post_init__(self) -> None:
        check_fields(self)
        if len(set(self.languages)) != len(self.languages) or len(self.languages) < 2:
            raise JointalignError(
                f"expected two or more languages, each once; got {', '.join(self.languages)}"
            )
        found = [part.languages for part in self.parts]
        for language in self.languages:
            if (language,) not in found:
                raise JointalignError(f"'{language}' has no part of its own; give an empty one")
        for part in self.parts:
            known = tuple(code for code in self.languages if code in part.languages)
            if known != part.languages or found.count(known) > 1:
                raise JointalignError(
                    f"expected each set of the languages {', '.join(self.languages)} at most once "
                    f"and in this order, got a part of {', '.join(part.languages)}"
                )
        self._check_words()

    def _check_words(self) -> None:
        if len({part.embedding.dimensions for part in self.parts}) > 1:
            raise JointalignError("the parts must have one number of dimensions")
        for language in self.languages:
            seen: set[str] = set()
            for part in self._with(language):
                if twice := seen.intersection(part.embedding.words):
                    raise JointalignError(f"'{min(twice)}' is in two parts of '{language}'")
                seen.update(part.embedding.words)

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.parts[0].embedding.dimensions

    @property
    def sizes(self) -> dict[str, int]:
        """Number of words of each part, by its languages: `{"en": 3, "en+es": 1, ...}`."""
        return {"+".join(part.languages): len(part.embedding) for part in self.parts}

    def part(self, *languages: str) -> Embedding | None:
        """The words of exactly these languages, `None` if there are none."""
        for part in self.parts:
            if set(part.languages) == set(languages):
                return part.embedding
        return None

    def language(self, code: str) -> Embedding:
        """All words of a language, by falling count in it.

        Raises:
            JointalignError: If it is not among the languages.
        """
        self._check(code)
        return _merged(self._with(code), [code])

    def pair(self, source: str, target: str) -> BilingualEmbedding:
        """Two of the languages; what both share, with others or not, is shared.

        Raises:
            JointalignError: If one is not among the languages, or both are the same.
        """
        self._check(source)
        self._check(target)
        if source == target:
            raise JointalignError(f"expected two languages, got '{source}' twice")
        shared = [part for part in self._with(source) if target in part.languages]
        columns = {
            code: np.concatenate([np.zeros(0, np.int64), *(p.counts_in(code) for p in shared)])
            for code in (source, target)
        }
        # As `_merged` sorts them.
        order = np.argsort(-(columns[source] + columns[target]), kind="stable")
        return BilingualEmbedding(
            _merged([part for part in self._with(source) if part not in shared], [source]),
            _merged([part for part in self._with(target) if part not in shared], [target]),
            _merged(shared, [source, target]) if shared else _none_of(self._with(target)[0]),
            columns[source][order],
            columns[target][order],
            source,
            target,
        )

    def _check(self, language: str) -> None:
        if language not in self.languages:
            raise JointalignError(f"there is no language '{language}'; there are {', '.join(self.languages)}")

    def _with(self, language: str) -> list[Part]:
        """Parts that have a language, its own first: its n-grams are those for unseen words."""
        found = [part for part in self.parts if language in part.languages]
        return sorted(found, key=lambda part: len(part.languages))


def _merged(parts: Sequence[Part], languages: Sequence[str]) -> Embedding:
    counts = [sum(map(part.counts_in, languages), np.zeros(1, np.int64)) for part in parts]
    return merged([part.embedding for part in parts], counts)


def _none_of(part: Part) -> Embedding:
    nothing = np.zeros((0, part.embedding.dimensions), np.float32)
    return replace(part.embedding, vocabulary=Vocabulary(()), vectors=nothing)
