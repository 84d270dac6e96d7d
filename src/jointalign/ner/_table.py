"""Vectors of words, by language and word.

A spelling that both languages have may be two words (vectors that were aligned), or one (joint
training), so words are never looked up without their language.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError

UNKNOWN = 0
"""Row of words that have no vector."""

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, eq=False)
class WordTable:
    """Vectors of the words of several languages, all of one length.

    Every vector is made as long as every other, because lengths tell how and on how much text
    vectors were trained, not what words mean: rows of a table must not differ by that.

    Args:
        vectors: float32 `(1 + n, d)`; the first one, of no word, is zero.
        rows: For each language, the row of each word. Shared words have one row in both.
    """

    vectors: np.ndarray
    rows: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, space: BilingualEmbedding, length: float | None = None) -> WordTable:
        """All words of a space.

        Args:
            space: Two languages.
            length: Of every vector; default: the square root of `d` over 10, which gives each
                dimension a standard deviation of about 0.1.

        Raises:
            JointalignError: If a vector holds NaN or infinity.
        """
        parts = space.source_only, space.target_only, space.shared
        for part in parts:
            part.check_finite()
        start, ranges = 1, []
        for part in parts:
            ranges.append(dict(zip(part.words, range(start, start + len(part)), strict=True)))
            start += len(part)
        vectors = np.concatenate([np.zeros((1, space.dimensions), np.float32), *(p.vectors for p in parts)])
        rows = {space.source_language: ranges[0] | ranges[2], space.target_language: ranges[1] | ranges[2]}
        return cls(_of_length(vectors, length), rows)

    @classmethod
    def of_languages(cls, embeddings: Mapping[str, Embedding], length: float | None = None) -> WordTable:
        """Words of any number of languages in one space, none of them shared.

        Args:
            embeddings: For each language, its words.
            length: As for `of`.

        Raises:
            JointalignError: If their dimensions differ, or a vector holds NaN or infinity.
        """
        sizes = {code: embedding.dimensions for code, embedding in embeddings.items()}
        if len(set(sizes.values())) != 1:
            raise JointalignError(f"expected one number of dimensions for all, got {sizes}")
        start, rows = 1, {}
        for code, embedding in embeddings.items():
            embedding.check_finite()
            words = embedding.words
            rows[code] = dict(zip(words, range(start, start + len(words)), strict=True))
            start += len(words)
        blocks = [embedding.vectors for embedding in embeddings.values()]
        vectors = np.concatenate([np.zeros((1, blocks[0].shape[1]), np.float32), *blocks])
        return cls(_of_length(vectors, length), rows)

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.vectors.shape[1]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have words."""
        return tuple(self.rows)

    @cached_property
    def digest(self) -> str:
        """Of all vectors and words."""
        total = hashlib.sha256(np.ascontiguousarray(self.vectors).data)
        for code, rows in self.rows.items():
            numbers = np.fromiter(rows.values(), np.int64, len(rows))
            total.update("\n".join([code, *rows]).encode("utf-8", "surrogateescape"))
            total.update(numbers.data)
        return total.hexdigest()

    def row(self, word: str, language: str) -> int:
        """Row of a word as it is written; `UNKNOWN` if no form of it has a vector.

        Looked for in this order: as it is, in lower case, with every digit a zero, without accents.

        Raises:
            JointalignError: If the language has no words here.
        """
        known = self.rows.get(language)
        if known is None:
            raise JointalignError(
                f"expected a language of the vectors ({', '.join(self.rows)}), got '{language}'"
            )
        for form in _forms(word):
            if form in known:
                return known[form]
        return UNKNOWN

    def permuted(self, language: str, seed: int = 0) -> WordTable:
        """The same with the vectors of one language's own words exchanged at random.

        Shared words take part on their own: the other language's vectors never change.
        A tagger that does as well as before has learnt nothing from the vectors.

        Raises:
            JointalignError: If the language has no words here.
        """
        if language not in self.rows:
            self.row("", language)
        rng = np.random.default_rng(seed)
        own = self.rows[language]
        words, rows = list(own), np.fromiter(own.values(), np.int64, len(own))
        copies = self.vectors[rng.permutation(rows)]
        exchanged = dict(zip(words, range(len(self.vectors), len(self.vectors) + len(words)), strict=True))
        return WordTable(np.concatenate([self.vectors, copies]), {**self.rows, language: exchanged})

    def random(self, seed: int = 0) -> WordTable:
        """The same words with random vectors of the same length, one a spelling.

        What a tagger can do with these, it does by spelling alone.
        """
        rng = np.random.default_rng(seed)
        spellings: dict[str, int] = {}
        for known in self.rows.values():
            for word in known:
                spellings.setdefault(word, len(spellings) + 1)
        vectors = rng.standard_normal((1 + len(spellings), self.dimensions))
        vectors[UNKNOWN] = 0
        length = float(np.linalg.norm(self.vectors[1:2])) if len(self.vectors) > 1 else 0.0
        rows = {code: {word: spellings[word] for word in known} for code, known in self.rows.items()}
        return WordTable(_of_length(vectors, length), rows)


def _forms(word: str) -> tuple[str, ...]:
    lower = word.lower()
    zeros = _DIGIT.sub("0", lower)
    plain = "".join(c for c in unicodedata.normalize("NFD", zeros) if not unicodedata.combining(c))
    return word, lower, zeros, plain


def _of_length(vectors: np.ndarray, length: float | None) -> np.ndarray:
    wanted = 0.1 * vectors.shape[1] ** 0.5 if length is None else length
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors * (wanted / np.maximum(norms, 1e-12))).astype(np.float32)
