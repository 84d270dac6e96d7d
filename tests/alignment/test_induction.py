"""Oracle: CSLS over whole score matrices in float64, word by word, in plain loops."""

import array_api_strict
import numpy as np
import pytest

from jointalign.alignment._induction import (
    Direction,
    hubs_for,
    induced_pairs,
    mean_cosine,
    mean_csls,
    searched,
    translations,
)
from jointalign.errors import JointalignError
from jointalign.retrieval import _pruning
from jointalign.retrieval.api import hubness


def normalized(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def csls_scores(x, z, k):
    cosines = normalized(x.astype(np.float64)) @ normalized(z.astype(np.float64)).T
    r_x = np.sort(cosines, axis=1)[:, ::-1][:, :k].mean(axis=1)
    r_z = np.sort(cosines, axis=0)[::-1][:k].mean(axis=0)
    return 2 * cosines - r_x[:, None] - r_z[None, :]


def best_pairs(scores, rank):
    """{(query, candidate): margin} of the first `rank` queries."""
    pairs = {}
    for query in range(min(rank, len(scores))):
        best = int(scores[query].argmax())
        if best < rank:
            others = np.delete(scores[query], best)
            pairs[query, best] = scores[query, best] - (others.max() if len(others) else -np.inf)
    return pairs


def brute_force(x, z, direction, k, rank):
    scores = csls_scores(x, z, k)
    forward = best_pairs(scores, rank)
    backward = {(i, j): margin for (j, i), margin in best_pairs(scores.T, rank).items()}
    if direction == "forward":
        pairs = forward
    elif direction == "backward":
        pairs = backward
    elif direction == "union":
        pairs = {p: max(forward.get(p, 0), backward.get(p, 0)) for p in forward | backward}
    else:
        pairs = {p: min(forward[p], backward[p]) for p in forward if p in backward}
    return sorted(pairs, key=lambda pair: (-pairs[pair], pair)), pairs


@pytest.fixture
def spaces():
    """Two noisy views of one space, of different sizes, with lengths that must not matter."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 8))
    z = x[:70] + 0.8 * rng.standard_normal((70, 8))
    z = z[rng.permutation(70)] * rng.uniform(0.1, 10, (70, 1))
    return x.astype(np.float32), z.astype(np.float32)


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(("k", "rank"), [(5, 1000), (5, 25), (1, 60), (200, 25)])
def test_equals_brute_force(spaces, direction, k, rank):
    x, z = spaces
    expected, margins = brute_force(x, z, direction, k, rank)
    found = searched(x, z, direction=direction, neighbourhood=k, rank=rank)
    assert found.pairs.tolist() == [list(pair) for pair in expected]
    assert found.pairs.dtype == np.int64
    np.testing.assert_allclose(found.margins, [margins[pair] for pair in expected], atol=1e-5)
    pairs = induced_pairs(x, z, direction=direction, neighbourhood=k, rank=rank)
    np.testing.assert_array_equal(pairs, found.pairs)


def test_the_cases_above_differ_from_each_other(spaces):
    x, z = spaces
    cases = {
        tuple(map(tuple, induced_pairs(x, z, direction=direction, rank=rank)))
        for direction in Direction
        for rank in (None, 25)
    }
    assert len(cases) == 8


def test_a_rank_leaves_pairs_out_but_candidates_in(spaces):
    x, z = spaces
    everything = induced_pairs(x, z, rank=None)
    cut = induced_pairs(x, z, rank=25)
    kept = everything[(everything < 25).all(axis=1)]
    np.testing.assert_array_equal(cut, kept)  # the same choices, in the same order ...
    assert 0 < len(cut) < 25  # ... without the words whose best translation is a rare one
    assert len(induced_pairs(x[:25], z[:25], rank=None)) == 25


def test_equal_scores_go_to_the_more_frequent_word_and_order_by_row():
    x = np.eye(4, dtype=np.float32)[[0, 1, 2, 0]]
    z = np.eye(4, dtype=np.float32)[[1, 0, 2, 0]]
    # Rows 0 and 3 of either side are the same word: no lead over the second best, the lower wins.
    found = searched(x, z, neighbourhood=1)
    assert found.pairs.tolist() == [[1, 0], [2, 2], [0, 1], [3, 1]]
    # 2 cos - r of the best is 2 - 1, and of the second 0 - 1, or 2 - 1 again.
    assert found.margins.tolist() == [2.0, 2.0, 0.0, 0.0]
    backward = induced_pairs(x, z, neighbourhood=1, direction=Direction.BACKWARD)
    assert backward.tolist() == [[1, 0], [2, 2], [0, 1], [0, 3]]
    union = induced_pairs(x, z, neighbourhood=1, direction=Direction.UNION)
    assert union.tolist() == [[1, 0], [2, 2], [0, 1], [0, 3], [3, 1]]
    both = induced_pairs(x, z, neighbourhood=1, direction=Direction.INTERSECTION)
    assert both.tolist() == [[1, 0], [2, 2], [0, 1]]


def test_size_keeps_the_most_confident(spaces):
    x, z = spaces
    every = induced_pairs(x, z, direction=Direction.UNION)
    np.testing.assert_array_equal(induced_pairs(x, z, direction=Direction.UNION, size=7), every[:7])
    assert len(induced_pairs(x, z, size=10_000)) == 90


def test_one_word_a_side_is_its_own_translation():
    found = searched(np.ones((1, 3), np.float32), np.ones((1, 3), np.float32))
    assert found.pairs.tolist() == [[0, 0]] and found.margins.tolist() == [np.inf]


@pytest.mark.parametrize(("k", "rank"), [(5, 1000), (5, 25), (3, 10)])
def test_criterion_equals_brute_force(spaces, k, rank):
    x, z = spaces
    pairs, _ = brute_force(x, z, "forward", k, rank)
    a, b = normalized(x.astype(np.float64)), normalized(z.astype(np.float64))
    expected = np.mean([a[i] @ b[j] for i, j in pairs])
    assert mean_csls(x, z, neighbourhood=k, rank=rank) == pytest.approx(expected, abs=1e-6)
    # The same from the dictionary of a higher rank: one search serves both.
    wider = induced_pairs(x, z, neighbourhood=k, rank=1000)
    assert mean_cosine(x, z, wider, rank) == pytest.approx(expected, abs=1e-6)


def test_criterion_is_high_for_a_good_map_and_the_lowest_without_pairs(spaces):
    x, _ = spaces
    assert mean_csls(x, 3 * x) == pytest.approx(1.0, abs=1e-6)
    turned = np.eye(2, dtype=np.float32)
    # The one frequent word has a rare word as its translation.
    assert mean_csls(turned[:1], turned[::-1], neighbourhood=1, rank=1) == -1.0


def test_inputs_stay_as_they_are(spaces):
    for array in spaces:
        array.setflags(write=False)
    before = [array.copy() for array in spaces]
    induced_pairs(*spaces, direction=Direction.UNION)
    mean_csls(*spaces)
    for array, copy in zip(spaces, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_runs_on_any_array_api_library(spaces):
    strict = [array_api_strict.asarray(array) for array in spaces]
    found = induced_pairs(*strict, direction=Direction.UNION, rank=25)
    np.testing.assert_array_equal(found, induced_pairs(*spaces, direction="union", rank=25))
    assert mean_csls(*strict) == pytest.approx(mean_csls(*spaces), abs=1e-6)


def test_runs_on_torch_tensors(spaces):
    torch = pytest.importorskip("torch")
    tensors = [torch.from_numpy(array) for array in spaces]
    found = induced_pairs(*tensors, direction=Direction.INTERSECTION)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, induced_pairs(*spaces, direction=Direction.INTERSECTION))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"rank": 0}, "rank"), ({"size": 0}, "size"), ({"neighbourhood": 0}, "neighbours")],
)
def test_settings_out_of_range_are_refused(spaces, settings, message):
    with pytest.raises(JointalignError, match=message):
        induced_pairs(*spaces, **settings)


def test_a_part_of_the_queries_gets_the_same_without_the_hubness_of_everything(monkeypatch):
    monkeypatch.setattr(_pruning, "SMALLEST", 1)
    rng = np.random.default_rng(2)
    x, z = (rng.standard_normal((n, 10), dtype=np.float32) for n in (900, 1000))
    z[:900] += x
    found, hubs = translations(x, z, 10, 60), hubs_for(z, x, 10, 60)
    expected = translations(x, z, 10, 60, hubness(z, x))
    np.testing.assert_array_equal(found.pairs, expected.pairs)
    translations(x, z, 10, 60, hubs)
    assert 0 < hubs.exact.mean() < 1
    assert isinstance(hubs_for(z, x, 10, None), np.ndarray)
