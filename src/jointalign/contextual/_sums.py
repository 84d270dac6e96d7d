"""What a linear map needs to know of aligned words: sums, so memory does not grow with the text."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from jointalign.alignment.base import Mapping
from jointalign.contextual._mapping import FeatureSide
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import unit

_LEAST_RIDGE = 1e-6  # of the mean variance: enough to make a singular system solvable
_LEAST_VARIANCE = 1e-3  # of the mean: directions with less are not blown up to one


class Solution(StrEnum):
    """Which linear map is learnt from the sums.

    All but `PLAIN` make vectors length one, subtract each side's mean, and let a frequent word
    weigh little more than a rare one.
    """

    ORTHOGONAL = "orthogonal"
    """The turn that brings aligned words closest: eqs. (2)-(3) of the paper, mended as above."""

    LEAST_SQUARES = "least-squares"
    """Any linear map (Mikolov et al. 2013), with a ridge."""

    WHITENED = "whitened"
    """Both sides whitened, turned, and weighted by the root of how well each direction agrees
    (Artetxe, Labaka and Agirre 2018, without taking the whitening back): moves both sides."""

    PLAIN = "plain"
    """Eqs. (1)-(3) of the paper as they stand: vectors as they come, each aligned word once."""


class CrossCovariances:
    """Sums over aligned words of one layer.

    Args:
        dimensions: Length of a vector.
        solution: Which map they are for.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 3))
        >>> turn = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
        >>> sums = CrossCovariances(3, Solution.PLAIN)
        >>> sums.add(x[:20], x[:20] @ turn)
        >>> sums.add(x[20:], x[20:] @ turn)
        >>> sums.count, sums.solve().source.round(6).tolist() == turn.tolist()
        (50, True)
    """

    def __init__(self, dimensions: int, solution: Solution = Solution.ORTHOGONAL) -> None:
        self._solution = Solution(solution)
        square = dimensions, dimensions
        self._sums = {
            "count": np.zeros(1, np.int64),
            "weights": np.zeros(2),  # of them, and of their squares
            "lengths": np.zeros(2),  # squared, of source and target vectors as they come
            "rows": np.zeros((2, dimensions)),
            "source": np.zeros(square),
            "target": np.zeros(square),
            "cross": np.zeros(square),
        }

    @property
    def count(self) -> int:
        """Pairs seen."""
        return int(self._sums["count"][0])

    @property
    def tensors(self) -> MappingType[str, np.ndarray]:
        """All sums by name, to be kept and restored."""
        return self._sums

    def restore(self, tensors: MappingType[str, np.ndarray]) -> None:
        """Go on from sums that were kept."""
        for name, array in self._sums.items():
            array[...] = tensors[name]

    def add(self, x: np.ndarray, z: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Take some pairs.

        Args:
            x: Source vectors, `(k, d)`.
            z: Target vectors, `(k, d)`.
            weights: Of each pair, `(k,)`; `None`: one.
        """
        x, z = x.astype(np.float64), z.astype(np.float64)
        weights = np.ones(len(x)) if weights is None else weights.astype(np.float64)
        sums = self._sums
        sums["count"] += len(x)
        sums["weights"] += weights.sum(), weights @ weights
        sums["lengths"] += [weights @ np.vecdot(rows, rows) for rows in (x, z)]
        if self._solution is not Solution.PLAIN:
            x, z = unit(x), unit(z)
        weighted = weights[:, None] * x
        sums["rows"] += weighted.sum(0), weights @ z
        sums["cross"] += weighted.T @ z
        sums["source"] += weighted.T @ x
        sums["target"] += (weights[:, None] * z).T @ z

    def solve(self, side: FeatureSide = FeatureSide.SOURCE) -> Mapping:
        """The best map of one side onto the other.

        But for `PLAIN` the other side is centred, too, and mapped vectors of both sides have the
        length that those of the side that stays had on average.

        Args:
            side: Which side moves; the paper's code moves the source (English).

        Raises:
            JointalignError: If no pair was seen.
        """
        if not self.count:
            raise JointalignError("no aligned words were seen, so there is nothing to learn from")
        moves_source = FeatureSide(side) is FeatureSide.SOURCE
        if self._solution is Solution.PLAIN:
            turn = _turn(self._sums["cross"]).astype(np.float32)
            stays = np.eye(len(turn), dtype=np.float32)
            return Mapping(turn, stays) if moves_source else Mapping(stays, turn.T)
        moments, means = self._centred()
        if not moves_source:
            moments = _Moments(moments.staying, moments.moving, moments.cross.T, moments.pairs)
        matrices = _SOLVERS[self._solution](moments)
        length = (self._sums["lengths"][int(moves_source)] / self._sums["weights"][0]) ** 0.5
        moving, staying = (
            _of_length(length, matrix, covariance).astype(np.float32)
            for matrix, covariance in zip(matrices, moments[:2], strict=True)
        )
        sides = (moving, staying) if moves_source else (staying, moving)
        source_mean, target_mean = means.astype(np.float32)
        return Mapping(*sides, source_means=(source_mean,), target_means=(target_mean,))

    def _centred(self) -> tuple[_Moments, np.ndarray]:
        """Covariances around the means, the source moving; and the means, `(2, d)`."""
        sums, (total, squares) = self._sums, self._sums["weights"]
        means = sums["rows"] / total
        source, target, cross = (
            sums[name] / total - np.outer(means[one], means[other])
            for name, one, other in (("source", 0, 0), ("target", 1, 1), ("cross", 0, 1))
        )
        return _Moments(source, target, cross, total**2 / squares), means


class _Moments(NamedTuple):
    """Covariances, all `(d, d)`, and how many pairs of equal weight they are worth."""

    moving: np.ndarray
    staying: np.ndarray
    cross: np.ndarray
    pairs: float


def _orthogonal(moments: _Moments) -> tuple[np.ndarray, np.ndarray]:
    return _turn(moments.cross), np.eye(len(moments.cross))


def _least_squares(moments: _Moments) -> tuple[np.ndarray, np.ndarray]:
    """With the ridge of Hoerl, Kennard and Baldwin (1975): noise over the weights' own size."""
    own, dimensions = moments.moving, len(moments.cross)
    identity = np.eye(dimensions)
    least = _LEAST_RIDGE * np.trace(own) / dimensions
    matrix = np.linalg.solve(own + least * identity, moments.cross)
    noise = max(0.0, np.trace(moments.staying) - float(np.vdot(matrix, moments.cross)))
    noise *= moments.pairs / max(1.0, moments.pairs - dimensions)
    size = float(np.vdot(matrix, matrix))
    ridge = dimensions * noise / size / moments.pairs if size else 0.0
    return np.linalg.solve(own + max(least, ridge) * identity, moments.cross), identity


def _whitened(moments: _Moments) -> tuple[np.ndarray, np.ndarray]:
    one, other = _inverse_root(moments.moving), _inverse_root(moments.staying)
    u, agreement, vt = np.linalg.svd(one @ moments.cross @ other)
    return one @ u * agreement**0.5, other @ vt.T * agreement**0.5


_SOLVERS = {
    Solution.ORTHOGONAL: _orthogonal,
    Solution.LEAST_SQUARES: _least_squares,
    Solution.WHITENED: _whitened,
}


def _turn(cross: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(cross)
    return u @ vt


def _inverse_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    floor = max(_LEAST_VARIANCE * float(values.mean()), np.finfo(float).tiny)
    return vectors * np.maximum(values, floor) ** -0.5 @ vectors.T


def _of_length(length: float, matrix: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """A matrix scaled so that centred rows of length one get this length, on average."""
    before, after = np.trace(covariance), float(np.vdot(matrix, covariance @ matrix))
    return matrix * (length * (before / after) ** 0.5 if after > 0 else length)
