import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jointalign.errors import JointalignError
from jointalign.numerics.normalize import center, iterative, unit

matrices = arrays(
    np.float32,
    st.tuples(st.integers(0, 6), st.integers(1, 5)),
    elements=st.floats(-(2.0**126), 2.0**126, width=32),
)


@given(matrices)
@settings(deadline=None)
def test_rows_get_length_one_and_keep_their_direction(x):
    before = x.copy()
    got = unit(x)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(x, before)
    wide = x.astype(np.float64)
    lengths = np.sqrt((wide**2).sum(axis=1, keepdims=True))
    expected = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_lengths_outside_the_range_of_float32_squares():
    x = np.array([[3e-30, 4e-30], [3e30, 4e30], [1e-45, 0], [0, 0]], np.float32)
    np.testing.assert_allclose(unit(x), [[0.6, 0.8], [0.6, 0.8], [1, 0], [0, 0]], rtol=1e-6)


def test_center_takes_the_mean_or_the_one_given():
    x = np.random.default_rng(0).normal(3, 1, (50, 4)).astype(np.float32)
    before = x.copy()
    got = center(x)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, x - x.astype(np.float64).mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(center(x, x[0]), x - x[0])
    np.testing.assert_array_equal(x, before)


def test_center_of_many_rows_loses_no_digits():
    x = np.full((2_000_000, 1), 0.1, np.float32)
    assert abs(center(x)).max() == 0
    # What the test guards against: one running float32 sum drifts.
    assert abs(x.cumsum(dtype=np.float32)[-1] / len(x) - 0.1) > 1e-4


def test_nothing_is_nothing():
    assert unit(np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert center(np.zeros((0, 3), np.float32)).shape == (0, 3)


@pytest.mark.parametrize("function", [unit, center])
def test_any_array_library(function):
    x = np.random.default_rng(1).standard_normal((7, 3), dtype=np.float32)
    x[2] = 0
    got = function(array_api_strict.asarray(x))
    assert got.dtype == array_api_strict.float32
    np.testing.assert_allclose(np.asarray(got), function(x), atol=1e-7)


def plain_iterative(x, rounds):
    """The paper's loop in float64: `rounds` means, one more division by the lengths."""
    x, means = x.astype(np.float64), []
    for _ in range(rounds):
        x = x / np.sqrt((x**2).sum(axis=1))[:, None]
        means.append(x.sum(axis=0) / len(x))
        x = x - means[-1]
    return x / np.sqrt((x**2).sum(axis=1))[:, None], means


def skewed(rng, n, d):
    """Far from both conditions: a large mean, lengths over two orders of magnitude."""
    return (rng.normal(1, 1, (n, d)) * rng.uniform(0.1, 10, (n, 1))).astype(np.float32)


@pytest.mark.parametrize("rounds", [0, 1, 2, 5])
def test_iterative_equals_a_plain_loop(rounds):
    x = skewed(np.random.default_rng(2), 300, 6)
    before = x.copy()
    rows, means = iterative(x, rounds)
    expected, expected_means = plain_iterative(x, rounds)
    assert rows.dtype == np.float32 and len(means) == rounds
    np.testing.assert_allclose(rows, expected, atol=2e-6)
    for got, mean in zip(means, expected_means, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, mean, atol=1e-6)
    np.testing.assert_array_equal(x, before)


def test_iterative_meets_both_conditions_of_the_paper_and_one_round_does_not():
    x = skewed(np.random.default_rng(3), 5000, 20)
    rows, means = iterative(x)
    assert len(means) == 5
    np.testing.assert_allclose((rows.astype(np.float64) ** 2).sum(axis=1), 1, atol=1e-6)

    def length_of_mean(rounds):
        return np.linalg.norm(iterative(x, rounds)[0].astype(np.float64).mean(axis=0))

    assert length_of_mean(5) < 1e-4 < 1e-2 < length_of_mean(1) < 0.2 < length_of_mean(0)


def test_words_that_come_later_go_the_same_way():
    x = skewed(np.random.default_rng(4), 50, 4)
    rows, means = iterative(x)
    later = unit(x[:7])
    for mean in means:
        later = unit(center(later, mean))
    np.testing.assert_allclose(later, rows[:7], atol=1e-6)


def test_iterative_of_extremes():
    rows, means = iterative(np.zeros((0, 3), np.float32))
    assert rows.shape == (0, 3) and len(means) == 5
    rows, _ = iterative(np.zeros((4, 3), np.float32))
    np.testing.assert_array_equal(rows, 0)
    with pytest.raises(JointalignError, match="rounds must be at least 0, got -1"):
        iterative(rows, -1)


def test_iterative_of_any_array_library():
    x = skewed(np.random.default_rng(5), 40, 3)
    rows, means = iterative(array_api_strict.asarray(x))
    expected, expected_means = iterative(x)
    assert rows.dtype == array_api_strict.float32
    np.testing.assert_allclose(np.asarray(rows), expected, atol=1e-6)
    for got, mean in zip(means, expected_means, strict=True):
        np.testing.assert_allclose(np.asarray(got), mean, atol=1e-6)
