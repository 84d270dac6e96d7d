"""Dictionaries found in two mapped spaces, and how good a map looks without any dictionary.

What the methods that refine themselves share (Conneau et al. 2018: refinement, CSLS, and the
validation criterion for unsupervised model selection).

Differences from the authors' code: ranks are counted from 0 and `rank` itself is beyond the limit
(theirs lets one word more in); a pair found in both directions keeps its confidence, so that the
dictionary of both directions, too, comes most confident first (theirs loses the order in a set);
and the dictionary and the criterion can come from one search (`translations`, `mean_cosine`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment.base import Array, as_numpy
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import unit
from jointalign.retrieval.api import LazyHubness, Score, hubness, lazy_hubness, neighbours

DICTIONARY_RANK = 15_000
"""Conneau et al. (2018): words rarer than that are placed too badly to learn from."""

CRITERION_RANK = 10_000
"""Conneau et al. (2018): the criterion looks at the 10,000 most frequent words."""


class Direction(StrEnum):
    """Whose translations make the dictionary."""

    FORWARD = "forward"
    """The best target word of each source word."""

    BACKWARD = "backward"
    """The best source word of each target word."""

    UNION = "union"
    """Pairs of either."""

    INTERSECTION = "intersection"
    """Pairs of both: mutual best translations."""


class Found(NamedTuple):
    """Pairs and how sure the search was of each, most confident first.

    Args:
        pairs: Source and target rows, int64 `(k, 2)`.
        margins: Lead of the best translation over the second in CSLS, `(k,)`; infinite where there
            is no second.
    """

    pairs: np.ndarray
    margins: np.ndarray


def induced_pairs(
    x: Array,
    z: Array,
    *,
    direction: Direction = Direction.FORWARD,
    neighbourhood: int = 10,
    rank: int | None = DICTIONARY_RANK,
    size: int | None = None,
) -> np.ndarray:
    """The dictionary that two mapped spaces imply: CSLS best translations of frequent words.

    Args:
        x: Mapped source vectors of any length, `(n, d)`, most frequent word first.
        z: Mapped target vectors, `(m, d)`, likewise.
        direction: Which side is translated; a pair of both directions counts once, in a union with
            the greater and in an intersection with the lesser of its two margins.
        neighbourhood: Neighbours in CSLS's `r`, over the whole vocabularies; default 10.
        rank: Only so many of the most frequent words of a side are translated. Candidates are all
            words of the other side, but a pair whose other word is beyond the rank is left out.
            Default 15,000 (Conneau et al. 2018); `None`: no limit.
        size: At most so many pairs, the most confident; `None`: all.

    Returns:
        Source and target rows, int64 `(k, 2)`, of the greatest margin of the best translation to
        the second first; equal margins by row.

    Raises:
        JointalignError: If a setting is not positive or the numbers of dimensions differ.

    Example:
        >>> x, z = np.eye(3), np.eye(3)[[2, 0, 1]]
        >>> induced_pairs(x, z, neighbourhood=1).tolist()
        [[0, 1], [1, 2], [2, 0]]
    """
    found = searched(x, z, direction=direction, neighbourhood=neighbourhood, rank=rank)
    if size is not None and size < 1:
        raise JointalignError(f"size must be at least 1 or None, got {size}")
    return found.pairs[:size]


def mean_csls(x: Array, z: Array, *, neighbourhood: int = 10, rank: int | None = CRITERION_RANK) -> float:
    """How close frequent words are to their CSLS translations: the unsupervised criterion.

    It ranks good maps well, but cannot tell that all of them failed.

    Args:
        x: Mapped source vectors of any length, `(n, d)`, most frequent word first.
        z: Mapped target vectors, `(m, d)`, likewise.
        neighbourhood: Neighbours in CSLS's `r`; default 10.
        rank: As for `induced_pairs`; default 10,000.

    Returns:
        Mean cosine of the pairs of `induced_pairs(x, z, rank=rank)`; -1, the lowest, if none.

    Raises:
        JointalignError: As `induced_pairs`.

    Example:
        >>> mean_csls(np.eye(3), 5 * np.eye(3)[[2, 0, 1]], neighbourhood=1)
        1.0
    """
    return mean_cosine(x, z, searched(x, z, neighbourhood=neighbourhood, rank=rank).pairs)


def searched(
    x: Array,
    z: Array,
    *,
    direction: Direction = Direction.FORWARD,
    neighbourhood: int = 10,
    rank: int | None = DICTIONARY_RANK,
) -> Found:
    """`induced_pairs` with their margins. Arguments and errors as there."""
    if rank is not None and rank < 1:
        raise JointalignError(f"rank must be at least 1 or None, got {rank}")
    direction = Direction(direction)
    if direction == Direction.FORWARD:
        return translations(x, z, neighbourhood, rank)
    backward = translations(z, x, neighbourhood, rank)
    backward = _most_confident_first(Found(backward.pairs[:, ::-1], backward.margins))
    if direction == Direction.BACKWARD:
        return backward
    return combined(translations(x, z, neighbourhood, rank), backward, direction)


def mean_cosine(x: Array, z: Array, pairs: np.ndarray, rank: int | None = None) -> float:
    """Mean cosine of pairs, float64 sums; -1 if there are none.

    Args:
        x: Source vectors of any length, `(n, d)`.
        z: Target vectors, `(m, d)`.
        pairs: Row numbers, `(k, 2)`.
        rank: Pairs with a word beyond it do not count; `None`: all count.
    """
    if rank is not None:
        pairs = pairs[(pairs < rank).all(axis=1)]
    if not len(pairs):
        return -1.0
    xp: Any = array_namespace(x, z)
    rows = xp.asarray(np.ascontiguousarray(pairs), device=device(x))
    left = unit(xp.take(x, rows[:, 0], axis=0))
    right = unit(xp.take(z, rows[:, 1], axis=0))
    return float(xp.sum(left * right, dtype=xp.float64)) / len(pairs)


def translations(
    queries: Array, others: Array, neighbourhood: int, rank: int | None, hubs: Array | LazyHubness = None
) -> Found:
    """The dictionary of one direction, `(query, other)`.

    Args:
        queries: Mapped vectors of one side, `(n, d)`, most frequent word first.
        others: Those of the other side, `(m, d)`.
        neighbourhood: As for `induced_pairs`.
        rank: As for `induced_pairs`.
        hubs: `hubness` of the others among the queries, `(m,)`, if known from before, or their
            `lazy_hubness`.
    """
    xp: Any = array_namespace(queries, others)
    count = queries.shape[0]
    asked = queries[: count if rank is None else min(rank, count), :]
    if hubs is None:
        hubs = hubs_for(others, queries, neighbourhood, rank)
    # The density of a query lowers its best and its second alike: no search for it.
    density = xp.zeros(asked.shape[0], dtype=asked.dtype, device=device(asked))
    found = neighbours(asked, others, 2, hubs=hubs, density=density)
    best, scores = as_numpy(found.rows)[:, 0], as_numpy(found.scores)
    second = scores[:, 1] if scores.shape[1] > 1 else np.full(len(scores), -np.inf, np.float32)
    pairs = np.stack([np.arange(len(best)), best], axis=1)
    kept = slice(None) if rank is None else best < rank
    return _most_confident_first(Found(pairs[kept], (scores[:, 0] - second)[kept]))


def hubs_for(candidates: Array, queries: Array, neighbourhood: int, rank: int | None) -> Array | LazyHubness:
    """`hubness`, or where only a part of the queries is searched for, only what that needs."""
    if rank is not None and 4 * rank < queries.shape[0]:
        return lazy_hubness(candidates, queries, neighbourhood)
    return hubness(candidates, queries, Score(neighbourhood=neighbourhood))


def combined(forward: Found, backward: Found, direction: Direction) -> Found:
    """The union or the intersection of both directions' dictionaries, `(source, target)`."""
    both = direction == Direction.INTERSECTION
    together = np.concatenate([forward.pairs, backward.pairs])
    margins = np.concatenate([forward.margins, backward.margins])
    pairs, place, count = np.unique(together, axis=0, return_inverse=True, return_counts=True)
    confidence = np.full(len(pairs), np.inf if both else -np.inf, margins.dtype)
    (np.minimum if both else np.maximum).at(confidence, place.reshape(-1), margins)
    kept = count > int(both)
    return _most_confident_first(Found(pairs[kept], confidence[kept]))


def _most_confident_first(found: Found) -> Found:
    order = np.lexsort((found.pairs[:, 1], found.pairs[:, 0], -found.margins))
    return Found(found.pairs[order], found.margins[order])
