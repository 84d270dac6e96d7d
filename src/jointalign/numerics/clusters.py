"""Groups of vectors that lie near each other, so that a vector meets its nearest ones first.

Spherical k-means (Dhillon and Modha 2001) on an evenly spaced sample. Nothing is random, and how
well the groups fit only decides how much work is saved, never a result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.numerics import topk as _topk
from jointalign.numerics.normalize import unit
from jointalign.numerics.processors import spread, usable_threads
from jointalign.numerics.scanning import highest_of_rows, raise_lists, raise_numbered
from jointalign.numerics.tiles import blocks, each_tile
from jointalign.numerics.topk import Array, best_of_block

# Clusters for each unit of the square root of the number of vectors: more make tighter groups, and
# cost more to compare with than they save.
_A_ROOT = 3
# Vectors of the sample a cluster, and rounds of k-means: more hardly tighten the groups.
_SAMPLE, _ROUNDS = 16, 3


@dataclass(frozen=True, eq=False)
class Clusters:
    """Rows of a matrix in groups.

    Args:
        vectors: Unit rows, `(n, d)`.
        centres: Unit rows, or zero, `(c, d)`.
        order: Rows of `vectors`, group by group, int64 `(n,)`.
        ends: Where each group ends in `order`, `c` numbers.
    """

    vectors: Array
    centres: Array
    order: Array
    ends: list[int]

    @classmethod
    def of(cls, vectors: Array) -> Clusters:
        """Group unit rows, `(n, d)`, at least one."""
        size = vectors.shape[0]
        count = min(size, max(1, _A_ROOT * isqrt(size)))
        sample = _every(vectors, max(1, size // (_SAMPLE * count)))
        centres = _every(sample, max(1, sample.shape[0] // count))[:count, :]
        for _ in range(_ROUNDS):
            centres = _centres(sample, centres)
        return cls(vectors, centres, *_grouped(_nearest(vectors, centres, 1)[:, 0], centres))

    def of_others(self, vectors: np.ndarray) -> Clusters:
        """The same groups of other unit rows, one for each of these, e.g. of the same words mapped."""
        bounds = zip([0, *self.ends], self.ends, strict=False)
        sums = [vectors[self.order[begin:end]].sum(axis=0) for begin, end in bounds]
        return Clusters(vectors, unit(np.stack(sums)), self.order, self.ends)

    def members(self) -> Iterator[Array]:
        """Rows of each group in turn."""
        begin = 0
        for end in self.ends:
            yield self.order[begin:end]
            begin = end

    def highest_products(self, x: Array, k: int, share: float) -> Array:
        """High products of each row with vectors of the groups nearest to it.

        Args:
            x: Unit rows, `(n, d)`.
            k: How many.
            share: Of all groups, how many each row is compared with.

        Returns:
            Products as they come out of the matrix product, falling, `(n, k)`; -1, the lowest there
            is, where fewer vectors were met.
        """
        xp = array_namespace(x)
        count = self.centres.shape[0]
        near = _nearest(x, self.centres, min(count, max(1, ceil(share * count))))  # (n, probes)
        lists = xp.full((x.shape[0], k), -1.0, dtype=x.dtype, device=device(x))
        if isinstance(x, np.ndarray):
            threads = usable_threads()
            parts = list(blocks(len(x), max(_topk.ROWS, ceil(len(x) / threads))))
            spread(lambda ends: self._raise(lists, x, near, *ends), parts, threads)
        else:
            self._raise(lists, x, near, 0, x.shape[0])
        return lists

    def best(
        self, x: np.ndarray, k: int, compared: int, penalty: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Most of the best vectors of each row, at a cost that does not grow with how many there are.

        Args:
            x: Rows, `(n, d)`.
            k: How many.
            compared: Vectors that each row is compared with, about: those of the nearest groups.
            penalty: What is subtracted from each product, one a vector, `(m,)`; default: nothing.

        Returns:
            Scores, falling, and rows of `vectors`, `(n, min(k, m))`; minus infinity and -1 where fewer
            vectors were met.
        """
        count, size = self.centres.shape[0], len(self.vectors)
        probes = min(count, max(1, ceil(compared * count / size)))
        shape = len(x), min(k, size)
        scores, rows = np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64)
        penalty = np.zeros(size, np.float32) if penalty is None else penalty.astype(np.float32)
        for first, last in blocks(len(x), _topk.COLUMNS):
            near = _nearest(x[first:last], self.centres, probes)
            order, ends = _grouped(near.ravel(), self.centres)
            begin = 0
            for members, end in zip(self.members(), ends, strict=True):
                asked, begin = first + order[begin:end] // probes, end
                if len(asked) and len(members):
                    block = x[asked] @ self.vectors[members].T
                    raise_numbered(scores, rows, asked, block, members, penalty)
        return scores, rows

    def _raise(self, lists: Array, x: Array, near: Array, first: int, last: int) -> None:
        """Compare some rows of `x` with the groups near to each; their lists change in place."""
        xp = array_namespace(x)
        order, ends = _grouped(xp.reshape(near[first:last, :], (-1,)), self.centres)
        begin = 0
        for members, end in zip(self.members(), ends, strict=True):
            rows = first + order[begin:end] // near.shape[1]
            begin = end
            if not rows.shape[0] or not members.shape[0]:
                continue
            block = xp.take(x, rows, axis=0) @ xp.take(self.vectors, members, axis=0).T
            if isinstance(x, np.ndarray):
                raise_lists(lists, rows, block)
            else:
                both = xp.concat([xp.take(lists, rows, axis=0), block], axis=1)
                lists[rows] = best_of_block(both, lists.shape[1])[0]


def _every(vectors: Array, step: int) -> Array:
    """Rows at even distances, copied: what is taken of a view is taken slowly."""
    xp = array_namespace(vectors)
    return xp.take(vectors, xp.arange(0, vectors.shape[0], step, device=device(vectors)), axis=0)


def _nearest(x: Array, centres: Array, k: int) -> Array:
    """Numbers of the `k` centres nearest to each row, int64 `(n, k)`."""
    xp = array_namespace(x)
    if not isinstance(x, np.ndarray):
        parts = [
            best_of_block(x[first:last, :] @ centres.T, k)[1]
            for first, last in blocks(x.shape[0], _topk.ROWS)
        ]
        return xp.concat(parts)
    scores = np.full((len(x), k), -np.inf, x.dtype)
    numbers = np.zeros((len(x), k), np.int64)
    no_penalty = np.zeros(len(centres), x.dtype)

    def over_rows(rows: slice, columns: slice, tile: np.ndarray) -> None:
        highest_of_rows(scores[rows], numbers[rows], tile, no_penalty[columns], columns.start)

    each_tile(x, centres, over_rows)
    return numbers


def _grouped(numbers: Array, centres: Array) -> tuple[Array, list[int]]:
    """Positions of each number in turn, and where those of each end."""
    xp = array_namespace(numbers)
    order = xp.argsort(numbers, stable=True)
    count = xp.arange(centres.shape[0], device=device(numbers))
    ends = xp.searchsorted(xp.take(numbers, order), count, side="right")
    return order, ends.tolist()


def _centres(sample: Array, centres: Array) -> Array:
    """Directions of the sums of what is nearest to each centre; those without anything stay."""
    xp = array_namespace(sample)
    order, ends = _grouped(_nearest(sample, centres, 1)[:, 0], centres)
    moved = []
    for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        members = xp.take(sample, order[begin:end], axis=0)
        moved.append(xp.sum(members, axis=0) if end > begin else centres[number, :])
    return unit(xp.stack(moved))
