"""A map for each layer, learnt from words that translate each other in their sentences.

Section 3.2 and appendix A of the paper: eq. (1) with the vectors of aligned words for `X_L1` and
`X_L2`. Sums of outer products are all that is kept, so memory does not grow with the text.
"""

from __future__ import annotations

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
from jointalign.normalize import recentred, unit
from jointalign.tensors import read_tensors, write_tensors

logger = logging.getLogger(__name__)

_KIND = "layer mappings"
_RIDGE = 1e-6  # of the mean variance: enough to make a singular system solvable


class Solution(StrEnum):
    """Which linear map is learnt from the sums."""

    ORTHOGONAL = "orthogonal"
    """Eqs. (2)-(3) of the paper."""

    LEAST_SQUARES = "least-squares"
    """Any linear map (Mikolov et al. 2013)."""


class Side(StrEnum):
    """A language of a pair."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, eq=False)
class LayerMappings:
    """A mapping for each of some layers.

    Args:
        layers: By layer counted from 0, the embedding layer.
        encoder: Name of the encoder that they belong to.
        identity: What tells it from others, see `encoder_identity`; empty if that is not known.
    """

    layers: MappingType[int, Mapping]
    encoder: str = ""
    identity: str = ""

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
                "they differ, learn it again with `jointalign align-features`", self.encoder, name,
            )  # fmt: skip
        if self.identity and identity and self.identity != identity:
            raise JointalignError(
                f"the mapping was learnt with the encoder '{self.encoder}' as it was then, and "
                f"'{name}' has other weights, settings or pieces; learn it again with "
                "`jointalign align-features`"
            )

    def moved(self, vectors: np.ndarray, layers: Sequence[int], side: Side) -> np.ndarray:
        """Vectors of one side in the common space.

        Args:
            vectors: `(layers, n, d)`. Never modified.
            layers: Which each is, counted from 0.
            side: Whose they are. Where nothing is learnt for a side, its vectors stay.

        Raises:
            JointalignError: If there is no map for a layer, or it has other dimensions.
        """
        return np.stack(
            [self._moved(rows, layer, side) for rows, layer in zip(vectors, layers, strict=True)]
        )

    def _moved(self, rows: np.ndarray, layer: int, side: Side) -> np.ndarray:
        if layer not in self.layers:
            known = ", ".join(map(str, sorted(self.layers)))
            raise JointalignError(f"there is no mapping for layer {layer}, only for {known}")
        mapping = self.layers[layer]
        source = side is Side.SOURCE
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


class CrossCovariances:
    """Sums over aligned words of one layer: all that a linear map needs to know of them.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 3))
        >>> turn = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
        >>> sums = CrossCovariances(3)
        >>> sums.add(x[:20], x[:20] @ turn)
        >>> sums.add(x[20:], x[20:] @ turn)
        >>> sums.count, sums.solve().source.round(6).tolist() == turn.tolist()
        (50, True)
    """

    def __init__(self, dimensions: int) -> None:
        shape = dimensions, dimensions
        self.count = 0
        self.cross, self.source, self.target = (np.zeros(shape) for _ in range(3))

    def add(self, x: np.ndarray, z: np.ndarray) -> None:
        """Take some pairs: source and target vectors, both `(k, d)`."""
        x, z = x.astype(np.float64), z.astype(np.float64)
        self.count += len(x)
        self.cross += x.T @ z
        self.source += x.T @ x
        self.target += z.T @ z

    def solve(self, solution: Solution = Solution.ORTHOGONAL, side: Side = Side.SOURCE) -> Mapping:
        """The best map of one side onto the other.

        Args:
            solution: Among which maps.
            side: Which side moves; the paper's code moves the source (English).

        Raises:
            JointalignError: If no pair was seen.
        """
        if not self.count:
            raise JointalignError("no aligned words were seen, so there is nothing to learn from")
        moves_source = Side(side) is Side.SOURCE
        cross = self.cross if moves_source else self.cross.T
        if Solution(solution) is Solution.ORTHOGONAL:
            u, _, vt = np.linalg.svd(cross)
            matrix = u @ vt
        else:
            own = self.source if moves_source else self.target
            ridge = _RIDGE * np.trace(own) / len(own)
            matrix = np.linalg.solve(own + ridge * np.eye(len(own)), cross)
        matrix, stays = matrix.astype(np.float32), np.eye(len(matrix), dtype=np.float32)
        return Mapping(matrix, stays) if moves_source else Mapping(stays, matrix)


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
        means = [tuple(tensors.get(f"{layer}.{side}_means", ())) for side in Side]
        source, target = (np.array(tensors[f"{layer}.{side}"]) for side in Side)
        found[layer] = Mapping(source, target, {}, means[0], means[1])
    return LayerMappings(found, facts.get("encoder", ""), facts.get("identity", ""))
