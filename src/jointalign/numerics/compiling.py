"""How loops are compiled: when they are first called, so that no command's help waits for Numba.

Compiled code is kept for the next run (`_compiler`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import WRAPPER_ASSIGNMENTS, partial
from threading import RLock
from typing import Any, Literal

# Numba refers to a loop by its dispatcher, weakly: there must never be two of one loop.
_MAKING = RLock()


class Loop(partial):
    """A function that is compiled for the types that it is called with, to run while other threads do.

    At the first call, or when another loop that calls it is compiled, Numba is imported and makes a
    dispatcher of it. From then on this is a `partial` of the dispatcher, which costs a call next to
    nothing.

    Args:
        function: What is compiled.
        options: Of Numba.

    Example:
        >>> Loop(lambda number: 2 * number, {})(21)
        42
    """

    py_func: Callable[..., Any]
    options: dict[str, Any]

    def __new__(cls, function: Callable[..., Any], options: dict[str, Any]) -> Loop:
        """A loop that Numba has not seen yet."""
        loop = super().__new__(cls, lambda *arguments, **named: loop.dispatcher(*arguments, **named))
        loop.__dict__ |= {name: getattr(function, name) for name in WRAPPER_ASSIGNMENTS}
        loop.py_func, loop.options = function, options
        return loop

    @property
    def dispatcher(self) -> Any:
        """What Numba makes of the function."""
        with _MAKING:
            if "made" not in self.__dict__:
                from jointalign.numerics._compiler import dispatcher

                self.__dict__["made"] = dispatcher(self)
                state = self.__dict__["made"], (), {}, self.__dict__
                self.__setstate__(state)  # pyright: ignore[reportAttributeAccessIssue]
            return self.__dict__["made"]

    @property
    def targetoptions(self) -> dict[str, Any]:
        """Here Numba looks whether a function is to be taken in."""
        return self.dispatcher.targetoptions

    @property
    def _numba_type_(self) -> Any:
        """Here Numba looks what a function is that another calls."""
        return self.dispatcher._numba_type_

    def __reduce__(self) -> str:
        """In another process it is the loop of this name."""
        return self.__dict__["__qualname__"]


def compiled(
    *, fastmath: bool = False, error_model: Literal["python", "numpy"] = "python"
) -> Callable[[Callable[..., Any]], Any]:
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
    return partial(Loop, options={"nogil": True, "fastmath": fastmath, "error_model": error_model})


def inlined(function: Callable[..., Any]) -> Any:
    """How a small function is compiled that other loops take in as a part of theirs."""
    return Loop(function, {"inline": "always"})
