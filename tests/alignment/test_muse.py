"""Oracles: torch's autograd for the game, dense float64 CSLS for the refinement, planted maps."""

import logging
import math

import numpy as np
import pytest

from jointalign.alignment._refining import agreement, hold_out
from jointalign.alignment._verdict import AGREED, CLEAR, RANDOM_MAPS, SPREADS, looks_failed, succeeded
from jointalign.alignment.base import Mapping
from jointalign.alignment.muse import MUSE
from jointalign.errors import JointalignError, MissingExtraError

SMALL = {"hidden": 64, "epochs": 4, "epoch_size": 16_000, "learning_rate": 0.3}


def normalized(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def rotation(rng, d):
    q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q.astype(np.float32)


def structured(rng, n, d):
    """Clusters of uneven sizes in an uneven space, off the origin: a shape that tells its turn."""
    axes = np.linspace(1.5, 0.3, d)
    centres = rng.standard_normal((10, d)) * axes
    x = centres[rng.choice(10, n, p=rng.dirichlet(np.full(10, 0.7)))]
    x += 0.5 * axes * rng.standard_normal((n, d)) + np.array([1.0, 0.5] + [0.0] * (d - 2))
    return normalized(x)


def hits(x, z, matrix):
    return float(((x @ matrix @ z.T).argmax(axis=1) == np.arange(len(x))).mean())


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small products: waiting for another thread costs more than it brings
    yield torch
    torch.set_num_threads(threads)


# --- The game -------------------------------------------------------------------------------------


def game(**changes):
    from jointalign.alignment._adversary import Game

    settings = {
        "epochs": 3,
        "epoch_size": 24,
        "batch_size": 8,
        "hidden": 7,
        "discriminator_steps": 2,
        "most_frequent": 15,
        "dropout": 0.25,
        "smoothing": 0.1,
        "learning_rate": 0.5,
        "learning_rate_decay": 0.9,
        "learning_rate_shrink": 0.5,
        "minimum_learning_rate": 1e-6,
        "orthogonality": 0.01,
    }
    return Game(**(settings | changes))


def autograd_discriminator(torch, own, d, hidden):
    """The same network of torch's own layers, with the same weights."""
    nn = torch.nn
    network = nn.Sequential(
        nn.Linear(d, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, 1),
        nn.Sigmoid(),
        nn.Flatten(0),
    ).double()
    with torch.no_grad():
        for layer, weight, bias in (
            (network[0], own.first.T, own.first_bias),
            (network[2], own.second.T, own.second_bias),
            (network[4], own.last[None, :], own.last_bias),
        ):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
    return network


def test_an_epoch_equals_autograd_on_the_published_losses(torch):
    from jointalign.alignment._adversary import Discriminator, _epoch

    settings, d = game(), 5
    x = torch.randn(20, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z = torch.randn(17, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    own = Discriminator(d, settings.hidden, x, torch.Generator().manual_seed(2))
    network = autograd_discriminator(torch, own, d, settings.hidden)
    matrix = torch.eye(d, dtype=torch.float64) + 0.1
    expected = torch.nn.Parameter(matrix.clone())
    loss = _epoch(settings, own, x, z, matrix, 0.3, torch.Generator().manual_seed(3))

    draw = torch.Generator().manual_seed(3)
    discriminator_descent = torch.optim.SGD(network.parameters(), lr=settings.learning_rate)
    map_descent = torch.optim.SGD([expected], lr=0.3)
    entropy = torch.nn.functional.binary_cross_entropy
    labels = torch.tensor([0.9] * 8 + [0.1] * 8, dtype=torch.float64)
    losses = []
    for _ in range(3):
        sources = x[torch.randint(len(x), (3, 8), generator=draw)]
        targets = z[torch.randint(len(z), (2, 8), generator=draw)]
        mask = torch.empty(2, 16, d, dtype=torch.float64).bernoulli_(0.75, generator=draw)
        for step in range(2):
            rows = torch.cat([sources[step] @ expected.detach(), targets[step]])
            loss_here = entropy(network(rows * mask[step] / 0.75), labels)
            discriminator_descent.zero_grad()
            loss_here.backward()
            discriminator_descent.step()
            losses.append(loss_here.item())
        # The published batch: both languages, labels flipped; the target half is any at all.
        rows = torch.cat([sources[2] @ expected, targets[0]])
        map_descent.zero_grad()
        entropy(network(rows), 1 - labels).backward()
        map_descent.step()
        with torch.no_grad():
            w = expected.detach().clone()
            expected.copy_(1.01 * w - 0.01 * w @ w.T @ w)

    assert loss == pytest.approx(np.mean(losses), abs=1e-12)
    np.testing.assert_allclose(matrix, expected.detach(), atol=1e-12)
    np.testing.assert_allclose(own.first, network[0].weight.detach().T, atol=1e-12)
    np.testing.assert_allclose(own.second, network[2].weight.detach().T, atol=1e-12)
    np.testing.assert_allclose(own.last, network[4].weight.detach()[0], atol=1e-12)
    for bias, layer in ((own.first_bias, 0), (own.second_bias, 2), (own.last_bias, 4)):
        np.testing.assert_allclose(bias, network[layer].bias.detach(), atol=1e-12)
    assert (matrix - torch.eye(d) - 0.1).abs().max() > 1e-3  # it did move


def test_only_the_most_frequent_words_play(torch):
    from jointalign.alignment._adversary import play

    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[15:] = 100.0
    first, second = (play(game(), each, each, torch.eye(5), lambda w: 0.0, 0).losses for each in (x, other))
    assert first == second and len(first) == 3


def test_straightening_is_the_formula_and_leads_to_an_orthogonal_map(torch):
    from jointalign.alignment._adversary import straighten

    rng = np.random.default_rng(0)
    w = rotation(rng, 6).astype(np.float64) + 0.05 * rng.standard_normal((6, 6))
    moved = torch.tensor(w)
    straighten(moved, 0.01)
    np.testing.assert_allclose(moved, 1.01 * w - 0.01 * w @ w.T @ w, atol=1e-14)
    for _ in range(2000):
        straighten(moved, 0.01)
    np.testing.assert_allclose(moved @ moved.T, np.eye(6), atol=1e-10)
    u, _, vt = np.linalg.svd(w)
    np.testing.assert_allclose(moved, u @ vt, atol=1e-10)  # the closest one, moreover


def test_learning_rate_decays_and_shrinks_from_the_second_fall_on(torch):
    from jointalign.alignment._adversary import Rate

    settings = game(learning_rate_decay=0.98, learning_rate_shrink=0.5)
    rate, values = Rate(0.1), []
    for below_best in (False, True, False, True, True):
        rate = rate.after(settings, below_best)
        values.append(rate.value)
    expected = [0.1 * 0.98, 0.1 * 0.98**2, 0.1 * 0.98**3]
    expected += [0.1 * 0.98**4 * 0.5, 0.1 * 0.98**5 * 0.25]
    assert values == pytest.approx(expected, rel=1e-12)
    held = Rate(2e-6).after(game(learning_rate_decay=0.1), below_best=False)
    assert held.value == 1e-6


def test_the_best_epoch_wins_and_a_rate_below_the_least_ends_the_game(torch):
    from jointalign.alignment._adversary import play

    x, seen = torch.randn(20, 5, generator=torch.Generator().manual_seed(0)), []

    def criterion(matrix):
        seen.append(matrix.clone())
        return [0.1, 0.3, 0.2, 0.1, 0.0][len(seen) - 1]

    settings = game(epochs=5, learning_rate=1.0, minimum_learning_rate=0.5)
    played = play(settings, x, x, torch.eye(5), criterion, 0)
    np.testing.assert_array_equal(played.matrix, seen[1])
    # Rates 1, .9, .81, .729 (first fall), and .6561 / 2 after the second: below the least.
    assert played.criterion == (0.1, 0.3, 0.2, 0.1)
    assert len(played.losses) == 4


def test_a_map_that_diverges_is_dropped(torch, caplog):
    from jointalign.alignment._adversary import play

    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    with caplog.at_level(logging.WARNING):
        played = play(game(learning_rate=1e30), x, x, torch.eye(5), lambda w: 1.0, 0)
    np.testing.assert_array_equal(played.matrix, torch.eye(5))
    assert played.criterion == () and "diverged" in caplog.text


# --- Without a dictionary -------------------------------------------------------------------------


def test_finds_a_planted_rotation_without_a_dictionary(torch):
    rng = np.random.default_rng(0)
    x = structured(rng, n=600, d=8)
    turn = rotation(rng, 8)
    z = x @ turn
    before = x.copy(), z.copy()
    for array in (x, z):
        array.setflags(write=False)
    assert hits(x, z, np.eye(8, dtype=np.float32)) < 0.02
    mapping = MUSE(**SMALL).fit(x, z)
    np.testing.assert_allclose(mapping.source, turn, atol=1e-3)
    np.testing.assert_array_equal(mapping.target, np.eye(8))
    assert hits(x, z, mapping.source) == 1.0
    assert not looks_failed(mapping)
    np.testing.assert_array_equal((x, z), before)


def test_a_run_on_unrelated_clouds_is_reported_as_failed(torch, caplog):
    rng = np.random.default_rng(1)
    x, z = (normalized(rng.standard_normal((1000, 20))) for _ in range(2))
    quick = MUSE(**SMALL | {"epochs": 2, "epoch_size": 3200})
    with caplog.at_level(logging.WARNING):
        mapping = quick.fit(x, z)
    assert hits(x, z, mapping.source) < 0.02
    assert looks_failed(mapping)
    assert "no sign of success" in caplog.text
    history = mapping.history
    assert len(history["restarts"]) == 3 and len(history["agreement"]) == 2 + RANDOM_MAPS
    assert max(history["agreement"]) < 0.1 and len(history["baseline"]) == RANDOM_MAPS
    # The criterion alone would have told of success: it rose.
    refined = history["criterion"][2:]
    assert refined[-1] > refined[0]
    assert max(history["criterion"]) == max(history["restarts"])


def test_a_game_too_short_is_reported_as_failed(torch):
    rng = np.random.default_rng(2)
    x = structured(rng, n=800, d=30)
    z = x @ rotation(rng, 30)
    quick = MUSE(**SMALL | {"epochs": 1, "epoch_size": 320}, restarts=2)
    mapping = quick.fit(x, z)
    assert hits(x, z, mapping.source) < 0.02
    assert looks_failed(mapping)


def test_the_same_seed_gives_the_same_map_and_another_another(torch):
    rng = np.random.default_rng(3)
    x, z = (normalized(rng.standard_normal((200, 6))) for _ in range(2))
    method = MUSE(**SMALL | {"epochs": 1, "epoch_size": 640}, restarts=2)
    first, again, other = (method.fit(x, z, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.source, again.source)
    assert first.history == again.history
    assert first.history["loss"] != other.history["loss"]


def test_tensors_stay_tensors(torch):
    rng = np.random.default_rng(4)
    x, z = (normalized(rng.standard_normal((200, 6))) for _ in range(2))
    method = MUSE(**SMALL | {"epochs": 1, "epoch_size": 640}, restarts=1)
    tensors = method.fit(torch.tensor(x), torch.tensor(z))
    arrays = method.fit(x, z)
    assert isinstance(tensors.source, torch.Tensor) and isinstance(tensors.target, torch.Tensor)
    assert isinstance(arrays.source, np.ndarray) and arrays.source.dtype == np.float32
    np.testing.assert_allclose(tensors.source, arrays.source, atol=1e-4)


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    x = normalized(np.random.default_rng(5).standard_normal((20, 4)))
    with pytest.raises(MissingExtraError, match=r"jointalign\[torch\]"):
        MUSE().fit(x, x)
    assert MUSE().fit(x, x, np.stack([np.arange(9)] * 2, axis=1)).source.shape == (4, 4)


# --- The verdict ----------------------------------------------------------------------------------


def test_either_sign_is_enough():
    assert succeeded(0.5 + 1.1 * CLEAR * 0.5, (0.5, 0.499), ())
    assert not succeeded(0.5 + 0.9 * CLEAR * 0.5, (0.5, 0.499), (0.01, AGREED / 2))
    assert succeeded(0.4, (0.5, 0.499), (0.01, AGREED))
    # Random maps that differ much ask for more.
    assert not succeeded(0.5 + 0.9 * SPREADS * 0.05, (0.5, 0.45), ())
    assert succeeded(0.5 + 1.1 * SPREADS * 0.05, (0.5, 0.45), ())


def test_a_map_learnt_from_a_dictionary_never_looks_failed():
    eye = np.eye(2)
    assert not looks_failed(Mapping(eye, eye))
    assert not looks_failed(Mapping(eye, eye, {"criterion": (0.1,)}))


def test_a_confirmed_map_wins_over_a_higher_criterion():
    from jointalign.alignment._refining import Round
    from jointalign.alignment._restarts import Run, _chosen

    def run(number, criterion, shift):
        pairs = np.stack([np.arange(100), np.arange(100) + shift], axis=1)
        pairs[:number] += 1000 * number
        return Run(None, [Round(number, criterion, math.nan, pairs)])

    runs = [run(0, 0.9, 500), run(5, 0.7, 0), run(9, 0.8, 0)]
    chosen, shares = _chosen(runs, [run(0, 0.5, 77)])
    assert chosen is runs[2]
    assert shares == (0.0, pytest.approx(0.91), 0.0)
    chosen, shares = _chosen(runs[:2], [run(0, 0.5, 77)])
    assert chosen is runs[0] and shares == (0.0, 0.0)
    # Against a loop over words.
    first, second = runs[1].best, runs[2].best
    common = {tuple(pair) for pair in first.frequent} & {tuple(pair) for pair in second.frequent}
    assert agreement(first, second) == pytest.approx(len(common) / 100)


# --- With a dictionary ----------------------------------------------------------------------------


def dense_best(scores, rank):
    best = scores.argmax(axis=1)
    return {(i, int(best[i])) for i in range(min(rank, len(best))) if best[i] < rank}


def dense_csls(x, z, w, k):
    cosines = x @ w @ z.T
    r_x = np.sort(cosines, axis=1)[:, ::-1][:, :k].mean(axis=1)
    r_z = np.sort(cosines, axis=0)[::-1][:k].mean(axis=0)
    return 2 * cosines - r_x[:, None] - r_z[None, :]


def dense_procrustes(x, z, pairs):
    u, _, vt = np.linalg.svd(sum(np.outer(x[i], z[j]) for i, j in pairs))
    return u @ vt


def dense_rounds(x, z, given, held_out, count, k):
    """Maps, criteria and P@1 of the published loop: the given dictionary, then both directions'."""
    x, z = x.astype(np.float64), z.astype(np.float64)
    w, maps, criteria, precisions = dense_procrustes(x, z, given), [], [], []
    for _ in range(count + 1):
        scores = dense_csls(x, z, w, k)
        forward, backward = dense_best(scores, 10_000), dense_best(scores.T, 10_000)
        gold = {}
        for i, j in held_out:
            gold.setdefault(i, set()).add(j)
        right = [int(scores[i].argmax()) in gold[i] for i in gold]
        maps.append(w)
        precisions.append(np.mean(right))
        criteria.append(np.mean([x[i] @ w @ z[j] for i, j in forward]))
        w = dense_procrustes(x, z, forward | {(i, j) for j, i in backward})
    return maps, criteria, precisions


@pytest.fixture
def noisy():
    """A rotation with noise; 260 pairs, some words with two translations."""
    rng = np.random.default_rng(6)
    x = normalized(rng.standard_normal((400, 12)) * np.linspace(1.5, 0.5, 12))
    z = normalized(x[:350] @ rotation(rng, 12) + 0.16 * rng.standard_normal((350, 12)))
    pairs = np.stack([np.arange(260)] * 2, axis=1)
    pairs[:150, 1] = rng.integers(0, 350, 150)  # a bad dictionary: there is room to improve
    pairs = np.concatenate([pairs, [[200, 3], [201, 4], [202, 5]]])
    return x, z, pairs


def test_supervised_equals_a_dense_float64_loop(noisy):
    x, z, pairs = noisy
    mapping = MUSE(rounds=3, neighbourhood=5, held_out=0.25).fit(x, z, pairs, seed=1)
    train, held_out = hold_out(pairs, 0.25, np.random.default_rng(1))
    _, criteria, precisions = dense_rounds(x, z, train, held_out, 3, 5)
    np.testing.assert_allclose(mapping.history["criterion"], criteria, atol=1e-5)
    np.testing.assert_allclose(mapping.history["held_out"], precisions, atol=1e-9)
    number = int(np.argmax(precisions))
    assert number > 0
    maps, _, _ = dense_rounds(x, z, pairs, held_out, number, 5)
    np.testing.assert_allclose(mapping.source, maps[number], atol=1e-4)
    assert not looks_failed(mapping)


def test_with_few_pairs_the_criterion_chooses(noisy):
    x, z, pairs = noisy
    few = pairs[160:200]
    mapping = MUSE(rounds=4, neighbourhood=5).fit(x, z, few)
    maps, criteria, _ = dense_rounds(x, z, few, few, 4, 5)
    assert "held_out" not in mapping.history
    np.testing.assert_allclose(mapping.history["criterion"], criteria, atol=1e-5)
    np.testing.assert_allclose(mapping.source, maps[int(np.argmax(criteria))], atol=1e-4)


def test_held_out_words_take_all_their_translations_along(noisy):
    _, _, pairs = noisy
    train, held_out = hold_out(pairs, 0.25, np.random.default_rng(0))
    assert held_out is not None
    assert not set(train[:, 0]) & set(held_out[:, 0])
    assert len(np.unique(held_out[:, 0])) == 65
    together = np.concatenate([train, held_out])
    assert sorted(map(tuple, together)) == sorted(map(tuple, pairs))
    assert hold_out(pairs, 0.1, np.random.default_rng(0))[1] is None


@pytest.mark.parametrize(
    "setting",
    [
        {"restarts": 0},
        {"epochs": 0},
        {"epoch_size": 0},
        {"batch_size": 0},
        {"hidden": 0},
        {"discriminator_steps": -1},
        {"most_frequent": 0},
        {"dropout": 1.0},
        {"smoothing": 0.5},
        {"learning_rate": float("nan")},
        {"learning_rate_decay": 0},
        {"learning_rate_shrink": 0},
        {"minimum_learning_rate": -1},
        {"orthogonality": -0.1},
        {"rounds": -1},
        {"neighbourhood": 0},
        {"held_out": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(JointalignError, match=next(iter(setting))):
        MUSE(**setting)
