"""Taggers over contextual vectors: on features (appendix A of the paper), or fine-tuned."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES
from jointalign.contextual._inputs import (
    TAGGER_FEATURES,
    AdversarialInputs,
    EncoderInputs,
    FeatureInputs,
    LiveInputs,
)
from jointalign.contextual._mapping import LayerMappings
from jointalign.contextual._store import FeatureStore, write_features
from jointalign.contextual.base import FeatureSettings
from jointalign.ner import Alphabet, RateSchedule, Scheme, TaggerFitSettings, TaggerSettings, Text
from jointalign.ner.api import NERModel, learnt
from jointalign.progress import Progress
from jointalign.storage.checkpoint import digest_of

FEATURE_TAGGER = TaggerSettings(
    hidden=384,
    layers=2,
    dropout=0.5,
    output_dropout=0.5,
    character_hidden=0,
    projection=False,
    scheme=Scheme.BIO2,
)
"""Appendix A: 2 layers, 768 in all, dropout 0.5 of input and output, the first piece, a CRF."""

FEATURE_FIT = TaggerFitSettings(epochs=40, batch_size=10, learning_rate=1e-4, clip=None, patience=None)
"""Appendix A and the released code: Adam with 1e-4, batches of 10, 40 epochs."""

FINE_TUNING_TAGGER = TaggerSettings(
    layers=0, dropout=0.1, character_hidden=0, projection=False, crf=False, scheme=Scheme.BIO2
)
"""A linear layer on the first piece of each word."""

FINE_TUNING_FIT = TaggerFitSettings(
    epochs=3,
    batch_size=32,
    learning_rate=3e-5,
    clip=1.0,
    patience=None,
    schedule=RateSchedule.LINEAR,
    warmup=0.1,
    weight_decay=0.0,
)
"""Wu and Dredze (2019): Adam, a tenth of the steps up, then down; from the middle of their grid."""


def train_on_features(
    inputs: FeatureInputs,
    training: Text,
    development: Text,
    settings: TaggerSettings = FEATURE_TAGGER,
    fit_settings: TaggerFitSettings = FEATURE_FIT,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NERModel:
    """Learn a tagger on features that stay as they are.

    Args:
        inputs: Features of both texts, and of what is to be tagged later.
        training: Sentences to learn from.
        development: Sentences that decide when to stop.
        settings: Of the network; appendix A by default.
        fit_settings: Of the learning.
        seed: The only source of randomness.
        checkpoint: File that keeps the state.
        progress: Told the number of steps.

    Raises:
        JointalignError: If a sentence has no features or no tags.
    """
    return learnt(
        inputs, Alphabet(()), training, development, settings, fit_settings, seed, checkpoint, progress
    )


def train_tagger(
    encoder: Encoder,
    training: Text,
    development: Text,
    settings: TaggerSettings = FEATURE_TAGGER,
    fit_settings: TaggerFitSettings = FEATURE_FIT,
    *,
    features: FeatureSettings = TAGGER_FEATURES,
    mappings: LayerMappings | None = None,
    folder: Path,
    batch_pieces: int = BATCH_PIECES,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NERModel:
    """Learn a tagger on features of an encoder, which can tag any text of its languages.

    Args:
        encoder: What gives the vectors; stays as it is.
        training: Sentences to learn from.
        development: Sentences that decide when to stop.
        settings: Of the network; appendix A by default.
        fit_settings: Of the learning.
        features: What is taken of the encoder.
        mappings: What moves each layer first, with the languages of both sides.
        folder: Where features of both texts are kept while it is learnt, so that what was stopped
            goes on; removed by nobody but the caller.
        batch_pieces: Pieces, with padding, that go through the encoder at once.
        seed: The only source of randomness.
        checkpoint: File that keeps the state.
        progress: Told sentences, then steps.

    Raises:
        OtherWorkError: If the folder has features of other texts or settings.
        JointalignError: If a sentence has no tags, or a language is not one of the maps.
    """
    live = LiveInputs(encoder, features, mappings, batch_pieces)
    stores: dict[str, list[FeatureStore]] = {}
    for name, text in (("training", training), ("development", development)):
        words = [sentence.words for sentence in text.sentences]
        store = write_features(
            encoder,
            words,
            folder / name,
            features,
            mappings=mappings,
            side=live.side(text.language),
            language=text.language,
            batch_pieces=batch_pieces,
            facts={"text": digest_of(json.dumps(words))},
            progress=progress,
        )
        stores.setdefault(text.language, []).append(store)
    model = train_on_features(
        FeatureInputs(stores, encoder.device),
        training,
        development,
        settings,
        fit_settings,
        seed=seed,
        checkpoint=checkpoint,
        progress=progress,
    )
    return NERModel(model.tagger.with_inputs(live), model.about)


def fine_tune(
    encoder: Encoder,
    training: Text,
    development: Text,
    settings: TaggerSettings = FINE_TUNING_TAGGER,
    fit_settings: TaggerFitSettings = FINE_TUNING_FIT,
    *,
    unlabelled: Text | None = None,
    weight: float = 0.01,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> NERModel:
    """Learn the encoder itself, with a linear layer on top; `encoder` is changed.

    M-BERT and XLM go the same way: XLM is told the language of every text.

    Args:
        encoder: Learnt in place.
        training: Sentences to learn from.
        development: Sentences that decide which weights stay.
        settings: Of what comes after the encoder.
        fit_settings: Of the learning.
        unlabelled: Text of the language to be tagged later, for adversarial training (Keung et al.
            2019); `None`: without.
        weight: Of the adversary; see `AdversarialInputs`.
        seed: The only source of randomness.
        checkpoint: File that keeps the state.
        progress: Told the number of steps.

    Raises:
        JointalignError: If a text is empty or has no tags, or the encoder does not know a language.
    """
    if unlabelled is None:
        inputs, extra = EncoderInputs(encoder), None
    else:
        inputs = AdversarialInputs(encoder, training, unlabelled, weight=weight, seed=seed)
        extra = inputs.extra_loss
    return learnt(
        inputs, Alphabet(()), training, development, settings, fit_settings, seed, checkpoint, progress, extra
    )


def shortened(settings: TaggerFitSettings, epochs: int | None) -> TaggerFitSettings:
    """The same over other epochs; as they are for `None`."""
    return settings if epochs is None else replace(settings, epochs=epochs)


def words_of(text: Text) -> Iterable[Sequence[str]]:
    """What features are made of."""
    return (sentence.words for sentence in text.sentences)
