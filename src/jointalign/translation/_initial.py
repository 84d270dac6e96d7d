"""Token vectors that are known before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import unit
from jointalign.translation._model import Plan
from jointalign.translation.base import SPECIAL

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class InitialReport:
    """How many pieces of text got a vector.

    Args:
        found: Pieces with a vector, in all tables together.
        missing: Pieces that stay random.
    """

    found: int
    missing: int

    def to_json(self) -> dict[str, int]:
        """All of it as plain types."""
        return asdict(self)


def put_vectors(
    weights: dict[str, torch.Tensor], plan: Plan, pieces: Sequence[str], embedding: BilingualEmbedding
) -> InitialReport:
    """Write vectors, scaled to length one, into the token tables.

    With one table, the three parts of the embedding go into it: each piece is in one of them. With
    two, source and target have one each, and a piece that both have has two vectors.

    Args:
        weights: Changed in place.
        plan: Says how many tables there are.
        pieces: Pieces of text by number.
        embedding: Of pieces.

    Raises:
        JointalignError: If the vectors have another length than the model's, if none is of a
            piece, or if one table would have to hold two vectors of a piece.
    """
    if embedding.dimensions != plan.shape.dimensions:
        raise JointalignError(
            f"expected vectors of {plan.shape.dimensions} dimensions, like the model's, got "
            f"{embedding.dimensions}; train the embedding or the model with the other's number"
        )
    both = set(embedding.source_only.words) & set(embedding.target_only.words)
    if both and not plan.separate:
        raise JointalignError(
            f"'{min(both)}' has a vector in each language, which one table cannot hold; take "
            "separate tables, or an embedding that shares what both languages have"
        )
    rows = {piece: number + SPECIAL for number, piece in enumerate(pieces)}
    sides: list[tuple[str, list[Embedding]]]
    if plan.separate:
        sides = [(plan.table(0), [embedding.source]), (plan.table(1), [embedding.target])]
    else:
        parts = [embedding.source_only, embedding.target_only, embedding.shared]
        sides = [(plan.table(0), parts)]
    found = sum(_put(weights[name], part, rows) for name, parts in sides for part in parts)
    if not found:
        raise JointalignError(
            "no piece of the model has a vector; train the embedding on text that was cut by the "
            "same segmentation"
        )
    return InitialReport(found, len(sides) * len(pieces) - found)


def _put(table: torch.Tensor, part: Embedding, rows: dict[str, int]) -> int:
    """Write the vectors of the words that are pieces; returns how many."""
    import torch

    known = [(rows[word], place) for place, word in enumerate(part.words) if word in rows]
    if not known:
        return 0
    places, numbers = (np.array(column) for column in zip(*known, strict=True))
    vectors = unit(part.vectors[numbers].astype(np.float32))
    with torch.no_grad():
        table[torch.from_numpy(places)] = torch.from_numpy(vectors).to(table)
    return len(known)
