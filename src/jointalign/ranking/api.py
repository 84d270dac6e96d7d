"""Ranking: learn from a dictionary how far to trust vectors, frequency, spelling and affixes.

The dictionary is cut into folds by source word. What the learner sees of a fold's words comes from
mappings and affix counts that did not see them, or it would learn to trust what the mapping has by
heart. Probabilities are calibrated on scores of words that neither mapping nor learner saw. A pair
is "right" if it is in the dictionary: a good translation that the dictionary lacks counts as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from jointalign.alignment.base import Aligner
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.vecmap import VecMap
from jointalign.bli.api import Results
from jointalign.bli.base import AS_MUSE, DEPTH, Conditions
from jointalign.bli.lists import evaluate_lists
from jointalign.checks import check_fields, checked
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.ranking.calibration import (
    Calibration,
    Reliability,
    calibration_error,
    reliability,
    threshold_for,
)
from jointalign.ranking.features import GROUPS, NAMES, Surface, features
from jointalign.ranking.learner import Learner, Logistic, Trees, chosen, learn
from jointalign.ranking.spaces import Candidates, Views, propose

EVIDENCE = ("vectors", "spelling", "affixes")
"""What may speak for a pair."""

_FEWEST_PAIRS = 100
_BLOCK = 4096


@dataclass(frozen=True)
class Ranked:
    """One translation of one word.

    Args:
        source: The word.
        target: Its translation.
        probability: Of being in a dictionary such as the one learnt from.
        rank: Place among the candidates of the word, from 1.
        given: Whether the pair is in that dictionary.
        evidence: What speaks for the pair, of `vectors`, `spelling` and `affixes`.
    """

    source: str
    target: str
    probability: float
    rank: int
    given: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class HeldOut:
    """How good the ranking is on words of the dictionary that it did not see.

    Args:
        words: How many.
        p_at_1: Percentage with a right translation first.
        p_at_1_unranked: The same by the mean CSLS alone.
        candidate_recall: Percentage with a right translation among the candidates.
        calibration_error: Expected calibration error of the first translations.
        reliability: Bins of their reliability diagram.
        learner: Which one learnt.
    """

    words: int
    p_at_1: float
    p_at_1_unranked: float
    candidate_recall: float
    calibration_error: float
    reliability: tuple[Reliability, ...]
    learner: str

    def to_json(self) -> dict[str, object]:
        """All of it as plain types."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """Rows of the dictionary's words, each as of a word that nothing has seen.

    Args:
        rows: Features `(p, f)`.
        right: Whether the pair is in the dictionary, `(p,)`.
        queries: Number of the source word, over all folds, `(p,)`.
        folds: Fold of the source word, `(p,)`.
    """

    rows: np.ndarray
    right: np.ndarray
    queries: np.ndarray
    folds: np.ndarray


@dataclass(frozen=True)
class Ranker:
    """Settings of ranking.

    Args:
        learner: Default: boosting for large dictionaries if LightGBM is installed, else logistic.
        groups: Groups of features to learn from; default: all.
        method: How each space is mapped, within the folds and at the end. `auto`: supervised VecMap
            where the dictionary has twice as many pairs as dimensions, refined Procrustes from 100
            pairs on, else nothing. `none`: the spaces are left as they are, which is honest only if
            they were not aligned with this dictionary.
        nearest: Candidates by the mean CSLS of all spaces.
        of_each: And by each space, if there are several.
        alike: And by spelling.
        folds: Parts of the dictionary for cross-fitting.
        max_vocabulary: Only so many of the most frequent words of each language.

    Raises:
        JointalignError: If there are fewer than two folds, or an unknown group.
    """

    learner: Learner = Learner.AUTO
    groups: tuple[str, ...] = GROUPS
    method: Aligner | str = "auto"
    nearest: int = 20
    of_each: int = 5
    alike: int = 5
    folds: int = 3
    max_vocabulary: int = 200_000

    def __post_init__(self) -> None:
        check_fields(self)
        if self.folds < 2:
            raise JointalignError(f"cross-fitting needs two folds or more, got {self.folds}")
        strange = [group for group in self.groups if group not in GROUPS]
        if strange or not self.groups:
            raise JointalignError(f"groups of features are {', '.join(GROUPS)}; got {self.groups}")

    def fit(
        self,
        spaces: Sequence[BilingualEmbedding],
        lexicon: Lexicon,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> FittedRanker:
        """Learn to rank.

        Args:
            spaces: One or several, e.g. from joint and separate training; the words are the first's.
            lexicon: The training dictionary.
            seed: The only source of randomness: decides folds, and what the learner draws.
            progress: Called after each fold.

        Raises:
            JointalignError: If there is no space, or too few of the dictionary's words are known.
        """
        if not spaces:
            raise JointalignError("there is nothing to rank by: give one space or more")
        sides = spaces[0].sides(self.max_vocabulary)
        method = self._method(spaces, lexicon)
        surface = Surface.of(*sides)
        seen = crossfit(self, spaces, sides, surface, method, lexicon, seed, progress)
        columns = self._columns()
        learner = chosen(Learner(self.learner), int(seen.right.sum()))
        firsts, calibration, held_out = _judged(seen, columns, learner, seed)
        model = learn(learner, seen.rows[:, columns], seen.right, seen.queries, seed)
        views = Views.of(spaces, sides, method, lexicon, seed)
        known = lexicon.rows(sides[0].vocabulary, sides[1].vocabulary)
        return FittedRanker(self, sides, surface, views, lexicon, known, model, calibration, held_out, firsts)

    def _columns(self) -> np.ndarray:
        return np.array([at for at, (group, _) in enumerate(NAMES) if group in self.groups])

    def _method(self, spaces: Sequence[BilingualEmbedding], lexicon: Lexicon) -> Aligner | None:
        if isinstance(self.method, Aligner):
            return self.method
        if self.method not in ("auto", "none"):
            raise JointalignError(f"expected a method, 'auto' or 'none', got '{self.method}'")
        sizes = [
            (len(lexicon.rows(s.source_only.vocabulary, s.target_only.vocabulary)), s.dimensions)
            for s in spaces
        ]
        left = [(pairs * (self.folds - 1) / self.folds, dimensions) for pairs, dimensions in sizes]
        if self.method == "none" or any(pairs < _FEWEST_PAIRS for pairs, _ in sizes):
            return None
        if all(pairs >= 2 * dimensions for pairs, dimensions in left):
            return VecMap.supervised()
        return RefinedProcrustes()


@checked
def rank(
    spaces: Sequence[BilingualEmbedding] | BilingualEmbedding,
    lexicon: Lexicon,
    words: Sequence[str],
    *,
    count: int = 5,
    ranker: Ranker | None = None,
    seed: int = 0,
) -> list[list[Ranked]]:
    """Learn to rank from a dictionary, and translate words.

    Args:
        spaces: One space with both languages, or several.
        lexicon: The training dictionary.
        words: Source words.
        count: Translations a word.
        ranker: Settings; default: `Ranker()`.
        seed: The only source of randomness.

    Returns:
        The translations of each word, best first; none for words that have no vector.

    Raises:
        JointalignError: As `Ranker.fit`.
    """
    given = [spaces] if isinstance(spaces, BilingualEmbedding) else spaces
    return (ranker or Ranker()).fit(given, lexicon, seed=seed).rank(words, count)


@dataclass(frozen=True, eq=False)
class FittedRanker:
    """A ranker that has learnt, and the spaces it ranks in.

    Args:
        ranker: Its settings.
        sides: Source and target words.
        surface: What is known of them without vectors.
        views: The spaces, mapped with the whole dictionary.
        lexicon: The dictionary.
        known: Rows of its pairs, `(k, 2)`.
        model: What tells right from wrong.
        calibration: From its scores to probabilities.
        held_out: How good it is.
        firsts: Probability of the first translation of each held-out word, and whether it is right.
    """

    ranker: Ranker
    sides: tuple[Embedding, Embedding]
    surface: Surface
    views: Views
    lexicon: Lexicon
    known: np.ndarray
    model: Logistic | Trees
    calibration: Calibration
    held_out: HeldOut
    firsts: tuple[np.ndarray, np.ndarray]

    @cached_property
    def _given(self) -> set[tuple[int, int]]:
        return set(map(tuple, self.known.tolist()))

    def threshold(self, precision: float) -> float | None:
        """The probability from which on so many first translations of held-out words are right.

        Returns:
            `None` if no probability is high enough.
        """
        return threshold_for(precision, *self.firsts)

    def rank(self, words: Sequence[str], count: int = 5) -> list[list[Ranked]]:
        """Translations of source words, best first.

        Args:
            words: In any order; each may come again.
            count: Translations a word.

        Returns:
            A list a word; empty for words without a vector.

        Raises:
            JointalignError: If `count` is not positive.
        """
        if count < 1:
            raise JointalignError(f"count must be positive, got {count}")
        rows = self.sides[0].vocabulary.rows
        wanted = np.array([rows[word] for word in dict.fromkeys(words) if word in rows], np.int64)
        found: dict[str, list[Ranked]] = {}
        for start in range(0, len(wanted), _BLOCK):
            found |= self._block(wanted[start : start + _BLOCK], count)
        return [list(found.get(word, ())) for word in words]

    def _block(self, rows: np.ndarray, count: int) -> dict[str, list[Ranked]]:
        settings = self.ranker
        candidates = propose(
            self.views, self.surface.spellings, rows, settings.nearest, settings.of_each, settings.alike
        )
        values = features(self.views, self.surface, candidates, self.known)
        columns = settings._columns()
        scores = self.model.scores(values[:, columns])
        order = np.lexsort((candidates.pairs[:, 1], -scores, candidates.queries))
        starts = np.searchsorted(candidates.queries, np.arange(len(rows) + 1))
        is_first = np.zeros(len(scores), bool)
        is_first[order[starts[:-1]]] = True
        chances = self.calibration.probabilities(scores, is_first)
        # No translation is surer than the one before it.
        chances = np.minimum(chances, chances[order[starts[candidates.queries]]])
        evidence = _Evidence.of(values)
        source, target = self.surface.words
        found = {}
        for query, row in enumerate(rows.tolist()):
            places = order[starts[query] : starts[query + 1]][:count].tolist()
            found[source[row]] = [
                Ranked(
                    source[row],
                    target[candidates.pairs[at, 1]],
                    float(chances[at]),
                    place,
                    (row, int(candidates.pairs[at, 1])) in self._given,
                    evidence.words(at),
                )
                for place, at in enumerate(places, start=1)
            ]
        return found

    def evaluate(self, lexicon: Lexicon, conditions: Conditions = AS_MUSE) -> Results:
        """Scores of its translations under every rule, as `bli.evaluate_rules` has them of the vectors.

        Args:
            lexicon: Test pairs.
            conditions: As there; their score is not used, and noted as `ranked`.
        """
        words = lexicon.sources
        ranked = zip(words, self.rank(words, DEPTH), strict=True)
        lists = {word: [one.target for one in some] for word, some in ranked}
        return evaluate_lists(lists, self.sides, lexicon, conditions, training=self.lexicon)


@dataclass(frozen=True, eq=False)
class _Evidence:
    """Which groups speak for a pair: thresholds for readers; the learner does not see them."""

    vectors: np.ndarray
    spelling: np.ndarray
    affixes: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> _Evidence:
        named = {name: at for at, name in enumerate(NAMES)}
        affixes = [at for at, (group, _) in enumerate(NAMES) if group == "affixes"]
        first = values[:, named["vectors", "place"]] == 0
        back = values[:, named["vectors", "backward place"]] == 0
        edit = values[:, named["spelling", "edit"]]
        return cls(first | back, edit >= 0.6, values[:, affixes].max(axis=1) >= 1.5)

    def words(self, at: int) -> tuple[str, ...]:
        return tuple(name for name in EVIDENCE if getattr(self, name)[at])


def crossfit(
    ranker: Ranker,
    spaces: Sequence[BilingualEmbedding],
    sides: tuple[Embedding, Embedding],
    surface: Surface,
    method: Aligner | None,
    lexicon: Lexicon,
    seed: int,
    progress: Progress | None = None,
) -> CrossFitted:
    """Features of the dictionary's words, each from mappings and counts that did not see the word.

    Raises:
        JointalignError: If fewer than two words a fold are known.
    """
    vocabularies = sides[0].vocabulary, sides[1].vocabulary
    usable = replace(lexicon, pairs=tuple(p for p in lexicon if p[0] in sides[0] and p[1] in sides[1]))
    if len(usable.sources) < 2 * ranker.folds:
        raise JointalignError(
            f"ranking learns from words of the dictionary that both vocabularies know, at least "
            f"{2 * ranker.folds}; of {len(lexicon.sources)} there are {len(usable.sources)}; check the "
            "order of the languages and upper and lower case, or give a larger dictionary"
        )
    parts = []
    for fold, (rest, held) in enumerate(_folds(usable, ranker.folds, seed)):
        views = Views.of(spaces, sides, method, rest, seed)
        gold = held.rows(*vocabularies)
        queries = np.unique(gold[:, 0])
        candidates = propose(views, surface.spellings, queries, ranker.nearest, ranker.of_each, ranker.alike)
        values = features(views, surface, candidates, rest.rows(*vocabularies))
        parts.append((values, _is_right(candidates, gold, len(sides[1])), candidates.queries))
        if progress is not None:
            progress(fold + 1, ranker.folds, "cross-fitting")
    offsets = np.cumsum([0] + [int(queries[-1]) + 1 for _, _, queries in parts])
    return CrossFitted(
        np.concatenate([values for values, _, _ in parts]),
        np.concatenate([right for _, right, _ in parts]),
        np.concatenate([queries + offsets[fold] for fold, (_, _, queries) in enumerate(parts)]),
        np.repeat(np.arange(len(parts)), [len(right) for _, right, _ in parts]),
    )


def _folds(lexicon: Lexicon, folds: int, seed: int) -> Iterator[tuple[Lexicon, Lexicon]]:
    """For each fold, the pairs of all other source words, and its own."""
    order = np.random.default_rng(seed).permutation(len(lexicon.sources)) % folds
    fold_of = dict(zip(lexicon.sources, order.tolist(), strict=True))
    for fold in range(folds):
        rest = tuple(pair for pair in lexicon if fold_of[pair[0]] != fold)
        held = tuple(pair for pair in lexicon if fold_of[pair[0]] == fold)
        yield replace(lexicon, pairs=rest), replace(lexicon, pairs=held)


def _is_right(candidates: Candidates, gold: np.ndarray, targets: int) -> np.ndarray:
    keys = candidates.pairs[:, 0] * targets + candidates.pairs[:, 1]
    return np.isin(keys, gold[:, 0] * targets + gold[:, 1])


def _judged(
    seen: CrossFitted, columns: np.ndarray, learner: Learner, seed: int
) -> tuple[tuple[np.ndarray, np.ndarray], Calibration, HeldOut]:
    """First translations by learners and calibrations that did not see their words; the summary."""
    scores = np.empty(len(seen.right))
    for fold in range(int(seen.folds.max()) + 1):
        here = seen.folds == fold
        model = learn(learner, seen.rows[~here][:, columns], seen.right[~here], seen.queries[~here], seed)
        scores[here] = model.scores(seen.rows[here][:, columns])
    chances, is_first = np.empty(len(scores)), np.zeros(len(scores), bool)
    is_first[_first(scores, seen.queries)] = True
    for fold in range(int(seen.folds.max()) + 1):
        here = seen.folds == fold
        calibration = Calibration.of(scores[~here], seen.right[~here], is_first[~here])
        chances[here] = calibration.probabilities(scores[here], is_first[here])
    first, unranked = _first(scores, seen.queries), _first(seen.rows[:, 0], seen.queries)
    total = int(seen.queries[-1]) + 1
    recall = len(np.unique(seen.queries[seen.right])) / total
    held_out = HeldOut(
        words=total,
        p_at_1=100 * float(seen.right[first].mean()),
        p_at_1_unranked=100 * float(seen.right[unranked].mean()),
        candidate_recall=100 * recall,
        calibration_error=calibration_error(chances[first], seen.right[first]),
        reliability=tuple(reliability(chances[first], seen.right[first])),
        learner=str(learner),
    )
    return (chances[first], seen.right[first]), Calibration.of(scores, seen.right, is_first), held_out


def _first(scores: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Row of the highest score of each query."""
    order = np.lexsort((-scores, queries))
    return order[np.flatnonzero(np.diff(queries[order], prepend=-1))]
