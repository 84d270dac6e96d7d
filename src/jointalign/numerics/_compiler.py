"""What Numba makes of loops, and where the compiled code is kept for the next run.

Beside the package; where that cannot be written, in the user's cache folder; where there is none, as
in a container without a home, in a folder for temporary files. `NUMBA_CACHE_DIR` names another.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba import config, njit
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.event import Event, Listener, register

from jointalign.numerics.compiling import Loop

log = logging.getLogger(__name__)

_FOLDER = "CACHE_DIR"  # set at run time from NUMBA_CACHE_DIR, unseen by type checkers


def dispatcher(loop: Loop) -> Any:
    """A compiler of a loop for types of arguments; it keeps what is not taken in by other loops."""
    function = loop.py_func
    if "inline" in loop.options:
        return njit(**loop.options)(function)
    if function.__closure__:
        # Code is found by name where it is linked: the same loop for other rows needs another.
        function.__qualname__ += f"_{_digest(_made_of(function, []))[:16]}"
    made: Any = njit(**loop.options)(function)
    try:
        made._cache = _Kept(loop)
        return made
    except RuntimeError:  # no folder that Numba knows of can be written
        folder = _temporary_folder() if Path(function.__code__.co_filename).exists() else None
    if folder is not None:
        before = getattr(config, _FOLDER)
        setattr(config, _FOLDER, str(folder))
        try:
            made._cache = _Kept(loop)
        finally:
            setattr(config, _FOLDER, before)
    return made


class _Kept(FunctionCache):
    """Compiled code, each piece in a file named after everything that it was made of.

    Numba keeps one index a function, which knows the function's own file only: it misses a change in
    another file that is compiled in, finds nothing for a function that encloses a compiled one, and
    two processes that write it at once mix up its entries. Without an index none of this can be.
    """

    def __init__(self, loop: Loop) -> None:
        super().__init__(loop.py_func)
        self._loop = loop
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, None)

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        facts = (numba.__version__, repr(sig), repr(codegen.magic_tuple()))
        return _digest([*facts, *_described(self._loop, [])])


class _Files(IndexDataCacheFile):
    """One file a key."""

    def save(self, key: str, data: Any) -> None:
        """Write the file of a key, whole or not at all."""
        self._save_data(self._named(key), data)

    def load(self, key: str) -> Any:
        """What was saved under a key, or None."""
        try:
            return self._load_data(self._named(key))
        except OSError:
            return None

    def _named(self, key: str) -> str:
        return f"{self._index_name.removesuffix('.nbi')}.{key}.nbc"


def _made_of(function: Any, seen: list[Any]) -> Iterator[str]:
    """All that decides what a function is compiled to, apart from the types of its arguments."""
    if function in seen:
        yield f"call of {seen.index(function)}"
        return
    seen.append(function)
    codes = [function.__code__]
    for code in codes:
        codes += [value for value in code.co_consts if isinstance(value, CodeType)]
        plain = [value for value in code.co_consts if not isinstance(value, CodeType)]
        names = (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)
        yield repr((code.co_code, code.co_exceptiontable, plain, names))
    outer = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    names = {name for code in codes for name in code.co_names}
    values = {name: function.__globals__[name] for name in names & function.__globals__.keys()}
    for module in [value for value in values.values() if isinstance(value, ModuleType)]:
        if module.__name__.partition(".")[0] == function.__module__.partition(".")[0]:
            values |= {name: vars(module)[name] for name in names & vars(module).keys()}
    values |= {name: cell.cell_contents for name, cell in outer.items()}
    for name in sorted(values):
        yield f"{name}:"
        yield from _described(values[name], seen)


def _described(value: Any, seen: list[Any]) -> Iterator[str]:
    if isinstance(value, Loop):
        yield repr(sorted((name, str(option)) for name, option in value.targetoptions.items()))
        yield from _made_of(value.py_func, seen)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    elif isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, type | FunctionType):
        yield f"{value.__module__}.{value.__qualname__}"
    else:
        yield repr(value)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
            log.info("compiling for this processor, once per installation: seconds for each command")

    def on_end(self, event: Event) -> None:
        """Numba has compiled."""


register("numba:compile", _Announcement())
