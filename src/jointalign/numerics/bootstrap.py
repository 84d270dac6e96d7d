"""Bootstrap over test words or sentences (Efron and Tibshirani 1993; Koehn 2004 for two systems).

A word is either right or wrong at rank 1. Drawing n words with replacement out of n and counting
the right ones is then a draw from a binomial distribution, and counting those that only one of two
systems has right is one from a multinomial: the same distribution as by resampling, without the
resampling.
"""

from __future__ import annotations

from math import nan

import numpy as np

# 95 %: the level of all intervals.
_TAILS = (2.5, 97.5)
# Samples of `means` that are in memory at a time.
_BLOCK = 500


def interval(draws: np.ndarray) -> tuple[float, float]:
    """95 % percentile interval of resampled values."""
    low, high = np.percentile(draws, _TAILS)
    return float(low), float(high)


def p_value(draws: np.ndarray, observed: float) -> float:
    """Two-sided: how often a resampled difference is at least as far from the observed one as zero."""
    stray = int((abs(draws - observed) >= abs(observed)).sum())
    # The observed sample is one of the possible ones, so no p-value is 0.
    return (stray + 1) / (len(draws) + 1)


def shares(right: int, n: int, resamples: int, seed: int) -> np.ndarray:
    """Percentage of right words in each resample of `n` words, `(resamples,)`."""
    return 100 * np.random.default_rng(seed).binomial(n, right / n, resamples) / n


def gains(wins: int, losses: int, n: int, resamples: int, seed: int) -> np.ndarray:
    """Words won minus words lost in each resample of `n` words, int64 `(resamples,)`.

    Args:
        wins: Words that only the first of two systems has right.
        losses: Words that only the second has right.
        n: Number of words, more than 0.
        resamples: Bootstrap samples.
        seed: The only source of randomness.
    """
    outcomes = np.array([wins, losses, n - wins - losses]) / n
    draws = np.random.default_rng(seed).multinomial(n, outcomes, resamples)
    return draws[:, 0] - draws[:, 1]


def means(values: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """Mean of each resample of some values, in percent, `(resamples,)`; `nan` if there are none."""
    if not len(values):
        return np.full(resamples, nan)
    rng, found = np.random.default_rng(seed), []
    for start in range(0, resamples, _BLOCK):
        size = min(_BLOCK, resamples - start), len(values)
        found.append(values[rng.integers(0, len(values), size)].mean(axis=1))
    return 100 * np.concatenate(found)
