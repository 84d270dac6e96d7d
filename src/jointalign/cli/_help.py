"""Help that fits a screen: what everybody needs in full, the rest by name, in groups."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import typer
from typer.core import TyperCommand

ALL = "--help-all"
SCREEN = 45
"""Lines up to which all options are shown in full."""

RUNNING = "How it runs"
TEXT = "Text and words"
FILES = "CoNLL files"
ENCODER = "With an encoder"
MORE = "More to write"


class Command(TyperCommand):
    """A command whose options are shown in groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, in full if they fit a screen or were asked for."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for one in self.get_params(ctx):
            record = one.get_help_record(ctx)
            if record is not None:
                usual = "Arguments" if one.param_type_name == "argument" else "Options"
                groups.setdefault(getattr(one, "rich_help_panel", None) or usual, []).append(record)
        trial = ctx.make_formatter()
        for title, records in groups.items():
            _write(trial, title, records)
        whole = trial.getvalue()
        if _is_asked_for(ctx) or whole.count("\n") <= SCREEN:
            formatter.write(whole)
            return
        for title, records in groups.items():
            if title in ("Arguments", "Options"):
                _write(formatter, title, records)
        formatter.write(f"\nMore options ({ALL} explains them):\n")
        for title, records in groups.items():
            if title not in ("Arguments", "Options"):
                names = ", ".join(map(_name, records))
                formatter.write(_folded(f"{title}: {names}", formatter.width))


def _folded(text: str, width: int) -> str:
    return fill(text, width - 2, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False) + "\n"


def _write(formatter: Any, title: str, records: list[tuple[str, str]]) -> None:
    with formatter.section(title):
        formatter.write_dl(records)


def _name(record: tuple[str, str]) -> str:
    """`--epochs` of `--epochs <int>`, or of `--a / --no-a`."""
    return record[0].split()[0].rstrip(",")


def _is_asked_for(ctx: Any) -> bool:
    return bool((ctx.find_root().obj or {}).get(ALL))


def on_a_screen(application: typer.Typer) -> typer.Typer:
    """Let all commands of an application, and of those inside, show their help so."""
    for command in application.registered_commands:
        command.cls = Command
    for group in application.registered_groups:
        if group.typer_instance is not None:
            on_a_screen(group.typer_instance)
    return application
