"""The state of a training on disk, so that it can be stopped at any moment and go on."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import Setting
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.storage.tensors import read_tensors, write_tensors
from jointalign.version import __version__
from jointalign.vocabulary import Vocabulary

NAME = "training.checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced as a whole; a state of another training (another `key`) is not used.

    Args:
        folder: Where the file lies.
        key: Digest of everything that the state depends on: settings, seed, text.
    """

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / NAME

    def load(self) -> tuple[int, np.ndarray, np.ndarray] | None:
        """Blocks done, input and output matrices; `None` if there is nothing to go on from."""
        if not self.path.exists():
            return None
        try:
            tensors, facts = read_tensors(self.path)
        except JointalignError:  # not ours, or damaged by the disk: start again
            return None
        if facts.get("key") != self.key:
            return None
        return int(facts["done"]), np.array(tensors["inputs"]), np.array(tensors["outputs"])

    def save(self, done: int, inputs: np.ndarray, outputs: np.ndarray) -> None:
        """Replace the state.

        Raises:
            JointalignError: If the file cannot be written; the state before stays.
        """
        facts = {"key": self.key, "done": str(done)}
        write_tensors(self.path, {"inputs": inputs, "outputs": outputs}, facts)

    @staticmethod
    def remove(folder: Path) -> None:
        """Forget the state, once the result is safe."""
        (folder / NAME).unlink(missing_ok=True)


def checkpoint_in(
    folder: Path | None,
    settings: Mapping[str, Setting],
    corpora: Sequence[EncodedCorpus],
    vocabularies: Sequence[Vocabulary],
    lexicon: Lexicon | None = None,
) -> Checkpoint | None:
    """The checkpoint of this training in a folder; `None` without a folder."""
    if folder is None:
        return None
    text = [zlib.crc32(a.data) for c in corpora for a in (c.tokens, c.line_ends)]
    words = [["\n".join(v.words), v.counts.tolist()] for v in vocabularies]
    pairs = None if lexicon is None else lexicon.pairs
    facts = json.dumps([__version__, settings, text, words, pairs])
    return Checkpoint(folder, hashlib.sha256(facts.encode()).hexdigest())
