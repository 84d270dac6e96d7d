"""A mapping in a file, to be applied to other vectors of the same space."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from jointalign.alignment.base import Mapping, as_numpy
from jointalign.errors import FormatError
from jointalign.storage.files import atomic, plain_errors

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
    with plain_errors(path):
        Path(path).open("rb").close()
    try:
        with safe_open(path, "numpy") as file:
            facts = file.metadata() or {}
            if facts.get("kind") != "mapping":
                raise FormatError(path, None, "expected a mapping, as `jointalign align` writes it")
            history = {name: tuple(v) for name, v in json.loads(facts["history"]).items()}
            held = set(file.keys())
            means = [tuple(file.get_tensor(side)) if side in held else () for side in _MEANS]
            return Mapping(file.get_tensor("source"), file.get_tensor("target"), history, *means)
    except (SafetensorError, KeyError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(path, None, "not a whole safetensors file of jointalign") from error
