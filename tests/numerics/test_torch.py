"""The lines that NumPy arrays go through, with torch tensors: the same results, of torch's type."""

import numpy as np
import pytest

from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.numerics import topk as _topk
from jointalign.retrieval import _pruning
from jointalign.retrieval.api import Retrieval, hubness, lazy_hubness, mean_similarity, neighbours, ranks

torch = pytest.importorskip("torch", reason="torch is no dependency; install it to run these")

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]
    ),
]


@pytest.fixture(params=DEVICES)
def tensor(request):
    return lambda array: torch.tensor(array, device=request.param)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def space(request):
    """Source and target vectors, the one a rotation of the other with noise, and pairs."""
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    z = rng.standard_normal((60, 8))
    x = (z @ rotation)[:50] + 0.2 * rng.standard_normal((50, 8))
    x, z = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, z))
    pairs = np.stack([np.arange(40), np.arange(40)], axis=1)
    return x.astype(request.param), z.astype(request.param), pairs


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_topk, "ROWS", 7)
    monkeypatch.setattr(_topk, "COLUMNS", 11)
    monkeypatch.setattr(_topk, "ENTRIES", 200)


def check(found, expected):
    """The same numbers, in a tensor; whole numbers exactly."""
    assert isinstance(found, torch.Tensor)
    found = found.cpu().numpy()
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if expected.dtype.kind == "i":
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("kind", Retrieval)
def test_neighbours_and_ranks(space, tensor, small_blocks, kind):
    x, z, pairs = space
    found = neighbours(tensor(x), tensor(z), 5, score=kind)
    expected = neighbours(x, z, 5, score=kind)
    check(found.scores, expected.scores)
    check(found.rows, expected.rows)
    check(ranks(tensor(x), tensor(z), tensor(pairs), score=kind), ranks(x, z, pairs, score=kind))
    check(
        ranks(tensor(x), tensor(z), tensor(pairs), score=kind, depth=3),
        ranks(x, z, pairs, score=kind, depth=3),
    )
    check(hubness(tensor(z), tensor(x), kind), hubness(z, x, kind))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_hubness_of_few_is_worked_out(tensor, monkeypatch, dtype):
    monkeypatch.setattr(_pruning, "SMALLEST", 1)
    monkeypatch.setattr(_pruning, "_LISTED", 1)
    rng = np.random.default_rng(1)
    centres = 2 * rng.standard_normal((30, 16))
    x, z = (centres[rng.integers(0, 30, n)] + rng.standard_normal((n, 16)) for n in (900, 1000))
    x, z = x.astype(dtype), z.astype(dtype)
    pairs = np.stack([np.arange(20), np.arange(20)], axis=1)
    lazy = lazy_hubness(tensor(z), tensor(x))
    whole = neighbours(x[:20], z, 5, hubs=hubness(z, x))
    for more in ({"sources": tensor(x)}, {"hubs": lazy}, {"hubs": lazy}):
        found = neighbours(tensor(x[:20]), tensor(z), 5, **more)
        check(found.rows, whole.rows)
        check(found.scores, whole.scores)
    assert 0 < float(lazy.exact.cpu().numpy().mean()) < 1
    for depth in (None, 4):
        found = ranks(tensor(x[:20]), tensor(z), tensor(pairs), sources=tensor(x), depth=depth)
        check(found, ranks(x[:20], z, pairs, hubs=hubness(z, x), depth=depth))


def test_mean_similarity_and_products(space, tensor, small_blocks):
    x, z, _ = space
    check(mean_similarity(tensor(x), tensor(z)), mean_similarity(x, z))
    for found, expected in zip(_topk.top(tensor(x), tensor(z), 4), _topk.top(x, z, 4), strict=True):
        check(found, expected)


@pytest.mark.parametrize(
    "aligner", [Procrustes(), RCSLS(neighbourhood=3), RCSLS(neighbourhood=3, spectral=True)]
)
def test_alignment(space, tensor, aligner):
    x, z, pairs = space
    expected = aligner.fit(x, z, pairs)
    for given in (pairs, tensor(pairs)):  # pairs may be an array or a tensor
        found = aligner.fit(tensor(x), tensor(z), given)
        check(found.source, expected.source)
        check(found.target, expected.target)
        assert list(found.history) == list(expected.history)
        for name, values in expected.history.items():
            np.testing.assert_allclose(found.history[name], values, rtol=1e-4, atol=2e-5)
    moved = neighbours(tensor(x) @ found.source, tensor(z), 1, score=Retrieval.NEAREST)
    assert (moved.rows[:, 0].cpu().numpy() == np.arange(50)).mean() > 0.8  # it learnt something


def test_what_is_given_is_not_changed(space, tensor):
    x, z, pairs = space
    given = tensor(x), tensor(z)
    RCSLS(neighbourhood=3, steps=2).fit(*given, pairs)
    neighbours(*given)
    for before, after in zip((x, z), given, strict=True):
        np.testing.assert_array_equal(after.cpu().numpy(), before)
