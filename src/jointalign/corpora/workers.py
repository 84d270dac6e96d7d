"""Work on a stream in several processes: results in order, few items on their way at any time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from jointalign.errors import JointalignError

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """Like `map`, by several processes; close it to stop them early.

    Args:
        work: What to do; need not be picklable.
        items: Read as needed, each sent to a worker.
        workers: How many processes. With one, or where processes cannot be forked (other ways of
            starting them run the user's script anew), there is only this one.

    Raises:
        JointalignError: If a worker dies.
    """
    if workers == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, items)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _start, (work, os.getpid()))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_do, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise JointalignError(
            "a worker process died, probably for want of memory; take fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(work: Callable[[Any], Any], parent: int) -> None:
    """Prepare a worker process."""
    global _work  # of the worker alone; a fork inherits what cannot be sent
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # Workers wait for a pipe that their siblings hold open too: they would outlive a killed parent.
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _do(item: Any) -> Any:
    return _work(item)
