"""The state of a learning on disk: one safetensors file, replaced as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ner._torch import import_torch
from jointalign.storage.tensors import read_tensors, write_tensors
from jointalign.version import __version__

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

_NETWORK, _BEST, _OPTIMIZER = "network.", "best.", "optimizer."


@dataclass(frozen=True)
class Checkpoint:
    """A file; the state of another learning (another `key`) is not used.

    Args:
        path: The file.
        key: Digest of everything that the learning depends on.
    """

    path: Path
    key: str

    @staticmethod
    def digest(facts: Any) -> str:
        """A key from plain values."""
        return hashlib.sha256(json.dumps([__version__, facts]).encode()).hexdigest()

    def save(
        self, facts: Mapping[str, Any], network: Module, best: Mapping[str, Tensor], optimizer: Optimizer
    ) -> None:
        """Replace the state.

        Raises:
            JointalignError: If the file cannot be written; the state before stays.
        """
        tensors = named(network.state_dict(), _NETWORK) | named(best, _BEST)
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= named(state, f"{_OPTIMIZER}{number}.")
        write_tensors(self.path, tensors, {"key": self.key, "facts": json.dumps(dict(facts))})

    def load(self, network: Module, optimizer: Optimizer) -> dict[str, Any] | None:
        """Put the state back; the facts and `best_weights`, or `None` if there is no such state."""
        if not self.path.exists():
            return None
        try:
            tensors, metadata = read_tensors(self.path)
        except JointalignError:  # not ours, or damaged by the disk: start again
            return None
        if metadata.get("key") != self.key:
            return None
        network.load_state_dict(unnamed(tensors, _NETWORK))
        whole = optimizer.state_dict()
        whole["state"] = {}
        for name, tensor in unnamed(tensors, _OPTIMIZER).items():
            number, _, part = name.partition(".")
            # Step counts have no dimension, which files do not have.
            whole["state"].setdefault(int(number), {})[part] = (
                tensor.reshape(()) if part == "step" else tensor
            )
        optimizer.load_state_dict(whole)
        return {**json.loads(metadata["facts"]), "best_weights": unnamed(tensors, _BEST)}


def named(tensors: Mapping[str, Tensor], prefix: str = "") -> dict[str, np.ndarray]:
    """Tensors as arrays of a file."""
    return {prefix + name: np.atleast_1d(tensor.detach().cpu().numpy()) for name, tensor in tensors.items()}


def unnamed(arrays: Mapping[str, np.ndarray], prefix: str = "") -> dict[str, Tensor]:
    """Those arrays of a file whose names begin so, as tensors of their own memory."""
    torch = import_torch()
    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
