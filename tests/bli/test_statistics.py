"""Two systems compared: what is uniform where they are equal, and what belongs to which word."""

import numpy as np
import pytest

from jointalign.bli import BLIResult, Conditions, Identical, OutOfVocabulary, compare
from jointalign.errors import JointalignError


def result(right, words=None, oov=OutOfVocabulary.PAPER, identical=Identical.KEPT):
    right = np.asarray(right, dtype=float)
    words = words or tuple(f"w{i}" for i in range(len(right)))
    rows = np.arange(len(right))
    return BLIResult(words, right, rows, 100.0, (0.0, 0.0), Conditions("csls", oov, identical))


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
