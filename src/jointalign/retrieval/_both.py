"""Two whole vocabularies among each other, both directions at once."""

from __future__ import annotations

from jointalign.numerics.normalize import unit
from jointalign.numerics.topk import Array, row_means, top_both, zeros
from jointalign.retrieval.base import Neighbours, Retrieval, Score, as_defined, check, hubness


def both_similarities(x: Array, z: Array, k: int = 10) -> tuple[Array, Array]:
    """`mean_similarity` in both directions, for little more than the cost of one.

    Args:
        x: Vectors of one language, `(n, d)`.
        z: Vectors of the other, `(m, d)`.
        k: As for `mean_similarity`.

    Returns:
        Means of the rows of `x` among `z`, `(n,)`, and of the rows of `z` among `x`, `(m,)`: the
        hubness in CSLS of either side as candidates, the density of either as queries.

    Raises:
        JointalignError: If `k` is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> both_similarities(np.eye(2), np.array([[5.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), k=1)
        (array([1., 1.]), array([1. , 0.8, 1. ]))
    """
    check(x, z, k)
    by_row, by_column = top_both(unit(x), unit(z), k, zeros(z), zeros(x))
    return row_means(by_row[0]), row_means(by_column[0])


def both_neighbours(
    x: Array,
    z: Array,
    k: int = 10,
    *,
    score: Score | str = Retrieval.CSLS,
    hubs: tuple[Array, Array] | None = None,
) -> tuple[Neighbours, Neighbours]:
    """`neighbours` of two whole vocabularies among each other.

    CSLS takes one product for the hubness of both sides and one for the search of both; one after
    the other, the two directions would take four.

    Args:
        x: Vectors of one language, `(n, d)`, most frequent word first.
        z: Vectors of the other, `(m, d)`, likewise.
        k: How many; all candidates if there are fewer.
        score: As for `neighbours`.
        hubs: `hubness` of the rows of `x` and of those of `z`, if known from before.

    Returns:
        Neighbours of the rows of `x` among `z`, `(n, min(k, m))`, and of the rows of `z` among `x`,
        `(m, min(k, n))`.

    Raises:
        JointalignError: If `k` is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> there, back = both_neighbours(np.eye(2), np.array([[0.0, 2.0], [3.0, 1.0]]), 1)
        >>> there.rows.tolist(), back.rows.tolist()
        ([[1], [0]], [[1], [0]])
    """
    check(x, z, k)
    score = Score.of(score)
    if hubs is None and score.is_csls:
        hubs = both_similarities(x, z, score.neighbourhood)
    elif hubs is None:
        hubs = hubness(x, z, score), hubness(z, x, score)
    there, back = top_both(unit(x) * score.scale, unit(z), k, hubs[1], hubs[0])
    return as_defined(there, score, hubs[0]), as_defined(back, score, hubs[1])
