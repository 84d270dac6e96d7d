"""Sentences that translate each other, found in two texts by the mean of their words' vectors."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from jointalign.checks import checked
from jointalign.corpora.tokenization import tokenizer
from jointalign.dictionary.api import induce
from jointalign.dictionary.base import Translation
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats.static import Weighting, shares
from jointalign.numerics.normalize import unit
from jointalign.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

_SENTENCES_AT_ONCE = 4096


@checked
def mine(
    space: BilingualEmbedding,
    source: Sequence[str],
    target: Sequence[str],
    *,
    weighting: Weighting = Weighting.SIF,
    threshold: float | None = None,
    tokenized: bool = False,
    lowercase: bool = True,
) -> list[Translation]:
    """Pairs of sentences that are each other's nearest by CSLS, the best first.

    A sentence is the mean of the vectors of its words that have one, made length one and weighted.
    Sentences without any are passed over; of sentences that come again, the first counts.

    Args:
        space: Both languages, aligned; its codes say how text is cut.
        source: Sentences of the source language.
        target: Sentences of the target language, in any order.
        weighting: Of words.
        threshold: Leave out pairs that score lower; default: none.
        tokenized: Whether blanks part the words already.
        lowercase: Whether to lower-case, as the space's words are.

    Raises:
        JointalignError: If no sentence of a side has a word with a vector.

    Example:
        >>> english = Embedding(Vocabulary(("cats", "sleep", "dogs")), np.eye(3, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("gatos", "duermen", "perros")), np.eye(3, dtype=np.float32))
        >>> space = BilingualEmbedding.separate(english, spanish, "en", "es")
        >>> pairs = mine(space, ["Cats sleep.", "Dogs!"], ["Perros", "Los gatos duermen."])
        >>> [(pair.source, pair.target) for pair in pairs]
        [('Cats sleep.', 'Los gatos duermen.'), ('Dogs!', 'Perros')]
    """
    sides = []
    for words, code, lines in (
        (space.source, space.source_language, source),
        (space.target, space.target_language, target),
    ):
        cut = tokenizer(code, lowercase, tokenized)
        sentences = list(dict.fromkeys(" ".join(line.split()) for line in lines))
        vectors, known = sentence_vectors(words, [cut(sentence) for sentence in sentences], weighting)
        if not known.any():
            raise JointalignError(f"none of the {len(sentences)} '{code}' sentences has a word with a vector")
        if unknown := int((~known).sum()):
            logger.warning("%d '%s' sentences have no word with a vector; passed over", unknown, code)
        kept = tuple(sentence for sentence, one in zip(sentences, known, strict=True) if one)
        sides.append(Embedding(Vocabulary(kept), vectors[known]))
    pairs = induce(BilingualEmbedding.separate(*sides), threshold=threshold)
    return sorted(pairs, key=lambda pair: -pair.score)


def sentence_vectors(
    side: Embedding, sentences: Sequence[Sequence[str]], weighting: Weighting = Weighting.SIF
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means of words.

    Args:
        side: Of one language.
        sentences: Words of each.
        weighting: Of words.

    Returns:
        Rows of length one, float32 `(n, d)`, zeros where no word has a vector, and which have one, `(n,)`.
    """
    weights = weighting.of(shares(side)).astype(np.float32)
    vectors = np.zeros((len(sentences), side.dimensions), np.float32)
    rows_of = side.vocabulary.rows
    for start in range(0, len(sentences), _SENTENCES_AT_ONCE):
        block = sentences[start : start + _SENTENCES_AT_ONCE]
        found = [[row for word in words if (row := rows_of.get(word)) is not None] for words in block]
        rows = np.array([row for some in found for row in some], int)
        owners = np.repeat(np.arange(len(block)), [len(some) for some in found])
        first = np.flatnonzero(np.diff(owners, prepend=-1))
        if len(rows):
            weighted = unit(np.asarray(side.vectors[rows], np.float32)) * weights[rows, None]
            vectors[start + owners[first]] = np.add.reduceat(weighted, first, axis=0)
    return unit(vectors), np.asarray(vectors.any(axis=1))
