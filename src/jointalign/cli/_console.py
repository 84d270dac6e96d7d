"""What commands share: messages on standard error, results (or one JSON object) on output."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from jointalign.storage.tables import visible, visible_json

COMMAND = "command"
"""Where the context has what was typed."""

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from typer import Context


@cache
def messages() -> Console:
    """Standard error, which knows whether a bar is shown there."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


LINE_SECONDS = 60.0
"""Time between two lines about long work where no bar can be shown."""


PRIOR_SECONDS = 30.0
"""Work of a plan that is taken to have gone as expected."""


class Bar:
    """A progress bar on standard error; where that is no terminal, a line a minute."""

    def __init__(self, bars: Progress, title: str) -> None:
        self._bars = bars
        self._task = bars.add_task(title, total=None, note="")
        self._total: float | None = None
        self._first = self._last = (time.monotonic(), 0.0)
        self._title, self._note = title, ""
        self._plan = Plan({})

    def plan(self, weights: Mapping[str, float], *, are_seconds: bool = False) -> None:
        """Say what stages there will be; they are numbered, and what is left is estimated.

        Args:
            weights: How long each takes, in any unit.
            are_seconds: Whether the unit is about a second; else nothing is known before the first ends.
        """
        self._plan = Plan(weights, are_seconds)

    def title(self, title: str) -> None:
        """Begin a new stage."""
        self._title, self._note = title, ""
        self._total, self._first = None, (time.monotonic(), 0.0)
        self._bars.reset(self._task, description=title, total=None, note="")

    def stage(self, title: str, done: bool = False) -> None:
        """Begin a new stage, with a message; of one done before only where there are few."""
        self._plan.begin(title, done)
        number = self._plan.number(title)
        if not done:
            say(f"{title}{number[:-1]}{self._plan.left(', ')})" if number else title)
        elif self._plan.are_seconds:
            say(f"{title}{number}: done before")
        self.title(f"{title}{number}")

    def __call__(self, done: float, total: float | None, note: str = "") -> None:
        """See `jointalign.progress.Progress`."""
        self._bars.update(self._task, completed=done, total=total, note=note)
        self._last = (time.monotonic(), done)
        if total != self._total:
            self._total, self._first = total, self._last
        self._note = note

    @contextmanager
    def lines(self) -> Iterator[None]:
        """Say how far it is, once a minute, while the block runs: some work reports seldom."""
        over = Event()

        def tell() -> None:
            while not over.wait(LINE_SECONDS):
                say(f"  {self._line()}")

        teller = Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()

    def _line(self) -> str:
        share = f" {100 * self._last[1] / self._total:.0f} %" if self._total else " at work"
        return f"{self._title}:{share}{f', {self._note}' if self._note else ''}{self._plan.left(', ')}"

    @property
    def speed(self) -> float:
        """Work a second in the work that was last reported, without what was done before."""
        (begun, before), (now, done) = self._first, self._last
        return (done - before) / max(now - begun, 1e-9)


class Plan:
    """The stages that a command has before it, and an estimate of what is left of them."""

    def __init__(self, weights: Mapping[str, float], are_seconds: bool = False) -> None:
        self._weights, self.are_seconds = dict(weights), are_seconds
        self._left = dict(weights)
        self._now, self._begun = "", time.monotonic()
        self._seconds = self._done = 0.0  # of stages done in this process: time, and weight

    def begin(self, title: str, done: bool = False) -> None:
        """A stage begins; with that the one before it ends."""
        now = time.monotonic()
        if self._now:
            self._seconds += now - self._begun
            self._done += self._weights[self._now]
        self._left.pop(title, None)
        self._now, self._begun = "" if done or title not in self._weights else title, now

    def number(self, title: str) -> str:
        """` (2 of 7)`; nothing where that is not known."""
        if title not in self._weights:
            return ""
        return f" ({list(self._weights).index(title) + 1} of {len(self._weights)})"

    def left(self, before: str = "") -> str:
        """`about 12 min left in all`, after some text; nothing where that is not known."""
        if not self._weights or not (self._done or self.are_seconds):
            return ""
        # What is expected of a stage says little about short ones, which begin with compiling.
        prior = PRIOR_SECONDS if self.are_seconds else 0.0
        rate = (self._seconds + prior) / (self._done + prior)
        expected, passed = self._weights.get(self._now, 0.0) * rate, time.monotonic() - self._begun
        if passed > expected > 0:  # it is slower than was thought, and so will be what comes
            rate *= passed / expected
        here = max(expected - passed, 0.3 * passed if self._now else 0.0)
        seconds = here + rate * sum(self._left.values())
        return f"{before}about {max(1, round(seconds / 60))} min left in all"


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
        bar = Bar(bars, title)
        if not shown or messages().is_terminal:
            yield bar
            return
        with bar.lines():
            yield bar


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


def typed(context: Context) -> str:
    """The command as it was typed, for records of results."""
    return shlex.join(["jointalign", *(context.find_root().obj or {}).get(COMMAND, ())])


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
