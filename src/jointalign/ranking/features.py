"""What is known of a pair of words, in five groups.

- `vectors`: in how far the spaces hold the two words for translations of each other.
- `frequency`: how often either occurs.
- `spelling`: how alike they are written.
- `affixes`: whether their beginnings and endings go together in the dictionary.
- `neighbours`: whether the words near them are translations of each other in the dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.embedding import Embedding
from jointalign.ranking.affixes import KINDS, UNKNOWN, AffixNumbers, association
from jointalign.ranking.letters import correspondence
from jointalign.ranking.neighbours import agreement
from jointalign.ranking.spaces import BACKWARD, Candidates, View, Views
from jointalign.ranking.spelling import FEATURES, Spellings, alike, codes, plain
from jointalign.vocabulary import Vocabulary

GROUPS = ("vectors", "frequency", "spelling", "affixes", "neighbours")


@dataclass(frozen=True, eq=False)
class Surface:
    """All that is known of two vocabularies without any space; worked out once.

    Args:
        words: Source words and target words as they are.
        numbers: Equal for equal words, `(n,)` and `(m,)`.
        frequencies: Logarithm of the relative frequency of each, `(n,)` and `(m,)`.
        letters: Their plain letters and lengths, of source and target.
        spellings: Their n-grams.
        affixes: Their affixes.
    """

    words: tuple[tuple[str, ...], tuple[str, ...]]
    numbers: tuple[np.ndarray, np.ndarray]
    frequencies: tuple[np.ndarray, np.ndarray]
    letters: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    spellings: Spellings
    affixes: tuple[AffixNumbers, AffixNumbers]

    @classmethod
    def of(cls, source: Embedding, target: Embedding) -> Surface:
        """Look at two vocabularies."""
        plains = [[plain(word) for word in side.words] for side in (source, target)]
        return cls(
            (source.words, target.words),
            _numbers(source, target),
            (_log_frequencies(source.vocabulary), _log_frequencies(target.vocabulary)),
            (codes(plains[0]), codes(plains[1])),
            Spellings.of(*plains),
            (AffixNumbers.of(plains[0]), AffixNumbers.of(plains[1])),
        )


def _numbers(source: Embedding, target: Embedding) -> tuple[np.ndarray, np.ndarray]:
    """A source word's row; that of the same source word, or -1, for a target word."""
    rows = source.vocabulary.rows
    return np.arange(len(source)), np.array([rows.get(word, -1) for word in target.words], np.int64)


def _log_frequencies(vocabulary: Vocabulary) -> np.ndarray:
    """By count; where a file has none, by rank as Zipf has it."""
    counts = vocabulary.counts.astype(np.float64)
    if not counts.any():
        counts = 1 / (np.arange(len(counts)) + 3.0)
    return np.log(np.maximum(counts, 0.5) / max(counts.sum(), 1e-9)).astype(np.float32)


NAMES = tuple(
    (group, name)
    for group, some in zip(
        GROUPS,
        (
            ("csls", "margin", "place", "backward margin", "backward place", "cosine", "hubness", "density")
            + ("highest csls", "lowest csls"),
            ("difference", "size of difference", "source", "target"),
            (*FEATURES, "n-grams", "same", "source letters", "target letters", "edit gap", "letters"),
            tuple(f"{'end' if end else 'start'} {length}" for length, end in KINDS),
            ("agreement", "correlation", "agreement gap"),
        ),
        strict=True,
    )
    for name in some
)
"""Group and name of each column of `features`."""


def without_pairs(values: np.ndarray) -> np.ndarray:
    """The columns as they are where no pair is known: without letters, affixes and neighbours."""
    values = values.copy()
    for at, (group, name) in enumerate(NAMES):
        if group in ("affixes", "neighbours") or name == "letters":
            values[:, at] = UNKNOWN if group == "affixes" else 0
    return values


def features(views: Views, surface: Surface, candidates: Candidates, known: np.ndarray) -> np.ndarray:
    """The columns named by `NAMES`, float32 `(p, f)`.

    Args:
        views: Spaces whose mappings saw no other pairs than `known`.
        surface: Of both vocabularies.
        candidates: The pairs, complete for each query.
        known: Rows of the dictionary's pairs, `(k, 2)`: all that affixes and letters are counted on.
    """
    columns = [*_vectors(views, candidates), *_frequency(surface, candidates.pairs)]
    columns += _spelling(surface, candidates, known)
    columns += [*association(*surface.affixes, known, candidates.pairs).T]
    columns += _neighbours(views.mean, candidates, known)
    return np.column_stack(columns).astype(np.float32)


def _vectors(views: Views, candidates: Candidates) -> list[np.ndarray]:
    """In units of the space: centred on what first candidates have."""
    pairs, queries = candidates.pairs, candidates.queries
    (middle, spread), view = views.level, views.mean
    score = view.csls(pairs)
    place, margin = _standing(score, queries)
    backward_margin, backward_place = _backward(views, pairs, score)
    density, hubness = view.source_hubs[pairs[:, 0]], view.target_hubs[pairs[:, 1]]
    own = [score] if len(views.each) == 1 else [each.csls(pairs) for each in views.each]
    columns = [(score - middle) / spread, margin / spread, np.log1p(place), backward_margin / spread]
    columns += [backward_place, *((some - _usual(view)) / spread for some in (view.cosines(pairs), hubness))]
    columns += [(density - _usual(view)) / spread]
    return [*columns, *((some - middle) / spread for some in (np.max(own, axis=0), np.min(own, axis=0)))]


def _usual(view: View) -> float:
    return float(np.median(view.source_hubs))


def _standing(score: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of each score among those of its query, from 0, and the lead over the best other."""
    order = np.lexsort((-score, queries))
    starts = np.searchsorted(queries, np.arange(int(queries.max(initial=-1)) + 1))
    place = np.empty(len(score), np.int64)
    place[order] = np.arange(len(score)) - starts[queries[order]]
    best = score[order[starts]]
    ends = np.append(starts[1:], len(score))
    second = np.where(ends - starts > 1, score[order[np.minimum(starts + 1, ends - 1)]], best)
    rival = np.where(place == 0, second[queries], best[queries])
    return place, score - rival


def _backward(views: Views, pairs: np.ndarray, score: np.ndarray) -> list[np.ndarray]:
    """How the source word stands among all source words, seen from the candidate."""
    targets, inverse = np.unique(pairs[:, 1], return_inverse=True)
    rows, scores = views.backward(targets)
    here = rows[inverse] == pairs[:, :1]
    place = np.where(here.any(axis=1), here.argmax(axis=1), BACKWARD)
    second = scores[:, min(1, scores.shape[1] - 1)]
    rival = np.where(place == 0, second[inverse], scores[inverse, 0])
    return [np.where(np.isfinite(rival), score - rival, 0), np.log1p(place)]


def _frequency(surface: Surface, pairs: np.ndarray) -> list[np.ndarray]:
    source = surface.frequencies[0][pairs[:, 0]]
    target = surface.frequencies[1][pairs[:, 1]]
    return [target - source, np.abs(target - source), source, target]


def _spelling(surface: Surface, candidates: Candidates, known: np.ndarray) -> list[np.ndarray]:
    pairs, queries = candidates.pairs, candidates.queries
    (source, source_lengths), (target, target_lengths) = surface.letters
    found = alike(source, source_lengths, target, target_lengths, pairs)
    same = surface.numbers[0][pairs[:, 0]] == surface.numbers[1][pairs[:, 1]]
    lengths = [source_lengths[pairs[:, 0]], target_lengths[pairs[:, 1]]]
    none = np.zeros(len(pairs), np.float32)  # what a letter stands for is not known: `edit` knows the rest
    letters = correspondence(surface.letters, known, pairs) if len(known) else none
    grams = surface.spellings.cosines(pairs)
    return [*found.T, grams, same, *lengths, _gap(found[:, 0], queries), letters]


def _neighbours(view: View, candidates: Candidates, known: np.ndarray) -> list[np.ndarray]:
    pairs, queries = candidates.pairs, candidates.queries
    found = agreement(view.source, view.target, known, pairs)
    return [*found.T, _gap(found[:, 0], queries)]


def _gap(values: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """By how much each falls short of the best of its query."""
    best = np.full(int(queries.max(initial=-1)) + 1, -np.inf, np.float32)
    np.maximum.at(best, queries, values)
    return values - best[queries]
