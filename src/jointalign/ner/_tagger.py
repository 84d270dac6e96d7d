"""The network: vectors and characters in, tags out (Lample et al. 2016, sections 2 to 4).

The parts are torch modules held by a plain class, so that this package can be imported without
torch. `b` sentences of up to `l` words are a batch; `k` is the number of tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jointalign.errors import JointalignError
from jointalign.ner._characters import Alphabet, character_network
from jointalign.ner._crf import Chain, best_paths, losses, rules
from jointalign.ner._inputs import VectorBatch, WordInputs
from jointalign.ner._settings import TaggerSettings
from jointalign.ner._torch import (
    at_positions,
    both_ways,
    dropped,
    import_torch,
    linear,
    lstm,
    new_generator,
    turned,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True, eq=False)
class WordBatch:
    """What the network sees of some sentences.

    Args:
        inputs: Vectors of words or pieces.
        lengths: Words of each sentence, int64 `(b,)`.
        characters: What the characters say of each word, `(b, l, c)`; `None` without characters.
    """

    inputs: VectorBatch
    lengths: Tensor
    characters: Tensor | None = None


class Tagger:
    """A BiLSTM-CRF over vectors from anywhere.

    Args:
        settings: Of the network.
        inputs: What gives words their vectors.
        labels: The tags, in the scheme of the settings.
        alphabet: The characters that are told apart.
        seed: Of the first weights.

    Raises:
        JointalignError: If there are characters over pieces of words, or no tags.
        MissingExtraError: If torch is not installed.
    """

    def __init__(
        self,
        settings: TaggerSettings,
        inputs: WordInputs,
        labels: Sequence[str],
        alphabet: Alphabet,
        seed: int = 0,
    ) -> None:
        if not labels:
            raise JointalignError("there is no tag to learn; the training text has no sentence")
        self.settings, self.inputs = settings, inputs
        self.labels, self.alphabet = tuple(labels), alphabet
        # Weights are drawn in main memory: the same seed gives the same on every device.
        self.network = self._made(new_generator(seed)).to(inputs.device)

    def with_inputs(self, inputs: WordInputs) -> Tagger:
        """The same weights over other vectors of the same length."""
        if inputs.dimensions != self.inputs.dimensions:
            raise JointalignError(
                f"expected vectors of {self.inputs.dimensions} dimensions, got {inputs.dimensions}"
            )
        other = Tagger(self.settings, inputs, self.labels, self.alphabet)
        own = {
            name: weights
            for name, weights in self.network.state_dict().items()
            if not name.startswith("inputs.")
        }
        other.network.load_state_dict(own, strict=False)
        other.network.eval()
        return other

    @property
    def has_characters(self) -> bool:
        """Whether words are spelt to the network."""
        return self.settings.character_hidden > 0

    @property
    def device(self) -> str:
        """Where it computes."""
        return self.inputs.device

    def _made(self, generator: Generator) -> Any:
        """All learnt parts; names of the weights in files come from here."""
        nn, settings, k = import_torch().nn, self.settings, len(self.labels)
        parts: dict[str, Any] = {}
        width = self.inputs.dimensions
        if self.has_characters:
            parts["characters"] = character_network(
                self.alphabet, settings.character_dimensions, settings.character_hidden, generator
            )
            width += 2 * settings.character_hidden
        for layer in range(settings.layers):
            for way in ("forwards", "backwards"):
                parts[f"{way}{layer}"] = lstm(width, settings.hidden, generator)
            width = 2 * settings.hidden
        if settings.projection and settings.layers:
            parts["projection"] = linear(width, settings.hidden, generator)
            width = settings.hidden
        parts["tags"] = linear(width, k, generator)
        if settings.crf:
            torch = import_torch()
            parts["chain"] = nn.ParameterDict(
                {"start": torch.zeros(k), "end": torch.zeros(k), "steps": torch.zeros(k, k)}
            )
        if settings.input_transitions:
            parts["steps"] = linear(width, k * k, generator)
        if self.inputs.network is not None:
            parts["inputs"] = self.inputs.network
        return nn.ModuleDict(parts)

    def parameters(self) -> Iterator[Any]:
        """All weights that are learnt."""
        return (weights for weights in self.network.parameters() if weights.requires_grad)

    def loss(self, batch: WordBatch, tags: Tensor, generator: Generator | None = None) -> Tensor:
        """Mean negative log-likelihood of a sentence's tags, a scalar.

        Args:
            batch: Some sentences.
            tags: Rows of `labels`, int64 `(b, l)`, any valid row beyond a sentence's end.
            generator: Of the dropout; `None`: none.
        """
        torch = import_torch()
        emissions, chain = self._scores(batch, generator)
        if chain is not None:
            return losses(emissions, tags, batch.lengths, chain).mean()
        each = torch.nn.functional.cross_entropy(
            emissions.float().transpose(1, 2), tags, reduction="none"
        )  # (b, l)
        inside = torch.arange(tags.shape[1], device=each.device) < batch.lengths[:, None]
        return torch.where(inside, each, 0.0).sum() / len(tags)

    def decode(self, batch: WordBatch) -> list[list[str]]:
        """The best tags of some sentences, which never break the rules of their scheme."""
        torch = import_torch()
        with torch.inference_mode():
            emissions, chain = self._scores(batch, None)
            total = self._rules if chain is None else chain.plus(self._rules)
            rows = best_paths(emissions, batch.lengths, total).tolist()
        lengths = batch.lengths.tolist()
        return [[self.labels[tag] for tag in row[:length]] for row, length in zip(rows, lengths, strict=True)]

    @cached_property
    def _rules(self) -> Chain:
        return rules(self.labels, self.device)

    def _scores(self, batch: WordBatch, generator: Generator | None) -> tuple[Tensor, Chain | None]:
        """Emissions `(b, l, k)` and the chain's scores; `None` without a CRF."""
        states = self._states(batch, generator)
        emissions = self.network["tags"](states)
        if not self.settings.crf:
            return emissions, None
        chain = Chain(*(self.network["chain"][name] for name in Chain._fields))
        if self.settings.input_transitions:
            k = len(self.labels)
            steps = self.network["steps"](states[:, 1:]).unflatten(2, (k, k))
            chain = chain._replace(steps=chain.steps + steps.float())
        return emissions, chain

    def _states(self, batch: WordBatch, generator: Generator | None) -> Tensor:
        """What the network knows of each word, `(b, l, h)`."""
        torch = import_torch()
        values, firsts = batch.inputs.vectors, batch.inputs.firsts
        if batch.characters is not None:
            if firsts is not None:
                raise JointalignError(
                    "these inputs give vectors to pieces of words, which have no characters of "
                    "their own; set character_hidden to 0"
                )
            values = torch.cat([values, batch.characters], 2)
        values = dropped(values, self.settings.dropout, generator)
        turn = turned(batch.inputs.lengths, values.shape[1])
        for layer in range(self.settings.layers):
            ahead, back = self.network[f"forwards{layer}"], self.network[f"backwards{layer}"]
            values = both_ways(ahead, back, values, turn)
            values = dropped(values, self.settings.output_dropout, generator)
        if firsts is not None:
            values = at_positions(values, firsts)
        if "projection" in self.network:
            values = torch.tanh(self.network["projection"](values))
        return values
