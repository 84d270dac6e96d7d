"""How many processors there are for us."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numba
from threadpoolctl import threadpool_limits


def usable_processors() -> int:
    """Processors that this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited_to(threads: int | None) -> Iterator[None]:
    """Use so many threads for matrix products and compiled loops; `None` for all processors."""
    number = threads or usable_processors()
    before = numba.get_num_threads()
    numba.set_num_threads(min(number, usable_processors(), before))
    try:
        with threadpool_limits(number):
            yield
    finally:
        numba.set_num_threads(before)
