"""The kinds of taggers that `jointalign ner train` makes, each with its own defaults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from jointalign.cli._encoders import sentences
from jointalign.cli._ner_options import Format

if TYPE_CHECKING:
    from jointalign.cli._console import Bar
    from jointalign.contextual import Encoder, LayerMappings
    from jointalign.embedding import BilingualEmbedding
    from jointalign.ner import TaggerFitSettings, Text
    from jointalign.ner.api import NERModel

CHECKPOINT, FEATURES = "training.checkpoint", "training.features"


class EncoderGiven(NamedTuple):
    """Where vectors come from, and how they are computed."""

    name: str
    device: str
    local_only: bool
    batch_pieces: int

    def load(self) -> Encoder:
        from jointalign.contextual import Encoder

        return Encoder.load(self.name, device=self.device, local_only=self.local_only)


class Wishes(NamedTuple):
    """What was asked for; `None` for the default of each kind of tagger."""

    hidden: int | None
    characters: bool
    epochs: int | None
    patience: int | None
    batch_size: int | None
    learning_rate: float | None
    seed: int

    def fit(self, default: TaggerFitSettings) -> TaggerFitSettings:
        return replace(
            default,
            epochs=self.epochs or default.epochs,
            patience=self.patience or default.patience,
            batch_size=self.batch_size or default.batch_size,
            learning_rate=self.learning_rate or default.learning_rate,
        )

    def static(
        self,
        space: BilingualEmbedding,
        training: Text,
        development: Text,
        learn_vectors: bool,
        device: str,
        out: Path,
        bar: Bar,
    ) -> NERModel:
        from jointalign.ner import TaggerFitSettings, TaggerSettings, api

        settings = replace(TaggerSettings(), hidden=self.hidden or TaggerSettings().hidden)
        if not self.characters:
            settings = settings.without_characters()
        return api.train(
            space,
            training,
            development,
            settings,
            self.fit(TaggerFitSettings()),
            learn_vectors=learn_vectors,
            device=device,
            seed=self.seed,
            checkpoint=out / CHECKPOINT,
            progress=bar,
        )

    def features(
        self,
        encoder: EncoderGiven,
        layers: tuple[int, ...],
        maps: LayerMappings | None,
        training: Text,
        development: Text,
        out: Path,
        bar: Bar,
    ) -> NERModel:
        from jointalign.contextual import tagging

        settings = replace(tagging.FEATURE_TAGGER, hidden=self.hidden or tagging.FEATURE_TAGGER.hidden)
        return tagging.train_tagger(
            encoder.load(),
            training,
            development,
            settings,
            self.fit(tagging.FEATURE_FIT),
            features=replace(tagging.TAGGER_FEATURES, layers=layers),
            mappings=maps,
            folder=out / FEATURES,
            batch_pieces=encoder.batch_pieces,
            seed=self.seed,
            checkpoint=out / CHECKPOINT,
            progress=bar,
        )

    def fine_tuned(
        self,
        encoder: EncoderGiven,
        training: Text,
        development: Text,
        unlabelled: Text | None,
        out: Path,
        bar: Bar,
    ) -> NERModel:
        from jointalign.contextual import tagging

        return tagging.fine_tune(
            encoder.load(),
            training,
            development,
            tagging.FINE_TUNING_TAGGER,
            self.fit(tagging.FINE_TUNING_FIT),
            unlabelled=unlabelled,
            seed=self.seed,
            checkpoint=out / CHECKPOINT,
            progress=bar,
        )


def check_options(
    encoder: str | None, fine_tune: bool, unlabelled: Path | None, given: dict[str, object]
) -> None:
    """Options that mean nothing beside others are mistakes, not wishes."""
    static = ("--embedding", "--source-vectors", "--target-vectors", "--learn-vectors")
    for name, value in given.items():
        if value is None:
            continue
        if encoder is None and name not in static:
            raise typer.BadParameter(f"{name} is for a tagger over an encoder; name it (--encoder)")
        if encoder is not None and name in static:
            raise typer.BadParameter(f"{name} is for vectors from a table; leave out --encoder")
        if fine_tune and name in ("--mapping", "--side"):
            raise typer.BadParameter(f"{name} is for features; leave out --fine-tune")
    if unlabelled is not None and not fine_tune:
        raise typer.BadParameter("--unlabelled is for --fine-tune")
    if given["--side"] is not None and given["--mapping"] is None:
        raise typer.BadParameter("--side is that of a --mapping")


def maps_of(path: Path | None, side: str | None, languages: tuple[str, str]) -> LayerMappings | None:
    from jointalign.contextual import FeatureSide, choice, read_layer_mappings

    if path is None:
        return None
    maps = read_layer_mappings(path)
    if side is None:
        return maps
    if languages[1] == "target":
        raise typer.BadParameter("--side needs --target-language, for the other side")
    turned = choice(FeatureSide, side) is FeatureSide.TARGET
    return replace(maps, languages=languages[::-1] if turned else languages)


def unlabelled_text(path: Path | None, language: str, form: Format) -> Text | None:
    from jointalign.ner import Sentence, Text

    if path is None:
        return None
    found = sentences(path, language, False, form is Format.CONLL)
    return Text([Sentence(tuple(words)) for words in found if words], language)
