"""What the user has given is kept; what is left open is chosen on held-out training pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jointalign.alignment.api import method_named
from jointalign.alignment.base import Aligner
from jointalign.alignment.rcsls import RCSLS
from jointalign.choice import Choice, described
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.reallocation import reallocate
from jointalign.selection import (
    GAMMAS,
    LEARNING_RATES,
    STEPS,
    choose,
    choose_settings,
)
from jointalign.vocabulary import Counts

FEWEST = 10
"""Source words below which none are held out."""


@dataclass(frozen=True)
class Wishes:
    """What may be given or left open.

    Args:
        method: Name of the alignment method.
        gamma: Of reallocation; `None` to choose it.
        learning_rate: Of RCSLS; `None` to choose it. Other methods have none.
        steps: Of RCSLS; likewise.

    Raises:
        JointalignError: If a value is out of its range, or the method has no such setting.
    """

    method: str = "rcsls"
    gamma: float | None = None
    learning_rate: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.gamma is not None and not 0.5 <= self.gamma <= 1.0:
            raise JointalignError(f"gamma must lie in [0.5, 1], got {self.gamma:g}")
        if not isinstance(method_named(self.method), RCSLS):
            for name in ("learning_rate", "steps"):
                if getattr(self, name) is not None:
                    words = name.replace("_", " ")
                    raise JointalignError(
                        f"{self.method} has no {words}; leave it out, or use rcsls"
                    )
        _ = self.ranges

    @property
    def ranges(self) -> tuple[Aligner, Sequence[float], Sequence[int]]:
        """The method as far as it is given, and learning rates and numbers of steps to try."""
        method = method_named(self.method)
        if not isinstance(method, RCSLS):
            return method, (), ()
        rates: Sequence[float] = LEARNING_RATES
        steps: Sequence[int] = STEPS
        if self.learning_rate is not None:
            method, rates = replace(method, learning_rate=self.learning_rate), ()
        if self.steps is not None:
            method, steps = replace(method, steps=self.steps), (self.steps,)
        return method, rates, steps

    @property
    def all_given(self) -> bool:
        """Whether gamma and the method's settings are all decided."""
        return self.gamma is not None and self.nothing_open

    @property
    def nothing_open(self) -> bool:
        """Whether the method's settings are all decided."""
        _, rates, steps = self.ranges
        return not rates and len(steps) <= 1


@dataclass(frozen=True)
class Tuned:
    """Settings to go on with.

    Args:
        gamma: Of reallocation; `None` where nothing is reallocated.
        method: With its settings.
        choice: What was tried; `None` if nothing was left open.
    """

    gamma: float | None
    method: Aligner
    choice: Choice | None = None

    def __str__(self) -> str:
        if self.choice is not None:
            return str(self.choice)
        return f"{type(self.method).__name__}, as given"

    def to_json(self) -> dict[str, Any]:
        """Plain types; no times, so that the same run gives the same bytes."""
        trials = () if self.choice is None else self.choice.trials
        return {
            "gamma": self.gamma,
            "method": described(self.method),
            "held_out": 0 if self.choice is None else self.choice.held_out,
            "trials": [
                {
                    "gamma": trial.gamma,
                    "method": described(trial.method),
                    "precision": trial.precision,
                }
                for trial in trials
            ],
        }


def tune_alignment(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    wishes: Wishes,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuned:
    """Decide a method's settings for two sets of vectors as they are.

    Args:
        bilingual: What is to be aligned.
        lexicon: Training dictionary.
        wishes: What is given.
        seed: Decides which slice of the dictionary is held out.
        progress: Called after each fit.
    """
    method, rates, steps = wishes.ranges
    if wishes.nothing_open:
        return Tuned(wishes.gamma, method)
    check_size(lexicon)
    choice = choose_settings(
        bilingual, lexicon, method, learning_rates=rates, steps=steps, seed=seed, progress=progress
    )
    return Tuned(wishes.gamma, choice.method, choice)


def check_size(lexicon: Lexicon) -> None:
    """Make sure that a dictionary is large enough for a held-out slice.

    Raises:
        JointalignError: If it has fewer than `FEWEST` source words.
    """
    if len(lexicon.sources) < FEWEST:
        raise JointalignError(
            f"{len(lexicon.sources)} source words are too few to choose settings on some of them; "
            "give gamma, learning rate and number of steps yourself, or use procrustes with a gamma"
        )


def tune_run(
    joint: Embedding,
    source_counts: Counts,
    target_counts: Counts,
    lexicon: Lexicon,
    wishes: Wishes,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuned:
    """Decide gamma and a method's settings for a joint embedding.

    Args:
        joint: Trained on both corpora together.
        source_counts: Word counts of the source corpus.
        target_counts: Word counts of the target corpus.
        lexicon: Training dictionary.
        wishes: What is given.
        seed: Decides which slice of the dictionary is held out.
        progress: Called after each fit.
    """
    if wishes.gamma is not None:
        split = reallocate(joint, source_counts, target_counts, wishes.gamma)
        return tune_alignment(split, lexicon, wishes, seed=seed, progress=progress)
    method, rates, steps = wishes.ranges
    check_size(lexicon)
    choice = choose(
        joint, source_counts, target_counts, lexicon, method,
        gammas=GAMMAS, learning_rates=rates, steps=steps, seed=seed, progress=progress,
    )  # fmt: skip
    return Tuned(choice.gamma, choice.method, choice)
