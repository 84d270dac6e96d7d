"""Alignment error rate against links that people have drawn (Och and Ney 2003)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from jointalign.errors import JointalignError
from jointalign.word_alignment.base import Gold


@dataclass(frozen=True)
class AlignmentScore:
    """How well links agree with gold ones: A links, of which S must and P may be there.

    Args:
        error_rate: AER, 1 - (|A and S| + |A and P|) / (|A| + |S|).
        precision: |A and P| / |A|.
        recall: |A and S| / |S|.
        sentences: Number of sentence pairs.
        links: |A|.
        sure: |S|.
    """

    error_rate: float
    precision: float
    recall: float
    sentences: int
    links: int
    sure: int

    def to_json(self) -> dict[str, float | int]:
        """All of it as plain types."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        return (
            f"AER = {100 * self.error_rate:.1f} (precision {100 * self.precision:.1f}, recall "
            f"{100 * self.recall:.1f}; {self.links} links, {self.sure} sure ones in "
            f"{self.sentences} sentence pairs)"
        )


def alignment_error_rate(links: Iterable[np.ndarray], gold: Gold) -> AlignmentScore:
    """Score links.

    Args:
        links: Of each sentence pair, `(l, 2)`, e.g. `Links`.
        gold: What should be there.

    Raises:
        JointalignError: If there are not as many sentence pairs, or gold has no sure link.

    Example:
        >>> from jointalign.word_alignment.base import Links
        >>> sure, possible = Links.of([[(0, 0)]]), Links.of([[(0, 0), (1, 1)]])
        >>> print(alignment_error_rate(Links.of([[(0, 0), (1, 0)]]), Gold(sure, possible)))
        AER = 33.3 (precision 50.0, recall 100.0; 2 links, 1 sure ones in 1 sentence pairs)
    """
    found = [set(map(tuple, pairs.tolist())) for pairs in links]
    if len(found) != len(gold):
        raise JointalignError(
            f"expected links of {len(gold)} sentence pairs as in the gold file, got {len(found)}"
        )
    total = sum(map(len, found))
    sure_total = len(gold.sure.pairs)
    if not sure_total:
        raise JointalignError("the gold file has no sure link ('1-1'), so no error rate is defined")
    sure = possible = 0
    for pairs, must, may in zip(found, gold.sure, gold.possible, strict=True):
        sure += len(pairs & set(map(tuple, must.tolist())))
        possible += len(pairs & set(map(tuple, may.tolist())))
    error = 1 - (sure + possible) / (total + sure_total)
    precision = possible / total if total else 0.0
    return AlignmentScore(error, precision, sure / sure_total, len(found), total, sure_total)
