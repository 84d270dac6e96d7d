"""Choosing everything: joint training or two separate ones, gamma, and the alignment method.

Joint training pays between related languages and can hurt on clean text of two scripts, and no
mapping is the best for all. So all of it is tried on a held-out slice of the training dictionary,
in two rounds, so that the cost is a sum and not a product: first the spaces, all with one mapping
in closed form; then the mappings, in the best space.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

from jointalign.alignment.api import first
from jointalign.alignment.base import Aligner
from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.variants import in_words, variants
from jointalign.alignment.vecmap import VecMap
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.reallocation import reallocate
from jointalign.selection._search import Search
from jointalign.selection.api import FIRST_GAMMA, GAMMAS, STEPS, frequent
from jointalign.selection.base import Choice, Trial
from jointalign.selection.effort import fit_seconds
from jointalign.vocabulary import Counts

logger = logging.getLogger(__name__)

AUTO = "auto"
SEPARATE = "separate"

MULTIPLE = 4
"""All that `auto` adds to a run takes at most so many times the time of its joint training: one
more training, and the fits. Estimated from sizes, so that it does not depend on the machine."""

ENOUGH = 2
"""Pairs to learn from for each dimension at which mappings without self-learning have enough: with
fewer, whitening by the pairs alone is hardly determined."""


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

    @property
    def together(self) -> tuple[Embedding, Counts, Counts]:
        """The joint embedding and both counts.

        Raises:
            JointalignError: If there is none.
        """
        if self.joint is None:
            raise JointalignError("gamma is chosen on a joint embedding, and there is none")
        return self.joint

    def split(self, gamma: float) -> BilingualEmbedding:
        """The joint embedding reallocated."""
        return reallocate(*self.together, gamma, *self.languages)

    def of(self, trial: Trial) -> BilingualEmbedding:
        """The space in which a trial was made, with all words."""
        if trial.gamma is not None:
            return self.split(trial.gamma)
        if self.separate is None:
            raise JointalignError("the trial was made in two separate spaces, and there are none")
        return self.separate

    def first(self, size: int | None) -> Spaces:
        """The same with the most frequent words of each language alone."""
        joint = None if self.joint is None else (frequent(*self.joint, size), *self.joint[1:])
        separate = None if self.separate is None else first(self.separate, size)
        return Spaces(joint, separate, self.languages)


def choose_all(
    spaces: Spaces,
    lexicon: Lexicon,
    *,
    gamma: float | None = None,
    share: float = 0.2,
    seed: int = 0,
    max_vocabulary: int | None = 20_000,
    limit: float | None = None,
    progress: Progress | None = None,
) -> Choice:
    """Choose space, gamma, method and the method's settings on held-out training pairs.

    At most 5 spaces with one mapping, then at most 8 fits of other mappings in the best of them.
    `jointalign run` adds one more training, of the two languages apart, and keeps all of it within
    `MULTIPLE` times the time of the joint training.

    Args:
        spaces: What to choose from.
        lexicon: The training dictionary, never the test one.
        gamma: Of reallocation, if it is given.
        share: Of the dictionary's source words, how many to hold out.
        seed: Decides which; also the methods' seed.
        max_vocabulary: Use so many of the most frequent words of each language, to save time.
        limit: Estimated processor seconds that fits may take together; mappings that do not fit in
            are named in the result. The spaces are always compared, if need be by Procrustes.
            `None`: no limit.
        progress: Called after each fit.

    Returns:
        All trials; of the best, `gamma` is `None` if two separate spaces are better.

    Raises:
        JointalignError: If no held-out word can be asked for, or no pair can be learnt from.
    """
    small = spaces.first(max_vocabulary)
    gammas = (gamma,) if gamma is not None else sorted(GAMMAS, key=lambda g: abs(g - FIRST_GAMMA))
    unsplit = small.split(1.0) if small.joint is not None else small.separate
    assert unsplit is not None
    search = Search(lexicon, unsplit, share, seed, 13, progress)
    sizes = {tried: search.learnable(space) for tried, space in _tried(small, gammas)}
    usable = {tried: found for tried, found in sizes.items() if found}
    if not usable:
        raise JointalignError(
            f"none of the {len(search.rest)} training pairs that are not held out can be learnt "
            "from; check that the dictionary is in the order source, target"
        )
    words = max(len(unsplit.source), len(unsplit.target))
    shape = words, max(usable.values()), unsplit.dimensions, max(STEPS)
    # One mapping for all spaces, or the better mapping would win, not the better space.
    mappings = _mappings(min(usable.values()), unsplit.dimensions)
    left = inf if limit is None else limit
    if len(usable) * fit_seconds(mappings[0], *shape) > left:
        mappings = [Procrustes(), *(method for method in mappings if method != Procrustes())]
    for tried, space in _tried(small, gammas):
        if tried in usable:
            search.add(space, mappings[0], (), tried, SEPARATE if tried is None else "")
            left -= fit_seconds(mappings[0], *shape)
    skipped = _try_others(search, small, mappings[1:], shape, left)
    choice = replace(search.choice(), skipped=skipped)
    logger.info("%s", choice.reason)
    return choice


def _try_others(
    search: Search, spaces: Spaces, methods: list[Aligner], shape: tuple[int, int, int, int], left: float
) -> tuple[str, ...]:
    """Try other mappings in the best space so far; those that there is no time for, in words."""
    best = search.choice().best
    space, skipped = spaces.of(best), []
    for variant in (variant for method in methods for variant in variants(method)):
        effort = fit_seconds(variant, *shape)
        if effort > left:
            skipped.append(in_words(variant))
        else:
            left -= effort
            search.add(space, variant, STEPS, best.gamma, best.space)
    return tuple(skipped)


def _tried(
    spaces: Spaces, gammas: tuple[float, ...] | list[float]
) -> Iterator[tuple[float | None, BilingualEmbedding]]:
    if spaces.joint is not None:
        for gamma in gammas:
            yield gamma, spaces.split(gamma)
    if spaces.separate is not None:
        yield None, spaces.separate


def _mappings(pairs: int, dimensions: int) -> list[Aligner]:
    """What so many pairs allow; the first is quick and tells spaces apart."""
    if pairs < ENOUGH * dimensions:
        return [RefinedProcrustes(), Procrustes(), VecMap.semi_supervised()]
    return [VecMap.supervised(), Procrustes(), GeoMM(), RCSLS()]
