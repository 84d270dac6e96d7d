"""Evaluation of a bilingual embedding on a test lexicon."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

from jointalign.bli._rules import Facts, Identical, OutOfVocabulary, judge
from jointalign.bli._statistics import interval
from jointalign.bli.base import DEPTH, BLIResult, Conditions
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon, Pair
from jointalign.retrieval.api import Retrieval, Score, ranks
from jointalign.retrieval.hubs import Hubs


def evaluate(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    *,
    score: Score | str = Retrieval.CSLS,
    oov: OutOfVocabulary = OutOfVocabulary.MUSE,
    identical: Identical = Identical.KEPT,
    max_vocabulary: int | None = None,
    training: Lexicon | None = None,
    depth: int | None = DEPTH,
    hubs: Hubs | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> BLIResult:
    """How many source words of a test lexicon are translated correctly.

    A word is correct at k if any of its translations is among the k best of all target words. For
    the other direction, evaluate `bilingual.reversed()` on `lexicon.reversed()`.

    Args:
        bilingual: Both languages in one space.
        lexicon: Test pairs.
        score: How translations are scored: `nn`, `csls`, `isf`, or a `Score`.
        oov: What becomes of words that are missing; the default leaves them out, as MUSE does.
        identical: Whether pairs of the same surface form are tested.
        max_vocabulary: Use only the most frequent words of each language; default: all.
        training: The lexicon the embedding was aligned with, to report pairs in both.
        depth: Count ranks so far down, at least 10; a translation below has reciprocal rank 0. The
            default, 10, is all that P@10 needs, and a small part of the work of `None`, all ranks.
        hubs: Of the space, for CSLS, if known from before.
        seed: The only source of randomness, which is the bootstrap's.
        resamples: Bootstrap samples for the interval of P@1.

    Raises:
        JointalignError: If no pair of the lexicon is in both vocabularies, a setting is not
            positive, `hubs` are those of another space, or a vector of the words used holds NaN or
            infinity.

    Example:
        >>> import numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
        >>> space = BilingualEmbedding.separate(english, spanish)
        >>> lexicon = Lexicon((("cat", "gato"), ("dog", "perro"), ("cow", "vaca")))
        >>> print(evaluate(space, lexicon))
        P@1 = 100.0 [100.0, 100.0]
            |n:2|coverage:66.7|retrieval:csls10|oov:muse|identical:kept|mrr:10|seed:0|v:...
    """
    results = evaluate_rules(
        bilingual,
        lexicon,
        score=score,
        max_vocabulary=max_vocabulary,
        training=training,
        depth=depth,
        hubs=hubs,
        seed=seed,
        resamples=resamples,
    )
    return results[OutOfVocabulary(oov), Identical(identical)]


def evaluate_rules(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    *,
    score: Score | str = Retrieval.CSLS,
    max_vocabulary: int | None = None,
    training: Lexicon | None = None,
    depth: int | None = DEPTH,
    hubs: Hubs | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[tuple[OutOfVocabulary, Identical], BLIResult]:
    """`evaluate` under every rule, for the cost of one: words are retrieved once.

    Args:
        bilingual: As for `evaluate`.
        lexicon: As for `evaluate`.
        score: As for `evaluate`.
        max_vocabulary: As for `evaluate`.
        training: As for `evaluate`.
        depth: As for `evaluate`.
        hubs: As for `evaluate`.
        seed: As for `evaluate`.
        resamples: As for `evaluate`.

    Returns:
        A result for each rule for missing words, with identical pairs kept and removed.

    Raises:
        JointalignError: As `evaluate`.
    """
    (results,) = evaluate_parts(
        bilingual,
        lexicon,
        (lexicon,),
        score=score,
        max_vocabulary=max_vocabulary,
        training=training,
        depth=depth,
        hubs=hubs,
        seed=seed,
        resamples=resamples,
    )
    return results


def evaluate_parts(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    parts: Sequence[Lexicon],
    *,
    score: Score | str = Retrieval.CSLS,
    max_vocabulary: int | None = None,
    training: Lexicon | None = None,
    depth: int | None = DEPTH,
    hubs: Hubs | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> list[dict[tuple[OutOfVocabulary, Identical], BLIResult]]:
    """`evaluate_rules` on several parts of a lexicon, for the cost of one.

    Args:
        bilingual: As for `evaluate`.
        lexicon: Holds all pairs of all parts.
        parts: Lexicons to score, of pairs of `lexicon`.
        score: As for `evaluate`.
        max_vocabulary: As for `evaluate`.
        training: As for `evaluate`.
        depth: As for `evaluate`.
        hubs: As for `evaluate`.
        seed: As for `evaluate`.
        resamples: As for `evaluate`.

    Returns:
        For each part what `evaluate_rules` returns for it.

    Raises:
        JointalignError: As `evaluate`, or if a part has a pair that `lexicon` has not.
    """
    known = set(lexicon)
    for part in parts:
        strange = next((pair for pair in part if pair not in known), None)
        if strange is not None:
            raise JointalignError(f"the pair {strange} is in a part but not in the whole lexicon")
    if max_vocabulary is not None and max_vocabulary < 1 or resamples < 1:
        raise JointalignError(
            f"max_vocabulary and resamples must be positive, got {max_vocabulary} and {resamples}"
        )
    if depth is not None and depth < DEPTH:
        raise JointalignError(f"depth must be at least {DEPTH}, for P@{DEPTH}, or None; got {depth}")
    source, target = bilingual.sides(max_vocabulary)
    score, known = Score.of(score), None
    if hubs is not None and score.is_csls:
        hubs.check(source, target, score.neighbourhood)
        known = hubs.target
    found = _pair_ranks(source, target, lexicon, score, depth, known)

    def judged(part: Lexicon) -> dict[tuple[OutOfVocabulary, Identical], BLIResult]:
        results = {}
        for identical in Identical:
            tested = part if identical is Identical.KEPT else part.without_identical()
            facts = Facts.gather(tested, source.vocabulary, found)
            overlap = None if training is None else tested.overlap(training)
            for oov in OutOfVocabulary:
                conditions = Conditions(str(score), oov, identical, max_vocabulary, depth, seed)
                results[oov, identical] = _result(facts, conditions, overlap, resamples)
        return results

    return [judged(part) for part in parts]


def _pair_ranks(
    source: Embedding,
    target: Embedding,
    lexicon: Lexicon,
    score: Score,
    depth: int | None,
    hubs: np.ndarray | None,
) -> dict[Pair, int]:
    """Rank of the target of each pair in both vocabularies, among all target words; 0 if deeper."""
    known = lexicon.known(source.vocabulary, target.vocabulary)
    pairs = np.array([*known.values()], np.int64).reshape(-1, 2)
    if not known:
        raise JointalignError(
            f"none of the lexicon's {len(lexicon)} pairs has both words in the vocabularies "
            f"({len(source)} and {len(target)} words); check the order of the languages, and "
            "upper and lower case"
        )
    found = ranks(source.vectors, target.vectors, pairs, score=score, depth=depth, hubs=hubs)
    return dict(zip(known, found.tolist(), strict=True))


def _result(facts: Facts, conditions: Conditions, overlap: int | None, resamples: int) -> BLIResult:
    counted, reciprocal_ranks = judge(facts, conditions.oov)
    n, right = len(counted), int((reciprocal_ranks == 1).sum())
    return BLIResult(
        words=tuple(facts.words[place] for place in counted.tolist()),
        reciprocal_ranks=reciprocal_ranks,
        source_rows=facts.rows[counted],
        coverage=100 * float((facts.ranks != 0).mean()) if facts.words else nan,
        ci=interval(right, n, resamples, conditions.seed) if n else (nan, nan),
        conditions=conditions,
        overlap=overlap,
    )
