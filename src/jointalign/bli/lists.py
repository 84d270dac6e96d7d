"""Scores of translations that were ranked elsewhere, under the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

from jointalign.bli._rules import Facts, Identical, OutOfVocabulary, judge
from jointalign.bli._statistics import interval
from jointalign.bli.base import DEPTH, BLIResult, Conditions
from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon

RANKED = "ranked"
"""What signatures call it."""


def evaluate_lists(
    ranked: Mapping[str, Sequence[str]],
    sides: tuple[Embedding, Embedding],
    lexicon: Lexicon,
    *,
    training: Lexicon | None = None,
    max_vocabulary: int | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[tuple[OutOfVocabulary, Identical], BLIResult]:
    """As `evaluate_rules`, of lists of translations.

    Args:
        ranked: For each source word of the lexicon that has a vector, its ten best translations.
        sides: Source and target words that were searched.
        lexicon: Test pairs.
        training: The dictionary learnt from, to report pairs in both.
        max_vocabulary: Noted in the conditions.
        seed: The only source of randomness, which is the bootstrap's.
        resamples: Bootstrap samples for the interval of P@1.

    Example:
        >>> import numpy as np
        >>> from jointalign.vocabulary import Vocabulary
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32))
        >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
        >>> lexicon = Lexicon((("cat", "gato"), ("dog", "perro")))
        >>> lists = {"cat": ["gato"], "dog": ["gato", "perro"]}
        >>> results = evaluate_lists(lists, (english, spanish), lexicon)
        >>> results[OutOfVocabulary.MUSE, Identical.KEPT].reciprocal_ranks.tolist()
        [1.0, 0.5]
    """
    source, target = sides
    ranks = {
        (word, other): _place(ranked[word], other)
        for word, other in dict.fromkeys(lexicon)
        if word in source and other in target
    }
    results = {}
    for identical in Identical:
        tested = lexicon if identical is Identical.KEPT else lexicon.without_identical()
        facts = Facts.gather(tested, source.vocabulary, ranks)
        for oov in OutOfVocabulary:
            counted, reciprocal = judge(facts, oov)
            n, right = len(counted), int((reciprocal == 1).sum())
            results[oov, identical] = BLIResult(
                words=tuple(facts.words[place] for place in counted.tolist()),
                reciprocal_ranks=reciprocal,
                source_rows=facts.rows[counted],
                coverage=100 * float((facts.ranks != 0).mean()) if facts.words else nan,
                ci=interval(right, n, resamples, seed) if n else (nan, nan),
                conditions=Conditions(RANKED, oov, identical, max_vocabulary, DEPTH, seed),
                overlap=None if training is None else tested.overlap(training),
            )
    return results


def _place(translations: Sequence[str], wanted: str) -> int:
    """From 1; 0 if it is not among the first `DEPTH`."""
    first = list(translations[:DEPTH])
    return first.index(wanted) + 1 if wanted in first else 0
