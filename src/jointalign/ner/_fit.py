"""Learning a tagger: batches of like length, the best epoch kept, and on again after a kill.

All randomness comes from the seed and the number of the epoch or step, so that what is stopped and
started again from a checkpoint goes exactly the way it would have gone.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ner._scoring import f1_of
from jointalign.ner._settings import RateSchedule, TaggerFitSettings
from jointalign.ner._tagger import Examples, Tagger, tag_all
from jointalign.ner._torch import import_torch, new_generator
from jointalign.ner.base import Sentence
from jointalign.progress import Progress
from jointalign.storage.checkpoint import (
    Checkpoint,
    as_arrays,
    as_tensors,
    digest_of,
    optimizer_arrays,
    restore_optimizer,
)
from jointalign.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0
_NETWORK, _BEST = "network.", "best."
_STATE = ("step", "f1", "losses", "waiting", "since", "stopped_early")


class Text(NamedTuple):
    """Sentences and the language that they are in."""

    sentences: Sequence[Sentence]
    language: str


@dataclass(frozen=True)
class History:
    """What was seen while a tagger was learnt.

    Args:
        development_f1: After each evaluation, in percent.
        losses: Mean loss since the evaluation before, in nats a sentence.
        best: Number of the evaluation that the weights were kept of, from 0.
        stopped_early: Whether it ended for want of a better evaluation.
        sentences_per_second: Learnt by this process in a second of processor time, evaluations
            left out; 0 if it had only to take up what was finished.
    """

    development_f1: tuple[float, ...]
    losses: tuple[float, ...]
    best: int
    stopped_early: bool
    sentences_per_second: float = field(compare=False)

    @property
    def best_f1(self) -> float:
        """The highest F1 on the development text."""
        return self.development_f1[self.best]


def fit(
    tagger: Tagger,
    training: Text,
    development: Text,
    settings: TaggerFitSettings | None = None,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    extra_loss: Callable[[int], Tensor] | None = None,
    progress: Progress | None = None,
) -> History:
    """Learn a tagger's weights in place; those that did best on the development text stay.

    Args:
        tagger: With its first weights.
        training: Sentences with tags.
        development: Sentences with tags that decide when to stop and which weights stay: of the
            source language, or the result is not zero-shot.
        settings: How; the defaults for `None`.
        seed: Of the order, the dropout and all other noise.
        checkpoint: File that keeps the state while it is learnt; removed by nobody but the caller.
        checkpoint_seconds: Time between two checkpoints; one is made after each evaluation, too.
        extra_loss: Called once a step with its number; what it gives is added to the loss.
        progress: Told the number of steps.

    Raises:
        JointalignError: If there is nothing to learn from, tags are missing, a loss is not
            finite, or the checkpoint is of another learning.
    """
    settings = settings or TaggerFitSettings()
    for name, text in (("training", training), ("development", development)):
        if not text.sentences:
            raise JointalignError(f"the {name} text has no sentence")
    course = _Course(tagger, training, development, settings, seed)
    kept = None if checkpoint is None else Checkpoint(checkpoint, course.depends_on)
    if kept is not None:
        course.resume(kept)
    with _own_randomness(tagger.device):
        course.run(kept, checkpoint_seconds, extra_loss, progress)
    return course.finished()


@contextmanager
def _own_randomness(device: str) -> Iterator[None]:
    """Leave the random state that all of torch shares as it was; encoders' dropout draws on it."""
    torch = import_torch()
    devices = [device] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices):
        yield


class _Course:
    """The state of one learning, and its steps."""

    def __init__(
        self, tagger: Tagger, training: Text, development: Text, settings: TaggerFitSettings, seed: int
    ) -> None:
        torch = import_torch()
        self.tagger, self.settings, self.seed = tagger, settings, seed
        self.training = Examples(tagger, *training)
        self.development = Examples(tagger, *development)
        self.weights = list(tagger.parameters())
        self.optimizer = torch.optim.AdamW(
            self.weights, settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.steps_an_epoch = -(-len(self.training) // settings.batch_size)
        self.last_step = self.steps_an_epoch * settings.epochs
        self.step = 0
        self.f1: list[float] = []
        self.losses: list[float] = []
        self.waiting = 0.0  # sum of the losses since the last evaluation
        self.since = 0
        self.best_weights: dict[str, Tensor] = {}
        self.stopped_early = False
        self._sentences, self._seconds = 0, 0.0

    @property
    def depends_on(self) -> dict[str, Any]:
        """All that the state depends on."""
        texts = {
            name: digest_of(json.dumps([part.language, [[s.words, s.tags] for s in part.sentences]]))
            for name, part in (("training_text", self.training), ("development_text", self.development))
        }
        tagger = self.tagger
        return {
            "version": __version__,
            "fit": asdict(self.settings),
            "tagger": asdict(tagger.settings),
            "seed": self.seed,
            "language": self.training.language,
            "labels": tagger.labels,
            **texts,
            "vectors": digest_of(tagger.inputs.key),
            "alphabet": digest_of("".join(tagger.alphabet.characters)),
        }

    @property
    def best(self) -> int:
        """The first of the best evaluations."""
        return int(np.argmax(self.f1))

    def run(
        self,
        kept: Checkpoint | None,
        seconds: float,
        extra_loss: Callable[[int], Tensor] | None,
        progress: Progress | None,
    ) -> None:
        saved = time.monotonic()
        while self.step < self.last_step and not self.stopped_early:
            epoch, first = divmod(self.step, self.steps_an_epoch)
            rng = np.random.default_rng([self.seed, epoch])
            for rows in self.training.learning_batches(self.settings.batch_size, rng)[first:]:
                self._learn(rows, extra_loss)
                evaluated = self._is_time_to_evaluate()
                if evaluated:
                    self._evaluate()
                if kept is not None and (evaluated or time.monotonic() - saved > seconds):
                    self.save(kept)
                    saved = time.monotonic()
                if progress is not None:
                    progress(self.step, self.last_step, self._note())
                if self.stopped_early:
                    break

    def _learn(self, rows: np.ndarray, extra_loss: Callable[[int], Tensor] | None) -> None:
        torch = import_torch()
        begun = time.process_time()
        # A step's noise depends on its number alone, so nothing random need be kept.
        number = int(np.random.default_rng([self.seed, self.step, 1]).integers(1 << 62))
        generator = new_generator(number, self.tagger.device)
        torch.manual_seed(number)
        self.tagger.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self._share_of_rate()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.tagger.loss(self.training.batch(rows, generator), self.training.tags(rows), generator)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise JointalignError(f"the loss is {value} at step {self.step + 1}; lower the learning rate")
        if extra_loss is not None:
            loss = loss + extra_loss(self.step)
        loss.backward()
        if self.settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimizer.step()
        self.step += 1
        self.waiting, self.since = self.waiting + value, self.since + 1
        self._sentences += len(rows)
        self._seconds += time.process_time() - begun

    def _share_of_rate(self) -> float:
        if self.settings.schedule is RateSchedule.CONSTANT:
            return 1.0
        rise = self.settings.warmup * self.last_step
        if self.step < rise:
            return (self.step + 1) / rise
        return (self.last_step - self.step) / max(1.0, self.last_step - rise)

    def _is_time_to_evaluate(self) -> bool:
        """At the end of each epoch, and at even distances in it."""
        place = self.step % self.steps_an_epoch
        return place == 0 or any(
            place == round(k * self.steps_an_epoch / self.settings.evaluations)
            for k in range(1, self.settings.evaluations)
        )

    def _evaluate(self) -> None:
        self.tagger.network.eval()
        predicted = tag_all(self.tagger, self.development)
        self.f1.append(f1_of(self.development.sentences, predicted))
        self.losses.append(self.waiting / self.since)
        self.waiting, self.since = 0.0, 0
        if self.best == len(self.f1) - 1:
            self.best_weights = _copied(self.tagger.network.state_dict())
        logger.info("step %d: loss %.3f, development F1 %.2f", self.step, self.losses[-1], self.f1[-1])
        patience = self.settings.patience
        self.stopped_early = patience is not None and len(self.f1) - 1 - self.best >= patience

    def _note(self) -> str:
        speed = self._sentences / max(self._seconds, 1e-9)
        return f"{speed:.0f} sentences/s" + (f", F1 {self.f1[-1]:.1f}" if self.f1 else "")

    def finished(self) -> History:
        """Take the best weights."""
        self.tagger.network.load_state_dict(self.best_weights)
        self.tagger.network.eval()
        speed = self._sentences / self._seconds if self._seconds else 0.0
        return History(tuple(self.f1), tuple(self.losses), self.best, self.stopped_early, speed)

    def save(self, kept: Checkpoint) -> None:
        """Keep everything that the rest of the course depends on."""
        state = {name: getattr(self, name) for name in _STATE}
        weights = as_arrays(self.tagger.network.state_dict(), _NETWORK)
        best = as_arrays(self.best_weights, _BEST)
        kept.save(weights | best | optimizer_arrays(self.optimizer), state)

    def resume(self, kept: Checkpoint) -> None:
        """Go on from what was kept."""
        found = kept.load()
        if found is None:
            return
        arrays, state = found
        self.tagger.network.load_state_dict(as_tensors(arrays, _NETWORK))
        restore_optimizer(self.optimizer, arrays)
        self.best_weights = as_tensors(arrays, _BEST)
        for name in _STATE:
            setattr(self, name, state[name])


def _copied(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}
