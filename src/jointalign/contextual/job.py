"""A tagger in one folder, over vectors of any kind; stopped, it goes on when started again."""

from __future__ import annotations

import shutil
from pathlib import Path

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._features import BATCH_PIECES
from jointalign.contextual._mapping import LayerMappings
from jointalign.contextual.base import FeatureSettings
from jointalign.contextual.storage import write_tagger
from jointalign.contextual.tagging import TAGGER_FEATURES, fine_tune, train_tagger
from jointalign.embedding import BilingualEmbedding
from jointalign.ner import TaggerFitSettings, TaggerSettings, Text
from jointalign.ner.api import NERModel, train
from jointalign.progress import Progress
from jointalign.storage.checkpoint import or_fresh
from jointalign.storage.stages import locked

CHECKPOINT, FEATURES = "training.checkpoint", "training.features"


def train_in_folder(
    vectors: BilingualEmbedding | Encoder,
    training: Text,
    development: Text,
    folder: Path,
    settings: TaggerSettings,
    fit_settings: TaggerFitSettings,
    *,
    fine_tuned: bool = False,
    features: FeatureSettings = TAGGER_FEATURES,
    mappings: LayerMappings | None = None,
    unlabelled: Text | None = None,
    learn_vectors: bool = False,
    batch_pieces: int = BATCH_PIECES,
    device: str = "cpu",
    seed: int = 0,
    fresh: bool = False,
    progress: Progress | None = None,
) -> NERModel:
    """Learn a tagger and write it.

    Args:
        vectors: Of words in two languages, or an encoder, which gives them in their sentences.
        training: Sentences to learn from.
        development: Sentences that decide when to stop.
        folder: Where the tagger goes, and the state while it is learnt; made if missing.
        settings: Of the network.
        fit_settings: Of the learning.
        fine_tuned: Whether the encoder itself is learnt; see `fine_tune`.
        features: What is taken of an encoder that stays as it is; see `train_tagger`.
        mappings: What moves its layers first.
        unlabelled: Text for fine-tuning with an adversary.
        learn_vectors: Whether vectors of words are moved, too.
        batch_pieces: Pieces that go through the encoder at once.
        device: Where a tagger over vectors of words is learnt; others are where the encoder is.
        seed: The only source of randomness.
        fresh: Whether unfinished learning of other settings is removed; it is refused otherwise.
        progress: Told the number of steps.

    Raises:
        JointalignError: If a text is bad, the vectors do not fit, or the folder holds other files
            or the unfinished learning of another tagger.
    """
    texts = training, development, settings, fit_settings
    checkpoint = folder / CHECKPOINT

    def learn() -> NERModel:
        if isinstance(vectors, BilingualEmbedding):
            return train(
                vectors,
                *texts,
                learn_vectors=learn_vectors,
                device=device,
                seed=seed,
                checkpoint=checkpoint,
                progress=progress,
            )
        if fine_tuned:
            return fine_tune(
                vectors, *texts, unlabelled=unlabelled, seed=seed, checkpoint=checkpoint, progress=progress
            )
        return train_tagger(
            vectors,
            *texts,
            features=features,
            mappings=mappings,
            folder=folder / FEATURES,
            batch_pieces=batch_pieces,
            seed=seed,
            checkpoint=checkpoint,
            progress=progress,
        )

    with locked(folder):
        model = or_fresh(learn, fresh)
        write_tagger(model, folder)
        checkpoint.unlink(missing_ok=True)
        shutil.rmtree(folder / FEATURES, ignore_errors=True)
    return model
