"""Checks of what an alignment method is given, the same for all methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from jointalign.alignment.base import Array, as_numpy
from jointalign.errors import JointalignError


def check_vectors(x: Array, z: Array) -> Any:
    """Check both sides' vectors.

    Args:
        x: Source vectors, `(n, d)`.
        z: Target vectors, `(m, d)`.

    Returns:
        Their array namespace: NumPy, torch, ...

    Raises:
        JointalignError: If a side is no matrix, is empty, has other dimensions, or holds NaN or
            infinity.
    """
    for side, vectors in (("source", x), ("target", z)):
        shape = getattr(vectors, "shape", None) if is_array_api_obj(vectors) else None
        if shape is None or len(shape) != 2 or 0 in shape:
            raise JointalignError(
                f"the {side} vectors must be a matrix with one row a word, got "
                f"{type(vectors).__name__} of shape {shape}"
            )
    if x.shape[1] != z.shape[1]:
        raise JointalignError(
            f"both sides need the same number of dimensions, got {x.shape[1]} (source) and "
            f"{z.shape[1]} (target); train both with the same `dimensions`"
        )
    xp = array_namespace(x, z)
    for side, vectors in (("source", x), ("target", z)):
        # One NaN or infinity anywhere makes the sum one too: no matrix of booleans is needed.
        if not bool(xp.isfinite(xp.sum(vectors))):
            raise JointalignError(f"the {side} vectors hold NaN or infinity; remove those rows")
    return xp


def check_pairs(pairs: Array | None, x: Array, z: Array, method: str) -> np.ndarray:
    """Check the seed dictionary of a supervised method.

    Args:
        pairs: What the method was given.
        x: Source vectors, `(n, d)`.
        z: Target vectors, `(m, d)`.
        method: Name of the method, for the message.

    Returns:
        The pairs as int64 NumPy array `(k, 2)`, at least one.

    Raises:
        JointalignError: If there are no pairs, their shape or type is wrong, or a row does not
            exist.
    """
    if pairs is None:
        raise JointalignError(
            f"{method} learns from a seed dictionary and got none: pass a Lexicon to `align`, or "
            "`pairs`, row numbers (k, 2), to `fit`"
        )
    rows = as_numpy(pairs)
    if rows.size == 0:
        raise JointalignError(f"{method} needs at least one translation pair, got none")
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.dtype.kind not in "iu":
        raise JointalignError(
            f"pairs must be whole numbers of shape (k, 2), got {rows.dtype} of shape {rows.shape}"
        )
    for side, column, size in (("source", 0, x.shape[0]), ("target", 1, z.shape[0])):
        low, high = int(rows[:, column].min()), int(rows[:, column].max())
        if low < 0 or high >= size:
            wrong = low if low < 0 else high
            raise JointalignError(
                f"pairs name {side} row {wrong}, but there are {size} {side} vectors, 0 to {size - 1}"
            )
    return rows.astype(np.int64)
