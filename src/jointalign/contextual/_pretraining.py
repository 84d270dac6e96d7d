"""Unsupervised joint training of a masked language model: multilingual BERT, at any size.

Nothing tells the model which language it reads, and no text is parallel: one vocabulary, one set of
weights, batches that mix all languages (Devlin et al. 2019, multilingual BERT). What helps small
models to become multilingual is known (Dufter and Schütze 2020): few parameters for much training,
shared positions and marks, masked words replaced at random now and then.

Only masked places go through the output layer, which is most of the work in a small model.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jointalign.contextual._course import MaskedCourse
from jointalign.contextual._torch import import_torch, import_transformers, quiet_transformers, torch_threads
from jointalign.contextual._vocabulary import VOCABULARY_FILE, encode_texts, texts_bundle, train_vocabulary
from jointalign.errors import JointalignError
from jointalign.numerics.devices import device_named
from jointalign.progress import Progress
from jointalign.ranges import check_ranges, within
from jointalign.storage.checkpoint import Checkpoint, or_fresh
from jointalign.storage.files import digest, file_facts
from jointalign.storage.stages import Stages, locked

logger = logging.getLogger(__name__)

_MARKER, _VOCABULARY = "training", "vocabulary"


@dataclass(frozen=True)
class PretrainingSettings:
    """Size of the model and course of its training.

    The defaults make a model of two million weights that learns 15,000 pieces a second on one core;
    `hidden` 512, `layers` 8, `heads` 8, `vocabulary` 24,000 suits a GPU.

    Args:
        vocabulary: Pieces of the shared WordPiece vocabulary.
        hidden: Size of a layer.
        layers: Number of layers.
        heads: Attention heads.
        intermediate: Size of the inner layers; 4 times `hidden` for `None`.
        length: Pieces of a stretch of text that is learnt from.
        batch_size: Stretches a step.
        steps: How many.
        learning_rate: Of AdamW at its height.
        warmup: Share of the steps over which the rate rises; then it falls to 0.
        weight_decay: Of AdamW.
        dropout: 0 for small models.
        masked: Share of the places to be told; of these, 80 % show [MASK], 10 % a random piece,
            10 % the piece itself.
        smoothing: Power of each language's share of the text: 0.7 as for multilingual BERT.
        positions: Longest input that the model can ever read.

    Raises:
        JointalignError: If a setting is out of its range.
    """

    vocabulary: int = within(8_000, least=100)
    hidden: int = within(128, least=8)
    layers: int = within(4, least=1)
    heads: int = within(2, least=1)
    intermediate: int | None = within(None, least=1)
    length: int = within(128, least=8)
    batch_size: int = within(32, least=1)
    steps: int = within(10_000, least=1)
    learning_rate: float = within(2e-3, least=1e-7)
    warmup: float = within(0.05, least=0, most=1)
    weight_decay: float = within(0.01, least=0)
    dropout: float = within(0.0, least=0, below=1)
    masked: float = within(0.15, above=0, below=1)
    smoothing: float = within(0.7, least=0)
    positions: int = within(256, least=8)

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.hidden % self.heads:
            raise JointalignError(f"hidden must be a multiple of heads, got {self.hidden} and {self.heads}")
        if self.length > self.positions:
            raise JointalignError(f"length must be at most positions, got {self.length} and {self.positions}")


@dataclass(frozen=True)
class Pretrained:
    """What came of a training, or of a part of it.

    Args:
        finished: Whether all steps were made.
        steps: Made so far, by all calls.
        seconds: That this call took.
        pieces_per_second: Learnt by this call.
        weights: Number of weights.
        loss: Mean over the last hundred steps, in nats a masked piece.
        held_out: For each language the loss and the share of right guesses on text that was not
            learnt from, and the loss of a model that knows only how frequent each piece is.
        skipped: Lines without a piece.
    """

    finished: bool
    steps: int
    seconds: float
    pieces_per_second: float
    weights: int
    loss: float
    held_out: dict[str, dict[str, float]]
    skipped: int


def pretrain(
    texts: Sequence[Path],
    languages: Sequence[str],
    out: Path,
    settings: PretrainingSettings | None = None,
    *,
    device: str = "cpu",
    seed: int = 0,
    max_minutes: float | None = None,
    checkpoint_seconds: float = 60.0,
    threads: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Pretrained:
    """Train a masked language model on texts of several languages together.

    Args:
        texts: A file for each language, a sentence or paragraph a line; may be compressed.
        languages: Their codes.
        out: Folder for the model, which `Encoder.load` reads; what training needs besides lies in
            its folder `training`.
        settings: Size and course; the defaults for `None`.
        device: Where it is trained.
        seed: The only source of randomness.
        max_minutes: Stop after so long, checkpoint and model written; called again it goes on.
        checkpoint_seconds: Time between two checkpoints.
        threads: How many; `None` for all processors.
        fresh: Whether a training of other settings in the folder is removed; it is refused otherwise.
        progress: Told the steps done.

    Raises:
        JointalignError: If a text is missing or too short, the folder holds another training, or
            the loss is not finite.
        MissingExtraError: If torch, transformers or tokenizers is not installed.
    """
    settings = settings or PretrainingSettings()
    device = str(device_named(device, "contextual"))
    work = out / _MARKER
    known = {"languages": list(languages), "texts": [file_facts(path)[1:] for path in texts]}
    kept = Checkpoint(work / "checkpoint.safetensors", {**asdict(settings), "seed": seed, **known})
    begun = time.monotonic()
    deadline = math.inf if max_minutes is None else begun + 60 * max_minutes
    with locked(out, _MARKER), torch_threads(threads):
        or_fresh(kept.load, fresh)  # it knows of all settings, and refuses before anything is made
        tokenizer = _tokenizer(texts, work, settings, fresh)
        read = digest(work / _VOCABULARY / VOCABULARY_FILE)
        bundle = texts_bundle(work, len(tokenizer), {**known, "vocabulary": read})
        encoded = or_fresh(lambda: encode_texts(texts, languages, tokenizer, bundle, progress), fresh)
        model = _new_model(settings, tokenizer, seed)
        course = MaskedCourse(model, encoded, tokenizer, settings, device, seed)
        speed = course.run(kept, deadline, checkpoint_seconds, progress)
        held_out = course.held_out()
        with quiet_transformers():
            model.save_pretrained(out)
            tokenizer.save_pretrained(out)
    weights = sum(tensor.numel() for tensor in model.parameters())
    return Pretrained(
        course.step >= settings.steps,
        course.step,
        time.monotonic() - begun,
        speed,
        weights,
        course.recent_loss,
        held_out,
        encoded.skipped,
    )


def _tokenizer(texts: Sequence[Path], work: Path, settings: PretrainingSettings, fresh: bool) -> Any:
    """That of the shared vocabulary, which is learnt unless it is there."""
    names = "vocabulary", "smoothing", "positions"
    decisive = {"texts": [file_facts(path)[1:] for path in texts]}
    decisive |= {name: getattr(settings, name) for name in names}
    folder = work / _VOCABULARY
    names_of_files = VOCABULARY_FILE, "tokenizer.json", "tokenizer_config.json"
    files = [f"{_VOCABULARY}/{name}" for name in names_of_files]

    def learn() -> None:
        train_vocabulary(texts, folder, settings.vocabulary, settings.smoothing, settings.positions)

    Stages(work, fresh=fresh).do("vocabulary", decisive, files, learn)
    with quiet_transformers():
        return import_transformers().AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )


def _new_model(settings: PretrainingSettings, tokenizer: Any, seed: int) -> Any:
    torch, transformers = import_torch(), import_transformers()
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        pad_token_id=tokenizer.pad_token_id,
        intermediate_size=settings.intermediate or 4 * settings.hidden,
        max_position_embeddings=settings.positions,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
    )
    # transformers draws the first weights from the state that all of torch shares; it is put back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.BertForMaskedLM(config)
