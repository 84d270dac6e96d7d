"""Intervals and p-values against resampling word by word, exact distributions, the normal curve."""

from math import comb

import numpy as np
import pytest

from jointalign.bli import BLIResult, Conditions, Identical, OutOfVocabulary, compare
from jointalign.bli._statistics import interval, paired
from jointalign.errors import JointalignError


def result(right, words=None, oov=OutOfVocabulary.PAPER, identical=Identical.KEPT):
    right = np.asarray(right, dtype=float)
    words = words or tuple(f"w{i}" for i in range(len(right)))
    rows = np.arange(len(right))
    return BLIResult(words, right, rows, 100.0, (0.0, 0.0), Conditions("csls", oov, identical))


def test_interval_is_near_the_normal_approximation():
    low, high = interval(900, 1500, 20_000, seed=0)
    error = 100 * (0.6 * 0.4 / 1500) ** 0.5
    assert low == pytest.approx(60 - 1.96 * error, abs=0.1)
    assert high == pytest.approx(60 + 1.96 * error, abs=0.1)


def test_interval_is_that_of_resampling_words():
    right = np.arange(40) < 9
    rng = np.random.default_rng(1)
    means = 100 * right[rng.integers(0, 40, (20_000, 40))].mean(axis=1)
    np.testing.assert_allclose(interval(9, 40, 20_000, seed=0), np.percentile(means, [2.5, 97.5]), atol=2.51)
    assert interval(40, 40, 100, seed=0) == (100, 100)
    assert interval(0, 40, 100, seed=0) == (0, 0)


def test_interval_covers_the_true_score_about_95_times_in_100():
    rng = np.random.default_rng(2)
    covered = 0
    for seed, right in enumerate(rng.binomial(400, 0.3, 500)):
        low, high = interval(int(right), 400, 400, seed)
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
    _, p_value = paired(wins, n - wins, n, 100_000, seed=0)
    assert p_value == pytest.approx(exact, abs=0.006)


def test_paired_interval_is_that_of_resampling_words():
    outcomes = np.repeat([1, -1, 0], [30, 12, 158])
    rng = np.random.default_rng(3)
    means = 100 * outcomes[rng.integers(0, 200, (20_000, 200))].mean(axis=1)
    ci, _ = paired(30, 12, 200, 20_000, seed=0)
    np.testing.assert_allclose(ci, np.percentile(means, [2.5, 97.5]), atol=0.51)


def test_p_values_of_equal_systems_are_uniform():
    rng = np.random.default_rng(4)
    values = []
    for seed in range(400):
        first, second = rng.random((2, 300)) < 0.4
        values.append(compare(result(first), result(second), resamples=500, seed=seed).p_value)
    assert 0.02 < np.mean(np.array(values) < 0.05) < 0.09
    assert 0.42 < np.mean(np.array(values) < 0.5) < 0.58


def test_compare_pairs_words_by_name_not_by_place():
    first = result([1, 1, 0.5, 0], ("a", "b", "c", "d"))
    second = result([0, 1, 1, 0.2], ("d", "c", "e", "a"))
    comparison = compare(first, second)
    assert (comparison.n, comparison.left_out) == (3, 2)
    # a is won, c is lost, d is wrong in both.
    assert comparison.difference == 0
    assert comparison.p_value == 1
    assert "|n:3|left out:2" in str(comparison)


def test_compare_is_antisymmetric_and_seeded():
    rng = np.random.default_rng(5)
    better, worse = result(rng.random(500) < 0.6), result(rng.random(500) < 0.45)
    there, back = compare(better, worse), compare(worse, better)
    assert there.difference == -back.difference > 5
    assert there.p_value < 0.01
    assert there.ci[0] > 0 > back.ci[1]
    assert compare(better, worse) == there


def test_compare_refuses_different_rules():
    first = result([1, 0])
    with pytest.raises(JointalignError, match="oov:paper and oov:muse"):
        compare(first, result([1, 0], oov=OutOfVocabulary.MUSE))
    with pytest.raises(JointalignError, match="identical:kept and identical:removed"):
        compare(first, result([1, 0], identical=Identical.REMOVED))
    with pytest.raises(JointalignError, match="no source word in common"):
        compare(first, result([1, 0], ("x", "y")))
