"""Intervals and p-values against resampling word by word, exact distributions, the normal curve."""

from math import comb

import numpy as np
import pytest

from jointalign.numerics.bootstrap import gains, interval, means, p_value, shares


def test_interval_is_near_the_normal_approximation():
    low, high = interval(shares(900, 1500, 20_000, seed=0))
    error = 100 * (0.6 * 0.4 / 1500) ** 0.5
    assert low == pytest.approx(60 - 1.96 * error, abs=0.1)
    assert high == pytest.approx(60 + 1.96 * error, abs=0.1)


def test_interval_is_that_of_resampling_words():
    right = np.arange(40) < 9
    rng = np.random.default_rng(1)
    resampled = 100 * right[rng.integers(0, 40, (20_000, 40))].mean(axis=1)
    np.testing.assert_allclose(
        interval(shares(9, 40, 20_000, seed=0)), np.percentile(resampled, [2.5, 97.5]), atol=2.51
    )
    assert interval(shares(40, 40, 100, seed=0)) == (100, 100)
    assert interval(shares(0, 40, 100, seed=0)) == (0, 0)


def test_interval_covers_the_true_score_about_95_times_in_100():
    rng = np.random.default_rng(2)
    covered = 0
    for seed, right in enumerate(rng.binomial(400, 0.3, 500)):
        low, high = interval(shares(int(right), 400, 400, seed))
        covered += low <= 30 <= high
    assert 0.92 < covered / 500 < 0.98


@pytest.mark.parametrize(("wins", "n"), [(14, 20), (10, 20), (19, 30)])
def test_p_value_against_the_exact_binomial(wins, n):
    # Each word is won or lost, so a resampled difference is 2 B - n with B binomial.
    share, observed = wins / n, 2 * wins - n
    exact = sum(
        comb(n, k) * share**k * (1 - share) ** (n - k)
        for k in range(n + 1)
        if abs(2 * k - n - observed) >= abs(observed)
    )
    found = p_value(gains(wins, n - wins, n, 100_000, seed=0), observed)
    assert found == pytest.approx(exact, abs=0.006)


def test_paired_interval_is_that_of_resampling_words():
    outcomes = np.repeat([1, -1, 0], [30, 12, 158])
    rng = np.random.default_rng(3)
    resampled = 100 * outcomes[rng.integers(0, 200, (20_000, 200))].mean(axis=1)
    ci = interval(100 * gains(30, 12, 200, 20_000, seed=0) / 200)
    np.testing.assert_allclose(ci, np.percentile(resampled, [2.5, 97.5]), atol=0.51)


@pytest.mark.parametrize("resamples", [1, 500, 1234])
def test_means_of_right_and_wrong_words_are_shares(resamples):
    right = np.repeat([1.0, 0.0], [70, 130])
    found = means(right, resamples)
    assert found.shape == (resamples,)
    assert abs(found.mean() - 35) < 5 * (100 * (0.35 * 0.65 / 200) ** 0.5) / resamples**0.5
    # Every one is the share of a whole number of words.
    np.testing.assert_allclose(2 * found, np.round(2 * found), atol=1e-9)
    assert np.isnan(means(right[:0], 3)).all()
