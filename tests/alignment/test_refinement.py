"""Oracles: dense float64 CSLS in plain loops, planted rotations, Procrustes."""

import numpy as np
import pytest

from jointalign.alignment._induction import Direction
from jointalign.alignment._refining import hold_out
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.refinement import PATIENCE, RefinedProcrustes
from jointalign.errors import JointalignError


def normalized(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)


def diagonal(rows):
    return np.stack([rows, rows], axis=1)


def hits(x, z, matrix):
    return float(((x @ matrix @ z.T).argmax(axis=1) == np.arange(len(x))).mean())


def dense_procrustes(x, z, pairs):
    u, _, vt = np.linalg.svd(sum(np.outer(x[i], z[j]) for i, j in pairs))
    return u @ vt


def dense_translations(x, z, w, k):
    cosines = x @ w @ z.T
    r_x = np.sort(cosines, axis=1)[:, ::-1][:, :k].mean(axis=1)
    r_z = np.sort(cosines, axis=0)[::-1][:k].mean(axis=0)
    scores = 2 * cosines - r_x[:, None] - r_z[None, :]
    return scores.argmax(axis=1), scores.argmax(axis=0)


def dense_rounds(x, z, given, held_out, count, k, direction, limit):
    """Maps and P@1 of: Procrustes, then the given pairs with those found among the first words."""
    x, z = x.astype(np.float64), z.astype(np.float64)
    w, maps, precisions = dense_procrustes(x, z, given), [], []
    for _ in range(count + 1):
        forward, backward = dense_translations(x[:limit], z[:limit], w, k)
        gold = {}
        for i, j in held_out:
            if i < limit:
                gold.setdefault(i, set()).add(j)
        maps.append(w)
        precisions.append(np.mean([forward[i] in gold[i] for i in gold]))
        there = set(enumerate(forward.tolist()))
        back = {(i, j) for j, i in enumerate(backward.tolist())}
        found = there | back if direction == "union" else there & back
        w = dense_procrustes(x, z, found | set(map(tuple, given.tolist())))
    return maps, precisions


@pytest.fixture
def noisy():
    """A rotation with noise, and a dictionary of which a part is wrong."""
    rng = np.random.default_rng(0)
    x = normalized(rng.standard_normal((400, 12)) * np.linspace(1.5, 0.5, 12))
    z = normalized(x[:350] @ rotation(rng, 12) + 0.16 * rng.standard_normal((350, 12)))
    pairs = diagonal(np.arange(300))
    pairs[:150, 1] = rng.integers(0, 350, 150)
    return x, z, np.concatenate([pairs, [[200, 3], [201, 4]]])


@pytest.mark.parametrize("direction", ["union", "intersection"])
@pytest.mark.parametrize("cutoff", [320, None])
def test_equals_a_dense_float64_loop(noisy, direction, cutoff):
    x, z, pairs = noisy
    method = RefinedProcrustes(
        rounds=4, direction=Direction(direction), neighbourhood=5, held_out=0.3, cutoff=cutoff
    )
    mapping = method.fit(x, z, pairs, seed=2)
    train, held_out = hold_out(pairs, 0.3, np.random.default_rng(2))
    limit = cutoff or 400
    _, precisions = dense_rounds(x, z, train, held_out, 4, 5, direction, limit)
    found = mapping.history["held_out"]
    np.testing.assert_allclose(found, precisions[: len(found)], atol=1e-9)
    best = int(np.argmax(found))
    assert best > 0
    maps, _ = dense_rounds(x, z, pairs, held_out, best, 5, direction, limit)
    np.testing.assert_allclose(mapping.source, maps[best], atol=1e-4)
    np.testing.assert_array_equal(mapping.target, np.eye(12))


def test_refining_that_hurts_ends_and_gives_plain_procrustes():
    """Rare words are other words in the other language: what is found there is wrong."""
    rng = np.random.default_rng(1)
    d = 30
    x = normalized(rng.standard_normal((1600, d)))
    z = normalized(rng.standard_normal((1600, d)))
    turn = rotation(rng, d)
    z[:300] = normalized(x[:300] @ turn + 0.25 * rng.standard_normal((300, d)))
    pairs = diagonal(np.arange(300))
    mapping = RefinedProcrustes().fit(x, z, pairs)
    precisions = mapping.history["held_out"]
    assert len(precisions) == 1 + PATIENCE and max(precisions[1:]) < precisions[0]
    np.testing.assert_array_equal(mapping.source, Procrustes().fit(x, z, pairs).source)


@pytest.mark.parametrize("known", [5, 8, 15])
def test_few_pairs_grow_into_a_rotation(known):
    rng = np.random.default_rng(2)
    d = 10
    x = normalized(rng.standard_normal((400, d)) * np.linspace(1.5, 0.5, d))
    turn = rotation(rng, d)
    z = normalized(x @ turn + 0.02 * rng.standard_normal((400, d)))
    pairs = diagonal(np.arange(known))
    if known < d:  # Procrustes alone knows nothing outside the span of the pairs
        assert hits(x, z, Procrustes().fit(x, z, pairs).source) < 0.7
    mapping = RefinedProcrustes().fit(x, z, pairs)
    np.testing.assert_allclose(mapping.source, turn, atol=0.02)
    np.testing.assert_allclose(mapping.source @ mapping.source.T, np.eye(d), atol=1e-5)
    assert "held_out" not in mapping.history and len(mapping.history["criterion"]) > 1


def test_the_first_search_stays_in_the_span_of_the_pairs():
    from jointalign.alignment.refinement import _start

    rng = np.random.default_rng(3)
    x, turn = normalized(rng.standard_normal((20, 8))), rotation(rng, 8)
    start, whole = _start(x, x @ turn, diagonal(np.arange(3)))
    assert not whole
    np.testing.assert_allclose(x[:3] @ start, x[:3] @ turn, atol=1e-5)
    np.testing.assert_allclose(np.linalg.svd(start)[1], [1.0] * 3 + [0.0] * 5, atol=1e-5)
    outside = np.linalg.svd(x[:3])[2][3:]  # directions that no pair has
    np.testing.assert_allclose(outside @ start, 0.0, atol=1e-5)
    start, whole = _start(x, x @ turn, diagonal(np.arange(20)))
    assert whole
    np.testing.assert_allclose(start, turn, atol=1e-5)


@pytest.mark.parametrize("known", [3, 100])
def test_no_rounds_is_procrustes(known):
    rng = np.random.default_rng(4)
    x = normalized(rng.standard_normal((200, 8)))
    z = normalized(x @ rotation(rng, 8) + 0.1 * rng.standard_normal((200, 8)))
    pairs = diagonal(np.arange(known))
    mapping = RefinedProcrustes(rounds=0).fit(x, z, pairs)
    np.testing.assert_array_equal(mapping.source, Procrustes().fit(x, z, pairs).source)


def test_the_criterion_ends_it_where_nothing_is_held_out(noisy):
    x, z, pairs = noisy
    mapping = RefinedProcrustes(rounds=100, held_out=0.0).fit(x, z, pairs)
    criterion = mapping.history["criterion"]
    assert "held_out" not in mapping.history
    assert len(criterion) < 101
    best = int(np.argmax(criterion))
    alone = RefinedProcrustes(rounds=best, held_out=0.0).fit(x, z, pairs)
    np.testing.assert_array_equal(mapping.source, alone.source)


@pytest.mark.parametrize(
    "setting",
    [
        {"rounds": -1},
        {"direction": "sideways"},
        {"rank": 0},
        {"cutoff": 0},
        {"neighbourhood": 0},
        {"held_out": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(JointalignError, match=next(iter(setting))):
        RefinedProcrustes(**setting)
