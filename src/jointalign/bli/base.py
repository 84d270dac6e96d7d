"""The conditions of an evaluation, the rules among them, and its result: what became of each word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isnan, nan
from typing import Any

import numpy as np

from jointalign.checks import check_fields
from jointalign.errors import JointalignError
from jointalign.retrieval.base import Retrieval, Score
from jointalign.storage.tables import frame
from jointalign.version import __version__

DEPTH = 10
"""How far down ranks are counted, unless asked otherwise: as far as P@10 needs."""

LOW_COVERAGE = 50.0
"""Percentage of test words below which a score says more of the rest than of the vectors."""

# Bands of source words by rank in their vocabulary: name, first rank (from 1), last rank.
_BANDS = (
    ("1-1000", 1, 1000),
    ("1001-5000", 1001, 5000),
    ("5001-20000", 5001, 20_000),
    ("20001-50000", 20_001, 50_000),
    ("50001-", 50_001, np.inf),
    ("unknown", 0, 0),
)


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


@dataclass(frozen=True)
class Conditions:
    """How a score is made: what must be equal, or known to differ, for two to be compared.

    Args:
        score: How translations are retrieved: `nn`, `csls`, `isf`, or a `Score`.
        oov: Rule for words that are missing; the default leaves them out, as MUSE does.
        identical: Whether pairs of the same surface form are tested.
        max_vocabulary: Use only so many words of each language, the most frequent; `None`: all.
        depth: Count ranks so far down, at least 10; a translation below has reciprocal rank 0. The
            default, 10, is all that P@10 needs, and a small part of the work of `None`, all ranks.
        seed: The only source of randomness, which is the bootstrap's.
        resamples: Bootstrap samples for the interval of P@1.
        version: Version of jointalign.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> print(Conditions("csls", OutOfVocabulary.PAPER, version="0.1.0"))
        retrieval:csls10|oov:paper|identical:kept|mrr:10|seed:0|v:0.1.0
    """

    score: Score | str = Retrieval.CSLS
    oov: OutOfVocabulary = OutOfVocabulary.MUSE
    identical: Identical = Identical.KEPT
    max_vocabulary: int | None = None
    depth: int | None = DEPTH
    seed: int = 0
    resamples: int = 1000
    version: str = __version__

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "score", Score.of(self.score))
        if self.max_vocabulary is not None and self.max_vocabulary < 1 or self.resamples < 1:
            raise JointalignError(
                "max_vocabulary and resamples must be positive, got "
                f"{self.max_vocabulary} and {self.resamples}"
            )
        if self.depth is not None and self.depth < DEPTH:
            raise JointalignError(f"depth must be at least {DEPTH}, for P@{DEPTH}, or None; got {self.depth}")

    def __str__(self) -> str:
        size = "" if self.max_vocabulary is None else f"vocabulary:{self.max_vocabulary}|"
        depth = "all" if self.depth is None else self.depth
        return (
            f"retrieval:{self.score}|oov:{self.oov}|identical:{self.identical}|"
            f"{size}mrr:{depth}|seed:{self.seed}|v:{self.version}"
        )


def low_coverage(coverage: float, rule: OutOfVocabulary | str) -> str:
    """A warning that a score can't carry weight, since it is of few of the test words; empty if it can.

    Args:
        coverage: Percentage of the source words with a pair in both vocabularies.
        rule: For the others, which make up what the score is of.

    Example:
        >>> low_coverage(14.2, "paper")
        'only 14.2 % of the test words have a pair in both vocabularies: P@1 under rule paper is mostly of the
        others, which are copied or wrong'
        >>> low_coverage(50.0, "paper")
        ''
    """
    if not coverage < LOW_COVERAGE:
        return ""
    meaning = "leaves the others out"
    if rule != OutOfVocabulary.MUSE:
        outcome = "wrong" if rule == OutOfVocabulary.STRICT else "copied or wrong"
        meaning = f"is mostly of the others, which are {outcome}"
    return (
        f"only {coverage:.1f} % of the test words have a pair in both vocabularies: "
        f"P@1 under rule {rule} {meaning}"
    )


AS_MUSE = Conditions()
"""CSLS among all words, those that are missing left out: what MUSE's evaluation does."""


@dataclass(frozen=True)
class Band:
    """Score of the source words of one band of frequency.

    Args:
        name: Ranks of the words in the source vocabulary, from 1; `unknown` for those not in it.
        n: Number of words.
        p_at_1: Precision at 1, in percent; `nan` if there is no word.
    """

    name: str
    n: int
    p_at_1: float


@dataclass(frozen=True, eq=False)
class BLIResult:
    """Precision of the translations of a test lexicon's source words.

    All scores are percentages of `n` words; with `n` = 0 they are `nan`.

    Args:
        words: The source words that count, distinct, in the order of the lexicon.
        reciprocal_ranks: For each, 1 / rank of its best-ranked translation among all target words,
            float64 `(n,)`; 0 if it cannot be found, or only below the depth of `conditions`.
        source_rows: Row of each in the source vocabulary, int64 `(n,)`; -1 for unknown words.
        coverage: Percentage of the lexicon's distinct source words that have a pair in both
            vocabularies. The same under every rule for missing words.
        ci: 95 % bootstrap interval of P@1 over source words.
        conditions: Retrieval and rules.
        overlap: Number of tested pairs that are in the training lexicon too; `None` if none was
            given.
    """

    words: tuple[str, ...]
    reciprocal_ranks: np.ndarray
    source_rows: np.ndarray
    coverage: float
    ci: tuple[float, float]
    conditions: Conditions
    overlap: int | None = None

    @property
    def n(self) -> int:
        """Number of source words that count: the denominator."""
        return len(self.words)

    @property
    def p_at_1(self) -> float:
        """Percentage of words with a translation at rank 1."""
        return self.precision(1)

    @property
    def p_at_5(self) -> float:
        """Percentage of words with a translation among the first 5."""
        return self.precision(5)

    @property
    def p_at_10(self) -> float:
        """Percentage of words with a translation among the first 10."""
        return self.precision(10)

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank of the best-ranked translation, times 100; see `Conditions.depth`.

        With the default depth this is MRR@10: a translation below rank 10 adds nothing.
        """
        return _percent(self.reciprocal_ranks)

    def precision(self, k: int) -> float:
        """Percentage of words with a translation among the first `k`.

        Raises:
            JointalignError: If ranks were not counted so far.
        """
        depth = self.conditions.depth
        if depth is not None and k > depth:
            raise JointalignError(
                f"ranks were counted to {depth}, not to {k}; evaluate with depth={k} or more"
            )
        return _percent(self.reciprocal_ranks >= 1 / k)

    @property
    def bands(self) -> tuple[Band, ...]:
        """P@1 by the source words' frequency."""
        ranks, right = self.source_rows + 1, self.reciprocal_ranks == 1
        found = []
        for name, first, last in _BANDS:
            inside = right[(ranks >= first) & (ranks <= last)]
            found.append(Band(name, len(inside), _percent(inside)))
        return tuple(found)

    @property
    def signature(self) -> str:
        """The conditions behind the score, on one line."""
        return f"n:{self.n}|coverage:{self.coverage:.1f}|{self.conditions}"

    def __str__(self) -> str:
        low, high = self.ci
        return f"P@1 = {self.p_at_1:.1f} [{low:.1f}, {high:.1f}] |{self.signature}"

    def to_frame(self) -> Any:
        """What became of each word, as a pandas data frame: `word`, `frequency_rank`, `reciprocal_rank`.

        Raises:
            JointalignError: If pandas is not installed.
        """
        places = zip(self.words, self.source_rows.tolist(), self.reciprocal_ranks.tolist(), strict=True)
        return frame(
            [{"word": word, "frequency_rank": row + 1, "reciprocal_rank": rank} for word, row, rank in places]
        )

    def to_json(self) -> dict[str, Any]:
        """Numbers and signature as plain types; `None` where there is no word to count."""
        return {
            "p_at_1": _number(self.p_at_1),
            "p_at_5": _number(self.p_at_5),
            "p_at_10": _number(self.p_at_10),
            "mrr": _number(self.mrr),
            "coverage": _number(self.coverage),
            "n": self.n,
            "ci": [_number(end) for end in self.ci],
            "signature": self.signature,
            "bands": [
                {"name": band.name, "n": band.n, "p_at_1": _number(band.p_at_1)} for band in self.bands
            ],
            "overlap": self.overlap,
            "mrr_depth": self.conditions.depth,
        }


def _percent(values: np.ndarray) -> float:
    return 100 * float(values.mean()) if len(values) else nan


def _number(value: float) -> float | None:
    # JSON has no nan.
    return None if isnan(value) else value
