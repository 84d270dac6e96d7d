"""A map for each layer, learnt from words that translate each other in their sentences.

Section 3.2 and appendix A of the paper: eq. (1) with the vectors of aligned words for `X_L1` and
`X_L2`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from jointalign.alignment.base import Aligner, Mapping, as_numpy
from jointalign.errors import FormatError, JointalignError
from jointalign.numerics.normalize import recentred, unit
from jointalign.storage.tensors import read_tensors, write_tensors

logger = logging.getLogger(__name__)

_KIND = "layer mappings"


class FeatureSide(StrEnum):
    """A language of a pair."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, eq=False)
class LayerMappings:
    """A mapping for each of some layers.

    Args:
        layers: By layer counted from 0, the embedding layer.
        encoder: Name of the encoder that they belong to.
        languages: Codes of source and target; `None` where nobody said.
        identity: What tells it from others, see `encoder_identity`; empty if that is not known.
    """

    layers: MappingType[int, Mapping]
    encoder: str = ""
    languages: tuple[str, str] | None = None
    identity: str = ""

    def side_of(self, language: str) -> FeatureSide:
        """The side that text of a language is on.

        Raises:
            JointalignError: If it is on neither.
        """
        if self.languages is None or language not in self.languages:
            known = (
                "languages that nobody named"
                if self.languages is None
                else " and ".join(f"'{code}'" for code in self.languages)
            )
            raise JointalignError(f"the mapping is between {known}; it has no side for '{language}'")
        return tuple(FeatureSide)[self.languages.index(language)]

    def digest(self) -> str:
        """Tells these maps from all others."""
        total = hashlib.sha256(repr(self.languages).encode())
        for layer, mapping in sorted(self.layers.items()):
            parts = mapping.source, mapping.target, *mapping.source_means, *mapping.target_means
            total.update(f"{layer} {len(mapping.source_means)} {len(parts)}".encode())
            for part in parts:
                total.update(as_numpy(part).astype(np.float32).tobytes())
        return total.hexdigest()

    def check_encoder(self, name: str, identity: str) -> None:
        """Make sure that vectors of an encoder can be moved.

        Mappings that do not know their encoder's identity are taken, with a warning if its name
        differs.

        Raises:
            JointalignError: If the mappings were learnt with another one.
        """
        if not (self.identity and identity) and self.encoder not in ("", name):
            logger.warning(
                "the mapping was learnt with the encoder '%s', and these vectors are of '%s'; if "
                "they differ, learn it again with `jointalign align-features`",
                self.encoder,
                name,
            )
        if self.identity and identity and self.identity != identity:
            raise JointalignError(
                f"the mapping was learnt with the encoder '{self.encoder}' as it was then, and "
                f"'{name}' has other weights, settings or pieces; learn it again with "
                "`jointalign align-features`"
            )

    def moved(self, vectors: np.ndarray, layers: Sequence[int], side: FeatureSide) -> np.ndarray:
        """Vectors of one side in the common space.

        Args:
            vectors: `(layers, n, d)`. Never modified.
            layers: Which each is, counted from 0.
            side: Whose they are. Where nothing is learnt for a side, its vectors stay.

        Raises:
            JointalignError: If there is no map for a layer, or it has other dimensions.
        """
        return np.stack([self._moved(rows, layer, side) for rows, layer in zip(vectors, layers, strict=True)])

    def _moved(self, rows: np.ndarray, layer: int, side: FeatureSide) -> np.ndarray:
        if layer not in self.layers:
            known = ", ".join(map(str, sorted(self.layers)))
            raise JointalignError(f"there is no mapping for layer {layer}, only for {known}")
        mapping = self.layers[layer]
        source = side is FeatureSide.SOURCE
        matrix = as_numpy(mapping.source if source else mapping.target)
        if matrix.shape[0] != rows.shape[1]:
            raise JointalignError(
                f"the mapping is of vectors with {matrix.shape[0]} dimensions, these have "
                f"{rows.shape[1]}: was it learnt with another encoder?"
            )
        means = mapping.source_means if source else mapping.target_means
        if means:
            rows = recentred(rows, [as_numpy(mean) for mean in means])
        return (rows @ matrix).astype(np.float32, copy=False)


def fit_aligner(aligner: Aligner, x: np.ndarray, z: np.ndarray, seed: int = 0) -> Mapping:
    """Learn a map with any of the project's alignment methods.

    Args:
        aligner: The method.
        x: Vectors of source words, `(k, d)`, of which row `i` translates row `i` of `z`.
        z: Vectors of target words, `(k, d)`.
        seed: The only source of randomness.
    """
    pairs = np.stack([np.arange(len(x))] * 2, 1)
    rows = unit(x.astype(np.float32)), unit(z.astype(np.float32))
    return aligner.fit(*rows, pairs, seed=seed)


def write_layer_mappings(mappings: LayerMappings, path: str | Path) -> None:
    """Write all maps into one safetensors file.

    Raises:
        JointalignError: If it cannot be written.
    """
    tensors = {}
    for layer, mapping in mappings.layers.items():
        for side, matrix, means in (
            ("source", mapping.source, mapping.source_means),
            ("target", mapping.target, mapping.target_means),
        ):
            tensors[f"{layer}.{side}"] = as_numpy(matrix).astype(np.float32)
            if means:
                stacked = np.stack([as_numpy(mean) for mean in means])
                tensors[f"{layer}.{side}_means"] = stacked.astype(np.float32)
    layers = json.dumps([int(layer) for layer in mappings.layers])
    facts = {"format": "jointalign", "kind": _KIND, "layers": layers, "encoder": mappings.encoder}
    if mappings.languages is not None:
        facts["languages"] = json.dumps(mappings.languages)
    facts["identity"] = mappings.identity
    write_tensors(path, tensors, facts)


def read_layer_mappings(path: str | Path) -> LayerMappings:
    """Read what `write_layer_mappings` has written.

    Raises:
        FormatError: If the file holds something else.
        JointalignError: If it cannot be read.
    """
    tensors, facts = read_tensors(path)
    if facts.get("kind") != _KIND:
        raise FormatError(
            path, None, "expected a mapping for each layer, as `jointalign align-features` writes"
        )
    found = {}
    for layer in json.loads(facts["layers"]):
        means = [tuple(tensors.get(f"{layer}.{side}_means", ())) for side in FeatureSide]
        source, target = (np.array(tensors[f"{layer}.{side}"]) for side in FeatureSide)
        found[layer] = Mapping(source, target, {}, means[0], means[1])
    languages = tuple(json.loads(facts["languages"])) if "languages" in facts else None
    return LayerMappings(found, facts.get("encoder", ""), languages, facts.get("identity", ""))
