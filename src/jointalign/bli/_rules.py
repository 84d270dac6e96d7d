"""What counts as a correct translation when a word is missing: four rules, each with its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from jointalign.lexicon import Lexicon, Pair
from jointalign.vocabulary import Vocabulary

DEEPER = -1
"""In place of the rank of a translation that is further down than was looked."""


class OutOfVocabulary(StrEnum):
    """What becomes of source words of which no pair is in both vocabularies.

    All other source words are treated alike by the four rules: correct if any of their
    translations is retrieved, so a translation that is missing beside one that is not costs
    nothing.

    - `MUSE`: left out, as in MUSE's and VecMap's evaluation. The denominator then depends on the
      system: two scores may be over different words.
    - `PAPER`: a source word that is unknown is retrieved as itself, and correct if it is among its
      own translations; a known source word whose translations are all unknown is wrong
      (footnote 6 and appendix B of the paper).
    - `RELEASED`: retrieved as itself whether it is known or not, as the paper's released code does.
    - `STRICT`: wrong, as in fastText's evaluation.

    The denominator of the last three is all distinct source words of the lexicon.
    """

    MUSE = "muse"
    PAPER = "paper"
    RELEASED = "released"
    STRICT = "strict"


class Identical(StrEnum):
    """Whether pairs of the same surface form, such as (hate, hate), are tested.

    `REMOVED` is Table 2 of the paper: every pair whose two words are the same string is taken out
    of the lexicon. A source word with other translations stays with those; one without leaves the
    denominator. The vocabularies stay whole, so the same string can still be retrieved, and is
    then wrong; for the same reason copying never helps.
    """

    KEPT = "kept"
    REMOVED = "removed"


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
        return cls(
            tuple(groups),
            np.array(rows, dtype=np.int64),
            np.array(best, dtype=np.int64),
            np.array(copies, dtype=bool),
        )


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
