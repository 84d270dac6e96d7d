"""The best of each row and of each column of a product `x @ z.T`, from one pass over its blocks.

For each row and each column of the product two short lists are kept, best first:

- `nearest`: the highest products, whose mean is CSLS's r;
- `likely`: the highest of those entries that dropout keeps, each lowered by an estimate of its
  penalty. The penalties themselves are only known when the pass is over.

An entry is dropped or kept by a hash of its row, its column and a key, so that it does not matter
in what order, in what blocks or in how many threads the entries come.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from jointalign.numerics.compiling import compiled
from jointalign.numerics.tiles import each_tile

# Entries tested at once, without branches, so that the compiler makes vector instructions of it.
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Dropout:
    """Which entries of the product count: the others are zero (Artetxe et al. 2018b, section 3.3).

    Args:
        probability: Share of the entries that are kept.
        key: Other keys keep other entries; from 0 to 2^64 - 1.
    """

    probability: float
    key: int

    @property
    def limit(self) -> np.uint64:
        """Hashes below it keep their entry, out of 2^32."""
        return np.uint64(round(self.probability * 2**32))


@dataclass(frozen=True, eq=False)
class Best:
    """The best entries of each line, a row or a column, of the product; best first.

    Args:
        scores: float32 `(lines, k)`. Before the first pass: what an entry has to exceed.
        places: Where they are: columns of a row, rows of a column; int64 `(lines, k)`, -1: none.
        threshold: The last score of each line, `(lines,)`: contiguous, for the test of a chunk.
    """

    scores: np.ndarray
    places: np.ndarray
    threshold: np.ndarray

    @classmethod
    def above(cls, threshold: np.ndarray, k: int) -> Best:
        """Empty lists that take only what is above a threshold, `(lines,)`."""
        scores = np.repeat(threshold[:, None], k, axis=1)
        return cls(scores, np.full(scores.shape, -1, np.int64), threshold.copy())

    def part(self, lines: slice) -> Best:
        """Views of some lines."""
        return Best(self.scores[lines], self.places[lines], self.threshold[lines])


@dataclass(frozen=True, eq=False)
class Side:
    """What a pass finds for the rows, or for the columns.

    Args:
        nearest: The highest products.
        likely: The highest kept products less the penalty.
        penalty: The estimate for each entry of a line: `(columns,)` for rows, `(rows,)` for
            columns; float32.
        dropout: Which entries `likely` can hold.
    """

    nearest: Best
    likely: Best
    penalty: np.ndarray
    dropout: Dropout


def sweep(x: np.ndarray, z: np.ndarray, rows: Side, columns: Side) -> None:
    """Fill the lists of both sides in place.

    Args:
        x: float32 `(n, d)`.
        z: float32 `(m, d)`.
        rows: Lists of `n` lines.
        columns: Lists of `m` lines.
    """
    each_tile(x, z, partial(_over_rows, rows), partial(_over_columns, columns))


def _over_rows(side: Side, rows: slice, columns: slice, tile: np.ndarray) -> None:
    nearest, likely = side.nearest.part(rows), side.likely.part(rows)
    _scan_rows(
        tile,
        rows.start,
        columns.start,
        nearest.scores,
        nearest.places,
        likely.scores,
        likely.places,
        side.penalty[columns],
        side.dropout.limit,
        np.uint64(side.dropout.key),
    )


def _over_columns(side: Side, rows: slice, columns: slice, tile: np.ndarray) -> None:
    nearest, likely = side.nearest.part(columns), side.likely.part(columns)
    _scan_columns(
        tile,
        rows.start,
        columns.start,
        nearest.scores,
        nearest.places,
        nearest.threshold,
        likely.scores,
        likely.places,
        likely.threshold,
        side.penalty[rows],
        side.dropout.limit,
        np.uint64(side.dropout.key),
    )


@compiled()
def kept(row: int, column: int, limit: np.uint64, key: np.uint64) -> bool:
    """Whether dropout keeps an entry: 32 bits of the finaliser of SplitMix64 (Steele et al. 2014).

    The key is mixed in twice, so that the patterns of two keys are not shifts of each other.
    """
    bits = (np.uint64(row) << np.uint64(32)) | np.uint64(column)
    bits = (bits ^ key) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = ((bits ^ (bits >> np.uint64(27))) + key) * np.uint64(0x94D049BB133111EB)
    return bool(((bits ^ (bits >> np.uint64(31))) >> np.uint64(32)) < limit)


@compiled()
def _scan_rows(
    block: np.ndarray,
    first_row: int,
    first_column: int,
    nearest: np.ndarray,
    nearest_places: np.ndarray,
    likely: np.ndarray,
    likely_places: np.ndarray,
    penalty: np.ndarray,
    limit: np.uint64,
    key: np.uint64,
) -> None:
    for i in range(block.shape[0]):
        for start in range(0, block.shape[1], _CHUNK):
            part = block[i, start : start + _CHUNK]
            tolls = penalty[start : start + _CHUNK]
            if not _any_above_one(part, nearest[i, -1], tolls, likely[i, -1]):
                continue
            for j in range(part.shape[0]):
                column = first_column + start + j
                if part[j] > nearest[i, -1]:
                    _insert(nearest[i], nearest_places[i], part[j], column)
                lowered = part[j] - tolls[j]
                if lowered > likely[i, -1] and kept(first_row + i, column, limit, key):
                    _insert(likely[i], likely_places[i], lowered, column)


@compiled()
def _scan_columns(
    block: np.ndarray,
    first_row: int,
    first_column: int,
    nearest: np.ndarray,
    nearest_places: np.ndarray,
    nearest_threshold: np.ndarray,
    likely: np.ndarray,
    likely_places: np.ndarray,
    likely_threshold: np.ndarray,
    penalty: np.ndarray,
    limit: np.uint64,
    key: np.uint64,
) -> None:
    for i in range(block.shape[0]):
        row, toll = first_row + i, penalty[i]
        for start in range(0, block.shape[1], _CHUNK):
            part = block[i, start : start + _CHUNK]
            near = nearest_threshold[start : start + _CHUNK]
            enough = likely_threshold[start : start + _CHUNK]
            if not _any_above_each(part, near, toll, enough):
                continue
            for j in range(part.shape[0]):
                line = start + j
                if part[j] > near[j]:
                    _insert(nearest[line], nearest_places[line], part[j], row)
                    near[j] = nearest[line, -1]
                lowered = part[j] - toll
                if lowered > enough[j] and kept(row, first_column + line, limit, key):
                    _insert(likely[line], likely_places[line], lowered, row)
                    enough[j] = likely[line, -1]


@compiled()
def _any_above_one(part: np.ndarray, near: float, tolls: np.ndarray, enough: float) -> bool:
    found = np.int32(0)  # as wide as the scores: a wider flag halves the vector width
    for j in range(part.shape[0]):
        found |= np.int32(part[j] > near) | np.int32(part[j] - tolls[j] > enough)
    return found != 0


@compiled()
def _any_above_each(part: np.ndarray, near: np.ndarray, toll: float, enough: np.ndarray) -> bool:
    found = np.int32(0)
    for j in range(part.shape[0]):
        found |= np.int32(part[j] > near[j]) | np.int32(part[j] - toll > enough[j])
    return found != 0


@compiled()
def _insert(scores: np.ndarray, places: np.ndarray, score: float, place: int) -> None:
    # Of equal scores the more frequent word, in the lower row, comes first, whenever it came here.
    at = scores.shape[0] - 1
    while at > 0 and (scores[at - 1] < score or (scores[at - 1] == score and places[at - 1] > place)):
        scores[at], places[at] = scores[at - 1], places[at - 1]
        at -= 1
    scores[at], places[at] = score, place
