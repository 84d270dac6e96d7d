"""Evaluation of a bilingual embedding on a test lexicon.

Words are retrieved once, which gives the rank of each known pair (`ranks`). What counts as correct
where a word is missing is then a matter of four rules over the same ranks (`judge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from jointalign.bli.base import AS_MUSE, BLIResult, Conditions, Identical, OutOfVocabulary
from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon, Pair
from jointalign.numerics.bootstrap import interval, shares
from jointalign.retrieval.api import Score, ranks
from jointalign.retrieval.hubs import Hubs
from jointalign.vocabulary import Vocabulary

DEEPER = -1
"""In place of the rank of a translation that is further down than was looked."""

Results = dict[tuple[OutOfVocabulary, Identical], BLIResult]
"""A result for each rule for missing words, with identical pairs kept and removed."""


@checked
def evaluate(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    conditions: Conditions = AS_MUSE,
    *,
    training: Lexicon | None = None,
    hubs: Hubs | None = None,
) -> BLIResult:
    """How many source words of a test lexicon are translated correctly.

    A word is correct at k if any of its translations is among the k best of all target words. For
    the other direction, evaluate `bilingual.reversed()` on `lexicon.reversed()`.

    Args:
        bilingual: Both languages in one space.
        lexicon: Test pairs.
        conditions: How translations are retrieved and counted; those of another result, to compare
            with it.
        training: The lexicon the embedding was aligned with, to report pairs in both.
        hubs: Of the space, for CSLS, if known from before.

    Raises:
        JointalignError: If no pair of the lexicon is in both vocabularies, `hubs` are those of
            another space, or a vector of the words used holds NaN or infinity.

    Example:
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
        >>> space = BilingualEmbedding.separate(english, spanish)
        >>> lexicon = Lexicon((("cat", "gato"), ("dog", "perro"), ("cow", "vaca")))
        >>> print(evaluate(space, lexicon))
        P@1 = 100.0 [100.0, 100.0]
            |n:2|coverage:66.7|retrieval:csls10|oov:muse|identical:kept|mrr:10|seed:0|v:...
        >>> evaluate(space, lexicon, Conditions("nn", OutOfVocabulary.STRICT)).n
        3
    """
    results = evaluate_rules(bilingual, lexicon, conditions, training=training, hubs=hubs)
    return results[conditions.oov, conditions.identical]


@checked
def evaluate_rules(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    conditions: Conditions = AS_MUSE,
    *,
    training: Lexicon | None = None,
    hubs: Hubs | None = None,
) -> Results:
    """`evaluate` under every rule, whatever `conditions` has, for the cost of one.

    Raises:
        JointalignError: As `evaluate`.
    """
    return evaluate_parts(bilingual, (lexicon,), conditions, training=training, hubs=hubs)[0]


@checked
def evaluate_parts(
    bilingual: BilingualEmbedding,
    parts: Sequence[Lexicon],
    conditions: Conditions = AS_MUSE,
    *,
    training: Lexicon | None = None,
    hubs: Hubs | None = None,
) -> list[Results]:
    """`evaluate_rules` on several lexicons, perhaps with pairs in common, for the cost of one.

    Raises:
        JointalignError: As `evaluate`.
    """
    source, target = bilingual.sides(conditions.max_vocabulary)
    found = _pair_ranks(source, target, parts, conditions, hubs)
    results: list[Results] = []
    for part in parts:
        results.append({})
        for identical in Identical:
            tested = part if identical is Identical.KEPT else part.without_identical()
            facts = Facts.gather(tested, source.vocabulary, found)
            overlap = None if training is None else tested.overlap(training)
            for oov in OutOfVocabulary:
                applied = replace(conditions, oov=oov, identical=identical)
                results[-1][oov, identical] = result_of(facts, applied, overlap)
    return results


def _pair_ranks(
    source: Embedding,
    target: Embedding,
    lexicons: Sequence[Lexicon],
    conditions: Conditions,
    hubs: Hubs | None,
) -> dict[Pair, int]:
    """Rank of the target of each pair in both vocabularies, among all target words; 0 if deeper."""
    known: dict[Pair, tuple[int, int]] = {}
    for lexicon in lexicons:
        known |= lexicon.known(source.vocabulary, target.vocabulary)
    if not known:
        raise JointalignError(
            f"none of the lexicon's {len(set().union(*lexicons))} pairs has both words in the "
            f"vocabularies ({len(source)} and {len(target)} words); check the order of the "
            "languages, and upper and lower case"
        )
    score = Score.of(conditions.score)
    if hubs is not None and score.is_csls:
        hubs.check(source, target, score.neighbourhood)
    found = ranks(
        source.vectors,
        target.vectors,
        np.array([*known.values()], np.int64),
        score=score,
        hubs=hubs.target if hubs is not None and score.is_csls else None,
        depth=conditions.depth,
    )
    return dict(zip(known, found.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Facts:
    """All that the rules need to know of each distinct source word of a lexicon.

    Args:
        words: The source words, in the order of the lexicon.
        rows: Their rows in the source vocabulary, int64 `(n,)`; -1 for unknown words.
        ranks: Rank of the best-ranked translation, int64 `(n,)`; `DEEPER` if none is among the
            first that were looked at, 0 if no pair is in both vocabularies.
        copies: Whether the word is among its own translations, bool `(n,)`.
    """

    words: tuple[str, ...]
    rows: np.ndarray
    ranks: np.ndarray
    copies: np.ndarray

    @classmethod
    def gather(cls, lexicon: Lexicon, source: Vocabulary, ranks: Mapping[Pair, int]) -> Facts:
        """Sum up a lexicon, given the ranks of those of its pairs that are in both vocabularies.

        Args:
            lexicon: Test pairs.
            source: The source vocabulary.
            ranks: From 1, or 0 for those further down than was looked.
        """
        groups = lexicon.grouped()
        source_rows, _ = lexicon.rows_of(source, source)
        rows = [source_rows.get(word, -1) for word in groups]
        best = [
            _best([ranks[word, other] for other in others if (word, other) in ranks])
            for word, others in groups.items()
        ]
        copies = [word in others for word, others in groups.items()]
        return cls(tuple(groups), np.array(rows, np.int64), np.array(best, np.int64), np.array(copies, bool))


def _best(ranks: list[int]) -> int:
    """Of the translations of one word that are in both vocabularies."""
    return min((rank for rank in ranks if rank), default=DEEPER if ranks else 0)


def judge(facts: Facts, rule: OutOfVocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Apply a rule.

    Returns:
        Positions of the words that count, int64 `(k,)`, and the reciprocal rank of the best
        translation of each, float64 `(k,)`: 1 for a correct copy, 0 where nothing was found.

    Example:
        >>> facts = Facts(  # found second; unknown, its own translation; known, nothing to find
        ...     ("dog", "sit", "age"), np.array([7, -1, 9]), np.array([2, 0, 0]),
        ...     np.array([False, True, True]))
        >>> {str(rule): judge(facts, rule)[1].tolist() for rule in OutOfVocabulary}
        {'muse': [0.5], 'paper': [0.5, 1.0, 0.0], 'released': [0.5, 1.0, 1.0],
         'strict': [0.5, 0.0, 0.0]}
    """
    scored, unknown = facts.ranks != 0, facts.rows < 0
    found = facts.ranks > 0
    reciprocal = np.divide(1.0, facts.ranks, out=np.zeros(len(scored)), where=found)
    if rule == OutOfVocabulary.MUSE:
        counted = np.flatnonzero(scored)
        return counted, reciprocal[counted]
    if rule == OutOfVocabulary.PAPER:
        reciprocal[unknown & facts.copies] = 1.0
    elif rule == OutOfVocabulary.RELEASED:
        reciprocal[~scored & facts.copies] = 1.0
    return np.arange(len(scored)), reciprocal


def result_of(facts: Facts, conditions: Conditions, overlap: int | None) -> BLIResult:
    """Scores under the rule that the conditions name."""
    counted, reciprocal_ranks = judge(facts, conditions.oov)
    n, right = len(counted), int((reciprocal_ranks == 1).sum())
    return BLIResult(
        words=tuple(facts.words[place] for place in counted.tolist()),
        reciprocal_ranks=reciprocal_ranks,
        source_rows=facts.rows[counted],
        coverage=100 * float((facts.ranks != 0).mean()) if facts.words else nan,
        ci=interval(shares(right, n, conditions.resamples, conditions.seed)) if n else (nan, nan),
        conditions=conditions,
        overlap=overlap,
    )
