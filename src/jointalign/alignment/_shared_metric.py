"""GeoMM for many languages: descent on one rotation a language and one metric for all.

The cost, with X and Z the distinct words of dictionary (i, j) of n pairs, Y its 0-1 matrix:

    f = sum over dictionaries of |X U_i B U_j' Z' - Y|^2 / n + lambda / 2 |B|^2 .

B = V D V' can be taken as diagonal: V then goes into every U. So the unknowns are the rotations
and the logarithms of the diagonal, and no point has to be brought back to where it is allowed:
a rotation moves by U <- U cayley(O), O skew-symmetric, and a logarithm is free. In these
coordinates, which mean the same everywhere, L-BFGS (Nocedal 1980) is used as in flat space.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from jointalign.alignment._orthogonal import closest_orthogonal

# Steps that L-BFGS remembers, and how far back the convergence test looks.
_MEMORY, _WINDOW = 20, 10
# Smallest entry of the first metric beside its largest: zero has no logarithm.
_FLOOR = 1e-4
# A step must gain this share of what the gradient promises; below this length it gives up.
_ENOUGH, _SHORTEST = 1e-4, 1e-12


class Link(NamedTuple):
    """A dictionary's moments, divided by its number of pairs.

    Args:
        i: Number of its source language.
        j: Number of its target language.
        source: X'X / n, `(d, d)`.
        target: Z'Z, `(d, d)`.
        cross: X'YZ / n, `(d, d)`.
    """

    i: int
    j: int
    source: np.ndarray
    target: np.ndarray
    cross: np.ndarray


@dataclass(frozen=True, eq=False)
class Point:
    """One rotation a language and the metric.

    Args:
        rotations: Orthogonal, `(d, d)` each.
        metric: The diagonal of B, all above zero, `(d,)`.
        cost: f there.
        gradient: In the coordinates of `moved`, `(k d (d - 1) / 2 + d,)`.
    """

    rotations: tuple[np.ndarray, ...]
    metric: np.ndarray
    cost: float
    gradient: np.ndarray


def descend(
    links: Sequence[Link], languages: int, regularization: float, steps: int, tolerance: float
) -> Iterator[Point]:
    """The start and the point after each step, of ever lower cost.

    Ends when the last ten steps together gained less than `tolerance` times what the map gains over
    none at all, when no step lowers the cost any more, or after `steps` steps.
    """
    point = _at(links, regularization, *_start(links, languages, regularization))
    memory, costs = _Memory(), [point.cost]
    yield point
    for _ in range(steps):
        following = _step(links, regularization, point, memory)
        if following is None:
            return
        point = following
        costs.append(point.cost)
        yield point
        gained = costs[max(0, len(costs) - 1 - _WINDOW)] - point.cost
        if len(costs) > _WINDOW and gained < tolerance * (len(links) - point.cost):
            return


def _start(
    links: Sequence[Link], languages: int, regularization: float
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Procrustes rotations from language to language, and the best metric for them."""
    d = len(links[0].cross)
    rotations: dict[int, np.ndarray] = {0: np.eye(d)}
    while len(rotations) < languages:
        for i, j, _, _, cross in links:
            # x q is near z, and x u_i shall be near z u_j.
            if i in rotations and j not in rotations:
                rotations[j] = closest_orthogonal(cross).T @ rotations[i]
            elif j in rotations and i not in rotations:
                rotations[i] = closest_orthogonal(cross) @ rotations[j]
    crossed = sum(rotations[link.i].T @ link.cross @ rotations[link.j] for link in links)
    _, v = np.linalg.eigh(np.asarray(crossed + np.transpose(crossed)))
    turned = tuple(rotations[language] @ v for language in range(languages))
    curvature, pull = regularization / 2 * np.eye(d), np.zeros(d)
    for source, target, cross in _turned(links, turned):
        curvature += source * target
        pull += np.diag(cross)
    metric = np.linalg.solve(curvature, pull)
    floor = _FLOOR * np.abs(metric).max()
    return turned, np.maximum(metric, floor) if floor > 0 else np.ones(d)


def _turned(
    links: Sequence[Link], rotations: tuple[np.ndarray, ...]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Each link's three matrices in the common space."""
    for i, j, source, target, cross in links:
        u, v = rotations[i], rotations[j]
        yield u.T @ source @ u, v.T @ target @ v, u.T @ cross @ v


def _at(
    links: Sequence[Link], regularization: float, rotations: tuple[np.ndarray, ...], metric: np.ndarray
) -> Point:
    """Cost and gradient: eight products of `(d, d)` matrices a link."""
    d, b = len(metric), metric
    cost = len(links) + regularization / 2 * float(b @ b)
    by_metric = regularization * b
    by_turn = [np.zeros((d, d)) for _ in rotations]
    for link, (p, q, c) in zip(links, _turned(links, rotations), strict=True):
        # Turning U_i by I + O turns p into p + p O - O p and c into c - O c, O' being -O.
        left, right = (b[:, None] * q * b) @ p, (b[:, None] * p * b) @ q
        by_turn[link.i] += left.T - left - (c * b - (c * b).T)
        by_turn[link.j] += right.T - right - (c.T * b - (c.T * b).T)
        cost += float(np.trace(left)) - 2 * float(b @ np.diag(c))
        by_metric = by_metric + 2 * ((p * q) @ b - np.diag(c))
    above = np.triu_indices(d, 1)
    # An entry of O above the diagonal appears below it with the other sign.
    turns = [2 * gradient[above] for gradient in by_turn]
    return Point(rotations, metric, cost, np.concatenate([*turns, by_metric * b]))


def _moved(point: Point, change: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Where a change leads: a skew-symmetric matrix a rotation, then logarithms of the metric."""
    d = len(point.metric)
    above, identity = np.triu_indices(d, 1), np.eye(d)
    size, rotations = len(above[0]), []
    for language, rotation in enumerate(point.rotations):
        half = np.zeros((d, d))
        half[above] = change[language * size : (language + 1) * size] / 2
        half -= half.T
        rotations.append(rotation @ np.linalg.solve(identity - half, identity + half))
    return tuple(rotations), point.metric * np.exp(change[len(rotations) * size :])


def _step(links: Sequence[Link], regularization: float, point: Point, memory: _Memory) -> Point | None:
    """A lower point in L-BFGS's direction, failing that down the gradient; `None` if there is none.

    The step is halved until it gains enough (Armijo's rule).
    """
    for direction in memory.directions(point.gradient):
        slope = float(direction @ point.gradient)
        length = min(1.0, 1.0 / float(np.abs(direction).max(initial=1e-300)))
        while slope < 0 and length > _SHORTEST:
            following = _at(links, regularization, *_moved(point, length * direction))
            if following.cost <= point.cost + _ENOUGH * length * slope:
                memory.add(length * direction, following.gradient - point.gradient)
                return following
            length /= 2
        memory.pairs.clear()
    return None


@dataclass(frozen=True, eq=False)
class _Memory:
    """The last steps and what they did to the gradient."""

    pairs: deque[tuple[np.ndarray, np.ndarray]] = field(default_factory=lambda: deque(maxlen=_MEMORY))

    def add(self, step: np.ndarray, change: np.ndarray) -> None:
        # Only a positive product says something of the curvature.
        if step @ change > 1e-12 * np.linalg.norm(step) * np.linalg.norm(change):
            self.pairs.append((step, change))

    def directions(self, gradient: np.ndarray) -> Iterator[np.ndarray]:
        """L-BFGS's direction where there is a memory, then the steepest."""
        if self.pairs:
            yield self._quasi_newton(gradient)
        yield -0.1 * gradient / max(float(np.linalg.norm(gradient)), 1e-300)

    def _quasi_newton(self, gradient: np.ndarray) -> np.ndarray:
        q, shares = gradient.copy(), []
        for step, change in reversed(self.pairs):
            share = float(step @ q) / float(step @ change)
            q -= share * change
            shares.append(share)
        step, change = self.pairs[-1]
        q *= float(step @ change) / float(change @ change)
        for (step, change), share in zip(self.pairs, reversed(shares), strict=True):
            q += step * (share - float(change @ q) / float(step @ change))
        return -q
