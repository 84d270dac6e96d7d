"""One training from start to end: threads take blocks, now and then all stop for a checkpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from jointalign.encoding import EncodedCorpus
from jointalign.progress import Progress
from jointalign.training._checkpoint import Checkpoint
from jointalign.training._kernels import sigmoid_table, train_lines
from jointalign.training._model import Units, alias_table, keep_probabilities
from jointalign.training._schedule import Schedule, Step
from jointalign.vocabulary import Vocabulary

REPORT_SECONDS = 0.5
SAVING_SHARE = 20
"""At least so many times what the last checkpoint took passes before the next."""


class Course:
    """Moves `inputs` and `outputs` through the steps of a schedule.

    Threads share both matrices without locks (Hogwild, Recht et al. 2011), as in fastText: with
    one thread the result is determined by the seed, with more it is not.

    Args:
        corpora: The text.
        schedule: Which lines when.
        vocabulary: Rows of `outputs`, with balanced counts.
        units: Rows of `inputs` for each word.
        inputs: `(v + g, stride)` float32, moved in place.
        outputs: `(v, stride)` float32, moved in place.
        window: Largest distance of a context.
        negatives: Noise words a context.
        subsampling: Threshold t, see `keep_probabilities`.
        learning_rate: At the start.
        seed: Of the windows, the noise, and the tokens left out.
    """

    def __init__(
        self,
        corpora: Sequence[EncodedCorpus],
        schedule: Schedule,
        vocabulary: Vocabulary,
        units: Units,
        inputs: np.ndarray,
        outputs: np.ndarray,
        *,
        window: int,
        negatives: int,
        subsampling: float,
        learning_rate: float,
        seed: int,
    ) -> None:
        self._corpora, self._schedule, self._units = corpora, schedule, units
        self._inputs, self._outputs = inputs, outputs
        self._window, self._negatives = window, negatives
        self._learning_rate, self._seed = learning_rate, seed
        self._keep = keep_probabilities(vocabulary.counts, schedule.epoch_tokens, subsampling)
        # fastText draws noise by the square root of the count, word2vec by its power of 0.75.
        self._noise = alias_table(np.sqrt(vocabulary.counts))
        self._sigmoid = sigmoid_table()
        self._rows_of_types = [_rows(vocabulary, corpus.counts.words) for corpus in corpora]
        # The same lines are read in every epoch, as if sampled once into a file.
        self._share_keys = [_key(seed, 3, number) for number in range(len(corpora))]
        self._lock = threading.Lock()
        self._taken = 0
        self._before = 0.0

    def run(
        self,
        done: int,
        threads: int,
        progress: Progress | None,
        checkpoint: Checkpoint | None,
        checkpoint_seconds: float,
    ) -> None:
        """Train from block `done` on to the end.

        Args:
            done: Blocks already done, from a checkpoint.
            threads: How many.
            progress: Told of tokens done.
            checkpoint: Where to save the state; `None` for nowhere.
            checkpoint_seconds: Time between two checkpoints; more where saving takes long.
        """
        self._taken = done
        steps = self._schedule.steps(done)
        report = _Report(self._schedule.total_tokens, progress)
        report(self._schedule.total_tokens * done / self._schedule.total_blocks)
        saving = 0.0
        with ThreadPoolExecutor(threads) as pool:
            while self._taken < self._schedule.total_blocks:
                halt = threading.Event()
                workers = [pool.submit(self._work, steps, halt) for _ in range(threads)]
                due = time.monotonic() + max(checkpoint_seconds, SAVING_SHARE * saving)
                try:
                    while wait(workers, REPORT_SECONDS).not_done:
                        report(self._before)
                        if checkpoint is not None and time.monotonic() > due:
                            halt.set()
                finally:
                    halt.set()  # also when interrupted: threads must not go on alone
                for worker in workers:
                    worker.result()
                if checkpoint is not None and self._taken < self._schedule.total_blocks:
                    begun = time.monotonic()
                    checkpoint.save(self._taken, self._inputs, self._outputs)
                    saving = time.monotonic() - begun
        report(self._schedule.total_tokens)

    def _work(self, steps: Iterator[Step], halt: threading.Event) -> None:
        while not halt.is_set():
            with self._lock:
                step = next(steps, None)
                if step is None:
                    return
                self._taken, self._before = step.position + 1, step.before
            self._train(step)

    def _train(self, step: Step) -> None:
        block = step.block
        corpus = self._corpora[block.corpus]
        rate = self._learning_rate * (1.0 - step.before / self._schedule.total_tokens)
        key = _key(self._seed, 2, step.position)
        train_lines(
            corpus.tokens, corpus.line_ends, block.first, block.last, block.share,
            self._share_keys[block.corpus], self._rows_of_types[block.corpus], self._keep,
            self._units.starts, self._units.rows, self._inputs, self._outputs, *self._noise,
            self._sigmoid, self._window, self._negatives, rate, key,
        )  # fmt: skip


def _key(*numbers: int) -> np.uint64:
    """A well-mixed 64-bit number."""
    return np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]


def _rows(vocabulary: Vocabulary, words: Sequence[str]) -> np.ndarray:
    rows = vocabulary.rows
    return np.fromiter((rows.get(word, -1) for word in words), np.int32, len(words))


class _Report:
    """Words per second since this run started, not since the training did."""

    def __init__(self, total: float, progress: Progress | None) -> None:
        self._total, self._progress = total, progress
        self._first: tuple[float, float] | None = None

    def __call__(self, done: float) -> None:
        if self._progress is None:
            return
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        seconds = max(now - self._first[0], 1e-9)
        speed = (done - self._first[1]) / seconds
        self._progress(done, self._total, f"{speed / 1000:.0f}k words/s")
