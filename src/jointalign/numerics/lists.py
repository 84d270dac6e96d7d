"""The best of each row of a product of NumPy arrays, the same to the last bit however it is cut.

The tiles of the product fill lists of the highest scores, which in float32 are a little wrong; each
list is a little longer than what is wanted. The scores of its entries are then worked out again
(`_scanning`). Where the last wanted one is so near to the end of the list that an entry outside may
be as high, as among many copies of a vector, the row is gone through again with every score that
matters worked out.
"""

from __future__ import annotations

import numpy as np

from jointalign.numerics.processors import spread, usable_threads
from jointalign.numerics.scanning import best_of_rows, entries, highest_of_columns, highest_of_rows, margins
from jointalign.numerics.tiles import blocks, each_tile

Best = tuple[np.ndarray, np.ndarray]
"""The best of each row: scores, best first, and their columns (int64), both `(n, k)`."""

# Entries of a list beyond those wanted: fewer leave more rows to be gone through again.
_SPARE = 6
# Rows whose lists are worked out at a time.
_ROWS = 2048


def best_of_each(x: np.ndarray, others: np.ndarray, k: int, penalty: np.ndarray) -> Best:
    """The `k` highest of `x @ others.T - penalty` in each row, at most as many as there are."""
    x, others, penalty = alike(x, others, penalty)
    best = _nothing(x, others, k)

    def over_rows(rows: slice, columns: slice, tile: np.ndarray) -> None:
        part = best[0][rows], best[1][rows]
        highest_of_rows(*part, tile, penalty[columns], columns.start)

    each_tile(x, others, over_rows)
    return _finished(x, others, k, penalty, best)


def best_of_both(
    x: np.ndarray, others: np.ndarray, k: int, penalty: np.ndarray, row_penalty: np.ndarray
) -> tuple[Best, Best]:
    """`best_of_each` of `x` among `others`, and the other way round, out of one product."""
    x, others, penalty, row_penalty = alike(x, others, penalty, row_penalty)
    by_row, by_column = _nothing(x, others, k), _nothing(others, x, k)

    def over_rows(rows: slice, columns: slice, tile: np.ndarray) -> None:
        part = by_row[0][rows], by_row[1][rows]
        highest_of_rows(*part, tile, penalty[columns], columns.start)

    def over_columns(rows: slice, columns: slice, tile: np.ndarray) -> None:
        part = by_column[0][columns], by_column[1][columns]
        highest_of_columns(*part, tile, row_penalty[rows], rows.start)

    each_tile(x, others, over_rows, over_columns)
    return (_finished(x, others, k, penalty, by_row), _finished(others, x, k, row_penalty, by_column))


def rescored(x: np.ndarray, others: np.ndarray, columns: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Scores of listed columns, `(n, k)`, rounded once, as all searches round them."""
    found = np.empty(columns.shape, x.dtype)

    def score(ends: tuple[int, int]) -> None:
        begin, end = ends
        rows = np.repeat(np.arange(begin, end), columns.shape[1])
        pairs = np.stack([rows, columns[begin:end].ravel()], axis=1)
        found[begin:end] = entries(x, others, pairs, penalty).reshape(end - begin, -1)

    spread(score, list(blocks(len(x), _ROWS)), usable_threads())
    return found


def in_order(scores: np.ndarray, columns: np.ndarray) -> Best:
    """The entries of each row, best first; of equal scores the lower column."""
    order = np.lexsort((columns, -scores), axis=1)
    return np.take_along_axis(scores, order, 1), np.take_along_axis(columns, order, 1)


def alike(*arrays: np.ndarray) -> list[np.ndarray]:
    """The same numbers as arrays of one type, row by row in memory."""
    dtype = np.result_type(*arrays, np.float32)
    return [np.ascontiguousarray(array, dtype) for array in arrays]


def _nothing(x: np.ndarray, others: np.ndarray, k: int) -> Best:
    shape = len(x), min(k + _SPARE, len(others))
    return np.full(shape, -np.inf, x.dtype), np.full(shape, -1, np.int64)


def _finished(x: np.ndarray, others: np.ndarray, k: int, penalty: np.ndarray, lists: Best) -> Best:
    """The best of lists whose scores are about right."""
    about, columns = lists
    if not about.size:
        return about[:, :k], columns[:, :k]
    scores = rescored(x, others, columns, penalty)
    scores[columns < 0] = -np.inf  # of what is not a number nothing is listed
    scores, columns = (part[:, :k].copy() for part in in_order(scores, columns))
    if about.shape[1] == len(others):
        return scores, columns
    margin = margins(x, others, penalty)
    again = np.flatnonzero(about[:, -1] + margin >= scores[:, -1])
    if len(again):
        scores[again], columns[again] = _gone_through(x[again], others, k, penalty, margin[again])
    return scores, columns


def _gone_through(x: np.ndarray, others: np.ndarray, k: int, penalty: np.ndarray, margin: np.ndarray) -> Best:
    scores, found = np.full((len(x), k), -np.inf, x.dtype), np.full((len(x), k), -1, np.int64)

    def over_rows(rows: slice, columns: slice, tile: np.ndarray) -> None:
        best_of_rows(
            scores[rows],
            found[rows],
            tile,
            x[rows],
            others[columns],
            penalty[columns],
            margin[rows],
            columns.start,
        )

    each_tile(x, others, over_rows)
    return scores, found
