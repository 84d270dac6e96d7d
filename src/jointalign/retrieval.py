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
row, the more frequent word; copies of one vector are equal but for the last bit, which depends
on how the matrix product rounds. Memory: copies of the inputs with length one, and blocks of
scores of 32 MB (64 MB in `ranks`, or one row where that is more); never queries x candidates.
NumPy arrays and torch tensors run through the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from array_api_compat import array_namespace, device

from jointalign._topk import COLUMNS, ROWS, blocks, top
from jointalign.errors import JointalignError
from jointalign.normalize import Array, unit

TEMPERATURE = 30.0
"""Inverse temperature of the inverted softmax: MUSE's default."""

# Scores in one block of `ranks`, whose blocks are whole rows: 64 MB in float32.
_ENTRIES = 1 << 24


class Retrieval(StrEnum):
    """How the translation of a word is found among the target words."""

    NEAREST = "nn"
    CSLS = "csls"
    INVERTED_SOFTMAX = "isf"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The best candidates of each query, best first.

    Args:
        rows: Rows of the candidates, int64 `(n, k)`.
        scores: Their scores, float32 `(n, k)`.
    """

    rows: Array
    scores: Array


def mean_similarity(x: Array, others: Array, k: int = 10) -> Array:
    """Mean of the `k` highest cosines of each row of `x` and the rows of `others`: CSLS's r.

    Args:
        x: Vectors, `(n, d)`.
        others: Vectors, `(m, d)`; the whole vocabulary of the other language.
        k: How many; default 10, as in Conneau et al. (2018). All of them if there are fewer.

    Returns:
        Means, `(n,)`, of the type of `x`; zeros if there are no others.

    Raises:
        JointalignError: If `k` is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> mean_similarity(np.eye(2), np.array([[5.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), k=2)
        array([0.5, 0.5])
    """
    _check(x, others, k)
    xp = array_namespace(x)
    if others.shape[0] == 0:
        return _zeros(x)
    best, _ = top(unit(x), unit(others), k, _zeros(others))
    return xp.mean(best, axis=1)


def hubness(
    candidates: Array,
    sources: Array,
    retrieval: Retrieval = Retrieval.CSLS,
    neighbourhood: int = 10,
    temperature: float = TEMPERATURE,
) -> Array:
    """What lowers the score of each candidate; keep it to search the same candidates again.

    Args:
        candidates: Target vectors, `(m, d)`.
        sources: Vectors of the whole source vocabulary, `(s, d)`.
        retrieval: Which score.
        neighbourhood: Neighbours in CSLS's `r`; default 10, as in Conneau et al. (2018).
        temperature: Inverse temperature `b` of the inverted softmax; default 30, as in MUSE.

    Returns:
        `(m,)`: `r_S(y)` for CSLS, the logarithm of the denominator for inverted softmax, or
        zeros.

    Raises:
        JointalignError: If a setting is not positive or the numbers of dimensions differ.
    """
    _check(candidates, sources, neighbourhood, temperature)
    if Retrieval(retrieval) is Retrieval.NEAREST or sources.shape[0] == 0:
        return _zeros(candidates)
    if retrieval == Retrieval.CSLS:
        return mean_similarity(candidates, sources, neighbourhood)
    return _log_sums(unit(candidates) * temperature, unit(sources))


def neighbours(
    queries: Array,
    candidates: Array,
    k: int = 10,
    *,
    retrieval: Retrieval = Retrieval.CSLS,
    sources: Array = None,
    neighbourhood: int = 10,
    temperature: float = TEMPERATURE,
    hubs: Array = None,
    density: Array = None,
) -> Neighbours:
    """The `k` best candidates of each query.

    Args:
        queries: Source vectors, `(n, d)`.
        candidates: Target vectors, `(m, d)`, most frequent word first.
        k: How many; all candidates if there are fewer.
        retrieval: Which score.
        sources: Vectors of the whole source vocabulary, `(s, d)`, which tell hubs; default: the
            queries.
        neighbourhood: Neighbours in CSLS's `r`; default 10, as in Conneau et al. (2018).
        temperature: Inverse temperature of the inverted softmax; default 30, as in MUSE.
        hubs: `hubness` of the candidates, `(m,)`, if known from before; `sources` is then unused.
        density: `mean_similarity(queries, candidates)`, `(n,)`, if known from before. Only the
            scores of CSLS need it, no rank does.

    Returns:
        Rows and scores, `(n, min(k, m))`.

    Raises:
        JointalignError: If a setting is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> candidates = np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
        >>> found = neighbours(np.eye(2), candidates, 2, retrieval=Retrieval.NEAREST)
        >>> found.rows.tolist(), found.scores[:, 0].tolist()
        ([[1, 2], [0, 2]], [1.0, 1.0])
    """
    _check(queries, candidates, k, neighbourhood, temperature)
    xp = array_namespace(queries)
    if hubs is None:
        sources = queries if sources is None else sources
        hubs = hubness(candidates, sources, retrieval, neighbourhood, temperature)
    scaled = unit(queries) * _scale(retrieval, temperature)
    scores, rows = top(scaled, unit(candidates), k, hubs)
    if retrieval == Retrieval.INVERTED_SOFTMAX:
        scores = xp.exp(scores)
    elif retrieval == Retrieval.CSLS:
        if density is None:
            density = mean_similarity(queries, candidates, neighbourhood)
        scores = scores - density[:, None]
    return Neighbours(rows, xp.astype(scores, xp.float32))


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
    _check(queries, candidates, k)
    scores, rows = top(queries, candidates, k, _zeros(candidates))
    return Neighbours(rows, scores)


def ranks(
    queries: Array,
    candidates: Array,
    pairs: Array,
    *,
    retrieval: Retrieval = Retrieval.CSLS,
    sources: Array = None,
    neighbourhood: int = 10,
    temperature: float = TEMPERATURE,
    hubs: Array = None,
) -> Array:
    """Place of given candidates among all candidates of their query, the best being 1.

    Args:
        queries: Source vectors, `(n, d)`.
        candidates: Target vectors, `(m, d)`, most frequent word first.
        pairs: Row of a query and row of a candidate, int64 `(p, 2)`.
        retrieval: Which score.
        sources: As for `neighbours`.
        neighbourhood: As for `neighbours`.
        temperature: As for `neighbours`.
        hubs: As for `neighbours`.

    Returns:
        int64 `(p,)`: one more than the number of candidates that score higher, or as high in a
        lower row.

    Raises:
        JointalignError: If a setting is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> candidates = np.array([[0.0, 2.0], [3.0, 0.0], [1.0, 1.0]])
        >>> ranks(np.eye(2), candidates, np.array([[0, 2], [1, 0]]), retrieval=Retrieval.NEAREST)
        array([2, 1])
    """
    _check(queries, candidates, neighbourhood, temperature)
    xp = array_namespace(queries)
    if hubs is None:
        sources = queries if sources is None else sources
        hubs = hubness(candidates, sources, retrieval, neighbourhood, temperature)
    candidates = unit(candidates)
    columns = xp.arange(candidates.shape[0], device=device(candidates))[None, :]
    found = []
    for first, last in blocks(pairs.shape[0], max(1, _ENTRIES // max(1, candidates.shape[0]))):
        gold = pairs[first:last, 1][:, None]  # (b, 1)
        asked = unit(xp.take(queries, pairs[first:last, 0], axis=0))
        scores = asked * _scale(retrieval, temperature) @ candidates.T - hubs[None, :]  # (b, m)
        own = xp.take_along_axis(scores, gold, axis=1)
        before = (scores > own) | ((scores == own) & (columns < gold))
        found.append(1 + xp.sum(xp.astype(before, xp.int64), axis=1))
    return xp.concat(found)


def _scale(retrieval: Retrieval, temperature: float) -> float:
    return {
        Retrieval.NEAREST: 1.0,
        Retrieval.CSLS: 2.0,
        Retrieval.INVERTED_SOFTMAX: temperature,
    }[Retrieval(retrieval)]


def _log_sums(x: Array, others: Array) -> Array:
    """Logarithm of the sum of `exp(x @ others.T)` over each row, `(n,)`."""
    xp = array_namespace(x)
    found = []
    for start, stop in blocks(x.shape[0], ROWS):
        largest = xp.full((stop - start, 1), -xp.inf, dtype=x.dtype, device=device(x))
        total = xp.zeros_like(largest)
        for first, last in blocks(others.shape[0], COLUMNS):
            block = x[start:stop, :] @ others[first:last, :].T
            higher = xp.maximum(largest, xp.max(block, axis=1, keepdims=True))
            total = total * xp.exp(largest - higher)
            total = total + xp.sum(xp.exp(block - higher), axis=1, keepdims=True)
            largest = higher
        found.append((largest + xp.log(total))[:, 0])
    return xp.concat(found)


def _zeros(x: Array) -> Array:
    """A zero for each row of `x`, `(n,)`."""
    return array_namespace(x).zeros(x.shape[0], dtype=x.dtype, device=device(x))


def _check(x: Array, others: Array, *settings: float) -> None:
    if x.ndim != 2 or others.ndim != 2 or x.shape[1] != others.shape[1]:
        raise JointalignError(
            f"expected vectors of one space, (n, d) and (m, d); got {x.shape} and {others.shape}"
        )
    for setting in settings:
        if not setting > 0:
            raise JointalignError(
                f"numbers of neighbours and the temperature must be positive, got {setting}"
            )
