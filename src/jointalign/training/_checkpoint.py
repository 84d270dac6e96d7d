"""The state of a training on disk, so that it can be stopped at any moment and go on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced as a whole; a state of another training (another `key`) is not used.

    Args:
        path: The file.
        key: Everything that the state depends on: settings, seed, text.
    """

    path: Path
    key: str

    def load(self) -> tuple[int, np.ndarray, np.ndarray] | None:
        """Blocks done, input and output matrices; `None` if there is nothing to go on from."""
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "numpy") as file:
                facts = file.metadata() or {}
                if facts.get("key") != self.key:
                    return None
                return (
                    int(facts["done"]),
                    file.get_tensor("inputs"),
                    file.get_tensor("outputs"),
                )
        except SafetensorError:  # not ours, or damaged by the disk: start again
            return None

    def save(self, done: int, inputs: np.ndarray, outputs: np.ndarray) -> None:
        """Replace the state."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".partial")
        facts = {"key": self.key, "done": str(done)}
        save_file({"inputs": inputs, "outputs": outputs}, temporary, metadata=facts)
        temporary.replace(self.path)

    def remove(self) -> None:
        """Forget the state, once the result is safe."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".partial").unlink(missing_ok=True)
