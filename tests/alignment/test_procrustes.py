"""Oracles: the paper's equations in float64, a planted rotation, other orthogonal maps."""

import array_api_strict
import numpy as np
import pytest

from jointalign.alignment.procrustes import Procrustes


def unit_rows(rng, shape):
    x = rng.standard_normal(shape).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)


def test_is_the_papers_closed_form_transposed():
    rng = np.random.default_rng(0)
    x, z = unit_rows(rng, (30, 6)), unit_rows(rng, (40, 6))
    pairs = np.stack([rng.integers(0, 30, 50), rng.integers(0, 40, 50)], axis=1)
    # Eqs. (2)-(3), words as columns.
    x1, x2 = x[pairs[:, 0]].T.astype(np.float64), z[pairs[:, 1]].T.astype(np.float64)
    u, _, vt = np.linalg.svd(x2 @ x1.T)
    np.testing.assert_allclose(Procrustes().fit(x, z, pairs).source, (u @ vt).T, atol=1e-6)


def test_no_orthogonal_map_is_closer():
    rng = np.random.default_rng(1)
    x, z = unit_rows(rng, (50, 5)), unit_rows(rng, (50, 5))
    pairs = np.stack([np.arange(50)] * 2, axis=1)
    w = Procrustes().fit(x, z, pairs).source
    np.testing.assert_allclose(w @ w.T, np.eye(5), atol=1e-6)
    best = np.linalg.norm(x @ w - z)
    others = [rotation(rng, 5) for _ in range(200)]
    others += [w @ (np.eye(5) + 0.01 * (a - a.T)) for a in rng.standard_normal((50, 5, 5))]
    closest = [np.linalg.qr(other)[0] * np.sign(np.diag(np.linalg.qr(other)[1])) for other in others]
    assert best < min(np.linalg.norm(x @ other - z) for other in closest)


def test_pairs_decide_not_the_order_of_rows():
    rng = np.random.default_rng(2)
    x, turn, order = unit_rows(rng, (40, 4)), rotation(rng, 4), rng.permutation(40)
    z = (x @ turn)[order]
    pairs = np.stack([order, np.arange(40)], axis=1)
    np.testing.assert_allclose(Procrustes().fit(x, z, pairs).source, turn, atol=1e-5)


def test_nearly_degenerate_directions_survive_float32():
    # The last axis is 10^-4 as strong: its place is decided by products of 10^-8, below float32
    # rounding of the others.
    rng = np.random.default_rng(3)
    x = unit_rows(rng, (20_000, 8)) * np.array([1] * 7 + [1e-4], np.float32)
    turn = rotation(rng, 8)
    z = (x.astype(np.float64) @ turn).astype(np.float32)
    pairs = np.stack([np.arange(len(x))] * 2, axis=1)
    found = Procrustes().fit(x, z, pairs).source
    np.testing.assert_allclose(found, turn, atol=2e-3)


def test_fewer_pairs_than_dimensions_still_give_an_orthogonal_map():
    rng = np.random.default_rng(4)
    x = unit_rows(rng, (3, 10))
    z = x @ rotation(rng, 10)
    w = Procrustes().fit(x, z, np.array([[0, 0], [1, 1], [2, 2]])).source
    np.testing.assert_allclose(w @ w.T, np.eye(10), atol=1e-5)
    np.testing.assert_allclose(x @ w, z, atol=1e-5)


@pytest.mark.parametrize("block", [1, 7, 50, 1000])
def test_blocks_change_nothing(block):
    from jointalign.alignment._orthogonal import cross_product

    rng = np.random.default_rng(5)
    x, z = unit_rows(rng, (30, 6)), unit_rows(rng, (40, 4))
    pairs = np.stack([rng.integers(0, 30, 50), rng.integers(0, 40, 50)], axis=1)
    expected = np.einsum("nd,ne->de", x[pairs[:, 0]].astype(float), z[pairs[:, 1]].astype(float))
    np.testing.assert_allclose(cross_product(x, z, pairs, block), expected, atol=1e-12)


def test_runs_on_any_array_api_library():
    rng = np.random.default_rng(6)
    x, z = unit_rows(rng, (30, 6)), unit_rows(rng, (30, 6))
    pairs = np.stack([np.arange(20)] * 2, axis=1)
    strict = Procrustes().fit(
        array_api_strict.asarray(x), array_api_strict.asarray(z), array_api_strict.asarray(pairs)
    )
    assert type(strict.source) is type(strict.target) is type(array_api_strict.asarray(0))
    assert strict.source.dtype == array_api_strict.float32
    expected = Procrustes().fit(x, z, pairs)
    np.testing.assert_allclose(np.asarray(strict.source), expected.source, atol=1e-6)
