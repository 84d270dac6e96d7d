"""Worker processes, against `map`; see `test_corpus` for interrupts and killed parents."""

import multiprocessing
import os
import signal
import threading

import pytest

from jointalign.corpora import workers as _workers
from jointalign.errors import JointalignError
from jointalign.numerics.processors import spread


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_like_map(workers):
    factor = 3  # a closure cannot be pickled
    found = list(_workers.in_order(lambda item: factor * item, range(50), workers))
    assert found == [3 * item for item in range(50)]
    assert list(_workers.in_order(abs, [], workers)) == []


def test_work_is_done_by_others_unless_there_is_one():
    others = set(_workers.in_order(lambda _: os.getpid(), range(20), 2))
    assert os.getpid() not in others
    assert set(_workers.in_order(lambda _: os.getpid(), range(3), 1)) == {os.getpid()}


def test_where_processes_cannot_be_forked_there_is_one(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert set(_workers.in_order(lambda _: os.getpid(), range(3), 2)) == {os.getpid()}


@pytest.mark.parametrize("workers", [1, 2])
def test_few_items_are_on_their_way_at_a_time(workers):
    given = 0

    def items():
        nonlocal given
        while True:
            given += 1
            yield given

    results = _workers.in_order(abs, items(), workers)
    for received, result in zip(range(1, 40), results, strict=False):
        assert result == received
        assert given - received <= 2 * workers
    results.close()


def test_errors_of_the_work_come_through_and_no_process_is_left():
    with pytest.raises(ZeroDivisionError):
        list(_workers.in_order(lambda item: 1 / item, [1, 0, 1], 2))
    assert not multiprocessing.active_children()


def test_a_dead_worker_is_an_error():
    results = _workers.in_order(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(9), 2)
    with pytest.raises(JointalignError, match="fewer workers"):
        list(results)
    assert not multiprocessing.active_children()


def test_closing_ends_the_processes():
    results = _workers.in_order(abs, range(1000), 2)
    next(results)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert not multiprocessing.active_children()


def test_items_are_spread_over_threads_and_a_single_one_is_not():
    main, seen, lock = threading.get_ident(), [], threading.Lock()

    def work(item):
        with lock:
            seen.append((item, threading.get_ident() == main))

    spread(work, range(50), 3)
    assert sorted(seen) == [(item, False) for item in range(50)]
    seen.clear()
    spread(work, ["alone"], 3)
    assert seen == [("alone", True)]
    spread(work, [], 3)
    assert len(seen) == 1
    with pytest.raises(ZeroDivisionError):  # errors of a thread are not lost
        spread(lambda item: 1 // item, [1, 0], 2)
