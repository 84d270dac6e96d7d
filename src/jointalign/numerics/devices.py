"""torch, imported when first needed, and how many threads it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jointalign.errors import MissingExtraError
from jointalign.numerics.processors import usable_processors


def torch_of(extra: str) -> Any:
    """The package.

    Args:
        extra: Of jointalign, which the error names if it is not installed.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", extra) from error
    return torch


@contextmanager
def threads_for(threads: int | None, extra: str) -> Iterator[None]:
    """Let torch use so many threads in the block; `None` for all processors.

    Raises:
        MissingExtraError: As `torch_of`.
    """
    torch = torch_of(extra)
    before = torch.get_num_threads()
    torch.set_num_threads(threads or usable_processors())
    try:
        yield
    finally:
        torch.set_num_threads(before)
