"""Features made when a tagger needs them, with no store on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES, extract, halved
from jointalign.contextual._inputs import PreparedFeatures
from jointalign.contextual._mapping import FeatureSide, LayerMappings
from jointalign.contextual._store import FeatureStore
from jointalign.contextual.base import Combine, FeatureSettings, Pooling, resolved
from jointalign.errors import JointalignError
from jointalign.ner import Sentence

if TYPE_CHECKING:
    from torch.nn import Module

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
        self._layers = resolved(settings.layers, encoder.layers)
        self._batch_pieces = batch_pieces
        if settings.combine is not Combine.SUM and len(self._layers) > 1:
            raise JointalignError("a tagger reads one vector a word or piece: take one layer, or their sum")

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.encoder.dimensions

    @property
    def device(self) -> str:
        """Where the encoder is, and the vectors are put."""
        return self.encoder.device

    @property
    def key(self) -> str:
        """The encoder, and what is taken of it."""
        maps = None if self.mappings is None else self.mappings.digest()
        return f"live {self.encoder.digest()} {self.settings} {maps}"

    @property
    def network(self) -> Module | None:
        """Nothing is learnt."""
        return None

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
                {"dimensions": self.dimensions},
            )
            places += [(store, row) for row in range(len(store))]
        return PreparedFeatures(places, self.device)
