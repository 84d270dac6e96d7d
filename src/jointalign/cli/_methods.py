"""Options of an alignment method, made from its settings: one definition for code and command."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable
from dataclasses import MISSING, fields
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

from jointalign.alignment.base import Aligner

_PLAIN = (bool, int, float, str)


def with_settings(command: Callable[..., None], method: Aligner, name: str) -> Callable[..., None]:
    """A command that also takes the settings of a method, each as an option.

    Args:
        command: Takes `method` (its name) and `settings` (those that were given, by name) besides
            its own options.
        method: The method with its defaults.
        name: Its name.
    """
    options = _options(method)
    names = {option.name for option in options}

    def run(**values: Any) -> None:
        given = {key: values.pop(key) for key in names}
        settings = {key: value for key, value in given.items() if value is not None}
        command(method=name, settings=settings, **values)

    text = (inspect.getdoc(type(method)) or "").split("\n\nArgs:")[0]
    return _signed(run, [*_own(command), *options], text)


def without_settings(command: Callable[..., None], name: str) -> Callable[..., None]:
    """The command itself for a method that has no settings of its own."""

    def run(**values: Any) -> None:
        command(method=name, settings={}, **values)

    return _signed(run, _own(command), inspect.getdoc(command) or "")


def _own(command: Callable[..., None]) -> list[inspect.Parameter]:
    return [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.name not in ("method", "settings")
    ]


def _signed(run: Callable[..., None], parameters: list[inspect.Parameter], text: str) -> Callable[..., None]:
    """Tell typer what a function of `**values` takes."""
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = text
    return run


def _options(method: Aligner) -> list[inspect.Parameter]:
    """Of the method, and of one inside it."""
    inner = method.core
    return _own_options(method) if inner is method else _own_options(method) + _own_options(inner)


def _own_options(method: Aligner) -> list[inspect.Parameter]:
    hints, texts = get_type_hints(type(method)), _argument_texts(type(method))
    chosen = method.chosen
    options = []
    for field in fields(method):  # type: ignore[arg-type]
        kind = _plain(hints[field.name])
        if kind is None or field.default is MISSING:
            continue
        default = getattr(method, field.name)
        shown = "chosen on held-out pairs" if field.name in chosen else _shown(default)
        text = f"{texts.get(field.name, '')} [{shown}]"
        flag = f"--{field.name.replace('_', '-')}"
        flags = (f"{flag}/--no-{flag[2:]}",) if kind is bool else (flag,)
        annotation = Annotated[kind | None, typer.Option(*flags, help=text, show_default=False)]
        options.append(
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    return options


def _plain(hint: Any) -> Any:
    """A type that an option can have: the one of `type | None`; `None` if there is none."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [kind for kind in get_args(hint) if kind is not type(None)]
        return _plain(inner[0]) if len(inner) == 1 else None
    if isinstance(hint, type) and (hint in _PLAIN or issubclass(hint, Enum)):
        return hint
    return None


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _argument_texts(kind: type) -> dict[str, str]:
    """What the docstring says of each field."""
    text = inspect.getdoc(kind) or ""
    match = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    if match is None:
        return {}
    entries = re.split(r"^    (?=\w+: )", match[1], flags=re.MULTILINE)[1:]
    pairs = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(words.split()).replace("`", "") for name, words in pairs}
