"""What a file says of itself in JSON, read as the types that its reader goes by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, TypeVar, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_object

from jointalign.errors import FormatError, JointalignError
from jointalign.ranges import Range
from jointalign.storage.files import plain_errors

Kind = TypeVar("Kind")

Number = Annotated[int, Range(least=0)]
"""How many, or which one."""

AGAIN = "write or copy it again"
REMOVE = "remove it and start again"


def read_json(path: str | Path, kind: type[Kind], what: str, cure: str = AGAIN) -> Kind:
    """What a file of JSON holds.

    Args:
        path: The file.
        kind: Type of its content, as `typed` takes it.
        what: Its name in messages, e.g. `the facts of a tagger`.
        cure: What to do about a damaged one.

    Raises:
        JointalignError: If the file cannot be opened.
        FormatError: If it holds anything else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "sizes.json").write_text('{"words": 3}')
        ...     read_json(f"{folder}/sizes.json", dict[str, int], "sizes")
        {'words': 3}
    """
    with plain_errors(path):
        data = Path(path).read_bytes()
    with fits(path, what, cure):
        return typed(from_json(data), kind)


@contextmanager
def fits(path: str | Path, what: str, cure: str = AGAIN) -> Iterator[None]:
    """Whatever does not fit together inside a file is the file's fault.

    Args:
        path: The file.
        what: What it should be.
        cure: What to do.

    Raises:
        FormatError: In place of any error that content can cause.
    """
    try:
        yield
    except FormatError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(
            path, None, f"expected {what}, its parts do not fit together ({reason}); {cure}"
        ) from error


def from_json(text: str | bytes) -> Any:
    """A value from JSON.

    Raises:
        JointalignError: If it is none, or no UTF-8.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JointalignError(f"this is no JSON ({error})") from None


def typed(value: Any, kind: Any, name: str = "the content") -> Any:
    """A value of JSON as the type of an annotation: lists become tuples, objects dataclasses.

    Args:
        value: As `json` reads it.
        kind: `int`, `str | None`, `dict[str, Number]`, `tuple[str, str]`, `Literal["a"]`, an enum, a
            dataclass, a `TypedDict`, ... A `Range` in an `Annotated` is kept to.
        name: Of the value, for messages.

    Raises:
        JointalignError: If it is of another type, or lacks a part.

    Example:
        >>> typed([1, 2], tuple[Number, ...])
        (1, 2)
        >>> typed({"words": -1}, dict[str, Number])
        Traceback (most recent call last):
        jointalign.errors.JointalignError: 'words' must be at least 0, got -1
    """
    read = next((read for whether, read in _READERS if whether(kind)), _plain)
    return read(value, kind, name)


def _as_is(value: Any, kind: Any, name: str) -> Any:
    return value


def _plain(value: Any, kind: Any, name: str) -> Any:
    if kind is float and type(value) is int and abs(value) < 1 << 1000:
        return float(value)
    if type(value) is not kind:
        raise _other(value, kind, name)
    return value


def _within(value: Any, kind: Any, name: str) -> Any:
    inner, *ranges = get_args(kind)
    value = typed(value, inner, name)
    for one in ranges:
        if value is not None and not one.holds(value):
            raise JointalignError(f"'{name}' must {one}, got {_shown(value)}")
    return value


def _one_of(value: Any, kind: Any, name: str) -> Any:
    inside = None
    for inner in get_args(kind):
        try:
            return typed(value, inner, name)
        except JointalignError as error:
            inside = inside if inner is NoneType else error  # says which part
    raise inside if inside is not None and type(value) in (dict, list) else _other(value, kind, name)


def _literal(value: Any, kind: Any, name: str) -> Any:
    if not any(type(value) is type(one) and value == one for one in get_args(kind)):
        raise _other(value, " or ".join(map(repr, get_args(kind))), name)
    return value


def _enum(value: Any, kind: Any, name: str) -> Any:
    known = [one.value for one in kind]
    if type(value) not in map(type, known) or value not in known:
        raise _other(value, f"one of {', '.join(map(str, known))}", name)
    return kind(value)


def _list(value: Any, kind: Any, name: str) -> Any:
    inner = get_args(kind)
    if type(value) is not list:
        raise _other(value, "a list", name)
    if get_origin(kind) is list or inner[-1] is Ellipsis:
        found = [typed(one, inner[0], f"{name}[{number}]") for number, one in enumerate(value)]
        return found if get_origin(kind) is list else tuple(found)
    if len(value) != len(inner):
        raise _other(value, f"{len(inner)} values", name)
    pairs = zip(value, inner, strict=True)
    return tuple(typed(one, each, f"{name}[{number}]") for number, (one, each) in enumerate(pairs))


def _record(value: Any, kind: Any, name: str) -> Any:
    return kind(*typed(value, tuple[*get_type_hints(kind).values()], name))


def _named(value: Any, kind: Any, name: str) -> Any:
    if type(value) is not dict:
        raise _other(value, "an object", name)
    return {key: typed(one, get_args(kind)[1], key) for key, one in value.items()}


def _object(value: Any, kind: Any, name: str) -> Any:
    """Parts that are not known are left as they are: newer versions may tell more."""
    if type(value) is not dict:
        raise _other(value, "an object", name)
    found = dict(value)
    for part, inner in get_type_hints(kind, include_extras=True).items():
        optional = get_origin(inner) is NotRequired
        if part in value:
            found[part] = typed(value[part], get_args(inner)[0] if optional else inner, part)
        elif not optional:
            raise JointalignError(f"'{part}' is missing")
    return found


def _dataclass(value: Any, kind: Any, name: str) -> Any:
    if type(value) is not dict:
        raise _other(value, "an object", name)
    known = {one.name: one.default is MISSING and one.default_factory is MISSING for one in fields(kind)}
    hints = get_type_hints(kind, include_extras=True)
    for part in [*value, *(part for part, needed in known.items() if needed)]:
        if part not in known or part not in value:
            raise JointalignError(f"'{part}' is {'missing' if part in known else 'not known'}")
    return kind(**{part: typed(one, hints[part], part) for part, one in value.items()})


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, str], Any]], ...] = (
    (lambda kind: kind in (Any, object), _as_is),
    (lambda kind: get_origin(kind) is Annotated, _within),
    (lambda kind: get_origin(kind) in (Union, UnionType), _one_of),
    (lambda kind: get_origin(kind) is Literal, _literal),
    (lambda kind: get_origin(kind) in (list, tuple), _list),
    (lambda kind: get_origin(kind) in (dict, Mapping), _named),
    (is_object, _object),
    (is_dataclass, _dataclass),
    (lambda kind: hasattr(kind, "_fields"), _record),
    (lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _enum),
)


def _other(value: Any, kind: Any, name: str) -> JointalignError:
    wanted = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    return JointalignError(f"'{name}' should be {wanted}, got {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
