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

CSLS of few queries needs `r_S(y)` of few candidates: where `sources` are given, only theirs are
worked out (`_pruning`), with the same result.

With NumPy arrays, a product is a sum in float64 in one fixed order, rounded once: the same to the
last bit whether a word is asked for alone or with others, and for all copies of a vector. Torch
tensors run through the same lines with torch's matrix product, whose last bits differ with the
shape of a block (and whose blocks in `ranks` are whole rows: 64 MB, or one row).
"""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.errors import JointalignError
from jointalign.numerics.normalize import Array, unit
from jointalign.numerics.topk import places, places_by_rows, top
from jointalign.retrieval import _pruning
from jointalign.retrieval._both import as_defined, both_neighbours
from jointalign.retrieval._pruning import Bounds as LazyHubness
from jointalign.retrieval.base import (
    Neighbours,
    Retrieval,
    Score,
    both_similarities,
    check,
    hubness,
    mean_similarity,
    zeros,
)

__all__ = [
    "LazyHubness",
    "Neighbours",
    "Retrieval",
    "Score",
    "both_neighbours",
    "both_similarities",
    "hubness",
    "largest_products",
    "lazy_hubness",
    "mean_similarity",
    "neighbours",
    "ranks",
]

# Scores in one block of `ranks`, whose blocks are whole rows: 64 MB in float32.
_ENTRIES = 1 << 24


def lazy_hubness(candidates: Array, sources: Array, neighbourhood: int = 10) -> LazyHubness | Array:
    """`hubness` for CSLS that is worked out for those candidates only that a search needs.

    For `neighbours` of a few words now and a few words later: what one search has worked out, the
    next ones know. The results are those of `hubness`.

    Args:
        candidates: Target vectors, `(m, d)`.
        sources: Vectors of the whole source vocabulary, `(s, d)`.
        neighbourhood: As for `hubness`.

    Returns:
        What `neighbours` takes as `hubs`; plain `hubness` where that takes no time.

    Raises:
        JointalignError: If a setting is not positive or the numbers of dimensions differ.
    """
    check(candidates, sources, neighbourhood)
    if _pruning.pays(1, 1, candidates, sources):
        return LazyHubness.start(unit(candidates), sources, neighbourhood)
    return mean_similarity(candidates, sources, neighbourhood)


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
    scaled, targets = unit(queries) * score.scale, unit(candidates)
    _check_hubs(hubs, targets, score)
    k = min(k, targets.shape[0])
    if hubs is None and score.is_csls:
        if sources is None:
            found, hubs = both_similarities(queries, candidates, score.neighbourhood)
            density = found if density is None else density
        elif _pruning.pays(queries.shape[0], k, targets, sources):
            hubs = LazyHubness.start(targets, sources, score.neighbourhood)
    if hubs is None:
        hubs = hubness(candidates, queries if sources is None else sources, score)
    if density is None and score.is_csls:
        density = mean_similarity(queries, candidates, score.neighbourhood)
    lazy = isinstance(hubs, LazyHubness)
    best = _pruning.nearest(scaled, hubs, k) if lazy else top(scaled, targets, k, hubs)
    return as_defined(best, score, density)


def largest_products(queries: Array, candidates: Array, k: int = 10) -> Neighbours:
    """The `k` candidates of highest inner product with each query; lengths count.

    Args:
        queries: Vectors, `(n, d)`.
        candidates: Vectors, `(m, d)`.
        k: How many; all candidates if there are fewer.

    Returns:
        Rows and inner products, `(n, min(k, m))`.

    Raises:
        JointalignError: If `k` is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> largest_products(np.eye(2), np.array([[1.0, 2.0], [3.0, 0.0]]), 1).rows.tolist()
        [[1], [0]]
    """
    check(queries, candidates, k)
    scores, rows = top(queries, candidates, k, zeros(candidates))
    return Neighbours(rows, scores)


def ranks(
    queries: Array,
    candidates: Array,
    pairs: Array,
    *,
    score: Score | str = Retrieval.CSLS,
    sources: Array = None,
    hubs: Array = None,
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
        hubs: `hubness` of the candidates, `(m,)`, if known from before.
        depth: Look no further down than so many candidates of each query; default: all.

    Returns:
        int64 `(p,)`: one more than the number of candidates that score higher, or as high in a
        lower row; 0 for places after `depth`.

    Raises:
        JointalignError: If a setting is not positive, the numbers of dimensions differ, or `hubs`
            are not of these candidates.

    Example:
        >>> import numpy as np
        >>> candidates = np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
        >>> ranks(np.eye(2), candidates, np.array([[0, 2], [1, 0]]), score="nn")
        array([2, 1])
    """
    check(queries, candidates, 1 if depth is None else depth)
    xp, score = array_namespace(queries), Score.of(score)
    asked = xp.unique_inverse(pairs[:, 0])
    scaled = unit(xp.take(queries, asked.values, axis=0)) * score.scale
    pairs = xp.stack([asked.inverse_indices, pairs[:, 1]], axis=1)
    targets, sources = unit(candidates), queries if sources is None else sources
    if isinstance(hubs, LazyHubness):
        raise JointalignError("expected the hubness of all candidates, got lazy hubness")
    _check_hubs(hubs, targets, score)
    wanted = 1 if depth is None else min(depth, targets.shape[0])
    if hubs is None and score.is_csls and pairs.shape[0]:
        if _pruning.pays(scaled.shape[0], wanted, targets, sources):
            bounds = LazyHubness.start(targets, sources, score.neighbourhood)
            if depth is not None:
                return _places_in(_pruning.nearest(scaled, bounds, wanted)[1], pairs)
            rows, hubs = _pruning.above(scaled, bounds, pairs)
            kept = xp.searchsorted(rows, pairs[:, 1])
            pairs, targets = xp.stack([pairs[:, 0], kept], axis=1), xp.take(targets, rows, axis=0)
    if hubs is None:
        hubs = hubness(candidates, sources, score)
    if depth is not None:
        return _places_in(top(scaled, targets, wanted, hubs)[1], pairs)
    if isinstance(scaled, np.ndarray):
        order = np.argsort(pairs[:, 0], kind="stable")
        found = np.empty(len(pairs), np.int64)
        found[order] = places(scaled, targets, pairs[order], hubs)
        return found
    return places_by_rows(scaled, targets, pairs, hubs, _ENTRIES)


def _check_hubs(hubs: Array | LazyHubness, targets: Array, score: Score) -> None:
    """Refuse hubness of other candidates, or of another score, where that can be seen."""
    if hubs is None:
        return
    lazy = isinstance(hubs, LazyHubness)
    if lazy and not score.is_csls:
        raise JointalignError(f"lazy hubness is for csls, not for {score.retrieval}; leave it out")
    known = hubs.values if lazy else hubs
    if known.shape != targets.shape[:1]:
        raise JointalignError(
            f"expected the hubness of {targets.shape[0]} candidates, got that of {known.shape}"
        )
    some = slice(None, None, max(1, targets.shape[0] // 16))  # all would take long
    if lazy and not bool((hubs.candidates[some, :] == targets[some, :]).all()):
        raise JointalignError("the lazy hubness is that of other candidates; make it again")


def _places_in(rows: Array, pairs: Array) -> Array:
    """Place of the second of each pair in the list of the first, from 1; 0 if it is not there."""
    xp = array_namespace(rows)
    same = xp.take(rows, pairs[:, 0], axis=0) == pairs[:, 1][:, None]  # (p, depth)
    numbers = xp.arange(1, rows.shape[1] + 1, dtype=xp.int64, device=device(rows))
    return xp.sum(xp.where(same, numbers[None, :], xp.zeros_like(numbers)[None, :]), axis=1)
