"""How many processors there are for us."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")

_THREADS: ContextVar[int | None] = ContextVar("threads", default=None)

# The number of BLAS threads belongs to the whole process. Where two of its threads limited it and
# gave it back in turns, the second would give back the limit of the first.
_ALONE = Lock()


def usable_processors() -> int:
    """Processors that this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited_to(threads: int | None) -> Iterator[None]:
    """Use so many threads for matrix products and compiled loops; `None` for all processors."""
    number = threads or usable_processors()
    before = _THREADS.set(min(number, usable_processors(), usable_threads()))
    try:
        with threadpool_limits(number):
            yield
    finally:
        _THREADS.reset(before)


def usable_threads() -> int:
    """How many threads may work here: as `limited_to` says, else one a processor.

    `NUMBA_NUM_THREADS` says it for the whole process.
    """
    return _THREADS.get() or int(os.environ.get("NUMBA_NUM_THREADS") or usable_processors())


def spread(work: Callable[[Item], Any], items: Sequence[Item], threads: int) -> None:
    """Do something with each item, in several threads.

    Each thread makes its matrix products alone, so that none waits for another. A single item is
    done here and now: threads, and finding the libraries that are to be limited, would take longer
    than a small item.

    Args:
        work: Lets other threads run while it computes; spreads nothing itself.
        items: What to work on.
        threads: How many.
    """
    if len(items) < 2:
        for item in items:
            work(item)
        return
    with _ALONE, limited_to(1), ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, items))
