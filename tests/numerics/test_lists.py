"""Lists from tiles, and the tiles: the same answer however the product is cut up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from threadpoolctl import threadpool_info

from jointalign.numerics import lists as _lists
from jointalign.numerics import tiles as _tiles
from jointalign.numerics.lists import best_of_both, best_of_each
from jointalign.numerics.processors import limited_to

# Small whole numbers: every sum is exact in any order, and most scores are ties.
WHOLE = st.integers(-2, 2)


def matrix(rows):
    return stn.arrays(np.float32, st.tuples(st.integers(0, rows), st.just(3)), elements=WHOLE)


@pytest.fixture(params=[(0, 1), (1, 1), (1, 2), (6, 2)])
def cut_up(request, monkeypatch):
    """So many spare entries; so many threads at tiny tiles."""
    spare, threads = request.param
    monkeypatch.setattr(_lists, "_SPARE", spare)
    monkeypatch.setattr(_lists, "_ROWS", 3)
    monkeypatch.setattr(_tiles, "ROWS", 4)
    monkeypatch.setattr(_tiles, "COLUMNS", 5)
    monkeypatch.setattr(_tiles, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(_tiles, "_SMALLEST", 0)
    with limited_to(threads):
        yield


def by_sorting(x, others, k, penalty):
    scores = x @ others.T - penalty
    columns = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # of equal scores the lower column
    return np.take_along_axis(scores, columns, axis=1), columns


@given(matrix(17), matrix(23), st.integers(1, 25), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_equal_sorting_everything(cut_up, x, others, k, data):
    penalty, row_penalty = (
        data.draw(stn.arrays(np.float32, len(side), elements=WHOLE)) for side in (others, x)
    )
    expected = by_sorting(x, others, k, penalty), by_sorting(others, x, k, row_penalty)
    found = best_of_both(x, others, k, penalty, row_penalty)
    for one, other in zip(
        (*found, best_of_each(x, others, k, penalty)), (*expected, expected[0]), strict=True
    ):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_copies_beyond_the_list_are_found(monkeypatch):
    seen, real = [], _lists._gone_through
    monkeypatch.setattr(_lists, "_gone_through", lambda x, *rest: seen.append(len(x)) or real(x, *rest))
    rng = np.random.default_rng(0)
    x, others = (rng.standard_normal((n, 20), dtype=np.float32) for n in (5, 300))
    none = np.zeros(len(others), np.float32)
    best_of_each(x, others, 2, none)
    assert not seen
    others[::10] = 3 * x[2]  # thirty copies, of which a list of eight holds any
    scores, columns = best_of_each(x, others, 2, none)
    assert len(seen) == 1 and 1 <= seen[0] < 5  # that row, and who is near to it
    assert columns[2].tolist() == [0, 10] and scores[2, 0] == scores[2, 1]


@pytest.mark.parametrize("threads", [1, 2])
def test_every_tile_once_and_none_at_the_same_time_as_its_neighbours(monkeypatch, threads):
    monkeypatch.setattr(_tiles, "ROWS", 4)
    monkeypatch.setattr(_tiles, "COLUMNS", 5)
    monkeypatch.setattr(_tiles, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(_tiles, "_SMALLEST", 0)
    rng = np.random.default_rng(0)
    x, others = rng.standard_normal((26, 3)), rng.standard_normal((31, 3))
    whole, busy, lock = np.zeros((26, 31)), set(), threading.Lock()

    def alone(place):
        with lock:
            assert place not in busy
            busy.add(place)
        time.sleep(1e-4)
        with lock:
            busy.remove(place)

    def over_rows(rows, columns, tile):
        alone(("rows", rows.start))
        whole[rows, columns] += tile

    with limited_to(threads):
        _tiles.each_tile(x, others, over_rows, lambda rows, columns, tile: alone(columns.start))
    np.testing.assert_allclose(whole, x @ others.T)


def test_searches_at_once_leave_the_libraries_as_they_were(monkeypatch):
    monkeypatch.setattr(_tiles, "_SMALLEST", 0)

    def blas():
        return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]

    x, none = np.eye(600, 50, dtype=np.float32), np.zeros(600, np.float32)
    with limited_to(2):
        before = blas()
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: best_of_each(x, x, 3, none), range(12)))
        assert blas() == before


def test_what_goes_wrong_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(_tiles, "_SMALLEST", 0)

    def fails(rows, columns, tile):
        raise RuntimeError("here")

    with limited_to(2), pytest.raises(RuntimeError, match="here"):
        _tiles.each_tile(np.eye(300), np.eye(300), fails)
