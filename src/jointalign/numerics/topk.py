"""The k best of each row of a product `x @ others.T`, which is made in blocks and is never whole.

Equal scores: the lower column wins, which is the more frequent word. NumPy arrays go through the
compiled kernels of `_scanning`, whose results do not depend on how the work is cut up. Torch
tensors go through `torch.topk`, which alone chooses freely among equal scores of one block, and
arrays of any other library are sorted; their last bits are those of that library's product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from jointalign.numerics.lists import alike, best_of_both, best_of_each
from jointalign.numerics.scanning import count_above, entries, margins
from jointalign.numerics.tiles import blocks, each_tile

Array = Any
"""An array of any library of the Python array API: NumPy, torch, ..."""

Best = tuple[Array, Array]
"""The best of each row: scores, best first, and their columns (int64), both `(n, k)`."""

# One block of scores of tensors is 32 MB in float32: wide enough for the matrix product's full
# rate, small enough that the memory of one block serves the next.
ROWS, COLUMNS = 2048, 4096
# Those of `places` are whole rows: 64 MB, or one row.
ENTRIES = 1 << 24


def top(x: Array, others: Array, k: int, penalty: Array = None) -> Best:
    """The `k` highest of `x @ others.T - penalty` in each row, best first.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        k: How many; all `m` if there are fewer.
        penalty: What to subtract from each column, `(m,)`; default: nothing.

    Returns:
        Scores and their columns (int64), both `(n, min(k, m))`.
    """
    k = min(k, others.shape[0])
    penalty = zeros(others) if penalty is None else penalty
    if isinstance(x, np.ndarray):
        return best_of_each(x, others, k, penalty)
    best = _nothing(x, k)
    if k == 0:
        return best
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


def top_both(x: Array, others: Array, k: int, penalty: Array, row_penalty: Array) -> tuple[Best, Best]:
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
    return best_of_both(x, others, k, penalty, row_penalty)


def places(x: Array, others: Array, pairs: Array, penalty: Array) -> Array:
    """Place of given entries of `x @ others.T - penalty` in their rows, the best being 1.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        pairs: Row and column of each entry, int64 `(p, 2)`.
        penalty: What to subtract from each column, `(m,)`.

    Returns:
        int64 `(p,)`: one more than the number of entries that are higher, or as high in a lower
        column.
    """
    if not isinstance(x, np.ndarray):
        return _places_by_rows(x, others, pairs, penalty)
    order = np.argsort(pairs[:, 0], kind="stable")
    found = np.empty(len(pairs), np.int64)
    found[order] = _places_by_tiles(x, others, pairs[order], penalty)
    return found


def _places_by_tiles(x: np.ndarray, others: np.ndarray, pairs: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """`places` of pairs whose rows never fall."""
    x, others, penalty = alike(x, others, penalty)
    counts = np.ones(len(pairs), np.int64)
    if not len(pairs):
        return counts
    own, margin = entries(x, others, pairs, penalty), margins(x, others, penalty)

    def over_rows(rows: slice, columns: slice, tile: np.ndarray) -> None:
        these = slice(*np.searchsorted(pairs[:, 0], [rows.start, rows.stop]))
        count_above(
            counts[these],
            own[these],
            pairs[these, 1],
            pairs[these, 0] - rows.start,
            tile,
            x[rows],
            others[columns],
            penalty[columns],
            margin[rows],
            columns.start,
        )

    each_tile(x, others, over_rows)
    return counts


def _places_by_rows(x: Array, others: Array, pairs: Array, penalty: Array) -> Array:
    """`places` for any array library."""
    xp = array_namespace(x)
    columns = xp.arange(others.shape[0], device=device(others))[None, :]
    found = []
    for first, last in blocks(pairs.shape[0], max(1, ENTRIES // max(1, others.shape[0]))):
        gold = pairs[first:last, 1][:, None]  # (b, 1)
        scores = xp.take(x, pairs[first:last, 0], axis=0) @ others.T - penalty[None, :]  # (b, m)
        own = xp.take_along_axis(scores, gold, axis=1)
        before = (scores > own) | ((scores == own) & (columns < gold))
        found.append(1 + xp.sum(xp.astype(before, xp.int64), axis=1))
    return xp.concat(found)


def log_sums(x: Array, others: Array) -> Array:
    """Logarithm of the sum of `exp(x @ others.T)` over each row, `(n,)`."""
    xp = array_namespace(x)
    found = []
    for start, stop in blocks(x.shape[0], ROWS):
        largest = xp.full((stop - start, 1), -xp.inf, dtype=x.dtype, device=device(x))
        total = xp.zeros_like(largest)
        for first, last in blocks(others.shape[0], COLUMNS):
            block = x[start:stop, :] @ others[first:last, :].T
            higher = xp.maximum(largest, xp.max(block, axis=1, keepdims=True))
            total = total * xp.exp(largest - higher)
            total = total + xp.sum(xp.exp(block - higher), axis=1, keepdims=True)
            largest = higher
        found.append((largest + xp.log(total))[:, 0])
    return xp.concat(found)


def zeros(x: Array) -> Array:
    """A zero for each row of `x`, `(n,)`."""
    return array_namespace(x).zeros(x.shape[0], dtype=x.dtype, device=device(x))


def row_means(best: Array) -> Array:
    """Mean of each row, `(n,)`, of the same type: added up from the left, in float64."""
    xp = array_namespace(best)
    total = xp.zeros(best.shape[0], dtype=xp.float64, device=device(best))
    for column in range(best.shape[1]):
        total = total + xp.astype(best[:, column], xp.float64)
    return xp.astype(total / max(best.shape[1], 1), best.dtype)


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
