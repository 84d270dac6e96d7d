"""The closed form at the heart of most alignment methods: paper, eqs. (2)-(3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment.base import Array


def closest_orthogonal(matrix: Array) -> Array:
    """The orthogonal matrix closest to a `(d, d)` matrix: its singular values become ones.

    With `matrix` = X^T Z, this is the best orthogonal map of the rows of X onto the rows of Z. The
    paper writes words as columns: SVD(Z X^T) = U S V^T, W = U V^T; our result is its W transposed.
    """
    u, _, vt = array_namespace(matrix).linalg.svd(matrix, full_matrices=False)
    return u @ vt


def cross_product(x: Array, z: Array, pairs: np.ndarray, block: int = 8192) -> Array:
    """Sum of the outer products of the pairs' vectors, X^T Z, float64 `(d, e)`.

    In float64 because small singular values, which decide how rare directions turn, would drown in
    the rounding of a float32 sum.

    Args:
        x: Source vectors, `(n, d)`.
        z: Target vectors, `(m, e)`.
        pairs: Row numbers, `(k, 2)`.
        block: Pairs at a time, to bound memory.
    """
    xp: Any = array_namespace(x, z)
    total = xp.zeros((x.shape[1], z.shape[1]), dtype=xp.float64, device=device(x))
    for start in range(0, len(pairs), block):
        rows = xp.asarray(pairs[start : start + block], device=device(x))
        left = xp.astype(xp.take(x, rows[:, 0], axis=0), xp.float64)
        right = xp.astype(xp.take(z, rows[:, 1], axis=0), xp.float64)
        total = total + left.T @ right
    return total
