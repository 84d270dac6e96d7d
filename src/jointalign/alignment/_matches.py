"""Best matches by CSLS under dropout, both ways, from one pass over the products: the costly step.

Artetxe et al. (2018b), section 3.3: every source word is matched with the target word of highest
`cos - r/2`, and every target word likewise, where `r` is the other word's mean product with its
nearest words; but only a random part of the entries counts, the others being 0.

`r` is only known after the pass that also has to find the match. What saves the second pass: the
nearest words of the step before, compared by today's vectors, give a mean `s` that cannot exceed
`r`. So `cos - s/2` bounds the score from above, a short list of its highest values is kept, and
when the best true score in the list reaches the last bound in it, no entry outside can be better.
Lines where it does not are searched again, exactly. With nothing before, that may be all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.alignment._exact_search import ExactSearch
from jointalign.alignment._induction import Direction
from jointalign.alignment._sweep import Best, Dropout, Side, sweep
from jointalign.numerics.tiles import COLUMNS, blocks

# Longer lists need fewer second searches and more insertions.
_LIKELY = 6
# Products of the same vectors from differently shaped blocks differ by less.
_ROUNDING = 4e-6


@dataclass(frozen=True, eq=False)
class SideMatches:
    """What was found for the words of one side.

    Args:
        best: Row of the best match on the other side, int64 `(n,)`.
        nearest: Rows of the highest products, int64 `(n, k)`.
        highest: The highest product, `(n,)`.
        floor: Where to begin the list of likely matches the next time, `(n,)`.
        searched_again: How many words needed the second search.
    """

    best: np.ndarray
    nearest: np.ndarray
    highest: np.ndarray
    floor: np.ndarray
    searched_again: int


@dataclass(frozen=True, eq=False)
class Matches:
    """Both ways.

    Args:
        forward: Of each source word.
        backward: Of each target word.
    """

    forward: SideMatches
    backward: SideMatches


def best_matches(
    x: np.ndarray,
    z: np.ndarray,
    neighbourhood: int,
    dropouts: tuple[Dropout, Dropout],
    before: Matches | None = None,
) -> Matches:
    """Match the words of both sides.

    Args:
        x: Mapped source vectors, float32 `(n, d)`.
        z: Mapped target vectors, float32 `(m, d)`.
        neighbourhood: Words in `r`; 0: plain products, no CSLS.
        dropouts: Which entries count forward and backward.
        before: The matches of a similar map of the same words: changes the time, not the result.
    """
    estimates = (
        _known_products(x, z, neighbourhood, before and before.forward),
        _known_products(z, x, neighbourhood, before and before.backward),
    )
    rows, columns = (
        _empty_side(own, other, neighbourhood, dropout, found)
        for own, other, dropout, found in zip(
            estimates,
            estimates[::-1],
            dropouts,
            (before and before.forward, before and before.backward),
            strict=True,
        )
    )
    sweep(x, z, rows, columns)
    source_penalty = _penalty(rows.nearest.scores, neighbourhood)
    target_penalty = _penalty(columns.nearest.scores, neighbourhood)
    return Matches(
        _side_matches(rows, target_penalty, ExactSearch(x, z, target_penalty, dropouts[0], False)),
        _side_matches(columns, source_penalty, ExactSearch(z, x, source_penalty, dropouts[1], True)),
    )


def matched_pairs(matches: Matches, direction: Direction) -> np.ndarray:
    """Pairs of source and target rows, int64 `(k, 2)`; a pair of both directions is there twice."""
    forward, backward = matches.forward.best, matches.backward.best
    sides = []
    if direction is not Direction.BACKWARD:
        sides.append(np.stack([np.arange(len(forward)), forward], axis=1))
    if direction is not Direction.FORWARD:
        sides.append(np.stack([backward, np.arange(len(backward))], axis=1))
    return np.concatenate(sides)


def _penalty(nearest: np.ndarray, neighbourhood: int) -> np.ndarray:
    """What CSLS takes from a word's products, float32 `(lines,)`: half of the mean of `nearest`."""
    if neighbourhood == 0:
        return np.zeros(len(nearest), np.float32)
    return nearest.mean(axis=1, dtype=np.float64).astype(np.float32) / 2


def _known_products(
    own: np.ndarray, other: np.ndarray, neighbourhood: int, found: SideMatches | None
) -> np.ndarray:
    """Products with the nearest words of the time before, or any words, `(lines, k)`."""
    k = min(max(1, neighbourhood), len(other))
    if found is None:
        return own @ other[:k].T
    products = np.empty((len(own), k), np.float32)
    for start, stop in blocks(len(own), COLUMNS):
        near = other[found.nearest[start:stop]]  # (b, k, d)
        products[start:stop] = np.matmul(near, own[start:stop, :, None])[:, :, 0]
    return products


def _empty_side(
    own: np.ndarray, other: np.ndarray, neighbourhood: int, dropout: Dropout, found: SideMatches | None
) -> Side:
    """Lists that hold nothing yet but know what an entry has to exceed."""
    lines = len(own)
    likely = min(_LIKELY, len(other))
    floor = np.full(lines, -np.inf, np.float32) if found is None else found.floor
    return Side(
        nearest=Best.above(own.min(axis=1) - np.float32(_ROUNDING), own.shape[1]),
        likely=Best.above(floor, likely),
        penalty=_penalty(other, neighbourhood),
        dropout=dropout,
    )


def _side_matches(side: Side, penalty: np.ndarray, exact: ExactSearch) -> SideMatches:
    """The best matches of one side, from its filled lists and the true penalties."""
    bounds, places = side.likely.scores, side.likely.places
    scores = np.where(places < 0, -np.inf, bounds + (side.penalty - penalty)[places])
    at = scores.argmax(axis=1)[:, None]
    score = np.take_along_axis(scores, at, axis=1)[:, 0]
    best = np.take_along_axis(places, at, axis=1)[:, 0]
    unsure = score < bounds[:, -1] + _ROUNDING
    if places.shape[1] == len(exact.other):
        unsure[:] = False
    if side.dropout.probability < 1:
        unsure |= score <= 0  # then an entry that dropout set to 0 may be the best
    again = np.flatnonzero(unsure | (best < 0))
    best[again] = exact(again)
    return SideMatches(
        best=best,
        nearest=side.nearest.places,
        highest=side.nearest.scores[:, 0],
        floor=_floor(scores),
        searched_again=len(again),
    )


def _floor(scores: np.ndarray) -> np.ndarray:
    """As far below the lowest score of a full list as the highest is above it.

    Other entries are kept the next time, so the lowest itself would often be too high. Where the
    tail of the scores falls exponentially, this makes room for a few times as many entries. Lists
    that are not full hold -infinity, and so does their floor.
    """
    highest, lowest = scores.max(axis=1), scores.min(axis=1)
    full = lowest > -np.inf
    floor = np.full(len(scores), -np.inf, np.float32)
    floor[full] = lowest[full] - (highest[full] - lowest[full])
    return floor
