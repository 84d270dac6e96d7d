"""Choosing gamma and a method's settings on a held-out slice of the training dictionary.

The test dictionary plays no part. The score has to compare different gammas, which change what can
be asked at all: it is P@1 with CSLS over one fixed set of held-out source words, those that occur
in the source corpus and have a translation in the target corpus. A word whose pair some gamma
tears apart is wrong, not left out, and a word that cannot be looked up is never answered by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from jointalign.alignment.api import apply, first, method_named, training_arrays, training_pairs
from jointalign.alignment.base import Aligner, Mapping
from jointalign.alignment.rcsls import RCSLS
from jointalign.choice import Choice, Trial
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.reallocation import reallocate
from jointalign.retrieval import neighbours
from jointalign.vocabulary import Counts

# Appendix A of the paper (gamma), and its released scripts.
GAMMAS = (0.7, 0.8, 0.9, 0.95)
LEARNING_RATES = (1.0, 10.0, 25.0, 50.0)
STEPS = (5, 10, 20)
FIRST_GAMMA = 0.9


def choose(
    joint: Embedding,
    source_counts: Counts,
    target_counts: Counts,
    lexicon: Lexicon,
    method: Aligner | str = "rcsls",
    *,
    gammas: Sequence[float] = GAMMAS,
    learning_rates: Sequence[float] = LEARNING_RATES,
    steps: Sequence[int] = STEPS,
    share: float = 0.2,
    seed: int = 0,
    max_vocabulary: int | None = 20_000,
    progress: Progress | None = None,
) -> Choice:
    """Choose gamma, and with RCSLS its learning rate and number of steps.

    In two rounds, so that the cost is a sum and not a product: first learning rate and number of
    steps, at the gamma nearest to 0.9 (the paper's script), all numbers of steps being read off one
    descent; then gamma, with these. The order matters: with a learning rate that overshoots, all
    values of gamma look alike. Afterwards, `reallocate` and `align` with the choice and the whole
    training dictionary.

    Args:
        joint: Embedding trained on both corpora together.
        source_counts: Word counts of the source corpus.
        target_counts: Word counts of the target corpus.
        lexicon: The training dictionary, never the test one.
        method: A method, or its name for its default settings.
        gammas: Values to try.
        learning_rates: Values to try besides the method's own; only RCSLS has one.
        steps: Numbers of steps to try; likewise.
        share: Of the dictionary's source words, how many to hold out.
        seed: Decides which; also the method's seed.
        max_vocabulary: Use so many of the most frequent words of each language, to save time; the
            time grows with it. `None`: all.
        progress: Called after each fit.

    Raises:
        JointalignError: If there is no gamma, or no held-out word can be asked for, or at some
            gamma no pair of the dictionary can be learnt from.
    """
    if not gammas:
        raise JointalignError("there is no gamma to try; pass at least one")
    methods = _methods(method, learning_rates)
    joint = _frequent(joint, source_counts, target_counts, max_vocabulary)
    unsplit = reallocate(joint, source_counts, target_counts, gamma=1.0)
    search = _Search(lexicon, unsplit, share, seed, len(gammas) + len(methods) - 1, progress)
    nearest = sorted(gammas, key=lambda gamma: abs(gamma - FIRST_GAMMA))
    splits = ((gamma, reallocate(joint, source_counts, target_counts, gamma)) for gamma in nearest)
    # At some gamma all known pairs may be shared: there is nothing to learn, and so no trial.
    usable = ((gamma, split) for gamma, split in splits if search.can_learn(split))
    first_gamma, split = next(usable, (nearest[0], unsplit))
    for tried in methods:
        search.add(split, tried, steps, first_gamma)
    best = search.choice().method
    for gamma, split in usable:
        search.add(split, best, (), gamma)
    return search.choice()


def choose_settings(
    bilingual: BilingualEmbedding,
    lexicon: Lexicon,
    method: Aligner | str = "rcsls",
    *,
    learning_rates: Sequence[float] = LEARNING_RATES,
    steps: Sequence[int] = STEPS,
    share: float = 0.2,
    seed: int = 0,
    max_vocabulary: int | None = 20_000,
    progress: Progress | None = None,
) -> Choice:
    """The first round of `choose` alone: for two separate embeddings, or a gamma that is given.

    Args:
        bilingual: What is to be aligned.
        lexicon: As for `choose`, like all the others.
        method: A method, or its name for its default settings.
        learning_rates: Values to try besides the method's own; only RCSLS has one.
        steps: Numbers of steps to try; likewise.
        share: Of the dictionary's source words, how many to hold out.
        seed: Decides which; also the method's seed.
        max_vocabulary: Use so many of the most frequent words of each language alone. `None`: all.
        progress: Called after each fit.

    Raises:
        JointalignError: If no held-out word can be asked for, or no pair can be learnt from.
    """
    methods = _methods(method, learning_rates)
    bilingual = first(bilingual, max_vocabulary)
    search = _Search(lexicon, bilingual, share, seed, len(methods), progress)
    for tried in methods:
        search.add(bilingual, tried, steps)
    return search.choice()


def _methods(method: Aligner | str, learning_rates: Sequence[float]) -> list[Aligner]:
    """The method as it is, then with each other learning rate."""
    chosen = method_named(method) if isinstance(method, str) else method
    if not isinstance(chosen, RCSLS):
        return [chosen]
    others = [rate for rate in learning_rates if rate != chosen.learning_rate]
    return [chosen, *(replace(chosen, learning_rate=rate) for rate in others)]


def _frequent(
    joint: Embedding, source_counts: Counts, target_counts: Counts, size: int | None
) -> Embedding:
    """The words among the `size` most frequent of either language."""
    if size is None:
        return joint
    chosen = np.zeros(len(joint), bool)
    for counts in (source_counts.of(joint.words), target_counts.of(joint.words)):
        top = np.argsort(-counts, kind="stable")[:size]
        chosen[top[counts[top] > 0]] = True
    return joint.take(np.flatnonzero(chosen))


class _Search:
    """Fits on one part of a dictionary, asks for the other, and keeps the score."""

    def __init__(
        self,
        lexicon: Lexicon,
        unsplit: BilingualEmbedding,
        share: float,
        seed: int,
        fits: int,
        progress: Progress | None,
    ) -> None:
        self.start = perf_counter()
        self.rest, held_out = lexicon.split(share, seed)
        self.gold = _answers(held_out, unsplit)
        self.seed = seed
        self.fits = fits
        self.progress = progress
        self.trials: list[Trial] = []
        self.done = 0

    def can_learn(self, bilingual: BilingualEmbedding) -> bool:
        """Whether any pair that is not held out can be learnt from."""
        return len(training_pairs(bilingual, self.rest)[0]) > 0

    def add(
        self,
        bilingual: BilingualEmbedding,
        method: Aligner,
        steps: Sequence[int],
        gamma: float | None = None,
    ) -> None:
        """Fit once, and score the map, for RCSLS that of each number of steps."""
        x, z, pairs = training_arrays(bilingual, self.rest)
        if isinstance(method, RCSLS) and steps:
            longest = replace(method, steps=max(steps))
            descent = list(longest.trajectory(x, z, pairs))
            identity = np.eye(bilingual.dimensions, dtype=np.float32)
            for number in steps:
                # A descent may end early; its last map is then that of all later steps.
                reached = descent[min(number, len(descent) - 1)]
                mapping = Mapping(reached.matrix, identity)
                self._score(bilingual, mapping, replace(method, steps=number), gamma)
        else:
            mapping = method.fit(x, z, pairs, seed=self.seed)
            self._score(bilingual, mapping, method, gamma)
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.fits, str(self.trials[-1]))

    def _score(
        self, bilingual: BilingualEmbedding, mapping: Mapping, method: Aligner, gamma: float | None
    ) -> None:
        aligned = apply(mapping, bilingual)
        source, target = aligned.source, aligned.target
        asked = [word for word in self.gold if word in source]
        rows = np.array([source.vocabulary.rows[word] for word in asked], np.int64)
        found = neighbours(source.vectors[rows], target.vectors, 1, sources=source.vectors).rows
        hits = sum(
            target.words[row] in self.gold[word]
            for word, row in zip(asked, found[:, 0].tolist(), strict=True)
        )
        self.trials.append(Trial(gamma, method, 100 * hits / len(self.gold)))

    def choice(self) -> Choice:
        """What has been found so far."""
        return Choice(tuple(self.trials), len(self.gold), perf_counter() - self.start)


def _answers(held_out: Lexicon, unsplit: BilingualEmbedding) -> dict[str, frozenset[str]]:
    """Held-out source word -> its known translations; only where both sides have one."""
    source, target = unsplit.source.vocabulary, unsplit.target.vocabulary
    gold = {
        word: frozenset(translation for translation in translations if translation in target)
        for word, translations in held_out.grouped().items()
        if word in source
    }
    gold = {word: translations for word, translations in gold.items() if translations}
    if not gold:
        raise JointalignError(
            f"none of the {len(held_out.sources)} held-out source words is in the source "
            "vocabulary with a translation in the target vocabulary; pass a larger dictionary or "
            "raise max_vocabulary"
        )
    return gold
