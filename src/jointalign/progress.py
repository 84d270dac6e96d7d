"""How long work tells whoever waits for it how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from time to time by long work; the library itself never prints."""

    def __call__(self, done: float, total: float | None, note: str = "") -> None:
        """Report.

        Args:
            done: Work done so far, in any unit.
            total: All the work, in the same unit; `None` if unknown.
            note: What to show beside the bar, e.g. `81k words/s`.
        """
        ...
