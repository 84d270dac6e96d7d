"""RCSLS (Joulin et al. 2018): a map learnt for the retrieval rule that it will be used with.

For unit rows x_i, z_i of n translation pairs, CSLS without its constants gives the loss

    f(w) = -1/n sum_i [ 2 x_i w z_i' - mean_{z in N_Z(x_i w)} x_i w z'
                                     - mean_{x in N_X(z_i)}   x   w z_i' ]

where N_Z(x_i w) are the k target words, and N_X(z_i) the k source words, of highest inner product.
Being a maximum of linear functions of w, f is convex.

Differences from the authors' code: after a step that raises the loss the map really goes back
(theirs restores the same array that the step changed); each of `steps` steps is checked by its loss
(theirs makes one more, whose result nobody looks at); a word that occurs in several pairs is
searched for once; float32; never a matrix of pairs by vocabulary; a batch may be larger than the
dictionary (theirs fails).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from jointalign.alignment._orthogonal import closest_orthogonal, cross_product
from jointalign.alignment.base import Aligner, Array, Mapping
from jointalign.alignment.checks import check_pairs, check_vectors
from jointalign.numerics.topk import top
from jointalign.ranges import check_ranges, within

logger = logging.getLogger(__name__)

SMALLEST_RATE = 1e-4
"""Where the halving of the learning rate ends the search, as in the authors' code."""


class Step(NamedTuple):
    """Where gradient descent stands.

    Args:
        number: Steps tried so far; 0 is the Procrustes map it starts from.
        matrix: The best map so far; with mini-batches the map reached, `(d, d)`.
        loss: Its loss, which never rises from step to step; with mini-batches its loss on the pairs
            drawn next, an estimate that goes up and down.
    """

    number: int
    matrix: Array
    loss: float


@dataclass(frozen=True)
class RCSLS(Aligner):
    """Gradient descent on the relaxed CSLS loss, from the Procrustes map to a free linear map.

    The paper's supervised refinement: choose it where there is a dictionary of thousands of pairs,
    and its learning rate and steps with `jointalign.choose`.

    Args:
        learning_rate: First step size, halved whenever a step would raise the loss; constant with
            mini-batches. Joint-Align: 10, or chosen from 1, 10, 25, 50. Authors' default 1, their
            example 25.
        steps: Steps tried. Joint-Align: 10, or chosen from 10, 20.
        neighbourhood: k of the loss.
        maximum_negatives: Only so many of the most frequent words on each side are neighbours.
        spectral: Keep the map in the unit ball of the spectral norm (the convex hull of the
            rotations), as one variant in the paper does. Joint-Align leaves the map free.
        batch: Pairs that a step learns from, drawn for each step without replacement; for large
            dictionaries. A step's cost is in proportion to its distinct words. Two batches' losses
            say nothing of a step, so none is undone and no rate halved, as in the authors' code.
            `None`, or no fewer than there are pairs: all pairs in each step, and nothing random.
            Authors' size 10,000.

    Raises:
        JointalignError: If a setting is out of range.

    Example:
        >>> z = np.eye(3, dtype=np.float32)
        >>> x = z[:, [1, 2, 0]]
        >>> mapping = RCSLS(neighbourhood=1).fit(x, z, np.array([[0, 0], [1, 1], [2, 2]]))
        >>> (x @ mapping.source).argmax(axis=1)
        array([0, 1, 2])
    """

    learning_rate: float = within(10.0, above=0)
    steps: int = within(10, least=0)
    neighbourhood: int = within(10, least=1)
    maximum_negatives: int = within(200_000, least=1)
    spectral: bool = False
    batch: int | None = within(None, least=1)

    # The learning rates of Joint-Align, appendix A; the numbers of steps in its scripts, and fewer.
    tried = MappingProxyType({"learning_rate": (1.0, 10.0, 25.0, 50.0)})
    tried_along = MappingProxyType({"steps": (5, 10, 20)})

    def __post_init__(self) -> None:
        check_ranges(self)

    def searches(self, words: int, pairs: int) -> float:
        """Each step searches for the distinct words of the pairs, both ways."""
        return self.steps * 2 * min(pairs, words) / words

    def fit(self, x: Array, z: Array, pairs: Array | None = None, *, seed: int = 0) -> Mapping:
        """Take the last step of `trajectory`; see `Aligner.fit`. The seed draws mini-batches.

        Raises:
            JointalignError: If shapes disagree, values are not finite, or there are no valid pairs.
        """
        return self.fit_along(x, z, pairs, (self.steps,), seed=seed)[0]

    def fit_along(
        self, x: Array, z: Array, pairs: Array | None, values: Sequence[int], *, seed: int = 0
    ) -> list[Mapping]:
        """The maps after so many steps of one descent; see `Aligner.fit_along`."""
        descent = list(replace(self, steps=max(values)).trajectory(x, z, pairs, seed=seed))
        identity = array_namespace(z).eye(z.shape[1], dtype=z.dtype, device=device(z))
        # A descent may end early; its last map is then that of all later steps.
        reached = [descent[: number + 1] for number in values]
        return [
            Mapping(steps[-1].matrix, identity, {"loss": tuple(step.loss for step in steps)})
            for steps in reached
        ]

    def trajectory(self, x: Array, z: Array, pairs: Array | None, *, seed: int = 0) -> Iterator[Step]:
        """Every step of the descent: the number of steps can be chosen without fitting again.

        The first is the Procrustes map; the last may come early, when the learning rate has been
        halved below 1e-4. What `RCSLS(steps=s)` would give is the last step with `number <= s`.

        Args:
            x: Source vectors of length one, `(n, d)`, most frequent word first.
            z: Target vectors of length one, `(m, d)`, likewise.
            pairs: Seed dictionary, `(k, 2)` row numbers into `x` and `z`.
            seed: What draws mini-batches.

        Raises:
            JointalignError: As `fit`.
        """
        xp = check_vectors(x, z)
        rows = check_pairs(pairs, x, z, "RCSLS")
        w = xp.astype(closest_orthogonal(cross_product(x, z, rows)), x.dtype)
        if self.batch is not None and self.batch < len(rows):
            yield from self._stochastic(w, x, z, rows, np.random.default_rng(seed))
        else:
            yield from self._monotone(w, _Loss.of(self, x, z, rows))

    def _monotone(self, w: Array, loss: _Loss) -> Iterator[Step]:
        """Steps on all pairs: one that would raise the loss is undone, and the rate halved."""
        value, gradient = loss.at(w)
        rate = self.learning_rate
        yield Step(0, w, value)
        for number in range(1, self.steps + 1):
            if rate < SMALLEST_RATE:
                return
            moved = self._moved(w, rate, gradient)
            moved_value, moved_gradient = loss.at(moved)
            if moved_value <= value:
                w, value, gradient = moved, moved_value, moved_gradient
            else:
                rate /= 2
            logger.info("RCSLS step %d of %d: loss %.6f, rate %g", number, self.steps, value, rate)
            yield Step(number, w, value)

    def _stochastic(
        self, w: Array, x: Array, z: Array, pairs: np.ndarray, rng: np.random.Generator
    ) -> Iterator[Step]:
        """Steps on pairs drawn anew, all of one size."""
        for number in range(self.steps + 1):
            drawn = rng.choice(len(pairs), self.batch, replace=False)
            value, gradient = _Loss.of(self, x, z, pairs[drawn]).at(w)
            logger.info("RCSLS step %d of %d: batch's loss %.6f", number, self.steps, value)
            yield Step(number, w, value)
            w = self._moved(w, self.learning_rate, gradient)

    def _moved(self, w: Array, rate: float, gradient: Array) -> Array:
        moved = w - rate * gradient
        return _into_unit_ball(moved) if self.spectral else moved


@dataclass(frozen=True, eq=False)
class _Loss:
    """The parts of the loss that do not depend on the map.

    Args:
        x: Negatives of the source, `(n, d)`.
        z: Negatives of the target, `(m, d)`.
        sources: Vectors of the distinct source words of the pairs, `(u, d)`.
        targets: Vectors of the distinct target words of the pairs, `(v, d)`.
        source_weights: Share of the pairs that each source word is in, `(u, 1)`.
        target_weights: The same of each target word, `(v, 1)`.
        attraction: Mean of x_i' z_i over the pairs, `(d, d)`.
        k: Size of the neighbourhoods.
    """

    x: Array
    z: Array
    sources: Array
    targets: Array
    source_weights: Array
    target_weights: Array
    attraction: Array
    k: int

    @classmethod
    def of(cls, settings: RCSLS, x: Array, z: Array, pairs: np.ndarray) -> _Loss:
        xp: Any = array_namespace(x, z)
        sources, source_weights = _distinct(x, pairs[:, 0])
        targets, target_weights = _distinct(z, pairs[:, 1])
        return cls(
            x=x[: min(settings.maximum_negatives, x.shape[0]), :],
            z=z[: min(settings.maximum_negatives, z.shape[0]), :],
            sources=sources,
            targets=targets,
            source_weights=source_weights,
            target_weights=target_weights,
            attraction=xp.astype(cross_product(x, z, pairs) / len(pairs), x.dtype),
            k=settings.neighbourhood,
        )

    def at(self, w: Array) -> tuple[float, Array]:
        """Loss and its gradient `(d, d)` at a map: two searches."""
        xp = array_namespace(w)
        near_sources = _mean_nearest(self.sources @ w, self.z, self.k)  # (u, d)
        # x w z' = x (z w')': the unmapped source words are searched with targets mapped back, so
        # that no mapped copy of a vocabulary is made at each step.
        near_targets = _mean_nearest(self.targets @ w.T, self.x, self.k)  # (v, d)
        gradient = (
            self.sources.T @ (self.source_weights * near_sources)
            + near_targets.T @ (self.target_weights * self.targets)
            - 2 * self.attraction
        )
        # With its neighbours held, the loss is linear in w: the product of w and its own gradient.
        return float(xp.sum(w * gradient, dtype=xp.float64)), gradient


def _distinct(vectors: Array, rows: np.ndarray) -> tuple[Array, Array]:
    """Vectors of the distinct rows, `(u, d)`, and the share of `rows` that each is, `(u, 1)`."""
    xp: Any = array_namespace(vectors)
    distinct, counts = np.unique(rows, return_counts=True)
    where = device(vectors)
    weights = xp.asarray(counts / len(rows), dtype=vectors.dtype, device=where)
    return xp.take(vectors, xp.asarray(distinct, device=where), axis=0), weights[:, None]


def _mean_nearest(queries: Array, candidates: Array, k: int) -> Array:
    """Mean of the k candidates of highest inner product with each query, `(q, d)`."""
    xp: Any = array_namespace(candidates)
    k = min(k, candidates.shape[0])
    _, rows = top(queries, candidates, k)
    total = xp.take(candidates, rows[:, 0], axis=0)
    for place in range(1, k):
        total = total + xp.take(candidates, rows[:, place], axis=0)
    return total / k


def _into_unit_ball(matrix: Array) -> Array:
    """The closest matrix with no singular value above 1."""
    xp: Any = array_namespace(matrix)
    u, s, vt = xp.linalg.svd(matrix, full_matrices=False)
    return (u * xp.clip(s, None, 1.0)) @ vt
