"""Nearest neighbours across languages: cosine, CSLS and inverted softmax.

All three rank the candidates `y` of a query `x` by `scale * cos(x, y) - hubness(y)`: a hub, a
word near to everything, is held back by its hubness.

- Nearest neighbour: `cos(x, y)`, no hubness.
- CSLS (Conneau et al. 2018): `2 cos(x, y) - r_T(x) - r_S(y)`, where `r_S(y)` is the mean cosine
  of `y` and its 10 nearest source words and `r_T(x)` that of `x` and its 10 nearest target words,
  both over the whole vocabularies.
- Inverted softmax (Smith et al. 2017): `exp(b cos(x, y))` divided by the sum of `exp(b cos(s, y))`
  over all source words `s`. Ranked by its logarithm, which cannot overflow.

Everything is exact; vectors may have any length but must be finite. Equal scores go to the lower
row, the more frequent word. Memory: copies of the inputs with length one, blocks of scores of 4 MB
a thread (tensors: 32 MB) and 12 bytes for each answer and six more of each query; never queries x
candidates.

CSLS of few queries needs `r_S(y)` of few candidates: where `sources` are given, `_search` works out
only theirs, with the same result.

With NumPy arrays, a product is a sum in float64 in one fixed order, rounded once: the same to the
last bit whether a word is asked for alone or with others, and for all copies of a vector. Torch
tensors run through the same lines with torch's matrix product, whose last bits differ with the
shape of a block (and whose blocks in `ranks` are whole rows: 64 MB, or one row).
"""

from __future__ import annotations

from array_api_compat import array_namespace, device

from jointalign.numerics.topk import Array
from jointalign.retrieval._both import both_neighbours, both_similarities
from jointalign.retrieval._search import LazyHubness, Search, lazy_hubness
from jointalign.retrieval.base import (
    Neighbours,
    Retrieval,
    Score,
    as_defined,
    check,
    hubness,
    mean_similarity,
)

__all__ = [
    "LazyHubness",
    "Neighbours",
    "Retrieval",
    "Score",
    "both_neighbours",
    "both_similarities",
    "hubness",
    "lazy_hubness",
    "mean_similarity",
    "neighbours",
    "ranks",
]


def neighbours(
    queries: Array,
    candidates: Array,
    k: int = 10,
    *,
    score: Score | str = Retrieval.CSLS,
    sources: Array = None,
    hubs: Array | LazyHubness = None,
    density: Array = None,
) -> Neighbours:
    """The `k` best candidates of each query.

    Args:
        queries: Source vectors, `(n, d)`.
        candidates: Target vectors, `(m, d)`, most frequent word first.
        k: How many; all candidates if there are fewer.
        score: Which score, with its setting: `nn`, `csls`, `isf`, or a `Score`.
        sources: Vectors of the whole source vocabulary, `(s, d)`, which tell hubs; default: the
            queries.
        hubs: `hubness` of the candidates, `(m,)`, if known from before, or their `lazy_hubness`;
            `sources` is then unused.
        density: `mean_similarity(queries, candidates)`, `(n,)`, if known from before. Only the
            scores of CSLS need it, no rank does.

    Returns:
        Rows and scores, `(n, min(k, m))`.

    Raises:
        JointalignError: If a setting is not positive, the numbers of dimensions differ, or `hubs`
            are not of these candidates and this score.

    Example:
        >>> import numpy as np
        >>> candidates = np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
        >>> found = neighbours(np.eye(2), candidates, 2, score="nn")
        >>> found.rows.tolist(), found.scores[:, 0].tolist()
        ([[1, 2], [0, 2]], [1.0, 1.0])
    """
    check(queries, candidates, k)
    score = Score.of(score)
    if score.is_csls and hubs is None and sources is None:  # both means, out of one product
        own, hubs = both_similarities(queries, candidates, score.neighbourhood)
        density = own if density is None else density
    search = Search.of(queries, candidates, queries if sources is None else sources, score, hubs, k)
    best = search.best(k)
    if score.is_csls and density is None:
        density = mean_similarity(queries, candidates, score.neighbourhood)
    return as_defined(best, score, density)


def ranks(
    queries: Array,
    candidates: Array,
    pairs: Array,
    *,
    score: Score | str = Retrieval.CSLS,
    sources: Array = None,
    hubs: Array | LazyHubness = None,
    depth: int | None = None,
) -> Array:
    """Place of given candidates among all candidates of their query, the best being 1.

    To know the place of a candidate far down takes the hubness of nearly all candidates; to know
    that it is not among the first few does not.

    Args:
        queries: Source vectors, `(n, d)`.
        candidates: Target vectors, `(m, d)`, most frequent word first.
        pairs: Row of a query and row of a candidate, int64 `(p, 2)`.
        score: Which score, with its setting: `nn`, `csls`, `isf`, or a `Score`.
        sources: As for `neighbours`.
        hubs: As for `neighbours`.
        depth: Look no further down than so many candidates of each query; default: all.

    Returns:
        int64 `(p,)`: one more than the number of candidates that score higher, or as high in a
        lower row; 0 for places after `depth`.

    Raises:
        JointalignError: If a setting is not positive, the numbers of dimensions differ, or `hubs`
            are not of these candidates and this score.

    Example:
        >>> import numpy as np
        >>> candidates = np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
        >>> ranks(np.eye(2), candidates, np.array([[0, 2], [1, 0]]), score="nn")
        array([2, 1])
    """
    check(queries, candidates, 1 if depth is None else depth)
    xp = array_namespace(queries)
    asked = xp.unique_inverse(pairs[:, 0])  # each query once
    pairs = xp.stack([asked.inverse_indices, pairs[:, 1]], axis=1)
    sources = queries if sources is None else sources
    queries = xp.take(queries, asked.values, axis=0)
    search = Search.of(queries, candidates, sources, Score.of(score), hubs, depth or 1)
    if depth is None:
        return search.places(pairs)
    _, rows = search.best(depth)
    found = xp.take(rows, pairs[:, 0], axis=0) == pairs[:, 1][:, None]  # (p, depth)
    numbers = xp.arange(1, rows.shape[1] + 1, dtype=xp.int64, device=device(rows))
    return xp.sum(xp.where(found, numbers, xp.zeros_like(numbers)), axis=1)
