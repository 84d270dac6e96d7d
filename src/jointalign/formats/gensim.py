"""To and from gensim's `KeyedVectors`, in memory.

gensim's own files are pickles, which run code when opened; jointalign neither reads nor writes
them. Open them with gensim and hand over what you get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jointalign.embedding import Embedding
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.subwords import SubwordTable
from jointalign.vocabulary import Vocabulary

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def to_gensim(embedding: Embedding) -> KeyedVectors:
    """The same words, vectors (copied) and counts as gensim's `KeyedVectors`.

    The counts are gensim's vector attribute `count`. N-grams and settings have no place there.

    Raises:
        MissingExtraError: If gensim is not installed.

    Example:
        >>> vocabulary = Vocabulary(("cat", "dog"), np.array([5, 3]))
        >>> vectors = to_gensim(Embedding(vocabulary, np.eye(2, dtype=np.float32)))
        >>> vectors.get_vecattr("dog", "count").item(), vectors.similarity("cat", "dog").item()
        (3, 0.0)
    """
    try:
        from gensim.models import KeyedVectors
    except ImportError:
        raise MissingExtraError("gensim", "gensim") from None
    vectors = KeyedVectors(embedding.dimensions)
    vectors.add_vectors(list(embedding.words), embedding.vectors)
    vectors.allocate_vecattrs(["count"], [np.int64])
    vectors.expandos["count"][:] = embedding.vocabulary.counts
    return vectors


def from_gensim(vectors: KeyedVectors) -> Embedding:
    """Words, vectors, counts and (of a fastText model) n-grams of gensim's `KeyedVectors`.

    Args:
        vectors: E.g. `model.wv`. Their order, by falling frequency in gensim, is kept.

    Raises:
        JointalignError: If the keys are not strings, or a number is not finite.

    Example:
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> from_gensim(to_gensim(english)).words
        ('cat', 'dog')
    """
    words: tuple[Any, ...] = tuple(vectors.index_to_key)
    for word in words:
        if not isinstance(word, str):
            raise JointalignError(f"expected words as the keys of KeyedVectors, got {word!r}")
    counts = vectors.expandos.get("count", np.zeros(len(words)))
    vocabulary = Vocabulary(words, counts.astype(np.int64))
    return Embedding(vocabulary, np.array(vectors.vectors, np.float32), _subwords(vectors))


def _subwords(vectors: KeyedVectors) -> SubwordTable | None:
    """The n-grams of a fastText model, shared with it, for they can be gigabytes."""
    from gensim.models.fasttext import FastTextKeyedVectors

    if not isinstance(vectors, FastTextKeyedVectors) or not vectors.bucket:
        return None
    used = np.arange(vectors.bucket, dtype=np.uint32)
    table = np.asarray(vectors.vectors_ngrams, np.float32)
    return SubwordTable(used, table, vectors.min_n, vectors.max_n, vectors.bucket)
