"""Settings of the network and of its training, with the published defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from jointalign.errors import JointalignError
from jointalign.ner.base import Scheme
from jointalign.ranges import check_ranges, within


@dataclass(frozen=True)
class TaggerSettings:
    """The network: Lample et al. (2016), section 4, over vectors from anywhere.

    Differences from their code: plain LSTM cells, and no layer of their own for capital letters
    (off by default there, too), which the characters tell.

    Args:
        hidden: Size of the LSTM in each direction (100).
        layers: LSTM layers (1); 0 puts the tags directly on the vectors, to fine-tune an encoder.
        dropout: Of the input to the first layer, once (0.5).
        output_dropout: Of what comes out of each layer (0; 0.5 for contextual features).
        character_dimensions: Of each character's own vector (25).
        character_hidden: Size of the character LSTM in each direction (25); 0 for no characters.
        projection: Whether a tanh layer of size `hidden` comes before the tags, as in their code.
        crf: Whether tags are chosen together; otherwise each word's on its own.
        input_transitions: Whether steps between tags are scored for each word anew, from the words,
            as in the released code for contextual features.
        scheme: Of the tags that are learnt (IOBES); what is predicted is always BIO2.

    Raises:
        JointalignError: If a setting is out of its range.
    """

    hidden: int = within(100, least=1)
    layers: int = within(1, least=0)
    dropout: float = within(0.5, least=0, below=1)
    output_dropout: float = within(0.0, least=0, below=1)
    character_dimensions: int = within(25, least=1)
    character_hidden: int = within(25, least=0)
    projection: bool = True
    crf: bool = True
    input_transitions: bool = False
    scheme: Scheme = Scheme.IOBES

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.input_transitions and not self.crf:
            raise JointalignError("input_transitions are those of the CRF; set crf, too")

    def without_characters(self) -> TaggerSettings:
        """The same, but words are not spelt to the network."""
        return replace(self, character_hidden=0)


class RateSchedule(StrEnum):
    """How the learning rate goes."""

    CONSTANT = "constant"
    LINEAR = "linear"
    """Up over the warm-up, then down to zero at the last step: for fine-tuning."""


@dataclass(frozen=True)
class TaggerFitSettings:
    """How a network is learnt.

    Adam in place of Lample et al.'s plain gradient descent, which needs 100 epochs.

    Args:
        epochs: At most so many.
        batch_size: Sentences a step.
        learning_rate: Of Adam.
        clip: Largest norm of a step's gradient; `None` for no limit (contextual features).
        patience: Stop after so many evaluations without a better one; `None`: never.
        evaluations: How often an epoch the development text is tagged (1).
        schedule: Of the learning rate.
        warmup: Share of all steps over which a linear schedule rises.
        weight_decay: Of AdamW; 0 is Adam.

    Raises:
        JointalignError: If a setting is out of its range.
    """

    epochs: int = within(30, least=1)
    batch_size: int = within(16, least=1)
    learning_rate: float = within(1e-3, above=0)
    clip: float | None = within(5.0, above=0)
    patience: int | None = within(5, least=1)
    evaluations: int = within(1, least=1)
    schedule: RateSchedule = RateSchedule.CONSTANT
    warmup: float = within(0.0, least=0, below=1)
    weight_decay: float = within(0.0, least=0)

    def __post_init__(self) -> None:
        check_ranges(self)
