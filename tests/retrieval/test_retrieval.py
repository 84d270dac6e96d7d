import tracemalloc

import array_api_strict
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jointalign.errors import JointalignError
from jointalign.numerics import tiles as _tiles
from jointalign.numerics import topk as _topk
from jointalign.retrieval import _pruning
from jointalign.retrieval.api import (
    Retrieval,
    Score,
    both_neighbours,
    both_similarities,
    hubness,
    lazy_hubness,
    mean_similarity,
    neighbours,
    ranks,
)


def cosines(x, z):
    """Brute force, in float64."""

    def normalised(rows):
        rows = np.asarray(rows, np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)

    return normalised(x) @ normalised(z).T


def means(x, z, k):
    k = min(k, len(z))
    return np.sort(cosines(x, z), axis=1)[:, len(z) - k :].mean(axis=1)


def scores_of(kind, queries, candidates, sources, neighbourhood=10, temperature=30.0):
    """The whole score matrix as the papers write it."""
    cosine = cosines(queries, candidates)
    if kind == Retrieval.NEAREST:
        return cosine
    if kind == Retrieval.CSLS:
        r_target = means(queries, candidates, neighbourhood)[:, None]
        r_source = means(candidates, sources, neighbourhood)[None, :]
        return 2 * cosine - r_target - r_source
    return np.exp(temperature * cosine) / np.exp(temperature * cosines(sources, candidates)).sum(0)


def check_against(expected, found, k, atol=2e-6):
    """The scores are the highest and belong to the rows; no row twice; rows may swap if equal."""
    rows, scores = np.asarray(found.rows), np.asarray(found.scores)
    k = min(k, expected.shape[1])
    assert rows.shape == scores.shape == (len(expected), k)
    assert rows.dtype == np.int64 and scores.dtype == np.float32
    best = -np.sort(-expected, axis=1)[:, :k]
    np.testing.assert_allclose(scores, best, atol=atol, rtol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(expected, rows, 1), best, atol=atol, rtol=1e-4)
    assert all(len(set(row)) == k for row in rows.tolist())


def _set_blocks(monkeypatch, rows, columns, entries):
    for module in (_topk, _tiles):
        monkeypatch.setattr(module, "ROWS", rows)
        monkeypatch.setattr(module, "COLUMNS", columns)
    monkeypatch.setattr(_tiles, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(_tiles, "_SMALLEST", 0)
    monkeypatch.setattr(_topk, "ENTRIES", entries)


@pytest.fixture
def small_blocks(monkeypatch):
    _set_blocks(monkeypatch, 3, 5, 40)


def random(n, d=8, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)


@pytest.mark.parametrize("kind", Retrieval)
@pytest.mark.parametrize("shape", [(7, 23, 17), (1, 1, 1), (4, 60, 2), (3, 6, 20)])
def test_same_as_brute_force(kind, shape, small_blocks):
    queries, candidates, sources = (random(n, seed=seed) for seed, n in enumerate(shape))
    for k in (1, 4, 500):
        found = neighbours(queries, candidates, k, score=kind, sources=sources)
        check_against(scores_of(kind, queries, candidates, sources), found, k)


@pytest.mark.parametrize("kind", Retrieval)
def test_blocks_of_the_default_size(kind):
    queries, candidates = random(5), random(5000, seed=1)
    found = neighbours(queries, candidates, 40, score=kind)
    check_against(scores_of(kind, queries, candidates, queries), found, 40)


# Small whole numbers make zero vectors, duplicates and exact ties common.
few_values = st.integers(-2, 2).map(np.float32)


def words(largest):
    return arrays(np.float32, st.tuples(st.integers(1, largest), st.just(3)), elements=few_values)


@given(words(9), words(12), words(9), st.integers(1, 15), st.integers(1, 12))
@settings(deadline=None)
def test_adversarial_vectors(queries, candidates, sources, k, neighbourhood):
    for kind in Retrieval:
        expected = scores_of(kind, queries, candidates, sources, neighbourhood, 8.0)
        found = neighbours(queries, candidates, k, score=Score(kind, neighbourhood, 8.0), sources=sources)
        check_against(expected, found, k)


@given(words(9), words(12), st.integers(1, 12))
@settings(deadline=None)
def test_mean_similarity_is_a_mean_of_sorted_cosines(x, others, k):
    np.testing.assert_allclose(mean_similarity(x, others, k), means(x, others, k), atol=1e-6)


def test_sources_default_to_the_queries_and_matter_otherwise():
    queries, candidates, sources = random(5), random(9, seed=1), random(40, seed=2)
    for kind in (Retrieval.CSLS, Retrieval.INVERTED_SOFTMAX):
        default = neighbours(queries, candidates, 9, score=kind)
        check_against(scores_of(kind, queries, candidates, queries), default, 9)
        other = neighbours(queries, candidates, 9, score=kind, sources=sources)
        assert abs(default.scores - other.scores).max() > 0.01


@pytest.mark.parametrize("kind", Retrieval)
def test_corrections_known_from_before_change_nothing(kind):
    queries, candidates, sources = random(5), random(9, seed=1), random(40, seed=2)
    fresh = neighbours(queries, candidates, 3, score=kind, sources=sources)
    again = neighbours(
        queries,
        candidates,
        3,
        score=kind,
        hubs=hubness(candidates, sources, kind),
        density=mean_similarity(queries, candidates),
    )
    np.testing.assert_array_equal(fresh.rows, again.rows)
    np.testing.assert_array_equal(fresh.scores, again.scores)


def test_csls_holds_back_a_hub_that_cosine_prefers():
    # The hub is the nearest of both sources, each of which also has a target nearly as near.
    sources = np.array([[1, 0.3, 0], [1, -0.3, 0]], np.float32)
    hub, own, other = [1, 0, 0], [1, 0.75, 0], [1, -0.75, 0]
    candidates = np.array([hub, own, other], np.float32)
    nearest = neighbours(sources, candidates, 1, score=Retrieval.NEAREST)
    csls = neighbours(sources, candidates, 1, score=Retrieval.CSLS)
    assert nearest.rows[:, 0].tolist() == [0, 0]
    assert csls.rows[:, 0].tolist() == [1, 2]


@pytest.mark.parametrize("kind", Retrieval)
def test_equal_scores_go_to_the_lower_row(kind, small_blocks):
    # Vectors of one non-zero entry make every product exact, so equal means equal to the last bit.
    candidates = np.eye(3, dtype=np.float32)[[2, 0, 1, 0, 2, 1, 0, 0, 1, 2, 0, 0, 1]] * 4
    queries = np.eye(3, dtype=np.float32)
    found = neighbours(queries, candidates, 4, score=kind)
    assert found.rows.tolist() == [[1, 3, 6, 7], [2, 5, 8, 12], [0, 4, 9, 1]]
    pairs = np.array([[0, 1], [0, 3], [0, 11], [0, 0], [2, 9]])
    assert ranks(queries, candidates, pairs, score=kind).tolist() == [1, 2, 6, 7, 3]


@given(words(6), words(12))
@settings(deadline=None)
def test_zero_vectors_are_never_better_than_any_positive_cosine(queries, candidates):
    found = neighbours(queries, candidates, 1, score=Retrieval.NEAREST)
    best = cosines(queries, candidates).max(axis=1)
    np.testing.assert_allclose(found.scores[:, 0], best, atol=1e-6)


@pytest.mark.parametrize("kind", Retrieval)
def test_ranks_are_exact_over_the_whole_vocabulary(kind, small_blocks):
    queries, candidates, sources = random(6), random(60, seed=1), random(30, seed=2)
    pairs = np.stack(np.meshgrid(np.arange(6), np.arange(60)), axis=-1).reshape(-1, 2)
    scores = scores_of(kind, queries, candidates, sources)
    expected = 1 + (scores[pairs[:, 0]] > scores[pairs[:, 0], pairs[:, 1]][:, None]).sum(axis=1)
    got = ranks(queries, candidates, pairs, score=kind, sources=sources)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, expected)
    assert sorted(got[pairs[:, 0] == 3].tolist()) == list(range(1, 61))


def test_a_sharp_inverted_softmax_neither_overflows_nor_vanishes():
    queries, candidates = random(5), random(50, seed=1)
    found = neighbours(queries, candidates, 3, score=Score("isf", temperature=5000.0))
    wide = 5000 * cosines(queries, candidates)
    shifted = wide - wide.max(axis=0)
    expected = shifted - np.log(np.exp(shifted).sum(axis=0))
    best = -np.sort(-expected, axis=1)[:, :3]
    np.testing.assert_allclose(np.take_along_axis(expected, found.rows, 1), best, atol=0.01)
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("kind", Retrieval)
def test_nothing_on_either_side(kind):
    nothing, some = random(0), random(4)
    assert neighbours(some, nothing, 3, score=kind).rows.shape == (4, 0)
    assert neighbours(nothing, some, 3, score=kind).scores.shape == (0, 3)
    assert neighbours(some, some, 3, score=kind, sources=nothing).rows.shape == (4, 3)
    assert ranks(some, some, np.zeros((0, 2), np.int64), score=kind).shape == (0,)
    assert mean_similarity(some, nothing).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", Retrieval)
def test_any_array_library(kind, small_blocks):
    queries, candidates, sources = random(7), random(23, seed=1), random(17, seed=2)
    strict = [array_api_strict.asarray(x) for x in (queries, candidates, sources)]
    found = neighbours(strict[0], strict[1], 4, score=kind, sources=strict[2])
    assert found.rows.dtype == array_api_strict.int64
    check_against(scores_of(kind, queries, candidates, sources), found, 4)
    pairs = np.array([[0, 3], [6, 22], [2, 9]])
    got = ranks(strict[0], strict[1], array_api_strict.asarray(pairs), score=kind, sources=strict[2])
    expected = ranks(queries, candidates, pairs, score=kind, sources=sources)
    np.testing.assert_array_equal(np.asarray(got), expected)


def test_any_array_library_breaks_ties_alike(small_blocks):
    candidates = np.eye(3, dtype=np.float32)[[2, 0, 1, 0, 2, 1, 0, 0, 1, 2, 0, 0, 1]]
    queries = np.eye(3, dtype=np.float32)
    strict = [array_api_strict.asarray(x) for x in (queries, candidates)]
    expected = neighbours(queries, candidates, 6).rows
    np.testing.assert_array_equal(np.asarray(neighbours(*strict, 6).rows), expected)


def test_inputs_stay_as_they_are_and_may_be_read_only():
    queries, candidates = random(5), random(9, seed=1)
    before = queries.copy(), candidates.copy()
    for x in (queries, candidates):
        x.setflags(write=False)
    for kind in Retrieval:
        neighbours(queries, candidates, 2, score=kind)
    np.testing.assert_array_equal(queries, before[0])
    np.testing.assert_array_equal(candidates, before[1])


@pytest.mark.parametrize("kind", Retrieval)
def test_memory_is_bounded_by_blocks(kind, monkeypatch):
    _set_blocks(monkeypatch, 500, 1000, 500_000)
    x, z = random(4000, 4), random(6000, 4, seed=1)
    pairs = np.stack([np.arange(4000), np.arange(4000)], axis=1)
    neighbours(x[:300], z[:300], score=kind)  # compiled before the measurement
    tracemalloc.start()
    neighbours(x, z, score=kind)
    ranks(x, z, pairs, score=kind)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    block, whole = 500 * 1000 * 4, 4000 * 6000 * 4
    found = 4000 * 10 * (8 + 4) * 3
    assert peak < 4 * block + 8 * (x.nbytes + z.nbytes) + found < whole / 7


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: neighbours(x, x, 0),
        lambda x: neighbours(x, x, score=Score(neighbourhood=0)),
        lambda x: neighbours(x, x, score=Score(temperature=-1.0)),
        lambda x: neighbours(x, x[:, :2]),
        lambda x: neighbours(x, x, sources=x[:, :2]),
        lambda x: neighbours(x[0], x),
        lambda x: hubness(x, x, Score(temperature=float("nan"))),
    ],
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(JointalignError, match=r"positive|one space"):
        wrong(random(4))


def test_sources_of_another_space_are_refused_where_few_are_searched(monkeypatch):
    monkeypatch.setattr(_pruning, "SMALLEST", 1)
    with pytest.raises(JointalignError, match="one space"):
        neighbours(random(1), random(90), 1, sources=random(90)[:, :2])


def test_unknown_retrieval_is_refused():
    with pytest.raises(JointalignError, match="no retrieval 'nearest-ish'; there are nn, csls, isf"):
        neighbours(random(2), random(2), score="nearest-ish")


def test_hubness_of_something_else_is_refused():
    queries, candidates = random(4), random(5000, seed=1)
    lazy = lazy_hubness(candidates, random(5000, seed=2))
    for wrong in (
        lambda: neighbours(queries, candidates, score="nn", hubs=lazy),
        lambda: neighbours(queries, random(5000, seed=3), hubs=lazy),
        lambda: neighbours(queries, candidates[:9], hubs=lazy),
        lambda: neighbours(queries, candidates, hubs=np.zeros(9)),
        lambda: ranks(queries, candidates[::-1], np.zeros((1, 2), int), hubs=lazy),
        lambda: ranks(queries, candidates, np.zeros((1, 2), int), hubs=np.zeros(9)),
    ):
        with pytest.raises(JointalignError, match="hubness"):
            wrong()


def test_lengths_count_in_products():
    rng = np.random.default_rng(0)
    queries, candidates = rng.standard_normal((7, 4)), rng.standard_normal((50, 4))
    candidates *= rng.uniform(0.1, 5, (50, 1))
    products = queries @ candidates.T
    scores, rows = _topk.top(queries, candidates, 6)
    np.testing.assert_array_equal(rows, np.argsort(-products, axis=1)[:, :6])
    np.testing.assert_allclose(scores, -np.sort(-products, axis=1)[:, :6])


def whole(queries, candidates, sources, k, neighbourhood):
    """Without pruning: all of hubness first."""
    hubs = hubness(candidates, sources, Score(neighbourhood=neighbourhood))
    return neighbours(queries, candidates, k, score=Score(neighbourhood=neighbourhood), hubs=hubs)


@pytest.fixture(params=[1, 4])
def always_pruned(request, monkeypatch):
    """Prune however small the case is, also with lists too short for a query to end in its own."""
    seen = []
    for name in ("nearest", "above"):
        real = getattr(_pruning, name)
        monkeypatch.setattr(_pruning, name, lambda *rest, real=real: seen.append(1) or real(*rest))
    monkeypatch.setattr(_pruning, "pays", lambda queries, *rest: queries > 0)
    monkeypatch.setattr(_pruning, "_LISTED", request.param)
    return seen


@given(words(9), words(14), words(20), st.integers(1, 16), st.integers(1, 22), st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pruned_equals_whole(always_pruned, queries, candidates, sources, k, neighbourhood, among):
    if among:  # queries are usually source words, some of them twice
        sources = np.concatenate([sources, queries, queries])
    found = neighbours(queries, candidates, k, sources=sources, score=Score(neighbourhood=neighbourhood))
    expected = whole(queries, candidates, sources, k, neighbourhood)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)
    check_against(scores_of(Retrieval.CSLS, queries, candidates, sources, neighbourhood), found, k)
    shape = (len(queries), len(candidates))
    pairs = np.stack(np.unravel_index(np.arange(0, shape[0] * shape[1], 3), shape), axis=1)
    hubs = hubness(candidates, sources, Score(neighbourhood=neighbourhood))
    options = {"score": Score(neighbourhood=neighbourhood)}
    np.testing.assert_array_equal(
        ranks(queries, candidates, pairs, sources=sources, **options),
        ranks(queries, candidates, pairs, hubs=hubs, **options),
    )
    assert len(always_pruned) >= 2
    for depth in (1, 3, 99):  # the same places up to there, 0 further down
        places = ranks(queries, candidates, pairs, sources=sources, depth=depth, **options)
        full = ranks(queries, candidates, pairs, hubs=hubs, **options)
        np.testing.assert_array_equal(places, np.where(full <= depth, full, 0))


@pytest.mark.parametrize("k", [1, 10])
def test_pruned_equals_whole_where_much_is_left_out(k, monkeypatch):
    rng = np.random.default_rng(5)
    centres = random(40, 16, 1)
    sources, candidates = (centres[rng.integers(0, 40, n)] + 0.7 * random(n, 16, n) for n in (3000, 2500))
    candidates[::50] = candidates[7]  # copies
    candidates[3::400] = 0
    queries = sources[rng.choice(3000, 20, replace=False)]
    monkeypatch.setattr(_pruning, "SMALLEST", 1)
    started = []
    real = _pruning.Bounds.start
    monkeypatch.setattr(_pruning.Bounds, "start", lambda *rest: started.append(real(*rest)) or started[-1])
    found = neighbours(queries, candidates, k, sources=sources)
    assert 0 < started[0].exact.mean() < 0.3
    expected = whole(queries, candidates, sources, k, 10)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.scores, expected.scores)
    pairs = np.stack([np.arange(20), expected.rows[:, 0]], axis=1)
    for depth in (None, 1, 10):
        assert ranks(queries, candidates, pairs, sources=sources, depth=depth).tolist() == [1] * 20


@given(words(9), words(12), st.integers(1, 14))
@settings(deadline=None)
def test_both_directions_at_once_are_those_one_by_one(x, z, k):
    for found, (one, other) in zip(both_similarities(x, z, k), ((x, z), (z, x)), strict=True):
        np.testing.assert_array_equal(found, mean_similarity(one, other, k))
    for kind in Retrieval:
        both = both_neighbours(x, z, k, score=kind)
        for found, (one, other) in zip(both, ((x, z), (z, x)), strict=True):
            if kind == Retrieval.INVERTED_SOFTMAX:  # 30 times a row rounds, twice a row does not
                check_against(scores_of(kind, one, other, one), found, k, atol=2e-5)
                continue
            expected = neighbours(one, other, k, score=kind)
            np.testing.assert_array_equal(found.rows, expected.rows)
            np.testing.assert_array_equal(found.scores, expected.scores)


def test_results_do_not_depend_on_blocks_or_company(monkeypatch):
    x, z = random(70, 50), random(90, 50, seed=1)
    z[40] = z[3]
    pairs = np.stack([np.arange(70), np.arange(70)], axis=1)
    before = both_neighbours(x, z, 90)
    places = ranks(x, z, pairs)
    _set_blocks(monkeypatch, 7, 11, 100)
    for found, again in zip(before, both_neighbours(x, z, 90), strict=True):
        np.testing.assert_array_equal(found.rows, again.rows)
        np.testing.assert_array_equal(found.scores, again.scores)
    np.testing.assert_array_equal(ranks(x, z, pairs), places)
    alone = neighbours(x[5:6], z, 90, hubs=hubness(z, x))
    np.testing.assert_array_equal(alone.scores[0], before[0].scores[5])
    order = before[0].rows.tolist()  # copies stand side by side, the lower row first
    assert all(row.index(40) == row.index(3) + 1 for row in order)
