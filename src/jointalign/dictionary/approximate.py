"""Dictionaries of whole vocabularies without every product: inverted files, by faiss.

For vocabularies so large that the exact dictionary takes too long, where some wrong entries do not
matter. How many there are is measured each time, on a sample of words whose exact answers are
worked out: the recall. The cost grows with the power 1.5 of the size of the vocabularies, that of
the exact dictionary with the square, but below 100,000 words the exact one is the faster.
Everything else in the package is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

from jointalign.dictionary.base import Translation, agreed, listed
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.numerics.normalize import unit
from jointalign.retrieval.api import Neighbours, Score, neighbours

# Cells of the inverted file for each unit of the square root of the number of vectors, and vectors
# a cell that it is trained on: what the authors of faiss advise.
_CELLS, _TRAINED_ON = 4, 50


@dataclass(frozen=True, eq=False)
class Approximate:
    """What was found, and how much of the truth it is.

    Args:
        there: Neighbours of the source rows by CSLS, `(n, k)`.
        back: Neighbours of the target rows, `(m, k)`.
        recall: Share of the exact `k` best that were found, over a sample of source rows.
        sample: How many rows that is from.
    """

    there: Neighbours
    back: Neighbours
    recall: float
    sample: int


def approximate_neighbours(
    x: np.ndarray, z: np.ndarray, k: int = 10, *, neighbourhood: int = 10, probes: int = 64, sample: int = 500
) -> Approximate:
    """CSLS neighbours of two whole vocabularies among each other, most of them right.

    A score `2 cos(x, y) - r(y)` is the inner product of `(2x, -1)` and `(y, r(y))`: the same kind
    of search as that for `r`.

    Args:
        x: Vectors of one language, `(n, d)`, most frequent word first.
        z: Vectors of the other, `(m, d)`, likewise.
        k: How many; all if there are fewer.
        neighbourhood: Neighbours in CSLS's `r`; default 10, as in Conneau et al. (2018).
        probes: Cells that each word is compared with, of 4 times the square root of the words: more
            are slower and find more.
        sample: Rows of `x`, evenly spaced, whose exact answers tell the recall.

    Raises:
        MissingExtraError: If faiss is not installed.
        JointalignError: If a setting is not positive, a side empty, or the dimensions differ.
    """
    if min(k, neighbourhood, probes, sample) < 1:
        raise JointalignError("k, neighbourhood, probes and sample must be positive")
    if x.ndim != 2 or z.ndim != 2 or x.shape[1] != z.shape[1] or not len(x) or not len(z):
        raise JointalignError(
            f"expected vectors of one space, (n, d) and (m, d); got {x.shape} and {z.shape}"
        )
    sides = [np.ascontiguousarray(unit(side), np.float32) for side in (x, z)]
    files = [_inverted(side, probes) for side in sides]
    hubs = [
        _search(files[1 - i], sides[i], min(neighbourhood, len(sides[1 - i])))[0].mean(axis=1) for i in (0, 1)
    ]
    del files
    there, back = (_found(sides[i], sides[1 - i], k, hubs[i], hubs[1 - i], probes) for i in (0, 1))
    rows = np.unique(np.linspace(0, len(x) - 1, min(sample, len(x))).astype(np.int64))
    exact = neighbours(x[rows], z, k, sources=x, score=Score(neighbourhood=neighbourhood)).rows
    same = (exact[:, :, None] == there.rows[rows][:, None, :]).any(axis=2)
    return Approximate(there, back, float(same.mean()), len(rows))


def induce_approximately(
    bilingual: BilingualEmbedding,
    *,
    count: int = 1,
    mutual: bool = True,
    threshold: float | None = None,
    max_vocabulary: int | None = None,
    probes: int = 64,
) -> tuple[list[Translation], float]:
    """`induce` by CSLS with approximate neighbours.

    Args:
        bilingual: As for `induce`.
        count: As for `induce`.
        mutual: As for `induce`.
        threshold: As for `induce`.
        max_vocabulary: As for `induce`.
        probes: As for `approximate_neighbours`.

    Returns:
        Translations, as `induce` gives them, and the recall of `count` + 1 neighbours.

    Raises:
        MissingExtraError: If faiss is not installed.
        JointalignError: If a setting is not positive, a side empty, or a vector not finite.
    """
    for name, value in (("count", count), ("max_vocabulary", max_vocabulary)):
        if value is not None and value < 1:
            raise JointalignError(f"{name} must be positive, got {value}")
    source, target = bilingual.sides(max_vocabulary)
    found = approximate_neighbours(source.vectors, target.vectors, count + 1, probes=probes)
    entries = listed(source.words, target, found.there, count, threshold)
    if mutual:
        entries = agreed(entries, found.there.rows, found.back.rows, count)
    return [entry for some in entries for entry in some], found.recall


def _found(
    queries: np.ndarray, candidates: np.ndarray, k: int, density: np.ndarray, hubs: np.ndarray, probes: int
) -> Neighbours:
    asked = np.hstack([2 * queries, np.full((len(queries), 1), -1, np.float32)])
    file = _inverted(np.hstack([candidates, hubs[:, None].astype(np.float32)]), probes)
    scores, rows = _search(file, asked, min(k, len(candidates)))
    return Neighbours(rows, scores - density[:, None].astype(np.float32))


def _inverted(vectors: np.ndarray, probes: int) -> Any:
    """An inverted file of vectors, for inner products."""
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError("faiss", "approximate") from error
    cells = max(1, min(_CELLS * isqrt(len(vectors)), len(vectors) // _TRAINED_ON))
    width = vectors.shape[1]
    metric = faiss.METRIC_INNER_PRODUCT
    file = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, cells, metric)
    file.cp.max_points_per_centroid = _TRAINED_ON
    file.cp.min_points_per_centroid = 1
    file.train(vectors)
    file.add(vectors)
    file.nprobe = min(probes, cells)
    return file


def _search(file: Any, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and rows; those whose cells held fewer than `k` vectors are searched everywhere."""
    scores, rows = file.search(queries, k)
    short = np.flatnonzero(rows[:, -1] < 0)
    if len(short):
        probes, file.nprobe = file.nprobe, file.nlist
        scores[short], rows[short] = file.search(queries[short], k)
        file.nprobe = probes
    return scores, rows
