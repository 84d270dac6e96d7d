"""torch and transformers, imported when first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from jointalign.numerics.devices import package_of, threads_for, torch_of


def import_torch() -> Any:
    """Torch.

    Raises:
        MissingExtraError: If it is not installed.
    """
    return torch_of("contextual")


def import_transformers() -> Any:
    """transformers, which is told to keep its progress bars to itself.

    Raises:
        MissingExtraError: If it is not installed.
    """
    import_torch()
    return package_of("transformers", "contextual")


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from drawing bars and repeating advice while the block runs."""
    logging = import_transformers().logging
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()


def torch_threads(threads: int | None) -> AbstractContextManager[None]:
    """Let torch use so many threads in the block; `None` for all processors."""
    return threads_for(threads, "contextual")
