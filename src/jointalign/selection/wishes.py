"""What the user has given is kept; what is left open is chosen on held-out training pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jointalign.alignment.api import method_named
from jointalign.alignment.base import Aligner
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.selection.api import AUTO, GAMMAS, choose
from jointalign.selection.base import Choice, Spaces, Trial, described

FEWEST = 10
"""Source words below which none are held out."""


@dataclass(frozen=True)
class Wishes:
    """What may be given or left open.

    Args:
        method: Name of the alignment method; `auto` to choose it.
        gamma: Of reallocation; `None` to choose it.
        settings: Settings of the method that are given, by name; the others keep their published
            defaults, but for those that the method says are to be chosen: `learning_rate` and
            `steps` of RCSLS, `regularization` of GeoMM.

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
            return method.changed(self.settings)
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
        return tuple(name for name in self.aligner.chosen if name not in self.settings)

    @property
    def all_given(self) -> bool:
        """Whether gamma and the method with its settings are all decided."""
        return not self.automatic and self.gamma is not None and not self.open


def decide(
    spaces: Spaces | BilingualEmbedding,
    lexicon: Lexicon,
    wishes: Wishes,
    *,
    seed: int = 0,
    limit: float | None = None,
    progress: Progress | None = None,
) -> Choice:
    """Choose what the wishes leave open; arguments and errors as for `choose`.

    Args:
        spaces: A joint embedding and the counts, and for `auto` two separate trainings; or two sets
            of vectors as they are, which have no gamma.
        lexicon: Training dictionary.
        wishes: What is given.
        seed: Decides how the dictionary is cut into folds.
        limit: Of `auto`: estimated processor seconds of its fits.
        progress: Called after each fit.
    """
    joint = isinstance(spaces, Spaces) and spaces.joint is not None
    gamma = wishes.gamma if joint else None
    if not wishes.automatic and not wishes.open and (gamma is not None or not joint):
        return Choice(Trial(gamma, wishes.aligner))
    check_size(lexicon)
    return choose(
        spaces,
        lexicon,
        AUTO if wishes.automatic else wishes.aligner,
        GAMMAS if gamma is None else (gamma,),
        fixed=tuple(wishes.settings),
        seed=seed,
        limit=limit if wishes.automatic else None,
        progress=progress,
    )


def check_size(lexicon: Lexicon) -> None:
    """Make sure that a dictionary is large enough to hold some of it out.

    Raises:
        JointalignError: If it has fewer than `FEWEST` source words.
    """
    if len(lexicon.sources) < FEWEST:
        raise JointalignError(
            f"{len(lexicon.sources)} source words are too few to choose settings on some of them; "
            "give the method, gamma and the method's settings yourself"
        )
