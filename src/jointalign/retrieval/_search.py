"""One search: hubness known from before, or worked out for as few candidates as can do.

The result is always that of comparing all with all; see `_pruning` for why.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from jointalign.errors import JointalignError
from jointalign.numerics.normalize import unit
from jointalign.numerics.topk import Array, Best, places, top
from jointalign.retrieval import _pruning
from jointalign.retrieval._pruning import Bounds as LazyHubness
from jointalign.retrieval.base import Score, check, hubness, mean_similarity


@dataclass(frozen=True, eq=False)
class Search:
    """Ranks candidates by `queries @ candidates.T - hubs`.

    Args:
        queries: Unit rows times the scale of the score, `(n, d)`.
        candidates: Unit rows, `(m, d)`.
        hubs: Of the candidates, `(m,)`, or lazy.
    """

    queries: Array
    candidates: Array
    hubs: Array | LazyHubness

    @classmethod
    def of(
        cls,
        queries: Array,
        candidates: Array,
        sources: Array,
        score: Score,
        hubs: Array | LazyHubness,
        wanted: int,
    ) -> Search:
        """Prepare to find so many candidates of each query; `hubs` are `None` if not known."""
        scaled, targets = unit(queries) * score.scale, unit(candidates)
        if hubs is not None:
            _check(hubs, targets, score)
        elif score.is_csls and _pruning.pays(scaled.shape[0], wanted, targets, sources):
            check(candidates, sources)
            hubs = LazyHubness.start(targets, sources, score.neighbourhood)
        else:
            hubs = hubness(candidates, sources, score)
        return cls(scaled, targets, hubs)

    def best(self, k: int) -> Best:
        """The `k` best of each query: scores and rows, `(n, min(k, m))`."""
        if isinstance(self.hubs, LazyHubness):
            return _pruning.nearest(self.queries, self.hubs, min(k, self.candidates.shape[0]))
        return top(self.queries, self.candidates, k, self.hubs)

    def places(self, pairs: Array) -> Array:
        """Place of the second of each pair, a candidate, for the first, a query, from 1."""
        if not isinstance(self.hubs, LazyHubness):
            return places(self.queries, self.candidates, pairs, self.hubs)
        xp = array_namespace(pairs)
        rows, hubs = _pruning.above(self.queries, self.hubs, pairs)
        among = xp.stack([pairs[:, 0], xp.searchsorted(rows, pairs[:, 1])], axis=1)
        return places(self.queries, xp.take(self.candidates, rows, axis=0), among, hubs)


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


def _check(hubs: Array | LazyHubness, targets: Array, score: Score) -> None:
    """Refuse hubness of other candidates, or of another score, where that can be seen."""
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
