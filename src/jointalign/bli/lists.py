"""Scores of translations that were ranked elsewhere, under the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jointalign.bli.api import Facts, Results, result_of
from jointalign.bli.base import AS_MUSE, DEPTH, Conditions, Identical, OutOfVocabulary
from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon
from jointalign.retrieval.base import Score


@dataclass(frozen=True)
class RankedElsewhere(Score):
    """Says in a signature that no score of the vectors alone has ordered the translations."""

    def __str__(self) -> str:
        return "ranked"


def evaluate_lists(
    ranked: Mapping[str, Sequence[str]],
    sides: tuple[Embedding, Embedding],
    lexicon: Lexicon,
    conditions: Conditions = AS_MUSE,
    *,
    training: Lexicon | None = None,
) -> Results:
    """As `evaluate_rules`, of lists of translations.

    Args:
        ranked: For each source word of the lexicon that has a vector, its ten best translations.
        sides: Source and target words that were searched.
        lexicon: Test pairs.
        conditions: As for `evaluate_rules`; their score is not used, and noted as `ranked`.
        training: The dictionary learnt from, to report pairs in both.

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
    results: Results = {}
    for identical in Identical:
        tested = lexicon if identical is Identical.KEPT else lexicon.without_identical()
        facts = Facts.gather(tested, source.vocabulary, ranks)
        overlap = None if training is None else tested.overlap(training)
        for oov in OutOfVocabulary:
            applied = replace(conditions, score=RankedElsewhere(), oov=oov, identical=identical, depth=DEPTH)
            results[oov, identical] = result_of(facts, applied, overlap)
    return results


def _place(translations: Sequence[str], wanted: str) -> int:
    """From 1; 0 if it is not among the first `DEPTH`."""
    first = list(translations[:DEPTH])
    return first.index(wanted) + 1 if wanted in first else 0
