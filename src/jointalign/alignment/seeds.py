"""Where translation pairs come from when there is no dictionary (Artetxe et al. 2017)."""

from __future__ import annotations

from enum import StrEnum

import regex

from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon

_NUMERAL = regex.compile(r"\p{Nd}+")


class Seeds(StrEnum):
    """Kinds of pairs that need no dictionary."""

    IDENTICAL = "identical"
    """All words that both languages spell alike; for languages of one script."""

    NUMERALS = "numerals"
    """Those of digits alone; for most languages."""

    NONE = "none"
    """None: for methods that find their own."""


@checked
def pairs_of(seeds: Seeds, bilingual: BilingualEmbedding) -> Lexicon | None:
    """Translation pairs from the two vocabularies of a space.

    Args:
        seeds: Which.
        bilingual: Words that are shared already have one vector and are left out.

    Returns:
        The pairs, most frequent source word first; `None` for `Seeds.NONE`.

    Raises:
        JointalignError: If there is no such pair.

    Example:
        >>> import numpy as np
        >>> from jointalign.embedding import Embedding
        >>> from jointalign.vocabulary import Vocabulary
        >>> words = [("the", "1789", "bar"), ("la", "bar", "1789")]
        >>> sides = [Embedding(Vocabulary(w), np.eye(3, dtype=np.float32)) for w in words]
        >>> space = BilingualEmbedding.separate(*sides)
        >>> pairs_of(Seeds.IDENTICAL, space).sources, pairs_of(Seeds.NUMERALS, space).sources
        (('1789', 'bar'), ('1789',))
    """
    if Seeds(seeds) is Seeds.NONE:
        return None
    source, target = bilingual.source_only.vocabulary, bilingual.target_only.vocabulary
    found = Lexicon.identical_strings(source, target)
    if seeds == Seeds.NUMERALS:
        found = Lexicon(tuple(pair for pair in found if _NUMERAL.fullmatch(pair[0])))
    if not len(found):
        kind = "word" if seeds == Seeds.IDENTICAL else "numeral"
        raise JointalignError(
            f"there is no {kind} that both languages have and that is not shared already; give a "
            "dictionary, or a method that needs none"
        )
    return found
