"""Contextual vectors for taggers: features from a store or made when needed, or an encoder that learns too.

An encoder can learn against a discriminator of languages (Keung, Lu and Bhardwaj 2019), see
`AdversarialInputs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, extract, halved
from jointalign.contextual._mapping import FeatureSide, LayerMappings
from jointalign.contextual._store import FeatureStore, sentence_digest
from jointalign.contextual._torch import import_torch
from jointalign.contextual.base import Combine, FeatureSettings, Pooling, resolved, windows
from jointalign.errors import JointalignError
from jointalign.ner import Sentence, Text, VectorBatch
from jointalign.numerics.devices import device_named

if TYPE_CHECKING:
    from torch import Generator, Tensor


class FeatureInputs:
    """Features made beforehand, which stay as they are; an implementation of `ner.WordInputs`.

    Args:
        stores: For each language the stores that its sentences are in.
        device: Where the tagger computes.

    Raises:
        JointalignError: If the stores have vectors of different lengths, or several layers.
    """

    def __init__(self, stores: Mapping[str, Sequence[FeatureStore]], device: str = "cpu") -> None:
        self._stores, self.network = stores, None  # nothing is learnt
        self.device = str(device_named(device, "contextual"))
        every = [store for some in stores.values() for store in some]
        sizes = {store.dimensions for store in every}
        if len(sizes) != 1:
            raise JointalignError(f"expected features of one length, got {sorted(sizes)}")
        if any(len(store.vectors) != 1 for store in every):
            raise JointalignError(
                "a tagger reads one vector a word or piece: take one layer, or their sum "
                "(`jointalign features --combine sum`)"
            )
        self.dimensions = sizes.pop()

    @property
    def key(self) -> str:
        """What the features were made from and how."""
        facts = {code: [s.facts for s in some] for code, some in sorted(self._stores.items())}
        return f"features {facts}"

    def prepare(self, sentences: Sequence[Sentence], language: str) -> PreparedFeatures:
        """Find the sentences in the stores.

        Raises:
            JointalignError: If there is no store of this language, or a sentence is in none.
        """
        if language not in self._stores:
            raise JointalignError(f"there are no features of '{language}', only of {', '.join(self._stores)}")
        places = []
        for number, sentence in enumerate(sentences, 1):
            digest = sentence_digest(sentence.words)
            for store in self._stores[language]:
                if digest in store.rows_of:
                    places.append((store, store.rows_of[digest]))
                    break
            else:
                words = " ".join(sentence.words[:8])
                raise JointalignError(
                    f"sentence {number} ('{words} ...') has no features; make them from the same "
                    "file with `jointalign features --conll`"
                )
        return PreparedFeatures(places, self.device)


class PreparedFeatures:
    """Sentences and where their features lie."""

    def __init__(self, places: list[tuple[FeatureStore, int]], device: str) -> None:
        self._places, self._device = places, device

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each sentence, int64 `(n,)`."""
        sizes = [store.starts[row + 1] - store.starts[row] for store, row in self._places]
        return np.array(sizes, np.int64)

    def batch(self, rows: Sequence[int], generator: Generator | None = None) -> VectorBatch:
        """Their vectors; the generator is not used: features have no noise."""
        torch = import_torch()
        some = [self._places[row] for row in rows]
        vectors = [store.sentence(row)[0] for store, row in some]
        lengths = [len(one) for one in vectors]
        padded = np.zeros((len(some), max(lengths), vectors[0].shape[1]), np.float32)
        for place, one in enumerate(vectors):
            padded[place, : len(one)] = one
        firsts = None
        if some[0][0].firsts is not None:
            own = [store.first_pieces(row) for store, row in some]
            found = np.zeros((len(some), max(map(len, own))), np.int64)
            for place, one in enumerate(own):
                found[place, : len(one)] = one
            firsts = torch.from_numpy(found).to(self._device)
        return VectorBatch(
            torch.from_numpy(padded).to(self._device), torch.tensor(lengths, device=self._device), firsts
        )


class EncoderInputs:
    """An encoder that is learnt together with the tagger: fine-tuning.

    Each word has the last layer's vector of its first piece (Devlin et al. 2019; Wu and Dredze
    2019). Sentences beyond the encoder's length go through in overlapping windows.

    Args:
        encoder: Learnt in place.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.dimensions, self.device = encoder.dimensions, encoder.device
        self.network = import_torch().nn.ModuleDict({"encoder": encoder.model})

    @property
    def key(self) -> str:
        """Which encoder, with the weights that it was loaded with."""
        return f"encoder {self.encoder.name} {self.encoder.identity}"

    def prepare(self, sentences: Sequence[Sentence], language: str) -> PreparedPieces:
        """Cut the words into pieces."""
        self.encoder.remember([word for sentence in sentences for word in sentence.words])
        return PreparedPieces(self.encoder, [s.words for s in sentences], language)


class PreparedPieces:
    """Sentences cut into the pieces of an encoder."""

    def __init__(self, encoder: Encoder, words: list[tuple[str, ...]], language: str) -> None:
        self._encoder, self._language = encoder, language
        self._cut = [encoder.cut(sentence) for sentence in words]

    @property
    def sizes(self) -> np.ndarray:
        """Pieces of each sentence, int64 `(n,)`."""
        return np.array([len(pieces.ids) for pieces in self._cut], np.int64)

    def batch(self, rows: Sequence[int], generator: Generator | None = None) -> VectorBatch:
        """Vectors of the words' first pieces; the encoder's own dropout is the noise."""
        torch = import_torch()
        ids: list[list[int]] = []
        places, counts = [], []
        for row in rows:
            pieces = self._cut[row]
            firsts = np.cumsum(pieces.lengths) - pieces.lengths
            for window in windows(len(pieces.ids), self._encoder.longest):
                inside = (firsts >= window.owned_first) & (firsts < window.owned_last)
                before = len(self._encoder.prefix) - window.first
                places += [(len(ids), int(first) + before) for first in firsts[inside]]
                ids.append(
                    [*self._encoder.prefix, *pieces.ids[window.first : window.last], *self._encoder.suffix]
                )
            counts.append(len(firsts))
        states = self.last_layer(ids)
        index = torch.tensor(places, device=states.device)
        flat = states[index[:, 0], index[:, 1]]
        padded = torch.nn.utils.rnn.pad_sequence(list(flat.split(counts)), batch_first=True)
        return VectorBatch(padded, torch.tensor(counts, device=states.device))

    def last_layer(self, ids: list[list[int]]) -> Tensor:
        """The last layer of some windows, `(b, l, d)`, with gradients where torch keeps them."""
        inputs = self._encoder.inputs(ids, self._language)
        return self._encoder.model(**inputs).last_hidden_state.float()

    def means(self, rows: Sequence[int]) -> Tensor:
        """Mean of the last layer over each sentence's first window, `(b, d)`."""
        torch = import_torch()
        encoder = self._encoder
        ids = [[*encoder.prefix, *self._cut[row].ids[: encoder.longest], *encoder.suffix] for row in rows]
        states = self.last_layer(ids)
        lengths = torch.tensor([len(row) for row in ids], device=states.device)
        inside = torch.arange(states.shape[1], device=states.device) < lengths[:, None]
        return (states * inside[..., None]).sum(1) / lengths[:, None]


TAGGER_FEATURES = FeatureSettings(pooling=Pooling.PIECES, combine=Combine.SUM)
"""Appendix A of the paper: all pieces, the sum of the last four layers."""


class LiveInputs:
    """Features of an encoder that stays as it is; an implementation of `ner.WordInputs`.

    They equal those of `write_features`, half precision and all.

    Args:
        encoder: What gives the vectors.
        settings: What is taken of it; layers must be summed, or one.
        mappings: What moves each layer first, the language of a text deciding on its side.
        batch_pieces: Pieces, with padding, that go through the encoder at once.

    Raises:
        JointalignError: If several layers are not summed, or the encoder or the maps have no such
            layer.
    """

    def __init__(
        self,
        encoder: Encoder,
        settings: FeatureSettings = TAGGER_FEATURES,
        mappings: LayerMappings | None = None,
        batch_pieces: int = BATCH_PIECES,
    ) -> None:
        self.encoder, self.settings, self.mappings = encoder, settings, mappings
        self.dimensions, self.device, self.network = encoder.dimensions, encoder.device, None
        self._layers = resolved(settings.layers, encoder.layers)
        self._batch_pieces = batch_pieces
        if settings.combine is not Combine.SUM and len(self._layers) > 1:
            raise JointalignError("a tagger reads one vector a word or piece: take one layer, or their sum")

    @property
    def key(self) -> str:
        """The encoder, and what is taken of it."""
        maps = None if self.mappings is None else self.mappings.digest()
        return f"live {self.encoder.digest()} {self.settings} {maps}"

    def side(self, language: str) -> FeatureSide:
        """The side of the maps that a language is on; without maps any will do.

        Raises:
            JointalignError: If the maps are of other languages.
        """
        return FeatureSide.SOURCE if self.mappings is None else self.mappings.side_of(language)

    def prepare(self, sentences: Sequence[Sentence], language: str) -> PreparedFeatures:
        """Run the encoder over all sentences.

        Raises:
            JointalignError: If the maps or the encoder do not know the language.
        """
        side, places = self.side(language), []
        words = [sentence.words for sentence in sentences]
        parts = extract(
            self.encoder,
            words,
            self._layers,
            self.settings.pooling,
            batch_pieces=self._batch_pieces,
            language=language,
        )
        for part in parts:
            vectors = halved(part.vectors, self._layers, self.settings.combine, self.mappings, side)
            store = FeatureStore(
                tuple(vectors),
                self._layers,
                part.starts,
                part.firsts,
                part.word_starts,
                np.zeros(0, np.uint64),
                {},
            )
            places += [(store, row) for row in range(len(store))]
        return PreparedFeatures(places, self.device)


class AdversarialInputs(EncoderInputs):
    """An encoder that is learnt with the tagger, and against a discriminator.

    A logistic regression tells from a sentence's mean vector which language it is in; the encoder
    is pulled, weakly, to where it tells wrongly. Only unlabelled text of the target language is
    read. Difference from the paper: tagger, discriminator and encoder share one Adam, and the pull
    on the encoder has a weight where theirs has a learning rate a hundredth of the tagger's.

    Pass `extra_loss` to `ner.fit` besides.

    Args:
        encoder: Learnt in place.
        source: Text of the language with labels, which are not looked at.
        target: Text of the other language.
        weight: Of the pull on the encoder: 0.01, the ratio of the paper's learning rates.
        batch_size: Sentences of each language a step.
        start: Steps before the pull begins; the discriminator learns from the first.
        seed: Of the choice of sentences and the discriminator's first weights.

    Raises:
        JointalignError: If a text has no sentence.
    """

    def __init__(
        self,
        encoder: Encoder,
        source: Text,
        target: Text,
        *,
        weight: float = 0.01,
        batch_size: int = 16,
        start: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(encoder)
        for text in (source, target):
            if not any(sentence.words for sentence in text.sentences):
                raise JointalignError(f"the text of '{text.language}' has no sentence")
        self._weight, self._batch, self._start, self._seed = weight, batch_size, start, seed
        spoken = [[s for s in text.sentences if s.words] for text in (source, target)]
        self._texts = [
            self.prepare(sentences, text.language)
            for sentences, text in zip(spoken, (source, target), strict=True)
        ]
        self.accuracies: list[float] = []
        torch = import_torch()
        self._judge = torch.nn.utils.skip_init(torch.nn.Linear, self.dimensions, 1)
        torch.nn.init.zeros_(self._judge.weight)
        torch.nn.init.zeros_(self._judge.bias)
        self._judge = self._judge.to(self.device)
        self.network["discriminator"] = self._judge

    @property
    def key(self) -> str:
        """The encoder and the game."""
        sizes = [len(text.sizes) for text in self._texts]
        return f"{super().key} adversarial {self._weight} {self._batch} {self._start} {sizes}"

    def extra_loss(self, step: int) -> Tensor:
        """The discriminator's loss, which moves it alone, and the pull, which spares it."""
        torch = import_torch()
        rng = np.random.default_rng([self._seed, step, 2])
        parts = [text.means(rng.integers(len(text.sizes), size=self._batch).tolist()) for text in self._texts]
        means = torch.cat(parts)
        labels = torch.zeros(len(means), device=means.device)
        labels[: self._batch] = 1.0
        entropy = torch.nn.functional.binary_cross_entropy_with_logits
        layer = self._judge
        logits = layer(means.detach()).squeeze(1)
        self.accuracies.append(float(((logits > 0) == (labels > 0.5)).float().mean()))
        loss = entropy(logits, labels)
        if step >= self._start:
            weights, bias = layer.weight.detach()[0], layer.bias.detach()
            loss = loss + self._weight * entropy(means @ weights + bias, 1 - labels)
        return loss
