"""Rounds of {dictionary found by CSLS; Procrustes}, which MUSE and refined Procrustes share."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment._induction import (
    CRITERION_RANK,
    Direction,
    combined,
    hubs_for,
    mean_cosine,
    translations,
)
from jointalign.alignment._orthogonal import closest_orthogonal, cross_product
from jointalign.alignment.base import Array, as_numpy
from jointalign.retrieval.api import LazyHubness, neighbours

logger = logging.getLogger(__name__)

FEWEST_HELD_OUT = 50
"""Source words to choose by; precision of fewer than these says too little."""


class Round(NamedTuple):
    """A map and how good it looks.

    Args:
        matrix: The map, `(d, d)`.
        criterion: Mean CSLS of frequent words (`mean_csls`).
        precision: P@1 on the held-out pairs, 0 to 1; not a number if none are held out.
        frequent: Its forward dictionary of the words that the criterion looks at, `(k, 2)`.
    """

    matrix: Array
    criterion: float
    precision: float
    frequent: np.ndarray


@dataclass(frozen=True)
class Refinement:
    """How dictionaries are found, and what is learnt from them.

    Args:
        direction: Of the dictionaries.
        rank: Only words up to it are in them.
        neighbourhood: k of CSLS.
        cutoff: Only so many words of either side take part in the search; `None`: all.
    """

    direction: Direction
    rank: int | None
    neighbourhood: int
    cutoff: int | None = None

    def rounds(
        self,
        x: Array,
        z: Array,
        start: Array,
        *,
        given: np.ndarray | None = None,
        held_out: np.ndarray | None = None,
    ) -> Iterator[Round]:
        """The start, then the map of each round, without end.

        One search serves the judgement of a map and the dictionary of the next.

        Args:
            x: Source vectors of length one, `(n, d)`.
            z: Target vectors of length one, `(m, d)`.
            start: The first map, `(d, d)`.
            given: Pairs to add to each dictionary found, `(k, 2)`.
            held_out: Pairs to measure precision on, `(k, 2)`.
        """
        matrix = start
        while True:
            pairs, judged = self._look(x, z, matrix, held_out)
            yield judged
            matrix = _learnt(x, z, matrix, pairs, given)

    def after(
        self, x: Array, z: Array, start: Array, count: int, *, given: np.ndarray | None = None
    ) -> Array:
        """The map of one round, `(d, d)`: number `count` of `rounds`, the start being number 0."""
        matrix = start
        for _ in range(count):
            matrix = _learnt(x, z, matrix, self._look(x, z, matrix, None)[0], given)
        return matrix

    def _look(
        self, x: Array, z: Array, matrix: Array, held_out: np.ndarray | None
    ) -> tuple[np.ndarray, Round]:
        """The dictionary of a map, and how good the map looks."""
        x = _first(x, self.cutoff) @ matrix
        z = _first(z, self.cutoff)
        hubs = hubs_for(z, x, self.neighbourhood, self.rank)
        forward = translations(x, z, self.neighbourhood, self.rank, hubs)
        found = forward
        if self.direction != Direction.FORWARD:
            backward = translations(z, x, self.neighbourhood, self.rank)
            backward = backward._replace(pairs=backward.pairs[:, ::-1])
            found = backward
            if self.direction != Direction.BACKWARD:
                found = combined(forward, backward, self.direction)
        frequent = forward.pairs[(forward.pairs < CRITERION_RANK).all(axis=1)]
        precision = float("nan") if held_out is None else _precision(x, z, held_out, hubs)
        return found.pairs, Round(matrix, mean_cosine(x, z, frequent), precision, frequent)


def procrustes(x: Array, z: Array, pairs: np.ndarray) -> Array:
    """The orthogonal map closest to the pairs, `(d, d)`, of the type of `x`."""
    return array_namespace(x).astype(closest_orthogonal(cross_product(x, z, pairs)), x.dtype)


def _learnt(x: Array, z: Array, matrix: Array, found: np.ndarray, given: np.ndarray | None) -> Array:
    pairs = found if given is None else np.unique(np.concatenate([given, found]), axis=0)
    return procrustes(x, z, pairs) if len(pairs) else matrix


def hold_out(
    pairs: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    """Hold out a share of the source words, each with all its translations.

    Returns:
        The other pairs and the held-out pairs, in order; `None` and all pairs if `share` would give
        fewer than `FEWEST_HELD_OUT` words to choose by.
    """
    words = np.unique(pairs[:, 0])
    number = round(share * len(words))
    if number < FEWEST_HELD_OUT:
        return pairs, None
    chosen = np.isin(pairs[:, 0], rng.permutation(words)[:number])
    return pairs[~chosen], pairs[chosen]


def agreement(first: Round, second: Round) -> float:
    """Share of frequent words that two maps translate alike; about 0 for unrelated maps."""
    count = max(len(first.frequent), len(second.frequent), 1)
    pairs = np.unique(np.concatenate([first.frequent, second.frequent]), axis=0)
    return (len(first.frequent) + len(second.frequent) - len(pairs)) / count


def _first(vectors: Array, cutoff: int | None) -> Array:
    return vectors if cutoff is None else vectors[: min(cutoff, vectors.shape[0]), :]


def _precision(x: Array, z: Array, held_out: np.ndarray, hubs: Array | LazyHubness) -> float:
    """Share of the held-out source words whose best translation by CSLS is one of theirs."""
    xp: Any = array_namespace(x, z)
    words = np.unique(held_out[:, 0])
    words = words[words < x.shape[0]]
    if not len(words):
        return 0.0
    asked = xp.take(x, xp.asarray(words, device=device(x)), axis=0)
    density = xp.zeros(len(words), dtype=asked.dtype, device=device(asked))
    best = as_numpy(neighbours(asked, z, 1, hubs=hubs, density=density).rows)[:, 0]
    width = max(z.shape[0], int(held_out[:, 1].max()) + 1)  # a pair as one number
    right = np.isin(words * width + best, held_out[:, 0] * width + held_out[:, 1])
    return float(right.mean())
