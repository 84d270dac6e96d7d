"""Which endings and beginnings go together, counted on the pairs of a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

KINDS = tuple((length, end) for length in (1, 2, 3) for end in (True, False))
"""Letters of an affix, and whether it is an ending: the columns of the features."""

_PRIOR, _ALONE = 2.0, 0.5

UNKNOWN = float(np.float32(np.log(_PRIOR / (_PRIOR + _ALONE**2))))
"""What `association` says of all affixes where no pair is known."""


@dataclass(frozen=True, eq=False)
class AffixNumbers:
    """The affixes of all words of one side as numbers, int64 `(words, kinds)`, worked out once."""

    numbers: np.ndarray

    @classmethod
    def of(cls, words: Sequence[str]) -> AffixNumbers:
        """Number the affixes of plain words."""
        columns = []
        for length, end in KINDS:
            seen: dict[str, int] = {}
            affixes = (word[-length:] if end else word[:length] for word in words)
            columns.append([seen.setdefault(affix, len(seen)) for affix in affixes])
        return cls(np.array(columns, np.int64).reshape(len(KINDS), len(words)).T)


def association(
    source: AffixNumbers, target: AffixNumbers, known: np.ndarray, pairs: np.ndarray
) -> np.ndarray:
    """How much more often the affixes of each pair go together than by chance.

    Args:
        source: Of the source words.
        target: Of the target words.
        known: Rows of the dictionary's pairs, `(k, 2)`, to count on.
        pairs: Rows of the pairs asked about, `(p, 2)`.

    Returns:
        float32 `(p, kinds)`: log of (n + 2) / (expected n + 2).
    """
    found = np.zeros((len(pairs), len(KINDS)), np.float32)
    for kind in range(len(KINDS)):
        a, b = source.numbers[:, kind], target.numbers[:, kind]
        size = int(b.max(initial=0)) + 1
        seen, counts = np.unique(a[known[:, 0]] * size + b[known[:, 1]], return_counts=True)
        asked = a[pairs[:, 0]] * size + b[pairs[:, 1]]
        at = np.minimum(np.searchsorted(seen, asked), max(len(seen) - 1, 0))
        together = np.where(seen[at] == asked, counts[at], 0) if len(seen) else np.zeros(len(asked))
        alone = np.bincount(a[known[:, 0]], minlength=int(a.max(initial=0)) + 1)[a[pairs[:, 0]]] + _ALONE
        others = np.bincount(b[known[:, 1]], minlength=size)[b[pairs[:, 1]]] + _ALONE
        expected = alone * others / max(len(known), 1)
        found[:, kind] = np.log((together + _PRIOR) / (expected + _PRIOR))
    return found
