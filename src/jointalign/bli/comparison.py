"""Is one system better than another, or was the test lexicon kind to it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jointalign.bli.base import BLIResult
from jointalign.checks import checked
from jointalign.errors import JointalignError
from jointalign.numerics.bootstrap import gains, interval, p_value


@dataclass(frozen=True)
class Comparison:
    """Difference of two systems over the source words that both results count.

    Args:
        difference: P@1 of the first minus P@1 of the second, in percentage points.
        ci: 95 % paired bootstrap interval of the difference.
        p_value: Two-sided, by paired bootstrap.
        n: Number of words in common.
        left_out: Words that only one of the two results counts; 0 but for the rule `muse`.
    """

    difference: float
    ci: tuple[float, float]
    p_value: float
    n: int
    left_out: int

    def __str__(self) -> str:
        low, high = self.ci
        return (
            f"P@1 {self.difference:+.1f} [{low:+.1f}, {high:+.1f}], p = {self.p_value:.4f} "
            f"|n:{self.n}|left out:{self.left_out}"
        )


@checked
def compare(first: BLIResult, second: BLIResult, *, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare P@1 of two systems by paired bootstrap over source words (Koehn 2004).

    Args:
        first: Result of one system.
        second: Result of the other, with the same lexicon and the same rules.
        resamples: Bootstrap samples; the smallest p-value is 1 / (resamples + 1).
        seed: The only source of randomness.

    Raises:
        JointalignError: If the rules differ, or no source word is in both results.
    """
    for rule in ("oov", "identical"):
        ours, theirs = getattr(first.conditions, rule), getattr(second.conditions, rule)
        if ours != theirs:
            raise JointalignError(
                f"results under different rules cannot be compared: {rule}:{ours} and "
                f"{rule}:{theirs}; evaluate both under one rule"
            )
    places = {word: place for place, word in enumerate(second.words)}
    shared = [(i, places[word]) for i, word in enumerate(first.words) if word in places]
    if not shared:
        raise JointalignError(
            "the two results have no source word in common; evaluate both on the same lexicon"
        )
    ours, theirs = np.array(shared).T
    right, right_too = first.reciprocal_ranks[ours] == 1, second.reciprocal_ranks[theirs] == 1
    wins, losses = int((right & ~right_too).sum()), int((right_too & ~right).sum())
    draws = gains(wins, losses, len(shared), resamples, seed)
    return Comparison(
        difference=100 * (wins - losses) / len(shared),
        ci=interval(100 * draws / len(shared)),
        p_value=p_value(draws, wins - losses),
        n=len(shared),
        left_out=first.n + second.n - 2 * len(shared),
    )
