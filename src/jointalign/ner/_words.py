"""Words looked up in a table of vectors: the inputs of the static rows of Table 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jointalign.ner._inputs import VectorBatch
from jointalign.ner._table import UNKNOWN, WordTable
from jointalign.ner._torch import import_torch
from jointalign.ner.base import Sentence

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module


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
        self._device = device
        self._parts = torch.nn.ParameterDict({"unknown": torch.zeros(table.dimensions)})
        vectors = torch.from_numpy(table.vectors).to(device)
        if learnt:
            self._parts["vectors"] = torch.nn.Parameter(vectors.clone())
        self._vectors = vectors

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.table.dimensions

    @property
    def device(self) -> str:
        """Where the vectors lie."""
        return self._device

    @property
    def is_learnt(self) -> bool:
        """Whether the vectors are learnt on."""
        return "vectors" in self._parts

    @property
    def key(self) -> str:
        """See `WordInputs`."""
        return f"{self.table.digest} {self._unknown} {self.is_learnt}"

    @property
    def network(self) -> Module:
        """The vector of unknown words, and all others if they are learnt on."""
        return self._parts

    def with_table(self, table: WordTable) -> StaticInputs:
        """Other vectors, with what was learnt for unknown words; both keep their own weights."""
        other = StaticInputs(table, False, self._unknown, self._device)
        other._parts["unknown"] = self._parts["unknown"].detach().clone()
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
        table = self._parts["vectors"] if "vectors" in self._parts else self._vectors
        found = torch.nn.functional.embedding(rows, table)
        return torch.where((rows == UNKNOWN)[..., None], self._parts["unknown"], found)


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
        places = np.arange(lengths.max())[None]
        inside = places < lengths[:, None]
        flat = np.where(inside, self._starts[chosen][:, None] + places, 0)
        words = torch.from_numpy(np.where(inside, self.rows[flat], UNKNOWN))
        device = self.inputs.device
        vectors = self.inputs.vectors(words.to(device), generator)
        return VectorBatch(vectors, torch.from_numpy(lengths).to(device))
