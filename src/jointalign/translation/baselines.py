"""What a translation has to beat: the source as it is, and its words one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jointalign.embedding import BilingualEmbedding
from jointalign.retrieval import neighbours
from jointalign.translation._segmentation import Segmentation
from jointalign.translation.base import SPECIAL


def copied(lines: Sequence[str]) -> list[str]:
    """The source as its own translation.

    Example:
        >>> copied(["A man."])
        ['A man.']
    """
    return list(lines)


def word_by_word(
    lines: Sequence[str], segmentation: Segmentation, embedding: BilingualEmbedding
) -> list[str]:
    """Each piece becomes its nearest by CSLS; a piece without a vector is copied.

    Args:
        lines: Source text.
        segmentation: Cuts it into pieces.
        embedding: Vectors of the pieces of both languages, in one space.
    """
    source, target = embedding.sides()
    sentences = segmentation.encode(lines)
    rows = {piece: number + SPECIAL for number, piece in enumerate(segmentation.pieces)}
    table = np.arange(segmentation.vocabulary)
    known = [(rows[word], place) for place, word in enumerate(source.words) if word in rows]
    wanted = np.isin([row for row, _ in known], sentences.tokens)
    asked = [pair for pair, kept in zip(known, wanted, strict=True) if kept]
    if asked:
        vectors = source.vectors[[place for _, place in asked]]
        found = neighbours(vectors, target.vectors, 1, sources=source.vectors).rows[:, 0]
        for (row, _), best in zip(asked, found.tolist(), strict=True):
            table[row] = rows.get(target.words[best], row)
    return segmentation.decode([table[tokens] for tokens in sentences])
