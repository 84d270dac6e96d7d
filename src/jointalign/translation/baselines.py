"""What a translation has to beat: the source as it is, and its words one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jointalign.embedding import BilingualEmbedding
from jointalign.formats.api import read_bilingual
from jointalign.retrieval.api import neighbours
from jointalign.translation._scoring import score
from jointalign.translation._segmentation import Segmentation
from jointalign.translation._translator import Translator
from jointalign.translation.base import SPECIAL, MTResult


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


def baselines(
    translator: Translator, lines: Sequence[str], references: Sequence[str], direction: str, folder: Path
) -> dict[str, MTResult]:
    """Scores of both, for a model and the vectors that lie beside it.

    Args:
        translator: The model.
        lines: Source text.
        references: Its translations.
        direction: Such as `en-de`.
        folder: Where `jointalign mt train` left the vectors; without them there are no words one
            by one.

    Raises:
        JointalignError: If the numbers of lines differ, or the model has not these languages.
    """
    lowercase = translator.segmentation.lowercase
    turned = translator.direction(direction)[0] == 1
    found = {"copied": score(copied(lines), references, direction, lowercase=lowercase)}
    for path in sorted(folder.glob("space.*.safetensors")):
        space = read_bilingual(path)
        space = space.reversed() if turned else space
        words = word_by_word(lines, translator.segmentation, space)
        name = f"word by word, {path.name.split('.')[1]}"
        found[name] = score(words, references, direction, lowercase=lowercase)
    return found
