"""Neighbours of two whole vocabularies among each other, both directions at once."""

from __future__ import annotations

from array_api_compat import array_namespace

from jointalign.numerics.normalize import unit
from jointalign.numerics.topk import Array, Best, top_both
from jointalign.retrieval.base import (
    TEMPERATURE,
    Neighbours,
    Retrieval,
    both_similarities,
    check,
    hubness,
    scale,
)


def both_neighbours(
    x: Array,
    z: Array,
    k: int = 10,
    *,
    retrieval: Retrieval = Retrieval.CSLS,
    neighbourhood: int = 10,
    temperature: float = TEMPERATURE,
    hubs: tuple[Array, Array] | None = None,
) -> tuple[Neighbours, Neighbours]:
    """`neighbours` of two whole vocabularies among each other.

    CSLS takes one product for the hubness of both sides and one for the search of both; one after
    the other, the two directions would take four.

    Args:
        x: Vectors of one language, `(n, d)`, most frequent word first.
        z: Vectors of the other, `(m, d)`, likewise.
        k: How many; all candidates if there are fewer.
        retrieval: Which score.
        neighbourhood: As for `neighbours`.
        temperature: As for `neighbours`.
        hubs: `hubness` of the rows of `x` and of those of `z`, if known from before.

    Returns:
        Neighbours of the rows of `x` among `z`, `(n, min(k, m))`, and of the rows of `z` among `x`,
        `(m, min(k, n))`.

    Raises:
        JointalignError: If a setting is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> there, back = both_neighbours(np.eye(2), np.array([[0.0, 2.0], [3.0, 1.0]]), 1)
        >>> there.rows.tolist(), back.rows.tolist()
        ([[1], [0]], [[1], [0]])
    """
    check(x, z, k, neighbourhood, temperature)
    retrieval = Retrieval(retrieval)
    if hubs is None and retrieval is Retrieval.CSLS:
        hubs = both_similarities(x, z, neighbourhood)
    elif hubs is None:
        x_hubs = hubness(x, z, retrieval, neighbourhood, temperature)
        hubs = x_hubs, hubness(z, x, retrieval, neighbourhood, temperature)
    scaled = unit(x) * scale(retrieval, temperature)
    there, back = top_both(scaled, unit(z), k, hubs[1], hubs[0])
    return as_defined(there, retrieval, hubs[0]), as_defined(back, retrieval, hubs[1])


def as_defined(best: Best, retrieval: Retrieval, density: Array) -> Neighbours:
    """What `top` finds, with the scores as the papers define them."""
    scores, rows = best
    xp = array_namespace(scores)
    if retrieval is Retrieval.INVERTED_SOFTMAX:
        scores = xp.exp(scores)
    elif retrieval is Retrieval.CSLS:
        scores = scores - density[:, None]
    return Neighbours(rows, xp.astype(scores, xp.float32))
