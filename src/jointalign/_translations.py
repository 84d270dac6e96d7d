"""What retrieval finds, as words: one translation, and the answer to one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jointalign.embedding import Embedding
from jointalign.retrieval import Neighbours


@dataclass(frozen=True)
class Translation:
    """One translation of one word.

    Args:
        source: The word.
        target: Its translation.
        score: As retrieval gives it; higher is better.
        margin: Score minus that of the next best target word: how clear the choice is. `None` if
            there is no other target word.
        rank: Place among all target words, from 1.
    """

    source: str
    target: str
    score: float
    margin: float | None
    rank: int


@dataclass(frozen=True)
class Answer:
    """What is known of a word that was asked for.

    Args:
        word: The word.
        translations: Best first; empty if the word is unknown or none is good enough.
        known: Whether the word has a vector.
        from_subwords: Whether that vector was built from the word's n-grams, the word itself not
            being in the vocabulary.
    """

    word: str
    translations: tuple[Translation, ...]
    known: bool = True
    from_subwords: bool = False


def listed(
    words: Sequence[str], target: Embedding, best: Neighbours, count: int, threshold: float | None
) -> list[tuple[Translation, ...]]:
    """The first `count` of each word's neighbours; one more is needed for the last margin."""
    entries = []
    for word, rows, scores in zip(words, best.rows.tolist(), best.scores.tolist(), strict=True):
        margins = [score - lower for score, lower in pairwise(scores)] + [None]
        entries.append(
            tuple(
                Translation(word, target.words[row], score, margin, rank)
                for rank, (row, score, margin) in enumerate(
                    zip(rows[:count], scores, margins, strict=False), start=1
                )
                if threshold is None or score >= threshold
            )
        )
    return entries


def agreed(
    entries: Sequence[tuple[Translation, ...]], there: np.ndarray, back: np.ndarray, count: int
) -> list[tuple[Translation, ...]]:
    """Of each word, the translations that have it among their own `count` best.

    Args:
        entries: Of each word, from `listed`.
        there: Rows of its neighbours, `(n, k)`, `k` at least `count` unless all are there.
        back: Rows of the neighbours of each word of the other side, `(m, k)`.
        count: How many.
    """
    rows = np.arange(len(there))[:, None, None]
    mutual = (back[there[:, :count], :count] == rows).any(axis=2)  # (n, count)
    return [
        tuple(entry for entry in some if mutual[row, entry.rank - 1])
        for row, some in enumerate(entries)
    ]
