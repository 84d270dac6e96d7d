"""FOCUS (Dobler and de Melo, EMNLP 2023): a sparse mean of the tokens that both vocabularies have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.checks import check_fields
from jointalign.numerics.normalize import unit
from jointalign.transfer.base import Copied, TransferMethod, Weights

_SCORES_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Focus(TransferMethod):
    """Shared tokens keep their rows; another is a mean of these, weighted by a sparsemax of the cosines.

    How alike two tokens are, the vectors of the new language alone say: those of the old one are not
    looked at.

    Args:
        copied: Tokens that keep their row (shared: the paper).
    """

    copied: Copied = Copied.SHARED
    __post_init__ = check_fields

    def fit(self, old: np.ndarray, new: np.ndarray, shared: np.ndarray) -> Weights:
        """See `TransferMethod.fit`."""
        has = np.asarray(new.any(axis=1))
        usable = shared[has[shared[:, 0]]]
        has[shared[:, 0]] = False
        asked = np.flatnonzero(has)
        if not len(usable):
            asked = asked[:0]
        anchors = unit(new[usable[:, 0]]).T
        step = max(1, _SCORES_AT_ONCE // max(1, len(usable)))
        found: list[np.ndarray] = [np.zeros((3, 0))]
        for begin in range(0, len(asked), step):
            block = asked[begin : begin + step]
            weights = sparsemax(unit(new[block]).astype(np.float64) @ anchors)
            row, column = np.nonzero(weights)
            found.append(np.stack([block[row], usable[column, 1], weights[row, column]]))
        rows, sources, weights = np.concatenate(found, axis=1)
        return Weights.of(len(new), rows.astype(np.int64), sources, weights)


def sparsemax(scores: np.ndarray) -> np.ndarray:
    """The point of the simplex nearest to each row, `(b, p)`, in the same shape (Martins and Astudillo 2016).

    Example:
        >>> sparsemax(np.array([[1.0, 0.5, -1.0]])).tolist()
        [[0.75, 0.25, 0.0]]
    """
    falling = -np.sort(-scores, axis=1)
    excess = np.cumsum(falling, axis=1) - 1
    place = np.arange(1, scores.shape[1] + 1)
    size = (falling * place > excess).sum(axis=1, keepdims=True)
    threshold = np.take_along_axis(excess, size - 1, axis=1) / size
    return np.maximum(scores - threshold, 0)
