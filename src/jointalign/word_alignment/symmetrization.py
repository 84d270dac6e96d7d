"""One set of links from two directions (Och and Ney 2003; Koehn et al. 2003).

All begin with the links that both directions have, or end with those that either has. Growing adds
links of the union that touch a link already there and have a word without one; the final step adds
any link of either direction with a word (`-and`: with both words) without one.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from jointalign.numerics.compiling import compiled
from jointalign.word_alignment.base import Links, ParallelText, starts_of


class Symmetrization(StrEnum):
    """What to make of the links of two directions."""

    INTERSECT = "intersect"
    """Those that both have: few and sure."""

    UNION = "union"
    """Those that either has."""

    GROW_DIAG = "grow-diag"
    GROW_DIAG_FINAL = "grow-diag-final"
    GROW_DIAG_FINAL_AND = "grow-diag-final-and"
    """What Moses and the paper's released code use."""

    FORWARD = "forward"
    """Each target word's link alone."""

    REVERSE = "reverse"
    """Each source word's link alone."""


# Straight neighbours first, as in Moses: which come first can decide which come at all.
_NEIGHBOURS = np.array([(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)], np.int64)
_FORWARD, _REVERSE = 1, 2


def symmetrize(
    text: ParallelText,
    forward: np.ndarray,
    reverse: np.ndarray,
    how: Symmetrization = Symmetrization.GROW_DIAG_FINAL_AND,
) -> Links:
    """Join the links of two directions.

    Args:
        text: The text they belong to.
        forward: For each target token the position of its source word, or -1, int32.
        reverse: For each source token the position of its target word, or -1, int32.
        how: By which rule.

    Example:
        >>> text = ParallelText.of([(["the", "house"], ["la", "casa"])])
        >>> one, other = np.array([0, 1], np.int32), np.array([0, 0], np.int32)
        >>> list(symmetrize(text, one, other, Symmetrization.INTERSECT).lines())
        ['0-0']
        >>> list(symmetrize(text, one, other).lines())
        ['0-0 1-0 1-1']
    """
    how = Symmetrization(how)
    pairs = np.empty((len(forward) + len(reverse), 2), np.int32)
    counts = np.zeros(len(text), np.int64)
    _join(
        text.source.starts,
        text.target.starts,
        forward,
        reverse,
        how.startswith("grow"),
        "final" in how,
        how.endswith("and"),
        _least_marks(how),
        _NEIGHBOURS,
        pairs,
        counts,
    )
    return Links(pairs[: counts.sum()].copy(), starts_of(counts))


def _least_marks(how: Symmetrization) -> int:
    """Bits of which a link must have all to be in from the start; 0: any."""
    if how is Symmetrization.FORWARD:
        return _FORWARD
    if how is Symmetrization.REVERSE:
        return _REVERSE
    return 0 if how is Symmetrization.UNION else _FORWARD | _REVERSE


@compiled()
def _join(
    source_starts: np.ndarray,
    target_starts: np.ndarray,
    forward: np.ndarray,
    reverse: np.ndarray,
    grows: bool,
    final: bool,
    both_free: bool,
    least_marks: int,
    neighbours: np.ndarray,
    pairs: np.ndarray,  # (at least all links, 2) int32, written
    counts: np.ndarray,  # (s,) int64, links of each sentence pair, written
) -> None:
    written = 0
    for sentence in range(len(counts)):
        source, target = source_starts[sentence], target_starts[sentence]
        n, m = source_starts[sentence + 1] - source, target_starts[sentence + 1] - target
        marks = _marks(forward[target : target + m], reverse[source : source + n])
        links = (marks > 0) & ((marks & least_marks) == least_marks)
        if grows:
            _grow(links, marks, neighbours)
        if final:
            _finish(links, marks, _FORWARD, both_free)
            _finish(links, marks, _REVERSE, both_free)
        for i in range(n):
            for j in range(m):
                if links[i, j]:
                    pairs[written, 0], pairs[written, 1] = i, j
                    written += 1
                    counts[sentence] += 1


@compiled()
def _marks(forward, reverse):
    """Which directions have each link."""
    marks = np.zeros((len(reverse), len(forward)), np.uint8)
    for j in range(len(forward)):
        if forward[j] >= 0:
            marks[forward[j], j] |= _FORWARD
    for i in range(len(reverse)):
        if reverse[i] >= 0:
            marks[i, reverse[i]] |= _REVERSE
    return marks


@compiled()
def _grow(links, marks, neighbours) -> None:
    n, m = links.shape
    grown = True
    while grown:
        grown = False
        for i in range(n):
            for j in range(m):
                if not links[i, j]:
                    continue
                for k in range(len(neighbours)):
                    a, b = i + neighbours[k, 0], j + neighbours[k, 1]
                    if not (0 <= a < n and 0 <= b < m) or links[a, b] or not marks[a, b]:
                        continue
                    if not links[a].any() or not links[:, b].any():
                        links[a, b] = grown = True


@compiled()
def _finish(links, marks, direction, both_free) -> None:
    n, m = links.shape
    for i in range(n):
        for j in range(m):
            if not marks[i, j] & direction or links[i, j]:
                continue
            source_free, target_free = not links[i].any(), not links[:, j].any()
            if (source_free and target_free) if both_free else (source_free or target_free):
                links[i, j] = True
