"""What the user has given is kept; what is left open is chosen on held-out training pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jointalign.alignment.api import method_named
from jointalign.alignment.base import Aligner
from jointalign.alignment.variants import LEARNING_RATES, REGULARIZATIONS, changed, chosen_settings
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.selection.api import GAMMAS, STEPS, choose, choose_settings
from jointalign.selection.auto import AUTO, SEPARATE, Spaces, choose_all
from jointalign.selection.base import Choice, described

FEWEST = 10
"""Source words below which none are held out."""


@dataclass(frozen=True)
class Wishes:
    """What may be given or left open.

    Args:
        method: Name of the alignment method; `auto` to choose it.
        gamma: Of reallocation; `None` to choose it.
        settings: Settings of the method that are given, by name; the others keep their published
            defaults, but for those that are chosen: `learning_rate` and `steps` of RCSLS,
            `regularization` of GeoMM.

    Raises:
        JointalignError: If a value is out of its range, or the method has no such setting.
    """

    method: str = AUTO
    gamma: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.gamma is not None and not 0.5 <= self.gamma <= 1.0:
            raise JointalignError(f"gamma must lie in [0.5, 1], got {self.gamma:g}")
        if self.automatic and self.settings:
            names = ", ".join(name.replace("_", " ") for name in self.settings)
            raise JointalignError(f"{names}: a setting of one method; name the method, too")
        if not self.automatic:
            _ = self.aligner

    @property
    def automatic(self) -> bool:
        """Whether the method is to be chosen."""
        return self.method == AUTO

    @property
    def aligner(self) -> Aligner:
        """The method as far as it is given."""
        method = method_named(self.method)
        try:
            return changed(method, self.settings)
        except TypeError:
            known = described(method)
            unknown = [name for name in self.settings if name not in known]
            raise JointalignError(
                f"{self.method} has no {', '.join(unknown).replace('_', ' ')}; leave it out, or "
                "name the method that has it"
            ) from None

    @property
    def open(self) -> tuple[str, ...]:
        """Names of the method's settings that have to be chosen."""
        return tuple(n for n in chosen_settings(self.aligner) if n not in self.settings)

    @property
    def all_given(self) -> bool:
        """Whether gamma and the method with its settings are all decided."""
        return not self.automatic and self.gamma is not None and not self.open


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

    def at(self, gamma: float) -> Tuned:
        """The same, its trials having been made at a gamma that was given."""
        if self.choice is None:
            return replace(self, gamma=gamma)
        trials = tuple(replace(trial, gamma=gamma) for trial in self.choice.trials)
        return replace(self, gamma=gamma, choice=replace(self.choice, trials=trials))

    @property
    def separate(self) -> bool:
        """Whether two separate spaces were found better than the joint one."""
        return self.choice is not None and self.choice.best.space == SEPARATE

    def chosen_from(self, spaces: Spaces) -> BilingualEmbedding:
        """The space to go on with."""
        if self.choice is not None:
            return spaces.of(self.choice.best)
        return spaces.split(1.0 if self.gamma is None else self.gamma)

    def __str__(self) -> str:
        if self.choice is not None:
            return str(self.choice)
        return f"{type(self.method).__name__}, as given"

    def to_json(self) -> dict[str, Any]:
        """Plain types; no times, so that the same run gives the same bytes."""
        trials = () if self.choice is None else self.choice.trials
        return {
            "space": SEPARATE if self.separate else "as given" if self.gamma is None else "joint",
            "worked": None,
            "gamma": self.gamma,
            "method": described(self.method),
            "reason": "as given" if self.choice is None else self.choice.reason,
            "held_out": 0 if self.choice is None else self.choice.held_out,
            "trials": [
                {
                    "gamma": trial.gamma,
                    "space": trial.space,
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
    """Decide the method and its settings for two sets of vectors as they are.

    Args:
        bilingual: What is to be aligned.
        lexicon: Training dictionary.
        wishes: What is given.
        seed: Decides which slice of the dictionary is held out.
        progress: Called after each fit.
    """
    if wishes.automatic:
        check_size(lexicon)
        choice = choose_all(Spaces(separate=bilingual), lexicon, seed=seed, progress=progress)
        trials = tuple(replace(trial, space="") for trial in choice.trials)
        choice = replace(choice, trials=trials)  # there was one space to choose from
    elif not wishes.open:
        return Tuned(wishes.gamma, wishes.aligner)
    else:
        check_size(lexicon)
        rates, steps, regularizations = _ranges(wishes)
        choice = choose_settings(
            bilingual,
            lexicon,
            wishes.aligner,
            learning_rates=rates,
            steps=steps,
            regularizations=regularizations,
            seed=seed,
            progress=progress,
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
            "give the method, gamma and the method's settings yourself"
        )


def tune_run(
    spaces: Spaces,
    lexicon: Lexicon,
    wishes: Wishes,
    *,
    seed: int = 0,
    limit: float | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Decide gamma, the method and its settings for a joint embedding.

    Args:
        spaces: The joint embedding and the counts, and for `auto` two separate trainings.
        lexicon: Training dictionary.
        wishes: What is given.
        seed: Decides which slice of the dictionary is held out.
        limit: Of `auto`: estimated processor seconds of its fits.
        progress: Called after each fit.
    """
    if wishes.automatic:
        check_size(lexicon)
        choice = choose_all(spaces, lexicon, gamma=wishes.gamma, seed=seed, limit=limit, progress=progress)
        return Tuned(choice.gamma, choice.method, choice)
    if wishes.gamma is not None:
        split = spaces.split(wishes.gamma)
        tuned = tune_alignment(split, lexicon, wishes, seed=seed, progress=progress)
        return tuned if tuned.choice is None else tuned.at(wishes.gamma)
    check_size(lexicon)
    rates, steps, regularizations = _ranges(wishes)
    choice = choose(
        *spaces.together,
        lexicon,
        wishes.aligner,
        gammas=GAMMAS,
        learning_rates=rates,
        steps=steps,
        regularizations=regularizations,
        seed=seed,
        progress=progress,
    )
    return Tuned(choice.gamma, choice.method, choice)


def _ranges(wishes: Wishes) -> tuple[tuple[float, ...], tuple[int, ...], tuple[float, ...]]:
    """Values to try of learning rate, steps and regularization besides those given."""
    given = wishes.settings
    steps = (given["steps"],) if "steps" in given else STEPS
    return (
        () if "learning_rate" in given else LEARNING_RATES,
        steps,
        () if "regularization" in given else REGULARIZATIONS,
    )
