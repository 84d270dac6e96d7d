"""Means over seeds, with intervals over test words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from jointalign.numerics.bootstrap import interval, means, p_value

RESAMPLES = 10_000


@dataclass(frozen=True)
class Mean:
    """P@1 of one system in one direction.

    Args:
        p_at_1: Mean over seeds, in percent; `nan` if no word counts.
        deviation: Standard deviation over seeds; `None` for one seed.
        ci: 95 % bootstrap interval over test words, each with its mean over seeds.
        n: Test words.
        coverage: Mean percentage of source words that have a pair in both vocabularies.
        by_seed: P@1 of each seed.
    """

    p_at_1: float
    deviation: float | None
    ci: tuple[float, float]
    n: int
    coverage: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """P@1 of one system minus that of another, over the same words and seeds.

    Args:
        difference: In percentage points.
        ci: 95 % paired bootstrap interval over words.
        p_value: Two-sided.
        n: Words that both count.
    """

    difference: float
    ci: tuple[float, float]
    p_value: float
    n: int

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero; never where there is no word to compare."""
        return self.ci[0] > 0 or self.ci[1] < 0


def hits(scores: Sequence[dict]) -> dict[str, float]:
    """Each test word and the share of the seeds that counted it in which it was right."""
    seen: dict[str, list[int]] = {}
    for score in scores:
        for word, right in zip(score["words"], score["right"], strict=True):
            seen.setdefault(word, []).append(int(right))
    return {word: sum(rights) / len(rights) for word, rights in seen.items()}


def mean(scores: Sequence[dict]) -> Mean:
    """Summarise the scores of one system, one a seed."""
    values = tuple(nan if s["p_at_1"] is None else float(s["p_at_1"]) for s in scores)
    right = np.array(list(hits(scores).values()))
    return Mean(
        p_at_1=float(np.mean(values)),
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        ci=interval(means(right, RESAMPLES)),
        n=len(right),
        coverage=float(np.mean([score["coverage"] or 0.0 for score in scores])),
        by_seed=values,
    )


def difference(first: Sequence[dict], second: Sequence[dict]) -> Difference:
    """Compare two systems over the words that both count."""
    ours, theirs = hits(first), hits(second)
    gains = np.array([right - theirs[word] for word, right in ours.items() if word in theirs])
    if not len(gains):
        return Difference(nan, (nan, nan), 1.0, 0)
    observed, draws = 100 * float(gains.mean()), means(gains, RESAMPLES)
    return Difference(observed, interval(draws), p_value(draws, observed), len(gains))
