"""A training by CBOW, with or without a dictionary: what `cbow` and `duong` have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.storage.checkpoint import Checkpoint
from jointalign.training._bags import train_bags
from jointalign.training._course import Lesson, train
from jointalign.training._kernels import sigmoid_table
from jointalign.training._model import initial_inputs
from jointalign.training._reading import Reading, readings
from jointalign.training._schedule import Block, Schedule, repetitions
from jointalign.training.base import Balance, Noise, Work

NOISE_EXPONENT = 0.75
"""Noise is drawn by the count to this power, as in word2vec."""


@dataclass(frozen=True, eq=False)
class Entries:
    """The translations of each row.

    Args:
        starts: Where each row's begin, int64 `(v + 1,)`.
        rows: int32.
    """

    starts: np.ndarray
    rows: np.ndarray

    @classmethod
    def none(cls, size: int) -> Entries:
        """No row has any."""
        return cls(np.zeros(size + 1, np.int64), np.zeros(0, np.int32))

    @classmethod
    def of(cls, pairs: np.ndarray, size: int) -> Entries:
        """From pairs of rows, `(k, 2)`, in both directions; the order of the pairs is kept."""
        words, others = np.concatenate([pairs, pairs[:, ::-1]]).T
        order = np.argsort(words, kind="stable")
        starts = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(words, minlength=size), out=starts[1:])
        return cls(starts, others[order].astype(np.int32))

    def predicted(self, counts: np.ndarray) -> np.ndarray:
        """How often each row is to be predicted, as a word and as a translation of one.

        Args:
            counts: How often each is read, float64 `(v,)`; divided among a word's translations.

        Returns:
            float64 `(v,)`.
        """
        numbers = np.diff(self.starts)
        shares = np.repeat(counts / np.maximum(numbers, 1), numbers)
        return counts + np.bincount(self.rows, shares, len(counts))


@dataclass(frozen=True)
class BagCourse:
    """Settings of a CBOW training; see `CBOW` and `SupervisedJoint` for what they mean."""

    dimensions: int
    window: int
    epochs: int
    minimum_count: int
    negatives: int
    subsampling: float
    learning_rate: float
    regularisation: float
    balance: Balance
    noise: Noise

    def run(
        self,
        corpora: Sequence[EncodedCorpus],
        rows: Sequence[np.ndarray],
        entries: Entries,
        work: Work,
        checkpoint: Checkpoint | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train from the checkpoint, or from the start, to the end.

        Args:
            corpora: The text.
            rows: Row of each type of each corpus, -1 for rare words.
            entries: Translations of the rows.
            work: How.
            checkpoint: Where the state is kept.

        Returns:
            Input and output vectors, float32 `(v, d)`, views.
        """
        size = len(entries.starts) - 1
        repeats = repetitions(corpora, self.balance)
        schedule = Schedule.plan(corpora, repeats, self.epochs, work.seed)
        read = readings(
            corpora,
            schedule,
            repeats,
            rows,
            size,
            noise=self.noise,
            exponent=NOISE_EXPONENT,
            subsampling=self.subsampling,
            seed=work.seed,
            predicted=entries.predicted if self.noise is Noise.LANGUAGE else None,
        )
        inputs, outputs = train(
            schedule,
            self._lesson(read, entries),
            lambda: self._start(size, work.seed),
            self.learning_rate,
            work,
            checkpoint,
        )
        return inputs[:, : self.dimensions], outputs[:, : self.dimensions]

    def _start(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        # Both random, as where the authors' code returns output vectors: with outputs of zero the
        # regulariser would first of all pull the inputs to zero. word2vec's range is half of ours.
        start = [initial_inputs(size, self.dimensions, seed, stream) for stream in (0, 4)]
        for matrix in start:
            matrix *= 0.5
        return start[0], start[1]

    def _lesson(self, read: Sequence[Reading], entries: Entries) -> Lesson:
        sigmoid = sigmoid_table()

        def lesson(
            block: Block, inputs: np.ndarray, outputs: np.ndarray, rate: float, key: np.uint64
        ) -> None:
            text = read[block.corpus]
            train_bags(
                text.corpus.tokens,
                text.corpus.line_ends,
                block.first,
                block.last,
                block.share,
                text.share_key,
                text.rows,
                text.keep,
                entries.starts,
                entries.rows,
                inputs,
                outputs,
                *text.noise,
                sigmoid,
                self.window,
                self.negatives,
                rate,
                self.regularisation,
                key,
            )

        return lesson
