"""Lengths and means of vectors, before and between alignments."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

Array = Any
"""An array of any library of the Python array API: NumPy, torch, ..."""


def unit(x: Array) -> Array:
    """Scale each row to length one; rows of zeros stay zeros.

    Args:
        x: Vectors of any finite size, `(n, d)`. Never modified.

    Returns:
        A new array of the same shape and type.

    Example:
        >>> import numpy as np
        >>> unit(np.array([[3, 4], [0, 0]], np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    xp = array_namespace(x)
    # The largest entry goes first: squares of tiny or huge numbers leave the range of float32.
    scaled = x / _divisor(xp.maximum(xp.max(x, axis=1), -xp.min(x, axis=1)))
    scaled /= _divisor(xp.sqrt(xp.vecdot(scaled, scaled)))
    return scaled


def center(x: Array, mean: Array | None = None) -> Array:
    """Subtract a mean from each row.

    Args:
        x: Vectors, `(n, d)`. Never modified.
        mean: What to subtract, `(d,)`; default: the mean of the rows of `x`. Words that join others
            later must move by the mean of those.

    Returns:
        A new array of the same shape and type.

    Example:
        >>> import numpy as np
        >>> center(np.array([[1, 2], [3, 6]], np.float32)).tolist()
        [[-1.0, -2.0], [1.0, 2.0]]
    """
    if mean is None:
        xp = array_namespace(x)
        # Summed in float64: 200,000 rows added up one by one lose digits in float32.
        total = xp.sum(x, axis=0, dtype=xp.float64)
        mean = xp.astype(total / max(x.shape[0], 1), x.dtype)
    return x - mean


def _divisor(lengths: Array) -> Array:
    """Lengths as a column `(n, 1)` to divide by: one in place of zero."""
    xp = array_namespace(lengths)
    return xp.where(lengths > 0, lengths, xp.ones_like(lengths))[:, None]
