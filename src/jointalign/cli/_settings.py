"""Options made from frozen dataclasses of settings: one definition for code, command and file."""

from __future__ import annotations

import inspect
import re
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from math import inf
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import typer

from jointalign.cli._help import RUNNING
from jointalign.errors import JointalignError
from jointalign.ranges import Range
from jointalign.storage.files import plain_errors

File = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        help="TOML file of settings, by the names of their options, which have precedence.",
        rich_help_panel=RUNNING,
    ),
]
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Changes(Generic[Settings]):
    """What was given of some settings, where a command itself decides what the rest is.

    Args:
        values: By field; that of a dataclass inside by `outer.inner`.
        origins: How each of them was given: `--learning-rate`, or a key and its file.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, str]

    def over(self, default: Settings) -> Settings:
        """The default with what was given.

        Raises:
            JointalignError: If it has no such setting, or a value is out of its range.
        """
        known = {one.name for one in fields(default)}  # type: ignore[arg-type]
        for path, origin in self.origins.items():
            if path.partition(".")[0] not in known:
                raise JointalignError(f"{origin}: {type(default).__name__} has no such setting")
        with self.named():
            return _replaced(default, self.values)

    def under(self, **values: Any) -> Changes[Settings]:
        """The same with other values for what was not given; `None` leaves it to the default."""
        more = {name: value for name, value in values.items() if value is not None}
        return Changes({**more, **self.values}, self.origins)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let an error about a setting name it as it was given."""
        try:
            yield
        except JointalignError as error:
            names = {path.rpartition(".")[2]: origin for path, origin in self.origins.items()}
            text = re.sub(r"(?<!-)\b\w+\b(?!-)", lambda word: names.get(word[0], word[0]), str(error))
            raise JointalignError(text) from error


class Setting(NamedTuple):
    """One field that is an option.

    Args:
        path: Its name; `outer.inner` for a field of a dataclass inside.
        kind: A plain type, an enum, or a class that parses text.
        optional: Whether it may be `None`, which is typed `none`.
        help: What its docstring says.
        option: Name of the option, with underscores.
    """

    path: str
    kind: Any
    optional: bool
    help: str
    option: str

    @property
    def flag(self) -> str:
        """As it is typed."""
        return f"--{self.option.replace('_', '-')}"

    def parameter(self, group: str) -> inspect.Parameter:
        """What typer makes the option of, and the group that it is shown in."""
        flag, kind, shown = self.flag, self.kind, None
        flags = (f"{flag}/--no-{flag[2:]}",) if kind is bool else (flag,)
        if self.optional:
            choices = [str(one.value) for one in kind] if issubclass(kind, Enum) else [kind.__name__]
            shown = f"<{'|'.join([*choices, 'none'])}>"
        if self.optional or hasattr(kind, "parse"):
            kind = str
        option = typer.Option(
            *flags, help=self.help, metavar=shown, show_default=False, rich_help_panel=group
        )
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(
            self.option, keyword, default=None, annotation=Annotated[kind | None, option]
        )

    def converted(self, value: Any, origin: str) -> Any:
        """A value from a file or the command line in its own type.

        Raises:
            JointalignError: If it is of another.
        """
        kind = self.kind
        if self.optional and value == "none":
            return None
        if hasattr(kind, "parse") and isinstance(value, str):
            try:
                return kind.parse(value)
            except JointalignError as error:
                raise JointalignError(f"{origin}: {error}") from None
        if type(value) is kind:
            return value
        if (
            issubclass(kind, Enum)
            or (kind is float and type(value) is int)
            or (self.optional and type(value) is str)
        ):
            with suppress(ValueError, TypeError):
                return kind(value)
        wanted = (
            " or ".join(str(one.value) for one in kind)
            if issubclass(kind, Enum)
            else _WORDS.get(kind, "text")
        )
        raise JointalignError(f"{origin}: expected {wanted}{' or none' * self.optional}, got {value!r}")


@dataclass(frozen=True)
class Options:
    """Some settings of a command, each field an option.

    Args:
        default: What holds where nothing is given.
        otherwise: What does where another option is given, by that option; shown where it differs.
        within: Settings inside the first that count as its own.
        names: Names of options that differ from their fields, whose names are taken.
        leave: Fields that the command decides.
        only: If any, the only fields.
        open: Fields that are chosen on held-out pairs where they are not given.
        title: What they are settings of, where that is not plain.
    """

    default: Any
    otherwise: Mapping[str, Any] = field(default_factory=dict)
    within: tuple[Any, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    leave: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    title: str = ""

    def settings(self) -> list[Setting]:
        """All that an option can hold, in order; what two of them have is one."""
        every = [s for one in (self.default, *self.within) for s in self._of(one, one, "")]
        return list({setting.option: setting for setting in reversed(every)}.values())[::-1]

    def _of(self, whole: Any, part: Any, prefix: str) -> Iterator[Setting]:
        hints, texts = get_type_hints(type(part)), _argument_texts(type(part))
        for one in fields(part):
            path = prefix + one.name
            if path in self.leave or (self.only and path not in self.only):
                continue
            (kind, optional), inner = _plain(hints[one.name]), getattr(part, one.name)
            if kind is None and is_dataclass(inner):
                yield from self._of(whole, inner, f"{path}.")
                continue
            if kind is None:
                continue
            bounds = _bounds(one.metadata.get("range"))
            text = f"{self.title}{texts.get(one.name, '')} [{self._default(whole, path)}{bounds}]"
            yield Setting(path, kind, optional, text, self.names.get(path, path.replace(".", "_")))

    def _default(self, whole: Any, path: str) -> str:
        if path in self.open:
            return "chosen on held-out pairs"
        text = _shown(whole, path)
        known = {
            label: other for label, other in self.otherwise.items() if hasattr(other, path.split(".")[0])
        }
        others = {label: _shown(other, path) for label, other in known.items()}
        return "; ".join([text, *(f"{label}: {one}" for label, one in others.items() if one != text)])


def with_settings(**tables: Options) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the settings that it takes as objects, each field an option, and `--settings`.

    Args:
        tables: By the command's parameter. It gets `Changes` if it says so, else the settings.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        wanted = {name: options.settings() for name, options in tables.items()}
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [one.replace(kind=keyword) for name, one in own.items() if name not in tables]
        if tables:
            parameters.append(inspect.Parameter("settings", keyword, default=None, annotation=File))
        for name, settings in wanted.items():
            group = f"Settings of the {name}" if len(wanted) > 1 else "Settings"
            parameters += [setting.parameter(group) for setting in settings]

        def run(**values: Any) -> None:
            file = values.pop("settings", None)
            given = {name: Changes({}, {}) for name in tables} if file is None else _read(file, wanted)
            for name, options in tables.items():
                changes = _typed(given[name], wanted[name], values)
                as_they_are = (get_origin(own[name].annotation) or own[name].annotation) is Changes
                values[name] = changes if as_they_are else changes.over(options.default)
            command(**values)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__doc__ = summary(command)
        return run

    return decorate


def summary(documented: Any) -> str:
    """A docstring without its sections."""
    return re.split(r"\n\n(?:Args|Raises|Returns|Example):\n", inspect.getdoc(documented) or "")[0]


def plain(settings: Any) -> Any:
    """Settings as a settings file has them, for `--json`; several by name."""
    if hasattr(settings, "parse"):
        return str(settings)
    if is_dataclass(settings):
        settings = {one.name: getattr(settings, one.name) for one in fields(settings)}
    if isinstance(settings, Mapping):
        return {name: plain(value) for name, value in settings.items()}
    return settings


def _typed(changes: Changes, wanted: list[Setting], values: dict[str, Any]) -> Changes:
    """What the file says, and over it what the command line does."""
    found, origins = dict(changes.values), dict(changes.origins)
    for setting in wanted:
        value = values.pop(setting.option)
        if value is not None:
            found[setting.path] = setting.converted(value, setting.flag)
            origins[setting.path] = setting.flag
    return Changes(found, origins)


def _read(path: Path, wanted: Mapping[str, list[Setting]]) -> dict[str, Changes]:
    """A settings file: the fields of one object, or a table for each of several."""
    try:
        with plain_errors(path):
            content = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, JointalignError):
            raise
        raise JointalignError(f"{path}: expected settings in TOML; {error}") from None
    if len(wanted) == 1:
        content = {next(iter(wanted)): content}
    for name, table in content.items():
        if name not in wanted or not isinstance(table, dict):
            raise JointalignError(f"{path}: expected the tables {', '.join(wanted)}, got '{name}'")
    found = {}
    for name, settings in wanted.items():
        by_path, values, origins = {setting.path: setting for setting in settings}, {}, {}
        for key, value in _flat(content.get(name, {}), ""):
            if key not in by_path:
                raise JointalignError(f"{path}: no setting '{key}'; there are {', '.join(by_path)}")
            origins[key] = f"{key} ({path})"
            values[key] = by_path[key].converted(value, origins[key])
        found[name] = Changes(values, origins)
    return found


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _replaced(settings: Any, values: Mapping[str, Any]) -> Any:
    own = {path: value for path, value in values.items() if "." not in path}
    for name in {path.partition(".")[0] for path in values if "." in path}:
        inside = {path.partition(".")[2]: v for path, v in values.items() if path.startswith(f"{name}.")}
        own[name] = _replaced(getattr(settings, name), inside)
    return replace(settings, **own)


def _plain(hint: Any) -> tuple[Any, bool]:
    """A type that an option can have, `None` if it has none; and whether `None` is a value, too."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [kind for kind in get_args(hint) if kind is not type(None)]
        return (_plain(inner[0])[0], True) if len(inner) == 1 else (None, True)
    able = isinstance(hint, type) and (hint in _WORDS or issubclass(hint, Enum) or hasattr(hint, "parse"))
    return (hint if able else None), False


def _shown(settings: Any, path: str) -> str:
    for name in path.split("."):
        settings = getattr(settings, name)
    if isinstance(settings, bool):
        return "yes" if settings else "no"
    if settings is None:
        return "none"
    return f"{settings:g}" if isinstance(settings, float) else str(settings)


def _bounds(allowed: Range | None) -> str:
    """A range as typer shows those of its own."""
    if allowed is None:
        return ""
    low, open_low = (allowed.least, "=") if allowed.least > -inf else (allowed.above, "")
    if min(allowed.most, allowed.below) == inf:
        return f"; x>{open_low}{low:g}"
    high = f"<={allowed.most:g}" if allowed.most < inf else f"<{allowed.below:g}"
    return f"; {low:g}<{open_low}x{high}"


def _argument_texts(kind: type) -> dict[str, str]:
    """What the docstring says of each field."""
    text = inspect.getdoc(kind) or ""
    match = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    if match is None:
        return {}
    entries = re.split(r"^    (?=\w+: )", match[1], flags=re.MULTILINE)[1:]
    pairs = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(words.split()).replace("`", "") for name, words in pairs}
