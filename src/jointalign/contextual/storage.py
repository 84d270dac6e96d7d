"""A tagger over contextual vectors as a folder, beside what `ner.storage` writes.

One on features names its encoder and keeps a digest of it, and its maps; one whose encoder was
learnt, too, keeps the encoder in the folder `encoder`, where any tool of its kind can load it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._inputs import EncoderInputs, LiveInputs
from jointalign.contextual._mapping import read_layer_mappings, write_layer_mappings
from jointalign.contextual._torch import quiet_transformers
from jointalign.contextual.base import Combine, FeatureSettings, Pooling
from jointalign.errors import FormatError, JointalignError
from jointalign.ner import StaticInputs, storage
from jointalign.ner.api import NERModel
from jointalign.storage.facts import fits, typed
from jointalign.storage.files import plain_errors

FEATURES, FINE_TUNED = "features", "fine-tuned"
ENCODER, MAPS = "encoder", "maps.safetensors"


class _FineTuned(TypedDict):
    encoder: str
    digest: str


class _OnFeatures(_FineTuned):
    layers: tuple[int, ...]
    pooling: Pooling
    combine: Combine
    maps: str | None


_MADE_OF: dict[str, Any] = {FEATURES: _OnFeatures, FINE_TUNED: _FineTuned}


def write_tagger(model: NERModel, folder: str | Path) -> None:
    """Write a tagger over any vectors into a folder.

    Args:
        model: As `ner.api.train`, `train_tagger` or `fine_tune` gives it.
        folder: Made if missing; files of these names in it are replaced.

    Raises:
        JointalignError: If it cannot be written, or its features are those of a store, which
            cannot be made for other text.
    """
    inputs, folder = model.tagger.inputs, Path(folder)
    if isinstance(inputs, EncoderInputs):
        with plain_errors(folder), quiet_transformers():
            folder.mkdir(parents=True, exist_ok=True)
            inputs.encoder.model.save_pretrained(folder / ENCODER)
            inputs.encoder.tokenizer.save_pretrained(folder / ENCODER)
        made_of = {"encoder": inputs.encoder.name, "digest": inputs.encoder.digest()}
        storage.write(model.tagger, folder, model.about, FINE_TUNED, made_of)
    elif isinstance(inputs, LiveInputs):
        maps, encoder = inputs.mappings, inputs.encoder
        made_of = {
            "encoder": _lasting(encoder.name),
            "digest": encoder.digest(),
            "layers": list(inputs.settings.layers),
            "pooling": str(inputs.settings.pooling),
            "combine": str(inputs.settings.combine),
            "maps": maps and maps.digest(),
        }
        if maps is not None:
            write_layer_mappings(maps, folder / MAPS)
        storage.write(model.tagger, folder, model.about, FEATURES, made_of)
    elif isinstance(inputs, StaticInputs):
        storage.write(model.tagger, folder, model.about)
    else:
        raise JointalignError(
            "a tagger over features from a store can tag nothing but what is in it; learn it with "
            "`train_tagger`"
        )


def read_tagger(
    folder: str | Path, device: str = "cpu", encoder: str | Path | None = None, *, local_only: bool = False
) -> NERModel:
    """Read a tagger of any kind.

    Args:
        folder: As `write_tagger` made it.
        device: Where it is to compute.
        encoder: Where the encoder of a tagger on features is now; `None`: where it was.
        local_only: Never ask the hub for it.

    Raises:
        JointalignError: If there is no tagger, or its encoder is not there or another one.
        FormatError: If its files are damaged or not of one writing.
        MissingExtraError: If torch or transformers is not installed.
    """
    folder = Path(folder)
    facts = storage.facts_of(folder)
    made_of: Any = {}
    if facts["kind"] in _MADE_OF:
        with fits(folder / storage.FACTS, "what the tagger is made of", "copy it again"):
            made_of = typed(facts.get("made_of"), _MADE_OF[facts["kind"]], "made_of")
    if encoder is not None and facts["kind"] != FEATURES:
        raise JointalignError(
            f"{folder}: this tagger has all that it needs in its folder; leave the encoder out"
        )
    if facts["kind"] == FINE_TUNED:
        found = Encoder.load(folder / ENCODER, device=device, local_only=True)
        if found.digest() != made_of["digest"]:
            reason = f"not of the same writing as {storage.FACTS}; train or copy it again"
            raise FormatError(folder / ENCODER, None, reason)
        return NERModel(*storage.read(folder, device, EncoderInputs(found)))
    if facts["kind"] == FEATURES:
        inputs = _live(folder, made_of, device, encoder, local_only)
        return NERModel(*storage.read(folder, device, inputs))
    return NERModel(*storage.read(folder, device))


def _live(
    folder: Path, made_of: _OnFeatures, device: str, given: str | Path | None, local_only: bool
) -> LiveInputs:
    name = given or made_of["encoder"]
    try:
        encoder = Encoder.load(name, device=device, local_only=local_only)
    except JointalignError as error:
        raise JointalignError(
            f"{folder}: this tagger reads features of the encoder '{name}': {error}; if it is "
            "elsewhere now, say where (--encoder)"
        ) from error
    if encoder.digest() != made_of["digest"]:
        raise JointalignError(
            f"{folder}: the encoder '{name}' is not the one that this tagger was learnt with, or "
            "has changed since; name that one (--encoder), or train the tagger again"
        )
    settings = FeatureSettings(made_of["layers"], made_of["pooling"], made_of["combine"])
    maps = None if made_of["maps"] is None else read_layer_mappings(folder / MAPS)
    if maps is not None and maps.digest() != made_of["maps"]:
        reason = f"not of the same writing as {storage.FACTS}; train or copy it again"
        raise FormatError(folder / MAPS, None, reason)
    return LiveInputs(encoder, settings, maps)


def _lasting(name: str) -> str:
    """A folder by its whole path, so that it is found from anywhere."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name
