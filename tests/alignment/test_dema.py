"""Oracles: the mixture in plain float64, slopes by differences, planted maps."""

import dataclasses

import array_api_strict
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from jointalign.alignment import _density  # noqa: E402
from jointalign.alignment._density import (  # noqa: E402
    DensityMatching,
    Side,
    cosine_loss,
    log_density,
    negative_log_likelihood,
)
from jointalign.alignment._induction import mean_csls  # noqa: E402
from jointalign.alignment.base import Supervision  # noqa: E402
from jointalign.alignment.dema import DeMaBWE  # noqa: E402
from jointalign.errors import JointalignError  # noqa: E402

QUICK = DeMaBWE(
    steps=300,
    batch_size=100,  # with 300 centres too little for torch to start threads
    most_frequent=300,
    check_every=100,
    learning_rate=0.02,
    source_noise=0.001,
    target_noise=0.001,
)


@pytest.fixture(autouse=True)
def one_thread():
    """The same result to the last bit; and threads cost more than such small work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rotation(rng, d):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def moved(x, means, matrix):
    x = unit(x.astype(np.float64))
    for mean in means:
        x = unit(x - mean)
    return unit(x @ matrix)


def plain_log_density(point, rank, centres, variance, temperature):
    """log sum_j pi_j N(point; c_j, v I), term by term, all of it in the open."""
    d = len(point)
    ranks = np.arange(1, len(centres) + 1)
    weights = np.exp(-np.abs(np.log(ranks) - np.log(rank)) / temperature)
    weights /= weights.sum()
    terms = [
        np.log(weight)
        - ((point - centre) ** 2).sum() / (2 * variance)
        - d / 2 * np.log(2 * np.pi)
        - np.log(np.linalg.det(variance * np.eye(d))) / 2
        for weight, centre in zip(weights, centres, strict=True)
    ]
    return np.logaddexp.reduce(terms)


@pytest.fixture
def tiny():
    rng = np.random.default_rng(0)
    return rng.standard_normal((9, 4)), rng.integers(0, 15, 9), rng.standard_normal((12, 4))


@pytest.mark.parametrize("temperature", [0.3, 2.0])
@pytest.mark.parametrize("entries", [1, 40, 1 << 22])  # rows of scores at a time: 1, 3, all
def test_log_density_is_that_of_the_mixture(tiny, temperature, entries, monkeypatch):
    points, rows, centres = tiny  # some ranks are beyond the last centre's
    monkeypatch.setattr(_density, "_ENTRIES", entries)
    side = Side(torch.tensor(centres), 0.0, 0.3)
    logs, pulled = log_density(torch.tensor(points), torch.tensor(rows), side, temperature)
    for i, (point, row) in enumerate(zip(points, rows, strict=True)):
        expected = plain_log_density(point, row + 1, centres, 0.3, temperature)
        assert float(logs[i]) == pytest.approx(expected, rel=1e-10)
        slope = np.zeros(4)
        for axis in range(4):
            ends = [
                plain_log_density(point + side * np.eye(4)[axis], row + 1, centres, 0.3, temperature)
                for side in (1e-6, -1e-6)
            ]
            slope[axis] = (ends[0] - ends[1]) / 2e-6
        # The slope of the log-density is the pull to `pulled`.
        np.testing.assert_allclose((pulled[i].numpy() - point) / 0.3, slope, atol=1e-5)


def test_float32_is_exact_enough_far_from_all_centres():
    rng = np.random.default_rng(1)
    points, centres = 2 * rng.standard_normal((5, 50)), unit(rng.standard_normal((30, 50)))
    side = Side(torch.tensor(centres, dtype=torch.float32), 0.0, 0.01)
    narrow = torch.tensor(points, dtype=torch.float32)
    logs, _ = log_density(narrow, torch.arange(5), side, 2.0)
    for i, point in enumerate(points):
        expected = plain_log_density(point, i + 1, centres, 0.01, 2.0)
        assert float(logs[i]) == pytest.approx(expected, rel=1e-5)


def test_likelihood_counts_the_volume_and_has_the_right_slope(tiny):
    points, rows, centres = tiny
    matrix = np.random.default_rng(2).standard_normal((4, 4))

    def value(w):
        volume = np.log(abs(np.linalg.det(w)))
        logs = [
            plain_log_density(point @ w, row + 1, centres, 0.5, 2.0)
            for point, row in zip(points, rows, strict=True)
        ]
        return -(np.mean(logs) + volume)

    w = torch.tensor(matrix, requires_grad=True)
    side = Side(torch.tensor(centres), 0.0, 0.5)
    slope, found = negative_log_likelihood(w, torch.tensor(points), torch.tensor(rows), side, 2.0)
    assert float(found) == pytest.approx(value(matrix), rel=1e-10)
    slope.backward()
    expected = np.zeros((4, 4))
    for place in np.ndindex(4, 4):
        nudge = np.zeros((4, 4))
        nudge[place] = 1e-6
        expected[place] = (value(matrix + nudge) - value(matrix - nudge)) / 2e-6
    np.testing.assert_allclose(w.grad.numpy(), expected, atol=1e-5)


def test_the_whole_loss_and_its_slope():
    """Both likelihoods, half the ways there and back, ten times the pairs."""
    rng = np.random.default_rng(3)
    x, z, left, right = rng.standard_normal((4, 6, 3))
    forward, backward = (torch.tensor(rng.standard_normal((3, 3))).requires_grad_() for _ in "fb")
    source, target = (Side(torch.tensor(side), 0.1, 0.4) for side in (x, z))
    settings = DensityMatching(1, 1, 6, 2.0, 0.5, 10.0, 1e-3, 1.0)
    rows = torch.arange(6)
    points = torch.tensor(rng.standard_normal((2, 6, 3)))

    def cosine(a, b):
        return 1 - np.mean([u @ v / np.linalg.norm(u) / np.linalg.norm(v) for u, v in zip(a, b, strict=True)])

    def value(f, b):
        p, q = points.numpy()
        log_f, log_b = (np.log(abs(np.linalg.det(w))) for w in (f, b))
        there = [plain_log_density(u @ f, i + 1, z, 0.4, 2.0) + log_f for i, u in enumerate(p)]
        back = [plain_log_density(u @ b, i + 1, x, 0.4, 2.0) + log_b for i, u in enumerate(q)]
        home = cosine(p @ f @ b, p) + cosine(q @ b @ f, q)
        pairs = cosine(left @ f, right) + cosine(right @ b, left)
        return -np.mean(there) - np.mean(back) + 0.5 * home + 10 * pairs

    pairs = torch.tensor(left), torch.tensor(right)
    drawn = (rows, points[0]), (rows, points[1])
    slope, found = settings._loss(forward, backward, source, target, pairs, drawn)
    f, b = forward.detach().numpy(), backward.detach().numpy()
    assert float(found) == pytest.approx(value(f, b), rel=1e-10)
    slope.backward()
    for matrix, at in (
        (forward, lambda nudge: value(f + nudge, b)),
        (backward, lambda nudge: value(f, b + nudge)),
    ):
        expected = np.zeros((3, 3))
        for place in np.ndindex(3, 3):
            nudge = np.zeros((3, 3))
            nudge[place] = 1e-6
            expected[place] = (at(nudge) - at(-nudge)) / 2e-6
        np.testing.assert_allclose(matrix.grad.numpy(), expected, atol=1e-5)


def test_cosine_loss():
    a = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    b = torch.tensor([[0.0, 1.0], [0.0, 5.0]])
    assert float(cosine_loss(a, b)) == pytest.approx(0.5)


def test_words_are_drawn_from_the_frequent_with_noise_of_the_given_variance():
    settings = DensityMatching(1, 1, 200_000, 2.0, 0.5, 10.0, 1e-3, 1.0)
    words = torch.tensor([[0.0], [10.0], [20.0], [30.0]])
    generator = torch.Generator().manual_seed(0)
    rows, noisy = settings._draw(Side(words, 0.25, 1.0), generator)
    counts = np.bincount(rows.numpy())
    assert len(counts) == 4 and counts.min() > 49_000
    errors = (noisy - words[rows]).numpy()
    assert errors.mean() == pytest.approx(0, abs=0.01)
    assert errors.var() == pytest.approx(0.25, rel=0.02)


@pytest.fixture
def planted():
    """A turned space with a little noise; pairs as identical strings are: few, scattered."""
    rng = np.random.default_rng(4)
    d = 8
    x = rng.standard_normal((300, d)) * np.linspace(1.5, 0.5, d) + 0.3
    z = x @ rotation(rng, d) + 0.03 * rng.standard_normal((300, d))
    pairs = np.stack([np.arange(0, 300, 10)] * 2, axis=1)
    return unit(x).astype(np.float32), unit(z).astype(np.float32), pairs


def hits(mapping, x, z):
    source = moved(x, mapping.source_means, mapping.source)
    target = moved(z, mapping.target_means, mapping.target)
    return ((source @ target.T).argmax(axis=1) == np.arange(len(x))).mean()


@pytest.mark.parametrize("start_from_pairs", [False, True])
def test_recovers_a_planted_rotation_with_few_pairs(planted, start_from_pairs):
    x, z, pairs = planted
    method = dataclasses.replace(QUICK, start_from_pairs=start_from_pairs)
    assert method.supervision is Supervision.OPTIONAL
    mapping = method.fit(x, z, pairs)
    assert hits(mapping, x, z) > 0.95
    assert mapping.source.dtype == mapping.source_means[0].dtype == np.float32
    np.testing.assert_array_equal(mapping.target, np.eye(8))
    assert len(mapping.source_means) == len(mapping.target_means) == 1
    np.testing.assert_allclose(mapping.source_means[0], unit(x).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(mapping.target_means[0], unit(z).mean(axis=0), atol=1e-6)


def test_density_teaches_what_four_pairs_cannot(planted):
    x, z, pairs = planted
    four = pairs[:4]
    start = dataclasses.replace(QUICK, steps=0, start_from_pairs=True).fit(x, z, four)
    found = dataclasses.replace(QUICK, steps=500, start_from_pairs=True).fit(x, z, four)
    assert hits(start, x, z) < 0.5 < 0.9 < hits(found, x, z)


def test_refinement_corrects_a_rough_start(planted):
    x, z, pairs = planted
    method = dataclasses.replace(QUICK, steps=0, start_from_pairs=True)
    rough = method.fit(x, z, pairs[:5])
    refined = dataclasses.replace(method, refinements=5).fit(x, z, pairs[:5])
    assert hits(refined, x, z) > hits(rough, x, z) + 0.2
    assert len(refined.history["criterion"]) == 6
    assert max(refined.history["criterion"]) > rough.history["criterion"][0]


def test_the_map_of_the_highest_criterion_is_returned(planted):
    x, z, pairs = planted
    # At this rate the later steps only jump about.
    method = dataclasses.replace(QUICK, steps=50, check_every=10, learning_rate=0.5)
    mapping = dataclasses.replace(method, start_from_pairs=True).fit(x, z, pairs)
    criteria = mapping.history["criterion"]
    assert len(criteria) == 6 and len(mapping.history["loss"]) == 5
    source = moved(x, mapping.source_means, mapping.source)
    target = moved(z, mapping.target_means, mapping.target)
    assert mean_csls(source, target) == pytest.approx(max(criteria), abs=1e-5)
    assert criteria[-1] < max(criteria) - 0.01


def test_the_same_seed_gives_the_same_result_and_another_another(planted):
    method = dataclasses.replace(QUICK, steps=20)
    first, same, other = (method.fit(*planted, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.source, same.source)
    assert first.history == same.history
    assert np.abs(first.source - other.source).max() > 1e-3


def test_the_global_state_of_torch_is_left_alone(planted):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with torch.no_grad():
        dataclasses.replace(QUICK, steps=3).fit(*planted)
    np.testing.assert_array_equal(torch.rand(3), expected)


def test_only_the_pairs_of_frequent_source_words_are_used(planted):
    x, z, pairs = planted
    wrong = np.stack([np.arange(150, 300), np.arange(150)], axis=1)
    mixed = np.concatenate([wrong, pairs])
    method = dataclasses.replace(QUICK, steps=0, start_from_pairs=True)
    few = dataclasses.replace(method, maximum_pairs=15).fit(x, z, mixed)
    np.testing.assert_array_equal(few.source, method.fit(x, z, pairs[:15]).source)
    every = dataclasses.replace(method, maximum_pairs=None).fit(x, z, mixed)
    assert np.abs(every.source - few.source).max() > 0.01


def test_without_pairs_it_runs_and_warns(planted, caplog):
    x, z, _ = planted
    mapping = dataclasses.replace(QUICK, steps=5).fit(x, z)
    assert np.isfinite(mapping.source).all() and np.isfinite(mapping.history["loss"]).all()
    assert "without pairs mostly fails" in caplog.text


@pytest.mark.parametrize("convert", [torch.tensor, array_api_strict.asarray])
def test_arrays_of_other_libraries(planted, convert):
    method = dataclasses.replace(QUICK, steps=5)
    expected = method.fit(*planted)
    mapping = method.fit(*(convert(array) for array in planted))
    for name in ("source", "target"):
        found = getattr(mapping, name)
        assert type(found) is type(convert(planted[0]))
        np.testing.assert_allclose(np.asarray(found), getattr(expected, name), atol=1e-5)


@pytest.mark.parametrize(
    "setting",
    [
        {"steps": -1},
        {"batch_size": 0},
        {"most_frequent": 0},
        {"temperature": 0},
        {"source_noise": -0.1},
        {"target_spread": float("nan")},
        {"learning_rate": 0},
        {"learning_rate_decay": 1.1},
        {"maximum_pairs": 0},
        {"check_every": 0},
        {"refinements": -1},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(JointalignError, match=next(iter(setting))):
        DeMaBWE(**setting)


def test_the_published_settings_are_the_defaults():
    method = DeMaBWE()
    assert (method.steps, method.batch_size, method.most_frequent) == (150_000, 2048, 20_000)
    assert DeMaBWE.small().steps < 10_000
