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
from jointalign.numerics.normalize import unit
from jointalign.ranking.spelling import Spellings
from jointalign.retrieval.api import both_similarities, neighbours

BACKWARD = 50
"""How far down the list of a candidate the source word is looked for."""


@dataclass(frozen=True, eq=False)
class View:
    """Both vocabularies in one space.

    Args:
        source: Unit rows `(n, d)`.
        target: Unit rows `(m, d)`.
        source_hubs: Mean cosine of each source word and its ten nearest target words.
        target_hubs: The same of each target word.
    """

    source: np.ndarray
    target: np.ndarray
    source_hubs: np.ndarray
    target_hubs: np.ndarray

    def cosines(self, pairs: np.ndarray, block: int = 16384) -> np.ndarray:
        """Of pairs of rows `(p, 2)`."""
        found = np.empty(len(pairs), np.float32)
        for start in range(0, len(pairs), block):
            some = pairs[start : start + block]
            rows = self.source[some[:, 0]], self.target[some[:, 1]]
            found[start : start + block] = np.einsum("ij,ij->i", *rows)
        return found

    def csls(self, pairs: np.ndarray) -> np.ndarray:
        """Of pairs of rows `(p, 2)`."""
        hubs = self.source_hubs[pairs[:, 0]] + self.target_hubs[pairs[:, 1]]
        return 2 * self.cosines(pairs) - hubs

    def nearest(self, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the `count` best target words of some source words, and their CSLS."""
        density = self.source_hubs[rows]
        found = neighbours(self.source[rows], self.target, count, hubs=self.target_hubs, density=density)
        return found.rows, found.scores


@dataclass(frozen=True, eq=False)
class Views:
    """All spaces of a run, and the mean of them.

    Args:
        each: One a space.
        mean: Its CSLS is the mean of theirs; the only one of `each` if there is one.
    """

    each: tuple[View, ...]
    mean: View
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
            source = _rows_of(space.source, sides[0])
            target = _rows_of(space.target, sides[1])
            each.append(View(source, target, *both_similarities(source, target)))
        if len(each) == 1:
            return cls(tuple(each), each[0])
        hubs = [np.mean([getattr(v, name) for v in each], axis=0) for name in ("source_hubs", "target_hubs")]
        source = np.hstack([view.source for view in each])
        target = np.hstack([view.target for view in each])
        return cls(tuple(each), View(unit(source), unit(target), *hubs))

    def backward(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The `BACKWARD` best source words of some distinct target words, and their CSLS.

        What was worked out before is kept: 12 bytes for each of them.
        """
        view, kept = self.mean, self._backward
        depth = min(BACKWARD, len(view.source))
        if not kept:
            kept["rows"] = np.full((len(view.target), depth), -1, np.int32)
            kept["scores"] = np.zeros((len(view.target), depth), np.float32)
        new = targets[kept["rows"][targets, 0] < 0]
        if len(new):
            density = view.target_hubs[new]
            found = neighbours(view.target[new], view.source, depth, hubs=view.source_hubs, density=density)
            kept["rows"][new], kept["scores"][new] = found.rows, found.scores
        return kept["rows"][targets], kept["scores"][targets]


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
    lists = [views.mean.nearest(rows, nearest)[0]]
    if len(views.each) > 1 and of_each:
        lists += [view.nearest(rows, of_each)[0] for view in views.each]
    if alike:
        lists.append(spellings.nearest(rows, alike))
    targets = np.hstack(lists)
    queries = np.repeat(np.arange(len(rows)), targets.shape[1])
    size = len(views.mean.target)
    kept = targets.ravel() >= 0
    keys = np.unique(queries[kept] * size + targets.ravel()[kept])
    queries, found = keys // size, keys % size
    return Candidates(np.stack([rows[queries], found], axis=1), queries)
