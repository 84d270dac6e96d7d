"""Fits on one part of a dictionary, asks for the other, and keeps the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from jointalign.alignment.api import apply, training_arrays, training_pairs
from jointalign.alignment.base import Aligner, Mapping
from jointalign.alignment.rcsls import RCSLS
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.retrieval.api import neighbours
from jointalign.selection.base import Choice, Trial


class Search:
    """All trials for one choice: they share the held-out words and the seed.

    Args:
        lexicon: The training dictionary.
        unsplit: Both vocabularies, before any reallocation: decides what can be asked.
        share: Of the dictionary's source words, how many to hold out.
        seed: Decides which; also the methods' seed.
        fits: Fits expected, for the progress.
        progress: Called after each fit.

    Raises:
        JointalignError: If no held-out word can be asked for.
    """

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

    def learnable(self, bilingual: BilingualEmbedding) -> int:
        """How many of the pairs that are not held out can be learnt from."""
        return len(training_pairs(bilingual, self.rest)[0])

    def add(
        self,
        bilingual: BilingualEmbedding,
        method: Aligner,
        steps: Sequence[int],
        gamma: float | None = None,
        space: str = "",
    ) -> None:
        """Fit once, and score the map, for RCSLS that of each number of steps.

        Args:
            bilingual: What to align.
            method: The method.
            steps: Numbers of steps of RCSLS.
            gamma: How `bilingual` was made, for the record.
            space: Likewise.
        """
        x, z, pairs = training_arrays(bilingual, self.rest)
        if isinstance(method, RCSLS) and steps:
            longest = replace(method, steps=max(steps))
            descent = list(longest.trajectory(x, z, pairs, seed=self.seed))
            identity = np.eye(bilingual.dimensions, dtype=np.float32)
            for number in steps:
                # A descent may end early; its last map is then that of all later steps.
                reached = descent[min(number, len(descent) - 1)]
                mapping = Mapping(reached.matrix, identity)
                self._score(bilingual, mapping, replace(method, steps=number), gamma, space)
        else:
            mapping = method.fit(x, z, pairs, seed=self.seed)
            self._score(bilingual, mapping, method, gamma, space)
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.fits, str(self.trials[-1]))

    def _score(
        self,
        bilingual: BilingualEmbedding,
        mapping: Mapping,
        method: Aligner,
        gamma: float | None,
        space: str,
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
        self.trials.append(Trial(gamma, method, 100 * hits / len(self.gold), space))

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
