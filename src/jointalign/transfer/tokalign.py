"""TokAlign (Li et al., ACL 2025): each new token takes the row of one old token, the most alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.checks import check_fields
from jointalign.retrieval.api import Retrieval, neighbours
from jointalign.transfer.base import Copied, TransferMethod, Weights


@dataclass(frozen=True)
class TokAlign(TransferMethod):
    """The nearest old token's row: aligning tokens is inducing a lexicon of them.

    The paper trains vectors of tokens, by GloVe, and brings both sides into one space by their
    cosines to tokens of both vocabularies; here any space serves.

    Args:
        retrieval: By what the nearest is found (nn, the cosine: the paper).
        copied: Tokens that keep their row (shared: the paper).
    """

    retrieval: Retrieval = Retrieval.NEAREST
    copied: Copied = Copied.SHARED
    __post_init__ = check_fields

    def fit(self, old: np.ndarray, new: np.ndarray, shared: np.ndarray) -> Weights:
        """See `TransferMethod.fit`."""
        known, asked = np.flatnonzero(old.any(axis=1)), np.flatnonzero(new.any(axis=1))
        found = neighbours(new[asked], old[known], 1, score=self.retrieval)
        return Weights.of(len(new), asked, known[found.rows[:, 0]], np.ones(len(asked)))
