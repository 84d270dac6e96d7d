"""What unsupervised machine translation is told and what it gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ranges import check_ranges, within
from jointalign.version import __version__

PADDING, END, BLANK, START_SOURCE, START_TARGET = range(5)
SPECIAL = 5
"""Number of tokens that are no text; the pieces of text come after them."""


@dataclass(frozen=True)
class Shape:
    """Size of the Transformer; the defaults are those of Lample et al. (2018b).

    Args:
        dimensions: Length of the token vectors and of all hidden states.
        feedforward: Width of the layer between each two.
        heads: Attention heads; must divide the dimensions.
        encoder_layers: Layers of the encoder.
        decoder_layers: Layers of the decoder.
        shared_encoder_layers: So many of them, the upper ones, serve both languages.
        shared_decoder_layers: Likewise, the lower ones.
        normalise_first: Normalise before each block instead of after it (not in the paper); deep
            models learn more easily so.

    Raises:
        JointalignError: If a number is out of its range.

    Example:
        >>> Shape.small().dimensions
        192
    """

    dimensions: int = within(512, least=1)
    feedforward: int = within(2048, least=1)
    heads: int = within(8, least=1)
    encoder_layers: int = within(4, least=1)
    decoder_layers: int = within(4, least=1)
    shared_encoder_layers: int = within(3, least=0)
    shared_decoder_layers: int = within(3, least=0)
    normalise_first: bool = False

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.dimensions % (2 * self.heads):
            raise JointalignError(
                f"dimensions must be a multiple of twice the heads, got {self.dimensions} and {self.heads}"
            )
        for side in ("encoder", "decoder"):
            shared, layers = getattr(self, f"shared_{side}_layers"), getattr(self, f"{side}_layers")
            if shared > layers:
                raise JointalignError(f"shared_{side}_layers must be from 0 to {layers}, got {shared}")

    @classmethod
    def small(cls) -> Shape:
        """For a processor without a GPU and tens of thousands of sentences."""
        return cls(192, 768, 4, 2, 2, 1, 1)

    @classmethod
    def tiny(cls) -> Shape:
        """For the toy cipher: one layer, which both languages share."""
        return cls(96, 384, 4, 1, 1, 1, 1)


@dataclass(frozen=True)
class NoiseSettings:
    """What is done to the sentences that the model learns to restore; whole words, never pieces.

    Args:
        shuffle: A word moves by less than so many places (3: Lample et al. 2018b); 0 for none.
        drop: Chance of each word to be left out (0.1).
        blank: Chance of each word to be blanked (0.2).

    Raises:
        JointalignError: If a number is out of its range.
    """

    shuffle: float = within(3.0, least=0)
    drop: float = within(0.1, least=0, below=1)
    blank: float = within(0.2, least=0, below=1)

    def __post_init__(self) -> None:
        check_ranges(self)

    @classmethod
    def none(cls) -> NoiseSettings:
        """Sentences as they are: the model can do no more than copy."""
        return cls(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class WeightSchedule:
    """A weight that changes with the iterations, linearly from point to point.

    Args:
        points: Iteration and weight, by rising iteration; constant before the first and after the
            last.

    Raises:
        JointalignError: If the iterations do not rise or a weight is negative.

    Example:
        >>> WeightSchedule.parse("0:1,100000:0.1,300000:0").at(50_000)
        0.55
    """

    points: tuple[tuple[int, float], ...] = ((0, 1.0),)

    def __post_init__(self) -> None:
        places = [place for place, _ in self.points]
        if not places or any(b <= a for a, b in zip(places, places[1:], strict=False)):
            raise JointalignError(f"expected points with rising iterations, got {self.points}")
        if any(weight < 0 for _, weight in self.points):
            raise JointalignError(f"expected weights of 0 or more, got {self.points}")

    @classmethod
    def parse(cls, text: str) -> WeightSchedule:
        """Read `iteration:weight,iteration:weight`, or one weight.

        Raises:
            JointalignError: If it is neither.
        """
        try:
            if ":" not in text:
                return cls(((0, float(text)),))
            parts = (part.split(":") for part in text.split(","))
            return cls(tuple((int(place), float(weight)) for place, weight in parts))
        except ValueError as error:
            if isinstance(error, JointalignError):
                raise
            raise JointalignError(
                f"expected a schedule such as '0:1,100000:0.1,300000:0' or '1', got '{text}'"
            ) from None

    def __str__(self) -> str:
        return ",".join(f"{place}:{weight:g}" for place, weight in self.points)

    def at(self, iteration: int) -> float:
        """The weight at an iteration."""
        places, weights = zip(*self.points, strict=True)
        return float(np.interp(iteration, places, weights))


@dataclass(frozen=True)
class TranslationFitSettings:
    """How the model is trained; the defaults are those of Lample et al. (2018b).

    Args:
        noise: Of the denoising steps.
        denoising: Weight of the denoising steps; a step of weight 0 is left out.
        back_translation: Weight of the back-translation steps.
        learning_rate: Of Adam.
        warmup: Iterations in which the learning rate rises to that (0: theirs).
        beta1: Of Adam; 0.5 is their code's default.
        beta2: Of Adam.
        clip: Largest norm of a gradient.
        dropout: Chance of each hidden value to be left out (0: theirs).
        batch_sentences: Sentences a step, of about one length.
        epoch_sentences: Sentences an epoch, those of all four steps of an iteration counted.
        generation_batches: Batches that are back-translated at once, with the weights of that
            moment. Theirs are up to 1,000 iterations old.
        maximum_length: Longer sentences, in tokens, are left out and counted.
        precision: `float32`, `bfloat16`, or `auto`: the latter where the processor has it.

    Raises:
        JointalignError: If a setting is out of its range.
    """

    noise: NoiseSettings = field(default_factory=NoiseSettings)
    denoising: WeightSchedule = WeightSchedule(((0, 1.0), (100_000, 0.1), (300_000, 0.0)))
    back_translation: WeightSchedule = WeightSchedule()
    learning_rate: float = within(1e-4, above=0)
    warmup: int = within(0, least=0)
    beta1: float = within(0.5, least=0, below=1)
    beta2: float = within(0.999, least=0, below=1)
    clip: float = within(5.0, above=0)
    dropout: float = within(0.0, least=0, below=1)
    batch_sentences: int = within(32, least=1)
    epoch_sentences: int = within(500_000, least=1)
    generation_batches: int = within(4, least=1)
    maximum_length: int = within(175, least=1)
    precision: str = "auto"

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise JointalignError(f"precision must be auto, float32 or bfloat16, got '{self.precision}'")

    @classmethod
    def small(cls, epoch_sentences: int = 29_000, **changes: Any) -> TranslationFitSettings:
        """For a small corpus on a processor: larger steps, and denoising that fades sooner."""
        settings: dict[str, Any] = {
            "denoising": WeightSchedule(((0, 1.0), (1500, 0.1))),
            "learning_rate": 1e-3,
            "warmup": 50,
            "dropout": 0.1,
            "batch_sentences": 64,
            "epoch_sentences": epoch_sentences,
        }
        return cls(**(settings | changes))

    @classmethod
    def tiny(cls, epoch_sentences: int = 6400) -> TranslationFitSettings:
        """For the toy cipher: denoising fades within 300 iterations."""
        return cls.small(
            epoch_sentences,
            learning_rate=2e-3,
            denoising=WeightSchedule(((0, 1.0), (300, 0.1))),
            dropout=0.0,
            batch_sentences=32,
            warmup=0,
        )


@dataclass(frozen=True)
class MTResult:
    """Scores of the translations of a test set.

    Args:
        direction: Such as `en-de`.
        bleu: sacreBLEU, percent.
        tokenised_bleu: BLEU of text that is cut into words and signs beforehand and not smoothed,
            as `multi-bleu.perl` computes it; never to be compared with the other.
        chrf: chrF2, percent.
        sentences: Number of sentences.
        signature: sacreBLEU's, of `bleu`.
        chrf_signature: sacreBLEU's, of `chrf`.
        seconds: Time that the translation took.
        version: Version of jointalign.
    """

    direction: str
    bleu: float
    tokenised_bleu: float
    chrf: float
    sentences: int
    signature: str
    chrf_signature: str
    seconds: float = 0.0
    version: str = __version__

    def __str__(self) -> str:
        return (
            f"{self.direction}: BLEU = {self.bleu:.2f} |{self.signature}| tokenised BLEU = "
            f"{self.tokenised_bleu:.2f}, chrF2 = {self.chrf:.2f}, n:{self.sentences}"
        )

    def to_json(self) -> dict[str, Any]:
        """All of it as plain types."""
        return asdict(self)
