"""A mapping in a file, to be applied to other vectors of the same space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

import numpy as np
from safetensors.numpy import save

from jointalign.alignment.base import Mapping, as_numpy
from jointalign.storage.files import atomic
from jointalign.storage.tensors import Array, Schema, read_tensors

_MEANS = ("source_means", "target_means")


def write_mapping(mapping: Mapping, path: str | Path) -> None:
    """Write both maps and the history into one `.safetensors` file.

    Raises:
        JointalignError: If the file cannot be written.
    """
    tensors = {
        "source": np.ascontiguousarray(as_numpy(mapping.source), np.float32),
        "target": np.ascontiguousarray(as_numpy(mapping.target), np.float32),
    }
    for side, means in zip(_MEANS, (mapping.source_means, mapping.target_means), strict=True):
        if means:
            tensors[side] = np.stack([as_numpy(mean) for mean in means]).astype(np.float32)
    history = {name: list(values) for name, values in mapping.history.items()}
    facts = {"format": "jointalign", "kind": "mapping", "history": json.dumps(history)}
    with atomic(path) as file:
        file.write(save(tensors, facts))


def read_mapping(path: str | Path) -> Mapping:
    """Read what `write_mapping` has written.

    Raises:
        FormatError: If the file holds no mapping.
        JointalignError: If it cannot be read.

    Example:
        >>> import tempfile
        >>> turn = np.array([[0, 1], [-1, 0]], np.float32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_mapping(Mapping(turn, np.eye(2)), f"{folder}/turn.safetensors")
        ...     read_mapping(f"{folder}/turn.safetensors").source.tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    tensors, facts = read_tensors(path, _SCHEMA)
    means = [tuple(np.array(tensors.get(side, ()))) for side in _MEANS]
    return Mapping(np.array(tensors["source"]), np.array(tensors["target"]), facts["history"], *means)


class _Facts(TypedDict):
    history: dict[str, tuple[float, ...]]


_SCHEMA = Schema(
    "a mapping, as `jointalign align` writes it",
    _Facts,
    lambda _: {
        "source": Array("F32", ("source", "dimensions")),
        "target": Array("F32", ("target", "dimensions")),
        "source_means": Array("F32", (None, "source"), optional=True),
        "target_means": Array("F32", (None, "target"), optional=True),
    },
    "mapping",
)
