"""Do two words keep the same company: are the translations of one's neighbours neighbours of the other?"""

from __future__ import annotations

import numpy as np

from jointalign.numerics.compiling import compiled
from jointalign.numerics.scanning import dot

_NEIGHBOURS = 10
_AT_ONCE = 512

FEATURES = ("agreement", "correlation")
"""Columns of `agreement`."""


def agreement(source: np.ndarray, target: np.ndarray, known: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """How near the target word is to translations of the source word's nearest words of a dictionary.

    Args:
        source: Unit rows `(n, d)`.
        target: Unit rows `(m, d)`.
        known: Rows of the dictionary's pairs, `(k, 2)`; those of the source word itself do not count.
        pairs: Rows of the pairs asked about, `(p, 2)`.

    Returns:
        float32 `(p, 2)`: mean cosine of the target word and these translations, the nearest counting
        most, and correlation of both sides' cosines. Zeros without a dictionary.
    """
    found = np.zeros((len(pairs), len(FEATURES)), np.float32)
    words, order = np.unique(pairs[:, 0]), np.argsort(pairs[:, 0], kind="stable")
    starts = np.searchsorted(pairs[order, 0], words)
    ends = np.append(starts[1:], len(pairs))
    count = min(_NEIGHBOURS, len(known))
    for begin in range(0, len(words) if count else 0, _AT_ONCE):
        block = words[begin : begin + _AT_ONCE]
        cosines = source[block] @ source[known[:, 0]].T
        cosines[known[:, 0] == block[:, None]] = -1
        near = np.sort(np.argpartition(-cosines, count - 1, axis=1)[:, :count], axis=1)
        inside = slice(starts[begin], ends[min(begin + _AT_ONCE, len(words)) - 1])
        _fill(found, source, target, known, pairs, order[inside], block, near)
    return found


@compiled()
def _fill(
    found: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    known: np.ndarray,
    pairs: np.ndarray,
    asked: np.ndarray,
    words: np.ndarray,
    near: np.ndarray,
) -> None:
    """Numbers of pairs, rising by source word, from the `near` pairs of the dictionary of each word."""
    count = near.shape[1]
    here, there = np.empty(count), np.empty(count)
    place = -1
    for pair in asked:
        row, other = pairs[pair]
        if place < 0 or words[place] != row:
            place += 1
            for one in range(count):
                a = known[near[place, one], 0]
                here[one] = 0.0 if a == row else dot(source[row], source[a])
        for one in range(count):
            there[one] = dot(target[other], target[known[near[place, one], 1]])
        weights = np.maximum(here, 0.0) ** 2 + 1e-6
        found[pair, 0] = (there * weights).sum() / weights.sum()
        x, y = here - here.mean(), there - there.mean()
        found[pair, 1] = (x * y).sum() / max(np.sqrt((x * x).sum() * (y * y).sum()), 1e-9)
