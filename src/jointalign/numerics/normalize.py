"""Lengths and means of vectors, before and between alignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from array_api_compat import array_namespace

from jointalign.errors import JointalignError

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
    return x - (_mean(x) if mean is None else mean)


def iterative(x: Array, rounds: int = 5) -> tuple[Array, tuple[Array, ...]]:
    """Iterative normalisation (Zhang et al. 2019): length one and mean zero, both at once.

    Rows are made length one; then, `rounds` times, their mean is subtracted and they are made
    length one again. Either step undoes some of the other, less each time.

    Args:
        x: Vectors, `(n, d)`. Never modified.
        rounds: How often; default 5, as in the paper. 0: length one only.

    Returns:
        The new rows, `(n, d)`, of the type of `x`, and the means in the order in which they were
        subtracted, each `(d,)`: words that join later go through the same steps.

    Raises:
        JointalignError: If `rounds` is negative.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(1, 1, (1000, 3))
        >>> rows, means = iterative(x)
        >>> len(means), np.round(np.abs(unit(x).mean(axis=0)), 1).tolist()
        (5, [0.4, 0.4, 0.4])
        >>> bool(np.abs(rows.mean(axis=0)).max() < 1e-3)
        True
    """
    if rounds < 0:
        raise JointalignError(f"rounds must be at least 0, got {rounds}")
    rows, means = unit(x), []
    for _ in range(rounds):
        means.append(_mean(rows))
        rows = unit(rows - means[-1])
    return rows, tuple(means)


def _mean(x: Array) -> Array:
    """Mean of the rows, `(d,)`; zeros if there are none."""
    xp = array_namespace(x)
    # Summed in float64: 200,000 rows added up one by one lose digits in float32.
    total = xp.sum(x, axis=0, dtype=xp.float64)
    return xp.astype(total / max(x.shape[0], 1), x.dtype)


def recentred(x: Array, means: Sequence[Array]) -> Array:
    """Rows of length one; after each of some means is subtracted, of length one again.

    Args:
        x: Vectors, `(n, d)`. Never modified.
        means: What to subtract, one after the other, each `(d,)`; none: `unit(x)`.

    Returns:
        A new array of the same shape and type.

    Example:
        >>> import numpy as np
        >>> recentred(np.array([[3.0, 4.0]]), [np.array([0.6, 0.0])]).tolist()
        [[0.0, 1.0]]
    """
    x = unit(x)
    for mean in means:
        x = unit(x - mean)
    return x


def _divisor(lengths: Array) -> Array:
    """Lengths as a column `(n, 1)` to divide by: one in place of zero."""
    xp = array_namespace(lengths)
    return xp.where(lengths > 0, lengths, xp.ones_like(lengths))[:, None]
