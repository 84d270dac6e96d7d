"""Choosing gamma and a method's settings on a held-out slice of the training dictionary.

The test dictionary plays no part. The score has to compare different gammas, which change what can
be asked at all: it is P@1 with CSLS over one fixed set of held-out source words, those that occur
in the source corpus and have a translation in the target corpus. A word whose pair some gamma
tears apart is wrong, not left out, and a word that cannot be looked up is never answered by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jointalign.alignment.api import first, method_named
from jointalign.alignment.base import Aligner
from jointalign.alignment.variants import LEARNING_RATES, REGULARIZATIONS, variants
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.reallocation import reallocate
from jointalign.selection._search import Search
from jointalign.selection.base import Choice
from jointalign.vocabulary import Counts

# Appendix A of the paper (gamma), and its released scripts (steps).
GAMMAS = (0.7, 0.8, 0.9, 0.95)
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
    regularizations: Sequence[float] = REGULARIZATIONS,
    share: float = 0.2,
    seed: int = 0,
    max_vocabulary: int | None = 20_000,
    progress: Progress | None = None,
) -> Choice:
    """Choose gamma, and the settings of the method: those of RCSLS and of GeoMM.

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
        regularizations: Values to try besides the method's own; only GeoMM has one.
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
    methods = _methods(method, learning_rates, regularizations)
    joint = frequent(joint, source_counts, target_counts, max_vocabulary)
    unsplit = reallocate(joint, source_counts, target_counts, gamma=1.0)
    search = Search(lexicon, unsplit, share, seed, len(gammas) + len(methods) - 1, progress)
    nearest = sorted(gammas, key=lambda gamma: abs(gamma - FIRST_GAMMA))
    splits = ((gamma, reallocate(joint, source_counts, target_counts, gamma)) for gamma in nearest)
    # At some gamma all known pairs may be shared: there is nothing to learn, and so no trial.
    usable = ((gamma, split) for gamma, split in splits if search.learnable(split))
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
    regularizations: Sequence[float] = REGULARIZATIONS,
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
        regularizations: Values to try besides the method's own; only GeoMM has one.
        share: Of the dictionary's source words, how many to hold out.
        seed: Decides which; also the method's seed.
        max_vocabulary: Use so many of the most frequent words of each language alone. `None`: all.
        progress: Called after each fit.

    Raises:
        JointalignError: If no held-out word can be asked for, or no pair can be learnt from.
    """
    methods = _methods(method, learning_rates, regularizations)
    bilingual = first(bilingual, max_vocabulary)
    search = Search(lexicon, bilingual, share, seed, len(methods), progress)
    for tried in methods:
        search.add(bilingual, tried, steps)
    return search.choice()


def _methods(
    method: Aligner | str, learning_rates: Sequence[float], regularizations: Sequence[float]
) -> list[Aligner]:
    """The method as it is, then with each other value of what is chosen."""
    chosen = method_named(method) if isinstance(method, str) else method
    return variants(chosen, learning_rates, regularizations)


def frequent(joint: Embedding, source_counts: Counts, target_counts: Counts, size: int | None) -> Embedding:
    """The words among the `size` most frequent of either language."""
    if size is None:
        return joint
    chosen = np.zeros(len(joint), bool)
    for counts in (source_counts.of(joint.words), target_counts.of(joint.words)):
        top = np.argsort(-counts, kind="stable")[:size]
        chosen[top[counts[top] > 0]] = True
    return joint.take(np.flatnonzero(chosen))
