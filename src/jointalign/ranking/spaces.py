"""The spaces that words are compared in, and the candidates they offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from jointalign.alignment.api import apply, fit
from jointalign.alignment.base import Aligner
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.numerics.clusters import Clusters
from jointalign.numerics.normalize import unit
from jointalign.numerics.scanning import entries
from jointalign.ranking.spelling import Spellings

BACKWARD = 20
"""How far down the list of a candidate the source word is looked for."""

COMPARED = 2048
"""Words that a word is compared with, those of the groups nearest to it: the same in vocabularies of
any size, so that the cost grows in proportion."""

_FOR_HUBS = 1024  # their means change by less than a thousandth of their spread

_NEIGHBOURHOOD = 10  # Conneau et al. (2018)
_FREQUENT = 10_000


@dataclass(frozen=True, eq=False)
class View:
    """Both vocabularies in one space.

    Args:
        source: Unit rows `(n, d)`.
        target: Unit rows `(m, d)`.
        source_hubs: Mean cosine of each source word and its ten nearest target words, about.
        target_hubs: The same of each target word.
        near: Both sides in groups, for searches.
    """

    source: np.ndarray
    target: np.ndarray
    source_hubs: np.ndarray
    target_hubs: np.ndarray
    near: tuple[Clusters, Clusters]

    @classmethod
    def of(cls, source: np.ndarray, target: np.ndarray) -> View:
        """Look for the hubs among unit rows."""
        near = Clusters.of(source), Clusters.of(target)
        hubs = _mean_highest(source, near[1]), _mean_highest(target, near[0])
        return cls(source, target, *hubs, near)

    def cosines(self, pairs: np.ndarray) -> np.ndarray:
        """Of pairs of rows `(p, 2)`: the same for a pair alone and among others."""
        return entries(self.source, self.target, pairs, np.zeros(len(self.target), np.float32))

    def csls(self, pairs: np.ndarray) -> np.ndarray:
        """Of pairs of rows `(p, 2)`."""
        hubs = self.source_hubs[pairs[:, 0]] + self.target_hubs[pairs[:, 1]]
        return 2 * self.cosines(pairs) - hubs

    def nearest(self, rows: np.ndarray, count: int) -> np.ndarray:
        """The `count` best target words of some source words by CSLS, int64 `(k, count)`; -1 for none."""
        return self.near[1].best(self.source[rows], count, COMPARED, self.target_hubs / 2)[1]

    def nearest_back(self, rows: np.ndarray, count: int) -> np.ndarray:
        """The same of source words for some target words."""
        return self.near[0].best(self.target[rows], count, COMPARED, self.source_hubs / 2)[1]


def _mean_highest(x: np.ndarray, others: Clusters) -> np.ndarray:
    scores = others.best(x, _NEIGHBOURHOOD, _FOR_HUBS)[0]
    return np.where(np.isfinite(scores), scores, 0).mean(axis=1, dtype=np.float64).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Views:
    """All spaces of a run, and the mean of them.

    Args:
        each: One a space.
        mean: Its CSLS is the mean of theirs; the only one of `each` if there is one.
        level: Mean CSLS of the first candidates of frequent source words, and its deviation, by
            which features of vectors of any program become alike.
    """

    each: tuple[View, ...]
    mean: View
    level: tuple[float, float]
    _backward: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        spaces: Sequence[BilingualEmbedding],
        sides: tuple[Embedding, Embedding],
        method: Aligner | None,
        lexicon: Lexicon,
        seed: int,
    ) -> Views:
        """Learn a mapping for each space, where there is a method, and line up the words.

        Args:
            spaces: Each with both languages.
            sides: The source and target words to compare; those a space lacks are near nothing there.
            method: How spaces are mapped; `None` leaves them as they are.
            lexicon: All that mappings may see.
            seed: Of the method.
        """
        each = []
        for space in spaces:
            if method is not None:
                space = apply(fit(space, method, lexicon, seed=seed), space)
            each.append(View.of(_rows_of(space.source, sides[0]), _rows_of(space.target, sides[1])))
        mean = each[0] if len(each) == 1 else _mean(each)
        some = np.arange(0, min(len(mean.source), _FREQUENT), max(1, min(len(mean.source), _FREQUENT) // 500))
        first = mean.nearest(some, 1)[:, 0]
        scores = mean.csls(np.stack([some, first], axis=1)[first >= 0]).astype(np.float64)
        level = float(np.median(scores)), float(max(scores.std(), 1e-3))
        return cls(tuple(each), mean, level)

    def backward(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The `BACKWARD` best source words of some distinct target words, -1 for none, and their CSLS.

        What was worked out before is kept: 8 bytes for each of them.
        """
        view, kept = self.mean, self._backward
        depth = min(BACKWARD, len(view.source))
        if not kept:
            kept["rows"] = np.full((len(view.target), depth), -2, np.int32)
            kept["scores"] = np.zeros((len(view.target), depth), np.float32)
        new = targets[kept["rows"][targets, 0] == -2]
        if len(new):
            rows = view.nearest_back(new, depth)
            pairs = np.stack([np.maximum(rows, 0).ravel(), np.repeat(new, depth)], axis=1)
            scores = np.where(rows < 0, -np.inf, view.csls(pairs).reshape(rows.shape))
            kept["rows"][new], kept["scores"][new] = rows, scores
        return kept["rows"][targets], kept["scores"][targets]


def _mean(each: Sequence[View]) -> View:
    from_source, from_target = (
        np.mean([getattr(view, name) for view in each], axis=0) for name in ("source_hubs", "target_hubs")
    )
    source, target = (unit(np.hstack([getattr(v, name) for v in each])) for name in ("source", "target"))
    return View(source, target, from_source, from_target, (Clusters.of(source), Clusters.of(target)))


def _rows_of(side: Embedding, wanted: Embedding) -> np.ndarray:
    """Unit vectors of the wanted words; zeros for words that the side lacks."""
    if side.words == wanted.words:
        return unit(np.asarray(side.vectors))
    rows = np.array([side.vocabulary.rows.get(word, -1) for word in wanted.words], np.int64)
    vectors = np.zeros((len(rows), side.dimensions), np.float32)
    vectors[rows >= 0] = unit(np.asarray(side.vectors[rows[rows >= 0]]))
    return vectors


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs to judge, those of a query one after the other.

    Args:
        pairs: Source row and target row, int64 `(p, 2)`.
        queries: Place of each pair's source word among the queries, rising, int64 `(p,)`.
    """

    pairs: np.ndarray
    queries: np.ndarray


def propose(
    views: Views, spellings: Spellings, rows: np.ndarray, nearest: int, of_each: int, alike: int
) -> Candidates:
    """What each of some distinct source rows may be translated by.

    Args:
        views: Where to look.
        spellings: For words that are written alike.
        rows: The source words.
        nearest: Best by the mean CSLS.
        of_each: Best in each space, if there are several.
        alike: Nearest in spelling; 0 for none.

    Raises:
        JointalignError: If a number is negative, or `nearest` is not positive.
    """
    if nearest < 1 or min(of_each, alike) < 0:
        raise JointalignError(f"expected numbers of candidates, got {(nearest, of_each, alike)}")
    lists = [views.mean.nearest(rows, nearest)]
    if len(views.each) > 1 and of_each:
        lists += [view.nearest(rows, of_each) for view in views.each]
    if alike:
        lists.append(spellings.nearest(rows, alike))
    targets = np.hstack(lists)
    queries = np.repeat(np.arange(len(rows)), targets.shape[1])
    size = len(views.mean.target)
    kept = targets.ravel() >= 0
    keys = np.unique(queries[kept] * size + targets.ravel()[kept])
    queries, found = keys // size, keys % size
    return Candidates(np.stack([rows[queries], found], axis=1), queries)
