"""CSLS of few queries without the whole product of candidates and source words.

CSLS ranks the candidates `y` of a query `x` by `2 cos(x, y) - r(y)`, where `r(y)` is the mean
cosine of `y` and its nearest source words. Over any part of the source words that mean is a lower
bound of `r(y)`, which gives an upper bound of the score. Few candidates need more than a bound:

1. Each candidate is compared with the source words of the few clusters nearest to it, where most of
   its nearest source words are: a close bound, at a few hundredths of the cost of the whole.
2. Those that look best to each query by that bound are compared with all source words: their scores
   are final. From them follows a threshold for each query, which what matters to it must reach.
3. Of the next best of each query, those whose bounds reach its threshold are settled, too.
4. Where not even a query's list ends below its threshold, all candidates are looked at: the
   threshold says how large `r(y)` may be at most for `y` to matter.

The result is that of comparing everything, to the last bit for NumPy arrays, since scores that are
final do not depend on how they are cut into blocks (`_scanning`), and what is left out misses by
more than a margin that allows for rounding.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from threading import RLock

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from jointalign.numerics import topk as _topk
from jointalign.numerics.clusters import Clusters
from jointalign.numerics.normalize import unit
from jointalign.numerics.tiles import blocks
from jointalign.numerics.topk import Array, Best, row_means, top

logger = logging.getLogger(__name__)

# Below so many pairs of a candidate and a source word, whatever is done takes milliseconds.
SMALLEST = 1 << 24
# Share of the clusters that each candidate is compared with.
_SHARE = 0.01
# Of the best candidates of a query by their bounds, how many are listed for each that is wanted.
_LISTED = 4


def pays(queries: int, wanted: int, candidates: Array, sources: Array) -> bool:
    """Whether so few queries, each with so many candidates wanted, are worth the rounds."""
    if not isinstance(candidates, np.ndarray) and not is_torch_array(candidates):
        return False  # the standard has no way to change some rows of an array
    few = 0 < 4 * queries < sources.shape[0] and 2 * queries * wanted < candidates.shape[0]
    return few and candidates.shape[0] * sources.shape[0] >= SMALLEST


@dataclass(eq=False)
class Bounds:
    """What is known of each candidate's mean cosine with its nearest source words.

    Args:
        candidates: Unit rows, `(m, d)`.
        sources: Unit rows, `(s, d)`.
        neighbourhood: Neighbours that the mean is over, at most `s`.
        values: The means, `(m,)`, where `exact`; elsewhere no more than those.
        exact: Whether they are final, bool `(m,)`.
        lock: Held by whoever reads and betters them: several threads may ask one space.
    """

    candidates: Array
    sources: Array
    neighbourhood: int
    values: Array
    exact: Array
    lock: RLock = field(default_factory=RLock, repr=False)

    @classmethod
    def start(cls, candidates: Array, sources: Array, neighbourhood: int) -> Bounds:
        """Compare all candidates with the source words nearest to them.

        Args:
            candidates: Unit rows, `(m, d)`.
            sources: Rows of any length, `(s, d)`, at least one.
            neighbourhood: Neighbours that the mean is over; all sources if there are fewer.
        """
        xp = array_namespace(candidates)
        sources = unit(sources)
        width = min(neighbourhood, sources.shape[0])
        highest = Clusters.of(sources).highest_products(candidates, width, _SHARE)
        none = xp.zeros(candidates.shape[0], dtype=xp.bool, device=device(candidates))
        return cls(candidates, sources, width, row_means(highest), none)

    @property
    def margin(self) -> float:
        """What a bound and a score together, queries being of length two, may be wrong by."""
        # A product in each, a threshold and a mean, none wrong by more than `_scanning.margins`.
        eps = float(array_namespace(self.candidates).finfo(self.candidates.dtype).eps)
        return 6 * (self.candidates.shape[1] + 8) * eps

    def settle(self, rows: Array) -> None:
        """Compare some candidates with all sources; rows that are settled already cost nothing."""
        xp = array_namespace(self.candidates)
        rows = xp.unique_values(rows[~xp.take(self.exact, rows)])
        if not rows.shape[0]:
            return
        found, _ = top(xp.take(self.candidates, rows, axis=0), self.sources, self.neighbourhood)
        self.values[rows] = row_means(found)
        self.exact[rows] = True
        logger.debug("%d of %d candidates settled", rows.shape[0], self.candidates.shape[0])

    def settle_reaching(self, queries: Array, thresholds: Array) -> None:
        """Settle all candidates that may reach the threshold of a query.

        Args:
            queries: Twice the unit rows, `(n, d)`.
            thresholds: Score that matters to each, `(n,)`.
        """
        if queries.shape[0]:
            xp = array_namespace(queries)
            reach = _reach(queries, self.candidates, thresholds) + self.margin
            self.settle(xp.nonzero(~self.exact & (self.values <= reach))[0])


def nearest(queries: Array, bounds: Bounds, k: int) -> Best:
    """The `k` candidates of each query with the highest `queries @ candidates.T - r`.

    Args:
        queries: Twice the unit rows, `(n, d)`, at least one.
        bounds: Of the candidates; better ones afterwards.
        k: How many, at most as many as there are candidates.

    Returns:
        Scores and rows, both `(n, k)`, best first.
    """
    with bounds.lock:
        return _nearest(queries, bounds, k)


def _nearest(queries: Array, bounds: Bounds, k: int) -> Best:
    xp = array_namespace(queries)
    listed = min(_LISTED * k + 1, bounds.candidates.shape[0])
    highest, rows = top(queries, bounds.candidates, listed, bounds.values)
    flat = xp.reshape(rows, (-1,))
    raw = highest + xp.reshape(xp.take(bounds.values, flat), rows.shape)
    # What the first settle raises the thresholds of the next.
    for width in (k, 2 * k, listed):
        thresholds = _worst_wanted(bounds, raw, rows, k)
        reaching = highest[:, :width] >= (thresholds - bounds.margin)[:, None]
        bounds.settle(rows[:, :width][reaching])
    if listed < bounds.candidates.shape[0]:
        thresholds = _worst_wanted(bounds, raw, rows, k)
        more = xp.nonzero(highest[:, -1] >= thresholds - bounds.margin)[0]
        bounds.settle_reaching(xp.take(queries, more, axis=0), xp.take(thresholds, more))
    final = xp.nonzero(bounds.exact)[0]
    scores, places = top(queries, xp.take(bounds.candidates, final, axis=0), k, xp.take(bounds.values, final))
    return scores, xp.reshape(xp.take(final, xp.reshape(places, (-1,))), places.shape)


def above(queries: Array, bounds: Bounds, pairs: Array) -> tuple[Array, Array]:
    """The candidates that may score as high as one given for the same query, and their `r`.

    Args:
        queries: Twice the unit rows, `(n, d)`.
        bounds: Of the candidates; better ones afterwards.
        pairs: Row of a query and row of a candidate, int64 `(p, 2)`, at least one.

    Returns:
        Rows of the candidates, rising, those of `pairs` among them, and `r` of each, both `(c,)`.
    """
    with bounds.lock:
        return _above(queries, bounds, pairs)


def _above(queries: Array, bounds: Bounds, pairs: Array) -> tuple[Array, Array]:
    xp = array_namespace(queries)
    bounds.settle(pairs[:, 1])
    asked = xp.take(queries, pairs[:, 0], axis=0)
    gold = xp.take(bounds.candidates, pairs[:, 1], axis=0)
    own = xp.vecdot(asked, gold) - xp.take(bounds.values, pairs[:, 1])
    lowest = dict.fromkeys(pairs[:, 0].tolist(), np.inf)
    for query, score in zip(pairs[:, 0].tolist(), own.tolist(), strict=True):
        lowest[query] = min(lowest[query], score)
    places = xp.asarray(list(lowest), dtype=xp.int64, device=device(queries))
    thresholds = xp.asarray(list(lowest.values()), dtype=queries.dtype, device=device(queries))
    bounds.settle_reaching(xp.take(queries, places, axis=0), thresholds)
    final = xp.nonzero(bounds.exact)[0]
    return final, xp.take(bounds.values, final)


def _worst_wanted(bounds: Bounds, raw: Array, rows: Array, k: int) -> Array:
    """The `k`-th best of the scores that are final in each query's list, `(n,)`."""
    xp = array_namespace(raw)
    flat = xp.reshape(rows, (-1,))
    values = xp.reshape(xp.take(bounds.values, flat), rows.shape)
    settled = xp.reshape(xp.take(bounds.exact, flat), rows.shape)
    return xp.sort(xp.where(settled, raw - values, -xp.inf), axis=1, descending=True)[:, k - 1]


def _reach(queries: Array, candidates: Array, thresholds: Array) -> Array:
    """The largest `r` at which a candidate still reaches the threshold of a query, `(m,)`."""
    xp = array_namespace(queries)
    found = []
    for first, last in blocks(candidates.shape[0], _topk.COLUMNS):
        part = candidates[first:last, :].T
        highest = [
            xp.max(queries[begin:end, :] @ part - thresholds[begin:end][:, None], axis=0)
            for begin, end in blocks(queries.shape[0], _topk.ROWS)
        ]
        found.append(xp.max(xp.stack(highest), axis=0))
    return xp.concat(found)
