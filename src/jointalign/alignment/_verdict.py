"""Whether a map learnt without a dictionary found anything.

The criterion by itself cannot tell: rounds of refinement raise it for any map, a random one
included. Two things tell a map that found the other language from one that did not. Refined in the
same way, random maps end clearly lower; and maps from independent starts that found it translate
alike, while those that did not hardly share one translation in a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p

from jointalign.alignment.base import Mapping

AGREED = 0.2
"""Least share of frequent words that two maps must translate alike to confirm each other.

On real vectors that translate one word in four, two good maps shared 0.5, two failed ones 0.001.
"""

CLEAR = 0.1
"""How far above the best random map success is, at the least, as a part of its distance to 1.

On those vectors, random maps ended at 0.531, 0.531 and 0.527, good ones at 0.600: 0.15 of the way.
"""

SPREADS = 4
"""And at the least so many times as far as the random maps lie from each other.

Where words lie in few dense clusters, random maps differ much: with less, one failed run in ten
passed there.
"""

RANDOM_MAPS = 4
"""How many random maps to compare with; with fewer, their spread says too little."""


def looks_failed(mapping: Mapping) -> bool:
    """Whether the mapping was learnt without a dictionary and shows no sign of success.

    Args:
        mapping: Of any method. One whose history has no `baseline` was not put to this test.

    Returns:
        Whether no map from another start agrees with the chosen one, and its criterion is not
        clearly above those of random maps refined in the same way.

    Example:
        >>> import numpy as np
        >>> history = {"criterion": (0.52, 0.547), "baseline": (0.541, 0.545)}
        >>> looks_failed(Mapping(np.eye(2), np.eye(2), history | {"agreement": (0.003,)}))
        True
        >>> looks_failed(Mapping(np.eye(2), np.eye(2), history | {"agreement": (0.003, 0.6)}))
        False
    """
    history = mapping.history
    if "baseline" not in history:
        return False
    return not succeeded(
        max(history.get("criterion", ()), default=-1.0), history["baseline"], history.get("agreement", ())
    )


def is_chance(right: int, asked: int, candidates: int) -> bool:
    """Whether so many right answers, or more, would often come of guessing: once in twenty times.

    Args:
        right: Held-out words translated correctly.
        asked: Of so many.
        candidates: Words that each guess is one of.

    Example:
        >>> is_chance(1, 300, 5000), is_chance(30, 300, 5000)
        (True, False)
    """
    if candidates <= 1:
        return True  # whoever guesses is right
    hit, miss = -log(candidates), log1p(-1 / candidates)
    # In logarithms: the numbers of ways to be right are too large for a float.
    fewer = sum(
        exp(lgamma(asked + 1) - lgamma(k + 1) - lgamma(asked - k + 1) + k * hit + (asked - k) * miss)
        for k in range(min(right, asked + 1))
    )
    return 1 - fewer > 0.05


def succeeded(criterion: float, baseline: Sequence[float], agreement: Sequence[float]) -> bool:
    """Whether one of the two signs is there.

    Args:
        criterion: Of the map.
        baseline: Of random maps refined in the same way, at least one.
        agreement: Of the map with each map from another start.
    """
    best = max(baseline)
    margin = max(CLEAR * (1 - best), SPREADS * (best - min(baseline)))
    return criterion > best + margin or max(agreement, default=0.0) >= AGREED
