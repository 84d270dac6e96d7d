"""Settings that say which values they may have, once for the check, the message and the help."""

from __future__ import annotations

from dataclasses import field, fields
from math import inf
from typing import Any, NamedTuple

from jointalign.checks import check_fields
from jointalign.errors import JointalignError


class Range(NamedTuple):
    """An interval of numbers; `above` and `below` are outside it, `least` and `most` inside."""

    least: float = -inf
    above: float = -inf
    most: float = inf
    below: float = inf

    def holds(self, value: float) -> bool:
        """Whether a number lies in it; `nan` never does."""
        return self.least <= value <= self.most and self.above < value < self.below

    def __str__(self) -> str:
        if min(self.most, self.below) == inf:
            return f"be at least {self.least:g}" if self.least > -inf else f"be above {self.above:g}"
        low = f"[{self.least:g}" if self.least > -inf else f"({self.above:g}"
        return f"lie in {low}, " + (f"{self.most:g}]" if self.most < inf else f"{self.below:g})")


def within(default: Any, **bounds: float) -> Any:
    """A field of a dataclass with its default and its range: `within(5, least=1)`; see `Range`."""
    return field(default=default, metadata={"range": Range(**bounds)})


def check_ranges(settings: Any) -> None:
    """Look at all fields: their types, and the ranges of those made by `within`; `None` is in every range.

    Raises:
        JointalignError: If a value is of another type or out of its range.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Settings:
        ...     rate: float = within(0.1, above=0, below=1)
        ...     __post_init__ = check_ranges
        >>> Settings(rate=2.0)
        Traceback (most recent call last):
        jointalign.errors.JointalignError: rate must lie in (0, 1), got 2.0
    """
    check_fields(settings)
    for one in fields(settings):
        allowed, value = one.metadata.get("range"), getattr(settings, one.name)
        if allowed is not None and value is not None and not allowed.holds(value):
            raise JointalignError(f"{one.name} must {allowed}, got {value}")
