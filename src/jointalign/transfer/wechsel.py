"""WECHSEL (Minixhofer, Paischer and Rekabsaz, NAACL 2022): the mean of the nearest old tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.ranges import check_ranges, within
from jointalign.retrieval.api import neighbours
from jointalign.transfer.base import Copied, TransferMethod, Weights


@dataclass(frozen=True)
class Wechsel(TransferMethod):
    """The mean of the nearest old tokens in the space, weighted by a softmax of their cosines.

    Args:
        neighbours: How many old tokens (10: the paper).
        temperature: That the cosines are divided by (0.1: the paper).
        copied: Tokens that keep their row (special: the paper's code).

    Raises:
        JointalignError: If a setting is out of its range.
    """

    neighbours: int = within(10, least=1)
    temperature: float = within(0.1, above=0)
    copied: Copied = Copied.SPECIAL
    __post_init__ = check_ranges

    def fit(self, old: np.ndarray, new: np.ndarray, shared: np.ndarray) -> Weights:
        """See `TransferMethod.fit`."""
        known, asked = np.flatnonzero(old.any(axis=1)), np.flatnonzero(new.any(axis=1))
        found = neighbours(new[asked], old[known], self.neighbours, score="nn")
        scores = found.scores / self.temperature
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights = powers / powers.sum(axis=1, keepdims=True)
        rows = np.repeat(asked, weights.shape[1])
        return Weights.of(len(new), rows, known[found.rows].ravel(), weights.ravel())
