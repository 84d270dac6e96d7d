import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jointalign.normalize import center, unit

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
