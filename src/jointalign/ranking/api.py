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
from jointalign.ranking.shipped import Shipped, shipped
from jointalign.ranking.spaces import Candidates, Views, grouped, propose

EVIDENCE = ("vectors", "spelling", "affixes")
"""What may speak for a pair."""

_FEWEST_PAIRS = 100
_SEARCHED = 5000  # words a side that refined Procrustes looks at: more cost much and add little
# Held-out words that tell enough of the shipped ranker's probabilities: one fold is then enough.
_MANY = 400
_ON_SHIPPED = (Learner.SHIPPED, Learner.REFINED)
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
        own: Whether these are words of the user's own dictionary. If not, there was none, or it was too
            small to hold words out, and these are words of other pairs of languages.
    """

    words: int
    p_at_1: float
    p_at_1_unranked: float
    candidate_recall: float
    calibration_error: float
    reliability: tuple[Reliability, ...]
    learner: str
    own: bool = True

    def to_json(self) -> dict[str, object]:
        """All of it as plain types."""
        return asdict(self)


JudgedRows = tuple[np.ndarray, np.ndarray, np.ndarray]


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

    @classmethod
    def of(cls, parts: Sequence[JudgedRows]) -> CrossFitted:
        """Put parts together, each of which numbers its words from 0."""
        offsets = np.cumsum([0] + [int(queries[-1]) + 1 for _, _, queries in parts])
        return cls(
            np.concatenate([values for values, _, _ in parts]),
            np.concatenate([right for _, right, _ in parts]),
            np.concatenate([queries + offsets[part] for part, (_, _, queries) in enumerate(parts)]),
            np.repeat(np.arange(len(parts)), [len(right) for _, right, _ in parts]),
        )


@dataclass(frozen=True)
class Ranker:
    """Settings of ranking.

    Args:
        learner: Default: the trees that come with the package; with LightGBM refined from 500 pairs on, and
            the pair's own from 4,000 on; of small dictionaries a logistic regression if it is clearly better
            on held-out words.
        groups: Groups of features to learn from; default: all.
        method: How each space is mapped, within the folds and at the end. `auto`: supervised VecMap
            where the dictionary has twice as many pairs as dimensions, else refined Procrustes; with
            fewer than 100 pairs also from words spelt alike, unless the space is better as it is.
            `none`: the spaces are left as they are, which is honest only if
            they were not aligned with this dictionary.
        nearest: Candidates by the mean CSLS of all spaces.
        of_each: And by each space, if there are several.
        alike: And by spelling.
        folds: Parts of the dictionary for cross-fitting.
        max_vocabulary: Only so many of the most frequent words of each language.
        shipped: What was learnt on other pairs of languages; default: what comes with the package.

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
    shipped: Shipped | None = None

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
        lexicon: Lexicon | None,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> FittedRanker:
        """Learn to rank.

        Args:
            spaces: One or several, e.g. from joint and separate training; the words are the first's.
            lexicon: The training dictionary; `None` for none: what was learnt on other pairs of
                languages is then all there is.
            seed: The only source of randomness: decides folds, and what the learner draws.
            progress: Called after each fold.

        Raises:
            JointalignError: If there is no space, none of the dictionary's words are known, or a learner
                of the pair's own is asked for and there are too few.
        """
        if not spaces:
            raise JointalignError("there is nothing to rank by: give one space or more")
        sides = spaces[0].sides(self.max_vocabulary)
        given = Lexicon(()) if lexicon is None else lexicon
        usable = usable_pairs(given, sides)
        if lexicon is not None and not usable:
            raise JointalignError(
                "ranking learns from words of the dictionary that both vocabularies know; of "
                f"{len(lexicon.sources)} there are none; check the order of the languages and upper and "
                "lower case"
            )
        elsewhere = self.shipped or shipped()
        learner = chosen(Learner(self.learner), len(usable), whole=set(self.groups) == set(GROUPS))
        method, few = self.mapping(spaces, usable)
        surface = Surface.of(*sides)
        columns = self._columns()
        if len(usable.sources) >= 2 * self.folds:
            enough = learner is Learner.SHIPPED and len(usable.sources) >= _MANY * self.folds
            parts = (0,) if enough else None
            seen = crossfit(self, spaces, sides, surface, method, usable, seed, progress, parts, few)
            doubtful = self.learner == Learner.AUTO and learner is Learner.SHIPPED and not enough
            rivals = (learner, Learner.LOGISTIC) if doubtful else (learner,)
            learnt = _better([judged(seen, columns, one, seed, elsewhere, self.folds) for one in rivals])
        elif learner is Learner.SHIPPED:
            learnt = _unjudged(elsewhere)
        else:
            raise JointalignError(
                f"learning to rank needs {2 * self.folds} known words of the dictionary or more, of which "
                f"there are {len(usable.sources)}; give a larger one, or leave the learner to `auto`"
            )
        views = Views.of(spaces, sides, method, usable, seed, few=few)
        known = usable.rows(sides[0].vocabulary, sides[1].vocabulary)
        return FittedRanker(self, sides, surface, views, given, known, *learnt)

    def _columns(self) -> np.ndarray:
        return np.array([at for at, (group, _) in enumerate(NAMES) if group in self.groups])

    def mapping(self, spaces: Sequence[BilingualEmbedding], lexicon: Lexicon) -> tuple[Aligner | None, bool]:
        """How spaces are mapped with a dictionary of known words, and whether its pairs are few."""
        if isinstance(self.method, Aligner):
            return self.method, False
        if self.method not in ("auto", "none"):
            raise JointalignError(f"expected a method, 'auto' or 'none', got '{self.method}'")
        if self.method == "none":
            return None, False
        sizes = [
            (len(lexicon.rows(s.source_only.vocabulary, s.target_only.vocabulary)), s.dimensions)
            for s in spaces
        ]
        if all(pairs * (self.folds - 1) / self.folds >= 2 * dimensions for pairs, dimensions in sizes):
            return VecMap.supervised(), False
        return RefinedProcrustes(cutoff=_SEARCHED), any(pairs < _FEWEST_PAIRS for pairs, _ in sizes)


@checked
def rank(
    spaces: Sequence[BilingualEmbedding] | BilingualEmbedding,
    lexicon: Lexicon | None,
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
    parts: Sequence[int] | None = None,
    few: bool = False,
) -> CrossFitted:
    """Features of the dictionary's words, each from mappings and counts that did not see the word.

    Args:
        ranker: How.
        spaces: As of `Ranker.fit`.
        sides: Source and target words.
        surface: Of them.
        method: How spaces are mapped.
        lexicon: Pairs of known words.
        seed: Of folds and methods.
        progress: Called after each fold.
        parts: Only these folds, by number; default: all.
        few: As of `Views.of`.
    """
    vocabularies = sides[0].vocabulary, sides[1].vocabulary
    groups, found = grouped(spaces, sides), []
    parts = range(ranker.folds) if parts is None else parts
    for fold, (rest, held) in enumerate(_folds(lexicon, ranker.folds, seed)):
        if fold not in parts:
            continue
        views = Views.of(spaces, sides, method, rest, seed, groups, few=few)
        found.append(judged_rows(ranker, views, surface, held.rows(*vocabularies), rest.rows(*vocabularies)))
        if progress is not None:
            progress(len(found), len(parts), "cross-fitting")
    return CrossFitted.of(found)


def judged_rows(
    ranker: Ranker, views: Views, surface: Surface, gold: np.ndarray, known: np.ndarray
) -> JudgedRows:
    """Candidates of words whose translations are known, as of words that nothing has seen.

    Args:
        ranker: How many candidates.
        views: Spaces whose mappings did not see these words.
        surface: Of both vocabularies.
        gold: Rows of pairs of the words, `(k, 2)`.
        known: Rows of other pairs, to count on, `(n, 2)`.

    Returns:
        Features `(p, f)`, whether each candidate is right, and the number of its word, both `(p,)`.
    """
    words = np.unique(gold[:, 0])
    candidates = propose(views, surface.spellings, words, ranker.nearest, ranker.of_each, ranker.alike)
    values = features(views, surface, candidates, known)
    return values, is_right(candidates, gold, len(views.mean.target)), candidates.queries


def is_right(candidates: Candidates, gold: np.ndarray, targets: int) -> np.ndarray:
    """Whether each candidate is among the pairs `(k, 2)`, `targets` being the number of target words."""
    keys = candidates.pairs[:, 0] * targets + candidates.pairs[:, 1]
    return np.isin(keys, gold[:, 0] * targets + gold[:, 1])


def usable_pairs(lexicon: Lexicon, sides: tuple[Embedding, Embedding]) -> Lexicon:
    """The pairs of which both words are known."""
    return replace(lexicon, pairs=tuple(lexicon.known(sides[0].vocabulary, sides[1].vocabulary)))


def _folds(lexicon: Lexicon, folds: int, seed: int) -> Iterator[tuple[Lexicon, Lexicon]]:
    """For each fold, the pairs of all other source words, and its own."""
    order = np.random.default_rng(seed).permutation(len(lexicon.sources)) % folds
    fold_of = dict(zip(lexicon.sources, order.tolist(), strict=True))
    for fold in range(folds):
        rest = tuple(pair for pair in lexicon if fold_of[pair[0]] != fold)
        held = tuple(pair for pair in lexicon if fold_of[pair[0]] == fold)
        yield replace(lexicon, pairs=rest), replace(lexicon, pairs=held)


_Judged = tuple[Logistic | Trees, Calibration, HeldOut, tuple[np.ndarray, np.ndarray]]
"""Learner, calibration, the summary, and the first translations with whether they are right."""


def judged(
    seen: CrossFitted, columns: np.ndarray, learner: Learner, seed: int, elsewhere: Shipped, folds: int
) -> _Judged:
    """First translations are judged by learners and calibrations that did not see their words."""
    rows, start = seen.rows[:, columns], elsewhere if learner in _ON_SHIPPED else None
    scores = np.empty(len(seen.right))
    for fold in range(int(seen.folds.max()) + 1):
        here = seen.folds == fold
        scores[here] = _learn(learner, rows, seen, ~here, seed, start).scores(rows[here])
    chances, is_first = np.empty(len(scores)), np.zeros(len(scores), bool)
    is_first[first_of(scores, seen.queries)] = True
    line = None if start is None else start.calibration
    for fold in range(folds):
        here = seen.queries % folds == fold
        calibration = Calibration.of(scores[~here], seen.right[~here], is_first[~here], line)
        chances[here] = calibration.probabilities(scores[here], is_first[here])
    first, unranked = first_of(scores, seen.queries), first_of(seen.rows[:, 0], seen.queries)
    total = int(seen.queries[-1]) + 1
    held_out = _summary(
        *(chances[first], seen.right[first], learner),
        p_at_1_unranked=100 * float(seen.right[unranked].mean()),
        candidate_recall=100 * len(np.unique(seen.queries[seen.right])) / total,
    )
    model = _learn(learner, rows, seen, np.ones(len(rows), bool), seed, start)
    calibration = Calibration.of(scores, seen.right, is_first, line)
    return model, calibration, held_out, (chances[first], seen.right[first])


def _better(rivals: Sequence[_Judged]) -> _Judged:
    """The first, unless another gets more held-out words right by more than a standard error."""
    best, (_, right) = rivals[0], rivals[0][3]
    for other in rivals[1:]:
        wins, losses = ((a & ~b).sum() for a, b in ((other[3][1], right), (right, other[3][1])))
        if wins - losses > np.sqrt(wins + losses):
            best, right = other, other[3][1]
    return best


def _learn(
    learner: Learner, rows: np.ndarray, seen: CrossFitted, some: np.ndarray, seed: int, start: Shipped | None
) -> Logistic | Trees:
    """Learn from some of the rows."""
    if learner is Learner.SHIPPED and start is not None:
        return start.trees
    trees = None if start is None else start.trees
    return learn(learner, rows[some], seen.right[some], seen.queries[some], seed, trees)


def _unjudged(elsewhere: Shipped) -> _Judged:
    """Nothing can be held out: all is as it was on other pairs of languages."""
    held_out = _summary(
        *(elsewhere.chances, elsewhere.right, Learner.SHIPPED),
        p_at_1_unranked=elsewhere.p_at_1_unranked,
        candidate_recall=elsewhere.candidate_recall,
        own=False,
    )
    return elsewhere.trees, elsewhere.calibration, held_out, (elsewhere.chances, elsewhere.right)


def _summary(
    chances: np.ndarray,
    right: np.ndarray,
    learner: Learner,
    *,
    p_at_1_unranked: float,
    candidate_recall: float,
    own: bool = True,
) -> HeldOut:
    return HeldOut(
        words=len(right),
        p_at_1=100 * float(right.mean()),
        p_at_1_unranked=p_at_1_unranked,
        candidate_recall=candidate_recall,
        calibration_error=calibration_error(chances, right),
        reliability=tuple(reliability(chances, right)),
        learner=str(learner),
        own=own,
    )


def first_of(scores: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Row of the highest score of each query."""
    order = np.lexsort((-scores, queries))
    return order[np.flatnonzero(np.diff(queries[order], prepend=-1))]
