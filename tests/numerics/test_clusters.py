"""Searches that meet a part of the vectors; with all of them met, they find what brute force does."""

import numpy as np

from jointalign.numerics.clusters import Clusters


def around_centres(size, seed):
    rng = np.random.default_rng(seed)
    rows = np.random.default_rng(9).standard_normal((40, 16))[rng.integers(0, 40, size)]
    rows = (rows + 0.4 * rng.standard_normal((size, 16))).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_all_vectors_met_are_compared_as_by_brute_force():
    x, z = around_centres(50, 0), around_centres(700, 1)
    penalty = np.random.default_rng(2).random(700).astype(np.float32)
    scores, rows = Clusters.of(z).best(x, 5, 700, penalty)
    whole = x @ z.T - penalty
    assert (rows == np.argsort(-whole, axis=1)[:, :5]).all()
    np.testing.assert_allclose(scores, np.take_along_axis(whole, rows, 1), atol=1e-6)


def test_a_part_of_the_vectors_holds_nearly_all_of_the_best():
    x, z = around_centres(300, 0), around_centres(6000, 1)
    rows = Clusters.of(z).best(x, 10, 600)[1]
    best = np.argsort(-(x @ z.T), axis=1)[:, :10]
    assert np.mean([len(set(a) & set(b)) for a, b in zip(rows.tolist(), best.tolist(), strict=True)]) > 9.5


def test_where_too_few_are_met_the_list_says_so():
    vectors = np.eye(4, dtype=np.float32)
    scores, rows = Clusters.of(vectors).best(vectors, 3, 1)
    assert (rows[:, 0] == np.arange(4)).all() and (rows[:, -1] == -1).all()
    assert np.isneginf(scores[:, -1]).all()


def test_the_groups_of_other_vectors_are_the_same_words():
    """Turned round, all is as near as before: the same groups find the same vectors."""
    rng = np.random.default_rng(3)
    x = around_centres(500, 3)
    turned = x @ np.linalg.qr(rng.standard_normal((16, 16)))[0].astype(np.float32)
    groups = Clusters.of(x)
    others = groups.of_others(turned)
    assert others.ends == groups.ends and others.order.tolist() == groups.order.tolist()
    scores, rows = groups.best(x[:50], 5, 100)
    scores_too, rows_too = others.best(turned[:50], 5, 100)
    assert (rows == rows_too).mean() > 0.95
    np.testing.assert_allclose(scores, scores_too, atol=0.05)
