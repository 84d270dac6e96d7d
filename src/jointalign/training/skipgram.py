"""Skip-gram with negative sampling and character n-grams (Bojanowski et al. 2017).

Trained on several corpora with one vocabulary this is the unsupervised joint training of
section 2.2 of the paper (Lample et al. 2018b).

Differences from fastText, whose defaults these are:

* The n-gram table holds only the buckets that occur, so a model takes a fifth of the memory.
* The vector of a centre word is computed once for its whole window, not once a context.
* There is no token for the end of a line.
* Several corpora are read block by block in random order instead of from one shuffled file.
* All input rows start from random numbers, whatever the number of threads.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jointalign.embedding import Embedding, Setting
from jointalign.encoding import EncodedCorpus
from jointalign.errors import JointalignError
from jointalign.processors import usable_processors
from jointalign.progress import Progress
from jointalign.training._checkpoint import Checkpoint
from jointalign.training._course import Course
from jointalign.training._model import (
    initial_inputs,
    joint_vocabulary,
    padded,
    subword_table,
    units,
    word_vectors,
)
from jointalign.training._schedule import Schedule, repetitions
from jointalign.training.base import CHECKPOINT_SECONDS, Balance, Trainer
from jointalign.version import __version__
from jointalign.vocabulary import Vocabulary


@dataclass(frozen=True)
class SkipGram(Trainer):
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

    Raises:
        JointalignError: If a setting is out of its range.

    Example:
        >>> import tempfile, pathlib
        >>> from jointalign.corpus import Corpus
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "tiny.txt"
        >>> _ = file.write_text("the cat sat on the mat\n" * 20)
        >>> tiny = SkipGram(dimensions=8, epochs=1).fit(Corpus(file), threads=1)
        >>> tiny.words[0], tiny.vectors.shape, tiny.vector("cats").shape
        ('the', (5, 8), (8,))
    """

    dimensions: int = 300
    window: int = 5
    epochs: int = 5
    minimum_count: int = 5
    negatives: int = 5
    minimum_ngram: int = 3
    maximum_ngram: int = 6
    buckets: int = 2_000_000
    subsampling: float = 1e-4
    learning_rate: float = 0.05
    balance: Balance = Balance.TOKENS

    def __post_init__(self) -> None:
        if self.balance not in list(Balance):
            raise JointalignError(f"balance must be tokens, lines or none, got '{self.balance}'")
        object.__setattr__(self, "balance", Balance(self.balance))
        for name in ("dimensions", "window", "epochs", "minimum_count", "negatives", "buckets"):
            if getattr(self, name) < 1:
                raise JointalignError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.maximum_ngram and not 1 <= self.minimum_ngram <= self.maximum_ngram:
            raise JointalignError(
                "n-gram lengths must satisfy 1 <= minimum <= maximum (or maximum 0 for none), got "
                f"{self.minimum_ngram} and {self.maximum_ngram}"
            )
        if not 0 < self.learning_rate < 10:
            raise JointalignError(f"learning_rate must lie in (0, 10), got {self.learning_rate}")

    def fit_encoded(
        self,
        corpora: Sequence[EncodedCorpus],
        *,
        seed: int = 0,
        threads: int | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> Embedding:
        """See `Trainer.fit`."""
        repeats = repetitions(corpora, self.balance)
        counts = [corpus.counts for corpus in corpora]
        vocabulary = joint_vocabulary(counts, repeats, self.minimum_count)
        unit = units(vocabulary, self.minimum_ngram, self.maximum_ngram, self.buckets)
        key = self._key(corpora, vocabulary, seed)
        checkpoint = None if folder is None else Checkpoint(folder, key)
        state = None if checkpoint is None else checkpoint.load()
        done, inputs, outputs = state or (
            0,
            initial_inputs(unit.total, self.dimensions, seed),
            np.zeros((len(vocabulary), padded(self.dimensions)), np.float32),
        )
        schedule = Schedule.plan(corpora, repeats, self.epochs, seed)
        course = Course(
            corpora, schedule, vocabulary, unit, inputs, outputs,
            window=self.window, negatives=self.negatives, subsampling=self.subsampling,
            learning_rate=self.learning_rate, seed=seed,
        )  # fmt: skip
        number = threads or usable_processors()
        course.run(done, number, progress, checkpoint, checkpoint_seconds)
        settings = self._settings(corpora, seed)
        vectors = word_vectors(unit, inputs, self.dimensions)
        table = subword_table(
            unit, inputs, self.dimensions, self.minimum_ngram, self.maximum_ngram, self.buckets
        )
        return Embedding(vocabulary, vectors, table, settings)

    def _settings(self, corpora: Sequence[EncodedCorpus], seed: int) -> dict[str, Setting]:
        return {
            "trainer": "skipgram",
            **asdict(self),
            "seed": seed,
            "languages": " ".join(corpus.language for corpus in corpora),
            "tokens": sum(corpus.counts.total for corpus in corpora),
        }

    def _key(self, corpora: Sequence[EncodedCorpus], vocabulary: Vocabulary, seed: int) -> str:
        text = [zlib.crc32(a.data) for c in corpora for a in (c.tokens, c.line_ends)]
        words = "\n".join(vocabulary.words), vocabulary.counts.tolist()
        facts = json.dumps([__version__, self._settings(corpora, seed), text, words])
        return hashlib.sha256(facts.encode()).hexdigest()
