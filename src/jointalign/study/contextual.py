"""The contextual rows of Table 3: features, mapped features, and fine-tuned encoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from jointalign.contextual import (
    Combine,
    Encoder,
    FeatureSettings,
    MappingSettings,
    Pooling,
    encoder_identity,
    learn_mappings,
    read_aligned_text,
    read_layer_mappings,
    write_layer_mappings,
)
from jointalign.contextual.tagging import (
    FEATURE_FIT,
    FEATURE_TAGGER,
    FINE_TUNING_FIT,
    FINE_TUNING_TAGGER,
    fine_tune,
    train_tagger,
)
from jointalign.errors import JointalignError
from jointalign.ner import TaggerFitSettings, TaggerSettings, Text
from jointalign.ner.api import NERModel, sentence_counts
from jointalign.progress import Progress
from jointalign.storage.files import file_facts
from jointalign.storage.stages import Stages
from jointalign.study._cells import found, kept
from jointalign.study._data import TaggedTexts
from jointalign.study._rows import Row
from jointalign.study.base import NERStudySettings
from jointalign.version import __version__

FEATURE, ALIGNED = "m-bert-feature", "m-bert-feature-align"
FINE_TUNED, ADVERSARIAL = "m-bert-fine-tune-wu-dredze", "m-bert-fine-tune-adversarial-keung"
XLM = "xlm-fine-tune"
_MOST_PAIRS = 30_000  # sentence pairs that maps are learnt from, as in the paper
_SAME = "as the row of Wu & Dredze"


@dataclass(frozen=True)
class ContextualSettings:
    """What the contextual rows are made with.

    Args:
        encoder: Folder or hub name of the encoder of the M-BERT rows; `None`: they are absent.
        xlm: Of the encoder of the XLM row; `None`: it is absent.
        parallel: For each target language a parallel text, one file of `source ||| target` lines
            or two files, for the row with alignment.
        features: Which layers are summed.
        tagger: The network on features.
        tagger_fit: Its learning.
        tuning_fit: Of fine-tuning.
        device: Where all is computed.
        local_only: Never ask the hub.
    """

    encoder: str | None = None
    xlm: str | None = None
    parallel: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    features: FeatureSettings = FeatureSettings(pooling=Pooling.PIECES, combine=Combine.SUM)
    tagger: TaggerSettings = FEATURE_TAGGER
    tagger_fit: TaggerFitSettings = FEATURE_FIT
    tuning_fit: TaggerFitSettings = FINE_TUNING_FIT
    device: str = "cpu"
    local_only: bool = False


class ContextualCells:
    """Makes the cells of contextual rows in a folder, each once.

    Args:
        settings: Of these rows.
        ner: Of the table.
        data: Folder with `ner/LANGUAGE/{train,valid,test}.txt`.
        folder: Where all files go: that of the table.
        progress: Told how far the work at hand is.
        announce: Told the name of each piece of work, and whether it was done before.
        fresh: Whether work of other settings is made anew; it is refused otherwise.
    """

    def __init__(
        self,
        settings: ContextualSettings,
        ner: NERStudySettings,
        data: Path,
        folder: Path,
        progress: Progress | None = None,
        announce: Callable[[str, bool], None] | None = None,
        fresh: bool = False,
    ) -> None:
        self.settings, self._ner, self._tagged = settings, ner, TaggedTexts(ner, data)
        self._folder, self._progress = folder / "contextual", progress
        self._stages = Stages(self._folder, announce, fresh=fresh)
        self._loaded: tuple[str, Encoder] | None = None
        self._identity = cache(self._identity_of)  # weights are read once for all cells

    def missing(self, row: Row, target: str) -> str | None:
        """What a row needs that is not there; `None` if all is."""
        if row.name == XLM:
            return None if self.settings.xlm else "needs weights of XLM"
        if self.settings.encoder is None:
            return "needs weights"
        if row.name == ALIGNED and target not in self.settings.parallel:
            return f"needs a parallel text with '{target}'"
        return None if row.name in (FEATURE, ALIGNED, FINE_TUNED, ADVERSARIAL) else _SAME

    def __call__(self, row: Row, target: str, seed: int) -> dict[str, Any]:
        """The cell of a row, a target language and a seed, made unless it is there."""
        name = f"{row.name}.{target}.seed{seed}"
        state = self._folder / "cells" / f"{name}.safetensors"

        def work() -> dict[str, Any]:
            state.parent.mkdir(parents=True, exist_ok=True)
            texts = self._tagged.drawn(target, seed)
            learn = self._on_features if row.name in (FEATURE, ALIGNED) else self._fine_tuned
            model, more = learn(row, texts, target, seed, state)
            return {
                "row": row.name,
                "target": target,
                "seed": seed,
                **more,
                **model.about,
                "counts": sentence_counts(model, texts[2]).tolist(),
            }

        after = [self._mapped(target)] if row.name == ALIGNED else []
        made = kept(self._stages, name, self._facts(row, target), work, after)
        state.unlink(missing_ok=True)
        return made

    def _facts(self, row: Row, target: str) -> dict[str, Any]:
        """All that decides a cell: the row's own encoder and files, not where they are found."""
        on_features = row.name in (FEATURE, ALIGNED)
        places = self._tagged.places(target)
        if row.name == ADVERSARIAL:
            places.append((target, "train"))
        settings = self.settings
        return {
            "version": __version__,
            "encoder": self._identity(self._encoder_name(row)),
            "texts": [file_facts(self._tagged.needed(*place)) for place in places],
            "ner": self._ner.of_a_cell(),
            "features": asdict(settings.features) if on_features else None,
            "tagger": asdict(settings.tagger if on_features else FINE_TUNING_TAGGER),
            "fit": asdict(settings.tagger_fit if on_features else settings.tuning_fit),
            "device": settings.device,
        }

    def _on_features(
        self, row: Row, texts: tuple[Text, Text, Text], target: str, seed: int, state: Path
    ) -> tuple[NERModel, dict[str, Any]]:
        encoder = self._encoder(self._encoder_name(row))
        more: dict[str, Any] = {"encoder": encoder.name}
        mappings, place = None, "plain"
        if row.name == ALIGNED:
            mappings, place = read_layer_mappings(self._folder / _maps(target)), target
            more["layers"] = found(self._folder, f"mapping.{target}")["layers"]
        elif self._ner.select_on_target:
            place = f"plain.{target}"
        model = train_tagger(
            encoder,
            texts[0],
            texts[1],
            self.settings.tagger,
            self.settings.tagger_fit,
            features=self.settings.features,
            mappings=mappings,
            # Plain features are those of every target; sentences are drawn by the seed.
            folder=self._folder / "features" / f"{place}.seed{seed}",
            seed=seed,
            checkpoint=state,
            progress=self._progress,
        )
        return model, more

    def _mapped(self, target: str) -> str:
        """Make sure that a target's maps are learnt; the name of that stage."""
        name, path = f"mapping.{target}", self._folder / _maps(target)
        files = self.settings.parallel[target]
        how = MappingSettings(self.settings.features.layers)
        encoder = self.settings.encoder
        checkpoint = path.with_suffix(".checkpoint")

        def work() -> dict[str, Any]:
            languages = self._ner.source, target
            text, _ = read_aligned_text(files, None, languages, most=_MOST_PAIRS, progress=self._progress)
            learnt = learn_mappings(
                self._encoder(str(encoder)),
                text,
                how,
                languages=languages,
                checkpoint=checkpoint,
                progress=self._progress,
            )
            write_layer_mappings(learnt.mappings, path)
            return {"layers": [asdict(score) for score in learnt.scores], "pairs": learnt.pairs}

        if name not in self._stages.records:
            facts = {
                "version": __version__,
                "encoder": self._identity(str(encoder)),
                "parallel": [file_facts(file) for file in files],
                "links": "bayes",
                **asdict(how),
            }
            kept(self._stages, name, facts, work, more=[path.name])
            checkpoint.unlink(missing_ok=True)
        return name

    def _fine_tuned(
        self, row: Row, texts: tuple[Text, Text, Text], target: str, seed: int, state: Path
    ) -> tuple[NERModel, dict[str, Any]]:
        self._loaded = None  # the last one may have been learnt on
        encoder = self._encoder(self._encoder_name(row))
        self._loaded = None
        unlabelled = None
        if row.name == ADVERSARIAL:  # labels of this text are not looked at
            text = self._tagged.read(target, "train")
            bare = [replace(sentence, tags=None) for sentence in text.sentences]
            unlabelled = text._replace(sentences=bare)
        model = fine_tune(
            encoder,
            texts[0],
            texts[1],
            FINE_TUNING_TAGGER,
            self.settings.tuning_fit,
            unlabelled=unlabelled,
            seed=seed,
            checkpoint=state,
            progress=self._progress,
        )
        return model, {"encoder": encoder.name}

    def _encoder_name(self, row: Row) -> str:
        name = self.settings.xlm if row.name == XLM else self.settings.encoder
        if name is None:
            raise JointalignError("this row needs the weights of an encoder; name one")
        return name

    def _identity_of(self, name: str) -> str:
        """What is in the encoder's files; on the hub they are known once they are fetched."""
        return encoder_identity(name) or self._encoder(name).identity

    def _encoder(self, name: str) -> Encoder:
        if self._loaded is None or self._loaded[0] != name:
            self._loaded = (
                name,
                Encoder.load(name, device=self.settings.device, local_only=self.settings.local_only),
            )
        return self._loaded[1]


def _maps(target: str) -> str:
    return f"mapping.{target}.safetensors"
