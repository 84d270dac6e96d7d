"""The steps of masked language modelling, and going on after a stop.

All that is random in a step comes from the seed and the step's number, so a training that was
stopped goes on exactly as it would have gone.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from jointalign.contextual._torch import import_torch
from jointalign.contextual._vocabulary import SPECIAL, EncodedTexts, smoothed_shares
from jointalign.errors import JointalignError
from jointalign.progress import Progress
from jointalign.storage.checkpoint import (
    Checkpoint,
    as_arrays,
    as_tensors,
    optimizer_arrays,
    restore_optimizer,
)

if TYPE_CHECKING:
    from torch import Tensor

_HELD_OUT = 0.01  # of each text, at its end
_MOST_HELD_OUT = 100_000  # pieces
_TEST_BATCHES = 8
_CLIP = 1.0
_MODEL = "model."


class CourseSettings(Protocol):
    """Those of `PretrainingSettings` that matter here."""

    length: int
    batch_size: int
    steps: int
    learning_rate: float
    warmup: float
    weight_decay: float
    masked: float
    smoothing: float


class MaskedCourse:
    """One training.

    Args:
        model: A masked language model of transformers; trained in place.
        texts: The text as pieces.
        tokenizer: Their names.
        settings: `PretrainingSettings`.
        device: Where it is trained.
        seed: The only source of randomness.

    Raises:
        JointalignError: If a text is too short to learn from.
    """

    def __init__(
        self, model: Any, texts: EncodedTexts, tokenizer: Any, settings: Any, device: str, seed: int
    ) -> None:
        torch = import_torch()
        self.model, self.settings, self.seed = model.to(device), settings, seed
        self._device, self._tokenizer = device, tokenizer
        self._languages = texts.languages
        self._training, self._test = [], []
        for language, pieces in zip(texts.languages, texts.pieces, strict=True):
            kept = min(int(_HELD_OUT * len(pieces)), _MOST_HELD_OUT)
            kept = max(kept, 2 * settings.length)
            if len(pieces) < 2 * kept:
                raise JointalignError(
                    f"the text of '{language}' has {len(pieces)} pieces, too few to learn from; "
                    f"expected {2 * kept} at least"
                )
            self._training.append(pieces[:-kept])
            self._test.append(pieces[-kept:])
        sizes = [len(pieces) for pieces in self._training]
        self._shares = np.array(smoothed_shares(sizes, settings.smoothing))
        self.step = 0
        self._recent: deque[float] = deque(maxlen=100)
        decayed = [w for w in self.model.parameters() if w.dim() > 1]
        plain = [w for w in self.model.parameters() if w.dim() <= 1]
        groups = [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, settings.learning_rate, betas=(0.9, 0.98), eps=1e-6)

    @property
    def recent_loss(self) -> float:
        """Mean over the last hundred steps."""
        return float(np.mean(self._recent)) if self._recent else float("nan")

    def run(
        self, kept: Checkpoint, deadline: float, checkpoint_seconds: float, progress: Progress | None
    ) -> float:
        """Train to the end or the deadline; returns the pieces learnt in a second.

        Raises:
            OtherWorkError: If what is kept is of another training.
        """
        torch = import_torch()
        self._resume(kept)
        self.model.train()
        with torch.random.fork_rng(devices=[]):
            return self._run(kept, deadline, checkpoint_seconds, progress)

    def _run(
        self, kept: Checkpoint, deadline: float, checkpoint_seconds: float, progress: Progress | None
    ) -> float:
        begun = saved = time.monotonic()
        first, pieces = self.step, self.settings.batch_size * self.settings.length
        while self.step < self.settings.steps and time.monotonic() < deadline:
            self._learn()
            now = time.monotonic()
            if now - saved > checkpoint_seconds:
                self._save(kept)
                saved = time.monotonic()
            if progress is not None:
                speed = (self.step - first) * pieces / (now - begun)
                progress(self.step, self.settings.steps, f"loss {self.recent_loss:.2f}, {speed:.0f} pieces/s")
        seconds = time.monotonic() - begun
        self._save(kept)
        return (self.step - first) * pieces / max(seconds, 1e-9)

    def _learn(self) -> None:
        torch = import_torch()
        rng = np.random.default_rng([self.seed, self.step])
        rows = self._rows(self._training, self._shares, rng)
        torch.manual_seed(int(rng.integers(1 << 62)))  # dropout, if there is any
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * self._rate()
        self._optimizer.zero_grad(set_to_none=True)
        scores, answers = self._scores(rows, rng)
        loss = torch.nn.functional.cross_entropy(scores, answers)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise JointalignError(f"the loss is {value} at step {self.step + 1}; lower the learning rate")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        self._optimizer.step()
        self._recent.append(value)
        self.step += 1

    def _rate(self) -> float:
        steps, rise = self.settings.steps, self.settings.warmup * self.settings.steps
        if self.step < rise:
            return (self.step + 1) / rise
        return (steps - self.step) / max(1.0, steps - rise)

    def _rows(self, texts: list[np.ndarray], shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A batch of stretches of text, `(b, l)`, between the marks of a sentence."""
        length = self.settings.length - 2
        rows = np.empty((self.settings.batch_size, self.settings.length), np.int64)
        rows[:, 0], rows[:, -1] = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        chosen = rng.choice(len(texts), size=len(rows), p=shares)
        for row, language in zip(rows, chosen, strict=True):
            first = rng.integers(len(texts[language]) - length + 1)
            row[1:-1] = texts[language][first : first + length]
        return rows

    def _scores(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Scores of all pieces at each masked place, `(k, v)`, and the right ones, `(k,)`."""
        torch = import_torch()
        masked = (rng.random(rows.shape) < self.settings.masked) & (rows >= len(SPECIAL))
        masked[0, 1] |= not masked.any()
        answers = torch.from_numpy(rows[masked]).to(self._device)
        shown, fate = rows.copy(), rng.random(rows.shape)
        shown[masked & (fate < 0.8)] = self._tokenizer.mask_token_id
        random = masked & (fate >= 0.9)
        shown[random] = rng.integers(len(SPECIAL), len(self._tokenizer), size=int(random.sum()))
        places = torch.from_numpy(np.flatnonzero(masked)).to(self._device)
        kind = self._device.split(":")[0]
        with torch.autocast(kind, torch.bfloat16):
            inputs = torch.from_numpy(shown).to(self._device)
            states = self.model.bert(inputs).last_hidden_state
            scores = self.model.cls(states.flatten(0, 1).index_select(0, places))
        return scores.float(), answers

    def held_out(self) -> dict[str, dict[str, float]]:
        """How well masked pieces of text that was not learnt from are guessed, by language."""
        torch = import_torch()
        self.model.eval()
        found = {}
        for number, language in enumerate(self._languages):
            rng = np.random.default_rng([self.seed, number, 1])
            counts = np.bincount(self._training[number], minlength=len(self._tokenizer)) + 1.0
            frequent = torch.from_numpy(np.log(counts / counts.sum())).to(self._device)
            loss = right = known = total = 0.0
            for _ in range(_TEST_BATCHES):
                rows = self._rows([self._test[number]], np.ones(1), rng)
                with torch.inference_mode():
                    scores, answers = self._scores(rows, rng)
                loss += float(torch.nn.functional.cross_entropy(scores, answers, reduction="sum"))
                right += float((scores.argmax(1) == answers).sum())
                known -= float(frequent[answers].sum())
                total += len(answers)
            found[language] = {
                "loss": round(loss / total, 4),
                "accuracy": round(right / total, 4),
                "frequency_loss": round(known / total, 4),
            }
        self.model.train()
        return found

    def _save(self, kept: Checkpoint) -> None:
        weights = as_arrays(self.model.state_dict(), _MODEL)
        state = {"step": self.step, "recent": list(self._recent)}
        kept.save(weights | optimizer_arrays(self._optimizer), state)

    def _resume(self, kept: Checkpoint) -> None:
        if (found := kept.load()) is None:
            return
        arrays, state = found
        weights = as_tensors(arrays, _MODEL)
        self.model.load_state_dict(
            {name: weights[name].reshape(old.shape) for name, old in self.model.state_dict().items()}
        )
        restore_optimizer(self._optimizer, arrays)
        self.step = state["step"]
        self._recent.extend(state["recent"])
