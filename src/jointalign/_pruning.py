"""CSLS of few queries without the whole product of candidates and source words.

CSLS ranks the candidates `y` of a query `x` by `2 cos(x, y) - r(y)`, where `r(y)` is the mean
cosine of `y` and its nearest source words. Over any part of the source words that mean is a lower
bound of `r(y)`, which gives an upper bound of the score. So each candidate is compared with more
and more source words, only until its bound shows that it can no longer matter:

1. The source words are put in the order in which they are near neighbours of a sample of the
   candidates: the few that are near to everything make the bounds tight.
2. All candidates are compared with the first of them.
3. Those that look best to each query, or are asked for, are compared with all: their scores are
   final. From them follows a threshold for each query, which what matters to it must reach.
4. From the thresholds follows how large `r(y)` may be at most for `y` to matter to any query.
5. All others are compared with twice as many source words each time, and left out once they are
   over. Those that stay to the end have their final score, too.

The result is that of comparing everything, to the last bit for NumPy arrays: the mean of a part is
no higher than that of the whole in floating point either, since rounding never swaps two numbers,
and scores do not depend on how they are cut into blocks (`_scanning`). With torch tensors they do,
in the last bits; what is left out then still misses by a margin that allows for it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from jointalign import _topk
from jointalign._topk import Array, Best, blocks, row_means, top
from jointalign.normalize import unit

logger = logging.getLogger(__name__)

# Below so many pairs of a candidate and a source word, whatever is done takes milliseconds.
SMALLEST = 1 << 24
# Candidates whose neighbours say which source words come first, and how many neighbours of each.
_SAMPLE, _NEAR = 512, 50
# Share of the source words that all candidates are compared with.
_FIRST = 0.02
# Of the candidates still in play, the share that a round must have put out for the next to be one
# of many and not the last.
_WORTH_A_ROUND = 0.1
# Of the best raw candidates of a query, how many are looked at for each that is wanted.
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
        sources: Unit rows in the order in which they are compared, `(s, d)`.
        nearest: Highest cosines so far, falling, `(m, neighbourhood)`.
        values: Their means, `(m,)`: lower bounds of the final ones.
        exact: Whether they are final, bool `(m,)`.
        compared: How many sources the candidates still in play have been compared with.
    """

    candidates: Array
    sources: Array
    nearest: Array
    values: Array
    exact: Array
    compared: int = 0

    @classmethod
    def start(cls, candidates: Array, sources: Array, neighbourhood: int) -> Bounds:
        """Compare all candidates with the first sources.

        Args:
            candidates: Unit rows, `(m, d)`.
            sources: Rows of any length, `(s, d)`, at least one.
            neighbourhood: Neighbours that the mean is over; all sources if there are fewer.
        """
        xp = array_namespace(candidates)
        size = sources.shape[0]
        width = min(neighbourhood, size)
        ordered = unit(sources)
        ordered = xp.take(ordered, _most_often_near(candidates, ordered), axis=0)
        shape = candidates.shape[0]
        found = cls(
            candidates,
            ordered,
            xp.full((shape, width), -xp.inf, dtype=candidates.dtype, device=device(candidates)),
            xp.zeros(shape, dtype=candidates.dtype, device=device(candidates)),
            xp.zeros(shape, dtype=xp.bool, device=device(candidates)),
        )
        first = min(size, max(width, int(_FIRST * size)))
        found._compare(xp.arange(shape, device=device(candidates)), first)
        found.compared = first
        return found

    def settle(self, rows: Array) -> None:
        """Compare some candidates with all sources; rows that are settled already cost nothing."""
        xp = array_namespace(self.candidates)
        self._compare(rows[~xp.take(self.exact, rows)], self.sources.shape[0])

    def settle_below(self, reach: Array) -> None:
        """Settle all candidates but those whose value turns out to be above `reach`, `(m,)`."""
        xp = array_namespace(self.candidates)
        size = self.sources.shape[0]
        before = self.candidates.shape[0]
        while True:
            rows = xp.nonzero(~self.exact & (self.values <= reach))[0]
            logger.debug("%d candidates after %d sources", len(rows), self.compared)
            if not len(rows) or self.compared == size:
                return
            few = len(rows) > (1 - _WORTH_A_ROUND) * before
            before = len(rows)
            stop = size if few else min(size, 2 * self.compared)
            self._compare(rows, stop)
            self.compared = stop

    def _compare(self, rows: Array, stop: int) -> None:
        """Compare candidates that know the first `compared` sources with those up to `stop`."""
        xp = array_namespace(self.candidates)
        if not len(rows):
            return
        part = self.sources[self.compared : stop, :]
        known = xp.take(self.nearest, rows, axis=0)
        nearest, _ = top(
            xp.take(self.candidates, rows, axis=0),
            part,
            known.shape[1],
            xp.zeros(part.shape[0], dtype=part.dtype, device=device(part)),
            (known, xp.zeros(known.shape, dtype=xp.int64, device=device(part))),
        )
        self.nearest[rows] = nearest
        self.values[rows] = row_means(nearest)
        if stop == self.sources.shape[0]:
            self.exact[rows] = True


def nearest(
    queries: Array, candidates: Array, sources: Array, k: int, neighbourhood: int
) -> tuple[Best, Array]:
    """The `k` candidates of each query with the highest `queries @ candidates.T - r`.

    Args:
        queries: Twice the unit rows, `(n, d)`, at least one.
        candidates: Unit rows, `(m, d)`.
        sources: Rows of any length, `(s, d)`.
        k: How many, at most `m`.
        neighbourhood: Neighbours in `r`.

    Returns:
        Scores and rows, both `(n, k)`, best first, and the mean cosine of each query and its
        nearest candidates, `(n,)`.
    """
    xp = array_namespace(queries)
    bounds = Bounds.start(candidates, sources, neighbourhood)
    listed = max(_LISTED * k, neighbourhood)
    raw, rows = top(queries, candidates, listed, xp.zeros_like(bounds.values))
    density = row_means(raw[:, :neighbourhood] / 2)
    thresholds = _settle_best(bounds, raw, rows, k)
    bounds.settle_below(_reach(queries, candidates, thresholds))
    final = xp.nonzero(bounds.exact)[0]
    scores, places = top(
        queries, xp.take(candidates, final, axis=0), k, xp.take(bounds.values, final)
    )
    logger.debug("%d of %d candidates settled", len(final), candidates.shape[0])
    return (scores, xp.reshape(xp.take(final, xp.reshape(places, (-1,))), places.shape)), density


def above(
    queries: Array, candidates: Array, sources: Array, pairs: Array, neighbourhood: int
) -> tuple[Array, Array]:
    """The candidates that may score as high as one given for the same query, and their `r`.

    Args:
        queries: Twice the unit rows, `(n, d)`.
        candidates: Unit rows, `(m, d)`.
        sources: Rows of any length, `(s, d)`.
        pairs: Row of a query and row of a candidate, int64 `(p, 2)`, at least one.
        neighbourhood: Neighbours in `r`.

    Returns:
        Rows of the candidates, rising, those of `pairs` among them, and `r` of each, both `(c,)`.
    """
    xp = array_namespace(queries)
    bounds = Bounds.start(candidates, sources, neighbourhood)
    bounds.settle(xp.unique_values(pairs[:, 1]))
    asked = xp.take(queries, pairs[:, 0], axis=0)
    gold = xp.take(candidates, pairs[:, 1], axis=0)
    own = xp.vecdot(asked, gold) - xp.take(bounds.values, pairs[:, 1])
    lowest = dict.fromkeys(pairs[:, 0].tolist(), np.inf)
    for query, score in zip(pairs[:, 0].tolist(), own.tolist(), strict=True):
        lowest[query] = min(lowest[query], score)
    places = xp.asarray(list(lowest), dtype=xp.int64, device=device(queries))
    thresholds = xp.asarray(list(lowest.values()), dtype=queries.dtype, device=device(queries))
    bounds.settle_below(_reach(xp.take(queries, places, axis=0), candidates, thresholds))
    final = xp.nonzero(bounds.exact)[0]
    logger.debug("%d of %d candidates settled", len(final), candidates.shape[0])
    return final, xp.take(bounds.values, final)


def _most_often_near(candidates: Array, sources: Array) -> Array:
    """Sources by how many of a sample of the candidates they are among the nearest of, `(s,)`."""
    xp = array_namespace(sources)
    step = max(1, candidates.shape[0] // _SAMPLE)
    none = xp.zeros(sources.shape[0], dtype=sources.dtype, device=device(sources))
    _, rows = top(candidates[::step, :], sources, _NEAR, none)
    found, counts = xp.unique_counts(xp.reshape(rows, (-1,)))
    often = xp.zeros(sources.shape[0], dtype=xp.int64, device=device(sources))
    often[found] = counts
    return xp.argsort(often, descending=True, stable=True)


def _settle_best(bounds: Bounds, raw: Array, rows: Array, k: int) -> Array:
    """Settle the `k` of each query's list that look best; the lowest of their scores, `(n,)`."""
    xp = array_namespace(raw)
    flat = xp.reshape(rows, (-1,))
    likely = raw - xp.reshape(xp.take(bounds.values, flat), rows.shape)
    best = xp.argsort(likely, axis=1, descending=True, stable=True)[:, :k]
    chosen = xp.take_along_axis(rows, best, axis=1)
    bounds.settle(xp.unique_values(xp.reshape(chosen, (-1,))))
    values = xp.reshape(xp.take(bounds.values, flat), rows.shape)
    settled = xp.reshape(xp.take(bounds.exact, flat), rows.shape)
    final = xp.where(settled, raw - values, -xp.inf)
    return xp.sort(final, axis=1, descending=True)[:, k - 1]


def _reach(queries: Array, candidates: Array, thresholds: Array) -> Array:
    """The largest `r` at which a candidate still reaches the threshold of a query, `(m,)`.

    A little more than that, by what products and thresholds may be wrong by.
    """
    xp = array_namespace(queries)
    found = []
    for first, last in blocks(candidates.shape[0], _topk.COLUMNS):
        part = candidates[first:last, :].T
        highest = [
            xp.max(queries[begin:end, :] @ part - thresholds[begin:end][:, None], axis=0)
            for begin, end in blocks(queries.shape[0], _topk.ROWS)
        ]
        found.append(xp.max(xp.stack(highest), axis=0))
    # Rows of length two and one, a threshold and a mean, none of them wrong by more than a share of
    # what `_scanning.margins` allows.
    margin = 4 * (queries.shape[1] + 8) * float(xp.finfo(queries.dtype).eps)
    return xp.concat(found) + margin
