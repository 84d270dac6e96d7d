"""Oracles: each stage of Artetxe et al. (2016-2018) written out densely in float64."""

import logging

import numpy as np
import pytest

from jointalign.alignment import _exact_search
from jointalign.alignment._induction import Direction
from jointalign.alignment._matches import best_matches, matched_pairs
from jointalign.alignment._normalised import Normalisation, normalised
from jointalign.alignment._similarity_start import first_pairs, similarity_profiles
from jointalign.alignment._sweep import Dropout, kept
from jointalign.alignment._whitening import Steps, WhitenedSide
from jointalign.alignment.base import Supervision
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.vecmap import VecMap
from jointalign.errors import JointalignError
from jointalign.numerics import tiles as _tiles


def unit64(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def unit_center_unit(x):
    x = unit64(x.astype(float))
    return unit64(x - x.mean(axis=0))


def unit_rows(rng, shape):
    return unit64(rng.standard_normal(shape)).astype(np.float32)


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def same(count):
    return np.stack([np.arange(count)] * 2, axis=1)


def moved(x, means, matrix):
    x = unit64(x.astype(float))
    for mean in means:
        x = unit64(x - mean)
    return x @ matrix


def precision(x, z, mapping, gold):
    """Share of the first words whose nearest word is the right one."""
    source = unit64(moved(x[: len(gold)], mapping.source_means, mapping.source))
    target = unit64(moved(z, mapping.target_means, mapping.target))
    return ((source @ target.T).argmax(axis=1) == gold).mean()


def clustered(rng, words, d):
    """Words as languages have them: groups of related words, dimensions of unequal weight."""
    centres = rng.standard_normal((words // 20, d)) * np.linspace(2, 0.3, d)
    own = rng.standard_normal((words, d)) * np.linspace(1.2, 0.4, d)
    return centres[rng.integers(len(centres), size=words)] + own


# --- The linear map ---


@pytest.fixture
def dictionary_rows():
    """Rows of pairs: correlated dimensions, one side a noisy linear image of the other."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 6)) @ rng.standard_normal((6, 6))
    return x, x @ rng.standard_normal((6, 6)) + 0.3 * rng.standard_normal((60, 6))


def maps(x, z, *settings):
    return Steps(*settings).maps(x.T @ x, z.T @ z, x.T @ z)


def root(products, power):
    values, vectors = np.linalg.eigh(products)
    return vectors @ np.diag(np.maximum(values, 0) ** power) @ vectors.T


def test_whitened_rows_are_uncorrelated_and_match_dimension_by_dimension(dictionary_rows):
    x, z = dictionary_rows
    a, b = maps(x, z, True, 0.0, 0.0, None, None)
    np.testing.assert_allclose((x @ a).T @ (x @ a), np.eye(6), atol=1e-9)
    np.testing.assert_allclose((z @ b).T @ (z @ b), np.eye(6), atol=1e-9)
    across = (x @ a).T @ (z @ b)
    np.testing.assert_allclose(across, np.diag(np.diag(across)), atol=1e-9)
    assert np.diff(np.diag(across)).max() <= 1e-12


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.0, 1.0), (1.0, 0.0)])
@pytest.mark.parametrize("undone", [("source", "target"), ("target", "source"), (None, "source")])
def test_reweighting_and_dewhitening_are_the_papers_formulas(dictionary_rows, weights, undone):
    x, z = dictionary_rows
    # By singular value decompositions of the rows, the paper's way; ours never makes one of them.
    _, s_x, v_x = np.linalg.svd(x, full_matrices=False)
    _, s_z, v_z = np.linalg.svd(z, full_matrices=False)
    whiten_x, whiten_z = v_x.T @ np.diag(1 / s_x) @ v_x, v_z.T @ np.diag(1 / s_z) @ v_z
    u, s, vt = np.linalg.svd((x @ whiten_x).T @ (z @ whiten_z))
    back = {
        "source": u.T @ np.linalg.inv(whiten_x) @ u,
        "target": vt @ np.linalg.inv(whiten_z) @ vt.T,
        None: np.eye(6),
    }
    expected_x = x @ whiten_x @ u @ np.diag(s ** weights[0]) @ back[undone[0]]
    expected_z = z @ whiten_z @ vt.T @ np.diag(s ** weights[1]) @ back[undone[1]]
    sides = [side and WhitenedSide(side) for side in undone]
    a, b = maps(x, z, True, *weights, *sides)
    # Singular vectors have no sign: compare the products of all words, which are what counts.
    np.testing.assert_allclose((x @ a) @ (z @ b).T, expected_x @ expected_z.T, atol=1e-8)
    np.testing.assert_allclose((x @ a) @ (x @ a).T, expected_x @ expected_x.T, atol=1e-8)
    np.testing.assert_allclose((z @ b) @ (z @ b).T, expected_z @ expected_z.T, atol=1e-8)


def test_too_few_pairs_to_whiten_give_a_warning_and_finite_maps(caplog):
    x = unit_rows(np.random.default_rng(0), (40, 10))
    with caplog.at_level(logging.WARNING):
        mapping = VecMap.supervised().fit(x, x, same(4))
    assert "source words span only 4 of 10 dimensions" in caplog.text
    assert np.isfinite(mapping.source).all() and np.abs(mapping.source).max() < 1e3


def test_2016_is_procrustes_on_centred_rows():
    rng = np.random.default_rng(1)
    x, z = unit_rows(rng, (80, 7)), unit_rows(rng, (90, 7))
    mapping = VecMap.emnlp2016().fit(x, z, same(50))
    mean_x, mean_z = x.astype(float).mean(axis=0), z.astype(float).mean(axis=0)
    np.testing.assert_allclose(mapping.source_means, [mean_x], atol=1e-6)
    np.testing.assert_allclose(mapping.target_means, [mean_z], atol=1e-6)
    expected = Procrustes().fit(x - mean_x, z - mean_z, same(50))
    np.testing.assert_allclose(mapping.source, expected.source, atol=1e-5)
    np.testing.assert_array_equal(mapping.target, np.eye(7, dtype=np.float32))


def test_supervised_is_the_whole_formula_on_normalised_rows():
    rng = np.random.default_rng(2)
    x, z = 3 * unit_rows(rng, (80, 5)), unit_rows(rng, (90, 5))  # lengths do not count
    mapping = VecMap.supervised().fit(x, z, same(50))
    rows_x, rows_z = unit_center_unit(x), unit_center_unit(z)
    p, q = rows_x[:50], rows_z[:50]
    a, b = root(p.T @ p, -0.5), root(q.T @ q, -0.5)
    u, s, vt = np.linalg.svd(a @ p.T @ q @ b)
    expected_x = rows_x @ a @ u @ np.diag(s**0.5) @ u.T @ root(p.T @ p, 0.5) @ u
    expected_z = rows_z @ b @ vt.T @ np.diag(s**0.5) @ vt @ root(q.T @ q, 0.5) @ vt.T
    found_x = moved(x, mapping.source_means, mapping.source)
    found_z = moved(z, mapping.target_means, mapping.target)
    np.testing.assert_allclose(found_x @ found_z.T, expected_x @ expected_z.T, atol=1e-5)


def test_normalisation():
    x = np.random.default_rng(3).standard_normal((20, 4)) + 1
    once, centred = unit64(x), unit64(x) - unit64(x).mean(axis=0)
    for name, expected in (("unit", once), ("unit-center", centred), ("unit-center-unit", unit64(centred))):
        np.testing.assert_allclose(normalised(x, Normalisation(name)), expected, atol=1e-12)


# --- One step of self-learning ---


def mask(n, m, dropout, *, transposed=False):
    limit, key = dropout.limit, np.uint64(dropout.key)
    return np.array([[kept(i, j, limit, key) for j in range(m)] for i in range(n)])


def dense_matches(x, z, k, dropouts):
    """The published step: whole similarity matrices, CSLS, zeros where the mask is false."""
    products = x.astype(float) @ z.astype(float).T
    toll_source = toll_target = np.zeros(1)
    if k:
        toll_source = np.sort(products, axis=1)[:, ::-1][:, :k].mean(axis=1) / 2
        toll_target = np.sort(products, axis=0)[::-1][:k].mean(axis=0) / 2
    forward, backward = (mask(len(x), len(z), dropout) for dropout in dropouts)
    return (
        ((products - toll_target) * forward).argmax(axis=1),
        ((products - toll_source.reshape(-1, 1)) * backward).argmax(axis=0),
        products.max(axis=1),
        products.max(axis=0),
    )


def assert_equal_matches(found, x, z, k, dropouts):
    forward, backward, highest_x, highest_z = dense_matches(x, z, k, dropouts)
    np.testing.assert_array_equal(found.forward.best, forward)
    np.testing.assert_array_equal(found.backward.best, backward)
    np.testing.assert_allclose(found.forward.highest, highest_x, atol=1e-5)
    np.testing.assert_allclose(found.backward.highest, highest_z, atol=1e-5)


@pytest.fixture
def sides():
    """Two clustered spaces: some words are hubs, some have nothing near."""
    rng = np.random.default_rng(4)
    x = unit_center_unit(clustered(rng, 230, 12))
    z = unit_center_unit(np.concatenate([x[:150] + 0.05 * rng.standard_normal((150, 12)), -x[:40]]))
    return x.astype(np.float32), z.astype(np.float32)


@pytest.mark.parametrize("k", [0, 1, 10, 1000])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 1.0])
def test_a_step_equals_the_dense_published_one(sides, k, share):
    x, z = sides
    before = None
    turns = np.random.default_rng(5)
    for step in range(4):
        dropouts = Dropout(share, 2 * step + 7), Dropout(share, 2 * step + 8)
        # A small turn: what was near before still tells much, but not all.
        u, _, vt = np.linalg.svd(np.eye(12) + 0.03 * turns.standard_normal((12, 12)))
        x = (x @ u @ vt).astype(np.float32)
        before = best_matches(x, z, k, dropouts, before)
        assert_equal_matches(before, x, z, k, dropouts)
        # Few kept entries: the best score can be 0, so that lists alone cannot decide.
        if share < 0.1:
            assert before.forward.searched_again and before.backward.searched_again


def test_matches_of_a_wrong_past_are_right_all_the_same(sides):
    x, z = sides
    dropouts = Dropout(0.3, 1), Dropout(0.3, 2)
    past = best_matches(x @ rotation(np.random.default_rng(6), 12).astype("f"), z, 10, dropouts)
    assert_equal_matches(best_matches(x, z, 10, dropouts, past), x, z, 10, dropouts)


def test_a_good_past_saves_the_second_search(sides):
    x, z = sides
    first = best_matches(x, z, 10, (Dropout(0.5, 1), Dropout(0.5, 2)))
    second = best_matches(x, z, 10, (Dropout(0.5, 3), Dropout(0.5, 4)), first)
    assert second.forward.searched_again < 0.1 * len(x) < first.forward.searched_again


@pytest.mark.parametrize("size", [(7, 11), (64, 32), (1024, 5)])
def test_blocks_and_threads_change_nothing(sides, monkeypatch, size):
    x, z = sides
    dropouts = Dropout(0.2, 1), Dropout(0.2, 2)
    whole = best_matches(x, z, 10, dropouts)
    for module in (_tiles, _exact_search):
        monkeypatch.setattr(module, "ROWS", size[0])
        monkeypatch.setattr(module, "COLUMNS", size[1])
        monkeypatch.setattr(module, "usable_threads", lambda: 3)
    monkeypatch.setattr(_tiles, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(_tiles, "_SMALLEST", 0)
    for before in (None, whole):
        found = best_matches(x, z, 10, dropouts, before)
        np.testing.assert_array_equal(found.forward.best, whole.forward.best)
        np.testing.assert_array_equal(found.backward.best, whole.backward.best)
        np.testing.assert_array_equal(found.forward.nearest, whole.forward.nearest)
        np.testing.assert_array_equal(found.backward.nearest, whole.backward.nearest)


def test_dropout_keeps_its_share_whatever_the_row_column_or_key():
    masks = [mask(200, 300, Dropout(0.1, key)) for key in (1, 2, 2**63 + 1)]
    for one in masks:
        assert one.mean() == pytest.approx(0.1, abs=0.005)
        assert one.mean(axis=0).std() == pytest.approx((0.09 / 200) ** 0.5, rel=0.2)
        assert one.mean(axis=1).std() == pytest.approx((0.09 / 300) ** 0.5, rel=0.2)
        assert (one[1:] & one[:-1]).mean() == pytest.approx(0.01, abs=0.003)
    assert (masks[0] & masks[1]).mean() == pytest.approx(0.01, abs=0.003)
    assert mask(20, 30, Dropout(1.0, 5)).all()


def test_pairs_of_the_directions():
    rng = np.random.default_rng(7)
    x, z = unit_rows(rng, (9, 4)), unit_rows(rng, (6, 4))
    matches = best_matches(x, z, 3, (Dropout(1.0, 0), Dropout(1.0, 0)))
    forward = [[i, matches.forward.best[i]] for i in range(9)]
    backward = [[matches.backward.best[j], j] for j in range(6)]
    assert matched_pairs(matches, Direction.FORWARD).tolist() == forward
    assert matched_pairs(matches, Direction.BACKWARD).tolist() == backward
    assert matched_pairs(matches, Direction.UNION).tolist() == forward + backward


# --- The start without pairs ---


def dense_profiles(x):
    return np.sort(root(x.astype(float) @ x.astype(float).T, 0.5), axis=1)


def test_similarity_profiles_are_the_sorted_root_of_the_products():
    rng = np.random.default_rng(8)
    x = unit_rows(rng, (12, 20))  # more dimensions than words, so that the root is well defined
    np.testing.assert_allclose(similarity_profiles(x), dense_profiles(x), atol=1e-5)
    x = unit_rows(rng, (20, 5))
    np.testing.assert_allclose(similarity_profiles(x), dense_profiles(x), atol=1e-5)


def test_first_pairs_match_normalised_profiles_by_csls():
    rng = np.random.default_rng(9)
    x = unit_center_unit(clustered(rng, 80, 90))
    z = unit_center_unit(x + 0.02 * rng.standard_normal(x.shape))
    found = first_pairs(x.astype("f"), z.astype("f"), Normalisation.UNIT_CENTER_UNIT, 10, Direction.UNION)
    profiles = [unit_center_unit(dense_profiles(side)) for side in (x, z)]
    everything = Dropout(1.0, 0), Dropout(1.0, 0)
    forward, backward, _, _ = dense_matches(*profiles, 10, everything)
    np.testing.assert_array_equal(found[:80], np.stack([np.arange(80), forward], axis=1))
    np.testing.assert_array_equal(found[80:], np.stack([backward, np.arange(80)], axis=1))


# --- The loop ---


def dense_loop(x, z, pairs, settings, seed):
    """The published loop with dense steps; rotations only."""
    x, z = unit_center_unit(x), unit_center_unit(z)
    rng = np.random.default_rng(seed)
    share, best, improved, history = settings.stochastic_initial, -np.inf, 0, []
    iteration = 1
    while True:
        if iteration - improved > settings.stochastic_interval:
            if share >= 1:
                return pairs, history
            share, improved = min(1, share * settings.stochastic_multiplier), iteration
        u, _, vt = np.linalg.svd(x[pairs[:, 0]].T @ z[pairs[:, 1]])
        keys = rng.integers(2**64, size=2, dtype=np.uint64)
        dropouts = [Dropout(share, int(key)) for key in keys]
        forward, backward, highest_x, highest_z = dense_matches(x @ u @ vt, z, 10, dropouts)
        pairs = np.concatenate(
            [np.stack([np.arange(len(x)), forward], 1), np.stack([backward, np.arange(len(z))], 1)]
        )
        history.append((highest_x.mean() + highest_z.mean()) / 2)
        if history[-1] - best >= settings.threshold:
            best, improved = history[-1], iteration
        iteration += 1


def test_the_loop_is_the_published_one(sides):
    x, z = (side[:60] for side in sides)
    method = VecMap(self_learning=True, stochastic_initial=0.4, stochastic_interval=2)
    mapping = method.fit(x, z, same(20), seed=5)
    pairs, history = dense_loop(x, z, same(20), method, 5)
    np.testing.assert_allclose(mapping.history["objective"], history, atol=1e-5)
    expected = VecMap.supervised().fit(x, z, pairs)
    np.testing.assert_allclose(mapping.source, expected.source, atol=1e-4)
    assert set(mapping.history["kept"]) == {0.4, 0.8, 1.0}


def test_self_learning_sees_frequent_words_only(sides):
    x, z = sides
    method = VecMap(self_learning=True, vocabulary_cutoff=60, maximum_iterations=3)
    pairs = np.array([[i, i] for i in range(20)] + [[140, 140]])  # a seed may be rarer
    found = method.fit(x, z, pairs)
    again = x.copy()
    again[200:] = again[[200]]
    changed = method.fit(again, z, pairs)
    assert not np.allclose(found.source_means, changed.source_means)  # means are of all words
    assert len(found.history["objective"]) == 3


def planted(words, d, seed, noise=0.15):
    rng = np.random.default_rng(seed)
    x = clustered(rng, words, d)
    z = x @ rotation(rng, d) + noise * rng.standard_normal((words, d))
    return unit64(x).astype(np.float32), unit64(z).astype(np.float32)


@pytest.mark.parametrize("method", [VecMap.supervised(), VecMap.emnlp2016(), VecMap.aaai2018()], ids=str)
def test_recovers_a_planted_rotation_where_half_of_the_words_have_no_translation(method):
    x, z = planted(600, 20, 0, noise=0.0)
    kept_rows = np.random.default_rng(1).permutation(600)[:300]
    gold = np.full(600, -1)
    gold[kept_rows] = np.arange(300)
    # The centres differ now; the dictionary is half of what both sides have.
    pairs = np.stack([kept_rows[:150], np.arange(150)], axis=1)
    mapping = method.fit(x, z[kept_rows], pairs)
    order = kept_rows[150:]
    assert precision(x[order], z[kept_rows], mapping, gold[order]) > 0.95


def test_recovers_a_general_linear_map_with_noise_better_than_a_rotation():
    rng = np.random.default_rng(2)
    x = unit64(clustered(rng, 800, 20)).astype(np.float32)
    z = x @ (rotation(rng, 20) * np.geomspace(1, 0.03, 20)) @ rotation(rng, 20)
    z = unit64(z + 0.1 * z.std() * rng.standard_normal(z.shape)).astype(np.float32)
    whole, turned = (
        precision(x, z, method.fit(x, z, same(400)), np.arange(800))
        for method in (VecMap.supervised(), VecMap.emnlp2016())
    )
    assert whole > 0.8
    assert whole > turned + 0.05


def test_25_pairs_are_enough_for_self_learning():
    x, z = planted(500, 60, 3, noise=0.3)
    gold = np.arange(500)
    method = VecMap(self_learning=True, stochastic_interval=4)
    grown = precision(x, z, method.fit(x, z, same(25)), gold)
    given = precision(x, z, VecMap.emnlp2016().fit(x, z, same(25)), gold)
    assert grown > 0.9
    assert given < 0.7


def test_2017_grows_a_small_dictionary_too():
    x, z = planted(600, 20, 4)
    mapping = VecMap.acl2017().fit(x, z, same(25))
    assert precision(x, z, mapping, np.arange(600)) > 0.9
    np.testing.assert_array_equal(mapping.target, np.eye(20, dtype=np.float32))
    assert set(mapping.history["kept"]) == {1.0}


def test_no_pairs_are_enough_where_spaces_have_the_same_shape():
    x, z = planted(600, 20, 5, noise=0.02)
    order = np.random.default_rng(6).permutation(600)
    method = VecMap(self_learning=True, similarity_start=True, stochastic_interval=5)
    mapping = method.fit(x, z[order])
    assert precision(x, z[order], mapping, order.argsort()) > 0.95


# --- Settings and errors ---


def test_presets_and_what_they_need():
    assert VecMap() == VecMap.supervised()
    assert VecMap.unsupervised().supervision is Supervision.NONE
    for method in (VecMap.supervised(), VecMap.semi_supervised(), VecMap.acl2017()):
        assert method.supervision is Supervision.REQUIRED
    x = unit_rows(np.random.default_rng(0), (30, 4))
    with pytest.raises(JointalignError, match="takes no dictionary and got one"):
        VecMap.unsupervised().fit(x, x, same(5))
    with pytest.raises(JointalignError, match="seed dictionary and got none"):
        VecMap.semi_supervised().fit(x, x)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stochastic_initial": 0.0}, "stochastic_initial must lie in \\(0, 1\\], got 0.0"),
        ({"stochastic_multiplier": 1.0}, "stochastic_multiplier must be above 1"),
        ({"stochastic_interval": 0}, "stochastic_interval must be at least 1"),
        ({"vocabulary_cutoff": 0}, "vocabulary_cutoff must be at least 1, got 0"),
        ({"maximum_iterations": 0}, "maximum_iterations must be at least 1, got 0"),
        ({"source_reweight": -1.0}, "source_reweight must be at least 0, got -1.0"),
        ({"direction": Direction.INTERSECTION}, "direction must be forward, backward or union"),
        ({"whiten": False}, "source_dewhiten must be None without `whiten`"),
        ({"similarity_start": True}, "similarity_start must be False without `self_learning`"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(JointalignError, match=message):
        VecMap(**settings)


def test_torch_tensors_give_what_arrays_give(sides):
    torch = pytest.importorskip("torch")
    x, z = sides
    for method in (VecMap.supervised(), VecMap(self_learning=True, stochastic_interval=2)):
        expected = method.fit(x, z, same(60))
        found = method.fit(torch.tensor(x), torch.tensor(z), same(60))
        assert isinstance(found.source, torch.Tensor)
        np.testing.assert_allclose(
            found.source.numpy() @ found.target.numpy().T, expected.source @ expected.target.T, atol=1e-4
        )
