"""The network: vectors and characters in, tags out (Lample et al. 2016, sections 2 to 4).

Whatever gives vectors to words (word tables, features, encoders) implements `WordInputs`; network,
learning, storage and prediction know nothing else of it. The learnt parts are torch modules held by
plain classes, so that this package can be imported without torch. `b` sentences of up to `l` words
are a batch; `k` is the number of tags.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ner._crf import Chain, along, best_paths, continuations, losses, rules
from jointalign.ner._settings import TaggerSettings
from jointalign.ner._torch import (
    at_positions,
    both_ways,
    dropped,
    import_torch,
    linear,
    lstm,
    new_generator,
    random_state_kept,
    turned,
)
from jointalign.ner.base import Entity, Sentence, spans, to_scheme

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module

_Decoded = TypeVar("_Decoded")


@dataclass(frozen=True, eq=False)
class VectorBatch:
    """Vectors of some sentences.

    Args:
        vectors: float32 `(b, p, d)`: one a word, or one a piece of a word.
        lengths: How many of the p each sentence has, int64 `(b,)`; what lies beyond is not used.
        firsts: Where each word's first piece is, int64 `(b, l)`, any valid number beyond a
            sentence's end; `None` where every position is a word.
    """

    vectors: Tensor
    lengths: Tensor
    firsts: Tensor | None = None


class PreparedText(Protocol):
    """Sentences whose vectors can be had batch by batch, in any order and many times."""

    @property
    def sizes(self) -> np.ndarray:
        """Positions (words or pieces) of each sentence, int64 `(n,)`."""
        ...

    def batch(self, rows: Sequence[int], generator: Generator | None = None) -> VectorBatch:
        """Vectors of some sentences, on the device of the inputs.

        Args:
            rows: Which sentences.
            generator: Of random noise, while learning; `None` otherwise: no noise.
        """
        ...


class WordInputs(Protocol):
    """What gives words their vectors."""

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        ...

    @property
    def device(self) -> str:
        """Where the vectors lie, e.g. `cpu` or `cuda`; the tagger goes there, too."""
        ...

    @property
    def key(self) -> str:
        """Tells these vectors from all others: learning that was stopped goes on with the same."""
        ...

    @property
    def network(self) -> Module | None:
        """What of it is learnt with the tagger; `None` if nothing is."""
        ...

    def prepare(self, sentences: Sequence[Sentence], language: str) -> PreparedText:
        """Look up, or find in a store, what the sentences need.

        Raises:
            JointalignError: If it has nothing for this language, or for one of the sentences.
        """
        ...


def padded(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Stretches of some values one below the other, `(b, longest)`, 0 beyond their ends."""
    places = np.arange(lengths.max())[None]
    inside = places < lengths[:, None]
    return np.where(inside, values[np.where(inside, starts[:, None] + places, 0)], 0)


UNKNOWN = 0
"""Row of characters that were never learnt, and of padding."""

SWAPPED = 0.02
"""Share of characters taken for unknown while learning, so that the unknown one means something."""

_SPELT_AT_ONCE = 4096


@dataclass(frozen=True)
class Alphabet:
    """The characters that are told apart, the most frequent first; each has a row from 1 on."""

    characters: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[Sentence]) -> Alphabet:
        """All characters of some sentences."""
        seen = Counter(letter for s in sentences for word in s.words for letter in word)
        return cls(tuple(letter for letter, _ in sorted(seen.items(), key=lambda e: (-e[1], e[0]))))

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {letter: row for row, letter in enumerate(self.characters, 1)}

    def rows(self, word: str) -> list[int]:
        """A row for each character; one that is unknown counts as its letter without accents."""
        found = []
        for letter in word:
            row = self._rows.get(letter, UNKNOWN)
            if not row:
                row = self._rows.get(unicodedata.normalize("NFD", letter)[0], UNKNOWN)
            found.append(row)
        return found

    def __len__(self) -> int:
        return len(self.characters)


@dataclass(frozen=True, eq=False)
class Spellings:
    """Distinct words as rows of characters, one after the other.

    Args:
        letters: Rows of all characters, int64.
        ends: Where each word ends in `letters`, int64 `(n,)`.
    """

    letters: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, words: Sequence[str], alphabet: Alphabet) -> Spellings:
        """Spell some words."""
        spelt = [alphabet.rows(word) or [UNKNOWN] for word in words]
        flat = [row for rows in spelt for row in rows]
        return cls(np.array(flat, np.int64), np.cumsum([len(rows) for rows in spelt], dtype=np.int64))

    @cached_property
    def lengths(self) -> np.ndarray:
        """Characters of each word, int64 `(n,)`."""
        return np.diff(self.ends, prepend=0)

    def padded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Characters of some words, `(u, c)`, `UNKNOWN` beyond their ends, and their lengths."""
        lengths = self.lengths[rows]
        return padded(self.letters, self.ends[rows] - lengths, lengths), lengths

    def __len__(self) -> int:
        return len(self.ends)


def character_network(alphabet: Alphabet, dimensions: int, hidden: int, seed: Generator) -> Module:
    """The learnt parts: a vector for each character and an LSTM in each direction."""
    nn = import_torch().nn
    with random_state_kept():
        letters = nn.Embedding(len(alphabet) + 1, dimensions)
    bound = (3 / dimensions) ** 0.5  # variance 1 / dimensions, as in Lample et al.'s code
    nn.init.uniform_(letters.weight, -bound, bound, generator=seed)
    ways = {way: lstm(dimensions, hidden, seed) for way in ("forwards", "backwards")}
    return nn.ModuleDict({"letters": letters, **ways})


def character_vectors(
    network: Module, spellings: Spellings, rows: np.ndarray, generator: Generator | None = None
) -> Tensor:
    """What both LSTMs know after their last character of some words, `(u, 2 h)`.

    Args:
        network: As `character_network` makes it.
        spellings: Of all words.
        rows: Which of them.
        generator: Of the noise while learning; `None`: no noise.
    """
    torch = import_torch()
    device = network["letters"].weight.device  # type: ignore[index]
    padded, ends = spellings.padded(rows)
    letters = torch.from_numpy(padded).to(device)
    lengths = torch.from_numpy(ends).to(device)
    if generator is not None:
        swapped = torch.empty(letters.shape, device=device).bernoulli_(SWAPPED, generator=generator)
        letters = letters.masked_fill(swapped.bool(), UNKNOWN)
    last = lengths[:, None, None] - 1
    found = []
    for way, order in (("forwards", letters), ("backwards", None)):
        if order is None:
            order = letters.gather(1, turned(lengths, letters.shape[1]))
        outputs = network[way](network["letters"](order))[0]  # type: ignore[index]
        found.append(outputs.gather(1, last.expand(-1, 1, outputs.shape[2])).squeeze(1))
    return torch.cat(found, 1)


def character_table(network: Module, spellings: Spellings) -> Tensor:
    """Vectors of all words, `(n, 2 h)`, without noise; words of like length go together."""
    torch = import_torch()
    order = np.argsort(spellings.lengths, kind="stable")
    parts = [
        character_vectors(network, spellings, order[start : start + _SPELT_AT_ONCE])
        for start in range(0, len(order), _SPELT_AT_ONCE)
    ]
    table = torch.cat(parts)
    return table[torch.from_numpy(np.argsort(order, kind="stable")).to(table.device)]


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
        with import_torch().inference_mode():
            emissions, chain = self._lawful(batch)
            return self._named(best_paths(emissions, batch.lengths, chain), batch)

    def decode_entities(self, batch: WordBatch) -> list[tuple[list[str], tuple[Entity, ...]]]:
        """The best tags of some sentences, and the probability of each entity among them.

        It is the sum over all rows of tags that keep the rules and have just this entity; without a
        CRF, each word's tags are as likely as a softmax says.
        """
        with import_torch().inference_mode():
            emissions, chain = self._lawful(batch)
            best = best_paths(emissions, batch.lengths, chain)
            goes_on = continuations(self.labels, self.device)
            found = along(emissions, best, batch.lengths, chain, goes_on)
            opening, inside, closing = (part.cpu().numpy() for part in found)
        named = self._named(best, batch)
        result = []
        for row, tags in enumerate(named):
            entities = []
            for span in spans(tags):
                first, last = span.start, span.end - 1
                sure = opening[row, first] + inside[row, last] - inside[row, first] + closing[row, last]
                entities.append(Entity(span.start, span.end, span.type, min(1.0, float(np.exp(sure)))))
            result.append((tags, tuple(entities)))
        return result

    def _lawful(self, batch: WordBatch) -> tuple[Tensor, Chain]:
        """Emissions, and the chain with its rules."""
        emissions, chain = self._scores(batch, None)
        return emissions, self._rules if chain is None else chain.plus(self._rules)

    def _named(self, rows: Tensor, batch: WordBatch) -> list[list[str]]:
        lengths = batch.lengths.tolist()
        found = zip(rows.tolist(), lengths, strict=True)
        return [[self.labels[tag] for tag in row[:length]] for row, length in found]

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


POSITIONS = 4096
"""Words (or pieces) tagged at once; bounds the memory, whatever the sentences."""


class Examples:
    """Sentences prepared for one tagger.

    Args:
        tagger: Whose inputs, alphabet and labels are meant.
        sentences: With tags, where they are to be learnt.
        language: Of the sentences.
    """

    def __init__(self, tagger: Tagger, sentences: Sequence[Sentence], language: str) -> None:
        self.sentences, self.language = sentences, language
        self._tagger = tagger
        self._text = tagger.inputs.prepare(sentences, language)
        self._lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        self._starts = np.cumsum(self._lengths) - self._lengths
        words = {word: None for sentence in sentences for word in sentence.words}
        ranks = {word: rank for rank, word in enumerate(words)}
        flat = [ranks[word] for sentence in sentences for word in sentence.words]
        self._words = np.array(flat, np.int64)
        self._distinct = tuple(words)

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def sizes(self) -> np.ndarray:
        """Positions of each sentence, by which they go into batches, int64 `(n,)`."""
        return self._text.sizes

    def learning_batches(self, size: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Rows of all sentences in random batches of like length, at most `size` each."""
        order = rng.permutation(len(self))
        order = order[np.argsort(self.sizes[order], kind="stable")]
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return [batches[number] for number in rng.permutation(len(batches))]

    def tagging_batches(self) -> list[np.ndarray]:
        """Rows of all sentences, sorted by length, about `POSITIONS` positions together."""
        order = np.argsort(self.sizes, kind="stable")
        batches, start = [], 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and self.sizes[order[stop]] * (stop + 1 - start) <= POSITIONS:
                stop += 1
            batches.append(order[start:stop])
            start = stop
        return batches

    def batch(self, rows: np.ndarray, generator: Generator | None = None) -> WordBatch:
        """What the network sees of some sentences; with noise if there is a generator for it."""
        torch = import_torch()
        lengths = torch.from_numpy(self._lengths[rows]).to(self._tagger.device)
        inputs = self._text.batch(rows.tolist(), generator)
        characters = None
        if self._tagger.has_characters:
            characters = self._characters(self._padded(self._words, rows), generator)
        return WordBatch(inputs, lengths, characters)

    def tags(self, rows: np.ndarray) -> Tensor:
        """Rows of the labels of some sentences, int64 `(b, l)`, 0 beyond their ends."""
        padded = self._padded(self._labels, rows)
        return import_torch().from_numpy(padded).to(self._tagger.device)

    def _characters(self, words: np.ndarray, generator: Generator | None) -> Tensor:
        torch = import_torch()
        network = self._tagger.network["characters"]
        if generator is None:
            return self._table[torch.from_numpy(words).to(self._tagger.device)]
        distinct, places = np.unique(words, return_inverse=True)
        vectors = character_vectors(network, self._spellings, distinct, generator)
        return vectors[torch.from_numpy(places.reshape(words.shape)).to(self._tagger.device)]

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings.of(self._distinct, self._tagger.alphabet)

    @cached_property
    def _table(self) -> Tensor:
        """Character vectors of all words; until `learnt` says that the network has changed."""
        with import_torch().inference_mode():
            return character_table(self._tagger.network["characters"], self._spellings)

    def learnt(self) -> None:
        """Forget what was computed with the weights as they were."""
        self.__dict__.pop("_table", None)

    @cached_property
    def _labels(self) -> np.ndarray:
        rows = {label: row for row, label in enumerate(self._tagger.labels)}
        found = []
        for number, sentence in enumerate(self.sentences, 1):
            if sentence.tags is None:
                raise JointalignError(f"sentence {number} has no tags to learn from")
            for tag in to_scheme(sentence.tags, self._tagger.settings.scheme):
                if tag not in rows:
                    raise JointalignError(f"sentence {number}: the tagger has no tag '{tag}'")
                found.append(rows[tag])
        return np.array(found, np.int64)

    def _padded(self, flat: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Values of all words of some sentences, `(b, l)`, 0 beyond their ends."""
        return padded(flat, self._starts[rows], self._lengths[rows])


def tag_all(tagger: Tagger, examples: Examples) -> list[tuple[str, ...]]:
    """Tags of all sentences, in their order, in the scheme of the tagger."""
    return [tuple(tags) for tags in _decoded(tagger.decode, examples)]


def find_all(tagger: Tagger, examples: Examples) -> list[tuple[tuple[str, ...], tuple[Entity, ...]]]:
    """The same, with the entities and their probabilities."""
    return [(tuple(tags), entities) for tags, entities in _decoded(tagger.decode_entities, examples)]


def _decoded(decode: Callable[[WordBatch], list[_Decoded]], examples: Examples) -> list[_Decoded]:
    examples.learnt()
    found: dict[int, _Decoded] = {}
    with import_torch().inference_mode():
        for rows in examples.tagging_batches():
            found.update(zip(rows.tolist(), decode(examples.batch(rows)), strict=True))
    return [found[row] for row in range(len(examples))]
