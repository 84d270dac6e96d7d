"""torch, imported when first needed: where it computes, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jointalign.errors import JointalignError, MissingExtraError
from jointalign.numerics.processors import usable_processors

if TYPE_CHECKING:
    import torch


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


def device_named(name: str, extra: str) -> torch.device:
    """A device by its name, `auto` for a GPU where there is one.

    Raises:
        JointalignError: If there is no such device.
        MissingExtraError: As `torch_of`.
    """
    torch = torch_of(extra)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise JointalignError(f"there is no device '{name}' here ({reason}); try cpu") from None
    return torch.device(name)


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
