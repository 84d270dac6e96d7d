"""Errors that a user's input can cause: what was expected, what came, where, and the cure."""

from __future__ import annotations

from pathlib import Path


class JointalignError(ValueError):
    """Base of all errors that bad input or bad settings can cause.

    The command line prints these as one line and exits with code 2.
    """


class FormatError(JointalignError):
    """A file does not hold what it should.

    Args:
        path: The file at fault.
        line: The line at fault, counted from 1; `None` where lines mean nothing.
        reason: What was expected, what came, and the cure.
    """

    def __init__(self, path: str | Path, line: int | None, reason: str) -> None:
        place = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{place}: {reason}")
        self.path = Path(path)
        self.line = line
        self.reason = reason


class MissingExtraError(JointalignError, ImportError):
    """An optional dependency is not installed.

    Args:
        package: The package that could not be imported.
        extra: The extra of jointalign that brings it; empty if none does.
    """

    def __init__(self, package: str, extra: str) -> None:
        what = f"'jointalign[{extra}]'" if extra else package
        super().__init__(f"this needs the package '{package}'; install it with: pip install {what}")
        self.package = package
        self.extra = extra
