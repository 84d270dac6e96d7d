"""What GeoMM's three forms share: the sums its cost needs, the cost, its minimum, the factors.

With the distinct words of a dictionary as rows of X and Z and the pairs as ones of a 0-1 matrix Y,

    |X W Z' - Y|^2 = tr(W' X'X W Z'Z) - 2 <W, X'YZ> + |Y|^2 ,

so everything works on three `(d, d)` matrices, whatever the size of the dictionary, and neither Y
nor the matrix of all products X W Z' is ever made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment.base import Array

# Pairs at a time: two float64 blocks of 20 MB at 300 dimensions.
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class Moments:
    """All that the cost needs to know of a dictionary, in float64.

    Args:
        source: X'X of its distinct source words, `(d, d)`.
        target: Z'Z of its distinct target words, `(d, d)`.
        cross: X'YZ, the sum of the outer products of its distinct pairs, `(d, d)`.
        pairs: Number of distinct pairs, which is |Y|^2.
    """

    source: Array
    target: Array
    cross: Array
    pairs: int


def mean_of_rows(x: Array) -> Array:
    """The mean of all rows, float64 `(d,)`."""
    xp = array_namespace(x)
    return xp.sum(x, axis=0, dtype=xp.float64) / x.shape[0]


def moments(x: Array, z: Array, pairs: np.ndarray, source_mean: Array, target_mean: Array) -> Moments:
    """Sum up a dictionary.

    Args:
        x: Source vectors, `(n, d)`.
        z: Target vectors, `(m, d)`.
        pairs: Row numbers, `(k, 2)`; a pair that occurs twice counts once.
        source_mean: What to subtract from each source row, float64 `(d,)`.
        target_mean: The same for target rows.
    """
    pairs = np.unique(pairs, axis=0)
    sources, targets = np.unique(pairs[:, 0]), np.unique(pairs[:, 1])
    return Moments(
        source=_products(x, x, sources, sources, source_mean, source_mean),
        target=_products(z, z, targets, targets, target_mean, target_mean),
        cross=_products(x, z, pairs[:, 0], pairs[:, 1], source_mean, target_mean),
        pairs=len(pairs),
    )


def _products(
    x: Array, z: Array, left: np.ndarray, right: np.ndarray, left_mean: Array, right_mean: Array
) -> Array:
    """Sum of the outer products of centred rows, float64 `(d, d)`."""
    xp: Any = array_namespace(x, z)
    total = xp.zeros((x.shape[1], z.shape[1]), dtype=xp.float64, device=device(x))
    for start in range(0, len(left), _BLOCK):
        rows = xp.asarray(left[start : start + _BLOCK], device=device(x))
        others = xp.asarray(right[start : start + _BLOCK], device=device(x))
        moved = xp.astype(xp.take(x, rows, axis=0), xp.float64) - left_mean
        total = total + moved.T @ (xp.astype(xp.take(z, others, axis=0), xp.float64) - right_mean)
    return total


def cost(w: Array, sums: Moments, regularization: float) -> float:
    """The published cost, |X W Z' - Y|^2 + regularization / 2 |W|^2, at a `(d, d)` matrix."""
    xp = array_namespace(w)
    fitted = xp.sum(w * (sums.source @ w @ sums.target - 2 * sums.cross))
    return float(fitted) + sums.pairs + regularization / 2 * float(xp.sum(w * w))


def minimizer(sums: Moments, regularization: float) -> Array:
    """The only matrix where the gradient of `cost` is zero, `(d, d)`.

    The gradient is 2 X'X W Z'Z - 2 X'YZ + regularization W. In the eigenvectors of X'X and Z'Z
    each entry of W has an equation of its own.
    """
    xp = array_namespace(sums.cross)
    a, p = xp.linalg.eigh(sums.source)
    b, q = xp.linalg.eigh(sums.target)
    # Rounding can leave eigenvalues just below zero.
    curvature = xp.clip(a, 0.0, None)[:, None] * xp.clip(b, 0.0, None)[None, :]
    return p @ ((p.T @ sums.cross @ q) / (curvature + regularization / 2)) @ q.T


def factors(w: Array) -> tuple[Array, Array]:
    """Split W = U_s B U_t' into U_s B^(1/2) and U_t B^(1/2), both `(d, d)`.

    Every matrix has this form: the singular value decomposition gives orthogonal U_s and U_t and a
    diagonal B. Another choice of B turns the common space and changes no product.
    """
    xp = array_namespace(w)
    u, s, vt = xp.linalg.svd(w, full_matrices=False)
    root = xp.sqrt(s)
    return u * root, vt.T * root
