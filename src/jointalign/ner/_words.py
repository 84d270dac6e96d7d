"""Vectors of words, by language and word, and taggers' inputs from them (the static rows of Table 3).

A spelling that both languages have may be two words (vectors that were aligned), or one (joint
training), so words are never looked up without their language.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.ner._tagger import VectorBatch, padded
from jointalign.ner._torch import import_torch
from jointalign.ner.base import Sentence
from jointalign.numerics.devices import device_named

if TYPE_CHECKING:
    from torch import Generator, Tensor


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


class StaticInputs:
    """Vectors from a table; frozen, unless they are to be learnt on.

    Frozen by default: only words of the training language would move, away from their translations.

    Args:
        table: The vectors.
        learnt: Whether they are learnt on.
        unknown: Share of words taken for unknown while learning, so that the tagger learns to do
            without a vector, as it must for many words of another language.
        device: Where they lie.
    """

    def __init__(
        self, table: WordTable, learnt: bool = False, unknown: float = 0.05, device: str = "cpu"
    ) -> None:
        torch = import_torch()
        self.table, self._unknown = table, unknown
        self.dimensions, self.device = table.dimensions, str(device_named(device, "ner"))
        self.network = torch.nn.ParameterDict({"unknown": torch.zeros(table.dimensions)})
        vectors = torch.from_numpy(table.vectors).to(self.device)
        if learnt:
            self.network["vectors"] = torch.nn.Parameter(vectors.clone())
        self._vectors = vectors

    @property
    def is_learnt(self) -> bool:
        """Whether the vectors are learnt on."""
        return "vectors" in self.network

    @property
    def key(self) -> str:
        """See `WordInputs`."""
        return f"{self.table.digest} {self._unknown} {self.is_learnt}"

    def with_table(self, table: WordTable) -> StaticInputs:
        """Other vectors, with what was learnt for unknown words; both keep their own weights."""
        other = StaticInputs(table, False, self._unknown, self.device)
        other.network["unknown"] = self.network["unknown"].detach().clone()
        return other

    def prepare(self, sentences: Sequence[Sentence], language: str) -> StaticText:
        """Look all words up.

        Raises:
            JointalignError: If the language has no words in the table.
        """
        known: dict[str, int] = {}
        rows = []
        for sentence in sentences:
            for word in sentence.words:
                if word not in known:
                    known[word] = self.table.row(word, language)
                rows.append(known[word])
        lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        return StaticText(self, np.array(rows, np.int64), lengths)

    def vectors(self, rows: Tensor, generator: Generator | None) -> Tensor:
        """Vectors of words `(b, l)`, by their rows in the table: `(b, l, d)`."""
        torch = import_torch()
        if generator is not None and self._unknown:
            hidden = torch.empty(rows.shape, device=rows.device)
            hidden.bernoulli_(self._unknown, generator=generator)
            rows = rows.masked_fill(hidden.bool(), UNKNOWN)
        table = self.network["vectors"] if "vectors" in self.network else self._vectors
        found = torch.nn.functional.embedding(rows, table)
        return torch.where((rows == UNKNOWN)[..., None], self.network["unknown"], found)


@dataclass(frozen=True, eq=False)
class StaticText:
    """Rows of the words of some sentences, one after the other."""

    inputs: StaticInputs
    rows: np.ndarray
    sizes: np.ndarray

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum(self.sizes) - self.sizes

    @property
    def coverage(self) -> float:
        """Percentage of the words that have a vector."""
        return 100 * float((self.rows != UNKNOWN).mean())

    def batch(self, rows: Sequence[int], generator: Generator | None = None) -> VectorBatch:
        """See `PreparedText`."""
        torch = import_torch()
        chosen = np.asarray(rows)
        lengths = self.sizes[chosen]
        words = torch.from_numpy(padded(self.rows, self._starts[chosen], lengths))
        device = self.inputs.device
        vectors = self.inputs.vectors(words.to(device), generator)
        return VectorBatch(vectors, torch.from_numpy(lengths).to(device))
