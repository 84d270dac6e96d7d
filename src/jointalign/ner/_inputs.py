"""Where a tagger's vectors come from: the one entrance for word tables, features and encoders.

Whatever gives vectors to words implements `WordInputs`. Network, training, storage of scores and
prediction know nothing else of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from jointalign.ner.base import Sentence

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module


@dataclass(frozen=True, eq=False)
class VectorBatch:
    """Vectors of some sentences.

    Args:
        vectors: float32 `(b, p, d)`: one a word, or one a piece of a word.
        lengths: How many of the p each sentence has, int64 `(b,)`; what lies beyond is not used.
        firsts: Where each word's first piece is, int64 `(b, l)`, any valid number beyond a
            sentence's end; `None` where every position is a word.
    """

    vectors: Tensor
    lengths: Tensor
    firsts: Tensor | None = None


class PreparedText(Protocol):
    """Sentences whose vectors can be had batch by batch, in any order and many times."""

    @property
    def sizes(self) -> np.ndarray:
        """Positions (words or pieces) of each sentence, int64 `(n,)`."""
        ...

    def batch(self, rows: Sequence[int], generator: Generator | None = None) -> VectorBatch:
        """Vectors of some sentences, on the device of the inputs.

        Args:
            rows: Which sentences.
            generator: Of random noise, while learning; `None` otherwise: no noise.
        """
        ...


class WordInputs(Protocol):
    """What gives words their vectors."""

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        ...

    @property
    def device(self) -> str:
        """Where the vectors lie, e.g. `cpu` or `cuda`; the tagger goes there, too."""
        ...

    @property
    def key(self) -> str:
        """Tells these vectors from all others: learning that was stopped goes on with the same."""
        ...

    @property
    def network(self) -> Module | None:
        """What of it is learnt with the tagger; `None` if nothing is."""
        ...

    def prepare(self, sentences: Sequence[Sentence], language: str) -> PreparedText:
        """Look up, or find in a store, what the sentences need.

        Raises:
            JointalignError: If it has nothing for this language, or for one of the sentences.
        """
        ...
