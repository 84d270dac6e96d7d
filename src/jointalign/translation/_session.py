"""A training with its epochs, validation and files: stopped at any moment, it goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.errors import JointalignError
from jointalign.storage.checkpoint import (
    Checkpoint,
    as_arrays,
    as_tensors,
    digest_of,
    optimizer_arrays,
    restore_optimizer,
)
from jointalign.storage.files import atomic
from jointalign.translation._loop import EpochTally, Group, Training
from jointalign.translation._text import Sentences
from jointalign.translation._translator import Translator, write_translator
from jointalign.translation.base import TranslationFitSettings
from jointalign.translation.scoring import Validation, measured
from jointalign.version import __version__

CHECKPOINT, MODEL, HISTORY = "checkpoint.safetensors", "model.safetensors", "history.json"
CHECKPOINT_SECONDS = 60.0
_WEIGHT = "weight."


@dataclass(frozen=True, eq=False)
class Job:
    """Everything that decides what is learnt.

    Args:
        translator: The model before training.
        texts: Sentences of the two languages.
        settings: How to train.
        seed: The only source of randomness.
        validation: What each epoch is measured with.
        criterion: `round_trip` or `bleu`: which mean of both directions chooses the epoch to keep.
        parallel: The texts are translations of each other and are learnt from as such.
    """

    translator: Translator
    texts: tuple[Sentences, Sentences]
    settings: TranslationFitSettings
    seed: int
    validation: Validation
    criterion: str = "round_trip"
    parallel: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """All that the state depends on."""
        translator, held_out = self.translator, self.validation
        weights = as_arrays({name: w.float() for name, w in sorted(translator.weights.items())})
        texts = (array for t in self.texts for array in (t.tokens, t.words, t.ends))
        return {
            "version": __version__,
            **asdict(translator.plan),
            "fit": asdict(self.settings),
            "seed": self.seed,
            "criterion": self.criterion,
            "languages": translator.languages,
            "parallel": self.parallel,
            "validation": digest_of(json.dumps([held_out.source, held_out.target])),
            "texts": digest_of(*(array.tobytes() for array in texts)),
            "first_weights": digest_of(*weights, *(array.tobytes() for array in weights.values())),
        }


class Session:
    """One training in one folder.

    Args:
        job: What to learn.
        folder: Where checkpoint, model and history go; `None` keeps nothing on disk.
        checkpoint_seconds: Time between two checkpoints.
        group: The processes that learn together; this one alone by default. The first one writes,
            and all read the folder.

    Raises:
        OtherWorkError: If another training is in the folder.
        JointalignError: If not all processes see the folder.
    """

    def __init__(
        self,
        job: Job,
        folder: Path | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        group: Group | None = None,
    ) -> None:
        self.job, self.folder, self._group = job, folder, group or Group()
        self.history: list[dict[str, Any]] = []
        self._kept = None if folder is None else Checkpoint(folder / CHECKPOINT, job.facts)
        self._every = checkpoint_seconds
        self._tally, self._saved = EpochTally(), time.monotonic()
        weights = {name: w.detach().clone() for name, w in job.translator.weights.items()}
        self.training = Training(
            job.translator.plan,
            weights,
            job.texts,
            job.translator.allowed,
            job.settings,
            job.seed,
            job.parallel,
            self._group,
        )
        self.best = self._translator()
        self.resumed = self._load()
        if self._group.told(self.training.iteration) != self.training.iteration:
            raise JointalignError(
                f"{folder}: this process does not find the checkpoint of the first one; all of "
                "them must see the same folder"
            )

    @property
    def epochs(self) -> int:
        """Number of epochs done."""
        return len(self.history)

    def epoch(
        self,
        deadline: float | None = None,
        progress: Callable[[float, float | None, str], None] | None = None,
    ) -> bool:
        """Go on to the end of the epoch.

        Args:
            deadline: Stop before it is reached, by `time.monotonic`, and save the state.
            progress: Told how many of the epoch's sentences are done.

        Returns:
            Whether the epoch is finished.
        """
        wanted = self.job.settings.epoch_sentences
        while self._tally.sentences < wanted:
            if deadline is not None and self._group.told(time.monotonic() >= deadline):
                self.save()
                return False
            before = self._tally.sentences
            self.training.round(self._tally)
            if self._tally.sentences == before:
                raise JointalignError(
                    "both weights are 0 at this iteration: there is nothing to learn; change the "
                    "schedules of denoising or back-translation"
                )
            if progress is not None:
                progress(min(self._tally.sentences, wanted), wanted, f"epoch {self.epochs + 1}")
            if time.monotonic() - self._saved >= self._every:
                self.save()
        self._finish_epoch()
        return True

    def _finish_epoch(self) -> None:
        tally, translator = self._tally, self._translator()
        cpu_seconds = self._group.total(tally.cpu_seconds)
        entry: dict[str, Any] = {
            "epoch": self.epochs + 1,
            "iteration": self.training.iteration,
            "sentences": tally.sentences,
            "tokens": tally.tokens,
            "losses": tally.means(),
            "tokens_per_cpu_second": round(tally.tokens / max(cpu_seconds, 1e-9), 1),
            "cpu_seconds": round(cpu_seconds, 2),
            "seconds": round(tally.seconds, 2),
            "generation_share": round(tally.generation_seconds / max(tally.seconds, 1e-9), 3),
        }
        if self._group.first:
            entry |= measured(translator, self.job.validation)
        entry = self._group.told(entry)
        chosen = entry.get(self.job.criterion)
        before = [e.get(self.job.criterion) for e in self.history]
        entry["best"] = chosen is None or all(b is None or chosen > b for b in before)
        self.history.append(entry)
        self._tally = EpochTally()
        if entry["best"]:
            self.best = self._translator(copied=True)
            if self.folder is not None and self._group.first:
                write_translator(self.best, self.folder / MODEL)
        self.save()

    def _translator(self, copied: bool = False) -> Translator:
        """The model as it is."""
        first, training = self.job.translator, self.training
        weights = {n: w.detach().clone() if copied else w for n, w in training.weights.items()}
        return Translator(
            first.plan,
            weights,
            first.segmentation,
            first.languages,
            first.allowed,
            first.settings,
            first.precision,
        )

    def save(self) -> None:
        """Write the state, as a whole or not at all."""
        self._saved = time.monotonic()
        if self._kept is None or self.folder is None or not self._group.first:
            return
        training = self.training
        state = {"iteration": training.iteration, "tally": asdict(self._tally), "history": self.history}
        weights = as_arrays(training.weights, _WEIGHT)
        self._kept.save(weights | optimizer_arrays(training.optimizer), state)
        with atomic(self.folder / HISTORY, "w") as file:
            json.dump(self.history, file, indent=1)

    def _load(self) -> bool:
        """Go on from the folder's checkpoint, if it is of this very job."""
        import torch

        found = None if self._kept is None else self._kept.load()
        if found is None:
            return False
        arrays, state = found
        weights = as_tensors(arrays, _WEIGHT)
        with torch.no_grad():
            for name, weight in self.training.weights.items():
                weight.copy_(weights[name])
        restore_optimizer(self.training.optimizer, arrays)
        self.training.iteration = state["iteration"]
        self.history = state["history"]
        tally = state["tally"]
        tally["losses"] = {name: tuple(pair) for name, pair in tally["losses"].items()}
        self._tally = EpochTally(**tally)
        return True


def usable(sentences: Sentences, longest: int) -> tuple[Sentences, int, int]:
    """Sentences that can be learnt from; how many were empty, and how many too long."""
    lengths = sentences.lengths
    rows = np.flatnonzero((lengths > 0) & (lengths <= longest))
    return sentences.take(rows), int((lengths == 0).sum()), int((lengths > longest).sum())


def checked_criterion(name: str, validation: Validation) -> str:
    """A criterion that the validation text can give.

    Raises:
        JointalignError: If there is no such criterion, or none of its text.
    """
    if name not in ("round_trip", "bleu"):
        raise JointalignError(f"the criterion must be round_trip or bleu, got '{name}'")
    if name == "bleu" and not validation.parallel:
        raise JointalignError(
            "the criterion 'bleu' needs validation sentences with their translations; give them, "
            "or take round_trip"
        )
    return name
