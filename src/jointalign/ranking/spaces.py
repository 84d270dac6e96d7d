"""The spaces that words are compared in, and the candidates they offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from jointalign.alignment.api import apply, fit, training_pairs
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

RETURNED = 5
"""A target word is a candidate of so many source words that are its own best: few, and often right."""

COMPARED = 2048
"""Words that a word is compared with, those of the groups nearest to it: the same in vocabularies of
any size, so that the cost grows in proportion."""

_FOR_HUBS = 1024  # their means change by less than a thousandth of their spread

_NEIGHBOURHOOD = 10  # Conneau et al. (2018)
_FREQUENT = 10_000

# Of words spelt alike, those so frequent and so long are mostly translations.
_COMMON, _TELLING = 20_000, 4


Groups = tuple[Clusters, Clusters]
"""Of source words and target words."""


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
    def of(cls, source: np.ndarray, target: np.ndarray, groups: Groups) -> View:
        """Look for the hubs among unit rows of both sides, in groups that are theirs or like theirs."""
        near = groups[0].of_others(source), groups[1].of_others(target)
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
        """The same of source words for some target words, half as many compared: it is asked of all."""
        return self.near[0].best(self.target[rows], count, COMPARED // 2, self.source_hubs / 2)[1]


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
        groups: Groups | None = None,
        *,
        few: bool = False,
    ) -> Views:
        """Learn a mapping for each space, where there is a method, and line up the words.

        Args:
            spaces: Each with both languages.
            sides: The source and target words to compare; those a space lacks are near nothing there.
            method: How spaces are mapped; `None` leaves them as they are.
            lexicon: All that mappings may see.
            seed: Of the method.
            groups: From `grouped`; default: worked out here.
            few: The pairs are so few that words spelt alike have to help, and that a mapping may be worse
                than none: of both, the one by which frequent words have the surer translations is kept.
        """
        groups = groups or grouped(spaces, sides)
        each = []
        for space in spaces:
            pairs = _with_identical(lexicon, space) if few else lexicon
            tried = [space] if method is None or few else []
            if method is not None and (len(training_pairs(space, pairs)[0]) or not few):
                tried.append(apply(fit(space, method, pairs, seed=seed), space))
            views = (
                View.of(_rows_of(one.source, sides[0]), _rows_of(one.target, sides[1]), groups)
                for one in tried
            )
            each.append(max(views, key=_level))
        mean = each[0] if len(each) == 1 else _mean(each, groups)
        return cls(tuple(each), mean, _level(mean))

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

    @cached_property
    def returns(self) -> _Returns:
        """Target words by the `RETURNED` source words that are best for each."""
        everything = np.arange(len(self.mean.target))
        return _Returns.of(self.backward(everything)[0][:, :RETURNED], len(self.mean.source))


@dataclass(frozen=True, eq=False)
class _Returns:
    """For each source word, the target words that have it among their best source words.

    Args:
        starts: Where those of each source word begin, `(n + 1,)`.
        targets: Rows of target words.
    """

    starts: np.ndarray
    targets: np.ndarray

    @classmethod
    def of(cls, best: np.ndarray, sources: int) -> _Returns:
        """Turn round the best source words of all target words, `(m, k)`; -1 for none."""
        targets, places = np.nonzero(best >= 0)
        rows = best[targets, places]
        order = np.argsort(rows, kind="stable")
        return cls(np.searchsorted(rows[order], np.arange(sources + 1)), targets[order])

    def to(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places in `rows`, and target words that return to the source word there."""
        counts = self.starts[rows + 1] - self.starts[rows]
        queries = np.repeat(np.arange(len(rows)), counts)
        offsets = np.arange(len(queries)) - np.repeat(np.cumsum(counts) - counts, counts)
        return queries, self.targets[np.repeat(self.starts[rows], counts) + offsets]


def _level(view: View) -> tuple[float, float]:
    """Median CSLS of the first candidates of frequent source words, and its deviation."""
    frequent = min(len(view.source), _FREQUENT)
    some = np.arange(0, frequent, max(1, frequent // 500))
    first = view.nearest(some, 1)[:, 0]
    scores = view.csls(np.stack([some, first], axis=1)[first >= 0]).astype(np.float64)
    return float(np.median(scores)), float(max(scores.std(), 1e-3))


def _with_identical(lexicon: Lexicon, space: BilingualEmbedding) -> Lexicon:
    """Its pairs, and frequent words that both languages spell alike."""
    sides = space.source_only.vocabulary, space.target_only.vocabulary
    frequent, rows = sides[0].words[:_COMMON], sides[1].rows
    alike = (w for w in frequent if len(w) >= _TELLING and w.isalpha() and rows.get(w, _COMMON) < _COMMON)
    return replace(lexicon, pairs=tuple(dict.fromkeys((*lexicon, *((word, word) for word in alike)))))


def grouped(spaces: Sequence[BilingualEmbedding], sides: tuple[Embedding, Embedding]) -> Groups:
    """Words in groups by all spaces before any is mapped: rotations keep what is near together."""
    source = unit(np.hstack([_rows_of(space.source, sides[0]) for space in spaces]))
    target = unit(np.hstack([_rows_of(space.target, sides[1]) for space in spaces]))
    return Clusters.of(source), Clusters.of(target)


def _mean(each: Sequence[View], groups: Groups) -> View:
    from_source, from_target = (
        np.mean([getattr(view, name) for view in each], axis=0) for name in ("source_hubs", "target_hubs")
    )
    source, target = (unit(np.hstack([getattr(v, name) for v in each])) for name in ("source", "target"))
    near = groups[0].of_others(source), groups[1].of_others(target)
    return View(source, target, from_source, from_target, near)


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
    keys = queries[kept] * size + targets.ravel()[kept]
    returning, back = views.returns.to(rows)
    keys = np.unique(np.concatenate([keys, returning * size + back]))
    queries, found = keys // size, keys % size
    return Candidates(np.stack([rows[queries], found], axis=1), queries)
