"""The k best of each row of a product `x @ others.T`, which is made in blocks and is never whole.

Equal scores: the lower column wins, which is the more frequent word. NumPy arrays go through a
compiled kernel and torch tensors through `torch.topk`, which alone chooses freely among equal
scores of one block; arrays of any other library are sorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import ceil
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array
from numba import get_num_threads, njit

Array = Any
"""An array of any library of the Python array API: NumPy, torch, ..."""

# One block of scores is 32 MB in float32: wide enough for the matrix product's full rate, small
# enough that the memory of one block serves the next.
ROWS, COLUMNS = 2048, 4096
# Columns tested at once: a test without branches that the compiler turns into vector
# instructions, so that the scan costs a few hundredths of the matrix product before it.
_CHUNK = 128
# Fewer are not worth a thread.
_ROWS_A_THREAD = 64


def top(x: Array, others: Array, k: int, penalty: Array) -> tuple[Array, Array]:
    """The `k` highest of `x @ others.T - penalty` in each row, best first.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        k: How many; all `m` if there are fewer.
        penalty: What to subtract from each column, `(m,)`.

    Returns:
        Scores and their columns (int64), both `(n, min(k, m))`.
    """
    xp = array_namespace(x)
    k = min(k, others.shape[0])
    found = []
    with ThreadPoolExecutor(get_num_threads()) as pool:
        keep_best = partial(_keep_best_compiled, pool) if isinstance(x, np.ndarray) else _keep_best
        for start, stop in blocks(x.shape[0], ROWS):
            best = (
                xp.full((stop - start, k), -xp.inf, dtype=x.dtype, device=device(x)),
                xp.full((stop - start, k), -1, dtype=xp.int64, device=device(x)),
            )
            for first, last in blocks(others.shape[0], COLUMNS):
                block = x[start:stop, :] @ others[first:last, :].T
                best = keep_best(*best, block, penalty[first:last], first)
            found.append(best)
    scores, columns = zip(*found, strict=True)
    return xp.concat(scores), xp.concat(columns)


def blocks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut `range(n)` into nearly equal blocks of at most `size`; one empty block for nothing.

    Equal, since a leftover of one row would be multiplied by a routine that rounds otherwise.
    """
    count = max(1, ceil(n / size))
    for block in range(count):
        yield n * block // count, n * (block + 1) // count


def _keep_best(
    scores: Array, columns: Array, block: Array, penalty: Array, first: int
) -> tuple[Array, Array]:
    """Merge the block whose columns begin at `first` into the best so far."""
    xp = array_namespace(block)
    k = scores.shape[1]
    more, places = _best_of_block(block - penalty[None, :], min(k, block.shape[1]))
    scores = xp.concat([scores, more], axis=1)
    columns = xp.concat([columns, xp.astype(places, xp.int64) + first], axis=1)
    order = xp.argsort(scores, axis=1, descending=True, stable=True)[:, :k]
    return xp.take_along_axis(scores, order, axis=1), xp.take_along_axis(columns, order, axis=1)


def _best_of_block(block: Array, k: int) -> tuple[Array, Array]:
    if is_torch_array(block):
        return block.topk(k, dim=1)
    xp = array_namespace(block)
    order = xp.argsort(block, axis=1, descending=True, stable=True)[:, :k]
    return xp.take_along_axis(block, order, axis=1), order


def _keep_best_compiled(
    pool: ThreadPoolExecutor,
    scores: np.ndarray,
    columns: np.ndarray,
    block: np.ndarray,
    penalty: np.ndarray,
    first: int,
) -> tuple[np.ndarray, np.ndarray]:
    """`_keep_best` in place, some rows a thread.

    Numba's own threads wait for each other in a loop, which slows the matrix product between two
    calls, up to threefold where other programs want the processor too; a pool's threads sleep.
    """

    def part(rows: slice) -> None:
        _scan(scores[rows], columns[rows], block[rows], penalty, first)

    share = max(_ROWS_A_THREAD, ceil(len(block) / get_num_threads()))
    list(pool.map(part, (slice(*ends) for ends in blocks(len(block), share))))
    return scores, columns


@njit(nogil=True, cache=True)
def _scan(
    scores: np.ndarray, columns: np.ndarray, block: np.ndarray, penalty: np.ndarray, first: int
) -> None:
    for i in range(block.shape[0]):
        for start in range(0, block.shape[1], _CHUNK):
            row = block[i, start : start + _CHUNK]
            tolls = penalty[start : start + _CHUNK]
            if not _any_above(row, tolls, scores[i, -1]):
                continue
            for j in range(row.shape[0]):
                score = row[j] - tolls[j]
                if score > scores[i, -1]:
                    _insert(scores[i], columns[i], score, first + start + j)


@njit(nogil=True, cache=True)
def _any_above(row: np.ndarray, tolls: np.ndarray, threshold: float) -> bool:
    found = np.int32(0)  # as wide as the scores: a wider flag halves the vector width
    for j in range(row.shape[0]):
        found |= np.int32(row[j] - tolls[j] > threshold)
    return found != 0


@njit(nogil=True, cache=True)
def _insert(scores: np.ndarray, columns: np.ndarray, score: float, column: int) -> None:
    place = scores.shape[0] - 1
    # Strictly less: an equal score of a lower column keeps its place.
    while place > 0 and scores[place - 1] < score:
        scores[place], columns[place] = scores[place - 1], columns[place - 1]
        place -= 1
    scores[place], columns[place] = score, column
