"""What was tried when settings were chosen, and which came out best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import Any

from jointalign.alignment.base import Aligner
from jointalign.alignment.variants import in_words


@dataclass(frozen=True)
class Trial:
    """One combination of settings and its score.

    Args:
        gamma: Its gamma; `None` where nothing is reallocated.
        method: The method with its settings.
        precision: P@1 on the held-out source words, in percent.
        space: Name of the space where gamma does not tell it, e.g. `separate`.
    """

    gamma: float | None
    method: Aligner
    precision: float
    space: str = ""

    @property
    def made_in(self) -> str:
        """Its space, in words."""
        return self.space if self.gamma is None else f"gamma {self.gamma:g}"

    def __str__(self) -> str:
        """What is being chosen, and the score."""
        settings = [self.made_in, in_words(self.method)]
        return f"{self.precision:5.1f}  {', '.join(filter(None, settings))}"


@dataclass(frozen=True)
class Choice:
    """The best combination, and all that were tried.

    Args:
        trials: Everything tried, in order; of equal scores the first wins.
        held_out: Source words that each trial was asked for.
        seconds: Time it took.
        skipped: What was not tried, because it would have taken too long.
    """

    trials: tuple[Trial, ...]
    held_out: int
    seconds: float
    skipped: tuple[str, ...] = ()

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

    @property
    def reason(self) -> str:
        """What was chosen, and by how much it is ahead of the best of each other kind."""
        best = self.best
        parts = [f"chosen: {str(best).strip()}"]
        # Spaces are compared under one mapping: the one that was tried in all of them.
        alike = [t for t in self.trials if t.method == self.trials[0].method]
        own = max((t.precision for t in alike if t.made_in == best.made_in), default=nan)
        for space in _rival_spaces(best, alike):
            rival = max((t for t in alike if t.made_in == space), key=lambda t: t.precision)
            parts.append(f"{own - rival.precision:+.1f} against {rival.made_in}")
        here = [t for t in self.trials if t.made_in == best.made_in]
        others = [t for t in here if type(t.method) is not type(best.method)]
        if others:
            rival = max(others, key=lambda trial: trial.precision)
            parts.append(f"{best.precision - rival.precision:+.1f} against {in_words(rival.method)}")
        if self.skipped:
            parts.append(f"not tried, beyond the time limit: {', '.join(self.skipped)}")
        return "; ".join(parts)

    def __str__(self) -> str:
        """A line for each trial; the best is marked."""
        best = self.best
        lines = [f"{trial}{'  <- chosen' if trial is best else ''}" for trial in self.trials]
        title = f"P@1 on {self.held_out} held-out source words ({self.seconds:.1f} s)"
        return "\n".join([title, *lines, self.reason])


def _rival_spaces(best: Trial, trials: Sequence[Trial]) -> list[str]:
    """The best other gamma, and the separate spaces, as far as they were tried."""
    rivals: dict[bool, Trial] = {}
    for trial in trials:
        kind = trial.gamma is None
        if trial.made_in != best.made_in and (kind not in rivals or trial.precision > rivals[kind].precision):
            rivals[kind] = trial
    return [trial.made_in for trial in rivals.values()]


def described(method: Aligner) -> dict[str, Any]:
    """Name and settings of a method as plain types."""
    return {"name": type(method).__name__.lower()} | asdict(method)  # type: ignore[call-overload]
