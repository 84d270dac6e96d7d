"""Skip-gram with negative sampling and character n-grams (Bojanowski et al. 2017).

Trained on several corpora with one vocabulary this is the unsupervised joint training of
section 2.2 of the paper (Lample et al. 2018b).

Differences from fastText, whose defaults these are:

* The n-gram table holds only the buckets that occur, so a model takes a fifth of the memory.
* The vector of a centre word is computed once for its whole window, not once a context.
* Some centre words in a row share their noise words (`shared_noise`); 1 is fastText's way.
* Noise is drawn from the language of the sentence (`noise`); `joint` is fastText's way.
* There is no token for the end of a line.
* Several corpora are read block by block in random order instead of from one shuffled file.
* All input rows start from random numbers, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import Embedding, Setting
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.ranges import check_ranges, within
from jointalign.training._checkpoint import checkpoint_in, described
from jointalign.training._course import Lesson, train
from jointalign.training._kernels import sigmoid_table, train_lines
from jointalign.training._model import (
    Units,
    initial_inputs,
    joint_vocabulary,
    padded,
    subword_table,
    units,
    word_vectors,
)
from jointalign.training._reading import readings, replacing, rows_of_types
from jointalign.training._schedule import Block, Schedule, repetitions
from jointalign.training._shared_noise import shared_noise_kernel
from jointalign.training.base import Balance, Noise, Replacement, ReplacingTrainer, Work, as_choice
from jointalign.vocabulary import Vocabulary


@dataclass(frozen=True)
class SkipGram(ReplacingTrainer):
    r"""Predict the words around each word from the word and its character n-grams.

    Args:
        dimensions: Length of the vectors (300: the paper).
        window: Largest distance of a context; each centre draws one from 1 to this (5: fastText).
        epochs: How often all text is read (5: fastText).
        minimum_count: Rarer words get no vector of their own (5: fastText).
        negatives: Noise words a context (5: fastText), drawn by the square root of the count.
        minimum_ngram: Shortest character n-gram (3: fastText).
        maximum_ngram: Longest (6: fastText); 0 for no n-grams.
        buckets: Size of the hash space of n-grams (2,000,000: fastText).
        subsampling: Threshold t; frequent words are left out with chance 1 - sqrt(t/f) - t/f
            (1e-4: fastText).
        learning_rate: At the start, falling linearly to zero (0.05: fastText).
        balance: How often each corpus is read in an epoch.
        noise: Whose word counts decide noise and subsampling: those of the corpus of each
            sentence, one a language, or those of all text (`joint`: the paper and fastText). With
            `language` the joint space mixes the two languages better; see `studies/`.
        shared_noise: How many centre words in a row share their noise words (8: the vectors are as
            good as with noise words for every context alone, 1, as in fastText, and are trained
            twice as fast; see `studies/`).

    Raises:
        JointalignError: If a setting is out of its range.

    Example:
        >>> import tempfile, pathlib
        >>> from jointalign.corpora.corpus import Corpus
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "tiny.txt"
        >>> _ = file.write_text("the cat sat on the mat\n" * 20)
        >>> tiny = SkipGram(dimensions=8, epochs=1).fit(Corpus(file), threads=1)
        >>> tiny.words[0], tiny.vectors.shape, tiny.vector("cats").shape
        ('the', (5, 8), (8,))
    """

    dimensions: int = within(300, least=1)
    window: int = within(5, least=1)
    epochs: int = within(5, least=1)
    minimum_count: int = within(5, least=1)
    negatives: int = within(5, least=1)
    minimum_ngram: int = within(3, least=1)
    maximum_ngram: int = within(6, least=0)
    buckets: int = within(2_000_000, least=1)
    subsampling: float = within(1e-4, least=0)
    learning_rate: float = within(0.05, above=0, below=10)
    balance: Balance = Balance.TOKENS
    noise: Noise = Noise.LANGUAGE
    shared_noise: int = within(8, least=1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "balance", as_choice(Balance, "balance", self.balance))
        object.__setattr__(self, "noise", as_choice(Noise, "noise", self.noise))
        check_ranges(self)
        if self.maximum_ngram and self.minimum_ngram > self.maximum_ngram:
            raise JointalignError(
                "n-gram lengths must satisfy minimum_ngram <= maximum_ngram (or that 0 for none), got "
                f"{self.minimum_ngram} and {self.maximum_ngram}"
            )

    @property
    def supervised(self) -> bool:
        """Learns from text alone."""
        return False

    def fit_encoded(
        self, corpora: Sequence[EncodedCorpus], lexicon: Lexicon | None = None, work: Work = Work()
    ) -> Embedding:
        """See `Trainer.fit`; takes no lexicon."""
        self._check(len(corpora), lexicon)
        return self._fit(corpora, None, work)

    def fit_replaced(
        self, corpora: Sequence[EncodedCorpus], replacement: Replacement, work: Work
    ) -> Embedding:
        """See `ReplacingTrainer.fit_replaced`."""
        return self._fit(corpora, replacement, work)

    def _fit(
        self, corpora: Sequence[EncodedCorpus], replacement: Replacement | None, work: Work
    ) -> Embedding:
        repeats = repetitions(corpora, self.balance)
        counts = [corpus.counts for corpus in corpora]
        vocabulary = joint_vocabulary(counts, repeats, self.minimum_count)
        unit = units(vocabulary, self.minimum_ngram, self.maximum_ngram, self.buckets)
        lexicon = None if replacement is None else replacement.lexicon
        settings = self._settings(corpora, replacement, work.seed)
        schedule = Schedule.plan(corpora, repeats, self.epochs, work.seed)
        inputs, _ = train(
            schedule,
            self._lesson(corpora, replacement, schedule, repeats, vocabulary, unit, work.seed),
            lambda: (
                initial_inputs(unit.total, self.dimensions, work.seed),
                np.zeros((len(vocabulary), padded(self.dimensions)), np.float32),
            ),
            self.learning_rate,
            work,
            checkpoint_in(work.folder, settings, corpora, [vocabulary], lexicon),
        )
        vectors = word_vectors(unit, inputs, self.dimensions)
        table = subword_table(
            unit, inputs, self.dimensions, self.minimum_ngram, self.maximum_ngram, self.buckets
        )
        return Embedding(vocabulary, vectors, table, settings)

    def _lesson(
        self,
        corpora: Sequence[EncodedCorpus],
        replacement: Replacement | None,
        schedule: Schedule,
        repeats: Sequence[float],
        vocabulary: Vocabulary,
        unit: Units,
        seed: int,
    ) -> Lesson:
        # fastText draws noise by the square root of the count, word2vec by its power of 0.75.
        read = readings(
            corpora,
            schedule,
            repeats,
            [rows_of_types(corpus, vocabulary) for corpus in corpora],
            len(vocabulary),
            noise=self.noise,
            exponent=0.5,
            subsampling=self.subsampling,
            seed=seed,
            choices=None if replacement is None else replacing(corpora, replacement, vocabulary),
        )
        sigmoid = sigmoid_table()
        learn = train_lines
        if self.shared_noise > 1:
            learn = shared_noise_kernel(padded(self.dimensions), self.shared_noise)

        def lesson(
            block: Block, inputs: np.ndarray, outputs: np.ndarray, rate: float, key: np.uint64
        ) -> None:
            text = read[block.corpus]
            learn(
                text.corpus.tokens,
                text.corpus.line_ends,
                block.first,
                block.last,
                block.share,
                text.share_key,
                text.rows,
                text.choices.starts,
                text.choices.rows,
                text.choices.chance,
                text.keep,
                unit.starts,
                unit.rows,
                inputs,
                outputs,
                *text.noise,
                sigmoid,
                self.window,
                self.negatives,
                rate,
                key,
            )

        return lesson

    def _settings(
        self, corpora: Sequence[EncodedCorpus], replacement: Replacement | None, seed: int
    ) -> dict[str, Setting]:
        if replacement is None:
            return described("skipgram", self, corpora, seed)
        return described(
            "joint-replace",
            self,
            corpora,
            seed,
            replacement_probability=replacement.probability,
            replacement_pairs=len(replacement.lexicon),
        )
