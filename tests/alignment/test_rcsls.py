"""Oracle: the loss of Joulin et al. (2018), dense, in float64, with words as columns as there."""

import array_api_strict
import numpy as np
import pytest

from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS, _Loss
from jointalign.errors import JointalignError


def normalized(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def unit_rows(rng, shape):
    return normalized(rng.standard_normal(shape))


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)


def dense_loss(r, x, z, pairs, k):
    """The paper's f(R): whole score matrices, sorted; `r` acts on columns."""
    total = 0.0
    scores_of_targets = (x @ r.T) @ z.T  # (n, m)
    for i, j in pairs:
        near_targets = np.sort(scores_of_targets[i])[::-1][:k]
        near_sources = np.sort(scores_of_targets[:, j])[::-1][:k]
        total += -2 * scores_of_targets[i, j] + near_targets.mean() + near_sources.mean()
    return total / len(pairs)


def dense_gradient(r, x, z, pairs, k):
    """Summed pair by pair, neighbours by sorting everything."""
    scores = (x @ r.T) @ z.T
    total = np.zeros_like(r)
    for i, j in pairs:
        total -= 2 * np.outer(z[j], x[i])
        for near in np.argsort(-scores[i])[:k]:
            total += np.outer(z[near], x[i]) / k
        for near in np.argsort(-scores[:, j])[:k]:
            total += np.outer(z[j], x[near]) / k
    return total / len(pairs)


def dense_descent(x, z, pairs, rate, steps, k):
    """The same descent, step by step."""
    x, z = x.astype(np.float64), z.astype(np.float64)
    u, _, vt = np.linalg.svd(z[pairs[:, 1]].T @ x[pairs[:, 0]])
    r = u @ vt

    losses = [dense_loss(r, x, z, pairs, k)]
    for _ in range(steps):
        moved = r - rate * dense_gradient(r, x, z, pairs, k)
        loss = dense_loss(moved, x, z, pairs, k)
        if loss <= losses[-1]:
            r = moved
            losses.append(loss)
        else:
            rate /= 2
            losses.append(losses[-1])
    return r.T, losses


@pytest.fixture
def problem():
    """Two noisy rotations of one space; words of the pairs repeat on both sides."""
    rng = np.random.default_rng(0)
    x = unit_rows(rng, (60, 7))
    z = normalized(x[:50] @ rotation(rng, 7) + 0.3 * rng.standard_normal((50, 7)))
    pairs = np.stack([np.arange(30)] * 2, axis=1)
    pairs = np.concatenate([pairs, [[0, 40], [0, 41], [50, 3], [51, 3]]])
    return x, z, pairs


def loss_at(x, z, pairs, w, settings):
    return _Loss.of(settings, x, z, pairs).at(w)


def test_loss_is_the_papers(problem):
    x, z, pairs = problem
    rng = np.random.default_rng(1)
    for scale in (0.1, 1.0, 5.0):
        w = (scale * rng.standard_normal((7, 7))).astype(np.float32)
        found, _ = loss_at(x, z, pairs, w, RCSLS(neighbourhood=4))
        expected = dense_loss(w.T.astype(float), x.astype(float), z.astype(float), pairs, 4)
        assert found == pytest.approx(expected, rel=1e-5)


def test_gradient_is_the_slope_of_the_loss(problem):
    x, z, pairs = problem
    w = np.random.default_rng(2).standard_normal((7, 7)).astype(np.float32)
    _, gradient = loss_at(x, z, pairs, w, RCSLS(neighbourhood=4))
    x64, z64, w64 = x.astype(float), z.astype(float), w.astype(float)
    slope, small = np.zeros((7, 7)), 1e-6
    for i in range(7):
        for j in range(7):
            nudge = np.zeros((7, 7))
            nudge[i, j] = small
            rise = dense_loss((w64 + nudge).T, x64, z64, pairs, 4)
            fall = dense_loss((w64 - nudge).T, x64, z64, pairs, 4)
            slope[i, j] = (rise - fall) / (2 * small)
    np.testing.assert_allclose(gradient, slope, atol=1e-5)


@pytest.mark.parametrize("rate", [1.0, 200.0])
def test_equals_a_dense_float64_descent_step_by_step(problem, rate):
    x, z, pairs = problem
    expected, losses = dense_descent(x, z, pairs, rate, 8, 5)
    mapping = RCSLS(learning_rate=rate, steps=8, neighbourhood=5).fit(x, z, pairs)
    np.testing.assert_allclose(mapping.history["loss"], losses, rtol=1e-4)
    np.testing.assert_allclose(mapping.source, expected, rtol=1e-3, atol=1e-3)


def test_the_loss_never_rises_and_a_bad_step_is_undone(problem):
    x, z, pairs = problem
    method = RCSLS(learning_rate=1000.0, steps=30, neighbourhood=5)
    steps = list(method.trajectory(x, z, pairs))
    losses = [step.loss for step in steps]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]
    start = Procrustes().fit(x, z, pairs).source
    kept = [step.matrix for step in steps if step.loss == losses[0]]
    assert len(kept) > 1  # the first steps were too long ...
    for matrix in kept:  # ... and left no trace
        np.testing.assert_array_equal(matrix, start)
    for step in steps:
        value, _ = loss_at(x, z, pairs, step.matrix, method)
        assert value == step.loss


def test_stops_when_the_rate_is_too_small_to_matter(problem):
    x, z, pairs = problem
    # The map may not leave the ball, and a rotation of everything onto itself is best inside it.
    method = RCSLS(learning_rate=1.0, steps=1000, spectral=True)
    steps = list(method.trajectory(z, z, np.stack([np.arange(50)] * 2, axis=1)))
    assert len(steps) < 1000


def test_fewer_steps_are_the_beginning_of_more(problem):
    x, z, pairs = problem
    steps = list(RCSLS(steps=9).trajectory(x, z, pairs))
    for number in (0, 1, 4):
        alone = RCSLS(steps=number).fit(x, z, pairs)
        np.testing.assert_array_equal(alone.source, steps[number].matrix)
        assert steps[number].number == number


def test_spectral_stays_in_the_unit_ball(problem):
    x, z, pairs = problem
    free = RCSLS(learning_rate=20.0).fit(x, z, pairs).source
    held = list(RCSLS(learning_rate=20.0, spectral=True).trajectory(x, z, pairs))
    assert np.linalg.norm(free, 2) > 1.5
    assert all(np.linalg.norm(step.matrix, 2) < 1 + 1e-5 for step in held)
    assert held[-1].loss < held[0].loss


def test_only_the_most_frequent_words_are_negatives(problem):
    x, z, pairs = problem
    settings = RCSLS(neighbourhood=3, maximum_negatives=20)
    pairs = pairs[pairs.max(axis=1) < 20]
    w = np.eye(7, dtype=np.float32)
    found, _ = loss_at(x, z, pairs, w, settings)
    expected = dense_loss(w.astype(float), x[:20].astype(float), z[:20].astype(float), pairs, 3)
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_neighbourhood_larger_than_the_vocabulary_takes_all_words():
    rng = np.random.default_rng(3)
    x, z = unit_rows(rng, (4, 3)), unit_rows(rng, (5, 3))
    pairs = np.array([[0, 0], [1, 1]])
    found, _ = loss_at(x, z, pairs, np.eye(3, dtype=np.float32), RCSLS(neighbourhood=10))
    assert found == pytest.approx(
        dense_loss(np.eye(3), x.astype(float), z.astype(float), pairs, 10), rel=1e-5
    )


def test_beats_procrustes_where_long_directions_are_noise():
    """RCSLS can shrink the six directions that have nothing in common; a rotation can't."""
    rng = np.random.default_rng(4)
    n, d, noise = 600, 20, 6
    lengths = np.array([2.0] * noise + [1.0] * (d - noise))
    meaning = rng.standard_normal((n, d))
    z = meaning + 0.3 * rng.standard_normal((n, d))
    z[:, :noise] = rng.standard_normal((n, noise))
    x, z = normalized(meaning * lengths), normalized(z * lengths @ rotation(rng, d))
    pairs = np.stack([np.arange(n)] * 2, axis=1)
    train, held_out = pairs[:300], pairs[300:]

    def hits(method):
        scores = normalized(x @ method.fit(x, z, train).source) @ z.T
        return int((scores[held_out[:, 0]].argmax(axis=1) == held_out[:, 1]).sum())

    assert hits(RCSLS()) > 2 * hits(Procrustes())


def test_mini_batches_equal_a_dense_float64_descent_on_the_same_pairs(problem):
    x, z, pairs = problem
    steps = list(RCSLS(learning_rate=3.0, steps=5, neighbourhood=5, batch=9).trajectory(x, z, pairs, seed=4))
    assert [step.number for step in steps] == list(range(6))
    rng = np.random.default_rng(4)
    r = Procrustes().fit(x, z, pairs).source.T.astype(np.float64)
    x, z = x.astype(np.float64), z.astype(np.float64)
    for step in steps:
        np.testing.assert_allclose(step.matrix, r.T, rtol=1e-3, atol=1e-3)
        drawn = pairs[rng.choice(len(pairs), 9, replace=False)]
        assert len(np.unique(drawn, axis=0)) == 9
        assert step.loss == pytest.approx(dense_loss(r, x, z, drawn, 5), rel=1e-4)
        r = r - 3.0 * dense_gradient(r, x, z, drawn, 5)


@pytest.mark.parametrize("batch", [34, 35, 10_000])
def test_a_batch_of_all_pairs_or_more_is_no_batch(problem, batch):
    x, z, pairs = problem
    assert len(pairs) == 34
    whole = RCSLS(learning_rate=200.0).fit(x, z, pairs)
    found = RCSLS(learning_rate=200.0, batch=batch).fit(x, z, pairs, seed=9)
    np.testing.assert_array_equal(found.source, whole.source)
    assert found.history == whole.history


def test_the_seed_draws_the_batches(problem):
    x, z, pairs = problem
    method = RCSLS(batch=10, steps=4)
    first, same, other = (method.fit(x, z, pairs, seed=seed).source for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-3


def test_fewer_steps_are_the_beginning_of_more_with_batches_too(problem):
    x, z, pairs = problem
    steps = list(RCSLS(steps=6, batch=10).trajectory(x, z, pairs, seed=3))
    for number in (0, 1, 4):
        alone = RCSLS(steps=number, batch=10).fit(x, z, pairs, seed=3)
        np.testing.assert_array_equal(alone.source, steps[number].matrix)


def test_mini_batches_lower_the_loss_of_all_pairs_and_stay_in_the_unit_ball(problem):
    x, z, pairs = problem
    start = Procrustes().fit(x, z, pairs).source
    before, _ = loss_at(x, z, pairs, start, RCSLS())
    for spectral in (False, True):
        method = RCSLS(learning_rate=1.0, steps=30, batch=17, spectral=spectral)
        found = method.fit(x, z, pairs).source
        assert loss_at(x, z, pairs, found, RCSLS())[0] < before - 0.05
        assert (np.linalg.norm(found, 2) < 1 + 1e-5) == spectral


@pytest.mark.parametrize("batch", [None, 10])
def test_runs_on_any_array_api_library(problem, batch):
    x, z, pairs = problem
    for spectral in (False, True):
        method = RCSLS(steps=3, spectral=spectral, batch=batch)
        strict = method.fit(*(array_api_strict.asarray(array) for array in (x, z, pairs)))
        expected = method.fit(x, z, pairs)
        np.testing.assert_allclose(np.asarray(strict.source), expected.source, atol=1e-4)
        assert strict.history["loss"] == pytest.approx(expected.history["loss"], rel=1e-4)


@pytest.mark.parametrize(
    "setting",
    [
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"steps": -1},
        {"neighbourhood": 0},
        {"maximum_negatives": 0},
        {"batch": 0},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(JointalignError, match=next(iter(setting))):
        RCSLS(**setting)
