"""torch, imported when first needed: where it computes, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
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
        JointalignError: If it is, and cannot be loaded.
    """
    return package_of("torch", extra)


def package_of(name: str, extra: str) -> Any:
    """An optional package.

    Args:
        name: Of the package.
        extra: Of jointalign, which brings it.

    Raises:
        MissingExtraError: If it is not installed.
        JointalignError: If it is, and cannot be loaded.
    """
    try:
        return import_module(name)
    except (ImportError, OSError) as error:  # of a shared library that is missing or another one
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            raise MissingExtraError(name, extra) from error
        raise JointalignError(
            f"the package '{name}' is installed, but cannot be loaded ({error}); mend or install it again"
        ) from error


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
