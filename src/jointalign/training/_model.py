"""From counts to everything that the training loop needs: rows, n-grams, noise, subsampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointalign.errors import JointalignError
from jointalign.subwords import SubwordTable, hash_ngrams
from jointalign.training._kernels import compose
from jointalign.vocabulary import Counts, Vocabulary

CACHE_LINE = 16
"""float32 values in a cache line."""

_WORDS_AT_ONCE = 1 << 14


def joint_vocabulary(counts: Sequence[Counts], weights: Sequence[float], minimum_count: int) -> Vocabulary:
    """Words that occur `minimum_count` times or more in all corpora, by falling weighted count.

    Args:
        counts: One a corpus.
        weights: How many times each corpus is read in an epoch (balancing); below one for a sample.
        minimum_count: Least number of occurrences in the texts as they are, before balancing.

    Raises:
        JointalignError: If no word is frequent enough.
    """
    raw: dict[str, int] = {}
    weighted: dict[str, float] = {}
    for corpus, weight in zip(counts, weights, strict=True):
        for word, value in zip(corpus.words, corpus.values.tolist(), strict=True):
            raw[word] = raw.get(word, 0) + value
            weighted[word] = weighted.get(word, 0.0) + weight * value
    kept = {word: max(1, round(weighted[word])) for word, count in raw.items() if count >= minimum_count}
    if not kept:
        tokens = sum(corpus.total for corpus in counts)
        raise JointalignError(
            f"no word occurs {minimum_count} times or more in the {tokens} tokens given; "
            "give more text or a lower minimum count"
        )
    ordered = Counts.from_pairs(kept.items())
    return Vocabulary(ordered.words, ordered.values)


@dataclass(frozen=True, eq=False)
class Units:
    """The rows of the input matrix that make up each word: its own, then its n-grams.

    Args:
        starts: Where each word's rows begin, int64 `(v + 1,)`.
        rows: int32; rows `0..v-1` are words, `v..v+g-1` n-grams, the most frequent first.
        buckets: Bucket of each n-gram row, uint32 `(g,)`.
    """

    starts: np.ndarray
    rows: np.ndarray
    buckets: np.ndarray

    @property
    def total(self) -> int:
        """Rows of the input matrix, v + g."""
        return len(self.starts) - 1 + len(self.buckets)


def units(vocabulary: Vocabulary, minimum: int, maximum: int, buckets: int) -> Units:
    """Hash the n-grams of every word, keeping a row only for buckets that occur.

    Frequent n-grams come first so that the rows used most lie together in memory.
    """
    size = len(vocabulary)
    counts, hashes = _hashes(vocabulary.words, minimum, maximum, buckets)
    used, inverse = np.unique(hashes, return_inverse=True)
    weights = np.bincount(inverse, np.repeat(vocabulary.counts, counts), len(used))
    order = np.argsort(-weights, kind="stable")
    rank = np.empty(len(used), np.int64)
    rank[order] = np.arange(len(used))
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(counts + 1, out=starts[1:])
    rows = np.empty(starts[-1], np.int32)
    own = np.zeros(len(rows), bool)
    own[starts[:-1]] = True
    rows[own] = np.arange(size)
    rows[~own] = size + rank[inverse]
    return Units(starts, rows, used[order].astype(np.uint32))


def _hashes(words: Sequence[str], minimum: int, maximum: int, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """`hash_ngrams`, so many words at a time that its tables stay small."""
    blocks = [
        hash_ngrams(words[start : start + _WORDS_AT_ONCE], minimum, maximum, buckets)
        for start in range(0, max(1, len(words)), _WORDS_AT_ONCE)
    ]
    counts, hashes = zip(*blocks, strict=True)
    return np.concatenate(counts), np.concatenate(hashes)


def keep_probabilities(counts: np.ndarray, total: float, threshold: float) -> np.ndarray:
    """Chance of each token to survive subsampling, sqrt(t/f) + t/f as in fastText, float32 `(v,)`.

    Args:
        counts: Weighted counts, `(v,)`.
        total: All tokens, those of rare words too.
        threshold: t; 0 keeps everything.
    """
    if threshold <= 0:
        return np.ones(len(counts), np.float32)
    ratio = threshold * total / np.maximum(counts, 1)
    return np.minimum(1.0, np.sqrt(ratio) + ratio).astype(np.float32)


def alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walker's alias table: draw a column uniformly, keep it with its share, else take the other.

    Args:
        weights: Positive, `(v,)`.

    Returns:
        Shares, float32 `(v,)`, and the others, int32 `(v,)`.
    """
    share = weights.astype(np.float64) * (len(weights) / weights.sum())
    other = np.arange(len(weights), dtype=np.int32)
    small = np.flatnonzero(share < 1.0).tolist()
    large = np.flatnonzero(share >= 1.0).tolist()
    while small and large:
        low, high = small.pop(), large[-1]
        other[low] = high
        share[high] -= 1.0 - share[low]
        if share[high] < 1.0:
            small.append(large.pop())
    return np.minimum(share, 1.0).astype(np.float32), other


def padded(dimensions: int) -> int:
    """Row length in memory: whole cache lines."""
    return -(-dimensions // CACHE_LINE) * CACHE_LINE


def initial_inputs(rows: int, dimensions: int, seed: int, stream: int = 0) -> np.ndarray:
    """Uniform in [-1/d, 1/d] as in fastText, padding zero, float32 `(rows, padded(d))`."""
    inputs = np.zeros((rows, padded(dimensions)), np.float32)
    random = np.random.default_rng([seed, stream])
    for start in range(0, rows, 65536):  # in blocks: never a second copy of the matrix
        block = inputs[start : start + 65536, :dimensions]
        block[:] = (random.random(block.shape, np.float32) * 2 - 1) / dimensions
    return inputs


def word_vectors(unit: Units, inputs: np.ndarray, dimensions: int) -> np.ndarray:
    """What a word's vector is after training: the mean of its rows, float32 `(v, d)`."""
    vectors = np.empty((len(unit.starts) - 1, dimensions), np.float32)
    compose(unit.starts, unit.rows, inputs, vectors)
    return vectors


def subword_table(
    unit: Units, inputs: np.ndarray, dimensions: int, minimum: int, maximum: int, buckets: int
) -> SubwordTable | None:
    """The n-gram rows, for words never seen; `None` when training used none."""
    if maximum == 0:
        return None
    order = np.argsort(unit.buckets)
    size = len(unit.starts) - 1
    vectors = inputs[size + order, :dimensions]
    return SubwordTable(unit.buckets[order], vectors, minimum, maximum, buckets)
