"""Bootstrap over source words (Efron and Tibshirani 1993; Koehn 2004 for pairs of systems).

A word is either right or wrong at rank 1. Drawing n words with replacement out of n and counting
the right ones is then a draw from a binomial distribution, and counting those that only one of two
systems has right is one from a multinomial: the same distribution as by resampling, without the
resampling.
"""

from __future__ import annotations

import numpy as np

# 95 %: the level of all intervals.
_TAILS = (2.5, 97.5)


def interval(right: int, n: int, resamples: int, seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a percentage.

    Args:
        right: Number of words translated correctly.
        n: Number of words, more than 0.
        resamples: Bootstrap samples.
        seed: The only source of randomness.

    Returns:
        The ends, in percent.
    """
    draws = np.random.default_rng(seed).binomial(n, right / n, resamples)
    low, high = np.percentile(100 * draws / n, _TAILS)
    return float(low), float(high)


def paired(wins: int, losses: int, n: int, resamples: int, seed: int) -> tuple[tuple[float, float], float]:
    """Paired bootstrap of the difference of two percentages over the same words.

    Args:
        wins: Words that only the first system has right.
        losses: Words that only the second has right.
        n: Number of words, more than 0.
        resamples: Bootstrap samples.
        seed: The only source of randomness.

    Returns:
        The 95 % percentile interval of the difference, in percentage points, and the two-sided
        p-value: how often a resampled difference is at least as far from the observed one as zero.
    """
    shares = np.array([wins, losses, n - wins - losses]) / n
    draws = np.random.default_rng(seed).multinomial(n, shares, resamples)
    differences = draws[:, 0] - draws[:, 1]
    low, high = np.percentile(100 * differences / n, _TAILS)
    observed = wins - losses
    stray = int((abs(differences - observed) >= abs(observed)).sum())
    # The observed sample is one of the possible ones, so no p-value is 0.
    return (float(low), float(high)), (stray + 1) / (resamples + 1)
