"""Scores that mean something: of the pairs given a probability of 0.7, seven in ten are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.ranking.learner import fit_logistic, sigmoid


@dataclass(frozen=True)
class Calibration:
    """Log odds slope x score + constant, learnt on pairs that the learner had not seen (Platt 1999).

    The first translation of a word has a line of its own: the best of some twenty-five is right
    more often than any other pair of the same score.

    Args:
        first: Slope and constant of first translations.
        others: The same of all others.
    """

    first: tuple[float, float]
    others: tuple[float, float]

    @classmethod
    def of(
        cls, scores: np.ndarray, right: np.ndarray, is_first: np.ndarray, start: Calibration | None = None
    ) -> Calibration:
        """Fit both lines.

        Args:
            scores: Of pairs, `(p,)`.
            right: Whether each is right.
            is_first: Whether each is the best of its word.
            start: What was learnt elsewhere, which few pairs change little; default: nothing.
        """
        lines = (None, None) if start is None else (start.first, start.others)
        parts = zip((is_first, ~is_first), lines, strict=True)
        return cls(*(_line(scores[some], right[some], line) for some, line in parts))

    def probabilities(self, scores: np.ndarray, is_first: np.ndarray) -> np.ndarray:
        """Of being right, `(p,)`; that of a translation after the first may be above it."""
        lines = np.where(is_first[:, None], self.first, self.others)
        return sigmoid(lines[:, 0] * scores + lines[:, 1])


# What was learnt elsewhere counts as much as some so many pairs.
_TRUST = 10.0


def _line(scores: np.ndarray, right: np.ndarray, start: tuple[float, float] | None) -> tuple[float, float]:
    if start is not None:
        return _moved(start[0] * scores + start[1], right, start)
    fitted = fit_logistic(scores[:, None], right, penalty=1e-3)
    slope = float(fitted.weights[0] / fitted.scales[0])
    return slope, float(fitted.weights[1] - slope * fitted.means[0])


def _moved(odds: np.ndarray, right: np.ndarray, start: tuple[float, float]) -> tuple[float, float]:
    """Newton's method for slope and constant on top of `start`, held near one and zero."""
    line, x = np.array([1.0, 0.0]), np.column_stack([odds, np.ones(len(odds))])
    for _ in range(50):
        chance = sigmoid(x @ line)
        gradient = x.T @ (chance - right) + _TRUST * (line - (1.0, 0.0))
        curvature = (x * (chance * (1 - chance))[:, None]).T @ x + _TRUST * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        line -= step * min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0] * start[0]), float(line[0] * start[1] + line[1])


@dataclass(frozen=True)
class Reliability:
    """One bin of the diagram: how many, how sure, how many of them right."""

    n: int
    expected: float
    observed: float


def reliability(probabilities: np.ndarray, right: np.ndarray, bins: int = 10) -> list[Reliability]:
    """The bins of equal width that are not empty."""
    places = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    return [
        Reliability(int(inside.sum()), float(probabilities[inside].mean()), float(right[inside].mean()))
        for place in range(bins)
        if (inside := places == place).any()
    ]


def calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error: mean gap between how sure and how often right, over ten bins.

    Example:
        >>> calibration_error(np.array([0.5, 0.5]), np.array([True, False]))
        0.0
    """
    gaps = [one.n * abs(one.expected - one.observed) for one in reliability(probabilities, right)]
    return float(sum(gaps) / max(len(right), 1))


@dataclass(frozen=True)
class TradeOff:
    """What a list holds that stops at a probability: shares of all words, and of those listed."""

    probability: float
    coverage: float
    precision: float


def trade_off(probabilities: np.ndarray, right: np.ndarray, points: int = 50) -> list[TradeOff]:
    """Precision against coverage, at so many sizes of the list, the surest words first.

    Example:
        >>> trade_off(np.array([0.2, 0.9]), np.array([False, True]), 2)
        [TradeOff(probability=0.9, coverage=0.5, precision=1.0),
         TradeOff(probability=0.2, coverage=1.0, precision=0.5)]
    """
    order = np.argsort(-probabilities, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    sizes = np.unique(np.linspace(0, len(order), points + 1).round().astype(int))[1:]
    return [
        TradeOff(float(probabilities[order[size - 1]]), size / len(order), float(share[size - 1]))
        for size in sizes.tolist()
    ]


def threshold_for(precision: float, probabilities: np.ndarray, right: np.ndarray) -> float | None:
    """The lowest probability from which on so many of the pairs are right; `None` if there is none.

    Example:
        >>> threshold_for(0.5, np.array([0.9, 0.6, 0.2]), np.array([True, False, False]))
        0.6
    """
    order = np.argsort(-probabilities, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    return float(probabilities[order[good[-1]]]) if len(good) else None
