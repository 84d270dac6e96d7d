"""Choosing space, gamma, method and settings on folds of the training dictionary.

The test dictionary plays no part. The score has to compare spaces, which change what can be asked
at all: it is P@1 with CSLS over one fixed set of held-out source words, those that occur in the
source corpus and have a translation in the target corpus. A word whose pair some gamma tears apart
is wrong, not left out, and a word that cannot be looked up is never answered by itself.

Joint training pays between related languages and can hurt on clean text of two scripts, and no
mapping is the best for all. So all of it is tried, in two rounds, so that the cost is a sum and not
a product: first the spaces, all with one mapping; then the mappings, in the space chosen.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import inf
from time import perf_counter

import numpy as np

from jointalign.alignment.api import apply, method_named, training_arrays, training_pairs
from jointalign.alignment.base import Aligner, Mapping
from jointalign.alignment.procrustes import Procrustes
from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.retrieval.api import neighbours
from jointalign.selection.base import BOTH, Choice, Spaces, Trial, simplest

logger = logging.getLogger(__name__)

AUTO = "auto"

# Appendix A of the paper; 0.9 is its script's.
FIRST_GAMMA = 0.9
GAMMAS = (0.7, 0.8, 0.9, 0.95)

MULTIPLE = 4
"""All that `auto` adds to a run takes at most so many times the time of its joint training: one
more training, and the fits. Estimated from sizes, so that it does not depend on the machine."""

SMALL = ("refined", "procrustes", "vecmap_semi_supervised")
LARGE = ("procrustes", "vecmap", "geomm", "rcsls")
"""What `auto` tries, the first being the one that tells spaces apart: all that there are pairs for."""

ENOUGH = 2
"""Pairs to learn from for each dimension from which on it is `LARGE`: with fewer, whitening by the
pairs alone is hardly determined."""

# Rates of one core of a server of 2024; only their ratio matters.
_WORDS = 250_000 * 300  # words of text times dimensions, a second
_OPERATIONS = 6e10  # of a matrix product whose best entries are kept, a second


def training_seconds(tokens: int, epochs: int, dimensions: int) -> float:
    """Rough processor time of one training on so many tokens, from sizes and no clock.

    The same input must lead to the same choice on a busy machine.
    """
    return tokens * epochs * dimensions / _WORDS


@checked
def choose(
    spaces: Spaces | BilingualEmbedding,
    lexicon: Lexicon,
    methods: Aligner | str | Sequence[Aligner | str] = AUTO,
    gammas: Sequence[float] = GAMMAS,
    *,
    fixed: Collection[str] = (),
    folds: int = 3,
    seed: int = 0,
    max_vocabulary: int | None = 20_000,
    limit: float | None = None,
    progress: Progress | None = None,
) -> Choice:
    """Choose the space, gamma, the method and its settings on held-out training pairs.

    The source words of the dictionary are cut into folds; each in turn is held out and translated by
    what is learnt from the others, so that every word counts once. First the spaces are compared
    with one mapping: the first method if it has nothing to choose, else Procrustes. Then the methods
    are tried in the space chosen, each with its own settings and with the values that it says are
    worth trying; numbers of steps are read off one descent.

    Both times **the simplest that is within one standard error of the best** is chosen (see
    `simplest`). Joint spaces are simpler than separate ones, those nearest to gamma 0.9 than other
    joint ones, and both side by side (at the gamma nearest to 0.9) are the least simple; methods in
    closed form are simpler than those that iterate, and of either those earlier in `methods`; a
    method's own settings are simpler than others.

    Afterwards, `align` in `spaces.of(choice.best)` with the whole training dictionary; two spaces side
    by side can then be `reduced` to the dimensions of one.

    Args:
        spaces: What to choose from; or one space, for its method alone.
        lexicon: The training dictionary, never the test one.
        methods: One or several, or names for their default settings; `auto` for all that a
            dictionary of this size allows.
        gammas: Values to try on a joint space.
        fixed: Names of settings that stay as the methods have them.
        folds: Into how many parts to cut.
        seed: Decides how; also the methods' seed.
        max_vocabulary: Use so many of the most frequent words of each language, to save time; the
            time grows with its square. `None`: all.
        limit: Estimated processor seconds that fits may take together; methods that do not fit in
            are named in the result. The spaces are always compared, if need be by Procrustes.
            `None`: no limit.
        progress: Called after each fit.

    Raises:
        JointalignError: If there is no method or gamma, a method is unknown, no held-out word can be
            asked for, or in no space a pair can be learnt from.

    Example:
        >>> from jointalign.embedding import Embedding
        >>> from jointalign.vocabulary import Vocabulary
        >>> vectors = np.random.default_rng(0).standard_normal((9, 3)).astype(np.float32)
        >>> source, target = (Vocabulary(tuple(f"{side}{i}" for i in range(9))) for side in "st")
        >>> space = BilingualEmbedding.separate(Embedding(source, vectors), Embedding(target, -vectors))
        >>> lexicon = Lexicon(tuple(zip(source.words, target.words)))
        >>> choice = choose(space, lexicon, ["procrustes", "geomm"])
        >>> choice.method, choice.best.precision, choice.held_out, len(choice.trials)
        (Procrustes(), 100.0, 9, 4)
    """
    start = perf_counter()
    whole = spaces if isinstance(spaces, Spaces) else Spaces(separate=spaces)
    search = _HeldOutSearch(whole.first(max_vocabulary), lexicon, gammas, folds, seed, progress)
    listed = search.methods(methods)
    groups = [group for method in listed for group in _groups(method, fixed)]
    left = inf if limit is None else limit
    judge = listed[0] if set(listed[0].chosen) <= set(fixed) else Procrustes()
    if search.comparison(judge) > left:
        judge = Procrustes()
    search.plan(judge, groups, left, search.dimensions)  # for the progress: most likely
    place = search.compare(judge)
    space = search.spaces.of(place)
    plan, skipped = search.plan(judge, groups, left, space.dimensions)
    for group in plan:
        search.add(space, place, group)
    own = [method for group in groups for method in group]
    here = [trial for trial in search.trials if trial.made_in == place.made_in and trial.method in own]
    here.sort(key=lambda trial: trial.method.searches(search.words, search.pairs) > 0)
    seconds, candidates = perf_counter() - start, len(search.spaces.unsplit().target)
    choice = Choice(simplest(here), tuple(search.trials), seconds, skipped, candidates)
    logger.info("%s", choice.reason)
    if choice.worked is False:
        logger.warning(
            "the best of all that was tried translates %d of %d held-out words, no more than chance would; "
            "do not trust the result. Are the vectors, their languages and the dictionary of one pair?",
            sum(choice.best.right),
            choice.held_out,
        )
    return choice


def _groups(method: Aligner, fixed: Collection[str]) -> list[list[Aligner]]:
    """The method, then with each other value of what is chosen; in a group, what one fit gives."""
    tried = [
        method.changed({name: value})
        for name, values in method.tried.items()
        for value in values
        if name not in fixed and value != method.chosen[name]
    ]
    groups = []
    for each in (method, *tried):
        along = [
            each.changed({name: value})
            for name, values in each.tried_along.items()
            for value in values
            if name not in fixed
        ]
        groups.append(along or [each])
    return groups


class _HeldOutSearch:
    """All trials for one choice: they share folds, words that are asked, and the seed.

    Args:
        spaces: What to choose from.
        lexicon: The training dictionary.
        gammas: Values to try.
        folds: Into how many parts to cut the dictionary's source words.
        seed: Decides how; also the methods' seed.
        progress: Called after each fit.

    Raises:
        JointalignError: If there is no gamma, no held-out word can be asked for, or in no space a
            pair can be learnt from.
    """

    def __init__(
        self,
        spaces: Spaces,
        lexicon: Lexicon,
        gammas: Sequence[float],
        folds: int,
        seed: int,
        progress: Progress | None,
    ) -> None:
        self.spaces, self.seed, self.progress = spaces, seed, progress
        self.trials: list[Trial] = []
        self.fits = self.done = 0
        unsplit = spaces.unsplit()
        self.folds = [(rest, _answers(out, unsplit)) for rest, out in lexicon.folds(folds, seed)]
        if not any(gold for _, gold in self.folds):
            raise JointalignError(
                f"none of the {len(lexicon.sources)} held-out source words is in the source "
                "vocabulary with a translation in the target vocabulary; pass a larger dictionary or "
                "raise max_vocabulary"
            )
        self.words, self.dimensions = max(len(unsplit.source), len(unsplit.target)), unsplit.dimensions
        places = spaces.places(sorted(gammas, key=lambda gamma: abs(gamma - FIRST_GAMMA)))
        if not places:
            raise JointalignError("there is no gamma to try; pass at least one")
        sizes = [self._learnable(spaces.of(place)) for place in places]
        self.pairs, self.fewest = max(sizes), min(filter(None, sizes), default=0)
        # At some gamma all known pairs may be shared: there is nothing to learn, and so no trial.
        self.places = [place for place, size in zip(places, sizes, strict=True) if size]
        if not self.places:
            raise JointalignError(
                "none of the training pairs that are not held out can be learnt from; check that the "
                "dictionary is in the order source, target"
            )

    def _learnable(self, bilingual: BilingualEmbedding) -> int:
        """How many pairs can be learnt from, in the fold where that are fewest."""
        return min(len(training_pairs(bilingual, rest)[0]) for rest, _ in self.folds)

    def methods(self, wanted: Aligner | str | Sequence[Aligner | str]) -> list[Aligner]:
        """Methods from names."""
        if wanted == AUTO:
            wanted = SMALL if self.fewest < ENOUGH * self.dimensions else LARGE
        several = [wanted] if isinstance(wanted, Aligner | str) else wanted
        if not several:
            raise JointalignError("there is no method to try; pass at least one")
        return [method_named(method) if isinstance(method, str) else method for method in several]

    def _seconds(self, method: Aligner, dimensions: int) -> float:
        """Rough processor time of a trial."""
        product = 2 * self.words * self.words * dimensions / _OPERATIONS
        return len(self.folds) * (1 + method.searches(self.words, self.pairs)) * product

    def comparison(self, judge: Aligner) -> float:
        """Rough processor time of comparing the spaces, if there are several."""
        if len(self.places) == 1:
            return 0.0
        return sum(
            self._seconds(judge, self.dimensions * (1 + (place.space == BOTH))) for place in self.places
        )

    def plan(
        self, judge: Aligner, groups: list[list[Aligner]], left: float, dimensions: int
    ) -> tuple[list[list[Aligner]], tuple[str, ...]]:
        """What there is time to try after comparing the spaces, one at least; the rest, in words.

        Args:
            judge: Method that compared them.
            groups: What to try.
            left: Processor seconds for both.
            dimensions: Of the space chosen.
        """
        left -= self.comparison(judge)
        judged = self.comparison(judge) > 0
        plan, skipped = [], []
        for group in groups:
            if judged and group == [judge]:
                continue
            effort = self._seconds(group[-1], dimensions)
            if effort <= left or not (plan or judged and [judge] in groups):
                left -= effort
                plan.append(group)
            else:
                skipped.append(str(group[-1]))
        self.fits = len(self.folds) * (judged * len(self.places) + len(plan))
        return plan, tuple(skipped)

    def compare(self, judge: Aligner) -> Trial:
        """Try one method in each space, and choose a space; with one there is nothing to do."""
        if len(self.places) == 1:
            return self.places[0]
        for place in self.places:
            self.add(self.spaces.of(place), place, [judge])
        return simplest(self.trials)

    def add(self, bilingual: BilingualEmbedding, place: Trial, group: list[Aligner]) -> None:
        """Fit each fold, and note which of its words come right: a trial for each of the group."""
        right: list[list[bool]] = [[] for _ in group]
        for rest, gold in self.folds:
            for found, mapping in zip(right, self._fits(bilingual, rest, group), strict=True):
                found += _right(bilingual, mapping, gold)
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.fits, ", ".join(filter(None, [place.made_in, str(group[-1])])))
        for method, found in zip(group, right, strict=True):
            self.trials.append(replace(place, method=method, right=tuple(found)))

    def _fits(self, bilingual: BilingualEmbedding, rest: Lexicon, group: list[Aligner]) -> list[Mapping]:
        x, z, pairs = training_arrays(bilingual, rest)
        if len(group) == 1:
            return [group[0].fit(x, z, pairs, seed=self.seed)]
        (name,) = group[0].tried_along
        values = [method.chosen[name] for method in group]
        return group[0].fit_along(x, z, pairs, values, seed=self.seed)


def _answers(held_out: Lexicon, unsplit: BilingualEmbedding) -> dict[str, frozenset[str]]:
    """Held-out source word -> its known translations; only where both sides have one."""
    known = held_out.grouped().items()
    gold = {word: frozenset(filter(unsplit.target.__contains__, others)) for word, others in known}
    return {word: others for word, others in gold.items() if others and word in unsplit.source}


def _right(bilingual: BilingualEmbedding, mapping: Mapping, gold: dict[str, frozenset[str]]) -> list[bool]:
    """For each word, whether its first translation is a known one."""
    aligned = apply(mapping, bilingual)
    source, target = aligned.source, aligned.target
    asked = [word for word in gold if word in source]
    rows = np.array([source.vocabulary.rows[word] for word in asked], np.int64)
    found = neighbours(source.vectors[rows], target.vectors, 1, sources=source.vectors).rows
    answers = {word: target.words[row] for word, row in zip(asked, found[:, 0].tolist(), strict=True)}
    return [answers.get(word) in translations for word, translations in gold.items()]
