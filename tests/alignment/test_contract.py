"""What every alignment method must do, whatever it is."""

import dataclasses

import numpy as np
import pytest

from jointalign.alignment.api import METHODS, method_named
from jointalign.errors import JointalignError

SUPERVISED = ("procrustes", "rcsls")


@pytest.fixture(params=sorted(METHODS))
def name(request):
    return request.param


@pytest.fixture
def planted():
    """A space and its rotation; the first half of the words is the dictionary."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 10)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    turn = np.linalg.qr(rng.standard_normal((10, 10)))[0].astype(np.float32)
    return x, x @ turn, np.stack([np.arange(100)] * 2, axis=1)


def nearest(queries, candidates):
    unit = candidates / np.linalg.norm(candidates, axis=1, keepdims=True)
    return (queries @ unit.T).argmax(axis=1)


def test_settings_are_frozen_fields_with_defaults(name):
    method = method_named(name)
    assert dataclasses.is_dataclass(method) and method == method_named(name)
    for field in dataclasses.fields(method):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(method, field.name, None)


def test_recovers_a_planted_rotation(name, planted):
    x, z, pairs = planted
    mapping = method_named(name).fit(x, z, pairs)
    found = nearest(x @ mapping.source, z @ mapping.target)
    np.testing.assert_array_equal(found, np.arange(len(x)))  # words outside the dictionary too


def test_gives_finite_matrices_of_the_right_shape_and_type(name, planted):
    mapping = method_named(name).fit(*planted)
    assert np.isfinite(mapping.source).all()
    assert np.isfinite(mapping.target).all()
    assert mapping.source.shape == mapping.target.shape == (10, 10)
    assert mapping.source.dtype == mapping.target.dtype == np.float32


def test_leaves_its_inputs_alone(name, planted):
    before = [array.copy() for array in planted]
    for array in planted:
        array.setflags(write=False)
    method_named(name).fit(*planted)
    for array, copy in zip(planted, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_the_same_seed_gives_the_same_result(name, planted):
    first, second = (method_named(name).fit(*planted, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.source, second.source)
    np.testing.assert_array_equal(first.target, second.target)
    assert first.history == second.history


def test_sides_of_different_sizes(name, planted):
    x, z, pairs = planted
    mapping = method_named(name).fit(x[:150], z, pairs)
    np.testing.assert_array_equal(
        nearest(x @ mapping.source, z @ mapping.target), np.arange(len(x))
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, z: (x[:, :5], z), "same number of dimensions, got 5 .source. and 10 .target."),
        (lambda x, z: (x[0], z), "source vectors must be a matrix"),
        (lambda x, z: (x, z[:0]), "target vectors must be a matrix"),
        (lambda x, z: (x, np.where(z > 0.5, np.nan, z)), "target vectors hold NaN or infinity"),
        (lambda x, z: (np.where(x > 0.5, -np.inf, x), z), "source vectors hold NaN or infinity"),
    ],
)
def test_bad_vectors_are_refused_in_plain_words(name, planted, change, message):
    x, z, pairs = planted
    with pytest.raises(JointalignError, match=message):
        method_named(name).fit(*change(x, z), pairs)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (None, "seed dictionary and got none: pass a Lexicon"),
        (np.zeros((0, 2), np.int64), "at least one translation pair"),
        (np.array([[0, 200]]), "target row 200, but there are 200 target vectors"),
        (np.array([[-1, 0]]), "source row -1"),
        (np.array([0, 1]), "shape .k, 2., got int64 of shape"),
        (np.array([[0.5, 1.0]]), "whole numbers of shape .k, 2., got float64"),
    ],
)
@pytest.mark.parametrize("name", SUPERVISED)
def test_bad_pairs_are_refused_in_plain_words(name, planted, pairs, message):
    x, z, _ = planted
    with pytest.raises(JointalignError, match=message):
        method_named(name).fit(x, z, pairs)
