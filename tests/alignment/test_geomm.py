"""Oracles: dense Y in float64, numerical descent, pymanopt's manifolds, planted maps."""

import array_api_strict
import numpy as np
import pytest

from jointalign.alignment._geomm import cost, factors, mean_of_rows, minimizer, moments
from jointalign.alignment._shared_metric import Link, _at, _moved, _start, descend
from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.geomm_multilingual import MultilingualGeoMM
from jointalign.alignment.geomm_semi import SemiSupervisedGeoMM
from jointalign.errors import JointalignError


def unit_rows(rng, shape):
    x = rng.standard_normal(shape).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def problem(seed, d, words=60, pairs=90):
    """Vectors with structure, and a dictionary with many translations and repeated lines."""
    rng = np.random.default_rng(seed)
    x = unit_rows(rng, (words, d))
    z = unit(x @ rotation(rng, d) + 0.2 * rng.standard_normal((words, d)).astype(np.float32))
    rows = np.stack([rng.integers(0, words // 2, pairs), rng.integers(0, words // 2, pairs)], axis=1)
    rows = np.concatenate([rows, np.stack([np.arange(words // 2)] * 2, axis=1), rows[:10]])
    return x, z, rows


def dense(x, z, rows):
    """Centred distinct words and the whole of Y, float64, word by word."""
    x, z = x.astype(np.float64), z.astype(np.float64)
    x, z = x - x.mean(axis=0), z - z.mean(axis=0)
    sources, targets = sorted(set(rows[:, 0].tolist())), sorted(set(rows[:, 1].tolist()))
    y = np.zeros((len(sources), len(targets)))
    for source, target in rows.tolist():
        y[sources.index(source), targets.index(target)] = 1
    return x[sources], z[targets], y


def dense_cost(w, xs, zt, y, regularization):
    return ((xs @ w @ zt.T - y) ** 2).sum() + regularization / 2 * (w**2).sum()


def sums_of(x, z, rows):
    return moments(x, z, rows, mean_of_rows(x), mean_of_rows(z))


def accuracy(mapping, x, z):
    """Share of rows whose counterpart of the same number is nearest."""
    for mean in mapping.source_means:
        x = x - mean
    for mean in mapping.target_means:
        z = z - mean
    scores = unit(x @ mapping.source) @ unit(z @ mapping.target).T
    return (scores.argmax(axis=1) == np.arange(len(x))).mean()


@pytest.mark.parametrize("regularization", [0.1, 100.0])
def test_solution_equals_the_dense_formula(regularization):
    x, z, rows = problem(0, 6)
    xs, zt, y = dense(x, z, rows)
    # Cx W Cz + lambda/2 W = X'YZ as one linear system of 36 unknowns.
    system = np.kron(xs.T @ xs, zt.T @ zt) + regularization / 2 * np.eye(36)
    expected = np.linalg.solve(system, (xs.T @ y @ zt).ravel()).reshape(6, 6)
    mapping = GeoMM(regularization).fit(x, z, rows)
    np.testing.assert_allclose(mapping.source @ mapping.target.T, expected, rtol=1e-4, atol=1e-6)
    found = mapping.history["cost"][0]
    assert found == pytest.approx(dense_cost(expected, xs, zt, y, regularization), rel=1e-9)
    np.testing.assert_allclose(mapping.source_means[0], x.mean(axis=0), atol=1e-6)


def test_gradient_of_the_published_cost_is_zero():
    x, z, rows = problem(1, 5)
    xs, zt, y = dense(x, z, rows)
    w = minimizer(sums_of(x, z, rows), 10.0)
    # By differences of the dense cost, in which the half is written out.
    for place in np.ndindex(5, 5):
        change = np.zeros((5, 5))
        change[place] = 1e-4
        up, down = (dense_cost(w + c, xs, zt, y, 10.0) for c in (change, -change))
        assert abs(up - down) / 2e-4 < 1e-7


def test_no_numerical_descent_on_the_three_matrices_gets_lower():
    x, z, rows = problem(2, 4)
    xs, zt, y = dense(x, z, rows)
    best = GeoMM(1.0).fit(x, z, rows).history["cost"][0]
    # U_s B U_t' with U = QR and B = L L' + a little, descended by differences from random starts.
    rng = np.random.default_rng(0)

    def value(free):
        a, b, c = free.reshape(3, 4, 4)
        us, ut = np.linalg.qr(a)[0], np.linalg.qr(b)[0]
        return dense_cost(us @ (c @ c.T) @ ut.T, xs, zt, y, 1.0)

    ends = []
    for _ in range(3):
        free, step = rng.standard_normal(48), 0.1
        now = value(free)
        for _ in range(400):
            slope = np.array([value(free + 1e-6 * e) - now for e in np.eye(48)]) / 1e-6
            while step > 1e-9 and value(free - step * slope) >= now:
                step /= 2
            if step <= 1e-9:
                break
            free, step = free - step * slope, step * 2
            now = value(free)
        ends.append(now)
    assert best <= min(ends) + 1e-9
    assert min(ends) < best * 1.02  # the comparison means something: it came close


def test_factors_are_rotations_and_a_positive_metric():
    x, z, rows = problem(3, 6)
    w = minimizer(sums_of(x, z, rows), 1.0)
    source, target = factors(w)
    np.testing.assert_allclose(source @ target.T, w, atol=1e-12)
    metric = source.T @ source  # B, if U_s is orthogonal
    np.testing.assert_allclose(metric, target.T @ target, atol=1e-12)
    np.testing.assert_allclose(metric, np.diag(np.diag(metric)), atol=1e-12)
    assert (np.diag(metric) > 0).all()
    for side in (source, target):
        u = side / np.sqrt(np.diag(metric))
        np.testing.assert_allclose(u.T @ u, np.eye(6), atol=1e-10)


def test_recovers_a_planted_rotation():
    rng = np.random.default_rng(4)
    x = unit_rows(rng, (300, 10))
    z = x @ rotation(rng, 10)
    assert accuracy(GeoMM().fit(x, z, np.stack([np.arange(120)] * 2, axis=1)), x, z) == 1


def test_recovers_a_planted_linear_map_with_noise():
    rng = np.random.default_rng(5)
    x = unit_rows(rng, (400, 12))
    linear = rotation(rng, 12) * np.linspace(0.4, 2.5, 12).astype(np.float32) @ rotation(rng, 12)
    z = x @ linear
    z = unit(z + 0.03 * rng.standard_normal(z.shape).astype(np.float32))
    mapping = GeoMM(1.0).fit(x, z, np.stack([np.arange(300)] * 2, axis=1))
    assert accuracy(mapping, x, z) > 0.95  # most of those words are outside the dictionary's 300
    assert accuracy(mapping, x[300:], z[300:]) > 0.95


def test_half_of_the_words_missing_on_one_side():
    rng = np.random.default_rng(6)
    x = unit_rows(rng, (400, 10))
    z = (x @ rotation(rng, 10))[::2]  # target row i is source row 2 i
    pairs = np.stack([2 * np.arange(100), np.arange(100)], axis=1)
    assert accuracy(GeoMM().fit(x, z, pairs), x[::2], z) == 1


def test_a_repeated_pair_changes_nothing_and_another_translation_does():
    x, z, rows = problem(7, 6)
    once = GeoMM().fit(x, z, rows)
    twice = GeoMM().fit(x, z, np.concatenate([rows[::-1], rows]))
    np.testing.assert_array_equal(once.source, twice.source)
    more = GeoMM().fit(x, z, np.concatenate([rows, [[rows[0, 0], 55]]]))
    assert not np.allclose(once.source @ once.target.T, more.source @ more.target.T, atol=1e-4)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_change_nothing(block, monkeypatch):
    x, z, rows = problem(8, 5)
    xs, zt, y = dense(x, z, rows)
    monkeypatch.setattr("jointalign.alignment._geomm._BLOCK", block)
    sums = sums_of(x, z, rows)
    np.testing.assert_allclose(sums.source, xs.T @ xs, atol=1e-6)
    np.testing.assert_allclose(sums.target, zt.T @ zt, atol=1e-6)
    np.testing.assert_allclose(sums.cross, xs.T @ y @ zt, atol=1e-6)
    assert sums.pairs == y.sum()


def test_fewer_pairs_than_dimensions_are_finite():
    rng = np.random.default_rng(9)
    x = unit_rows(rng, (50, 20))
    mapping = GeoMM().fit(x, x @ rotation(rng, 20), np.array([[0, 0], [1, 1], [2, 2]]))
    assert np.isfinite(mapping.source).all() and np.linalg.matrix_rank(mapping.source, 1e-5) == 3


def test_runs_on_any_array_api_library():
    x, z, rows = problem(10, 5)
    strict = GeoMM().fit(*(array_api_strict.asarray(a) for a in (x, z, rows)))
    assert strict.source.dtype == strict.source_means[0].dtype == array_api_strict.float32
    found = np.asarray(strict.source) @ np.asarray(strict.target).T
    expected = GeoMM().fit(x, z, rows)
    np.testing.assert_allclose(found, expected.source @ expected.target.T, atol=1e-6)


# Semi-supervised.


@pytest.fixture(scope="module")
def small_dictionary():
    """1500 words of a clustered space, its noisy rotation, and fewer pairs than dimensions."""
    rng = np.random.default_rng(11)
    centres = rng.standard_normal((40, 20)) * np.linspace(2, 0.5, 20)
    x = centres[rng.integers(0, 40, 1500)] + 0.7 * rng.standard_normal((1500, 20))
    x = unit(x.astype(np.float32))
    z = unit(x @ rotation(rng, 20) + 0.05 * rng.standard_normal(x.shape).astype(np.float32))
    return x, z, np.stack([np.arange(9)] * 2, axis=1)


def test_self_learning_beats_the_dictionary_alone(small_dictionary):
    x, z, pairs = small_dictionary
    alone = SemiSupervisedGeoMM(rounds=0).fit(x, z, pairs)
    grown = SemiSupervisedGeoMM().fit(x, z, pairs)
    assert accuracy(grown, x, z) > accuracy(alone, x, z) + 0.1
    assert "precision" not in grown.history  # two words cannot judge
    assert max(grown.history["pairs"]) > 1000


def test_stops_when_it_hurts_and_keeps_the_best_round():
    rng = np.random.default_rng(12)
    x = unit_rows(rng, (600, 8))
    z = unit_rows(rng, (600, 8))  # nothing to find beyond the dictionary: every found pair is wrong
    z[:400] = x[:400] @ rotation(rng, 8)
    pairs = np.stack([np.arange(400)] * 2, axis=1)
    grown = SemiSupervisedGeoMM().fit(x, z, pairs)
    precision = grown.history["precision"]
    assert len(precision) <= 3
    if max(precision) == next(iter(precision)):
        alone = SemiSupervisedGeoMM(held_out=0, rounds=0).fit(x, z, pairs)
        np.testing.assert_allclose(grown.source, alone.source, atol=1e-6)
    assert accuracy(grown, x[:400], z[:400]) > 0.95


def test_a_round_is_geomm_with_the_loss_divided_by_the_pairs(small_dictionary):
    x, z, pairs = small_dictionary
    semi = SemiSupervisedGeoMM(regularization=0.2, rounds=0).fit(x, z, pairs)
    plain = GeoMM(0.2 * len(pairs)).fit(x, z, pairs)
    np.testing.assert_allclose(semi.source, plain.source, atol=1e-6)
    assert semi.history["cost"][-1] * len(pairs) == pytest.approx(plain.history["cost"][0])


# Many languages.


def links_of(vectors, dictionaries):
    links = []
    for (i, j), rows in dictionaries.items():
        s = sums_of(vectors[i], vectors[j], rows)
        links.append(Link(i, j, s.source / s.pairs, s.target, s.cross / s.pairs))
    return links


def test_two_languages_reach_the_closed_form():
    x, z, rows = problem(13, 12, words=120, pairs=60)
    sums = sums_of(x, z, rows)
    exact = cost(minimizer(sums, 0.1 * sums.pairs), sums, 0.1 * sums.pairs) / sums.pairs
    mapping = MultilingualGeoMM(tolerance=1e-10, steps=3000).fit([x, z], {(0, 1): rows})
    costs = mapping.history["cost"]
    assert exact - 1e-9 <= costs[-1] < exact + 1e-4 * (1 - exact)
    assert list(costs) == sorted(costs, reverse=True) and costs[0] > costs[-1]


def three(seed, d):
    x, z, rows = problem(seed, d, words=100, pairs=20)
    rng = np.random.default_rng(seed + 100)
    third = unit(z @ rotation(rng, d) + 0.2 * rng.standard_normal(z.shape).astype(np.float32))
    return [x, z, third], {(0, 1): rows, (2, 1): rows[:, ::-1]}


def test_gradient_equals_differences_of_the_dense_cost():
    vectors, dictionaries = three(14, 4)
    links = links_of(vectors, dictionaries)
    point = _at(links, 0.3, *_start(links, 3, 0.3))

    def dense_at(rotations, metric):
        total = 0.15 * (metric**2).sum()
        for (i, j), rows in dictionaries.items():
            xs, zt, y = dense(vectors[i], vectors[j], rows)
            w = rotations[i] * metric @ rotations[j].T
            total += dense_cost(w, xs, zt, y, 0) / y.sum()
        return total

    assert point.cost == pytest.approx(dense_at(point.rotations, point.metric), abs=1e-7)
    for place in range(len(point.gradient)):
        change = np.zeros(len(point.gradient))
        change[place] = 1e-4
        slope = (dense_at(*_moved(point, change)) - dense_at(*_moved(point, -change))) / 2e-4
        assert slope == pytest.approx(point.gradient[place], abs=1e-6)


def test_rotations_stay_orthogonal_and_share_one_metric():
    vectors, dictionaries = three(15, 6)
    mapping = MultilingualGeoMM().fit(vectors, dictionaries)
    assert mapping.converged and len(mapping.matrices) == 3
    metric = mapping.matrices[0].T @ mapping.matrices[0]
    for matrix in mapping.matrices[1:]:
        np.testing.assert_allclose(matrix.T @ matrix, metric, atol=1e-5)
    *_, last = descend(links_of(vectors, dictionaries), 3, 0.1, 200, 1e-6)
    for u in last.rotations:
        np.testing.assert_allclose(u.T @ u, np.eye(6), atol=1e-10)


def test_languages_without_a_dictionary_meet():
    rng = np.random.default_rng(16)
    x = unit_rows(rng, (200, 8))
    vectors = [x] + [x @ rotation(rng, 8) for _ in range(3)]
    pairs = np.stack([np.arange(80)] * 2, axis=1)
    mapping = MultilingualGeoMM().fit(vectors, {(0, 1): pairs, (2, 1): pairs, (2, 3): pairs})
    assert accuracy(mapping.between(0, 3), vectors[0], vectors[3]) == 1


@pytest.mark.parametrize(
    ("count", "dictionaries", "message"),
    [
        (1, {}, "at least 2 languages, got 1"),
        (3, {(0, 1): [[0, 0]]}, r"link languages \[2\]"),
        (2, {(0, 2): [[0, 0]]}, r"dictionary \(0, 2\) must be between"),
        (2, {(0, 1): [[0, 99]]}, r"dictionary \(0, 1\): pairs name target row 99"),
    ],
)
def test_bad_languages_are_refused_in_plain_words(count, dictionaries, message):
    vectors = [unit_rows(np.random.default_rng(0), (10, 3)) for _ in range(count)]
    with pytest.raises(JointalignError, match=message):
        MultilingualGeoMM().fit(vectors, {k: np.array(v) for k, v in dictionaries.items()})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GeoMM(0), "regularization must be above 0, got 0"),
        (lambda: SemiSupervisedGeoMM(regularization=-1), "regularization must be above 0, got -1"),
        (lambda: SemiSupervisedGeoMM(held_out=1), r"held_out must lie in \[0, 1\), got 1"),
        (lambda: SemiSupervisedGeoMM(patience=0), "patience must be at least 1, got 0"),
        (lambda: MultilingualGeoMM(steps=-1), "steps must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(JointalignError, match=message):
        make()


# Against pymanopt, in the published variables: rotations and a positive definite matrix.


def by_pymanopt(links, languages, regularization, steps):
    pymanopt = pytest.importorskip("pymanopt", minversion="2.2")
    from pymanopt.manifolds import Product, Stiefel, SymmetricPositiveDefinite
    from pymanopt.optimizers import ConjugateGradient

    d = len(links[0].cross)
    manifold = Product([Stiefel(d, d)] * languages + [SymmetricPositiveDefinite(d)])

    @pymanopt.function.numpy(manifold)
    def value(*free):
        total = regularization / 2 * (free[-1] ** 2).sum() + len(links)
        for i, j, source, target, cross in links:
            w = free[i] @ free[-1] @ free[j].T
            total += (w * (source @ w @ target - 2 * cross)).sum()
        return total

    @pymanopt.function.numpy(manifold)
    def gradient(*free):
        b, slopes = free[-1], [np.zeros((d, d)) for _ in free]
        slopes[-1] += regularization * b
        for i, j, source, target, cross in links:
            slope = 2 * (source @ free[i] @ b @ free[j].T @ target - cross)
            slopes[i] += slope @ free[j] @ b
            slopes[j] += slope.T @ free[i] @ b
            shared = free[i].T @ slope @ free[j]
            slopes[-1] += (shared + shared.T) / 2
        return slopes

    optimizer = ConjugateGradient(max_iterations=steps, min_gradient_norm=1e-9, verbosity=0)
    # Its own start is random without a seed.
    rng = np.random.default_rng(0)
    start = [np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(languages)]
    task = pymanopt.Problem(manifold, value, euclidean_gradient=gradient)
    return optimizer.run(task, initial_point=[*start, np.eye(d)]).cost


@pytest.mark.parametrize("d", [20, 50])
def test_closed_form_is_not_above_pymanopt(d):
    x, z, rows = problem(17, d, words=200, pairs=40)
    links = links_of([x, z], {(0, 1): rows})
    found = by_pymanopt(links, 2, 0.1, 150)
    sums = sums_of(x, z, rows)
    exact = cost(minimizer(sums, 0.1 * sums.pairs), sums, 0.1 * sums.pairs) / sums.pairs
    assert exact <= found + 1e-9
    assert 1 - found > 0.5 * (1 - exact)  # pymanopt got somewhere, too


def test_three_languages_are_not_above_pymanopt():
    vectors, dictionaries = three(18, 20)
    links = links_of(vectors, dictionaries)
    found = by_pymanopt(links, 3, 0.1, 400)
    ours = MultilingualGeoMM(tolerance=1e-8).fit(vectors, dictionaries).history["cost"][-1]
    assert ours <= found + 1e-3 * (2 - found)
    assert 2 - found > 0.5 * (2 - ours)
