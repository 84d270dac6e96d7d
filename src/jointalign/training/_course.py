"""One training from start to end: threads take blocks, now and then all stop for a checkpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

import numpy as np

from jointalign.numerics.processors import usable_processors
from jointalign.progress import Progress
from jointalign.storage.checkpoint import Checkpoint
from jointalign.training._schedule import Block, Schedule, Step
from jointalign.training._seeds import seed_bits
from jointalign.training.base import Work

REPORT_SECONDS = 0.5
SAVING_SHARE = 20
"""At least so many times what the last checkpoint took passes before the next."""


class Lesson(Protocol):
    """What a method learns from one block of text."""

    def __call__(
        self, block: Block, inputs: np.ndarray, outputs: np.ndarray, rate: float, key: np.uint64
    ) -> None:
        """Move both matrices in place.

        Args:
            block: The lines to read.
            inputs: float32, rows padded to whole cache lines.
            outputs: float32, likewise.
            rate: Learning rate at this moment.
            key: Seed of all that is random in the block.
        """


def train(
    schedule: Schedule,
    lesson: Lesson,
    start: Callable[[], tuple[np.ndarray, np.ndarray]],
    learning_rate: float,
    work: Work,
    checkpoint: Checkpoint | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Train from the last checkpoint, or from the start, to the end.

    Args:
        schedule: Which lines when.
        lesson: What to do with them.
        start: Makes the input and output matrices of a training that begins.
        learning_rate: At the start, falling linearly to zero.
        work: How.
        checkpoint: Where the state is kept; `None` for nowhere.

    Returns:
        The input and output matrices.
    """
    kept = None if checkpoint is None else checkpoint.load()
    if kept is None:
        done, (inputs, outputs) = 0, start()
    else:
        done = kept[1]["done"]
        inputs, outputs = (np.array(kept[0][name]) for name in ("inputs", "outputs"))
    Course(schedule, lesson, inputs, outputs, learning_rate, work).run(done, checkpoint)
    return inputs, outputs


class Course:
    """Moves `inputs` and `outputs` through the steps of a schedule.

    Threads share both matrices without locks (Hogwild, Recht et al. 2011), as in fastText: with
    one thread the result is determined by the seed, with more it is not.

    Args:
        schedule: Which lines when.
        lesson: What to do with them.
        inputs: Moved in place.
        outputs: Moved in place.
        learning_rate: At the start, falling linearly to zero.
        work: How.
    """

    def __init__(
        self,
        schedule: Schedule,
        lesson: Lesson,
        inputs: np.ndarray,
        outputs: np.ndarray,
        learning_rate: float,
        work: Work,
    ) -> None:
        self._schedule, self._lesson = schedule, lesson
        self._inputs, self._outputs = inputs, outputs
        self._learning_rate, self._how = learning_rate, work
        self._lock = threading.Lock()
        self._taken = 0
        self._before = 0.0

    def run(self, done: int, checkpoint: Checkpoint | None) -> None:
        """Train from block `done` on to the end.

        Args:
            done: Blocks already done, from a checkpoint.
            checkpoint: Where to save the state; `None` for nowhere.
        """
        self._taken = done
        steps = self._schedule.steps(done)
        report = _Report(self._schedule.total_tokens, self._how.progress)
        threads = self._how.threads or usable_processors()
        report(self._schedule.total_tokens * done / self._schedule.total_blocks)
        saving = 0.0
        with ThreadPoolExecutor(threads) as pool:
            while self._taken < self._schedule.total_blocks:
                halt = threading.Event()
                workers = [pool.submit(self._work, steps, halt) for _ in range(threads)]
                due = time.monotonic() + max(self._how.checkpoint_seconds, SAVING_SHARE * saving)
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
                    checkpoint.save({"inputs": self._inputs, "outputs": self._outputs}, {"done": self._taken})
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
        rate = self._learning_rate * (1.0 - step.before / self._schedule.total_tokens)
        key = seed_bits(self._how.seed, 2, step.position)
        self._lesson(step.block, self._inputs, self._outputs, rate, key)


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
