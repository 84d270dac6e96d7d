"""Denoising and back-translation by turns (Lample et al. 2018b, section 3), in one process or several."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jointalign.errors import JointalignError
from jointalign.translation._decode import TranslationSearch, decode
from jointalign.translation._model import (
    LANGUAGES,
    Network,
    Plan,
    ValueDropout,
    padding_mask,
    precision_named,
)
from jointalign.translation._text import Batches, Sentences, add_noise, source_tensor, target_tensors
from jointalign.translation.base import PADDING, TranslationFitSettings

if TYPE_CHECKING:
    import torch


T = TypeVar("T")

# The others wait while the first trains vectors or validates.
_PATIENCE = timedelta(days=1)


@dataclass(frozen=True)
class Group:
    """The processes of one training; one alone by default.

    Each batch is divided among them and the gradients are added up, so that they learn what one
    process would with the same settings, up to rounding and the values that dropout leaves out.

    Args:
        rank: Number of this process.
        size: How many there are.
        device: What this one computes on.
    """

    rank: int = 0
    size: int = 1
    device: str = "auto"

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def part(self, sentences: Sentences) -> Sentences:
        """This process's share of a batch, about as long as the others'."""
        if self.size == 1:
            return sentences
        return sentences.take(np.arange(self.rank, len(sentences), self.size))

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by the sum over all processes."""
        if self.size == 1:
            return
        import torch

        # One message for all of them: each has its own delay.
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        parts = flat.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def told(self, content: Any) -> Any:
        """What the first process has: plain types, as JSON can hold them."""
        if self.size == 1:
            return content
        import torch

        place = _place(self.device)
        text = json.dumps(content).encode() if self.first else b""
        length = torch.tensor([len(text)], device=place)
        torch.distributed.broadcast(length, 0)
        letters = torch.zeros(int(length), dtype=torch.uint8, device=place)
        if self.first:
            letters.copy_(torch.frombuffer(bytearray(text), dtype=torch.uint8))
        torch.distributed.broadcast(letters, 0)
        return json.loads(letters.cpu().numpy().tobytes())

    def total(self, number: float) -> float:
        """Sum of a number over all processes."""
        if self.size == 1:
            return number
        import torch

        found = torch.tensor([number], device=_place(self.device))
        self.add_up([found])
        return float(found)

    def led(self, work: Callable[[], T]) -> T:
        """Work that leaves files: the first process does it, then the others, who find it done."""
        if self.first:
            found = work()
            self.told(None)
            return found
        self.told(None)
        return work()


@contextmanager
def joined(device: str = "auto") -> Iterator[Group]:
    """Join the processes that `torchrun` has started; started plainly, there is this one alone.

    Args:
        device: `cpu`, `cuda`, or `auto` for GPUs where there are any: a process has one to itself.

    Raises:
        JointalignError: If there are fewer GPUs than processes on a machine.
        MissingExtraError: If torch is not installed.
    """
    if "RANK" not in os.environ or os.environ.get("WORLD_SIZE", "1") == "1":
        yield Group(device=device)
        return
    import torch

    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if device in ("auto", "cuda"):
        device = _own(int(os.environ.get("LOCAL_RANK", rank)), device)
    backend = "nccl" if device.startswith("cuda") else "gloo"
    torch.distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Group(rank, size, device)
    finally:
        torch.distributed.destroy_process_group()


def _own(number: int, device: str) -> str:
    """The GPU of one of the processes on this machine."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count and device == "auto":
        return "cpu"
    if number >= count:
        raise JointalignError(
            f"there are {count} GPUs here and {number + 1} processes or more; start as many "
            "processes as GPUs (torchrun --nproc-per-node), or take --device cpu"
        )
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def _place(device: str) -> str:
    """Where messages lie: NCCL sends from GPUs only."""
    return device if device.startswith("cuda") else "cpu"


_NOISE, _DROPOUT = 101, 102


@dataclass
class EpochTally:
    """What an epoch has done so far.

    Args:
        sentences: Trained on, each step's counted.
        tokens: Of the text, likewise.
        losses: Sum of each step's loss, by its name, and the number of steps.
        cpu_seconds: Of the processor, in this process.
        seconds: By the clock.
        generation_seconds: Of these, spent on back-translations.
    """

    sentences: int = 0
    tokens: int = 0
    losses: dict[str, tuple[float, int]] = None  # type: ignore[assignment]
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    generation_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.losses = self.losses or {}

    def add(self, name: str, loss: float, sentences: Sentences) -> None:
        """Count a step."""
        total, steps = self.losses.get(name, (0.0, 0))
        self.losses[name] = total + loss, steps + 1
        self.sentences += len(sentences)
        self.tokens += len(sentences.tokens)

    def means(self) -> dict[str, float]:
        """Mean loss of each kind of step."""
        return {name: round(total / steps, 4) for name, (total, steps) in self.losses.items()}


class Training:
    """A model and its optimiser between two rounds; everything random follows from seed and count.

    A round back-translates `generation_batches` batches of each language, then makes as many
    iterations: denoising in both languages, back-translation in both, a step of Adam each. The
    state between rounds is the weights, Adam's moments and the number of iterations, no more.

    Args:
        plan: What the weights are.
        weights: To begin with, by name, on the device to work on; changed in place.
        texts: Sentences of the two languages, which are no translations of each other.
        allowed: Tokens that an output in each language may hold.
        settings: How to train.
        seed: The only source of randomness.
        parallel: The texts are translations of each other, line by line, and are learnt from as
            such: the supervised upper bound.
        group: The processes that learn together; this one alone by default.

    Raises:
        JointalignError: If a text has no sentence, or a batch fewer sentences than there are
            processes.
    """

    def __init__(
        self,
        plan: Plan,
        weights: dict[str, torch.Tensor],
        texts: tuple[Sentences, Sentences],
        allowed: tuple[np.ndarray, np.ndarray],
        settings: TranslationFitSettings,
        seed: int = 0,
        parallel: bool = False,
        group: Group | None = None,
    ) -> None:
        import torch

        self._group = group or Group()
        for text in texts:
            if not len(text):
                raise JointalignError("a text has no sentence to learn from")
            if min(settings.batch_sentences, len(text)) < self._group.size:
                raise JointalignError(
                    f"expected batches of {self._group.size} sentences or more, one a process; got "
                    f"{min(settings.batch_sentences, len(text))}"
                )
        self.plan, self.settings, self.seed, self.iteration = plan, settings, seed, 0
        self.weights = {name: weight.requires_grad_() for name, weight in weights.items()}
        self.device = next(iter(weights.values())).device
        self.optimizer = torch.optim.Adam(
            self.weights.values(), settings.learning_rate, (settings.beta1, settings.beta2), fused=True
        )
        self._dtype = precision_named(settings.precision, self.device)
        self._texts, self._allowed, self._parallel = texts, allowed, parallel
        self._outputs = [_Targets(a, plan.vocabulary, self.device) for a in allowed]
        sizes = settings.batch_sentences, seed
        lengths = [text.lengths for text in texts]
        self._denoising = [Batches(lengths[i], *sizes, stream=i) for i in LANGUAGES]
        self._returning = [Batches(lengths[i], *sizes, stream=2 + i) for i in LANGUAGES]

    def round(self, tally: EpochTally) -> None:
        """Go on by `generation_batches` iterations."""
        begun, cpu = time.monotonic(), time.process_time()
        first, count = self.iteration, self.settings.generation_batches
        batches = [
            [self._texts[i].take(self._returning[i].rows(first + j)) for j in range(count)] for i in LANGUAGES
        ]
        translated: list[list[Sentences]] = [[], []]
        part = self._group.part
        if self._parallel:
            rows = [[self._returning[i].rows(first + j) for j in range(count)] for i in LANGUAGES]
            translated = [[part(self._texts[1 - i].take(r)) for r in rows[i]] for i in LANGUAGES]
        elif self.settings.back_translation.at(first) > 0:
            mine = [[part(batch) for batch in batches[i]] for i in LANGUAGES]
            translated = [self._back_translated(mine[i], i) for i in LANGUAGES]
        tally.generation_seconds += time.monotonic() - begun
        for j in range(count):
            for language in LANGUAGES:
                self._denoise(language, tally)
            for language in LANGUAGES:
                if translated[language]:
                    self._return(translated[language][j], batches[language][j], language, tally)
            self.iteration += 1
        tally.seconds += time.monotonic() - begun
        tally.cpu_seconds += time.process_time() - cpu

    def network(self) -> Network:
        """The model as it is, ready to work without gradients."""
        frozen = {name: weight.detach() for name, weight in self.weights.items()}
        return Network(self.plan, frozen, self._dtype)

    def _back_translated(self, batches: list[Sentences], language: int) -> list[Sentences]:
        """Translations of batches of a language into the other, batch by batch."""
        ends = np.cumsum([len(batch) for batch in batches])
        whole = Sentences.of([row for batch in batches for row in batch])
        found = [np.zeros(0, np.int32)] * len(whole)
        direction = language, 1 - language
        search = TranslationSearch(batch=512)
        for row, tokens in decode(self.network(), whole, direction, self._allowed[1 - language], search):
            found[row] = tokens
        return [Sentences.of(part) for part in _cut(found, ends)]

    def _denoise(self, language: int, tally: EpochTally) -> None:
        weight = self.settings.denoising.at(self.iteration)
        if weight <= 0:
            return
        rows = self._denoising[language].rows(self.iteration)
        clean = self._texts[language].take(rows)
        random = np.random.default_rng([self.seed, _NOISE, self.iteration, language])
        noisy = self._group.part(add_noise(clean, self.settings.noise, random))
        loss = self._step(noisy, clean, (language, language), weight)
        tally.add(f"denoising.{language}", loss, clean)

    def _return(self, translation: Sentences, original: Sentences, language: int, tally: EpochTally) -> None:
        weight = self.settings.back_translation.at(self.iteration)
        loss = self._step(translation, original, (1 - language, language), weight)
        tally.add(f"back_translation.{language}", loss, original)

    def _step(self, source: Sentences, target: Sentences, direction: tuple[int, int], weight: float) -> float:
        """One step of Adam; the mean loss of a token.

        The source is this process's part; the target is all of it.
        """
        import torch

        mine = self._group.part(target)
        network = Network(self.plan, self.weights, self._dtype, self._dropout(direction))
        tokens = source_tensor(source, direction[0], self.device)
        given, wanted = target_tensors(mine, direction[1], self.device)
        memory = network.encode(tokens, direction[0])
        states = network.decode(given, direction[1], memory, padding_mask(tokens))
        loss = self._outputs[direction[1]].loss(network, states, wanted, direction[1])
        loss = loss * (_said(mine) / _said(target))
        (weight * loss).backward()
        told = loss.detach().reshape(1)
        gradients = [w.grad for w in self.weights.values() if w.grad is not None]
        self._group.add_up([*gradients, told])
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), self.settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(told)

    def _rate(self) -> float:
        """The learning rate of this iteration."""
        warm = (self.iteration + 1) / (self.settings.warmup + 1)
        return self.settings.learning_rate * min(1.0, warm)

    def _dropout(self, direction: tuple[int, int]) -> ValueDropout | None:
        import torch

        if not self.settings.dropout:
            return None
        others = [self._group.rank] if self._group.rank else []
        numbers = [self.seed, _DROPOUT, self.iteration, *direction, *others]
        seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
        random = torch.Generator(self.device).manual_seed(seed)
        return ValueDropout(self.settings.dropout, random)


class _Targets:
    """The tokens that an output may hold, and where each is among them."""

    def __init__(self, allowed: np.ndarray, vocabulary: int, device: torch.device) -> None:
        import torch

        places = np.zeros(vocabulary, np.int64)
        places[allowed] = np.arange(len(allowed))
        self._allowed = torch.from_numpy(allowed).to(device)
        self._places = torch.from_numpy(places).to(device)

    def loss(
        self, network: Network, states: torch.Tensor, wanted: torch.Tensor, language: int
    ) -> torch.Tensor:
        """Mean negative log-probability of the tokens that are wanted."""
        import torch.nn.functional as F

        kept = wanted != PADDING
        scores = network.logits(states[kept], language, self._allowed)
        return F.cross_entropy(scores.float(), self._places[wanted[kept]])


def _said(sentences: Sentences) -> int:
    """Tokens that a decoder says, the ends counted."""
    return len(sentences.tokens) + len(sentences)


def _cut(rows: list[np.ndarray], ends: np.ndarray) -> list[list[np.ndarray]]:
    starts = [0, *ends[:-1].tolist()]
    return [rows[start:end] for start, end in zip(starts, ends.tolist(), strict=True)]
