"""What public functions and values take, held against their annotations: one check, one form of message."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache, wraps
from inspect import isclass, signature
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from jointalign.errors import JointalignError

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN: dict[Any, tuple[type | tuple[type, ...], str]] = {
    str: (str, "a string"),
    bool: ((bool, np.bool_), "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    Path: (PathLike, "a path"),
    NoneType: (NoneType, "None"),
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Check the arguments of a function by their annotations, before it runs.

    The names of an enum's members become members. What an annotation says too little of (arrays,
    protocols) is let through.

    Raises:
        JointalignError: While called, if an argument is of another type.

    Example:
        >>> @checked
        ... def sizes(words: list[str], count: int = 1) -> int:
        ...     return count * len(words)
        >>> sizes("word")
        Traceback (most recent call last):
        jointalign.errors.JointalignError: sizes: words must be a list of strings, got the string
        'word'; write ['word']
    """
    parameters = signature(function)
    place = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = parameters.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # says which argument is missing, or too many
        hints = _hints(function)
        for name, value in given.arguments.items():
            if name in hints:
                given.arguments[name] = fitting(f"{place}: {name}", value, hints[name])
        return function(*given.args, **given.kwargs)

    return call


def check_fields(settings: Any) -> None:
    """The same for the fields of a dataclass: for its `__post_init__`.

    Raises:
        JointalignError: If a field is of another type.
    """
    kind = type(settings)
    hints = _hints(kind)
    for one in fields(settings):
        value = getattr(settings, one.name)
        fitted = fitting(f"{kind.__name__}: {one.name}", value, hints[one.name])
        if fitted is not value:
            object.__setattr__(settings, one.name, fitted)


@cache
def _hints(annotated: Any) -> dict[str, Any]:
    return get_type_hints(annotated)


def fitting(place: str, value: Any, hint: Any) -> Any:
    """A value as an annotation wants it: an enum's member for its name, a tuple of a list, else the value.

    Args:
        place: What it is, for the message.
        value: That was given.
        hint: The annotation.

    Raises:
        JointalignError: If it is something else.
    """
    for enum in (one for one in _alternatives(hint) if isclass(one) and issubclass(one, Enum)):
        if isinstance(value, str) and value in {member.value for member in enum}:
            return enum(value)
    if get_origin(hint) is tuple and _is_many(value) and not isinstance(value, tuple):
        value = tuple(value)
    if _fits(value, hint):
        return value
    raise JointalignError(f"{place} must be {_described(hint)}, got {_came(value, hint)}")


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint in _PLAIN:
        return isinstance(value, _PLAIN[hint][0]) and not (hint is int and isinstance(value, bool))
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if isclass(origin) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(one, inner[1]) for one in value.values())
    if origin is tuple and Ellipsis not in inner:
        return _is_many(value) and len(value) == len(inner) and all(map(_fits, value, inner))
    if isclass(origin) and issubclass(origin, Iterable):
        if not _is_many(value) or not isinstance(value, Collection):
            return _is_many(value)  # what can be gone through once is left to whoever does
        if inner[0] is str:  # of vocabularies, millions
            return all(issubclass(kind, str) for kind in set(map(type, value)))
        return all(_fits(one, inner[0]) for one in value)
    if isclass(hint) and not getattr(hint, "_is_protocol", False):
        return isinstance(value, hint)
    return True


def _is_many(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _described(hint: Any, plural: bool = False) -> str:
    alternatives = _alternatives(hint)
    if len(alternatives) > 1:
        return " or ".join(_described(one, plural) for one in alternatives)
    if hint in _PLAIN:
        text = _PLAIN[hint][1]
        return f"{text.removeprefix('a ')}s" if plural and text.startswith("a ") else text
    origin, inner = get_origin(hint), get_args(hint)
    if isclass(origin) and issubclass(origin, Mapping):
        return f"a mapping to {_described(inner[1], plural=True)}"
    if isclass(origin) and issubclass(origin, Iterable):
        if origin is tuple and Ellipsis not in inner:
            return f"a tuple ({', '.join(map(_described, inner))})"
        return f"a list of {_described(inner[0], plural=True)}"
    if isclass(hint) and issubclass(hint, Enum):
        return f"one of {', '.join(member.value for member in hint)}"
    name = getattr(hint, "__name__", str(hint))
    return name if plural else f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _came(value: Any, hint: Any) -> str:
    shown = reprlib.repr(value)
    if isinstance(value, str):
        listed = any(isclass(o := get_origin(one)) and issubclass(o, Iterable) for one in _alternatives(hint))
        return f"the string {shown}" + (f"; write [{shown}]" if listed else "")
    if isclass(value):
        return f"the class itself; write {value.__name__}(...)"
    if value is None or isinstance(value, int | float):
        return shown
    wrong = (
        next((one for one in value if not isinstance(one, str)), None)
        if type(value) in (list, tuple)
        else None
    )
    return f"{type(value).__name__}" + (f" with {reprlib.repr(wrong)} in it" if wrong is not None else "")


def float32(place: str, values: Any) -> np.ndarray:
    """Numbers as float32; the same array where it is that already.

    Raises:
        JointalignError: If they are no numbers.
    """
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        return values
    try:
        found = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        found = np.asarray(None)
    if found.dtype.kind not in "fiu":
        raise JointalignError(f"{place} must be an array of numbers, got {_came(values, np.ndarray)}")
    with np.errstate(over="ignore"):
        return found.astype(np.float32)
