"""Vocabulary reallocation among more than two languages: the paper's rule, asked of each of them."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jointalign.checks import checked
from jointalign.embedding import Embedding
from jointalign.multilingual import MultilingualEmbedding, Part
from jointalign.reallocation import belonging, counts_of, part_of
from jointalign.vocabulary import Counts


@checked
def reallocate_languages(
    joint: Embedding, counts: MappingType[str, Counts], gamma: float = 0.9
) -> MultilingualEmbedding:
    """Split a joint vocabulary of two or more languages by the set of languages of each word.

    A word belongs to the language where its relative frequency is highest, and to each other in
    whose corpus it occurs, and where its frequency `f` is not too far below the highest, `m`: `f /
    (f + m) >= 1 - gamma`. For two languages this is eq. (6) of the paper, exactly; for more it asks
    each language the same question, against the language that has the best claim to the word.

    Args:
        joint: Embedding trained on all corpora together.
        counts: Word counts of each whole corpus, by language code.
        gamma: As for `reallocate`.

    Returns:
        A part for each set of languages with words; at gamma 1 all words are shared by the
        languages in whose corpora they occur.

    Raises:
        JointalignError: If gamma is outside [0.5, 1], there are fewer than two languages, a corpus
            is empty, or a word occurs in none.

    Example:
        >>> from jointalign.vocabulary import Vocabulary
        >>> joint = Embedding(Vocabulary(("the", "casa", "radio")), np.eye(3, dtype=np.float32))
        >>> english = Counts.from_pairs([("the", 95), ("radio", 5)])
        >>> spanish = Counts.from_pairs([("the", 1), ("radio", 4), ("casa", 95)])
        >>> german = Counts.from_pairs([("der", 92), ("radio", 8)])
        >>> split = reallocate_languages(joint, {"en": english, "es": spanish, "de": german})
        >>> split.sizes
        {'en': 1, 'es': 1, 'de': 0, 'en+es+de': 1}
    """
    languages = tuple(counts)
    numbers = counts_of(joint.vocabulary, counts)  # (n, k)
    belongs = belonging(numbers, [corpus.total for corpus in counts.values()], gamma)
    noted = replace(joint, settings={**joint.settings, "gamma": float(gamma)})
    sets = [tuple(row) for row in np.unique(belongs, axis=0).tolist()]
    alone = [tuple(row) for row in np.eye(len(languages), dtype=bool).tolist()]
    parts = []
    for members in alone + sorted(set(sets) - set(alone), key=_by_size):
        part, rows = part_of(noted, numbers, belongs, np.array(members))
        codes = tuple(code for code, here in zip(languages, members, strict=True) if here)
        parts.append(Part(codes, part, numbers[rows][:, members]))
    return MultilingualEmbedding(languages, tuple(parts))


def _by_size(members: Sequence[bool]) -> tuple[int, list[bool]]:
    """Sets of fewer languages first, then in the order of the languages."""
    return sum(members), [not here for here in members]
