"""Contextual vectors for taggers: from a store of features, or from an encoder that learns too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._store import FeatureStore, sentence_digest
from jointalign.contextual._torch import import_torch
from jointalign.contextual.base import windows
from jointalign.errors import JointalignError
from jointalign.ner import Sentence, VectorBatch

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.nn import Module


class FeatureInputs:
    """Features made beforehand, which stay as they are; an implementation of `ner.WordInputs`.

    Args:
        stores: For each language the stores that its sentences are in.
        device: Where the tagger computes.

    Raises:
        JointalignError: If the stores have vectors of different lengths, or several layers.
    """

    def __init__(self, stores: Mapping[str, Sequence[FeatureStore]], device: str = "cpu") -> None:
        self._stores, self._device = stores, device
        every = [store for some in stores.values() for store in some]
        sizes = {store.dimensions for store in every}
        if len(sizes) != 1:
            raise JointalignError(f"expected features of one length, got {sorted(sizes)}")
        if any(len(store.vectors) != 1 for store in every):
            raise JointalignError(
                "a tagger reads one vector a word or piece: take one layer, or their sum "
                "(`jointalign features --combine sum`)"
            )
        self._dimensions = sizes.pop()

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self._dimensions

    @property
    def device(self) -> str:
        """Where the vectors are put."""
        return self._device

    @property
    def key(self) -> str:
        """What the features were made from and how."""
        facts = {code: [s.facts for s in some] for code, some in sorted(self._stores.items())}
        return f"features {facts}"

    @property
    def network(self) -> Module | None:
        """Nothing is learnt."""
        return None

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
        return PreparedFeatures(places, self._device)


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
        self._network = import_torch().nn.ModuleDict({"encoder": encoder.model})

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.encoder.dimensions

    @property
    def device(self) -> str:
        """Where the encoder is."""
        return self.encoder.device

    @property
    def key(self) -> str:
        """Which encoder, with the weights that it was loaded with."""
        return f"encoder {self.encoder.name} {self.encoder.identity}"

    @property
    def network(self) -> Module | None:
        """The encoder, and what else is learnt with it."""
        return self._network

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
