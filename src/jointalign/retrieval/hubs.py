"""The hubness of both sides of a space, worked out once and kept beside its file.

CSLS needs it in both directions, under every rule of evaluation, for dictionaries and for single
words; at 200,000 words a side it is a product of a minute or more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypedDict

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.ranges import Range
from jointalign.retrieval.api import both_similarities
from jointalign.storage.tensors import Array, Schema, read_tensors, write_tensors

_KIND = "jointalign hubs 1"


@dataclass(frozen=True, eq=False)
class Hubs:
    """Mean cosine of each word with its nearest words of the other language.

    Args:
        source: Of the source words, `(n,)`.
        target: Of the target words, `(m,)`.
        neighbourhood: How many nearest words.
        keys: Digests of the vectors of either side that they belong to.
    """

    source: np.ndarray
    target: np.ndarray
    neighbourhood: int
    keys: tuple[str, str]

    @classmethod
    def of(cls, source: Embedding, target: Embedding, neighbourhood: int = 10) -> Hubs:
        """Work it out, which takes one product of both vocabularies.

        Args:
            source: Source words, as they are searched.
            target: Target words in the same space.
            neighbourhood: Default 10, as in Conneau et al. (2018).

        Raises:
            JointalignError: If `neighbourhood` is not positive or the dimensions differ.

        Example:
            >>> from jointalign.vocabulary import Vocabulary
            >>> side = Embedding(Vocabulary(("a", "b")), np.eye(2, dtype=np.float32))
            >>> Hubs.of(side, side, 1).target
            array([1., 1.], dtype=float32)
        """
        found = both_similarities(source.vectors, target.vectors, neighbourhood)
        return cls(*found, neighbourhood, (_digest(source), _digest(target)))

    def check(self, source: Embedding, target: Embedding, neighbourhood: int) -> None:
        """Make sure that it belongs to these vectors.

        Raises:
            JointalignError: If it does not.
        """
        if not self.fits(source, target, neighbourhood):
            raise JointalignError(
                "the hubs are of other vectors, of another max_vocabulary or of another "
                "neighbourhood; work them out again with Hubs.of"
            )

    def fits(self, source: Embedding, target: Embedding, neighbourhood: int) -> bool:
        """Whether it belongs to these vectors."""
        if (self.neighbourhood, len(self.source), len(self.target)) != (
            neighbourhood,
            len(source),
            len(target),
        ):
            return False
        return self.keys == (_digest(source), _digest(target))

    def reversed(self) -> Hubs:
        """The same with source and target exchanged."""
        return Hubs(self.target, self.source, self.neighbourhood, (self.keys[1], self.keys[0]))

    def write(self, path: str | Path) -> None:
        """Keep it in a file, replaced if it is there.

        Raises:
            JointalignError: If the file cannot be written.
        """
        facts = {"kind": _KIND, "neighbourhood": str(self.neighbourhood)}
        facts |= {"source": self.keys[0], "target": self.keys[1]}
        write_tensors(path, {"source": self.source, "target": self.target}, facts)

    @classmethod
    def read(cls, path: str | Path) -> Hubs:
        """Read what `write` wrote.

        Raises:
            JointalignError: If the file cannot be opened.
            FormatError: If it is another kind of file, or damaged.
        """
        tensors, facts = read_tensors(path, _SCHEMA)
        keys = facts["source"], facts["target"]
        return cls(tensors["source"], tensors["target"], facts["neighbourhood"], keys)


class _Facts(TypedDict):
    neighbourhood: Annotated[int, Range(least=1)]
    source: str
    target: str


_SCHEMA = Schema(
    f"a file of kind '{_KIND}'",
    _Facts,
    lambda _: {"source": Array("F32", (None,)), "target": Array("F32", (None,))},
    _KIND,
    cure="remove the file; they are worked out again",
)


def beside(path: str | Path) -> Path:
    """Where the hubs of a file of a space are kept: `aligned.hubs.safetensors`."""
    return Path(path).with_suffix(".hubs.safetensors")


def kept(
    path: str | Path, space: BilingualEmbedding, max_vocabulary: int | None, neighbourhood: int = 10
) -> Hubs | None:
    """The hubs kept beside a file, if there are any and they belong to these vectors.

    Args:
        path: File of the space.
        space: Its content, perhaps reversed.
        max_vocabulary: Only so many of the most frequent words of each side are searched.
        neighbourhood: Wanted.

    Raises:
        FormatError: If the file beside it is damaged.
    """
    if not beside(path).exists():
        return None
    hubs, sides = Hubs.read(beside(path)), space.sides(max_vocabulary)
    return next((some for some in (hubs, hubs.reversed()) if some.fits(*sides, neighbourhood)), None)


def _digest(side: Embedding) -> str:
    """Of the vectors alone: spellings do not change what is near."""
    return hashlib.sha256(np.ascontiguousarray(side.vectors, "<f4").data).hexdigest()
