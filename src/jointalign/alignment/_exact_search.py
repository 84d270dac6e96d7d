"""The best match under dropout of a few words, by looking at every entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from jointalign.alignment._sweep import Dropout, kept
from jointalign.numerics.compiling import compiled
from jointalign.numerics.processors import spread, usable_threads
from jointalign.numerics.tiles import COLUMNS, ROWS, blocks


@dataclass(frozen=True, eq=False)
class ExactSearch:
    """The search without lists.

    Args:
        own: The side to match, `(n, d)`.
        other: The side to choose from, `(m, d)`.
        penalty: Of each word of `other`, `(m,)`.
        dropout: Which entries count.
        backward: Whether `own` is the target: its words are the columns of the product.
    """

    own: np.ndarray
    other: np.ndarray
    penalty: np.ndarray
    dropout: Dropout
    backward: bool

    def __call__(self, lines: np.ndarray) -> np.ndarray:
        """The best match of some words, given by their rows, int64 `(lines,)`."""
        scores = np.full(len(lines), -np.inf, np.float32)
        places = np.zeros(len(lines), np.int64)
        stripes = [slice(*ends) for ends in blocks(len(lines), ROWS)]
        spread(partial(self._search, lines, scores, places), stripes, usable_threads())
        return places

    def _search(self, lines: np.ndarray, scores: np.ndarray, places: np.ndarray, stripe: slice) -> None:
        mine = self.own[lines[stripe]]
        for left, right in blocks(len(self.other), COLUMNS):
            _keep_best(
                mine @ self.other[left:right].T,
                lines[stripe],
                left,
                self.penalty[left:right],
                self.dropout.limit,
                np.uint64(self.dropout.key),
                self.backward,
                scores[stripe],
                places[stripe],
            )


@compiled()
def _keep_best(
    block: np.ndarray,
    lines: np.ndarray,
    left: int,
    penalty: np.ndarray,
    limit: np.uint64,
    key: np.uint64,
    backward: bool,
    scores: np.ndarray,
    places: np.ndarray,
) -> None:
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            score = block[i, j] - penalty[j]
            if score <= scores[i] and scores[i] >= 0:
                continue
            line, place = lines[i], left + j
            counts = kept(place, line, limit, key) if backward else kept(line, place, limit, key)
            if not counts:
                score = np.float32(0)
            if score > scores[i]:
                scores[i], places[i] = score, place
