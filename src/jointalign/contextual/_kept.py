"""What is known of aligned words on disk: one safetensors file, replaced as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jointalign.contextual._mapping import CrossCovariances, HeldOut, Sample
from jointalign.errors import JointalignError
from jointalign.storage.tensors import STATE, read_tensors, write_tensors


@dataclass(frozen=True)
class KeptLearning:
    """A file; sums of another text, encoder or setting (another `key`) are not used.

    Args:
        path: The file.
        key: Digest of everything that the sums depend on.
    """

    path: Path
    key: str

    def save(
        self, done: int, sentences: int, sums: Sequence[CrossCovariances], sample: Sample, held: HeldOut
    ) -> None:
        """Replace what is there.

        Raises:
            JointalignError: If the file cannot be written; the one before stays.
        """
        parts = [one.tensors for one in sums] + [sample.tensors, held.tensors]
        tensors = {
            f"{number}.{name}": array for number, part in enumerate(parts) for name, array in part.items()
        }
        facts = {"done": done, "sentences": sentences, "words": held.words}
        write_tensors(self.path, tensors, {"key": self.key, "facts": json.dumps(facts)}, sealed=True)

    def load(self, sums: Sequence[CrossCovariances], sample: Sample, held: HeldOut) -> tuple[int, int]:
        """Put it back; the sentence pairs read and those learnt from, 0 if there is nothing."""
        try:
            tensors, metadata = read_tensors(self.path, STATE)
        except JointalignError:  # not there, not ours, or damaged by the disk: start again
            return 0, 0
        if metadata.get("key") != self.key:
            return 0, 0
        parts = [
            {
                name.removeprefix(f"{number}."): array
                for name, array in tensors.items()
                if name.startswith(f"{number}.")
            }
            for number in range(len(sums) + 2)
        ]
        facts = json.loads(metadata["facts"])
        for one, part in zip(sums, parts[:-2], strict=True):
            one.restore(part)
        sample.restore(parts[-2])
        held.restore(parts[-1], facts["words"])
        return facts["done"], facts["sentences"]
