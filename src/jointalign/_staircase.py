"""CSLS of two whole vocabularies among each other in little more than one product.

The product that gives `r` of both sides also lists the nearest words of each word. A candidate `y`
that is not in the list of `x` has a cosine of at most `c`, the last of the list, and so a score of
at most `2 c - r(y)`. With `t` the score of the `k`-th best in the list, only candidates with
`r(y) <= 2 c - t` can still matter to `x`. Queries in the order of that limit, each with the
candidates below it, make a staircase in the matrix of all pairs; only what lies under it is
multiplied again. The result is that of two whole products, to the last bit.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from jointalign import _topk
from jointalign._scanning import entries, margins
from jointalign._topk import Best, Workers, blocks, row_means, top, top_both

logger = logging.getLogger(__name__)

# Candidates listed for each that is wanted, and the fewest: longer lists take longer to keep, and
# leave less under the staircase.
_LISTED, _FEWEST, _MOST = 8, 32, 64
# Pairs for each word: with fewer, longer lists cost more than the product that they save.
SMALLEST = 15_000


class Searched(NamedTuple):
    """What a search of both sides finds.

    Args:
        there: The best candidates of each row of `x`, `2 cos - r`.
        back: The best candidates of each row of `z`.
        x_hubs: `r` of the rows of `x`, `(n,)`.
        z_hubs: `r` of the rows of `z`, `(m,)`.
    """

    there: Best
    back: Best
    x_hubs: np.ndarray
    z_hubs: np.ndarray


def pays(x: np.ndarray, z: np.ndarray, k: int, neighbourhood: int) -> bool:
    """Whether lists of so few wanted take less time to keep than they save."""
    large = len(x) * len(z) >= SMALLEST * (len(x) + len(z))
    return large and max(_LISTED * k, neighbourhood) <= _MOST


def search_both(x: np.ndarray, z: np.ndarray, k: int, neighbourhood: int) -> Searched:
    """The `k` best of either side for each row of the other.

    Args:
        x: Twice the unit rows of one side, `(n, d)`.
        z: Unit rows of the other, `(m, d)`.
        k: How many; all if there are fewer.
        neighbourhood: Neighbours in `r`.
    """
    listed = max(_FEWEST, _LISTED * k, neighbourhood)
    nothing = [np.zeros(len(side), side.dtype) for side in (z, x)]
    lists = top_both(x, z, listed, *nothing)
    x_hubs, z_hubs = (row_means(some[0][:, :neighbourhood] / 2) for some in lists)
    there = _completed(x, z, k, lists[0], z_hubs)
    return Searched(there, _completed(z, x, k, lists[1], x_hubs), x_hubs, z_hubs)


def _completed(x: np.ndarray, others: np.ndarray, k: int, lists: Best, hubs: np.ndarray) -> Best:
    """The `k` best of each row, given its nearest."""
    raw, columns = lists
    width, k = raw.shape[1], min(k, len(others))
    scores = _scores(x, others, columns, hubs)
    best = _first(scores, columns, k)
    if width == len(others) or not len(x):
        return best
    limits = raw[:, -1] - best[0][:, -1] + margins(x, others, hubs)
    falling, rising = np.argsort(-limits, kind="stable"), np.argsort(hubs, kind="stable")
    heights = np.searchsorted(hubs[rising], limits[falling], side="right")
    logger.debug("%.3f of the pairs are under the staircase", heights.mean() / len(others))
    for begin, end in blocks(len(x), _topk.ROWS):
        if not heights[begin]:
            break
        # In the order of the rows, so that of equal scores the lower row still wins.
        rows, below = falling[begin:end], np.sort(rising[: heights[begin]])
        found, at = top(x[rows], others[below], k, hubs[below])
        both = np.hstack([best[0][rows], found]), np.hstack([best[1][rows], below[at]])
        best[0][rows], best[1][rows] = _first(*both, k)
    return best


def _scores(x: np.ndarray, others: np.ndarray, columns: np.ndarray, hubs: np.ndarray) -> np.ndarray:
    """Scores of the listed candidates, rounded once, as all searches round them."""
    found = np.empty(columns.shape, x.dtype)

    def score(begin: int, end: int) -> None:
        rows = np.repeat(np.arange(begin, end), columns.shape[1])
        pairs = np.stack([rows, columns[begin:end].ravel()], axis=1)
        found[begin:end] = entries(x, others, pairs, hubs).reshape(end - begin, -1)

    with Workers() as workers:
        for begin, end in blocks(len(x), 64 * _topk.ROWS):
            workers.each(end - begin, lambda a, b, begin=begin: score(begin + a, begin + b))
    return found


def _first(scores: np.ndarray, columns: np.ndarray, k: int) -> Best:
    """The `k` highest of each row, each column once; of equal scores the lower column."""
    order = np.lexsort((columns, -scores), axis=1)
    scores, columns = (np.take_along_axis(array, order, 1) for array in (scores, columns))
    again = np.zeros(scores.shape, bool)
    again[:, 1:] = columns[:, 1:] == columns[:, :-1]
    order = np.argsort(again, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(columns, order, 1)
