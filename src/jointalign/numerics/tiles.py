"""A matrix product in tiles, each looked at by the thread that made it, while its cache holds it.

A thread makes one tile after the other by itself. Where all threads make one large block together,
they wait for each other, and what they have made is back in main memory before it is looked at,
which takes as long as to make it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from threading import Lock

import numpy as np

from jointalign.numerics.processors import spread, usable_threads

# 4 MB in float32. Smaller tiles are made at a lower rate (256 x 1024: 14 % lower), larger ones
# leave the cache.
ROWS, COLUMNS = 512, 2048
# Fewer rows are multiplied at a lower rate.
_FEWEST_ROWS = 64
# Threads take time to start; smaller products do without them.
_SMALLEST = 1 << 26

Look = Callable[[slice, slice, np.ndarray], None]
"""What is done with a tile, given its rows and columns: compiled code, which frees the GIL."""


def each_tile(x: np.ndarray, others: np.ndarray, over_rows: Look, over_columns: Look | None = None) -> None:
    """Show each tile of `x @ others.T` once.

    Tiles come in any order, several at a time; but calls of `over_rows` with the same rows come one
    after the other, and so do calls of `over_columns` with the same columns.

    Args:
        x: `(n, d)`.
        others: `(m, d)`.
        over_rows: May change what belongs to the tile's rows.
        over_columns: May change what belongs to its columns.
    """
    threads = usable_threads() if len(x) * len(others) * x.shape[1] >= _SMALLEST else 1
    rounds = max(1, ceil(len(x) / (threads * ROWS)))
    even = ceil(len(x) / (threads * rounds))  # as many stripes for each thread
    stripes = _slices(len(x), min(ROWS, max(_FEWEST_ROWS, even)))
    parts = _slices(len(others), COLUMNS)
    tiles, next_one = _order(len(stripes), len(parts), threads), Lock()
    row_locks, column_locks = [Lock() for _ in stripes], [Lock() for _ in parts]

    def work(_: int) -> None:
        memory = np.empty(_longest(stripes) * _longest(parts), np.result_type(x, others))
        while True:
            with next_one:
                stripe, part = next(tiles, (-1, -1))
            if stripe < 0:
                return
            rows, columns = stripes[stripe], parts[part]
            shape = rows.stop - rows.start, columns.stop - columns.start
            tile = memory[: shape[0] * shape[1]].reshape(shape)
            np.matmul(x[rows], others[columns].T, out=tile)
            with row_locks[stripe]:
                over_rows(rows, columns, tile)
            if over_columns is not None:
                with column_locks[part]:
                    over_columns(rows, columns, tile)

    spread(work, range(threads), threads)


def blocks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut `range(n)` into nearly equal blocks of at most `size`; one empty block for nothing."""
    count = max(1, ceil(n / size)) if n else 1
    for block in range(count):
        yield n * block // count, n * (block + 1) // count


def _slices(n: int, size: int) -> list[slice]:
    return [slice(*ends) for ends in blocks(n, size) if n]


def _longest(parts: list[slice]) -> int:
    return max((part.stop - part.start for part in parts), default=0)


def _order(stripes: int, parts: int, threads: int) -> Iterator[tuple[int, int]]:
    """Tiles in an order in which threads hardly ever want the same rows or columns."""
    for begin in range(0, stripes, threads):
        group = range(begin, min(begin + threads, stripes))
        for step in range(parts):
            for place, stripe in enumerate(group):
                yield stripe, (step + place * parts // len(group)) % parts
