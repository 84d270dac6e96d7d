"""What there is to choose from, what was tried, and which came out best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import nan, sqrt
from typing import Any

import numpy as np

from jointalign.alignment.api import first, is_chance
from jointalign.alignment.base import Aligner
from jointalign.alignment.procrustes import Procrustes
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.ensemble import side_by_side
from jointalign.errors import JointalignError
from jointalign.reallocation import reallocate
from jointalign.vocabulary import Counts

FAILED = "ALIGNMENT FAILED: do not trust it; give some pairs, or other ones, or more text"
"""What is said wherever an alignment has a result that should not be used."""

SEPARATE = "separate"
BOTH = "joint and separate"


@dataclass(frozen=True)
class Trial:
    """A method in a space, and which held-out words it translates.

    Args:
        gamma: Of its space; `None` where nothing is reallocated.
        method: With its settings.
        right: For each held-out source word, whether its first translation is a known one.
        space: Name of the space where gamma does not tell it from others: `separate`, or
            `joint and separate`, side by side, the joint one reallocated with this gamma.
    """

    gamma: float | None
    method: Aligner
    right: tuple[bool, ...] = ()
    space: str = ""

    @property
    def precision(self) -> float:
        """P@1 on the held-out source words, in percent."""
        return 100 * sum(self.right) / len(self.right) if self.right else nan

    @property
    def made_in(self) -> str:
        """Its space, in words."""
        return ", ".join(filter(None, [self.space, "" if self.gamma is None else f"gamma {self.gamma:g}"]))

    def __str__(self) -> str:
        return f"{self.precision:5.1f}  {', '.join(filter(None, [self.made_in, str(self.method)]))}"


def highest(trials: Sequence[Trial]) -> Trial:
    """The first of the trials with the highest score."""
    return max(trials, key=lambda trial: trial.precision)


def simplest(trials: Sequence[Trial]) -> Trial:
    """The first trial that is within one standard error of the highest.

    The standard error is that of the difference, paired by word: all were asked for the same words,
    and what makes a word hard for both says nothing of which is better.

    Args:
        trials: The simplest first.

    Example:
        >>> from jointalign.alignment.procrustes import Procrustes
        >>> close, far = (True, True, True, False), (True, False, False, False)
        >>> best = Trial(0.9, Procrustes(), (False, True, True, True))
        >>> [simplest([Trial(0.9, Procrustes(), other), best]) is best for other in (close, far)]
        [False, True]
    """
    best = np.array(highest(trials).right, float)
    return next(
        trial
        for trial in trials
        if (ahead := best - np.array(trial.right)).mean() <= ahead.std() / sqrt(len(ahead))
    )


@dataclass(frozen=True, eq=False)
class Spaces:
    """What there is to choose from.

    Args:
        joint: Trained on both corpora together, with the word counts of the source corpus and the
            target corpus; `None` for none.
        separate: Two trainings, or any two sets of vectors; `None` for none.
        languages: Codes of source and target.

    Raises:
        JointalignError: If there is neither.
    """

    joint: tuple[Embedding, Counts, Counts] | None = None
    separate: BilingualEmbedding | None = None
    languages: tuple[str, str] = ("source", "target")

    def __post_init__(self) -> None:
        if self.joint is None and self.separate is None:
            raise JointalignError("there is no space to choose from; give a joint or two separate")

    def split(self, gamma: float) -> BilingualEmbedding:
        """The joint embedding reallocated.

        Raises:
            JointalignError: If there is none.
        """
        if self.joint is None:
            raise JointalignError("gamma is chosen on a joint embedding, and there is none")
        return reallocate(*self.joint, gamma, *self.languages)

    def of(self, trial: Trial) -> BilingualEmbedding:
        """The space in which a trial was made, with all words; not aligned."""
        if trial.space == BOTH and self.separate is not None and trial.gamma is not None:
            return side_by_side(self.split(trial.gamma), self.separate)
        if trial.gamma is not None or self.separate is None:
            return self.split(1.0 if trial.gamma is None else trial.gamma)
        return self.separate

    def unsplit(self) -> BilingualEmbedding:
        """Both vocabularies before any reallocation."""
        return self.split(1.0) if self.separate is None or self.joint is not None else self.separate

    def places(self, gammas: Sequence[float]) -> list[Trial]:
        """Each space, as a trial that has not been made; last, at the first gamma, both side by side."""
        places = [Trial(gamma, Procrustes()) for gamma in gammas if self.joint is not None]
        if self.separate is not None:
            places.append(Trial(None, Procrustes(), space=SEPARATE if self.joint is not None else ""))
            places += [
                Trial(gamma, Procrustes(), space=BOTH) for gamma in gammas[:1] if self.joint is not None
            ]
        return places

    def first(self, size: int | None) -> Spaces:
        """The same with the most frequent words of each language alone, without n-grams."""
        joint = None if self.joint is None else (_frequent(*self.joint, size), *self.joint[1:])
        separate = self.separate and first(self.separate, size)
        if joint is not None:
            joint = (replace(joint[0], subwords=None), *joint[1:])
        if separate is not None:
            parts = {
                name: replace(getattr(separate, name), subwords=None)
                for name in ("source_only", "target_only", "shared")
            }
            separate = replace(separate, **parts)
        return replace(self, joint=joint, separate=separate)


def _frequent(joint: Embedding, source_counts: Counts, target_counts: Counts, size: int | None) -> Embedding:
    """The words among the `size` most frequent of either language."""
    if size is None:
        return joint
    chosen = np.zeros(len(joint), bool)
    for counts in (source_counts.of(joint.words), target_counts.of(joint.words)):
        top = np.argsort(-counts, kind="stable")[:size]
        chosen[top[counts[top] > 0]] = True
    return joint.take(np.flatnonzero(chosen))


@dataclass(frozen=True)
class Choice:
    """What to go on with, and all that was tried.

    Args:
        best: What was chosen, or was given.
        trials: Everything tried, in order; none where nothing was left open.
        seconds: Time it took.
        skipped: What was not tried, because it would have taken too long.
        candidates: Target words that each answer was one of.
    """

    best: Trial
    trials: tuple[Trial, ...] = ()
    seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    candidates: int = 0

    @property
    def worked(self) -> bool | None:
        """Whether the held-out words are translated better than by chance; `None` if none was asked for."""
        if not self.trials:
            return None
        return not is_chance(sum(self.best.right), self.held_out, self.candidates)

    @property
    def gamma(self) -> float | None:
        """For `reallocate`; `None` where nothing is reallocated."""
        return self.best.gamma

    @property
    def method(self) -> Aligner:
        """For `align`, with the whole training dictionary."""
        return self.best.method

    @property
    def held_out(self) -> int:
        """Source words that each trial was asked for."""
        return len(self.best.right)

    @property
    def reason(self) -> str:
        """What was chosen, and by how much it is ahead of the best of each other kind."""
        if not self.trials:
            return "as given"
        best = self.best
        parts = [f"chosen: {str(best).strip()}"]
        # Spaces are compared under one mapping: the one that was tried in all of them.
        alike = [t for t in self.trials if t.method == self.trials[0].method]
        own = next((t.precision for t in alike if t.made_in == best.made_in), nan)
        for space in ("", SEPARATE, BOTH):
            rivals = [t for t in alike if t.made_in != best.made_in and t.space == space]
            if rivals:
                rival = highest(rivals)
                parts.append(f"{own - rival.precision:+.1f} against {rival.made_in}")
        here = [t for t in self.trials if t.made_in == best.made_in]
        others = [t for t in here if type(t.method) is not type(best.method)]
        if others:
            rival = highest(others)
            parts.append(f"{best.precision - rival.precision:+.1f} against {rival.method}")
        if self.skipped:
            parts.append(f"not tried, beyond the time limit: {', '.join(self.skipped)}")
        return "; ".join(parts)

    def __str__(self) -> str:
        """A line for each trial; the chosen one is marked."""
        if not self.trials:
            return f"{type(self.method).__name__}, as given"
        lines = [f"{trial}{'  <- chosen' if trial is self.best else ''}" for trial in self.trials]
        title = f"P@1 on {self.held_out} held-out source words ({self.seconds:.1f} s)"
        return "\n".join([title, *lines, self.reason])

    def to_json(self) -> dict[str, Any]:
        """Plain types; no times, so that the same run gives the same bytes."""
        return {
            "space": self.best.space or ("as given" if self.gamma is None else "joint"),
            "worked": self.worked,
            "gamma": self.gamma,
            "method": described(self.method),
            "reason": self.reason,
            "held_out": self.held_out,
            "trials": [
                {
                    "gamma": trial.gamma,
                    "space": trial.space,
                    "method": described(trial.method),
                    "chosen": trial.method.chosen,
                    "precision": trial.precision,
                }
                for trial in self.trials
            ],
        }


def described(method: Aligner) -> dict[str, Any]:
    """Name and settings of a method as plain types."""
    return {"name": type(method).__name__.lower()} | asdict(method)  # type: ignore[call-overload]
