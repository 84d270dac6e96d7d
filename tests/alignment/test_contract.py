"""What every alignment method must do, whatever it is."""

import dataclasses
import importlib.util

import numpy as np
import pytest

from jointalign.alignment.api import METHODS, method_named
from jointalign.alignment.base import Supervision
from jointalign.alignment.dema import DeMaBWE
from jointalign.alignment.vecmap import VecMap
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import recentred, unit

REQUIRED = [m for m in METHODS if method_named(m).supervision is Supervision.REQUIRED]
# For a small case: the published settings of DeMa-BWE take a GPU, and VecMap waits for 50
# iterations without gain, five times.
_DEMA = dataclasses.replace(DeMaBWE.small(), steps=40, batch_size=64, check_every=20, refinements=2)
QUICK = {
    "dema": _DEMA,
    "dema_small": _DEMA,
    "vecmap_semi_supervised": dataclasses.replace(VecMap.semi_supervised(), stochastic_interval=5),
    "vecmap_unsupervised": dataclasses.replace(VecMap.unsupervised(), stochastic_interval=5),
}


@pytest.fixture(params=sorted(METHODS))
def name(request):
    if request.param.startswith("dema") and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is an extra that is not installed")
    return request.param


@pytest.fixture
def planted():
    """A space and its rotation; the first half of the words is the dictionary.

    Words lie in clusters, and some directions matter more: without any structure a method that has
    no dictionary could find nothing.
    """
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((25, 10)) * np.linspace(0.5, 2, 10)
    x = centres[rng.integers(0, 25, 200)] + 0.6 * rng.standard_normal((200, 10))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    turn = np.linalg.qr(rng.standard_normal((10, 10)))[0].astype(np.float32)
    return x, x @ turn, np.stack([np.arange(100)] * 2, axis=1)


def fit(name, x, z, pairs, seed=0):
    method = QUICK.get(name) or method_named(name)
    taken = None if method.supervision is Supervision.NONE else pairs
    return method.fit(x, z, taken, seed=seed)


def answers(mapping, x, z):
    """Nearest target row of each source row, both moved as `apply` moves words."""
    moved = unit(recentred(x, mapping.source_means) @ mapping.source)
    return (moved @ unit(recentred(z, mapping.target_means) @ mapping.target).T).argmax(axis=1)


def test_settings_are_frozen_fields_with_defaults(name):
    method = method_named(name)
    assert dataclasses.is_dataclass(method) and method == method_named(name)
    for field in dataclasses.fields(method):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(method, field.name, None)


def test_recovers_a_planted_rotation(name, planted):
    x, z, pairs = planted
    found = answers(fit(name, x, z, pairs), x, z)
    np.testing.assert_array_equal(found, np.arange(len(x)))  # words outside the dictionary too


def test_gives_finite_matrices_of_the_right_shape_and_type(name, planted):
    mapping = fit(name, *planted)
    assert np.isfinite(mapping.source).all()
    assert np.isfinite(mapping.target).all()
    assert mapping.source.shape == mapping.target.shape == (10, 10)
    assert mapping.source.dtype == mapping.target.dtype == np.float32


def test_leaves_its_inputs_alone(name, planted):
    before = [array.copy() for array in planted]
    for array in planted:
        array.setflags(write=False)
    fit(name, *planted)
    for array, copy in zip(planted, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_the_same_seed_gives_the_same_result(name, planted):
    first, second = (fit(name, *planted, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.source, second.source)
    np.testing.assert_array_equal(first.target, second.target)
    assert first.history == second.history


def test_sides_of_different_sizes(name, planted):
    x, z, pairs = planted
    found = answers(fit(name, x[:150], z, pairs), x[:150], z)
    assert (found == np.arange(150)).mean() > 0.95


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
        fit(name, *change(x, z), pairs)


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
@pytest.mark.parametrize("name", REQUIRED)
def test_bad_pairs_are_refused_in_plain_words(name, planted, pairs, message):
    x, z, _ = planted
    with pytest.raises(JointalignError, match=message):
        method_named(name).fit(x, z, pairs)
