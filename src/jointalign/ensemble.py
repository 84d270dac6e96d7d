"""Several trainings as one space: what each knows of a word, side by side.

Joint training knows what two languages share, separate training what each says by itself, and neither
holds what the other knows: put side by side before they are aligned, then aligned as one and brought back
to the usual number of dimensions, they translate better than either (`studies/ensembles.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from jointalign.alignment.api import apply
from jointalign.alignment.base import Mapping
from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import unit
from jointalign.subwords import SubwordTable
from jointalign.vocabulary import Vocabulary


@checked
def side_by_side(first: BilingualEmbedding, second: BilingualEmbedding) -> BilingualEmbedding:
    """Two spaces of the same languages as one, before either is aligned.

    Each half of a row is made length one, so that both count alike; where one space does not know a
    word, its half is zeros. No word is shared: the halves that two languages have in common stay
    equal. A vector for an unseen word is made from the n-grams that both spaces know.

    Args:
        first: Two languages, `d` dimensions, e.g. a joint training reallocated.
        second: The same languages, `e` dimensions, e.g. two separate trainings.

    Returns:
        All words of both by falling count, `d + e` dimensions; settings are those of `first`.

    Raises:
        JointalignError: If one was aligned before, or both have n-grams of different lengths.

    Example:
        >>> sides = [Embedding(Vocabulary((word,)), np.ones((1, 1), np.float32)) for word in "ab"]
        >>> space = side_by_side(*(BilingualEmbedding.separate(side, side) for side in sides))
        >>> space.source.words, space.source.vectors.tolist()
        (('a', 'b'), [[1.0, 0.0], [0.0, 1.0]])
    """
    source, target = _joined(first.source, second.source), _joined(first.target, second.target)
    return BilingualEmbedding.separate(source, target, first.source_language, first.target_language)


def _joined(first: Embedding, second: Embedding) -> Embedding:
    more = [row for row, word in enumerate(second.words) if word not in first]
    words = (*first.words, *(second.words[row] for row in more))
    counts = np.concatenate([first.vocabulary.counts, second.vocabulary.counts[more]])
    order = np.argsort(-counts, kind="stable")
    vocabulary = Vocabulary(tuple(words[row] for row in order.tolist()), counts[order])
    vectors = np.zeros((len(words), first.dimensions + second.dimensions), np.float32)
    for part, columns in ((first, slice(first.dimensions)), (second, slice(first.dimensions, None))):
        rows = np.fromiter((vocabulary.rows[word] for word in part.words), np.int64, len(part))
        vectors[rows, columns] = unit(part.vectors)
    return Embedding(vocabulary, vectors, _table(first, second), first.settings)


def _table(first: Embedding, second: Embedding) -> SubwordTable | None:
    one, two = first.subwords, second.subwords
    if one is None or two is None:
        return None
    kinds = {(table.minimum, table.maximum, table.buckets) for table in (one, two)}
    if len(kinds) > 1:
        raise JointalignError(
            f"both spaces need n-grams of the same lengths and buckets, got {sorted(kinds)}; train them alike"
        )
    if one.moves or two.moves:
        raise JointalignError("spaces are put side by side before they are aligned, and one was aligned")
    buckets, *rows = np.intersect1d(one.buckets_used, two.buckets_used, True, return_indices=True)
    halves = [
        table.vectors[chosen] / _length(part.vectors)
        for table, chosen, part in zip((one, two), rows, (first, second), strict=True)
    ]
    return SubwordTable(buckets, np.hstack(halves), one.minimum, one.maximum, one.buckets)


def _length(vectors: np.ndarray) -> np.float32:
    """Mean length of a training's word vectors: what n-grams are divided by, as words are by theirs."""
    return np.float32(np.mean([np.linalg.norm(block, axis=1).mean() for block in _blocks(vectors)]) or 1.0)


@checked
def reduced(aligned: BilingualEmbedding, dimensions: int) -> BilingualEmbedding:
    """An aligned space in fewer dimensions: the principal components of both languages together.

    All words count alike; nothing is centred, so that cosines change as little as they can. Rows have
    length one afterwards.

    Args:
        aligned: `d` dimensions.
        dimensions: How many to keep; all if there are no more.

    Raises:
        JointalignError: If `dimensions` is not positive.

    Example:
        >>> flat = Embedding(Vocabulary(("a", "b")), np.eye(2, 3, dtype=np.float32))
        >>> fewer = reduced(BilingualEmbedding.separate(flat, flat), 2)
        >>> fewer.dimensions, abs(float(fewer.source.vectors[0] @ fewer.source.vectors[1])) < 1e-6
        (2, True)
    """
    if dimensions < 1:
        raise JointalignError(f"expected 1 dimension or more, got {dimensions}")
    if dimensions >= aligned.dimensions:
        return aligned
    moments = np.zeros((aligned.dimensions, aligned.dimensions))
    for part in (aligned.source_only, aligned.target_only, aligned.shared):
        for block in _blocks(part.vectors):
            rows = unit(block).astype(np.float64)
            moments += rows.T @ rows
    _, components = np.linalg.eigh(moments)  # by rising eigenvalue
    kept = np.ascontiguousarray(components[:, ::-1][:, :dimensions], np.float32)
    return apply(Mapping(kept, kept), aligned)


def _blocks(vectors: np.ndarray, size: int = 16384) -> Iterable[np.ndarray]:
    return (vectors[start : start + size] for start in range(0, len(vectors), size))
