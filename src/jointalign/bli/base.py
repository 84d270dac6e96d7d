"""The result of an evaluation: what became of each word, and under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np

from jointalign.bli._rules import Identical, OutOfVocabulary
from jointalign.errors import JointalignError
from jointalign.version import __version__

DEPTH = 10
"""How far down ranks are counted, unless asked otherwise: as far as P@10 needs."""

# Bands of source words by rank in their vocabulary: name, first rank (from 1), last rank.
_BANDS = (
    ("1-1000", 1, 1000),
    ("1001-5000", 1001, 5000),
    ("5001-20000", 5001, 20_000),
    ("20001-50000", 20_001, 50_000),
    ("50001-", 50_001, np.inf),
    ("unknown", 0, 0),
)


@dataclass(frozen=True)
class Conditions:
    """What must be equal, or known to differ, for two scores to be compared.

    Args:
        retrieval: Retrieval and its setting: `nn`, `csls10`, `isf30`.
        oov: Rule for words that are missing.
        identical: Whether pairs of the same surface form were tested.
        max_vocabulary: Only so many words of each language were known; `None`: all.
        depth: A translation further down than this rank counts as not found, with reciprocal rank
            0; `None`: every rank counts.
        seed: Seed of the bootstrap.
        version: Version of jointalign.

    Example:
        >>> print(Conditions("csls10", OutOfVocabulary.PAPER, Identical.KEPT, version="0.1.0"))
        retrieval:csls10|oov:paper|identical:kept|mrr:10|seed:0|v:0.1.0
    """

    retrieval: str
    oov: OutOfVocabulary
    identical: Identical
    max_vocabulary: int | None = None
    depth: int | None = DEPTH
    seed: int = 0
    version: str = __version__

    def __str__(self) -> str:
        size = "" if self.max_vocabulary is None else f"vocabulary:{self.max_vocabulary}|"
        depth = "all" if self.depth is None else self.depth
        return (
            f"retrieval:{self.retrieval}|oov:{self.oov}|identical:{self.identical}|"
            f"{size}mrr:{depth}|seed:{self.seed}|v:{self.version}"
        )


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
