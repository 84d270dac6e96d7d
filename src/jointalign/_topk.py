"""The k best of each row of a product `x @ others.T`, which is made in blocks and is never whole.

Equal scores: the lower column wins, which is the more frequent word. NumPy arrays go through the
compiled kernels of `_scanning`, whose results do not depend on how the work is cut up. Torch
tensors go through `torch.topk`, which alone chooses freely among equal scores of one block, and
arrays of any other library are sorted; their last bits are those of that library's product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array
from numba import get_num_threads

from jointalign._scanning import best_of_columns, best_of_rows, count_above, entries, margins

Array = Any
"""An array of any library of the Python array API: NumPy, torch, ..."""

Best = tuple[Array, Array]
"""The best of each row: scores, best first, and their columns (int64), both `(n, k)`."""

# One block of scores is 32 MB in float32: wide enough for the matrix product's full rate, small
# enough that the memory of one block serves the next.
ROWS, COLUMNS = 2048, 4096
# Fewer are not worth a thread.
_ROWS_A_THREAD = 64


def top(x: Array, others: Array, k: int, penalty: Array, start: Best | None = None) -> Best:
    """The `k` highest of `x @ others.T - penalty` in each row, best first.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        k: How many; all `m` if there are fewer.
        penalty: What to subtract from each column, `(m,)`.
        start: Best of other columns, `(n, k)`, to go on from; never modified.

    Returns:
        Scores and their columns (int64), both `(n, min(k, m))`, or as wide as `start`.
    """
    k = min(k, others.shape[0]) if start is None else start[0].shape[1]
    best = _nothing(x, k) if start is None else start
    if k == 0 or others.shape[0] == 0:
        return best
    if isinstance(x, np.ndarray):
        return _top_compiled(x, others, penalty, best)
    xp = array_namespace(x)
    found = []
    for begin, end in blocks(x.shape[0], ROWS):
        part = best[0][begin:end, :], best[1][begin:end, :]
        for first, last in blocks(others.shape[0], COLUMNS):
            block = x[begin:end, :] @ others[first:last, :].T - penalty[first:last][None, :]
            part = _keep_best(*part, block, first)
        found.append(part)
    scores, columns = zip(*found, strict=True)
    return xp.concat(scores), xp.concat(columns)


def top_both(
    x: Array, others: Array, k: int, penalty: Array, row_penalty: Array
) -> tuple[Best, Best]:
    """`top` of `x` among `others` and of `others` among `x`, out of one product.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        k: How many in either direction; all if there are fewer.
        penalty: What to subtract from each of the others, `(m,)`, where they are candidates.
        row_penalty: The same for each row of `x`, `(n,)`.

    Returns:
        `(n, min(k, m))` best of the others for each row of `x`, then `(m, min(k, n))` best of the
        rows of `x` for each of the others.
    """
    if not isinstance(x, np.ndarray):
        return top(x, others, k, penalty), top(others, x, k, row_penalty)
    x, others, penalty, row_penalty = _alike(x, others, penalty, row_penalty)
    by_row = _nothing(x, min(k, len(others)))
    by_column = _nothing(others, min(k, len(x)))
    if not len(x) or not len(others):
        return by_row, by_column
    row_margin, column_margin = margins(x, others, penalty), margins(others, x, row_penalty)
    with Workers() as workers:
        for begin, end, first, last, block in workers.products(x, others):
            rows, columns = slice(begin, end), slice(first, last)
            workers.each(
                end - begin, best_of_rows, by_row[0][rows], by_row[1][rows], block, x[rows],
                others[columns], penalty[columns], row_margin[rows], first,
            )  # fmt: skip
            workers.each(
                last - first, best_of_columns, by_column[0][columns], by_column[1][columns], block,
                x[rows], others[columns], row_penalty[rows], column_margin[columns], begin,
            )  # fmt: skip
    return by_row, by_column


def places(x: np.ndarray, others: np.ndarray, pairs: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Place of given entries of `x @ others.T - penalty` in their rows, the best being 1.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        pairs: Row and column of each entry, int64 `(p, 2)`, rows never falling.
        penalty: What to subtract from each column, `(m,)`.

    Returns:
        int64 `(p,)`: one more than the number of entries that are higher, or as high in a lower
        column.
    """
    x, others, penalty = _alike(x, others, penalty)
    counts = np.ones(len(pairs), np.int64)
    if not len(pairs):
        return counts
    own, margin = entries(x, others, pairs, penalty), margins(x, others, penalty)
    with Workers() as workers:
        for begin, end, first, last, block in workers.products(x, others):
            rows, columns = slice(begin, end), slice(first, last)
            these = slice(*np.searchsorted(pairs[:, 0], [begin, end]))
            workers.each(
                these.stop - these.start, count_above, counts[these], own[these], pairs[these, 1],
                pairs[these, 0] - begin, block, x[rows], others[columns], penalty[columns],
                margin[rows], first,
            )  # fmt: skip
    return counts


def places_by_rows(x: Array, others: Array, pairs: Array, penalty: Array, size: int) -> Array:
    """`places` for any array library, in any order; blocks of whole rows of `size` entries."""
    xp = array_namespace(x)
    columns = xp.arange(others.shape[0], device=device(others))[None, :]
    found = []
    for first, last in blocks(pairs.shape[0], max(1, size // max(1, others.shape[0]))):
        gold = pairs[first:last, 1][:, None]  # (b, 1)
        scores = xp.take(x, pairs[first:last, 0], axis=0) @ others.T - penalty[None, :]  # (b, m)
        own = xp.take_along_axis(scores, gold, axis=1)
        before = (scores > own) | ((scores == own) & (columns < gold))
        found.append(1 + xp.sum(xp.astype(before, xp.int64), axis=1))
    return xp.concat(found)


def row_means(best: Array) -> Array:
    """Mean of each row, `(n,)`, of the same type: added up from the left, in float64."""
    xp = array_namespace(best)
    total = xp.zeros(best.shape[0], dtype=xp.float64, device=device(best))
    for column in range(best.shape[1]):
        total = total + xp.astype(best[:, column], xp.float64)
    return xp.astype(total / max(best.shape[1], 1), best.dtype)


def blocks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut `range(n)` into nearly equal blocks of at most `size`; one empty block for nothing."""
    count = max(1, ceil(n / size))
    for block in range(count):
        yield n * block // count, n * (block + 1) // count


class Workers:
    """Makes a product block by block and lets threads look at each block.

    Numba's own threads wait for each other in a loop, which slows the matrix product between two
    calls, up to threefold where other programs want the processor too; a pool's threads sleep.
    """

    def __init__(self) -> None:
        self._threads = get_num_threads()
        self._pool = ThreadPoolExecutor(self._threads)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def products(
        self, x: np.ndarray, others: np.ndarray
    ) -> Iterator[tuple[int, int, int, int, np.ndarray]]:
        """First and last row, first and last column, and the block, valid until the next one."""
        memory = np.empty(min(len(x), ROWS) * min(len(others), COLUMNS), x.dtype)
        for begin, end in blocks(len(x), ROWS):
            for first, last in blocks(len(others), COLUMNS):
                shape = end - begin, last - first
                block = memory[: shape[0] * shape[1]].reshape(shape)
                np.matmul(x[begin:end], others[first:last].T, out=block)
                yield begin, end, first, last, block

    def each(self, n: int, kernel: Callable[..., None], *arguments: object) -> None:
        """Call a kernel for parts of `range(n)`, one a thread."""
        share = max(_ROWS_A_THREAD, ceil(n / self._threads))
        calls = [self._pool.submit(kernel, *arguments, *ends) for ends in blocks(n, share) if n]
        for call in calls:
            call.result()


def _top_compiled(x: np.ndarray, others: np.ndarray, penalty: np.ndarray, start: Best) -> Best:
    x, others, penalty = _alike(x, others, penalty)
    scores, columns = start[0].astype(x.dtype), start[1].copy()
    margin = margins(x, others, penalty)
    with Workers() as workers:
        for begin, end, first, last, block in workers.products(x, others):
            rows, others_rows = slice(begin, end), slice(first, last)
            workers.each(
                end - begin, best_of_rows, scores[rows], columns[rows], block, x[rows],
                others[others_rows], penalty[others_rows], margin[rows], first,
            )  # fmt: skip
    return scores, columns


def _alike(*arrays: np.ndarray) -> list[np.ndarray]:
    """The same numbers as arrays of one type, row by row in memory."""
    dtype = np.result_type(*arrays, np.float32)
    return [np.ascontiguousarray(array, dtype) for array in arrays]


def _nothing(x: Array, k: int) -> Best:
    xp, shape = array_namespace(x), (x.shape[0], k)
    return (
        xp.full(shape, -xp.inf, dtype=x.dtype, device=device(x)),
        xp.full(shape, -1, dtype=xp.int64, device=device(x)),
    )


def _keep_best(scores: Array, columns: Array, block: Array, first: int) -> Best:
    """Merge the block whose columns begin at `first` into the best so far."""
    xp = array_namespace(block)
    k = scores.shape[1]
    more, at = best_of_block(block, min(k, block.shape[1]))
    scores = xp.concat([scores, more], axis=1)
    columns = xp.concat([columns, xp.astype(at, xp.int64) + first], axis=1)
    order = xp.argsort(scores, axis=1, descending=True, stable=True)[:, :k]
    return xp.take_along_axis(scores, order, axis=1), xp.take_along_axis(columns, order, axis=1)


def best_of_block(block: Array, k: int) -> Best:
    """The `k` highest of each row of an array of any library, best first, and their columns."""
    if is_torch_array(block):
        return block.topk(k, dim=1)
    xp = array_namespace(block)
    order = xp.argsort(block, axis=1, descending=True, stable=True)[:, :k]
    return xp.take_along_axis(block, order, axis=1), order
