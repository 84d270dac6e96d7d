"""How loops are compiled, and where the compiled code is kept for the next run.

Beside the package; where that cannot be written, in the user's cache folder; where there is none, as
in a container without a home, in a folder for temporary files. `NUMBA_CACHE_DIR` names another.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import config, njit
from numba.core.event import Event, Listener, register

log = logging.getLogger(__name__)

_FOLDER = "CACHE_DIR"  # set at run time from NUMBA_CACHE_DIR, unseen by type checkers

inlined = njit(inline="always")
"""How a small function is compiled that other loops take in as a part of theirs."""


def compiled(*, fastmath: bool = False, error_model: str = "python") -> Callable[[Callable[..., Any]], Any]:
    """How a loop is compiled: for the types that it is called with, to run while other threads do.

    Args:
        fastmath: Let sums be added up in another order, so that the processor takes several at once.
        error_model: Of a division by zero: `"python"` raises, `"numpy"` gives an infinity.

    Returns:
        A decorator.

    Example:
        >>> @compiled()
        ... def double(number):
        ...     return 2 * number
        >>> double(21)
        42
    """

    def decorate(function: Callable[..., Any]) -> Any:
        options = {"nogil": True, "fastmath": fastmath, "error_model": error_model}
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # no folder that Numba knows of can be written
            folder = _temporary_folder() if Path(function.__code__.co_filename).exists() else None
        if folder is None:
            return njit(**options)(function)
        before = getattr(config, _FOLDER)
        setattr(config, _FOLDER, str(folder))
        try:
            return njit(cache=True, **options)(function)
        finally:
            setattr(config, _FOLDER, before)

    return decorate


@cache
def _temporary_folder() -> Path | None:
    """Compiled code is run unseen, so this folder is the user's alone, or it is not used."""
    cure = "NUMBA_CACHE_DIR can name a folder that lasts"
    user = os.getuid() if hasattr(os, "getuid") else "user"  # elsewhere each user has a folder of their own
    try:
        folder = Path(tempfile.gettempdir()) / f"jointalign-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if user != "user" and (facts.st_uid, facts.st_mode) != (user, stat.S_IFDIR | 0o700):
            raise PermissionError(f"{folder} is open to others")
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        log.warning("compiled code can be kept nowhere (%s), so every start compiles anew; %s", error, cure)
        return None
    log.warning("no place for compiled code beside the package or in a home: it is in %s; %s", folder, cure)
    return folder


class _Announcement(Listener):
    """Says once that somebody waits for the compiler, not for the work."""

    said = False

    def on_start(self, event: Event) -> None:
        """Numba begins to compile."""
        details: Any = event.data
        if not self.said and details["dispatcher"].py_func.__module__.startswith("jointalign."):
            self.said = True
            log.info("compiling for this processor, once per installation: about half a minute in all")

    def on_end(self, event: Event) -> None:
        """Numba has compiled."""


register("numba:compile", _Announcement())
