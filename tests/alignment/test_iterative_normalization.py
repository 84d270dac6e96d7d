"""Oracles: the paper's loop in plain float64, and rows moved by hand through a `Mapping`."""

import dataclasses

import array_api_strict
import numpy as np
import pytest

from jointalign.alignment.base import Aligner, Mapping, Supervision
from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.errors import JointalignError

D = 6


def lengths(x):
    return np.sqrt((x.astype(np.float64) ** 2).sum(axis=1))


def moved(x, means, matrix):
    """A side moved as `Mapping` says, in float64."""
    x = x.astype(np.float64) / lengths(x)[:, None]
    for mean in means:
        x = x - mean
        x = x / lengths(x)[:, None]
    return x @ matrix


def side(seed, n=300):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, D)) + 0.7
    return (x / lengths(x)[:, None]).astype(np.float32)


PAIRS = np.stack([np.arange(100)] * 2, axis=1)


@dataclasses.dataclass(frozen=True)
class Centred(Aligner):
    """Notes what it was given, and asks for two more means a side."""

    given: list = dataclasses.field(default_factory=list)

    @property
    def supervision(self):
        return Supervision.NONE

    def fit(self, x, z, pairs=None, *, seed=0):
        self.given.append((x, z, pairs, seed))
        ones = np.ones(D, np.float32)
        means = tuple(scale * ones for scale in (0.1, 0.2, 0.3, 0.4))
        return Mapping(2 * np.eye(D), 3 * np.eye(D), {"loss": (1.0,)}, means[:2], means[2:])


def test_the_method_sees_rows_of_length_one_and_mean_zero_on_both_sides():
    method = Centred()
    x, z = side(0), side(1, 200)
    IterativeNormalization(method).fit(x, z, PAIRS, seed=7)
    (source, target, pairs, seed), *_ = method.given
    for rows, before in ((source, x), (target, z)):
        np.testing.assert_allclose(lengths(rows), 1, atol=1e-6)
        assert np.linalg.norm(before.mean(axis=0)) > 0.3
        assert np.linalg.norm(rows.mean(axis=0)) < 1e-4
    assert pairs is PAIRS and seed == 7


def test_equals_a_plain_float64_loop():
    method, x, z = Centred(), side(2), side(3, 200)
    mapping = IterativeNormalization(method, rounds=3).fit(x, z)
    (source, target, _, _), *_ = method.given
    for before, after, means in (
        (x, source, mapping.source_means[:3]),
        (z, target, mapping.target_means[:3]),
    ):
        rows = before.astype(np.float64)
        for mean in means:
            rows = rows / lengths(rows)[:, None]
            np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-6)
            rows = rows - rows.mean(axis=0)
        np.testing.assert_allclose(after, rows / lengths(rows)[:, None], atol=1e-5)


def test_means_of_the_method_come_after_its_own():
    method, x, z = Centred(), side(4), side(5, 200)
    mapping = IterativeNormalization(method).fit(x, z)
    (source, target, _, _), *_ = method.given
    assert len(mapping.source_means) == len(mapping.target_means) == 7
    # What the mapping does to raw rows is what the method's own does to normalised ones.
    inner = method.fit(source, target)
    for before, after, means, inner_means, matrix in (
        (x, source, mapping.source_means, inner.source_means, inner.source),
        (z, target, mapping.target_means, inner.target_means, inner.target),
    ):
        expected = moved(after, inner_means, matrix)
        np.testing.assert_allclose(moved(before, means, matrix), expected, atol=1e-5)
        wrong_way_round = moved(before, (*means[5:], *means[:5]), matrix)
        assert np.abs(wrong_way_round - expected).max() > 0.05
    assert mapping.history == {"loss": (1.0,)}


def test_normalisations_can_be_nested():
    inner = Centred()
    x, z = side(6), side(7)
    twice = IterativeNormalization(IterativeNormalization(inner, 1), 2).fit(x, z)
    once = IterativeNormalization(inner, 3).fit(x, z)
    for got, expected in zip(twice.source_means, once.source_means, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_helps_procrustes_where_a_constant_was_added():
    """Rotated copies, each shifted its own way: a rotation alone can't undo the shifts."""
    rng = np.random.default_rng(8)
    d = 20
    x = rng.standard_normal((500, d))
    z = x @ np.linalg.qr(rng.standard_normal((d, d)))[0]
    x, z = x + rng.standard_normal(d), z + rng.standard_normal(d)
    x, z = ((side / lengths(side)[:, None]).astype(np.float32) for side in (x, z))

    def hits(method):
        mapping = method.fit(x, z, PAIRS)
        source = moved(x, mapping.source_means, mapping.source)
        target = moved(z, mapping.target_means, mapping.target)
        return (source[100:] @ target.T).argmax(axis=1) == np.arange(100, 500)

    alone = hits(Procrustes()).mean()
    assert hits(IterativeNormalization(Procrustes())).mean() > max(0.95, alone + 0.02)


def test_needs_what_its_method_needs():
    assert IterativeNormalization(RCSLS()).supervision is Supervision.REQUIRED
    assert IterativeNormalization(Centred()).supervision is Supervision.NONE
    with pytest.raises(JointalignError, match="Procrustes learns from a seed dictionary"):
        IterativeNormalization(Procrustes()).fit(side(0), side(1))


def test_bad_settings_and_bad_vectors_are_refused():
    with pytest.raises(JointalignError, match="rounds must be at least 1, got 0"):
        IterativeNormalization(Procrustes(), rounds=0)
    with pytest.raises(JointalignError, match="method must be an alignment method, got 'rcsls'"):
        IterativeNormalization("rcsls")
    with pytest.raises(JointalignError, match="source vectors hold NaN"):
        IterativeNormalization(Procrustes()).fit(np.full_like(side(0), np.nan), side(1), PAIRS)


def test_runs_on_any_array_api_library():
    x, z = side(9), side(10)
    method = IterativeNormalization(Procrustes())
    strict = method.fit(*(array_api_strict.asarray(array) for array in (x, z, PAIRS)))
    expected = method.fit(x, z, PAIRS)
    np.testing.assert_allclose(np.asarray(strict.source), expected.source, atol=1e-4)
    for got, mean in zip(strict.source_means, expected.source_means, strict=True):
        np.testing.assert_allclose(np.asarray(got), mean, atol=1e-6)
