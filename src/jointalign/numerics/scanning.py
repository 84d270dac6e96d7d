"""Compiled scans of one block of a matrix product: what is best in its rows or in its columns.

A matrix product in float32 rounds as its routine adds up, which differs with the shape of the block
and with the number of threads. So the block only says which entries may matter: one that misses
the best by more than any order of summation can be wrong by does not. The others are worked out
again by `dot`, which adds up in one fixed order, in float64. Their scores are therefore the same to
the last bit however the work is cut up, and two copies of a vector score alike.
"""

from __future__ import annotations

import numpy as np

from jointalign.numerics.compiling import compiled

# Entries tested at once: a test without branches that the compiler turns into vector
# instructions, so that the scan costs a few hundredths of the matrix product before it.
_CHUNK = 128


def margins(x: np.ndarray, others: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """What an entry of a product of `x` and `others`, less a penalty, may be wrong by; twice that.

    A sum of d products is wrong by at most d u |x||y| whatever the order, u being half the machine
    epsilon (Higham 2002, section 3.1); the few operations that follow add one u each.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        penalty: What is subtracted, of any length.

    Returns:
        A margin for each row of `x`, `(n,)`, of its type.
    """
    facts = np.finfo(x.dtype)
    longest = float(_lengths(others).max(initial=0))
    largest = float(np.abs(penalty).max(initial=0))
    bound = _lengths(x) * longest + largest
    # Numbers so small that they have lost digits err by more than their share.
    return (2.1 * (x.shape[1] + 8) * (facts.eps * bound + facts.tiny)).astype(x.dtype)


def _lengths(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))


@compiled()
def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Inner product in float64, added up in one order: eight sums, which the processor overlaps."""
    n = a.shape[0]
    whole = n - n % 8
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for i in range(0, whole, 8):
        s0 += np.float64(a[i]) * np.float64(b[i])
        s1 += np.float64(a[i + 1]) * np.float64(b[i + 1])
        s2 += np.float64(a[i + 2]) * np.float64(b[i + 2])
        s3 += np.float64(a[i + 3]) * np.float64(b[i + 3])
        s4 += np.float64(a[i + 4]) * np.float64(b[i + 4])
        s5 += np.float64(a[i + 5]) * np.float64(b[i + 5])
        s6 += np.float64(a[i + 6]) * np.float64(b[i + 6])
        s7 += np.float64(a[i + 7]) * np.float64(b[i + 7])
    for i in range(whole, n):
        s0 += np.float64(a[i]) * np.float64(b[i])
    return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))


@compiled()
def entries(x: np.ndarray, others: np.ndarray, pairs: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Entries of `x @ others.T - penalty` at rows and columns `(p, 2)`, as by the other kernels."""
    scores = np.empty(pairs.shape[0], x.dtype)
    for entry in range(pairs.shape[0]):
        row, column = pairs[entry]
        scores[entry] = dot(x[row], others[column]) - penalty[column]
    return scores


@compiled()
def best_of_rows(
    scores: np.ndarray,
    columns: np.ndarray,
    block: np.ndarray,
    x: np.ndarray,
    others: np.ndarray,
    penalty: np.ndarray,
    margin: np.ndarray,
    first: int,
) -> None:
    """Merge a block of `x @ others.T` into the best of its rows.

    Args:
        scores: Best scores so far, falling, `(n, k)`; changed in place.
        columns: Their columns, `(n, k)`; changed in place.
        block: The product, `(n, m)`.
        x: `(n, d)`.
        others: `(m, d)`.
        penalty: What is subtracted from each column, `(m,)`.
        margin: Of each row, `(n,)`, from `margins`.
        first: Number of the first column.
    """
    for i in range(block.shape[0]):
        threshold = scores[i, -1] - margin[i]
        for start in range(0, block.shape[1], _CHUNK):
            row = block[i, start : start + _CHUNK]
            tolls = penalty[start : start + _CHUNK]
            if not _any_above(row, tolls, threshold):
                continue
            for j in range(row.shape[0]):
                if row[j] - tolls[j] > threshold:
                    column = start + j
                    _insert(scores[i], columns[i], dot(x[i], others[column]) - tolls[j], first + column)
                    threshold = scores[i, -1] - margin[i]


@compiled()
def highest_of_rows(
    scores: np.ndarray, columns: np.ndarray, block: np.ndarray, penalty: np.ndarray, first: int
) -> None:
    """As `best_of_rows`, but by the scores of the block, not worked out again."""
    for i in range(block.shape[0]):
        lowest = scores[i, -1]
        for start in range(0, block.shape[1], _CHUNK):
            row = block[i, start : start + _CHUNK]
            tolls = penalty[start : start + _CHUNK]
            if not _any_above(row, tolls, lowest):
                continue
            for j in range(row.shape[0]):
                score = row[j] - tolls[j]
                if score > lowest:
                    _insert(scores[i], columns[i], score, first + start + j)
                    lowest = scores[i, -1]


@compiled()
def highest_of_columns(
    scores: np.ndarray, rows: np.ndarray, block: np.ndarray, penalty: np.ndarray, first: int
) -> None:
    """As `highest_of_rows`, for the columns.

    Args:
        scores: Highest scores so far, falling, `(m, k)`; changed in place.
        rows: Their rows, `(m, k)`; changed in place.
        block: The product, `(n, m)`.
        penalty: What is subtracted from each row, `(n,)`.
        first: Number of the first row.
    """
    lowest = scores[:, -1].copy()
    for i in range(block.shape[0]):
        for start in range(0, block.shape[1], _CHUNK):
            row, tolls = block[i, start : start + _CHUNK], lowest[start : start + _CHUNK]
            if not _any_above(row, tolls, penalty[i]):
                continue
            for j in range(row.shape[0]):
                score, column = row[j] - penalty[i], start + j
                if score > lowest[column]:
                    _insert(scores[column], rows[column], score, first + i)
                    lowest[column] = scores[column, -1]


@compiled()
def raise_lists(lists: np.ndarray, rows: np.ndarray, block: np.ndarray) -> None:
    """Merge a block into falling lists of the highest scores, without their columns.

    Args:
        lists: Highest scores so far, `(n, k)`; changed in place.
        rows: Which list each row of the block belongs to, all different, `(b,)`.
        block: Scores, `(b, m)`.
    """
    last = lists.shape[1] - 1
    for i in range(block.shape[0]):
        best = lists[rows[i]]
        lowest = best[last]
        for j in range(block.shape[1]):
            score = block[i, j]
            if score > lowest:
                place = last
                while place > 0 and best[place - 1] < score:
                    best[place] = best[place - 1]
                    place -= 1
                best[place] = score
                lowest = best[last]


@compiled()
def raise_numbered(
    scores: np.ndarray,
    numbers: np.ndarray,
    rows: np.ndarray,
    block: np.ndarray,
    columns: np.ndarray,
    penalty: np.ndarray,
) -> None:
    """As `raise_lists`, with the columns and a penalty on each.

    Args:
        scores: Highest scores so far, falling, `(n, k)`; changed in place.
        numbers: Their columns, `(n, k)`; changed in place.
        rows: Which list each row of the block belongs to, `(b,)`.
        block: Products, `(b, m)`.
        columns: Numbers of the block's columns, `(m,)`.
        penalty: What is subtracted, by number of the column.
    """
    tolls = penalty[columns]
    for i in range(block.shape[0]):
        row = rows[i]
        lowest = scores[row, -1]
        for start in range(0, block.shape[1], _CHUNK):
            some, toll = block[i, start : start + _CHUNK], tolls[start : start + _CHUNK]
            if not _any_above(some, toll, lowest):
                continue
            for j in range(some.shape[0]):
                if some[j] - toll[j] > lowest:
                    _insert(scores[row], numbers[row], some[j] - toll[j], columns[start + j])
                    lowest = scores[row, -1]


@compiled()
def count_above(
    counts: np.ndarray,
    own: np.ndarray,
    gold: np.ndarray,
    query: np.ndarray,
    block: np.ndarray,
    x: np.ndarray,
    others: np.ndarray,
    penalty: np.ndarray,
    margin: np.ndarray,
    first: int,
) -> None:
    """Count, for each of some entries, those of its row that are higher, or as high and before it.

    Args:
        counts: One for each entry, int64 `(p,)`; changed in place.
        own: Its score, `(p,)`.
        gold: Its column, `(p,)`.
        query: Its row in the block, `(p,)`.
        block: A block of `x @ others.T`, `(n, m)`.
        x: `(n, d)`.
        others: `(m, d)`.
        penalty: What is subtracted from each column, `(m,)`.
        margin: Of each row, `(n,)`, from `margins`.
        first: Number of the first column.
    """
    tie = np.empty(1, block.dtype)
    for entry in range(own.shape[0]):
        i = query[entry]
        low, high = own[entry] - margin[i], own[entry] + margin[i]
        for start in range(0, block.shape[1], _CHUNK):
            row = block[i, start : start + _CHUNK]
            tolls = penalty[start : start + _CHUNK]
            sure, possible = _count(row, tolls, high), _count(row, tolls, low)
            counts[entry] += sure
            if sure == possible:
                continue
            for j in range(row.shape[0]):
                score = row[j] - tolls[j]
                if score > low and not score > high:
                    column = start + j
                    tie[0] = dot(x[i], others[column]) - tolls[j]
                    before = first + column < gold[entry]
                    counts[entry] += tie[0] > own[entry] or (tie[0] == own[entry] and before)


@compiled()
def _any_above(row: np.ndarray, tolls: np.ndarray, threshold: float) -> bool:
    found = np.int32(0)  # as wide as the scores: a wider flag halves the vector width
    for j in range(row.shape[0]):
        found |= np.int32(row[j] - tolls[j] > threshold)
    return found != 0


@compiled()
def _count(row: np.ndarray, tolls: np.ndarray, threshold: float) -> int:
    found = np.int32(0)
    for j in range(row.shape[0]):
        found += np.int32(row[j] - tolls[j] > threshold)
    return int(found)


@compiled()
def _insert(scores: np.ndarray, numbers: np.ndarray, score: float, number: int) -> None:
    """Put a score into a falling list if it is higher than the last, which then drops out.

    Of equal scores the one with the lower number is higher, whichever comes first.
    """
    last = scores.shape[0] - 1
    kept = scores[last]
    scores[last] = score  # rounded to the type of the list before it is compared
    rounded = scores[last]
    scores[last] = kept
    if not (rounded > kept or (rounded == kept and number < numbers[last])):
        return
    place = last
    while place > 0 and (
        scores[place - 1] < rounded or (scores[place - 1] == rounded and numbers[place - 1] > number)
    ):
        scores[place], numbers[place] = scores[place - 1], numbers[place - 1]
        place -= 1
    scores[place], numbers[place] = rounded, number
