"""What commands share: messages on standard error, results (or one JSON object) on output."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from jointalign.storage.tables import visible, visible_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@cache
def messages() -> Console:
    """Standard error, which knows whether a bar is shown there."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


class Bar:
    """A progress bar on standard error; of no trace where that is no terminal."""

    def __init__(self, bars: Progress, title: str) -> None:
        self._bars = bars
        self._task = bars.add_task(title, total=None, note="")
        self._total: float | None = None
        self._first = self._last = (0.0, 0.0)

    def title(self, title: str) -> None:
        """Begin a new stage."""
        self._bars.reset(self._task, description=title, total=None, note="")

    def stage(self, title: str, done: bool = False) -> None:
        """Begin a new stage, with a message unless it was done before."""
        if not done:
            say(title)
        self.title(title)

    def __call__(self, done: float, total: float | None, note: str = "") -> None:
        """See `jointalign.progress.Progress`."""
        self._bars.update(self._task, completed=done, total=total, note=note)
        self._last = (time.monotonic(), done)
        if total != self._total:
            self._total, self._first = total, self._last

    @property
    def speed(self) -> float:
        """Work a second in the work that was last reported, without what was done before."""
        (begun, before), (now, done) = self._first, self._last
        return (done - before) / max(now - begun, 1e-9)


@contextmanager
def progress(title: str, shown: bool = True) -> Iterator[Bar]:
    """Show a bar with the time left while the block runs."""
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(
        *columns, console=messages(), transient=True, disable=not (shown and messages().is_terminal)
    ) as bars:
        yield Bar(bars, title)


def say(text: str) -> None:
    """A message for people, on standard error."""
    messages().print(visible(text), markup=False, soft_wrap=True)


def show(text: str) -> None:
    """The result for people, on standard output."""
    sys.stdout.write(visible(text).rstrip("\n") + "\n")


def show_json(content: dict[str, Any]) -> None:
    """The result for programs: one object on one line, nothing else on standard output."""
    sys.stdout.write(visible_json(content) + "\n")


def answer(json: bool, facts: dict[str, Any], text: str, warnings: Sequence[str] | None = None) -> None:
    """The result, for programs or for people.

    Args:
        json: Whether for programs.
        facts: For them.
        text: For people.
        warnings: What had been said at the start and holds at the end; `None` where nothing can be.
    """
    if json:
        show_json(facts if warnings is None else facts | {"warnings": list(warnings)})
    else:
        show("\n".join([text, *(f"warning: {warning}" for warning in warnings or ())]))


class _Handler(logging.Handler):
    """One line a record, however wide the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        say(prefix + record.getMessage())


@contextmanager
def logged_to_messages(*, verbose: bool) -> Iterator[None]:
    """Let the library's warnings appear among the messages; its notes too, if asked for."""
    handler = _Handler()
    logger = logging.getLogger("jointalign")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.getLogger("jointalign.numerics.compiling").setLevel(logging.INFO)  # the first run waits for it
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
