"""What was tried when settings were chosen, and which came out best."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jointalign.alignment.base import Aligner
from jointalign.alignment.rcsls import RCSLS


@dataclass(frozen=True)
class Trial:
    """One combination of settings and its score.

    Args:
        gamma: Its gamma; `None` where nothing is reallocated.
        method: The method with its settings.
        precision: P@1 on the held-out source words, in percent.
    """

    gamma: float | None
    method: Aligner
    precision: float

    def __str__(self) -> str:
        """What is being chosen, and the score."""
        settings = [] if self.gamma is None else [f"gamma {self.gamma:g}"]
        settings.append(type(self.method).__name__)
        if isinstance(self.method, RCSLS):
            settings += [
                f"learning rate {self.method.learning_rate:g}",
                f"{self.method.steps} steps",
            ]
        return f"{self.precision:5.1f}  {', '.join(settings)}"


@dataclass(frozen=True)
class Choice:
    """The best combination, and all that were tried.

    Args:
        trials: Everything tried, in order; of equal scores the first wins.
        held_out: Source words that each trial was asked for.
        seconds: Time it took.
    """

    trials: tuple[Trial, ...]
    held_out: int
    seconds: float

    @property
    def best(self) -> Trial:
        """The first of the trials with the highest score."""
        return max(self.trials, key=lambda trial: trial.precision)

    @property
    def gamma(self) -> float | None:
        """For `reallocate`; `None` where nothing is reallocated."""
        return self.best.gamma

    @property
    def method(self) -> Aligner:
        """For `align`, with the whole training dictionary."""
        return self.best.method

    def __str__(self) -> str:
        """A line for each trial; the best is marked."""
        best = self.best
        lines = [f"{trial}{'  <- chosen' if trial is best else ''}" for trial in self.trials]
        title = f"P@1 on {self.held_out} held-out source words ({self.seconds:.1f} s)"
        return "\n".join([title, *lines])


def described(method: Aligner) -> dict[str, Any]:
    """Name and settings of a method as plain types."""
    return {"name": type(method).__name__.lower()} | asdict(method)  # type: ignore[call-overload]
