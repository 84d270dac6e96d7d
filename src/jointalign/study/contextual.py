"""The contextual rows of Table 3: features, mapped features, and fine-tuned encoders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from jointalign.contextual import (
    Combine,
    Encoder,
    FeatureSettings,
    FeatureSide,
    FeatureStore,
    LayerMappings,
    MappingSettings,
    Pooling,
    encoder_identity,
    learn_mappings,
    read_aligned_text,
    read_layer_mappings,
    write_features,
    write_layer_mappings,
)
from jointalign.contextual.tagging import (
    FEATURE_FIT,
    FEATURE_TAGGER,
    FINE_TUNING_FIT,
    FINE_TUNING_TAGGER,
    FeatureInputs,
    fine_tune,
    train_on_features,
    words_of,
)
from jointalign.errors import JointalignError
from jointalign.ner import TaggerFitSettings, TaggerSettings, Text
from jointalign.ner.api import NERModel, sentence_counts
from jointalign.progress import Progress
from jointalign.storage.files import atomic, file_facts
from jointalign.study._data import TaggedTexts
from jointalign.study._rows import Row
from jointalign.study.base import NERStudySettings
from jointalign.version import __version__

FEATURE, ALIGNED = "m-bert-feature", "m-bert-feature-align"
FINE_TUNED, ADVERSARIAL = "m-bert-fine-tune-wu-dredze", "m-bert-fine-tune-adversarial-keung"
XLM = "xlm-fine-tune"
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
    """

    def __init__(
        self,
        settings: ContextualSettings,
        ner: NERStudySettings,
        data: Path,
        folder: Path,
        progress: Progress | None = None,
    ) -> None:
        self.settings, self._ner, self._tagged = settings, ner, TaggedTexts(ner, data)
        self._folder, self._progress = folder / "contextual", progress
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
        name = self._encoder_name(row)
        facts = [row.name, target, seed, self._read_by(row, target)]
        key = self._digest(name, [*facts, self._map_facts(row.name == ALIGNED, target)])
        path = self._folder / "cells" / f"{row.name}.{target}.seed{seed}.json"
        try:
            facts = json.loads(path.read_text("utf-8"))
            if facts["key"] == key:
                return facts
        except (OSError, ValueError, KeyError, TypeError):
            pass
        checkpoint = path.with_suffix(".safetensors")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        texts = self._tagged.drawn(target, seed)
        if row.name in (FEATURE, ALIGNED):
            model, more = self._on_features(row, texts, target, seed, checkpoint)
        else:
            model, more = self._fine_tuned(row, texts, target, seed, checkpoint)
        facts = {
            "key": key,
            "row": row.name,
            "target": target,
            "seed": seed,
            **more,
            **model.about,
            "counts": sentence_counts(model, texts[2]).tolist(),
        }
        with atomic(path, "w") as file:
            json.dump(facts, file)
        checkpoint.unlink(missing_ok=True)
        return facts

    def _read_by(self, row: Row, target: str) -> list[Any]:
        """The files that a cell is made of, besides the encoder's."""
        places = self._tagged.places(target)
        if row.name == ADVERSARIAL:
            places.append((target, "train"))
        parallel = self.settings.parallel[target] if row.name == ALIGNED else ()
        return [file_facts(path) for path in (*(self._tagged.needed(*p) for p in places), *parallel)]

    def _on_features(
        self, row: Row, texts: tuple[Text, Text, Text], target: str, seed: int, state: Path
    ) -> tuple[NERModel, dict[str, Any]]:
        encoder = self._encoder(self._encoder_name(row))
        mappings: LayerMappings | None = None
        more: dict[str, Any] = {"encoder": encoder.name}
        if row.name == ALIGNED:
            mappings, more["layers"] = self._mappings(encoder, target)
        stores: dict[str, list[FeatureStore]] = {}
        for number, (text, place) in enumerate(zip(texts, self._tagged.places(target), strict=True)):
            # Each side by its own map: the source turns, and both are centred.
            side = FeatureSide.SOURCE if text.language == self._ner.source else FeatureSide.TARGET
            name = f"{text.language}{number}.{target if mappings else 'plain'}"
            key = [
                name,
                seed,
                len(text.sentences),
                file_facts(self._tagged.needed(*place)),
                mappings and mappings.digest(),
            ]
            # The sentences of training and development are drawn by seed.
            store = write_features(
                encoder,
                words_of(text),
                self._folder / "features" / f"{name}.seed{seed}",
                self.settings.features,
                mappings=mappings,
                side=side,
                language=text.language,
                key=self._digest(encoder.name, key),
                progress=self._progress,
            )
            stores.setdefault(text.language, []).append(store)
        inputs = FeatureInputs(stores, self.settings.device)
        model = train_on_features(
            inputs,
            texts[0],
            texts[1],
            self.settings.tagger,
            self.settings.tagger_fit,
            seed=seed,
            checkpoint=state,
            progress=self._progress,
        )
        return model, more

    def _mappings(self, encoder: Encoder, target: str) -> tuple[LayerMappings, list[Any]]:
        """Learnt once for a target; and how well they do on held-out words."""
        path = self._mapping_path(target)
        scores = path.with_suffix(".json")
        files = self.settings.parallel[target]
        how = MappingSettings(self.settings.features.layers)
        key = self._digest(encoder.name, [target, self._map_facts(True, target)])
        try:
            facts = json.loads(scores.read_text("utf-8"))
            if facts["key"] == key:
                return read_layer_mappings(path), facts["layers"]
        except (OSError, ValueError, KeyError, TypeError):
            pass
        languages = self._ner.source, target
        text, _ = read_aligned_text(files, None, languages, most=30_000, progress=self._progress)
        learnt = learn_mappings(
            encoder,
            text,
            how,
            languages=languages,
            checkpoint=path.with_suffix(".checkpoint"),
            progress=self._progress,
        )
        write_layer_mappings(learnt.mappings, path)
        path.with_suffix(".checkpoint").unlink(missing_ok=True)
        layers = [asdict(score) for score in learnt.scores]
        with atomic(scores, "w") as file:
            json.dump({"key": key, "layers": layers, "pairs": learnt.pairs}, file)
        return learnt.mappings, layers

    def _map_facts(self, aligned: bool, target: str) -> list[Any] | None:
        """All that a target's maps depend on, besides the settings; `None` without maps."""
        if not aligned:
            return None
        how = MappingSettings(self.settings.features.layers)
        return [repr(how), [file_facts(file) for file in self.settings.parallel[target]]]

    def _mapping_path(self, target: str) -> Path:
        return self._folder / f"mapping.{target}.safetensors"

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

    def _digest(self, encoder: str, facts: list[Any]) -> str:
        """Of these and of everything else that decides a cell."""
        settings, ner = asdict(self.settings), self._ner.of_a_cell()
        # The row's own encoder counts, and the files that it reads; the rest is where to find them.
        for name in ("encoder", "xlm", "parallel", "local_only"):
            del settings[name]
        text = json.dumps([__version__, self._identity(encoder), facts, settings, ner], default=str)
        return hashlib.sha256(text.encode()).hexdigest()
